"""Sums over a published table of components: arithmetic that a design study must close in, no prediction.

Of a level, parts count ``count`` times and held levels as often as they are held:

    power = Σ count·power + Σ held·power(level below),  likewise area and operations a second.

What comes out says whether published totals follow from published parts, and nothing about whether the parts
are right.
"""

from __future__ import annotations

from collections.abc import Callable

from device_params.chips import ComponentTable, Level, MetricRequest, Part, TableQuestion
from device_params.errors import InputError


def answers(question: TableQuestion) -> tuple[float, ...]:
    """Sums in SI (W, m², OP/s, OP/s/m², OP/J, J, s), one a request and in their order.

    Raises InputError where the table lacks what a metric is computed from.
    """
    return tuple(_answer(question.table, question.level, request) for request in question.requests)


def power(table: ComponentTable, level: str, components: tuple[str, ...] = ()) -> float:
    """Power [W] of a level with all that it holds, or of its ``components`` alone."""
    return _sum(table, table.level(level), lambda part: part.power, components)


def area(table: ComponentTable, level: str, components: tuple[str, ...] = ()) -> float:
    """Area [m²] of a level with all that it holds, or of its ``components`` alone."""
    return _sum(table, table.level(level), lambda part: part.area, components)


def throughput(table: ComponentTable, level: str) -> float:
    """Operations a second of a level with all that it holds; 2 a multiply-accumulate."""
    found = table.level(level)
    own = found.operations / found.period if found.period else 0.0
    return own + sum(count * throughput(table, held) for held, count in found.holds)


def _sum(
    table: ComponentTable, level: Level, quantity: Callable[[Part], float], components: tuple[str, ...]
) -> float:
    own = sum(
        part.count * quantity(part) for part in level.parts if not components or part.name in components
    )
    return own + sum(
        count * _sum(table, table.level(held), quantity, components) for held, count in level.holds
    )


def _answer(table: ComponentTable, level: str, request: MetricRequest) -> float:
    metric, components = request.metric, request.components
    if metric == "power":
        return _known(power(table, level, components), "power", level)
    if metric == "area":
        return _known(area(table, level, components), "area", level)
    if metric == "throughput":
        return _rate(table, level)
    if metric == "compute_density":
        return _rate(table, level) / _known(area(table, level), "area", level)
    if metric == "energy_efficiency":
        return _rate(table, level) / _known(power(table, level), "power", level)
    if metric == "mvm_time":
        return _period(table, level)
    if metric == "energy_per_mvm":
        return _known(power(table, level), "power", level) * _period(table, level)
    raise InputError("no sum over a component table", where=f"level {level!r}", value=metric)


def _rate(table: ComponentTable, level: str) -> float:
    return _known(throughput(table, level), "operations and period", level)


def _period(table: ComponentTable, level: str) -> float:
    return _known(table.level(level).period, "period", level)


def _known(value: float, name: str, level: str) -> float:
    """``value``, which a table that leaves it out makes 0."""
    if value <= 0.0:
        raise InputError(f"the component table gives no {name}", where=f"level {level!r}")
    return value
