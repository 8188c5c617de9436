"""Multipliers: one bit at a time, array, Booth radix 4."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.adder_tree import CARRY_DELAY, full_adder_cost
from cost_models.circuits.elementary import whole
from cost_models.circuits.logic import RANDOM_ACTIVITY
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array

#: Transitions of an array of adders over those of settled values: rows wait for each other, and late carries
#: make nodes switch back and forth. Assumed; about as many spurious as useful ones at 8 bits, 1 to 3.
ARRAY_GLITCHES = 2.0

#: Booth radix 4 in unit gates: encoder of a row (3 XOR2 and 2 NAND2 by capacitance), selector of a bit (two
#: AND, OR, XOR).
ENCODER_GATES = 6.5
SELECTOR_GATES = 3.5


@dataclass(frozen=True)
class SerialMultiplier:
    """``width`` AND gates that let a number of ``width`` bits pass when the one-bit factor is one."""

    technology: Technology
    width: Array
    activity: Array = RANDOM_ACTIVITY

    def multiply(self) -> Cost:
        """One bit of the factor."""
        tech = self.technology
        return Cost(self.width * self.activity * tech.gate_energy, tech.delay)

    @property
    def area(self) -> Array:
        """Gates [m²]."""
        return self.width * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Gates [W]."""
        return self.width * self.technology.leakage


@dataclass(frozen=True)
class Multiplier:
    """Array multiplier of ``width`` × ``other_width`` bits, unsigned, no register.

    One AND gate a pair of bits and other_width·(width − 1) full adders; the longest path runs down the rows
    and along the last one.
    """

    technology: Technology
    width: Array
    other_width: Array
    activity: Array = RANDOM_ACTIVITY

    @property
    def full_adders(self) -> Array:
        """Full adders of the array."""
        return self.other_width * (self.width - 1.0)

    def multiply(self) -> Cost:
        """One product."""
        tech = self.technology
        gates = self.width * self.other_width * self.activity * tech.gate_energy
        adders = full_adder_cost(tech, self.full_adders, self.activity) * ARRAY_GLITCHES
        delay = 1.0 + self.other_width * tech.full_adder_delay_ratio + self.width * CARRY_DELAY
        return Cost(gates + adders, delay * tech.delay)

    @property
    def _gates(self) -> Array:
        return self.width * self.other_width + self.full_adders * self.technology.full_adder_area_ratio

    @property
    def area(self) -> Array:
        """Gates and full adders [m²]."""
        return self._gates * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Gates and full adders [W]."""
        return self._gates * self.technology.leakage


@dataclass(frozen=True)
class BoothMultiplier:
    """Signed multiplier of ``width`` × ``other_width`` bits, Booth radix 4, no register.

    other_width/2 rows (rounded up), each with an encoder, width + 1 selectors and, but for the first, width +
    2 full adders. Weste & Harris, CMOS VLSI Design, 4th ed., §11.9.
    """

    technology: Technology
    width: Array
    other_width: Array
    activity: Array = RANDOM_ACTIVITY

    @property
    def rows(self) -> Array:
        """Partial products."""
        return whole(self.other_width / 2.0)

    @property
    def full_adders(self) -> Array:
        """Full adders of the array."""
        return (self.rows - 1.0) * (self.width + 2.0)

    @property
    def _selection(self) -> Array:
        return self.rows * (ENCODER_GATES + (self.width + 1.0) * SELECTOR_GATES)

    def multiply(self) -> Cost:
        """One product."""
        tech = self.technology
        selection = self._selection * self.activity * tech.gate_energy
        adders = full_adder_cost(tech, self.full_adders, self.activity) * ARRAY_GLITCHES
        delay = ENCODER_GATES / 2.0 + self.rows * tech.full_adder_delay_ratio + self.width * CARRY_DELAY
        return Cost(selection + adders, delay * tech.delay)

    @property
    def _gates(self) -> Array:
        return self._selection + self.full_adders * self.technology.full_adder_area_ratio

    @property
    def area(self) -> Array:
        """Encoders, selectors, full adders [m²]."""
        return self._gates * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Encoders, selectors, full adders [W]."""
        return self._gates * self.technology.leakage
