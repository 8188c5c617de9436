"""Converters built from parts: arithmetic by hand, derivations checked by brute force, trends, limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from converter_samples import (
    TECHNOLOGY,
    capacitive,
    charge_sar,
    coarser,
    embedded,
    flash,
    ladder,
    oscillator,
    pulse_width,
    ramp,
    shared,
    survey,
)
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.circuits.adc import Converter
from cost_models.circuits.adc_charge import unit_capacitance
from cost_models.circuits.adc_flash import sense_amplifier
from cost_models.circuits.comparator import Comparator, noise_capacitance
from cost_models.circuits.sampling import ReferenceBuffer, SampleHold
from device_params.errors import InputError

FJ, UM2 = 1e-15, 1e-12

#: law -> (builder, fewest bits, most bits), all of them at 28 nm and 0.9 V unless told otherwise.
BUILT: dict[str, tuple[Callable[..., Any], int, int]] = {
    "embedded": (embedded, 3, 12),
    "charge_sar": (charge_sar, 2, 10),
    "flash": (flash, 1, 8),
    "ramp": (ramp, 1, 12),
    "oscillator": (oscillator, 2, 12),
    "capacitive_dac": (capacitive, 1, 8),
    "ladder_dac": (ladder, 1, 8),
    "pulse_width_dac": (pulse_width, 1, 8),
}


def comparator(*, matched: bool, bits: float = 8.0) -> Comparator:
    p = shared("adc", "flash")
    return Comparator.of(p, technology=TECHNOLOGY, bits=bits, full_scale=0.9, matched=matched)


# By hand, at 28 nm: unit gate 0.7 fF, 0.614 um^2, 47.8 ps, so 0.567 fJ a switch at 0.9 V.


def test_noise_capacitance() -> None:
    # 12*1.380649e-23*300*65536/0.81 = 4.0214 fF
    assert noise_capacitance(bits=8.0, full_scale=0.9) == close(4.0214e-15, rel=1e-4)


def test_comparator_that_is_limited_by_noise() -> None:
    one = comparator(matched=False)
    # 5*0.7 + 2*3*4.0214 = 27.629 fF, *0.81 = 22.379 fJ; (2 + 0.5*8*ln 2)*47.8 ps = 228.13 ps
    assert one.decide().energy == close(22.379 * FJ, rel=1e-4)
    assert one.decide().latency == close(228.13e-12, rel=1e-4)
    # 5*0.614 + 2*(12.0643 - 0.7/4)/2 = 3.07 + 11.889 = 14.959 um^2
    assert one.area == close(14.959 * UM2, rel=1e-4)
    assert one.leakage_power == close(5 * 0.5e-9)


def test_comparator_that_is_limited_by_offset() -> None:
    one = comparator(matched=True, bits=4.0)
    # step 56.25 mV: WL = (4*2 mV um/56.25 mV)^2 = 0.020227 um^2; 0.85 fF/um*0.020227/0.028 um = 0.61404 fF
    assert one.input_capacitance == close(0.61404e-15, rel=1e-4)
    # (3.5 + 2*0.61404)*0.81 = 3.8298 fJ; 3.07 + 2*4*0.020227 = 3.2318 um^2
    assert one.decide().energy == close(3.8298 * FJ, rel=1e-4)
    assert one.area == close(3.2318 * UM2, rel=1e-4)


def test_gates_shorter_than_their_node_says_stop_at_16_nm() -> None:
    fine = replace(comparator(matched=True, bits=4.0), technology=coarser(5 / 28))
    area = fine._pair_gate_area
    per_width = TECHNOLOGY.transistor_gate_capacitance_per_width
    assert fine.input_capacitance == close(max(per_width * area / 16e-9, 0.7e-15 * 5 / 28 / 4))


def test_sample_and_hold() -> None:
    p = shared("adc", "flash")
    held = SampleHold.of(p, technology=TECHNOLOGY, bits=8.0, full_scale=0.9)
    # 4.0214 fF*0.81/3 + 2*0.3 um*0.85 fF/um*0.81 = 1.0858 + 0.4131 = 1.4989 fJ
    assert held.sample().energy == close(1.4989 * FJ, rel=1e-4)
    # 9*ln 2*(2600/0.3 ohm)*4.0214 fF = 217.42 ps
    assert held.sample().latency == close(217.42e-12, rel=1e-4)
    assert held.area == close((4.0214 / 2 + 0.6 * 0.614) * UM2, rel=1e-4)
    assert held.leakage_power == 0
    # 4 bits need 0.016 fF for noise: layout gives 1 fF
    assert SampleHold.of(p, technology=TECHNOLOGY, bits=4.0, full_scale=0.9).capacitance == close(1e-15)


def test_reference_buffer() -> None:
    buffer = ReferenceBuffer(TECHNOLOGY, overhead=0.5, reservoir_ratio=2.0)
    assert buffer.deliver(10e-15).energy == close(1.5 * 10e-15 * 0.9)
    assert buffer.area(4e-15) == close(2 * 4 / 2 * UM2)  # 2 fF/um^2


def test_charge_sar_by_hand() -> None:
    adc = charge_sar(8.0)
    parts = adc.parts()
    # 0.25*1.2*256 fF*0.9 V = 69.12 fC; *1.5*0.9 V*1.05 = 97.98 fJ
    assert parts["array"] == close(97.978 * FJ, rel=1e-4)
    assert parts["comparator"] == close(8 * 22.379 * 1.05 * FJ, rel=1e-4)
    assert parts["logic"] == close(8 * 30 * 0.567 * 1.05 * FJ)
    assert adc.convert().energy == close(sum(parts.values()))
    # 8*(228.13 + (4 + 0.5*9*ln 2)*47.8) ps = 8*568.43 ps
    assert adc.convert().latency == close(4.5474e-9, rel=1e-4)
    # 1.05*(256/2*(1 + 0.5) + 8*20*0.614 + 14.959) um^2 = 320.46
    assert adc.area == close(320.46 * UM2, rel=1e-4)
    assert adc.leakage_power == close((160 + 5) * 0.5e-9)


def test_flash_by_hand() -> None:
    adc = flash(4.0)
    parts = adc.parts()
    assert parts["comparator"] == close(15 * 3.8298 * FJ, rel=1e-4)
    # 14*0.61404 fF*0.81*5*ln 2/pi^2 = 2.4451 fJ
    assert parts["ladder"] == close(2.4451 * FJ, rel=1e-4)
    # 2*(1 - 1/8) + 4*7/4/2 + 4*3 = 17.25 gates
    assert parts["encoder"] == close(17.25 * 0.567 * FJ)
    assert adc.convert().energy == close(sum(parts.values()))
    # (2 + 0.5*4*ln 2 + 6)*47.8 ps
    assert adc.convert().latency == close((8 + 2 * math.log(2)) * 47.8e-12)
    # 15*3.2318 + (14 + 7 + 4*6)*0.614 um^2
    assert adc.area == close((15 * 3.2318 + 45 * 0.614) * UM2, rel=1e-4)


def test_ramp_by_hand() -> None:
    adc = ramp(8.0, columns=128.0, pitch=1e-6)
    parts = adc.parts()
    # core (3.5 + 2*0.175)*0.81 = 3.1185 fJ, bias 4.0214 fF*0.075 V*0.9 V = 0.27145 fJ, 256 steps
    assert parts["comparator"] == close(256 * (3.1185 + 0.27145) * FJ, rel=1e-4)
    # 256*(1.99219*1.701/128 + 0.9*0.81) + 8*1.701 = 256*0.75547 + 13.608
    assert parts["counter"] == close(207.01 * FJ, rel=1e-4)
    assert parts["ramp"] == close(4.0214 * 0.81 * FJ, rel=1e-4)
    assert adc.convert().latency == close(256 * (228.13e-12 + 2 * 47.8e-12), rel=1e-4)
    assert ramp(8.0, step_time=1e-9, steps=100.0).convert().latency == close(100e-9)
    # alone, the counter is the latch and nothing is broadcast
    assert ramp(8.0).parts()["counter"] == close(256 * 1.9921875 * 1.701 * FJ)


def test_oscillator_by_hand() -> None:
    adc = oscillator(8.0)
    # half of 256 periods, each 2*3 + 1.99219*3 = 11.9766 gates
    assert adc.convert().energy == close(128 * 11.9765625 * 0.567 * FJ)
    assert adc.convert().latency == close(256 * 6 * 47.8e-12)
    assert adc.area == close((3 + 8 * 6) * 0.614 * UM2)
    assert oscillator(8.0, code_fraction=0.0).convert().energy == 0


def test_input_converters_by_hand() -> None:
    # 256 fF*0.9 V*(1 - 4^-8)/6 = 38.399 fC; *1.5*0.9 V + 8*5*0.567 = 51.839 + 22.68 fJ
    assert capacitive(8.0).convert().energy == close(74.519 * FJ, rel=1e-4)
    assert capacitive(8.0).area == close((128 * 1.5 + 8 * 7.2 * 0.614) * UM2)
    # 50 fF*8*0.81; 23*75 fF/2 + 48*0.614
    assert ladder(8.0).convert().energy == close(324 * FJ)
    assert ladder(8.0).area == close((23 * 75 / 2 + 48 * 0.614) * UM2)
    # 510 toggles*(2.1/128 + 1.05 + 0.5*0.2) fF + 9*2.1 fF = 613.77 fF
    assert pulse_width(8.0).convert().energy == close(613.767 * 0.81 * FJ, rel=1e-5)
    assert pulse_width(8.0).convert().latency == close(256 * 12 * 47.8e-12)
    assert pulse_width(8.0).area == close(((9 + 8 / 128) * 6 + 8 * 3.4) * 0.614 * UM2)


# The derivations by brute force.


@pytest.mark.parametrize("bits", [1, 3, 6])
def test_charge_of_a_capacitive_dac_is_the_mean_over_its_codes(bits: int) -> None:
    units = 2**bits
    drawn = []
    for code in range(units):
        # `code` units rise to the reference, the others stay at ground, the top plate floats
        top = code / units
        drawn.append(code * (1 - top))  # units of C*V
    dac = capacitive(float(bits))
    logic = bits * 5 * TECHNOLOGY.gate_energy
    expected = np.mean(drawn) * 1e-15 * 0.9 * 0.9 * 1.5 + logic
    assert dac.convert().energy == close(expected)


def test_slowest_mode_of_the_ladder() -> None:
    # A string of 32 resistors, 31 taps with C each, both ends held: eigenvalues of the discrete Laplacian.
    taps = 31
    laplacian = 2 * np.eye(taps) - np.eye(taps, k=1) - np.eye(taps, k=-1)
    slowest = 1 / np.linalg.eigvalsh(laplacian)[0]  # in units of one resistor and one capacitor
    assert slowest == pytest.approx((taps + 1) * taps / math.pi**2, rel=0.04)


def test_spread_of_the_middle_code() -> None:
    bits, sigma = 6, 0.01
    units = 1 + sigma * np.random.default_rng(1).standard_normal((40_000, 2**bits))
    middle = units[:, : 2 ** (bits - 1)].sum(axis=1) / units.mean(axis=1)
    assert middle.std() == pytest.approx(0.5 * 2 ** (bits / 2) * sigma, rel=0.02)
    # a unit whose spread is sigma puts exactly n of these spreads in one step
    n = 1 / (0.5 * 2 ** (bits / 2) * sigma)
    unit = unit_capacitance(
        bits=float(bits),
        full_scale=0.9,
        minimum_capacitance=0.0,
        mismatch_capacitance=7.2e-20,
        linearity_sigmas=n,
    )
    assert math.sqrt(7.2e-20 / unit) == pytest.approx(sigma, rel=1e-9)


def test_units_are_sized_by_layout_then_by_matching_or_noise() -> None:
    def unit(bits: float, mismatch: float) -> float:
        value = unit_capacitance(
            bits=bits,
            full_scale=0.9,
            minimum_capacitance=1e-15,
            mismatch_capacitance=mismatch,
            linearity_sigmas=6.0,
        )
        return float(value)

    assert unit(6.0, 7.2e-20) == close(1e-15)
    assert unit(12.0, 7.2e-20) == close(36 * 7.2e-20 * 2**10)
    assert unit(16.0, 0.0) == close(12 * 1.380649e-23 * 300 * 2**16 / 0.81, rel=1e-6)


@given(bits=st.integers(1, 12))
def test_counter_toggles_as_counted(bits: int) -> None:
    steps = 2**bits
    counted = sum(((k ^ (k + 1)) % steps).bit_count() for k in range(steps))
    adc = oscillator(float(max(bits, 2)))
    assert counted == steps * 2 * (1 - 2.0**-bits)
    # and the energy uses it: a ring of no stages leaves the counter
    alone = replace(adc, stages=0.0, code_fraction=1.0).convert().energy
    full = 2.0 ** max(bits, 2)
    assert alone == close(full * 2 * (1 - 1 / full) * 3 * TECHNOLOGY.gate_energy)


# What every converter must do.


@pytest.mark.parametrize("law", [*BUILT, "survey"])
def test_every_converter_speaks_the_same_language(law: str) -> None:
    build = survey if law == "survey" else BUILT[law][0]
    converter: Converter = build(4.0)
    assert converter.law == law
    assert converter.convert().energy > 0
    assert converter.convert().latency > 0
    assert converter.area > 0
    assert converter.leakage_power > 0


@pytest.mark.parametrize("law", BUILT)
@given(data=st.data())
def test_dearer_with_bits_supply_and_node(law: str, data: st.DataObject) -> None:
    build, low, high = BUILT[law]
    bits = float(data.draw(st.integers(low, high - 1)))
    factor = data.draw(st.floats(0.3, 4.0))
    volts = data.draw(st.floats(0.6, 1.0))
    here = replace(coarser(factor), supply_voltage=volts)
    base = build(bits, technology=here)
    more = build(bits + 1, technology=here)
    assert more.convert().energy > base.convert().energy
    assert more.convert().latency > base.convert().latency
    assert more.area > base.area
    higher = build(bits, technology=replace(here, supply_voltage=1.05 * volts))
    assert higher.convert().energy > base.convert().energy
    assert higher.convert().latency < base.convert().latency
    bigger = build(bits, technology=replace(coarser(1.05 * factor), supply_voltage=volts))
    assert bigger.convert().latency > base.convert().latency
    assert bigger.area > base.area
    if law == "ladder_dac":  # its capacitance is the same at every node
        assert bigger.convert().energy == close(base.convert().energy)
    else:
        assert bigger.convert().energy > base.convert().energy


@pytest.mark.parametrize("law", BUILT)
def test_refused_outside_its_bits(law: str) -> None:
    build, low, high = BUILT[law]
    for bits in (low - 1.0, high + 1.0):
        with pytest.raises(InputError, match=rf"{build(float(high)).law}.*{low} to {high}"):
            build(bits)


@pytest.mark.parametrize("law", BUILT)
def test_float_numpy_and_torch(law: str) -> None:
    build = BUILT[law][0]
    bits = [3.0, 5.0, 8.0]
    single = [build(b) for b in bits]
    for block in (np.array(bits), torch.tensor(bits, dtype=torch.float64)):
        built = build(block)
        for quantity in (
            lambda c: c.convert().energy,
            lambda c: c.convert().latency,
            lambda c: c.area,
            lambda c: c.leakage_power,
        ):
            assert quantity(built).tolist() == close([float(quantity(s)) for s in single])


@pytest.mark.parametrize("law", BUILT)
def test_gradients_pass(law: str) -> None:
    supply = torch.tensor(0.9, dtype=torch.float64, requires_grad=True)
    converter = BUILT[law][0](4.0, technology=replace(TECHNOLOGY, supply_voltage=supply))
    (slope,) = torch.autograd.grad(converter.convert().energy, supply)
    step = 1e-6
    up, down = (
        BUILT[law][0](4.0, technology=replace(TECHNOLOGY, supply_voltage=0.9 + s)).convert().energy
        for s in (step, -step)
    )
    assert float(slope) == close(float(up - down) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("law", ["charge_sar", "flash", "ramp", "oscillator", "capacitive_dac"])
def test_factors_multiply_and_nothing_else(law: str) -> None:
    one = replace(BUILT[law][0](4.0), energy_factor=1.0, delay_factor=1.0, area_factor=1.0)
    other = replace(one, energy_factor=2.0, delay_factor=3.0, area_factor=5.0)
    assert other.convert().energy == close(2 * one.convert().energy)
    assert other.convert().latency == close(3 * one.convert().latency)
    assert other.area == close(5 * one.area)


def test_flash_wins_at_few_bits_and_loses_at_many() -> None:
    for bits in (3.0, 4.0):
        assert flash(bits).convert().energy < charge_sar(bits).convert().energy
        assert flash(bits).convert().energy < embedded(bits).convert().energy
        assert flash(bits).convert().latency < charge_sar(bits).convert().latency / 2
    for bits in (6.0, 8.0):
        assert flash(bits).convert().energy > charge_sar(bits).convert().energy
        assert flash(bits).convert().energy > embedded(bits).convert().energy
        assert flash(bits).area > charge_sar(bits).area


def test_counting_is_slow_and_small() -> None:
    for bits in (6.0, 8.0):
        for counted in (ramp(bits, columns=128.0, pitch=1e-6), oscillator(bits)):
            assert counted.convert().latency > 3 * charge_sar(bits).convert().latency
            assert counted.area < charge_sar(bits).area / 3


def test_flash_goes_with_eight_to_the_bits_once_offset_sets_its_size() -> None:
    ratio = flash(8.0).parts()["comparator"] / flash(7.0).parts()["comparator"]
    assert ratio == pytest.approx(8, rel=0.05)


def test_one_bit_is_a_sense_amplifier() -> None:
    p = shared("adc", "flash")
    one = sense_amplifier(p, technology=TECHNOLOGY, margin=0.05)
    assert one.comparators == 1
    assert one.parts()["ladder"] == 0
    assert one.parts()["encoder"] == close(3 * TECHNOLOGY.gate_energy)  # the flip-flop alone
    # 4 spreads of 2 mV um/sqrt(WL) in 50 mV: WL = 0.0256 um^2
    assert one.comparator._pair_gate_area == close(0.0256e-12)
    closer = sense_amplifier(p, technology=TECHNOLOGY, margin=0.02)
    assert closer.convert().energy > one.convert().energy and closer.area > one.area


def test_a_smaller_swing_costs_more() -> None:
    for build in (flash, charge_sar):
        narrow, wide = build(7.0, full_scale=0.3), build(7.0, full_scale=0.9)
        comparators = [adc.parts()["comparator"] for adc in (narrow, wide)]
        assert comparators[0] > comparators[1]
        assert narrow.area > wide.area
