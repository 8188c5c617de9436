"""The tables of an estimate, as plain rows of text: the screen and the page show the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cost_models.workload.operators import SHARED_WORK
from rmaat_hw.report.numbers import (
    DASH,
    bar,
    count,
    duration,
    engineering,
    percent,
    plain,
    quantity,
)

if TYPE_CHECKING:
    from cost_models.workload.graph import OperatorGraph

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

# Likewise the leaves of programming.
PROGRAMMING_NAMES: Mapping[str, str] = {
    "cell": "program pulses on cells",
    "erase": "erase pulses",
    "word_line": "word lines",
    "bit_line": "bit lines",
    "source_line": "source lines",
    "well": "well",
    "inhibited_line": "inhibited lines",
    "inhibited_cell": "inhibited cells",
    "driver": "high-voltage drivers",
    "verify": "verifying reads",
    "supply_loss": "supply, loss",
    "supply_idle": "supply, idle",
    "supply_startup": "supply, start",
    "read_after_write": "wait before a read",
}


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


def operator_classes(graph: OperatorGraph) -> dict[str, str]:
    """Operator id → class, for every operator of the graph."""
    return {operator.id: operator.work for operator in graph.operators}


def sums(
    breakdown: Iterable[Mapping[str, Any]], measure: str, by: Mapping[str, str] | None = None
) -> dict[str, float]:
    """Sum a measure of the leaves by component, or by the operator's class where ``by`` maps it.

    Zero sums are left out; the greatest comes first.
    """
    found: dict[str, float] = {}
    for leaf in breakdown:
        key = leaf["component"] if by is None else by.get(leaf["operator"], SHARED_WORK)
        found[key] = found.get(key, 0.0) + float(leaf[measure])
    return dict(sorted(((k, v) for k, v in found.items() if v), key=lambda item: -item[1]))


def title(document: Document) -> str:
    """What was estimated, in one line."""
    model, design = document["model"], document["design"]
    chip = f"{design['title']} ({design['name']})" if design.get("title") else str(design["name"])
    return f"{model['name']}, on {chip}"


def subtitle(document: Document) -> str:
    """Shape of the work, in one line."""
    model = document["model"]
    parts = ["one pass" if model["batch"] is None else f"batch {model['batch']}"]
    if model.get("sequence_length"):
        parts_of = model.get("segments")
        segments = f" in {parts_of} segment{'s' if parts_of > 1 else ''}" if parts_of else ""
        parts.append(f"{count(model['sequence_length'])} tokens{segments}")
    if model.get("parameters") is not None:
        parts.append(f"{engineering(model['parameters'], '1')} parameters")
    parts.append(_precision(document))
    return " · ".join(parts)


def one_pass(document: Document) -> str:
    """What one pass works on: a sequence, a batch of them, or what the program's own inputs hold."""
    batch = document["model"]["batch"]
    if batch is None:
        return "pass"
    return "sequence" if batch == 1 else f"batch of {batch}"


def totals(document: Document) -> Table:
    """Energy, time, area, power and efficiency, each with its 90 % interval."""
    total, model = document["totals"], document["model"]
    per_sequence = document.get("per_sequence") or {}
    padding = document.get("padding") or {}
    rows: list[tuple[str, ...]] = []

    def add(name: str, pair: tuple[str, str], remark: str = "") -> None:
        rows.append((name, *pair, remark))

    unit_of_work = one_pass(document)
    if per_sequence.get("energy_J"):
        remark = "padding included" if padding else ""
        add("energy per sequence", quantity(per_sequence["energy_J"], "J"), remark)
    if (document.get("per_real_token") or {}).get("energy_J"):
        add("  per real token", quantity(document["per_real_token"]["energy_J"], "J"), _real_tokens(padding))
    if padding:
        add("  of it padded work", quantity(padding.get("energy_J"), "J"), _padded(padding))
    if unit_of_work != "sequence":
        add(f"energy per {unit_of_work}", quantity(total["energy_J"], "J"))
    add(f"latency per {unit_of_work}", quantity(total["latency_s"], "s"))
    add("area", quantity(total["area_m2"], "m²"), _cells(document["design"]))
    add("average power", quantity(total["average_power_W"], "W"))
    add("efficiency", plain(total["tops_per_watt"], "TOPS/W"), f"{model['precision']}, {MAC_NOTE}")
    programming = document.get("programming") or {}
    if programming:
        time = quantity(programming.get("latency_s"), "s")[0]
        add(
            "programming, once",
            quantity(programming.get("energy_J"), "J"),
            f"in {time}, {count(programming.get('cells'))} cells{_largest_leaf(programming)}",
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
        (f"Boundary: {document['boundary']}.", *extrapolation_lines(document)),
        frozenset({1, 2}),
    )


def extrapolation_lines(document: Document) -> list[str]:
    """What lies outside the range of its source, one sentence each; such a result is no prediction."""
    return [f"Extrapolated: {sentence}." for sentence in document.get("extrapolated") or ()]


def _largest_leaf(programming: Mapping[str, Any]) -> str:
    """What most of the energy of programming goes into, as the end of a remark."""
    energies = {
        leaf["leaf"]: leaf["energy_J"]["value"]
        for leaf in programming.get("breakdown") or ()
        if leaf.get("energy_J")
    }
    if not energies:
        return ""
    largest = max(energies, key=lambda name: energies[name])
    share = energies[largest] / sum(energies.values())
    return f", {PROGRAMMING_NAMES.get(largest, largest)} {percent(share)}"


def programming(document: Document) -> Table:
    """Energy and time of programming by leaf; without rows where the document has none."""
    once = document.get("programming") or {}
    leaves = once.get("breakdown") or ()
    whole = sum(leaf["energy_J"]["value"] for leaf in leaves if leaf.get("energy_J"))
    rows = [
        (
            PROGRAMMING_NAMES.get(leaf["leaf"], leaf["leaf"]),
            quantity(leaf.get("energy_J"), "J")[0],
            percent(leaf["energy_J"]["value"] / whole) if leaf.get("energy_J") else DASH,
            quantity(leaf.get("energy_J"), "J")[1],
            quantity(leaf.get("latency_s"), "s")[0],
        )
        for leaf in leaves
    ]
    if rows:
        energy = quantity(once.get("energy_J"), "J")
        rows.append(("total", energy[0], "100 %", energy[1], quantity(once.get("latency_s"), "s")[0]))
    return Table(
        "Programming, once",
        ("leaf", "energy", "share", "90 % interval", "time"),
        tuple(rows),
        ("Nominal values sum to the totals, ends of intervals do not.",) if rows else (),
        frozenset(range(1, 5)),
    )


def _precision(document: Document) -> str:
    bits, name = document.get("precision") or {}, document["model"]["precision"]
    if bits.get("weight_bits") is None:
        return str(name)
    return f"{name}: weights {bits['weight_bits']} bit, activations {bits['input_bits']} bit"


def _real_tokens(padding: Mapping[str, Any]) -> str:
    real = padding.get("real_tokens")
    return "" if real is None else f"{count(real)} real tokens (mean)"


def _padded(padding: Mapping[str, Any]) -> str:
    if padding.get("share") is None:
        return ""
    rows = padding.get("padded_tokens")
    return f"{percent(padding['share'])}" + ("" if rows is None else f", {count(rows)} padding tokens (mean)")


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
        rest = entries[most - 1 :]  # at least two
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
            engineering(by["energy_J"].get(name), "J"),
            percent(by["energy_J"][name] / whole) if name in by["energy_J"] else DASH,
            *(engineering(by[m].get(name), u) for m, u in zip(measures[1:], units[1:], strict=True)),
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
                operator.work if operator else SHARED_WORK,
                count(operator.repeat) if operator else "",
                (count(operator.total_macs) if operator.total_macs else DASH) if operator else "",
                engineering(energy[name], "J"),
                percent(energy[name] / whole) if whole else DASH,
                engineering(time[name] or None, "s"),
            )
        )
    return Table(
        "By operator",
        ("operator", "class", "repeats", "MACs", "energy", "share", "exposed time"),
        tuple(rows),
        numeric=frozenset(range(2, 7)),
    )
