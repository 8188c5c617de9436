"""Long wires: repeated wire, tree over a square."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.elementary import log2, whole
from cost_models.circuits.inverter import STEP_DELAY, Inverter
from cost_models.circuits.logic import RANDOM_ACTIVITY
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array

#: Delay given up for energy: repeaters a tenth slower than the fastest, the usual compromise.
DELAY_PENALTY = 0.1


@dataclass(frozen=True)
class RepeatedWire:
    """A wire of ``length`` [m] broken by inverters, one bit wide.

    With R0, C0 of the inverter of unit width, p its output over its input capacitance and Rw, Cw of the wire
    per length, a segment d with inverters k widths wide takes ln 2·[R0/k·(Cw·d + k·C0·(1 + p)) + Rw·d·(Cw·d/2
    + k·C0)]. Its minimum per length is at d = √(2·R0·C0·(1 + p)/(Rw·Cw)) and k = √(R0·Cw/(Rw·C0)):
    delay/length = ln 2·(2 + √(2(1 + p)))·√(R0·C0·Rw·Cw), capacitance/length = Cw·(1 + √((1 + p)/2)). Weste &
    Harris, CMOS VLSI Design, 4th ed., §6.4 (there ln 2 is inside R).

    ``delay_penalty`` ε ≥ 0 lets it be slower by 1 + ε: inverters x times as wide, segments 1/x times as long,
    both halves of the delay grow by (x + 1/x)/2 = 1 + ε, and the inverters add only x² as much capacitance,
    x = 1 + ε − √((1 + ε)² − 1). Exact optimum for p = 1; with the p of the technology
    files within 0.5 % of the least capacitance.

    ``resistance_ratio``: resistance per length over ``Technology.wire_resistance``, below 1 for the wide
    wires of upper layers. ``activity``: share of bits that charge the wire (a rise); 1 where each bit does.
    """

    technology: Technology
    length: Array
    activity: Array = RANDOM_ACTIVITY
    delay_penalty: Array = DELAY_PENALTY
    resistance_ratio: Array = 1.0

    @property
    def _shrink(self) -> Array:
        slower = 1.0 + self.delay_penalty
        return slower - (slower**2 - 1.0) ** 0.5

    @property
    def _parasitic(self) -> Array:
        tech = self.technology
        return tech.transistor_drain_capacitance_per_width / tech.transistor_gate_capacitance_per_width

    @property
    def repeater(self) -> Inverter:
        """One repeater."""
        tech, one = self.technology, Inverter(self.technology, 1.0)
        resistance = tech.wire_resistance * self.resistance_ratio
        width = (one.resistance * tech.wire_capacitance / (resistance * one.input_capacitance)) ** 0.5
        return Inverter(tech, width * self._shrink)

    @property
    def spacing(self) -> Array:
        """Distance from repeater to repeater [m]."""
        tech, one = self.technology, Inverter(self.technology, 1.0)
        inverter = 2.0 * one.resistance * one.input_capacitance * (1.0 + self._parasitic)
        wire = tech.wire_resistance * self.resistance_ratio * tech.wire_capacitance
        return (inverter / wire) ** 0.5 / self._shrink

    @property
    def capacitance(self) -> Array:
        """Wire and repeaters [F]."""
        share = ((1.0 + self._parasitic) / 2.0) ** 0.5 * self._shrink**2
        return self.length * self.technology.wire_capacitance * (1.0 + share)

    @property
    def delay(self) -> Array:
        """End to end [s]."""
        tech, one = self.technology, Inverter(self.technology, 1.0)
        product = one.resistance * one.input_capacitance * tech.wire_resistance * tech.wire_capacitance
        fastest = (2.0 + (2.0 * (1.0 + self._parasitic)) ** 0.5) * (product * self.resistance_ratio) ** 0.5
        return STEP_DELAY * fastest * (1.0 + self.delay_penalty) * self.length

    def transfer(self, bits: Array = 1.0) -> Cost:
        """Send ``bits`` bits over as many such wires at once: activity·C·V² each, one delay."""
        supply = self.technology.supply_voltage
        return Cost(bits * self.activity * self.capacitance * supply**2, self.delay)

    @property
    def area(self) -> Array:
        """Repeaters of one wire [m²]; the metal runs above other circuits."""
        return self.length / self.spacing * self.repeater.area

    @property
    def leakage_power(self) -> Array:
        """Repeaters of one wire [W]."""
        return self.length / self.spacing * self.repeater.leakage_power


@dataclass(frozen=True)
class HTree:
    """A tree of repeated wires from the centre of a square of ``side`` [m] to ``leaves`` equal squares.

    With 4^k leaves the way to each is side·(1 − 2^−k) and all branches together are 3/2·side·(2^k − 1) long
    (three bars of half a side in each H, 4^(i−1) letters of side/2^(i−1) on level i); 2^k = √leaves holds for
    any number. ``width`` wires run side by side; words follow one another. A gate at every fork takes
    ``fork_delay`` [s].
    """

    technology: Technology
    side: Array
    leaves: Array
    width: Array
    activity: Array = RANDOM_ACTIVITY
    delay_penalty: Array = DELAY_PENALTY
    resistance_ratio: Array = 1.0
    fork_delay: Array = 0.0

    def wire(self, length: Array) -> RepeatedWire:
        """A wire of the tree, ``length`` [m] long."""
        return RepeatedWire(self.technology, length, self.activity, self.delay_penalty, self.resistance_ratio)

    @property
    def path_length(self) -> Array:
        """Centre to one leaf [m]."""
        return self.side * (1.0 - self.leaves**-0.5)

    @property
    def total_length(self) -> Array:
        """All branches, one wire wide [m]."""
        return 1.5 * self.side * (self.leaves**0.5 - 1.0)

    @property
    def delay(self) -> Array:
        """Centre to leaf [s]."""
        return self.wire(self.path_length).delay + log2(self.leaves) * self.fork_delay

    def _words(self, bits: Array) -> Array:
        return whole(bits / self.width)

    def unicast(self, bits: Array) -> Cost:
        """``bits`` bits from the centre to one leaf or back, other branches at rest."""
        return Cost(self.wire(self.path_length).transfer(bits).energy, self.delay * self._words(bits))

    def broadcast(self, bits: Array) -> Cost:
        """``bits`` bits from the centre to every leaf."""
        return Cost(self.wire(self.total_length).transfer(bits).energy, self.delay * self._words(bits))

    @property
    def area(self) -> Array:
        """Repeaters of all branches [m²]."""
        return self.width * self.wire(self.total_length).area

    @property
    def leakage_power(self) -> Array:
        """Repeaters of all branches [W]."""
        return self.width * self.wire(self.total_length).leakage_power
