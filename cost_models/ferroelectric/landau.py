"""Landau-Khalatnikov switching of one domain: ρ·dP/dt = E − (αP + βP³ + γP⁵).

Prefactors follow several conventions. Here, as in FerroX, they stand in the field, E = αP + βP³ + γP⁵, and so
the energy is F = αP²/2 + βP⁴/4 + γP⁶/6. Sets printed for F = αP² + βP⁴ + γP⁶, E = 2αP + 4βP³ + 6γP⁵, are to
be multiplied by 2, 4 and 6 first.

A single domain switches as one, at the intrinsic coercive field, about twice that of films: for comparison
with phase-field models and negative capacitance, not for the energy of an array.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from scipy.integrate import solve_ivp

from cost_models.ferroelectric.waveform import Floats, Response, Waveform
from cost_models.namespace import Array, as_array, namespace_of
from device_params.errors import InputError

#: Halvings of an interval: 2^−64 of it is left, below double precision.
_HALVINGS: Final[int] = 64

#: e^−45 of the way to equilibrium is none in double precision.
_ARRIVED: Final[float] = 45.0

#: Fields closer than this to the coercive field, relative to it, are taken as that much below it.
_CLEARANCE: Final[float] = 1e-10

#: Field step of an answer over the coercive field.
_FIELD_STEP: Final[float] = 1.0 / 32.0


@dataclass(frozen=True)
class Landau:
    """Landau polynomial with α < 0 and γ > 0 (two wells, one S curve) and its viscosity.

    Attributes (numbers for ``response``; the rest broadcasts over arrays):
        alpha: α [V·m/C], negative: below the Curie temperature.
        beta: β [V·m⁵/C³], either sign.
        gamma: γ [V·m⁹/C⁵], positive.
        resistivity: ρ [Ω·m]; FerroX states Γ = 1/ρ.

    Source: L. D. Landau and I. M. Khalatnikov, Dokl. Akad. Nauk SSSR 96, 469 (1954); convention and HZO set
    of FerroX (P. Kumar et al., arXiv 2210.15668).
    """

    alpha: Array
    beta: Array
    gamma: Array
    resistivity: Array

    def __post_init__(self) -> None:
        for name, sign, allowed in (
            ("alpha", -1, "below 0 (two wells)"),
            ("gamma", 1, "above 0 (a bounded polarization)"),
            ("resistivity", 1, "above 0"),
        ):
            value = getattr(self, name)
            xp = namespace_of(value)
            if not bool(xp.all(as_array(value, xp) * sign > 0)):
                raise InputError(
                    f"{name} has the wrong sign", where="Landau polynomial", value=value, allowed=allowed
                )

    def static_field(self, polarization: Array) -> Array:
        """E(P) = αP + βP³ + γP⁵ [V/m]: the S curve."""
        square = polarization**2
        return polarization * (self.alpha + square * (self.beta + square * self.gamma))

    def stiffness(self, polarization: Array) -> Array:
        """dE/dP = α + 3βP² + 5γP⁴ [V·m/C]; negative between the extrema of the S curve."""
        square = polarization**2
        return self.alpha + square * (3 * self.beta + square * (5 * self.gamma))

    def energy(self, polarization: Array) -> Array:
        """Stored energy F = αP²/2 + βP⁴/4 + γP⁶/6 [J/m³], 0 at P = 0."""
        square = polarization**2
        return square * (self.alpha / 2 + square * (self.beta / 4 + square * (self.gamma / 6)))

    @property
    def spontaneous_polarization(self) -> Array:
        """Ps [C/m²], the outer root of α + βP² + γP⁴ = 0."""
        return self._root(self.beta, self.gamma)

    @property
    def coercive_polarization(self) -> Array:
        """Polarization [C/m²] at the extremum of the S curve, the root of α + 3βP² + 5γP⁴ = 0."""
        return self._root(3 * self.beta, 5 * self.gamma)

    @property
    def coercive_field(self) -> Array:
        """Intrinsic coercive field [V/m]: the extremum of the S curve."""
        return -self.static_field(self.coercive_polarization)

    def _root(self, second: Array, third: Array) -> Array:
        """√u of the one positive root of α + second·u + third·u² = 0, written so that nothing cancels."""
        xp = namespace_of(self.alpha, second, third)
        second = as_array(second, xp)
        root = xp.sqrt(second**2 - 4 * third * self.alpha)
        large = xp.abs(second) + root
        return xp.sqrt(xp.where(second > 0, -2 * self.alpha / large, large / (2 * third)))

    def equilibrium(self, field: Array) -> Array:
        """Polarization [C/m²] at rest in the upper well at a field [V/m] of at least minus the coercive one.

        The root is bracketed by the extremum of the S curve and, since E(P) is convex above it, by the
        tangent at Ps; it is halved down to double precision, and one step of Newton carries the gradient of
        the root.
        """
        xp = namespace_of(field, self.alpha, self.beta, self.gamma)
        field = as_array(field, xp)
        low = self.coercive_polarization + 0.0 * field
        spontaneous = self.spontaneous_polarization
        high = spontaneous + xp.maximum(field, 0.0 * field) / self.stiffness(spontaneous)
        found = _bisect(lambda p: self.static_field(p) < field, low, high, xp)
        slope = self.stiffness(found)
        # At minus the coercive field the two roots merge and Newton's step has no slope to go by.
        flat = slope < 1e-6 * self.stiffness(spontaneous)
        step = (self.static_field(found) - field) / xp.where(flat, 1.0, slope)
        return found - xp.where(flat, 0.0 * step, step)

    def bound(self, field: Array) -> Array:
        """Largest |P| [C/m²] under fields up to the magnitude of ``field`` [V/m], from a state within it."""
        xp = namespace_of(field)
        return self.equilibrium(xp.abs(as_array(field, xp)))

    def pulse(self, field: Array, duration: Array, *, initial: Array | None = None) -> Array:
        """Polarization [C/m²] at the end of a constant field, before the field goes.

        Under a constant field P runs monotonely into the nearest root P∞ of the S curve, so time is a
        function of P, t = ρ∫dP/(E − E(P)), and is inverted by bisection. With E − E(P) = (P∞ − P)·Q(P) and
        w = ln[(P∞ − P0)/(P∞ − P)] it is t = ρ∫dw/Q. Q is a positive quartic, and partial fractions over its
        roots r (Bᵢ = 1/[(P∞ − rᵢ)·Q'(rᵢ)]) give it in closed form, from picoseconds to years and through the
        slow passage just above the coercive field:

            t = ρ·{w/Q(P∞) + Σ Bᵢ·ln[(P − rᵢ)/(P0 − rᵢ)]}.

        Args:
            field: [V/m].
            duration: [s].
            initial: polarization at the start [C/m²]; −Ps when not given.

        Returns:
            [C/m²], the shape of all arguments broadcast; differentiable.
        """
        xp = namespace_of(field, duration, self.alpha, self.beta, self.gamma, self.resistivity)
        start = -self.spontaneous_polarization if initial is None else as_array(initial, xp)
        zero = 0.0 * (as_array(field, xp) + as_array(duration, xp) + start + self.alpha + self.resistivity)
        field, duration, start = field + zero, duration + zero, start + zero
        limit = self.coercive_field
        # Two roots merge at the coercive field itself, where the partial fractions are infinite: keep off it.
        close = xp.abs(xp.abs(field) - limit) < _CLEARANCE * limit
        field = xp.where(close, xp.sign(field) * (1.0 - _CLEARANCE) * limit, field)
        end, resting = self._attractor(field, start)
        reduced = duration / self.resistivity
        quartic = self._quartic(end)
        roots = _roots(quartic, xp)
        # At rest on the way: any start that is not a root keeps the closed form finite; it is not used.
        begin = xp.where(resting, end / 2, start)
        residues = 1.0 / ((end[..., None] - roots) * _slope(quartic, roots))

        def elapsed(progress: Array) -> Array:
            place = end - (end - begin) * xp.exp(-progress)
            logs = xp.log((place[..., None] - roots) / (begin[..., None] - roots))
            return progress / self._remainder(quartic, end) + xp.sum(xp.real(residues * logs), axis=-1)

        progress = _bisect(lambda w: elapsed(w) < reduced, zero, zero + _ARRIVED, xp)
        place = end - (end - begin) * xp.exp(-progress)
        progress = progress + (reduced - elapsed(progress)) * self._remainder(quartic, place)
        arrived = end - (end - begin) * xp.exp(-xp.clip(progress, 0.0, 2 * _ARRIVED))
        return xp.where(resting, start, arrived)

    def _attractor(self, field: Array, start: Array) -> tuple[Array, Array]:
        """Root that P runs into under a constant field, and whether it stays where it is."""
        xp = namespace_of(field, start)
        edge, limit = self.coercive_polarization, self.coercive_field
        drive = field - self.static_field(start)
        above = (start >= edge) | ((start > -edge) & (drive > 0))
        up = (field > limit) | (above & (field >= -limit))
        magnitude = self.equilibrium(xp.where(up, field, -field))
        return xp.where(up, magnitude, -magnitude), drive == 0

    def _quartic(self, end: Array) -> tuple[Array, Array, Array, Array, Array]:
        """Q = [E(P∞) − E(P)]/(P∞ − P), coefficients from P⁰ to P⁴."""
        last = self.gamma + 0.0 * end
        square = end**2
        second = self.beta + last * square
        return (self.alpha + second * square, second * end, second, last * end, last)

    @staticmethod
    def _remainder(quartic: tuple[Array, ...], polarization: Array) -> Array:
        """Q(P)."""
        value = quartic[-1]
        for coefficient in quartic[-2::-1]:
            value = value * polarization + coefficient
        return value

    def response(
        self, waveform: Waveform, *, initial: float | None = None, tolerance: float = 1e-8
    ) -> Response:
        """Follow a waveform of the field [V/m] from ``initial`` [C/m²] (−Ps when not given).

        Radau's implicit method with steps that adapt to ``tolerance``, started afresh at every corner of the
        waveform so that no pulse is stepped over. Its own steps are samples of the answer. Loss:
        ∫ρ(dP/dt)²dt, integrated with P; over any time the work is this and the change of the stored energy F.
        """
        unit, limit = float(self.spontaneous_polarization), float(self.coercive_field)
        start = -unit if initial is None else initial
        fine = waveform.refined(limit * _FIELD_STEP)
        slopes = np.diff(waveform.drive) / waveform.steps
        bends = np.abs(np.diff(slopes)) > 1e-9 * np.abs(slopes).max()
        corners = np.concatenate([[0], np.flatnonzero(bends) + 1, [len(waveform.time) - 1]])
        times, states = [waveform.time[:1]], [np.asarray([[start / unit], [0.0]])]
        for first, last in pairwise(corners.tolist()):
            begin, end = waveform.time[first], waveform.time[last]
            ramp = (waveform.drive[last] - waveform.drive[first]) / (end - begin)
            inside = fine.time[(fine.time > begin) & (fine.time < end)]
            time, state = self._stretch(
                states[-1][:, -1], waveform.drive[first], ramp, end - begin, tolerance, inside - begin
            )
            times.append(np.append(begin + time[:-1], end))
            states.append(state)
        time, state = np.concatenate(times), np.concatenate(states, axis=1)
        kept = np.append(True, np.diff(time) > 0)
        time, state = time[kept], state[:, kept]
        field = np.interp(time, waveform.time, waveform.drive)
        return Response(time, field, unit * state[0], unit * limit * state[1])

    def _stretch(
        self, state: Floats, field: float, ramp: float, length: float, tolerance: float, inside: Floats
    ) -> tuple[Floats, Floats]:
        """Integrate (P/Ps, loss/(Ps·Ec)) over one straight stretch of the field; time from its start."""
        unit, limit = float(self.spontaneous_polarization), float(self.coercive_field)
        rate = limit / (float(self.resistivity) * unit)

        def slope(time: float, state: Floats) -> list[float]:
            force = (field + ramp * time - float(self.static_field(unit * state[0]))) / limit
            return [rate * force, rate * force**2]

        def jacobian(time: float, state: Floats) -> Floats:
            force = (field + ramp * time - float(self.static_field(unit * state[0]))) / limit
            stiffness = -float(self.stiffness(unit * state[0])) * unit / limit
            return np.asarray([[rate * stiffness, 0.0], [2 * rate * force * stiffness, 0.0]])

        solution = solve_ivp(
            slope,
            (0.0, length),
            state,
            method="Radau",
            jac=jacobian,
            rtol=tolerance,
            atol=tolerance,
            dense_output=True,
        )
        if solution.sol is None or not solution.success:
            raise InputError(
                "the polarization could not be integrated", where="Landau model", value=solution.message
            )
        time = np.union1d(solution.t[1:], inside)
        return time, np.asarray(solution.sol(time))


def _bisect(below: Callable[[Array], Array], low: Array, high: Array, xp: Any) -> Array:
    """Halve [low, high] around the place where ``below`` turns from true to false."""
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        left = below(middle)
        low, high = xp.where(left, middle, low), xp.where(left, high, middle)
    return (low + high) / 2


def _roots(quartic: tuple[Array, ...], xp: Any) -> Array:
    """Complex roots [..., 4] of a quartic, as eigenvalues of its companion matrix."""
    monic = [coefficient / quartic[-1] for coefficient in quartic[:-1]]
    # Roots of a scaled variable are of order one, which the eigenvalue solver likes.
    scale = xp.sqrt(xp.sqrt(sum((c * c) ** (2 / (4 - k)) for k, c in enumerate(monic))))
    zero, one = 0.0 * scale, 0.0 * scale + 1.0
    rows = [[zero] * 3 + [-monic[0] / scale**4]]
    rows += [
        [one if j == i else zero for j in range(3)] + [-monic[i + 1] / scale ** (3 - i)] for i in range(3)
    ]
    matrix = xp.stack([xp.stack(row, axis=-1) for row in rows], axis=-2)
    return xp.linalg.eigvals(matrix + 0j) * scale[..., None]


def _slope(quartic: tuple[Array, ...], roots: Array) -> Array:
    """Q' at complex roots [..., 4]."""
    c = [coefficient[..., None] for coefficient in quartic]
    return c[1] + roots * (2 * c[2] + roots * (3 * c[3] + roots * (4 * c[4])))
