"""A comparison of femtojoules can fail: by ratio, never by an absolute tolerance that nobody stated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from tolerance import close

SMALL: tuple[Any, ...] = (
    2.29e-14,
    -9e-7,
    (1.0, 3e-9),
    {"latency_s": 1.0, "energy_J": 1e-15},
    np.asarray([[0.0, 5e-8]]),
    torch.tensor([1.0, 1e-13], dtype=torch.float64),
)


@pytest.mark.parametrize("expected", SMALL, ids=repr)
def test_the_default_tolerance_is_refused_for_small_quantities(expected: Any) -> None:
    with pytest.raises(ValueError, match="any number within 1e-12"):
        pytest.approx(expected)
    with pytest.raises(ValueError, match="any number within 1e-12"):
        pytest.approx(expected, rel=1e-3)
    pytest.approx(expected, abs=1e-18)
    close(expected)


@pytest.mark.parametrize(
    "expected", [1e-6, 0, [0.5, 0.0], {"kind": "film"}, {"value": None}, [], np.nan], ids=repr
)
def test_the_others_are_compared_as_ever(expected: Any) -> None:
    assert expected == pytest.approx(expected, nan_ok=True)


def test_close_compares_by_ratio() -> None:
    energy = 2.29e-14
    assert energy == close(energy * (1 + 9e-7))
    assert energy != close(energy * (1 + 2e-6))
    assert energy == close(2.30e-14, rel=0.01)
    nothing = {"energy_J": 0.0}
    assert nothing != close({"energy_J": 1e-30})
