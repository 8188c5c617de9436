"""Laws of wear: values by hand, limits, order statistics against Monte Carlo, and what stays unknown."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cost_models.ferroelectric import wear
from cost_models.ferroelectric.wear import Endurance, Wear
from device_params.device_vocabulary import DEVICES
from device_params.errors import InputError
from device_params.load import load_design

EV = 1.602176634e-19

LAWS: dict[str, tuple[Callable[..., Any], dict[str, float], str]] = {
    "wake_up": (wear.wake_up, {"fresh": 0.15, "gain": 0.05, "onset": 1e4, "exponent": 0.7}, "cycles"),
    "fatigue": (wear.fatigue, {"polarization": 0.2, "loss": 0.03, "onset": 1e3}, "cycles"),
    "memory_window": (wear.memory_window, {"fresh": 1.5, "loss": 0.3, "onset": 100.0}, "cycles"),
    "cycles_to_window": (wear.cycles_to_window, {"fresh": 1e5, "loss": 1e5, "onset": 100.0}, "window"),
    "imprint": (
        wear.imprint,
        {"amplitude": 0.1, "onset": 10.0, "activation_energy": 0.1 * EV, "temperature": 300.0},
        "time",
    ),
    "threshold_loss": (wear.threshold_loss, {"loss": 0.03, "reference": 1.0}, "time"),
    "retained_polarization": (
        wear.retained_polarization,
        {"initial": 0.2, "time_constant": 1e7, "exponent": 0.3},
        "time",
    ),
}


def test_wake_up_by_hand() -> None:
    # At N = Nw: 0.15 + 0.05·(1 − 1/e) = 0.15 + 0.05·0.632121 = 0.181606
    law = {"fresh": 0.15, "gain": 0.05, "onset": 1e4}
    assert wear.wake_up(cycles=1e4, exponent=0.7, **law) == pytest.approx(0.181606, rel=1e-6)
    assert wear.wake_up(cycles=0.0, exponent=1.0, **law) == 0.15
    assert wear.wake_up(cycles=1e9, exponent=1.0, **law) == pytest.approx(0.2)
    # exponent 2 at half of Nw: 1 − e^{−1/4} = 0.221199
    assert wear.wake_up(cycles=5e3, exponent=2.0, **law) == pytest.approx(0.15 + 0.05 * 0.221199, rel=1e-6)


def test_fatigue_begins_at_its_onset_and_ends_at_zero() -> None:
    law = {"polarization": 0.2, "loss": 0.02, "onset": 1e7}
    assert wear.fatigue(cycles=1e6, **law) == 0.2
    assert wear.fatigue(cycles=1e9, **law) == pytest.approx(0.2 - 2 * 0.02)
    assert wear.fatigue(cycles=1e30, **law) == 0.0


def test_window_closes_and_is_inverted() -> None:
    law = {"fresh": 1.5, "loss": 0.3, "onset": 100.0}
    # 1.5 − 0.3·log10(1 + 9900/100) = 1.5 − 0.6
    assert wear.memory_window(cycles=9900.0, **law) == pytest.approx(0.9)
    assert wear.memory_window(cycles=0.0, **law) == 1.5
    assert wear.memory_window(cycles=1e12, **law) == 0.0
    assert wear.cycles_to_window(window=0.9, **law) == pytest.approx(9900.0)
    assert wear.cycles_to_window(window=1.6, **law) == 0.0  # gone before the first cycle
    assert wear.cycles_to_window(window=0.9, **(law | {"loss": 1e-6})) >= 1e290  # never, and no overflow


@settings(max_examples=50, deadline=None)
@given(st.floats(0.05, 1.4), st.floats(0.05, 1.0), st.floats(1.0, 1e5))
def test_window_at_the_cycles_to_it(window: float, loss: float, onset: float) -> None:
    law = {"fresh": 1.5, "loss": loss, "onset": onset}
    cycles = wear.cycles_to_window(window=window, **law)
    assert wear.memory_window(cycles=cycles, **law) == pytest.approx(window, rel=1e-9)


def test_imprint_by_hand() -> None:
    # 0.1·ln(1 + 90/10)·e^{−0.1 eV/(8.617333e-5 eV/K · 300 K)} = 0.1·2.302585·e^{−3.868173} = 0.0048115
    shift = wear.imprint(time=90.0, amplitude=0.1, onset=10.0, activation_energy=0.1 * EV, temperature=300.0)
    assert shift == pytest.approx(0.0048115, rel=1e-4)
    hotter = wear.imprint(time=90.0, amplitude=0.1, onset=10.0, activation_energy=0.1 * EV, temperature=400.0)
    assert hotter > shift
    flat = wear.imprint(time=90.0, amplitude=0.1, onset=10.0, activation_energy=0.0, temperature=300.0)
    assert flat == pytest.approx(0.2302585, rel=1e-6)


def test_retention_by_hand() -> None:
    assert wear.threshold_loss(time=1e5, loss=0.03, reference=1.0) == pytest.approx(0.15)
    assert wear.threshold_loss(time=0.1, loss=0.03, reference=1.0) == 0.0
    # (1e4/1e7)^0.3 = 10^{−0.9} = 0.125893; e^{−0.125893} = 0.881709
    left = wear.retained_polarization(time=1e4, initial=0.2, time_constant=1e7, exponent=0.3)
    assert left == pytest.approx(0.2 * 0.881709, rel=1e-6)
    with pytest.raises(InputError, match=r"time after writing.*99.*at least 100 s"):
        wear.retained_polarization(time=np.asarray([1e4, 99.0]), initial=0.2, time_constant=1e7, exponent=0.3)


def test_a_read_waits_for_pulse_and_trapped_charge() -> None:
    assert wear.first_valid_read(pulse_width=1e-6, delay=400e-9) == pytest.approx(1.4e-6)


@pytest.mark.parametrize("name", LAWS)
def test_float_array_and_tensor_agree_and_gradients_equal_differences(name: str) -> None:
    law, parameters, variable = LAWS[name]
    points = np.asarray([137.0, 2500.0, 4e4])
    values = law(**parameters, **{variable: points})
    assert values.shape == (3,)
    assert values == pytest.approx([float(law(**parameters, **{variable: float(x)})) for x in points])
    tensors = {n: torch.tensor(v, dtype=torch.float64, requires_grad=True) for n, v in parameters.items()}
    tensors[variable] = torch.tensor(points, requires_grad=True)
    found = law(**tensors)
    assert found.detach().numpy() == pytest.approx(values, rel=1e-13)
    found.sum().backward()
    for changed, tensor in tensors.items():
        at: dict[str, Any] = {**parameters, variable: points}
        step = np.asarray(at[changed]) * 1e-6
        up, down = (law(**(at | {changed: at[changed] + sign * step})) for sign in (1, -1))
        slope = (up - down) / (2 * step)
        assert tensor.grad is not None
        expected = slope if changed == variable else slope.sum()
        assert tensor.grad.numpy() == pytest.approx(expected, rel=1e-5, abs=1e-12), changed


@pytest.mark.parametrize(("cells", "fraction", "failing"), [(200, 0.0, 1), (200, 0.02, 5), (37, 0.3, 12)])
def test_order_statistic_against_monte_carlo(cells: int, fraction: float, failing: int) -> None:
    """The k-th shortest life of M cells, drawn 20,000 times, at three quantiles."""
    rng = np.random.default_rng(7)
    lives = 1e5 * 10.0 ** (0.6 * rng.standard_normal((20_000, cells)))
    drawn = np.partition(lives, failing - 1, axis=1)[:, failing - 1]
    model = Endurance(median=1e5, sigma=0.6)
    for quantile in (0.05, 0.5, 0.95):
        expected = np.log10(np.quantile(drawn, quantile))
        found = math.log10(model.cycles_to_failure(cells, fraction, quantile=quantile))
        # 20,000 draws place a 5 % quantile within ±0.3 % of probability, here below 0.02 decades.
        assert found == pytest.approx(expected, abs=0.02)


def test_first_cell_of_many_by_hand() -> None:
    model = Endurance(median=1e5, sigma=0.5)
    # 16384 cells: u = 1 − 0.5^{1/16384} = 4.2306e-5, Φ⁻¹(u) = −3.9309; 1e5·10^{−1.96547} = 1082.7
    assert model.cycles_to_failure(16384, 0.0) == pytest.approx(1082.7, rel=1e-3)
    assert model.cycles_to_failure(1, 0.0) == pytest.approx(1e5)
    # A tenth of very many cells: the 10 % quantile of one cell, Φ⁻¹(0.1) = −1.281552
    assert model.cycles_to_failure(1e8, 0.1) == pytest.approx(1e5 * 10 ** (-0.5 * 1.281552), rel=1e-3)
    # 0.29·100 is 28.999… in binary, and still 29 cells
    low, high = (model.cycles_to_failure(100, f) for f in (0.29, 0.2999))
    assert low == high


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**9), st.floats(0, 0.9), st.floats(0, 2))
def test_more_cells_fail_sooner_and_repair_helps(cells: int, fraction: float, sigma: float) -> None:
    model = Endurance(median=1e5, sigma=sigma)
    first = model.cycles_to_failure(cells, 0.0)
    assert model.cycles_to_failure(2 * cells, 0.0) <= first * (1 + 1e-9)
    assert model.cycles_to_failure(cells, fraction) >= first * (1 - 1e-9)
    assert model.cycles_to_failure(cells, 0.0, quantile=0.05) <= first * (1 + 1e-9)


def test_endurance_of_blocks_and_its_gradient() -> None:
    cells, fractions = np.asarray([1e3, 1e6, 1e9]), np.asarray([[0.0], [0.01]])
    block = Endurance(median=np.asarray([1e4, 1e5, 1e6]), sigma=0.5).cycles_to_failure(cells, fractions)
    assert block.shape == (2, 3)
    assert block[1, 2] == pytest.approx(float(Endurance(1e6, 0.5).cycles_to_failure(1e9, 0.01)))
    median, sigma = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1e5, 0.5))
    found = Endurance(median, sigma).cycles_to_failure(torch.tensor([1e3, 1e6]), 0.0)
    assert found.detach().numpy() == pytest.approx(Endurance(1e5, 0.5).cycles_to_failure(cells[:2], 0.0))
    found.sum().backward()
    assert median.grad is not None and sigma.grad is not None
    assert median.grad.item() == pytest.approx(float(found.detach().sum()) / 1e5)
    up, down = (Endurance(1e5, s).cycles_to_failure(cells[:2], 0.0).sum() for s in (0.5 + 1e-6, 0.5 - 1e-6))
    assert sigma.grad.item() == pytest.approx((up - down) / 2e-6, rel=1e-6)


def test_lifetime() -> None:
    model = Endurance(median=1e5, sigma=0.0)
    assert model.lifetime(1000, 0.0, 50.0) == pytest.approx(2000.0)
    assert model.lifetime(1000, 0.0, np.asarray([50.0, 0.0])).tolist() == [pytest.approx(2000.0), math.inf]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Endurance(1e5, 0.5).cycles_to_failure(0, 0.0), "cells of an array.*at least 1"),
        (lambda: Endurance(1e5, 0.5).cycles_to_failure(10, 1.0), "repairable fraction.*1.0"),
        (lambda: Endurance(1e5, 0.5).cycles_to_failure(10, math.nan), "repairable fraction.*nan"),
        (lambda: Endurance(1e5, 0.5).cycles_to_failure(10, 0.0, quantile=1.0), "quantile"),
        (lambda: wear.cycles_to_window(window=-0.1, fresh=1.0, loss=0.1, onset=1.0), "not negative"),
        (lambda: wear.cycles_to_window(window=0.1, fresh=1.0, loss=0.0, onset=1.0), "more than 0 V"),
    ],
)
def test_bad_input_is_refused(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_what_is_unknown_stays_unknown() -> None:
    nothing = Wear()
    assert nothing.cells is None
    for answer in (
        nothing.window(1e4),
        nothing.cycles_to(0.5),
        nothing.polarization(1e4, 0.2),
        nothing.imprint(1e4),
        nothing.threshold_loss(1e4, 1.0),
        nothing.retained(1e4),
        nothing.first_valid_read(1e-6),
    ):
        assert answer is None
    assert Wear(endurance=1e5).cells is None  # a median alone says nothing of the first cell
    assert Wear(wake_up_cycles=1e4, wake_up_gain=1.3).polarization(1e4, 0.2) is None  # fatigue unknown


def test_what_is_known_follows_the_laws() -> None:
    known = Wear(
        endurance=1e5,
        endurance_sigma=0.5,
        memory_window=1.5,
        window_closing=0.3,
        window_closing_onset=100.0,
        wake_up_cycles=1e3,
        wake_up_gain=1.2,
        fatigue_onset=1e7,
        fatigue_loss=0.1,
        imprint_shift=0.1,
        imprint_time=10.0,
        retention_loss=0.03,
        retention_time_constant=1e7,
        retention_exponent=0.3,
        read_after_write_delay=400e-9,
    )
    assert known.cells == Endurance(1e5, 0.5)
    assert known.window(9900.0) == pytest.approx(0.9)
    assert known.cycles_to(0.9) == pytest.approx(9900.0)
    # woken 0.2·1.2 = 0.24, of it a tenth a decade: after two decades 0.24 − 2·0.024
    assert known.polarization(1e9, 0.2) == pytest.approx(0.192)
    assert known.polarization(0.0, 0.2) == pytest.approx(0.2)
    assert known.imprint(90.0) == pytest.approx(0.1 * math.log(10))
    assert known.imprint(90.0, 358.0) is None  # no activation energy: unknown at another temperature
    assert known.threshold_loss(1e5, 1.0) == pytest.approx(0.15)
    assert known.retained(1e4) == pytest.approx(0.881709, rel=1e-6)
    assert known.first_valid_read(1e-6) == pytest.approx(1.4e-6)
    warm = Wear(imprint_shift=0.1, imprint_time=10.0, imprint_activation_energy=0.1 * EV)
    assert warm.imprint(90.0) is None  # its amplitude alone is that of no temperature
    assert warm.imprint(90.0, 300.0) == pytest.approx(0.0048115, rel=1e-4)


def test_names_are_those_of_the_device_files() -> None:
    assert {field.name for field in fields(Wear)} <= set(DEVICES["fefet"])
    cell = {
        name.removeprefix("cell."): value
        for name, value in load_design("fefet_crossbar_28nm").parameters.nominal().items()
        if name.startswith("cell.")
    }
    found = Wear.of(cell)
    assert found.endurance == cell["endurance"]
    assert found.read_after_write_delay == cell["read_after_write_delay"]
