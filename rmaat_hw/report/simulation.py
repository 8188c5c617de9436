"""What a simulated pulse or waveform did, and what a fit is worth, on the screen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rmaat_hw.report.numbers import DASH, digits, engineering, general, quantity

if TYPE_CHECKING:
    from rich.console import Console

    from rmaat_hw.devices import Simulation

_PER_AREA = 100.0  # µC/cm² in one C/m²


def show(console: Console, found: Simulation) -> None:
    """Print the quantities with their intervals, what lies outside the measurements and what is not known."""
    from rich.table import Table
    from rich.text import Text

    console.print(Text.assemble((found.device, "bold"), f"  {found.law}; {_conditions(found.conditions)}"))
    grid = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 3, 0, 0))
    for name in ("", "value", "90 % interval"):
        grid.add_column(name, justify="left" if not name else "right", overflow="fold")
    rows = [
        ("remanent polarization", *_polarization(found.polarization)),
        ("switched polarization", *_polarization(found.switched_polarization)),
    ]
    for model, window in found.windows.items():
        mark = " (counts)" if model == found.window_model and len(found.windows) > 1 else ""
        rows.append((f"memory window, {model}{mark}", *_of(window, "V")))
    if found.threshold_sigma is not None:
        rows.append(("threshold sigma, unverified", *_of(found.threshold_sigma, "V")))
    rows.append(("write energy", *_of(found.write_energy, "J")))
    for row in rows:
        grid.add_row(*row)
    console.print(grid)
    for sentence in found.extrapolated:
        console.print(Text(f"Extrapolated: {sentence}.", style="bold"))
    for sentence in found.notes:
        console.print(Text(sentence, style="dim"))


def _conditions(conditions: Mapping[str, Any]) -> str:
    shown = {
        "voltage_V": ("", "V"),
        "largest_voltage_V": ("waveform of up to ", "V"),
        "pulse_s": ("pulse of ", "s"),
        "duration_s": ("over ", "s"),
        "area_m2": ("", "m²"),
    }
    parts = [
        before + engineering(conditions[k], unit) for k, (before, unit) in shown.items() if k in conditions
    ]
    parts.append(f"{conditions['temperature_K']:g} K")
    if conditions.get("cycles"):
        parts.append(f"after {general(conditions['cycles'])} cycles")
    return ", ".join(parts)


def _of(found: Mapping[str, float], unit: str) -> tuple[str, str]:
    value, span = quantity(found, unit)
    return value, span if found["low"] != found["high"] else DASH


def _polarization(found: Mapping[str, float]) -> tuple[str, str]:
    value, low, high = (digits(_PER_AREA * found[name]) for name in ("value", "low", "high"))
    span = f"{low} to {high} µC/cm²" if found["low"] != found["high"] else DASH
    return f"{value} µC/cm²", span


def show_fits(console: Console, document: Mapping[str, Any]) -> None:
    """Print how far the models of the file are from the points, and what a new fit gives."""
    from rich.table import Table
    from rich.text import Text

    unit, factor = ("V", 1.0) if document["quantity"] == "memory_window_V" else ("µC/cm²", _PER_AREA)
    console.print(
        Text.assemble(
            (document["device"], "bold"), f"  against {document['points']} measured points, errors in {unit}"
        )
    )
    grid = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("model", "free", "points", "rms", "largest", "rms left out"):
        grid.add_column(name, justify="left" if name == "model" else "right")

    def told(value: float) -> str:
        return digits(factor * value)

    for model, found in document["agreement"].items():
        error = (told(found["root_mean_square"]), told(found["largest"]))
        grid.add_row(f"{model.split(',')[0]}, in the file", DASH, str(found["points"]), *error, DASH)
    for model, found in document["fits"].items():
        error = (told(found["agreement"]["root_mean_square"]), told(found["agreement"]["largest"]))
        left_out = told(found["left_out"]["root_mean_square"])
        points = str(found["agreement"]["points"])
        grid.add_row(f"{model}, fitted", str(found["free_parameters"]), points, *error, left_out)
    console.print(grid)
    for model, found in document["fits"].items():
        values = ", ".join(f"{name} {value:.4g}" for name, value in found["values"].items())
        console.print(Text(f"{model}: {values} (SI)", style="dim"))
    if document["fits"]:
        console.print(Text("rms left out: every voltage predicted from a fit to the others.", style="dim"))
        told_of = "Windows that are negative show trapping; the physical model is not asked for them."
        console.print(Text(told_of, style="dim"))
