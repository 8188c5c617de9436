"""Cells, lines, converters and digital steps that a configuration turns into: by hand and by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from macro_cases import KINDS, macro, nominal, priced
from tolerance import close

from cost_models.arrays.digital_cim import AdderTreeArray, RippleColumnArray
from cost_models.circuits.adc_ramp import RampAdc
from cost_models.circuits.technology import Technology
from cost_models.macros.cells import cell_area, input_line, read_cell, sum_line
from cost_models.macros.converters import converter_of, input_converter_of
from cost_models.macros.digital import digital_step
from cost_models.macros.step import Activity, Step


def parts(configuration: Mapping[str, Any]) -> tuple[Any, Technology, dict[str, Any]]:
    p = nominal(configuration)
    return macro(configuration), Technology.of(p), p


# --- cells and lines ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "keys", "cells", "looser"),
    [
        ("tree", {"transistors_per_cell": 6.0}, 1.0, False),
        ("tree", {"transistors_per_cell": 8.0}, 8 / 6, False),
        # Cells that no foundry draws by the rules of its memories: more transistors, a capacitor, or unknown.
        ("tree", {"transistors_per_cell": 12.0}, 2.0, True),
        ("charge", {"transistors_per_cell": 6.0}, 1.0, True),
        ("tree", {}, 8 / 6, True),
    ],
)
def test_area_of_a_static_cell_goes_by_its_transistors(
    kind: str, keys: dict[str, float], cells: float, looser: bool
) -> None:
    found, technology, p = parts(KINDS[kind] | keys)
    ratio = p["macro.cell_area_ratio"] if looser else 1.0
    assert p["macro.transistors_per_cell"] == 8.0 and p["macro.cell_area_ratio"] > 1.0
    assert cell_area(found, technology, p) == close(technology.sram_cell_area * cells * ratio)


def test_area_of_a_resistive_cell_goes_by_squares_of_the_node_unless_stated() -> None:
    found, technology, p = parts(KINDS["conduction"])
    assert cell_area(found, technology, p) == close(p["macro.rram.cell_area"] * 28e-9**2)
    device = KINDS["conduction"] | {"device": "rram_1t1r_neurram_130nm"}
    assert cell_area(*parts(device)) == parts(device)[2]["device.cell_area"]
    assert cell_area(*parts(device | {"cell_area": 3e-13})) == 3e-13


def test_lines_by_hand() -> None:
    found, technology, p = parts(KINDS["discharge"] | {"rows": 32.0})
    # Cells of 1 um^2, twice as wide as high: pitch 1.414 um along a row, 0.707 um along a column.
    assert p["macro.cell_aspect_ratio"] == 2.0
    width = p["macro.access_width"] * 28e-9
    row, column = input_line(found, technology, p, 1e-12), sum_line(found, technology, p, 1e-12)
    assert (row.cells, column.cells) == (64.0, 32.0)
    assert row.pitch == close(2**0.5 * 1e-6) and column.pitch == close(0.5**0.5 * 1e-6)
    gate = technology.transistor_gate_capacitance_per_width * width
    assert row.cell_capacitance == close(p["macro.word_line_gates"] * gate)
    assert column.cell_capacitance == close(technology.transistor_drain_capacitance_per_width * width)
    # A resistive cell is square and has one gate.
    row = input_line(*parts(KINDS["conduction"]), 1e-12)
    assert row.pitch == close(1e-6) and row.cell_capacitance == close(gate)


def test_all_active_cells_together_discharge_a_line_by_the_full_swing() -> None:
    found, technology, p = parts(KINDS["discharge"] | {"rows_active": 16.0})
    cell = read_cell(found, technology, p, pulse=1e-10, pulses=15.0)
    line = sum_line(found, technology, p, cell_area(found, technology, p))
    charge = 16 * 15 * cell.on_current * 1e-10
    assert charge == close(line.capacitance * p["macro.bit_line_swing"] * 0.9)
    assert cell.off_current == 0.0
    assert cell.read(1.0).energy * 16 * 15 == close(charge * 0.9)


def test_a_stated_supply_feeds_the_currents() -> None:
    keys = KINDS["conduction"]
    core, own = (priced(keys | {"read_supply_voltage": volts}) for volts in (0.9, 0.3))
    assert own.energy["cell"] == close(core.energy["cell"] / 3)
    assert priced(keys).energy["cell"] == close(core.energy["cell"])


# --- converters ---------------------------------------------------------------------------------------------


def test_a_bit_needs_no_input_converter() -> None:
    assert input_converter_of(*parts(KINDS["discharge"]), 1e-6) is None
    assert input_converter_of(*parts(KINDS["pulse width"] | {"input_bits": 1.0}), 1e-6) is None


@pytest.mark.parametrize(("differential", "steps"), [(False, 16), (True, 8)])
def test_pulses_count_the_magnitude_of_an_input(differential: bool, steps: int) -> None:
    """A pulse lasts as many steps with a stated clock as without; beside pairs its sign is apart."""
    keys = KINDS["pulse width"] | {"differential": differential}
    free = input_converter_of(*parts(keys), 1e-6)
    clocked = input_converter_of(*parts(keys | {"pulse_clock": 1e9}), 1e-6)
    assert free is not None and clocked is not None
    assert clocked.convert().latency == close(steps * 1e-9)
    assert macro(keys | {"pulse_clock": 1e9}).pulse == close(steps * 1e-9)
    assert free.convert().energy == close(clocked.convert().energy)


def test_columns_of_a_ramp_share_its_counter_unless_each_ends_at_its_own_code() -> None:
    keys = KINDS["magnetic"] | {"adc.bits": 6.0}
    for early, columns in ((False, 64.0), (True, 1.0)):
        found = parts(keys | {"adc.ends_early": early})
        converter = converter_of(*found, full_scale=0.36, code=0.25)
        assert isinstance(converter, RampAdc) and converter.columns == columns


# --- digital steps ------------------------------------------------------------------------------------------


def step(configuration: Mapping[str, Any], **given: float) -> Step:
    found, technology, p = parts(configuration)
    return digital_step(found, Activity.of(given), technology, p)


def array(configuration: Mapping[str, Any], **changes: Any) -> AdderTreeArray | RippleColumnArray:
    """The array of a 64 x 64 macro of 4-bit weights, from the keys of its class."""
    found, technology, p = parts(configuration)
    common: dict[str, Any] = {
        "technology": technology, "rows": 64.0, "weight_bits": 4.0,
        "input_line": input_line(found, technology, p, cell_area(found, technology, p)),
        "input_toggle": 0.5, "weight_density": 0.5,
    }  # fmt: skip
    if found.accumulator == "ripple_column":
        own = {"outputs": 6.0, "sum_bits": 6.0, "surviving": p["macro.chain_glitch_share"]}
        return RippleColumnArray(**(common | own | changes))
    own = {"outputs": 16.0, "sum_bits": 14.0, "input_bits": 1.0, "glitches": p["macro.glitch_ratio"]}
    return AdderTreeArray(**(common | own | changes))


@pytest.mark.parametrize(
    ("kind", "keys", "changes"),
    [
        ("tree", {}, {}),
        ("tree", {"rows_active": 16.0}, {"rows": 16.0}),
        ("tree", {"output_bits": 20.0}, {"sum_bits": 20.0}),
        ("tree", {"pipeline_registers": 1.0}, {"pipelined": True}),
        ("booth", {}, {"input_bits": 2.0}),
        ("ripple", {}, {"depth": 8.0}),
        ("ripple", {"pipeline_registers": 1.0}, {"depth": 64.0}),
    ],
)
def test_step_is_that_of_the_array(kind: str, keys: dict[str, float], changes: dict[str, Any]) -> None:
    taken, expected = step(KINDS[kind] | keys), array(KINDS[kind] | keys, **changes)
    assert taken.energy == close(expected.step_energy())
    assert taken.time == close(expected.step_time)
    assert {name: taken.area[name] for name in expected.area} == close(expected.area)
    found, technology, p = parts(KINDS[kind] | keys)
    assert taken.area["cell"] == close(64 * 64 * cell_area(found, technology, p))
    assert taken.turns == 1.0 and not taken.conversion_energy and taken.conversion_time == 0.0


def test_a_clock_cuts_a_column_where_registers_are_not_stated() -> None:
    keys = {k: v for k, v in KINDS["ripple"].items() if k != "pipeline_registers"}
    technology = parts(keys)[1]
    adder = technology.xor_delay_ratio * technology.delay
    # Neither stated: 8. A period of 20 adders: 20. A slow clock: the whole column; a fast one: each adder.
    for period, depth in ((None, 8.0), (20 * adder, 20.0), (1e-6, 64.0), (adder / 2, 1.0)):
        clocked = keys if period is None else keys | {"clock": 1 / period}
        assert step(clocked).energy["cell"] == close(array(keys, depth=depth).step_energy()["cell"])
    # Registers that are stated go before the clock.
    both = step(KINDS["ripple"] | {"clock": 1 / (20 * adder)})
    assert both.energy == close(step(KINDS["ripple"]).energy)


def test_data_reach_the_array() -> None:
    for kind in ("tree", "ripple"):
        quiet = step(KINDS[kind], input_toggle=0.1, weight_density=0.2)
        assert quiet.energy == close(
            array(
                KINDS[kind],
                input_toggle=0.1,
                weight_density=0.2,
                **({"depth": 8.0} if kind == "ripple" else {}),
            ).step_energy()
        )
