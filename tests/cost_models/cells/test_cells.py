"""Cells: read charge, pulse energy, geometry."""

from __future__ import annotations

from typing import Any

import numpy as np
from tolerance import close

from cost_models.cells.cell import Cell
from cost_models.cells.fefet import gate_pulse_energy
from device_params import load_device

COMMON: dict[str, Any] = {
    "levels": 4,
    "read_voltage": 0.8,
    "read_supply_voltage": 0.8,
    "on_current": 80e-9,
    "off_current": 0.1e-9,
    "read_gate_voltage": 1.2,
    "read_steps": 3,
    "read_time": 10e-9,
    "area": 0.04e-12,
    "aspect_ratio": 4.0,
    "word_line_capacitance": 0.1e-15,
    "bit_line_capacitance": 0.1e-15,
    "write_voltage": 4.0,
    "write_time": 1e-6,
    "standby_leakage": 0.0,
    "write_energy": 4e-15,
}


def test_clipped_cell_conducts_in_as_many_steps_as_its_level() -> None:
    cell = Cell(**COMMON)
    # Level 2 of 3: ON in two of three steps, OFF in one: 0.8 V·10 ns·(2·80 + 0.1) nA = 1.2808 fJ
    assert cell.read(2 / 3).energy == close(1.2808e-15)
    assert cell.read(0.0).energy == close(3 * 0.8 * 10e-9 * 0.1e-9)
    assert cell.read(1.0).latency == close(30e-9)


def test_conductance_cell_is_read_in_one_step() -> None:
    cell = Cell(**(COMMON | {"read_steps": 1}))
    # Half of the range: 0.8·10 ns·(0.1 + 0.5·79.9) nA
    assert cell.read(0.5).energy == close(0.8 * 10e-9 * 40.05e-9)


def test_write_pulses() -> None:
    pulse = Cell(**COMMON).write_pulse()
    assert (pulse.energy, pulse.latency) == (4e-15, 1e-6)


def test_pulse_of_a_gate_follows_its_switching_where_the_file_gives_it() -> None:
    assert gate_pulse_energy({"write_energy": 5e-15, "gate_area": 1e-15}) == 5e-15
    gate = load_device("fefet_8nm_deng").parameters.nominal() | {"gate_area": 1e-14}
    # 4 V, 1 µs: all of 2·25 µC/cm² switches at 4 − 1.621 V across the film:
    # 4 V·1e-14 m²·(0.5 C/m² + 0.0310 F/m²·2.379 V) = 22.95 fJ
    assert gate_pulse_energy(gate) == close(22.95e-15, rel=1e-3)
    weak = gate_pulse_energy(gate | {"write_voltage": 2.5})
    # little switches: nearly the charge of the two layers in series, 2.5 V·1e-14·0.0163·2.5 = 1.0 fJ, and
    # more
    assert 1.0e-15 < weak < 2.5e-15


def test_gate_pulse_is_one_function_of_arrays() -> None:
    gate: dict[str, Any] = dict(load_device("fefet_1f1r_28nm").parameters.nominal())
    volts = np.asarray([3.0, 3.5, 4.0])
    block = gate_pulse_energy(gate | {"write_voltage": volts})
    assert block == close([float(gate_pulse_energy(gate | {"write_voltage": v})) for v in volts])
    assert (np.diff(block) > 0).all()


def test_pitches_multiply_to_the_area() -> None:
    cell = Cell(**COMMON)
    assert cell.width == close(0.4e-6)
    assert cell.width * cell.height == close(0.04e-12)


def test_read_current_comes_from_the_supply() -> None:
    # The same current, drawn at twice the voltage across the cell, costs twice.
    regulated = Cell(**(COMMON | {"read_supply_voltage": 1.6}))
    assert regulated.read(0.5).energy == close(2 * Cell(**COMMON).read(0.5).energy)
