"""A waveform of the voltage on a device of the library, followed in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cost_models.ferroelectric.device import DELAYED, film_of, gate_of
from cost_models.ferroelectric.waveform import Response, Waveform
from rmaat_hw.devices.limits import checked, driven_time, outside_of, refuse, temperature_of, unknown_of
from rmaat_hw.devices.simulate import DEFAULT_AREA, Quantity, Simulation, area_name, area_note
from rmaat_hw.devices.subject import ACTIVATION, Subject

_NOMINAL = (
    "Nominal parameters: of the intervals only the error of the model is known. The source follows the "
    "waveform."
)
_LAGGING = "The polarization is that under the lagging field, which stays where the drive has left it."


@dataclass(frozen=True)
class _Course:
    """What a waveform does at one set of parameters: its samples, and the energy [J/m²] that its source
    gives.
    """

    response: Response
    energy: float
    window: float | None

    @property
    def ends(self) -> tuple[float, float]:
        """Polarization [C/m²] at first and last sample."""
        return float(self.response.polarization[0]), float(self.response.polarization[-1])


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
    last sample. Nominal parameters: of the intervals the error of the model is known, and what an unmeasured
    temperature may do to the activation fields.

    Raises InputError as ``simulate``: the largest voltage counts, and the longest stay at measured ones.
    """
    subject = Subject.load(name)
    temperature = temperature_of(subject, temperature)
    largest = float(np.abs(waveform.drive).max())
    span = float(waveform.time[-1] - waveform.time[0])
    checked(voltage=largest, pulse=span, temperature=temperature, area=area)
    outside = outside_of(
        subject,
        voltage=largest or None,
        pulse=driven_time(subject, waveform) or None,
        temperature=temperature,
    )
    refuse(outside, subject, allow_extrapolation)
    own = {} if area is None else {area_name(subject): area}
    nominal = subject.nominal | own
    area = nominal.get(area_name(subject), DEFAULT_AREA)
    unknown = subject.unknown_temperature(temperature)
    factors = (1.0,) if unknown == 0.0 else (1.0, 1.0 / (1.0 + unknown), 1.0 + unknown)
    courses = [
        _follow(
            subject,
            nominal | {k: nominal[k] * factor for k in ACTIVATION if k in nominal},
            waveform,
            temperature,
        )
        for factor in factors
    ]
    parameters = subject.file.parameters
    errors = [parameters[k] for k in ("polarization_error", "window_error") if k in parameters]
    error = (errors[0].low, errors[0].high) if errors else (0.0, 0.0)
    first, _ = courses[0].ends
    on_polarization = (0.0, 0.0) if subject.gated else error
    windows = [course.window for course in courses if course.window is not None]
    window = _over(windows, error) if windows else None
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
        polarization=_over([course.ends[1] for course in courses], on_polarization),
        switched_polarization=_over([course.ends[1] - first for course in courses], on_polarization),
        write_energy=_over([area * course.energy for course in courses], (0.0, 0.0)),
        memory_window=window,
        window_model=None if window is None else "physical",
        windows={} if window is None else {"physical": window},
        extrapolated=tuple(outside),
        notes=(
            _NOMINAL,
            *((_LAGGING,) if subject.law == DELAYED else ()),
            *area_note(subject, own),
            *unknown_of(subject, temperature, 0.0),
        ),
        course=courses[0].response,
    )


def _follow(subject: Subject, p: Mapping[str, float], waveform: Waveform, temperature: float) -> _Course:
    """The waveform at one set of parameters."""
    if subject.gated:
        stack = gate_of(p).stack
        response = stack.response(waveform)
        linear = float(stack.film_capacitance) * float(stack.film_thickness) * response.field
        leakage = 0.0
    else:
        film = film_of(p)
        response = film.response(waveform, temperature)
        linear = float(film.capacitance) * float(film.thickness) * response.field
        leakage = float(film.leakage_current_density)
    drive = np.interp(response.time, waveform.time, waveform.drive)
    middle = (drive[1:] + drive[:-1]) / 2
    given = middle * np.diff(response.polarization + linear)
    leaked = leakage * float(np.sum(np.abs(middle) * np.diff(response.time)))
    window = None
    if subject.gated:
        turned = abs(float(response.polarization[-1] - response.polarization[0]))
        window = p["saturated_window"] * turned / (2.0 * p["remanent_polarization"])
    return _Course(response, float(given[given > 0].sum()) + leaked, window)


def _over(values: list[float], error: tuple[float, float]) -> Quantity:
    """The first of ``values`` inside the range of all of them and of an error."""
    return {"value": values[0], "low": min(values) + error[0], "high": max(values) + error[1]}
