"""Ferroelectric field-effect transistor in series with a resistor (1F1R)."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cells.cell import Cell
from cost_models.cost import Cost
from cost_models.namespace import Array


@dataclass(frozen=True)
class FeFET(Cell):
    """FeFET whose gate stack is charged and whose polarisation is switched by each write pulse.

    ``write_energy_density`` [J/m²] covers both: ΔP·V + C·V² an area of gate. At 4 V and 0.01 µm² it
    is 7 fJ for the polarisation that the gate loop really switches across the interlayer, and 25 fJ
    if interface charge screened all of 2·Pr (an upper bound).
    """

    gate_area: Array
    write_energy_density: Array

    def write_pulse(self) -> Cost:
        """One program or erase pulse."""
        return Cost(energy=self.write_energy_density * self.gate_area, latency=self.write_time)
