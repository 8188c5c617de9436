"""Write schemes against line voltages laid out cell by cell; leaves of the write path by hand."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tolerance import close

from cost_models.circuits.lines import Line
from cost_models.circuits.write_path import (
    ENERGY_LEAVES,
    LATENCY_LEAVES,
    HighVoltageSupply,
    WritePath,
    WriteScheme,
    access_transistor,
    block_erase,
    half_voltage,
    row_erase,
    row_inhibit,
    third_voltage,
)
from cost_models.cost import Cost

ROWS, COLS = 5, 6

SCHEMES: dict[str, WriteScheme] = {
    "V/2, cell by cell": half_voltage(selected_share=1 / COLS),
    "V/2, half a row": half_voltage(selected_share=0.5),
    "V/3": third_voltage(selected_share=1 / COLS),
    "row, inhibit 0.4": row_inhibit(inhibit_fraction=0.4, selected_share=0.5),
    "row, all cells": row_inhibit(inhibit_fraction=0.4, selected_share=1.0),
    "row erase": row_erase(),
    "block erase": block_erase(),
    "access transistor": access_transistor(selected_share=0.5),
}


def array_voltages(scheme: WriteScheme, row: int, written: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """Word lines [rows] and bit lines [cols] while ``written`` cells of ``row`` are written."""
    word = np.full(ROWS, float(scheme.selected_word_line if scheme.whole_block else 0.0))
    if not scheme.whole_block:
        word[:] = scheme.unselected_word_line
        word[row] = scheme.selected_word_line
    bit = np.full(COLS, float(scheme.unselected_bit_line))
    bit[written] = scheme.selected_bit_line
    return word, bit


def cell_voltages(scheme: WriteScheme, word: np.ndarray, bit: np.ndarray) -> np.ndarray:
    """What every cell sees [rows, cols]: through its transistor or between its lines."""
    if scheme.gated:
        return np.where(word[:, None] > 0, bit[None, :], 0.0)
    return word[:, None] - bit[None, :]


def pulses(scheme: WriteScheme) -> list[tuple[int, list[int]]]:
    """The pulses of one write of every cell: rows in turn, in each the groups of cells in turn."""
    group = round(scheme.selected_share * COLS)
    columns = np.random.default_rng(3).permutation(COLS).tolist()
    groups = [columns[i : i + group] for i in range(0, COLS, group)]
    return [(row, chosen) for row in range(1 if scheme.whole_block else ROWS) for chosen in groups]


@pytest.mark.parametrize(
    ("name", "row", "column", "unselected"),
    [
        ("V/2, cell by cell", 1 / 2, 1 / 2, 0),
        ("V/3", 1 / 3, 1 / 3, -1 / 3),
        ("row, inhibit 0.4", 0.6, 0, -0.4),
        ("access transistor", 0, 0, 0),
    ],
)
def test_the_table_of_schemes(name: str, row: float, column: float, unselected: float) -> None:
    found = SCHEMES[name].fractions
    expected = {"selected": 1.0, "row": row, "column": column, "unselected": unselected}
    assert found == pytest.approx(expected)


def test_erase_is_a_pulse_of_the_other_sign_on_selected_cells_only() -> None:
    for scheme in (row_erase(), block_erase()):
        assert scheme.fractions["selected"] == -1
        seen = [e for e in scheme.exposures(rows=9, cols=7, pulse_width=1e-6, writes=2) if e.count * e.cells]
        assert [e.fraction for e in seen if e.fraction != 0] == [-1]


@pytest.mark.parametrize("name", SCHEMES)
def test_cells_of_each_kind_are_those_of_the_line_voltages(name: str) -> None:
    scheme = SCHEMES[name]
    row, written = pulses(scheme)[-1]
    counted: dict[float, float] = defaultdict(float)
    for voltage in cell_voltages(scheme, *array_voltages(scheme, row, written)).ravel():
        counted[round(float(voltage), 9)] += 1
    expected: dict[float, float] = defaultdict(float)
    cells = scheme.cells(ROWS, COLS)
    for kind, fraction in scheme.fractions.items():
        if cells[kind]:
            expected[round(float(fraction), 9)] += cells[kind]
    assert counted == pytest.approx(dict(expected))
    assert sum(cells.values()) == ROWS * COLS


@pytest.mark.parametrize("name", SCHEMES)
def test_exposures_are_those_of_every_pulse_of_three_writes(name: str) -> None:
    """Every cell has the same history but for the order; block erase has one pulse for all."""
    scheme = SCHEMES[name]
    history: list[dict[float, float]] = [defaultdict(float) for _ in range(ROWS * COLS)]
    for row, written in pulses(scheme) * 3:
        seen = cell_voltages(scheme, *array_voltages(scheme, row, written)).ravel()
        for cell, voltage in enumerate(seen):
            history[cell][round(float(voltage), 9)] += 2e-6
    expected: dict[float, float] = defaultdict(float)
    for exposure in scheme.exposures(rows=ROWS, cols=COLS, pulse_width=2e-6, writes=3):
        if exposure.time:
            expected[round(float(exposure.fraction), 9)] += exposure.time
    for cell in history:
        assert cell == pytest.approx(dict(expected))


def test_exposure_by_hand() -> None:
    """64 rows written cell by cell at V/2: 63 pulses of 1 µs on the column, 63 µs a rewrite, at 2 of 4 V."""
    scheme = half_voltage(selected_share=1 / 32)
    found = {e.kind: e for e in scheme.exposures(rows=64, cols=32, pulse_width=1e-6, writes=10)}
    assert found["column"].time == pytest.approx(630e-6)
    assert found["column"].voltage(4.0) == 2.0
    assert found["column"].cells == pytest.approx(63)
    assert found["row"].time == pytest.approx(310e-6)
    assert found["unselected"].count == pytest.approx(10 * 63 * 31)


@pytest.mark.parametrize("name", SCHEMES)
def test_switched_lines_are_those_that_leave_zero(name: str) -> None:
    scheme = SCHEMES[name]
    if scheme.whole_block:
        return  # its lines follow the well, and the well has the one driver
    word, bit = array_voltages(scheme, *pulses(scheme)[0])
    lines = np.count_nonzero(word) + np.count_nonzero(bit)
    assert float(scheme.switched_lines(ROWS, COLS)) == pytest.approx(lines)


LINE = Line(cells=10.0, pitch=0.0, cell_capacitance=1e-15, wire_capacitance=0.0, wire_resistance=0.0)
PATH = WritePath(
    rows=20.0,
    cols=10.0,
    program=row_inhibit(inhibit_fraction=0.5, selected_share=0.4),
    erase=row_erase(),
    block_erase=0.0,
    voltage=4.0,
    cell_pulse=Cost(energy=5e-15, latency=1e-6),
    pulses=3.0,
    erases=1.0,
    word_line=LINE,
    bit_line=replace(LINE, cells=20.0),
    source_line_capacitance=15e-15,
    well_capacitance=500e-15,
    cell_capacitance=0.1e-15,
    driver_capacitance=10e-15,
    verify=Cost(energy=2e-12, latency=50e-9),
    verify_reads=2.0,
    read_after_write_delay=400e-9,
    supply=HighVoltageSupply(present=1.0, efficiency=0.4, idle_power=1e-4, startup_energy=1e-9),
    arrays_in_parallel=2.0,
)


def test_leaves_by_hand() -> None:
    """Two arrays of 20 × 10 full of cells: 40 rows, 400 cells, V² = 16 V².

    A cell takes 3 pulses, 0.4 of a row together: 40·3/0.4 = 300 pulses, 40 erases, 40·2/0.4 = 200 reads.
    """
    found = PATH.energy(cells=400.0, rows=40.0)
    assert tuple(found) == ENERGY_LEAVES
    expected = {
        "cell": 400 * 3 * 5e-15,
        "erase": 400 * 5e-15 + 40 * 16 * 10e-15,
        "word_line": 300 * 16 * 10e-15,
        "bit_line": 0,
        "source_line": 300 * 16 * 6 * 15e-15 * 0.25,  # 6 of 10 columns at half of the voltage
        "well": 0,
        "inhibited_line": 300 * 16 * 6 * 20e-15 * 0.25,
        # 6 cells of the row and 19·6 of the others see half, 19·4 nothing
        "inhibited_cell": 300 * 16 * 0.1e-15 * (6 + 114) * 0.25,
        "driver": (300 * (1 + 6) + 40) * 16 * 10e-15,
        "verify": 200 * 2e-12,
    }
    delivered = sum(value for name, value in expected.items() if name != "verify")
    # 1/0.4 − 1 = 1.5; time (300 + 40)·1 µs + 200·(400 + 50) ns = 430 µs, two arrays side by side: 215 µs
    expected |= {"supply_loss": 1.5 * delivered, "supply_idle": 1e-4 * 215e-6, "supply_startup": 1e-9}
    assert found == close(expected, rel=1e-12)
    times = PATH.latency(rows=40.0)
    assert tuple(times) == LATENCY_LEAVES
    half = {"cell": 150e-6, "erase": 20e-6, "read_after_write": 40e-6, "verify": 5e-6}
    assert times == pytest.approx(half)


def test_block_erase_takes_one_pulse_an_array() -> None:
    block = replace(PATH, block_erase=1.0)
    energy, rows = block.energy(cells=400.0, rows=40.0), PATH.energy(cells=400.0, rows=40.0)
    # two blocks: well, and ten bit and ten source lines that follow it; the cells' own energy stays
    assert energy["well"] == close(2 * 16 * (500e-15 + 10 * (20e-15 + 15e-15)))
    assert energy["erase"] == close(400 * 5e-15)
    assert rows["driver"] - energy["driver"] == close(38 * 16 * 10e-15)
    assert block.latency(rows=40.0)["erase"] == pytest.approx(1e-6)


def test_v2_lifts_the_other_word_lines() -> None:
    lifted = replace(PATH, program=half_voltage(selected_share=0.4))
    found, base = (path.energy(cells=400.0, rows=40.0) for path in (lifted, PATH))
    more = 300 * 16 * 19 * 10e-15 * 0.25
    assert found["inhibited_line"] - base["inhibited_line"] == close(more)
    assert found["driver"] - base["driver"] == close(300 * 19 * 16 * 10e-15)


def test_the_schemes_are_points_of_one_family() -> None:
    for scheme, fractions in ((half_voltage, (0.5, 0.5)), (third_voltage, (2 / 3, 1 / 3))):
        bit, word = fractions
        same = row_inhibit(inhibit_fraction=bit, word_line_fraction=word, selected_share=0.4)
        assert scheme(selected_share=0.4) == same


def test_without_high_voltage_there_is_no_supply() -> None:
    supply = replace(PATH.supply, present=0.0)
    found = replace(PATH, supply=supply, driver_capacitance=0.0).energy(cells=400.0, rows=40.0)
    assert found["driver"] == found["supply_loss"] == found["supply_idle"] == found["supply_startup"] == 0


def test_a_gated_cell_swings_its_own_bit_lines_and_disturbs_nobody() -> None:
    scheme = access_transistor(selected_share=0.4)
    found = replace(PATH, program=scheme, source_line_capacitance=0.0).energy(cells=400.0, rows=40.0)
    assert found["bit_line"] == close(300 * 16 * 4 * 20e-15)
    assert found["inhibited_cell"] == found["inhibited_line"] == found["source_line"] == 0


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(
        ["voltage", "pulses", "verify_reads", "cell_capacitance", "driver_capacitance", "erases"]
    ),
    st.floats(1.0, 10.0),
    st.floats(0.05, 1.0),
    st.floats(0.0, 1.0),
)
def test_never_cheaper_with_more(name: str, factor: float, share: float, inhibit: float) -> None:
    scheme = row_inhibit(inhibit_fraction=inhibit, selected_share=share)
    base = replace(PATH, program=scheme)
    changes: dict[str, Any] = {name: getattr(PATH, name) * factor}
    more = replace(base, **changes)
    cheap, dear = (sum(path.energy(cells=400.0, rows=40.0).values()) for path in (base, more))
    assert dear >= cheap * (1 - 1e-12)
    twice = base.energy(cells=800.0, rows=80.0)
    for leaf, value in base.energy(cells=400.0, rows=40.0).items():
        expected = value if leaf == "supply_startup" else 2 * value
        assert twice[leaf] == close(expected, rel=1e-12)


def test_blocks_and_gradients() -> None:
    shares = np.asarray([0.2, 0.4, 0.9])
    block = replace(PATH, program=row_inhibit(inhibit_fraction=0.5, selected_share=shares))
    found = sum(block.energy(cells=400.0, rows=40.0).values())
    for i, share in enumerate(shares):
        one = replace(PATH, program=row_inhibit(inhibit_fraction=0.5, selected_share=float(share)))
        assert found[i] == close(sum(one.energy(cells=400.0, rows=40.0).values()))
    share, voltage = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (0.4, 4.0))
    path = replace(PATH, program=row_inhibit(inhibit_fraction=0.5, selected_share=share), voltage=voltage)
    total = sum(path.energy(cells=400.0, rows=40.0).values())
    total.backward()

    def at(share: float, voltage: float) -> float:
        scheme = row_inhibit(inhibit_fraction=0.5, selected_share=share)
        changed = replace(PATH, program=scheme, voltage=voltage)
        return float(sum(changed.energy(cells=400.0, rows=40.0).values()))

    assert total.item() == close(at(0.4, 4.0), rel=1e-12)
    assert share.grad is not None and voltage.grad is not None
    assert share.grad.item() == close((at(0.4 + 1e-6, 4.0) - at(0.4 - 1e-6, 4.0)) / 2e-6, rel=1e-6)
    assert voltage.grad.item() == close((at(0.4, 4 + 1e-6) - at(0.4, 4 - 1e-6)) / 2e-6, rel=1e-6)
