"""Parameter and ParameterSet: quantiles, a user's changes, immutability."""

from __future__ import annotations

import dataclasses
import pickle
import statistics

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from device_params import Design, InputError, Parameter, ParameterSet, load_design
from device_params.schema import NORMAL_SCORE_95


def make(**changes: object) -> Parameter:
    plain = Parameter(
        name="cell.write_voltage",
        value=4.0,
        unit="V",
        low=3.0,
        high=4.5,
        distribution="lognormal",
        allowed=(2.8, 4.5),
        sweep_bounds=(3.0, 4.5),
        integer=False,
        basis="measured",
        conditions="",
        source="dutta2022, dunkel2017",
        where="",
        note="",
        unit_written="V",
    )
    return dataclasses.replace(plain, **changes)


@pytest.fixture(scope="module")
def design() -> Design:
    return load_design("fefet_crossbar_28nm")


@given(
    distribution=st.sampled_from(["lognormal", "normal"]),
    value=st.floats(1e-18, 1e12),
    down=st.floats(1.0, 1e3),
    up=st.floats(1.0, 1e3),
)
def test_three_quantiles_are_low_value_high(distribution: str, value: float, down: float, up: float) -> None:
    parameter = make(distribution=distribution, value=value, low=value / down, high=value * up)
    assert parameter.at_score(0.0) == close(value, rel=1e-12)
    assert parameter.at_score(-NORMAL_SCORE_95) == close(parameter.low, rel=1e-9)
    assert parameter.at_score(NORMAL_SCORE_95) == close(parameter.high, rel=1e-9)


def test_score_is_the_95_percent_point() -> None:
    assert statistics.NormalDist().inv_cdf(0.95) == pytest.approx(NORMAL_SCORE_95, rel=1e-12)


def test_at_score_by_hand() -> None:
    # half the score, half the logarithm: 4 * sqrt(4.5/4) = 4.242640..., 4 * sqrt(3/4) = 3.464101...
    assert make().at_score(NORMAL_SCORE_95 / 2) == pytest.approx(4.2426406871, rel=1e-9)
    assert make().at_score(-NORMAL_SCORE_95 / 2) == pytest.approx(3.4641016151, rel=1e-9)
    # normal: 4 + 0.5 * 0.5 and 4 - 0.5 * 1
    normal = make(distribution="normal")
    assert normal.at_score(NORMAL_SCORE_95 / 2) == pytest.approx(4.25)
    assert normal.at_score(-NORMAL_SCORE_95 / 2) == pytest.approx(3.5)


@given(st.lists(st.floats(-5, 5), min_size=3, max_size=7))
def test_at_score_of_an_array_equals_the_numbers_and_rises(scores: list[float]) -> None:
    scores = sorted(scores)
    values = make().at_score(np.array(scores))
    assert values.shape == (len(scores),)
    assert values == pytest.approx([make().at_score(score) for score in scores])
    assert all(np.diff(values) >= 0)


def test_replace_converts_and_collapses_the_interval(design: Design) -> None:
    changed = design.parameters.replace("cell.write_voltage", "3500 mV")["cell.write_voltage"]
    assert (changed.value, changed.low, changed.high) == (3.5, 3.5, 3.5)
    assert (changed.distribution, changed.basis, changed.source) == ("fixed", "user", "")
    assert "4 V" in changed.note


def test_replace_leaves_the_old_set_and_the_other_names(design: Design) -> None:
    changed = design.parameters.replace("array.rows", 256)
    assert design.parameters["array.rows"].value == 128
    differing = [name for name in changed if changed[name] != design.parameters[name]]
    assert differing == ["array.rows"]
    assert list(changed) == list(design.parameters)


def test_replace_all_applies_in_order(design: Design) -> None:
    changed = design.parameters.replace_all(["array.rows=64", "cell.on_current = 90 nA", "array.rows=256"])
    assert changed.nominal()["array.rows"] == 256
    assert changed.nominal()["cell.on_current"] == 9e-8


def test_a_design_takes_assignments_too(design: Design) -> None:
    changed = design.replace_all(["array.rows=64"])
    assert changed.parameters == design.parameters.replace("array.rows", 64)
    assert (changed.name, changed.components) == (design.name, design.components)
    assert design.parameters["array.rows"].value == 128


@given(share=st.floats(0, 1), data=st.data())
def test_replace_round_trip_with_nominal(share: float, data: st.DataObject) -> None:
    parameters = load_design("fefet_crossbar_28nm").parameters
    name = data.draw(st.sampled_from(sorted(n for n, p in parameters.items() if not p.integer)))
    low, high = parameters[name].allowed
    value = min(max(low + share * (high - low), low), high)
    assert parameters.replace(name, value).nominal()[name] == value
    written = parameters.replace(name, f"{value!r} {parameters[name].unit}").nominal()[name]
    assert written == close(value, rel=1e-12)


@pytest.mark.parametrize(
    ("assignment", "sentence"),
    [
        (
            "cell.write_voltage=9 V",
            "cell.write_voltage: value outside its range; got '9 V'; allowed: 2.8 V to 4.5 V",
        ),
        (
            "cell.write_voltage=3 A",
            "cell.write_voltage: wrong unit; got 'A'; allowed: units convertible to V",
        ),
        ("cell.write_voltage=3 Volts!", "cell.write_voltage: not a unit"),
        ("cell.write_voltage=nan", "cell.write_voltage: not a finite number"),
        ("cell.on_current=80", "allowed: 0.1 nA to 1000 nA"),
        ("cell.write_volage=3 V", "did you mean 'cell.write_voltage'?"),
        ("array.rows=128.5", "array.rows: must be a whole number; got '128.5'"),
        ("array.rows", "expected NAME=VALUE; got 'array.rows'"),
        ("=3", "expected NAME=VALUE"),
        ("array.rows=", "expected NAME=VALUE"),
    ],
)
def test_bad_assignments_are_told_in_a_sentence(design: Design, assignment: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        design.parameters.replace_all([assignment])
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), True])
def test_numbers_that_are_none_are_refused(design: Design, value: float) -> None:
    with pytest.raises(InputError, match="not a finite number"):
        design.parameters.replace("cell.write_voltage", value)


def test_parameters_cannot_be_changed(design: Design) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        design.parameters["array.rows"].value = 1.0
    with pytest.raises(AttributeError, match="use replace"):
        design.parameters.extra = 1
    with pytest.raises(AttributeError, match="use replace"):
        del design.parameters._parameters
    with pytest.raises(TypeError):
        design.parameters["array.rows"] = make()
    with pytest.raises(TypeError):
        design.components["cell"] = "other"
    with pytest.raises(dataclasses.FrozenInstanceError):
        design.name = "other"


def test_set_is_a_mapping(design: Design) -> None:
    parameters = design.parameters
    assert parameters == ParameterSet(parameters.values())
    assert parameters.get("array.rows") is parameters["array.rows"]
    assert parameters.get("no.such") is None
    assert "no.such" not in parameters
    with pytest.raises(KeyError):
        parameters["no.such"]


def test_designs_and_errors_travel_between_processes(design: Design) -> None:
    assert pickle.loads(pickle.dumps(design)) == design
    with pytest.raises(InputError) as caught:
        design.parameters["array.row"]
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_sources_are_unique_and_in_order() -> None:
    both = ParameterSet([make(), make(name="b", source="dunkel2017, soliman2023"), make(name="c", source="")])
    assert both.sources() == ("dutta2022", "dunkel2017", "soliman2023")


def test_to_pandas_has_one_row_a_parameter_in_si(design: Design) -> None:
    table = design.parameters.to_pandas().set_index("name")
    assert len(table) == len(design.parameters)
    assert table.loc["cell.on_current", "value"] == 8e-8
    assert table.loc["cell.on_current", "written"] == "80 nA"
    assert table.loc["technology.gate_leakage", "weak"]


def test_written_uses_the_unit_of_the_file(design: Design) -> None:
    assert design.parameters["technology.gate_delay"].written() == "47.8 ps"
    assert design.parameters["buffer.capacity"].written() == "1 MiB"
    assert design.parameters["array.rows"].written(256) == "256"
