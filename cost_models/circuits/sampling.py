"""Around a converter: the capacitor that holds its input, and the buffer that drives its reference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cost_models.circuits.comparator import ROOM_TEMPERATURE, noise_capacitance
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of

#: Mean square of an input spread evenly over full scale, over full scale squared.
MEAN_SQUARE = 1.0 / 3.0


@dataclass(frozen=True)
class SampleHold:
    """Switch and capacitor [F] that take a voltage of ``full_scale`` [V] to ``bits`` bits.

    The capacitor is charged by whoever drives it from 0 each time: C·V² for a mean square of
    V²; the switch, one transmission gate of the technology, is opened and closed once. It settles to half a
    step in (b + 1)·ln 2 time constants.
    """

    technology: Technology
    capacitance: Array
    bits: Array
    full_scale: Array
    mean_square: Array = MEAN_SQUARE

    @classmethod
    def of(
        cls,
        p: Mapping[str, Array],
        slot: str = "sampling",
        *,
        technology: Technology,
        bits: Array,
        full_scale: Array,
        temperature: Array = ROOM_TEMPERATURE,
    ) -> SampleHold:
        """Size the capacitor by its thermal noise, and no smaller than the least one of the ``sampling``
        file."""
        noise = noise_capacitance(bits=bits, full_scale=full_scale, temperature=temperature)
        least = p[f"{slot}.minimum_capacitance"]
        xp = namespace_of(noise, least)
        capacitance = xp.maximum(as_array(noise, xp), as_array(least, xp))
        return cls(technology=technology, capacitance=capacitance, bits=bits, full_scale=full_scale)

    def sample(self) -> Cost:
        """Take one sample."""
        technology = self.technology
        width = technology.transmission_gate_width
        switch = 2.0 * width * technology.transistor_gate_capacitance_per_width
        held = self.capacitance * self.mean_square * self.full_scale**2
        resistance = technology.transistor_on_resistance_width / width
        settling = (self.bits + 1.0) * math.log(2.0) * resistance * self.capacitance
        return Cost(energy=held + switch * technology.supply_voltage**2, latency=settling)

    @property
    def area(self) -> Array:
        """Capacitor and switch [m²]."""
        technology = self.technology
        switch = technology.transmission_gate_area_ratio * technology.gate_area
        return self.capacitance / technology.capacitor_density + switch

    @property
    def leakage_power(self) -> Array:
        """Static power [W]: a switch connects no supply."""
        return 0.0 * self.capacitance


@dataclass(frozen=True)
class ReferenceBuffer:
    """Source of a converter's reference: what it draws beside the charge that it delivers.

    ``overhead``: own current over delivered charge. ``reservoir_ratio``: capacitor at its output over the
    capacitance that it switches.
    """

    technology: Technology
    overhead: Array
    reservoir_ratio: Array

    @classmethod
    def of(cls, p: Mapping[str, Array], slot: str = "sampling", *, technology: Technology) -> ReferenceBuffer:
        """Build it from a ``sampling`` file."""
        return cls(technology, p[f"{slot}.reference_overhead"], p[f"{slot}.reservoir_ratio"])

    def deliver(self, charge: Array) -> Cost:
        """Deliver ``charge`` [C], all of it drawn from the supply."""
        return Cost(energy=(1.0 + self.overhead) * charge * self.technology.supply_voltage)

    def area(self, capacitance: Array) -> Array:
        """Reservoir beside a switched ``capacitance`` [F], in m²."""
        return self.reservoir_ratio * capacitance / self.technology.capacitor_density
