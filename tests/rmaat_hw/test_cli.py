"""The command line: what goes to which stream, and the exit codes."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from estimate_sample import SampleEstimate
from tolerance import close

import rmaat_hw.estimate
from device_params.errors import InputError
from rmaat_hw import cli


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)


@pytest.fixture(name="asked")
def _asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Replace the pipeline by the sample; return what it was asked for."""
    asked: dict[str, Any] = {}

    def estimate(task: str, **options: Any) -> SampleEstimate:
        asked.update(options, task=task)
        options["progress"]("working")
        return SampleEstimate(incomplete=options["design"] == "incomplete")

    monkeypatch.setattr(rmaat_hw.estimate, "estimate", estimate)
    return asked


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def estimate(task: str, **options: Any) -> None:
        raise error

    monkeypatch.setattr(rmaat_hw.estimate, "estimate", estimate)


def test_estimate_prints_a_screen_and_writes_a_whole_run(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["estimate", "--set", "a=1", "--set", "b=2 V", "--no-measure", "--seed", "3"]) == 0
    assert (asked["set"], asked["measure"], asked["seed"]) == (["a=1", "b=2 V"], False, 3)
    out, err = capsys.readouterr()
    assert "energy per sequence" in out
    assert err == ""
    (run,) = Path("runs").iterdir()
    assert run.name in out.replace("\n", "")
    data = {"estimate.json", "breakdown.parquet", "graph.json", "activity.json"}
    names = data | {"report.html", "manifest.json", "inputs"}
    assert {path.name for path in run.iterdir()} == names
    leaves = pd.read_parquet(run / "breakdown.parquet")
    document = json.loads((run / "estimate.json").read_text())
    assert leaves["energy_J"].sum() == close(document["totals"]["energy_J"]["value"], rel=1e-12)
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["options"]["set"] == ["a=1", "b=2 V"]
    assert manifest["inputs"][0]["name"] == "estimate_sample.py"


@pytest.mark.parametrize("arguments", [["--json"], ["--json", "-"], ["--json", "--seed", "1"]])
def test_json_on_standard_output_is_one_document_and_nothing_else(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert cli.run(["estimate", "--out", "run", *arguments]) == 0
    out, _ = capsys.readouterr()
    document = json.loads(out)
    assert document == json.loads(Path("run/estimate.json").read_text())
    keys = ["energy_J", "latency_s", "area_m2", "average_power_W", "tops_per_watt", "lifetime_s"]
    assert list(document["totals"]) == keys


def test_json_into_a_file_leaves_the_screen(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["estimate", "--json", "result.json"]) == 0
    assert "energy per sequence" in capsys.readouterr().out
    assert json.loads(Path("result.json").read_text())["command"] == "estimate"


def test_a_full_output_folder_is_refused_before_anything_runs(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("full").mkdir()
    Path("full/a").write_text("")
    assert cli.run(["estimate", "--out", "full"]) == cli.BAD_INPUT
    assert asked == {}
    assert "the output folder is not empty" in capsys.readouterr().err
    assert [path.name for path in Path("full").iterdir()] == ["a"]


def test_strict_writes_the_result_and_leaves_with_three(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["estimate", "--design", "incomplete", "--strict", "--out", "run"]) == cli.INCOMPLETE
    assert Path("run/report.html").is_file()
    assert "Incomplete" in capsys.readouterr().err
    assert cli.run(["estimate", "--design", "incomplete", "--out", "other"]) == 0
    assert cli.run(["estimate", "--strict", "--out", "complete"]) == 0


def test_bad_input_is_one_sentence_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(InputError("unknown task", value="lisops", nearest="listops"), monkeypatch)
    assert cli.run(["estimate", "--json"]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "Error: unknown task; got 'lisops'; did you mean 'listops'?\n"
    assert list(Path().iterdir()) == []


def test_a_defect_is_one_line_with_the_way_to_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(ZeroDivisionError("division\nby zero"), monkeypatch)
    assert cli.run(["estimate"]) == cli.INTERNAL
    err = capsys.readouterr().err
    assert err.startswith("Internal error: ZeroDivisionError: division by zero;")
    assert cli.TRACEBACK_VARIABLE in err
    assert err.count("\n") == 1
    monkeypatch.setenv(cli.TRACEBACK_VARIABLE, "1")
    with pytest.raises(ZeroDivisionError):
        cli.run(["estimate"])


def test_an_interrupt_leaves_nothing_and_130(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(KeyboardInterrupt(), monkeypatch)
    assert cli.run(["estimate"]) == cli.INTERRUPTED
    assert "Interrupted" in capsys.readouterr().err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["estmate"], "did you mean 'estimate'"),
        (["estimate", "--bacth", "2"], "--batch"),
        (["estimate", "--batch", "many"], "integer"),
        (["designs", "show"], "NAME"),
    ],
)
def test_a_wrong_command_line_is_bad_input(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(arguments) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert hint.lower() in err.lower()
    assert err.startswith("Error: ")
    assert "--help` tells" in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", ""],
        ["--json", "."],
        ["--json", "file/x.json"],
        ["--out", "file"],
        ["--out", "file/run"],
        ["--out", "."],
    ],
)
def test_places_that_cannot_be_written_are_refused_before_anything_runs(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    Path("file").write_text("")
    for command in ("estimate", "trace"):
        assert cli.run([command, *arguments]) == cli.BAD_INPUT
        assert capsys.readouterr().err.startswith(f"Error: {arguments[0]}: ")
    assert asked == {}
    assert [path.name for path in Path().iterdir()] == ["file"]


def test_a_folder_for_runs_that_cannot_be_made_is_refused_at_once(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("runs").write_text("")
    assert cli.run(["estimate"]) == cli.BAD_INPUT
    assert "name one with --out" in capsys.readouterr().err
    assert asked == {}


def test_a_terminal_without_our_letters_still_gets_its_answer() -> None:
    for arguments in (["designs", "show", "fefet_crossbar_28nm"], ["devices", "list", "--json"]):
        done = subprocess.run(
            [sys.executable, "-m", "rmaat_hw", *arguments],
            capture_output=True,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            check=True,
        )
        assert done.stderr == b""
        assert done.stdout.isascii()
        assert b"?" not in done.stdout


def test_a_full_disk_is_no_defect_of_ours(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(OSError(errno.ENOSPC, "No space left on device"), monkeypatch)
    assert cli.run(["estimate"]) == cli.BAD_INPUT
    assert capsys.readouterr().err.startswith("Error: cannot write: No space left on device")


def test_a_saved_run_is_shown_and_rendered_again(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["estimate", "--out", "run"]) == 0
    page = Path("run/report.html")
    before, screen = page.read_text(), capsys.readouterr().out
    page.unlink()
    assert cli.run(["report", "run"]) == 0
    assert page.read_text() == before
    assert capsys.readouterr().out == screen
    assert cli.run(["report", "run", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["command"] == "estimate"


def test_a_run_that_is_none_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "nowhere"]) == cli.BAD_INPUT
    Path("run").mkdir()
    Path("run/estimate.json").write_text('{"command": "trace", "schema_version": 1}')
    assert cli.run(["report", "run"]) == cli.BAD_INPUT
    assert "not an estimate that this version reads" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("estimate.json", '"totals"', '"total"'),
        ("estimate.json", '"energy_J": {', '"energy_J": "many", "x": {'),
        ("estimate.json", '"latency_s": {', '"latency_s": [1], "x": {'),
        ("estimate.json", '"breakdown": [', '"breakdown": [3, '),
        ("estimate.json", '"parameters_used": [', '"parameters_used": [{}, '),
        ("estimate.json", '"value": ', '"value": NaN, "x": '),
        ("estimate.json", '"command"', "["),
        ("graph.json", '"operators"', '"operator"'),
        ("graph.json", "{", "[["),
    ],
)
def test_a_damaged_run_is_bad_input_and_stays_as_it_is(
    asked: dict[str, Any], capsys: pytest.CaptureFixture[str], file: str, old: str, new: str
) -> None:
    assert cli.run(["estimate", "--out", "run"]) == 0
    capsys.readouterr()
    path = Path("run", file)
    path.write_text(path.read_text().replace(old, new))
    before = {path.name: path.read_bytes() for path in Path("run").iterdir() if path.is_file()}
    assert cli.run(["report", "run", "--json", "copy.json"]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"Error: run/{file}: ")
    assert err.count("\n") == 1
    assert {path.name: path.read_bytes() for path in Path("run").iterdir() if path.is_file()} == before
    assert not Path("copy.json").exists()


@pytest.mark.parametrize(
    ("plural", "name"),
    [
        ("devices", "fefet_1f1r_28nm"),
        ("designs", "fefet_crossbar_28nm"),
        ("technologies", "28nm"),
        ("tasks", "listops"),
    ],
)
def test_lists_name_what_show_shows(plural: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([plural, "list"]) == 0
    assert name in capsys.readouterr().out
    assert cli.run([plural, "list", "--json"]) == 0
    assert name in {row["name"] for row in json.loads(capsys.readouterr().out)[plural]}
    assert cli.run([plural, "show", name]) == 0
    assert capsys.readouterr().out.startswith(name)
    assert cli.run([plural, "show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["name"] == name
    assert cli.run([plural, "show", name[:-1]]) == cli.BAD_INPUT
    assert f"did you mean '{name}'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--json"], ["--json", "-"]),
        (["--json", "-"], ["--json", "-"]),
        (["--json", "a.json"], ["--json", "a.json"]),
        (["--json", "--seed", "1"], ["--json", "-", "--seed", "1"]),
        (["--json=a.json"], ["--json=a.json"]),
        (["a", "--json", "-h"], ["a", "--json", "-", "-h"]),
    ],
)
def test_json_may_stand_alone(arguments: list[str], expected: list[str]) -> None:
    assert cli.with_json_value(arguments) == expected


@pytest.mark.parametrize(
    "command",
    [
        ["estimate"],
        ["trace"],
        ["report"],
        ["train"],
        ["results"],
        ["doctor"],
        *(
            [plural, verb]
            for plural in ("devices", "designs", "tasks", "technologies")
            for verb in ("list", "show")
        ),
        ["devices"],
        [],
    ],
)
def test_every_help_has_examples(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples" in out
    assert "$ rmaat-hw" in out


def test_the_program_answers_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "rmaat_hw", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("rmaat-hw ")


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{sys.executable} -m rmaat_hw designs show fefet_crossbar_28nm --json | head -c 10"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, check=False
    )
    assert done.stdout == '{\n  "schema'[:10]
    assert done.stderr == ""
    assert done.returncode == 0
