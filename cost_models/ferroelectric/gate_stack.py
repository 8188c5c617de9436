"""Gate stack of a ferroelectric transistor: metal, film, interlayer, channel, and the charge between them.

A film of 25 µC/cm² on 1 nm of SiO₂ would put 72 MV/cm across the oxide, which no oxide bears: charge is
injected through it and trapped at the interface to the film, where it screens most of the polarization
(Toprasertpong, Takenaka and Takagi, arXiv 2211.01584, for what the charge does to the window). Two states
follow.

*At rest* the film and its screening charge leave a small net charge, σ = C_film·MW/2 for a window MW.

*Under a gate voltage* V the interlayer takes at first its share of a capacitive divider, and the more the
film switches the more. It cannot take more than the voltage at which injection keeps pace: from there on the
film gets all the rest,

    V_film = max[ (V − φ + σ/C_i − ΔP/C_i)/(1 + C_film/C_i),  V − V_s ],

with the interlayer's capacitance C_i, the band bending φ of the channel and the switched polarization ΔP.
V_s, the *screening voltage*, is injection plus band bending; it is the one number that is fitted. A divider
without the second branch cannot follow measured windows (0.29 V off with three free numbers, the published
kinetics kept), this one does with one (0.083 V): between 50 ns and 5 µs the gate voltage for half a window
falls by 0.95 V, just as the film's own voltage does, and not by twice as much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from cost_models.constants import VACUUM_PERMITTIVITY
from cost_models.ferroelectric.nucleation import FIELD_STEP, DomainState, Nucleation
from cost_models.ferroelectric.waveform import Floats, Response, Waveform
from cost_models.namespace import Array, spread, take_points
from cost_models.ranges import require_positive

#: Newton steps (by halves where one leaves its bracket) to the film's voltage before the interlayer screens:
#: the switched share is then within 5e-3 of the converged one, 2e-4 in the root mean square (test).
_NEWTON_STEPS = 4

#: Change of the polarization, of Pr, in a time step of a waveform that needs no finer steps.
_SMALL_CHANGE = 1e-3

#: Where Newton begins: the field at which this share of the domains would switch.
_FIRST_SHARE = np.asarray([0.05])


@dataclass(frozen=True)
class GatePulse:
    """What one gate pulse does to a film that pointed against it; all [points].

    ``share`` of the domains switched, ``film_voltage`` [V] across the film at the end of the pulse,
    ``switched_polarization`` [C/m²]; ``charge`` [C/m²] and ``energy`` [J/m²] that the gate's supply has
    delivered: ΔP + C_film·V_film, the charge of the film, whatever screens it below, at the gate's voltage.
    """

    share: Array
    film_voltage: Array
    switched_polarization: Array
    charge: Array
    energy: Array


@dataclass(frozen=True)
class GateStack:
    """Film of ``film_thickness`` [m] and ``permittivity`` over an interlayer [m] of
    ``interlayer_permittivity``.

    ``screening_voltage`` [V], ``band_bending`` [V] (mean of both polarities) and ``saturated_window`` [V] as
    in the head of this module; ``nucleation`` switches the film. Numbers may be arrays [points].
    """

    film_thickness: Array
    permittivity: Array
    interlayer_thickness: Array
    interlayer_permittivity: Array
    screening_voltage: Array
    band_bending: Array
    saturated_window: Array
    nucleation: Nucleation

    def __post_init__(self) -> None:
        require_positive(
            "gate stack",
            film_thickness=self.film_thickness,
            permittivity=self.permittivity,
            interlayer_thickness=self.interlayer_thickness,
            interlayer_permittivity=self.interlayer_permittivity,
            saturated_window=self.saturated_window,
        )

    @property
    def film_capacitance(self) -> Array:
        """Linear capacitance of the film [F/m²]."""
        return VACUUM_PERMITTIVITY * self.permittivity / self.film_thickness

    @property
    def interlayer_capacitance(self) -> Array:
        """Capacitance of the interlayer [F/m²]."""
        return VACUUM_PERMITTIVITY * self.interlayer_permittivity / self.interlayer_thickness

    @property
    def series_capacitance(self) -> Array:
        """Both in series [F/m²]: what a gate loads its line with while nothing switches."""
        film, oxide = self.film_capacitance, self.interlayer_capacitance
        return film * oxide / (film + oxide)

    @property
    def net_charge(self) -> Array:
        """Polarization less its screening charge in a fully switched state at rest [C/m²]."""
        return self.film_capacitance * self.saturated_window / 2.0

    @property
    def screened_share(self) -> Array:
        """Share of the remanent polarization that injected charge screens at rest."""
        return 1.0 - self.net_charge / self.nucleation.remanent_polarization

    def pulse(self, gate_voltage: Array, duration: Array, *, rested: bool = False) -> GatePulse:
        """One pulse of ``gate_voltage`` (its magnitude [V]) for ``duration`` [s] on a film that points
        against it.

        The switched share x solves x = F(V_film(x)/thickness, duration): the film is taken at the voltage
        that it has at the end. A pulse that the interlayer screens from the start is exact; a weaker one errs
        low by what the higher voltage of its beginning has switched, 0.045 of the window at most (tests
        against time steps; ``response`` takes them).

        ``rested``: ``duration`` is made of many short pulses, between which the trapped charge relaxes to
        what screens the state that has been reached. The film then has the divider's full voltage at each of
        them, and more switches than in one pulse; the true interlayer lies between.
        """
        xp, stack, (gate_voltage, duration), shape = spread(self, gate_voltage, duration)
        film, oxide = stack.film_capacitance, stack.interlayer_capacitance
        above = gate_voltage - stack.band_bending + stack.net_charge / oxide
        unscreened = above / (1.0 + film / oxide)
        screened = gate_voltage - stack.screening_voltage
        least = xp.where(screened > 0, screened, 0.0 * screened)
        divided = unscreened > least
        voltage = least + 0.0 * unscreened  # a gradient of zero is a gradient
        if bool(xp.any(divided)):
            # few points of a sweep write so weakly that a divider holds: only they are solved for
            index = xp.nonzero(divided)[0]
            low, high, times = (xp.take(v, index, axis=0) for v in (least, unscreened, duration))
            solved = take_points(stack, index, xp)._divided_voltage(low, high, times, rested, xp)
            place = xp.clip(xp.cumulative_sum(xp.astype(divided, xp.int64)) - 1, 0, None)
            voltage = xp.where(divided, xp.take(solved, place, axis=0), least)
        share, _ = stack.nucleation.of_points(voltage / stack.film_thickness, duration, False, xp)
        switched = 2.0 * stack.nucleation.remanent_polarization * share
        charge = switched + film * voltage
        parts = (share, voltage, switched, charge, gate_voltage * charge)
        return GatePulse(*(xp.reshape(part, shape) for part in parts))

    def _divided_voltage(self, least: Array, most: Array, duration: Array, rested: bool, xp: Any) -> Array:
        """Film voltage [V] at the end of a pulse: from ``least`` to ``most``, what it has before any
        switching.
        """
        thickness, nucleation = self.film_thickness, self.nucleation
        unscreened = self.net_charge if rested else nucleation.remanent_polarization
        # share of the domains that takes one volt off the film
        per_volt = (self.film_capacitance + self.interlayer_capacitance) / (2.0 * unscreened)
        low, high = least, most
        voltage = _between(self._first_guess(duration, xp), low, high, xp)
        for _ in range(_NEWTON_STEPS):
            share, slope = nucleation.of_points(voltage / thickness, duration, True, xp)
            excess = share - (most - voltage) * per_volt
            low, high = xp.where(excess > 0, low, voltage), xp.where(excess > 0, voltage, high)
            step = voltage - excess / (slope / thickness + per_volt)
            inside = (step >= low) & (step <= high)
            voltage = xp.where(inside, step, (low + high) / 2.0)
        return voltage

    def _first_guess(self, duration: Array, xp: Any) -> Array:
        """Film voltage at which the easiest domains switch in the given time [V]."""
        nucleation = self.nucleation
        field = nucleation.activation.at(_FIRST_SHARE, xp)[0]
        field = field[0] if field.shape == (1,) else field
        decades = xp.log(xp.where(duration > 0, duration, 1e-300 + 0.0 * duration) / nucleation.time_constant)
        decades = xp.where(decades > -0.4, decades, -0.4 + 0.0 * decades) + 0.5
        return self.film_thickness * field / decades ** (1.0 / nucleation.merz_exponent)

    def response(self, waveform: Waveform, *, initial: float = -1.0) -> Response:
        """Film field and polarization under any waveform of the gate voltage [V].

        Time steps, each with the film's voltage at its beginning. The trapped charge stays while the
        interlayer stands the voltage, follows where it would not, and relaxes to its state at rest whenever
        the gate crosses zero. ``dissipated`` is the work done on the switching film.
        """
        remanent = float(self.nucleation.remanent_polarization)
        unscreened = float(self.net_charge) - remanent
        state = self.nucleation.state(initial)
        step = FIELD_STEP * float(self.film_thickness) * float(np.median(state.fields))
        fine = waveform.refined(step)
        share = initial
        trapped = unscreened * share
        fields, shares, lost, previous = [0.0], [share], [0.0], 0.0
        for gate, duration in zip((fine.drive[1:] + fine.drive[:-1]) / 2.0, fine.steps, strict=True):
            if gate * previous <= 0.0:
                trapped = unscreened * share
            previous, field, work = gate, 0.0, lost[-1]
            for part in self._parts(gate, duration, remanent * share, trapped, state):
                field, trapped = self._film_field(gate, remanent * share, trapped)
                state = self.nucleation.advance(state, field, part)
                before, share = share, float(state.polarization[0])
                work += field * remanent * (share - before)
            fields.append(field)
            shares.append(share)
            lost.append(work)
        return Response(fine.time, np.asarray(fields), remanent * np.asarray(shares), np.asarray(lost))

    def _parts(
        self, gate: float, duration: float, polarization: float, trapped: float, state: DomainState
    ) -> Floats:
        """A time [s] whole, or cut into parts that grow from a fiftieth of τ0, twelve a decade.

        Domains switch at even pace in the logarithm of time, and each that does takes voltage off the others:
        where hardly any would under the field of the beginning, there is nothing to follow.
        """
        first = float(self.nucleation.time_constant) / 50.0
        field, _ = self._film_field(gate, polarization, trapped)
        ahead = self.nucleation.advance(state, field, duration).polarization[0]
        if duration <= first or abs(ahead - state.polarization[0]) < _SMALL_CHANGE:
            return np.asarray([duration])
        count = 2 + math.ceil(12 * math.log10(duration / first))
        return np.diff(np.concatenate([[0.0], np.geomspace(first, duration, count)]))

    def _film_field(self, gate: float, polarization: float, trapped: float) -> tuple[float, float]:
        """Field of the film [V/m] and trapped charge [C/m²] once the interlayer has what it can bear."""
        film, oxide = float(self.film_capacitance), float(self.interlayer_capacitance)
        bending = float(self.band_bending)
        inner = gate - math.copysign(min(bending, abs(gate)), gate)
        across = (inner * film + polarization + trapped) / (film + oxide)
        limit = float(self.screening_voltage) - bending
        held = min(max(across, -limit), limit)
        return (inner - held) / float(self.film_thickness), trapped + (held - across) * (film + oxide)


def _between(value: Array, least: Array, most: Array, xp: Any) -> Array:
    """``value`` held between two arrays; gradients pass through whichever is taken."""
    value = xp.where(value > least, value, least)
    return xp.where(value < most, value, most)
