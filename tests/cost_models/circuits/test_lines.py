"""Lines, drivers, input DAC, multiplexer: arithmetic by hand."""

from __future__ import annotations

import pytest
from tolerance import close

from cost_models.circuits.lines import ColumnMultiplexer, InputDac, Line, WordLineDriver


def line(cells: float = 128) -> Line:
    # 128 cells of 0.2 µm pitch and 0.1 fF; wire 0.2 fF/µm and 5 Ω/µm.
    return Line(
        cells=cells,
        pitch=0.2e-6,
        cell_capacitance=0.1e-15,
        wire_capacitance=0.2e-9,
        wire_resistance=5e6,
    )


def test_capacitance_swing_and_delay() -> None:
    # 128·(0.1 + 0.2·0.2) fF = 17.92 fF; at 0.8 V: 17.92·0.64 = 11.469 fJ
    assert line().capacitance == close(17.92e-15)
    assert line().swing(0.8).energy == close(11.4688e-15)
    # 0.38·(25.6 µm·5 Ω/µm = 128 Ω)·17.92 fF = 0.8716 ps
    assert line().delay == close(0.8716e-12, rel=1e-3)


def test_delay_grows_with_the_square_of_the_length() -> None:
    assert line(256).delay == close(4 * line(128).delay)


@pytest.mark.parametrize(("steps", "squares"), [(1, 1.0), (3, (0.4**2 + 0.8**2 + 1.2**2) / 1.2**2)])
def test_staircase_swings_each_step(steps: int, squares: float) -> None:
    driver = WordLineDriver(
        line=line(), voltage=1.2, steps=steps, gate_capacitance=0.7e-15, gate_area=0.614e-12
    )
    # Each step charges the line to its own voltage, and the taper switches a third more.
    assert driver.pulse().energy == close(4 / 3 * 17.92e-15 * 1.44 * squares)
    assert driver.pulse().latency == close(steps * line().delay)


def test_dac_and_multiplexer() -> None:
    dac = InputDac(
        steps=3,
        supply_voltage=0.9,
        gate_capacitance=0.7e-15,
        gate_area=0.614e-12,
        flip_flop_capacitance_ratio=3,
        flip_flop_area_ratio=6,
    )
    assert dac.load().energy == close(3 * 0.7e-15 * 0.81)
    assert dac.select().energy == close(6 * 0.7e-15 * 0.81)
    assert dac.area == close(12 * 0.614e-12)
    multiplexer = ColumnMultiplexer(supply_voltage=0.9, gate_capacitance=0.7e-15, gate_area=0.614e-12)
    assert multiplexer.select().energy == close(3 * 0.7e-15 * 0.81)
