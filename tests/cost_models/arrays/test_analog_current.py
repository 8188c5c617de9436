"""One array read: closed forms against an explicit walk over bits, turns and gate steps."""

from __future__ import annotations

import numpy as np
import pytest
from tolerance import close

from cost_models.mapping.precision import Precision
from cost_models.targets.assembly import Parts, assemble
from device_params.load import load_design

DESIGN = load_design("fefet_crossbar_28nm")


def parts(**changes: float) -> Parts:
    values = DESIGN.parameters.nominal() | {name.replace("__", "."): v for name, v in changes.items()}
    return assemble(values, DESIGN.families, Precision())


def test_one_plane_against_an_explicit_walk() -> None:
    array = parts().array
    p = DESIGN.parameters.nominal()
    rng = np.random.default_rng(0)
    inputs = rng.integers(0, 2, 24)
    levels = np.full((24, 10), 2)  # one level everywhere: energy is a product of means only then
    turns, steps = int(p["array.columns_per_adc"]), 3
    cell = word = dac = 0.0
    for row, bit in enumerate(inputs):
        dac += array.dac.load().energy
        if not bit:
            continue
        for _ in range(turns):
            dac += array.dac.select().energy
            for step in range(1, steps + 1):
                volts = p["cell.read_gate_voltage"] * step / steps
                word += 4 / 3 * array.word_line.capacitance * volts**2
        for column in range(10):
            for step in range(1, steps + 1):
                # A cell of level 2 conducts at the two highest of three gate steps.
                on = step > steps - levels[row, column]
                current = p["cell.on_current"] if on else p["cell.off_current"]
                supply = max(p["cell.read_voltage"], p["technology.supply_voltage"])
                cell += supply * current * p["cell.read_time"]
    plane = array.plane_energy(rows=24, columns=10, input_density=float(inputs.mean()), level_fraction=2 / 3)
    assert plane["cell"] == close(cell, rel=1e-12)
    assert plane["word_line_driver"] == close(word, rel=1e-12)
    assert plane["dac"] == close(dac, rel=1e-12)
    assert plane["adc"] == close(10 * array.adc.convert().energy, rel=1e-12)


def test_time_of_a_plane_is_turns_of_staircase_and_conversion() -> None:
    array, p = parts().array, DESIGN.parameters.nominal()
    turns = p["array.columns_per_adc"]
    assert array.plane_time["cell"] == close(turns * 3 * p["cell.read_time"])
    assert array.plane_time["adc"] == close(turns * array.adc.convert().latency)


def test_area_adds_up_and_grows_with_every_dimension() -> None:
    base = sum(parts().array.area.values())
    assert sum(parts(array__rows=256.0).array.area.values()) > base
    assert sum(parts(array__cols=256.0).array.area.values()) > base
    assert sum(parts(array__columns_per_adc=4.0).array.area.values()) > base
    assert parts().array.side == pytest.approx(base**0.5)


def test_no_level_shifters_for_a_cell_written_at_the_logic_supply() -> None:
    assert parts(cell__high_voltage_write=0.0).array.area["write_path"] == 0
