"""``rmaat-hw devices show --plot``: a run folder, one document, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from rmaat_hw import cli


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)


def test_without_plot_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "show", "stt_mram"]) == 0
    assert "on_resistance" in capsys.readouterr().out
    assert list(Path().iterdir()) == []


def test_plot_prints_the_numbers_and_names_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "show", "gain_cell_igzo", "--plot"]) == 0
    out, err = capsys.readouterr()
    (run,) = Path("runs").iterdir()
    assert out.splitlines()[-1] == f"Figure and tables: {run}"
    assert "endurance" in out and err == ""
    assert {"device.svg", "device.png", "endurance.csv"} <= {path.name for path in run.iterdir()}
    assert json.loads((run / "manifest.json").read_text())["command"] == "devices show"
    document = json.loads((run / "device.json").read_text())
    assert [panel["name"] for panel in document["panels"]] == ["endurance", "retention"]
    assert document["not_known"][1] == {"panel": "write energy", "missing": ["write_energy"]}


def test_one_document_names_the_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["devices", "show", "sot_mram", "--plot", "--out", "run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["name"] == "sot_mram" and document["folder"] == "run"
    assert Path("run/device.svg").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["stt_mram", "--out", "run"], "--out: there is no folder to write; got 'run'; add --plot"),
        (["fefet_500nm_28nm", "--plot"], "fefet_500nm_28nm: nothing of this device can be drawn"),
        (["nothing", "--plot"], "unknown device"),
    ],
)
def test_what_cannot_be_drawn_is_refused(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["devices", "show", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err
    assert list(Path().iterdir()) == []
