"""The default estimate stays what it was: no number moves unnoticed."""

from __future__ import annotations

import json
from typing import Any

from golden import FILE, figures
from tolerance import close

from rmaat_hw.estimate import estimate


def flat(value: Any, path: str = "") -> dict[str, float]:
    if not isinstance(value, dict):
        return {path: value}
    return {k: v for name, part in value.items() for k, v in flat(part, f"{path}/{name}").items()}


def test_default_estimate_is_the_golden_one() -> None:
    """Within 0.1 %: float32 sums of another processor may move a few bits of the measured activity."""
    golden, found = flat(json.loads(FILE.read_text())), flat(figures(estimate(measure=False)))
    assert found.keys() == golden.keys()
    moved = {
        name: (golden[name], found[name]) for name in golden if found[name] != close(golden[name], rel=1e-3)
    }
    assert not moved, "run `make golden` and name the change in CHANGELOG.md"
