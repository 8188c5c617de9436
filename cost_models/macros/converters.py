"""The converters of a macro: at the foot of its columns, and at the head of its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from cost_models.circuits.adc import NODE_OF_FIT, Converter, EmbeddedAdc
from cost_models.circuits.adc_flash import FlashAdc
from cost_models.circuits.adc_ramp import OscillatorAdc, RampAdc
from cost_models.circuits.dac import LadderDac, PulseWidthDac
from cost_models.circuits.technology import Technology, nominal_technology
from cost_models.macros.configuration import Macro
from cost_models.namespace import Array
from device_params.errors import InputError

#: Steps of a conversion that ends at its code, over 2ᵇ. The sign is decided first; the magnitude of a normal
#: distribution with full scale at three spreads is √(2/π)/3 = 0.27 of full scale on the mean.
EARLY_STEPS = 0.5 * 0.27


def _check_bits(p: Mapping[str, Array], slot: str, key: str, bits: float) -> None:
    """Refuse bits outside a law by the key of the case that states them."""
    low, high = (float(np.min(p[f"{slot}.{limit}_bits"])) for limit in ("minimum", "maximum"))
    if not low <= bits <= high:
        raise InputError(
            "no converter of this kind has so many bits",
            where=key,
            value=bits,
            allowed=f"{low:g} to {high:g}",
        )


def converter_of(
    macro: Macro, technology: Technology, p: Mapping[str, Array], *, full_scale: Array, code: float
) -> Converter:
    """The converter of a sum that spans ``full_scale`` [V]; ``code``: mean code over the largest."""
    bits = macro.converter_bits
    kind = macro.converter_law
    _check_bits(p, "adc", "adc.bits", bits)
    if kind == "sar":
        return EmbeddedAdc.of(
            p,
            bits=bits,
            rows=macro.rows_active,
            technology=technology,
            reference=nominal_technology(NODE_OF_FIT),
        )
    if kind == "ramp":
        steps = EARLY_STEPS * 2.0**bits if macro.ends_early else None
        columns = 1.0 if macro.ends_early else macro.converters
        return RampAdc.of(
            p, technology=technology, bits=bits, full_scale=full_scale, columns=columns, steps=steps
        )
    if kind == "delta_sigma":
        return RampAdc.of(
            p, technology=technology, bits=bits, full_scale=full_scale, steps=macro.oversampling
        )
    if kind == "oscillator":
        return OscillatorAdc.of(p, technology=technology, bits=bits, code_fraction=code)
    return FlashAdc.of(p, technology=technology, bits=bits, full_scale=full_scale)


def input_converter_of(
    macro: Macro, technology: Technology, p: Mapping[str, Array], pitch: Array
) -> LadderDac | PulseWidthDac | None:
    """The converter of one row where an input is more than a bit; None where a register and a gate do."""
    bits = macro.input_bits_per_cycle
    if bits <= 1:
        return None
    pulsed = macro.input_encoding in ("pulse_width", "pulse_count")
    _check_bits(p, "pulse_dac" if pulsed else "level_dac", "input_bits_per_cycle", bits)
    if pulsed:
        period = 1.0 / macro.pulse_clock if macro.pulse_clock is not None else None
        return PulseWidthDac.of(
            p,
            "pulse_dac",
            technology=technology,
            bits=math.log2(macro.pulse_steps),
            rows=macro.rows_active,
            pitch=pitch,
            step_time=period,
        )
    return LadderDac.of(p, "level_dac", technology=technology, bits=bits)
