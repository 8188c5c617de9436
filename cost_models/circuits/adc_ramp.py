"""Converters that count: a ramp against the input, or the periods of an oscillator that the input drives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from cost_models.circuits.adc import FACTORS, require_bits
from cost_models.circuits.comparator import Comparator, noise_capacitance
from cost_models.circuits.sampling import SampleHold
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of


def counter_toggles(bits: Array) -> Array:
    """Flip-flops that toggle at one step of a binary counter, on the average: 1 + ½ + … = 2·(1 − 2^−b)."""
    return 2.0 * (1.0 - 2.0**-bits)


@dataclass(frozen=True)
class RampAdc:
    """Single-slope converter: a ramp of ``steps`` steps of ``step_time`` [s], a counter, a comparator a
    column.

    ``columns`` share ramp and counter; each has its comparator, a latch that stores the count, and the
    capacitor that holds its input or falls with the ramp (``hold``). With ``columns`` = 1 the counter is the
    latch: a converter that integrates, or takes a charge away step by step.

    * Comparator: it watches all the time. Its bias recharges its core once a step, and makes its noise over
      one step the quantisation noise: kT·γ/(g_m·t) = (V_FS/2ᵇ)²/12 with g_m = 2·I/V_ov and γ = 1 takes
      6·kT·4ᵇ·V_ov·V/V_FS² a step, whatever the step lasts.
    * Counter: two flip-flops toggle at a step. The count passes the columns in Gray code, one wire a step: a
      unit gate and ``pitch`` [m] of wire a column.
    """

    law: ClassVar[str] = "ramp"

    technology: Technology
    bits: Array
    steps: Array
    step_time: Array
    columns: Array
    pitch: Array
    comparator: Comparator
    hold: SampleHold
    overdrive: Array
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
        columns: Array = 1.0,
        pitch: Array = 0.0,
        step_time: Array | None = None,
        steps: Array | None = None,
    ) -> RampAdc:
        """Build it from the files ``ramp_adc`` (``slot``), ``comparator`` and ``sampling``.

        ``step_time`` [s]: the clock period; without one, the time of a decision and the counter's flip-flop,
        the fastest that the technology allows. ``steps``: 2ᵇ unless given. Raises InputError outside the bits
        of the file.
        """
        require_bits(cls.law, bits, p, slot)
        clocked = Comparator.of(p, technology=technology, bits=bits, full_scale=full_scale, matched=False)
        comparator = replace(clocked, noise_factor=0.0)  # its bias, not a capacitor, limits the noise
        fastest = comparator.decide().latency + p[f"{slot}.register_delays"] * technology.delay
        return cls(
            technology=technology,
            bits=bits,
            steps=2.0**bits if steps is None else steps,
            step_time=fastest if step_time is None else step_time,
            columns=columns,
            pitch=pitch,
            comparator=comparator,
            hold=SampleHold.of(p, technology=technology, bits=bits, full_scale=full_scale),
            overdrive=p[f"{slot}.overdrive"],
            **{name: p[f"{slot}.{name}"] for name in FACTORS},
        )

    @property
    def _latches(self) -> Array:
        """Latches a column: 1, or 0 where the column has a counter of its own."""
        xp = namespace_of(self.columns)
        return xp.clip(as_array(self.columns, xp) - 1.0, max=1.0)

    def parts(self) -> dict[str, Array]:
        """Energy of one conversion of one column [J] by part, before ``energy_factor``."""
        technology, hold = self.technology, self.hold
        flip_flop = technology.flip_flop_capacitance_ratio * technology.gate_energy
        wire = technology.gate_capacitance + self.pitch * technology.wire_capacitance
        broadcast = self._latches * wire * technology.supply_voltage**2
        count = counter_toggles(self.bits) * flip_flop / self.columns + broadcast
        noise = noise_capacitance(bits=self.bits, full_scale=hold.full_scale)
        bias = noise * self.overdrive / 2.0 * technology.supply_voltage
        return {
            "comparator": self.steps * (self.comparator.decide().energy + bias),
            "counter": self.steps * count + self._latches * self.bits * flip_flop,
            "ramp": hold.capacitance * hold.full_scale * technology.supply_voltage,
        }

    def convert(self) -> Cost:
        """One conversion of one column; all columns that share the ramp convert at the same time."""
        return Cost(
            energy=self.energy_factor * sum(self.parts().values()),
            latency=self.delay_factor * self.steps * self.step_time,
        )

    @property
    def _gates(self) -> Array:
        """Latch of the column and its share of the counter, in unit gates."""
        return self.bits * self.technology.flip_flop_area_ratio * (self._latches + 1.0 / self.columns)

    @property
    def area(self) -> Array:
        """Area a column [m²], its share of the counter included."""
        logic = self._gates * self.technology.gate_area
        return self.area_factor * (self.comparator.area + self.hold.area + logic)

    @property
    def leakage_power(self) -> Array:
        """Static power a column [W]."""
        return self._gates * self.technology.leakage + self.comparator.leakage_power


@dataclass(frozen=True)
class OscillatorAdc:
    """Ring oscillator of ``stages`` whose frequency follows the input, and a counter of its periods, a column
    each.

    Full scale is 2ᵇ periods. A period takes two delays of every stage at least (``period`` [s]) and charges
    every stage once. ``code_fraction``: mean count over full scale; energy follows the count, time does not.
    """

    law: ClassVar[str] = "oscillator"

    technology: Technology
    bits: Array
    stages: Array
    period: Array
    code_fraction: Array
    bias_overhead: Array
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
        code_fraction: Array,
        period: Array | None = None,
    ) -> OscillatorAdc:
        """Build it from a file ``oscillator_adc``; ``period`` [s] at full scale, the fastest unless given.

        Raises InputError outside the bits of the file.
        """
        require_bits(cls.law, bits, p, slot)
        stages = p[f"{slot}.stages"]
        return cls(
            technology=technology,
            bits=bits,
            stages=stages,
            period=2.0 * stages * technology.delay if period is None else period,
            code_fraction=code_fraction,
            bias_overhead=p[f"{slot}.bias_overhead"],
            **{name: p[f"{slot}.{name}"] for name in FACTORS},
        )

    def convert(self) -> Cost:
        """One conversion: 2ᵇ periods of the fastest input."""
        technology = self.technology
        counter = counter_toggles(self.bits) * technology.flip_flop_capacitance_ratio
        ring = (1.0 + self.bias_overhead) * self.stages
        periods = self.code_fraction * 2.0**self.bits
        return Cost(
            energy=self.energy_factor * periods * (ring + counter) * technology.gate_energy,
            latency=self.delay_factor * 2.0**self.bits * self.period,
        )

    @property
    def _gates(self) -> Array:
        return self.stages + self.bits * self.technology.flip_flop_area_ratio

    @property
    def area(self) -> Array:
        """Ring and counter [m²]."""
        return self.area_factor * self._gates * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Static power [W]."""
        return self._gates * self.technology.leakage
