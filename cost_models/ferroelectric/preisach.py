"""Hysteresis with memory of turning points: the tanh loop by scaled branches, and by hysterons alone.

Both models share the major loop P±(E) = Ps·tanh[(E ∓ Ec)/2δ], δ = Ec/ln[(1 + Pr/Ps)/(1 − Pr/Ps)]
(+ ascending, − descending; P−(0) = Pr), and the memory: a stack of turning points of the field. A branch
leads from the last turning point to the one before it; a field that passes the older of the two wipes both
out, and the film goes on along the branch that they had interrupted. So return-point memory and wiping-out
are exact.

Both can be written with an Everett function 𝓔(α, β): the rise of P from a turning point β up to the field α,
which is also its fall from α to β. It depends on the two fields alone, so loops between the same two fields
are congruent. The models differ in 𝓔 (`Preisach`, `EverettPreisach`).

**Work and loss.** −∂²𝓔/∂α∂β is twice the density of hysterons, which switch up at α and down at β ≤ α, and
both densities are positive. A hysteron of polarization ±p turns p·(α − β) into heat at each switching; the
rest of the work ∫E dP goes into a stored energy, which depends on the state (the stack) alone. A branch from
the turning point β to the field α switches what the way back switches again, and so dissipates half the area
of the minor loop,

    ½∮E dP = ½∫_β^α [𝓔(α, β) − 𝓔(α, E) − 𝓔(E, β)] dE ≥ 0,

which is integrated by Gauss-Legendre quadrature, apart from the samples of an answer. No loop area is
negative.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from cost_models.ferroelectric.waveform import Floats, Response, Waveform
from cost_models.namespace import Array, as_array, namespace_of
from device_params.errors import InputError

Start = Literal["negative", "positive", "virgin"]

#: Beyond Ec + 36δ the two saturated branches differ by e^−36 of Ps: no loss there in double precision.
_REACH: Final[float] = 36.0

#: Largest field step of an answer over δ: trapezoids are then within 1e-4 of a saturated loop's area (tests).
FIELD_STEP: Final[float] = 1.0 / 16.0


class TurningPoint(NamedTuple):
    """Field [V/m], relative to the centre of the loop, and polarization [C/m²]."""

    field: Array
    polarization: Array


def _logistic(x: Array, xp: Any) -> Array:
    """1/(1 + e^−x) without overflow, and without a floor where it is small."""
    size = xp.abs(x)
    return xp.exp((x - size) / 2) / (1.0 + xp.exp(-size))


def _log_cosh(x: Array, xp: Any) -> Array:
    """ln cosh x without overflow."""
    size = xp.abs(x)
    return size + xp.log1p(xp.exp(-2.0 * size)) - math.log(2.0)


@lru_cache(maxsize=64)
def _gauss(nodes: int) -> tuple[Floats, Floats]:
    """Nodes and weights on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(nodes)
    return (x + 1) / 2, w / 2


@dataclass(frozen=True)
class TanhLoop(ABC):
    """Major loop and memory that both models share.

    Attributes (``response`` takes numbers; branches and pulses broadcast over arrays):
        saturation_polarization: Ps [C/m²].
        remanent_polarization: Pr [C/m²], 0 < Pr < Ps.
        coercive_field: Ec [V/m].
        offset_field: built-in field [V/m] that the applied field must overcome: the loop is centred on it.
        antiferroelectric_shift: Eshift [V/m]; above 0 the film is two populations, centred on ±Eshift, each
            with a loop of amplitude Ps. One is saturated while the other switches, which is the double loop
            of sign-selected half loops (Antiferroelectric-FET-Model) without their corner at zero field. The
            film then saturates at ±2·Ps.

    The polarization is the switching part, without ε0·ε·E.

    Source: B. Jiang et al., Symp. VLSI Technology 1997, 141; K. Ni et al., Symp. VLSI Technology 2018, 131.
    """

    saturation_polarization: Array
    remanent_polarization: Array
    coercive_field: Array
    offset_field: Array = 0.0
    antiferroelectric_shift: float = 0.0

    def __post_init__(self) -> None:
        xp = namespace_of(self.saturation_polarization, self.remanent_polarization, self.coercive_field)
        ratio = as_array(self.remanent_polarization / self.saturation_polarization, xp)
        if not bool(xp.all((ratio > 0) & (ratio < 1))):
            raise InputError(
                "remanent polarization over saturation polarization out of range",
                where="Preisach loop",
                value=ratio,
                allowed="above 0 and below 1",
            )
        if not bool(xp.all(as_array(self.coercive_field, xp) > 0)):
            raise InputError(
                "coercive_field is not positive", where="Preisach loop", value=self.coercive_field
            )
        if not self.antiferroelectric_shift >= 0:
            raise InputError(
                "antiferroelectric_shift is negative",
                where="Preisach loop",
                value=self.antiferroelectric_shift,
                allowed="0 (ferroelectric) or more",
            )

    @property
    def _tightness(self) -> Array:
        """c = Ec/δ = ln[(1 + Pr/Ps)/(1 − Pr/Ps)]."""
        xp = namespace_of(self.remanent_polarization, self.saturation_polarization)
        return 2.0 * xp.atanh(as_array(self.remanent_polarization / self.saturation_polarization, xp))

    @property
    def width(self) -> Array:
        """δ [V/m]."""
        return self.coercive_field / self._tightness

    @property
    def bound(self) -> Array:
        """Largest magnitude of the switching polarization [C/m²]."""
        return self.saturation_polarization * (2.0 if self.antiferroelectric_shift else 1.0)

    @property
    def _centers(self) -> tuple[Array, ...]:
        if self.antiferroelectric_shift == 0:
            return (self.offset_field,)
        shift = self.antiferroelectric_shift
        return (self.offset_field + shift, self.offset_field - shift)

    def saturated_branch(self, field: Array, direction: int) -> Array:
        """P± [C/m²] at a field [V/m] on the ascending (``direction`` 1) or descending (−1) major branch."""
        xp = namespace_of(field, self.coercive_field, self.saturation_polarization)
        branches = [
            self.saturation_polarization
            * xp.tanh((as_array(field, xp) - center - direction * self.coercive_field) / (2 * self.width))
            for center in self._centers
        ]
        return sum(branches[1:], start=branches[0])

    def pulse(self, field: Array) -> Array:
        """Polarization [C/m²] left at zero field after a pulse of ``field`` [V/m] on the saturated state −Pr.

        A static film follows the field however short the pulse; a pulse of the wrong sign leaves the state.
        """
        xp = namespace_of(field, self.coercive_field, self.saturation_polarization)
        field = as_array(field, xp)
        peak = xp.where(field > 0, field, xp.zeros_like(field))
        back = [self.everett(peak - center, -center) for center in self._centers]
        return self.saturated_branch(peak, 1) - sum(back[1:], start=back[0])

    def response(
        self, waveform: Waveform, *, start: Start = "negative", largest_step: float | None = None
    ) -> Response:
        """Follow a waveform of the field [V/m].

        Args:
            waveform: field over time; the time does not matter to a static film.
            start: what happened before the first sample: saturated below or above, or ``virgin``, the
                demagnetised state at the centre of the loop (for an antiferroelectric film: no remanence).
            largest_step: field between samples of the answer [V/m]; δ/16 when not given. Polarization and
                loss at a sample do not depend on it; the trapezoids of ``Response.work`` do.
        """
        fine = waveform.refined(largest_step or float(self.width) * FIELD_STEP)
        return Response(fine.time, fine.drive, *self.follow(fine.drive, start=start))

    def follow(self, field: Floats, *, start: Start = "negative") -> tuple[Floats, Floats]:
        """Polarization [C/m²] and loss since the first sample [J/m³] along fields [V/m], all [n]."""
        polarization, loss = np.zeros(len(field)), np.zeros(len(field))
        for center in self._centers:
            begin = start
            if start == "virgin" and self.antiferroelectric_shift:
                begin = "negative" if center > self.offset_field else "positive"
            own_polarization, own_loss = _Trace(self, field - float(center), begin).run()
            polarization, loss = polarization + own_polarization, loss + own_loss
        return polarization, loss

    @abstractmethod
    def everett(self, upper: Array, lower: Array) -> Array:
        """𝓔(α, β) [C/m²] of fields ``upper`` ≥ ``lower`` [V/m], both from the centre of the loop."""

    def _half_area(self, lower: Floats, upper: Floats) -> Floats:
        """½∮E dP [J/m³] of the minor loops between fields ``lower`` and ``upper`` [V/m], both [n]."""
        reach = float(self.coercive_field + _REACH * self.width)
        lower, upper = lower[:, None], upper[:, None]
        begin = np.minimum(np.maximum(lower, -reach), upper)
        span = np.maximum(np.minimum(upper, reach) - begin, 0.0)
        # The integrand has poles πδ off the real axis, so Gauss' error falls as exp(−4πn·δ/span).
        nodes = 16 * (1 + math.ceil(0.16 * float(np.max(span)) / float(self.width)))
        share, weights = _gauss(nodes)
        field = begin + span * share
        gap = self.everett(upper, lower) - self.everett(upper, field) - self.everett(field, lower)
        area: Floats = span[:, 0] * (gap @ weights)
        return area / 2


def _mirror(point: TurningPoint) -> TurningPoint:
    return TurningPoint(-point.field, -point.polarization)


@dataclass(frozen=True)
class Preisach(TanhLoop):
    """Minor branches are the major branch, scaled and shifted to pass through the last two turning points.

    P = m·P±(E) + b with m = (Pa − Pb)/(Fa − Fb), b = (Pb·Fa − Pa·Fb)/(Fa − Fb), Fx = P±(Ex). Written out with
    A = (E − Ec)/δ and the logistic function σ, P± = Ps·(2σ − 1), the ascending branch from a to b is

        (P − Pa)/(Pb − Pa) = [σ(A)/σ(Ab)]·[1 − e^{−(E − Ea)/δ}]/[1 − e^{−(Eb − Ea)/δ}],

    and from the saturated branch on, all heights Pb − Pa follow as values of one Everett function,

        𝓔(α, β) = 2Ps·σ[(α − Ec)/δ]·σ[−(β + Ec)/δ]·[1 − e^{−(α − β)/δ}].

    So scaling by turning points is congruent, too, and is computed by this function, without the quotient
    that loses its meaning deep in saturation (Fa = Fb) and without a scale m that could fall below zero. The
    density of hysterons is a product of two logistic densities around ±Ec; on top of it there is a part
    without hysteresis (hysterons of no width): a branch leaves its turning point with a slope, ∂𝓔/∂α at
    α = β, that is not zero. That part is a fifth of the polarization for Pr/Ps = 0.58, and 2e-4 for 0.99.

    The initial curve of a virgin film is ½·𝓔(E, −E); the sources give none.
    """

    def everett(self, upper: Array, lower: Array) -> Array:
        xp = namespace_of(upper, lower, self.coercive_field)
        upper, lower = as_array(upper, xp), as_array(lower, xp)
        switched = _logistic((upper - self.coercive_field) / self.width, xp)
        unswitched = _logistic(-(lower + self.coercive_field) / self.width, xp)
        passed = -xp.expm1(-(upper - lower) / self.width)
        return 2.0 * self.saturation_polarization * switched * unswitched * passed


@dataclass(frozen=True)
class EverettPreisach(TanhLoop):
    """The same major loop by hysterons alone: a branch leaves its turning point flat.

    Hysterons that switch up at α and down at β ≤ α have the density f(α)·g(β). With F(E) = ∫_E^∞ f and
    G(E) = ∫_−∞^E g the major branches are P+' = 2·f·G and P−' = 2·g·F, hence (2FG)' = P−' − P+', and

        2·F·G = P− − P+ = Ps·sinh c/[cosh(y − c)·cosh y],    y = (E + Ec)/2δ,  c = Ec/δ,
        G'/G = P−'/(2FG):   d ln G/dy = cosh(y − c)/(sinh c·cosh y) = coth c − tanh y,
        G = e^{y·coth c}/cosh y,    2F = Ps·sinh c·e^{−y·coth c}/cosh(y − c).

    f = −F' and g = G' are positive everywhere since coth c > 1: the density exists, for any Pr < Ps, and the
    major loop is the tanh loop exactly. The Everett function is

        𝓔(α, β) = 2∫_β^α f·[G − G(β)] = P+(α) − P−(β) + K(α, β),
        K = 2F(α)·G(β) = Ps·sinh c·e^{−(α − β)·coth c/2δ}/{cosh[(α − Ec)/2δ]·cosh[(β + Ec)/2δ]}.

    The initial curve of a virgin film is ½·𝓔(E, −E).

    Source: factorised density as in G. Biorci and D. Pescetti, Nuovo Cimento 7, 829 (1958); Everett function:
    I. Mayergoyz, Mathematical Models of Hysteresis and Their Applications (2003), ch. 1. The closed form for
    the tanh loop is derived here.
    """

    def everett(self, upper: Array, lower: Array) -> Array:
        xp = namespace_of(upper, lower, self.coercive_field)
        upper, lower = as_array(upper, xp), as_array(lower, xp)
        c, twice = self._tightness, 2.0 * self.width
        above = (upper - self.coercive_field) / twice
        below = (lower + self.coercive_field) / twice
        decay = (upper - lower) / (twice * xp.tanh(as_array(c, xp)))
        kernel = xp.sinh(as_array(c, xp)) * xp.exp(-decay - _log_cosh(above, xp) - _log_cosh(below, xp))
        return self.saturation_polarization * (xp.tanh(above) - xp.tanh(below) + kernel)


class _Trace:
    """One population on its way through a field [samples], relative to its centre.

    ``stack`` holds the turning points, the last one on top; the branch in progress leads from the top to the
    point below it. An empty stack is the initial curve of a virgin film. ``now`` and ``loss`` are where the
    film has come to.
    """

    def __init__(self, loop: TanhLoop, field: Floats, start: Start) -> None:
        self.loop, self.field = loop, field
        # Saturated to the last bit, and beyond the fields to come.
        far = 2.0 * float(np.max(np.abs(field))) + float(loop.coercive_field + 800.0 * loop.width)
        top = TurningPoint(far, float(loop.saturation_polarization))
        begin = {"negative": [top, _mirror(top)], "positive": [_mirror(top), top], "virgin": []}
        if start not in begin:
            raise InputError(
                "unknown state at the start", where="Preisach loop", value=start, allowed=", ".join(begin)
            )
        self.stack: list[TurningPoint] = begin[start]
        self.now = self.stack[-1] if self.stack else TurningPoint(0.0, 0.0)
        self.loss = 0.0

    def run(self) -> tuple[Floats, Floats]:
        """Polarization [C/m²] and loss since the first sample [J/m³], both [samples]."""
        path = np.concatenate([[self.now.field], self.field])
        polarization, loss = np.full_like(path, self.now.polarization), np.zeros_like(path)
        moves = np.flatnonzero(np.diff(path)) + 1
        signs = np.sign(np.diff(path))[moves - 1]
        turns = np.flatnonzero(np.diff(signs)) + 1
        for run in np.split(moves, turns):
            if len(run) == 0:
                continue
            if run[0] != moves[0]:
                self._turn()
            polarization[run], loss[run] = self._follow(path[run])
        # Where the field rests the film does.
        last = np.maximum.accumulate(np.where(np.isin(np.arange(len(path)), moves), np.arange(len(path)), 0))
        polarization, loss = polarization[last], loss[last]
        return polarization[1:], loss[1:] - loss[1]

    def _turn(self) -> None:
        """The field has turned: the film's place becomes a turning point."""
        if not self.stack:
            # The loop between ±E closes on the initial curve: a place on it has a partner in the mirror.
            self.stack.append(_mirror(self.now))
        self.stack.append(self.now)

    def _follow(self, field: Floats) -> tuple[Floats, Floats]:
        """Walk a monotone run [n], branch after branch; a falling run is a rising one in the mirror."""
        falls = field[0] < self.now.field
        rest = -field if falls else field
        now = _mirror(self.now) if falls else self.now
        values, losses = [], []
        while len(rest):
            passes, count = False, len(rest)
            if self.stack:
                start, target = (_mirror(p) if falls else p for p in self.stack[-1:-3:-1])
                passes = bool(rest[-1] >= target.field)
                count = int(np.searchsorted(rest, target.field, side="right"))
                value = start.polarization + self.loop.everett(rest[:count], start.field)
                value = np.clip(value, start.polarization, target.polarization)
                # The place reached is the last one: the turning point passed, or the end of the run.
                fields = np.concatenate([[now.field], rest[:count], [target.field] if passes else []])
                loss = self.loop._half_area(np.full_like(fields, start.field), fields)
            else:
                value = np.minimum(self.loop.everett(rest, -rest) / 2, self.loop.saturation_polarization)
                fields = np.append(now.field, rest)
                # Half of the hysterons between ±E have yet to switch on the initial curve.
                loss = self.loop._half_area(-fields, fields) / 2
            loss = self.loss + loss - loss[0]
            values.append(value)
            losses.append(loss[1 : 1 + count])
            rest = rest[count:]
            now = target if passes else TurningPoint(float(fields[-1]), float(value[-1]))
            self.loss = float(loss[-1])
            if passes:
                del self.stack[-2:]
                if len(self.stack) == 1:  # back on the initial curve, which takes the partner along
                    self.stack.clear()
        self.now = _mirror(now) if falls else now
        polarization = np.concatenate(values)
        return -polarization if falls else polarization, np.concatenate(losses)
