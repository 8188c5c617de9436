"""The array namespace of a formula's input: floats, NumPy blocks, or torch tensors handed in."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import array_api_compat
import array_api_compat.numpy as numpy_namespace
import numpy

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


def arrays_of(component: Component) -> list[Array]:
    """Every array among the attributes of a component and of the components it holds."""
    found: list[Array] = []
    for entry in dataclasses.fields(component):
        value = getattr(component, entry.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            found += arrays_of(value)
        elif array_api_compat.is_array_api_obj(value):
            found.append(value)
    return found


def spread(component: Component, *values: Array) -> tuple[Any, Component, tuple[Array, ...], tuple[int, ...]]:
    """Broadcast a component's attributes against ``values`` and flatten all of them to points.

    Returns the namespace; the component, whose attributes are numbers, single values or [points]; the values,
    double precision, all [points]; and the shape that a result [points] is to be given. Gradients pass.
    """
    arrays = arrays_of(component)
    xp = namespace_of(*values, *arrays)
    given = [as_array(value, xp) for value in values]
    shape = numpy.broadcast_shapes(*(tuple(a.shape) for a in (*arrays, *given)))

    def flat(value: Array) -> Array:
        return xp.reshape(xp.broadcast_to(as_array(value, xp), shape), (-1,))

    def single(value: Array) -> Array:
        return xp.reshape(as_array(value, xp), ()) if math.prod(value.shape) == 1 else flat(value)

    flattened = _mapped(component, single)
    return xp, flattened, tuple(flat(value) for value in given), shape


def take_points(component: Component, index: Array, xp: Any) -> Component:
    """A component with only the points ``index`` of those attributes that are arrays; single values stay."""

    def taken(value: Array) -> Array:
        return value if math.prod(value.shape) == 1 else xp.take(value, index, axis=0)

    return _mapped(component, taken)


def _mapped(component: Component, change: Callable[[Array], Array]) -> Component:
    """A component with every array among its attributes, and those of the components it holds, changed."""
    changed: dict[str, Any] = {}
    for entry in dataclasses.fields(component):
        value = getattr(component, entry.name)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            changed[entry.name] = _mapped(value, change)
        elif array_api_compat.is_array_api_obj(value):
            changed[entry.name] = change(value)
    return dataclasses.replace(component, **changed)
