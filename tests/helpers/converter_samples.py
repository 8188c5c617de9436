"""Converters at 28 nm with the nominal values of their files, and a technology by hand for other nodes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from cost_models.circuits.adc import EmbeddedAdc
from cost_models.circuits.adc_charge import ChargeSarAdc
from cost_models.circuits.adc_flash import FlashAdc
from cost_models.circuits.adc_ramp import OscillatorAdc, RampAdc
from cost_models.circuits.adc_survey import SurveyAdc
from cost_models.circuits.dac import CapacitiveDac, LadderDac, PulseWidthDac
from cost_models.circuits.technology import Technology
from device_params import load_converter, load_technology
from device_params.schema import ComponentFile

#: Volts to which the samples below convert.
FULL_SCALE = 0.9


def parameters(slot: str, name: str) -> dict[str, Any]:
    return {f"{slot}.{key}": value for key, value in load_converter(name).parameters.nominal().items()}


def shared(slot: str, name: str) -> dict[str, Any]:
    """A file with the two that its parts come from."""
    return {
        **parameters(slot, name),
        **parameters("comparator", "comparator"),
        **parameters("sampling", "sampling"),
    }


def technology_of(file: ComponentFile) -> Technology:
    nominal = file.parameters.nominal()
    return Technology.of({f"technology.{name}": value for name, value in nominal.items()})


TECHNOLOGY = technology_of(load_technology("28nm"))


def coarser(factor: float) -> Technology:
    """28 nm with everything that goes with the node ``factor`` times as large, by hand; its supply stays."""
    t = TECHNOLOGY
    return replace(
        t,
        node=t.node * factor,
        gate_capacitance=t.gate_capacitance * factor,
        gate_area=t.gate_area * factor**2,
        gate_delay=t.gate_delay * factor,
        threshold_mismatch=t.threshold_mismatch * factor,
        capacitor_density=t.capacitor_density / factor,
    )


def embedded(bits: Any = 8.0, technology: Technology = TECHNOLOGY, rows: Any = 128.0) -> EmbeddedAdc:
    return EmbeddedAdc.of(
        parameters("adc", "sar_28nm"), bits=bits, rows=rows, technology=technology, reference=TECHNOLOGY
    )


def survey(bits: Any = 8.0, rate: Any = 1e8, node: Any = 28e-9) -> SurveyAdc:
    return SurveyAdc.of(parameters("adc", "survey"), bits=bits, rate=rate, node=node)


def charge_sar(
    bits: Any = 8.0, technology: Technology = TECHNOLOGY, full_scale: Any = FULL_SCALE
) -> ChargeSarAdc:
    p = shared("adc", "charge_sar")
    return ChargeSarAdc.of(p, technology=technology, bits=bits, full_scale=full_scale)


def flash(bits: Any = 4.0, technology: Technology = TECHNOLOGY, full_scale: Any = FULL_SCALE) -> FlashAdc:
    p = shared("adc", "flash")
    return FlashAdc.of(p, technology=technology, bits=bits, full_scale=full_scale)


def ramp(bits: Any = 8.0, technology: Technology = TECHNOLOGY, **options: Any) -> RampAdc:
    p = shared("adc", "ramp")
    return RampAdc.of(p, technology=technology, bits=bits, full_scale=FULL_SCALE, **options)


def oscillator(bits: Any = 8.0, technology: Technology = TECHNOLOGY, **options: Any) -> OscillatorAdc:
    given = {"code_fraction": 0.5, **options}
    return OscillatorAdc.of(parameters("adc", "oscillator"), technology=technology, bits=bits, **given)


def capacitive(bits: Any = 8.0, technology: Technology = TECHNOLOGY) -> CapacitiveDac:
    p = shared("dac", "capacitive_dac")
    return CapacitiveDac.of(p, technology=technology, bits=bits, full_scale=FULL_SCALE)


def ladder(bits: Any = 8.0, technology: Technology = TECHNOLOGY) -> LadderDac:
    return LadderDac.of(parameters("dac", "capacitive_dac"), technology=technology, bits=bits)


def pulse_width(bits: Any = 8.0, technology: Technology = TECHNOLOGY, rows: Any = 128.0) -> PulseWidthDac:
    p = parameters("dac", "pulse_width_dac")
    return PulseWidthDac.of(p, technology=technology, bits=bits, rows=rows, pitch=0.5e-6)
