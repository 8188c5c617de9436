"""Killed at any moment, a training goes on to the same end, bit for bit."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest
import tiny_training
import torch

from device_params.errors import InputError
from rmaat_hw.training import checkpoint
from rmaat_hw.training.endings import OutOfTime, TrainingInterrupted
from rmaat_hw.training.log import WALL_CLOCK, read_sessions
from rmaat_hw.training.result import RESULT, load_result

# Children of one server that has torch loaded: each is a process of its own, without seconds of imports.
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["rmaat_hw.training.loop", "torch._dynamo", "torch.utils.tensorboard"])
STEPS = 60


def start(folder: Path, steps: int = STEPS, **options: Any) -> BaseProcess:
    process = _PROCESSES.Process(target=tiny_training.work, args=(str(folder), steps), kwargs=options)
    process.start()
    return process


def finish(folder: Path, steps: int = STEPS) -> None:
    process = start(folder, steps)
    process.join(60)
    assert process.exitcode == 0


def kill_when(process: BaseProcess, moment: Callable[[], bool]) -> bool:
    """SIGKILL at a moment; False if the process was done before it came."""
    while process.is_alive():
        if moment():
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            return process.exitcode == -signal.SIGKILL
    process.join()
    assert process.exitcode == 0
    return False


def records(folder: Path) -> list[dict[str, Any]]:
    """The log without what the clock says; every line must be whole."""
    lines = (folder / "log.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k not in WALL_CLOCK} for line in lines]


def final(folder: Path) -> dict[str, Any]:
    state = checkpoint.load(folder / "checkpoints/last.pt")
    return {key: state[key] for key in ("step", "best", "random", "model", "optimizer")}


def assert_same(folder: Path, reference: Path) -> None:
    assert checkpoint.digest(final(folder)) == checkpoint.digest(final(reference))
    assert records(folder) == records(reference)
    files = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert files == sorted(path.name for path in (reference / "checkpoints").iterdir())
    best = checkpoint.load(folder / "checkpoints" / files[0])
    assert best["step"] == final(reference)["best"]["step"]
    scores = [json.loads((run / RESULT).read_text())["scores"] for run in (folder, reference)]
    assert scores[0] == scores[1]


def after(seconds: float) -> Callable[[], bool]:
    end = time.monotonic() + seconds

    def moment() -> bool:
        time.sleep(0.0005)
        return time.monotonic() > end

    return moment


def writing(folder: Path) -> Callable[[], bool]:
    """While a checkpoint is being written: its temporary file is there."""
    place = folder / "checkpoints"
    return lambda: place.is_dir() and any(path.name.startswith(".") for path in place.iterdir())


@pytest.fixture(name="reference", scope="module")
def _reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reference") / "run"
    finish(folder)
    return folder


def kill_and_compare(folder: Path, reference: Path, kills: int, seed: int, steps: int) -> int:
    """Kill at moments of both kinds until the run is done or has been killed so often."""
    draw = random.Random(seed)
    done = 0
    for kill in range(kills):
        process = start(folder, steps)
        if kill % 2:
            moment = writing(folder)
        else:
            seen = len(read_sessions(folder))
            while process.is_alive() and len(read_sessions(folder)) == seen:
                time.sleep(0.002)  # it has begun to work
            moment = after(draw.uniform(0, 0.4))
        if not kill_when(process, moment):
            break
        done += 1
    if not (folder / RESULT).exists():
        finish(folder, steps)
    assert_same(folder, reference)
    return done


def test_killed_again_and_again_it_ends_bit_equal(tmp_path: Path) -> None:
    finish(tmp_path / "reference", 100)
    assert kill_and_compare(tmp_path / "run", tmp_path / "reference", 5, seed=1, steps=100) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_killed_at_many_moments_it_ends_bit_equal(tmp_path: Path, seed: int) -> None:
    finish(tmp_path / "reference", 300)
    assert kill_and_compare(tmp_path / "run", tmp_path / "reference", 20, seed, steps=300) >= 8


def test_an_interrupt_writes_a_checkpoint_and_says_how_to_go_on(tmp_path: Path, reference: Path) -> None:
    job, folder = tiny_training.job(), tmp_path / "run"
    tiny_training.create_run(job, folder)

    def interrupt(progress: Any) -> None:
        if progress.done >= 3:
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(TrainingInterrupted, match=f"rmaat-hw train --resume {folder}") as caught:
        tiny_training.run_job(job, folder, tiny_training.CPU, watch=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert checkpoint.load(folder / "checkpoints/last.pt")["step"] == caught.value.step
    assert read_sessions(folder)[-1]["reason"] == "interrupted"
    finish(folder)
    assert_same(folder, reference)


def test_out_of_time_it_stops_and_goes_on(tmp_path: Path, reference: Path) -> None:
    job, folder = tiny_training.job(), tmp_path / "run"
    tiny_training.create_run(job, folder)
    with pytest.raises(OutOfTime, match="time allowed"):
        tiny_training.run_job(job, folder, tiny_training.CPU, max_minutes=1e-9)
    assert checkpoint.load(folder / "checkpoints/last.pt")["step"] == 1
    finish(folder)
    assert_same(folder, reference)


def test_two_processes_do_not_share_a_run(tmp_path: Path) -> None:
    job, folder = tiny_training.job(), tmp_path / "run"
    tiny_training.create_run(job, folder)
    from rmaat_hw.training.endings import alone

    with alone(folder), pytest.raises(InputError, match="another process is training this run"):
        tiny_training.run_job(job, folder, tiny_training.CPU)


def test_a_finished_run_does_not_go_on(reference: Path) -> None:
    with pytest.raises(InputError, match="this run is finished"):
        tiny_training.run_job(tiny_training.job(), reference, tiny_training.CPU)


def test_the_random_states_of_the_caller_stay(tmp_path: Path) -> None:
    job = tiny_training.job()
    state = torch.get_rng_state()
    result = tiny_training.run_job(job, tiny_training.create_run(job, tmp_path / "run"), tiny_training.CPU)
    assert torch.equal(torch.get_rng_state(), state)
    assert load_result(tmp_path / "run").document == result.document
