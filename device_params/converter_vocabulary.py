"""Names of a converter file, by family: analog to digital, digital to analog, and the parts they share."""

from __future__ import annotations

from collections.abc import Mapping

from device_params.device_vocabulary import Entry

_BITS = {
    "minimum_bits": Entry("1", "fewest bits the formulas cover"),
    "maximum_bits": Entry("1", "most bits the formulas cover"),
}

_FACTORS = {
    "energy_factor": Entry("1", "multiplies the energy: what a blind prediction of a converter is worth"),
    "area_factor": Entry("1", "multiplies the area, likewise"),
    "delay_factor": Entry("1", "multiplies the delay, likewise"),
}

SURVEY_ADC = {
    "figure_of_merit_at_rate": Entry("1", "f0 of FOM = f0 + f1 ln rate [dB], rate in samples/s"),
    "figure_of_merit_per_rate": Entry("1", "f1 of the same"),
    "figure_of_merit_at_bits": Entry("1", "g0 of FOM = g0 + g1 ceil(b) [dB], the bound at low rates"),
    "figure_of_merit_per_bit": Entry("1", "g1 of the same"),
    "energy_intercept": Entry("1", "e0 of ln E = e0 + e1 ln t + e2 ln b + e3; E in pJ, t in nm"),
    "energy_per_node": Entry("1", "e1 of the same"),
    "energy_per_bits": Entry("1", "e2 of the same"),
    "energy_shift": Entry("1", "e3 of the same: from the middle of the survey to its best"),
    "area_intercept": Entry("1", "a0 of ln A = a0 + a1 ln t + a2 ln rate + a3 ln E; A in um^2"),
    "area_per_node": Entry("1", "a1 of the same"),
    "area_per_rate": Entry("1", "a2 of the same"),
    "area_per_energy": Entry("1", "a3 of the same"),
    "leakage_fraction": Entry("1", "share of the energy at the rate that is leakage"),
    "energy_factor": _FACTORS["energy_factor"],
    "area_factor": _FACTORS["area_factor"],
    "minimum_rate": Entry("Hz", "slowest converter the formulas cover"),
    "maximum_rate": Entry("Hz", "fastest converter the formulas cover"),
    "minimum_node": Entry("m", "finest node the formulas cover"),
    "maximum_node": Entry("m", "coarsest node the formulas cover"),
    **_BITS,
}

COMPARATOR = {
    "gates": Entry("1", "unit gates that switch in one decision, beside the input pair"),
    "noise_factor": Entry("1", "noise power at the input over kT/C of an internal node"),
    "offset_sigmas": Entry("1", "spreads of the offset that fit in one step of a matched comparator"),
    "regeneration_ratio": Entry("1", "time constant of regeneration over the delay of the unit gate"),
}

SAMPLING = {
    "minimum_capacitance": Entry("F", "smallest metal capacitor that layout gives"),
    "mismatch_capacitance": Entry("F", "c of spread(C)/C = sqrt(c/C)"),
    "reference_overhead": Entry("1", "own current of a reference buffer over the charge it delivers"),
    "reservoir_ratio": Entry("1", "capacitor at a reference over the capacitance it switches"),
}

CHARGE_SAR_ADC = {
    "switching_share": Entry("1", "charge drawn in a conversion over that of the whole array"),
    "parasitic_ratio": Entry("1", "parasitic over useful capacitance of the array"),
    "linearity_sigmas": Entry("1", "spreads of the middle code that fit in one step"),
    "cycle_gates": Entry("1", "unit gates that switch in the logic for one bit"),
    "cycle_delays": Entry("1", "gate delays of the logic for one bit"),
    "settling_ratio": Entry("1", "time constant of the array over the delay of the unit gate"),
    "calibration_share": Entry("1", "calibration circuits over the rest, energy and area"),
    **_FACTORS,
    **_BITS,
}

FLASH_ADC = {**_FACTORS, **_BITS}

RAMP_ADC = {
    "register_delays": Entry("1", "gate delays of the flip-flop between two steps"),
    "overdrive": Entry("V", "overdrive of the input pair of the comparator"),
    **_FACTORS,
    **_BITS,
}

OSCILLATOR_ADC = {
    "stages": Entry("1", "stages of the ring"),
    "bias_overhead": Entry("1", "current that sets the frequency over the current of the ring"),
    **_FACTORS,
    **_BITS,
}

CAPACITIVE_DAC = {
    "linearity_sigmas": Entry("1", "spreads of the middle code that fit in one step"),
    "settling_delays": Entry("1", "gate delays of settling, a bit"),
    "ladder_capacitance_per_bit": Entry("F", "c of energy = c b V^2 of a C-2C ladder"),
    **_FACTORS,
    **_BITS,
}

PULSE_WIDTH_DAC = {
    "step_delays": Entry("1", "gate delays of the shortest step"),
    **_FACTORS,
    **_BITS,
}

CONVERTERS: Mapping[str, Mapping[str, Entry]] = {
    "survey_adc": SURVEY_ADC,
    "charge_sar_adc": CHARGE_SAR_ADC,
    "flash_adc": FLASH_ADC,
    "ramp_adc": RAMP_ADC,
    "oscillator_adc": OSCILLATOR_ADC,
    "capacitive_dac": CAPACITIVE_DAC,
    "pulse_width_dac": PULSE_WIDTH_DAC,
    "comparator": COMPARATOR,
    "sampling": SAMPLING,
}
"""Family -> name -> entry, beside the ``sar_adc`` of ``vocabulary``."""
