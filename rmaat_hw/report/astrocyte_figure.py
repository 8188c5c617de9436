"""Figure of the astrocyte dynamics and of the retention factors they give."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from rmaat_hw.model.config import RETENTION_KINDS
from rmaat_hw.model.retention import SATURATION
from rmaat_hw.report.astrocyte import PLACES, Study
from rmaat_hw.report.figures import WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

HEIGHT = 6.0  # inches
BAND = "#ececec"
PLACE_COLOURS = {"corner": "#0072b2", "edge": "#e69f00", "centre": "#aa4499"}
PRE, POST = "#117733", "#d55e00"
LENGTH_COLOURS = ("#332288", "#0072b2", "#44aa99", "#d55e00", "#882255")  # few segments to many
_TITLES = {
    "fixed": "fixed cycle, r = {fixed:.4g}",
    "stretch": "stretched to T, r = {stretched:g} / T",
    "uniform": "uniform (ablation)",
}


def draw(study: Study) -> Figure:
    """Left the course of drive, neurons, synapses and both processes, right the factors by regime."""
    with style():
        figure = new_figure(WIDTH, HEIGHT)
        halves = figure.add_gridspec(1, 2, width_ratios=(1.45, 1))
        left = halves[0, 0].subgridspec(5, 1, height_ratios=(0.14, 1, 1, 1, 1.25))
        right = halves[0, 1].subgridspec(3, 1, height_ratios=(1.6, 1.6, 0.55))
        courses, regimes = (half.subplots(sharex=True, squeeze=False)[:, 0] for half in (left, right))
        _dynamics(list(courses), study)
        for axes, regime in zip(regimes, RETENTION_KINDS, strict=True):
            _factors(axes, study, regime)
        regimes[-1].set_xlabel("segment t")
        _legend_of_factors(regimes[0], study)
        figure.align_ylabels(courses[1:])
        figure.align_ylabels(regimes)
        for axes, letter in ((courses[0], "a"), (regimes[0], "b")):
            axes.annotate(
                letter,
                (0, 1),
                xytext=(-30, 8),
                xycoords="axes fraction",
                textcoords="offset points",
                weight="bold",
                size=11,
            )
    return figure


def _dynamics(courses: list[Axes], study: Study) -> None:
    run = study.dynamics
    drive, neurons, synapses, short, long = courses
    drive.fill_between(run.time_s, run.drive, step="post", color="#777777", linewidth=0)
    drive.set_yticks([])
    drive.set_ylabel("drive", rotation=0, ha="right", va="center")
    neurons.plot(run.time_s, run.presynaptic[:, 0], color=PRE, label="presynaptic")
    neurons.plot(run.time_s, run.postsynaptic[:, 1], color=POST, label="postsynaptic")
    neurons.set_ylabel("neurons x")
    for name, place in PLACES.items():
        look: dict[str, Any] = {"color": PLACE_COLOURS[name], "label": name, "linewidth": 1.1}
        synapses.plot(run.time_s, run.synapse[:, *place], **look)
        short.plot(run.time_s, run.short_term[:, *place], **look)
        long.plot(run.time_s, run.long_term[:, *place], **look)
    synapses.set_ylabel("synapses s")
    short.set_ylabel("short term pˢ")
    long.set_ylabel("long term pˡ")
    long.set_xlabel("time [s]")
    _cycle_ends(long, study)
    for axes in courses:
        axes.margins(x=0.01)
        axes.spines["left"].set_visible(axes is not drive)
        axes.spines["bottom"].set_visible(axes is not drive)
        axes.tick_params(bottom=axes is long, labelbottom=axes is long)
        if axes is drive:
            continue
        axes.set_ylim(0, 1.18 * axes.get_ylim()[1])
        for cycle in range(len(run.increments)):
            start = cycle * run.constants.cycle_s
            axes.axvspan(start, start + run.constants.on_s, color=BAND, linewidth=0, zorder=0)
    for axes in (neurons, short):
        axes.legend(**_small_legend(), ncols=3, loc="upper right")


def _cycle_ends(axes: Axes, study: Study) -> None:
    """The mean over the synapses at the ends of the cycles, and the level where it saturates."""
    run = study.dynamics
    ends = run.cycle_ends.mean(axis=(1, 2))
    times = run.constants.cycle_s * np.arange(1, len(ends) + 1)
    axes.plot(times, ends, "o", color="black", markersize=3.5, label="ends of cycles, mean", zorder=3)
    to_come = -math.exp(-study.rate) / math.expm1(-study.rate)  # ρ + ρ² + …
    limit = study.longer.increments.sum() + to_come * study.longer.increments[-1]
    axes.axhline(
        float(limit), color="black", linewidth=0.8, linestyle=(0, (4, 3)), label="where they saturate"
    )
    handles, labels = axes.get_legend_handles_labels()
    axes.legend(handles[-2:], labels[-2:], **_small_legend(), loc="lower right")


def _factors(axes: Axes, study: Study, regime: str) -> None:
    """Lines for the closed form, marks for the simulation."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

    lengths = _lengths(study)
    for length, paint in zip(lengths, LENGTH_COLOURS, strict=False):
        t = np.arange(1, length + 1)
        axes.plot(t, study.curves[regime, length, "closed_form"], color=paint, linewidth=1.0)
        axes.plot(
            t,
            study.curves[regime, length, "simulated"],
            "o",
            color=paint,
            markersize=3.6 if length <= 16 else 1.5,
            markerfacecolor="white",
            markeredgewidth=0.9,
        )
    ticks = FixedLocator([1, *lengths]) if lengths[-1] <= 20 else MaxNLocator(integer=True, nbins=6)
    axes.xaxis.set_major_locator(ticks)
    axes.spines["left"].set_visible(True)
    axes.set_title(
        _TITLES[regime].format(fixed=study.fixed_rate, stretched=SATURATION), fontsize=9, loc="left"
    )
    axes.set_ylabel("factor" if regime == "uniform" else "retention factor")
    if regime == "uniform":
        axes.set_ylim(0, 1.25)
        axes.set_yticks([0, 1])
        return
    smallest = min(float(study.curves[regime, length, "closed_form"][-1]) for length in lengths)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: f"{y:g}"))
    axes.set_ylim(max(smallest / 2, 1e-6), 1.3)


def _legend_of_factors(axes: Axes, study: Study) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], color=paint, label=f"T = {length}")
        for length, paint in zip(_lengths(study), LENGTH_COLOURS, strict=False)
    ]
    handles += [
        Line2D([], [], color="black", linewidth=1.0, label="closed form"),
        Line2D([], [], color="black", marker="o", markerfacecolor="white", linestyle="", label="simulated"),
    ]
    for handle in handles[-1:]:
        handle.set_markersize(3.6)
    axes.legend(handles=handles, **_small_legend(), ncols=2, loc="upper right")


def _lengths(study: Study) -> list[int]:
    return sorted({length for _, length, _ in study.curves})


def _small_legend() -> dict[str, Any]:
    return {
        "fontsize": 7.5,
        "frameon": False,
        "handlelength": 1.2,
        "columnspacing": 1.0,
        "borderaxespad": 0.2,
        "labelspacing": 0.3,
    }
