"""RMAAT: segment-recurrent encoder with memory tokens and astromorphic linear attention; and its rivals.

Configuration and counts load without torch; what needs it is brought in when used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.macs import macs_by_hand
from rmaat_hw.model.retention import retention_factor, retention_factors
from rmaat_hw.model.variants import ABLATIONS, VARIANTS, Mamba2Config, variant

if TYPE_CHECKING:
    from rmaat_hw.model.replay import memory_replay, segment_recurrence
    from rmaat_hw.model.rmaat import RMAAT, build

__all__ = [
    "ABLATIONS",
    "RMAAT",
    "VARIANTS",
    "Mamba2Config",
    "RMAATConfig",
    "build",
    "macs_by_hand",
    "memory_replay",
    "retention_factor",
    "retention_factors",
    "segment_recurrence",
    "variant",
]

_HOMES = {"RMAAT": "rmaat", "build": "rmaat", "memory_replay": "replay", "segment_recurrence": "replay"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
