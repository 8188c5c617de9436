"""Marks that a model leaves for an active recorder; without one they do nothing.

Kept apart from the recorder so that a model can import it without loading the tracer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Marker(Protocol):
    """What an active recorder offers."""

    def mark(self, tensor: Tensor, name: str) -> None: ...


_ACTIVE: list[Marker] = []


def mark_state(tensor: Tensor, name: str) -> Tensor:
    """Say that ``tensor`` is a state: written once a segment, read many times. Returns it unchanged.

    Operators that read the tensor, a view of it or a plain copy of it get role ``state`` and
    ``name`` for that operand.
    """
    for marker in _ACTIVE:
        marker.mark(tensor, name)
    return tensor


def activate(marker: Marker) -> None:
    """Send marks to ``marker`` until ``deactivate``."""
    _ACTIVE.append(marker)


def deactivate(marker: Marker) -> None:
    """Stop sending marks to ``marker``."""
    _ACTIVE.remove(marker)
