"""Case files: what is transcribed, and what a predictor may see."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from case_files import document, written
from tolerance import close

from device_params.chip_vocabulary import (
    ACTIVITY,
    BOUNDARIES,
    COMPONENTS,
    CONFIGURATION,
    METRICS,
)
from device_params.chips import (
    Case,
    MetricRequest,
    OperatingPoint,
    Published,
    Question,
    TableQuestion,
    load_case,
    load_cases,
    question,
    questions,
)
from device_params.errors import InputError
from device_params.load import list_names

#: Figures of each case, counted in the reference table.
FIGURES = {
    "A01": 47, "A02": 16, "A03": 28, "A04": 18, "A05": 55, "A06": 4, "A07": 3, "A08": 4, "A09": 3, "A10": 3,
    "A11": 4, "A12": 6, "A13": 5, "A14": 13, "A15": 7, "A16": 8,
}  # fmt: skip

CASES = {case.id: case for case in load_cases()}


def figures(case: Case) -> Iterator[tuple[OperatingPoint, Published]]:
    for point in case.points:
        yield from ((point, figure) for figure in point.published)


def find(case: str, point: str, metric: str, *components: str) -> Published:
    return next(
        figure
        for where, figure in figures(CASES[case])
        if where.name == point and figure.metric == metric and set(components) <= set(figure.components)
    )


# ---------------------------------------------------------------------------------------- what is transcribed


def test_every_figure_of_the_reference_table_is_there() -> None:
    """As many as the table has; totals that follow from its parts are given beside them."""
    own = {name: [f for _, f in figures(case) if not _is_total(name, f)] for name, case in CASES.items()}
    assert {name: len(found) for name, found in own.items()} == FIGURES
    assert sum(FIGURES.values()) == 224


def _is_total(name: str, figure: Published) -> bool:
    return name in ("A01", "A02", "A03", "A04", "A05", "A10") and figure.request == MetricRequest("area")


@pytest.mark.parametrize(
    ("figure", "value"),
    [
        (find("A01", "8b in/10b out/two-phase", "energy_efficiency"), 6.437e12),
        # stated per operation, two of which are one MAC: 2 * 8.99 fJ
        (find("A01", "1b in/3b out, energy parts", "energy_per_mac", "word_line_driver"), 17.98e-15),
        # one of 256 neurons: 256 * 1270 um^2 = 325120 um^2
        (find("A01", "area of one core", "area", "adc"), 325120e-12),
        (find("A02", "1.2 V", "energy_per_output", "adc"), 3.56e-12),
        (find("A03", "0.65 V, worst case", "energy_per_mvm"), 5.109e-12),
        (find("A04", "1.1 V", "compute_density"), 3.941e18),
        (find("A04", "area parts", "area_share", "dac"), 0.30),
        (find("A05", "16b x 16b, 16 regs/column", "throughput"), 5.99e9),
        (find("A08", "INT8, 0.9 V", "cycle_time"), 5.128e-9),
        (find("A09", "INT8, 0.9 V", "area"), 0.1462e-6),
        (find("A14", "chip", "compute_density"), 479e15),
        (find("A16", "H200, products", "energy_per_operation"), 0.794e-12),
        (find("A16", "B200", "energy_per_byte"), 124.3e-12 / 8),  # J/bit inside
    ],
)
def test_values_in_si(figure: Published, value: float) -> None:
    assert figure.value == close(value)
    assert figure.written * figure.factor == close(value)


def test_types_as_the_reference_document_has_them() -> None:
    closures = {name: {f.metric for _, f in figures(c) if f.type == "closure"} for name, c in CASES.items()}
    assert closures["A01"] == closures["A03"] == closures["A06"] == {"throughput"}
    assert closures["A02"] == {"throughput", "compute_density"}
    assert closures["A13"] == {"throughput", "compute_density", "mvm_time"}
    assert closures["A10"] == {"compute_density"}
    for name in ("A04", "A05", "A07", "A08", "A09", "A11"):
        assert closures[name] == set(), name
    for name in ("A14", "A15", "A16"):
        assert all(f.type == "closure" for _, f in figures(CASES[name])), name


def test_what_stays_out_of_the_statistics() -> None:
    out = {name for name, case in CASES.items() if not case.in_statistics}
    assert out == {"A12", "A14", "A15", "A16"}
    # an unmodelled part, density without a clock, energies near threshold, area with decoupling
    single = {
        (name, f.metric) for name, case in CASES.items() for _, f in figures(case) if not f.in_statistics
    }
    assert single == {
        ("A02", "area"),
        ("A04", "compute_density"),
        ("A05", "energy_per_mac"),
        ("A06", "area"),
    }
    kept = {p.configuration["supply_voltage"] for p, f in figures(CASES["A05"]) if f.in_statistics}
    assert kept == {0.8}


@pytest.mark.parametrize("name", ["A02", "A03", "A06", "A13"])
def test_published_times_close_with_published_throughput(name: str) -> None:
    """Throughput is rows * outputs * 2 / mvm_time; in A02 that is 0.771 of it, as its notes say."""
    expected = 0.771 if name == "A02" else 1.0
    points = [p for p in CASES[name].points if "mvm_time" in p.configuration]
    assert points
    for point in points:
        c = {key: value for key, value in point.configuration.items() if isinstance(value, float)}
        operations = 2 * c["rows"] * c["cols"] / c["cells_per_weight"]
        throughput = next(f for f in point.published if f.metric == "throughput")
        assert operations / c["mvm_time"] / throughput.value == close(expected, 2e-3)


@pytest.mark.parametrize(
    ("parts", "efficiency"),
    [("3b in/5b out", "3b in/5b out/one-phase"), ("8b in/10b out", "8b in/10b out/two-phase")],
)
def test_energy_parts_of_a01_add_up_to_its_efficiency(parts: str, efficiency: str) -> None:
    """Per MAC, 2 / (TOPS/W): they would be half of it if the table's fJ/MAC were taken at its word."""
    point = next(p for p in CASES["A01"].points if p.name == f"{parts}, energy parts")
    total = sum(figure.value for figure in point.published)
    assert total == close(2 / find("A01", efficiency, "energy_efficiency").value, 0.02)


def test_energy_of_a03_is_that_of_a_whole_product() -> None:
    """64 * 16 MACs at 262.3 TOPS/W: 2 * 1024 / 262.3e12 = 7.81 pJ."""
    energy = find("A03", "0.8 V, energy at output 15", "energy_per_mvm").value
    assert 2048 / find("A03", "0.8 V, avg output 15", "energy_efficiency").value == close(energy, 0.01)


@pytest.mark.parametrize("name", sorted(CASES))
def test_parts_of_a_whole_do_not_overlap(name: str) -> None:
    for point in CASES[name].points:
        for metric in ("energy_share", "area_share", "energy_per_mac", "energy_per_output"):
            parts = [f for f in point.published if f.metric == metric and f.components]
            named = [component for figure in parts for component in figure.components]
            assert len(named) == len(set(named)), (point.name, metric)
            if metric.endswith("share"):
                assert sum(figure.value for figure in parts) <= 1.0 + 1e-9


# ------------------------------------------------------------------------------------------------- blindness


def reachable(thing: object) -> Iterator[object]:
    """Everything that can be reached from a question: attributes of any kind, keys, values, elements."""
    yield thing
    if isinstance(thing, Mapping):
        for key, value in thing.items():
            yield from reachable(key)
            yield from reachable(value)
    elif isinstance(thing, tuple | list | set | frozenset):
        for element in thing:
            yield from reachable(element)
    elif not isinstance(thing, str | int | float):
        names = {name for kind in type(thing).__mro__ for name in getattr(kind, "__slots__", ())}
        for name in names | set(getattr(thing, "__dict__", {})):
            yield from reachable(getattr(thing, name))


def blind_questions() -> list[tuple[Case, OperatingPoint, Question]]:
    found = []
    for case in CASES.values():
        for point in case.points if not case.reference else ():
            asked = question(case, point)
            if isinstance(asked, Question):
                found.append((case, point, asked))
    return found


def test_a_question_reaches_nothing_but_the_words_and_numbers_of_a_configuration() -> None:
    words = {*CONFIGURATION, *ACTIVITY, *BOUNDARIES, *COMPONENTS, *METRICS, *list_names("device")}
    words |= {choice for setting in CONFIGURATION.values() for choice in setting.choices}
    asked = blind_questions()
    assert len(asked) > 100
    for _, point, found in asked:
        allowed = {*point.configuration.values(), *point.activity.values()}
        for thing in reachable(found):
            if isinstance(thing, str):
                assert thing in words  # so no name, note, source or unit of a case
            elif isinstance(thing, bool | int | float):
                assert thing in allowed
            else:
                assert isinstance(thing, Question | MetricRequest | Mapping | tuple)


def test_no_published_value_is_among_the_numbers_of_its_question() -> None:
    for case, point, found in blind_questions():
        numbers = {thing for thing in reachable(found) if isinstance(thing, float)}
        answers = {figure.value for _, figure in figures(case)}
        # a derived answer: period and frequency of the same clock
        answers |= {1 / f.value for f in point.published if f.metric in ("cycle_time", "mvm_time")}
        assert not numbers & answers, (case.id, point.name)


def test_published_times_are_given_where_nothing_is_predicted() -> None:
    for case, point, found in blind_questions():
        predicted = {figure.metric for figure in point.published if figure.type == "prediction"}
        assert not predicted or "mvm_time" not in found.configuration, (case.id, point.name)
        if "cycle_time" in predicted or (case.id == "A05" and "throughput" in predicted):
            assert "clock" not in found.configuration


@pytest.mark.parametrize("name", sorted(set(CASES) - {"A16"}))
def test_other_answers_leave_the_questions_as_they_are(name: str, tmp_path: Path) -> None:
    content = document(name)
    for index, point in enumerate(content["operating_points"]):
        point["name"] = f"point {index}"
        for figure in point["published"]:
            metric = METRICS[figure["metric"]]
            figure |= {"value": figure["value"] / 3 + 1e-3, "label": "weak", "note": "another"}
            figure |= {"times": 7 if metric.additive else 1, "measurement_tolerance": 0.4}
            figure["model_tolerance"] = "3 points" if metric.share else 2.5
    content |= {"name": "another", "notes": "another", "year": 2001, "grade": "C", "in_statistics": False}
    content["source"] = {"urls": ["https://example.org"], "kind": "another"}
    changed = load_case(str(written(tmp_path, content)))
    assert changed.points[0].published[0].value != CASES[name].points[0].published[0].value
    assert questions(changed) == questions(CASES[name])


def test_requests_come_in_the_order_of_the_figures() -> None:
    case = CASES["A08"]
    (asked,) = questions(case)
    assert [request.metric for request in asked.requests] == [f.metric for f in case.points[0].published]


def test_a_question_cannot_be_changed() -> None:
    asked = questions(CASES["A08"])[0]
    assert isinstance(asked, Question)
    with pytest.raises(TypeError):
        asked.configuration["rows"] = 1.0  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        asked.boundary = "chip"  # type: ignore[misc]


def test_a_case_of_figures_alone_is_refused_with_its_reason() -> None:
    with pytest.raises(
        InputError, match="A16: not a compute-in-memory macro; the GPU model is fitted elsewhere"
    ):
        questions(CASES["A16"])


def test_levels_of_a_component_table_are_asked_of_the_table() -> None:
    kinds = [type(asked) for asked in questions(CASES["A13"])]
    assert kinds == [Question, Question, Question, TableQuestion]
