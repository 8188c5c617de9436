"""Exponential, reciprocal, power, GELU, LayerNorm, softmax from additions, multiplications and table reads.

No silicon energy of a single exponential, GELU or LayerNorm is known, so every figure here is arithmetic on
blocks and is worth a factor of ``UNCERTAINTY`` either way.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from cost_models.circuits.adder_tree import RippleAdder
from cost_models.circuits.logic import RANDOM_ACTIVITY, RegisterBank
from cost_models.circuits.multiplier import Multiplier
from cost_models.circuits.sram import Sram
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array

#: A figure of this module may be this much too high or too low (5 to 95 %): adders differ two-fold between
#: sources, tables and word lengths of real units more.
UNCERTAINTY = 3.0

#: Primitive steps of one value. A subtraction, comparison, shift or count of leading zeros counts as an
#: addition. Tables hold value and slope: a look-up and the interpolation behind it are 1 table read, 1
#: multiplication, 1 addition.
OPERATIONS: Mapping[str, Mapping[str, float]] = {
    # x·log2 e = i + f (1 multiplication, 1 addition), 2^f from the table, shift by i
    "exponential": {"table": 1, "multiply": 2, "add": 3},
    # leading zeros and shift (2), table, one Newton step y(2 - xy) (2 multiplications, 1 addition), shift
    # back
    "reciprocal": {"table": 1, "multiply": 3, "add": 5},
    # the same with y(3 - x·y²)/2: one multiplication more
    "reciprocal_square_root": {"table": 1, "multiply": 4, "add": 5},
    # log2: leading zeros and shift (2), table; times the exponent; 2^x: split, table, shift
    "power": {"table": 2, "multiply": 3, "add": 6},
    # |x| (1), range (1), table of the normal distribution, times x
    "gelu": {"table": 1, "multiply": 2, "add": 3},
}

#: Steps of one value of a row, and of the row as a whole.
ROW_OPERATIONS: Mapping[str, tuple[Mapping[str, float], Mapping[str, float]]] = {
    # value: sum; subtract the mean; square and sum; scale; gain and offset. Row: two products with 1/n,
    # 1/√variance
    "layer_norm": (
        {"multiply": 3, "add": 4},
        {"table": 1, "multiply": 6, "add": 6},
    ),
    # value: maximum, subtract it, exponential, sum, times the reciprocal of the sum. Row: that reciprocal
    "softmax": (
        {"table": 1, "multiply": 3, "add": 6},
        {"table": 1, "multiply": 3, "add": 5},
    ),
}

#: Times that a row passes through the lanes: LayerNorm for mean, variance, scaling; softmax for maximum,
#: exponentials, scaling.
PASSES = 3.0

#: Registers between the steps of a lane: a result each clock, the first after so many.
PIPELINE_STAGES = 6.0


@dataclass(frozen=True)
class SpecialFunctionUnit:
    """``lanes`` lanes at ``clock`` [Hz] for numbers of ``width`` bits; a table of ``entries`` values each.

    A lane holds one table, two multipliers, three adders and six registers, pipelined: one result a clock.
    Table of 256 to 4096 entries. ``activity``: share of nodes that charge in an operation.
    """

    technology: Technology
    lanes: Array
    clock: Array
    width: Array = 16.0
    entries: Array = 256.0
    activity: Array = RANDOM_ACTIVITY

    @cached_property
    def table(self) -> Sram:
        """Table of values and slopes, one port."""
        return Sram(self.technology, self.entries * self.width / 4.0, 2.0 * self.width, self.activity)

    @cached_property
    def adder(self) -> RippleAdder:
        """One adder."""
        return RippleAdder(self.technology, self.width, self.activity)

    @cached_property
    def multiplier(self) -> Multiplier:
        """One multiplier."""
        return Multiplier(self.technology, self.width, self.width, self.activity)

    @cached_property
    def register(self) -> RegisterBank:
        """One register; a step writes one."""
        return RegisterBank(self.technology, self.width, self.activity)

    def energy(self, counts: Mapping[str, float]) -> Array:
        """Energy [J] of primitive steps, each with the register that takes its result."""
        blocks = {
            "add": self.adder.add().energy,
            "multiply": self.multiplier.multiply().energy,
            "table": self.table.read().energy,
        }
        register = self.register.load().energy
        return sum(count * (blocks[name] + register) for name, count in counts.items())

    def _latency(self, values: Array, passes: float) -> Array:
        return (passes * (values / self.lanes + PIPELINE_STAGES)) / self.clock

    def apply(self, function: str, values: Array = 1.0) -> Cost:
        """``values`` results of one of ``OPERATIONS``."""
        return Cost(values * self.energy(OPERATIONS[function]), self._latency(values, 1.0))

    def elu_plus_one(self, values: Array = 1.0, negative_share: Array = 0.5) -> Cost:
        """elu(x) + 1: eˣ where x < 0, x + 1 elsewhere; a comparison of each."""
        compare = self.energy({"add": 1})
        energy = compare + negative_share * self.energy(OPERATIONS["exponential"])
        return Cost(values * (energy + (1.0 - negative_share) * compare), self._latency(values, 1.0))

    def normalise(self, function: str, rows: Array, length: Array) -> Cost:
        """``rows`` rows of ``length`` values through one of ``ROW_OPERATIONS``; a row after the other."""
        value, row = (self.energy(counts) for counts in ROW_OPERATIONS[function])
        return Cost(rows * (length * value + row), rows * self._latency(length, PASSES))

    @property
    def area(self) -> Array:
        """All lanes [m²]."""
        lane = 2.0 * self.multiplier.area + 3.0 * self.adder.area + PIPELINE_STAGES * self.register.area
        return self.lanes * (self.table.area + lane)

    @property
    def leakage_power(self) -> Array:
        """All lanes [W]."""
        arithmetic = 2.0 * self.multiplier.leakage_power + 3.0 * self.adder.leakage_power
        registers = PIPELINE_STAGES * self.register.leakage_power
        return self.lanes * (self.table.leakage_power + arithmetic + registers)


def bounds(value: Array) -> tuple[Array, Array]:
    """Low and high of a figure of this module: ``UNCERTAINTY`` either way."""
    return value / UNCERTAINTY, value * UNCERTAINTY
