"""Retention factors: table by hand, laws of closed form and simulation, regimes, bad input."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
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


@given(rate=st.floats(0.05, 1.2), segments=st.integers(2, 24))
@settings(max_examples=10)
def test_simulated_factors_obey_the_same_laws(rate: float, segments: int) -> None:
    factors = retention_factors(segments, rate=rate, source="simulated")
    assert factors.sum() == pytest.approx(1.0, abs=1e-12)
    assert (np.diff(factors) < 0).all()


@pytest.mark.parametrize("rate", [0.1, 0.2, 0.4])
def test_simulated_increments_fall_as_the_closed_form_says(rate: float) -> None:
    """Within 2 % from the second pair of cycles on; the first pair, about 5 % off, is the start-up."""
    factors = retention_factors(16, rate=rate, source="simulated")
    deviation = factors[1:] / factors[:-1] / np.exp(-rate) - 1
    assert np.abs(deviation[1:]).max() < 0.02
    assert 0.04 < deviation[0] < 0.06
    # what the module's docstring says of r = 0.2 and 0.4
    if rate == 0.2:
        np.testing.assert_allclose(deviation[:2], [0.047, 0.0021], atol=5e-4)
    assert np.abs(deviation[2:]).max() < 2e-4


@pytest.mark.parametrize("regime", ["fixed", "stretch"])
@pytest.mark.parametrize("source", ["closed_form", "simulated"])
def test_curve_shifts_down_as_segments_grow(regime: str, source: str) -> None:
    curves = [retention_factors(t, regime=regime, source=source) for t in (1, 2, 4, 8, 16)]
    assert curves[0].tolist() == [1.0]
    for shorter, longer in pairwise(curves):
        assert longer[0] < shorter[0]
        assert longer[-1] < shorter[-1]
    for curve in curves:
        assert curve.sum() == pytest.approx(1.0, abs=1e-12)


def test_simulated_is_near_the_closed_form() -> None:
    for segments in (2, 4, 8, 16):
        for regime in ("fixed", "stretch"):
            closed = retention_factors(segments, regime=regime)
            simulated = retention_factors(segments, regime=regime, source="simulated")
            assert 0 < np.abs(simulated - closed).max() < 0.02
            assert simulated[0] < closed[0]  # the first cycle starts from rest


def test_start_from_rest_bends_a_flat_curve() -> None:
    """The docstring's warning: with next to no leak the first share is not the largest."""
    assert np.argmax(retention_factors(4, rate=0.04, source="simulated")) == 0
    assert np.argmax(retention_factors(4, rate=0.03, source="simulated")) == 1


@pytest.mark.parametrize(
    ("segments", "expected"),
    [(2, [0.769, 0.231]), (4, [0.496, 0.272, 0.149, 0.082]), (8, [0.285, 0.035]), (16, [0.153, 0.016])],
)
def test_stretched_table(segments: int, expected: list[float]) -> None:
    factors = retention_factors(segments, rate=0.7, regime="stretch")
    shown = factors if segments < 8 else factors[[0, -1]]
    np.testing.assert_allclose(shown, expected, atol=1e-3)
    np.testing.assert_allclose(factors[1:] / factors[:-1], np.exp(-2.4 / segments))


@pytest.mark.parametrize("source", ["closed_form", "simulated"])
def test_uniform_keeps_everything(source: str) -> None:
    assert retention_factors(5, regime="uniform", source=source).tolist() == [1.0] * 5


def test_numpy_numbers_are_numbers() -> None:
    given_ = retention_factors(np.int64(4), rate=np.float64(0.1))
    assert given_.tolist() == retention_factors(4, rate=0.1).tolist()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"segments": 5, "regime": "fixd"}, "did you mean 'fixed'"),
        ({"segments": 5, "source": "closedform"}, "did you mean 'closed_form'"),
        ({"segments": 0}, "at least 1"),
        ({"segments": -3}, "at least 1"),
        ({"segments": 2.0}, "at least 1"),
        ({"segments": True}, "at least 1"),
        ({"segments": "4"}, "at least 1"),
        ({"segments": None}, "bad number of segments"),
        ({"segments": 1001, "source": "simulated"}, "1 to 1000"),
        ({"segments": 4, "rate": 0}, "positive finite"),
        ({"segments": 4, "rate": -0.1}, "positive finite"),
        ({"segments": 4, "rate": float("nan")}, "positive finite"),
        ({"segments": 4, "rate": float("inf")}, "positive finite"),
        ({"segments": 4, "rate": "0.2"}, "positive finite"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        retention_factors(**arguments)  # type: ignore[arg-type]


def test_the_closed_form_needs_neither_torch_nor_scipy() -> None:
    code = (
        "import sys; from rmaat_hw.model import retention_factors; retention_factors(16);"
        "print([n for n in ('torch', 'scipy') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
