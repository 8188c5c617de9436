"""Nucleation-limited switching: many domains, each with its own activation field.

A domain with activation field Ea waits at the field E for a time of scale τ = τ0·exp[(Ea/E)^α] (Merz) and has
switched after a time t with probability 1 − exp[−(t/τ)^β] (Kolmogorov, Avrami, Ishibashi); the activation
fields of a film are distributed (Alessandri et al., IEEE Electron Device Lett. 39, 1780, 2018; as a
generalised beta distribution Deng et al., VLSI 2020, doi 10.1109/VLSITechnology18217.2020.9265014). Under a
field that varies, each domain keeps its progress h: dh = dt/τ while the field opposes its state, −dt/τ (not
below zero) while it supports it, and it switches with the hazard of h^β.

The deterministic path replaces the domains by quantiles of the distribution (the limit of infinitely many);
the Monte Carlo path draws a number of them and gives what a device of that size does.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from scipy.special import betaincinv, ndtri

from cost_models.ferroelectric.waveform import Floats, Response, Waveform
from cost_models.namespace import Array, namespace_of, spread

#: Quantiles of the activation field. 48 keep the switched share of the library's sets within 9e-4 of the
#: limit of many, 1.3e-4 in the root mean square (tests): a fiftieth of what the models miss measurements by.
QUANTILES = 48

#: Numbers in one block of quantiles × points: six live arrays of this size stay in half a mebibyte of cache.
_BLOCK = 1 << 13

#: Quantiles of the built-in field of a domain, where a film has a spread of it: for one pulse (5e-4 of the
#: limit) and for waveforms, whose minor loops show every one of them (3e-3 of Pr).
OFFSET_QUANTILES = 9
LOOP_OFFSET_QUANTILES = 25

#: Largest change of the field in one step of a waveform, relative to the median activation field.
FIELD_STEP = 0.01

#: Limits of ln h^β: exp(−h^β) is 1 below and 0 above to double precision, and exponentials that underflow are
#: eight times slower than others.
_LOG_HAZARD = (-40.0, 3.7)

#: A share below this is rounding of one less the others.
_ROUNDING = 1e-14

#: Limits of t/τ0 and of h beyond which nothing changes: no time, and every domain switched.
_TIMES = (1e-300, 1e300)
_MOST_PROGRESS = 1e30

#: Smallest field that counts, relative to the smallest activation field: below it exp[−(Ea/E)^α] is zero to
#: any precision, and a power of zero would have gradients that are no numbers.
_SMALLEST = 1e-2


@functools.cache
def quantiles(count: int) -> tuple[Floats, Floats]:
    """Return probabilities in (0, 1) and weights [count] that integrate over a distribution.

    Gauss-Legendre in y with u = 3y² − 2y³: the nodes crowd at both tails, where a step in the activation
    field (has switched, has not) would otherwise be resolved worst.
    """
    nodes, weights = np.polynomial.legendre.leggauss(count)
    y = (nodes + 1.0) / 2.0
    return y * y * (3.0 - 2.0 * y), weights / 2.0 * 6.0 * y * (1.0 - y)


class Activation(Protocol):
    """Distribution of activation fields over the domains of a film."""

    def at(self, probability: Floats, xp: Any) -> Array:
        """Activation fields [V/m] at ``probability`` [n]: [n, 1], or [n, points] for parameters [points]."""


@dataclass(frozen=True)
class GeneralizedBeta:
    """f(Ea) = (a/b)·(Ea/b)^(a·p−1) / {B(p, q)·[1 + (Ea/b)^a]^(p+q)}; ``scale`` is b [V/m].

    (Ea/b)^a/[1 + (Ea/b)^a] then has the beta distribution (p, q), which gives the quantiles. ``p`` and ``q``
    are numbers of a film, without gradients; ``a`` and ``scale`` may be arrays [points].
    """

    a: Array
    scale: Array
    p: float
    q: float

    def at(self, probability: Floats, xp: Any) -> Array:
        few = len(probability) <= 2 * QUANTILES
        odds = _kept_odds(self.p, self.q, probability.tobytes()) if few else self._odds(probability)
        return self.scale * xp.exp(xp.asarray(odds)[:, None] / self.a)

    def _odds(self, probability: Floats) -> Floats:
        """ln[z/(1 − z)] at the quantiles z of the beta distribution."""
        share = betaincinv(self.p, self.q, probability)
        odds: Floats = np.log(share) - np.log1p(-share)
        return odds


@functools.lru_cache(maxsize=64)
def _kept_odds(p: float, q: float, probability: bytes) -> Floats:
    """The log odds of the quantiles in use: their inversion costs as much as hundreds of responses."""
    return GeneralizedBeta(1.0, 1.0, p, q)._odds(np.frombuffer(probability))


@dataclass(frozen=True)
class Gaussian:
    """Normal distribution of ``mean`` and ``sigma`` [V/m], cut at a hundredth of the mean."""

    mean: Array
    sigma: Array

    def at(self, probability: Floats, xp: Any) -> Array:
        score = xp.asarray(ndtri(probability))[:, None]
        fields = self.mean + self.sigma * score
        least = 0.01 * self.mean + 0.0 * fields
        return xp.where(fields > least, fields, least)


@dataclass(frozen=True)
class Nucleation:
    """Switching of a film whose polarization lies between −Pr and +Pr.

    ``remanent_polarization`` [C/m²], ``time_constant`` τ0 [s], ``merz_exponent`` α, ``kai_exponent`` β, each
    a number or an array of points; a built-in field that the applied one must overcome, ``offset`` [V/m],
    with a normal spread ``offset_sigma`` [V/m] over the domains.
    """

    remanent_polarization: Array
    time_constant: Array
    merz_exponent: Array
    kai_exponent: Array
    activation: Activation
    offset: Array = 0.0
    offset_sigma: float = 0.0

    def switched_share(self, field: Array, duration: Array) -> Array:
        """Share of the domains that a constant field switches, all of them against the field at first.

        Args:
            field: [V/m], number or array; one that does not exceed the built-in field switches nothing.
            duration: [s], number or array.

        Returns:
            Share in [0, 1], of the shape of both and of the parameters broadcast.

        Source: one quadrature over the activation field (Deng et al., VLSI 2020, in the limit of many
        domains).
        """
        xp, law, (field, duration), shape = spread(self, field, duration)
        return xp.reshape(law.of_points(field, duration, False, xp)[0], shape)

    def of_points(self, field: Array, duration: Array, slope: bool, xp: Any) -> tuple[Array, Array]:
        """The switched share and, where asked for, its ``slope`` against the field [m/V].

        For callers that iterate: arguments are [points], as ``namespace.spread`` has made them.
        """
        alpha, beta = self.merz_exponent, self.kai_exponent
        time = xp.clip(duration / self.time_constant, *_TIMES)
        log_time = beta * xp.log(time)
        least_exponent, most_exponent = log_time - _LOG_HAZARD[1], log_time - _LOG_HAZARD[0]
        unswitched = 0.0 * field
        steepness = 0.0 * field
        for offset, blocks in self._domains(xp, len(field)):
            driving = field - self.offset - offset
            least = _SMALLEST * xp.min(blocks[0][0])
            driving = xp.where(driving > least, driving, least + 0.0 * driving)
            inverse = driving ** (-alpha)
            for fields, weights in blocks:
                exponent = (beta * fields**alpha) * inverse
                exponent = xp.minimum(xp.maximum(exponent, least_exponent), most_exponent)
                hazard = xp.exp(log_time - exponent)
                left = xp.exp(-hazard)
                unswitched = unswitched + weights @ left
                if slope:
                    steepness = steepness + (weights @ (hazard * left * exponent)) / driving
        switched = 1.0 - unswitched
        return xp.where(switched > _ROUNDING, switched, 0.0 * switched), alpha * steepness

    def after_pulse(self, field: Array, duration: Array) -> Array:
        """Polarization [C/m²] after one pulse of a constant field [V/m], from the state −Pr."""
        return self.remanent_polarization * (2.0 * self.switched_share(field, duration) - 1.0)

    def rates(self, field: Array, fields: Array) -> Array:
        """1/τ [1/s] of domains with activation fields ``fields`` [V/m] at the magnitude of a field [V/m]."""
        xp = namespace_of(field, fields)
        least = _SMALLEST * xp.min(fields)
        driving = xp.where(field > least, field, least + 0.0 * field)
        return xp.exp(-((fields / driving) ** self.merz_exponent)) / self.time_constant

    def _domains(self, xp: Any, points: int) -> Iterator[tuple[float, list[tuple[Array, Array]]]]:
        """For every built-in field [V/m]: blocks of activation fields [V/m] (block, 1 or points) and weights.

        The nodes of both distributions multiply; a block is as large as the cache allows.
        """
        probability, weights = quantiles(QUANTILES)
        step = max(1, _BLOCK // max(points, 1))
        starts = [slice(start, start + step) for start in range(0, QUANTILES, step)]
        fields = [self.activation.at(probability[block], xp) for block in starts]
        for offset, share in zip(*self._offsets(OFFSET_QUANTILES), strict=True):
            yield (
                float(offset),
                [(f, xp.asarray(weights[block] * share)) for f, block in zip(fields, starts, strict=True)],
            )

    def _offsets(self, count: int) -> tuple[Floats, Floats]:
        """Built-in fields beside their mean [V/m] and their weights; one where there is no spread."""
        if self.offset_sigma == 0.0:
            return np.zeros(1), np.ones(1)
        probability, weights = quantiles(count)
        return self.offset_sigma * ndtri(probability), weights

    # -- fields that vary -----------------------------------------------------------------------------

    def state(self, polarization: float = -1.0, *, points: int = 1) -> DomainState:
        """``points`` films in one state: ``polarization`` −1 … 1 is the share up less the share down."""
        probability, weights = quantiles(QUANTILES)
        offsets, offset_weights = self._offsets(LOOP_OFFSET_QUANTILES)
        fields = np.asarray(self.activation.at(probability, np))[:, 0]
        up = np.full((len(fields) * len(offsets), points), (1.0 + polarization) / 2.0)
        return DomainState(
            fields=np.tile(fields, len(offsets))[:, None],
            offsets=np.repeat(float(self.offset) + offsets, len(fields))[:, None],
            weights=np.outer(offset_weights, weights).reshape(-1),
            up=up,
            up_progress=np.zeros_like(up),
            down_progress=np.zeros_like(up),
        )

    def advance(self, state: DomainState, field: Any, duration: Any) -> DomainState:
        """The state after a constant field [V/m] for a time [s], each a number or [points].

        Every quantile holds domains up and domains down, each with the progress h of its population. Those
        that the field opposes gain dt/τ and switch with probability 1 − exp(h_old^β − h_new^β); those that
        it supports lose dt/τ, not below zero (their hazard never goes back). Domains that arrive in a
        population have progress zero; the population then carries the mean.
        """
        driving = field - state.offsets
        grown = duration * self.rates(np.abs(driving), state.fields)
        rising = driving > 0
        opposed = np.where(rising, 1.0 - state.up, state.up)
        progress = np.where(rising, state.down_progress, state.up_progress)
        resting = np.where(rising, state.up_progress, state.down_progress)
        new = np.minimum(progress + grown, _MOST_PROGRESS)
        beta = self.kai_exponent
        moved = opposed * -np.expm1(progress**beta - new**beta)
        joined = 1.0 - opposed + moved
        kept = np.divide(1.0 - opposed, joined, out=np.zeros_like(joined), where=joined > 0)
        resting = np.maximum(resting - grown, 0.0) * kept
        return dataclasses.replace(
            state,
            up=np.clip(state.up + np.where(rising, moved, -moved), 0.0, 1.0),
            up_progress=np.where(rising, resting, new),
            down_progress=np.where(rising, new, resting),
        )

    def after_pulses(self, fields: Floats, durations: Floats, *, initial: float = -1.0) -> Floats:
        """Polarization [C/m²] after each pulse of trains of constant fields: [pulses, points].

        ``fields`` [V/m] and ``durations`` [s] are [pulses, points] or broadcast to it; between the pulses
        the film rests and forgets nothing. ``initial`` −1 … 1 times Pr.
        """
        fields, durations = np.broadcast_arrays(np.atleast_2d(fields), np.atleast_2d(durations))
        state = self.state(initial, points=fields.shape[1])
        left = []
        for field, duration in zip(fields, durations, strict=True):
            state = self.advance(state, field, duration)
            left.append(self.remanent_polarization * state.polarization)
        return np.asarray(left)

    def response(self, waveform: Waveform, *, initial: float = -1.0) -> Response:
        """Polarization under any waveform of the field [V/m], from the state ``initial`` (−1 … 1 times Pr).

        The waveform is refined until the field changes by little in a step. Every domain that switches
        follows the field on it; what the applied field does beyond its built-in one, (E − Eoff)·dP, is lost
        as it is done and never negative, and the rest is held by the built-in fields.
        """
        fine = waveform.refined(FIELD_STEP * float(np.median(self.state().fields)))
        state = self.state(initial)
        middle = (fine.drive[1:] + fine.drive[:-1]) / 2.0
        shares, stored = [state.polarization], [state.held]
        for field, duration in zip(middle, fine.steps, strict=True):
            state = self.advance(state, field, duration)
            shares.append(state.polarization)
            stored.append(state.held)
        polarization = self.remanent_polarization * np.concatenate(shares)
        held = self.remanent_polarization * (np.asarray(stored) - stored[0])
        lost = np.concatenate([[0.0], np.cumsum(middle * np.diff(polarization))]) - held
        return Response(fine.time, fine.drive, polarization, lost)

    def monte_carlo(
        self, waveform: Waveform, *, domains: int, devices: int, seed: int, initial: float = -1.0
    ) -> Floats:
        """Polarization [C/m²] of ``devices`` of ``domains`` each at the end of a waveform: [devices].

        Every domain draws its activation field and built-in field once, and its switching in every step.
        ``initial`` is −1 or 1.
        """
        random = np.random.default_rng(seed)
        count = (devices, domains)
        fields = np.asarray(self.activation.at(random.random(count).reshape(-1), np)).reshape(count)
        offsets = self.offset + self.offset_sigma * random.standard_normal(count)
        fine = waveform.refined(FIELD_STEP * float(np.median(fields)))
        middle = (fine.drive[1:] + fine.drive[:-1]) / 2.0
        state = np.full(count, initial)
        progress = np.zeros(count)
        beta = self.kai_exponent
        for field, duration in zip(middle, fine.steps, strict=True):
            driving = field - offsets
            grown = duration * self.rates(np.abs(driving), fields)
            new = np.maximum(progress - np.sign(driving) * state * grown, 0.0)
            hazard = np.maximum(new**beta - progress**beta, 0.0)
            flips = random.random(count) < -np.expm1(-hazard)
            state = np.where(flips, -state, state)
            progress = np.where(flips, 0.0, new)
        polarization: Floats = self.remanent_polarization * state.mean(axis=1)
        return polarization


@dataclass(frozen=True)
class DomainState:
    """What the quantiles of films have come to: one film a point.

    ``fields`` and ``offsets`` [V/m], both [quantiles, 1], name the domains, ``weights`` [quantiles] add up to
    1; ``up`` [quantiles, points] is the share that points up, ``up_progress`` and ``down_progress`` the
    progress h of both populations.
    """

    fields: Floats
    offsets: Floats
    weights: Floats
    up: Floats
    up_progress: Floats
    down_progress: Floats

    @property
    def polarization(self) -> Floats:
        """Share up less share down, −1 … 1: [points]."""
        share: Floats = self.weights @ (2.0 * self.up - 1.0)
        return share

    @property
    def held(self) -> float:
        """Energy that the built-in fields hold, over Pr [V/m], of the first film."""
        return float((self.weights * self.offsets[:, 0]) @ (2.0 * self.up[:, 0] - 1.0))


def domain_count(area: Array, grain_size: Array) -> Array:
    """Domains in a gate or capacitor: area [m²] over the square of the grain [m], one at least.

    Assumes one domain a grain; grains of HZO are 10 to 30 nm wide.
    """
    xp = namespace_of(area, grain_size)
    count = xp.asarray(area / grain_size**2)
    return xp.where(count > 1.0, count, 1.0 + 0.0 * count)


def share_sigma(share: Array, domains: Array) -> Array:
    """Standard deviation of a switched share over devices of N = ``domains`` independent ones: √(p(1 −
    p)/N).
    """
    xp = namespace_of(share, domains)
    return xp.sqrt(xp.asarray(share * (1.0 - share) / domains))
