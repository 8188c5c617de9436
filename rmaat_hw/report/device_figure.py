"""Figure of a device of the library: what is known of it, drawn; what is not known, named."""

from __future__ import annotations

import json
import string
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params import ComponentFile, load_device
from device_params.errors import InputError
from device_params.load import describe
from rmaat_hw import runs
from rmaat_hw.report import device_axes
from rmaat_hw.report.device_energy import design_files, write_energy
from rmaat_hw.report.device_panels import Panel, Part, Unknown, input_files, switching
from rmaat_hw.report.device_states import holding, levels, wear
from rmaat_hw.report.figures import WIDTH, new_figure, style, to_file

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

#: Inches: a row of axes, one of few bars on an axis of their own, one of single bars, a line of small print.
ROW, LOW_ROW, SMALL_ROW, LINE = 2.45, 1.6, 1.05, 0.13
_FEW = 4
_MOST_NAMED = 4  # parameters that a device lacks, by name
_LETTERS, _HALF_LETTERS = 140, 62  # of a line of small print


def panels(name: str) -> tuple[list[Panel], list[Unknown]]:
    """What can be drawn of a device (a name, or the path of a file), and what is not known of it.

    Raises InputError where nothing can be drawn.
    """
    return _panels(load_device(name))


def tables(name: str) -> dict[str, pd.DataFrame]:
    """The numbers behind every panel, by the name of the panel."""
    return {panel.name: panel.frame for panel in panels(name)[0]}


def draw(name: str) -> Figure:
    """Figure of a device at ``figures.WIDTH``. Raises InputError where nothing can be drawn."""
    device = load_device(name)
    return _draw(device, *_panels(device))


def save(name: str, *, out: Path | str | None = None) -> Path:
    """Write figure, tables and the device's numbers to a run folder and return it."""
    device = load_device(name)
    drawn, unknown = _panels(device)
    figure = _draw(device, drawn, unknown)
    options = {"name": name}
    with runs.run_folder("devices-show", json.dumps(options, sort_keys=True), out) as folder:
        folder.write("device.json", runs.to_json_text(_document(name, drawn, unknown)))
        for panel in drawn:
            folder.write(f"{panel.name}.csv", panel.frame.to_csv(index=False, float_format="%.10g"))
        for kind in ("svg", "png"):
            folder.write(f"device.{kind}", to_file(figure, kind))
        inputs = [Path(file) for file in dict.fromkeys([*input_files(device), *design_files(device)])]
        folder.write_manifest(command="devices show", options=options, seeds={}, inputs=inputs)
    return folder.path


def _panels(device: ComponentFile) -> tuple[list[Panel], list[Unknown]]:
    parts: list[Part] = []
    for found in (switching, levels, wear, holding, write_energy):
        parts += found(device)
    drawn = [part for part in parts if isinstance(part, Panel)]
    unknown = [part for part in parts if isinstance(part, Unknown)]
    if not drawn:
        raise InputError(
            "nothing of this device can be drawn",
            where=device.name,
            value="not known: " + ", ".join(part.what for part in unknown),
            remedy="`rmaat-hw devices show NAME` prints what is known",
        )
    return drawn, unknown


def _document(name: str, drawn: list[Panel], unknown: list[Unknown]) -> dict[str, Any]:
    shown = [
        {"name": p.name, "title": p.title, "note": p.note, "marks": dict(p.marks), "table": f"{p.name}.csv"}
        for p in drawn
    ]
    lacking = [{"panel": part.what, "missing": list(part.missing)} for part in unknown]
    return describe("device", name) | {"panels": shown, "not_known": lacking}


def _told(unknown: list[Unknown]) -> str:
    """Panels that lack the same parameters together, at most ``_MOST_NAMED`` of them by name."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for part in unknown:
        groups.setdefault(part.missing, []).append(part.what)
    told = []
    for missing, whats in groups.items():
        what = ", ".join(whats[:-1]) + " and " + whats[-1] if len(whats) > 1 else whats[0]
        more = len(missing) - _MOST_NAMED
        names = ", ".join(missing[: _MOST_NAMED if more > 1 else None]) + (
            f" and {more} more" if more > 1 else ""
        )
        told.append(f"{what} (missing {names})" if missing else what)
    return "; ".join(told)


def _draw(device: ComponentFile, drawn: list[Panel], unknown: list[Unknown]) -> Figure:
    rows = _rows(drawn)
    lines = textwrap.wrap(f"Not known for this device: {_told(unknown)}.", _LETTERS) if unknown else []
    heights = [_height(row) for row in rows]
    title = textwrap.wrap(device.title, 88)
    with style():
        total = sum(heights) + 0.22 * len(title) + LINE * len(lines) + 0.1
        figure = new_figure(WIDTH, total)
        figure.set_layout_engine("constrained", h_pad=0.06, w_pad=0.06, hspace=0.04, wspace=0.03)
        grid = figure.add_gridspec(len(rows), 2, height_ratios=heights)
        letters = iter(string.ascii_lowercase)
        for place, row in enumerate(rows):
            for column, stack in enumerate(row):
                small = device_axes.is_small(stack[0])
                alone = len(row) == 1 and not small
                spot = grid[place, :] if alone else grid[place, column]
                inner = spot.subgridspec(2 if small and heights[place] == ROW else 1, 1)
                for index, panel in enumerate(stack):
                    width = _LETTERS if alone else _HALF_LETTERS
                    device_axes.draw(figure.add_subplot(inner[index]), panel, next(letters), width)
        figure.suptitle("\n".join(title), x=0.01, ha="left", fontsize=9.5, weight="bold")
        if lines:
            figure.supxlabel("\n".join(lines), x=0.01, ha="left", fontsize=6.5, color="#444444")
    return figure


Stack = list[Panel]


def _height(row: list[Stack]) -> float:
    if any(len(stack) > 1 for stack in row):
        return ROW
    shown = [stack[0] for stack in row]
    if all(map(device_axes.is_small, shown)):
        return SMALL_ROW
    return ROW if any(len(panel.frame) > _FEW for panel in shown) else LOW_ROW


def _rows(drawn: list[Panel]) -> list[list[Stack]]:
    """Rows of two: axes side by side, an odd one beside bars on top of each other, then bars."""
    large = [panel for panel in drawn if not device_axes.is_small(panel)]
    small = [panel for panel in drawn if device_axes.is_small(panel)]
    rows: list[list[Stack]] = [[[panel] for panel in large[i : i + 2]] for i in range(0, len(large), 2)]
    if rows and len(rows[-1]) == 1 and small:
        rows[-1].append(small[:2])
        small = small[2:]
    rows += [[[panel] for panel in small[i : i + 2]] for i in range(0, len(small), 2)]
    return rows
