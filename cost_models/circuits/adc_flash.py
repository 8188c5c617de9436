"""Flash converter: a comparator for every threshold; with one bit it is a sense amplifier."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cost_models.circuits.adc import FACTORS, require_bits
from cost_models.circuits.comparator import Comparator
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array

#: Transistors of a unit gate, a NAND2: one transistor of the encoder is a quarter of it.
TRANSISTORS_PER_GATE = 4.0


@dataclass(frozen=True)
class FlashAdc:
    """Flash converter of ``bits`` bits over ``full_scale`` [V].

    * 2ᵇ − 1 comparators, each matched to a step, so that the energy goes with 8ᵇ once offset sets their size.
    * Ladder: a resistor string whose taps recover from the comparators' charge within the conversion. The
      slowest mode of a string of resistance R with C_in at every tap has τ = R·ΣC/π²; settling to half a step
      takes (b + 1)·ln 2 of them, and the string draws V_FS/R from the supply in that time: ΣC·V_FS·V·(b +
      1)·ln 2/π², whatever R is. The string is off between conversions; one bit needs none (its reference is
      given).
    * Encoder: one AND a code and a wired-OR matrix of b·2^(b−1) transistors; 2 of the ANDs and half of the
      lines change in a conversion. Nothing for one bit.
    * A flip-flop an output bit.
    """

    law: ClassVar[str] = "flash"

    technology: Technology
    bits: Array
    full_scale: Array
    comparator: Comparator
    energy_factor: Array = 1.0
    delay_factor: Array = 1.0
    area_factor: Array = 1.0

    @classmethod
    def of(
        cls,
        p: Mapping[str, Array],
        slot: str = "adc",
        *,
        technology: Technology,
        bits: Array,
        full_scale: Array,
    ) -> FlashAdc:
        """Build it from the files ``flash_adc`` (``slot``) and ``comparator``.

        Raises InputError outside the bits of the file.
        """
        require_bits(cls.law, bits, p, slot)
        return cls(
            technology=technology,
            bits=bits,
            full_scale=full_scale,
            comparator=Comparator.of(
                p, technology=technology, bits=bits, full_scale=full_scale, matched=True
            ),
            **{name: p[f"{slot}.{name}"] for name in FACTORS},
        )

    @property
    def comparators(self) -> Array:
        """Thresholds, 2ᵇ − 1."""
        return 2.0**self.bits - 1.0

    @property
    def _matrix(self) -> Array:
        """Unit gates of the wired-OR matrix; 0 for one bit."""
        return self.bits * (2.0 ** (self.bits - 1.0) - 1.0) / TRANSISTORS_PER_GATE

    def parts(self) -> dict[str, Array]:
        """Energy of one conversion [J] by part, before ``energy_factor``."""
        technology = self.technology
        loaded = (self.comparators - 1.0) * self.comparator.input_capacitance  # none for one bit
        settling = (self.bits + 1.0) * math.log(2.0) / math.pi**2
        switched = 2.0 * (1.0 - 2.0 ** (1.0 - self.bits)) + self._matrix / 2.0
        registers = self.bits * technology.flip_flop_capacitance_ratio
        return {
            "comparator": self.comparators * self.comparator.decide().energy,
            "ladder": settling * loaded * self.full_scale * technology.supply_voltage,
            "encoder": (switched + registers) * technology.gate_energy,
        }

    def convert(self) -> Cost:
        """One conversion: decision, a gate delay a bit through the encoder, two for the register."""
        latency = self.comparator.decide().latency + (self.bits + 2.0) * self.technology.delay
        return Cost(
            energy=self.energy_factor * sum(self.parts().values()), latency=self.delay_factor * latency
        )

    @property
    def _logic_gates(self) -> Array:
        codes = self.comparators - 1.0
        return codes + self._matrix + self.bits * self.technology.flip_flop_area_ratio

    @property
    def area(self) -> Array:
        """Area of one converter [m²]; the resistors of the ladder lie within the pitch of the comparators."""
        logic = self._logic_gates * self.technology.gate_area
        return self.area_factor * (self.comparators * self.comparator.area + logic)

    @property
    def leakage_power(self) -> Array:
        """Static power of comparators and encoder [W]."""
        logic = self._logic_gates * self.technology.leakage
        return self.comparators * self.comparator.leakage_power + logic


def sense_amplifier(
    p: Mapping[str, Array], slot: str = "adc", *, technology: Technology, margin: Array
) -> FlashAdc:
    """A one-bit converter that tells a bit line ``margin`` [V] above its reference from one as far below.

    Its offset spread must fit the margin: a step of a one-bit converter is half of its full scale.
    """
    return FlashAdc.of(p, slot, technology=technology, bits=1.0, full_scale=2.0 * margin)
