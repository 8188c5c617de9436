"""Nucleation-limited switching: quantiles against the integral, waveforms, Monte Carlo, gradients, bounds."""

from __future__ import annotations

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, special
from tolerance import close

from cost_models.ferroelectric import nucleation
from cost_models.ferroelectric.nucleation import (
    Gaussian,
    GeneralizedBeta,
    Nucleation,
    domain_count,
    quantiles,
    share_sigma,
)
from cost_models.ferroelectric.waveform import Waveform, triangle
from cost_models.namespace import spread

# The published sets: 8.3 nm and 10 nm films (generalised beta), transistor (normal in V over 8 nm).
THIN = Nucleation(0.227186, 446.33e-9, 4.2408, 1.9134, GeneralizedBeta(6.7582, 1.6686e8, 2.0998, 1.3641))
THICK = Nucleation(0.243608, 3.5725e-6, 3.2975, 2.0, GeneralizedBeta(6.9307, 1.6698e8, 0.5724, 0.7239))
GATE = Nucleation(0.25, 19e-9, 3.0, 2.0, Gaussian(2.3 / 8e-9, 0.4 / 8e-9))
SETS = {"thin": THIN, "thick": THICK, "gate": GATE}


def plateau(field: float, duration: float, edge: float = 1e-12) -> Waveform:
    """A pulse with edges too short to switch anything, so that it can be told from one constant field."""
    return Waveform([0, edge, edge + duration, duration + 2 * edge], [0, field, field, 0])


def density(film: GeneralizedBeta, activation: float) -> float:
    """The distribution as it is printed."""
    a, b, p, q = film.a, film.scale, film.p, film.q
    x = activation / b
    return float((a / b) * x ** (a * p - 1) / (special.beta(p, q) * (1 + x**a) ** (p + q)))


def by_quadrature(film: Nucleation, field: float, duration: float) -> float:
    """∫ f(Ea)·{1 − exp[−(t/τ)^β]} dEa, adaptively."""
    shape = film.activation
    assert isinstance(shape, GeneralizedBeta)

    def integrand(activation: float) -> float:
        tau = film.time_constant * math.exp(min((activation / field) ** film.merz_exponent, 700.0))
        return density(shape, activation) * -math.expm1(-((duration / tau) ** film.kai_exponent))

    edges = shape.scale * np.asarray([1e-3, 0.5, 0.8, 1.0, 1.2, 1.5, 2.0, 4.0, 16.0])
    return sum(integrate.quad(integrand, low, high, limit=200)[0] for low, high in itertools.pairwise(edges))


# -- the distribution and its quadrature -----------------------------------------------------------


def test_quantiles_integrate_smooth_functions() -> None:
    u, w = quantiles(48)
    assert w.sum() == pytest.approx(1.0, abs=1e-14)
    assert w @ u**3 == pytest.approx(0.25, abs=1e-12)
    assert (np.diff(u) > 0).all() and u[0] > 0 and u[-1] < 1


def test_generalized_beta_has_the_printed_density() -> None:
    shape = THIN.activation
    assert isinstance(shape, GeneralizedBeta)
    for u in (0.1, 0.5, 0.9):
        limit = float(shape.at(np.asarray([u]), np)[0, 0])
        below = integrate.quad(lambda x: density(shape, x), 0, limit, limit=200, points=[0.5 * limit])[0]
        assert below == pytest.approx(u, abs=1e-6)


@pytest.mark.parametrize("name", ["thin", "thick"])
def test_share_is_the_integral_over_activation_fields(name: str) -> None:
    film = SETS[name]
    for field in (0.9e8, 1.3e8, 2.0e8):
        for duration in (1e-7, 1e-5, 1e-3):
            expected = by_quadrature(film, field, duration)
            assert film.switched_share(field, duration) == pytest.approx(expected, abs=5e-4), (
                field,
                duration,
            )


def test_one_activation_field_is_the_law_of_one_domain() -> None:
    film = dataclasses.replace(GATE, activation=Gaussian(2e8, 0.0))
    # (Ea/E)^α = (2/1)^3 = 8, τ = 19 ns·e^8 = 56.64 µs; t = τ/2: 1 − exp(−1/4) = 0.2212
    assert film.switched_share(1e8, 19e-9 * math.exp(8) / 2) == pytest.approx(1 - math.exp(-0.25), rel=1e-9)


@pytest.mark.parametrize("film", SETS.values(), ids=SETS)
def test_quantiles_in_use_are_enough(film: Nucleation, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    field, time = random.uniform(0.5e8, 3e8, 1000), np.exp(random.uniform(np.log(3e-8), np.log(1e-3), 1000))
    used = film.switched_share(field, time)
    monkeypatch.setattr(nucleation, "QUANTILES", 1024)
    error = used - film.switched_share(field, time)
    assert np.abs(error).max() < 9e-4
    assert np.sqrt(np.mean(error**2)) < 1.3e-4


@pytest.mark.parametrize("film", SETS.values(), ids=SETS)
def test_share_grows_with_field_and_time_between_nothing_and_everything(film: Nucleation) -> None:
    fields = np.linspace(0.2e8, 6e8, 60)[:, None]
    times = np.geomspace(1e-9, 1e2, 40)[None, :]
    share = film.switched_share(fields, times)
    assert share.shape == (60, 40)
    assert (np.diff(share, axis=0) >= -1e-12).all() and (np.diff(share, axis=1) >= -1e-12).all()
    assert share.min() >= 0.0 and share.max() <= 1.0
    assert share[-1, -1] > 0.9999


def test_no_field_the_wrong_field_and_no_time_switch_nothing() -> None:
    assert THIN.switched_share(0.0, 1.0) == 0.0
    assert THIN.switched_share(-2e8, 1.0) == 0.0
    assert THIN.switched_share(2e8, 0.0) == pytest.approx(0.0, abs=1e-13)
    assert THIN.after_pulse(-2e8, 1.0) == -0.227186


def test_a_spread_of_the_built_in_field_is_the_mean_over_it() -> None:
    spread = dataclasses.replace(THICK, offset_sigma=4e7)
    u, w = quantiles(41)
    fields = 1.0e8 - 4e7 * special.ndtri(u)
    expected = w @ THICK.switched_share(fields, 1e-4)
    assert spread.switched_share(1.0e8, 1e-4) == pytest.approx(expected, abs=2e-3)
    assert abs(float(spread.switched_share(1.0e8, 1e-4)) - float(THICK.switched_share(1.0e8, 1e-4))) > 1e-2


# -- arrays, tensors, gradients ----------------------------------------------------------------------


def test_built_in_fields_shift_and_act_alone() -> None:
    shifted = dataclasses.replace(THICK, offset=3e7)
    assert shifted.switched_share(1.3e8, 1e-5) == close(float(THICK.switched_share(1.0e8, 1e-5)), 1e-12)
    # without an applied field the domains whose built-in field is against their state switch by themselves
    spread = dataclasses.replace(THICK, offset_sigma=6e7)
    alone = float(spread.switched_share(0.0, 1e-3))
    assert 0.01 < alone < 0.5
    assert spread.advance(spread.state(), 0.0, 1e-3).polarization[0] == pytest.approx(2 * alone - 1, abs=5e-3)


def test_shapes_broadcast() -> None:
    film = dataclasses.replace(
        THIN, activation=GeneralizedBeta(6.7582, np.asarray([1.5e8, 1.67e8, 1.8e8]), 2.0998, 1.3641)
    )
    assert film.switched_share(np.asarray([[1e8], [1.2e8]]), 1e-5).shape == (2, 3)
    assert film.switched_share(1e8, np.geomspace(1e-7, 1e-4, 4)[:, None]).shape == (4, 3)
    assert THIN.switched_share(np.empty(0), 1e-5).shape == (0,)
    assert THIN.after_pulse(1e8, np.inf) == close(THIN.remanent_polarization, 2e-3)


@pytest.mark.parametrize("name", ["a", "scale"])
def test_one_tensor_among_numbers(name: str) -> None:
    nominal = {"a": 6.7582, "scale": 1.6686e8}
    value = torch.tensor(nominal[name], dtype=torch.float64, requires_grad=True)
    shape = GeneralizedBeta(**{**nominal, name: value}, p=2.0998, q=1.3641)
    share = dataclasses.replace(THIN, activation=shape).switched_share(1.2e8, 1e-5)
    share.backward()
    assert value.grad is not None and float(value.grad) != 0.0
    assert share.item() == close(float(THIN.switched_share(1.2e8, 1e-5)), 1e-12)


def test_numbers_arrays_and_tensors_agree() -> None:
    fields, times = np.asarray([0.8e8, 1.1e8, 1.7e8]), np.asarray([1e-6, 1e-5, 1e-4])
    array = THIN.switched_share(fields, times)
    assert [float(THIN.switched_share(f, t)) for f, t in zip(fields, times, strict=True)] == pytest.approx(
        list(array), rel=1e-12
    )
    tensor = THIN.switched_share(torch.from_numpy(fields), torch.from_numpy(times))
    assert tensor.numpy() == pytest.approx(array, rel=1e-12)


def test_parameters_may_vary_with_the_points() -> None:
    taus, scales = np.asarray([1e-7, 5e-7, 2e-6]), np.asarray([1.4e8, 1.6e8, 1.8e8])
    block = dataclasses.replace(
        THIN, time_constant=taus, activation=GeneralizedBeta(6.7582, scales, 2.0998, 1.3641)
    ).switched_share(1.2e8, 1e-5)
    for k, (tau, scale) in enumerate(zip(taus, scales, strict=True)):
        one = dataclasses.replace(
            THIN, time_constant=tau, activation=GeneralizedBeta(6.7582, scale, 2.0998, 1.3641)
        )
        assert block[k] == pytest.approx(float(one.switched_share(1.2e8, 1e-5)), rel=1e-12)


def test_large_blocks_equal_single_points() -> None:
    random = np.random.default_rng(0)
    fields, times = random.uniform(0.5e8, 2.5e8, 40_000), random.uniform(1e-7, 1e-4, 40_000)
    share = THIN.switched_share(fields, times)
    some = [0, 1234, 39_999]
    assert share[some] == pytest.approx([float(THIN.switched_share(fields[k], times[k])) for k in some])


def _share(values: dict[str, Any]) -> Any:
    film = Nucleation(
        values["remanent"],
        values["tau"],
        values["alpha"],
        values["beta"],
        GeneralizedBeta(values["a"], values["scale"], 2.0998, 1.3641),
    )
    return film.after_pulse(values["field"], values["time"])


def test_gradients_equal_differences() -> None:
    nominal = {
        "remanent": 0.227, "tau": 4.5e-7, "alpha": 4.24, "beta": 1.91, "a": 6.76, "scale": 1.67e8,
        "field": 1.2e8, "time": 1e-5,
    }  # fmt: skip
    tensors = {k: torch.tensor(v, dtype=torch.float64, requires_grad=True) for k, v in nominal.items()}
    _share(tensors).backward()
    for name, value in nominal.items():
        step = 1e-6 * value
        high, low = (_share(nominal | {name: value + sign * step}) for sign in (1, -1))
        difference = float(high - low) / (2 * step)
        gradient = tensors[name].grad
        assert gradient is not None
        assert float(gradient) == close(difference, rel=1e-6), name


def test_slope_is_the_derivative() -> None:
    xp, law, (field, duration), _ = spread(THICK, np.asarray([0.9e8, 1.6e8]), 3e-6)
    share, slope = law.of_points(field, duration, True, xp)
    step = 1e2
    expected = (THICK.switched_share(field + step, 3e-6) - share) / step
    assert slope == close(expected, rel=1e-4)


def test_gradients_are_finite_where_nothing_switches() -> None:
    field = torch.tensor([0.0, -1e8, 1.0, 1e8], dtype=torch.float64, requires_grad=True)
    THIN.switched_share(field, 1e-6).sum().backward()
    assert field.grad is not None and bool(torch.isfinite(field.grad).all())


# -- waveforms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("film", SETS.values(), ids=SETS)
def test_a_long_plateau_is_a_pulse_of_constant_field(film: Nucleation) -> None:
    for field, duration in ((1.1e8, 2e-5), (1.8e8, 1e-6)):
        response = film.response(plateau(field, duration))
        assert response.polarization[-1] == pytest.approx(float(film.after_pulse(field, duration)), abs=5e-4)


def test_two_pulses_accumulate() -> None:
    # a domain keeps its progress over the pause: two pulses of 5 µs are one of 10 µs
    time = [0, 1e-12, 5e-6, 5.000001e-6, 1e-5, 1.0000001e-5, 1.5e-5, 1.5000001e-5]
    pair = Waveform(time, [0, 1.2e8, 1.2e8, 0, 0, 1.2e8, 1.2e8, 0])
    once = float(THIN.after_pulse(1.2e8, 5e-6))
    twice = THIN.response(pair).polarization[-1]
    assert twice == pytest.approx(float(THIN.after_pulse(1.2e8, 1e-5)), abs=1e-3)
    # without memory the second pulse would take only (1 − F) of a first one
    share = (once / 0.227186 + 1) / 2
    forgetful = 0.227186 * (2 * (1 - (1 - share) ** 2) - 1)
    assert abs(twice - forgetful) > 0.01


def test_zero_field_keeps_the_polarization_and_the_progress() -> None:
    state = THIN.advance(THIN.state(), 1.2e8, 3e-6)
    rested = THIN.advance(state, 0.0, 1e3)
    assert rested.polarization == state.polarization
    assert np.array_equal(rested.down_progress, state.down_progress)


def test_an_opposite_field_takes_progress_back_and_never_below_zero() -> None:
    state = THIN.advance(THIN.state(), 1.1e8, 2e-6)
    back = THIN.advance(state, -1.1e8, 1e-6)
    assert (back.down_progress <= state.down_progress).all() and (back.down_progress >= 0).all()
    assert back.polarization <= state.polarization
    # with half of the progress gone a further pulse of the same length reaches less than it would have
    onwards = THIN.advance(state, 1.1e8, 2e-6).polarization
    assert THIN.advance(back, 1.1e8, 2e-6).polarization < onwards


def test_opposite_pulse_returns_a_saturated_film() -> None:
    up = THIN.advance(THIN.state(), 3e8, 1e-4)
    assert up.polarization == pytest.approx(1.0, abs=1e-3)
    down = THIN.advance(up, -1.2e8, 1e-5)
    mirrored = THIN.advance(THIN.state(), 1.2e8, 1e-5)
    assert down.polarization == pytest.approx(-mirrored.polarization, abs=2e-3)


def test_triangle_gives_a_loop_that_widens_with_frequency() -> None:
    coercive = []
    for frequency in (1e2, 1e3, 1e4):
        loop = THICK.response(triangle(3e8, frequency, cycles=2.0))
        rising = loop.polarization[len(loop.time) // 2 :]
        fields = loop.field[len(loop.time) // 2 :]
        crossing = np.flatnonzero((rising[:-1] < 0) & (rising[1:] >= 0))[0]
        coercive.append(fields[crossing])
        assert np.abs(loop.polarization).max() <= THICK.remanent_polarization * (1 + 1e-12)
    assert coercive == sorted(coercive) and coercive[0] > 0.3e8


def test_steps_of_a_waveform_are_fine_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = triangle(2.0e8, 1e3, cycles=1.25)
    coarse = THIN.response(wave).polarization[-1]
    monkeypatch.setattr(nucleation, "FIELD_STEP", nucleation.FIELD_STEP / 8)
    assert THIN.response(wave).polarization[-1] == pytest.approx(coarse, abs=2e-3)


WAVES = st.lists(st.floats(-4e8, 4e8), min_size=2, max_size=8)


@settings(max_examples=25, deadline=None)
@given(WAVES, st.floats(1e-9, 1e-3), st.sampled_from(sorted(SETS)), st.sampled_from([-1.0, 0.0, 1.0]))
def test_polarization_stays_within_its_bound_and_no_loop_gives_work(
    corners: list[float], step: float, name: str, initial: float
) -> None:
    film = SETS[name]
    drive = np.asarray([0.0, *corners, 0.0])
    response = film.response(Waveform(step * np.arange(len(drive)), drive), initial=initial)
    assert np.abs(response.polarization).max() <= film.remanent_polarization * (1 + 1e-12)
    assert (np.diff(response.dissipated) >= -1e-9).all()
    assert response.work() == pytest.approx(response.dissipated[-1], rel=1e-9, abs=1e-6)


# -- Monte Carlo ------------------------------------------------------------------------------------------


def test_monte_carlo_converges_to_the_quantiles() -> None:
    wave = Waveform(
        [0, 1e-7, 4e-6, 4.2e-6, 7e-6, 7.2e-6, 1.2e-5, 1.3e-5],
        [0, 1.3e8, 1.3e8, -1.1e8, -1.1e8, 1.2e8, 1.2e8, 0],
    )
    expected = THIN.response(wave).polarization[-1]
    errors = []
    for domains in (16, 128, 1024):
        sample = THIN.monte_carlo(wave, domains=domains, devices=64, seed=1)
        errors.append(abs(sample.mean() - expected))
        # within four standard errors of the mean, at any number of domains
        assert errors[-1] < 4 * sample.std() / 8 + 1.5e-3
    assert errors[-1] < 1.5e-3


def test_spread_falls_with_the_square_root_of_the_domains() -> None:
    wave = plateau(1.2e8, 6e-6)
    share = float(THIN.switched_share(1.2e8, 6e-6))
    counts = (16, 64, 256)
    sigmas = [
        THIN.monte_carlo(wave, domains=n, devices=1000, seed=n).std() / (2 * THIN.remanent_polarization)
        for n in counts
    ]
    slope = np.polyfit(np.log(counts), np.log(sigmas), 1)[0]
    assert slope == pytest.approx(-0.5, abs=0.04)
    for sigma, count in zip(sigmas, counts, strict=True):
        assert sigma == pytest.approx(float(share_sigma(share, count)), rel=0.1)


def test_equal_seeds_give_equal_devices() -> None:
    wave = plateau(1.2e8, 6e-6)
    one, two, other = (THIN.monte_carlo(wave, domains=8, devices=16, seed=s) for s in (5, 5, 6))
    assert np.array_equal(one, two) and not np.array_equal(one, other)


def test_domains_from_area_and_grain() -> None:
    # 28 × 80 nm over (20 nm)² = 5.6; a gate smaller than a grain holds one domain
    assert domain_count(28e-9 * 80e-9, 20e-9) == pytest.approx(5.6)
    assert domain_count(1e-17, 20e-9) == 1.0
    # a window of 1.5 V at half: 1.5·√(0.25/5.6) = 317 mV; 500 × 500 nm: 625 domains, 30 mV
    assert 1.5 * share_sigma(0.5, 5.6) == pytest.approx(0.317, abs=1e-3)
    assert 1.5 * share_sigma(0.5, domain_count(0.25e-12, 20e-9)) == pytest.approx(0.030, abs=1e-3)


def test_trains_of_pulses_are_followed_for_many_films_at_once() -> None:
    fields = np.asarray([[1.0e8, 1.2e8, 1.4e8], [-0.9e8, -0.9e8, -2e8], [1.2e8, 0.0, 1.2e8]])
    durations = np.asarray([[5e-6], [2e-6], [3e-6]])
    block = THIN.after_pulses(fields, durations)
    assert block.shape == (3, 3)
    for point in range(3):
        state = THIN.state()
        for pulse in range(3):
            state = THIN.advance(state, float(fields[pulse, point]), float(durations[pulse, 0]))
            expected = THIN.remanent_polarization * state.polarization[0]
            assert block[pulse, point] == pytest.approx(expected, rel=1e-12)
    # the first pulse alone is the one quadrature of a constant field
    assert block[0] == pytest.approx(THIN.after_pulse(fields[0], 5e-6), abs=1e-12)
    kept = THIN.after_pulses(np.asarray([[1.2e8]]), np.asarray([[1e-5]]), initial=1.0)
    assert kept == pytest.approx(THIN.remanent_polarization, rel=1e-12)


def test_built_in_fields_hold_what_they_do_not_lose() -> None:
    film = dataclasses.replace(THICK, offset_sigma=5e7)
    random = np.random.default_rng(3)
    drive = np.concatenate([[0.0], random.uniform(-3e8, 3e8, 12), [0.0]])
    response = film.response(Waveform(1e-5 * np.arange(len(drive)), drive))
    assert (np.diff(response.dissipated) >= -1e-6).all()
    # the work that is not lost is held; it comes back when the domains do
    assert abs(response.work() - response.dissipated[-1]) < 0.5 * response.dissipated[-1]
    assert response.work() != close(response.dissipated[-1], 1e-6)
