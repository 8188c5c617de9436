"""What a program costs on this machine: latency, memory, time by operator, energy where a counter exists.

A ``Measurement`` is plain data: one that was recorded elsewhere (``Measurement.from_json``) stands
wherever a fresh one would, so that a machine without a GPU runs the whole pipeline.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from rmaat_hw.measure.record import Measurement

if TYPE_CHECKING:
    from rmaat_hw.measure.bench import measure as measure

__all__ = ["Measurement", "measure"]


def __getattr__(name: str) -> Any:
    if name == "measure":  # it needs torch: imported at first use
        return importlib.import_module("rmaat_hw.measure.bench").measure
    raise AttributeError(f"module 'rmaat_hw.measure' has no attribute {name!r}")
