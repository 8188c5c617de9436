"""RMAAT: segment-recurrent encoder with memory tokens and astromorphic linear attention.

Configuration and counts load without torch; :class:`RMAAT` and :func:`build` bring it in when used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.macs import macs_by_hand
from rmaat_hw.model.retention import retention_factor, retention_factors

if TYPE_CHECKING:
    from rmaat_hw.model.rmaat import RMAAT, build

__all__ = ["RMAAT", "RMAATConfig", "build", "macs_by_hand", "retention_factor", "retention_factors"]


def __getattr__(name: str) -> Any:
    if name in ("RMAAT", "build"):
        from rmaat_hw.model import rmaat

        return getattr(rmaat, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
