"""Long lists of a report: parameters with their sources, settings, and what a graph consists of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rmaat_hw.report.numbers import (
    DASH,
    count,
    duration,
    engineering,
    general,
    percent,
    plain_value,
    readable,
)
from rmaat_hw.report.tables import Document, Table

if TYPE_CHECKING:
    from cost_models.workload.graph import OperatorGraph
    from cost_models.workload.operators import Operator


_LONG = 1e6  # seconds, from which a time reads best in days and years


def parameter_value(p: Mapping[str, Any]) -> tuple[str, str]:
    """Value and interval of a parameter, both with unit; an exact one has no interval."""
    unit = p.get("unit") or "1"
    low, high = p.get("low"), p.get("high")
    if unit == "s" and p["value"] >= _LONG:
        known = low is not None and high is not None and low != high
        return duration(p["value"]), f"{duration(low)} to {duration(high)}" if known else DASH
    factor, name = readable(float(p["value"]), unit)
    value = f"{general(p['value'] / factor)} {name}".rstrip()
    if low is None or high is None or low == high:
        return value, DASH
    return value, f"{general(low / factor)} to {general(high / factor)} {name}".rstrip()


def parameters(document: Document) -> Table:
    """Every number that the estimate used, with its interval, basis and source."""
    rows = tuple(
        (
            p["name"],
            *parameter_value(p),
            p.get("basis") or "",
            " · ".join(str(part) for part in (p.get("source"), p.get("where")) if part),
            str(p.get("conditions") or ""),
        )
        for p in document["parameters_used"]
    )
    return Table(
        "Parameters used",
        ("name", "value", "90 % interval", "basis", "source", "conditions"),
        rows,
        ("Every name is a key of --set NAME=VALUE.",),
        frozenset({1, 2}),
    )


def settings(document: Document) -> Table:
    """What was assumed about the model, the data, the chip and the technology."""
    rows: list[tuple[str, ...]] = []
    for group in ("model", "activity", "technology", "design", "precision", "dram", "trace", "timing"):
        for key, value in _flat(document.get(group) or {}):
            rows.append((group, key, value))
    return Table("Settings and assumptions", ("of", "what", "value"), tuple(rows))


def _flat(group: Any, prefix: str = "") -> Iterable[tuple[str, str]]:
    if not isinstance(group, Mapping):
        yield prefix or "value", str(group)
        return
    for key, value in group.items():
        name = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            yield from _flat(value, name)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            text = ", ".join(plain_value(v) if not isinstance(v, (Mapping, list)) else str(v) for v in value)
            yield name, text if len(text) < 400 else text[:400] + " …"
        else:
            yield name, plain_value(value)


def versions(document: Document) -> Table:
    """What the numbers were made with."""
    return Table(
        "Made with",
        ("what", "version"),
        tuple((str(k), str(v)) for k, v in (document.get("versions") or {}).items()),
    )


def graph_by_class(graph: OperatorGraph) -> Table:
    """Operators, executions, MACs and bytes of a pass by class of operator; set-up is a row of its own."""
    found: dict[str, list[int]] = {}
    for o in graph.operators:
        name = "set-up, once" if str(o.phase) == "setup" else o.work
        moved = (o.bytes_in + o.bytes_out) * o.repeat
        row = found.setdefault(name, [0, 0, 0, 0])
        for index, value in enumerate((1, o.repeat, o.total_macs, moved)):
            row[index] += value
    whole = sum(row[2] for row in found.values())
    rows = [
        (
            name,
            count(row[0]),
            count(row[1]),
            count(row[2]),
            percent(row[2] / whole) if whole else DASH,
            engineering(row[3], "B"),
        )
        for name, row in sorted(found.items(), key=lambda item: (-item[1][2], -item[1][3]))
    ]
    sums_ = [sum(row[index] for row in found.values()) for index in range(4)]
    rows.append(
        ("total", count(sums_[0]), count(sums_[1]), count(sums_[2]), "100 %", engineering(sums_[3], "B"))
    )
    return Table(
        "By class of operator",
        ("class", "operators", "executions", "MACs", "share", "bytes moved"),
        tuple(rows),
        numeric=frozenset(range(1, 6)),
    )


def graph_by_module(graph: OperatorGraph, most: int = 14) -> Table:
    """MACs and bytes of the modules that compute, the greatest first."""
    found: dict[str, list[int]] = {}
    for o in graph.operators:
        row = found.setdefault((_first_layer(graph, o) if graph.trains else o.module) or "(model)", [0, 0, 0])
        for index, value in enumerate((o.repeat, o.total_macs, (o.bytes_in + o.bytes_out) * o.repeat)):
            row[index] += value
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], -item[1][2]))
    rows = [
        (name, count(r[0]), count(r[1]), engineering(r[2], "B"))
        for name, r in ordered[: most if len(ordered) > most + 1 else None]
    ]
    if len(ordered) > most + 1:  # a row for one other would take the place of that one
        rest = [sum(r[index] for _, r in ordered[most:]) for index in range(3)]
        rows.append(
            (f"{len(ordered) - most} others", count(rest[0]), count(rest[1]), engineering(rest[2], "B"))
        )
    return Table(
        "By module (the first of equal layers)",
        ("module", "executions", "MACs", "bytes moved"),
        tuple(rows),
        numeric=frozenset({1, 2, 3}),
    )


def _first_layer(graph: OperatorGraph, operator: Operator) -> str:
    """The module's path in the first layer, though gradients reach the last one first."""
    path = operator.module
    for loop in (graph.loops[name] for name in operator.loops):
        head, rest = path[: len(loop.module)], path[len(loop.module) :].split(".")
        if loop.axis == "layer" and head == loop.module and len(rest) > 1 and rest[1].isdigit():
            path = ".".join((head, "0", *rest[2:]))
    return path


def loop_lines(graph: OperatorGraph) -> list[str]:
    """One line a loop: what repeats, how often, and whether something passes on.

    Of a training step the outer ones with products in them: layers and the optimiser's tensors make many.
    """
    busy = {name for operator in graph.operators if operator.macs for name in operator.loops[:1]}
    return [
        f"Loop {loop.id}: {loop.axis} × {loop.count}"
        + (", recurrent" if loop.recurrent else "")
        + (f", inside {loop.parent}" if loop.parent else "")
        for loop in graph.loops.values()
        if not graph.trains or loop.id in busy
    ]
