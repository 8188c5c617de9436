"""Checking files: each kind of mistake is found, in every file, and a good library passes."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest
from tolerance import close

import device_params.check
from device_params import InputError, load_design
from device_params.check import Checked, Finding, check, check_files
from device_params.errors import FileError
from device_params.load import built_in_files, load_file, references_of
from device_params.references import parse_bib, references

MINE = """\
schema_version: 1
name: mine
kind: device
family: rram
title: My cell
description: For a test.
parameters:
  maximum_conductance: {value: 40, unit: uS, range: [1, 100], basis: measured, source: me2030}
  read_time:
    value: 10
    unit: ns
    interval: [5, 25]
    range: [1, 1000]
    sweep_bounds: [5, 50]
    basis: assumed
    source: wan2022
    note: Weak. A guess.
"""
BIB = "@misc{me2030,\n  author = {Me},\n  title = {My data},\n  year = {2030},\n  note = {Notebook}\n}\n"


@pytest.fixture(name="mine")
def _mine(tmp_path: Path) -> Path:
    (tmp_path / "references.bib").write_text(BIB, encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(MINE, encoding="utf-8")
    return file


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_the_library_has_no_error() -> None:
    found = check()
    assert [str(finding) for finding in found.findings if finding.severity == "error"] == []
    assert found.ok
    assert found.files == len(built_in_files())
    assert found.sources == len(references())
    designs = [name for name, kind in built_in_files().items() if kind == "design"]
    own = sum(len(load_design(name).own) for name in designs)
    others = [load_file(name) for name in built_in_files() if name not in designs]
    assert found.parameters == own + sum(len(file.parameters) for file in others)
    assert re.fullmatch(
        r"\d+ files, \d+ parameters, \d+ sources: no errors(, \d+ warnings?)?", found.summary()
    )


def test_a_users_file_passes_with_the_references_beside_it(mine: Path) -> None:
    assert check([mine]) == Checked((), 1, 2, 2)
    assert check([mine]).summary() == "1 file, 2 parameters, 2 sources: no errors"
    assert check_files([str(mine)]) == []
    assert check_files([mine.parent]) == []  # the folder stands for its files


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            ", source: me2030}",
            "}",
            "parameters.maximum_conductance.source: missing key; a measured value needs its source",
        ),
        (
            "source: me2030",
            "source: me2031",
            "parameters.maximum_conductance.source: no such key in references.bib; got 'me2031'; "
            "did you mean 'me2030'?",
        ),
        (
            "value: 40",
            "value: 400",
            "parameters.maximum_conductance.value: value outside its range; got 400.0; allowed: 1 to 100 uS",
        ),
        (
            "unit: uS",
            "unit: uA",
            "parameters.maximum_conductance.unit: wrong unit, expected S; got 'uA'; "
            "allowed: units convertible to S",
        ),
        (
            "maximum_conductance",
            "maximal_conductance",
            "parameters.maximal_conductance: unknown parameter; did you mean 'maximum_conductance'?",
        ),
        (
            "interval: [5, 25]",
            "interval: [11, 25]",
            "parameters.read_time.interval: does not contain the value",
        ),
        ("basis: assumed", "basis: guessed", "parameters.read_time.basis: input should be 'measured'"),
        ("kind: device", "kind: divice", "kind: input should be 'device', 'technology'"),
        ("kind: device\n", "", "kind: missing key"),
        ("family: rram", "family: rrram", "family: unknown family of device; got 'rrram'"),
        ("title: My cell", "title: [", "line 7: not valid YAML: "),
        (
            "basis: assumed",
            "basis: measured",
            "parameters.read_time.basis: a weak number is 'assumed', not 'measured'",
        ),
    ],
)
def test_an_error_is_found(mine: Path, old: str, new: str, sentence: str) -> None:
    change(mine, old, new)
    (finding,) = check_files([mine])
    assert (finding.path, finding.severity) == (str(mine), "error")
    assert finding.sentence.startswith(sentence)
    assert not check([mine]).ok


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("name: mine", "name: yours", "name: 'yours' is not the name of the file, 'mine'"),
        (
            "sweep_bounds: [5, 50]",
            "sweep_bounds: [5, 25]",
            "parameters.read_time.sweep_bounds: the same as interval; one is what this device does "
            "(5 to 95 %), the other how far to explore",
        ),
        (
            "interval: [5, 25]",
            "interval: [9, 11]",
            "parameters.read_time.interval: 1.22 between its ends is narrow for a weak number",
        ),
    ],
)
def test_a_warning_is_given(mine: Path, old: str, new: str, sentence: str) -> None:
    change(mine, old, new)
    found = check([mine])
    assert found.findings == (Finding(str(mine), "warning", sentence),)
    assert found.ok
    assert found.summary().endswith(": no errors, 1 warning")


def test_mixed_sets_are_found(tmp_path: Path) -> None:
    film = tmp_path / "film.yaml"
    film.write_text(
        MINE.split("parameters:")[0].replace("rram", "ferroelectric_film").replace("mine", "film")
        + "parameters:\n"
        "  film_thickness: {value: 8, unit: nm, range: [1, 50], basis: measured, source: soliman2023}\n"
        "  remanent_polarization: {value: 0.2, unit: C/m^2, range: [0, 1], basis: fitted, source: deng2020}\n"
        "  merz_exponent: {value: 3, unit: '1', range: [1, 5], basis: fitted, source: soliman2023}\n",
        encoding="utf-8",
    )
    (finding,) = check_files([film])
    assert finding.sentence.startswith(
        "parameters: the switching set mixes sources; got 'remanent_polarization"
    )


def test_every_mistake_of_every_file_is_told(mine: Path) -> None:
    other = mine.with_name("other.yaml")
    other.write_text(MINE.replace("name: mine", "name: other"), encoding="utf-8")
    change(mine, "unit: uS", "unit: uA")
    change(mine, "unit: ns", "unit: nm")
    change(other, "value: 40", "value: 0")
    found = check([mine, other, "stt_mram", "stt_mran", mine.with_name("none.yaml")])
    told = [(Path(finding.path).name, finding.sentence.split(";")[0]) for finding in found.findings]
    assert told == [
        ("mine.yaml", "parameters.maximum_conductance.unit: wrong unit, expected S"),
        ("mine.yaml", "parameters.read_time.unit: wrong unit, expected s"),
        ("other.yaml", "parameters.maximum_conductance.value: value outside its range"),
        ("stt_mran", "unknown file"),
        ("none.yaml", "cannot read the parameter file: No such file or directory"),
    ]
    assert "did you mean 'stt_mram'?" in found.findings[3].sentence
    assert found.count("error") == 5
    assert found.summary().startswith("5 files, 12 parameters, 1 source: 5 errors")


def test_a_file_given_twice_is_checked_once(mine: Path) -> None:
    assert check([mine, mine, mine.parent]).files == 1


def test_the_bibliography_beside_a_file_is_checked(mine: Path) -> None:
    bib = mine.with_name("references.bib")
    bib.write_text(BIB.replace(",\n  note = {Notebook}", "") + "@misc{idle, url = {x}}\n", encoding="utf-8")
    assert check_files([mine]) == [
        Finding(str(bib), "error", "me2030: an entry without doi, url or note"),
        Finding(str(bib), "warning", "idle: no file that was checked uses them"),
    ]
    # who uses an entry is not known while a file cannot be read
    mine.with_name("broken.yaml").write_text("a: [", encoding="utf-8")
    assert [finding.sentence for finding in check_files([mine.parent])][1:] == [
        "me2030: an entry without doi, url or note"
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"@misc{me2030, note = {open}", "a brace is not closed"), (b"\xff\xfe", "not UTF-8 text")],
)
def test_a_broken_bibliography_is_an_error_of_the_file(mine: Path, content: bytes, sentence: str) -> None:
    mine.with_name("references.bib").write_bytes(content)
    (finding,) = check_files([mine])
    assert sentence in finding.sentence


def test_a_broken_bibliography_of_the_library_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_params.check, "bibliography", lambda: parse_bib("@misc{a, b = {"))
    (finding,) = check_files()
    assert "a brace is not closed" in finding.sentence
    assert finding.path.endswith("references.bib")


def test_an_entry_that_no_built_in_file_uses_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    idle = parse_bib("@misc{idle, doi = {10.1/x}}\n@misc{bare, title = {T}}")
    known = {**device_params.bibliography(), **idle}
    monkeypatch.setattr(device_params.check, "bibliography", lambda: known)
    assert [finding.sentence for finding in check_files() if finding.path.endswith(".bib")] == [
        "bare: an entry without doi, url or note",
        "idle: no file uses this entry",
        "bare: no file uses this entry",
    ]


def test_a_folder_without_files_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no \.yaml file in this folder"):
        check([tmp_path])


DESIGN = """\
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


def test_a_design_is_held_to_what_it_says_itself(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    package = Path(device_params.__file__).parent
    cell = (package / "devices" / "rram_1t1r_neurram_130nm.yaml").read_text(encoding="utf-8")
    cell = cell.replace("name: rram_1t1r_neurram_130nm", "name: mine").replace("wan2022", "me2030")
    (tmp_path / "cells" / "mine.yaml").write_text(cell, encoding="utf-8")
    (tmp_path / "cells" / "references.bib").write_text(BIB, encoding="utf-8")
    file = tmp_path / "small.yaml"
    file.write_text(DESIGN, encoding="utf-8")
    found = check([file])
    assert (found.findings, found.parameters) == ((), 1)
    design = load_design(file)
    assert design.own == ("array.rows",)
    # the sources of a component stand in its own folder
    assert references_of(design)["me2030"].citation() == "Me. My data. 2030."
    # a mistake of a component is told on one line
    change(tmp_path / "cells" / "mine.yaml", "value: 40, unit: uS", "value: 40, unit: uA")
    (finding,) = check_files([file])
    assert finding.sentence.startswith("components.cell: ") and "\n" not in str(finding)


def test_a_file_of_any_kind_is_loaded_by_name_or_path(mine: Path) -> None:
    assert load_file(mine).parameters["read_time"].value == close(1e-8)
    assert {load_file(name).name for name in ("stt_mram", "28nm", "lpddr4", "sar_28nm")} == {
        "stt_mram",
        "28nm",
        "lpddr4",
        "sar_28nm",
    }
    assert load_file("fefet_crossbar_28nm") == load_design("fefet_crossbar_28nm")


def test_the_error_of_a_file_keeps_its_sentences_between_processes(mine: Path) -> None:
    change(mine, "unit: uS", "unit: uA")
    change(mine, "unit: ns", "unit: nm")
    with pytest.raises(FileError) as caught:
        load_file(mine)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert (again.path, len(again.problems)) == (str(mine), 2)
