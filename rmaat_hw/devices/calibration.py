"""Fits of a device to its measured points: those of the library, or a user's own."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np

from cost_models.ferroelectric.calibration import (
    Agreement,
    Fit,
    Points,
    agreement,
    fit_screening_voltage,
    fit_window,
)
from cost_models.ferroelectric.device import film_of, fitted_window_of, gate_of
from device_params.errors import InputError, nearest_name
from device_params.measured_points import QUANTITIES, measurements
from rmaat_hw.devices.subject import Subject

_COLUMNS = ("voltage_V", "pulse_s")


def points_of(name: str) -> tuple[str, Points]:
    """Quantity and measured points of a device of the library. Raises InputError where there are none."""
    found = measurements(name)
    if found is None:
        raise InputError(
            "no measured points come with this device", where=name, remedy="give your own with --points FILE"
        )
    return found.quantity, Points(
        *(np.asarray(column) for column in (found.voltage, found.duration, found.value))
    )


def read_points(path: Path, gated: bool) -> tuple[str, Points]:
    """Quantity and points of a CSV file with the columns voltage_V, pulse_s and the quantity of the device.

    That is memory_window_V for a transistor (``gated``), polarization_C_per_m2 for a film. Raises InputError:
    no such file, a missing column, a value that is no number, a pulse or a voltage that is not above zero.
    """
    quantity = QUANTITIES[1] if gated else QUANTITIES[0]
    columns = read_columns(path, (*_COLUMNS, quantity))
    for name in _COLUMNS:
        if (columns[name] <= 0).any():
            row = int(np.flatnonzero(columns[name] <= 0)[0])
            raise InputError(
                "must be above zero", where=f"{path}, row {row + 1}, {name}", value=float(columns[name][row])
            )
    limits = {"voltage_V": 1e3, "pulse_s": 1e12, quantity: 1e3}
    for name, limit in limits.items():
        if (np.abs(columns[name]) > limit).any():
            raise InputError(
                "larger than anything that exists", where=f"{path}, {name}", allowed=f"up to {limit:g}"
            )
    return quantity, Points(columns["voltage_V"], columns["pulse_s"], columns[quantity])


def read_columns(path: Path, needed: tuple[str, ...]) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """The ``needed`` columns of a CSV file with a header, as numbers; other columns may hold anything.

    Raises InputError: no such file, not UTF-8, no rows, a needed column missing, twice, or with something in
    it that is no finite number.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", where=str(path)) from error
    lines = [line for line in csv.reader(io.StringIO(text)) if any(cell.strip() for cell in line)]
    names = [name.strip() for name in lines[0]] if lines else []
    for name in needed:
        if names.count(name) != 1:
            raise InputError(
                f"column {name!r} twice" if name in names else f"no column {name!r}",
                where=str(path),
                value=", ".join(names),
                nearest="" if name in names else nearest_name(name, names),
                remedy=f"the first line names the columns, separated by commas: {', '.join(needed)}",
            )
    if len(lines) < 2:
        raise InputError("no rows below the names of the columns", where=str(path))
    columns = {}
    for name in needed:
        place = names.index(name)
        columns[name] = np.asarray(
            [
                _number(row[place] if place < len(row) else "", f"{path}, row {k}, {name}")
                for k, row in enumerate(lines[1:], 1)
            ]
        )
    return columns


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError as error:
        raise InputError("not a number", where=where, value=text) from error
    if not math.isfinite(value) or "_" in text:
        raise InputError("not a finite number", where=where, value=text)
    return value


def compared(name: str, quantity: str, points: Points) -> dict[str, Agreement]:
    """Agreement of every model of a device with measured points, as its file has them, by model."""
    subject = Subject.load(name)
    if quantity == "polarization_C_per_m2":
        if subject.gated:
            raise InputError("a transistor is compared by its window", where=name, value=quantity)
        left = film_of(subject.nominal).pulse(points.voltage, points.duration).polarization
        return {subject.law: agreement(left, points.value)}
    if not subject.gated:
        raise InputError("a bare film has no window", where=name, value=quantity)
    kept = _switching(points)
    if not len(kept.value):
        raise InputError(
            "no voltage at which a window is positive: nothing switches in these points", where=name
        )
    positive = kept.where(kept.value >= 0)
    found = {
        "physical": agreement(
            gate_of(subject.nominal).window(positive.voltage, positive.duration), positive.value
        )
    }
    fitted = fitted_window_of(subject.nominal)
    if fitted is not None:
        found["fitted"] = agreement(fitted.after(kept.voltage, kept.duration), kept.value)
    return found


def fits(name: str, points: Points) -> dict[str, Fit]:
    """Both models of a transistor's window fitted anew to measured windows, by model."""
    subject = Subject.load(name)
    if not subject.gated:
        raise InputError(
            "a film's law is taken as published and not fitted here",
            where=name,
            remedy="rmaat-hw devices show compares it with its measurements",
        )
    kept = _switching(points)
    if len(np.unique(kept.voltage)) < 3 or len(kept.value) < 8:
        raise InputError(
            "too few points to fit six numbers and to leave voltages out",
            where=name,
            value=len(kept.value),
            allowed="8 windows or more, of 3 voltages or more",
        )
    return {
        "physical": fit_screening_voltage(gate_of(subject.nominal).stack, kept),
        "fitted": fit_window(kept, least_voltage=float(kept.voltage.min())),
    }


def _switching(points: Points) -> Points:
    """Points of the voltages at which anything switches: where no window is positive, all show trapping."""
    switching = [v for v in np.unique(points.voltage) if (points.value[points.voltage == v] > 0).any()]
    return points.where(np.isin(points.voltage, switching))
