"""Tunnel junctions: electrostatics, states, intermediate states, read time from the charge it needs."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerance import close

from cost_models.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from cost_models.ferroelectric.charge_read import electrons_for, enob_of
from cost_models.ferroelectric.tunnel_junction import (
    BilayerJunction,
    MeasuredJunction,
    Stack,
    TunnelJunction,
)
from cost_models.ferroelectric.tunnelling import gruverman_current_density
from device_params.errors import InputError

EV = ELEMENTARY_CHARGE

# Invented electrodes with round numbers: one screens well, the other does not.
STACK = Stack(
    film_thickness=3e-9,
    relative_permittivity=30.0,
    screening_length_1=0.05e-9,
    screening_permittivity_1=2.0,
    screening_length_2=0.2e-9,
    screening_permittivity_2=8.0,
)
JUNCTION = TunnelJunction(
    device_area=1e-14,
    read_voltage=0.1,
    stack=STACK,
    remanent_polarization=0.1,
    barrier_height=2 * EV,
    effective_mass=0.5,
)
BILAYER = BilayerJunction(
    device_area=1e-12,
    read_voltage=1.0,
    stack=dataclasses.replace(STACK, film_thickness=10e-9, oxide_thickness=2e-9, oxide_permittivity=9.0),
    remanent_polarization=0.05,
    barrier_height=2 * EV,
    effective_mass=0.4,
    oxide_barrier_height=2.8 * EV,
    oxide_effective_mass=0.4,
)
# 0.01 A/cm² at 80 mV of a 2.7 nm film; 100 × 100 nm; the ratio is that of others.
MEASURED = MeasuredJunction(
    device_area=1e-14, on_current_density=100.0, on_off_ratio=100.0, read_voltage=0.08
)


def test_screening_charge_by_hand() -> None:
    # λ/κ: 0.025 + 0.025 nm, d/κ 0.1 nm: σ = 0.1·0.1/0.15 = 0.066667 C/m² at zero volts
    assert STACK.screening_charge(0.0, 0.1) == close(0.1 / 1.5)
    # drop of either electrode: 0.066667·0.025e-9/8.8542e-12 = 0.18824 V
    assert STACK.electrode_drops(0.0, 0.1) == close((0.18824, 0.18824), rel=1e-4)
    assert JUNCTION.barrier(0.0, 0.1) == close((1.81176 * EV, 2.18824 * EV), rel=1e-4)
    assert STACK.capacitance_density == close(VACUUM_PERMITTIVITY / 0.15e-9)


@settings(max_examples=50, deadline=None)
@given(voltage=st.floats(-2, 2), polarization=st.floats(-0.3, 0.3), oxide=st.floats(0, 3e-9))
def test_the_drops_add_up_to_the_voltage(voltage: float, polarization: float, oxide: float) -> None:
    stack = dataclasses.replace(STACK, oxide_thickness=oxide, oxide_permittivity=9.0)
    total = (
        sum(stack.electrode_drops(voltage, polarization))
        + stack.film_field(voltage, polarization) * stack.film_thickness
        + stack.oxide_field(voltage, polarization) * oxide
    )
    assert total == pytest.approx(voltage, abs=1e-12)
    # Displacement is the same in film and electrodes: ε0·κ·E + P = σ.
    displacement = 30 * VACUUM_PERMITTIVITY * stack.film_field(voltage, polarization) + polarization
    assert displacement == pytest.approx(stack.screening_charge(voltage, polarization), abs=1e-15)


def test_a_voltage_writes_the_polarization_that_it_favours() -> None:
    # The field of a positive voltage alone has the sign of the rise that positive polarization screens.
    assert STACK.film_field(1.0, 0.0) > 0
    assert STACK.film_field(0.0, 0.1) < 0  # depolarisation
    assert STACK.screening_charge(1.0, 0.0) > 0
    assert STACK.screening_charge(0.0, 0.1) > 0


def test_equal_electrodes_have_no_electroresistance_and_unequal_ones_have() -> None:
    # The same λ/κ on both sides: the states are mirror images; at zero volts they conduct alike.
    up, down = (JUNCTION.conductance_density(0.0, p) for p in (0.1, -0.1))
    assert up == close(down, rel=1e-12)
    worse = dataclasses.replace(JUNCTION, stack=dataclasses.replace(STACK, screening_length_2=0.4e-9))
    assert worse.electroresistance > 0.5
    ratios = [
        dataclasses.replace(worse, remanent_polarization=p, read_voltage=1e-6).electroresistance
        for p in (0.02, 0.05, 0.1)
    ]
    assert ratios == sorted(ratios)


def test_the_current_is_gruverman_at_the_barrier_of_the_state() -> None:
    height_1, height_2 = JUNCTION.barrier(0.1, -0.1)
    expected = 1e-14 * gruverman_current_density(
        voltage=0.1,
        barrier_height_1=height_1,
        barrier_height_2=height_2,
        thickness=3e-9,
        effective_mass=0.5,
    )
    assert JUNCTION.current(0.1, -0.1) == close(expected, rel=1e-14)
    assert JUNCTION.resistance(0.1, -0.1) == close(0.1 / expected, rel=1e-12)
    assert math.isfinite(JUNCTION.resistance(0.0, 0.1))
    on, off = JUNCTION.densities()
    assert JUNCTION.electroresistance == close((on - off) / off)
    assert JUNCTION.on_resistance == close(0.1 / JUNCTION.on_current)


def test_domains_conduct_in_parallel() -> None:
    up, down = JUNCTION.current(0.1, 0.1), JUNCTION.current(0.1, -0.1)
    assert JUNCTION.domain_current(0.1, 1.0) == close(up)
    assert JUNCTION.domain_current(0.1, 0.25) == close(0.25 * up + 0.75 * down)


def test_anchor_of_the_measured_junction() -> None:
    # 100 A/m²·1e-14 m² = 1 pA, 80 mV/1 pA = 80 GΩ; 1 pA·10 ns/1.602e-19 C = 0.0624 electrons
    assert MEASURED.on_current == close(1e-12)
    assert MEASURED.on_resistance == close(80e9)
    assert MEASURED.electrons(10e-9) == pytest.approx(0.0624, abs=1e-4)
    assert MEASURED.off_current == close(1e-14)
    assert MEASURED.electroresistance == close(99.0)


def test_electrons_for_effective_bits() -> None:
    # 10^((6.02·3 + 1.76)/10) = 10^1.982 = 95.94
    assert electrons_for(3.0) == close(95.94, rel=1e-3)
    assert enob_of(math.sqrt(95.94)) == pytest.approx(3.0, abs=1e-3)
    assert electrons_for(8.0) == close(10**4.992)


def test_read_time_by_hand() -> None:
    # Shot noise of 3 bits, without the off state: 95.94·1.602e-19/1e-12 = 15.37 µs. The off current of a
    # hundredth takes (1 − 0.01)² from the signal: /0.9801 = 15.68 µs.
    assert MEASURED.read_time(3.0, longest=1.0) == close(15.37e-6 / 0.9801, rel=1e-3)
    # RC of 80 GΩ and 1 fF is 80 µs; an amplifier of 1 MΩ makes it 1 ns, and shot noise decides again.
    assert MEASURED.read_time(3.0, load_capacitance=1e-15, longest=1.0) == close(80e-6)
    assert MEASURED.read_time(3.0, load_capacitance=1e-15, sense_resistance=1e6, longest=1.0) == close(
        15.68e-6, rel=1e-3
    )
    # A leakage as large as the on current doubles the noise power.
    assert MEASURED.read_time(3.0, leakage_current=1e-12, longest=1.0) == close(31.36e-6, rel=1e-3)


def test_too_long_a_read_is_refused_with_the_area_that_would_do() -> None:
    with pytest.raises(
        InputError, match=r"takes too long; got 1\.568.*allowed: up to 1e-05 s.*1\.57e-14 m\^2"
    ):
        MEASURED.read_time(3.0)
    area = MEASURED.area_for(10e-6, 3.0)
    assert dataclasses.replace(MEASURED, device_area=area).read_time(3.0) == close(10e-6)


@settings(max_examples=50, deadline=None)
@given(
    time=st.floats(1e-9, 1e-3),
    enob=st.floats(0.5, 10),
    load=st.sampled_from([0.0, 1e-16, 1e-14]),
    sense=st.sampled_from([math.inf, 1e5, 1e12]),
    leakage=st.sampled_from([0.0, 1e-13, 1e-9]),
)
def test_the_area_for_a_time_takes_that_time(
    time: float, enob: float, load: float, sense: float, leakage: float
) -> None:
    node = {"load_capacitance": load, "sense_resistance": sense, "leakage_current": leakage}
    area = MEASURED.area_for(time, enob, **node)
    sized = dataclasses.replace(MEASURED, device_area=area)
    assert sized.read_time(enob, longest=1.0, **node) == close(time, rel=1e-9)


def test_more_bits_and_smaller_junctions_read_longer() -> None:
    bits = np.asarray([1.0, 2.0, 4.0, 6.0])
    assert np.all(np.diff(MEASURED.read_time(bits, longest=10.0)) > 0)
    areas = np.asarray([1e-14, 2e-14, 4e-14])
    times = dataclasses.replace(MEASURED, device_area=areas).read_time(3.0, longest=10.0)
    np.testing.assert_allclose(times, times[0] * areas[0] / areas, rtol=1e-12)


def test_the_polarization_decides_the_barrier_of_the_bilayer() -> None:
    # At −1 V electrode 2 supplies the electrons, its Fermi level 0.5 eV above the middle: behind the oxide
    # the band of the film is below that level in one state and far above it in the other.
    (film_on, _), (film_off, oxide_off) = BILAYER.segments(-1.0, -0.12), BILAYER.segments(-1.0, 0.12)
    assert film_on.end < 0.5 * EV
    assert film_off.end > 2.0 * EV
    # The step of the bands at the interface is the difference of the heights, in any state.
    assert oxide_off.start - film_off.end == close(0.8 * EV, rel=1e-9)
    assert BILAYER.electroresistance > 10


def test_the_bilayer_carries_no_current_at_zero_volts_and_turns_with_the_voltage() -> None:
    currents = BILAYER.current(np.asarray([-1.0, 0.0, 1.0]), 0.05)
    assert currents[1] == 0.0
    assert currents[0] < 0 < currents[2]


def test_a_film_that_is_a_barrier_too_only_takes_current_away() -> None:
    both = dataclasses.replace(BILAYER, film_conducts=False)
    polarization = np.linspace(-0.12, 0.12, 7)
    assert np.all(both.current(1.0, polarization) < BILAYER.current(1.0, polarization))


def test_float_numpy_and_torch_agree_over_points() -> None:
    polarization = np.asarray([-0.1, 0.05, 0.1])
    for junction in (JUNCTION, BILAYER):
        array = junction.current(0.1, polarization)
        np.testing.assert_allclose(
            [float(junction.current(0.1, float(p))) for p in polarization], array, rtol=1e-12
        )
        tensor = junction.current(0.1, torch.tensor(polarization))
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-12)


def test_gradients_of_current_and_read_time() -> None:
    def time(thickness: torch.Tensor, polarization: torch.Tensor) -> torch.Tensor:
        stack = dataclasses.replace(STACK, film_thickness=thickness * 1e-9, screening_length_2=0.4e-9)
        junction = dataclasses.replace(JUNCTION, stack=stack, remanent_polarization=polarization)
        return torch.log(junction.read_time(4.0, longest=1e9))

    inputs = tuple(torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (3.0, 0.1))
    assert torch.autograd.gradcheck(time, inputs, eps=1e-6, rtol=1e-6, atol=1e-7)

    def current(voltage: torch.Tensor, polarization: torch.Tensor) -> torch.Tensor:
        return torch.log(BILAYER.current_density(voltage, polarization))

    inputs = tuple(torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (1.0, -0.05))
    assert torch.autograd.gradcheck(current, inputs, eps=1e-7, rtol=1e-5, atol=1e-6)


def test_impossible_junctions_are_refused() -> None:
    with pytest.raises(InputError, match="film_thickness is not a positive number"):
        dataclasses.replace(STACK, film_thickness=0.0)
    with pytest.raises(InputError, match="screening_length_1 is negative"):
        dataclasses.replace(STACK, screening_length_1=-1e-10)
    with pytest.raises(InputError, match="use BilayerJunction"):
        dataclasses.replace(JUNCTION, stack=BILAYER.stack)
    with pytest.raises(InputError, match="states do not differ"):
        dataclasses.replace(MEASURED, on_off_ratio=1.0)
    with pytest.raises(InputError, match="no voltage to read at"):
        dataclasses.replace(MEASURED, read_voltage=0.0)
    with pytest.raises(InputError, match="device_area is not a positive number"):
        dataclasses.replace(JUNCTION, device_area=np.asarray([1e-14, -1e-14]))
    with pytest.raises(InputError, match="a Fermi level reaches the top"):
        JUNCTION.current(3.0, 0.1)
