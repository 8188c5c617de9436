"""Tracing: from any PyTorch module to its operator graph, its activity and an independent MAC count.

Names are imported when first used, so that a model can import ``annotate`` without the tracer. No
submodule has the name of a function here: importing it would hide the function.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Trace": "program",
    "TraceMismatch": "activity",
    "capture": "program",
    "capture_training": "training",
    "collect_activity": "activity",
    "independent_macs": "crosscheck",
    "mark_state": "annotate",
}

__all__ = [
    "Trace",
    "TraceMismatch",
    "capture",
    "capture_training",
    "collect_activity",
    "independent_macs",
    "mark_state",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
