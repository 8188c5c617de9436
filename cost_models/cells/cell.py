"""What every memory cell of a current-mode array has in common: geometry and the charge of a read."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cost import Cost
from cost_models.namespace import Array, namespace_of


@dataclass(frozen=True)
class Cell:
    """A cell that conducts between ``off_current`` and ``on_current`` [A] at ``read_voltage`` [V].

    The current comes from a supply of ``read_supply_voltage`` [V]: across the circuit that holds the bit line
    at the read voltage, or from that voltage itself. ``levels`` states; a read lasts ``read_steps`` pulses of
    ``read_time`` [s]. Capacitances [F] are those of the cell's own terminals, without the wire. ``area``
    [m²], ``aspect_ratio`` width/height.
    ``write_energy`` [J] is what one write pulse takes from the cell's own terminals. A ``gated`` cell has an
    access transistor on its word line: writing others does not reach it.

    Resistive (1T1R) and static (8T) cells are just that; a family whose write energy follows from its
    device has a class of its own.
    """

    levels: Array
    read_voltage: Array
    read_supply_voltage: Array
    on_current: Array
    off_current: Array
    read_gate_voltage: Array
    read_steps: Array
    read_time: Array
    area: Array
    aspect_ratio: Array
    word_line_capacitance: Array
    bit_line_capacitance: Array
    write_voltage: Array
    write_time: Array
    standby_leakage: Array
    write_energy: Array
    gated: bool = False

    @property
    def width(self) -> Array:
        """Pitch along the word line [m]."""
        xp = namespace_of(self.area, self.aspect_ratio)
        return xp.sqrt(xp.asarray(self.area * self.aspect_ratio))

    @property
    def height(self) -> Array:
        """Pitch along the bit line [m]."""
        return self.area / self.width

    def read(self, level_fraction: Array) -> Cost:
        """Read a cell whose stored level is ``level_fraction`` (0 … 1) of the highest.

        Energy V_supply·t·S·[I_off + (I_on − I_off)·x]: for a clipped cell x is the share of gate steps at
        which it conducts, for a conductance the share of the conductance range; the sum is the same.
        """
        current = self.off_current + (self.on_current - self.off_current) * level_fraction
        duration = self.read_steps * self.read_time
        return Cost(energy=self.read_supply_voltage * current * duration, latency=duration)

    def write_pulse(self) -> Cost:
        """One write pulse on the selected cell itself, without lines and supply."""
        return Cost(energy=self.write_energy, latency=self.write_time)
