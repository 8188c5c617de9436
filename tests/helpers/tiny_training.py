"""A training of a second: which of two tokens is the more frequent, read in four segments of eight."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rmaat_hw.model import RMAATConfig
from rmaat_hw.tasks.examples import Examples, pack
from rmaat_hw.tasks.recipe import Recipe
from rmaat_hw.training.run import create_run, run_job
from rmaat_hw.training.settings import Job, Settings

CPU = torch.device("cpu")
RECIPE = Recipe(
    batch=16,
    steps=60,
    learning_rate=3e-3,
    warmup_steps=6,
    weight_decay=0.01,
    betas=(0.9, 0.98),
    clip=1.0,
    evaluate_every=20,
)
CONFIG = RMAATConfig(
    vocabulary=8,
    classes=2,
    d_model=16,
    heads=2,
    layers=1,
    ffn_width=32,
    segment_length=8,
    segments=4,
    memory_tokens=2,
    dropout=0.1,
)


def examples(n: int, seed: int, *, length: int = CONFIG.sequence_length) -> Examples:
    """Sequences of 12 to 32 tokens from 1 … 7; the label says whether 2 is rarer than 3."""
    generator = np.random.default_rng(seed)
    sequences = [generator.integers(1, 8, size=generator.integers(12, 33)) for _ in range(n)]
    labels = [int((s == 2).sum() < (s == 3).sum()) for s in sequences]
    return pack(
        [bytes(s.tolist()) for s in sequences], labels, padded_length=length, source=f"drawn with seed {seed}"
    )


def job(*, seed: int = 0, config: RMAATConfig = CONFIG, recipe: Recipe = RECIPE, **settings: Any) -> Job:
    """The training; ``settings`` are further fields of ``Settings``."""
    chosen = {"checkpoint_every": 10, "log_every": 7, **settings}
    return Job(
        settings=Settings(task="tiny", model="rmaat", preset="tiny", seed=seed, recipe=recipe, **chosen),
        config=config,
        train=examples(200, 1),
        validation=examples(64, 2),
        test=examples(64, 3),
    )


def work(folder: str, steps: int = RECIPE.steps, **options: Any) -> None:
    """Train in a process of its own, from the beginning or from where the folder stands."""
    torch.set_num_threads(1)
    wanted = job(recipe=replace(RECIPE, steps=steps))
    if not Path(folder).exists():
        create_run(wanted, folder)
    run_job(wanted, Path(folder), CPU, **options)


if __name__ == "__main__":
    work(sys.argv[1])
