"""Successive approximation by charge redistribution, built from its parts: law `charge_sar`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cost_models.circuits.adc import FACTORS, SAR_LOGIC_GATES, require_bits
from cost_models.circuits.comparator import Comparator, noise_capacitance
from cost_models.circuits.sampling import ReferenceBuffer
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of


def unit_capacitance(
    *,
    bits: Array,
    full_scale: Array,
    minimum_capacitance: Array,
    mismatch_capacitance: Array,
    linearity_sigmas: Array,
) -> Array:
    """Unit capacitor [F] of a binary-weighted array: the largest of what layout, matching and noise ask for.

    Matching: σ(C)/C = √(c/C) with ``mismatch_capacitance`` c. At mid-scale 2^(b−1) units switch against as
    many: σ = ½·2^(b/2)·σ(C)/C steps, of which ``linearity_sigmas`` must fit in one, so C ≥ n²·c·2^(b−2).
    Noise: the whole array holds at least ``noise_capacitance``.
    """
    matching = linearity_sigmas**2 * mismatch_capacitance * 2.0 ** (bits - 2.0)
    noise = noise_capacitance(bits=bits, full_scale=full_scale) / 2.0**bits
    xp = namespace_of(matching, noise, minimum_capacitance)
    physics = xp.maximum(as_array(matching, xp), as_array(noise, xp))
    return xp.maximum(physics, as_array(minimum_capacitance, xp))


@dataclass(frozen=True)
class ChargeSarAdc:
    """SAR converter of ``bits`` bits: capacitor array, comparator, logic, reference buffer, calibration.

    * Array: 2ᵇ units in all; a conversion moves ``switching_share``·2ᵇ·C·V from the reference, on the average
      over codes: ¼ for the monotonic procedure, 4/3 for the conventional one (Liu et al., IEEE JSSC 45, 731
      (2010): 255.5 and 1365.3 C·V² for 10 bits). Bottom plates add ``parasitic_ratio``.
    * Comparator and logic act once a bit; ``cycle_gates`` unit gates switch with it.
    * Time a bit: decision, ``cycle_delays`` gate delays of logic, and settling to half a step with time
      constants of ``settling_ratio`` gate delays.
    * ``calibration_share``: circuits that correct it, over all the rest, energy and area.

    The input is sampled on ``capacitance`` [F]; ``SampleHold`` prices that.
    """

    law: ClassVar[str] = "charge_sar"

    technology: Technology
    bits: Array
    full_scale: Array
    comparator: Comparator
    reference: ReferenceBuffer
    unit_capacitance: Array
    switching_share: Array
    parasitic_ratio: Array
    cycle_gates: Array
    cycle_delays: Array
    settling_ratio: Array
    calibration_share: Array
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
    ) -> ChargeSarAdc:
        """Build it from files ``charge_sar_adc`` (``slot``), ``comparator`` and ``sampling``.

        Raises InputError outside the bits of the file.
        """
        require_bits(cls.law, bits, p, slot)
        names = (
            *("switching_share", "parasitic_ratio", "cycle_gates", "cycle_delays", "settling_ratio"),
            "calibration_share",
            *FACTORS,
        )
        return cls(
            technology=technology,
            bits=bits,
            full_scale=full_scale,
            comparator=Comparator.of(
                p, technology=technology, bits=bits, full_scale=full_scale, matched=False
            ),
            reference=ReferenceBuffer.of(p, technology=technology),
            unit_capacitance=unit_capacitance(
                bits=bits,
                full_scale=full_scale,
                minimum_capacitance=p["sampling.minimum_capacitance"],
                mismatch_capacitance=p["sampling.mismatch_capacitance"],
                linearity_sigmas=p[f"{slot}.linearity_sigmas"],
            ),
            **{name: p[f"{slot}.{name}"] for name in names},
        )

    @property
    def capacitance(self) -> Array:
        """All capacitors of the array [F]."""
        return 2.0**self.bits * self.unit_capacitance

    def parts(self) -> dict[str, Array]:
        """Energy of one conversion [J] by part, before ``energy_factor``; calibration included in each."""
        technology = self.technology
        moved = self.switching_share * (1.0 + self.parasitic_ratio) * self.capacitance * self.full_scale
        logic = self.cycle_gates * technology.gate_energy
        parts = {
            "array": self.reference.deliver(moved).energy,
            "comparator": self.bits * self.comparator.decide().energy,
            "logic": self.bits * logic,
        }
        return {name: (1.0 + self.calibration_share) * energy for name, energy in parts.items()}

    def convert(self) -> Cost:
        """One conversion of a voltage that is held already."""
        settling = self.settling_ratio * (self.bits + 1.0) * math.log(2.0)
        cycle = self.comparator.decide().latency + (self.cycle_delays + settling) * self.technology.delay
        return Cost(
            energy=self.energy_factor * sum(self.parts().values()),
            latency=self.delay_factor * self.bits * cycle,
        )

    @property
    def area(self) -> Array:
        """Area of one converter [m²]."""
        array = self.capacitance / self.technology.capacitor_density
        logic = SAR_LOGIC_GATES * self.bits * self.technology.gate_area
        parts = array + self.reference.area(self.capacitance) + logic + self.comparator.area
        return self.area_factor * (1.0 + self.calibration_share) * parts

    @property
    def leakage_power(self) -> Array:
        """Static power of logic and comparator [W]."""
        return SAR_LOGIC_GATES * self.bits * self.technology.leakage + self.comparator.leakage_power
