"""The array namespace of a formula's input: floats, NumPy blocks, or torch tensors handed in."""

from __future__ import annotations

from typing import Any, TypeAlias

import array_api_compat
import array_api_compat.numpy as numpy_namespace

#: A float, a NumPy array or a torch tensor. Formulas are written against the namespace of their input.
Array: TypeAlias = Any


def namespace_of(*values: Array) -> Any:
    """Return the array namespace of the first value that has one; plain numbers count as NumPy's."""
    arrays = [value for value in values if not isinstance(value, (int, float, bool))]
    if not arrays:
        return numpy_namespace
    return array_api_compat.array_namespace(*arrays)


def round_up(value: Array) -> Array:
    """Smallest whole number not below ``value``.

    Honest in the forward pass; its gradient is zero, so no derivative passes through a tile count.
    """
    xp = namespace_of(value)
    return xp.ceil(xp.asarray(value) if isinstance(value, (int, float)) else value)


def as_points(value: Array, xp: Any) -> Array:
    """A parameter as a double-precision array [points] of the namespace; gradients pass through."""
    if array_api_compat.is_array_api_obj(value):
        return xp.reshape(xp.astype(value, xp.float64, copy=False), (-1,))
    return xp.asarray([value], dtype=xp.float64)
