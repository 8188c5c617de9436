"""Training: one step as an object, a loop that survives its own death, and a table of what came out.

``rmaat_hw.training.train(...)`` is ``rmaat-hw train``. torch is imported when a training begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rmaat_hw.training.endings import NotFinite, OutOfTime, TrainingIncomplete, TrainingInterrupted
    from rmaat_hw.training.result import TrainingResult, load_result
    from rmaat_hw.training.run import resume_training, train
    from rmaat_hw.training.step import TrainingStep, make_optimizer
    from rmaat_hw.training.weights import load_model

_HOMES = {
    "NotFinite": "endings",
    "OutOfTime": "endings",
    "TrainingIncomplete": "endings",
    "TrainingInterrupted": "endings",
    "TrainingResult": "result",
    "TrainingStep": "step",
    "load_model": "weights",
    "load_result": "result",
    "make_optimizer": "step",
    "resume_training": "run",
    "train": "run",
}

__all__ = [
    "NotFinite",
    "OutOfTime",
    "TrainingIncomplete",
    "TrainingInterrupted",
    "TrainingResult",
    "TrainingStep",
    "load_model",
    "load_result",
    "make_optimizer",
    "resume_training",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"rmaat_hw.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
