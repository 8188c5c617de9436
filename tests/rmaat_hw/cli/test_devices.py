"""``rmaat-hw devices check``, ``diff`` and ``cite``: what is printed, one document, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import device_params
from device_params.load import built_in_files
from device_params.references import parse_bib, references
from rmaat_hw import cli

CELL = Path(device_params.__file__).parent / "devices" / "rram_taox_hfox.yaml"
BIB = "@misc{me2030, author = {Me}, title = {My data}, year = {2030}, doi = {10.1/me}}\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)


@pytest.fixture(name="cell")
def _cell() -> Path:
    """A user's cell with a source of its own."""
    text = CELL.read_text(encoding="utf-8").replace("name: rram_taox_hfox", "name: mine")
    Path("references.bib").write_text(BIB, encoding="utf-8")
    file = Path("mine.yaml")
    file.write_text(text.replace("wu2018", "me2030"), encoding="utf-8")
    return file


def plant(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_whole_library_is_checked(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "check"]) == 0
    out, err = capsys.readouterr()
    files, sources = len(built_in_files()), len(references())
    last = out.splitlines()[-1]
    assert last.startswith(f"{files} files, ") and f"{sources} sources: no errors" in last
    assert ": error: " not in out and err == ""


def test_a_users_file_passes_with_its_own_references(cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "check", str(cell)]) == 0
    assert capsys.readouterr().out == "1 file, 13 parameters, 3 sources: no errors\n"


MISTAKES = [
    (
        'source: "neurosim2019, me2030", where: "Table II, TaOx/HfOx"}',
        "}",
        "a measured value needs its source",
    ),
    ('source: "neurosim2019, me2030"', "source: me2031", "got 'me2031'; did you mean 'me2030'?"),
    ("value: 1.6, unit: V", "value: 16, unit: V", "value outside its range; got 16.0; allowed: 0.5 to 4 V"),
    ("value: 1.6, unit: V", "value: 1.6, unit: A", "wrong unit, expected V; got 'A'"),
    ("write_voltage:", "write_volatge:", "unknown parameter; did you mean 'write_voltage'?"),
]


@pytest.mark.parametrize(("old", "new", "sentence"), MISTAKES)
def test_a_mistake_is_one_line_and_leaves_with_two(
    cell: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, sentence: str
) -> None:
    plant(cell, old, new)
    assert cli.run(["devices", "check", str(cell)]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    finding, count = out.splitlines()
    assert finding.startswith("mine.yaml: error: parameters.") and sentence in finding
    assert count == "1 file, 0 parameters, 0 sources: 1 error"
    assert err == ""


def test_findings_as_one_document(cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(cell, "name: mine", "name: other")
    plant(cell, "value: 1.6, unit: V", "value: 1.6, unit: A")
    assert cli.run(["devices", "check", "stt_mram", str(cell), "--json"]) == cli.BAD_INPUT
    document = json.loads(capsys.readouterr().out)
    assert (document["command"], document["schema_version"]) == ("devices check", 1)
    assert (document["files"], document["errors"], document["warnings"]) == (2, 1, 0)
    (finding,) = document["findings"]
    assert (finding["path"], finding["severity"]) == ("mine.yaml", "error")
    assert finding["sentence"].startswith("parameters.write_voltage.unit: wrong unit")


def test_a_warning_is_printed_and_leaves_with_zero(cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(cell, "name: mine", "name: other")
    assert cli.run(["devices", "check", str(cell), "--json", "findings.json"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("mine.yaml: warning: name: 'other' is not the name of the file, 'mine'\n")
    assert out.endswith(": no errors, 1 warning\n")
    assert json.loads(Path("findings.json").read_text())["warnings"] == 1


@pytest.mark.parametrize("verb", [["check"], ["diff", "stt_mram", "sot_mram"], ["cite", "stt_mram"]])
def test_the_document_never_replaces_a_file_of_parameters(
    cell: Path, capsys: pytest.CaptureFixture[str], verb: list[str]
) -> None:
    before = cell.read_bytes()
    assert cli.run(["devices", *verb, "--json", str(cell)]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == "" and "--json: the document would be written over a file that is read" in err
    assert cell.read_bytes() == before


def test_files_that_are_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "check", "stt_mran", "none.yaml"]) == cli.BAD_INPUT
    out = capsys.readouterr().out
    assert "stt_mran: error: unknown file; got 'stt_mran'; did you mean 'stt_mram'?" in out
    assert "none.yaml: error: cannot read the parameter file: No such file or directory" in out
    Path("empty").mkdir()
    assert cli.run(["devices", "check", "empty"]) == cli.BAD_INPUT
    assert capsys.readouterr().err.startswith("Error: no .yaml file in this folder; got 'empty'")


def test_diff_prints_both_sides(cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plant(cell, "value: 1.6, unit: V", "value: 0.8, unit: V")
    assert cli.run(["devices", "diff", "rram_taox_hfox", str(cell)]) == 0
    out, err = capsys.readouterr()
    (row,) = [line for line in out.splitlines() if line.startswith("write_voltage")]
    assert row.split() == ["write_voltage", "1.6", "V", "800", "mV", "0.500"]
    assert "13 parameters: 12 the same, 1 different, 0 only in A, 0 only in B" in out
    assert err == ""


def test_diff_as_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "diff", "stt_mram", "stt_mram_neurosim", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["a"]["name"], document["b"]["name"]) == ("stt_mram", "stt_mram_neurosim")
    rows = {row["parameter"]: row for row in document["parameters"]}
    assert (rows["on_resistance"]["value_a"], rows["on_resistance"]["value_b"]) == (3000.0, 3500.0)
    assert rows["cell_area"]["only_in"] == "a"


def test_what_cannot_be_compared_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "diff", "stt_mram", "28nm", "--json"]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: nothing to compare") and err.count("\n") == 1
    assert cli.run(["devices", "diff", "stt_mram"]) == cli.BAD_INPUT


def test_cite_prints_what_rests_on_each_source(cell: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "cite", str(cell), "stt_mram_neurosim"]) == 0
    out = capsys.readouterr().out
    assert "me2030  Me. My data. 2030. doi:10.1/me.\n    mine: levels, " in out
    assert out.count("neurosim2019  ") == 1
    assert "    stt_mram_neurosim: on_resistance, " in out


def test_cite_as_bibtex_and_as_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "cite", "fefet_crossbar_28nm", "--bibtex"]) == 0
    keys = list(parse_bib(capsys.readouterr().out))
    assert "soliman2023" in keys
    assert cli.run(["devices", "cite", "fefet_crossbar_28nm", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [entry["key"] for entry in document["references"]] == keys
    assert cli.run(["devices", "cite", "sot_mran"]) == cli.BAD_INPUT
    assert "did you mean 'sot_mram'?" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["check", "diff", "cite"])
def test_help_has_examples(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", verb, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples" in out and f"rmaat-hw devices {verb}" in out
