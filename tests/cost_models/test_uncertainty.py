"""Samples follow the stated distributions; intervals hold the nominal value."""

from __future__ import annotations

import numpy as np
import pytest
from tolerance import close

from cost_models.uncertainty import interval, sample
from device_params.load import load_design

PARAMETERS = load_design("fefet_crossbar_28nm").parameters


def test_quantiles_are_those_of_the_file() -> None:
    drawn = sample(PARAMETERS, 4096, seed=1)
    for name in ("adc.energy_factor", "cell.on_current", "technology.gate_leakage"):
        low, middle, high = np.quantile(drawn[name], [0.05, 0.5, 0.95])
        parameter = PARAMETERS[name]
        assert (low, middle, high) == close((parameter.low, parameter.value, parameter.high), rel=0.02)


def test_fixed_parameters_stay_numbers_and_none_leaves_its_range() -> None:
    drawn = sample(PARAMETERS, 512, seed=0)
    assert drawn["array.rows"] == 128.0
    assert set(drawn) == set(PARAMETERS)
    for name, values in drawn.items():
        low, high = PARAMETERS[name].allowed
        assert np.all((np.asarray(values) >= low) & (np.asarray(values) <= high)), name


def test_equal_seeds_draw_equal_numbers() -> None:
    one, two, other = (sample(PARAMETERS, 64, seed=s)["cell.on_current"] for s in (3, 3, 4))
    assert (one == two).all()
    assert (one != other).any()


def test_an_overridden_parameter_has_no_spread() -> None:
    drawn = sample(PARAMETERS.replace("cell.on_current", "80 nA"), 64, seed=0)
    assert drawn["cell.on_current"] == close(80e-9)


def test_interval_holds_the_value() -> None:
    assert interval(5.0, np.linspace(10, 20, 101))["low"] == 5.0
    found = interval(15.0, np.linspace(10, 20, 101))
    assert found == pytest.approx({"value": 15.0, "low": 10.5, "high": 19.5})
