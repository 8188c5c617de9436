"""What surrounds a segment while it is replayed: random state, autocast, and hooks that rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils.checkpoint import get_device_states, set_device_states


class RandomState:
    """The random state of the processor and of every device that holds one of the tensors."""

    def __init__(self, tensors: Sequence[Tensor]) -> None:
        self._cpu = torch.get_rng_state()
        devices = [t for t in tensors if t.device.type not in ("cpu", "meta")]
        self._type = devices[0].device.type if devices else "cpu"
        ids = {t.get_device(): t for t in devices}
        self._devices, self._states = get_device_states(*ids.values()) if ids else ([], [])

    @contextmanager
    def restored(self) -> Iterator[None]:
        """Inside, the random state is this one; outside it is as it was."""
        accelerator = {"device_type": self._type} if self._devices else {}
        with torch.random.fork_rng(self._devices, **accelerator):
            torch.set_rng_state(self._cpu)
            if self._devices:
                set_device_states(self._devices, self._states, device_type=self._type)
            yield


def autocast_states(tensors: Sequence[Tensor]) -> list[tuple[str, bool, torch.dtype]]:
    """For each kind of device: whether autocast is on, and its type."""
    kinds = sorted({"cpu", *(t.device.type for t in tensors)} - {"meta"})
    return [(kind, torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)) for kind in kinds]


@contextmanager
def under(states: list[tuple[str, bool, torch.dtype]]) -> Iterator[None]:
    """Inside, autocast is as these states say, without its cache of cast weights."""
    with ExitStack() as stack:
        for kind, enabled, dtype in states:
            if enabled or torch.is_autocast_enabled(kind):
                stack.enter_context(torch.autocast(kind, dtype=dtype, enabled=enabled, cache_enabled=False))
        yield


@contextmanager
def hooks_off(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Inside, hooks on these tensors rest: theirs is the sum over all segments, once, not each part of it."""
    kept: list[tuple[Any, dict[Any, Any]]] = []
    for hooks in (tensor._backward_hooks for tensor in tensors):
        if hooks:
            kept.append((hooks, dict(hooks)))
            hooks.clear()
    try:
        yield
    finally:
        for hooks, before in kept:
            hooks.update(before)
