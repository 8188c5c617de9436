"""What a training is: everything that decides its numbers, and nothing else."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from device_params.errors import InputError
from rmaat_hw.tasks import load_task
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.recipe import Recipe

SPLITS = ("train", "validation", "test")
LOG_EVERY = 20  # steps between two lines of the log
MOST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Settings:
    """How one model is trained on one task. Device, progress and time limits are not part of it."""

    task: str
    model: str
    preset: str
    seed: int
    recipe: Recipe
    ablations: tuple[str, ...] = ()
    data: str | None = None
    """Folder of the published files, for the tasks that read them."""
    precision: str = "fp32"
    compile: bool = False
    gradient_accumulation: int = 1
    checkpoint_every: int = 500
    log_every: int = LOG_EVERY

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "task": self.task,
            "model": self.model,
            "preset": self.preset,
            "seed": self.seed,
            "ablations": list(self.ablations),
            "data": self.data,
            "precision": self.precision,
            "compile": self.compile,
            "gradient_accumulation": self.gradient_accumulation,
            "checkpoint_every": self.checkpoint_every,
            "log_every": self.log_every,
            "recipe": self.recipe.to_dict(),
        }

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, where: str) -> Settings:
        """Back from :meth:`to_dict`; InputError where it is something else."""
        try:
            values = dict(mapping)
            values["ablations"] = tuple(values["ablations"])
            values["recipe"] = Recipe.from_mapping(values["recipe"], where=where)
            settings = cls(**values)
            settings._check()
        except InputError as error:
            raise InputError(f"these are not the settings of a training: {error}", where=where) from error
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("these are not the settings of a training", where=where) from error
        return settings

    def _check(self) -> None:
        """What :func:`make_settings` holds for options, for settings that were read from a file."""
        for name in ("task", "model", "preset", "precision"):
            if not isinstance(getattr(self, name), str):
                raise InputError("bad value", where=name, value=getattr(self, name), allowed="a name")
        _whole("seed", self.seed, least=0, most=MOST_SEED)
        for name in ("gradient_accumulation", "checkpoint_every", "log_every"):
            _whole(name, getattr(self, name))


@dataclass(frozen=True, eq=False)
class Job:
    """A training ready to run: settings, architecture and data."""

    settings: Settings
    config: Any
    """Of the model, as ``rmaat_hw.model.build`` takes it."""
    train: Examples
    validation: Examples
    test: Examples

    def __post_init__(self) -> None:
        for name in SPLITS:
            examples: Examples = getattr(self, name)
            if not len(examples):
                raise InputError(f"the {name} split has no sequence", where=examples.source)
            wrong = (examples.labels < 0) | (examples.labels >= self.config.classes)
            if wrong.any():
                place = int(wrong.argmax())
                raise InputError(
                    "a label that is no class of the task",
                    where=f"{name} split, sequence {place}",
                    value=int(examples.labels[place]),
                    allowed=f"0 … {self.config.classes - 1}",
                )

        batch, most = self.settings.recipe.batch, len(self.train)
        if batch > most:
            raise InputError(
                "the batch is larger than the training split",
                where="--batch",
                value=batch,
                allowed=f"at most {most} sequences",
                remedy="name a smaller one with --batch",
            )

    def identity(self) -> dict[str, Any]:
        """All that a checkpoint of this job must share with it, as plain values."""
        settings = self.settings.to_dict()
        del settings["data"]  # a folder may move; the digests say whether its content is the same
        return {
            **settings,
            "config": self.config.to_dict(),
            "data_sha256": {name: getattr(self, name).sha256 for name in SPLITS},
        }

    def data(self) -> dict[str, Any]:
        """What the splits hold, for the record."""
        return {
            name: {"sequences": len(examples), "sha256": examples.sha256, "source": examples.source}
            for name in SPLITS
            for examples in [getattr(self, name)]
        }


def make_settings(
    task: str = "listops",
    model: str = "rmaat",
    preset: str = "full",
    seed: int = 0,
    *,
    ablations: Sequence[str] = (),
    data: Path | str | None = None,
    steps: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    precision: str = "fp32",
    compile: bool = False,
    gradient_accumulation: int = 1,
    evaluate_every: int | None = None,
    checkpoint_every: int | None = None,
    log_every: int = LOG_EVERY,
) -> Settings:
    """Complete what was asked for with the preset's recipe.

    With fewer steps than the recipe has, the warm-up shrinks in proportion.

    Raises:
        InputError: an unknown name or a value outside its range.
    """
    from rmaat_hw.training.step import PRECISIONS

    recipe = load_task(task, preset=preset).recipe
    changed: dict[str, Any] = {}
    if steps is not None:
        _whole("--steps", steps)
        if steps < recipe.steps:
            changed["warmup_steps"] = math.floor(recipe.warmup_steps * steps / recipe.steps)
            changed["evaluate_every"] = min(recipe.evaluate_every, steps)
        changed["steps"] = steps
    if batch is not None:
        changed["batch"] = _whole("--batch", batch)
    if evaluate_every is not None:
        changed["evaluate_every"] = _whole("--evaluate-every", evaluate_every)
    if learning_rate is not None:
        if isinstance(learning_rate, bool) or not 0 < learning_rate < math.inf:
            raise InputError(
                "bad value", where="--learning-rate", value=learning_rate, allowed="a positive finite number"
            )
        changed["learning_rate"] = learning_rate
    recipe = replace(recipe, **changed)
    if precision not in PRECISIONS:
        raise InputError(
            "unknown precision", where="--precision", value=precision, allowed=", ".join(PRECISIONS)
        )
    _whole("--seed", seed, least=0, most=MOST_SEED)
    _whole("--gradient-accumulation", gradient_accumulation)
    if recipe.batch % gradient_accumulation:
        raise InputError(
            "the batch does not fall into equal parts",
            where="--gradient-accumulation",
            value=gradient_accumulation,
            allowed=f"a divisor of the batch, {recipe.batch}",
        )
    return Settings(
        task=task,
        model=model,
        preset=preset,
        seed=seed,
        recipe=recipe,
        ablations=tuple(ablations),
        data=None if data is None else str(data),
        precision=precision,
        compile=compile,
        gradient_accumulation=gradient_accumulation,
        checkpoint_every=recipe.evaluate_every
        if checkpoint_every is None
        else _whole("--checkpoint-every", checkpoint_every),
        log_every=_whole("--log-every", log_every),
    )


def make_job(settings: Settings) -> Job:
    """Load the task's data and choose the architecture.

    Raises:
        InputError: unknown names, ablations that do not go together, missing files.
    """
    from rmaat_hw.model.variants import variant

    task = load_task(settings.task, preset=settings.preset)
    config = variant(settings.model, task.config, settings.ablations)
    folder = None if settings.data is None else Path(settings.data)
    found = {name: task.split(name, data=folder) for name in SPLITS}
    if config.sequence_length != task.config.sequence_length:  # an ablation of fewer segments
        found = {name: examples.padded_to(config.sequence_length) for name, examples in found.items()}
    return Job(settings=settings, config=config, **found)


def _whole(where: str, value: int, least: int = 1, most: int | None = None) -> int:
    fits = isinstance(value, int) and not isinstance(value, bool) and value >= least
    if not fits or (most is not None and value > most):
        allowed = f"a whole number of at least {least}"
        if most is not None:
            allowed += f" and at most {most}"
        raise InputError("bad value", where=where, value=value, allowed=allowed)
    return value
