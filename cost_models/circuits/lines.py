"""Word lines and bit lines of an array, their drivers, the one-bit input DAC and the column multiplexer."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cost import Cost
from cost_models.namespace import Array

#: A tapered buffer chain with a fan-out of four a stage switches 1/4 + 1/16 + … = 1/3 of its load
#: on top of it (geometric series; Weste & Harris, CMOS VLSI Design, 4th ed., §4.5 and §9.2).
TAPER_OVERHEAD = 1.0 / 3.0

#: 50 % delay of a distributed RC line is 0.38·R·C (Weste & Harris, 4th ed., §6.3).
DISTRIBUTED_DELAY = 0.38


@dataclass(frozen=True)
class Line:
    """One metal line across an array with the cells that hang on it.

    ``cells`` on the line, ``pitch`` [m] from cell to cell, ``cell_capacitance`` [F] of one cell's
    terminal, wire capacitance [F/m] and resistance [Ω/m].
    """

    cells: Array
    pitch: Array
    cell_capacitance: Array
    wire_capacitance: Array
    wire_resistance: Array

    @property
    def length(self) -> Array:
        """Length [m]."""
        return self.cells * self.pitch

    @property
    def capacitance(self) -> Array:
        """Wire and cells together [F]."""
        return self.cells * (self.cell_capacitance + self.pitch * self.wire_capacitance)

    @property
    def delay(self) -> Array:
        """Delay along the distributed line [s]."""
        return DISTRIBUTED_DELAY * self.length * self.wire_resistance * self.capacitance

    def swing(self, voltage: Array) -> Cost:
        """Charge the line to ``voltage`` [V] from a supply of that voltage and discharge it: C·V²."""
        return Cost(energy=self.capacitance * voltage**2, latency=self.delay)


@dataclass(frozen=True)
class WordLineDriver:
    """Driver of one word line through a read that steps the gate up a staircase of ``steps`` pulses.

    A cell whose ON current is clipped by a resistor tells its level by the number of gate steps at
    which it conducts: the line is pulsed to s/steps of ``voltage`` for s = 1 … steps. ``steps`` = 1 is
    the ordinary read of a cell that stores a conductance.
    """

    line: Line
    voltage: Array
    steps: Array
    gate_capacitance: Array
    gate_area: Array

    def pulse(self) -> Cost:
        """All steps of one read of one word line.

        Σ (s/S)² for s = 1 … S is (S + 1)(2S + 1)/(6S).
        """
        squares = (self.steps + 1) * (2 * self.steps + 1) / (6 * self.steps)
        swing = self.line.swing(self.voltage)
        return Cost(energy=(1 + TAPER_OVERHEAD) * squares * swing.energy, latency=self.steps * swing.latency)

    @property
    def area(self) -> Array:
        """Area of one driver [m²]: its input capacitance, a quarter of the load plus the taper, in gates."""
        gates = TAPER_OVERHEAD * self.line.capacitance / self.gate_capacitance
        return gates * self.gate_area


@dataclass(frozen=True)
class InputDac:
    """One-bit input of a row: a register and one switch for each gate level.

    A bit-serial input needs no more: the bit decides whether the staircase reaches the word line.
    """

    steps: Array
    supply_voltage: Array
    gate_capacitance: Array
    gate_area: Array
    flip_flop_capacitance_ratio: Array
    flip_flop_area_ratio: Array

    def load(self) -> Cost:
        """Clock one bit into the row's register."""
        capacitance = self.flip_flop_capacitance_ratio * self.gate_capacitance
        return Cost(energy=capacitance * self.supply_voltage**2)

    def select(self) -> Cost:
        """Open and close the switches of one staircase (a transmission gate, two gates, a step)."""
        return Cost(energy=2 * self.steps * self.gate_capacitance * self.supply_voltage**2)

    @property
    def area(self) -> Array:
        """Area of one row's input [m²]."""
        return (self.flip_flop_area_ratio + 2 * self.steps) * self.gate_area


@dataclass(frozen=True)
class ColumnMultiplexer:
    """Transmission gates that connect one of several columns to a converter, with their decoder lines."""

    supply_voltage: Array
    gate_capacitance: Array
    gate_area: Array

    def select(self) -> Cost:
        """Open one column and close it again: two gates of the transmission gate and one of the decoder."""
        return Cost(energy=3 * self.gate_capacitance * self.supply_voltage**2)

    @property
    def area(self) -> Array:
        """Area a column [m²]."""
        return 3 * self.gate_area
