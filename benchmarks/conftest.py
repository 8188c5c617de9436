"""The fixture through which a benchmark hands in its figures."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

Record = Callable[..., None]


@pytest.fixture(name="record")
def _record(request: pytest.FixtureRequest) -> Record:
    """``record(name, value, unit, how)`` puts one figure into ``bench.json``."""

    def record(name: str, value: float, unit: str, how: str) -> None:
        figure = {"value": float(f"{value:.4g}"), "unit": unit, "how": how}
        request.node.user_properties.append(("figure", (name, figure)))

    return record


@pytest.fixture(name="wall_time")
def _wall_time(tmp_path: Path) -> Callable[[list[str]], float]:
    """Wall time [s] of one run of the command line in a process of its own, imports included."""

    def wall_time(arguments: list[str]) -> float:
        began = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "rmaat_hw", *arguments], check=True, capture_output=True, cwd=tmp_path
        )
        return time.perf_counter() - began

    return wall_time
