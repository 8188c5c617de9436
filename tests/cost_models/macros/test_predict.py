"""The predictor: what it may see, that it repeats itself, intervals, calibration, poison, speed."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import math
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from macro_cases import KINDS, configurations, macro, priced, public_questions
from tolerance import close

import cost_models.macros
from cost_models.macros import Prediction, predict
from cost_models.macros.configuration import Macro
from cost_models.macros.metrics import FORMULAS, figure
from cost_models.macros.parameters import parameters_of
from cost_models.macros.price import price
from cost_models.uncertainty import sample
from device_params.chip_vocabulary import SettingValue
from device_params.chips import MetricRequest
from device_params.errors import InputError
from device_params.nodes import technology_at
from device_params.schema import ComponentFile, ParameterSet

#: Every metric but that of converters, of the whole macro and with parts that every macro has.
REQUESTS = [
    *(MetricRequest(name) for name in FORMULAS if name != "energy_per_conversion" and "share" not in name),
    MetricRequest("energy_share", ("control", "leakage")),
    MetricRequest("area_share", ("cell",)),
    MetricRequest("energy_per_mac", ("register", "control")),
]  # fmt: skip


def ask(
    configuration: Any, requests: Any = None, boundary: str = "macro", **options: Any
) -> list[Prediction]:
    return predict(configuration, {}, boundary, REQUESTS if requests is None else requests, **options)


# --- blindness ----------------------------------------------------------------------------------------------


def test_a_predictor_sees_configuration_activity_boundary_and_names_of_metrics() -> None:
    assert list(inspect.signature(predict).parameters) == [
        "configuration", "activity", "boundary", "requests", "samples", "seed",
    ]  # fmt: skip
    assert [field.name for field in dataclasses.fields(MetricRequest)] == ["metric", "components"]


def test_no_module_of_macros_reads_cases() -> None:
    """Nothing of `device_params.chips` but what is asked and the component tables of design studies."""
    allowed = {"MetricRequest", "ComponentTable", "Level", "Part", "TableQuestion"}
    imported: set[str] = set()
    for file in sorted(Path(cost_models.macros.__path__[0]).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "device_params.chips":
                imported |= {alias.name for alias in node.names}
            if isinstance(node, ast.Import):
                assert not any("chip" in alias.name for alias in node.names)
    assert "MetricRequest" in imported and imported <= allowed


# --- repetition ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["discharge", "conduction", "charge", "tree"])
def test_equal_seeds_give_equal_answers(kind: str) -> None:
    first, again = (ask(KINDS[kind], samples=128, seed=3) for _ in range(2))
    assert first == again
    other = ask(KINDS[kind], samples=128, seed=4)
    assert [one.value for one in other] == [one.value for one in first]
    assert any(one.low != two.low for one, two in zip(first, other, strict=True))


def test_an_answer_does_not_hang_on_what_else_is_asked() -> None:
    together = ask(KINDS["tree"], samples=64)
    alone = [ask(KINDS["tree"], [request], samples=64)[0] for request in REQUESTS]
    assert together == alone


def test_asking_leaves_the_configuration_as_it_was() -> None:
    configuration = dict(KINDS["discharge"])
    ask(configuration, samples=8)
    assert configuration == KINDS["discharge"]


# --- values and intervals -----------------------------------------------------------------------------------


def test_values_are_those_of_the_nominal_bill() -> None:
    cost = priced(KINDS["charge"])
    for request, found in zip(REQUESTS, ask(KINDS["charge"], samples=16), strict=True):
        assert found.value == close(float(figure(cost, request)))


def within(predictions: list[Prediction]) -> None:
    for found in predictions:
        numbers = dataclasses.astuple(found)
        assert all(math.isfinite(number) and number > 0.0 for number in numbers)
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize("name", sorted(public_questions()))
def test_intervals_hold_their_values_on_public_cases(name: str) -> None:
    question = public_questions()[name]
    given_ = (question.configuration, question.activity, question.boundary)
    for request in question.requests:
        try:
            within(predict(*given_, [request], samples=128))
        except InputError as refusal:
            assert "\n" not in str(refusal)


@given(configurations())
@settings(max_examples=25)
def test_intervals_hold_their_values(configuration: dict[str, SettingValue]) -> None:
    within(ask(configuration, samples=32))


def test_intervals_are_as_wide_as_the_doubt() -> None:
    """Energy, time and area are in doubt by a tenth at least, up and down; a given time is not."""
    for kind in KINDS:
        energy, seconds, area = ask(
            KINDS[kind], [MetricRequest(name) for name in ("energy_per_mac", "mvm_time", "area")], samples=256
        )
        for found in (energy, seconds, area):
            assert found.high > 1.1 * found.value and found.low < found.value / 1.1
    timed = ask(KINDS["tree"] | {"mvm_time": 1e-7}, [MetricRequest("throughput")], samples=64)[0]
    assert timed.low == timed.value == timed.high == close(2 * 64 * 16 / 1e-7)
    clocked = ask(KINDS["tree"] | {"clock": 1e8}, [MetricRequest("mvm_time")], samples=64)[0]
    assert clocked.low == clocked.value == clocked.high == close(4e-8)


# --- calibration --------------------------------------------------------------------------------------------


def with_parameters(monkeypatch: pytest.MonkeyPatch, **values: float) -> None:
    """Let the predictor find other values of some parameters (``macro__a`` for ``macro.a``)."""

    def changed(macro: Macro, technology: ComponentFile) -> ParameterSet:
        parameters = parameters_of(macro, technology)
        return ParameterSet(
            dataclasses.replace(
                one, value=values[key], low=values[key], high=values[key], distribution="fixed"
            )
            if (key := name.replace(".", "__")) in values
            else one
            for name, one in parameters.items()
        )

    monkeypatch.setattr(sys.modules[predict.__module__], "parameters_of", changed)


def ratios(configuration: Any) -> dict[str, float]:
    """Value over uncalibrated value, by metric."""
    found = ask(configuration, samples=8)[:-1]
    return {r.metric: p.value / p.uncalibrated for r, p in zip(REQUESTS, found, strict=False)}


def test_uncalibrated_values_are_without_the_factors(monkeypatch: pytest.MonkeyPatch) -> None:
    with_parameters(
        monkeypatch,
        macro__calibration__digital__energy=2.0,
        macro__calibration__digital__time=3.0,
        macro__calibration__digital__area=5.0,
    )
    free = {
        "energy_efficiency": 1 / 2, "energy_per_mac": 2, "energy_per_output": 2, "energy_per_mvm": 2,
        "energy_share": 1, "throughput": 1 / 3, "cycle_time": 3, "mvm_time": 3, "area": 5, "area_share": 1,
        "compute_density": 1 / 15,
    }  # fmt: skip
    assert ratios(KINDS["tree"]) == close(free)
    # A clock that is given is nothing to calibrate.
    given_ = {"throughput": 1, "cycle_time": 1, "mvm_time": 1, "compute_density": 1 / 5}
    assert ratios(KINDS["tree"] | {"clock": 1e8}) == close(free | given_)
    assert ratios(KINDS["tree"] | {"mvm_time": 1e-7}) == close(free | given_ | {"cycle_time": 3})


# --- poison -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("poison", [math.nan, math.inf])
@pytest.mark.parametrize(
    ("kind", "name", "metric"),
    [
        ("tree", "macro__control_fraction", "energy_per_mac"),
        ("tree", "technology__gate_area", "compute_density"),
        ("charge", "macro__sense_gates", "mvm_time"),
        ("conduction", "macro__rram__read_voltage", "energy_per_mac"),
        ("conduction", "technology__high_voltage_driver_area", "area"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_what_is_no_number_does_not_get_out(
    monkeypatch: pytest.MonkeyPatch, kind: str, name: str, metric: str, poison: float
) -> None:
    with_parameters(monkeypatch, **{name: poison})
    if metric == "compute_density" and poison == math.inf:
        metric = "area"  # over an infinite area it is 0
    with pytest.raises(InputError, match=f"{metric}: the prediction is not a finite number"):
        ask(KINDS[kind], [MetricRequest(metric)], samples=8)


@pytest.mark.parametrize("share", [math.nan, math.inf, -0.1, 1.5])
@pytest.mark.parametrize("name", ["input_density", "weight_density", "input_toggle", "output_fraction"])
def test_data_that_are_no_share_are_refused(name: str, share: float) -> None:
    with pytest.raises(InputError, match=f"activity {name}: no share; got .*; allowed: 0 to 1"):
        predict(KINDS["charge"], {name: share}, "macro", [MetricRequest("energy_per_mac")])


def test_a_supply_outside_the_technology_is_refused() -> None:
    with pytest.raises(InputError, match=r"technology\.supply_voltage: value outside its range"):
        ask(KINDS["tree"] | {"supply_voltage": 3.0}, samples=8)


# --- speed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["discharge", "charge", "tree"])
def test_points_are_priced_in_blocks(kind: str) -> None:
    """Seconds a point, printed with ``-s``: a block costs far less than its points one by one."""
    found = macro(KINDS[kind])
    parameters = parameters_of(found, technology_at(found.node))
    values, block = parameters.nominal(), sample(parameters, 4096, 0)

    def seconds(p: Any) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            price(found, {}, "macro", p)
            times.append(time.perf_counter() - start)
        return min(times)

    single, many = seconds(values), seconds(block) / 4096
    print(f"{kind}: {1e6 * single:.0f} us alone, {1e6 * many:.2f} us a point in a block of 4096")
    assert many < single / 5
    assert np.shape(price(found, {}, "macro", block).mvm_time) == (4096,)
