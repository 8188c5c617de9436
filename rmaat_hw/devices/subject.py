"""What is simulated: a device of the library, its models at any parameters, its measured ranges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from scipy.special import ndtri

from cost_models.ferroelectric.device import (
    DELAYED,
    FILM_FAMILIES,
    GATE_FAMILIES,
    UNVARIED,
    film_of,
    fitted_window_of,
    gate_of,
    law_of,
    missing_for,
)
from cost_models.ferroelectric.wear import Wear
from cost_models.uncertainty import sample
from device_params import ComponentFile, load_device
from device_params.errors import InputError
from device_params.schema import NORMAL_SCORE_95

Values: TypeAlias = Mapping[str, Any]
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

SAMPLES = 1024
ROOM_TEMPERATURE = 300.0  # K, where a file does not state one

#: Change of the coercive field with temperature of the one HZO film whose law contains it, relative [1/K]:
#: -2.2e5 V/m/K over 8.12e7 V/m (thermally activated model, 300-398 K). It bounds what other films may do.
_TEMPERATURE_COEFFICIENT = 2.2e5 / 8.12e7

ACTIVATION = ("activation_field_scale", "activation_field_mean", "fit_activation_voltage")


def normal_scores(seed: int) -> Floats:
    """Standard normal scores [SAMPLES], evenly stratified, in an order that ``seed`` draws."""
    scores: Floats = ndtri((np.random.default_rng(seed).permutation(SAMPLES) + 0.5) / SAMPLES)
    return scores


@dataclass(frozen=True)
class Outcome:
    """What one pulse leaves, each a number or [samples]; a window only where the device has a gate."""

    polarization: Any
    switched: Any
    energy_density: Any
    physical_window: Any = None
    fitted_window: Any = None
    threshold_sigma: Any = None


@dataclass(frozen=True)
class Subject:
    """A device that switches: a film between electrodes, or the gate of a transistor."""

    file: ComponentFile

    @classmethod
    def load(cls, name: str) -> Subject:
        """Load a device by name or path. Raises InputError where its switching is not known."""
        file = load_device(name)
        subject = cls(file)
        if file.family not in (*GATE_FAMILIES, *FILM_FAMILIES):
            raise InputError(
                "not a ferroelectric device",
                where=file.name,
                value=file.family,
                allowed=", ".join((*FILM_FAMILIES, *GATE_FAMILIES)),
            )
        missing = missing_for(file.family, file.parameters)
        if missing:
            raise InputError(
                f"its switching was not published: no {', '.join(missing)}",
                where=file.name,
                remedy="what is not known stays missing; state it in a file of your own and give its path",
            )
        return subject

    @property
    def gated(self) -> bool:
        """Whether the film is the gate of a transistor: then it has a memory window."""
        return self.file.family in GATE_FAMILIES

    @property
    def law(self) -> str:
        """Name of the law of switching."""
        return law_of(self.file.parameters)

    @cached_property
    def nominal(self) -> dict[str, float]:
        """Parameters by name (SI)."""
        return self.file.parameters.nominal()

    @cached_property
    def wear(self) -> Wear:
        """What is known of its wear."""
        return Wear.of(self.nominal)

    def drawn(self, seed: int, *, temperature: float) -> dict[str, Any]:
        """Parameters drawn jointly from their intervals: name -> number or [samples].

        Away from the temperature of the measurements a law without temperature has wider activation fields:
        by what the coercive field of another film does, in either direction.
        """
        chosen = {
            name: parameter
            for name, parameter in self.file.parameters.items()
            if name not in UNVARIED and not (self.law == DELAYED and name == "film_thickness")
        }
        chosen.pop("write_voltage", None)
        chosen.pop("write_time", None)
        values = {**self.nominal, **sample(chosen, SAMPLES, seed)}
        spread = self.unknown_temperature(temperature)
        if spread > 0.0:
            factor = np.exp(np.log1p(spread) * normal_scores(seed) / NORMAL_SCORE_95)
            values |= {name: values[name] * factor for name in ACTIVATION if name in values}
        return values

    def unknown_temperature(self, temperature: float) -> float:
        """Relative half width of what an unmeasured temperature [K] may do to the activation fields."""
        if self.law == "thermally activated":
            return 0.0
        measured = self.nominal.get("temperature", ROOM_TEMPERATURE)
        low, high = self.temperatures
        return 0.0 if low <= temperature <= high else _TEMPERATURE_COEFFICIENT * abs(temperature - measured)

    @property
    def temperatures(self) -> tuple[float, float]:
        """Range of the temperatures that were measured or are the law's [K]."""
        stated = self.file.parameters.get("temperature")
        return stated.allowed if stated is not None else (ROOM_TEMPERATURE - 10, ROOM_TEMPERATURE + 10)

    def outcome(self, p: Values, voltage: float, duration: float, temperature: float) -> Outcome:
        """One pulse of ``voltage`` [V] (negative: nothing to switch) on the state −Pr."""
        if not self.gated:
            film = film_of(p)
            pulse = film.pulse(voltage, duration, temperature)
            error = p.get("polarization_error", 0.0)
            return Outcome(
                polarization=pulse.polarization + error,
                switched=pulse.polarization + film.switching.remanent + error,
                energy_density=pulse.energy.total + abs(voltage) * error,
            )
        gate = gate_of(p)
        stack, remanent = gate.stack, p["remanent_polarization"]
        found = stack.pulse(abs(voltage), duration)
        fitted = fitted_window_of(p)
        share = found.share if voltage > 0 else 0.0 * found.share
        unswitched = 0.0 if voltage > 0 else abs(voltage) * found.switched_polarization
        return Outcome(
            polarization=remanent * (2.0 * share - 1.0),
            switched=2.0 * remanent * share,
            energy_density=found.energy - unswitched,
            physical_window=p["saturated_window"] * found.share + p.get("window_error", 0.0),
            fitted_window=fitted and fitted.after(abs(voltage), duration) + p.get("fit_error", 0.0),
            threshold_sigma=gate.threshold_sigma(share),
        )
