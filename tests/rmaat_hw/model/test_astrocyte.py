"""The neuron-synapse-astrocyte model: expected values, an independent integrator, laws, bad input."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from device_params.errors import InputError
from rmaat_hw.model.astrocyte import ATOL, Simulation, grid, simulate
from rmaat_hw.model.astrocyte_constants import EQUATIONS, AstrocyteConstants

SATURATING = AstrocyteConstants(tau_long_s=12.5)  # r = 0.4


@pytest.fixture(name="six", scope="module")
def _six() -> Simulation:
    return simulate(SATURATING)


def literal(
    constants: AstrocyteConstants, positions: np.ndarray, cycles: int, step: float
) -> tuple[np.ndarray, np.ndarray]:
    """p^s and p^l at the ends of the cycles by the classic Runge-Kutta method, one synapse at a time."""
    c = constants
    posts, pres = positions.shape[:2]
    pairs = [(i, j) for i in range(posts) for j in range(pres)]
    tensor = {
        (a, b): 0.0
        if a == b
        else c.coupling * math.exp(-math.dist(positions[a], positions[b]) / c.coupling_length)
        for a in pairs
        for b in pairs
    }
    number = {pair: k for k, pair in enumerate(pairs)}
    n = len(pairs)

    def slope(y: list[float], drive: float) -> list[float]:
        x_pre, x_post = y[:pres], y[pres : pres + posts]
        s, short, long = (y[pres + posts + k * n : pres + posts + (k + 1) * n] for k in range(3))
        psi = [math.tanh(p) for p in short]
        out = [(-c.leak_neuron * x + drive) / c.tau_neuron_s for x in x_pre]
        for i in range(posts):
            drawn = sum(math.tanh(s[number[i, j]]) * math.tanh(x_pre[j]) for j in range(pres))
            out.append((-c.leak_neuron * x_post[i] + drawn + drive) / c.tau_neuron_s)
        for k, (i, j) in enumerate(pairs):
            pre_post = math.tanh(x_post[i]) * math.tanh(x_pre[j])
            out.append((-c.leak_synapse * s[k] + pre_post + c.feedback * psi[k]) / c.tau_synapse_s)
        kappa = [max(math.tanh(value), 0.0) for value in s]
        for k, a in enumerate(pairs):
            spread = sum(tensor[a, b] * psi[number[b]] for b in pairs)
            out.append((-c.leak_short * short[k] + spread + kappa[k] + c.bias) / c.tau_short_s)
        out += [(-c.leak_long * p + q) / c.tau_long_s for p, q in zip(long, kappa, strict=True)]
        return out

    y, ends = np.zeros(pres + posts + 3 * n), []
    for _ in range(cycles):
        for drive, length in ((c.drive, c.on_s), (0.0, c.off_s)):
            for _ in range(round(length / step)):
                k1 = np.array(slope(list(y), drive))
                k2 = np.array(slope(list(y + step / 2 * k1), drive))
                k3 = np.array(slope(list(y + step / 2 * k2), drive))
                k4 = np.array(slope(list(y + step * k3), drive))
                y = y + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        ends.append(y[pres + posts + n :].reshape(2, posts, pres))
    short, long = np.array(ends).swapaxes(0, 1)
    return short, long


def test_expected_values(six: Simulation) -> None:
    """Values of Euler's method in steps of 5 ms; the converged ones are less than 7e-4 away."""
    expected = [0.129, 0.221, 0.282, 0.323, 0.351, 0.369]
    np.testing.assert_allclose(six.cycle_ends.mean(axis=(1, 2)), expected, atol=7e-4)
    peaks = six.short_term_peaks
    corners, edges = peaks[::2, ::2], np.array([peaks[0, 1], peaks[1, 0], peaks[1, 2], peaks[2, 1]])
    np.testing.assert_allclose(corners, 0.762, atol=5e-4)
    np.testing.assert_allclose(edges, 0.790, atol=5e-4)
    assert peaks[1, 1] == pytest.approx(0.824, abs=5e-4)
    np.testing.assert_allclose(six.ratios, [0.7074, 0.6723, 0.6704, 0.6703, 0.6703], atol=2e-4)


def test_converged_values(six: Simulation) -> None:
    """What the module's docstring says."""
    ends = [0.12903, 0.22032, 0.28170, 0.32285, 0.35044, 0.36893]
    np.testing.assert_allclose(six.cycle_ends.mean(axis=(1, 2)), ends, atol=6e-6)


def test_equals_an_independent_integrator() -> None:
    """Other numbers of neurons, irregular positions, every constant off its default, 2 cycles."""
    constants = AstrocyteConstants(
        0.06, 0.25, 0.9, 6.0, 1.1, 0.9, 1.2, 0.8, 0.4, 0.2, 1.5, 0.05, 0.8, on_s=0.6, off_s=0.4
    )
    positions = np.random.default_rng(0).normal(size=(2, 3, 2))
    short, long = literal(constants, positions, cycles=2, step=0.01)
    found = simulate(constants, cycles=2, positions=positions, samples=4)
    np.testing.assert_allclose(found.short_term[8::8], short, atol=2e-6)
    np.testing.assert_allclose(found.cycle_ends, long, atol=1e-7)


def test_converges() -> None:
    fine = simulate(SATURATING, samples=1, rtol=1e-12, atol=1e-14)
    errors = [
        np.abs(simulate(SATURATING, samples=1, rtol=rtol, atol=rtol / 100).long_term - fine.long_term).max()
        for rtol in (1e-4, 1e-6, 1e-8)
    ]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-9


def test_sampling_changes_nothing(six: Simulation) -> None:
    coarse = simulate(SATURATING, samples=1)
    np.testing.assert_allclose(coarse.cycle_ends, six.cycle_ends, rtol=0, atol=1e-12)
    np.testing.assert_allclose(coarse.increments, six.increments, rtol=0, atol=1e-12)


def test_edges_of_the_drive_are_sampled(six: Simulation) -> None:
    edges = np.flatnonzero(np.diff(six.drive)) + 1
    np.testing.assert_allclose(six.time_s[edges], np.arange(1, 12) * 2.5, rtol=1e-15)
    assert (np.diff(six.time_s) > 0).all()
    assert (six.time_s[0], six.time_s[-1], len(six.time_s)) == (0.0, 30.0, 3001)


def test_increments_are_the_growth_of_the_long_term_process(six: Simulation) -> None:
    ends = six.cycle_ends.mean(axis=(1, 2))
    np.testing.assert_allclose(np.cumsum(six.increments), ends, rtol=1e-14)
    np.testing.assert_array_equal(six.cycle_ends[-1], six.long_term[-1])


def test_equal_distances_give_uniform_activity(six: Simulation) -> None:
    together = simulate(SATURATING, positions=np.zeros((3, 3, 2)))
    for course in (together.short_term, together.long_term, together.synapse):
        assert np.ptp(course, axis=(1, 2)).max() < 1e-13
    assert np.ptp(six.short_term_peaks) > 0.05


def test_equal_positive_distances_too() -> None:
    simplex = np.eye(9).reshape(3, 3, 9)  # nine points, √2 from each other
    found = simulate(SATURATING, positions=simplex, cycles=2)
    assert np.ptp(found.short_term, axis=(1, 2)).max() < 1e-12


def test_symmetry_of_the_grid(six: Simulation) -> None:
    for flip in (np.flip(six.short_term, 1), np.flip(six.short_term, 2)):
        np.testing.assert_allclose(six.short_term, flip, rtol=0, atol=1e-12)


def test_far_synapses_do_not_couple() -> None:
    far, alone = simulate(positions=1e6 * grid()), simulate(AstrocyteConstants(coupling=0.0))
    np.testing.assert_allclose(far.short_term, alone.short_term, rtol=0, atol=1e-14)


def test_saturates(six: Simulation) -> None:
    assert (np.diff(six.cycle_ends, axis=0) > 0).all()
    long = simulate(SATURATING, cycles=60, samples=1)
    assert long.cycle_ends[-1].mean() == pytest.approx(long.increments.sum(), rel=1e-12)
    np.testing.assert_allclose(long.cycle_ends[-1], long.cycle_ends[-5], rtol=1e-9)
    # six cycles of r = 0.4 gain about 1 - exp(-2.4) = 91 % of it
    assert six.cycle_ends[-1].mean() / long.cycle_ends[-1].mean() == pytest.approx(0.91, abs=0.02)


def test_late_increments_keep_their_digits() -> None:
    """200 cycles on, p^l grows by 1e-18 of itself per cycle, and the law still holds."""
    ratios = simulate(cycles=200, samples=1).ratios
    np.testing.assert_allclose(ratios[4:], math.exp(-0.2), rtol=2e-6)


def test_periodic_cycles_are_not_integrated_again() -> None:
    assert simulate(cycles=500, samples=1).evaluations == simulate(cycles=20, samples=1).evaluations > 0


@pytest.mark.parametrize(
    "changes", [{"tau_neuron_s": 1e-6}, {"tau_synapse_s": 1e-4, "tau_short_s": 1e-3}, {"leak_short": 1e6}]
)
def test_stiff_systems(changes: dict[str, float]) -> None:
    """Time constants a million times shorter cost no more than twice the evaluations."""
    found = simulate(AstrocyteConstants(**changes), samples=1)
    assert found.evaluations < 2 * 15_000
    assert (np.diff(found.increments) < 0).all()


def test_fast_neurons_are_a_limit() -> None:
    slow, fast = (simulate(AstrocyteConstants(tau_neuron_s=t), samples=1).increments for t in (1e-4, 1e-5))
    np.testing.assert_allclose(slow, fast, rtol=3e-5)


def test_rate_and_its_inverse() -> None:
    constants = AstrocyteConstants(leak_long=2.0, on_s=1.0, off_s=3.0).with_rate(0.1)
    assert constants.tau_long_s == pytest.approx(2.0 * 4.0 / 0.1)
    assert constants.rate == pytest.approx(0.1)


def test_retention_needs_a_cycle_per_segment(six: Simulation) -> None:
    assert six.retention(4).sum() == pytest.approx(1.0, abs=1e-15)
    with pytest.raises(InputError, match="more segments than simulated cycles"):
        six.retention(7)
    with pytest.raises(InputError, match="bad number of segments"):
        six.retention(0)


def test_ratios_where_nothing_grows_any_more() -> None:
    found = simulate(AstrocyteConstants().with_rate(5.0), cycles=200, samples=1)
    assert found.increments[-1] == 0.0
    assert np.isnan(found.ratios[-1]) and not np.isinf(found.ratios).any()


@pytest.mark.parametrize(
    "name", ["tau_neuron_s", "tau_long_s", "leak_long", "drive", "on_s", "coupling_length"]
)
@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), True, "1", None, 1e-12, 1e12])
def test_bad_constants(name: str, value: object) -> None:
    with pytest.raises(InputError, match=rf"astrocyte\.{name}: bad value of {name}"):
        replace(AstrocyteConstants(), **{name: value})


def test_terms_may_be_absent() -> None:
    bare = simulate(AstrocyteConstants(feedback=0, coupling=0, bias=0), cycles=2)
    np.testing.assert_allclose(bare.short_term, bare.short_term[:, :1, :1] * np.ones((3, 3)), atol=1e-12)
    with pytest.raises(InputError, match="allowed: 0, or a number"):
        AstrocyteConstants(feedback=-0.1)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"cycles": 0}, "bad number of cycles"),
        ({"cycles": 2.0}, "bad number of cycles"),
        ({"cycles": 1001}, "1 to 1000"),
        ({"samples": 0}, "bad number of samples"),
        ({"positions": np.zeros((3, 3))}, "bad positions"),
        ({"positions": np.zeros((0, 3, 2))}, "bad positions"),
        ({"positions": [[["a"]]]}, "bad positions"),
        ({"positions": np.full((3, 3, 2), np.nan)}, "bad positions"),
    ],
)
def test_bad_arguments(arguments: dict[str, object], told: str) -> None:
    with pytest.raises(InputError, match=told):
        simulate(**arguments)  # type: ignore[arg-type]


def test_a_process_that_keeps_nothing() -> None:
    with pytest.raises(InputError, match=f"more than {ATOL:g}"):
        simulate(AstrocyteConstants(drive=1e-6), cycles=2)


def test_every_constant_and_equation_is_marked() -> None:
    described = AstrocyteConstants().described()
    assert len({entry["symbol"] for entry in described}) == len(described) == 15
    for entry in described:
        assert entry["unit"] == ("s" if str(entry["name"]).endswith("_s") else "1")
        assert entry["mark"] == "RECOMMENDED"
    assert all(any(m in e.mark for m in ("STATED", "INFERRED", "RECOMMENDED")) for e in EQUATIONS)
