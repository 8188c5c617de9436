"""What may be simulated: numbers that exist, inside what was measured; and what is not known beside."""

from __future__ import annotations

import math

import numpy as np

from cost_models.ferroelectric.waveform import Waveform
from device_params.errors import InputError
from rmaat_hw.devices.subject import ROOM_TEMPERATURE, Subject

PULSE = ("voltage", "pulse")  # how sentences begin that tell of the pulse itself

_LARGEST = {"voltage": 1e3, "pulse": 1e12, "temperature": 2000.0, "area": 1.0, "cycles": 1e18, "seed": 2**63}
_UNITS = {"voltage": "V", "pulse": "s", "temperature": "K", "area": "m^2", "cycles": "", "seed": ""}


def checked(**values: float | None) -> None:
    """Refuse what is no number, not above zero where it must be, or larger than anything that exists."""
    for what, value in values.items():
        if value is None:
            continue
        if (
            isinstance(value, bool)
            or not isinstance(value, (int, float, np.number))
            or not math.isfinite(value)
        ):
            raise InputError("not a finite number", where=what, value=value)
        if what in ("cycles", "seed") and value < 0:
            raise InputError("must not be negative", where=what, value=value)
        if what in ("pulse", "temperature", "area") and not value > 0:
            raise InputError(
                "must be above zero", where=what, value=value, allowed=f"more than 0 {_UNITS[what]}"
            )
        if abs(value) > _LARGEST[what]:
            limit = f"{_LARGEST[what]:g} {_UNITS[what]}".rstrip()
            raise InputError(
                "larger than anything that exists", where=what, value=value, allowed=f"up to {limit}"
            )


def driven_time(subject: Subject, waveform: Waveform) -> float:
    """Longest time [s] that a waveform stays at voltages that were measured, or above, without a break.

    0 when it never gets there.
    """
    stated = subject.file.parameters.get("write_voltage")
    least = stated.allowed[0] if stated is not None else 0.0
    fine = waveform.refined(max(least, 1e-3 * float(np.abs(waveform.drive).max()), 1e-12) / 20)
    above = np.minimum(np.abs(fine.drive[1:]), np.abs(fine.drive[:-1])) >= least * (1 - 1e-9)
    after = np.cumsum(np.where(above, fine.steps, 0.0))
    before = np.maximum.accumulate(np.where(above, 0.0, after))
    return float((after - before).max())


def temperature_of(subject: Subject, given: float | None) -> float:
    """The temperature given, else that of the measurements [K]."""
    return subject.nominal.get("temperature", ROOM_TEMPERATURE) if given is None else given


def outside_of(
    subject: Subject,
    *,
    voltage: float | None,
    temperature: float,
    pulse: float | None = None,
    cycles: float = 0.0,
) -> list[str]:
    """What lies outside the measured ranges, one sentence each."""
    found = []
    for what, value, unit, name in (
        ("voltage", None if voltage is None else abs(voltage), "V", "write_voltage"),
        ("pulse", pulse, "s", "write_time"),
    ):
        stated = subject.file.parameters.get(name)
        if value is None:
            continue
        if stated is None:
            found.append(f"{what}: no measured range is stated for this device")
        elif not stated.allowed[0] <= value <= stated.allowed[1]:
            low, high = (stated.written(limit) for limit in stated.allowed)
            found.append(f"{what}: {value:g} {unit} is outside the measured {low} to {high}")
    low_t, high_t = subject.temperatures
    if not low_t <= temperature <= high_t:
        found.append(f"temperature: {temperature:g} K is outside the measured {low_t:g} to {high_t:g} K")
    endurance = subject.file.parameters.get("endurance")
    fatigue = subject.file.parameters.get("fatigue_onset")
    if endurance is not None and cycles > endurance.high:
        found.append(f"cycles: {cycles:g} are more than its endurance of {endurance.high:g} at most")
    elif endurance is None and cycles > 0 and fatigue is None:
        found.append("cycles: nothing is known of its wear")
    elif endurance is None and fatigue is not None and cycles > fatigue.low:
        found.append(f"cycles: beyond {fatigue.low:g} fatigue may have begun, at an unknown rate")
    return found


def refuse(outside: list[str], subject: Subject, allowed: bool) -> None:
    """Raise InputError for what lies outside, unless extrapolation is allowed."""
    if outside and not allowed:
        raise InputError(
            "; ".join(outside),
            where=subject.file.name,
            remedy="--allow-extrapolation takes it and marks the result",
        )


def unknown_of(subject: Subject, temperature: float, cycles: float) -> list[str]:
    """What is not known about this device under these conditions, told rather than invented."""
    notes = []
    if subject.unknown_temperature(temperature) > 0:
        notes.append(
            "How this device changes with temperature is not known: the value is that of its measurements, "
            "the interval is wider by what another HZO film does."
        )
    if cycles > 0 and (subject.wear.window(cycles) if subject.gated else None) is None:
        notes.append(
            "How this device changes with cycles is not known: the value is that of the fresh one, the "
            "interval reaches to what wear may have left."
        )
    if not subject.gated and "polarization_error" not in subject.nominal:
        notes.append("The error of this law against measurements is not known and not in the interval.")
    return notes
