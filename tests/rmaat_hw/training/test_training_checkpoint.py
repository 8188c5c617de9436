"""Checkpoints: whole, checked, and only for what they were made for."""

from __future__ import annotations

import errno
import os
import pickle
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tiny_training
import torch

from device_params.errors import InputError
from rmaat_hw.model import build
from rmaat_hw.training import checkpoint, load_model
from rmaat_hw.training.run import create_run, run_job

CONTENT = {"step": 3, "model": {"w": torch.arange(6.0).view(2, 3), "b": torch.tensor(1)}, "best": None}


@pytest.fixture(name="run", scope="module")
def _run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    job = tiny_training.job(recipe=replace(tiny_training.RECIPE, steps=10, evaluate_every=5))
    folder = create_run(job, tmp_path_factory.mktemp("run") / "run")
    run_job(job, folder, tiny_training.CPU)
    return folder


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, CONTENT)
    found = checkpoint.load(path)
    assert checkpoint.digest(found) == checkpoint.digest(CONTENT)
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_a_failing_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, CONTENT)
    before = path.read_bytes()
    monkeypatch.setattr(torch, "save", lambda content, file: (file.write(b"half"), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        checkpoint.save(path, {**CONTENT, "step": 4})
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_the_digest_sees_values_keys_shapes_and_types() -> None:
    tensor = torch.arange(6.0)
    variants: list[Any] = [
        {"a": tensor},
        {"b": tensor},
        {"a": tensor.view(2, 3)},
        {"a": tensor.double()},
        {"a": tensor + 1},
        {"a": [tensor]},
        {"a": 1},
        {"a": 1.0},
        {"a": torch.tensor(1.0)},
        {"a": torch.zeros(0)},
    ]
    assert len({checkpoint.digest(v) for v in variants}) == len(variants)


def damaged(path: Path, place: float) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0x10
    path.write_bytes(bytes(data))


def test_a_changed_weight_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, {"w": torch.ones(10_000)})
    damaged(path, 0.5)  # within the tensor: torch itself reads it without complaint
    assert torch.load(path, weights_only=True)
    with pytest.raises(InputError, match="damaged: its content does not match its digest"):
        checkpoint.load(path)


@pytest.mark.parametrize(
    "kind", ["cut", "beheaded", "empty", "text", "pickle", "another", "version", "missing"]
)
def test_files_of_something_else_are_one_sentence(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, CONTENT)
    if kind == "cut":
        path.write_bytes(path.read_bytes()[:-700])
    elif kind == "beheaded":  # torch's reader seeks before its beginning
        checkpoint.save(path, {"weights": torch.ones(10_000)})
        path.write_bytes(path.read_bytes()[:5000])
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("no checkpoint")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps(Path("x")))
    elif kind == "another":
        torch.save({"w": torch.ones(2)}, path)
    elif kind == "version":
        torch.save({"format": checkpoint.FORMAT, "version": 99, "content": {}, "sha256": ""}, path)
    else:
        path.unlink()
    with pytest.raises(InputError) as caught:
        checkpoint.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_keeps_the_old_file_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.pt"
    checkpoint.save(path, CONTENT)
    before = path.read_bytes()
    real = tempfile.mkstemp

    def on_a_full_disk(**options: Any) -> tuple[int, str]:
        handle, name = real(**options)
        os.close(handle)
        return os.open("/dev/full", os.O_WRONLY), name

    monkeypatch.setattr(tempfile, "mkstemp", on_a_full_disk)
    with pytest.raises(OSError) as caught:
        checkpoint.save(path, CONTENT)
    assert caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_nothing_in_a_checkpoint_is_run(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "sprung",))

    torch.save({"format": checkpoint.FORMAT, "version": 1, "content": Trap()}, tmp_path / "a.pt")
    with pytest.raises(InputError):
        checkpoint.load(tmp_path / "a.pt")
    assert not (tmp_path / "sprung").exists()


def test_a_model_comes_back_from_its_run(run: Path) -> None:
    tokens, _ = tiny_training.examples(4, 9).batch(range(4))
    last = load_model(run, which="last")
    assert not last.training
    again = build(tiny_training.CONFIG, seed=5)
    again.load_state_dict(checkpoint.load(run / "checkpoints/last.pt")["model"])
    with torch.no_grad():
        assert torch.equal(last(tokens), again.eval()(tokens))
    best = checkpoint.load(run / "checkpoints/last.pt")["best"]["file"]
    assert load_model(run / "checkpoints" / best)


def test_another_number_of_segments_is_refused_with_the_reason(run: Path) -> None:
    other = tiny_training.CONFIG.with_segments(8)
    with pytest.raises(InputError, match=r"T = 4 segments, not 8 \(the retention factors depend on T\)"):
        load_model(run, config=other)


def test_another_architecture_names_each_field(run: Path) -> None:
    other = replace(tiny_training.CONFIG, d_model=32, ffn_width=64)
    with pytest.raises(InputError, match="d_model: 16, not 32; ffn_width: 32, not 64"):
        load_model(run, config=other)


def test_a_checkpoint_that_does_not_know_its_segments(tmp_path: Path) -> None:
    config = tiny_training.CONFIG.to_dict()
    del config["segments"]
    identity = {"config": config, "model": "rmaat"}
    checkpoint.save(tmp_path / "a.pt", {"identity": identity, "model": {}})
    with pytest.raises(InputError, match="does not say its number of segments T"):
        load_model(tmp_path / "a.pt")


def test_other_settings_data_or_log_do_not_go_on(run: Path, tmp_path: Path) -> None:
    recipe = replace(tiny_training.RECIPE, steps=10, evaluate_every=5)
    changed = replace(tiny_training.job(recipe=recipe), train=tiny_training.examples(200, 7))
    for number, (job, said) in enumerate(
        [
            (tiny_training.job(recipe=replace(recipe, batch=8)), "recipe.batch: 16, not 8"),
            (tiny_training.job(recipe=recipe, seed=1), "seed: 0, not 1"),
            (changed, "data_sha256.train"),
        ]
    ):
        copy = tmp_path / str(number)
        shutil.copytree(run, copy)
        (copy / "result.json").unlink()
        with pytest.raises(InputError, match=said):
            run_job(job, copy, tiny_training.CPU)
    log = copy / "log.jsonl"
    log.write_bytes(log.read_bytes()[:100])
    with pytest.raises(InputError, match="the log is shorter than at the last checkpoint"):
        run_job(tiny_training.job(recipe=recipe), copy, tiny_training.CPU)
