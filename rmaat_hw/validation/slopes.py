"""Trends inside one chip: energy over supply voltage, bits, data and active rows.

A trend does not care how far off the absolute figure is, so a model of the physics should get it right
without any factor. Two points of a chip belong together where nothing but the axis differs between them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rmaat_hw.validation.rows import Row

#: What may differ along an axis; the first name is the axis itself. ``precision`` takes inputs and weights of
#: equal bits, ``input_bits`` a weight of one number of bits.
AXES: Mapping[str, tuple[str, ...]] = {
    "supply_voltage": ("supply_voltage", "clock"),
    "input_bits": ("input_bits", "output_bits", "adc.bits"),
    "precision": (
        "input_bits",
        "weight_bits",
        "output_bits",
        "adc.bits",
        "cells_per_weight",
        "pipeline_registers",
    ),
    "rows_active": ("rows_active",),
    "data": ("input_density", "weight_density", "input_toggle", "output_fraction"),
}
_NAMES = {
    "supply_voltage": "energy over supply voltage",
    "input_bits": "energy over input bits",
    "precision": "energy over bits of input and weight",
    "rows_active": "energy over active rows",
    "data": "energy over data values",
}


@dataclass(frozen=True)
class Slope:
    """One trend of one chip: the points, sorted along the axis, and what they amount to.

    ``published`` and ``predicted`` are energies (or inverse efficiencies) relative to the first point.
    Exponents are slopes of a straight line through ln(energy) over ln(axis), None over data values, which
    have no single axis. Swings are the energy of the most expensive published point over that of the
    cheapest, and the prediction at the same two points.
    """

    case: str
    name: str
    axis: str
    metric: str
    conditions: str
    values: tuple[float, ...]
    published: tuple[float, ...]
    predicted: tuple[float, ...]
    published_exponent: float | None
    predicted_exponent: float | None
    published_swing: float
    predicted_swing: float

    @property
    def title(self) -> str:
        """What runs over what."""
        return _NAMES[self.axis]


def slopes(rows: Iterable[Row]) -> tuple[Slope, ...]:
    """Every trend in energy that the predicted rows hold, by chip and axis."""
    usable = [
        row
        for row in rows
        if row.kind == "energy" and not row.share and row.predicted and row.published and row.configuration
    ]
    found = []
    for axis, free in AXES.items():
        groups: dict[Any, list[Row]] = {}
        for row in usable:
            conditions = {**row.configuration, **row.activity}
            if not _on(axis, conditions):
                continue
            fixed = tuple(sorted((k, v) for k, v in conditions.items() if k not in free))
            groups.setdefault((row.case, row.metric, row.components, row.boundary, fixed), []).append(row)
        for group in groups.values():
            slope = _slope(axis, group)
            if slope is not None:
                found.append(slope)
    return tuple(sorted(found, key=lambda slope: (list(AXES).index(slope.axis), slope.case, slope.metric)))


def _on(axis: str, conditions: Mapping[str, Any]) -> bool:
    """Whether a point can lie on the axis."""
    if axis == "precision":
        return conditions["input_bits"] == conditions["weight_bits"]
    return axis == "data" or axis in conditions


def _slope(axis: str, group: list[Row]) -> Slope | None:
    points = {_place(axis, row): row for row in group}
    if len(points) < 2:
        return None
    places = sorted(points)
    ordered = [points[place] for place in places]
    published = np.array([_cost(row, row.published) for row in ordered])
    predicted = np.array([_cost(row, row.predicted or math.nan) for row in ordered])
    most, least = int(np.argmax(published)), int(np.argmin(published))
    # Data values are several numbers at once: the published order is the axis.
    order = np.argsort(published) if axis == "data" else np.arange(len(ordered))
    values = np.arange(1.0, len(ordered) + 1.0) if axis == "data" else np.array([p[0] for p in places])
    first = ordered[int(order[0])]
    return Slope(
        case=first.case,
        name=first.name,
        axis=axis,
        metric=" ".join([first.metric, *first.components]),
        conditions=_conditions(ordered),
        values=tuple(values.tolist()),
        published=tuple((published[order] / published[order[0]]).tolist()),
        predicted=tuple((predicted[order] / predicted[order[0]]).tolist()),
        published_exponent=None if axis == "data" else _exponent(values, published),
        predicted_exponent=None if axis == "data" else _exponent(values, predicted),
        published_swing=float(published[most] / published[least]),
        predicted_swing=float(predicted[most] / predicted[least]),
    )


def _place(axis: str, row: Row) -> tuple[float, ...]:
    if axis == "data":
        return tuple(float(row.activity.get(name, math.nan)) for name in AXES[axis])
    return (float(row.configuration[AXES[axis][0]]),)


def _cost(row: Row, value: float) -> float:
    return 1.0 / value if row.metric == "energy_efficiency" else value


def _exponent(values: np.ndarray, energies: np.ndarray) -> float:
    return float(np.polyfit(np.log(values), np.log(energies), 1)[0])


#: Conditions that tell two trends of one chip and axis apart, as people read them.
_TOLD = (("supply_voltage", "{:g} V"), ("input_bits", "{:g} b inputs"), ("weight_bits", "{:g} b weights"))


def _conditions(ordered: list[Row]) -> str:
    """What is the same at all points, of the few conditions that matter to a reader."""
    parts = []
    for name, form in _TOLD:
        present = {row.configuration.get(name) for row in ordered}
        if len(present) == 1 and None not in present:
            parts.append(form.format(present.pop()))
    return ", ".join(parts)
