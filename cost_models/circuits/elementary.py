"""Logarithm, larger, smaller and whole number above, of plain numbers as plain numbers.

A number that became an array of NumPy here could not meet a torch tensor in the next line.
"""

from __future__ import annotations

import math

from cost_models.namespace import Array, as_array, namespace_of, round_up


def _plain(*values: Array) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def log2(value: Array) -> Array:
    """Logarithm to base 2."""
    return math.log2(value) if _plain(value) else namespace_of(value).log2(value)


def larger(one: Array, other: Array) -> Array:
    """The larger of two, element by element."""
    if _plain(one, other):
        return max(one, other)
    xp = namespace_of(one, other)
    return xp.maximum(as_array(one, xp), as_array(other, xp))


def smaller(one: Array, other: Array) -> Array:
    """The smaller of two, element by element."""
    return -larger(-one, -other)


def whole(value: Array) -> Array:
    """Smallest whole number not below ``value``, as `namespace.round_up`."""
    return float(math.ceil(value)) if _plain(value) else round_up(value)
