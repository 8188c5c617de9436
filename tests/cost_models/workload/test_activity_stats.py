"""Statistics from histograms of integers, by hand and against a direct computation."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_models.workload.stats import Activity, as_signed, from_histogram, largest_integer


def histogram(values: list[int], bits: int, signed: bool) -> np.ndarray:
    top = largest_integer(bits, signed)
    lowest = -top if signed else 0
    return np.bincount(np.array(values) - lowest, minlength=top - lowest + 1)


def test_unsigned_by_hand() -> None:
    # 0, 1, 3, 3 of 2 bits: plane 0 has 3 ones of 4, plane 1 two; mean 7/4 of 3
    activity = from_histogram(counts=histogram([0, 1, 3, 3], 2, False), bits=2, signed=False)
    assert activity.bit_density == (0.75, 0.5)
    assert activity.sparsity == 0.25
    assert activity.mean_magnitude == pytest.approx(7 / 12)
    assert activity.mean_bit_density == pytest.approx(0.625)
    assert activity.positive_bit_density == ()


def test_signed_weights_by_hand() -> None:
    # -1 = 111, 2 = 010, 0, -3 = 101 in three-bit two's complement
    activity = from_histogram(counts=histogram([-1, 2, 0, -3], 3, True), bits=3, signed=True, weight=True)
    assert activity.bit_density == (0.5, 0.5, 0.5)
    assert activity.positive_bit_density == (0.0, 0.25)  # 2 = 10
    assert activity.negative_bit_density == (0.5, 0.25)  # 1 = 01, 3 = 11
    assert activity.mean_magnitude == pytest.approx(6 / 4 / 3)


@given(bits=st.integers(2, 10), signed=st.booleans(), data=st.data())
def test_planes_rebuild_the_mean(bits: int, signed: bool, data: st.DataObject) -> None:
    top = largest_integer(bits, signed)
    values = data.draw(st.lists(st.integers(-top if signed else 0, top), min_size=1, max_size=40))
    activity = from_histogram(counts=histogram(values, bits, signed), bits=bits, signed=signed, weight=True)
    weights = [2.0**plane for plane in range(bits)]
    if signed:
        weights[-1] *= -1  # two's complement
    rebuilt = sum(w * density for w, density in zip(weights, activity.bit_density, strict=True))
    assert rebuilt == pytest.approx(np.mean(values))
    positive = sum(2.0**plane * d for plane, d in enumerate(activity.positive_bit_density))
    negative = sum(2.0**plane * d for plane, d in enumerate(activity.negative_bit_density))
    assert positive - negative == pytest.approx(np.mean(values))
    assert (positive + negative) / top == pytest.approx(activity.mean_magnitude)


def test_a_histogram_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="8 bits"):
        from_histogram(counts=np.zeros(256, dtype=np.int64), bits=8, signed=True)


def test_unsigned_counts_join_signed_ones_at_half_the_steps() -> None:
    # 2 bits: 0..3 becomes 0, 1/3, 2/3, 1 of 1 -> 0, 0, 1, 1
    signed = as_signed(counts=np.array([5, 6, 7, 8]), bits=2)
    assert signed.tolist() == [0, 11, 15]


def test_activity_round_trips_through_json() -> None:
    operand = from_histogram(counts=histogram([0, 1, 3, 3], 2, False), bits=2, signed=False)
    activity = Activity(
        operands={("a/mm", 0): operand, ("a/mm", 1): operand},
        sequences=2,
        sequences_sha256="ab",
        description="toy",
        token_rows=10,
        real_tokens=8,
        padded_tokens=2,
    )
    assert Activity.from_json(json.loads(json.dumps(activity.to_json()))) == activity
