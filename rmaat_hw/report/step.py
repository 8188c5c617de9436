"""What a training step consists of: its phases, what its products are to an array, its memory."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from cost_models.workload.operators import Phase
from rmaat_hw.report.numbers import DASH, count, engineering, percent
from rmaat_hw.report.tables import Table

if TYPE_CHECKING:
    from cost_models.workload.graph import OperatorGraph
    from rmaat_hw.trace import Trace
    from rmaat_hw.trace.memory import PeakBytes

_PRODUCTS = {
    "read": "read: weight × activation",
    "transposed read": "transposed read: weight × gradient",
    "weight gradient": "weight gradient: activation × gradient",
    "dynamic": "dynamic: neither stands still",
}


def by_phase(graph: OperatorGraph) -> Table:
    """Operators, executions, MACs and bytes of each phase; MACs also as a multiple of the forward pass."""
    forward = graph.totals_by_phase.get(Phase.FORWARD, {}).get("macs", 0)
    sizes = Counter(operator.phase for operator in graph.operators)
    rows = [
        _row("set-up, once" if phase is Phase.SETUP else str(phase), sizes[phase], totals, forward)
        for phase, totals in graph.totals_by_phase.items()
    ]
    rows.append(_row("total", len(graph.operators), graph.totals, forward))
    return Table(
        "By phase",
        ("phase", "operators", "executions", "MACs", "of forward", "bytes moved"),
        tuple(rows),
        numeric=frozenset(range(1, 6)),
    )


def _row(name: str, operators: int, totals: dict[str, int], forward: int) -> tuple[str, ...]:
    return (
        name,
        count(operators),
        count(totals["executions"]),
        count(totals["macs"]),
        f"{totals['macs'] / forward:.3f} ×" if forward else DASH,
        engineering(totals["bytes_in"] + totals["bytes_out"], "B"),
    )


def by_product(graph: OperatorGraph) -> Table:
    """MACs of the products by what they are to an array that holds the weights."""
    found = macs_by_product(graph)
    whole = sum(found.values())
    rows = [
        (_PRODUCTS[name], count(macs), percent(macs / whole) if whole else DASH)
        for name, macs in found.items()
        if macs
    ]
    return Table(
        "Products", ("to an array of weights", "MACs", "share"), tuple(rows), numeric=frozenset({1, 2})
    )


def macs_by_product(graph: OperatorGraph) -> dict[str, int]:
    """MACs of the whole step by kind of product."""
    from rmaat_hw.trace.products import ProductKind, product_kinds

    kinds = product_kinds(graph)
    found = {str(kind): 0 for kind in ProductKind}
    for operator in graph.operators:
        if operator.id in kinds:
            found[str(kinds[operator.id])] += operator.total_macs
    return found


def memory_line(peak: PeakBytes) -> str:
    """What is held at the worst moment, in one sentence."""
    parts = ", ".join(
        f"{name} {engineering(size, 'B')}"
        for name, size in sorted(peak.parts.items(), key=lambda item: -item[1])
        if size
    )
    return f"Peak memory: {engineering(peak.total, 'B')} ({parts}), without what kernels need inside"


def document(traced: Trace) -> dict[str, Any]:
    """The figures of a traced training step, for JSON."""
    graph, peak = traced.graph, traced.peak_bytes
    figures: dict[str, Any] = {
        "phases": {
            str(phase): {
                "executions": totals["executions"],
                "macs": totals["macs"],
                "bytes_in_B": totals["bytes_in"],
                "bytes_out_B": totals["bytes_out"],
            }
            for phase, totals in graph.totals_by_phase.items()
        },
        "macs_by_product": macs_by_product(graph),
    }
    if peak is not None:
        figures["peak_memory"] = {
            "total_B": peak.total,
            "activations_B": peak.activations,
            "by_phase_B": {str(phase): size for phase, size in peak.by_phase.items()},
            "parts_B": dict(peak.parts),
        }
    return figures
