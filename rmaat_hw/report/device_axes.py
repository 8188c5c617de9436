"""Axes of the figure of a device: each draws the table of one panel, and only that."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from rmaat_hw.report.device_panels import Panel, brief, power
from rmaat_hw.report.numbers import scale

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLOURS = ("#332288", "#0072b2", "#44aa99", "#d55e00", "#882255", "#999933")  # small amplitude to large
CURVE, BAND, MARK = "#0072b2", "#0072b2", "#d55e00"
GREY = "#9a9a9a"
SMALL = 7.5
MAP = "viridis"
_WIDE_NAMES = 10  # letters of small print that the names of leaves take from the axes
_MOST_COLOURS = len(COLOURS)
_MICROCOULOMB = 100.0  # C/m² -> µC/cm²
#: Files' units as people read them.
_SPOKEN = {"ohm": "Ω", "C/m^2": "C/m²", "F/m^2": "F/m²", "A/m^2": "A/m²", "1": "1"}


def spoken(value: float, unit: str) -> str:
    """A parameter as it stands beside a bar."""
    if unit == "C/m^2":
        return f"{value * _MICROCOULOMB:.3g} µC/cm²"
    if unit == "F/m^2":
        return f"{value * 1e3:.3g} fF/µm²"
    if unit in ("1", "s") and value >= 1e4:
        return f"{power(value)}{'' if unit == '1' else ' s'}"
    return brief(value, _SPOKEN.get(unit, unit))


def _legend(axes: Axes, **changes: Any) -> None:
    settings: dict[str, Any] = {
        "fontsize": SMALL,
        "frameon": False,
        "handlelength": 1.2,
        "columnspacing": 1.0,
        "borderaxespad": 0.2,
        "labelspacing": 0.3,
    }
    axes.legend(**(settings | changes)).set_in_layout(False)


def _row_of_amplitudes(axes: Axes) -> None:
    """Legend over the curves, in room made for it."""
    count = len(axes.get_legend_handles_labels()[1])
    rows = 1 if count <= 4 else 2
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + (0.06 + 0.09 * rows) * (high - low))
    columns = -(-count // rows)
    _legend(axes, loc="upper center", ncols=columns, handlelength=0.9, handletextpad=0.4)


def _log_axis(axes: Axes, which: str, formatter: Callable[[float, object], str]) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(axes, f"set_{which}scale")("log")
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(numticks=6))
    axis.set_major_formatter(FuncFormatter(formatter))
    axis.set_minor_formatter(NullFormatter())


def _pulse_axis(axes: Axes, which: str = "x") -> None:
    _log_axis(axes, which, lambda value, _: brief(value, "s"))
    getattr(axes, f"set_{which}label")("pulse width")


def _amplitudes(panel: Panel) -> list[tuple[float, str]]:
    """Amplitudes that the panel shows, small to large, in the colours that both panels give them."""
    voltages = sorted(panel.marks.values())
    places = np.linspace(0, _MOST_COLOURS - 1, len(voltages)).round().astype(int)
    if len(voltages) <= _MOST_COLOURS:
        places = np.arange(len(voltages))
    shown = set(panel.frame["amplitude_V"])
    return [(v, COLOURS[place]) for v, place in zip(voltages, places, strict=True) if v in shown]


def hysteresis(axes: Axes, panel: Panel) -> None:
    frame = panel.frame
    for voltage, colour in reversed(_amplitudes(panel)):
        rows = frame[frame["amplitude_V"] == voltage]
        axes.plot(
            rows["voltage_V"],
            rows["polarization_C_per_m2"] * _MICROCOULOMB,
            color=colour,
            linewidth=1.1,
            label=f"{voltage:g} V",
        )
    axes.axhline(0.0, color=GREY, linewidth=0.5, zorder=0)
    axes.plot([0.0, 0.0], axes.get_ylim(), color=GREY, linewidth=0.5, zorder=0, scaley=False)
    axes.set_xlabel("gate voltage [V]" if "gate" in panel.title else "voltage [V]")
    axes.set_ylabel("polarization [µC/cm²]")
    _row_of_amplitudes(axes)


def switched_share(axes: Axes, panel: Panel) -> None:
    frame = panel.frame
    for voltage, colour in reversed(_amplitudes(panel)):
        rows = frame[frame["amplitude_V"] == voltage]
        curve, dots = (rows[rows["kind"] == kind] for kind in ("model", "measured"))
        axes.plot(
            curve["pulse_s"], curve["switched_share"], color=colour, linewidth=1.1, label=f"{voltage:g} V"
        )
        if len(dots):
            axes.plot(
                dots["pulse_s"],
                dots["switched_share"],
                "o",
                color=colour,
                markersize=3.6,
                markerfacecolor="white",
                markeredgewidth=0.9,
            )
    _pulse_axis(axes)
    axes.margins(x=0)
    axes.set_ylabel("switched share")
    axes.set_ylim(min(-0.03, 1.35 * float(frame["switched_share"].min())), 1.04)
    axes.set_yticks(np.linspace(0.0, 1.0, 6))
    _row_of_amplitudes(axes)


def window_map(axes: Axes, panel: Panel) -> None:
    from matplotlib.patches import Rectangle

    frame = panel.frame
    physical, fitted, dots = (frame[frame["kind"] == kind] for kind in ("physical", "fitted", "measured"))
    least = min(0.0, np.floor(10.0 * frame["memory_window_V"].min()) / 10.0)
    most = np.ceil(10.0 * frame["memory_window_V"].max()) / 10.0
    shades = np.linspace(least, most, 33)
    x, y, z = _squared(physical)
    filled = axes.contourf(x, y, z, levels=shades, cmap=MAP, vmin=least, vmax=most)
    steps = np.arange(0.25, most, 0.25).tolist()
    lines = axes.contour(x, y, z, levels=steps, colors="white", linewidths=0.7)
    if len(fitted):
        axes.contour(
            *_squared(fitted), levels=steps[1::2], colors="black", linewidths=0.8, linestyles="dashed"
        )
    axes.scatter(
        dots["pulse_s"],
        dots["voltage_V"],
        c=dots["memory_window_V"],
        cmap=MAP,
        vmin=least,
        vmax=most,
        s=26,
        edgecolors="white",
        linewidths=0.9,
        zorder=4,
    )
    corner = panel.marks["shortest_s"], panel.marks["least_V"]
    size = panel.marks["longest_s"] - corner[0], panel.marks["most_V"] - corner[1]
    axes.add_patch(
        Rectangle(
            corner, *size, fill=False, edgecolor="white", linewidth=1.1, linestyle=(0, (4, 2)), zorder=3
        )
    )
    _pulse_axis(axes)
    axes.set_ylabel("gate voltage [V]")
    bar = axes.figure.colorbar(filled, ax=axes, pad=0.02, aspect=25)
    bar.add_lines(lines)
    bar.set_label("memory window [V]")
    bar.set_ticks(np.arange(0.0, most + 0.01, 0.5).tolist())
    bar.outline.set_visible(False)


def _squared(frame: pd.DataFrame) -> tuple[Any, Any, Any]:
    table = frame.pivot(index="voltage_V", columns="pulse_s", values="memory_window_V")
    return table.columns.to_numpy(), table.index.to_numpy(), table.to_numpy()


def levels(axes: Axes, panel: Panel) -> None:
    import matplotlib

    frame = panel.frame
    column = frame.columns[2]
    unit = column.rpartition("_")[2]
    factor, name = scale(float(frame[column].abs().max()), unit) if unit in ("A", "S") else (1.0, unit)
    count = int(frame["level"].max()) + 1
    palette = matplotlib.colormaps["viridis"]
    for _, rows in frame.groupby(["kind", "level"], sort=False):
        kind, level = rows["kind"].iloc[0], int(rows["level"].iloc[0])
        colour = COLOURS[level] if count <= _MOST_COLOURS else palette(0.9 * level / (count - 1))
        x, y = rows[column] / factor, rows["relative_density"]
        if kind == "open loop":
            axes.plot(x, y, color=colour, linewidth=1.0, linestyle=(0, (4, 2)) if len(x) > 2 else "-")
        elif len(x) == 2:
            axes.plot(x, y, color=colour, linewidth=1.1)
        else:
            axes.fill_between(x, y, color=colour, alpha=0.45, linewidth=0)
            axes.plot(x, y, color=colour, linewidth=0.8)
    what = {
        "threshold_V": "threshold voltage",
        "current_A": "current",
        "conductance_S": "conductance",
        "ratio_1": "on over off",
        "update_1": "change over the range",
    }[column]
    if panel.marks.get("centered"):
        what += " from the middle"
    axes.set_xlabel(what if unit == "1" else f"{what} [{name}]")
    axes.set_ylabel("density over its peak")
    axes.set_ylim(0, 1.08)


def course(axes: Axes, panel: Panel) -> None:
    """A quantity against cycles or time with its band."""
    frame = panel.frame
    axis, column = frame.columns[0], frame.columns[1]
    factor = _MICROCOULOMB if column.endswith("_C_per_m2") else 1.0
    low, high = frame[f"low_{column}"] * factor, frame[f"high_{column}"] * factor
    axes.fill_between(frame[axis], low, high, color=BAND, alpha=0.2, linewidth=0, label="5–95 %")
    axes.plot(frame[axis], frame[column] * factor, color=CURVE, linewidth=1.2)
    _log_axis(axes, "x", power)
    axes.set_xlabel("write cycles" if axis == "cycles" else "time after writing [s]")
    axes.set_ylabel(
        {
            "memory_window_V": "memory window [V]",
            "remanent_polarization_C_per_m2": "polarization [µC/cm²]",
            "threshold_loss_V": "threshold lost [V]",
            "retained_share": "polarization kept",
            "conductance_share": "conductance kept",
        }[column]
    )
    _marks(axes, panel.marks)
    top = max(float(high.max()), panel.marks.get("half_spacing_V", 0.0))
    bottom = 0.9 * float(low.min()) if column == "conductance_share" else 0.0
    axes.set_ylim(bottom, 1.15 * top - 0.15 * bottom)
    axes.margins(x=0)
    falls = column in ("retained_share", "conductance_share")
    rises = column == "threshold_loss_V"
    _legend(axes, loc="upper right" if falls else "upper left" if rises else "lower left")


def _marks(axes: Axes, marks: Mapping[str, float]) -> None:
    if "value" in marks:
        spread = marks["low"] < marks["high"]
        label = "endurance, 5–95 %" if spread else "endurance"
        axes.axvline(marks["value"], color=MARK, linewidth=1.0, linestyle=(0, (4, 2)), label=label)
        if spread:
            axes.axvspan(marks["low"], marks["high"], color=MARK, alpha=0.12, linewidth=0, zorder=0)
    if "fatigue" in marks:
        axes.axvspan(
            marks["fatigue_low"], marks["fatigue_high"], color=GREY, alpha=0.25, linewidth=0, zorder=0
        )
    if "half_spacing_V" in marks:
        axes.axhline(
            marks["half_spacing_V"],
            color=MARK,
            linewidth=1.0,
            linestyle=(0, (4, 2)),
            label="half the spacing of levels",
        )


def bars(axes: Axes, panel: Panel) -> None:
    """Numbers of the file on an axis of their own, logarithmic where they are counts or times."""
    from matplotlib.ticker import FuncFormatter

    frame = panel.frame
    unit = str(frame["unit"].iloc[0])
    values, low, high = (frame[name].to_numpy(dtype=float) for name in ("value", "low", "high"))
    logarithmic = unit in ("1", "s", "J", "A", "S", "ohm", "A/m^2") and bool((low > 0).all())
    start, end = 0.0, 1.45 * float(high.max())
    if logarithmic:
        decades = np.log10(low.min()) - 1.0, np.log10(high.max())
        start = 10.0 ** np.floor(min(decades[0], 0.0) if unit in ("1", "s") else decades[0])
        end = 10.0 ** (decades[1] + 0.3 * (decades[1] - np.log10(start)))
    places = np.arange(len(frame))
    axes.barh(places, values - start, left=start, height=0.5, color=CURVE)
    for place, value, least, most in zip(places, values, low, high, strict=True):
        if least < most:
            axes.plot([least, most], [place, place], color="black", linewidth=1.0, marker="|", markersize=6)
        axes.annotate(
            spoken(value, unit),
            (max(value, most), place),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
        )
    if logarithmic:
        _log_axis(axes, "x", (lambda v, _: spoken(v, unit)) if unit not in ("1", "s") else power)
    axes.set_xlim(start, end)
    axes.set_ylim(len(frame) - 0.4, -0.6)
    names = [str(name).replace("_", " ") for name in frame["parameter"]]
    axes.set_yticks(places, names if len(names) > 1 else [], fontsize=SMALL)
    axes.tick_params(axis="y", length=0)
    named = {"endurance": "write cycles", "retention": "time after writing [s]"}
    written = {"C/m^2": " [µC/cm²]", "F/m^2": " [fF/µm²]", "V": " [V]"}.get(unit)
    axes.set_xlabel(named.get(frame["parameter"].iloc[0], f"{names[0]}{written}" if written else ""))
    factor = {"C/m^2": _MICROCOULOMB, "F/m^2": 1e3}.get(unit, 1.0)
    if not logarithmic:
        in_label = written is not None
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda v, _: f"{v * factor:g}" if in_label else spoken(v, unit))
        )


def energy(axes: Axes, panel: Panel) -> None:
    """A bar for each leaf that is not zero, the value beside it; many leaves on a logarithmic axis."""
    from matplotlib.ticker import FuncFormatter

    frame = panel.frame
    column = next(name for name in frame.columns if name.startswith("energy_J"))
    unit = "J" if column == "energy_J" else "J/m²"
    shown = frame[frame[column] > 0.0]
    values, low, high = (
        shown[name].to_numpy(dtype=float) for name in (column, f"low_{column}", f"high_{column}")
    )
    most = float(high.max())
    logarithmic = unit == "J"
    start = 10.0 ** np.floor(np.log10(float(low[low > 0.0].min()))) if logarithmic else 0.0
    places = np.arange(len(shown))
    colours = ["#333333" if leaf == "total" else CURVE for leaf in shown["leaf"]]
    axes.barh(places, values - start, left=start, height=0.62, color=colours)
    for place, value, least, end in zip(places, values, low, high, strict=True):
        if least < end:
            ends = [max(least, start), end]
            axes.plot(ends, [place, place], color="black", linewidth=0.8, marker="|", markersize=4)
        axes.annotate(
            brief(value, unit),
            (end, place),
            xytext=(5, 0),
            textcoords="offset points",
            va="center",
            fontsize=7,
        )
    if logarithmic:
        _log_axis(axes, "x", lambda v, _: brief(v, unit))
        axes.set_xlim(start, most * (most / start) ** 0.22)
    else:
        factor, written = scale(most, unit)
        axes.set_xlim(0.0, 1.35 * most)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v / factor:g}"))
        axes.set_xlabel(f"energy an area [{written}]")
    axes.set_ylim(len(shown) - 0.4, -0.6)
    names = [str(leaf).replace("_", " ") for leaf in shown["leaf"]]
    axes.set_yticks(places, names, fontsize=SMALL)
    axes.tick_params(axis="y", length=0)


DRAWN: Mapping[str, Callable[[Axes, Panel], None]] = {
    "hysteresis": hysteresis,
    "switched_share": switched_share,
    "window_map": window_map,
    "levels": levels,
    "states": bars,
    "window_over_cycles": course,
    "polarization_over_cycles": course,
    "endurance": bars,
    "retention": course,
    "write_energy": energy,
}


def is_small(panel: Panel) -> bool:
    """Whether a few bars are all that a panel holds."""
    return "parameter" in panel.frame


def draw(axes: Axes, panel: Panel, letter: str, width: int) -> None:
    """Draw one panel with its letter and heading; ``width`` letters of small print go over the axes."""
    (bars if is_small(panel) else DRAWN[panel.name])(axes, panel)
    axes.spines["left"].set_visible(True)
    lines = textwrap.wrap(panel.note, width - (_WIDE_NAMES if panel.name == "write_energy" else 0))
    above = 4 + 9 * len(lines)
    axes.set_title(f"    {panel.title}", fontsize=9, loc="left", pad=above)
    over: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "annotation_clip": False,
    }
    marks = [axes.annotate(letter, (0, 1), xytext=(0, above), weight="bold", size=11, **over)]
    if lines:
        small: dict[str, Any] = {"fontsize": 6.5, "color": "#444444", "linespacing": 1.15}
        marks.append(axes.annotate("\n".join(lines), (0, 1), xytext=(0, 4), **small, **over))
    for mark in marks:
        mark.set_in_layout(False)
