"""Run every benchmark and write ``bench.json``: name → value, unit, how.

A benchmark is a pytest function that takes the fixture ``record`` (see ``conftest.py``) and gives it
figures by name. A figure that a filtered run (``python -m benchmarks -k help``) does not make keeps
its last value.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from rmaat_hw.runs import to_json_text, write_atomically

HERE = Path(__file__).resolve().parent
TARGET = HERE.parent / "bench.json"


class Collector:
    """Takes the figures out of the finished tests."""

    def __init__(self) -> None:
        self.figures: dict[str, dict[str, object]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Called by pytest for every phase of every test."""
        if report.when == "call":
            self.figures.update(value for name, value in report.user_properties if name == "figure")


def main(arguments: list[str]) -> int:
    """Run pytest on this folder and merge what was recorded into ``bench.json``."""
    collector = Collector()
    options = ["-q", "-p", "no:cacheprovider", "-m", "", "--benchmark-disable-gc", str(HERE), *arguments]
    code = pytest.main(options, plugins=[collector])
    known = json.loads(TARGET.read_text()) if TARGET.exists() else {}
    merged = dict(sorted({**known, **collector.figures}.items()))
    write_atomically(TARGET, to_json_text(merged).encode())
    for name, figure in sorted(collector.figures.items()):
        print(f"{name:40} {figure['value']:12.4g} {figure['unit']:12} {figure['how']}")
    print(f"{len(collector.figures)} figures written to {TARGET.name}")
    return int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
