"""The report of a validation: screen, page and run folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rmaat_hw import runs
from rmaat_hw.report import validation_figures, validation_tables
from rmaat_hw.report.html import inline_svg, render
from rmaat_hw.report.tables import Document
from rmaat_hw.report.validation_precision import precision

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from rmaat_hw.validation import Validation

PAGE, DOCUMENT, FIGURES = "report.html", "report.json", "figures.csv"
_TEMPLATE = "validation.html.j2"
NARROWEST = 80
"""Columns of a screen that the tables need."""

#: Name of the file, what draws it, and what it shows.
_DRAWN = (
    (
        "predictions",
        validation_figures.scatter,
        "Predicted over published figures, with 90 % intervals, all as costs: an efficiency, a throughput or "
        "a density counts as its inverse. Each metric is divided by the median of its published figures, so "
        "that one panel holds all of a kind.",
    ),
    (
        "errors",
        validation_figures.errors,
        "Error of every chip, the median over its operating points, as a factor.",
    ),
    (
        "trends",
        validation_figures.trends,
        "Trends in energy inside one chip, relative to the first point: no factor can mend them. The longest "
        "trend of every chip and axis, the first twelve of them.",
    ),
)


def save_validation(
    found: Validation, *, out: Path | str | None = None, options: Mapping[str, Any] | None = None
) -> Path:
    """Write page, document, figures and table to a run folder and return it.

    ``out`` is a new or an empty folder; by default ``runs/<time>-validate-<hash>``.
    """
    from rmaat_hw.report.figures import to_file

    document = found.document()
    drawings = _drawings(document)
    asked = json.dumps({**(options or {}), "files": found.files, "seed": found.seed}, sort_keys=True)
    with runs.run_folder("validate", asked, out) as folder:
        folder.write(DOCUMENT, runs.to_json_text(document))
        folder.write(FIGURES, found.to_pandas().to_csv(index=False, float_format="%.10g"))
        for name, figure, _ in drawings:
            folder.write(f"{name}.svg", to_file(figure, "svg"))
        folder.write(PAGE, render(_TEMPLATE, _context(document, drawings)))
        folder.write_manifest(
            command="validate",
            options=options or {},
            seeds={"seed": found.seed},
            inputs=[Path(file) for file in found.files],
        )
    return folder.path


def render_page(document: Document) -> str:
    """The report of a validation as one HTML document."""
    return render(_TEMPLATE, _context(document, _drawings(document)))


def _drawings(document: Document) -> list[tuple[str, Figure, str]]:
    drawn = [(name, draw(document), told) for name, draw, told in _DRAWN]
    return [(name, figure, told) for name, figure, told in drawn if figure is not None]


def _context(document: Document, drawings: list[tuple[str, Figure, str]]) -> dict[str, Any]:
    """What the template shows: text, tables and finished figures."""
    tables = validation_tables
    return {
        "title": tables.title(document),
        "subtitle": tables.subtitle(document),
        "created": document["created_utc"],
        "version": document["versions"]["rmaat-hw"],
        "targets": tables.targets(document),
        "context": document["context"],
        "lines": tables.lines(document),
        "misses": tables.misses(document),
        "drawings": [(inline_svg(figure, told), told) for _, figure, told in drawings],
        "chips": tables.chips(document),
        "errors": tables.errors(document),
        "by_technology": tables.by_technology(document),
        "calibration": tables.calibration(document),
        "intervals": tables.intervals(document),
        "slopes": tables.slopes(document),
        "precision": precision(document),
        "cases": tables.cases(document),
        "notes": tables.notes(document),
        "refusals": tables.refusals(document),
        "figures": tables.figures(document),
    }


def show_validation(console: Console, document: Document, folder: str | None = None) -> None:
    """Print chips, statistics, targets and misses; ``folder`` holds the whole report."""
    from rich.padding import Padding
    from rich.text import Text

    from rmaat_hw.report.screen import grid

    tables = validation_tables
    console.print(Text(tables.title(document), style="bold"))
    console.print(Text(tables.subtitle(document), style="dim"))
    width = console.width
    # On a narrower screen lines run on: a number that is cut cannot be read.
    console.width = max(width, NARROWEST)
    for table in (
        tables.chips(document),
        tables.cases(document),
        tables.errors(document),
        tables.by_technology(document),
        tables.calibration(document),
        tables.intervals(document),
        tables.typical_slopes(document),
        precision(document),
        tables.targets(document),
        tables.misses(document),
    ):
        if table.rows:
            console.print(Padding(grid(table, unbroken=1), (1, 0, 0, 0)))
            for note in table.notes:
                console.print(Text(note, style="dim"))
    console.width = width
    console.print()
    for line in (*tables.refusals(document), *tables.lines(document), document["context"]):
        console.print(Text(line))
    if folder is not None:
        console.print(Text.assemble("Report: ", (f"{folder}/{PAGE}", "bold")))
