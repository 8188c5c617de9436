"""``rmaat-hw trace --training``: what the screen and the document say of a training step."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cost_models.workload.graph import OperatorGraph
from rmaat_hw import cli

SMALL = "d_model: 32\nheads: 2\nlayers: 2\nffn_width: 64\nsegment_length: 16\nmemory_tokens: 4\nsegments: 4\n"
PROGRAM = """
import torch
from torch import nn

def make():
    return nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4)), (torch.zeros(5, 8),)
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("COLUMNS", "110")
    Path("small.yaml").write_text(SMALL)
    Path("own_program.py").write_text(PROGRAM)


def test_screen_document_and_folder(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["trace", "--training", "--model", "small.yaml", "--batch", "2", "--out", "run"]
    assert cli.run([*asked, "--json", "graph.json"]) == 0
    out = capsys.readouterr().out
    assert "one training step" in out
    lines = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert "1.000 ×" in lines["forward"]
    assert "2.000 ×" in lines["backward"]
    assert "0.000 ×" in lines["optimiser"]
    for words in ("transposed read: weight × gradient", "Peak memory:", "every operator has a rule"):
        assert words in out
    document = json.loads(Path("graph.json").read_text())
    graph = OperatorGraph.from_json(document)
    graph.validate()
    training = document["training"]
    assert {name: row["macs"] for name, row in training["phases"].items()} == {
        str(phase): totals["macs"] for phase, totals in graph.totals_by_phase.items()
    }
    assert sum(training["macs_by_product"].values()) == graph.macs
    memory = training["peak_memory"]
    assert memory["total_B"] == sum(memory["parts_B"].values()) == max(memory["by_phase_B"].values())
    assert json.loads(Path("run/graph.json").read_text()) == document


def test_a_program_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["trace", "--training", "--model", "own_program:make", "--json"]) == 0
    training = json.loads(capsys.readouterr().out)["training"]
    first, last = 5 * 8 * 8, 5 * 8 * 4
    assert training["phases"]["forward"]["macs"] == first + last
    assert training["phases"]["backward"]["macs"] == first + 2 * last


def test_without_the_option_there_is_no_training(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["trace", "--model", "small.yaml", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert "training" not in document
    assert {o["phase"] for o in document["operators"]} == {"setup", "forward"}
