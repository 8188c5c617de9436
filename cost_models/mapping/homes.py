"""Homes of stationary values: each is written once, however many operators read it, whole or in part."""

from __future__ import annotations

from collections.abc import Iterable

from cost_models.workload.operators import Operator, Stored


def stored_in(operator: Operator, index: int) -> tuple[Stored, ...]:
    """Where a stationary operand stands; without a record of it, each copy is a tensor of its own."""
    operand = operator.operands[index]
    if operand.stored:
        return operand.stored
    name, size = operand.name or f"{operator.id}[{index}]", operand.spec.numel
    return tuple(Stored(f"{name}#{k}" if k else name, 0, size, size) for k in range(operand.copies))


class Homes:
    """The tensors that need a home: those that are no part of another one."""

    def __init__(self, stored: Iterable[Stored]) -> None:
        by_name: dict[str, list[Stored]] = {}
        for tensor in dict.fromkeys(stored):
            by_name.setdefault(tensor.name, []).append(tensor)
        self._needed = {
            tensor
            for tensors in by_name.values()
            for tensor in tensors
            if not any(other != tensor and other.holds(tensor) for other in tensors)
        }
        self._free = set(self._needed)

    @property
    def elements(self) -> int:
        """Values in all homes."""
        return sum(tensor.elements for tensor in self._needed)

    def claim(self, stored: Iterable[Stored]) -> list[Stored]:
        """Those of ``stored`` that need a home and have none yet; from now on they have one."""
        found = [tensor for tensor in dict.fromkeys(stored) if tensor in self._free]
        self._free.difference_update(found)
        return found
