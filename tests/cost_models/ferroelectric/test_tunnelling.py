"""Tunnel current: the printed formulas, the integral over energies, their limits and gradients."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from tolerance import close

from cost_models.constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from cost_models.ferroelectric import tunnelling
from cost_models.ferroelectric.tunnelling import (
    Segment,
    brinkman_current_density,
    fowler_nordheim_current_density,
    gruverman_conductance,
    gruverman_current_density,
    simmons_current_density,
    tsu_esaki_current_density,
    zero_bias_conductance,
)
from device_params.errors import InputError

EV = ELEMENTARY_CHARGE

# Barriers of the acceptance: 1-4 nm, 1-3 eV, up to a third of the height.
THICKNESS, HEIGHT, SHARE = (
    grid.reshape(-1)
    for grid in np.meshgrid(
        np.linspace(1e-9, 4e-9, 7), np.linspace(1, 3, 5) * EV, np.linspace(0.02, 1 / 3, 6)
    )
)
VOLTAGE = SHARE * HEIGHT / EV
DECAY = (2 * THICKNESS / (PLANCK / 2 / np.pi)) * np.sqrt(2 * ELECTRON_MASS * HEIGHT)  # A·√φ


def rectangle(voltage: Any, height: Any, thickness: Any, mass: float = 1.0) -> list[Segment]:
    """A symmetric barrier under a voltage."""
    tilt = voltage * EV / 2
    return [Segment(thickness, height + tilt, height - tilt, mass)]


def printed_gruverman(voltage: float, height_1: float, height_2: float, thickness: float) -> float:
    """The formula letter by letter, with its differences in the denominators."""
    constant = -32 * math.pi * EV * ELECTRON_MASS / (9 * PLANCK**3)
    alpha = 8 * math.pi * thickness * math.sqrt(2 * ELECTRON_MASS)
    alpha /= 3 * PLANCK * (height_1 + EV * voltage - height_2)
    upper, lower = height_1 + EV * voltage / 2, height_2 - EV * voltage / 2
    roots = math.sqrt(lower) - math.sqrt(upper)
    return (
        constant
        * math.exp(alpha * (lower**1.5 - upper**1.5))
        / (alpha**2 * roots**2)
        * math.sinh(0.75 * EV * voltage * alpha * roots)
    )


def adaptive(voltage: float, height_1: float, height_2: float, thickness: float, temperature: float) -> float:
    """The integral by scipy's adaptive quadrature, with the action as a difference of powers [A/m²]."""
    unit = BOLTZMANN * temperature / EV

    def supply(energy: float) -> float:
        if temperature == 0:
            return max(voltage / 2 - energy, 0) - max(-voltage / 2 - energy, 0)
        both = np.logaddexp(0, (voltage / 2 - energy) / unit), np.logaddexp(0, (-voltage / 2 - energy) / unit)
        return unit * float(both[0] - both[1])

    def transmission(energy: float) -> float:
        one, two = height_1 / EV + voltage / 2 - energy, height_2 / EV - voltage / 2 - energy
        root = 2 / 3 * (max(one, 0) ** 1.5 - max(two, 0) ** 1.5) / (one - two)
        return math.exp(-4 * math.pi * thickness / PLANCK * math.sqrt(2 * ELECTRON_MASS * EV) * root)

    lowest = -voltage / 2
    breaks = sorted({lowest - 1, lowest, -lowest, -lowest + 0.3, -lowest + 1})
    integral = quad(
        lambda energy: supply(energy) * transmission(energy),
        lowest - 5,
        -lowest + 3,
        points=breaks,
        limit=200,
        epsrel=1e-8,
        epsabs=0,
    )
    return tunnelling.SUPPLY * integral[0]


def test_one_barrier_by_hand() -> None:
    # √(2mφ) = √(2·9.10938e-31·3.20435e-19) = 7.64064e-25; A·√φ = 2·3e-9/1.054572e-34·7.64064e-25 = 43.4715
    # G0 = (e/h)²·√(2mφ)/d·exp(−43.4715) = 5.84667e28·7.64064e-25/3e-9·1.31996e-19 = 1.96552e-6 S/m²
    conductance = zero_bias_conductance(barrier_height=2 * EV, thickness=3e-9)
    assert conductance == close(1.96552e-6, rel=1e-5)
    # Brinkman: A0 = 2/3·30.739/√eV = 20.493/√eV; 1 + 3·20.493²/(128·2)·0.3² = 1.4429
    current = brinkman_current_density(
        voltage=0.3, barrier_height=2 * EV, barrier_asymmetry=0.0, thickness=3e-9
    )
    assert current / (conductance * 0.3) == pytest.approx(1.4429, abs=1e-4)
    # Simmons over its own conductance at zero bias, G0·(1 − 2/43.4715): 1.497. Over G0 it is 1.4285.
    simmons = simmons_current_density(voltage=0.3, barrier_height=2 * EV, thickness=3e-9)
    assert simmons / (conductance * 0.3) == pytest.approx(1.4285, abs=1e-4)
    assert simmons / (conductance * (1 - 2 / 43.4715) * 0.3) == pytest.approx(1.497, abs=1e-3)
    gruverman = gruverman_current_density(
        voltage=0.3, barrier_height_1=2 * EV, barrier_height_2=2 * EV, thickness=3e-9
    )
    # k = A/(2√φ) = 10.868/eV, sinh(1.6302)/1.6302 = 1.50563, exp(A·0.3²/(96·2^1.5)) = 1.01024
    assert gruverman / (conductance * 0.3) == close(1.50563 * 1.01024, rel=1e-3)
    # Each over its own conductance at zero bias both are within 5 per cent of Simmons.
    reference = simmons / (1 - 2 / 43.4715)
    assert gruverman / reference == pytest.approx(1.016, abs=1e-3)
    assert current / reference == pytest.approx(0.964, abs=1e-3)


@pytest.mark.parametrize(
    ("voltage", "height_1", "height_2"), [(0.3, 1.5, 2.2), (-0.2, 1.5, 2.2), (0.01, 2.5, 1.2)]
)
def test_gruverman_is_the_printed_formula(voltage: float, height_1: float, height_2: float) -> None:
    ours = gruverman_current_density(
        voltage=voltage, barrier_height_1=height_1 * EV, barrier_height_2=height_2 * EV, thickness=2e-9
    )
    assert ours == close(printed_gruverman(voltage, height_1 * EV, height_2 * EV, 2e-9), rel=1e-10)


def test_gruverman_is_smooth_where_the_printed_formula_is_zero_over_zero() -> None:
    # φ1 + eV = φ2 at 0.2 V; the printed formula loses its digits nearby and has no value there.
    at = gruverman_current_density(
        voltage=0.2, barrier_height_1=1.5 * EV, barrier_height_2=1.7 * EV, thickness=2e-9
    )
    near = printed_gruverman(0.2001, 1.5 * EV, 1.7 * EV, 2e-9) + printed_gruverman(
        0.1999, 1.5 * EV, 1.7 * EV, 2e-9
    )
    assert at == close(near / 2, rel=1e-6)
    voltages = 0.2 + np.linspace(-1e-9, 1e-9, 41)
    currents = gruverman_current_density(
        voltage=voltages, barrier_height_1=1.5 * EV, barrier_height_2=1.7 * EV, thickness=2e-9
    )
    assert np.all(np.diff(currents) > 0)
    assert np.std(np.diff(currents)) < 1e-4 * np.mean(np.diff(currents))


def test_gruverman_at_zero_volts_is_the_leading_conductance() -> None:
    heights = np.asarray([1.0, 2.0, 3.0]) * EV
    chord = gruverman_conductance(
        voltage=0.0, barrier_height_1=heights, barrier_height_2=heights, thickness=2e-9
    )
    np.testing.assert_allclose(
        chord, zero_bias_conductance(barrier_height=heights, thickness=2e-9), rtol=1e-12
    )


def test_both_sides_of_each_series_agree() -> None:
    x = np.asarray([0.05 - 1e-15, 0.05 + 1e-15])
    values = tunnelling._sinh_over(x)
    assert values[0] == close(values[1], rel=1e-14)
    assert tunnelling._sinh_over(np.asarray([0.0]))[0] == 1.0
    near, far = tunnelling._sine_factor(np.asarray([1e-2 - 1e-14, 1e-2 + 1e-14]))
    assert near == close(far, rel=1e-13)
    assert tunnelling._sine_factor(np.asarray([0.0]))[0] == 1.0


@pytest.mark.parametrize("voltage", [0.0, 0.2, 1e-12, -0.3])
def test_gradients_of_gruverman(voltage: float) -> None:
    def current(volts: torch.Tensor, ratio: torch.Tensor) -> torch.Tensor:
        return gruverman_conductance(
            voltage=volts,
            barrier_height_1=1.5 * EV * ratio,
            barrier_height_2=1.7 * EV,
            thickness=2e-9,
            temperature=77.0,
        )

    inputs = (
        torch.tensor(voltage, dtype=torch.float64, requires_grad=True),
        torch.tensor(1.0, dtype=torch.float64, requires_grad=True),
    )
    assert torch.autograd.gradcheck(current, inputs, eps=1e-5, rtol=1e-6, atol=1e-6)


def test_gruverman_against_simmons() -> None:
    gruverman = gruverman_current_density(
        voltage=VOLTAGE, barrier_height_1=HEIGHT, barrier_height_2=HEIGHT, thickness=THICKNESS
    )
    simmons = simmons_current_density(voltage=VOLTAGE, barrier_height=HEIGHT, thickness=THICKNESS)
    conductance = zero_bias_conductance(barrier_height=HEIGHT, thickness=THICKNESS)
    # Each against its own conductance at zero bias: the curve agrees within 5 per cent everywhere.
    curve = (gruverman / conductance) / (simmons / (conductance * (1 - 2 / DECAY)))
    assert np.max(np.abs(curve - 1)) < 0.05
    # Current against current, the terms that Simmons drops stay: 5 per cent at low bias and A·√φ > 44 only.
    absolute = gruverman / simmons
    low = SHARE < 0.05
    np.testing.assert_allclose(absolute[low], 1 / (1 - 2 / DECAY[low]), rtol=0.01)
    assert np.min(absolute) > 1.0
    assert 1.25 < np.max(absolute) < 1.29
    assert np.max(absolute[low & (DECAY > 44)]) < 1.05


def test_gruverman_is_nearer_to_the_integral_than_simmons() -> None:
    exact = tsu_esaki_current_density(
        voltage=VOLTAGE, segments=rectangle(VOLTAGE, HEIGHT, THICKNESS), temperature=0.0
    )
    gruverman = gruverman_current_density(
        voltage=VOLTAGE, barrier_height_1=HEIGHT, barrier_height_2=HEIGHT, thickness=THICKNESS
    )
    simmons = simmons_current_density(voltage=VOLTAGE, barrier_height=HEIGHT, thickness=THICKNESS)
    error = gruverman / exact - 1
    assert np.all(np.abs(error) <= np.abs(simmons / exact - 1))
    assert np.all(error < 0)
    assert np.min(error) > -0.13
    # At low bias the integral of exp(−A√(φ − E)) is G0·(1 + 1/(A√φ)).
    low = SHARE < 0.05
    np.testing.assert_allclose(error[low], -1 / (DECAY[low] + 1), atol=2e-3)


def test_brinkman_against_simmons() -> None:
    # Away from the end of its range the third power suffices: within 5 per cent of the curve up to 0.1·φ.
    small = SHARE < 0.1
    brinkman = brinkman_current_density(
        voltage=VOLTAGE, barrier_height=HEIGHT, barrier_asymmetry=0.0 * EV, thickness=THICKNESS
    )
    simmons = simmons_current_density(voltage=VOLTAGE, barrier_height=HEIGHT, thickness=THICKNESS)
    ratio = brinkman / (simmons / (1 - 2 / DECAY))
    assert np.max(np.abs(ratio[small] - 1)) < 0.05
    assert np.all(ratio < 1.02)  # the higher powers that are cut off are positive
    # k·eV/2 = A·V/(4√φ) of the parabola: within 10 per cent up to two, and far too low beyond.
    half = DECAY * SHARE / 4
    assert np.min(ratio[half < 2]) > 0.9
    assert ratio[np.argmax(half)] < 0.25


@pytest.mark.parametrize("asymmetry", [-0.8, -0.2, 0.5])
def test_brinkman_is_gruverman_expanded(asymmetry: float) -> None:
    # Second and third differences at zero: V² and V³ of both, to the leading order in A.
    def even(current: np.ndarray) -> np.ndarray:
        return (current[:1] + current[1:]) / (current[:1] - current[1:])

    voltage = np.asarray([0.01, -0.01])
    thick = {"thickness": 8e-9}
    brinkman = brinkman_current_density(
        voltage=voltage, barrier_height=3 * EV, barrier_asymmetry=asymmetry * EV, **thick
    )
    gruverman = gruverman_current_density(
        voltage=voltage,
        barrier_height_1=(3 - asymmetry / 2) * EV,
        barrier_height_2=(3 + asymmetry / 2) * EV,
        **thick,
    )
    np.testing.assert_allclose(even(brinkman), even(gruverman), rtol=0.06)
    assert np.sign(even(brinkman))[0] == -np.sign(asymmetry)


@pytest.mark.parametrize(
    ("voltage", "height_1", "height_2", "thickness", "temperature", "within"),
    [
        (0.3, 2.0, 2.0, 3e-9, 0.0, 2e-6),
        (0.3, 1.4, 2.0, 3e-9, 300.0, 2e-6),
        (0.01, 2.0, 2.0, 1e-9, 77.0, 2e-6),
        (0.3, 1.0, 1.2, 4e-9, 300.0, 1e-3),  # as much over the barrier as through it
        (3.0, 2.0, 2.0, 3e-9, 300.0, 1e-3),  # field emission
    ],
)
def test_the_integral_against_adaptive_quadrature(
    voltage: float, height_1: float, height_2: float, thickness: float, temperature: float, within: float
) -> None:
    tilt = voltage * EV / 2
    segments = [Segment(thickness, height_1 * EV + tilt, height_2 * EV - tilt)]
    ours = tsu_esaki_current_density(voltage=voltage, segments=segments, temperature=temperature)
    reference = adaptive(voltage, height_1 * EV, height_2 * EV, thickness, temperature)
    assert ours == close(reference, rel=within)


def test_the_temperature_of_gruverman_is_that_of_the_integral() -> None:
    heights, thickness = np.asarray([1.0, 2.0, 3.0]) * EV, 2.5e-9
    arguments = {"barrier_height_1": heights, "barrier_height_2": heights, "thickness": thickness}
    for voltage in (0.05, 0.3):
        warm, cold = (
            gruverman_current_density(voltage=voltage, temperature=kelvin, **arguments)
            for kelvin in (300.0, 0.0)
        )
        exact_warm, exact_cold = (
            tsu_esaki_current_density(
                voltage=voltage, segments=rectangle(voltage, heights, thickness), temperature=kelvin
            )
            for kelvin in (300.0, 0.0)
        )
        np.testing.assert_allclose(warm / cold, exact_warm / exact_cold, rtol=0.05)
        assert np.all(warm > cold)


def test_field_emission_is_the_limit_of_the_integral() -> None:
    voltage, height = np.asarray([4.0, 6.0, 8.0]), 2 * EV
    exact = tsu_esaki_current_density(
        voltage=voltage, segments=rectangle(voltage, height, 4e-9, 0.5), temperature=0.0
    )
    emission = fowler_nordheim_current_density(
        field=voltage / 4e-9, barrier_height=height, effective_mass=0.5
    )
    np.testing.assert_allclose(emission, exact, rtol=0.15)
    # A = e³/(8πhφ)·(m_e/m), B = 8π√(2m)φ^{3/2}/(3he) at 1e9 V/m, 2 eV, half a mass: A = 1.5414e-6/2/0.5,
    # B = 6.8309e9·2^1.5·√0.5 = 1.36618e10, and 1.5414e-6·1e18·exp(−13.6618) = 1.7975e6 A/m²
    assert fowler_nordheim_current_density(field=1e9, barrier_height=height, effective_mass=0.5) == close(
        1.7975e6, rel=1e-3
    )
    assert fowler_nordheim_current_density(field=0.0, barrier_height=height) == 0.0
    assert fowler_nordheim_current_density(field=-1e9, barrier_height=height) < 0


def test_two_layers_of_one_material_are_one_layer() -> None:
    voltage, tilt = 0.4, 0.2 * EV
    whole = [Segment(3e-9, 2 * EV + tilt, 2 * EV - tilt)]
    halves = [Segment(1.5e-9, 2 * EV + tilt, 2 * EV), Segment(1.5e-9, 2 * EV, 2 * EV - tilt)]
    one, two = (tsu_esaki_current_density(voltage=voltage, segments=s) for s in (whole, halves))
    assert two == close(one, rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(
    thickness=st.floats(1e-9, 4e-9),
    height=st.floats(1.0, 3.0),
    asymmetry=st.floats(-0.4, 0.4),
    voltage=st.floats(-0.3, 0.3),
)
def test_current_follows_the_voltage_and_falls_with_the_barrier(
    thickness: float, height: float, asymmetry: float, voltage: float
) -> None:
    def current(volts: float, extra: float = 0.0, thicker: float = 0.0) -> float:
        return float(
            gruverman_current_density(
                voltage=volts,
                barrier_height_1=(height - asymmetry / 2 + extra) * EV,
                barrier_height_2=(height + asymmetry / 2 + extra) * EV,
                thickness=thickness + thicker,
            )
        )

    assert current(voltage) * voltage >= 0
    assert abs(current(voltage, extra=0.05)) <= abs(current(voltage))
    assert abs(current(voltage, thicker=1e-10)) <= abs(current(voltage))
    assert current(voltage + 0.01) > current(voltage)


def test_the_integral_sees_a_barrier_that_rises_as_one_that_falls() -> None:
    # Mirrored barrier and voltage: the same current the other way, what passes over the top included.
    falling = [Segment(4e-9, 1.3 * EV, 0.9 * EV)]
    rising = [Segment(4e-9, 0.9 * EV, 1.3 * EV)]
    forward = tsu_esaki_current_density(voltage=0.3, segments=falling, temperature=400.0)
    backward = tsu_esaki_current_density(voltage=-0.3, segments=rising, temperature=400.0)
    assert forward == close(-backward, rel=1e-12)
    heavy = tsu_esaki_current_density(voltage=0.3, segments=falling, temperature=400.0, electrode_mass=2.0)
    assert heavy == close(2 * forward)


def test_exchange_of_the_electrodes_turns_the_current() -> None:
    forward = gruverman_current_density(
        voltage=0.2, barrier_height_1=1.5 * EV, barrier_height_2=2.0 * EV, thickness=2e-9
    )
    backward = gruverman_current_density(
        voltage=-0.2, barrier_height_1=2.0 * EV, barrier_height_2=1.5 * EV, thickness=2e-9
    )
    assert forward == close(-backward, rel=1e-12)


def test_float_numpy_and_torch_agree() -> None:
    voltages = [0.05, 0.1, 0.3]
    for formula in (
        lambda v: gruverman_current_density(
            voltage=v, barrier_height_1=2 * EV, barrier_height_2=1.8 * EV, thickness=2e-9
        ),
        lambda v: brinkman_current_density(
            voltage=v, barrier_height=2 * EV, barrier_asymmetry=0.1 * EV, thickness=2e-9
        ),
        lambda v: simmons_current_density(voltage=v, barrier_height=2 * EV, thickness=2e-9),
        lambda v: fowler_nordheim_current_density(field=v * 1e10, barrier_height=2 * EV),
        lambda v: tsu_esaki_current_density(voltage=v, segments=rectangle(v, 2 * EV, 2e-9)),
    ):
        array = formula(np.asarray(voltages))
        assert array.shape == (3,)
        np.testing.assert_allclose([float(formula(v)) for v in voltages], array, rtol=1e-13)
        tensor = formula(torch.tensor(voltages, dtype=torch.float64))
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-13)


def test_gradients_of_the_integral_and_of_emission() -> None:
    volts = torch.tensor([0.0, 0.3, 3.0], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda v: tsu_esaki_current_density(voltage=v, segments=rectangle(v, 2 * EV, 2e-9)) / 1e3,
        (volts,),
        eps=1e-6,
        rtol=1e-5,
        atol=1e-6,
    )
    field = torch.tensor([0.0, 1e7, 5e8, -2e9], dtype=torch.float64, requires_grad=True)
    current = fowler_nordheim_current_density(field=field, barrier_height=2 * EV)
    (slope,) = torch.autograd.grad(current.sum(), field)
    assert torch.all(torch.isfinite(slope))
    # d ln J/dE = 2/E + B/E² with B = 6.8309e9·2^1.5 at −2 V/nm
    expected = 2 / -2e9 - 6.8309e9 * 2**1.5 / 4e18
    assert float(slope[3] / current[3].detach()) == close(expected, rel=1e-4)


def test_out_of_range_is_refused() -> None:
    barrier = {"barrier_height_1": 1 * EV, "barrier_height_2": 1 * EV, "thickness": 2e-9}
    with pytest.raises(InputError, match=r"ends; got 1\.5; allowed: both barrier heights"):
        gruverman_current_density(voltage=np.asarray([0.5, 1.5]), **barrier)
    with pytest.raises(InputError, match=r"near the top of the barrier .* got 900"):
        gruverman_current_density(voltage=0.1, temperature=900.0, **barrier)
    with pytest.raises(InputError, match=r"beyond a third of the barrier.*got 0\.7"):
        brinkman_current_density(
            voltage=torch.tensor([0.1, 0.7], requires_grad=True, dtype=torch.float64),
            barrier_height=2 * EV,
            barrier_asymmetry=0.0,
            thickness=2e-9,
        )
    with pytest.raises(InputError, match="as asymmetric as it is high"):
        brinkman_current_density(voltage=0.1, barrier_height=2 * EV, barrier_asymmetry=2 * EV, thickness=2e-9)
    with pytest.raises(InputError, match="exceeds the barrier"):
        simmons_current_density(voltage=2.5, barrier_height=2 * EV, thickness=2e-9)
    with pytest.raises(InputError, match="barrier_height is not a positive number"):
        fowler_nordheim_current_density(field=1e9, barrier_height=0.0)
