"""One pulse, or one waveform, on a device of the library: polarization, window, energy, intervals."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.ferroelectric.waveform import Response
from cost_models.uncertainty import interval
from device_params.errors import InputError, nearest_name
from rmaat_hw.devices.limits import (
    PULSE,
    checked,
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

_UNVERIFIED = "threshold_sigma is that of switching alone, which vanishes where all domains have switched."

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
            document["course"] = {name: column.tolist() for name, column in self.to_pandas().items()}
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

    own = {} if area is None else {area_name(subject): area}
    nominal = subject.nominal | own
    drawn = subject.drawn(seed, temperature=temperature) | own
    exact = subject.outcome(nominal, voltage, pulse, temperature)
    spread = subject.outcome(drawn, voltage, pulse, temperature)
    area = nominal.get(area_name(subject), DEFAULT_AREA)
    areas = drawn.get(area_name(subject), DEFAULT_AREA)
    notes = [*area_note(subject, own), *unknown_of(subject, temperature, cycles)]
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
    polarization = _quantity(exact.polarization, spread.polarization)
    switched = _quantity(exact.switched, spread.switched)
    energy = _quantity(exact.energy_density * area, spread.energy_density * areas)
    if cycles and not subject.gated:
        least, most = wake_up_factors(subject, cycles)
        changes = [(f - 1.0) * abs(voltage) * switched["value"] * area for f in (least, most)]
        energy = energy | {"low": energy["low"] + changes[0], "high": energy["high"] + changes[1]}
        polarization, switched = (_scaled(q, least, most) for q in (polarization, switched))
    if subject.gated:
        notes.append(_UNVERIFIED)
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
        switched_polarization=switched,
        write_energy=energy,
        memory_window=windows.get(model),
        window_model=model if windows else None,
        windows=windows,
        threshold_sigma=_quantity(exact.threshold_sigma, spread.threshold_sigma) if subject.gated else None,
        extrapolated=tuple(outside),
        notes=tuple(notes),
    )


# -- area --------------------------------------------------------------------------------------------


def area_name(subject: Subject) -> str:
    """The parameter that a file of the subject's family keeps its area [m²] in."""
    return "gate_area" if subject.gated else "device_area"


def area_note(subject: Subject, own: Mapping[str, float]) -> list[str]:
    """A note where nobody gave an area."""
    known = bool(own) or area_name(subject) in subject.nominal
    return [] if known else ["No area was given: energies are those of 1 µm²."]


# -- quantities --------------------------------------------------------------------------------------


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


def wake_up_factors(subject: Subject, cycles: float) -> tuple[float, float]:
    """What cycles may have made of the polarization, over that of the file, at least and at most.

    The file's film may have been woken or not: then it had less, or has more now. Fatigue takes any part.
    """
    parameters = subject.file.parameters
    least = most = 1.0
    if "wake_up_gain" in parameters and "wake_up_cycles" in parameters:
        progress = min(1.0, math.log1p(cycles) / math.log1p(parameters["wake_up_cycles"].high))
        gain = parameters["wake_up_gain"].high
        least, most = gain ** (progress - 1.0), gain**progress
    fatigue = parameters.get("fatigue_onset")
    return (0.0, most) if fatigue is None or cycles > fatigue.low else (least, most)


def _scaled(found: Quantity, least: float, most: float) -> Quantity:
    ends = [end * factor for end in (found["low"], found["high"]) for factor in (least, most)]
    return {"value": found["value"], "low": min(ends), "high": max(ends)}
