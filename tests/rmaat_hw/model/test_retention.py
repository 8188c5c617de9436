"""The retention factor: published table, laws, and the integrator it stands for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_params.errors import InputError
from rmaat_hw.model import retention_factor, retention_factors


@pytest.mark.parametrize(
    ("rate", "segments", "expected"),
    [  # to three digits, from the closed form by hand
        (0.1, 2, [0.525, 0.475]),
        (0.2, 2, [0.550, 0.450]),
        (0.1, 4, [0.289, 0.261, 0.236, 0.214]),
        (0.2, 4, [0.329, 0.270, 0.221, 0.181]),
        (0.4, 4, [0.413, 0.277, 0.186, 0.124]),
    ],
)
def test_table(rate: float, segments: int, expected: list[float]) -> None:
    schedule = retention_factors(segments, rate=rate)
    assert schedule.dtype == np.float64
    np.testing.assert_allclose(schedule, expected, atol=5.1e-4)


def test_one_value_by_hand() -> None:
    # r = ln 2, so ρ = 1/2; T = 3: (1, 1/2, 1/4) · (1/2) / (7/8) = 4/7, 2/7, 1/7
    schedule = retention_factors(3, rate=float(np.log(2)))
    np.testing.assert_allclose(schedule, [4 / 7, 2 / 7, 1 / 7], rtol=1e-15)


@given(rate=st.floats(1e-6, 3.0), segments=st.integers(2, 64))
def test_sums_to_one_falls_and_is_geometric(rate: float, segments: int) -> None:
    schedule = retention_factors(segments, rate=rate)
    assert schedule.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.diff(schedule) < 0).all()
    np.testing.assert_allclose(schedule[1:] / schedule[:-1], np.exp(-rate), rtol=1e-9)


@given(rate=st.floats(1e-4, 3.0), segments=st.integers(1, 10))
def test_first_factor_falls_with_the_number_of_segments(rate: float, segments: int) -> None:
    longer = retention_factor(segment=1, segments=segments + 1, rate=rate)
    assert longer < retention_factor(segment=1, segments=segments, rate=rate)


def test_is_the_share_of_a_leaky_integrator() -> None:
    """Increments of dp/dt = -p + 1 over equal cycles, integrated in small steps, over their sum."""
    rate, segments, steps = 0.2, 6, 2_000
    level, ends = 0.0, [0.0]
    for _ in range(segments):
        for _ in range(steps):
            level += rate / steps * (1.0 - level)
        ends.append(level)
    increments = np.diff(ends)
    schedule = retention_factors(segments, rate=rate)
    np.testing.assert_allclose(schedule, increments / increments.sum(), rtol=1e-4)


def test_uniform_keeps_everything() -> None:
    assert retention_factors(5, rate=0.2, regime="uniform").tolist() == [1.0] * 5


def test_unknown_regime() -> None:
    with pytest.raises(InputError, match="did you mean 'fixed'"):
        retention_factors(5, rate=0.2, regime="fixd")
