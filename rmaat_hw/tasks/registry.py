"""The tasks by name and preset: architecture, recipe, sizes and where the data come from.

Architectures are the grid that this project RECOMMENDS, anchored to the base models of the Long Range
Arena (arXiv 2011.04006, github.com/google-research/long-range-arena); batch, steps, warm-up and weight
decay are theirs too, the learning rate is for AdamW with a cosine and RECOMMENDED.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.tasks import listops
from rmaat_hw.tasks.listops_data import Law
from rmaat_hw.tasks.recipe import Recipe
from rmaat_hw.tasks.task import Task


def _listops() -> dict[str, Task]:
    law = Law()
    full = Task(
        name="listops",
        title="Long ListOps",
        config=RMAATConfig(
            vocabulary=len(listops.SYMBOLS),
            classes=10,
            d_model=512,
            heads=8,
            layers=4,
            ffn_width=1024,
            segment_length=512,
            segments=4,
        ),
        source=law.source,
        loader=law.load,
        sizes=law.sizes,
        data="generated",
        description=(
            "Nested MIN, MAX, MED and SM over digits, 500 to 2000 tokens, ten classes (Long Range "
            "Arena, arXiv 2011.04006); generated here from the published rules. For another padded "
            "length than 2048 the bounds scale with it, and longer sequences get deeper trees."
        ),
        recipe=Recipe(batch=32, steps=5000, learning_rate=5e-4, warmup_steps=1000, weight_decay=0.1),
        presets=("full", "small"),
    )
    small_law = Law(length=(20, 200), depth=5, padded_length=256, train=96_000)
    small = replace(
        full,
        title="ListOps, short",
        config=RMAATConfig(
            vocabulary=len(listops.SYMBOLS),
            classes=10,
            d_model=128,
            heads=4,
            layers=2,
            ffn_width=256,
            segment_length=64,
            segments=4,
            memory_tokens=8,
        ),
        source=small_law.source,
        loader=small_law.load,
        sizes=small_law.sizes,
        description=(
            "The rules of Long ListOps on trees of 20 to 200 tokens and depth 5, a size that trains on "
            "two CPU cores."
        ),
        recipe=Recipe(batch=64, steps=3000, learning_rate=1e-3, warmup_steps=200, weight_decay=0.01),
        preset="small",
    )
    return {"full": full, "small": small}


PRESETS: Mapping[str, Mapping[str, Task]] = MappingProxyType({"listops": _listops()})
"""Task name -> preset -> task."""
