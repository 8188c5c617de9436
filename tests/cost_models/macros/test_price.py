"""The bill of one product: parts, control, leakage, floorplan, boundaries, clocks, blocks of points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from macro_cases import KINDS, configurations, dynamic_energy, macro, nominal, priced, public_questions
from tolerance import close

from cost_models.circuits.logic import Decoder, RegisterBank
from cost_models.circuits.sram import CELL_LEAKAGE_RATIO, Sram
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import HTree
from cost_models.macros.metrics import MacroCost
from cost_models.macros.parameters import calibration_name, model_form_name, parameters_of
from cost_models.macros.price import price
from cost_models.uncertainty import sample
from device_params.chip_vocabulary import SettingValue
from device_params.errors import InputError
from device_params.nodes import technology_at

TREE = KINDS["tree"]

#: Parts whose area does not leak as gates.
SILENT = ("cell", "adc", "write_path", "buffer")


def bare(configuration: Any, boundary: str = "macro", **changes: Any) -> MacroCost:
    """Without factors of calibration."""
    p = nominal(configuration)
    ones = {name.replace(".", "__"): 1.0 for name in p if name.startswith("macro.calibration.")}
    return priced(configuration, None, boundary, **(ones | changes))


def test_registers_hold_inputs_and_outputs_once() -> None:
    for kind in ("discharge", "charge"):
        technology = Technology.of(nominal(KINDS[kind]))
        # 64 inputs of 4 bits, 16 outputs of 4 + 4 + 6.
        stored = RegisterBank(technology, 64 * 4 + 16 * 14)
        cost = bare(KINDS[kind])
        assert cost.energy["register"] == close(stored.load().energy)
        overhead = nominal(KINDS[kind])["macro.layout_overhead"]
        assert cost.area["register"] == close(overhead * stored.area)


def test_control_is_a_sequencer_at_every_turn_and_a_share_of_what_it_serves() -> None:
    keys = KINDS["discharge"] | {"adc.columns": 8.0}
    p = nominal(keys)
    cost = bare(keys)
    tick = RegisterBank(Technology.of(p), p["macro.sequencer_flip_flops"]).load().energy
    served = sum(v for k, v in cost.energy.items() if k not in ("cell", "control", "leakage"))
    assert cost.energy["control"] == close(4 * 8 * tick + p["macro.control_fraction"] * served)
    # Joined before conversion: 4 steps, and 7 more turns after the last.
    joined = bare(keys | {"input_combination": "analog"})
    served = sum(v for k, v in joined.energy.items() if k not in ("cell", "control", "leakage"))
    assert joined.energy["control"] == close(11 * tick + p["macro.control_fraction"] * served)


def test_decoder_works_where_groups_take_turns() -> None:
    assert bare(TREE).energy["decoder"] == 0.0
    grouped = TREE | {"rows_active": 16.0}
    decoder = Decoder(technology=Technology.of(nominal(grouped)), lines=64.0)
    assert bare(grouped).energy["decoder"] == close(4 * 4 * decoder.select().energy)


def test_operations_after_accumulation() -> None:
    keys = TREE | {"near_memory_operations": 3.0}
    p = nominal(keys)
    scalar = (p["technology.multiply_energy"] + p["technology.add_energy"]) / 2
    volts = (0.9 / p["technology.arithmetic_voltage"]) ** 2
    assert bare(keys).energy["special_function"] == close(3 * 16 * scalar * volts)
    assert bare(TREE).area["special_function"] == 0.0 < bare(keys).area["special_function"]


def test_leakage_is_static_power_over_the_time_of_a_product() -> None:
    p = nominal(TREE)
    technology = Technology.of(p)
    cost = bare(TREE)
    # Gates leak by their area; converters, which hold mostly capacitors, and thick oxide do not.
    logic = sum(v for k, v in cost.area.items() if k not in SILENT) / p["macro.layout_overhead"]
    cells = cost.area["cell"] / technology.sram_cell_area * CELL_LEAKAGE_RATIO
    static = (logic / technology.gate_area + cells) * technology.leakage
    assert cost.energy["leakage"] == close(static * cost.mvm_time)
    longer = bare(TREE | {"mvm_time": 1e-6})
    assert longer.energy["leakage"] == close(static * 1e-6)
    assert dynamic_energy(longer) == close(dynamic_energy(cost))
    # Resistive cells keep their state without supply: of any area they leak nothing.
    resistive = bare(KINDS["conduction"])
    logic = sum(v for k, v in resistive.area.items() if k not in SILENT) / p["macro.layout_overhead"]
    static = logic / technology.gate_area * technology.leakage
    assert resistive.energy["leakage"] == close(static * resistive.mvm_time)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_areas_of_all_but_cells_take_the_overhead(kind: str) -> None:
    dense, loose = (bare(KINDS[kind], macro__layout_overhead=value) for value in (1.0, 1.5))
    assert loose.area["cell"] == close(dense.area["cell"])
    # Control is a share of a periphery that has grown already.
    for name in dense.area.keys() - {"cell"}:
        assert loose.area[name] == close(1.5 * dense.area[name])


def test_an_array_has_no_registers_and_no_control() -> None:
    parts = priced(KINDS["discharge"], None, "array")
    assert set(parts.energy) <= {
        "cell", "word_line_driver", "bit_line_driver", "dac", "adc", "multiplexer", "leakage",
    }  # fmt: skip
    whole = priced(KINDS["discharge"])
    assert {name: parts.energy[name] for name in ("cell", "adc")} == {
        name: close(whole.energy[name]) for name in ("cell", "adc")
    }


def test_a_core_has_buffers_and_a_chip_wires() -> None:
    keys = TREE | {"arrays": 16.0, "input_buffer": 4096.0, "output_buffer": 2048.0}
    p = nominal(keys)
    technology = Technology.of(p)
    macro_, core, chip = (bare(keys, boundary) for boundary in ("macro", "core", "chip"))
    read, written = Sram(technology, 4096.0, 128.0), Sram(technology, 2048.0, 128.0)
    # Each array takes 64 inputs of 4 bits and gives 16 outputs of 14.
    energy = 16 * (256 / 128 * read.read().energy + 224 / 128 * written.write().energy)
    assert core.energy["buffer"] == close(energy)
    assert core.area["buffer"] == close(p["macro.layout_overhead"] * (read.area + written.area))
    static = (read.leakage_power + written.leakage_power) * core.mvm_time
    assert core.energy["leakage"] == close(macro_.energy["leakage"] + static)
    assert "wire" not in core.area
    tree = HTree(technology, sum(core.area.values()) ** 0.5, 16.0, 128.0)
    assert chip.energy["wire"] == close(16 * tree.unicast(256.0).energy + 16 * tree.unicast(224.0).energy)
    rest = macro_.energy.keys() - {"leakage"}
    assert {name: chip.energy[name] for name in rest} == {name: close(macro_.energy[name]) for name in rest}


def test_unknown_boundary_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"boundary: unknown boundary; got 'cores'.*did you mean 'core'"):
        priced(TREE, None, "cores")


def test_a_clock_sets_time_and_only_time_of_gates() -> None:
    free, set_ = priced(TREE), priced(TREE | {"clock": 1e8})
    assert set_.cycle_time == close(1e-8) and set_.mvm_time == close(4e-8)
    assert dynamic_energy(set_) == close(dynamic_energy(free))
    # Nothing but the clock ends the current of a resistive cell.
    keys = {k: v for k, v in KINDS["conduction"].items() if k != "read_time"}
    slow, fast = (priced(keys | {"clock": hertz}) for hertz in (1e7, 2e7))
    assert slow.energy["cell"] == close(2 * fast.energy["cell"])


def test_calibration_and_doubt_multiply_what_they_name() -> None:
    for name in ("tree", "charge", "pulse width", "oscillator"):
        keys = KINDS[name]
        base, macro, p = bare(keys), bare(keys).macro, nominal(keys)
        for factor_of in (calibration_name, model_form_name):
            factors = {factor_of(macro, k): v for k, v in (("energy", 2.0), ("time", 3.0), ("area", 5.0))}
            assert factors.keys() <= p.keys()
            more = bare(keys, **{key.replace(".", "__"): value for key, value in factors.items()})
            assert more.energy == {part: close(2 * value) for part, value in base.energy.items()}
            assert more.area == {part: close(5 * value) for part, value in base.area.items()}
            assert more.mvm_time == close(3 * base.mvm_time)
    clocked = bare(TREE | {"clock": 1e8}, macro__calibration__digital__time=3.0)
    assert clocked.mvm_time == close(4e-8) and clocked.cycle_time == close(1e-8)
    assert bare(TREE | {"mvm_time": 1e-7}, macro__calibration__digital__time=3.0).mvm_time == close(1e-7)


@given(configurations())
@settings(max_examples=60)
def test_parts_are_finite_and_not_negative_and_arrays_add_up(configuration: dict[str, SettingValue]) -> None:
    one = priced(configuration | {"arrays": 1.0})
    many = priced(configuration | {"arrays": 6.0})
    for table, larger in ((one.energy, many.energy), (one.area, many.area)):
        assert all(np.isfinite(value) and value >= 0.0 for value in table.values())
        assert larger == {name: close(6 * value) for name, value in table.items()}
    assert many.mvm_time == close(one.mvm_time) and many.cycle_time == close(one.cycle_time)
    assert many.macro.macs == 6 * one.macro.macs


@pytest.mark.parametrize("name", sorted(public_questions()))
def test_blocks_agree_with_one_point_at_a_time(name: str) -> None:
    """All parameters as [points]: each point costs what it costs alone."""
    question = public_questions()[name]
    found = macro(question.configuration)
    parameters = parameters_of(found, technology_at(found.node))
    drawn = sample(parameters, 3, 0)
    block = price(found, question.activity, question.boundary, drawn)
    for index in range(3):
        values = {key: value[index] if np.ndim(value) else value for key, value in drawn.items()}
        single = price(found, question.activity, question.boundary, values)
        for some, one in ((block.energy, single.energy), (block.area, single.area)):
            for part, value in one.items():
                assert np.broadcast_to(some[part], (3,))[index] == close(value, rel=1e-9), part
        assert np.broadcast_to(block.mvm_time, (3,))[index] == close(single.mvm_time, rel=1e-9)
