"""A whole training: its folder, its log, its end where numbers cease to be finite."""

from __future__ import annotations

import errno
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tiny_training
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from device_params.errors import InputError
from rmaat_hw.model import build
from rmaat_hw.training import NotFinite, TrainingInterrupted, checkpoint, load_result
from rmaat_hw.training.log import Log, read_log, read_sessions
from rmaat_hw.training.loop import Loop, Progress
from rmaat_hw.training.randomness import set_random_state
from rmaat_hw.training.run import create_run, run_job
from rmaat_hw.training.settings import Settings, make_settings
from rmaat_hw.training.step import TrainingStep, make_optimizer


def test_a_run_leaves_all_that_is_needed_to_read_it(tmp_path: Path) -> None:
    job, seen = tiny_training.job(), list[Progress]()
    result = run_job(job, create_run(job, tmp_path / "run"), tiny_training.CPU, watch=seen.append)
    folder = result.folder
    best = result.document["scores"]["best"]["step"]
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    events = {name for name in files if name.startswith("tensorboard/")}
    assert files - events == {
        ".lock",
        "checkpoints/last.pt",
        f"checkpoints/best-{best:06d}.pt",
        "log.jsonl",
        "manifest.json",
        "result.json",
        "sessions.jsonl",
        "training.json",
    }
    assert load_result(folder).accuracy == result.accuracy
    low, high = result.interval
    assert low <= result.accuracy <= high
    assert [s["event"] for s in read_sessions(folder)] == ["begin", "end"]
    assert read_sessions(folder)[-1]["reason"] == "finished"
    assert result.document["baselines"]["majority class"]["test"]["sequences"] == 64
    assert {at.phase for at in seen} <= {"training", "validation", "test"}

    records = read_log(folder / "log.jsonl")
    assert [r["event"] for r in records[:2]] == ["start", "train"]
    steps = [r["step"] for r in records if r["event"] == "train"]
    assert steps == [7, 14, 21, 28, 35, 42, 49, 56, 60]
    assert [r["step"] for r in records if r["event"] == "validation"] == [20, 40, 60]
    table = result.to_pandas()
    assert list(table["step"]) == [r["step"] for r in records[1:]]
    assert table["accuracy"].between(0, 1).all()
    points = EventAccumulator(str(folder / "tensorboard")).Reload()
    assert [p.step for p in points.Scalars("train/loss_nat")] == steps
    losses = [r["loss_nat"] for r in records if r["event"] == "train"]
    assert [p.value for p in points.Scalars("train/loss_nat")] == pytest.approx(losses, rel=1e-6)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # torch warns of what its own compiler does
def test_compiled_it_learns_the_same(tmp_path: Path) -> None:
    recipe = replace(tiny_training.RECIPE, steps=20)
    config = replace(tiny_training.CONFIG, dropout=0.0)
    losses = []
    for name, compiled in (("plain", False), ("compiled", True)):
        job = tiny_training.job(config=config, recipe=recipe, compile=compiled)
        result = run_job(job, create_run(job, tmp_path / name), tiny_training.CPU)
        losses.append(result.validation["loss_nat"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-3)


def test_in_bf16_it_learns_nearly_the_same(tmp_path: Path) -> None:
    config = replace(tiny_training.CONFIG, dropout=0.0)
    losses = []
    for precision in ("fp32", "bf16"):
        job = tiny_training.job(config=config, precision=precision)
        result = run_job(job, create_run(job, tmp_path / precision), tiny_training.CPU)
        losses.append(result.validation["loss_nat"])
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    assert losses[0] != losses[1]


def test_the_same_seed_gives_the_same_run_and_another_seed_another(tmp_path: Path) -> None:
    recipe = replace(tiny_training.RECIPE, steps=10)
    digests = []
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        job = tiny_training.job(seed=seed, recipe=recipe)
        folder = create_run(job, tmp_path / name)
        run_job(job, folder, tiny_training.CPU)
        digests.append(checkpoint.digest(checkpoint.load(folder / "checkpoints/last.pt")["model"]))
    assert digests[0] == digests[1] != digests[2]


def test_a_validation_split_that_is_the_test_split_selects_nothing(tmp_path: Path) -> None:
    job = tiny_training.job()
    job = replace(job, test=job.validation)
    result = run_job(job, create_run(job, tmp_path / "run"), tiny_training.CPU)
    assert result.document["reported"] == "last"
    assert result.accuracy == result.document["scores"]["last"]["test"]["accuracy"]["value"]


def test_a_loss_that_is_no_number_stops_and_leaves_what_shows_it_again(tmp_path: Path) -> None:
    recipe = replace(tiny_training.RECIPE, learning_rate=1e30, warmup_steps=0, clip=0.0)
    job = tiny_training.job(recipe=recipe)
    folder = create_run(job, tmp_path / "run")
    with pytest.raises(NotFinite) as caught:
        run_job(job, folder, tiny_training.CPU)
    end = caught.value
    assert f"at step {end.step};" in str(end)
    assert str(end.file) in str(end)
    assert read_log(folder / "log.jsonl")[-1]["event"] == "not finite"
    assert read_sessions(folder)[-1]["reason"] == "loss not finite"
    assert not (folder / "result.json").exists()

    saved = checkpoint.load(end.file)
    model = build(tiny_training.CONFIG).train()
    model.load_state_dict(saved["model"])
    assert all(torch.isfinite(p).all() for p in model.parameters())
    tokens, labels = job.train.batch(saved["indices"])
    assert torch.equal(tokens, saved["tokens"])
    with torch.random.fork_rng(devices=()):
        set_random_state(saved["random"], tiny_training.CPU)
        told = TrainingStep(model, make_optimizer(model, recipe)).gradients(tokens, labels)
    assert [repr(v) for v in told.tolist()[:2]] == [saved["loss"], saved["gradient_norm"]]


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_tokens_of_another_task_stop_before_the_embedding(tmp_path: Path, split: str) -> None:
    job = tiny_training.job(recipe=replace(tiny_training.RECIPE, steps=2, warmup_steps=0))
    values = getattr(job, split).values.copy()
    values[:] = 200
    job = replace(job, **{split: replace(getattr(job, split), values=values)})
    with pytest.raises(
        InputError, match=r"sequence \d+, position \d+: a token outside the vocabulary; got 200"
    ):
        run_job(job, create_run(job, tmp_path / "run"), tiny_training.CPU)


def test_labels_and_empty_splits_are_refused() -> None:
    job = tiny_training.job()
    with pytest.raises(InputError, match="validation split, sequence 0: a label that is no class"):
        replace(job, validation=replace(job.validation, labels=job.validation.labels + 2))
    with pytest.raises(InputError, match="the test split has no sequence"):
        replace(job, test=job.test.take(np.arange(0)))


def test_fewer_steps_shrink_the_warm_up() -> None:
    full = make_settings("listops", preset="small").recipe
    short = make_settings("listops", preset="small", steps=full.steps // 10).recipe
    assert short.warmup_steps == full.warmup_steps // 10
    assert short.evaluate_every == min(full.evaluate_every, short.steps)


@pytest.mark.parametrize(
    "wrong",
    [
        {"task": "lisops"},
        {"preset": "tiny"},
        {"steps": 0},
        {"batch": 0},
        {"precision": "fp16"},
        {"gradient_accumulation": 7},
        {"seed": -1},
        {"seed": 2**63},
        {"learning_rate": float("nan")},
        {"evaluate_every": 0},
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InputError) as caught:
        make_settings(**{"task": "listops", "preset": "small", **wrong})  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    (name,) = wrong
    assert str(caught.value).startswith(f"--{name.replace('_', '-')}: ")


def test_a_batch_that_the_split_cannot_fill_is_refused() -> None:
    sequences = len(tiny_training.job().train)
    recipe = replace(tiny_training.RECIPE, batch=sequences + 1)
    with pytest.raises(InputError, match=f"--batch: .*larger than the training split.*at most {sequences}"):
        tiny_training.job(recipe=recipe)


def test_an_interrupt_before_the_first_step_says_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "__init__", pressed)
    with pytest.raises(TrainingInterrupted, match=f"--resume {tmp_path}"):
        run_job(tiny_training.job(), tmp_path, tiny_training.CPU)


def test_a_full_disk_says_how_to_go_on_and_the_run_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", full)
        with pytest.raises(InputError, match=f"cannot write: No space left.*--resume {tmp_path}"):
            run_job(tiny_training.job(), tmp_path, tiny_training.CPU)
    assert run_job(tiny_training.job(), tmp_path, tiny_training.CPU).accuracy >= 0


@pytest.mark.parametrize(
    ("field", "value"), [("seed", None), ("log_every", 0), ("task", 3), ("recipe", {"steps": "x"})]
)
def test_settings_damaged_in_their_file_name_the_file(field: str, value: object) -> None:
    settings = make_settings("listops", preset="small").to_dict()
    with pytest.raises(InputError, match=r"^a/training\.json: these are not the settings of a training"):
        Settings.from_mapping({**settings, field: value}, where="a/training.json")


def test_a_log_goes_on_behind_the_checkpoint(tmp_path: Path) -> None:
    log = Log(tmp_path, scalars=False)
    log.write("train", 1, loss_nat=float("nan"))
    kept = log.settle()
    log.write("train", 2, loss_nat=0.5)
    log.close()
    with (tmp_path / "log.jsonl").open("a") as file:
        file.write('{"event": "tr')
    assert [r["step"] for r in read_log(tmp_path / "log.jsonl")] == [1, 2]
    log = Log(tmp_path, kept_bytes=kept, step=1, scalars=False)
    log.write("train", 2, loss_nat=0.25)
    log.close()
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [(r["step"], r["loss_nat"]) for r in records] == [(1, None), (2, 0.25)]
