"""Refusals shared by the formulas: one sentence, with the first value that is out of range."""

from __future__ import annotations

from typing import Any

from cost_models.namespace import Array, as_array, namespace_of
from device_params.errors import InputError


def _first_offence(holds: Array, value: Array) -> float:
    """The value at the first point where ``holds`` does not."""
    xp = namespace_of(holds, value)
    told, kept = xp.broadcast_arrays(as_array(value, xp), xp.asarray(holds))
    first: float = told[~kept].tolist()[0]  # a tensor that carries a gradient warns when made a float
    return first


def require(
    holds: Array, what: str, *, where: str, value: Array, allowed: str = "", remedy: str = ""
) -> None:
    """Raise InputError unless ``holds`` is true at every point; NaN in a comparison does not hold."""
    xp: Any = namespace_of(holds)
    if not bool(xp.all(xp.asarray(holds))):
        raise InputError(
            what, where=where, value=_first_offence(holds, value), allowed=allowed, remedy=remedy
        )


def require_positive(where: str, **values: Array) -> None:
    """Raise InputError unless each of ``values`` is above zero and finite, naming the first that is not."""
    for name, value in values.items():
        require(
            (value > 0) & (value < float("inf")),
            f"{name} is not a positive number",
            where=where,
            value=value,
            allowed="above zero, finite",
        )


def require_not_negative(where: str, **values: Array) -> None:
    """Raise InputError unless each of ``values`` is zero or above, naming the first that is not."""
    for name, value in values.items():
        require(value >= 0, f"{name} is negative", where=where, value=value, allowed="zero or above")
