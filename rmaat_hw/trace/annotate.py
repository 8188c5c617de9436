"""Marks a model puts on its tensors for a recorder that may be listening."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

LISTENERS: list[Callable[[Tensor, str], None]] = []
"""Called with (tensor, name) at every mark; empty unless a recorder is active."""


def mark_state(tensor: Tensor, name: str) -> Tensor:
    """Return ``tensor`` itself, telling active recorders that it is a state called ``name``.

    A state is written once a segment and read many times: the memory tokens, the attention state H.
    """
    for listener in LISTENERS:
        listener(tensor, name)
    return tensor
