"""One self-contained page of an estimate: figures as inline SVG, every table, no outside reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rmaat_hw.report import diagram, evidence, figures, listings, tables

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cost_models.workload.graph import OperatorGraph

TEMPLATE = "estimate.html.j2"


def render_page(document: tables.Document, graph: OperatorGraph | None) -> str:
    """The report of an estimate as one HTML document."""
    return render(TEMPLATE, context(document, graph))


def render(template: str, values: Mapping[str, Any]) -> str:
    """One of the templates with its values; what a template names must be there."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("rmaat_hw.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)


def context(document: tables.Document, graph: OperatorGraph | None) -> dict[str, Any]:
    """What the template shows: text, tables and finished figures."""
    measured = document.get("measured")
    drawing = diagram.operator_graph(graph) if graph is not None else None
    return {
        "title": tables.title(document),
        "subtitle": tables.subtitle(document),
        "created": document["created_utc"],
        "version": (document.get("versions") or {}).get("rmaat-hw") or "",
        "boundary": document["boundary"],
        "activity": document["activity"].get("description", ""),
        "totals": tables.totals(document),
        "energy_figure": inline_svg(
            figures.energy(document, graph),
            "Energy by class of operator and component, with the 90 % interval",
        ),
        "latency_figure": inline_svg(
            figures.latency(document, graph),
            "Exposed time by class of operator and component, with its interval",
        ),
        "area_figure": inline_svg(figures.area(document), "Area by component"),
        "graph_figure": None if drawing is None else inline_svg(drawing, "Operator graph, folded"),
        "graph_caption": _graph_caption(document),
        "checks": evidence.check_lines(document),
        "comparison": evidence.measured_beside_modelled(document),
        "measured_figure": inline_svg(figures.measured(document), "Measured self time by operator")
        if measured and evidence.measured_operators(document)
        else None,
        "slowdown": (measured or {}).get("profile", {}).get("slowdown"),
        "notes": list(document.get("notes") or ()),
        "by_component": tables.breakdown_by_component(document),
        "programming": tables.programming(document),
        "by_operator": tables.breakdown_by_operator(document, graph),
        "parameters": listings.parameters(document),
        "settings": listings.settings(document),
        "versions": listings.versions(document),
        "terms": GLOSSARY,
    }


def inline_svg(figure: Figure, description: str) -> Any:
    """A figure as part of a page, with its description for those who do not see it."""
    from markupsafe import Markup

    return Markup(figures.to_svg(figure, description))  # our own drawing: matplotlib escapes its texts


def _graph_caption(document: tables.Document) -> str:
    trace = document.get("trace") or {}
    parts = []
    if trace.get("unfolded_operators") is not None:
        parts.append(f"{trace['unfolded_operators']:,} executed operators fold to {trace['operators']:,}")
    parts.append("frames are loops with their number of iterations")
    parts.append("dashed edges pass from one iteration to the next")
    return "; ".join(parts) + "."


# Terms of the page, in the words of docs/glossary.md.
GLOSSARY: tuple[tuple[str, str], ...] = (
    (
        "boundary",
        "What a number includes. Numbers with different boundaries stand side by side and are not divided.",
    ),
    (
        "90 % interval",
        "From the 5th to the 95th percentile when all parameters vary together within their own intervals.",
    ),
    ("activity", "The share of ones and the magnitudes in the data that the energy was computed with."),
    (
        "exposed time",
        "Time on the critical path: what is left of a step when all that overlaps is hidden.",
    ),
    ("busy time", "How long a component works, whether or not something else hides it."),
    ("MAC", "One multiplication and one addition into a sum; it counts as two operations in TOPS/W."),
    ("weight × activation", "A product with a matrix that is programmed once and then only read."),
    (
        "state × activation",
        "A product with a matrix written anew in every segment and read many times.",
    ),
    ("activation × activation", "A product of two matrices that are both new for every input."),
    ("shared blocks", "What serves all operators and is charged to none: common areas, and their leakage."),
    (
        "noise of a column sum",
        "Standard deviation in steps of one cell, the difference between two neighbouring levels; effective "
        "bits are the resolution of an ideal converter with that noise.",
    ),
    ("p50, p95", "Median and 95th percentile of the calls that were measured."),
    ("padded work", "Work on rows that carry no token: the sequence is filled up to whole segments."),
    ("set-up", "Work that does not depend on the input; done once, with programming."),
)
