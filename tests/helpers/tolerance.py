"""Comparison of small quantities: pytest.approx alone lets any two values below 1e-12 pass as equal."""

from __future__ import annotations

from typing import Any

import pytest


def close(expected: Any, rel: float = 1e-6) -> Any:
    """``expected`` within the relative tolerance ``rel``, without an absolute one."""
    return pytest.approx(expected, rel=rel, abs=0.0)
