"""Landau-Khalatnikov: static roots, intrinsic coercive field, pulses in closed form, energy of a cycle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq, minimize_scalar

from cost_models.ferroelectric.landau import Landau
from cost_models.ferroelectric.waveform import Response, Waveform, triangle
from device_params.errors import InputError

MV_PER_CM = 1e8
#: HZO set of the FerroX examples; Γ = 100 (Ω·m)⁻¹.
FERROX = {"alpha": -2.5e9, "beta": 6.0e10, "gamma": 1.5e11, "resistivity": 0.01}
#: A first-order set, β < 0, of the magnitude of those credited to Materlik et al. 2015.
FIRST_ORDER = {"alpha": -3.0e8, "beta": -6.72e8, "gamma": 1.95e10, "resistivity": 0.05}
SETS = pytest.mark.parametrize("card", [FERROX, FIRST_ORDER])


def test_spontaneous_polarization_and_coercive_field_by_hand() -> None:
    film = Landau(**FERROX)
    # Ps² = (−6e10 + √(3.6e21 + 1.5e21))/3e11 = (−6e10 + 7.1414e10)/3e11 = 0.038047; Ps = 0.19506 C/m²
    assert film.spontaneous_polarization == pytest.approx(0.19506, rel=1e-4)
    # Pc² = (−1.8e11 + √(3.24e22 + 7.5e21))/1.5e12 = (−1.8e11 + 1.99750e11)/1.5e12 = 0.0131666; Pc = 0.11475
    # Ec = 0.11475·(2.5e9 − 6e10·0.0131666 − 1.5e11·1.7336e-4) = 0.11475·1.68400e9 = 1.932e8 V/m
    assert film.coercive_polarization == pytest.approx(0.11475, rel=1e-4)
    assert film.coercive_field == pytest.approx(1.932e8, rel=1e-3)


@SETS
def test_roots_and_extremum_of_the_s_curve(card: dict[str, float]) -> None:
    film = Landau(**card)
    assert film.static_field(film.spontaneous_polarization) == pytest.approx(
        0, abs=1e-9 * film.coercive_field
    )
    found = minimize_scalar(
        film.static_field, bounds=(0, film.spontaneous_polarization), options={"xatol": 1e-12}
    )
    assert film.coercive_field == pytest.approx(-found.fun, rel=1e-9)
    # F' = E and E' = stiffness, by differences
    p, h = 0.13, 1e-6
    assert (film.energy(p + h) - film.energy(p - h)) / (2 * h) == pytest.approx(
        film.static_field(p), rel=1e-6
    )
    assert (film.static_field(p + h) - film.static_field(p - h)) / (2 * h) == pytest.approx(
        film.stiffness(p), rel=1e-6
    )


@SETS
def test_equilibrium_is_the_outer_root(card: dict[str, float]) -> None:
    film = Landau(**card)
    fields = np.asarray([-0.9999, -0.5, 0.0, 0.3, 1.0, 5.0, 1e3]) * film.coercive_field
    for field, found in zip(fields, film.equilibrium(fields), strict=True):
        root = brentq(lambda p, e=field: film.static_field(p) - e, film.coercive_polarization, 50, xtol=1e-15)
        assert found == pytest.approx(root, abs=1e-13, rel=1e-12)
    # At minus the coercive field two roots are one.
    assert film.equilibrium(-film.coercive_field) == pytest.approx(film.coercive_polarization, rel=1e-6)


@SETS
def test_pulse_against_an_ode_solver(card: dict[str, float]) -> None:
    film = Landau(**card)
    ec, ps = float(film.coercive_field), float(film.spontaneous_polarization)
    unit = card["resistivity"] * ps / ec
    cases = [
        (1.00005, 300, -1.0),  # creeps past the extremum of the S curve
        (1.0, 0.1, -1.0),  # and up to it
        (1.0, 100, -1.0),
        (1.3, 0.5, -1.0),
        (1.3, 5, -1.0),
        (3.0, 0.2, -1.2),
        (0.9, 3, -1.0),
        (-0.5, 2, 1.0),
        (-2.0, 0.7, 1.0),
        (0.0, 4, 0.3),
        (0.1, 4, -0.02),
    ]
    for field, time, start in cases:
        exact = solve_ivp(
            lambda _, p, e=field: (e * ec - film.static_field(p)) / card["resistivity"],
            (0, time * unit),
            [start * ps],
            method="Radau",
            rtol=1e-9,
            atol=1e-11,
        ).y[0, -1]
        found = film.pulse(field * ec, time * unit, initial=start * ps)
        assert found == pytest.approx(exact, abs=1e-6 * ps)


def test_pulse_from_picoseconds_to_years() -> None:
    film = Landau(**FERROX)
    times = np.asarray([0.0, 1e-15, 1e-12, 1e-11, 1e-10, 1.0, 1e8])
    after = film.pulse(3e8, times)
    assert after[0] == pytest.approx(-0.195058, rel=1e-5)
    # At first P moves at E/ρ: 3e8/0.01·1e-15 = 3e-5 C/m²
    assert after[1] - after[0] == pytest.approx(3e-5, rel=1e-3)
    assert np.diff(after).min() >= 0
    assert after[-1] == pytest.approx(film.equilibrium(3e8), rel=1e-14)
    # Below the coercive field nothing switches, ever.
    assert film.pulse(1.9e8, 1e8) < -0.11


def test_pulse_at_rest_stays() -> None:
    film = Landau(**FERROX)
    assert film.pulse(0.0, 1.0, initial=0.0) == 0
    assert film.pulse(0.0, 1.0) == pytest.approx(-film.spontaneous_polarization, rel=1e-14)
    halfway = film.pulse(3e8, 5e-12)
    assert film.pulse(3e8, 1e-11) == pytest.approx(film.pulse(3e8, 5e-12, initial=halfway), rel=1e-12)


def test_pulse_float_numpy_and_torch_agree_and_broadcast() -> None:
    alpha = np.asarray([[-2.5e9], [-1.5e9], [-3.5e9]])
    time = np.asarray([1e-12, 5e-12, 2e-11, 1e-10])
    block = Landau(alpha, 6e10, 1.5e11, 0.01).pulse(2.5e8, time)
    assert block.shape == (3, 4)
    assert block[1, 2] == pytest.approx(Landau(-1.5e9, 6e10, 1.5e11, 0.01).pulse(2.5e8, 2e-11), rel=1e-12)
    tensors = Landau(torch.from_numpy(alpha), 6e10, 1.5e11, 0.01).pulse(2.5e8, torch.from_numpy(time))
    assert np.allclose(np.asarray(tensors), block, rtol=1e-11)


def test_gradients_against_differences() -> None:
    def after(
        alpha: torch.Tensor, beta: torch.Tensor, gamma: torch.Tensor, field: torch.Tensor, time: torch.Tensor
    ) -> torch.Tensor:
        film = Landau(alpha * 1e9, beta * 1e10, gamma * 1e11, 0.01)
        return film.pulse(field * 1e8, time * 1e-12) + film.bound(field * 1e8)

    values = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in (-2.5, 6.0, 1.5, [2.2, 3.0, -1.0], [8.0, 6.0, 2.0])
    ]
    assert torch.autograd.gradcheck(after, values, eps=1e-6, atol=1e-7)


def cycle(answer: Response, first: float, last: float) -> Response:
    start, end = np.searchsorted(answer.time, [first, last])
    part = slice(start, end + 1)
    return Response(*(v[part] for v in (answer.time, answer.field, answer.polarization, answer.dissipated)))


@pytest.mark.parametrize("frequency", [1e3, 1e10])
def test_energy_of_a_cycle_is_the_loss(frequency: float) -> None:
    drive = triangle(4e8, frequency, cycles=2.25)
    loop = cycle(Landau(**FERROX).response(drive), drive.time[5], drive.time[9])
    loss = loop.dissipated[-1] - loop.dissipated[0]
    assert loop.polarization[-1] == pytest.approx(loop.polarization[0], abs=1e-6)
    assert loop.work() == pytest.approx(loss, rel=1e-4)
    assert np.diff(loop.dissipated).min() >= -1e-9 * loss


def test_slow_loop_area_by_hand() -> None:
    """Slowly, all is lost in two jumps at ±Ec: ∮E dP = 2·{∫ over the jump of [Ec − E(P)] dP}."""
    film = Landau(**FERROX)
    ec, pc = float(film.coercive_field), float(film.coercive_polarization)
    landing = float(film.equilibrium(ec))
    jump = ec * (landing + pc) - float(film.energy(landing) - film.energy(pc))
    drive = triangle(4e8, 1e3, cycles=1.25)
    answer = film.response(drive)
    loss = cycle(answer, drive.time[1], drive.time[5]).dissipated
    assert loss[-1] - loss[0] == pytest.approx(2 * jump, rel=1e-4)


def test_the_answer_does_not_depend_on_the_step() -> None:
    film, drive = Landau(**FERROX), triangle(3e8, 2e9)
    answers = [film.response(drive, tolerance=tolerance) for tolerance in (1e-5, 1e-7, 1e-9)]
    shared = np.intersect1d(answers[0].time, answers[2].time)
    at = [a.polarization[np.isin(a.time, shared)] for a in answers]
    assert len(shared) > 200
    assert np.abs(at[0] - at[2]).max() < 5e-4 * 0.195
    assert np.abs(at[1] - at[2]).max() < 5e-5 * 0.195
    assert answers[1].dissipated[-1] == pytest.approx(answers[2].dissipated[-1], rel=1e-6)
    # A waveform cut into pieces is the same waveform.
    cut = film.response(drive.refined(0.5e8), tolerance=1e-9)
    assert cut.polarization[-1] == pytest.approx(answers[2].polarization[-1], rel=1e-6)


def test_a_short_pulse_is_not_stepped_over() -> None:
    film = Landau(**FERROX)
    late = Waveform(np.asarray([0, 1, 1 + 1e-9, 1 + 2e-9, 2]), np.asarray([0, 0, 4e8, 0, 0]))
    assert film.response(late).polarization[-1] == pytest.approx(0.195058, rel=1e-5)


def test_a_response_to_a_constant_field_is_the_pulse() -> None:
    film = Landau(**FERROX)
    answer = film.response(Waveform(np.asarray([0.0, 2e-11]), np.full(2, 2.5e8)), tolerance=1e-10)
    assert film.pulse(2.5e8, answer.time) == pytest.approx(answer.polarization, abs=1e-7)


@settings(max_examples=15)
@given(
    fields=st.lists(st.floats(-4, 4), min_size=2, max_size=5),
    decades=st.floats(-12, -8),
    card=st.sampled_from([FERROX, FIRST_ORDER]),
)
def test_bound_and_loss_under_any_waveform(
    fields: list[float], decades: float, card: dict[str, float]
) -> None:
    film = Landau(**card)
    drive = Waveform(np.arange(len(fields)) * 10**decades, np.asarray(fields) * float(film.coercive_field))
    answer = film.response(drive, tolerance=1e-7)
    largest = float(film.bound(np.abs(drive.drive).max()))
    assert np.abs(answer.polarization).max() <= largest * (1 + 1e-6)
    scale = float(film.coercive_field * film.spontaneous_polarization)
    assert np.diff(answer.dissipated).min() >= -1e-6 * scale
    stored = film.energy(answer.polarization)
    assert answer.work() == pytest.approx(stored[-1] - stored[0] + answer.dissipated[-1], abs=2e-3 * scale)


@pytest.mark.parametrize(
    ("name", "value"), [("alpha", 1e9), ("gamma", 0.0), ("gamma", math.nan), ("resistivity", 0.0)]
)
def test_impossible_polynomials_are_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"{name} has the wrong sign"):
        Landau(**(FERROX | {name: value}))
