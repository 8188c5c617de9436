"""Cells: read charge, pulse energy, geometry."""

from __future__ import annotations

from typing import Any

import pytest

from cost_models.cells.cell import Cell
from cost_models.cells.fefet import gate_write_energy

COMMON: dict[str, Any] = {
    "levels": 4,
    "read_voltage": 0.8,
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
    assert cell.read(2 / 3).energy == pytest.approx(1.2808e-15)
    assert cell.read(0.0).energy == pytest.approx(3 * 0.8 * 10e-9 * 0.1e-9)
    assert cell.read(1.0).latency == pytest.approx(30e-9)


def test_conductance_cell_is_read_in_one_step() -> None:
    cell = Cell(**(COMMON | {"read_steps": 1}))
    # Half of the range: 0.8·10 ns·(0.1 + 0.5·79.9) nA
    assert cell.read(0.5).energy == pytest.approx(0.8 * 10e-9 * 40.05e-9)


def test_write_pulses() -> None:
    pulse = Cell(**COMMON).write_pulse()
    assert (pulse.energy, pulse.latency) == (4e-15, 1e-6)
    # 25 fJ an 0.01 µm² is 2.5 J/m²; a gate of 28 × 100 nm takes 7 fJ of it
    assert gate_write_energy(density=2.5, gate_area=2.8e-15) == pytest.approx(7e-15)


def test_pitches_multiply_to_the_area() -> None:
    cell = Cell(**COMMON)
    assert cell.width == pytest.approx(0.4e-6)
    assert cell.width * cell.height == pytest.approx(0.04e-12)
