"""Tasks: seeded sequences with labels, and the RMAAT recommended for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from device_params.errors import InputError, nearest_name
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.tasks import listops
from rmaat_hw.tasks.task import Batch, Sequences, Task, with_sequence_length

__all__ = ["TASKS", "Batch", "Task", "load_task", "task_names", "with_sequence_length"]


def _listops(n: int, seed: int, padded_length: int, length: tuple[int, int] | None) -> Sequences:
    bounds, depth = listops.scaled_law(padded_length)
    return listops.sequences(n, seed, length=length or bounds, depth=depth)


TASKS: Mapping[str, Task] = MappingProxyType(
    {
        "listops": Task(
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
            source=_listops,
            description=(
                "Nested MIN, MAX, MED and SM over digits, 500 to 2000 tokens, ten classes (Long Range "
                "Arena, arXiv 2011.04006); generated here from the published rules. For another padded "
                "length than 2048 the bounds scale with it, and longer sequences get deeper trees."
            ),
        ),
    }
)
"""The tasks that work, by name."""


def task_names() -> tuple[str, ...]:
    """Return the names that :func:`load_task` takes."""
    return tuple(TASKS)


def load_task(name: str, sequence_length: int | None = None) -> Task:
    """Return a task by name.

    Args:
        name: one of :func:`task_names`.
        sequence_length: padded length in tokens; by default the task's own.

    Raises:
        InputError: an unknown name (with the nearest one), or a length that is no positive multiple of
            the segment length.
    """
    task = TASKS.get(name)
    if task is None:
        raise InputError(
            "unknown task",
            where="--task",
            value=name,
            allowed=", ".join(TASKS),
            nearest=nearest_name(name, TASKS),
        )
    return task if sequence_length is None else task.with_sequence_length(sequence_length)
