"""FeCAP, FeRAM cell, memcapacitor: pulses, small-signal reads, destructive reads."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerance import close

from cost_models.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from cost_models.ferroelectric.capacitor import (
    CapacitiveRead,
    FeramCell,
    FerroelectricCapacitor,
    Memcapacitor,
    PulseParts,
    pulse_charge,
    pulse_energy,
)
from cost_models.ferroelectric.charge_read import electrons_of, shot_charge, thermal_charge
from device_params.errors import InputError

LINEAR = 28 * VACUUM_PERMITTIVITY / 8e-9  # 0.03099 F/m²

# 7.8 fF/µm² between the states, 50 mV, 0.01 µm², 20 fF on the line.
READ = CapacitiveRead(
    device_area=1e-14,
    capacitance_on=8.8e-3,
    capacitance_off=1.0e-3,
    read_voltage=0.05,
    line_capacitance=20e-15,
)
# 2Pr 40 µC/cm², 0.01 µm², 50 fF bit line, 2.5 V.
CELL = FeramCell(
    device_area=1e-14,
    switched_polarization=0.4,
    capacitance_per_area=LINEAR,
    bit_line_capacitance=50e-15,
    plate_voltage=2.5,
    coercive_voltage=1.0,
)


@pytest.mark.parametrize(
    ("area", "voltage", "switching", "linear"),
    [
        # 0.5 C/m²·1e-14 m²·4 V = 20.0 fJ; 0.03099 F/m²·1e-14·16 = 4.96 fJ
        (1e-14, 4.0, 20.0e-15, 4.96e-15),
        # 28 × 80 nm: 0.5·2.24e-15·4.2 = 4.70 fJ; 0.03099·2.24e-15·17.64 = 1.22 fJ
        (2.24e-15, 4.2, 4.70e-15, 1.22e-15),
        # 500 × 500 nm: 500 + 124 fJ
        (2.5e-13, 4.0, 500e-15, 124e-15),
    ],
)
def test_worked_examples_of_pulse_energy(
    area: float, voltage: float, switching: float, linear: float
) -> None:
    energy = pulse_energy(switched_polarization=0.5, area=area, voltage=voltage, capacitance_per_area=LINEAR)
    assert energy.switching == close(switching, rel=5e-3)
    assert energy.linear == close(linear, rel=5e-3)
    assert energy.leakage == 0
    assert energy.total == close(switching + linear, rel=5e-3)


def test_leakage_adds_charge_and_energy() -> None:
    pulse = {"switched_polarization": 0.1, "area": 1e-14, "voltage": -2.0, "capacitance_per_area": 0.03}
    leaking = {"leakage_current_density": 1e4, "pulse_time": 1e-6}
    # 1e4 A/m²·1e-14 m²·1 µs = 1e-16 C, at 2 V 2e-16 J
    assert pulse_charge(**pulse, **leaking) == PulseParts(close(1e-15), close(6e-16), close(1e-16))
    assert pulse_energy(**pulse, **leaking).leakage == close(2e-16)
    assert pulse_energy(**pulse).total == close(2e-15 + 1.2e-15)


@settings(max_examples=50, deadline=None)
@given(polarization=st.floats(-0.5, 0.5), voltage=st.floats(-5, 5), area=st.floats(0, 1e-12))
def test_energy_is_charge_times_voltage_and_never_negative(
    polarization: float, voltage: float, area: float
) -> None:
    pulse = {
        "switched_polarization": polarization,
        "area": area,
        "voltage": voltage,
        "capacitance_per_area": 0.02,
        "leakage_current_density": 3.0,
        "pulse_time": 1e-6,
    }
    energy, charge = pulse_energy(**pulse), pulse_charge(**pulse)
    assert energy.total == close(charge.total * abs(voltage))
    assert min(energy.switching, energy.linear, energy.leakage) >= 0


def test_anchor_of_the_capacitive_read() -> None:
    # 7.8e-3 F/m²·1e-14 m²·0.05 V = 3.9e-18 C = 24.3 electrons
    assert READ.electrons == close(24.34, rel=1e-3)
    # √(1.380649e-23·300·20e-15) = 9.1015e-18 C = 56.8 electrons
    assert electrons_of(thermal_charge(capacitance=20e-15)) == close(56.81, rel=1e-3)
    # The cell itself adds 0.088 fF to the line.
    assert electrons_of(READ.noise) == close(56.81 * math.sqrt(20.088 / 20), rel=1e-3)
    # SNR 24.34/56.93 = 0.4275: (20·log10 0.4275 − 1.76)/6.02 = −1.518
    assert READ.enob == pytest.approx(-1.518, abs=2e-3)
    # C·V² = 8.8e-3·1e-14·0.0025
    assert READ.energy == close(2.2e-19)


def test_shot_noise_of_what_leaks() -> None:
    # 1 A/m²·1e-14 m²·1 µs = 1e-20 C; √(1.602e-19·1e-20) = 4.0e-20 C
    assert shot_charge(1e-20) == close(4.003e-20, rel=1e-3)
    leaking = dataclasses.replace(READ, leakage_current_density=1.0, read_time=1e-6)
    assert leaking.noise**2 == close(READ.noise**2 + ELEMENTARY_CHARGE * 1e-20, rel=1e-12)


def test_averaging_and_area_reach_the_bits() -> None:
    # SNR of 3 bits 10^(19.82/20) = 9.795: (9.795/0.4275)² = 525 reads
    assert READ.reads_for(3.0) == close(525, rel=2e-3)
    assert READ.reads_for(READ.enob) == close(1.0)
    sized = dataclasses.replace(READ, leakage_current_density=1.0, read_time=1e-6)
    area = sized.area_for(3.0)
    assert area > READ.device_area
    assert dataclasses.replace(sized, device_area=area).enob == close(3.0)


def test_a_column_of_cells_gives_more_bits() -> None:
    columns = dataclasses.replace(READ, cells=np.asarray([1.0, 16.0, 128.0]))
    assert np.all(np.diff(columns.enob) > 0)
    np.testing.assert_allclose(columns.energy, READ.energy * columns.cells)


def test_a_fecap_writes_by_switching_and_reads_without() -> None:
    device = FerroelectricCapacitor(
        device_area=1e-14,
        remanent_polarization=0.25,
        capacitance_on=1.5 * LINEAR,
        capacitance_off=LINEAR,
        coercive_voltage=1.0,
    )
    write, read = device.write_energy(voltage=2.5), device.read(read_voltage=0.1, line_capacitance=20e-15)
    # 0.5·1e-14·2.5 = 12.5 fJ; half of the film half of that
    assert write.switching == close(12.5e-15)
    assert device.write_energy(voltage=2.5, switched_share=0.5).switching == close(6.25e-15)
    # 1.5·0.03099·1e-14·0.01 = 4.6 aJ, no switching
    assert read.energy == close(4.65e-18, rel=1e-3)
    # 0.5·0.03099·1e-14·0.1/1.602e-19 = 96.7 electrons
    assert read.electrons == close(96.7, rel=1e-3)
    with pytest.raises(InputError, match="read voltage switches the film"):
        device.read(read_voltage=1.2, line_capacitance=20e-15)


def test_a_memcapacitor_uses_its_ratio() -> None:
    # A window of 7.8 fF/µm² with a ratio of 125: C_on = 7.8·125/124 = 7.863 fF/µm²
    device = Memcapacitor.from_window(device_area=1e-14, capacitance_window=7.8e-3, capacitance_ratio=125.0)
    assert device.capacitance_on == close(7.8629e-3, rel=1e-4)
    read = device.read(read_voltage=0.05, line_capacitance=20e-15)
    assert read.electrons == close(24.34, rel=1e-3)
    levels = device.level_capacitance(np.arange(8), 8)
    np.testing.assert_allclose(np.diff(levels), 7.8e-17 / 7)
    assert levels[-1] == close(125 * levels[0])
    # The same capacitance with the ratio of a metal-film-metal capacitor gives half of the charge.
    poor = dataclasses.replace(device, capacitance_ratio=2.0)
    charge = poor.read(read_voltage=0.05, line_capacitance=20e-15).charge
    assert charge == close(read.charge / 2, rel=0.01)


def test_destructive_read_by_hand() -> None:
    # C = 0.30990 fF, ΔP·A = 4 fC: zero 0.30990·2.5/50.3099 = 15.40 mV, signal 4/50.3099 = 79.51 mV
    one, zero = CELL.bit_line_voltage
    assert zero == close(15.400e-3, rel=1e-3)
    assert CELL.sense_signal == close(79.507e-3, rel=1e-4)
    assert one == close(zero + CELL.sense_signal)
    assert CELL.film_voltage == close(2.5 - one)
    # kTC of 50.31 fF: √(4.1419e-21/50.31e-15) = 0.287 mV
    assert CELL.noise == close(0.2869e-3, rel=1e-3)


def test_charge_is_conserved_in_the_read() -> None:
    one, _ = CELL.bit_line_voltage
    given_by_plate = CELL.capacitance * (2.5 - one) + 0.4 * 1e-14
    assert CELL.bit_line_capacitance * one == close(given_by_plate, rel=1e-12)


def test_a_read_pays_for_the_write_back_and_for_a_cycle() -> None:
    # A stored one: 2·(0.4·1e-14·2.5) = 20 fJ; C·V² twice: 2·0.30990e-15·6.25 = 3.874 fJ
    stored_one = CELL.read_energy(ones_share=1.0)
    assert stored_one.switching == close(20e-15)
    assert stored_one.linear == close(3.874e-15, rel=1e-3)
    assert stored_one.total == close(2 * CELL.write_energy().total)
    assert CELL.read_energy(ones_share=0.0).switching == 0
    assert CELL.read_energy().switching == close(10e-15)
    assert CELL.cycles(reads=1000, writes=1) == 1001


def test_too_short_a_bit_line_does_not_switch_the_film() -> None:
    with pytest.raises(InputError, match="takes so much of the plate voltage"):
        dataclasses.replace(CELL, bit_line_capacitance=2e-15)
    signals = dataclasses.replace(
        CELL, bit_line_capacitance=np.asarray([20e-15, 50e-15, 200e-15])
    ).sense_signal
    assert np.all(np.diff(signals) < 0)


def test_impossible_capacitors_are_refused() -> None:
    with pytest.raises(InputError, match="area is negative; got -1e-14"):
        pulse_energy(switched_polarization=0.1, area=-1e-14, voltage=1.0, capacitance_per_area=0.02)
    with pytest.raises(InputError, match="capacitance_off: the states do not differ"):
        dataclasses.replace(READ, capacitance_off=8.8e-3)
    with pytest.raises(InputError, match="capacitance_ratio: the states do not differ"):
        Memcapacitor(device_area=1e-14, capacitance_on=1e-2, capacitance_ratio=1.0)
    with pytest.raises(InputError, match="plate_voltage is not a positive number"):
        dataclasses.replace(CELL, plate_voltage=math.nan)


def test_float_numpy_torch_and_gradients() -> None:
    areas = [1e-14, 2e-14, 5e-14]

    def figures(area: Any) -> list[Any]:
        read, cell = dataclasses.replace(READ, device_area=area), dataclasses.replace(CELL, device_area=area)
        return [read.enob, read.area_for(2.0) * 1e14, cell.sense_signal, cell.read_energy().total * 1e14]

    arrays = figures(np.asarray(areas))
    tensors = figures(torch.tensor(areas, dtype=torch.float64))
    for position, (array, tensor) in enumerate(zip(arrays, tensors, strict=True)):
        np.testing.assert_allclose([figures(area)[position] for area in areas], array, rtol=1e-12)
        np.testing.assert_allclose(tensor.numpy(), array, rtol=1e-12)
    scale = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda s: tuple(figures(s * 1e-14)), (scale,), eps=1e-6, rtol=1e-6, atol=1e-7
    )
