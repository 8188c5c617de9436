"""The `survey` law: energy and area of a converter as a regression over published stand-alone converters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import ClassVar

from cost_models.circuits.adc import require_bits
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of, round_up
from cost_models.ranges import require

_PICOJOULE = 1e-12
_SQUARE_MICROMETRE = 1e-12
_NANOMETRE = 1e-9

#: Signal over quantisation noise of an ideal converter is 6.02·b + 1.76 dB for a full-scale sine wave.
SNDR_PER_BIT, SNDR_OFFSET = 6.02, 1.76


@dataclass(frozen=True)
class SurveyAdc:
    """Converter of ``bits`` effective bits at ``rate`` samples a second in a node [m].

    FOM [dB] = min(f₀ + f₁·ln rate, g₀ + g₁·⌈b⌉), SNDR [dB] = 6.02·b + 1.76,
    E [pJ] = ½·10^(−(FOM − SNDR)/10)·exp(e₀ + e₁·ln t + e₂·ln b + e₃),
    A [µm²] = exp(a₀ + a₁·ln t + a₂·ln rate + a₃·ln E), with the node t in nm and the rate in samples a
    second. Andrulis et al., arXiv 2404.06553 (2024); constants in ``converters/survey.yaml``. e₃ shifts the
    fit towards the best converters, so the law is optimistic for stand-alone ones: the factors carry that.

    Effective bits are not nominal bits: an 8-bit converter with an SNDR of 39.3 dB has 6.2 of them.
    """

    law: ClassVar[str] = "survey"

    bits: Array
    rate: Array
    node: Array
    figure_of_merit_at_rate: Array
    figure_of_merit_per_rate: Array
    figure_of_merit_at_bits: Array
    figure_of_merit_per_bit: Array
    energy_intercept: Array
    energy_per_node: Array
    energy_per_bits: Array
    energy_shift: Array
    area_intercept: Array
    area_per_node: Array
    area_per_rate: Array
    area_per_energy: Array
    leakage_fraction: Array
    energy_factor: Array = 1.0
    area_factor: Array = 1.0

    @classmethod
    def of(
        cls, p: Mapping[str, Array], slot: str = "adc", *, bits: Array, rate: Array, node: Array
    ) -> SurveyAdc:
        """Build it from the parameters of a ``survey_adc`` file.

        ``bits`` effective, ``rate`` [1/s], ``node`` [m]. Raises InputError below 4 effective bits or 1 MS/s
        and outside the other limits of the file.
        """
        require_bits(cls.law, bits, p, slot)
        for name, value in (("rate", rate), ("node", node)):
            low, high = p[f"{slot}.minimum_{name}"], p[f"{slot}.maximum_{name}"]
            require(
                (value >= low * (1 - 1e-6)) & (value <= high * (1 + 1e-6)),
                f"{name} outside the range of the survey of converters",
                where=cls.law,
                value=value,
                allowed=f"{low:g} to {high:g} {'samples/s' if name == 'rate' else 'm'}",
                remedy="the embedded law has no rate" if name == "rate" else "",
            )
        own = {"bits": bits, "rate": rate, "node": node}
        return cls(**own, **{e.name: p[f"{slot}.{e.name}"] for e in fields(cls) if e.name not in own})

    @property
    def _nominal_energy(self) -> Array:
        """The regression's energy [J], before the factor."""
        xp = namespace_of(self.bits, self.rate, self.node)
        bits = as_array(self.bits, xp)
        at_rate = self.figure_of_merit_at_rate + self.figure_of_merit_per_rate * xp.log(
            as_array(self.rate, xp)
        )
        at_bits = self.figure_of_merit_at_bits + self.figure_of_merit_per_bit * round_up(bits)
        figure_of_merit = xp.minimum(at_rate, at_bits)
        sndr = SNDR_PER_BIT * bits + SNDR_OFFSET
        node = xp.log(as_array(self.node / _NANOMETRE, xp))
        trend = self.energy_intercept + self.energy_per_node * node + self.energy_per_bits * xp.log(bits)
        return (
            0.5 * _PICOJOULE * 10.0 ** (-(figure_of_merit - sndr) / 10.0) * xp.exp(trend + self.energy_shift)
        )

    @property
    def energy(self) -> Array:
        """Whole energy of one conversion at the rate [J], leakage included."""
        return self.energy_factor * self._nominal_energy

    def convert(self) -> Cost:
        """One conversion: the energy without the leakage share, the time between samples."""
        return Cost(energy=(1.0 - self.leakage_fraction) * self.energy, latency=1.0 / self.rate)

    @property
    def area(self) -> Array:
        """Area of one converter [m²]."""
        xp = namespace_of(self.bits, self.rate, self.node)
        logarithm = (
            self.area_intercept
            + self.area_per_node * xp.log(as_array(self.node / _NANOMETRE, xp))
            + self.area_per_rate * xp.log(as_array(self.rate, xp))
            + self.area_per_energy * xp.log(self._nominal_energy / _PICOJOULE)
        )
        return self.area_factor * _SQUARE_MICROMETRE * xp.exp(logarithm)

    @property
    def leakage_power(self) -> Array:
        """Static power [W], a share of the power at the rate."""
        return self.leakage_fraction * self.energy * self.rate
