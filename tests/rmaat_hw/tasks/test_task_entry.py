"""What `rmaat-hw tasks show` says of a task, and the bar that long work shows."""

from __future__ import annotations

import io
import json
import sys

import pytest
from rich.console import Console

from rmaat_hw import catalogue
from rmaat_hw.tasks import Recipe, load_task, progress, task_names


@pytest.mark.parametrize("name", task_names())
def test_entry_has_every_preset_in_plain_values(name: str) -> None:
    document = json.loads(json.dumps(catalogue.entry("task", name)))
    task = load_task(name)
    assert list(document["presets"]) == list(task.presets)
    assert document["config"] == document["presets"]["full"]["config"] == task.config.to_dict()
    for preset, said in document["presets"].items():
        other = load_task(name, preset=preset)
        assert Recipe.from_mapping(said["recipe"]) == other.recipe
        assert said["splits"] == dict(other.sizes)
        known = ["train"] if name == "retrieval" else ["train", "validation", "test"]
        assert list(said["splits"]) == known
        assert other.sizes["train"] >= other.recipe.batch
    assert document["data"].startswith(("generated", "published", "embedded"))


def test_presets_are_shown_side_by_side() -> None:
    console = Console(file=io.StringIO(), width=80)
    catalogue.show_entry(console, catalogue.entry("task", "listops"))
    assert isinstance(console.file, io.StringIO)
    lines = [line.split() for line in console.file.getvalue().splitlines()]
    presets = [load_task("listops", preset=name) for name in load_task("listops").presets]
    assert ["preset", *(task.preset for task in presets)] in lines
    assert ["config.d_model", *(str(task.config.d_model) for task in presets)] in lines
    assert ["law.depth", *(str(task.law["depth"]) for task in presets)] in lines
    assert ["splits.test", *("2000" for _ in presets)] in lines
    assert max(len(line) for line in console.file.getvalue().splitlines()) <= 80


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("file", [io.StringIO(), Terminal()])
def test_bar_only_where_somebody_watches(file: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", file)
    monkeypatch.setattr(progress, "_PATIENCE", -1.0)
    monkeypatch.setattr(progress, "_OFTEN", -1.0)
    assert list(progress.track(range(5), 5, "trees")) == [0, 1, 2, 3, 4]
    assert ("trees" in file.getvalue()) == file.isatty()
