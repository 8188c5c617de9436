"""A film between electrodes under pulses and waveforms of the voltage, whatever law switches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cost_models.constants import VACUUM_PERMITTIVITY
from cost_models.ferroelectric.capacitor import PulseParts, pulse_energy
from cost_models.ferroelectric.delayed_preisach import DelayedPreisach
from cost_models.ferroelectric.landau import Landau
from cost_models.ferroelectric.nucleation import Nucleation
from cost_models.ferroelectric.preisach import TanhLoop
from cost_models.ferroelectric.thermal_rate import ThermalRate
from cost_models.ferroelectric.waveform import Response, Waveform
from cost_models.namespace import Array, as_array, namespace_of
from cost_models.ranges import require_positive

#: Rest after a pulse in which a polarization of Landau falls to its root, over ρ/|α| (60 e-foldings).
_REST = 60.0


class Switching(Protocol):
    """A law of switching: field in, polarization out."""

    @property
    def remanent(self) -> Array:
        """Polarization [C/m²] of a fully switched film at rest."""

    def left(self, field: Array, duration: Array, temperature: Array) -> Array:
        """Polarization [C/m²] at rest after a pulse of a field [V/m] for a time [s] on the state −Pr."""

    def response(self, waveform: Waveform, temperature: float) -> Response:
        """Polarization under a waveform of the field [V/m], from the state −Pr."""


@dataclass(frozen=True)
class NucleationLaw:
    """Nucleation-limited switching; its temperature dependence is not known and has no term."""

    model: Nucleation

    @property
    def remanent(self) -> Array:
        return self.model.remanent_polarization

    def left(self, field: Array, duration: Array, temperature: Array) -> Array:
        return self.model.after_pulse(field, duration)

    def response(self, waveform: Waveform, temperature: float) -> Response:
        return self.model.response(waveform)


@dataclass(frozen=True)
class ThermalLaw:
    """Thermally activated switching over one barrier; the state at rest is kept for the time of a read."""

    model: ThermalRate

    @property
    def remanent(self) -> Array:
        return self.model.saturation_polarization

    def left(self, field: Array, duration: Array, temperature: Array) -> Array:
        return self.model.pulse(field, duration, temperature)

    def response(self, waveform: Waveform, temperature: float) -> Response:
        return self.model.response(waveform, temperature)


@dataclass(frozen=True)
class PreisachLaw:
    """Preisach's loop behind a delay: the film feels the field that the lag has let through by the end."""

    model: DelayedPreisach

    @property
    def remanent(self) -> Array:
        return self.model.film.remanent_polarization

    def left(self, field: Array, duration: Array, temperature: Array) -> Array:
        xp = namespace_of(field, duration)
        caught = -xp.expm1(-as_array(duration, xp) / self.model.time_constant(field))
        return self.model.film.pulse(field * caught)

    def response(self, waveform: Waveform, temperature: float) -> Response:
        return self.model.response(waveform)


@dataclass(frozen=True)
class StaticPreisachLaw:
    """Preisach's loop without time: however short the pulse."""

    model: TanhLoop

    @property
    def remanent(self) -> Array:
        return self.model.remanent_polarization

    def left(self, field: Array, duration: Array, temperature: Array) -> Array:
        return self.model.pulse(field + 0.0 * duration)

    def response(self, waveform: Waveform, temperature: float) -> Response:
        return self.model.response(waveform)


@dataclass(frozen=True)
class LandauLaw:
    """One domain after Landau and Khalatnikov; at rest it lies in one of its two wells."""

    model: Landau

    @property
    def remanent(self) -> Array:
        return self.model.spontaneous_polarization

    def left(self, field: Array, duration: Array, temperature: Array) -> Array:
        reached = self.model.pulse(field, duration)
        rest = _REST * self.model.resistivity / abs(self.model.alpha)
        return self.model.pulse(0.0 * reached, rest + 0.0 * reached, initial=reached)

    def response(self, waveform: Waveform, temperature: float) -> Response:
        return self.model.response(waveform)


@dataclass(frozen=True)
class FilmPulse:
    """``polarization`` [C/m²] left by a pulse; ``energy`` an area [J/m²] by what takes it."""

    polarization: Array
    energy: PulseParts


@dataclass(frozen=True)
class Film:
    """``thickness`` [m], ``permittivity`` without switching, ``switching``, leakage [A/m²] while written."""

    thickness: Array
    permittivity: Array
    switching: Switching
    leakage_current_density: Array = 0.0

    def __post_init__(self) -> None:
        require_positive("film", thickness=self.thickness, permittivity=self.permittivity)

    @property
    def capacitance(self) -> Array:
        """Linear capacitance [F/m²]."""
        return VACUUM_PERMITTIVITY * self.permittivity / self.thickness

    def pulse(self, voltage: Array, duration: Array, temperature: Array = 300.0) -> FilmPulse:
        """One pulse of ``voltage`` [V] for ``duration`` [s] on the state −Pr, at ``temperature`` [K]."""
        left = self.switching.left(voltage / self.thickness, duration, temperature)
        energy = pulse_energy(
            switched_polarization=left + self.switching.remanent,
            area=1.0,
            voltage=voltage,
            capacitance_per_area=self.capacitance,
            leakage_current_density=self.leakage_current_density,
            pulse_time=duration,
        )
        return FilmPulse(left, energy)

    def response(self, waveform: Waveform, temperature: float = 300.0) -> Response:
        """Field and polarization under a waveform of the voltage [V], from the state −Pr."""
        return self.switching.response(waveform.scaled(1.0 / float(np.asarray(self.thickness))), temperature)
