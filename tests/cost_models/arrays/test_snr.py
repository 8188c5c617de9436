"""Signal and noise of outputs: by hand, in their limits, and against arrays drawn cell by cell."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.arrays.quantisation import clipped, rounded
from cost_models.arrays.snr import ColumnSum, Word, charge_noise, current_noise, output_snr
from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE

#: Trials of a simulation: a standard deviation is known to 1/√(2·20 000) = 0.5 %.
TRIALS = 20_000


def column(
    rows: Any = 128, density: Any = 0.5, levels: Any = 4.0, share: Any = 0.5, used: Any = 1.0
) -> ColumnSum:
    return ColumnSum.of_bits(
        rows=rows, input_density=density, levels=levels, level_fraction=share, used_share=used
    )


def draw(rng: np.random.Generator, rows: int, density: float, share: float, bits: int) -> tuple[Any, Any]:
    """One-bit inputs and levels with independent bits, [trials, rows]."""
    weights = (rng.random((TRIALS, rows, bits)) < share) @ 2.0 ** np.arange(bits)
    return 1.0 * (rng.random((TRIALS, rows)) < density), weights


def convert(value: Any, low: float, high: float, bits: float) -> Any:
    """Codes in the middle of 2^bits equal bins from low to high; the last ones beyond."""
    step = (high - low) / 2**bits
    return low + step * (np.clip(np.floor((value - low) / step), 0, 2**bits - 1) + 0.5)


def rms(values: Any) -> float:
    return float(np.sqrt(np.mean(values**2)))


# -- signal ----------------------------------------------------------------------------------------


def test_moments_by_hand() -> None:
    # uniform levels 0 … 3: mean 1.5, mean square (0 + 1 + 4 + 9)/4 = 3.5; inputs of density ½:
    # 128·½·1.5 = 96; 128·(½·3.5 − 0.75²) = 152
    found = column()
    assert (found.mean, found.variance, found.maximum, found.bits_required) == (96, close(152), 384, 9)
    # used half of the time only, then always 3: mean square 4.5
    assert column(used=0.5).weight_square == close(4.5)


def test_signal_is_the_variance_of_drawn_sums() -> None:
    x, w = draw(np.random.default_rng(0), 64, 0.3, 0.4, 2)
    sums = (x * w).sum(axis=1)
    found = column(64, 0.3, 4.0, 0.4)
    assert found.mean == close(float(sums.mean()), rel=0.01)
    assert found.variance == close(float(sums.var()), rel=0.03)
    assert output_snr(column=found, used_bits=9.0)["signal"] == close(float(sums.std()), rel=0.015)


# -- terms of the current domain -------------------------------------------------------------------


def test_current_noise_by_hand() -> None:
    found = current_noise(
        column=column(share=0.25),
        step_charge=0.8e-15,
        off_ratio=0.01,
        current_sigma=0.05,
        capacitance=341.3e-15,
        ir_drop_spread=0.1,
    )
    # 128·½·3·¼ = 48 steps and 64·0.01 off currents: 48.64·0.8 fC = 242 900 electrons, √ 492.9 = 0.0987 steps
    assert found["shot"] == close(0.0987, rel=1e-3)
    # √(4.142e-21·341.3e-15) = 37.6 aC = 0.0470 steps
    assert found["thermal"] == close(0.0470, rel=5e-3)
    # E[w²] = ¼·¾·5 + 9/16 = 1.5; 5 % of √(128·½·1.5) = 9.80
    assert found["variation"] == close(0.05 * 96**0.5)
    # √(128·½·½) = 5.66 more or fewer active rows of 0.01 steps
    assert found["off_current"] == close(0.0566, rel=1e-3)
    # variance 128·(½·1.5 − 0.375²) = 78
    assert found["ir_drop"] == close(0.1 * 78**0.5)


def test_current_noise_of_a_drawn_array() -> None:
    """Cells with spread and off current, electrons that arrive one by one, a capacitor with kTC noise."""
    rng = np.random.default_rng(1)
    x, w = draw(rng, 64, 0.3, 0.4, 2)
    step, off, sigma, capacitance = 40 * ELEMENTARY_CHARGE, 0.05, 0.08, 2e-15
    found = current_noise(
        column=column(64, 0.3, 4.0, 0.4),
        step_charge=step,
        off_ratio=off,
        current_sigma=sigma,
        capacitance=capacitance,
    )
    ideal = (x * w).sum(axis=1)
    spread = (x * w * sigma * rng.standard_normal(x.shape)).sum(axis=1)
    assert found["variation"] == close(rms(spread), rel=0.02)
    pedestal = off * x.sum(axis=1)
    assert found["off_current"] == close(float(pedestal.std()), rel=0.02)
    electrons = rng.poisson((ideal + pedestal) * step / ELEMENTARY_CHARGE)
    shot = electrons * ELEMENTARY_CHARGE / step - ideal - pedestal
    assert found["shot"] == close(rms(shot), rel=0.02)
    thermal = math.sqrt(BOLTZMANN * 300 * capacitance) / step * rng.standard_normal(TRIALS)
    total = rms(spread + pedestal - pedestal.mean() + shot + thermal)
    assert math.sqrt(sum(float(value) ** 2 for value in found.values())) == close(total, rel=0.02)


# -- terms of the charge domain --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "capacitance", "parasitic", "mismatch", "offset", "density", "share"),
    [
        (128, 1e-15, 20e-15, 0.02, 0.0, 0.5, 0.5),
        (128, 1e-15, 50e-15, 0.05, 2e-3, 0.3, 0.6),
        (64, 0.2e-15, 30e-15, 0.0, 0.0, 0.5, 0.5),
        (64, 1e-15, 60e-15, 0.1, 0.0, 0.9, 0.95),
    ],
)
def test_charge_noise_of_a_drawn_array(
    rows: int,
    capacitance: float,
    parasitic: float,
    mismatch: float,
    offset: float,
    density: float,
    share: float,
) -> None:
    rng = np.random.default_rng(2)
    x, w = draw(rng, rows, density, share, 1)
    ideal = (x * w).sum(axis=1)
    found = charge_noise(
        column=column(rows, density, 2.0, share),
        unit_capacitance=capacitance,
        parasitic_capacitance=parasitic,
        supply_voltage=0.9,
        mismatch=mismatch,
        comparator_offset=offset,
        comparator_noise=0.5e-3,
    )
    cells = capacitance * (1 + mismatch * rng.standard_normal(x.shape))
    total = cells.sum(axis=1) + parasitic
    volts = 0.9 * (cells * x * w).sum(axis=1) / total
    step = 0.9 * capacitance / (rows * capacitance + parasitic)
    if mismatch:
        assert found["mismatch"] == close(rms(volts / step - ideal), rel=0.02)
    volts += np.sqrt(BOLTZMANN * 300 / total) * rng.standard_normal(TRIALS)
    volts += math.hypot(offset, 0.5e-3) * rng.standard_normal(TRIALS)
    everything = math.sqrt(sum(float(value) ** 2 for value in found.values()))
    assert everything == close(rms(volts / step - ideal), rel=0.02)


def test_parasitic_capacitance_attenuates_by_hand() -> None:
    # 100 fF of cells and 100 fF beside them: a step is 1 V/200 = 5 mV, √(kT/200 fF) = 143.9 µV of noise
    found = charge_noise(
        column=column(100, 1.0, 2.0, 1.0),
        unit_capacitance=1e-15,
        parasitic_capacitance=100e-15,
        supply_voltage=1.0,
        mismatch=0.1,
        comparator_offset=1e-3,
    )
    assert found["thermal"] == close(0.02878, rel=1e-3)
    assert found["offset"] == close(0.2)
    # all cells charged: mismatch changes numerator and denominator alike but for the half that is parasitic:
    # 0.1·√(½²·100²/100)
    assert found["mismatch"] == close(0.5)


# -- converter -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sigma", [0.15, 0.25, 0.3, 0.4, 0.8])
@pytest.mark.parametrize("bits", [5, 7, 9])
def test_rounding_of_whole_numbers_with_noise(sigma: float, bits: int) -> None:
    rng = np.random.default_rng(3)
    x, w = draw(rng, 100, 0.3, 0.4, 1)
    ideal = (x * w).sum(axis=1)
    found = output_snr(column=column(100, 0.3, 2.0, 0.4), used_bits=float(bits), analog={"thermal": sigma})
    real = convert(ideal + sigma * rng.standard_normal(TRIALS), -0.5, 127.5, bits)
    # at 0.15 of a step one sum in 1 200 is rounded wrongly: 4 % of 17 events
    assert found["total"] == close(rms(real - ideal), rel=0.25 if (sigma, bits) == (0.15, 7) else 0.03)


def test_lossless_conversion_of_a_quiet_column_is_exact() -> None:
    quiet = output_snr(column=column(), used_bits=9.0, analog={"thermal": 0.02})
    assert quiet["total"] == close(0.0)
    assert (quiet["snr_dB"], quiet["bits_needed"]) == (math.inf, 9)
    assert quiet["enob"] == close(math.log2(385))
    # a step of two whole numbers errs by half of one: (2² − 1)/12 = ¼
    assert output_snr(column=column(), used_bits=8.0)["total"] == close(0.5)
    # loud enough for continuous values: Δ²/12 on top
    surviving, added = rounded(np.asarray(1.0), np.asarray(2.0))
    assert (float(surviving), float(added)) == (close(1.0), close(1 / 3))


@pytest.mark.parametrize(
    ("sigmas", "bits", "rel"), [(3.0, 5, 0.04), (2.0, 6, 0.04), (1.5, 6, 0.04), (1.0, 6, 0.06)]
)
@pytest.mark.parametrize("cell_bits", [1, 2])
def test_clipping_of_drawn_sums(sigmas: float, bits: int, rel: float, cell_bits: int) -> None:
    """From quantisation alone (3 σ) to a regime where clipping is all of the noise (1 σ)."""
    rng = np.random.default_rng(4)
    x, w = draw(rng, 128, 0.5, 0.5, cell_bits)
    ideal = (x * w).sum(axis=1)
    sums = column(128, 0.5, 2.0**cell_bits, 0.5)
    low, high = (float(edge) for edge in sums.range_of(sigmas))
    found = output_snr(column=sums, used_bits=float(bits), analog={"thermal": 0.4}, full_scale=(low, high))
    real = convert(ideal + 0.4 * rng.standard_normal(TRIALS), low, high, bits)
    assert found["total"] == close(rms(real - ideal), rel=rel)
    if sigmas == 1.0:
        assert found["clipping"] > 10 * found["quantisation"]


def test_clipped_tails_by_hand() -> None:
    # range mean ± 1 σ without steps: both tails lose 2·[(1 + 1)·Q(1) − φ(1)] = 2·(0.317311 − 0.241971)
    zero = np.asarray(0.0)
    outside, error = clipped(np.asarray(5.0), np.asarray(4.0), np.asarray(3.0), np.asarray(7.0), zero)
    assert outside == close(0.317311, rel=1e-5)
    assert error == close(4 * 2 * 0.075340, rel=1e-4)
    # a range that covers everything clips nothing
    assert clipped(zero, np.asarray(1.0), np.asarray(-40.0), np.asarray(40.0), zero)[1] < 1e-300


def test_six_decibels_a_bit_until_something_else_limits() -> None:
    bits = np.arange(3.0, 10.0)
    sums = column(128, 0.5, 4.0, 0.5)
    loud = output_snr(column=sums, used_bits=bits, analog={"thermal": 2.0})
    quiet = output_snr(column=sums, used_bits=bits, analog={"thermal": 0.4})
    gained = np.diff(quiet["snr_dB"])
    assert gained[:3] == pytest.approx(6.02, abs=0.1)
    assert gained[-1] < 3.5
    assert np.diff(loud["snr_dB"])[-1] < 0.3
    assert (np.diff(loud["snr_dB"]) > 0).all()
    # 512 steps of range; 2 steps of noise allow a step of √3·2 = 3.46: log2(512/3.46) = 7.2 bits
    assert set(loud["bits_needed"].tolist()) == {8.0}
    at = output_snr(column=sums, used_bits=8.0, analog={"thermal": 2.0})
    assert at["quantisation"] ** 2 <= 2.0**2 / 4
    before = output_snr(column=sums, used_bits=7.0, analog={"thermal": 2.0})
    assert before["quantisation"] ** 2 > 2.0**2 / 4
    assert set(quiet["bits_needed"].tolist()) == {9.0}


# -- planes and slices -----------------------------------------------------------------------------


@pytest.mark.parametrize("differential", [False, True])
@pytest.mark.parametrize("signed_input", [False, True])
def test_shift_and_add_of_a_drawn_array(differential: bool, signed_input: bool) -> None:
    """Four planes, three slices of two bits: cells err alike in all planes, conversions each on their own."""
    rng = np.random.default_rng(5)
    trials, rows, density, share = 6000, 64, 0.4, 0.25
    sigma, off, thermal = 0.08, 0.03, 0.2
    used = 0.5 if differential else 1.0
    sums = column(rows, density, 4.0, share, used)
    factors = 2.0 ** np.arange(4)
    factors[-1] *= -1 if signed_input else 1
    x = 1.0 * (rng.random((trials, rows, 4)) < density)
    positive = rng.random((trials, rows)) < 0.5
    ideal = real = np.zeros(trials)
    for side, occupied in ((1, positive), (-1, ~positive)) if differential else ((1, 1.0),):
        for position in range(3):
            w = ((rng.random((trials, rows, 2)) < share / used) @ np.array([1.0, 2.0])) * occupied
            cells = w * (1 + sigma * rng.standard_normal(w.shape)) + off
            for plane, factor in enumerate(factors):
                value = (x[:, :, plane] * cells).sum(axis=1) - off * rows * density
                code = convert(value + thermal * rng.standard_normal(trials), -0.5, 255.5, 7)
                real = real + side * factor * 4**position * code
                ideal = ideal + side * factor * 4**position * (x[:, :, plane] * w).sum(axis=1)
    analog = {
        "variation": sigma * math.sqrt(rows * density * float(sums.weight_square)),
        "off_current": off * math.sqrt(rows * density * (1 - density)),
        "thermal": thermal,
    }
    word = Word(planes=4, slices=3, slice_bits=2, differential=differential, signed_input=signed_input)
    found = output_snr(column=sums, used_bits=7.0, analog=analog, word=word)
    error = real - ideal
    assert found["signal"] == close(float(ideal.std()), rel=0.03)
    assert found["total"] == close(float(error.std()), rel=0.04)
    assert found["snr_dB"] == pytest.approx(10 * math.log10(ideal.var() / error.var()), abs=0.4)
    assert (found["off_current"] == 0) == differential


def test_shifted_weights_of_a_drawn_array() -> None:
    """Three slices of two bits and one column at half level, whose result is subtracted from every slice."""
    rng = np.random.default_rng(6)
    trials, rows, density, sigma, off, thermal = 6000, 64, 0.4, 0.08, 0.03, 0.3
    sums = column(rows, density, 4.0, 0.5)
    x = 1.0 * (rng.random((trials, rows, 4)) < density)

    def converted(w: Any) -> Any:
        """Results of all planes, shifted and added; the mean of off currents stays."""
        cells = w * (1 + sigma * rng.standard_normal(w.shape)) + off
        values = np.einsum("trp,tr->tp", x, cells)
        codes = convert(values + thermal * rng.standard_normal(values.shape), -0.5, 255.5, 7)
        return codes @ 2.0 ** np.arange(4)

    whole, ideal, real = x @ 2.0 ** np.arange(4), np.zeros(trials), np.zeros(trials)
    for position in range(3):
        w = 1.0 * rng.integers(0, 4, (trials, rows))
        ideal = ideal + 4**position * ((w - 1.5) * whole).sum(axis=1)
        real = real + 4**position * converted(w)
    real = real - 21 * converted(np.full((trials, rows), 1.5))
    analog = {
        "variation": sigma * math.sqrt(rows * density * float(sums.weight_square)),
        "off_current": off * math.sqrt(rows * density * (1 - density)),
        "thermal": thermal,
    }
    word = Word(planes=4, slices=3, slice_bits=2, reference=True)
    found = output_snr(column=sums, used_bits=7.0, analog=analog, word=word)
    error = real - ideal
    assert found["signal"] == close(float(ideal.std()), rel=0.03)
    # too much by 8 %: cells of the reference are all at 1.5, whose square of 2.25 is below the mean of 3.5
    assert found["total"] == close(1.077 * float(error.std()), rel=0.04)
    assert found["off_current"] == 0


def test_gains_by_hand() -> None:
    word = Word(planes=3, slices=2, slice_bits=2)
    # planes 1, 2, 4; slices 1, 4
    assert (word.plane_sum, word.plane_squares, word.slice_sum, word.slice_squares) == (7, 21, 5, 17)
    assert Word(planes=3, signed_input=True).plane_sum == -1
    sums = column(density=0.5)
    assert word.gain("thermal", sums) == 21 * 17
    assert word.gain("offset", sums) == 49 * 17
    assert word.gain("off_current", sums) == 21 * 25
    # E[X²]/E[x²] = (¼·21 + (½·7)²)/½ = 35
    assert word.gain("variation", sums) == close(35 * 17)
    # beside the slices the reference, which counts 1 + 4 = 5: 17 + 25
    shifted = Word(planes=3, slices=2, slice_bits=2, reference=True)
    assert (shifted.gain("thermal", sums), shifted.gain("off_current", sums)) == (21 * 42, 0)
    # one plane of a single slice is the column itself, for every term
    for term in ("variation", "mismatch", "off_current", "offset", "thermal"):
        assert Word().gain(term, sums) == close(1.0)


# -- invariants ------------------------------------------------------------------------------------


@given(
    st.integers(8, 512),
    st.floats(0.05, 0.95),
    st.floats(0.05, 0.95),
    st.floats(0.0, 3.0),
    st.floats(3.0, 10.0),
)
def test_terms_add_up_and_noise_never_helps(
    rows: int, density: float, share: float, sigma: float, bits: float
) -> None:
    sums = column(rows, density, 2.0, share)
    word = Word(planes=8, slices=7, differential=True, signed_input=True)
    found = output_snr(
        column=sums, used_bits=bits, analog={"thermal": sigma}, full_scale=sums.range_of(3.0), word=word
    )
    power = sum(float(found[name]) ** 2 for name in ("thermal", "quantisation", "clipping"))
    assert found["total"] == close(math.sqrt(power), rel=1e-9)
    assert found["snr"] == close(float(found["signal"]) ** 2 / power, rel=1e-9)
    louder = output_snr(
        column=sums, used_bits=bits, analog={"thermal": sigma + 0.5}, full_scale=sums.range_of(3.0), word=word
    )
    assert louder["snr"] < found["snr"]
    assert 1 <= found["bits_needed"] <= found["bits_required"]


def test_floats_arrays_and_tensors_agree() -> None:
    def snr(sigma: Any) -> dict[str, Any]:
        sums = column(density=0.4)
        analog = current_noise(
            column=sums, step_charge=1e-15, off_ratio=0.01, current_sigma=sigma, capacitance=1e-13
        )
        word = Word(planes=8, slices=4, slice_bits=2, differential=True, signed_input=True)
        ranged = output_snr(
            column=sums, used_bits=6.0, analog=analog, full_scale=sums.range_of(2.5), word=word
        )
        return output_snr(column=sums, used_bits=6.0, analog=analog, word=word) | {"ranged": ranged["snr_dB"]}

    sigmas = [0.001, 0.05, 0.3]
    many = snr(np.array(sigmas))
    tensor = torch.tensor(sigmas, dtype=torch.float64, requires_grad=True)
    torched = snr(tensor)
    for name in ("variation", "quantisation", "total", "snr_dB", "enob", "bits_needed", "ranged"):
        values = [float(snr(sigma)[name]) for sigma in sigmas]
        assert np.broadcast_to(many[name], 3).tolist() == close(values, rel=1e-12)
        assert torched[name].tolist() == close(values, rel=1e-12)
    (torched["snr_dB"].sum() + torched["ranged"].sum()).backward()
    assert tensor.grad is not None and bool(torch.all(tensor.grad <= 0)) and tensor.grad[2] < 0
