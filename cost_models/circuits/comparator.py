"""Clocked comparator: the dynamic latch inside every converter, sized by noise and offset."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cost_models.circuits.technology import Technology
from cost_models.constants import BOLTZMANN
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of

#: Temperature of the noise [K] where none is given.
ROOM_TEMPERATURE = 300.0

#: Gate lengths stopped following the name of the node near 16 nm [m] (IRDS, More Moore, 2020: 18 to 14 nm).
SHORTEST_GATE = 16e-9

#: Layout of a transistor over its gate area: gate, two contacted diffusions and the spacing to the next one.
TRANSISTOR_SPREAD = 4.0


def noise_capacitance(*, bits: Array, full_scale: Array, temperature: Array = ROOM_TEMPERATURE) -> Array:
    """Capacitance [F] whose thermal noise equals the quantisation noise of ``bits`` over ``full_scale`` [V].

    kT/C = (V/2ᵇ)²/12, so C = 12·kT·4ᵇ/V²: 4.0 fF for 8 bits at 0.9 V and 300 K. Sundström, Murmann &
    Svensson, IEEE TCAS-I 56, 509 (2009).
    """
    return 12.0 * BOLTZMANN * temperature * 4.0**bits / full_scale**2


@dataclass(frozen=True)
class Comparator:
    """Dynamic latch that tells steps of ``full_scale``/2ᵇ [V] apart.

    * Core: ``gates`` unit gates switch with every decision.
    * Noise: the input-referred noise of the latch is ``noise_factor``·kT/C with C at each of its two internal
      nodes (Razavi, IEEE Solid-State Circuits Magazine 7(2), 12 (2015)). C makes it equal the quantisation
      noise.
    * Offset: the input pair has a spread A_VT/√(WL) (Pelgrom), and ``offset_sigmas`` of it must fit in one
      step. 0 where one comparator decides all bits (its offset shifts every code alike) or cancels its
      offset.
    * Delay: two gate delays, and b·ln 2 time constants of regeneration for the smallest input,
      ``regeneration_ratio`` gate delays each.
    """

    technology: Technology
    bits: Array
    full_scale: Array
    gates: Array
    noise_factor: Array
    offset_sigmas: Array
    regeneration_ratio: Array
    temperature: Array = ROOM_TEMPERATURE

    @classmethod
    def of(
        cls,
        p: Mapping[str, Array],
        slot: str = "comparator",
        *,
        technology: Technology,
        bits: Array,
        full_scale: Array,
        matched: bool,
    ) -> Comparator:
        """Build it from a ``comparator`` file; ``matched``: sized for offset, as in a flash converter."""
        return cls(
            technology=technology,
            bits=bits,
            full_scale=full_scale,
            gates=p[f"{slot}.gates"],
            noise_factor=p[f"{slot}.noise_factor"],
            offset_sigmas=p[f"{slot}.offset_sigmas"] if matched else 0.0,
            regeneration_ratio=p[f"{slot}.regeneration_ratio"],
        )

    @property
    def _pair_gate_area(self) -> Array:
        """Gate area W·L [m²] of each input transistor."""
        step = self.full_scale / 2.0**self.bits
        return (self.offset_sigmas * self.technology.threshold_mismatch / step) ** 2

    @property
    def input_capacitance(self) -> Array:
        """Capacitance of one input [F]: the gate of the pair, a quarter of a unit gate at least."""
        technology = self.technology
        xp = namespace_of(self._pair_gate_area, technology.node, technology.gate_capacitance)
        length = xp.maximum(as_array(technology.node, xp), as_array(SHORTEST_GATE, xp))
        gate = technology.transistor_gate_capacitance_per_width * self._pair_gate_area / length
        return xp.maximum(as_array(gate, xp), as_array(technology.gate_capacitance / 4.0, xp))

    @property
    def _noise_capacitance(self) -> Array:
        return self.noise_factor * noise_capacitance(
            bits=self.bits, full_scale=self.full_scale, temperature=self.temperature
        )

    @property
    def _added_capacitance(self) -> Array:
        """What noise asks for at an internal node beyond the input pair's own capacitance [F]."""
        missing = self._noise_capacitance - self.input_capacitance
        xp = namespace_of(missing)
        return xp.clip(as_array(missing, xp), min=0.0)

    def decide(self) -> Cost:
        """One decision: both internal nodes are charged, and the core switches."""
        node = self.input_capacitance + self._added_capacitance
        capacitance = self.gates * self.technology.gate_capacitance + 2.0 * node
        delays = 2.0 + self.regeneration_ratio * self.bits * math.log(2.0)
        return Cost(
            energy=capacitance * self.technology.supply_voltage**2, latency=delays * self.technology.delay
        )

    @property
    def area(self) -> Array:
        """Core, input pair and capacitors at the internal nodes [m²]."""
        pair = 2.0 * TRANSISTOR_SPREAD * self._pair_gate_area
        capacitors = 2.0 * self._added_capacitance / self.technology.capacitor_density
        return self.gates * self.technology.gate_area + pair + capacitors

    @property
    def leakage_power(self) -> Array:
        """Static power of the core [W]; between decisions the pair is cut off by its tail."""
        return self.gates * self.technology.leakage
