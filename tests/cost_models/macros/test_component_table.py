"""Sums over published tables of components: design studies must close in their own arithmetic."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.macros.component_table import answers, area, power, throughput
from device_params.chips import (
    Case,
    ComponentTable,
    Level,
    MetricRequest,
    Part,
    Published,
    TableQuestion,
    load_cases,
    question,
)
from device_params.errors import InputError

CASES = {case.id: case for case in load_cases()}


def tables(case: Case) -> list[tuple[Published, float]]:
    """Every published sum of a case beside the computed one."""
    found = []
    for point in case.points:
        asked = question(case, point)
        if isinstance(asked, TableQuestion):
            found += list(zip(point.published, answers(asked), strict=True))
    return found


def two_levels(count: int = 3, held: int = 4) -> ComponentTable:
    """Units of ``count`` converters (2 W, 5 m²) and a bus, ``held`` of them on a chip with a link."""
    unit = Level("unit", (Part("adc", count, 2.0, 5.0), Part("bus", 1.0, 0.5, 0.25)), (), 100.0, 0.1)
    chip = Level(
        "chip", (Part("link", 2.0, 10.0, 1.0), Part("adc", 1.0, 7.0, 3.0)), (("unit", held),), 0.0, 0.0
    )
    return ComponentTable((unit, chip))


def asked(table: ComponentTable, level: str, *metrics: str) -> tuple[float, ...]:
    return answers(TableQuestion(table, level, tuple(MetricRequest(metric) for metric in metrics)))


def test_by_hand() -> None:
    table = two_levels()
    # unit: 3 * 2 + 0.5 = 6.5 W, 3 * 5 + 0.25 = 15.25 m², 100 / 0.1 = 1000 OP/s
    assert asked(table, "unit", "power", "area", "throughput") == close((6.5, 15.25, 1000.0))
    # chip: 4 * 6.5 + 2 * 10 + 7 = 53 W, 4 * 15.25 + 2 * 1 + 3 = 66 m², 4000 OP/s
    assert asked(table, "chip", "power", "area", "throughput") == close((53.0, 66.0, 4000.0))
    assert asked(table, "chip", "compute_density", "energy_efficiency") == close((4000 / 66, 4000 / 53))
    assert asked(table, "unit", "mvm_time", "energy_per_mvm") == close((0.1, 0.65))


def test_parts_are_counted_at_all_levels() -> None:
    table = two_levels()
    # converters: 4 * 3 * 2 W in the units, 7 W on the chip
    assert power(table, "chip", ("adc",)) == close(31.0)
    assert area(table, "chip", ("adc", "link")) == close(4 * 3 * 5 + 3 + 2)


@given(st.integers(1, 1000), st.integers(1, 1000))
def test_parts_add_up_and_counts_multiply(count: int, held: int) -> None:
    table = two_levels(count, held)
    names = ("adc", "bus", "link")
    assert sum(power(table, "chip", (name,)) for name in names) == close(power(table, "chip"))
    assert sum(area(table, "chip", (name,)) for name in names) == close(area(table, "chip"))
    assert throughput(table, "chip") == close(held * throughput(table, "unit"))
    more = two_levels(count + 1, held)
    assert power(more, "chip") - power(table, "chip") == close(2.0 * held)


@pytest.mark.parametrize(
    ("metric", "told"),
    [
        ("mvm_time", "level 'chip': the component table gives no period"),
        ("energy_share", "level 'chip': no sum over a component table"),
    ],
)
def test_what_a_table_cannot_tell(metric: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        asked(two_levels(), "chip", metric)


@pytest.mark.parametrize(
    ("metric", "missing"),
    [
        ("power", "power"),
        ("energy_efficiency", "operations and period"),
        ("compute_density", "operations and period"),
        ("area", "area"),
    ],
)
def test_a_table_that_leaves_out_what_is_needed(metric: str, missing: str) -> None:
    bare = ComponentTable((Level("unit", (Part("adc", 1.0, 0.0, 0.0),), (), 0.0, 0.0),))
    with pytest.raises(InputError, match=f"gives no {missing}"):
        asked(bare, "unit", metric)


# ------------------------------------------------------------------------------------ published studies


@pytest.mark.parametrize(
    ("metric", "written", "tolerance"),
    [
        # 12 * 24.08 mW + 40.85 mW = 329.8 mW a tile; 168 tiles and 10.4 W of links
        ("power", 65.8, 0.001),
        ("area", 85.4, 0.001),
        # 168 * 12 units * 32768 OP / 1.6 us = 41.29 TOPS
        ("throughput", 41.3, 0.001),
        ("compute_density", 479.0, 0.01),
    ],
)
def test_isaac_closes(metric: str, written: float, tolerance: float) -> None:
    figure, value = next(
        (figure, value)
        for figure, value in tables(CASES["A14"])
        if figure.metric == metric and not figure.components
    )
    assert figure.written == written
    assert value == close(figure.value, tolerance)


def test_hermes_density_closes() -> None:
    """256 * 256 * 2 OP / 130 ns / 0.634 mm² = 1.590 TOPS/mm²."""
    ((figure, value),) = tables(CASES["A13"])
    assert figure.metric == "compute_density"
    assert value == close(figure.value, 0.001)


def test_puma_does_not_reach_its_throughput() -> None:
    """138 * 8 * 2 units of 32768 OP in 2304 ns are 31.4 TOPS; the node claims 52.31."""
    figure, value = next(pair for pair in tables(CASES["A15"]) if pair[0].metric == "throughput")
    assert value == close(2208 * 32768 / 2304e-9)
    assert value / figure.value == close(0.600, 0.001)


def test_everything_else_closes_within_its_tolerance() -> None:
    for name in ("A13", "A14", "A15"):
        for figure, value in tables(CASES[name]):
            if (name, figure.metric) == ("A15", "throughput"):
                continue
            ratio = value / figure.value
            assert 1 / figure.model_tolerance <= ratio <= figure.model_tolerance, (name, figure)
