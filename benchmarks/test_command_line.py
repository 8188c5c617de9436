"""How long a user waits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture


def test_help(
    benchmark: BenchmarkFixture, wall_time: Callable[[list[str]], float], record: Callable[..., None]
) -> None:
    """``rmaat-hw --help``, promised ≤ 0.3 s."""
    benchmark.pedantic(wall_time, args=(["--help"],), rounds=7, warmup_rounds=1)
    record("help", benchmark.stats.stats.median, "s", "median of 7 processes, `rmaat-hw --help`")


def test_estimate_without_measuring(
    benchmark: BenchmarkFixture,
    wall_time: Callable[[list[str]], float],
    record: Callable[..., None],
    tmp_path: Path,
) -> None:
    """``rmaat-hw estimate --no-measure``, promised ≤ 10 s; tracing, mapping and pricing alone ≤ 1 s."""
    target = tmp_path / "estimate.json"
    command = ["estimate", "--no-measure", "--json", str(target)]
    benchmark.pedantic(wall_time, args=(command,), rounds=3, warmup_rounds=1)
    how = "median of 3 processes after one to warm up, `rmaat-hw estimate --no-measure`, imports included"
    record("estimate_no_measure", benchmark.stats.stats.median, "s", how)
    document = json.loads(target.read_text())
    seconds = document["trace"]["seconds"] + document["timing"]["map_s"] + document["timing"]["price_s"]
    how = "the last of these: trace.seconds + timing.map_s + timing.price_s, without imports and activity"
    record("trace_map_price", seconds, "s", how)
