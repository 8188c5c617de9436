"""``rmaat-hw validate``: a whole run folder, one document, cases of one's own, exit codes."""

from __future__ import annotations

import functools
import json
from pathlib import Path

import pytest
from synthetic_chips import predictor

import rmaat_hw.validation
from device_params.chips import load_cases
from rmaat_hw import cli

CASE = """
schema_version: 1
id: {name}
name: a chip of mine
year: 2026
grade: A
evidence: silicon
source: {{urls: ["https://example.org"], kind: own measurement}}
configuration:
  node: 28 nm
  memory: {memory}
  style: {style}
  rows: 128
  cols: 64
  input_bits: 8
  weight_bits: 8
  supply_voltage: 0.9 V
tolerances: {{measurement: 0.1, energy: 1.3, time: 1.3, area: 1.5}}
operating_points:
  - name: nominal
    boundary: macro
    published:
      - {{metric: energy_efficiency, value: {value}, unit: TOPS/W}}
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)


def write(name: str, memory: str = "sram", style: str = "digital", value: float = 20.0) -> Path:
    path = Path("chips") / f"{name}.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(CASE.format(name=name, memory=memory, style=style, value=value))
    return path


def test_the_shipped_cases(capsys: pytest.CaptureFixture[str]) -> None:
    """A miss is a result: the command is done, prints every case and writes a whole run."""
    assert cli.run(["validate"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    cases = load_cases()
    assert all(case.id in out for case in cases)
    (run,) = Path("runs").iterdir()
    assert run.name in out and "-validate-" in run.name
    names = {"report.html", "report.json", "figures.csv", "predictions.svg", "errors.svg", "trends.svg"}
    assert {path.name for path in run.iterdir()} == names | {"manifest.json", "inputs"}
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["options"] == {"cases": None}
    assert {entry["name"] for entry in manifest["inputs"]} == {Path(case.path).name for case in cases}
    document = json.loads((run / "report.json").read_text())
    assert document["shipped"] and document["judged"] == "leave_one_out"


@pytest.mark.parametrize("arguments", [["--json"], ["--json", "-"]])
def test_json_alone_is_one_document(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    write("mine")
    assert cli.run(["validate", "--cases", "chips", "--out", "run", *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(Path("run/report.json").read_text())
    assert [row["case"] for row in document["rows"]] == ["mine"]


def test_json_to_a_file_leaves_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    path = write("mine")
    assert cli.run(["validate", "--cases", str(path), "--json", "found.json"]) == 0
    assert "a chip of mine" in capsys.readouterr().out
    assert json.loads(Path("found.json").read_text())["command"] == "validate"


def test_cases_of_ones_own_are_judged_blind(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The law of the fake predictor gives 1e15/0.81/64 OP/J = 19.29 TOPS/W."""
    blind = functools.partial(rmaat_hw.validation.validate, predictor=predictor)
    monkeypatch.setattr(rmaat_hw.validation, "validate", blind)
    write("good", value=19.29)
    write("refused", memory="fecap", style="charge")
    assert cli.run(["validate", "--cases", "chips", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["shipped"], document["judged"]) == (False, "calibrated")
    good, refused = document["rows"]
    assert good["ratio"] == pytest.approx(1.0, rel=1e-3) and good["within"] is True
    assert refused["predicted"] is None and "no model of this memory" in refused["refused"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cases", "nowhere"], "nowhere"),
        (["--cases", "chips/bad.yaml"], "unknown choice"),
        (["--cases", "chips/mine.yaml", "--json", "chips/mine.yaml"], "--json"),
        (["--cases", "empty"], "no case files"),
        (["--out", "chips"], "not empty"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write("mine")
    text = path.read_text()
    write("bad", memory="srma")
    Path("empty").mkdir()
    assert cli.run(["validate", *arguments]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert told in err and out == ""
    assert path.read_text() == text
    assert not Path("runs").exists() or not list(Path("runs").iterdir())


def test_help_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["validate", "--help"]) == 0
    out = capsys.readouterr().out
    assert "rmaat-hw validate --cases chips/mine.yaml" in out and "exit code stays 0" in out


def test_a_narrow_screen_cuts_no_number(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tables keep the width they need and run on; text around them is broken to the screen."""
    monkeypatch.setenv("COLUMNS", "40")
    path = write("mine")
    assert cli.run(["validate", "--cases", str(path)]) == 0
    out = capsys.readouterr().out
    assert "…" not in out.partition("Report:")[0]
    assert "predicted" in out and "TOPS/W" in out
    assert all(len(line) <= 40 for line in out.splitlines()[:2])


def test_markup_in_a_name_is_text(capsys: pytest.CaptureFixture[str]) -> None:
    path = write("mine")
    name = "<script>alert(1)</script> & [bold]x[/nope]"
    path.write_text(path.read_text().replace("a chip of mine", f'"{name}"'))
    assert cli.run(["validate", "--cases", str(path), "--out", "run"]) == 0
    assert "<script>alert(1)" in capsys.readouterr().out
    page = Path("run/report.html").read_text()
    assert (
        "<script>alert" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; [bold]x[/nope]" in page
    )
