"""Comparison of small quantities: pytest.approx alone lets any two values below 1e-12 pass as equal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

#: Below it the absolute tolerance that pytest.approx adds unasked, 1e-12, exceeds its relative one, 1e-6.
SMALLEST = 1e-6

_approx = pytest.approx


def close(expected: Any, rel: float = 1e-6) -> Any:
    """``expected`` within the relative tolerance ``rel``, without an absolute one."""
    return _approx(expected, rel=rel, abs=0.0)


def approx_that_sees(expected: Any, rel: Any = None, abs: Any = None, nan_ok: bool = False) -> Any:
    """``pytest.approx``, refused for quantities so small that its unasked absolute tolerance decides.

    `tests/conftest.py` puts it in the place of the original. A zero passes: it stands among volts and shares.
    """
    if abs is None and (small := _smallest(expected)) < SMALLEST:
        raise ValueError(
            f"pytest.approx of {small:g} takes any number within 1e-12: "
            "compare with tolerance.close(expected, rel) or state abs="
        )
    return _approx(expected, rel=rel, abs=abs, nan_ok=nan_ok)


def _smallest(expected: Any) -> float:
    """Least magnitude other than 0 in a number, mapping, sequence or array; inf where there is none."""
    values = list(expected.values()) if isinstance(expected, Mapping) else expected
    try:
        numbers = np.abs(np.asarray(values, dtype=float))
    except (TypeError, ValueError):
        return np.inf  # texts, say
    return float(np.min(numbers, initial=np.inf, where=numbers > 0))
