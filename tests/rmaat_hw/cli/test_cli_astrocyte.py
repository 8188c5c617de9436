"""``rmaat-hw astrocyte``: a whole run folder, one document, exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from rmaat_hw import cli


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)


def test_it_prints_a_table_and_writes_a_whole_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["astrocyte"]) == 0
    out, err = capsys.readouterr()
    assert "0.18897" in out and err == ""
    (run,) = Path("runs").iterdir()
    assert run.name in out
    tables = {"dynamics.csv", "factors.csv", "increments.csv"}
    figures = {"astrocyte.svg", "astrocyte.png"}
    assert {path.name for path in run.iterdir()} == tables | figures | {"astrocyte.json", "manifest.json"}
    dynamics = pd.read_csv(run / "dynamics.csv")
    assert dynamics["time_s"].iloc[-1] == 30.0
    assert set(dynamics.dtypes.astype(str)) <= {"float64", "int64"}
    document = json.loads((run / "astrocyte.json").read_text())
    factors = pd.read_csv(run / "factors.csv").query("regime == 'fixed' and segments == 16")
    told = [row["simulated"] for row in document["factors"]]
    assert factors["simulated"].tolist() == pytest.approx(told, rel=1e-9)
    with Image.open(run / "astrocyte.png") as picture:
        assert picture.size == (2160, 1800)
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["options"] == {"segments": 16, "rate": 0.2, "regime": "fixed", "cycles": 6}
    assert set(manifest["files"]) == tables | figures | {"astrocyte.json"}


def test_json_alone_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--segments", "4", "--regime", "stretch", "--cycles", "1", "--out", "run", "--json"]
    assert cli.run(["astrocyte", *asked]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == json.loads(Path("run/astrocyte.json").read_text())
    assert (document["regime"], document["rate"], len(document["factors"])) == ("stretch", 0.6, 4)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--segments", "0"], "--segments: bad value; got 0; allowed: a whole number from 1 to 1000"),
        (["--segments", "1001"], "--segments: bad value; got 1001"),
        (["--segments", "2.5"], "--segments"),
        (["--rate", "nan"], "--rate: bad value; got nan"),
        (["--rate", "1e-12"], "--rate: bad value; got 1e-12"),
        (["--regime", "uniforn"], "did you mean 'uniform'"),
        (["--cycles", "1000"], "1 to 100"),
    ],
)
def test_bad_input_leaves_nothing_behind(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["astrocyte", *arguments]) == cli.BAD_INPUT
    assert told in capsys.readouterr().err
    assert not Path("runs").exists() or not list(Path("runs").iterdir())
