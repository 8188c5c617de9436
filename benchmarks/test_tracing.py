"""Tracing is flat in the number of segments."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from pytest_benchmark.fixture import BenchmarkFixture

from rmaat_hw.model import build
from rmaat_hw.tasks import load_task
from rmaat_hw.trace import capture


def seconds(segments: int) -> float:
    """Wall time [s] of tracing the ListOps model over so many segments."""
    config = replace(load_task("listops").config, segments=segments)
    module = build(config, 0).eval()
    tokens = torch.ones(1, config.sequence_length, dtype=torch.int64)
    began = time.perf_counter()
    capture(module, (tokens,))
    return time.perf_counter() - began


def test_segments(benchmark: BenchmarkFixture, record: Callable[..., None]) -> None:
    """T = 64 costs ≤ 1.3 × T = 3."""
    pairs: list[tuple[float, float]] = []
    benchmark.pedantic(lambda: pairs.append((seconds(3), seconds(64))), rounds=5, warmup_rounds=1)
    few, many = (statistics.median(times) for times in zip(*pairs[1:], strict=True))
    record("trace_3_segments", few, "s", "median of 5, ListOps RMAAT, T = 3")
    record("trace_64_segments", many, "s", "median of 5, ListOps RMAAT, T = 64")
    record("trace_64_over_3_segments", many / few, "ratio", "of the two medians")
