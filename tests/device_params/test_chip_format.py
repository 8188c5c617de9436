"""Case files: which mistakes are told, and how words and numbers are read."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from case_files import ROOT, document, written
from hypothesis import given
from hypothesis import strategies as st
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
    load_case,
    load_cases,
)
from device_params.errors import FileError, InputError

# --------------------------------------------------------------------------------------------------- mistakes


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
        lambda c: c["configuration"].update(node="2 um"),
        "configuration.node: outside its range.*1 to 1000 nm",
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


@pytest.mark.parametrize("value", [28, "28 V", "2 um", None])
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


def test_what_a_case_may_leave_out(tmp_path: Path) -> None:
    """Tolerances have usual values, a source may be its address alone, the year may be unknown."""
    content = document("A08")
    for name in ("tolerances", "year", "evidence"):
        del content[name]
    content["source"] = "https://example.org/paper"
    case = load_case(str(written(tmp_path, content)))
    assert case.year is None and case.evidence == "silicon"
    figure = case.points[0].published[0]
    assert (figure.measurement_tolerance, figure.model_tolerance) == (0.1, 1.5)
