"""The loop around the step: batches, log, evaluations, checkpoints, and going on where one was left.

On one machine a run is a pure function of its settings and of the number of threads that torch computes
with, which it keeps. The order of the examples follows from seed and step, and whatever else a step
depends on is in the checkpoint: weights, optimiser, random states of torch on host and device (nothing
else draws numbers), and the sums since the last line of the log.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from rmaat_hw.model import build
from rmaat_hw.training import checkpoint
from rmaat_hw.training.endings import NotFinite, OutOfTime, Requests, TrainingInterrupted
from rmaat_hw.training.evaluation import Score, evaluate
from rmaat_hw.training.log import Log
from rmaat_hw.training.order import batch_indices
from rmaat_hw.training.randomness import dropout_seed, random_state, set_random_state
from rmaat_hw.training.settings import Job
from rmaat_hw.training.step import TrainingStep, check_tokens, make_optimizer

CHECKPOINTS = "checkpoints"
LAST = "last.pt"
_TELL_EVERY_S = 0.1


@dataclass(frozen=True)
class Progress:
    """Where a training is, for whoever watches."""

    phase: str
    """"training", "validation" or "test"."""
    done: int
    """Steps of the training, or sequences of the evaluation."""
    of: int
    loss: float | None = None
    accuracy: float | None = None
    """Of the training batches since the last line of the log."""
    validation: float | None = None
    """Accuracy of the last evaluation."""
    steps_per_s: float | None = None
    remaining_s: float | None = None


Watcher = Callable[[Progress], None]


@dataclass
class Window:
    """Sums since the last line of the log."""

    steps: int = 0
    sequences: int = 0
    loss: float = 0.0
    correct: float = 0.0
    norm: float = 0.0

    def add(self, loss: float, norm: float, correct: float, sequences: int) -> None:
        self.steps += 1
        self.sequences += sequences
        self.loss += loss
        self.correct += correct
        self.norm = max(self.norm, norm)


class Loop:
    """One process's work on one run.

    Args:
        job: what to train, on what.
        folder: of the run; exists and is held by this process.
        device: where to compute.
        watch: told about ten times a second.
    """

    def __init__(self, job: Job, folder: Path, device: torch.device, watch: Watcher | None = None) -> None:
        self.job = job
        self.folder = folder
        self.device = device
        self.watch = watch or (lambda progress: None)
        settings = job.settings
        self.model = build(job.config, settings.seed).to(device).train()
        self.parameters = sum(p.numel() for p in self.model.parameters())
        if settings.compile:
            self.model.compile()
        self.step_of = TrainingStep(
            self.model,
            make_optimizer(self.model, settings.recipe),
            clip=settings.recipe.clip,
            precision=settings.precision,
            parts=settings.gradient_accumulation,
        )
        self.checkpoints = folder / CHECKPOINTS
        self.checkpoints.mkdir(exist_ok=True)
        self.step = self.saved = 0  # steps done, and those in the last checkpoint
        self.window = self._logged = Window()
        self._rate: float | None = None
        self.best: dict[str, Any] | None = None
        self.validation: Score | None = None
        self._spent_before_s = 0.0
        self._began = self._told_at = self._window_began = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Time spent on the run, by all the processes that its checkpoints know of."""
        return self._spent_before_s + time.monotonic() - self._began

    def run(self, requests: Requests, *, deadline_s: float | None = None) -> None:
        """Train from where the run is to its last step.

        Random states and number of threads of the process change: see ``surroundings_kept``.

        Args:
            requests: looked at after each step.
            deadline_s: seconds from now after which a checkpoint is written and the loop left.

        Raises:
            TrainingInterrupted, OutOfTime: after a checkpoint, at the end of a step.
            NotFinite: loss or gradient; batch, weights and random states of before are saved.
        """
        torch.manual_seed(dropout_seed(self.job.settings.seed))
        restored = self._restore()
        self.log = Log(self.folder, kept_bytes=restored, step=self.step)
        try:
            if not restored:
                self.log.write("start", 0, **self._start_record())
            self._train(requests, deadline_s)
        finally:
            self.log.close()

    def _train(self, requests: Requests, deadline_s: float | None) -> None:
        settings, recipe = self.job.settings, self.job.settings.recipe
        waiting = self._batch(self.step) if self.step < recipe.steps else None
        while waiting is not None:
            tokens, labels = waiting
            random = random_state(self.device)
            told = self.step_of.gradients(tokens, labels)
            following = self._batch(self.step + 1) if self.step + 1 < recipe.steps else None
            loss, norm, correct = told.tolist()  # the one wait for a device
            if not (math.isfinite(loss) and math.isfinite(norm)):
                raise self._not_finite(loss, norm, waiting, random)
            learning_rate = recipe.learning_rate_at(self.step)
            self.step_of.update(learning_rate)
            waiting = following
            self.step += 1
            self.window.add(loss, norm, correct, len(labels))
            last = self.step == recipe.steps
            if last or self.step % settings.log_every == 0:
                self._log_window(learning_rate)
            evaluated = last or self.step % recipe.evaluate_every == 0
            outdated = self._evaluate() if evaluated else []
            written = evaluated or self.step % settings.checkpoint_every == 0
            if written:
                self.save(outdated)
            self._tell()
            if not last:
                self._check_end(requests, deadline_s, written)

    def _check_end(self, requests: Requests, deadline_s: float | None, written: bool) -> None:
        late = deadline_s is not None and time.monotonic() - self._began > deadline_s
        if not (requests.asked or late):
            return
        if not written:
            self.save()
        if requests.asked:
            raise self.interrupted()
        told = f"Incomplete: the time allowed was over {self._where_to_go_on()}"
        raise OutOfTime(told, self.folder, self.step)

    def interrupted(self) -> TrainingInterrupted:
        """What to raise when somebody ends the training."""
        return TrainingInterrupted(f"Interrupted {self._where_to_go_on()}", self.folder, self.step)

    def _where_to_go_on(self) -> str:
        done = f"after step {self.step} of {self.job.settings.recipe.steps}"
        return f"{done}; `rmaat-hw train --resume {self.folder}` goes on from step {self.saved}."

    def _batch(self, step: int) -> tuple[Tensor, Tensor]:
        settings, examples = self.job.settings, self.job.train
        indices = batch_indices(step, batch=settings.recipe.batch, n=len(examples), seed=settings.seed)
        tokens, labels = examples.batch(indices)
        check_tokens(tokens, self.job.config, indices)
        if self.device.type == "cuda":
            tokens, labels = tokens.pin_memory(), labels.pin_memory()
        return (
            tokens.to(self.device, non_blocking=True),
            labels.to(self.device, non_blocking=True),
        )

    def _log_window(self, learning_rate: float) -> None:
        window = self.window
        now = time.monotonic()
        self._rate = window.steps / max(now - self._window_began, 1e-9)
        fields = {
            "loss_nat": window.loss / window.steps,
            "accuracy": window.correct / window.sequences,
            "gradient_norm": window.norm,
            "learning_rate": learning_rate,
            "epoch": self.step * self.job.settings.recipe.batch / len(self.job.train),
        }
        self.log.write(
            "train",
            self.step,
            **fields,
            steps_per_s=self._rate,
            elapsed_s=self.elapsed_s,
        )
        for name, value in fields.items():
            self.log.scalar(f"train/{name}", value, self.step)
        self._logged, self.window = window, Window()
        self._window_began = now

    def _evaluate(self) -> list[Path]:
        """Score the validation split; return files of weights that are no longer the best ones."""
        began = time.monotonic()
        score = self.score("validation")
        self.validation = score
        told = score.to_dict()
        self.log.write("validation", self.step, **told, elapsed_s=self.elapsed_s)
        self.log.scalar("validation/accuracy", score.accuracy, self.step)
        self.log.scalar("validation/loss_nat", score.loss or 0.0, self.step)
        self._window_began += time.monotonic() - began  # steps/s are those of training
        if self.best is not None and score.correct <= self.best["correct"]:
            return []
        outdated = [self.checkpoints / self.best["file"]] if self.best else []
        self.best = {
            "step": self.step,
            "correct": score.correct,
            "loss": score.loss,
            "file": f"best-{self.step:06d}.pt",
        }
        checkpoint.save(
            self.checkpoints / self.best["file"],
            {**self._description(), "step": self.step, "model": self.model.state_dict()},
        )
        return outdated

    def score(self, split: str, requests: Requests | None = None) -> Score:
        """Evaluate the present weights on a split; a wish in ``requests`` ends it between two batches."""
        examples = getattr(self.job, split)

        def watch(done: int) -> None:
            if requests is not None and requests.asked:
                raise self.interrupted()
            self._tell(split, done, len(examples))

        return evaluate(
            self.model,
            examples,
            batch=self.job.settings.recipe.batch,
            device=self.device,
            precision=self.job.settings.precision,
            config=self.job.config,
            progress=watch,
        )

    def save(self, outdated: list[Path] | None = None) -> None:
        """Write ``last.pt``; ``outdated`` files go once it no longer names them."""
        state = {
            **self._description(),
            "step": self.step,
            "log_bytes": self.log.settle(),
            "elapsed_s": self.elapsed_s,
            "threads": torch.get_num_threads(),
            "best": self.best,
            "window": asdict(self.window),
            "random": random_state(self.device),
            "model": self.model.state_dict(),
            "optimizer": self.step_of.optimizer.state_dict(),
        }
        checkpoint.save(self.checkpoints / LAST, state)
        self.saved = self.step
        for path in outdated or []:
            path.unlink(missing_ok=True)

    def _restore(self) -> int:
        """Go to the last checkpoint; return the length that the log had there, 0 without one."""
        checkpoint.remove_leftovers(self.checkpoints)
        path = self.checkpoints / LAST
        if not path.exists():
            self._keep_best(None)
            return 0
        state = checkpoint.load(path)
        checkpoint.check_same(state["identity"], self.job.identity(), where=str(path))
        self.model.load_state_dict(state["model"])
        self.step_of.optimizer.load_state_dict(state["optimizer"])
        set_random_state(state["random"], self.device)
        torch.set_num_threads(state["threads"])  # sums of other shares round otherwise
        self.step = self.saved = state["step"]
        self.best = state["best"]
        self.window = Window(**state["window"])
        self._spent_before_s = state["elapsed_s"]
        self._keep_best(self.best)
        return int(state["log_bytes"])

    def _keep_best(self, best: Mapping[str, Any] | None) -> None:
        """Drop weights that were written after the checkpoint, or that it had replaced."""
        for path in self.checkpoints.glob("best-*.pt"):
            if best is None or path.name != best["file"]:
                path.unlink()

    def load_weights(self, path: Path) -> None:
        """Take the weights of another checkpoint of this run."""
        self.model.load_state_dict(checkpoint.load(path)["model"])

    def _description(self) -> dict[str, Any]:
        from rmaat_hw.runs import versions

        return {"identity": self.job.identity(), "versions": versions()}

    def _start_record(self) -> dict[str, Any]:
        settings = self.job.settings
        return {
            "task": settings.task,
            "model": settings.model,
            "preset": settings.preset,
            "ablations": list(settings.ablations),
            "seed": settings.seed,
            "steps": settings.recipe.steps,
            "parameters": self.parameters,
            "sequences": {name: entry["sequences"] for name, entry in self.job.data().items()},
        }

    def _not_finite(
        self, loss: float, norm: float, batch: tuple[Tensor, Tensor], random: dict[str, Any]
    ) -> NotFinite:
        """Save what is needed to see the step again and say where it is."""
        step = self.step + 1
        settings = self.job.settings
        path = self.folder / f"failure-step-{step:06d}.pt"
        indices = batch_indices(
            self.step, batch=settings.recipe.batch, n=len(self.job.train), seed=settings.seed
        )
        state = {
            **self._description(),
            "step": step,
            "loss": repr(loss),
            "gradient_norm": repr(norm),
            "indices": torch.from_numpy(indices),
            "tokens": batch[0].cpu(),
            "labels": batch[1].cpu(),
            "random": random,
            "model": self.model.state_dict(),
            "optimizer": self.step_of.optimizer.state_dict(),
        }
        checkpoint.save(path, state)
        self.log.write("not finite", step, loss=repr(loss), gradient_norm=repr(norm), file=path.name)
        what = f"the loss is {loss}" if not math.isfinite(loss) else f"the norm of the gradient is {norm}"
        return NotFinite(
            f"Incomplete: {what} at step {step}; the batch, the weights before it and the random states are "
            f"in {path}; a lower --learning-rate or --precision fp32 may help.",
            self.folder,
            step,
            path,
        )

    def _tell(self, phase: str = "training", done: int | None = None, of: int | None = None) -> None:
        now = time.monotonic()
        if now - self._told_at < _TELL_EVERY_S:
            return
        self._told_at = now
        steps = self.job.settings.recipe.steps
        window = self.window if self.window.steps else self._logged
        if self.window.steps:
            self._rate = self.window.steps / max(now - self._window_began, 1e-9)
        rate = self._rate
        self.watch(
            Progress(
                phase=phase,
                done=self.step if done is None else done,
                of=steps if of is None else of,
                loss=window.loss / window.steps if window.steps else None,
                accuracy=window.correct / window.sequences if window.sequences else None,
                validation=self.validation.accuracy if self.validation else None,
                steps_per_s=rate,
                remaining_s=(steps - self.step) / rate if rate else None,
            )
        )
