"""Converters at the foot of the columns: what all share, and the `embedded` law of successive approximation.

Two laws of an analog-to-digital converter go by name. ``embedded`` (here) was fitted to converters inside
compute-in-memory chips, ``survey`` (``adc_survey``) to stand-alone ones. The others are built from their
parts: ``charge_sar``, ``flash``, ``ramp``, ``oscillator``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array, namespace_of, round_up
from cost_models.ranges import require

#: Area that one bit adds to the logic of a SAR converter, in unit gates: two flip-flops (sequencer and code,
#: 6 each in the 28 nm technology file) and 8 for the switch drivers and the gating. A count of a schematic,
#: not of a layout; the doubt about it is in ``area_factor``.
SAR_LOGIC_GATES = 20.0

#: Parameters of a converter file that say what a blind prediction of a converter is worth.
FACTORS = ("energy_factor", "delay_factor", "area_factor")

#: Technology of the chips that the embedded law was fitted to.
NODE_OF_FIT = "28nm"

#: Nodes [m] to which the embedded law is carried: those with a technology file.
EMBEDDED_NODES = (3e-9, 130e-9)


class Converter(Protocol):
    """What every converter offers, to or from analog.

    ``convert()`` is one conversion without leakage; ``leakage_power`` [W] flows as long as it is on;
    ``area`` [m²] is of one converter. ``law`` names the formulas in reports.
    """

    law: ClassVar[str]

    @property
    def bits(self) -> Array:
        """Bits of a code."""
        ...

    def convert(self) -> Cost:
        """One conversion."""
        ...

    @property
    def area(self) -> Array:
        """Area of one converter [m²]."""
        ...

    @property
    def leakage_power(self) -> Array:
        """Static power [W]."""
        ...


def required_bits(*, rows: Array, levels: Array) -> Array:
    """Bits that convert a column sum without loss.

    A column of ``rows`` cells that each contribute 0 … ``levels`` − 1 to a one-bit input can take
    rows·(levels − 1) + 1 values. 128 rows of 2-bit cells: 385 values, 9 bits.
    """
    xp = namespace_of(rows, levels)
    return round_up(xp.log2(xp.asarray(rows * (levels - 1) + 1)))


def require_bits(law: str, bits: Array, p: Mapping[str, Array], slot: str) -> None:
    """Raise InputError when a converter of ``law`` has bits outside those of its parameters in ``slot``."""
    low, high = p[f"{slot}.minimum_bits"], p[f"{slot}.maximum_bits"]
    require(
        (bits >= low) & (bits <= high),
        "bits outside the range of this converter",
        where=law,
        value=bits,
        allowed=f"{_shown(low)} to {_shown(high)}",
        remedy="choose another kind of converter",
    )


def _shown(limit: Array) -> str:
    return f"{float(limit):g}" if isinstance(limit, (int, float)) else "the limits in its parameters"


@dataclass(frozen=True)
class SarAdc:
    """SAR converter of ``bits`` nominal bits whose energy is a linear plus an exponential capacitance.

    E = (k₁·b + k₂·4ᵇ)·V², t = b·(t_row·rows + t_bit), A = a·10^(−s·b)·2ᵇ: the form and constants of
    the KU Leuven in-memory-computing model (ZigZag-IMC), fitted there to three analog 28 nm chips.

    Capacitances [F], supply [V], delays [s], area_coefficient [m²]; the factors are dimensionless and
    carry the blind uncertainty of converters embedded in columns. ``leakage_fraction``: static power over
    power while converting.
    """

    law: ClassVar[str] = "embedded"

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
    leakage_fraction: Array = 0.0

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

    @property
    def leakage_power(self) -> Array:
        """Static power [W], a share of the power while converting."""
        conversion = self.convert()
        return self.leakage_fraction * conversion.energy / conversion.latency


@dataclass(frozen=True)
class EmbeddedAdc:
    """The `embedded` law carried from the node of its fit to another one.

    ``at_fit`` is the converter at the node of the fit, ``reference`` the technology there, ``technology`` the
    one it is built in. At ``reference`` itself nothing changes.

    * k₁ is switched logic: it goes with the capacitance of the unit gate.
    * k₂ is capacitance that noise and matching ask for: it stays. The least capacitance whose thermal noise
      kT/C equals the quantisation noise (V/2ᵇ)²/12 is 12·kT·4ᵇ/V², so k₂·V² cannot fall below 12·kT = 5e-20
      J, at any node (Sundström, Murmann & Svensson, IEEE TCAS-I 56, 509 (2009), sampling bound); the fitted
      k₂ is 16 times that at 0.9 V.
    * Delays go with the delay of the unit gate, node and supply (alpha-power law).
    * Area: ``SAR_LOGIC_GATES`` a bit go with the area of the unit gate; the rest, which doubles with each
      bit, is capacitors and goes with one over their density.

    The split and the scaling are physics, not a fit: no chip at another node went into them.
    """

    law: ClassVar[str] = "embedded"

    at_fit: SarAdc
    technology: Technology
    reference: Technology

    @property
    def bits(self) -> Array:
        """Nominal bits."""
        return self.at_fit.bits

    @classmethod
    def of(
        cls,
        p: Mapping[str, Array],
        slot: str = "adc",
        *,
        bits: Array,
        rows: Array,
        technology: Technology,
        reference: Technology,
    ) -> EmbeddedAdc:
        """Build it from the parameters of a ``sar_adc`` file (``adc.linear_capacitance`` …).

        ``bits`` nominal, ``rows`` on the column. Raises InputError outside the bits of the fit and the nodes
        3 … 130 nm.
        """
        require_bits(cls.law, bits, p, slot)
        low, high = EMBEDDED_NODES
        margin = 1e-6  # a node written in nanometres and turned into metres
        require(
            (technology.node >= low * (1 - margin)) & (technology.node <= high * (1 + margin)),
            "node outside the range of the embedded converter law",
            where=cls.law,
            value=technology.node,
            allowed="3 to 130 nm",
        )
        limits = ("minimum_bits", "maximum_bits")
        start = f"{slot}."
        given = {name.removeprefix(start): value for name, value in p.items() if name.startswith(start)}
        fitted = {name: value for name, value in given.items() if name not in limits}
        sar = SarAdc(bits=bits, rows=rows, supply_voltage=technology.supply_voltage, **fitted)
        return cls(at_fit=sar, technology=technology, reference=reference)

    @property
    def _carried(self) -> SarAdc:
        """The converter with switched logic and delays of the technology; its area is not yet carried."""
        fit, here, there = self.at_fit, self.technology, self.reference
        slower = here.delay / there.gate_delay
        return replace(
            fit,
            linear_capacitance=fit.linear_capacitance * here.gate_capacitance / there.gate_capacitance,
            delay_per_bit=fit.delay_per_bit * slower,
            delay_per_bit_row=fit.delay_per_bit_row * slower,
        )

    def convert(self) -> Cost:
        """One conversion."""
        return self._carried.convert()

    @property
    def area(self) -> Array:
        """Area of one converter [m²]: logic with the unit gate, capacitors with their density."""
        fit, here, there = self.at_fit, self.technology, self.reference
        logic = fit.area_factor * SAR_LOGIC_GATES * fit.bits * there.gate_area
        capacitors = fit.area - logic
        denser = there.capacitor_density / here.capacitor_density
        return logic * here.gate_area / there.gate_area + capacitors * denser

    @property
    def leakage_power(self) -> Array:
        """Static power [W], a share of the power while converting."""
        return self._carried.leakage_power
