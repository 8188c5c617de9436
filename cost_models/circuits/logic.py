"""Gates in blocks: registers and decoder; delays by logical effort."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.elementary import larger, log2
from cost_models.circuits.inverter import fanout_of_four
from cost_models.circuits.lines import TAPER_OVERHEAD
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array

#: Share of nodes that charge in one operation on independent random bits: each rises every fourth cycle.
RANDOM_ACTIVITY = 0.25

#: Logical effort of the two NAND stages of a decoder: a NAND4 of the predecoder, 2, and a NAND2 of the row,
#: 4/3. Sutherland, Sproull & Harris, Logical Effort; Weste & Harris, CMOS VLSI Design, 4th ed., table 4.2.
DECODER_EFFORT = 2.0 * 4.0 / 3.0

#: Address bits that one predecoder turns into one line of eight.
PREDECODED_BITS = 3.0


def path_delay(*, effort: Array, technology: Technology) -> Array:
    """Delay [s] of a chain of gates with path effort ``effort`` (logical × branching × electrical).

    Best with a stage effort of four: log4(effort) stages, at least one, each an inverter that drives four.
    Weste & Harris, CMOS VLSI Design, 4th ed., §4.5.
    """
    return log2(larger(effort, 4.0)) / 2.0 * fanout_of_four(technology)


#: Share of a flip-flop's switched capacitance on its clock, which moves in every cycle: about a third of the
#: transistors is clocked. Assumed, 0.2 to 0.5.
CLOCK_SHARE = 1.0 / 3.0


@dataclass(frozen=True)
class RegisterBank:
    """``bits`` flip-flops on one clock.

    A flip-flop switches ``flip_flop_capacitance_ratio`` unit gates when it is clocked and takes a new bit; of
    these ``CLOCK_SHARE`` belong to the clock and switch in every cycle that is not gated.
    """

    technology: Technology
    bits: Array
    activity: Array = RANDOM_ACTIVITY

    def load(self) -> Cost:
        """Clock all bits in, ``activity`` of them rising; clock to output two inverter delays."""
        tech = self.technology
        share = CLOCK_SHARE + (1.0 - CLOCK_SHARE) * self.activity
        energy = self.bits * share * tech.flip_flop_capacitance_ratio * tech.gate_energy
        return Cost(energy, 2.0 * fanout_of_four(tech))

    @property
    def area(self) -> Array:
        """All flip-flops [m²]."""
        return self.bits * self.technology.flip_flop_area_ratio * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """All flip-flops [W], by their area in unit gates."""
        return self.bits * self.technology.flip_flop_area_ratio * self.technology.leakage


@dataclass(frozen=True)
class Decoder:
    """One of ``lines`` lines from log2(lines) address bits: predecoders of three bits, one gate a line.

    ``pitch`` [m] from line to line (0: no wires); ``load`` [F] on each line, whose driver is sized for it.
    """

    technology: Technology
    lines: Array
    pitch: Array = 0.0
    load: Array = 0.0

    @property
    def address_bits(self) -> Array:
        """Bits of the address."""
        return log2(self.lines)

    @property
    def groups(self) -> Array:
        """Predecoders, not rounded: half a predecoder is a smaller one."""
        return self.address_bits / PREDECODED_BITS

    def select(self) -> Cost:
        """Raise one line and lower the last one; the load itself is the caller's.

        In each group one predecoded line rises, along the whole block, past the input of every eighth gate (a
        third of a unit gate); the address buffers and one row gate with its driver (a third of the load) rise
        too.
        """
        tech = self.technology
        gate_input = tech.gate_capacitance / 3.0
        predecoded = self.lines * (self.pitch * tech.wire_capacitance + gate_input / 2.0**PREDECODED_BITS)
        gates = self.address_bits * RANDOM_ACTIVITY * 2.0 + self.groups + 1.0
        capacitance = self.groups * predecoded + gates * tech.gate_capacitance + self.load * TAPER_OVERHEAD
        effort = DECODER_EFFORT * self.lines / 2.0 * (1.0 + self.load / gate_input)
        return Cost(capacitance * tech.supply_voltage**2, path_delay(effort=effort, technology=tech))

    @property
    def _gates(self) -> Array:
        """Row and predecoder gates, 3/2 unit gates each, and the drivers: a third of the load as gates."""
        drivers = self.load * TAPER_OVERHEAD / self.technology.gate_capacitance
        return self.lines * (1.5 + drivers) + self.groups * 2.0**PREDECODED_BITS * 1.5

    @property
    def area(self) -> Array:
        """Gates and drivers [m²]."""
        return self._gates * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Gates and drivers [W]."""
        return self._gates * self.technology.leakage
