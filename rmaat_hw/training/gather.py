"""Runs gathered into the table of the paper: models by tasks, mean and spread over seeds.

Averaged are runs that differ in their seed alone: the same task, preset, architecture, recipe, precision,
data and device. Of two runs with one seed the later counts.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError
from rmaat_hw.runs import read_run
from rmaat_hw.tasks import load_task
from rmaat_hw.training.log import LOG, read_log, read_sessions
from rmaat_hw.training.result import RESULT, SETTINGS, load_result

if TYPE_CHECKING:
    import pandas as pd

TASKS = ("listops", "text", "retrieval", "image", "pathfinder")
"""Of the Long Range Arena, in the order of its tables."""
PUBLISHED_PRESET = "full"  # the size that the published values are for
_NOT_AVERAGED = ("seed", "data", "checkpoint_every", "log_every")  # settings that leave the numbers alone


@dataclass(frozen=True)
class Group:
    """Runs that differ in their seed alone."""

    task: str
    preset: str
    model: str
    ablations: tuple[str, ...]
    steps: int
    batch: int
    precision: str
    device: str
    parameters: int
    seeds: tuple[int, ...]
    accuracies: tuple[float, ...]
    """Of the test split, in the order of the seeds."""
    intervals: tuple[tuple[float, float], ...]
    """Wilson's 95 % interval of each run."""
    baselines: Mapping[str, float]
    """Accuracy on the test split of what needs no learning."""
    reported: str
    whole: bool
    """Whether every split had all the sequences that it has where it was published."""
    runs: tuple[str, ...] = field(repr=False)

    @property
    def mean(self) -> float:
        """Mean accuracy over the seeds."""
        return statistics.fmean(self.accuracies)

    @property
    def std(self) -> float | None:
        """Sample standard deviation over the seeds; None for one seed."""
        return statistics.stdev(self.accuracies) if len(self.accuracies) > 1 else None

    @property
    def label(self) -> str:
        """Model with its ablations."""
        return " ".join([self.model, *self.ablations])

    @property
    def published(self) -> Mapping[str, Any] | None:
        """The published accuracy of this model on this task, at the size it was published for."""
        if self.preset != PUBLISHED_PRESET or not self.whole:
            return None
        return published_value(self.model, self.ablations, self.task)

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return {
            "task": self.task,
            "preset": self.preset,
            "model": self.model,
            "ablations": list(self.ablations),
            "n_seeds": len(self.seeds),
            "accuracy_mean": self.mean,
            "accuracy_std": self.std,
            "published": self.published,
            "baselines": dict(self.baselines),
            "steps": self.steps,
            "batch": self.batch,
            "precision": self.precision,
            "device": self.device,
            "parameters": self.parameters,
            "reported_weights": self.reported,
            "whole_data": self.whole,
            "runs": [
                {"run": run, "seed": seed, "accuracy": {"value": value, "low": low, "high": high}}
                for run, seed, value, (low, high) in zip(
                    self.runs, self.seeds, self.accuracies, self.intervals, strict=True
                )
            ],
        }


@dataclass(frozen=True)
class Results:
    """What was found in some folders."""

    groups: tuple[Group, ...]
    unfinished: tuple[Mapping[str, Any], ...]
    """Run, what it is, step, steps and why it is not finished."""

    def to_json(self) -> dict[str, Any]:
        """One document with the published rows and their sources."""
        return {
            "schema_version": 1,
            "command": "results",
            "groups": [group.to_dict() for group in self.groups],
            "unfinished": [dict(run) for run in self.unfinished],
            "published": published(),
        }

    def to_pandas(self) -> pd.DataFrame:
        """A row per group; accuracies are shares, std is NaN for one seed."""
        import pandas as pd

        rows = []
        for group in self.groups:
            told = group.to_dict()
            value = told.pop("published")
            told["ablations"] = " ".join(told["ablations"])
            told["published"] = value["accuracy"] if value else math.nan
            told["published_source"] = value["source"] if value else ""
            told["seeds"] = " ".join(str(seed) for seed in group.seeds)
            told["majority_class"] = group.baselines.get("majority class", math.nan)
            told["root_operator"] = group.baselines.get("root operator", math.nan)
            del told["baselines"], told["runs"]
            rows.append(told)
        return pd.DataFrame(rows)


def gather(places: Iterable[Path | str]) -> Results:
    """Read runs.

    Args:
        places: run folders, or folders that hold runs at any depth.

    Raises:
        InputError: a place that does not exist, or no run of a training in any of them.
    """
    folders = _runs(places)
    finished: dict[str, list[tuple[Path, Mapping[str, Any]]]] = {}
    unfinished = []
    for folder in folders:
        if not (folder / RESULT).exists():
            unfinished.append(_unfinished(folder))
            continue
        try:
            document = load_result(folder).document
            finished.setdefault(_key(document), []).append((folder, document))
        except (InputError, KeyError, TypeError) as error:
            reason = f"damaged: {error}" if isinstance(error, InputError) else "damaged result"
            unfinished.append({"run": str(folder), "reason": reason})
    groups = sorted((_group(members) for members in finished.values()), key=_place)
    return Results(tuple(groups), tuple(unfinished))


def _runs(places: Iterable[Path | str]) -> list[Path]:
    found: dict[Path, Path] = {}
    asked = [Path(place) for place in places]
    for place in asked:
        if not place.is_dir():
            raise InputError(
                "there is no such folder", where=str(place), remedy="`rmaat-hw train` writes runs into runs/"
            )
        inside = [place] if (place / SETTINGS).exists() else [p.parent for p in place.rglob(SETTINGS)]
        # A run being made has a hidden name.
        shown = (p for p in inside if not p.name.startswith("."))
        found.update((path.resolve(), path) for path in sorted(shown))
    if not found:
        raise InputError(
            "there is no run of a training in it",
            where=", ".join(map(str, asked)),
            remedy="`rmaat-hw train` writes runs into runs/",
        )
    return list(found.values())


def _key(document: Mapping[str, Any]) -> str:
    """Everything that two runs share when they differ in their seed alone."""
    settings = {k: v for k, v in document["settings"].items() if k not in _NOT_AVERAGED}
    data = {split: entry["sha256"] for split, entry in document["data"].items()}
    shared = [settings, document["config"], data, _device(document), document["reported"]]
    return json.dumps(shared, sort_keys=True)


def _device(document: Mapping[str, Any]) -> str:
    """What it was trained on; a run that went on elsewhere names both."""
    return " + ".join(document["hardware"]["devices"])


def _group(members: Sequence[tuple[Path, Mapping[str, Any]]]) -> Group:
    by_seed = {}
    for folder, document in sorted(members, key=lambda member: member[1]["created_utc"]):
        by_seed[document["settings"]["seed"]] = (folder, document)
    ordered = [by_seed[seed] for seed in sorted(by_seed)]
    first = ordered[0][1]
    settings = first["settings"]
    scores = [document["scores"][document["reported"]]["test"]["accuracy"] for _, document in ordered]
    return Group(
        task=settings["task"],
        preset=settings["preset"],
        model=settings["model"],
        ablations=tuple(settings["ablations"]),
        steps=settings["recipe"]["steps"],
        batch=settings["recipe"]["batch"],
        precision=settings["precision"],
        device=_device(first),
        parameters=first["parameters"],
        seeds=tuple(sorted(by_seed)),
        accuracies=tuple(score["value"] for score in scores),
        intervals=tuple((score["low"], score["high"]) for score in scores),
        baselines={name: by["test"]["accuracy"]["value"] for name, by in first["baselines"].items()},
        reported=first["reported"],
        whole=_whole(settings["task"], settings["preset"], first["data"]),
        runs=tuple(str(folder) for folder, _ in ordered),
    )


def _whole(task: str, preset: str, data: Mapping[str, Any]) -> bool:
    """Whether no split is smaller or larger than the task says, of those whose size it knows."""
    try:
        sizes = load_task(task, preset=preset).sizes
    except InputError:  # of a task or preset that is gone
        return False
    return all(data[split]["sequences"] == size for split, size in sizes.items())


def _place(group: Group) -> tuple[Any, ...]:
    """Order of the groups: preset, task as the paper has them, model, then how it was trained."""
    task = TASKS.index(group.task) if group.task in TASKS else len(TASKS)
    return (group.preset, task, group.task, group.model, group.ablations, group.steps, group.device)


def _unfinished(folder: Path) -> dict[str, Any]:
    """What a run without a result is, how far it came, and why it is not finished."""
    found: dict[str, Any] = {"run": str(folder)}
    try:
        settings = read_run(folder, SETTINGS)["settings"]
        for name in ("task", "preset", "model", "seed"):
            found[name] = settings[name]
        found["steps"] = settings["recipe"]["steps"]
        found["step"] = read_log(folder / LOG)[-1]["step"] if (folder / LOG).exists() else 0
    except (InputError, KeyError, TypeError, IndexError):
        pass  # a run that was killed as it began, or a damaged one: what is known is told
    sessions = read_sessions(folder)
    if _held(folder):
        found["reason"] = "running"
    elif not sessions:
        found["reason"] = "never began"
    elif sessions[-1]["event"] == "end":
        end = sessions[-1]
        found["reason"] = end.get("reason", "unknown")
        found["step"] = end.get("at_step", found.get("step", 0))
    else:
        found["reason"] = "killed"
    return found


def _held(folder: Path) -> bool:
    """Whether a process works on the run."""
    from rmaat_hw.training.endings import alone

    if not (folder / ".lock").exists():
        return False
    try:
        with alone(folder):
            return False
    except (InputError, OSError):
        return True


@cache
def published() -> dict[str, Any]:
    """Published accuracies with their sources, as ``published.yaml`` has them."""
    from ruamel.yaml import YAML

    text = resources.files("rmaat_hw.training").joinpath("published.yaml").read_text(encoding="utf-8")
    document: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return document


def published_value(model: str, ablations: Sequence[str], task: str) -> dict[str, Any] | None:
    """Published accuracy (a share) of a model on a task with the key of its source, or None."""
    for row in published()["rows"]:
        if row["model"] == model and row.get("ablations", []) == list(ablations) and task in row:
            return {"accuracy": row[task] / 100, "source": row["source"]}
    return None
