"""Waveforms: what is refused, refinement, triangle, work of a response."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_models.ferroelectric.waveform import Response, Waveform, triangle
from device_params.errors import InputError


@pytest.mark.parametrize(
    ("time", "drive", "message"),
    [
        ([0, 1, 1], [0, 1, 2], "sample 3: time does not rise"),
        ([0, 2, 1], [0, 1, 2], "sample 3: time does not rise"),
        ([0, math.nan, 1], [0, 1, 2], "sample 2: time is not a finite number"),
        ([0, 1, 2], [0, math.nan, 2], "sample 2: drive is not a finite number"),
        ([0, 1, 2], [0, 1, math.inf], "sample 3: drive is not a finite number"),
        ([0, 1], [0, 1, 2], "different lengths"),
        ([0], [0], "two samples at least"),
    ],
)
def test_broken_waveforms_are_refused_with_the_sample(
    time: list[float], drive: list[float], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        Waveform(np.asarray(time), np.asarray(drive))


@given(st.integers(0, 9), st.sampled_from([math.nan, math.inf, -math.inf]), st.booleans())
def test_one_broken_number_anywhere_is_refused(place: int, broken: float, in_time: bool) -> None:
    time, drive = np.arange(10.0), np.zeros(10)
    (time if in_time else drive)[place] = broken
    with pytest.raises(InputError):
        Waveform(time, drive)


def test_refined_by_hand() -> None:
    # From 1 to −2 in 3 s: the zero is at 1 s; steps of 1.0 at most split the rest into two.
    fine = Waveform(np.asarray([0.0, 3.0]), np.asarray([1.0, -2.0])).refined(1.0)
    assert fine.time.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert fine.drive.tolist() == [1.0, 0.0, -1.0, -2.0]


@settings(max_examples=60)
@given(st.lists(st.floats(-5, 5), min_size=2, max_size=12), st.floats(0.05, 3))
def test_refined_keeps_samples_and_sign_and_is_fine(drive: list[float], largest: float) -> None:
    waveform = Waveform(np.arange(len(drive), dtype=float), np.asarray(drive))
    fine = waveform.refined(largest)
    places = np.searchsorted(fine.time, waveform.time)
    assert np.array_equal(fine.time[places], waveform.time)
    assert np.array_equal(fine.drive[places], waveform.drive)
    assert np.abs(np.diff(fine.drive)).max() <= largest * (1 + 1e-9)
    assert np.allclose(fine.drive, np.interp(fine.time, waveform.time, waveform.drive), atol=1e-12)
    # Between two samples the drive keeps its sign (to rounding beside a sample that is all but zero).
    assert (fine.drive[:-1] * fine.drive[1:]).min() >= -1e-12


def test_triangle_and_scaled() -> None:
    wave = triangle(2.0, 50.0, cycles=1.5)
    assert wave.drive.tolist() == [0, 2, 0, -2, 0, 2, 0]
    assert wave.time[-1] == pytest.approx(1.5 / 50)
    assert wave.steps == pytest.approx([0.005] * 6)
    assert wave.scaled(10.0).drive.tolist() == [0, 20, 0, -20, 0, 20, 0]


def test_work_of_a_square_loop_is_its_area() -> None:
    # A corner at (1, 0.5) and (−1, −0.5): area 2·1 × 2·0.5 = 2
    field = np.asarray([1.0, 1.0, -1.0, -1.0, 1.0])
    polarization = np.asarray([-0.5, 0.5, 0.5, -0.5, -0.5])
    assert Response(np.arange(5.0), field, polarization, np.zeros(5)).work() == pytest.approx(2.0)


def test_text_is_no_drive() -> None:
    with pytest.raises(InputError, match="drive is not made of numbers"):
        Waveform([0.0, 1.0], ["a", "b"])
