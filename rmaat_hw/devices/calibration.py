"""Fits of a device to its measured points: those of the library, or a user's own."""

from __future__ import annotations

import csv
import io
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


def read_points(path: Path) -> tuple[str, Points]:
    """Quantity and points of a CSV file with the columns voltage_V, pulse_s and one quantity.

    Raises InputError: no such file, a missing column, a value that is no number.
    """
    columns = read_columns(path, _COLUMNS)
    quantity = next((name for name in QUANTITIES if name in columns), "")
    if not quantity:
        raise InputError(
            "no measured quantity", where=str(path), value=", ".join(columns), allowed=" or ".join(QUANTITIES)
        )
    return quantity, Points(columns["voltage_V"], columns["pulse_s"], columns[quantity])


def read_columns(path: Path, needed: tuple[str, ...]) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Columns of numbers of a CSV file with a header; columns of text stand as NaN.

    Raises InputError: no such file, not UTF-8, no rows, a needed column missing or with text in it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", where=str(path)) from error
    reader = csv.DictReader(io.StringIO(text))
    names = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = names
    rows = list(reader)
    for name in needed:
        if name not in names:
            raise InputError(
                f"no column {name!r}",
                where=str(path),
                value=", ".join(names),
                nearest=nearest_name(name, names),
                remedy=f"the first line names the columns, {', '.join(needed)} among them",
            )
    if not rows:
        raise InputError("no rows below the names of the columns", where=str(path))
    columns = {}
    for name in names:
        values = []
        for number, row in enumerate(rows, 2):
            cell = (row.get(name) or "").strip()
            try:
                values.append(float(cell))
            except ValueError as error:
                if name in needed or name in QUANTITIES:
                    raise InputError(
                        "not a number", where=f"{path}, line {number}, {name}", value=cell
                    ) from error
                values.append(float("nan"))
        columns[name] = np.asarray(values)
    return columns


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
