"""The lag of the effective field: exact steps, limits, pulses, work and loss."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from tolerance import close

from cost_models.ferroelectric.delayed_preisach import DelayedPreisach
from cost_models.ferroelectric.preisach import EverettPreisach, Preisach, TanhLoop
from cost_models.ferroelectric.waveform import Response, Waveform, triangle

MV_PER_CM = 1e8
MODELS = (Preisach, EverettPreisach)
#: Card of Ni et al. (VLSI 2018) on a film of 8 nm.
LAG = {
    "delay_time": 54.782e-9,
    "delay_voltage": 5.8585,
    "delay_exponent": 1.3434,
    "film_thickness": 8e-9,
}
both = pytest.mark.parametrize("model", MODELS)


def film(model: type[TanhLoop] = Preisach) -> DelayedPreisach:
    return DelayedPreisach(film=model(0.412, 0.239, 1.1048e8), **LAG)


def pulse(field: float, width: float) -> Waveform:
    """A pulse of ``field`` [MV/cm] with edges of a picosecond, and as long a rest."""
    edges = np.cumsum([0, 1e-12, width, 1e-12, width])
    return Waveform(edges, np.asarray([0, field, field, 0, 0]) * MV_PER_CM)


def test_time_constant_by_hand() -> None:
    # 5 MV/cm on 8 nm is 4 V: (5.8585/4)^1.3434 = e^(1.3434·0.38163) = e^0.51268 = 1.66976;
    # 54.782 ns·e^1.66976 = 290.9 ns
    assert film().time_constant(np.asarray([5e8]))[0] == close(290.9e-9, rel=1e-3)


def test_a_constant_drive_is_exact_however_it_is_sampled() -> None:
    tau = float(film().time_constant(np.asarray([4e8]))[0])
    for count in (2, 7, 400):
        time = np.linspace(0, 3 * tau, count)
        reached = film().effective_field(Waveform(time, np.full(count, 4e8)))
        assert reached == pytest.approx(4e8 * -np.expm1(-time / tau), rel=1e-12)


def test_a_ramp_against_an_ode_solver() -> None:
    drive, length = 4e8, 2e-6
    lag = film()

    def slope(time: float, state: np.ndarray) -> np.ndarray:
        field = np.asarray([drive * time / length])
        return (field - state) / lag.time_constant(field)

    exact = solve_ivp(slope, (0, length), [0.0], rtol=1e-10, atol=1.0).y[0, -1]
    errors = []
    for count in (41, 81, 161):
        time = np.linspace(0, length, count)
        errors.append(abs(lag.effective_field(Waveform(time, drive * time / length))[-1] / exact - 1))
    assert errors[2] < 1e-3
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.2)


def test_without_a_field_nothing_moves() -> None:
    rest = Waveform(np.asarray([0.0, 1e9]), np.zeros(2))
    assert film().effective_field(rest, initial=2e8)[-1] == 2e8


@both
def test_a_slow_delay_free_film_is_the_static_film(model: type[TanhLoop]) -> None:
    fast = DelayedPreisach(model(0.412, 0.239, 1.1048e8), 1e-15, 1e-3, 1.3434, 8e-9)
    drive = triangle(3e8, 1e3)
    own, static = fast.response(drive), fast.film.response(drive)
    assert np.interp(static.time, own.time, own.polarization) == pytest.approx(static.polarization, abs=1e-6)
    assert own.dissipated[-1] == pytest.approx(static.dissipated[-1], rel=1e-6)


@both
def test_longer_and_higher_pulses_switch_more(model: type[TanhLoop]) -> None:
    lag = film(model)
    by_width = [lag.response(pulse(4.0, width)).polarization[-1] for width in np.geomspace(1e-10, 1e-3, 8)]
    by_field = [lag.response(pulse(field, 1e-6)).polarization[-1] for field in (1.0, 2.0, 3.0, 4.0)]
    assert np.diff(by_width)[:5].min() > 1e-3 and np.diff(by_width).min() >= -1e-15
    assert np.diff(by_field).min() > 1e-3
    assert by_width[0] == pytest.approx(-0.239, abs=1e-3)
    assert by_width[-1] == pytest.approx(float(lag.film.saturated_branch(4e8, 1)), abs=1e-9)


@both
def test_a_pulse_is_the_static_film_at_the_lagging_field(model: type[TanhLoop]) -> None:
    lag, width = film(model), 0.3e-6
    tau = float(lag.time_constant(np.asarray([4e8]))[0])
    reached = 4e8 * -math.expm1(-width / tau)
    expected = lag.film.saturated_branch(reached, 1)
    assert lag.response(pulse(4.0, width)).polarization[-1] == pytest.approx(expected, abs=1e-5)


@both
@settings(max_examples=25)
@given(
    fields=st.lists(st.floats(-5, 5), min_size=2, max_size=8),
    period=st.floats(-8, -2),
)
def test_bound_and_loss_under_any_waveform(model: type[TanhLoop], fields: list[float], period: float) -> None:
    lag = film(model)
    time = np.arange(3 * len(fields) + 1) * 10**period / len(fields)
    answer = lag.response(Waveform(time, np.asarray([*fields * 3, fields[0]]) * MV_PER_CM))
    scale = lag.film.bound * lag.film.coercive_field
    assert np.abs(answer.polarization).max() <= lag.film.bound
    assert np.diff(answer.dissipated).min() >= -2e-4 * scale  # E_eff meets E within a step now and then
    assert answer.dissipated[-1] >= 0


@both
@pytest.mark.parametrize("frequency", [1e3, 1e5, 1e7])
def test_work_over_closed_loops_is_the_loss(model: type[TanhLoop], frequency: float) -> None:
    drive = triangle(4e8, frequency, cycles=12)
    answer = film(model).response(drive)
    first, last = np.searchsorted(answer.time, [drive.time[44], drive.time[48]])
    part = slice(first, last + 1)
    cycle = Response(*(v[part] for v in (answer.time, answer.field, answer.polarization, answer.dissipated)))
    loss = cycle.dissipated[-1] - cycle.dissipated[0]
    assert cycle.polarization[-1] == pytest.approx(cycle.polarization[0], abs=2e-4)
    assert cycle.work() == pytest.approx(loss, rel=1e-3)
    assert loss > 0
