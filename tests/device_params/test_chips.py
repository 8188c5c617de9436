"""Case files: what is transcribed, what a predictor may see, which mistakes are told."""

from __future__ import annotations

import copy
import dataclasses
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from tolerance import close

from device_params import chip_format
from device_params.chip_vocabulary import (
    ACTIVITY,
    BOUNDARIES,
    COMPONENTS,
    CONFIGURATION,
    METRICS,
    figure_factor,
    quantity,
)
from device_params.chips import (
    LARGEST_FILE,
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
from device_params.errors import FileError, InputError
from device_params.load import list_names

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "device_params" / "chips"

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


# --------------------------------------------------------------------------------------------------- mistakes


def document(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = YAML(typ="safe").load(FOLDER / f"{name}.yaml")
    return loaded


def written(folder: Path, content: Mapping[str, Any], name: str = "case.yaml") -> Path:
    """A case file of this content; JSON is YAML."""
    file = folder / name
    file.write_text(json.dumps(content), encoding="utf-8")
    return file


def first(content: dict[str, Any]) -> dict[str, Any]:
    figure: dict[str, Any] = content["operating_points"][0]["published"][0]
    return figure


MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "unknown key": (lambda c: c.update(yaer=2022), "yaer: unknown key.*'year'"),
    "missing key": (lambda c: c.pop("grade"), "grade: missing key"),
    "unknown setting": (
        lambda c: c["configuration"].update(row=32),
        "configuration.row: unknown key.*'rows'",
    ),
    "missing setting": (
        lambda c: c["configuration"].pop("input_bits"),
        "configuration.input_bits: missing key",
    ),
    "wrong unit": (lambda c: c["configuration"].update(node="28 fF"), "configuration.node: wrong unit"),
    "no unit": (lambda c: c["configuration"].update(node=28), "configuration.node: missing unit"),
    "no number": (lambda c: c["configuration"].update(rows=True), "configuration.rows: not a number"),
    "not finite": (
        lambda c: c["configuration"].update(rows=float("inf")),
        "configuration.rows: not a finite",
    ),
    "outside": (
        lambda c: c["configuration"].update(node="2 nm"),
        "configuration.node: outside its range.*3 to 130 nm",
    ),
    "zero rows": (lambda c: c["configuration"].update(rows=0), "configuration.rows: outside its range"),
    "half a row": (
        lambda c: c["configuration"].update(rows=32.5),
        "configuration.rows: must be a whole number",
    ),
    "choice": (lambda c: c["configuration"].update(memory="srm"), "unknown choice.*sram, rram.*'sram'"),
    "flag": (lambda c: c["configuration"].update(differential="yes"), "differential: expected true or false"),
    "device": (lambda c: c["configuration"].update(device="pcm_14"), "unknown choice.*'pcm_14nm_ibm'"),
    "activity": (lambda c: c["activity"].update(weight_density=1.5), "weight_density: outside.*0 to 1"),
    "unknown activity": (lambda c: c["activity"].update(density=0.5), "activity.density: unknown key"),
    "unknown metric": (
        lambda c: first(c).update(metric="energy_eficiency"),
        r"published\[0\].metric: unknown metric.*'energy_efficiency'",
    ),
    "metric of a table": (lambda c: first(c).update(metric="power"), "cannot be asked here"),
    "unit of a figure": (lambda c: first(c).update(unit="GOPS"), "wrong unit of energy_efficiency.*TOPS/W"),
    "pint unit of a figure": (
        lambda c: c["operating_points"][0]["published"][3].update(unit="mm^2"),
        "wrong unit of cycle_time.*convertible to s",
    ),
    "share as a number": (
        lambda c: first(c).update(metric="energy_share", components=["adc"], unit="1"),
        "wrong unit of energy_share.*%",
    ),
    "negative value": (lambda c: first(c).update(value=-1), "value: input should be greater than 0"),
    "value as text": (lambda c: first(c).update(value="36.63"), "value: input should be a valid number"),
    "metric twice": (
        lambda c: c["operating_points"][0]["published"].append(dict(first(c))),
        "the metric is given twice",
    ),
    "point twice": (
        lambda c: c["operating_points"].append(dict(c["operating_points"][0])),
        "an operating point of this name stands above",
    ),
    "no points": (lambda c: c.update(operating_points=[]), "operating_points: list should have at least 1"),
    "boundary": (lambda c: c["operating_points"][0].update(boundary="marco"), "unknown boundary.*'macro'"),
    "tolerance below one": (lambda c: first(c).update(model_tolerance=0.3), "not a tolerance.*a factor"),
    "points of an efficiency": (lambda c: first(c).update(model_tolerance="10 points"), "not a tolerance"),
    "no tolerance": (
        lambda c: c["tolerances"].pop("energy"),
        "model_tolerance: missing key.*tolerances.energy",
    ),
    "no measurement": (lambda c: c["tolerances"].pop("measurement"), "measurement_tolerance: missing key"),
    "unknown part": (
        lambda c: c["operating_points"][0]["published"][2].update(components=["adcs"]),
        "unknown component.*'adc'",
    ),
    "parts of an efficiency": (lambda c: first(c).update(components=["adc"]), "this metric has no parts"),
    "part twice": (
        lambda c: c["operating_points"][0]["published"][2].update(components=["cell", "cell"]),
        "a component is named twice",
    ),
    "share of nothing": (
        lambda c: first(c).update(metric="energy_share", unit="%", model_tolerance="10 points"),
        "a share names its parts",
    ),
    "published time": (
        lambda c: c["configuration"].update(mvm_time="20 ns"),
        "a published time beside a prediction.*energy_efficiency, throughput",
    ),
    "the clock": (
        lambda c: c["configuration"].update(clock="195 MHz"),
        "the clock is the cycle time that is to be predicted",
    ),
    "more active rows": (lambda c: c["configuration"].update(rows_active=64), "more than rows"),
    "converters twice": (
        lambda c: c["configuration"].update({"adc.count": 4, "adc.columns": 4}),
        "exclude each other",
    ),
    "off below on": (
        lambda c: c["configuration"].update(on_resistance="10 kohm", off_resistance="1 kohm"),
        "more than off_resistance",
    ),
    "level without a table": (lambda c: c["operating_points"][0].update(level="chip"), "no such level"),
    "reference and configuration": (
        lambda c: c.update(reference="no macro"),
        "only records figures has none",
    ),
    "id": (lambda c: c.update(id="A 08"), "id: string should match pattern"),
    "schema": (lambda c: c.update(schema_version=2), "schema_version: input should be 1"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told(name: str, tmp_path: Path) -> None:
    change, told = MISTAKES[name]
    content = document("A08")
    change(content)
    with pytest.raises(InputError, match=told):
        load_case(str(written(tmp_path, content)))


def table(content: dict[str, Any], level: int) -> dict[str, Any]:
    entry: dict[str, Any] = content["component_table"][level]
    return entry


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda c: table(c, 1).update(holds={"imas": 12}), "holds a level that does not stand above.*'ima'"),
        (lambda c: table(c, 0).update(holds={"chip": 1}), "nothing: it is the lowest"),
        (lambda c: table(c, 1).update(name="ima"), "a level of this name stands above"),
        (lambda c: table(c, 0).pop("period"), "operations and period belong together"),
        (lambda c: table(c, 0)["components"][0].update(power="2 mm^2"), r"components\[0\].power: wrong unit"),
        (lambda c: table(c, 0)["components"][0].update(power="-2 W"), "must not be negative"),
        (lambda c: table(c, 0)["components"][1].update(name="adc"), "a component of this name stands above"),
        (lambda c: first(c).update(type="prediction"), "nothing is predicted here"),
        (lambda c: first(c).update(components=["edram"]), "unknown component.*adc, dac"),
    ],
)
def test_a_mistake_in_a_component_table_is_told(
    change: Callable[[dict[str, Any]], object], told: str, tmp_path: Path
) -> None:
    content = document("A14")
    change(content)
    with pytest.raises(InputError, match=told):
        load_case(str(written(tmp_path, content)))


def test_all_mistakes_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    content = document("A08")
    content["yaer"] = 2022
    content["tolerances"]["shares"] = 2
    content["configuration"]["row"] = 3
    content["activity"]["input_toggle"] = 2
    first(content)["unit"] = "W"
    content["operating_points"][0]["published"][2]["valeu"] = 1
    content["operating_points"].append(3)
    with pytest.raises(FileError) as told:
        load_case(str(written(tmp_path, content)))
    for part in ("yaer", "tolerances.shares", "row", "input_toggle", "unit", "valeu", r"operating_points[1]"):
        assert any(part in problem for problem in told.value.problems), part
    assert len(told.value.problems) == 7


def places(thing: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every key and index of a document, outermost first."""
    for key, value in (
        thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    ):
        yield (*path, key)
        yield from places(value, (*path, key))


@pytest.mark.parametrize("name", ["A04", "A14"])
def test_nonsense_anywhere_is_told_and_never_breaks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each place of a file in turn holds values of every type; what is wrong there is an InputError."""
    original = document(name)
    refused = 0
    for path in places(original):
        for nonsense in (None, True, -3, float("inf"), 10**400, "nonsense", [1], {}, {"a": 1}):
            content = copy.deepcopy(original)
            place: Any = content
            for key in path[:-1]:
                place = place[key]
            place[path[-1]] = nonsense
            monkeypatch.setattr(chip_format, "parse_yaml", lambda *_, parsed=content: parsed)
            try:
                chip_format.parse_case(b"", "case.yaml")
            except InputError:
                refused += 1
    assert refused > 1000


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"\xff\xfe", "not UTF-8 text"),
        (b"- a list", "expected a mapping"),
        (b"a: [", "not valid YAML"),
        (b"id: A\nid: B\n", "not valid YAML"),
        (b"#" * (LARGEST_FILE + 1), "too large for a case file"),
    ],
)
def test_what_is_no_case_file(content: bytes, told: str, tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_bytes(content)
    with pytest.raises(InputError, match=told):
        load_cases(file)


def test_a_folder_gives_its_yaml_files_by_name(tmp_path: Path) -> None:
    for name in ("b", "a"):
        written(tmp_path, document("A08") | {"id": name}, f"{name}.yaml")
    (tmp_path / "readme.txt").write_text("no case")
    assert [case.id for case in load_cases(tmp_path)] == ["a", "b"]
    assert [case.id for case in load_cases(str(tmp_path / "b.yaml"))] == ["b"]


def test_mistakes_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no case files in this folder"):
        load_cases(tmp_path)
    with pytest.raises(InputError, match="cannot read the case file"):
        load_cases(tmp_path / "none.yaml")
    written(tmp_path, document("A08"), "one.yaml")
    written(tmp_path, document("A08"), "two.yaml")
    with pytest.raises(InputError, match=r"two.yaml: the id of one.yaml again; got 'A08'"):
        load_cases(tmp_path)
    written(tmp_path, document("A09") | {"grade": "D"}, "three.yaml")
    with pytest.raises(FileError) as told:
        load_cases(tmp_path)
    assert len(told.value.problems) == 2


# ------------------------------------------------------------------------------------------ words and numbers


@pytest.mark.parametrize(
    ("metric", "unit", "factor"),
    [
        ("energy_efficiency", "TOPS/W", 1e12),
        ("energy_efficiency", "GOPS/W", 1e9),
        ("energy_efficiency", "POPS/W", 1e15),
        ("compute_density", "GOPS/mm^2", 1e9 / 1e-6),
        ("energy_per_mac", "fJ/MAC", 1e-15),
        ("energy_per_mac", "fJ/OP", 2e-15),
        ("energy_per_mac", "aJ/OP", 2e-18),
        ("energy_per_mvm", "nJ", 1e-9),
        ("area_share", "%", 0.01),
    ],
)
def test_factors_of_units(metric: str, unit: str, factor: float) -> None:
    assert figure_factor(metric, unit) == close(factor)


@given(st.integers(1, 10**6), st.sampled_from([("V", "mV", 1e-3), ("F", "fF", 1e-15), ("m", "nm", 1e-9)]))
def test_a_quantity_is_its_number_times_its_unit(number: int, unit: tuple[str, str, float]) -> None:
    expected, written_, factor = unit
    assert quantity(f"{number} {written_}", expected) == close(number * factor)


def test_a_wrong_unit_names_those_that_fit() -> None:
    for unit in ("TOPS", "TOPS/w", "OP/J", ""):
        with pytest.raises(InputError, match=r"wrong unit of energy_efficiency; got .*allowed: .*TOPS/W"):
            figure_factor("energy_efficiency", unit)


@pytest.mark.parametrize("value", [28, "28 V", "500 nm", None])
def test_a_key_given_with_a_mistake_is_not_told_to_be_missing(value: object, tmp_path: Path) -> None:
    content = document("A08")
    content["configuration"]["node"] = value
    with pytest.raises(FileError) as told:
        load_case(written(tmp_path, content))
    assert len(told.value.problems) == 1 and "missing key" not in told.value.problems[0]


def test_a_key_that_only_one_point_states_is_missing_at_the_other(tmp_path: Path) -> None:
    content = document("A08")
    other = copy.deepcopy(content["operating_points"][0]) | {"name": "another"}
    other["configuration"] = {"rows": content["configuration"].pop("rows")}
    content["operating_points"].append(other)
    with pytest.raises(InputError, match=r"configuration.rows: missing key.*needed at 'INT8, 0.9 V'"):
        load_case(written(tmp_path, content))


@pytest.mark.parametrize(("name", "told"), [(0.9, "put it in quotes"), ("\x1b[31mred", "control characters")])
def test_names_are_text_that_a_terminal_can_show(name: object, told: str, tmp_path: Path) -> None:
    for place in ("name", "point"):
        content = document("A08")
        (content if place == "name" else content["operating_points"][0])["name"] = name
        with pytest.raises(InputError, match=told):
            load_case(written(tmp_path, content))


def test_a_name_over_several_lines_is_one_line(tmp_path: Path) -> None:
    case = load_case(written(tmp_path, document("A08") | {"name": "two\n  lines\n"}))
    assert case.name == "two lines"


def test_a_share_is_at_most_the_whole(tmp_path: Path) -> None:
    content = document("A08")
    share = {"metric": "energy_share", "components": ["cell"], "unit": "%", "model_tolerance": "10 points"}
    content["operating_points"][0]["published"] = [share | {"value": 100}]
    assert load_case(written(tmp_path, content)).points[0].published[0].value == 1.0
    content["operating_points"][0]["published"] = [share | {"value": 100.1}]
    with pytest.raises(InputError, match=r"published\[0\].value: a share of more than the whole; got 100.1"):
        load_case(written(tmp_path, content))


@pytest.mark.parametrize(("metric", "unit", "adds"), [("area", "mm^2", True), ("cycle_time", "ns", False)])
def test_only_what_adds_up_is_one_of_so_many(metric: str, unit: str, adds: bool, tmp_path: Path) -> None:
    content = document("A08")
    content["operating_points"][0]["published"] = [{"metric": metric, "value": 2, "unit": unit, "times": 3}]
    path = written(tmp_path, content)
    if adds:
        assert load_case(path).points[0].published[0].value == close(6e-6)
    else:
        with pytest.raises(InputError, match="times: figures of this metric do not add up; got 3"):
            load_case(path)


def test_a_pipe_is_no_case_file(tmp_path: Path) -> None:
    """It would hang where nothing is written to it, and cannot be copied beside the report."""
    os.mkfifo(tmp_path / "pipe.yaml")
    with pytest.raises(InputError, match=r"pipe\.yaml: not a regular file"):
        load_cases(tmp_path)


def test_the_page_names_every_word() -> None:
    page = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")
    for word in (*CONFIGURATION, *ACTIVITY, *METRICS, *COMPONENTS, *BOUNDARIES):
        assert f"`{word}`" in page, word


def test_the_example_of_the_page_loads(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "cases.md").read_text(encoding="utf-8")
    file = tmp_path / "example.yaml"
    file.write_text(page.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    (case,) = load_cases(file)
    assert case.points[0].published[0].value == close(20e12)
