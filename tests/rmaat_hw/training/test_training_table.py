"""Runs gathered into a table: what is averaged, what stands apart, what is published."""

from __future__ import annotations

import copy
import json
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import tiny_training
from rich.console import Console

from device_params.errors import InputError
from rmaat_hw.tasks import load_task
from rmaat_hw.training.gather import gather, published, published_value
from rmaat_hw.training.run import create_run, run_job
from rmaat_hw.training.table import markdown, marks, show

Make = Callable[..., Path]


@pytest.fixture(name="original", scope="module")
def _original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = tiny_training.job(recipe=replace(tiny_training.RECIPE, steps=2, warmup_steps=0))
    folder = create_run(job, tmp_path_factory.mktemp("original") / "run")
    run_job(job, folder, tiny_training.CPU)
    return folder


@pytest.fixture(name="make")
def _make(original: Path, tmp_path: Path) -> Make:
    """A run like the original with another accuracy, and whatever else is asked for."""

    def make(
        name: str, accuracy: float, *, device: str | None = None, missing: int = 0, **settings: Any
    ) -> Path:
        document = copy.deepcopy(json.loads((original / "result.json").read_text()))
        document["settings"].update(settings)
        if device is not None:
            document["hardware"]["devices"] = [device]
        if (settings.get("task"), settings.get("preset")) == ("listops", "full"):
            for split, size in load_task("listops").sizes.items():
                document["data"][split]["sequences"] = size - missing
        for scores in document["scores"].values():
            scores["test"]["accuracy"]["value"] = accuracy
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "training.json").write_text((original / "training.json").read_text())
        (folder / "result.json").write_text(json.dumps(document))
        return folder

    return make


def test_runs_that_differ_in_their_seed_are_averaged(make: Make, tmp_path: Path) -> None:
    values = {0: 0.5, 1: 0.6, 2: 0.65}
    for seed, value in values.items():
        make(f"s{seed}", value, seed=seed, data=f"folder{seed}")
    (group,) = gather([tmp_path]).groups
    assert group.seeds == (0, 1, 2)
    assert group.mean == pytest.approx(statistics.fmean(values.values()))
    assert group.std == pytest.approx(statistics.stdev(values.values()))


def test_of_two_runs_with_one_seed_the_later_counts(make: Make, tmp_path: Path) -> None:
    make("a", 0.5, seed=0)
    later = make("b", 0.7, seed=0)
    document = json.loads((later / "result.json").read_text())
    document["created_utc"] = "2999-01-01T00:00:00Z"
    (later / "result.json").write_text(json.dumps(document))
    (group,) = gather([tmp_path]).groups
    assert (group.accuracies, group.std) == ((0.7,), None)


@pytest.mark.parametrize(
    "other",
    [
        {"preset": "full"},
        {"task": "listops"},
        {"model": "rmt"},
        {"ablations": ["no-astro"]},
        {"precision": "bf16"},
        {"device": "another"},
        {"recipe": {"steps": 3, "batch": 16}},
    ],
)
def test_runs_of_another_kind_are_never_averaged(make: Make, tmp_path: Path, other: dict[str, Any]) -> None:
    make("a", 0.5, seed=0)
    make("b", 0.7, **{"seed": 1, **other})
    assert [len(group.seeds) for group in gather([tmp_path]).groups] == [1, 1]


def test_published_values_stand_beside_the_full_size_only(make: Make, tmp_path: Path) -> None:
    make("a", 0.4, task="listops", preset="full", seed=0)
    make("b", 0.42, task="listops", preset="full", seed=1)
    make("c", 0.5, task="listops", preset="small")
    full, small = gather([tmp_path]).groups
    assert full.published == {"accuracy": pytest.approx(0.389), "source": "rmaat2026"}
    assert small.published is None
    text = markdown(gather([tmp_path]))
    assert "41.0 ± 1.4 (n=2) a<br>[38.9]" in text
    assert "| RMAAT | 50.0 (n=1) b |" in text
    assert "arXiv 2601.00426" in text
    assert "arXiv 2011.04006" in text


def test_published_values_do_not_stand_beside_a_part_of_the_data(make: Make, tmp_path: Path) -> None:
    make("a", 1.0, task="listops", preset="full", missing=1)
    (part,) = gather([tmp_path]).groups
    assert part.published is None and not part.to_dict()["whole_data"]


def test_the_published_rows_are_those_of_the_paper() -> None:
    # The averages as printed; they recompute from the row.
    for model, average in {"softmax": 54.4, "rmt": 63.6, "rlt": 58.3, "rmaat": 68.0}.items():
        values = [
            published_value(model, [], task)
            for task in ("listops", "text", "retrieval", "image", "pathfinder")
        ]
        shares = [value["accuracy"] for value in values if value is not None]
        assert 100 * statistics.fmean(shares) == pytest.approx(average, abs=0.05)
    assert published_value("at", [], "listops") is None
    assert {row["source"] for row in published()["rows"]} == set(published()["sources"])


def test_runs_without_a_result_are_listed_apart(make: Make, tmp_path: Path, original: Path) -> None:
    make("a", 0.5)
    killed = make("killed", 0.0)
    (killed / "result.json").unlink()
    (killed / "sessions.jsonl").write_text('{"event": "begin"}\n')
    (killed / "log.jsonl").write_text('{"event": "train", "step": 7}\n{"eve')
    damaged = make("damaged", 0.0)
    (damaged / "result.json").write_text("{")
    found = gather([tmp_path])
    assert len(found.groups) == 1
    reasons = {Path(run["run"]).name: run["reason"] for run in found.unfinished}
    assert reasons["killed"] == "killed"
    assert reasons["damaged"].startswith("damaged: ")
    screen = Console(record=True, width=200)
    show(screen, found)
    assert "killed (rmaat tiny tiny, seed 0): killed, step 7 of 2" in screen.export_text()


def test_foreign_lines_among_the_sessions_are_passed_over(make: Make, tmp_path: Path) -> None:
    run = make("a", 0.5)
    (run / "result.json").unlink()
    (run / "sessions.jsonl").write_text('"x"\n[1]\n{}\n{"event": "end"}\n')
    (entry,) = gather([tmp_path]).unfinished
    assert entry["reason"] == "unknown"


def test_the_table_is_a_frame_a_document_and_csv(make: Make, tmp_path: Path) -> None:
    make("a", 0.5, seed=0)
    make("b", 0.6, seed=1)
    found = gather([tmp_path])
    frame = found.to_pandas()
    assert frame.loc[0, "accuracy_mean"] == pytest.approx(0.55)
    assert frame.loc[0, "seeds"] == "0 1"
    frame.to_csv(tmp_path / "t.csv", index=False)
    assert pd.read_csv(tmp_path / "t.csv").loc[0, "device"] == frame.loc[0, "device"]
    document = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert document["groups"][0]["n_seeds"] == 2


def test_places_without_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        gather([tmp_path / "nowhere"])
    with pytest.raises(InputError, match="no run of a training"):
        gather([tmp_path])


def test_letters_go_on_behind_z() -> None:
    assert marks([None] * 28)[25:] == ["z", "a2", "b2"]  # type: ignore[list-item]
