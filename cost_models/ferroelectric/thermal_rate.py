"""Thermally activated switching over one barrier that the field tilts: gives the temperature dependence.

A share p of the film points up, P = 2·Ps·(p − ½), and units of it hop with the rates

    k± = (kT/h)·exp{−[w_b ∓ q·d_e·(E − Eoff)]/kT},    dp/dt = k+·(1 − p) − k−·p

(J. Fehlings et al., "Heracles", arXiv 2410.07791, doi 10.1109/TED.2025.3615577). So p relaxes towards
p∞ = k+/(k+ + k−) with 1/τ = k+ + k−.

**Work and loss.** k+/k− = exp[2·q·d_e·(E − Eoff)/kT] is the Boltzmann factor of a unit of volume v that gains
2·Ps·v·(E − Eoff) by turning, with v = q·d_e/Ps. The film of 1/v such units a volume then has the free energy

    F(p) = (kT/v)·[p·ln p + (1 − p)·ln(1 − p)] + Eoff·P,

the entropy of mixing and the built-in field. F' = E at p = p∞, and P moves to where E − F' points, so the
work less the change of F never falls: it is the heat. F depends on the state alone; over a closed cycle the
heat is ∮E dP.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE, PLANCK
from cost_models.ferroelectric.waveform import Floats, Response, Waveform, triangle
from cost_models.namespace import Array, as_array, namespace_of
from device_params.errors import InputError

#: Field step of a waveform over kT/(q·d_e), the field that changes a rate e-fold. Rates are taken in the
#: middle of a step, which errs by step²/24, 1e-3 of a rate.
_FIELD_STEP: Final[float] = 0.15

#: Rates below exp(−600) 1/s are as good as none, and still numbers.
_LARGEST_EXPONENT: Final[float] = 600.0


@dataclass(frozen=True)
class ThermalRate:
    """Film that switches over one barrier.

    Attributes (numbers or arrays that broadcast; ``response`` takes numbers):
        saturation_polarization: Ps [C/m²].
        switching_barrier: w_b [J].
        field_action_length: d_e [m].
        offset_field: Eoff [V/m].
        shortest_time: floor of τ [s], added to 1/(k+ + k−). The barrier is gone above about w_b/(q·d_e) and
            the rate would pass 1e12/s; growth of a domain and the circuit then set the pace. Films have been
            shown to switch in 5 to 10 ns (Si et al., Appl. Phys. Lett. 2019), so it lies below that; 0.1 ns
            leaves the published kinetics up to 1 MV/cm as they are. Assumed.
    """

    saturation_polarization: Array
    switching_barrier: Array
    field_action_length: Array
    offset_field: Array = 0.0
    shortest_time: Array = 1e-10

    def __post_init__(self) -> None:
        for name in ("saturation_polarization", "switching_barrier", "field_action_length", "shortest_time"):
            value = getattr(self, name)
            xp = namespace_of(value)
            if not bool(xp.all(as_array(value, xp) > 0)):
                raise InputError(
                    f"{name} is not positive", where="thermal rate model", value=value, allowed="above 0"
                )

    def _tilt(self, field: Array, temperature: Array) -> Array:
        """q·d_e·(E − Eoff)/kT: half the difference of the wells over kT."""
        xp = namespace_of(field, temperature, self.offset_field, self.field_action_length)
        lever = ELEMENTARY_CHARGE * self.field_action_length / (BOLTZMANN * _kelvin(temperature, xp))
        return lever * (as_array(field, xp) - self.offset_field)

    def time_constant(self, field: Array, temperature: Array) -> Array:
        """τ = 1/(k+ + k−) and the floor [s] at a field [V/m] and a temperature [K]."""
        tilt = self._tilt(field, temperature)
        xp = namespace_of(tilt, self.switching_barrier)
        kelvin = _kelvin(temperature, xp)
        size = xp.abs(tilt)
        exponent = self.switching_barrier / (BOLTZMANN * kelvin) - size - xp.log1p(xp.exp(-2.0 * size))
        exponent = xp.clip(exponent, -_LARGEST_EXPONENT, _LARGEST_EXPONENT)
        return self.shortest_time + xp.exp(exponent) * PLANCK / (BOLTZMANN * kelvin)

    def equilibrium(self, field: Array, temperature: Array) -> Array:
        """Polarization [C/m²] that a field [V/m] leads to in the end: Ps·tanh[q·d_e·(E − Eoff)/kT]."""
        tilt = self._tilt(field, temperature)
        return self.saturation_polarization * namespace_of(tilt).tanh(tilt)

    def pulse(
        self, field: Array, duration: Array, temperature: Array, *, initial: Array | None = None
    ) -> Array:
        """Polarization [C/m²] at the end of a constant field, before the field goes: exact.

        Args:
            field: [V/m].
            duration: [s].
            temperature: [K].
            initial: polarization at the start [C/m²]; −Ps when not given.

        Returns:
            P∞ + (P0 − P∞)·exp(−t/τ), the shape of all arguments broadcast.
        """
        start = -self.saturation_polarization if initial is None else initial
        end = self.equilibrium(field, temperature)
        tau = self.time_constant(field, temperature)
        xp = namespace_of(end, tau, duration, start)
        return end + (start - end) * xp.exp(-as_array(duration, xp) / tau)

    def energy(self, polarization: Array, temperature: Array) -> Array:
        """Free energy F [J/m³] of a polarization [C/m²]; 0 for Eoff = 0 in saturation."""
        xp = namespace_of(polarization, temperature, self.saturation_polarization, self.field_action_length)
        up = (1.0 + as_array(polarization, xp) / self.saturation_polarization) / 2.0
        density = self.saturation_polarization / (ELEMENTARY_CHARGE * self.field_action_length)
        mixing = _entropy_term(up) + _entropy_term(1.0 - up)
        return density * BOLTZMANN * temperature * mixing + self.offset_field * polarization

    def response(
        self,
        waveform: Waveform,
        temperature: float,
        *,
        initial: float | None = None,
        step: float = _FIELD_STEP,
    ) -> Response:
        """Follow a waveform of the field [V/m] at a temperature [K], from ``initial`` [C/m²] or −Ps.

        Between samples p relaxes exponentially at the rates of the field in the middle; samples are added
        until the field changes by ``step``·kT/(q·d_e) at most. For a constant field this is exact.
        """
        lever = ELEMENTARY_CHARGE * float(self.field_action_length) / (BOLTZMANN * _kelvin(temperature, np))
        fine = waveform.refined(step / float(lever))
        middle = (fine.drive[1:] + fine.drive[:-1]) / 2
        left = np.exp(-fine.steps / self.time_constant(middle, temperature))
        ends = self.equilibrium(middle, temperature)
        saturation = float(self.saturation_polarization)
        if initial is not None and abs(initial) > saturation:
            raise InputError(
                "initial polarization beyond saturation",
                where="thermal rate model",
                value=initial,
                allowed=f"-{saturation:g} to {saturation:g} C/m²",
            )
        reached = [-saturation if initial is None else initial]
        for end, share in zip(ends.tolist(), left.tolist(), strict=True):
            reached.append(end + (reached[-1] - end) * share)
        polarization = np.clip(reached, -saturation, saturation)  # rounding may step over
        stored: Floats = self.energy(polarization, temperature)
        work = np.append(0.0, np.cumsum(middle * np.diff(polarization)))
        return Response(fine.time, fine.drive, polarization, work - (stored - stored[0]))

    def coercive_field(self, frequency: Array, temperature: Array, amplitude: Array) -> Array:
        """Coercive field [V/m] of the loop under a triangle: half the distance of the zeros of P.

        Args:
            frequency: of the triangle [Hz].
            temperature: [K].
            amplitude: of the triangle [V/m].

        Returns:
            [V/m], the shape of all arguments broadcast. The loop is the second period, after one from −Ps.

        Raises InputError where the film does not switch.
        """
        xp = namespace_of(frequency, temperature, amplitude, self.switching_barrier, self.offset_field)
        frequency, amplitude = as_array(frequency, xp), as_array(amplitude, xp)
        tilt = xp.abs(self._tilt(amplitude, temperature) - self._tilt(0.0, temperature))
        quarter = math.ceil(float(xp.max(tilt)) / _FIELD_STEP)
        duration = 1.0 / (4 * quarter * frequency)
        shape = triangle(1.0, 1.0).refined(1.0 / quarter).drive
        now = -self.saturation_polarization + 0.0 * (amplitude + duration + temperature)
        zeros = {sign: float("nan") + 0.0 * now for sign in (1.0, -1.0)}
        for first, last in list(zip(shape[:-1].tolist(), shape[1:].tolist(), strict=True)) * 2:
            new = self.pulse((first + last) / 2 * amplitude, duration, temperature, initial=now)
            crosses = (now < 0) != (new < 0)
            share = now / xp.where(crosses, now - new, 1.0)
            place = (first + share * (last - first)) * amplitude
            direction = 1.0 if last > first else -1.0
            zeros[direction] = xp.where(crosses, place, zeros[direction])
            now = new
        width = zeros[1.0] - zeros[-1.0]
        if not bool(xp.all(width > 0)):
            raise InputError(
                "the film does not switch",
                where="coercive field",
                value=amplitude,
                remedy="raise the amplitude or lower the frequency",
            )
        return width / 2


def _kelvin(temperature: Array, xp: Any) -> Array:
    """The temperature as an array [K]; refused unless it is above zero."""
    kelvin = as_array(temperature, xp)
    if not bool(xp.all(kelvin > 0)):
        raise InputError(
            "temperature is not above zero",
            where="thermal rate model",
            value=temperature,
            allowed="above 0 K",
        )
    return kelvin


def _entropy_term(share: Array) -> Array:
    """p·ln p, 0 at p = 0 (and where rounding leaves less)."""
    xp = namespace_of(share)
    some = share > 0
    return xp.where(some, share * xp.log(xp.where(some, share, 1.0)), 0.0)
