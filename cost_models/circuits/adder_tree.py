"""Adders: ripple, tree, shift-and-accumulate."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.elementary import log2
from cost_models.circuits.logic import RANDOM_ACTIVITY, RegisterBank
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array

#: Delay from carry-in to carry-out of a full adder in unit gates: two NAND2 (the full adder of the technology
#: file is 3 NAND2 + 2 XOR2; its sum takes ``full_adder_delay_ratio``).
CARRY_DELAY = 2.0


def full_adder_cost(technology: Technology, count: Array, activity: Array) -> Array:
    """Energy [J] of ``count`` full adders of whose nodes the share ``activity`` charges."""
    return count * activity * technology.full_adder_capacitance_ratio * technology.gate_energy


@dataclass(frozen=True)
class RippleAdder:
    """Adds two numbers of ``width`` bits; one full adder a bit, no register."""

    technology: Technology
    width: Array
    activity: Array = RANDOM_ACTIVITY

    def add(self) -> Cost:
        """One addition; the carry runs through all bits."""
        tech = self.technology
        delay = tech.full_adder_delay_ratio + (self.width - 1.0) * CARRY_DELAY
        return Cost(full_adder_cost(tech, self.width, self.activity), delay * tech.delay)

    @property
    def area(self) -> Array:
        """Full adders [m²]."""
        return self.width * self.technology.full_adder_area_ratio * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Full adders [W], by their area in unit gates."""
        return self.width * self.technology.full_adder_area_ratio * self.technology.leakage


@dataclass(frozen=True)
class AdderTree:
    """Adds ``inputs`` (a power of two) numbers of ``width`` bits in log2(inputs) levels of ripple adders.

    Level i has inputs/2^i adders of width + i − 1 bits: in all inputs·(width + 1) − (width + log2 inputs + 1)
    full adders (KU Leuven, zigzag-imc, imc_model_validation). Carries of successive levels run beside each
    other, so the last bit is there after log2(inputs) sums and width + log2(inputs) − 1 carries. Other counts
    of inputs interpolate.

    ``activity``: share of nodes that charge in one addition. Spurious transitions are in the unit gate, whose
    capacitance was fitted to adder trees of chips.
    """

    technology: Technology
    inputs: Array
    width: Array
    activity: Array = RANDOM_ACTIVITY

    @property
    def levels(self) -> Array:
        """Depth."""
        return log2(self.inputs)

    @property
    def output_width(self) -> Array:
        """Bits of the sum."""
        return self.width + self.levels

    @property
    def full_adders(self) -> Array:
        """Full adders of the whole tree."""
        return self.inputs * (self.width + 1.0) - (self.output_width + 1.0)

    def add(self) -> Cost:
        """One sum of all inputs."""
        tech = self.technology
        delay = self.levels * tech.full_adder_delay_ratio + (self.output_width - 1.0) * CARRY_DELAY
        return Cost(full_adder_cost(tech, self.full_adders, self.activity), delay * tech.delay)

    @property
    def area(self) -> Array:
        """Full adders [m²]."""
        return self.full_adders * self.technology.full_adder_area_ratio * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Full adders [W], by their area in unit gates."""
        return self.full_adders * self.technology.full_adder_area_ratio * self.technology.leakage


@dataclass(frozen=True)
class ShiftAdder:
    """Accumulator of ``width`` bits: the register's value, shifted by wiring, plus a new number.

    ``activity``: share of the adder's nodes, and of the register's bits, that charge in one step.
    """

    technology: Technology
    width: Array
    activity: Array = RANDOM_ACTIVITY

    @property
    def adder(self) -> RippleAdder:
        """The adder."""
        return RippleAdder(self.technology, self.width, self.activity)

    @property
    def register(self) -> RegisterBank:
        """The register at its output."""
        return RegisterBank(self.technology, self.width, self.activity)

    def accumulate(self) -> Cost:
        """One addition, registered."""
        return self.adder.add() + self.register.load()

    @property
    def area(self) -> Array:
        """Adder and register [m²]."""
        return self.adder.area + self.register.area

    @property
    def leakage_power(self) -> Array:
        """Adder and register [W]."""
        return self.adder.leakage_power + self.register.leakage_power
