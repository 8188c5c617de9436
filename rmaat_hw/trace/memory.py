"""How much memory a program holds at most: storages are counted as they come and go.

What is counted is the memory of tensors, as the program asks for it: an operator's result exists beside
its operands, and a storage is free when nothing refers to it any more, not even a saved activation. What
a kernel needs inside, and what an allocator rounds up or keeps in reserve, is not seen. As nothing has to
be computed for it, fake tensors tell the peak of a program that no machine at hand could hold.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch

from cost_models.workload.operators import Phase
from rmaat_hw.trace import compat

ACTIVATIONS = "activations"
"""Everything that is not labelled as something else: what operators make, saved for later or not."""


@dataclass(frozen=True)
class PeakBytes:
    """Most bytes that are held at one time.

    ``total``: of all; ``by_phase``: the same within each phase; ``parts``: what ``total`` consists of,
    by "parameters", "buffers", "inputs", "gradients" (of parameters, their terms as they are summed up
    included), "optimiser state" and "activations"; ``activations``: most bytes of activations, counted for
    themselves (their peak may be at another moment).
    """

    total: int
    by_phase: Mapping[Phase, int]
    parts: Mapping[str, int]
    activations: int


class LiveMemory:
    """Keeps account of the storages that it is shown until they are gone.

    It refers to them weakly, for a strong reference would change what autograd does with a gradient.
    """

    def __init__(self) -> None:
        self._numbers: dict[int, int] = {}  # of the living, by address
        self._watching: dict[int, weakref.ref[Any]] = {}
        self._sizes: list[int] = []
        self._parts: dict[int, str] = {}
        self._events: list[tuple[int, Phase | None]] = []  # storage, phase it came in or None: it went

    def see(self, tensor: torch.Tensor, phase: Phase, part: str = "") -> int:
        """Count the tensor's storage if it is new; ``part`` says what it is. Returns the storage's number."""
        storage = tensor.untyped_storage()
        address = compat.address(storage)
        number = self._numbers.get(address)
        if number is None:
            number = self._numbers[address] = len(self._sizes)
            self._sizes.append(storage.nbytes())
            self._events.append((number, phase))
            self._watching[number] = compat.watched(storage, partial(self._gone, number, address))
        if part:
            self.label(number, part)
        return number

    def label(self, number: int, part: str) -> None:
        """Say what a storage is, which may be gone by now."""
        self._parts[number] = part

    def _gone(self, number: int, address: int, reference: object) -> None:
        del self._watching[number]
        del self._numbers[address]
        self._events.append((number, None))

    def peak(self) -> PeakBytes:
        """The account so far."""
        held = dict.fromkeys((*dict.fromkeys(self._parts.values()), ACTIVATIONS), 0)
        by_phase: dict[Phase, int] = {}
        live = most = activations = 0
        parts = dict(held)
        for number, phase in self._events:
            part = self._parts.get(number, ACTIVATIONS)
            size = self._sizes[number] if phase is not None else -self._sizes[number]
            held[part] += size
            live += size
            if phase is None:
                continue
            by_phase[phase] = max(by_phase.get(phase, 0), live)
            activations = max(activations, held[ACTIVATIONS])
            if live > most:
                most, parts = live, dict(held)
        return PeakBytes(most, by_phase, parts, activations)
