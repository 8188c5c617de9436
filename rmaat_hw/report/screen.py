"""The one screen of an estimate, in rich."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table as RichTable
from rich.text import Text

from rmaat_hw.report import evidence, listings, step, tables

if TYPE_CHECKING:
    from cost_models.workload.graph import OperatorGraph
    from rmaat_hw.trace import Trace

MOST_ROWS = 7  # of a breakdown on the screen; the report has them all
BAR = 12  # character cells of a bar that means all of it
WIDTH_WITH_BARS = 98


def show_estimate(
    console: Console, document: tables.Document, graph: OperatorGraph | None, run: str | None = None
) -> None:
    """Print the screen; ``run`` is the folder that holds the whole report."""
    console.print(render_estimate(document, graph, run, bars=console.width >= WIDTH_WITH_BARS))


def render_estimate(
    document: tables.Document, graph: OperatorGraph | None, run: str | None = None, *, bars: bool = True
) -> RenderableType:
    """Lay the screen out: totals, two breakdowns side by side, checks, measurement, notes."""
    energy = tables.sums(document["breakdown"], "energy_J")
    classes = tables.operator_classes(graph) if graph is not None else {}
    by_class = tables.sums(document["breakdown"], "energy_J", classes)
    width = BAR if bars else 0
    halves = RichTable.grid(padding=(0, 3), expand=False)
    halves.add_row(
        grid(tables.shares("Energy by component", energy, "J", most=MOST_ROWS, width=width)),
        grid(tables.shares("Energy by class of operator", by_class, "J", most=MOST_ROWS, width=width)),
    )
    time = tables.sums(document["breakdown"], "latency_s")
    halves_of_time = tables.shares("", time, "s", most=4, width=0)
    exposed = ", ".join(f"{name} {share}" for name, _, share, _ in halves_of_time.rows)
    checks = evidence.check_lines(document)
    if exposed:
        checks.insert(0, f"Critical path: {exposed}")
    head = Text.assemble((tables.title(document), "bold"), "\n", (tables.subtitle(document), "dim"))
    parts: list[RenderableType] = [
        head,
        Text(),
        grid(tables.totals(document), value_style="bold"),
        Text(f"Boundary: {document['boundary']}", style="dim"),
        *(Text(line, style="bold red") for line in tables.extrapolation_lines(document)),
        Text(),
        halves,
        Text(),
        *(_check_line(line) for line in (*checks, _activity(document))),
        Text(),
        _measured(document),
    ]
    notes = [str(note) for note in document.get("notes") or ()]
    if notes:
        parts += [Text(), Text("Simplified: " + " ".join(notes), style="dim")]
    if run is not None:
        parts.append(Text.assemble("Report: ", (f"{run}/report.html", "bold")))
    return Padding(Group(*parts), (0, 1))


def _activity(document: tables.Document) -> str:
    return f"Activity: {document['activity'].get('description', '')}"


def show_trace(console: Console, traced: Trace, folder: str | None = None) -> None:
    """Print what a traced program consists of."""
    graph = traced.graph
    console.print(Text(graph.name, style="bold"))
    folded = f"{traced.unfolded_operators:,} executed operators, folded to {len(graph.operators):,}"
    console.print(Text(f"{folded}, traced in {traced.seconds:.2f} s", style="dim"))
    console.print()
    listed = [listings.graph_by_class(graph), listings.graph_by_module(graph)]
    for table in ([step.by_phase(graph), step.by_product(graph)] if graph.trains else []) + listed:
        console.print(grid(table))
        console.print()
    lines = [*listings.loop_lines(graph), evidence.coverage_line(graph.coverage()), *traced.notes]
    if traced.peak_bytes is not None:
        lines.insert(0, step.memory_line(traced.peak_bytes))
    for line in lines:
        console.print(_check_line(line))
    if folder is not None:
        console.print(Text.assemble("Graph: ", (f"{folder}/graph.json", "bold")))


def _check_line(line: str) -> Text:
    bad = "≠" in line or "INCOMPLETE" in line
    return Text(line, style="bold red" if bad else "")


def grid(table: tables.Table, value_style: str = "", *, unbroken: int = 3) -> RenderableType:
    """A table without lines; its title stands over it, or heads its first column.

    The first ``unbroken`` columns keep to one line.
    """
    columns = table.columns
    inside = any(columns) and not columns[0]
    shown = RichTable(
        box=None,
        show_header=any(columns),
        header_style="dim",
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for index, name in enumerate(columns):
        shown.add_column(
            Text(table.title, style="bold not dim cyan") if inside and index == 0 else name,
            justify="right" if index in table.numeric else "left",
            style=value_style if index == 1 else ("dim" if index == 3 and value_style else ""),
            no_wrap=index < unbroken,
        )
    for row in table.rows:
        shown.add_row(*(Text(cell) for cell in row))
    return shown if inside else Group(Text(table.title, style="bold cyan"), shown)


def _measured(document: tables.Document) -> RenderableType:
    table = evidence.measured_beside_modelled(document, brief=True)
    if not table.rows:
        return Group(Text(table.title, style="bold cyan"), *(Text(note) for note in table.notes))
    grid = RichTable(box=None, padding=(0, 3, 0, 0), pad_edge=False, header_style="bold")
    for index, name in enumerate(table.columns):
        grid.add_column(name, no_wrap=index == 0)
    for row in table.rows:
        grid.add_row(*(Text(cell) for cell in row))
    head = Text.assemble((table.title, "bold cyan"), *((f"  {note}", "dim") for note in table.notes))
    return Group(head, grid)
