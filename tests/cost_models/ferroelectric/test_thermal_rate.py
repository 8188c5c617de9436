"""Thermally activated switching: time constants, coercive fields, exact pulses, heat of a cycle."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from tolerance import close

from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE, PLANCK
from cost_models.ferroelectric.thermal_rate import ThermalRate
from cost_models.ferroelectric.waveform import Response, Waveform, triangle
from device_params.errors import InputError

MV_PER_CM = 1e8
#: Heracles card (arXiv 2410.07791): 27 µC/cm², 1.05 eV, 7.5 nm.
CARD = {
    "saturation_polarization": 0.27,
    "switching_barrier": 1.05 * ELEMENTARY_CHARGE,
    "field_action_length": 7.5e-9,
}
FILM = ThermalRate(**CARD)


def test_time_constants_of_the_card() -> None:
    # 1 MV/cm: (1.05 − 0.75) eV over 25.852 meV = 11.6045; e^11.6045·h/kT = 1.0959e5·0.15997e-12 s = 17.53 ns,
    # and the floor of 0.1 ns: 17.63 ns. 0.8 MV/cm: e^17.4068 = 3.628e7, 5.804 µs
    tau = FILM.time_constant(np.asarray([0.8, 1.0]) * MV_PER_CM, 300.0)
    assert tau[0] == close(5.804e-6, rel=1e-3)
    assert tau[1] == close(17.63e-9, rel=1e-3)
    assert FILM.time_constant(1e8, 300.0) - 1e-10 == close(
        math.exp(0.3 * ELEMENTARY_CHARGE / (BOLTZMANN * 300)) * PLANCK / (BOLTZMANN * 300), rel=1e-9
    )


def test_the_floor_holds_where_the_barrier_is_gone() -> None:
    without = ThermalRate(**CARD, shortest_time=1e-30)
    assert without.time_constant(1.36e8, 300.0) < 1e-12
    for field in (1.36e8, 5e8, 1e10):
        assert FILM.time_constant(field, 300.0) == close(1e-10, rel=0.01)
    assert FILM.time_constant(0.0, 10.0) > 1e200  # frozen, without an overflow


def test_coercive_field_over_temperature() -> None:
    """1 kHz triangle of 3 V on 10 nm: 0.957, 0.812, 0.683, 0.594 MV/cm at 233 … 398 K; −2.2e5 V/m/K."""
    temperature = np.asarray([233.0, 300.0, 358.0, 398.0])
    found = FILM.coercive_field(1e3, temperature, 3e8)
    assert found / MV_PER_CM == pytest.approx([0.957, 0.812, 0.683, 0.594], rel=0.02)
    assert np.polyfit(temperature, found, 1)[0] == pytest.approx(-2.2e5, rel=0.15)


def test_coercive_field_over_frequency() -> None:
    found = FILM.coercive_field(np.asarray([1e3, 1e4, 1e5, 1e6]), 300.0, 3e8) / MV_PER_CM
    assert found[0] == pytest.approx(0.812, rel=0.02)
    assert found[-1] == pytest.approx(1.05, rel=0.02)
    # A decade is ln 10·kT/(q·d_e) = 2.3026·25.852 mV/7.5 nm = 0.0794 MV/cm
    assert np.diff(found) == pytest.approx([0.0794] * 3, rel=0.02)


def test_coercive_field_is_that_of_the_response_and_free_of_the_offset() -> None:
    answer = FILM.response(triangle(3e8, 1e3, cycles=2), 300.0, step=0.02)
    p, field = answer.polarization, answer.field
    rising = np.flatnonzero((p[:-1] < 0) & (p[1:] >= 0))[-1]
    crossing = field[rising] - p[rising] * (field[rising + 1] - field[rising]) / (p[rising + 1] - p[rising])
    assert FILM.coercive_field(1e3, 300.0, 3e8) == pytest.approx(crossing, rel=1e-3)
    shifted = ThermalRate(**CARD, offset_field=2e7)
    assert shifted.coercive_field(1e3, 300.0, 3e8) == pytest.approx(crossing, rel=1e-3)


def test_a_film_that_does_not_switch_is_refused() -> None:
    with pytest.raises(InputError, match="does not switch"):
        FILM.coercive_field(1e6, 300.0, 0.5e8)


def test_pulse_against_an_ode_solver_of_the_two_rates() -> None:
    field, kelvin = 0.7e8, 350.0
    tilt = field * 7.5e-9 * ELEMENTARY_CHARGE
    up, down = (
        BOLTZMANN * kelvin / PLANCK * math.exp(-(CARD["switching_barrier"] - s * tilt) / (BOLTZMANN * kelvin))
        for s in (1, -1)
    )
    time = 1.7 / (up + down)
    share = solve_ivp(lambda _, p: up * (1 - p) - down * p, (0, time), [0.2], rtol=1e-11, atol=1e-13).y[0, -1]
    plain = ThermalRate(**CARD, shortest_time=1e-30)
    start = 2 * 0.27 * (0.2 - 0.5)
    assert plain.pulse(field, time, kelvin, initial=start) == pytest.approx(
        2 * 0.27 * (share - 0.5), rel=1e-9
    )


def test_pulse_limits() -> None:
    assert FILM.pulse(1e8, 0.0, 300.0) == pytest.approx(-0.27)
    assert FILM.pulse(1e8, 1.0, 300.0) == pytest.approx(0.27)
    # after τ, 1 − 1/e of the way
    tau = FILM.time_constant(1e8, 300.0)
    assert FILM.pulse(1e8, tau, 300.0) == pytest.approx(-0.27 + 0.54 * (1 - math.exp(-1)), rel=1e-9)
    # warmer, longer, stronger: more
    assert np.diff(FILM.pulse(0.7e8, 1e-5, np.asarray([250.0, 300.0, 350.0, 400.0]))).min() > 0
    assert np.diff(FILM.pulse(np.linspace(0.5, 0.9, 5) * 1e8, 1e-6, 300.0)).min() > 0


def test_the_offset_makes_the_pulse_weaker() -> None:
    shifted = ThermalRate(**CARD, offset_field=2e7)
    assert shifted.pulse(1e8, 1e-8, 300.0) == pytest.approx(FILM.pulse(0.8e8, 1e-8, 300.0), rel=1e-12)


def test_float_numpy_and_torch_agree_and_broadcast() -> None:
    field, kelvin = np.asarray([[0.7], [0.8], [0.9]]) * MV_PER_CM, np.asarray([250.0, 300.0, 350.0, 400.0])
    block = FILM.pulse(field, 3e-6, kelvin)
    assert block.shape == (3, 4)
    assert block[1, 2] == pytest.approx(FILM.pulse(0.8e8, 3e-6, 350.0), rel=1e-13)
    tensors = FILM.pulse(torch.from_numpy(field), 3e-6, torch.from_numpy(kelvin))
    assert np.allclose(np.asarray(tensors), block, rtol=1e-12)
    tensors = FILM.coercive_field(1e3, torch.from_numpy(kelvin), 1.1e8)
    assert np.allclose(np.asarray(tensors), FILM.coercive_field(1e3, kelvin, 1.1e8), rtol=1e-12)


def test_gradients_against_differences() -> None:
    def after(
        ps: torch.Tensor,
        barrier: torch.Tensor,
        length: torch.Tensor,
        field: torch.Tensor,
        kelvin: torch.Tensor,
    ) -> torch.Tensor:
        film = ThermalRate(ps, barrier * ELEMENTARY_CHARGE, length * 1e-9, offset_field=1e7)
        return film.pulse(field * 1e8, 1e-6, kelvin * 300, initial=-0.2)

    values = [
        torch.tensor(v, dtype=torch.float64, requires_grad=True)
        for v in (0.27, 1.05, 7.5, [0.9, 0.95, -0.5], [1.0, 1.1, 1.2])
    ]
    assert torch.autograd.gradcheck(after, values, atol=1e-6)


def test_response_to_a_constant_field_is_the_pulse() -> None:
    answer = FILM.response(Waveform(np.asarray([0, 2e-6, 7e-6]), np.full(3, 0.8e8)), 300.0)
    assert answer.polarization == pytest.approx(FILM.pulse(0.8e8, answer.time, 300.0), rel=1e-12)


def test_the_response_converges() -> None:
    drive = triangle(2e8, 1e4, cycles=1.5)
    ends = [FILM.response(drive, 300.0, step=step).dissipated[-1] for step in (0.6, 0.3, 0.15, 0.0375)]
    errors = [abs(end / ends[-1] - 1) for end in ends[:-1]]
    assert errors[2] < 2e-4
    assert errors[0] > 3 * errors[1] > 9 * errors[2] * 0.9


def test_free_energy_by_hand_and_its_slope() -> None:
    # At P = 0: −ln 2·kT·Ps/(q·d_e) = −0.69315·4.1419e-21·0.27/(1.60218e-19·7.5e-9) = −6.451e5 J/m³
    assert FILM.energy(0.0, 300.0) == pytest.approx(-6.451e5, rel=1e-3)
    assert FILM.energy(np.asarray([-0.27, 0.27]), 300.0) == pytest.approx([0, 0], abs=1e-9)
    film = ThermalRate(**CARD, offset_field=2e7)
    field, h = 2.5e7, 1e-7
    p = film.equilibrium(field, 300.0)
    slope = (film.energy(p + h, 300.0) - film.energy(p - h, 300.0)) / (2 * h)
    assert slope == pytest.approx(field, rel=1e-6)


def test_heat_of_a_closed_cycle_is_its_work() -> None:
    film, drive = ThermalRate(**CARD, offset_field=2e7), triangle(0.95e8, 1e3, cycles=6)
    answer = film.response(drive, 300.0)
    start, end = np.searchsorted(answer.time, [drive.time[20], drive.time[24]])
    part = slice(start, end + 1)
    loop = Response(*(v[part] for v in (answer.time, answer.field, answer.polarization, answer.dissipated)))
    assert loop.polarization[-1] == pytest.approx(loop.polarization[0], abs=1e-12)
    assert loop.work() == pytest.approx(loop.dissipated[-1] - loop.dissipated[0], rel=1e-9)
    assert loop.work() > 0


@settings(max_examples=30)
@given(
    fields=st.lists(st.floats(-4, 4), min_size=2, max_size=6),
    decades=st.floats(-9, 1),
    kelvin=st.floats(200, 420),
    start=st.floats(-1, 1),
)
def test_bound_and_heat_under_any_waveform(
    fields: list[float], decades: float, kelvin: float, start: float
) -> None:
    drive = Waveform(np.arange(len(fields)) * 10**decades, np.asarray(fields) * MV_PER_CM)
    answer = FILM.response(drive, kelvin, initial=start * 0.27)
    assert np.abs(answer.polarization).max() <= 0.27
    # The second law, step by step.
    assert np.diff(answer.dissipated).min() >= -1e-9 * 0.27 * MV_PER_CM


@pytest.mark.parametrize("name", [*CARD, "shortest_time"])
def test_impossible_films_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} is not positive"):
        ThermalRate(**(CARD | {name: 0.0}))


def test_impossible_states_and_temperatures_are_refused() -> None:
    drive = triangle(1e8, 1e3)
    with pytest.raises(InputError, match="beyond saturation"):
        FILM.response(drive, 300.0, initial=0.3)
    with pytest.raises(InputError, match="temperature is not above zero"):
        FILM.response(drive, 0.0)
    with pytest.raises(InputError, match="temperature is not above zero"):
        FILM.pulse(1e8, 1e-6, np.asarray([300.0, -1.0]))
