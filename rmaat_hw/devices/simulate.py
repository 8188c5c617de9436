"""One pulse, or one waveform, on a device of the library: polarization, window, energy, intervals."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.ferroelectric.device import film_of, gate_of
from cost_models.ferroelectric.waveform import Response, Waveform
from cost_models.uncertainty import interval
from device_params.errors import InputError, nearest_name
from rmaat_hw.devices.subject import ROOM_TEMPERATURE, Floats, Outcome, Subject

if TYPE_CHECKING:
    import pandas as pd

WINDOW_MODELS = ("fitted", "physical")

#: Area of a film's capacitor where none is given [m²]: energies of a film are per area, this is its scale.
DEFAULT_AREA = 1e-12

Quantity = dict[str, float]


@dataclass(frozen=True)
class Simulation:
    """What a pulse or a waveform did: quantities are ``{"value", "low", "high"}`` (90 % interval), SI.

    ``memory_window`` [V] is None for a film; ``extrapolated`` lists what lies outside the measured ranges;
    ``course`` holds the samples of a waveform.
    """

    device: str
    family: str
    law: str
    conditions: dict[str, float | str]
    polarization: Quantity
    switched_polarization: Quantity
    write_energy: Quantity
    memory_window: Quantity | None = None
    window_model: str | None = None
    windows: dict[str, Quantity] = dataclasses.field(default_factory=dict)
    threshold_sigma: Quantity | None = None
    extrapolated: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    course: Response | None = None

    def document(self) -> dict[str, Any]:
        """Everything as plain JSON types; keys end in their unit."""
        document: dict[str, Any] = {
            "schema_version": 1,
            "command": "devices simulate",
            "device": self.device,
            "family": self.family,
            "law": self.law,
            **self.conditions,
            "polarization_C_per_m2": self.polarization,
            "switched_polarization_C_per_m2": self.switched_polarization,
            "memory_window_V": self.memory_window,
            "window_model": self.window_model,
            "windows_V": self.windows or None,
            "threshold_sigma_V": self.threshold_sigma,
            "write_energy_J": self.write_energy,
            "extrapolated": bool(self.extrapolated),
            "outside": list(self.extrapolated),
            "notes": list(self.notes),
        }
        if self.course is not None:
            document["course"] = {
                name: column.tolist() for name, column in self.to_pandas().items() if name != "index"
            }
        return document

    def to_pandas(self) -> pd.DataFrame:
        """The samples of a waveform, or one row with value, low and high of every quantity of a pulse."""
        import pandas as pd

        if self.course is not None:
            return pd.DataFrame(
                {
                    "time_s": self.course.time,
                    "field_V_per_m": self.course.field,
                    "polarization_C_per_m2": self.course.polarization,
                    "dissipated_J_per_m3": self.course.dissipated,
                }
            )
        quantities = {
            "polarization_C_per_m2": self.polarization,
            "switched_polarization_C_per_m2": self.switched_polarization,
            "memory_window_V": self.memory_window,
            "threshold_sigma_V": self.threshold_sigma,
            "write_energy_J": self.write_energy,
        }
        rows = [{"quantity": name, **(found or {})} for name, found in quantities.items()]
        return pd.DataFrame(rows, columns=["quantity", "value", "low", "high"])


def simulate(
    name: str,
    *,
    voltage: float,
    pulse: float,
    temperature: float | None = None,
    cycles: float = 0.0,
    area: float | None = None,
    window_model: str | None = None,
    allow_extrapolation: bool = False,
    seed: int = 0,
) -> Simulation:
    """One pulse from the state −Pr.

    Args:
        name: device of the library, or the path of a file.
        voltage: amplitude [V]; a negative one finds nothing to switch.
        pulse: length [s].
        temperature: [K]; that of the measurements when not given.
        cycles: write cycles that the device has seen.
        area: of the capacitor or gate [m²]; that of the file, else 1 µm², when not given.
        window_model: "fitted" where the file has a fit and the pulse lies inside it, else "physical".
        allow_extrapolation: take what lies outside the measured ranges, and say so.
        seed: of the samples behind the intervals.

    Returns:
        Quantities with 90 % intervals: parameters drawn jointly, errors of the models included.

    Raises:
        InputError: unknown device, no number, a pulse outside the measured range, switching not published.
    """
    subject = Subject.load(name)
    temperature = _temperature(subject, temperature)
    for what, value in (("voltage", voltage), ("pulse", pulse), ("temperature", temperature)):
        _finite(what, value)
    _above("pulse", pulse, "s")
    _above("temperature", temperature, "K")
    if not (cycles >= 0 and math.isfinite(cycles)):
        raise InputError("not a number of cycles", where="cycles", value=cycles, allowed="0 or more")
    outside = _outside(subject, voltage=voltage, pulse=pulse, temperature=temperature, cycles=cycles)
    _refuse(outside, subject, allow_extrapolation)
    drawn = subject.drawn(seed, temperature=temperature)
    exact = subject.outcome(subject.nominal, voltage, pulse, temperature)
    spread = subject.outcome(drawn, voltage, pulse, temperature)
    areas = drawn.get(_area_name(subject)) if area is None else area
    area, area_note = _area(subject, area)
    areas = area if areas is None else areas
    notes = [*area_note, *_unknown(subject, temperature, cycles)]
    model = window_model or ("fitted" if exact.fitted_window is not None else "physical")
    if model not in WINDOW_MODELS:
        raise InputError(
            "unknown model of the window",
            where="window model",
            value=model,
            allowed=", ".join(WINDOW_MODELS),
            nearest=nearest_name(model, WINDOW_MODELS),
        )
    if window_model is None and outside:
        model = "physical"  # a fit knows nothing beyond its points
    if subject.gated and model == "fitted" and exact.fitted_window is None:
        raise InputError(
            "its file has no fitted window", where=subject.file.name, value=model, allowed="physical"
        )
    windows = {} if not subject.gated else _windows(subject, exact, spread, drawn, cycles)
    polarization = _worn_polarization(subject, exact, spread, cycles)
    return Simulation(
        device=subject.file.name,
        family=subject.file.family,
        law=subject.law,
        conditions={
            "voltage_V": voltage,
            "pulse_s": pulse,
            "temperature_K": temperature,
            "cycles": cycles,
            "area_m2": area,
        },
        polarization=polarization,
        switched_polarization=_quantity(exact.switched, spread.switched),
        write_energy=_quantity(exact.energy_density * area, spread.energy_density * areas),
        memory_window=windows.get(model),
        window_model=model if windows else None,
        windows=windows,
        threshold_sigma=_quantity(exact.threshold_sigma, spread.threshold_sigma) if subject.gated else None,
        extrapolated=tuple(outside),
        notes=tuple(notes),
    )


def simulate_waveform(
    name: str,
    waveform: Waveform,
    *,
    temperature: float | None = None,
    area: float | None = None,
    allow_extrapolation: bool = False,
) -> Simulation:
    """A waveform of the voltage [V] from the state −Pr; for a transistor, of the gate voltage.

    ``write_energy`` is what an ideal source of the waveform gives, ∫V·dQ where it is positive. Nominal
    parameters: the quantities have no interval of their own (low and high equal the value).

    Raises InputError as ``simulate``; the waveform's largest voltage counts.
    """
    subject = Subject.load(name)
    temperature = _temperature(subject, temperature)
    _above("temperature", temperature, "K")
    largest = float(np.abs(waveform.drive).max())
    outside = _outside(subject, voltage=largest, temperature=temperature)
    stated = subject.file.parameters.get("write_voltage")
    if stated is not None and largest < stated.allowed[0]:
        outside = [text for text in outside if not text.startswith("voltage")]
    _refuse(outside, subject, allow_extrapolation)
    area, area_note = _area(subject, area)
    if subject.gated:
        stack = gate_of(subject.nominal).stack
        course, capacitance = stack.response(waveform), float(stack.series_capacitance)
    else:
        film = film_of(subject.nominal)
        course, capacitance = film.response(waveform, temperature), float(film.capacitance)
    drive = np.interp(course.time, waveform.time, waveform.drive)
    charge = course.polarization + capacitance * drive
    given = (drive[1:] + drive[:-1]) / 2 * np.diff(charge)
    energy = area * float(given[given > 0].sum())
    last, first = float(course.polarization[-1]), float(course.polarization[0])
    notes = ["Nominal parameters: no intervals for a waveform.", *area_note]
    return Simulation(
        device=subject.file.name,
        family=subject.file.family,
        law=subject.law,
        conditions={
            "duration_s": float(waveform.time[-1] - waveform.time[0]),
            "largest_voltage_V": largest,
            "temperature_K": temperature,
            "area_m2": area,
        },
        polarization=_exact(last),
        switched_polarization=_exact(last - first),
        write_energy=_exact(energy),
        extrapolated=tuple(outside),
        notes=tuple(notes),
        course=course,
    )


# -- checks ------------------------------------------------------------------------------------------


def _finite(what: str, value: float) -> None:
    if isinstance(value, bool) or not math.isfinite(value):
        raise InputError("not a finite number", where=what, value=value)


def _above(what: str, value: float, unit: str) -> None:
    if not value > 0:
        raise InputError("must be above zero", where=what, value=value, allowed=f"more than 0 {unit}")


def _temperature(subject: Subject, given: float | None) -> float:
    return subject.nominal.get("temperature", ROOM_TEMPERATURE) if given is None else given


def _outside(
    subject: Subject,
    *,
    voltage: float,
    temperature: float,
    pulse: float | None = None,
    cycles: float = 0.0,
) -> list[str]:
    """What lies outside the measured ranges, one sentence each."""
    found = []
    for what, value, unit, name in (
        ("voltage", abs(voltage), "V", "write_voltage"),
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
    if endurance is not None and cycles > endurance.high:
        found.append(f"cycles: {cycles:g} are more than its endurance of {endurance.high:g} at most")
    return found


def _refuse(outside: list[str], subject: Subject, allowed: bool) -> None:
    if outside and not allowed:
        raise InputError(
            "; ".join(outside),
            where=subject.file.name,
            remedy="--allow-extrapolation takes it and marks the result",
        )


def _unknown(subject: Subject, temperature: float, cycles: float) -> list[str]:
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


# -- area --------------------------------------------------------------------------------------------


def _area_name(subject: Subject) -> str:
    return "gate_area" if subject.gated else "device_area"


def _area(subject: Subject, given: float | None) -> tuple[float, list[str]]:
    """The area [m²] and a note where nobody gave one."""
    if given is not None:
        _finite("area", given)
        _above("area", given, "m^2")
        return given, []
    name = _area_name(subject)
    if name in subject.nominal:
        return subject.nominal[name], []
    return DEFAULT_AREA, ["No area was given: energies are those of 1 µm²."]


# -- quantities --------------------------------------------------------------------------------------


def _exact(value: float) -> Quantity:
    return {"value": value, "low": value, "high": value}


def _quantity(value: Any, samples: Any) -> Quantity:
    return interval(float(value), np.atleast_1d(np.asarray(samples, dtype=float)))


def _windows(
    subject: Subject, exact: Outcome, spread: Outcome, drawn: dict[str, Any], cycles: float
) -> dict[str, Quantity]:
    """Memory window by model; cycles close it by the device's law, or by an unknown part of it."""
    found = {}
    for model, value, samples in (
        ("fitted", exact.fitted_window, spread.fitted_window),
        ("physical", exact.physical_window, spread.physical_window),
    ):
        if value is not None:
            found[model] = _worn_window(subject, float(value), np.asarray(samples), drawn, cycles)
    return found


def _worn_window(
    subject: Subject, value: float, samples: Floats, drawn: dict[str, Any], cycles: float
) -> Quantity:
    if cycles == 0.0:
        return _quantity(value, samples)
    nominal = subject.nominal
    if "window_closing" in nominal and "window_closing_onset" in nominal:
        decades, drawn_decades = (
            np.log10(1.0 + cycles / np.asarray(p["window_closing_onset"])) for p in (nominal, drawn)
        )
        left = max(value - nominal["window_closing"] * float(decades), min(value, 0.0))
        samples = np.maximum(samples - drawn["window_closing"] * drawn_decades, np.minimum(samples, 0.0))
        return _quantity(left, samples)
    # closed at the end of its endurance, by an unknown course before
    worn = 1.0 - math.log1p(cycles) / math.log1p(nominal.get("endurance", cycles))
    fresh = _quantity(value, samples)
    return {**fresh, "low": min(fresh["low"], max(worn, 0.0) * fresh["low"])}


def _worn_polarization(subject: Subject, exact: Outcome, spread: Outcome, cycles: float) -> Quantity:
    """Polarization after cycles: where wear has no law, the interval takes wake-up or its absence."""
    fresh = _quantity(exact.polarization, spread.polarization)
    if cycles == 0.0 or subject.gated:
        return fresh
    gain = subject.file.parameters.get("wake_up_gain")
    if gain is None:
        bound = abs(float(exact.switched) - float(exact.polarization))
        return {**fresh, "low": min(fresh["low"], -bound), "high": max(fresh["high"], bound)}
    ends = [end * factor for end in (fresh["low"], fresh["high"]) for factor in (1.0 / gain.high, gain.high)]
    return {**fresh, "low": min(ends), "high": max(ends)}
