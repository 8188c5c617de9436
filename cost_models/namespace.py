"""The array namespace of a formula's input: floats, NumPy blocks, or torch tensors handed in."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import array_api_compat
import array_api_compat.numpy as numpy_namespace

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Component = TypeVar("Component", bound=DataclassInstance)

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


def as_array(value: Array, xp: Any) -> Array:
    """A number or an array as a double-precision array of the namespace; gradients pass through."""
    if array_api_compat.is_array_api_obj(value):
        return xp.astype(value, xp.float64, copy=False)
    return xp.asarray(value, dtype=xp.float64)


def as_points(value: Array, xp: Any) -> Array:
    """A parameter as a double-precision array [points] of the namespace; gradients pass through."""
    return xp.reshape(as_array(value, xp), (-1,))


def take_points(component: Component, index: Array, xp: Any) -> Component:
    """A component with only the points ``index`` of those attributes that are arrays; numbers stay."""
    taken: dict[str, Any] = {}
    for entry in dataclasses.fields(component):
        value = getattr(component, entry.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            taken[entry.name] = take_points(value, index, xp)
        elif array_api_compat.is_array_api_obj(value) and value.shape not in ((), (1,)):
            taken[entry.name] = xp.take(xp.reshape(value, (-1,)), index, axis=0)
    return dataclasses.replace(component, **taken)
