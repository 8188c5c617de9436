"""Figures of a priced macro: two operations a multiply-accumulate, shares, refusals."""

from __future__ import annotations

import re

import pytest
from macro_cases import KINDS, priced
from tolerance import close

from cost_models.macros.configuration import Macro
from cost_models.macros.metrics import FORMULAS, MacroCost, figure
from device_params import chip_vocabulary
from device_params.chips import MetricRequest
from device_params.errors import InputError


def cost(kind: str = "discharge", **changes: object) -> MacroCost:
    """Round figures: 10 nJ, 4 of them of converters; 2 mm², 0.5 of them of cells; 5 ns a step, 40 in all."""
    macro: Macro = priced(KINDS[kind] | {"arrays": 2.0} | changes).macro
    energy = {"cell": 1e-9, "adc": 4e-9, "control": 3e-9, "leakage": 2e-9, "decoder": 0.0}
    area = {"cell": 0.5e-6, "adc": 1.5e-6, "write_path": 0.0}
    return MacroCost(macro, energy, area, cycle_time=5e-9, mvm_time=40e-9)


#: 64 rows * 16 outputs * 2 arrays.
MACS = 2048


@pytest.mark.parametrize(
    ("metric", "components", "value"),
    [
        ("energy_efficiency", (), 2 * MACS / 10e-9),
        ("energy_efficiency", ("cell", "adc"), 2 * MACS / 5e-9),
        ("energy_per_mac", (), 10e-9 / MACS),
        ("energy_per_mac", ("adc",), 4e-9 / MACS),
        ("energy_per_output", (), 10e-9 / 32),
        ("energy_per_mvm", ("adc", "leakage"), 3e-9),
        # 2 arrays * 16 outputs * 4 slices * 4 bits of the input.
        ("energy_per_conversion", ("adc",), 4e-9 / 512),
        ("energy_share", ("adc", "control"), 0.7),
        ("throughput", (), 2 * MACS / 40e-9),
        ("cycle_time", (), 5e-9),
        ("mvm_time", (), 40e-9),
        ("area", (), 2e-6),
        ("area", ("adc",), 1.5e-6),
        ("area_share", ("cell",), 0.25),
        ("compute_density", (), 2 * MACS / 40e-9 / 2e-6),
    ],
)
def test_figures_by_hand(metric: str, components: tuple[str, ...], value: float) -> None:
    assert figure(cost(), MetricRequest(metric, components)) == close(value)


def test_the_predictor_answers_every_metric_of_a_case_file_and_no_other() -> None:
    asked = {name for name, metric in chip_vocabulary.METRICS.items() if "predictor" in metric.asked}
    assert FORMULAS.keys() == asked


def test_a_named_part_that_the_macro_lacks_adds_nothing_beside_one_that_it_has() -> None:
    assert figure(cost(), MetricRequest("energy_per_mvm", ("adc", "wire"))) == close(2e-9)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        (MetricRequest("energy_efficency"), "metric: unknown metric.*did you mean 'energy_efficiency'"),
        (MetricRequest("area", ("buffer",)), "area.components: .*got 'buffer'; allowed: cell, adc$"),
        (MetricRequest("energy_share", ("decoder",)), "energy_share.components: .*'decoder'"),
        (MetricRequest("area", ("cell", "write_path")), "got 'write_path'"),
    ],
)
def test_refusals(request_: MetricRequest, told: str) -> None:
    with pytest.raises(InputError) as refusal:
        figure(cost(), request_)
    assert re.search(told, str(refusal.value)) and "\n" not in str(refusal.value)


def test_no_conversions_in_gates() -> None:
    with pytest.raises(InputError, match="no conversions in a digital macro"):
        figure(cost("tree"), MetricRequest("energy_per_conversion"))


@pytest.mark.parametrize("metric", ["throughput", "cycle_time", "mvm_time", "compute_density"])
def test_time_that_hangs_on_data_is_refused_unless_given(metric: str) -> None:
    early = {"adc.kind": "ramp", "adc.ends_early": True}
    with pytest.raises(InputError, match=r"adc\.ends_early"):
        figure(cost(**early), MetricRequest(metric))
    assert figure(cost(**early, mvm_time=40e-9), MetricRequest(metric)) > 0
    assert figure(cost(**early), MetricRequest("energy_per_mac")) > 0
