"""The tables of an estimate, as plain rows of text: the screen and the page show the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rmaat_hw.report.numbers import (
    DASH,
    bar,
    count,
    digits,
    duration,
    engineering,
    general,
    percent,
    plain,
    quantity,
)

if TYPE_CHECKING:
    from cost_models.workload.graph import OperatorGraph
    from cost_models.workload.operators import Operator

Document = Mapping[str, Any]
MAC_NOTE = "1 MAC = 2 operations"

# How components and measures are called for readers; a component that is not here keeps its own name.
COMPONENT_NAMES: Mapping[str, str] = {
    "cell": "cells",
    "word_line_driver": "word-line drivers",
    "bit_line_driver": "bit-line drivers",
    "dac": "DAC",
    "adc": "ADC",
    "multiplexer": "multiplexers",
    "accumulation": "accumulation",
    "digital_mac": "digital MACs",
    "special_function": "special functions",
    "buffer": "buffers",
    "wire": "wires",
    "write_path": "write path",
    "control": "control",
    "leakage": "leakage",
    "dram": "DRAM",
}
CLASS_OF_KIND: Mapping[str, str] = {
    "elementwise": "element-wise",
    "reduction": "reductions",
    "normalisation": "normalisation",
    "softmax": "softmax",
    "gather": "look-ups and moves",
    "move": "look-ups and moves",
    "view": "look-ups and moves",
    "unruled": "without a rule",
}
SHARED_CLASS = "shared blocks"


@dataclass(frozen=True)
class Table:
    """A titled table of text; ``numeric`` names the columns that align to the right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...] = ()
    numeric: frozenset[int] = frozenset()


def component_name(component: str) -> str:
    """The component's name for readers."""
    return COMPONENT_NAMES.get(component, component.replace("_", " "))


def operator_class(operator: Operator) -> str:
    """The class of work that the mapping distinguishes: what meets what in a product, or the kind."""
    if operator.matmul is not None or operator.kind in ("matmul", "convolution"):
        sides = (
            (operator.matmul.left, operator.matmul.right)
            if operator.matmul is not None
            else range(len(operator.operands))
        )
        roles = {str(operator.operands[side].role) for side in sides}
        if roles & {"weight", "constant"}:
            return "weight × activation"
        return "state × activation" if "state" in roles else "activation × activation"
    return CLASS_OF_KIND.get(str(operator.kind), str(operator.kind))


def operator_classes(graph: OperatorGraph) -> dict[str, str]:
    """Operator id → class, for every operator of the graph."""
    return {operator.id: operator_class(operator) for operator in graph.operators}


def sums(
    breakdown: Iterable[Mapping[str, Any]], measure: str, by: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Sum a measure of the leaves by component, or by the operator's class where ``by`` maps it.

    Zero sums are left out; the greatest comes first.
    """
    found: dict[str, float] = {}
    for leaf in breakdown:
        key = leaf["component"] if by is None else by.get(leaf["operator"], SHARED_CLASS)
        found[key] = found.get(key, 0.0) + float(leaf[measure])
    return dict(sorted(((k, v) for k, v in found.items() if v), key=lambda item: -item[1]))


def title(document: Document) -> str:
    """What was estimated, in one line."""
    model, design, technology = document["model"], document["design"], document["technology"]
    return f"{model['name']} on {design['name']}, {technology['name']}"


def subtitle(document: Document) -> str:
    """Shape of the work, in one line."""
    model = document["model"]
    parts = [f"task {model['task']}"] if model.get("task") else []
    parts.append(f"batch {model['batch']}")
    if model.get("sequence_length"):
        parts.append(f"{count(model['sequence_length'])} tokens")
    if model.get("segments"):
        parts.append(f"{model['segments']} segments")
    if model.get("parameters") is not None:
        parts.append(f"{engineering(model['parameters'], '1')} parameters")
    parts.append(f"precision {model['precision']}")
    return " · ".join(parts)


def totals(document: Document) -> Table:
    """Energy, time, area, power and efficiency, each with its 90 % interval."""
    total, model = document["totals"], document["model"]
    per_sequence = document.get("per_sequence") or {}
    padding = document.get("padding") or {}
    rows: list[tuple[str, ...]] = []

    def add(name: str, pair: tuple[str, str], remark: str = "") -> None:
        rows.append((name, *pair, remark))

    batch = model["batch"]
    sequence_energy = per_sequence.get("energy_J") or (total["energy_J"] if batch == 1 else None)
    add("energy a sequence", quantity(sequence_energy, "J"), "padding included")
    if (document.get("per_real_token") or {}).get("energy_J"):
        add("  a real token", quantity(document["per_real_token"]["energy_J"], "J"), _real_tokens(padding))
    if padding:
        add("  of it padded work", quantity(padding.get("energy_J"), "J"), _padded(padding))
    if batch != 1:
        add(f"energy a batch of {batch}", quantity(total["energy_J"], "J"))
    add(f"latency {'a sequence' if batch == 1 else f'a batch of {batch}'}", quantity(total["latency_s"], "s"))
    add("area", quantity(total["area_m2"], "m²"), _cells(document["design"]))
    add("average power", quantity(total["average_power_W"], "W"))
    add("TOPS/W", plain(total["tops_per_watt"]), f"{model['precision']}, {MAC_NOTE}")
    programming = document.get("programming") or {}
    if programming:
        time = quantity(programming.get("latency_s"), "s")[0]
        add(
            "programming, once",
            quantity(programming.get("energy_J"), "J"),
            f"in {time}, {count(programming.get('cells'))} cells",
        )
    life = total.get("lifetime_s")
    if life and life.get("value") is not None:
        low, high = duration(life.get("low")), duration(life.get("high"))
        add("lifetime", (duration(life["value"]), f"{low} to {high}"))
    else:
        add("lifetime", (DASH, ""), "nothing is rewritten: no wear")
    return Table(
        "Totals",
        ("", "value", "90 % interval", ""),
        tuple(rows),
        (f"Boundary: {document['boundary']}.", f"TOPS/W at {model['precision']}; {MAC_NOTE}."),
        frozenset({1, 2}),
    )


def _real_tokens(padding: Mapping[str, Any]) -> str:
    real = padding.get("real_tokens")
    return "" if real is None else f"{count(real)} real tokens a sequence (mean)"


def _padded(padding: Mapping[str, Any]) -> str:
    if padding.get("share") is None:
        return ""
    rows = padding.get("padded_tokens")
    return f"{percent(padding['share'])}" + (
        "" if rows is None else f", {count(rows)} pads a sequence (mean)"
    )


def _cells(design: Mapping[str, Any]) -> str:
    parts = []
    if design.get("arrays") is not None:
        shape = f" of {design['rows']} × {design['cols']}" if design.get("rows") else ""
        parts.append(f"{count(design['arrays'])} arrays{shape}")
    if design.get("utilisation") is not None:
        parts.append(f"{percent(design['utilisation'])} used")
    return ", ".join(parts)


def shares(title: str, values: Mapping[str, float], unit: str, *, most: int = 99, width: int = 12) -> Table:
    """Values with their shares and bars; what is beyond ``most`` rows is summed up as ``others``."""
    whole = sum(values.values())
    entries = list(values.items())
    if len(entries) > most:
        rest = entries[most - 1 :]
        entries = [*entries[: most - 1], (f"{len(rest)} others", sum(value for _, value in rest))]
    rows = tuple(
        (
            component_name(name),
            engineering(value, unit),
            percent(value / whole),
            bar(value / whole, width),
        )
        for name, value in entries
    )
    return Table(title, ("", "", "", ""), rows, numeric=frozenset({1, 2}))


def breakdown_by_component(document: Document) -> Table:
    """Energy, exposed time, busy time and area of every component."""
    measures = ("energy_J", "latency_s", "busy_s", "area_m2")
    units = ("J", "s", "s", "m²")
    by = {measure: sums(document["breakdown"], measure) for measure in measures}
    names = sorted(
        {name for found in by.values() for name in found}, key=lambda n: -by["energy_J"].get(n, 0.0)
    )
    whole = sum(by["energy_J"].values())
    rows = [
        (
            component_name(name),
            engineering(by["energy_J"].get(name, 0.0), "J"),
            percent(by["energy_J"].get(name, 0.0) / whole) if whole else DASH,
            *(engineering(by[m].get(name, 0.0), u) for m, u in zip(measures[1:], units[1:], strict=True)),
        )
        for name in names
    ]
    ends = [
        engineering(sum(by[m].values()), u)
        for m, u in zip(measures, units, strict=True)
        if m != "busy_s"  # resources work side by side: busy times have no meaningful sum
    ]
    rows.append(("total", ends[0], "100 %", ends[1], "", ends[2]))
    return Table(
        "By component",
        ("component", "energy", "share", "exposed time", "busy time", "area"),
        tuple(rows),
        ("Nominal values: the leaves sum to the totals. Exposed time is time on the critical path.",),
        frozenset(range(1, 6)),
    )


def breakdown_by_operator(document: Document, graph: OperatorGraph | None) -> Table:
    """Energy and exposed time of every operator, with what it is."""
    energy: dict[str, float] = {}
    time: dict[str, float] = {}
    for leaf in document["breakdown"]:
        energy[leaf["operator"]] = energy.get(leaf["operator"], 0.0) + leaf["energy_J"]
        time[leaf["operator"]] = time.get(leaf["operator"], 0.0) + leaf["latency_s"]
    known = {operator.id: operator for operator in graph.operators} if graph is not None else {}
    whole = sum(energy.values())
    rows = []
    for name in sorted(energy, key=lambda n: -energy[n]):
        operator = known.get(name)
        rows.append(
            (
                name,
                operator.module if operator else "",
                operator_class(operator) if operator else SHARED_CLASS,
                count(operator.repeat) if operator else "",
                count(operator.total_macs) if operator else "",
                engineering(energy[name], "J"),
                percent(energy[name] / whole) if whole else DASH,
                engineering(time[name], "s"),
            )
        )
    return Table(
        "By operator",
        ("operator", "module", "class", "repeats", "MACs", "energy", "share", "exposed time"),
        tuple(rows),
        numeric=frozenset(range(3, 8)),
    )


def precision_lines(document: Document) -> list[str]:
    """ADC bits required and used, and the noise budget."""
    precision = document.get("precision") or {}
    lines = []
    required, used = precision.get("adc_bits_required"), precision.get("adc_bits_used")
    if used is not None:
        clipped = "" if required is None or used >= required else " (partial sums are rounded)"
        lines.append(
            f"ADC bits: {_number(required)} required for lossless sums, {_number(used)} used{clipped}"
        )
    noise = {name: value for name, value in (precision.get("noise") or {}).items() if value is not None}
    bits, total = noise.pop("enob", None), noise.pop("total", None)
    parts = ", ".join(f"{name.replace('_', ' ')} {digits(value, 2)}" for name, value in noise.items())
    if total is not None:
        line = f"Noise of a column sum: {digits(total, 2)} steps of one cell ({parts})"
        lines.append(line + (f", {digits(bits, 2)} effective bits" if bits is not None else ""))
    return lines


def _number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return DASH if value is None else ("yes" if value else "no")
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return general(value)
    return str(value)


def dram_line(document: Document) -> list[str]:
    """Does anything go to DRAM, and why?"""
    dram = document.get("dram") or {}
    if dram.get("bytes") is None:
        return []
    return [f"DRAM: {engineering(dram['bytes'], 'B')} a pass; {dram.get('reason', '')}".rstrip("; ")]


def conservation_lines(document: Document) -> list[str]:
    """Are all MACs found again, and does every operator have a rule?"""
    macs, coverage = document["conservation"], document["coverage"]
    graph, independent, mapped = (macs.get(f"macs_{w}") for w in ("graph", "independent", "mapped"))
    by = f" ({macs['independent_method']})" if macs.get("independent_method") else ""
    if independent is None:
        line = f"MACs: {count(graph)} in the graph {_equal(graph, mapped)} {count(mapped)} mapped; "
        line += f"no independent count ({macs.get('reason') or 'no reason given'})"
    elif graph == mapped == independent:
        line = f"MACs: {count(graph)} in the graph = mapped = counted independently{by}"
    else:
        line = f"MACs: {count(graph)} in the graph {_equal(graph, mapped)} {count(mapped)} mapped, "
        line += f"{_equal(graph, independent)} {count(independent)} counted independently{by}"
    if macs.get("macs_setup"):
        line += f"; set-up, once: {count(macs['macs_setup'])}"
    return [line, coverage_line(coverage)]


def check_lines(document: Document) -> list[str]:
    """What a reader should look at before believing the numbers."""
    return [*precision_lines(document), *dram_line(document), *conservation_lines(document)]


def _equal(one: Any, other: Any) -> str:
    return "=" if one == other else "≠"


def measured_beside_modelled(document: Document) -> Table:
    """The same program as modelled and as measured here; each column says what it includes.

    The two have different boundaries, so no ratio is formed.
    """
    measured, total, model = document.get("measured"), document["totals"], document["model"]
    modelled = f"modelled: {document['design']['name']}"
    if not measured:
        reason = document.get("measured_reason") or "not asked for"
        return Table("Measured beside modelled", (), (), (f"Not measured: {reason}.",))
    device, latency = measured["device"], measured["latency"]
    name = str(device.get("name") or device.get("type"))
    here = f"measured: {name if len(name) < 34 else name[:33] + '…'}"
    energy = measured.get("energy") or {}
    joules = energy.get("value", energy.get("gross_per_iter_J"))
    memory = measured.get("memory") or {}
    peak = memory.get("max_allocated_B") or memory.get("analytic_peak_B") or memory.get("live_peak_B")
    size = f"batch {model['batch']}"
    value, interval = quantity(total["latency_s"], "s")
    rows = [
        (
            f"latency, {size}",
            f"{value} ({interval})" if interval else value,
            f"p50 {engineering(latency['p50_s'], 's')}, p95 {engineering(latency['p95_s'], 's')}"
            f" (n = {latency['n']})",
        )
    ]
    value, interval = quantity(total["energy_J"], "J")
    rows.append(
        (
            f"energy, {size}",
            f"{value} ({interval})" if interval else value,
            engineering(joules, "J")
            if joules is not None
            else f"not measured: {energy.get('reason') or 'no energy counter'}",
        )
    )
    if peak is not None:
        rows.append(("peak memory", DASH, engineering(peak, "B")))
    rows.append(("numbers", f"{model['precision']} integers", _measured_numbers(measured)))
    rows.append(("includes", str(document["boundary"]), _measured_boundary(measured)))
    return Table(
        "Measured beside modelled",
        ("", modelled, here),
        tuple(rows),
        ("Different boundaries: the two columns stand side by side and are not divided.",),
    )


def _measured_numbers(measured: Mapping[str, Any]) -> str:
    software = measured.get("software") or {}
    parts = [(measured.get("model") or {}).get("dtype") or software.get("default_dtype") or ""]
    if software.get("torch"):
        parts.append(f"torch {software['torch']}")
    if measured["device"].get("type") == "cpu" and software.get("threads"):
        parts.append(f"{software['threads']} threads")
    return ", ".join(part for part in parts if part)


def _measured_boundary(measured: Mapping[str, Any]) -> str:
    if measured["device"].get("type") == "cpu":
        return "the whole call on the host: processor, memory, Python"
    return "device time of the call between two events; the host is not in it"


def measured_operators(document: Document, most: int = 12) -> dict[str, float]:
    """Measured self time [s] by operator of one call, the greatest first; the rest as ``others``."""
    measured = document.get("measured") or {}
    found: dict[str, float] = {}
    for row in measured.get("kernels") or ():
        seconds = row.get("device_s") or row.get("self_s", row.get("total_s", 0.0))
        name = str(row.get("name") or row.get("op"))
        found[name] = found.get(name, 0.0) + float(seconds or 0.0)
    ordered = sorted(((k, v) for k, v in found.items() if v > 0), key=lambda item: -item[1])
    top = dict(ordered[:most])
    if len(ordered) > most:
        top[f"{len(ordered) - most} others"] = sum(value for _, value in ordered[most:])
    return top


def parameter_value(p: Mapping[str, Any]) -> tuple[str, str]:
    """Value with unit and interval of a parameter; an exact one has no interval."""
    unit = p.get("unit") or "1"
    value = f"{general(p['value'])} {'' if unit == '1' else unit}".rstrip()
    low, high = p.get("low"), p.get("high")
    if low is None or high is None or low == high:
        return value, DASH
    return value, f"{general(low)} to {general(high)}"


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
            text = ", ".join(_number(v) if not isinstance(v, (Mapping, list)) else str(v) for v in value)
            yield name, text if len(text) < 400 else text[:400] + " …"
        else:
            yield name, _number(value)


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
        name = "set-up, once" if str(o.phase) == "setup" else operator_class(o)
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
        row = found.setdefault(o.module or "(model)", [0, 0, 0])
        for index, value in enumerate((o.repeat, o.total_macs, (o.bytes_in + o.bytes_out) * o.repeat)):
            row[index] += value
    ordered = sorted(found.items(), key=lambda item: (-item[1][1], -item[1][2]))
    rows = [(name, count(r[0]), count(r[1]), engineering(r[2], "B")) for name, r in ordered[:most]]
    if len(ordered) > most:
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


def loop_lines(graph: OperatorGraph) -> list[str]:
    """One line a loop: what repeats, how often, and whether something passes on."""
    return [
        f"Loop {loop.id}: {loop.axis} × {loop.count}"
        + (", recurrent" if loop.recurrent else "")
        + (f", inside {loop.parent}" if loop.parent else "")
        for loop in graph.loops.values()
    ]


def coverage_line(coverage: Mapping[str, Any]) -> str:
    """Does every operator have a rule, and if not, what is left out?"""
    unruled = coverage.get("unruled") or []
    if not unruled:
        return "Coverage: every operator has a rule"
    names = sorted({str(entry.get("op", entry.get("operator"))) for entry in unruled})
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return (
        f"Coverage: INCOMPLETE, {len(unruled)} operators without a rule ({shown}): "
        f"{percent(coverage.get('share_operators'))} of operators, "
        f"{percent(coverage.get('share_bytes'))} of bytes are not priced"
    )
