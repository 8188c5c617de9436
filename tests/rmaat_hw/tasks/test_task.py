"""Tasks and batches: names, lengths, padding, hashes and what is refused."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import pytest
import torch

from device_params.errors import InputError
from rmaat_hw.model import build
from rmaat_hw.tasks import TASKS, load_task, task_names


@pytest.mark.parametrize("name", task_names())
def test_every_task_feeds_its_model(name: str) -> None:
    task = load_task(name, TASKS[name].config.segment_length)
    batch = task.batch(2, seed=3)
    assert batch.tokens.shape == (2, task.padded_length)
    assert int(batch.tokens.max()) < task.vocabulary
    assert int(batch.labels.max()) < task.classes
    with torch.no_grad():
        scores = build(task.config)(batch.tokens)
    assert scores.shape == (2, task.classes)
    assert scores.isfinite().all()


def test_listops_is_the_recommended_configuration() -> None:
    task = load_task("listops")
    config = task.config
    assert (task.padded_length, config.segment_length, task.segments) == (2048, 512, 4)
    assert (config.d_model, config.heads, config.layers, config.ffn_width) == (512, 8, 4, 1024)
    assert (task.vocabulary, task.classes, config.memory_tokens) == (18, 10, 16)


def test_batch_is_right_aligned_and_hashed() -> None:
    batch = load_task("listops").batch(4, seed=1)
    assert batch.tokens.dtype == batch.labels.dtype == batch.lengths.dtype == torch.int64
    for row, length in zip(batch.tokens, batch.lengths.tolist(), strict=True):
        assert 500 < length < 2000
        assert (row[: 2048 - length] == 0).all()
        assert (row[2048 - length :] > 0).all()
    assert batch.real_tokens == int((batch.tokens > 0).sum())
    assert batch.padded_tokens == int((batch.tokens == 0).sum())
    raw = b"".join(int(i).to_bytes(8, "little") for i in batch.tokens.flatten().tolist())
    assert batch.sha256 == hashlib.sha256(raw).hexdigest()


def test_batch_is_the_same_bytes_everywhere() -> None:
    task = load_task("listops")
    batch = task.batch(8)
    assert batch.sha256 == "fc9113f32ea419b21d97ab70fbb5a779ff4ccc81d85e9a72e6e804094bc2b6c0"
    assert torch.equal(task.batch(3).tokens, batch.tokens[:3])
    assert task.batch(8, seed=1).sha256 != batch.sha256


def test_length_bounds_of_the_caller() -> None:
    batch = load_task("listops").batch(5, seed=0, length=(20, 60))
    assert ((batch.lengths > 20) & (batch.lengths < 60)).all()


@pytest.mark.parametrize(("sequence_length", "segments"), [(512, 1), (1024, 2), (4096, 8), (32768, 64)])
def test_sequence_length_sets_the_segments(sequence_length: int, segments: int) -> None:
    task = load_task("listops", sequence_length)
    assert task.segments == segments
    batch = task.batch(1)
    assert batch.tokens.shape == (1, sequence_length)
    assert sequence_length * 500 // 2048 < int(batch.lengths[0]) < sequence_length


@pytest.mark.parametrize(
    ("sequence_length", "remedy"),
    [(0, "512 or 1024"), (-512, "512 or 1024"), (100, "512 or 1024"), (1500, "1024 or 1536")],
)
def test_bad_sequence_length_names_the_multiples(sequence_length: int, remedy: str) -> None:
    with pytest.raises(InputError, match=f"multiple of the segment length, 512; take {remedy}"):
        load_task("listops", sequence_length)


def test_unknown_task_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'listops'"):
        load_task("listop")


@pytest.mark.parametrize(
    "arguments",
    [
        {"n": 0},
        {"n": 2.0},
        {"n": 1, "seed": -1},
        {"n": 1, "length": (500, 501)},
        {"n": 1, "length": (500, 2050)},
        {"n": 1, "length": (-1, 20)},
    ],
)
def test_bad_batches_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"bad .*allowed"):
        load_task("listops").batch(**arguments)


def test_full_length_fits() -> None:
    batch = load_task("listops", 512).batch(1, length=(440, 513))
    assert np.count_nonzero(batch.tokens.numpy()) == int(batch.lengths[0]) > 440
