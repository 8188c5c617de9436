"""Input converters of one to eight bits: capacitors, a C-2C ladder, or the width of a pulse.

A one-bit input needs only a register and a switch: ``lines.InputDac``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from cost_models.circuits.adc import FACTORS, require_bits
from cost_models.circuits.adc_charge import unit_capacitance
from cost_models.circuits.adc_ramp import counter_toggles
from cost_models.circuits.sampling import ReferenceBuffer
from cost_models.circuits.technology import Technology
from cost_models.cost import Cost
from cost_models.namespace import Array


@dataclass(frozen=True)
class CapacitiveDac:
    """Binary-weighted capacitors of 2ᵇ units that divide ``full_scale`` [V]; one code a conversion.

    From reset, the code that switches the share x of the array draws C·V·x·(1 − x) from the reference. Over
    all codes, x = k/2ᵇ, that is C·V·(1 − 4^−b)/6. The code waits in b flip-flops, and each bit drives two
    switches. The output is not buffered: what it drives is charged by a driver. Settling takes
    ``settling_delays`` gate delays a bit.
    """

    law: ClassVar[str] = "capacitive_dac"

    technology: Technology
    bits: Array
    full_scale: Array
    unit_capacitance: Array
    reference: ReferenceBuffer
    settling_delays: Array
    energy_factor: Array = 1.0
    delay_factor: Array = 1.0
    area_factor: Array = 1.0

    @classmethod
    def of(
        cls,
        p: Mapping[str, Array],
        slot: str = "dac",
        *,
        technology: Technology,
        bits: Array,
        full_scale: Array,
    ) -> CapacitiveDac:
        """Build it from the files ``capacitive_dac`` (``slot``) and ``sampling``.

        Raises InputError outside the bits of the file.
        """
        require_bits(cls.law, bits, p, slot)
        return cls(
            technology=technology,
            bits=bits,
            full_scale=full_scale,
            unit_capacitance=unit_capacitance(
                bits=bits,
                full_scale=full_scale,
                minimum_capacitance=p["sampling.minimum_capacitance"],
                mismatch_capacitance=p["sampling.mismatch_capacitance"],
                linearity_sigmas=p[f"{slot}.linearity_sigmas"],
            ),
            reference=ReferenceBuffer.of(p, technology=technology),
            settling_delays=p[f"{slot}.settling_delays"],
            **{name: p[f"{slot}.{name}"] for name in FACTORS},
        )

    @property
    def capacitance(self) -> Array:
        """All capacitors [F]."""
        return 2.0**self.bits * self.unit_capacitance

    def convert(self) -> Cost:
        """Set one code, averaged over all codes, and reset."""
        technology = self.technology
        charge = self.capacitance * self.full_scale * (1.0 - 4.0**-self.bits) / 6.0
        logic = self.bits * (technology.flip_flop_capacitance_ratio + 2.0) * technology.gate_energy
        return Cost(
            energy=self.energy_factor * (self.reference.deliver(charge).energy + logic),
            latency=self.delay_factor * self.settling_delays * self.bits * technology.delay,
        )

    @property
    def _gates(self) -> Array:
        technology = self.technology
        return self.bits * (technology.flip_flop_area_ratio + 2.0 * technology.transmission_gate_area_ratio)

    @property
    def area(self) -> Array:
        """Capacitors, reservoir of the reference, flip-flops and switches [m²]."""
        array = self.capacitance / self.technology.capacitor_density + self.reference.area(self.capacitance)
        return self.area_factor * (array + self._gates * self.technology.gate_area)

    @property
    def leakage_power(self) -> Array:
        """Static power of flip-flops and switches [W]."""
        return self._gates * self.technology.leakage


@dataclass(frozen=True)
class LadderDac:
    """C-2C ladder: E = c·b·V² with ``capacitance_per_bit`` c [F], 50 fF in the KU Leuven model.

    A switch of a ladder of C and 2C sees ⅔·C, so C = 1.5·c, and the ladder holds 3·b − 1 of them. KU Leuven
    gives neither area nor delay; the area here is that of these capacitors and of b flip-flops.
    """

    law: ClassVar[str] = "ladder_dac"

    technology: Technology
    bits: Array
    capacitance_per_bit: Array
    settling_delays: Array
    energy_factor: Array = 1.0
    delay_factor: Array = 1.0
    area_factor: Array = 1.0

    @classmethod
    def of(
        cls, p: Mapping[str, Array], slot: str = "dac", *, technology: Technology, bits: Array
    ) -> LadderDac:
        """Build it from a file ``capacitive_dac``. Raises InputError outside the bits of the file."""
        require_bits(cls.law, bits, p, slot)
        return cls(
            technology=technology,
            bits=bits,
            capacitance_per_bit=p[f"{slot}.ladder_capacitance_per_bit"],
            settling_delays=p[f"{slot}.settling_delays"],
            **{name: p[f"{slot}.{name}"] for name in FACTORS},
        )

    def convert(self) -> Cost:
        """Set one code."""
        energy = self.capacitance_per_bit * self.bits * self.technology.supply_voltage**2
        latency = self.settling_delays * self.bits * self.technology.delay
        return Cost(energy=self.energy_factor * energy, latency=self.delay_factor * latency)

    @property
    def _gates(self) -> Array:
        return self.bits * self.technology.flip_flop_area_ratio

    @property
    def area(self) -> Array:
        """Capacitors and flip-flops [m²]."""
        ladder = (3.0 * self.bits - 1.0) * 1.5 * self.capacitance_per_bit
        logic = self._gates * self.technology.gate_area
        return self.area_factor * (ladder / self.technology.capacitor_density + logic)

    @property
    def leakage_power(self) -> Array:
        """Static power of the flip-flops [W]."""
        return self._gates * self.technology.leakage


@dataclass(frozen=True)
class PulseWidthDac:
    """Pulse whose width is the code: a counter that ``rows`` rows share, a register and a digital comparator
    a row.

    The counter runs 2ᵇ steps of ``step_time`` [s] for every input vector; its bits pass every row (one XOR
    input and ``pitch`` [m] of wire a bit) and toggle 2·(1 − 2^−b) times a step in all. The pulse ends where
    count and code agree. Energy and time do not depend on the code; the driver behind it is not included.
    """

    law: ClassVar[str] = "pulse_width_dac"

    technology: Technology
    bits: Array
    rows: Array
    pitch: Array
    step_time: Array
    energy_factor: Array = 1.0
    delay_factor: Array = 1.0
    area_factor: Array = 1.0

    @classmethod
    def of(
        cls,
        p: Mapping[str, Array],
        slot: str = "dac",
        *,
        technology: Technology,
        bits: Array,
        rows: Array,
        pitch: Array,
        step_time: Array | None = None,
    ) -> PulseWidthDac:
        """Build it from a file ``pulse_width_dac``; ``step_time`` [s] is the file's gate delays unless given.

        Raises InputError outside the bits of the file.
        """
        require_bits(cls.law, bits, p, slot)
        fastest = p[f"{slot}.step_delays"] * technology.delay
        return cls(
            technology=technology,
            bits=bits,
            rows=rows,
            pitch=pitch,
            step_time=fastest if step_time is None else step_time,
            **{name: p[f"{slot}.{name}"] for name in FACTORS},
        )

    def convert(self) -> Cost:
        """One code of one row; all rows that share the counter convert at the same time."""
        technology = self.technology
        flip_flop = technology.flip_flop_capacitance_ratio * technology.gate_capacitance
        passed = technology.xor_capacitance_ratio * technology.gate_capacitance
        passed = passed + self.pitch * technology.wire_capacitance
        toggles = 2.0**self.bits * counter_toggles(self.bits)
        capacitance = toggles * (flip_flop / self.rows + passed) + (self.bits + 1.0) * flip_flop
        return Cost(
            energy=self.energy_factor * capacitance * technology.supply_voltage**2,
            latency=self.delay_factor * 2.0**self.bits * self.step_time,
        )

    @property
    def _gates(self) -> Array:
        technology = self.technology
        registers = (self.bits + 1.0 + self.bits / self.rows) * technology.flip_flop_area_ratio
        return registers + self.bits * (technology.xor_area_ratio + 1.0)

    @property
    def area(self) -> Array:
        """Register, comparator (XOR and AND a bit), pulse flip-flop and share of the counter, a row [m²]."""
        return self.area_factor * self._gates * self.technology.gate_area

    @property
    def leakage_power(self) -> Array:
        """Static power a row [W]."""
        return self._gates * self.technology.leakage
