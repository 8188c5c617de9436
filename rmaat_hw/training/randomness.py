"""Random states of torch: seeded for a run, saved in its checkpoints, given back to the caller."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch


@contextlib.contextmanager
def surroundings_kept(device: torch.device) -> Iterator[None]:
    """Leave the caller's random states and number of threads as they were."""
    threads = torch.get_num_threads()
    try:
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            yield
    finally:
        torch.set_num_threads(threads)


def dropout_seed(seed: int) -> int:
    """Another stream than the one the weights were drawn from."""
    return int(np.random.SeedSequence([seed, 1]).generate_state(1, np.uint64)[0] >> 1)


def random_state(device: torch.device) -> dict[str, Any]:
    """States of torch's generators of numbers, on the host and on the device."""
    state = {"host": torch.get_rng_state()}
    if device.type == "cuda":
        state["device"] = torch.cuda.get_rng_state(device)
    return state


def set_random_state(state: Mapping[str, Any], device: torch.device) -> None:
    """Back to :func:`random_state`; a state of a device is passed over where there is none."""
    torch.set_rng_state(state["host"])
    if device.type == "cuda" and "device" in state:
        torch.cuda.set_rng_state(state["device"], device)
