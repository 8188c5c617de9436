"""One pulse, or one waveform, on a device of the library: polarization, window, energy, intervals."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.ferroelectric.device import DELAYED, film_of, gate_of
from cost_models.ferroelectric.waveform import Response, Waveform
from cost_models.uncertainty import interval
from device_params.errors import InputError, nearest_name
from rmaat_hw.devices.limits import (
    PULSE,
    checked,
    driven_time,
    outside_of,
    refuse,
    temperature_of,
    unknown_of,
)
from rmaat_hw.devices.subject import Floats, Outcome, Subject

if TYPE_CHECKING:
    import pandas as pd

WINDOW_MODELS = ("fitted", "physical")

#: Area of a film's capacitor where none is given [m²]: energies of a film are per area, this is its scale.
DEFAULT_AREA = 1e-12

_NOMINAL = "Nominal parameters: the interval is the model's error alone. The source follows the waveform."
_LAGGING = "The polarization is that under the lagging field, which stays where the drive has left it."

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
    temperature = temperature_of(subject, temperature)
    checked(voltage=voltage, pulse=pulse, temperature=temperature, cycles=cycles, area=area, seed=seed)
    outside = outside_of(subject, voltage=voltage, pulse=pulse, temperature=temperature, cycles=cycles)
    refuse(outside, subject, allow_extrapolation)

    own = {} if area is None else {_area_name(subject): area}
    nominal = subject.nominal | own
    drawn = subject.drawn(seed, temperature=temperature) | own
    exact = subject.outcome(nominal, voltage, pulse, temperature)
    spread = subject.outcome(drawn, voltage, pulse, temperature)
    area = nominal.get(_area_name(subject), DEFAULT_AREA)
    areas = drawn.get(_area_name(subject), DEFAULT_AREA)
    notes = [*_area_note(subject, own), *unknown_of(subject, temperature, cycles)]
    model = window_model or ("fitted" if exact.fitted_window is not None else "physical")
    if model not in WINDOW_MODELS:
        raise InputError(
            "unknown model of the window",
            where="window model",
            value=model,
            allowed=", ".join(WINDOW_MODELS),
            nearest=nearest_name(model, WINDOW_MODELS),
        )
    if window_model is None and any(text.startswith(PULSE) for text in outside):
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

    ``write_energy`` is what an ideal source of the waveform gives, ∫V·dQ where it is positive, and what
    leaks; the window of a transistor is its saturated one times the share that has turned between first and
    last sample. Nominal parameters: of the intervals only the error of the model is known.

    Raises InputError as ``simulate``; the waveform's largest voltage counts.
    """
    subject = Subject.load(name)
    temperature = temperature_of(subject, temperature)
    largest = float(np.abs(waveform.drive).max())
    span = float(waveform.time[-1] - waveform.time[0])
    checked(voltage=largest, pulse=span, temperature=temperature, area=area)
    driven = driven_time(subject, waveform)
    # a waveform that stays below the measured voltages is as good as none, and inside
    outside = outside_of(subject, voltage=largest, pulse=driven, temperature=temperature) if driven else []
    refuse(outside, subject, allow_extrapolation)
    own = {} if area is None else {_area_name(subject): area}
    nominal = subject.nominal | own
    area = nominal.get(_area_name(subject), DEFAULT_AREA)
    window: Quantity | None = None
    if subject.gated:
        stack = gate_of(nominal).stack
        course = stack.response(waveform)
        linear, leakage = float(stack.film_capacitance) * float(stack.film_thickness) * course.field, 0.0
    else:
        film = film_of(nominal)
        course = film.response(waveform, temperature)
        linear = float(film.capacitance) * float(film.thickness) * course.field
        leakage = float(film.leakage_current_density)
    drive = np.interp(course.time, waveform.time, waveform.drive)
    middle = (drive[1:] + drive[:-1]) / 2
    given = middle * np.diff(course.polarization + linear)
    leaked = leakage * float(np.sum(np.abs(middle) * np.diff(course.time)))
    energy = area * (float(given[given > 0].sum()) + leaked)
    first, last = float(course.polarization[0]), float(course.polarization[-1])
    if subject.gated:
        turned = abs(last - first) / (2.0 * nominal["remanent_polarization"])
        window = _exact(nominal["saturated_window"] * turned)
    error = subject.file.parameters.get("polarization_error")
    low, high = (last + error.low, last + error.high) if error is not None else (last, last)
    return Simulation(
        device=subject.file.name,
        family=subject.file.family,
        law=subject.law,
        conditions={
            "duration_s": span,
            "largest_voltage_V": largest,
            "temperature_K": temperature,
            "area_m2": area,
        },
        polarization={"value": last, "low": low, "high": high},
        switched_polarization={"value": last - first, "low": low - first, "high": high - first},
        write_energy=_exact(energy),
        memory_window=window,
        window_model=None if window is None else "physical",
        windows={} if window is None else {"physical": window},
        extrapolated=tuple(outside),
        notes=(_NOMINAL, *((_LAGGING,) if subject.law == DELAYED else ()), *_area_note(subject, own)),
        course=course,
    )


# -- area --------------------------------------------------------------------------------------------


def _area_name(subject: Subject) -> str:
    return "gate_area" if subject.gated else "device_area"


def _area_note(subject: Subject, own: Mapping[str, float]) -> list[str]:
    """A note where nobody gave an area."""
    known = bool(own) or _area_name(subject) in subject.nominal
    return [] if known else ["No area was given: energies are those of 1 µm²."]


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
    """Polarization after cycles: wake-up may have come or not; fatigue may have taken any part."""
    fresh = _quantity(exact.polarization, spread.polarization)
    if cycles == 0.0 or subject.gated:
        return fresh
    parameters = subject.file.parameters
    ends = [fresh["low"], fresh["high"]]
    if "wake_up_gain" in parameters and "wake_up_cycles" in parameters:
        progress = min(1.0, math.log1p(cycles) / math.log1p(parameters["wake_up_cycles"].high))
        factor = parameters["wake_up_gain"].high ** progress
        ends = [end * f for end in ends for f in (1.0 / factor, factor)]
    fatigue = parameters.get("fatigue_onset")
    if fatigue is None or cycles > fatigue.low:
        ends.append(0.0)
    return {**fresh, "low": min(ends), "high": max(ends)}
