"""What the trainer costs around the bare step."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.utils.tensorboard  # loaded once a process: part of the start, not of a step

from rmaat_hw.training.endings import Requests
from rmaat_hw.training.loop import Loop
from rmaat_hw.training.run import create_run
from rmaat_hw.training.settings import make_job, make_settings


class Timed:
    """Adds up the processor time [s] of a function's calls."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function
        self.spent_s = 0.0

    def __call__(self, *args: Any) -> Any:
        began = time.process_time()
        try:
            return self.function(*args)
        finally:
            self.spent_s += time.process_time() - began


@pytest.mark.parametrize(("task", "preset", "steps"), [("listops", "small", 150), ("digits", "full", 150)])
def test_trainer_around_the_step(
    task: str, preset: str, steps: int, tmp_path: Path, record: Callable[..., None]
) -> None:
    """Promised < 3 % of a step: batches, checks, log, TensorBoard, random states and one checkpoint.

    Evaluations are work of their own, not overhead: the validation split is cut to one sequence.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the processor time of threads that wait for each other is no work
    try:
        job = make_job(make_settings(task, preset=preset, steps=steps))
        job = replace(job, validation=job.validation.take(np.arange(1)))
        loop = Loop(job, create_run(job, tmp_path / "run"), torch.device("cpu"))
        loop.step_of(*job.train.batch(np.arange(job.settings.recipe.batch)))
        step = loop.step_of
        timed = [Timed(step.gradients), Timed(step.update)]
        step.gradients, step.update = timed  # type: ignore[method-assign, assignment]
        began = time.process_time()
        loop.run(Requests())
        total_s = time.process_time() - began
    finally:
        torch.set_num_threads(threads)
    inside_s = sum(function.spent_s for function in timed)
    record(
        f"trainer_overhead_{task}_{preset}",
        100 * (total_s - inside_s) / inside_s,
        "%",
        f"processor time of the trainer outside the step, of that inside, {steps} steps of {task} {preset}, "
        f"{1e3 * inside_s / steps:.0f} ms each on one core",
    )
