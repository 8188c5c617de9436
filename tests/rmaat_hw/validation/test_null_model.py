"""The null model: its fit, what it leaves out, and the paired comparison."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from tolerance import close

from rmaat_hw.validation.null_model import RIDGE, Reading, compare, errors, fit

NODES = (7e-9, 14e-9, 22e-9, 28e-9, 40e-9, 65e-9, 130e-9, 28e-9)


def chips() -> list[Reading]:
    """Eight chips of both kinds of memory and arithmetic; efficiencies with some scatter of their own."""
    return [
        Reading(
            case=f"{k}",
            nonvolatile=k % 4 == 0,
            digital=k % 4 == 1,
            node=node,
            efficiencies=(1000.0 * (28e-9 / node) * (1.0 + 0.3 * (k % 3)),),
        )
        for k, node in enumerate(NODES)
    ]


def test_the_fit_is_the_ridge_on_centred_terms() -> None:
    """(X'X + 0.3 I) w = X'y on centred X and y; the constant is free of the ridge."""
    readings = chips()
    terms = np.array([r.terms for r in readings])
    typical = np.array([r.typical for r in readings])
    centred = terms - terms.mean(axis=0)
    weights = np.linalg.solve(centred.T @ centred + RIDGE * np.eye(3), centred.T @ (typical - typical.mean()))
    found = fit(readings)
    assert [found.nonvolatile, found.digital, found.node] == close(weights.tolist())
    assert found.constant == close(float(typical.mean() - terms.mean(axis=0) @ weights))
    assert found.chips == 8


def test_terms_of_a_chip() -> None:
    """A digital chip at 280 nm: log10(280 / 28) = 1; its median efficiency of 10, 100 and 1000 is 10^2."""
    reading = Reading("X", nonvolatile=False, digital=True, node=280e-9, efficiencies=(10.0, 1000.0, 100.0))
    assert reading.terms == close([0.0, 1.0, 1.0])
    assert reading.typical == close(2.0)
    # 10^2.3 of 10, 100, 1000: 1.3, 0.3 and 0.7 decades off; the median is 0.7.
    assert reading.error(2.3) == close(0.7 * math.log(10.0))


def test_a_chip_is_left_out_of_its_own_fit() -> None:
    readings = chips()
    before = errors(readings, readings)
    spoilt = [
        Reading(r.case, r.nonvolatile, r.digital, r.node, (1e9,)) if r.case == "3" else r for r in readings
    ]
    after = errors(spoilt, readings)
    assert after["3"] == close(before["3"])
    assert after["2"] != pytest.approx(before["2"], rel=1e-3)


def test_too_few_public_chips_give_no_bar() -> None:
    readings = chips()[:5]
    assert errors(readings, readings) == {}
    assert set(errors(readings, chips()[5:])) == {"5", "6", "7"}
    assert compare(readings[:2], readings, model({r.case: 0.0 for r in readings}), "calibrated", 0) is None


def model(logs: dict[str, float]) -> pd.DataFrame:
    return pd.DataFrame({"case": list(logs), "technology": "sram_analog", "calibrated": list(logs.values())})


def test_a_model_without_error_is_better() -> None:
    readings = chips()
    found = compare(readings, readings, model({r.case: 0.0 for r in readings}), "calibrated", 0)
    assert found is not None and found.better and found.model_factor == 1.0
    assert found.high is not None and found.high < 0.0 and "excludes 0" in found.verdict
    # All eight signs agree: two-sided p = 2 / 2^8.
    assert found.p_value == close(2 / 256)
    assert found.left_out and len(found.pairs) == 8


def test_a_model_as_far_off_as_the_null_model_is_not_better() -> None:
    readings = chips()
    same = compare(readings, readings, model(errors(readings, readings)), "calibrated", 0)
    assert same is not None and not same.better
    assert (same.difference, same.p_value) == (0.0, 1.0)
    assert "includes 0" in same.verdict
    worse = compare(readings, readings, model({r.case: 5.0 for r in readings}), "calibrated", 0)
    assert worse is not None and not worse.better and "worse" in worse.verdict


def test_one_chip_cannot_tell() -> None:
    found = compare(chips()[1:], [chips()[0]], model({"0": 0.1}), "calibrated", 0)
    assert found is not None and not found.left_out
    assert found.low is None and not found.better and "One chip" in found.verdict
