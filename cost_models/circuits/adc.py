"""Successive-approximation converter at the foot of the columns of a compute-in-memory array."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cost import Cost
from cost_models.namespace import Array, namespace_of, round_up


def required_bits(*, rows: Array, levels: Array) -> Array:
    """Bits that convert a column sum without loss.

    A column of ``rows`` cells that each contribute 0 … ``levels`` − 1 to a one-bit input can take
    rows·(levels − 1) + 1 values. 128 rows of 2-bit cells: 385 values, 9 bits.
    """
    xp = namespace_of(rows, levels)
    return round_up(xp.log2(xp.asarray(rows * (levels - 1) + 1)))


@dataclass(frozen=True)
class SarAdc:
    """SAR converter of ``bits`` nominal bits whose energy is a linear plus an exponential capacitance.

    E = (k₁·b + k₂·4ᵇ)·V², t = b·(t_row·rows + t_bit), A = a·10^(−s·b)·2ᵇ: the form and constants of
    the KU Leuven in-memory-computing model (ZigZag-IMC), fitted there to three analog 28 nm chips.

    Capacitances [F], supply [V], delays [s], area_coefficient [m²]; the factors are dimensionless and
    carry the blind uncertainty of converters embedded in columns.
    """

    bits: Array
    rows: Array
    supply_voltage: Array
    linear_capacitance: Array
    exponential_capacitance: Array
    delay_per_bit: Array
    delay_per_bit_row: Array
    area_coefficient: Array
    area_slope: Array
    energy_factor: Array = 1.0
    delay_factor: Array = 1.0
    area_factor: Array = 1.0

    def convert(self) -> Cost:
        """One conversion."""
        capacitance = self.linear_capacitance * self.bits + self.exponential_capacitance * 4.0**self.bits
        delay = self.bits * (self.delay_per_bit_row * self.rows + self.delay_per_bit)
        return Cost(
            energy=self.energy_factor * capacitance * self.supply_voltage**2,
            latency=self.delay_factor * delay,
        )

    @property
    def area(self) -> Array:
        """Area of one converter [m²]."""
        shape = 10.0 ** (-self.area_slope * self.bits) * 2.0**self.bits
        return self.area_factor * self.area_coefficient * shape
