"""Neurons, synapses and the two astrocyte processes, integrated over cycles of a periodic drive.

The macro model behind RMAAT (arXiv 2601.00426, §3.1 and appendix, as quoted by secondary sources):
presynaptic neurons j and postsynaptic neurons i, a synapse ij between each two, and at every synapse
a short-term process p^s (seconds; coupled over the distance of synapses) and a long-term process p^l
(tens of seconds; it adds up over the cycles of p^s and saturates). Equations and numbers stand with
their marks in :mod:`rmaat_hw.model.astrocyte_constants`.

The solver. Between two edges of the drive the equations are smooth and autonomous, so every phase is
one call of :func:`scipy.integrate.solve_ivp` and no step crosses an edge. The time constants span
τ_n : τ_p^l = 1 : 500, yet steps are bound by accuracy, not stability; LSODA stays with Adams' methods
there and goes to BDF by itself where other constants make the system stiff. p^l acts on nothing and
is linear: it is integrated from 0 in each cycle and superposed, p_c = ρ p_{c-1} + G_c with
ρ = exp(-γ^l τ_cycle / τ_p^l), so its increments keep their digits when it is all but saturated. A
cycle that begins where the one before began, within the solver's absolute error, is that cycle again.

Expected values. The numbers this model was specified with came from Euler's method in steps of 5 ms,
for τ_p^l = 12.5 s: p^l at the ends of six cycles 0.129, 0.221, 0.282, 0.323, 0.351, 0.369, peaks of
p^s 0.762, 0.790, 0.824 (corner, edge, centre of the 3 × 3 grid). The converged solution, p^l as mean
over the synapses: 0.12903, 0.22032, 0.28170, 0.32285, 0.35044, 0.36893, and 0.7616, 0.7896 to 0.7897,
0.8238. It is less than 0.0007 away, as much as one Euler step of drive more in every cycle makes, and
the quoted ratios of increments, 0.7074, 0.6723, 0.6704, 0.6703, hold to 2e-4. Nothing was tuned.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from device_params.errors import InputError
from rmaat_hw.model.astrocyte_constants import AstrocyteConstants

Floats = NDArray[np.float64]

RTOL, ATOL = 1e-8, 1e-10
"""Error allowed per step, relative and absolute. p^l ends 1e-9 from the solution with 1e-12."""
MOST_CYCLES = 1000


def grid(posts: int = 3, pres: int = 3) -> Floats:
    """Positions of the synapses on a grid of unit spacing, [posts, pres, 2]; RECOMMENDED, 3 × 3 STATED."""
    return np.stack(np.meshgrid(np.arange(posts), np.arange(pres), indexing="ij"), axis=-1).astype(float)


@dataclass(frozen=True, eq=False)
class Simulation:
    """Course of every quantity, at K times; Q postsynaptic and P presynaptic neurons, C cycles.

    All quantities but the times are without unit.
    """

    constants: AstrocyteConstants
    positions: Floats
    """Of the synapses, [Q, P, dimensions]."""
    time_s: Floats
    """[K], both edges of every phase among them, each once."""
    drive: Floats
    """[K], in force from this time on; at the last time, until then."""
    presynaptic: Floats
    """x_j, [K, P]."""
    postsynaptic: Floats
    """x_i, [K, Q]."""
    synapse: Floats
    """s_ij, [K, Q, P]."""
    short_term: Floats
    """p^s_ij, [K, Q, P]."""
    long_term: Floats
    """p^l_ij, [K, Q, P]."""
    cycle_ends: Floats
    """p^l_ij at the ends of the cycles, [C, Q, P]."""
    increments: Floats
    """Growth of p^l over each cycle, mean over all synapses, [C]."""
    evaluations: int
    """Evaluations of the right-hand side."""

    @property
    def ratios(self) -> Floats:
        """Every increment over the one before it, [C - 1]; exp(-r) once the start has died away.

        NaN where the one before it is too small for a float64.
        """
        before = self.increments[:-1]
        return np.divide(self.increments[1:], before, out=np.full_like(before, np.nan), where=before > 0)

    @property
    def short_term_peaks(self) -> Floats:
        """Highest sampled p^s of every synapse, [Q, P]."""
        return self.short_term.max(axis=0)

    def retention(self, segments: int) -> Floats:
        """Retention factors of ``segments`` segments, one cycle each: increments over their sum, [T]."""
        if not 1 <= segments <= len(self.increments):
            raise InputError(
                "more segments than simulated cycles" if segments > 0 else "bad number of segments",
                value=segments,
                allowed=f"1 to {len(self.increments)}",
            )
        part = self.increments[:segments]
        return part / part.sum()


class _Model:
    """The right-hand side, and where in the state [x_j, x_i, s, p^s, p^l] each part stands."""

    def __init__(self, constants: AstrocyteConstants, positions: Floats) -> None:
        from scipy.spatial.distance import cdist

        c, (posts, pres) = constants, positions.shape[:2]
        count = posts * pres
        self.constants, self.shape = constants, (posts, pres)
        self.size = pres + posts + 3 * count
        ends = np.cumsum([0, pres, posts, count, count, count])
        self.pre, self.post, self.synapse, self.short, self.long = (
            slice(int(a), int(b)) for a, b in itertools.pairwise(ends)
        )
        points = positions.reshape(count, -1)
        self.coupling = c.coupling * np.exp(-cdist(points, points) / c.coupling_length)
        np.fill_diagonal(self.coupling, 0.0)
        parts = (pres + posts, count, count, count)
        self.leak = np.repeat([c.leak_neuron, c.leak_synapse, c.leak_short, c.leak_long], parts)
        self.tau = np.repeat([c.tau_neuron_s, c.tau_synapse_s, c.tau_short_s, c.tau_long_s], parts)

    def slope(self, _time: float, state: Floats, drive: float) -> Floats:
        """d state / dt under a constant drive."""
        active = np.tanh(state[: self.long.start])
        theta_pre, theta_post = active[self.pre], active[self.post]
        g, psi = active[self.synapse], active[self.short]
        kappa = np.maximum(g, 0.0)
        slope = np.empty(self.size)
        slope[self.pre] = drive
        slope[self.post] = g.reshape(self.shape) @ theta_pre + drive
        slope[self.synapse] = np.outer(theta_post, theta_pre).ravel() + self.constants.feedback * psi
        slope[self.short] = self.coupling @ psi + kappa + self.constants.bias
        slope[self.long] = kappa
        slope -= self.leak * state
        slope /= self.tau
        return slope

    def cycle(self, fast: Floats, samples: int, tolerance: tuple[float, float]) -> tuple[Floats, int]:
        """States [2 samples, size] over a cycle from ``fast`` and p^l = 0; evaluations."""
        c = self.constants
        state, courses, evaluations = np.concatenate((fast, np.zeros(self.size - fast.size))), [], 0
        for drive, length in ((c.drive, c.on_s), (0.0, c.off_s)):
            course, used = self._phase(state, drive, np.linspace(0.0, length, samples + 1), tolerance)
            state = course[-1]
            courses.append(course[1:])
            evaluations += used
        return np.concatenate(courses), evaluations

    def _phase(
        self, state: Floats, drive: float, times: Floats, tolerance: tuple[float, float]
    ) -> tuple[Floats, int]:
        from scipy.integrate import solve_ivp

        solved = solve_ivp(
            self.slope,
            (0.0, float(times[-1])),
            state,
            method="LSODA",
            t_eval=times,
            rtol=tolerance[0],
            atol=tolerance[1],
            args=(drive,),
        )
        if not solved.success or not np.isfinite(solved.y).all():
            raise InputError(
                f"the solver cannot follow these constants ({solved.message})",
                where="astrocyte",
                remedy="bring the time constants nearer to each other",
            )
        return solved.y.T, int(solved.nfev)


def simulate(
    constants: AstrocyteConstants | None = None,
    *,
    cycles: int = 6,
    positions: ArrayLike | None = None,
    samples: int = 250,
    rtol: float = RTOL,
    atol: float = ATOL,
) -> Simulation:
    """Integrate the model from rest over cycles of the drive, each on first, then off.

    Args:
        constants: by default those of :class:`AstrocyteConstants`.
        cycles: C, 1 to 1000.
        positions: of the synapses, [Q, P, dimensions], for Q postsynaptic and P presynaptic neurons; by
            default :func:`grid`, 3 × 3. Synapses at one point are coupled alike.
        samples: intervals between returned times in each phase; 1 returns the edges alone.
        rtol: relative error allowed per step.
        atol: absolute error allowed per step.

    Returns:
        The course of every quantity; about 10 ms of computing per cycle until the fast part is periodic.

    Raises:
        InputError: no such number of cycles or samples, positions of another shape, a system that the
            solver cannot follow, a long-term process that keeps nothing of a cycle.

    Example:
        >>> simulate(AstrocyteConstants(tau_long_s=12.5)).cycle_ends.mean(axis=(1, 2)).round(3).tolist()
        [0.129, 0.22, 0.282, 0.323, 0.35, 0.369]
    """
    c = constants or AstrocyteConstants()
    _check_count("cycles", cycles, MOST_CYCLES)
    _check_count("samples", samples, 100_000)
    places = _checked_positions(grid() if positions is None else positions)
    model = _Model(c, places)
    on, off = (np.linspace(0.0, length, samples + 1)[1:] for length in (c.on_s, c.off_s))
    clock = np.concatenate((on, c.on_s + off))
    fading = np.exp(-c.leak_long / c.tau_long_s * clock)[:, None]
    fast = np.zeros(model.long.start)
    held = np.zeros(model.size - model.long.start)  # p^l at the end of the cycle before
    course, began, evaluations = np.empty((0, model.size)), np.full_like(fast, np.inf), 0
    courses, gains = [np.zeros((1, model.size))], []
    for _ in range(cycles):
        if np.abs(fast - began).max() > atol:
            began = fast
            course, used = model.cycle(fast, samples, (rtol, atol))
            evaluations += used
        gains.append(course[-1, model.long].mean())
        shown = course.copy()
        shown[:, model.long] += fading * held
        courses.append(shown)
        fast, held = course[-1, : model.long.start], shown[-1, model.long]
    states = np.concatenate(courses)
    synapses = (-1, *model.shape)
    long_term = states[:, model.long].reshape(synapses)
    return Simulation(
        constants=c,
        positions=places,
        time_s=np.append(0.0, (np.arange(cycles)[:, None] * c.cycle_s + clock).ravel()),
        drive=np.append(np.tile(np.repeat([c.drive, 0.0], samples), cycles), 0.0),
        presynaptic=states[:, model.pre],
        postsynaptic=states[:, model.post],
        synapse=states[:, model.synapse].reshape(synapses),
        short_term=states[:, model.short].reshape(synapses),
        long_term=long_term,
        cycle_ends=long_term[2 * samples :: 2 * samples],
        increments=_increments(np.array(gains), c.rate, atol),
        evaluations=evaluations,
    )


def _increments(gains: Floats, rate: float, error: float) -> Floats:
    """Growth of p^l over each cycle from what each cycle adds to nothing, both [C].

    p_c = ρ p_{c-1} + G_c, so Δ_{c+1} = ρ Δ_c + G_{c+1} - G_c, without a difference of nearly equal p.
    Nothing in the model inhibits: from rest, G only grows, and where it falls is the solver's error.
    """
    if gains[0] <= error:
        raise InputError(
            "the long-term process keeps less of a cycle than the solver's error",
            where="astrocyte",
            value=float(gains[0]),
            allowed=f"more than {error:g}",
            remedy="bring tau_long_s nearer to the length of a cycle",
        )
    increments = [float(gains[0])]
    for change in np.diff(np.maximum.accumulate(gains)):
        increments.append(math.exp(-rate) * increments[-1] + float(change))
    return np.array(increments)


def _check_count(name: str, value: object, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or not 1 <= value <= most:
        raise InputError(f"bad number of {name}", value=value, allowed=f"a whole number from 1 to {most}")


def _checked_positions(positions: ArrayLike) -> Floats:
    try:
        places = np.asarray(positions, dtype=np.float64)
    except (TypeError, ValueError):
        places = np.empty(0)
    if places.ndim != 3 or 0 in places.shape or not np.isfinite(places).all():
        raise InputError(
            "bad positions of the synapses",
            where="astrocyte",
            value=f"array of shape {list(np.shape(places))}",
            allowed="finite numbers [postsynaptic neurons, presynaptic neurons, dimensions]",
        )
    return places
