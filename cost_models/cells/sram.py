"""Static memory cell with a separate read port (8T), read as a switched current."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cells.cell import Cell
from cost_models.cost import Cost
from cost_models.namespace import Array


@dataclass(frozen=True)
class SRAM(Cell):
    """Volatile cell: both internal nodes of ``node_capacitance`` [F] are charged when it flips."""

    node_capacitance: Array

    def write_pulse(self) -> Cost:
        """One write that flips the cell: 2·C·V²."""
        return Cost(energy=2 * self.node_capacitance * self.write_voltage**2, latency=self.write_time)
