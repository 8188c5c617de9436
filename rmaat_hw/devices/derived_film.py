"""What follows from the switching of a film between electrodes, or from its loop alone."""

from __future__ import annotations

import numpy as np

from cost_models.ferroelectric.device import FILM_FAMILIES, LAWS, film_of
from cost_models.ferroelectric.film import LandauLaw
from cost_models.ferroelectric.landau import Landau
from cost_models.ferroelectric.waveform import Floats, triangle
from device_params.errors import InputError
from rmaat_hw.devices.derivation import FEW, Derivation, Formula, Values

LOOP_FREQUENCY = 1e3  # Hz, at which loops of capacitors are customarily traced

_DECADES = (-15.0, 9.0)  # of time, in which a switching time is looked for
_BISECTIONS = 50
_LOOPS = 21  # loops behind an interval, where a parameter of the law varies


def switching(d: Derivation) -> None:
    """Rows of a film whose law of switching is known."""
    if d.device.family not in FILM_FAMILIES or not _complete(d):
        return
    voltage, told = _voltage(d)
    temperature = d.temperature
    if d.has("write_voltage"):
        d.add(
            "write_field",
            "V/m",
            lambda p: voltage(p) / p["film_thickness"],
            f"write_voltage of {told} over film_thickness",
        )
    if d.law != "Preisach":  # has no time
        d.add(
            "half_switching_time",
            "s",
            lambda p: _half_time(p, voltage(p), temperature),
            f"pulse of {told} after which -Pr has become zero; {d.law}{_floor(d)}",
            samples=FEW,
        )
    if d.has("write_voltage", "write_time"):
        _pulse(d, voltage, f"one pulse of {told}, {d.told('write_time')} on the state -Pr")
    d.add("film_capacitance", "F/m^2", lambda p: film_of(p).capacitance, "eps0·eps over film_thickness")
    _coercive_field(d, voltage, told)
    if d.law == "Landau-Khalatnikov":
        d.add(
            "spontaneous_polarization",
            "C/m^2",
            lambda p: _landau(p).spontaneous_polarization,
            "outer zero of alpha·P + beta·P^3 + gamma·P^5",
        )


def _floor(d: Derivation) -> str:
    return ", time constant 0.1 ns at least" if d.law == "thermally activated" else ""


def _complete(d: Derivation) -> bool:
    return bool(d.law) and d.has("film_thickness", "relative_permittivity")


def _voltage(d: Derivation) -> tuple[Formula, str]:
    """Voltage of a pulse [V] and its words: the nominal write voltage, else twice the coercive field."""
    if d.has("write_voltage"):
        return lambda p: p["write_voltage"], d.told("write_voltage")
    field = 2.0 * _loop_field(d)
    return lambda p: field * p["film_thickness"], "twice the coercive field"


def _loop_field(d: Derivation) -> float:
    """Coercive field of the law's own loop [V/m]; 1 MV/cm for a law that states none."""
    if d.law == "Landau-Khalatnikov":
        return float(_landau(d.nominal).coercive_field)
    return float(d.nominal.get("coercive_field", 1e8))


def _landau(p: Values) -> Landau:
    law = film_of(p).switching
    assert isinstance(law, LandauLaw)
    return law.model


def _pulse(d: Derivation, voltage: Formula, told: str) -> None:
    duration, temperature = d.nominal["write_time"], d.temperature

    def left(p: Values) -> Floats:
        polarization: Floats = np.asarray(film_of(p).pulse(voltage(p), duration, temperature).polarization)
        return polarization

    def share(p: Values) -> Floats:
        remanent = film_of(p).switching.remanent
        return (left(p) + remanent) / (2.0 * remanent)

    def energy(p: Values) -> Floats:
        density: Floats = np.asarray(film_of(p).pulse(voltage(p), duration, temperature).energy.total)
        return density

    d.add("switched_share", "1", share, f"of 2·Pr, {told}")
    d.add(
        "polarization_left",
        "C/m^2",
        lambda p: left(p) + p.get("polarization_error", 0.0),
        f"{told}{'; error of the law included' if d.has('polarization_error') else ''}",
    )
    parts = "V·(switched polarization + C·V" + (" + J·t)" if d.has("leakage_current_density") else ")")
    d.add("pulse_energy_density", "J/m^2", energy, f"{parts}, {told}")
    if d.has("device_area"):
        d.add(
            "pulse_energy",
            "J",
            lambda p: energy(p) * p["device_area"],
            f"pulse_energy_density · device_area, {told}",
        )


def _half_time(p: Values, voltage: Floats, temperature: float) -> Floats:
    """Length of the pulse [s] that switches one half. Raises InputError where none does."""
    film = film_of(p)
    field = voltage / film.thickness
    shape = 0.0 * np.asarray(film.switching.left(field, 1.0, temperature))
    low, high = shape + _DECADES[0], shape + _DECADES[1]
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        reached = film.switching.left(field, 10.0**middle, temperature) >= 0.0
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    if not (high < _DECADES[1]).all():
        raise InputError(f"not within {10.0 ** _DECADES[1]:.0e} s", where="switching of one half")
    found: Floats = 10.0**high
    return found


def _coercive_field(d: Derivation, voltage: Formula, told: str) -> None:
    """The loop of a triangle; of a law whose parameters are exact a single one."""
    if d.law == "Landau-Khalatnikov":
        d.add(
            "coercive_field",
            "V/m",
            lambda p: _landau(p).coercive_field,
            "extremum of alpha·P + beta·P^3 + gamma·P^5, of one domain",
        )
        return
    amplitude = float(voltage(d.nominal)) / d.nominal["film_thickness"]
    names = (*LAWS[d.law], "offset_field", "offset_field_sigma")
    varying = [name for name in names if isinstance(d.drawn.get(name), np.ndarray)]

    def coercive(p: Values) -> Floats:
        loops = _LOOPS if any(isinstance(p[name], np.ndarray) for name in varying) else 1
        chosen = [
            {**d.nominal, **{n: float(np.asarray(p[n]).reshape(-1)[i]) for n in varying}}
            for i in range(loops)
        ]
        return np.asarray([loop_width(q, amplitude, d.temperature) for q in chosen])

    how = f"half the width of the loop of a triangle of {told} at 1 kHz"
    d.add("coercive_field", "V/m", lambda p: np.squeeze(coercive(p)), how, samples=_LOOPS)


def loop_width(p: Values, amplitude: float, temperature: float) -> float:
    """Coercive field [V/m] of the loop of a triangle of the field, ``amplitude`` [V/m], 1 kHz.

    The loop is that after the first rise: down in the third quarter, up again in the fifth.
    """
    film = film_of(p)
    course = film.switching.response(triangle(amplitude, LOOP_FREQUENCY, cycles=1.25), temperature)
    field, polarization = course.field, course.polarization
    found = []
    for sign in (1.0, -1.0):
        turned = np.flatnonzero((sign * polarization[:-1] < 0) & (sign * polarization[1:] >= 0))
        if not len(turned):
            raise InputError(
                "the film does not switch under this triangle", where="coercive field", value=amplitude
            )
        i = int(turned[-1])
        share = polarization[i] / (polarization[i] - polarization[i + 1])
        found.append(float(field[i] + share * (field[i + 1] - field[i])))
    return (found[0] - found[1]) / 2.0


def loop_alone(d: Derivation) -> None:
    """Rows of a capacitor of which no law of switching is known, but a loop or a polarization."""
    if d.device.family not in FILM_FAMILIES or _complete(d):
        return
    if d.has("write_voltage", "film_thickness"):
        d.add(
            "write_field",
            "V/m",
            lambda p: p["write_voltage"] / p["film_thickness"],
            f"write_voltage of {d.told('write_voltage')} over film_thickness",
        )
        if d.has("breakdown_field"):
            d.add(
                "breakdown_margin",
                "1",
                lambda p: p["breakdown_field"] * p["film_thickness"] / p["write_voltage"],
                "breakdown_field over the field of write_voltage",
            )
    if d.has("coercive_field", "film_thickness"):
        d.add(
            "coercive_voltage",
            "V",
            lambda p: p["coercive_field"] * p["film_thickness"],
            "coercive_field · film_thickness",
        )
    if not d.has("remanent_polarization"):
        return
    area, told = d.area
    d.add("switching_charge", "C", lambda p: 2.0 * p["remanent_polarization"] * area(p), f"2·Pr·A, {told}")
    if d.has("write_voltage"):
        d.add(
            "switching_energy",
            "J",
            lambda p: 2.0 * p["remanent_polarization"] * area(p) * p["write_voltage"],
            f"2·Pr·A·V at {d.told('write_voltage')}, {told}; without C·V², permittivity unknown",
        )
