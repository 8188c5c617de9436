"""Bars of an estimate as SVG: energy and time by class of operator and component, measured time.

Figures are drawn with matplotlib's object interface, so no window system and no global state is
touched. The palette keeps apart for colour-blind readers (Okabe and Ito; Tol), and every value that
a figure shows stands in a table beside it as well.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from cost_models.workload.operators import SHARED_WORK
from rmaat_hw.report import evidence, tables
from rmaat_hw.report.numbers import digits, engineering, scale

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from cost_models.workload.graph import OperatorGraph

WIDTH = 7.2  # inches: the text width of a two-column page
MOST_COLOURS = 8
OTHERS = "others"
GREY = "#9a9a9a"
# One colour a component, the same in every figure; families share a hue.
COLOURS: Mapping[str, str] = {
    "cell": "#332288",
    "word_line_driver": "#6699cc",
    "bit_line_driver": "#88ccee",
    "dac": "#44aa99",
    "adc": "#d55e00",
    "multiplexer": "#aa4499",
    "accumulation": "#e69f00",
    "digital_mac": "#117733",
    "special_function": "#999933",
    "buffer": "#0072b2",
    "wire": "#ddcc77",
    "write_path": "#cc6677",
    "control": "#661100",
    "leakage": "#555555",
    "dram": "#882255",
}
_STYLE: dict[Any, Any] = {
    "font.size": 9,
    "font.family": "sans-serif",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "text.parse_math": False,  # a dollar in a module's name is a dollar
    "svg.fonttype": "none",  # text stays text: small, sharp, searchable
    "svg.hashsalt": "rmaat-hw",  # the same figure is the same file
}


DOTS_PER_INCH = 300


def colour(component: str) -> str:
    """The colour of a component; grey for what has none of its own."""
    return COLOURS.get(component, GREY)


def style() -> AbstractContextManager[None]:
    """The figures' settings of matplotlib, for the length of a block."""
    import matplotlib

    return matplotlib.rc_context(_STYLE)


def new_figure(width: float, height: float) -> Figure:
    """A figure [inches] outside of pyplot's registry."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def to_svg(figure: Figure, description: str) -> str:
    """Inline SVG of a figure, with an accessible description and no reference to anything outside."""
    stream = io.StringIO()
    with style():
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    svg = stream.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\s(width|height)="[\d.]+pt"', "", svg, count=2)
    label = description.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
    return svg.replace("<svg", f'<svg role="img" aria-label="{label}"', 1).strip()


def _cells(
    document: tables.Document, measure: str, classes: Mapping[str, str]
) -> tuple[list[str], list[str], dict[tuple[str, str], float]]:
    """Rows (classes), colours (components, the small ones merged) and the value of every pair."""
    by_component = tables.sums(document["breakdown"], measure)
    shown = list(by_component)[: MOST_COLOURS if len(by_component) <= MOST_COLOURS else MOST_COLOURS - 1]
    values: dict[tuple[str, str], float] = {}
    for leaf in document["breakdown"]:
        component = leaf["component"] if leaf["component"] in shown else OTHERS
        key = classes.get(leaf["operator"], SHARED_WORK), component
        values[key] = values.get(key, 0.0) + float(leaf[measure])
    rows = list(tables.sums(document["breakdown"], measure, classes))
    if any(component == OTHERS and value for (_, component), value in values.items()):
        shown.append(OTHERS)
    return rows, shown, values


def stacked(
    document: tables.Document,
    graph: OperatorGraph | None,
    *,
    measure: str,
    unit: str,
    total: Mapping[str, Any] | None,
    label: str,
) -> Figure:
    """The total with its 90 % interval, then stacked bars: the total and each class of operator."""
    classes = tables.operator_classes(graph) if graph is not None else {}
    rows, components, values = _cells(document, measure, classes)
    whole = sum(values.values())
    factor, prefixed = scale(whole, unit)
    names = ["total", *rows]
    with style():
        figure = new_figure(WIDTH, 1.6 + 0.3 * len(names))
        strip, axes = figure.subplots(2, height_ratios=(1, 1.3 * len(names)))
        _interval(strip, total, factor, prefixed)
        places = list(range(len(names)))
        starts = [0.0] * len(names)
        for component in components:
            widths = [sum(values.get((row, component), 0.0) for row in rows) / factor]
            widths += [values.get((row, component), 0.0) / factor for row in rows]
            axes.barh(
                places,
                widths,
                left=starts,
                height=0.68,
                color=GREY if component == OTHERS else colour(component),
                edgecolor="white",
                linewidth=0.5,
                label=tables.component_name(component),
            )
            starts = [start + width for start, width in zip(starts, widths, strict=True)]
        for place, length in zip(places, starts, strict=True):
            _label(axes, length, place, engineering(length * factor, unit))
        axes.set_xlim(0, 1.14 * starts[0] or 1.0)
        axes.set_yticks(places, names)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"{label} [{prefixed}]")
        if components:
            axes.legend(
                loc="lower right",
                frameon=False,
                ncols=2,
                fontsize=8,
                handlelength=1,
                columnspacing=1.2,
            )
    return figure


def _interval(axes: Axes, total: Mapping[str, Any] | None, factor: float, unit: str) -> None:
    """Draw the total with its 90 % interval on a logarithmic strip of its own.

    An interval of a factor of ten would squeeze the bars below into a corner of a common axis.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_yticks([])
    if not total or not total.get("value") or not total.get("low") or not total.get("high"):
        axes.set_axis_off()
        return
    value, low, high = (total[name] / factor for name in ("value", "low", "high"))
    axes.set_xscale("log")
    axes.set_xlim(low / 1.6, high * 1.6)
    axes.set_ylim(-1, 1.6)
    axes.plot([low, high], [0, 0], color="black", linewidth=1.3, marker="|", markersize=9)
    axes.plot([value], [0], color="#d55e00", marker="o", markersize=5)
    for place in (low, value, high):
        axes.annotate(
            digits(place), (place, 0), xytext=(0, 7), textcoords="offset points", ha="center", fontsize=8
        )
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks([0], [f"90 % interval [{unit}]"])
    axes.tick_params(axis="y", length=0)


def _label(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(5, 0), textcoords="offset points", va="center", fontsize=8)


def energy(document: tables.Document, graph: OperatorGraph | None) -> Figure:
    """Energy of one pass of the program, by class of operator and component."""
    return stacked(
        document,
        graph,
        measure="energy_J",
        unit="J",
        total=document["totals"]["energy_J"],
        label=f"energy per {tables.one_pass(document)}",
    )


def latency(document: tables.Document, graph: OperatorGraph | None) -> Figure:
    """Time on the critical path, by class of operator and component."""
    return stacked(
        document,
        graph,
        measure="latency_s",
        unit="s",
        total=document["totals"]["latency_s"],
        label=f"exposed time per {tables.one_pass(document)}",
    )


def area(document: tables.Document) -> Figure:
    """Area by component."""
    return _bars(tables.sums(document["breakdown"], "area_m2"), "m²", "area", colours=True)


def measured(document: tables.Document) -> Figure:
    """Measured self time by operator of one call, the longest first."""
    return _bars(
        evidence.measured_operators(document), "s", "self time of one call under the profiler", colours=False
    )


def _bars(values: Mapping[str, float], unit: str, label: str, *, colours: bool) -> Figure:
    factor, prefixed = scale(max(values.values(), default=0.0), unit)
    with style():
        figure = new_figure(WIDTH, 0.7 + 0.24 * len(values))
        axes = figure.add_subplot()
        lengths = [value / factor for value in values.values()]
        places = list(range(len(lengths)))
        paint: Sequence[str] | str = [colour(name) for name in values] if colours else "#0072b2"
        axes.barh(places, lengths, height=0.68, color=paint)
        for place, (length, value) in enumerate(zip(lengths, values.values(), strict=True)):
            _label(axes, length, place, engineering(value, unit))
        axes.set_xlim(0, 1.12 * max(lengths, default=0.0) or 1.0)
        axes.set_yticks(places, [tables.component_name(name) if colours else name for name in values])
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel(f"{label} [{prefixed}]")
    return figure


def to_file(figure: Figure, kind: str) -> bytes:
    """Content of an "svg" or "png" file, for print; the same figure gives the same bytes."""
    stream = io.BytesIO()
    unnamed = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    with style():
        figure.savefig(stream, format=kind, dpi=DOTS_PER_INCH, metadata=unnamed)
    return stream.getvalue()
