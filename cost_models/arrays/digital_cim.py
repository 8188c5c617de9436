"""Arrays that multiply and add with gates: trees beside the cells, or a full adder in every cell."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cost_models.arrays.activity import chain_transitions, product_transitions, tree_transitions
from cost_models.circuits.adder_tree import CARRY_DELAY, AdderTree, ShiftAdder, full_adder_cost
from cost_models.circuits.lines import TAPER_OVERHEAD, Line
from cost_models.circuits.logic import RegisterBank
from cost_models.circuits.multiplier import ENCODER_GATES, SELECTOR_GATES, SerialMultiplier
from cost_models.circuits.technology import Technology
from cost_models.namespace import Array, namespace_of

#: Transitions that cost energy: the supply charges a node when it rises, every second transition.
RISES = 0.5


@dataclass(frozen=True)
class AdderTreeArray:
    """``rows`` weights of ``weight_bits`` for each of ``outputs``, each with multipliers and an adder tree.

    In each step ``input_bits`` bits of every input (a plain number) meet the weights: an AND gate a weight
    bit where it is one bit, else a row of Booth selectors for every two, joined by adders; then the tree, and
    an accumulator of ``sum_bits`` that shifts. ``pipelined``: a register between tree and accumulator, so
    that a step takes the longer of the two and not both. ``glitches``: transitions over those of a tree
    without delays.
    """

    technology: Technology
    rows: Array
    outputs: Array
    weight_bits: Array
    input_bits: float
    sum_bits: Array
    input_line: Line
    input_toggle: Array
    weight_density: Array
    glitches: Array
    pipelined: bool = False

    @property
    def _products(self) -> Array:
        return product_transitions(input_toggle=self.input_toggle, weight_density=self.weight_density)

    @property
    def _partial_products(self) -> float:
        """Rows of selectors of one weight: one bit each, or two by Booth's radix 4."""
        return float(math.ceil(self.input_bits / 2.0))

    @property
    def _width(self) -> Array:
        """Bits of a product of one weight and one step's input."""
        return self.weight_bits + self.input_bits - 1.0

    @property
    def _gates(self) -> Array:
        """Unit gates that select the partial products of one weight; the encoders of a row serve all."""
        if self.input_bits <= 1:
            return self.weight_bits
        selectors = (self.weight_bits + 1.0) * SELECTOR_GATES + ENCODER_GATES / self.outputs
        return self._partial_products * selectors

    @property
    def _partial_adders(self) -> Array:
        """Full adders that join the partial products of one weight."""
        return (self._partial_products - 1.0) * (self.weight_bits + 2.0)

    @property
    def _activity(self) -> Array:
        transitions = tree_transitions(products=self._products, inputs=self.rows, width=self._width)
        return RISES * self.glitches * transitions

    @property
    def tree(self) -> AdderTree:
        """The tree of one output."""
        return AdderTree(self.technology, self.rows, self._width, self._activity)

    @property
    def accumulator(self) -> ShiftAdder:
        """The accumulator of one output."""
        return ShiftAdder(self.technology, self.sum_bits, self._activity)

    @property
    def _registers(self) -> RegisterBank:
        """Registers of one output: the accumulator's and that of the pipeline."""
        between = self.tree.output_width if self.pipelined else 0.0
        return RegisterBank(self.technology, self.sum_bits + between, self._activity)

    def step_energy(self) -> dict[str, Array]:
        """Energy of one step [J] by component."""
        technology = self.technology
        toggles = self.rows * self.input_bits * RISES * self.input_toggle
        partial = full_adder_cost(technology, self._partial_adders, self._activity)
        adding = self.rows * partial + self.tree.add().energy + self.accumulator.adder.add().energy
        return {
            "word_line_driver": (1 + TAPER_OVERHEAD)
            * toggles
            * self.input_line.swing(technology.supply_voltage).energy,
            "cell": self.outputs * self.rows * self._gates * RISES * self._products * technology.gate_energy,
            "accumulation": self.outputs * adding,
            "register": self.outputs * self._registers.load().energy,
        }

    @property
    def step_time(self) -> Array:
        """Time of one step [s]: input line, selection, tree, accumulator, register."""
        technology = self.technology
        selection = 1.0 if self.input_bits <= 1 else SELECTOR_GATES
        partial = (self._partial_products - 1.0) * technology.full_adder_delay_ratio
        summing = (selection + partial) * technology.delay + self.tree.add().latency
        accumulating = self.accumulator.adder.add().latency
        if self.pipelined:
            xp = namespace_of(summing, accumulating)
            logic = xp.maximum(xp.asarray(summing), xp.asarray(accumulating))
        else:
            logic = summing + accumulating
        return self.input_line.delay + logic + self._registers.load().latency

    @property
    def area(self) -> dict[str, Array]:
        """Area by component [m²], without the cells that store."""
        technology = self.technology
        partial = self._partial_adders * technology.full_adder_area_ratio * technology.gate_area
        gates = TAPER_OVERHEAD * self.input_line.capacitance / technology.gate_capacitance
        return {
            "word_line_driver": self.rows * self.input_bits * gates * technology.gate_area,
            "accumulation": self.outputs
            * (
                self.rows * (self._gates * technology.gate_area + partial)
                + self.tree.area
                + self.accumulator.adder.area
            ),
            "register": self.outputs * self._registers.area,
        }


@dataclass(frozen=True)
class RippleColumnArray:
    """A multiplier and a full adder in every cell; sums run down, ``depth`` cells between registers.

    An output takes ``weight_bits`` columns and ``sum_bits`` more for its carries, and each step applies one
    bit of every input. All products arrive at once, so sums that ripple make later adders switch again and
    again: ``surviving`` is the share of those glitches that the gates do not swallow.
    """

    technology: Technology
    rows: Array
    outputs: Array
    weight_bits: Array
    sum_bits: Array
    depth: Array
    input_line: Line
    input_toggle: Array
    weight_density: Array
    surviving: Array

    @property
    def _products(self) -> Array:
        return product_transitions(input_toggle=self.input_toggle, weight_density=self.weight_density)

    @property
    def _columns(self) -> Array:
        """Columns of adders of one output."""
        return self.weight_bits + self.sum_bits

    @property
    def _activity(self) -> Array:
        chain = chain_transitions(products=self._products, depth=self.depth, surviving=self.surviving)
        return RISES * chain

    @property
    def _gate(self) -> SerialMultiplier:
        return SerialMultiplier(self.technology, self.weight_bits, RISES * self._products)

    @property
    def _registers(self) -> RegisterBank:
        """Pipeline registers of one output."""
        return RegisterBank(self.technology, self._columns * self.rows / self.depth, self._activity)

    def step_energy(self) -> dict[str, Array]:
        """Energy of one step [J] by component; the adders are part of the cells."""
        technology = self.technology
        toggles = self.rows * RISES * self.input_toggle
        adders = full_adder_cost(technology, self.rows * self._columns, self._activity)
        return {
            "word_line_driver": (1 + TAPER_OVERHEAD)
            * toggles
            * self.input_line.swing(technology.supply_voltage).energy,
            "cell": self.outputs * (self.rows * self._gate.multiply().energy + adders),
            "register": self.outputs * self._registers.load().energy,
        }

    @property
    def step_time(self) -> Array:
        """Time of one step [s]: one XOR an adder down the column, the carries of the last row, the register.

        The product and the carry of an adder are there when the sum from above comes.
        """
        technology = self.technology
        gates = self.depth * technology.xor_delay_ratio + self._columns * CARRY_DELAY
        return self.input_line.delay + gates * technology.delay + self._registers.load().latency

    @property
    def area(self) -> dict[str, Array]:
        """Area by component [m²], without the cells that store."""
        technology = self.technology
        adders = self.rows * self._columns * technology.full_adder_area_ratio * technology.gate_area
        gates = TAPER_OVERHEAD * self.input_line.capacitance / technology.gate_capacitance
        return {
            "word_line_driver": self.rows * gates * technology.gate_area,
            "accumulation": self.outputs * (self.rows * self._gate.area + adders),
            "register": self.outputs * self._registers.area,
        }
