"""Files of users: what is accepted, and how each kind of mistake is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tolerance import close

import device_params
from device_params import InputError, describe, list_names, load_design, load_device, load_technology
from device_params.references import citation, parse_bib, references

PACKAGE = Path(device_params.__file__).parent
DEVICE = (PACKAGE / "devices" / "fefet_1f1r_28nm.yaml").read_text(encoding="utf-8")
READ_VOLTAGE = re.search(r"  read_voltage:\n(?:    .*\n)+", DEVICE)
assert READ_VOLTAGE is not None
ENTRY = READ_VOLTAGE.group(0)


def written(tmp_path: Path, text: str, name: str = "mine.yaml") -> str:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return str(file)


def with_entry(entry: str) -> str:
    return DEVICE.replace(ENTRY, entry)


def complaint(tmp_path: Path, text: str) -> str:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_device(path)
    assert str(caught.value).startswith(path)
    return str(caught.value).removeprefix(path)


def test_a_users_device_loads_from_its_path(tmp_path: Path) -> None:
    device = load_device(written(tmp_path, DEVICE.replace("name: fefet_1f1r_28nm", "name: mine")))
    assert device.name == "mine"
    assert device.parameters == load_device("fefet_1f1r_28nm").parameters


def test_a_changed_file_is_read_anew_and_an_equal_one_is_not(tmp_path: Path) -> None:
    path = written(tmp_path, DEVICE)
    first = load_device(path)
    assert load_device(path) is first
    written(tmp_path, with_entry(ENTRY.replace("value: 0.8", "value: 0.79")))
    assert load_device(path).parameters["read_voltage"].value == 0.79


MISTAKES = [
    ("value: 0.8", "value: 2.5", ".value: value outside its range; got 2.5; allowed: 0.1 to 1.2 V"),
    ("value: 0.8", "value: .nan", ".value: input should be a finite number; got nan"),
    ("value: 0.8", "value: .inf", ".value: input should be a finite number; got inf"),
    ("value: 0.8", "value: yes", ".value: input should be a valid number; got 'yes'"),
    ("value: 0.8", "value: '0.8'", ".value: input should be a valid number; got '0.8'"),
    ("value: 0.8", "value: true", ".value: input should be a valid number; got True"),
    ("unit: V", "unit: A", ".unit: wrong unit, expected V; got 'A'; allowed: units convertible to V"),
    ("unit: V", "unit: Vlot", ".unit: not a unit; got 'Vlot'"),
    ("unit: V", "unit: 3 V", ".unit: not a unit; got '3 V'"),
    ("    unit: V\n", "", ".unit: missing key"),
    ("basis: simulated", "basis: guessed", ".basis: input should be 'measured', 'simulated'"),
    ("interval:", "intervall:", ".intervall: unknown key"),
    ("interval:", "intervall:", "did you mean 'interval'?"),
    ("interval: [0.76, 0.84]", "interval: [0.84, 0.76]", ".interval: not in order"),
    ("interval: [0.76, 0.84]", "interval: [0.76]", ".interval: list should have at least 2 items"),
    ("interval: [0.76, 0.84]", "interval: [0.81, 0.84]", ".interval: does not contain the value"),
    ("interval: [0.76, 0.84]", "interval: [0.76, 1.84]", ".interval: not in order or outside the range"),
    ("    interval: [0.76, 0.84]\n", "", ".interval: missing key; give 5 % and 95 % of the normal"),
    ("distribution: normal", "distribution: fixed", ".interval: a fixed value has no interval"),
    ("range: [0.1, 1.2]", "range: [1.2, 0.1]", ".range: lower limit above the upper one"),
    ("sweep_bounds: [0.4, 1.0]", "sweep_bounds: [0.4, 1.4]", ".sweep_bounds: not in order or outside"),
    (
        "source: soliman2023",
        "source: soliman2032",
        ".source: no such key in references.bib; got 'soliman2032'; did you mean",
    ),
    ("    source: soliman2023\n", "", ".source: missing key; a simulated value needs its source"),
    (
        "basis: simulated",
        "basis: assumed\n    integer: true",
        ".value: must be a whole number without interval",
    ),
    (
        "  read_voltage:",
        "  read_volatge:",
        "parameters.read_volatge: unknown parameter; did you mean 'read_voltage'?",
    ),
]


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES)
def test_a_mistake_in_a_parameter_is_told(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert old in ENTRY
    sentence = f"parameters.read_voltage{sentence}" if sentence.startswith(".") else sentence
    assert sentence in complaint(tmp_path, with_entry(ENTRY.replace(old, new)))


FILM = """
schema_version: 1
name: mine
kind: device
family: ferroelectric_film
title: A film
description: For a test.
parameters:
  film_thickness: {value: 8, unit: nm, range: [1, 50], basis: measured, source: soliman2023}
  remanent_polarization: {value: 0.2, unit: C/m^2, range: [0, 1], basis: fitted, source: deng2020}
  coercive_field:
    {value: 110, unit: MV/m, interval: [80, 190], range: [1, 900], basis: fitted,
     source: "nvsim2021, deng2020"}
"""


def test_a_family_may_require_a_parameter(tmp_path: Path) -> None:
    assert load_device(written(tmp_path, FILM)).parameters["film_thickness"].value == close(8e-9)
    assert "parameters.film_thickness: missing parameter; ferroelectric film [m]" in complaint(
        tmp_path, re.sub(r"  film_thickness.*\n", "", FILM)
    )


def test_a_set_comes_from_one_source(tmp_path: Path) -> None:
    mixed = FILM.replace('"nvsim2021, deng2020"', "nvsim2021")
    told = complaint(tmp_path, mixed)
    assert "the switching set mixes sources; got 'remanent_polarization (deng2020), coercive_field " in told
    # what is taken from elsewhere says so
    taken = mixed.replace("source: nvsim2021", "source: nvsim2021, note: a").replace(
        "900], basis: fitted", "900], basis: assumed"
    )
    assert load_device(written(tmp_path, taken)).parameters["coercive_field"].basis == "assumed"
    fixed = taken.replace("interval: [80, 190], ", "")
    assert (
        "coercive_field: an assumed value of the switching set needs a source and an interval"
        in complaint(tmp_path, fixed)
    )


def test_lognormal_needs_positive_ends(tmp_path: Path) -> None:
    entry = ENTRY.replace("[0.76, 0.84]", "[0, 0.84]").replace("normal", "lognormal").replace("[0.1", "[0")
    assert "read_voltage.interval: a lognormal interval must be positive" in complaint(
        tmp_path, with_entry(entry)
    )


@pytest.mark.parametrize("basis", ["derived", "assumed"])
def test_a_derived_or_assumed_value_tells_how(tmp_path: Path, basis: str) -> None:
    entry = re.sub(r"    note:.*\n", "", ENTRY).replace("basis: simulated", f"basis: {basis}")
    assert f"read_voltage.note: missing key; tell how the value was {basis}" in complaint(
        tmp_path, with_entry(entry)
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("schema_version: 1", "schema_version: 2", "schema_version: input should be 1; got 2"),
        ("family: fefet", "family: fefett", "did you mean 'fefet'?"),
        ("kind: device", "kind: memory", "kind: a file of another kind; got 'memory'; allowed: device"),
        ("title:", "titel:", "titel: unknown key"),
        ("title:", "titel:", "title: missing key"),
        ("parameters:\n", "parameters:\n  bits: 2\n", "not valid YAML"),
        ("family: fefet", "family: fefet\nfamily: fefet", "not valid YAML: found duplicate key"),
        ("kind: device", "kind: [device", ", line "),
    ],
)
def test_a_mistake_in_the_header_is_told(tmp_path: Path, old: str, new: str, sentence: str) -> None:
    assert sentence in complaint(tmp_path, DEVICE.replace(old, new, 1))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    text = with_entry(ENTRY.replace("unit: V", "unit: A")).replace("title:", "titel:", 1)
    text = text.replace("source: dutta2022, trentzsch2016", "source: nobody1900").replace(
        "  endurance:", "  endurence:"
    )
    message = complaint(tmp_path, text)
    assert message.startswith(": 5 problems:")
    for expected in ["titel", "title", "read_voltage.unit", "write_time.source", "endurence"]:
        assert f"{expected}: " in message


@pytest.mark.parametrize("text", ["", "- a\n- b\n", "just words"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    assert ": expected a mapping of keys to values" in complaint(tmp_path, text)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8 text"):
        load_device(str(file))


def test_missing_file_and_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the device file: No such file or directory"):
        load_device(str(tmp_path / "none.yaml"))
    with pytest.raises(InputError, match="cannot read the design file: Is a directory"):
        load_design(f"{tmp_path}/")


def test_unknown_names_are_told_with_the_nearest() -> None:
    with pytest.raises(
        InputError, match=r"unknown device; got 'fefet_1f1r'; .*did you mean 'fefet_1f1r_28nm'\?"
    ):
        load_device("fefet_1f1r")
    with pytest.raises(InputError, match="unknown technology; got '15nm'"):
        load_technology("15nm")
    with pytest.raises(InputError, match="unknown design"):
        load_design("fefet_crossbar")
    with pytest.raises(InputError, match="unknown kind of file"):
        list_names("processor")


def test_yaml_is_read_as_1_2(tmp_path: Path) -> None:
    text = with_entry(ENTRY.replace("value: 0.8", "value: 8e-1"))
    assert load_device(written(tmp_path, text)).parameters["read_voltage"].value == 0.8


def test_a_users_file_brings_its_own_references(tmp_path: Path) -> None:
    text = with_entry(ENTRY.replace("source: soliman2023", "source: me2030"))
    assert "no such key" in complaint(tmp_path, text)
    written(tmp_path, "@misc{me2030, author = {Me}, title = {My {V} data}, year = {2030}}", "references.bib")
    path = written(tmp_path, text)
    assert load_device(path).parameters["read_voltage"].source == "me2030"
    assert describe("device", path)["references"]["me2030"] == "Me. My V data. 2030."


# designs


DESIGN = """
schema_version: 1
name: small
kind: design
based_on: fefet_crossbar_28nm
title: A small chip
description: For a test.
components:
  cell: ./cells/mine.yaml
parameters:
  array.rows: {value: 64, unit: "1", integer: true, range: [16, 1024], basis: assumed, note: small}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cells").mkdir()
    text = with_entry(ENTRY.replace("value: 0.8", "value: 0.78")).replace(
        "name: fefet_1f1r_28nm", "name: mine"
    )
    written(tmp_path / "cells", text)
    return tmp_path


def test_a_users_design_takes_built_in_and_own_files(folder: Path) -> None:
    design = load_design(written(folder, DESIGN, "design.yaml"))
    default = load_design("fefet_crossbar_28nm")
    assert design.name == "small"
    assert dict(design.components) == dict(default.components) | {"cell": "mine"}
    assert dict(design.families) == dict(default.families)
    assert list(design.parameters) == list(default.parameters)
    changed = {name for name in default.parameters if design.parameters[name] != default.parameters[name]}
    assert changed == {"array.rows", "cell.read_voltage"}


def test_the_technology_is_switched_in_the_file_alone(folder: Path) -> None:
    text = (PACKAGE / "technologies" / "28nm.yaml").read_text(encoding="utf-8")
    text = text.replace("name: 28nm", "name: mine28").replace("value: 47.8", "value: 40")
    written(folder, text, "mine28.yaml")
    path = written(
        folder, DESIGN.replace("cell: ./cells/mine.yaml", "technology: mine28.yaml"), "design.yaml"
    )
    design = load_design(Path(path))
    assert design.components["technology"] == "mine28"
    assert design.parameters["technology.gate_delay"].value == close(40e-12)


def test_another_cell_brings_its_own_names() -> None:
    design = load_design("rram_crossbar_28nm")
    assert design.families["cell"] == "rram"
    assert "cell.maximum_conductance" in design.parameters
    assert "cell.threshold_sigma" not in design.parameters
    assert design.parameters["array.rows"] == load_design("fefet_crossbar_28nm").parameters["array.rows"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            "  cell: ./cells/mine.yaml",
            "  cel: fefet_1f1r_28nm",
            "components.cel: unknown component; did you mean 'cell'?",
        ),
        ("./cells/mine.yaml", "fefet_1f1r_22nm", "components.cell: unknown device; got 'fefet_1f1r_22nm'"),
        ("./cells/mine.yaml", "./cells/none.yaml", "components.cell: "),
        ("./cells/mine.yaml", "28nm", "components.cell: unknown device; got '28nm'"),
        (
            "cell: ./cells/mine.yaml",
            "buffer: lpddr4",
            "components.buffer: a family that does not fit here; got 'dram'; allowed: sram",
        ),
        (
            "array.rows: {value: 64",
            "array.row: {value: 64",
            "parameters.array.row: unknown parameter; did you mean 'array.rows'?",
        ),
        (
            "value: 64",
            "value: 2",
            "parameters.array.rows.value: value outside its range; got 2.0; allowed: 16 to 1024",
        ),
        ("based_on: fefet_crossbar_28nm", "based_on: fefet_crosbar_28nm", "based_on: unknown design"),
        (
            "based_on: fefet_crossbar_28nm",
            "based_on: ./design.yaml",
            "designs are based on each other in a circle",
        ),
        (
            "based_on: fefet_crossbar_28nm",
            "family: crossbar_chip",
            "parameters.array.cols: missing parameter",
        ),
        ("kind: design", "kind: device", "kind: a file of another kind"),
        (
            "components:\n  cell: ./cells/mine.yaml",
            "components: none",
            "components: input should be a valid dictionary",
        ),
    ],
)
def test_a_mistake_in_a_design_is_told(folder: Path, old: str, new: str, sentence: str) -> None:
    assert old in DESIGN
    path = written(folder, DESIGN.replace(old, new), "design.yaml")
    with pytest.raises(InputError) as caught:
        load_design(path)
    assert sentence in str(caught.value)
    assert str(caught.value).startswith(path)


def test_a_cell_that_does_not_say_enough_is_told_with_what_it_lacks(folder: Path) -> None:
    cell = folder / "cells" / "mine.yaml"
    text = cell.read_text(encoding="utf-8")
    text = re.sub(r"  (write_voltage|endurance|gate_area):\n(?:    .*\n)+", "", text)
    cell.write_text(text, encoding="utf-8")
    assert "endurance" not in load_device(str(cell)).parameters  # the file itself is a good one
    path = written(folder, DESIGN, "design.yaml")
    with pytest.raises(InputError) as caught:
        load_design(path)
    assert str(caught.value) == (
        f"{path}: components.cell: the file does not give what a cell of this design needs: write_voltage, "
        "endurance, write_energy; got 'mine'; what was not published stays missing; "
        "state it in a file of your own"
    )


def test_each_family_of_cells_needs_its_own_way_to_the_energy_of_a_write(folder: Path) -> None:
    text = (PACKAGE / "devices" / "sram_8t_28nm.yaml").read_text(encoding="utf-8")
    written(folder / "cells", re.sub(r"  write_energy:\n(?:    .*\n)+", "", text))
    with pytest.raises(
        InputError, match=r"what a cell of this design needs: write_energy; got 'sram_8t_28nm'"
    ):
        load_design(written(folder, DESIGN, "design.yaml"))


def test_a_design_that_stands_alone_needs_every_component(folder: Path) -> None:
    text = (PACKAGE / "designs" / "fefet_crossbar_28nm.yaml").read_text(encoding="utf-8")
    path = written(folder, text.replace("  adc: sar_28nm\n", ""), "design.yaml")
    with pytest.raises(InputError, match=r"components\.adc: missing key; name a converter"):
        load_design(path)


# bibliography


def test_parse_bib_reads_braces_and_refuses_what_is_broken() -> None:
    entry = parse_bib(
        "@article{a1,\n title = {An {HZO} film},\n doi = {10.1/x}\n}\n% between\n@misc{b, year = {2020}}"
    )
    assert list(entry) == ["a1", "b"]
    assert entry["a1"].citation() == "An HZO film. doi:10.1/x."
    assert entry["b"].text == "@misc{b, year = {2020}}"
    with pytest.raises(InputError, match="a brace is not closed"):
        parse_bib("@misc{b, year = {2020}")
    with pytest.raises(InputError, match="used twice"):
        parse_bib("@misc{b, year = {2020}} @misc{b, year = {2021}}")


def test_citation_of_a_known_and_an_unknown_key() -> None:
    assert citation("wan2022").startswith("Wan, W. et al. A compute-in-memory chip")
    assert not any("\\" in citation(key) for key in references())  # no TeX in what a reader sees
    with pytest.raises(InputError, match="did you mean 'wan2022'"):
        citation("wan2021")
