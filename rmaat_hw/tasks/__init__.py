"""Tasks: labelled sequences, and the RMAAT and the training recommended for them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from device_params.errors import InputError, nearest_name
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.recipe import Recipe
from rmaat_hw.tasks.registry import PRESETS
from rmaat_hw.tasks.task import SPLITS, Batch, Task, with_sequence_length

__all__ = [
    "SPLITS",
    "TASKS",
    "Batch",
    "Examples",
    "Recipe",
    "Task",
    "load_task",
    "task_names",
    "with_sequence_length",
]

TASKS: Mapping[str, Task] = MappingProxyType({name: presets["full"] for name, presets in PRESETS.items()})
"""The tasks that work, by name, each in its full size."""


def task_names() -> tuple[str, ...]:
    """Return the names that :func:`load_task` takes."""
    return tuple(TASKS)


def load_task(name: str, sequence_length: int | None = None, preset: str = "full") -> Task:
    """Return a task by name.

    Args:
        name: one of :func:`task_names`.
        sequence_length: padded length in tokens; by default the task's own.
        preset: one of the task's ``presets``; "full" is the published size.

    Raises:
        InputError: an unknown name or preset (with the nearest one), or a length that is no positive
            multiple of the segment length.
    """
    presets = PRESETS.get(name)
    if presets is None:
        raise InputError(
            "unknown task",
            where="--task",
            value=name,
            allowed=", ".join(TASKS),
            nearest=nearest_name(name, TASKS),
        )
    task = presets.get(preset)
    if task is None:
        raise InputError(
            f"unknown preset of the task {name}",
            where="--preset",
            value=preset,
            allowed=", ".join(presets),
            nearest=nearest_name(str(preset), presets),
        )
    return task if sequence_length is None else task.with_sequence_length(sequence_length)
