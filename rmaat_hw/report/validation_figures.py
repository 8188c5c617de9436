"""Figures of a validation: predictions over published figures, errors of chips, trends."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rmaat_hw.report.device_panels import power
from rmaat_hw.report.figures import GREY, WIDTH, new_figure, style
from rmaat_hw.report.tables import Document
from rmaat_hw.report.validation_tables import TECHNOLOGIES, VARIANTS, technology_name
from rmaat_hw.validation.rows import KINDS, RISING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: Okabe and Ito; a shape as well, for those who see no colour.
MARKS: Mapping[str, tuple[str, str]] = {
    "sram_digital": ("#0072b2", "o"),
    "sram_analog": ("#56b4e9", "s"),
    "rram": ("#d55e00", "^"),
    "pcm": ("#cc79a7", "D"),
    "mram": ("#009e73", "v"),
    "ferroelectric": ("#e69f00", "P"),
}
_BARS: Mapping[str, str] = {"judged": "#0072b2", "uncalibrated": "#9ac3e0", "null": GREY}
_COLUMNS = 3  # of trends
_MOST_TRENDS = 12


def scatter(document: Document) -> Figure | None:
    """Predicted over published with 90 % intervals, one panel a kind; None without any."""
    groups = {kind: _comparable(document, kind) for kind in KINDS}
    shown = {kind: rows for kind, rows in groups.items() if rows}
    if not shown:
        return None
    with style():
        figure = new_figure(WIDTH, 3.3 if len(shown) > 1 else 4.4)
        panels = figure.subplots(1, len(shown), squeeze=False)[0]
        for axes, (kind, rows) in zip(panels, shown.items(), strict=True):
            _scatter(axes, kind, rows)
        _technology_legend(figure, [row for rows in shown.values() for row in rows])
    return figure


def _comparable(document: Document, kind: str) -> list[Mapping[str, Any]]:
    """Rows of a kind that a logarithmic axis can hold."""
    return [
        row
        for row in document["rows"]
        if row["kind"] == kind
        and row["type"] == "prediction"
        and not row["share"]
        and (row["predicted"] or 0.0) > 0.0
        and row["published"] > 0.0
    ]


def _scatter(axes: Axes, kind: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Cost beside cost: an efficiency counts as its inverse; above the line a prediction is too dear.

    Each metric has its own unit, so every figure is divided by the median of its metric.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    medians = _medians(rows)
    ends = []
    for row in rows:
        base, exponent = medians[row["metric"], row["unit"]], -1.0 if row["metric"] in RISING else 1.0
        x, y = (row["published"] / base) ** exponent, (row["predicted"] / base) ** exponent
        colour, shape = MARKS.get(row["technology"], (GREY, "o"))
        ends += [x, y]
        if row["low"] and row["high"]:
            bounds = [(row[end] / base) ** exponent for end in ("low", "high")]
            ends += bounds
            axes.plot([x, x], bounds, color=colour, linewidth=0.7, alpha=0.45)
        axes.plot(
            [x],
            [y],
            shape,
            color=colour,
            markersize=4.2,
            markerfacecolor=colour if row["in_statistics"] else "white",
            alpha=0.85,
        )
    low, high = min(ends) / 1.5, max(ends) * 1.5
    for factor, line in ((1.0, "-"), (2.0, ":"), (0.5, ":")):
        axes.plot([low, high], [low * factor, high * factor], line, color="#444444", linewidth=0.8, zorder=0)
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(numticks=6))
        axis.set_major_formatter(FuncFormatter(power))
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.set_aspect("equal")
    axes.spines["left"].set_visible(True)
    axes.set_title(kind, fontsize=9, loc="left", weight="bold")
    axes.set_xlabel(f"published {kind} / median")
    axes.set_ylabel(f"predicted {kind} / median")


def _medians(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], float]:
    values: dict[tuple[str, str], list[float]] = {}
    for row in rows:
        values.setdefault((row["metric"], row["unit"]), []).append(math.log(row["published"]))
    return {key: math.exp(sorted(logs)[len(logs) // 2]) for key, logs in values.items()}


def _technology_legend(figure: Figure, rows: Sequence[Mapping[str, Any]]) -> None:
    from matplotlib.lines import Line2D

    present = [name for name in TECHNOLOGIES if any(row["technology"] == name for row in rows)]
    handles = [
        Line2D([], [], color=MARKS[name][0], marker=MARKS[name][1], linestyle="", label=technology_name(name))
        for name in present
    ]
    handles.append(Line2D([], [], color="#444444", linewidth=0.8, label="equal"))
    handles.append(Line2D([], [], color="#444444", linewidth=0.8, linestyle=":", label="factor 2"))
    if any(not row["in_statistics"] for row in rows):
        handles.append(
            Line2D(
                [], [], color=GREY, marker="o", markerfacecolor="white", linestyle="", label="does not count"
            )
        )
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(len(handles), 5),
        frameon=False,
        fontsize=8,
        handletextpad=0.4,
        columnspacing=1.1,
    )


def errors(document: Document) -> Figure | None:
    """Error of every chip as a factor: judged, uncalibrated, and of the null model; None without any."""
    panels = [(kind, [c for c in document["chips"] if c["kind"] == kind]) for kind in KINDS]
    panels = [(kind, chips) for kind, chips in panels if chips]
    if not panels:
        return None
    heights = [0.23 * len(chips) + 0.35 for _, chips in panels]
    judged = document["judged"]
    with style():
        figure = new_figure(WIDTH, sum(heights) + 0.9)
        axes_of = figure.subplots(len(panels), 1, squeeze=False, sharex=True, height_ratios=heights)[:, 0]
        for axes, (kind, chips) in zip(axes_of, panels, strict=True):
            series = {"judged": [chip["factors"][judged] for chip in chips]}
            series["uncalibrated"] = [chip["factors"]["uncalibrated"] for chip in chips]
            if kind == "energy" and any(chip["null_factor"] for chip in chips):
                series["null"] = [chip["null_factor"] for chip in chips]
            _bars(axes, kind, [chip["case"] for chip in chips], series)
        axes_of[-1].set_xlabel("error as a factor (1 = exact)")
        _error_legend(figure, judged, any(chip["null_factor"] for _, chips in panels for chip in chips))
    return figure


def _bars(axes: Axes, kind: str, names: Sequence[str], series: Mapping[str, Sequence[float | None]]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator

    thickness = 0.8 / len(series)
    most = 2.2
    for place, (name, factors) in enumerate(series.items()):
        at = [index + (place - (len(series) - 1) / 2) * thickness for index in range(len(names))]
        known = [(y, factor) for y, factor in zip(at, factors, strict=True) if factor is not None]
        most = max([most, *(factor for _, factor in known)])
        axes.barh(
            [y for y, _ in known],
            [factor - 1.0 for _, factor in known],
            left=1.0,
            height=thickness * 0.92,
            color=_BARS[name],
        )
    for limit in (1.5, 2.0):
        axes.axvline(limit, color="#444444", linewidth=0.7, linestyle=":", zorder=0)
    axes.set_xscale("log")
    axes.set_xlim(1.0, max(most * 1.1, axes.get_xlim()[1]))
    axes.xaxis.set_major_locator(FixedLocator([1, 1.25, 1.5, 2, 3, 5, 10, 30, 100]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.set_title(kind, fontsize=9, loc="left", weight="bold")


def _error_legend(figure: Figure, judged: str, null: bool) -> None:
    from matplotlib.patches import Patch

    names = {"judged": VARIANTS[judged], "uncalibrated": "uncalibrated", "null": "null model"}
    figure.legend(
        handles=[Patch(color=_BARS[key], label=name) for key, name in names.items() if key != "null" or null],
        loc="outside lower center",
        ncols=3,
        frameon=False,
        fontsize=8,
    )


def trends(document: Document) -> Figure | None:
    """Trends in energy inside one chip, published beside predicted; None without any."""
    slopes = _chosen(document["slopes"])
    if not slopes:
        return None
    rows = math.ceil(len(slopes) / _COLUMNS)
    with style():
        figure = new_figure(WIDTH, 2.05 * rows + 0.35)
        grid = figure.subplots(rows, _COLUMNS, squeeze=False).reshape(-1)
        for axes, slope in zip(grid, slopes, strict=False):
            _trend(axes, slope)
        for axes in grid[len(slopes) :]:
            axes.set_axis_off()
        handles = grid[0].get_legend_handles_labels()[0]
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False, fontsize=8)
    return figure


def _chosen(slopes: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The longest trend of every chip and axis, as many as a page holds."""
    best: dict[tuple[str, str], Mapping[str, Any]] = {}
    for slope in slopes:
        key = slope["case"], slope["axis"]
        if key not in best or len(slope["values"]) > len(best[key]["values"]):
            best[key] = slope
    return list(best.values())[:_MOST_TRENDS]


_AXIS_LABELS = {
    "supply_voltage": "supply [V]",
    "input_bits": "input bits",
    "precision": "bits of input and weight",
    "rows_active": "active rows",
    "data": "data, in order of energy",
}


def _trend(axes: Axes, slope: Mapping[str, Any]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    axes.plot(
        slope["values"],
        slope["published"],
        "o",
        color="black",
        markersize=3.6,
        markerfacecolor="white",
        label="published",
    )
    axes.plot(slope["values"], slope["predicted"], color="#d55e00", linewidth=1.2, label="predicted")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1.0, 1.5, 2.0, 3.0, 5.0)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=slope["axis"] != "supply_voltage"))
    axes.spines["left"].set_visible(True)
    told = f", {slope['conditions']}" if slope["conditions"] else ""
    axes.set_title(f"{slope['case']}{told}", fontsize=8, loc="left")
    axes.set_xlabel(_AXIS_LABELS[slope["axis"]], fontsize=8)
    axes.set_ylabel("relative energy", fontsize=8)
    axes.tick_params(labelsize=7.5)
