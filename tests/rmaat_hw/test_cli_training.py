"""``rmaat-hw train`` and ``results``: streams, exit codes, the way back into a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from rmaat_hw import cli
from rmaat_hw.cli.training import duration
from rmaat_hw.training import checkpoint

DIGITS = ["train", "--task", "digits", "--batch", "8", "--device", "cpu"]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv(cli.TRACEBACK_VARIABLE, raising=False)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_a_training_prints_its_scores_beside_what_needs_no_learning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.run([*DIGITS, "--steps", "3", "--out", "run", "--json", "result.json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "rmaat on digits" in out
    assert "95 % interval" in out
    assert "majority class" in out
    assert json.loads(Path("result.json").read_text()) == json.loads(Path("run/result.json").read_text())

    assert cli.run(["results", "run", "--csv", "t.csv", "--markdown", "t.md"]) == 0
    out, _ = capsys.readouterr()
    assert "digits" in out
    assert "[38.9]" in out
    assert Path("t.csv").read_text().startswith("task,preset,model")
    assert Path("t.md").read_text().startswith("## Test accuracy in %, preset full")
    assert cli.run(["results", ".", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["groups"][0]["runs"][0]["run"] == "run"

    assert cli.run(["train", "--resume", "run"]) == cli.BAD_INPUT
    assert "this run is finished" in capsys.readouterr().err


def test_json_alone_is_one_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*DIGITS, "--steps", "1", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["command"] == "train"
    (run,) = Path("runs").iterdir()
    assert "-train-" in run.name


def test_out_of_time_is_exit_code_three_and_the_run_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*DIGITS, "--steps", "4", "--out", "run", "--max-minutes", "1e-9"]) == cli.INCOMPLETE
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Incomplete: the time allowed was over after step 1 of 4;")
    assert err.count("\n") == 1

    for options, said in (
        (["--steps", "9"], "steps: 4, not 9"),
        (["--seed", "1", "--model", "rmt"], "model: 'rmaat', not 'rmt'; seed: 0, not 1"),
        (["--ablation", "no-astro"], "ablations: [], not ['no-astro']"),
        (["--out", "other"], "a run goes on in its own folder"),
    ):
        assert cli.run(["train", "--resume", "run", *options]) == cli.BAD_INPUT
        assert said in capsys.readouterr().err

    assert cli.run(["results", "run"]) == 0
    assert "time limit, step 1 of 4" in capsys.readouterr().out
    assert cli.run(["train", "--resume", "run", "--seed", "0", "--steps", "4"]) == 0
    assert "rmaat on digits" in capsys.readouterr().out


def test_a_loss_that_is_no_number_is_exit_code_three(capsys: pytest.CaptureFixture[str]) -> None:
    command = [*DIGITS, "--steps", "50", "--learning-rate", "1e30", "--out", "run"]
    assert cli.run(command) == cli.INCOMPLETE
    err = capsys.readouterr().err
    assert "at step" in err
    (file,) = Path("run").glob("failure-step-*.pt")
    assert str(file) in err
    assert checkpoint.load(file)["tokens"].shape[0] == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "lisops"], "did you mean 'listops'"),
        (["--model", "rmat"], "did you mean 'rmaat'"),
        (["--preset", "smal"], "unknown preset"),
        (["--ablation", "no-astr"], "did you mean 'no-astro'"),
        (["--model", "rmt", "--ablation", "no-astro"], "--ablation"),
        (["--precision", "fp16"], "allowed: fp32, bf16"),
        (["--device", "tpu"], "allowed: auto, cpu, cuda"),
        (["--gradient-accumulation", "5"], "a divisor of the batch, 8"),
        (["--steps", "0"], "--steps"),
        (["--max-minutes", "0"], "--max-minutes"),
        (["--resume", "nowhere"], "there is no run of this name"),
        (["--out", "."], "the output folder is the present one"),
        (["--task", "text"], "--data"),
        (["--json", ""], "--json"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run([*DIGITS, *arguments]) == cli.BAD_INPUT
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert said in err
    assert err.count("\n") == 1
    assert not list(Path().glob("runs/*"))


def test_ctrl_c_leaves_a_checkpoint_and_130(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "rmaat_hw", *DIGITS, "--steps", "100000", "--out", "run"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    log = Path("run/log.jsonl")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (log.exists() and "start" in log.read_text()):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == cli.INTERRUPTED
    assert err.startswith("Interrupted after step ")
    assert "`rmaat-hw train --resume run` goes on" in err
    state: dict[str, Any] = checkpoint.load(Path("run/checkpoints/last.pt"))
    assert f"after step {state['step']} of 100000" in err


def test_durations() -> None:
    assert [duration(s) for s in (41.2, 720, 3 * 3600 + 300)] == ["41 s", "12 min", "3 h 05 min"]
