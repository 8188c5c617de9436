"""Resistive memory with a selector transistor (1T1R)."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cells.cell import Cell
from cost_models.cost import Cost
from cost_models.namespace import Array


@dataclass(frozen=True)
class RRAM(Cell):
    """Filamentary cell: a write pulse drives ``write_current`` [A] at the write voltage."""

    write_current: Array

    def write_pulse(self) -> Cost:
        """One set or reset pulse: I·V·t."""
        return Cost(
            energy=self.write_voltage * self.write_current * self.write_time, latency=self.write_time
        )
