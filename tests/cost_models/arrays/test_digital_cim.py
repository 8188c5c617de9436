"""Arrays of gates: energy, time and area by hand, limits, what must grow, other namespaces."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from technologies import floats_and_arrays_agree, technology
from tolerance import close

from cost_models.arrays.activity import chain_transitions, tree_transitions
from cost_models.arrays.digital_cim import AdderTreeArray, RippleColumnArray
from cost_models.circuits.inverter import fanout_of_four
from cost_models.circuits.lines import Line
from cost_models.circuits.technology import Technology

#: Unit gate of 1 fJ and 1 um^2, full adders 6 and 10 of them, flip-flops 3 and 5.
ROUND = technology(
    supply_voltage=1.0,
    nominal_voltage=1.0,
    gate_capacitance=1e-15,
    gate_area=1e-12,
    gate_delay=10e-12,
    full_adder_capacitance_ratio=6.0,
    full_adder_area_ratio=10.0,
    full_adder_delay_ratio=4.0,
    flip_flop_capacitance_ratio=3.0,
    flip_flop_area_ratio=5.0,
    xor_delay_ratio=2.0,
)
LINE = Line(cells=8.0, pitch=1e-6, cell_capacitance=0.5e-15, wire_capacitance=250e-12, wire_resistance=1e6)


def tree(technology: Technology = ROUND, **changes: Any) -> AdderTreeArray:
    array = AdderTreeArray(
        technology=technology,
        rows=4.0,
        outputs=2.0,
        weight_bits=2.0,
        input_bits=1.0,
        sum_bits=6.0,
        input_line=LINE,
        input_toggle=0.5,
        weight_density=0.5,
        glitches=1.0,
    )
    return dataclasses.replace(array, **changes)


def ripple(technology: Technology = ROUND, **changes: Any) -> RippleColumnArray:
    array = RippleColumnArray(
        technology=technology,
        rows=8.0,
        outputs=2.0,
        weight_bits=2.0,
        sum_bits=3.0,
        depth=4.0,
        input_line=LINE,
        input_toggle=0.5,
        weight_density=0.5,
        surviving=0.5,
    )
    return dataclasses.replace(array, **changes)


def test_step_of_a_tree_by_hand() -> None:
    energy = tree().step_energy()
    # Line 8*(0.5 + 0.25) fF = 6 fF; 4 inputs, half toggle, half of these rise: 1 line, drivers a third more.
    assert energy["word_line_driver"] == close(8e-15)
    # 2 outputs * 4 rows * 2 AND gates, a quarter of the products toggle, half of these rise: 2 gates.
    assert energy["cell"] == close(2e-15)
    # Transitions t of an adder, half of them rises. Tree 4*(2 + 1) - (2 + 2 + 1) = 7 full adders, accumulator
    # 6: 2 outputs * 13 * 6 fJ * t/2.
    t = tree_transitions(products=0.25, inputs=4.0, width=2.0)
    assert energy["accumulation"] == close(2 * 13 * 6e-15 * t / 2)
    # 6 flip-flops an output: a third of each is clock, the rest switches with t/2.
    assert energy["register"] == close(2 * 6 * 3e-15 * (1 / 3 + 2 / 3 * t / 2))


def test_time_and_area_of_a_tree_by_hand() -> None:
    array = tree()
    register = 2 * fanout_of_four(ROUND)
    # AND 1; tree 2 sums of 4 and 2 + 2 - 1 = 3 carries of 2: 14; accumulator 4 + 5*2 = 14; 10 ps each.
    assert array.step_time == close(LINE.delay + 29 * 10e-12 + register)
    # With a register between them the longer part counts: 1 + 14.
    assert tree(pipelined=True).step_time == close(LINE.delay + 15 * 10e-12 + register)
    # An output: 4 rows * 2 gates, (7 + 6) full adders of 10 um^2, 6 flip-flops of 5. Pipeline: 4 more.
    assert array.area["accumulation"] == close(2 * (8 + 130) * 1e-12)
    assert array.area["register"] == close(2 * 30e-12)
    assert tree(pipelined=True).area["register"] == close(2 * 50e-12)
    # Driver: a third of 6 fF in unit gates of 1 fF = 2 gates a row.
    assert array.area["word_line_driver"] == close(4 * 2e-12)


def test_booth_rows_by_hand() -> None:
    # Four bits a step: 2 partial products, each 3 selectors of 3.5 gates and a share of an encoder of 6.5.
    # An output: 4 rows * 2 * (10.5 + 6.5/2) = 110 gates, 4 * (2 - 1) * (2 + 2) = 16 full adders; the tree of
    # width 5: 4*6 - (5 + 2 + 1) = 16, and the accumulator's 6.
    array = tree(input_bits=4.0)
    assert array.area["accumulation"] == close(2 * (110 + (16 + 16 + 6) * 10) * 1e-12)
    assert array.step_energy()["cell"] == close(2 * 110 * 0.25 / 2 * 1e-15)
    # Selector 3.5 and one sum of 4 before the tree: 2*4 + 6*2 = 20, then 14.
    expected = (3.5 + 4 + 20 + 14) * 10e-12
    assert array.step_time == close(LINE.delay + expected + 2 * fanout_of_four(ROUND))


def test_step_of_a_ripple_column_by_hand() -> None:
    array = ripple()
    energy = array.step_energy()
    # 8 inputs, half toggle, half of these rise: 2 lines of 6 fF, drivers a third more.
    assert energy["word_line_driver"] == close(16e-15)
    # 2 outputs * 8 rows * (2 AND gates * 0.25/2 and 5 full adders of 6 fJ * transitions/2).
    t = chain_transitions(products=0.25, depth=4.0, surviving=0.5)
    assert energy["cell"] == close(2 * 8 * (2 * 0.125 + 5 * 6 * t / 2) * 1e-15)
    # 5 columns cut twice: 10 flip-flops an output.
    assert energy["register"] == close(2 * 10 * 3e-15 * (1 / 3 + 2 / 3 * t / 2))
    # 4 XOR of 2 and 5 carries of 2: 18 gate delays.
    assert array.step_time == close(LINE.delay + 180e-12 + 2 * fanout_of_four(ROUND))
    assert array.area["accumulation"] == close(2 * 8 * (2 + 5 * 10) * 1e-12)
    assert array.area["register"] == close(2 * 10 * 5e-12)


@pytest.mark.parametrize("build", [tree, ripple])
def test_still_inputs_leave_the_clock_alone(build: Any) -> None:
    energy = build(input_toggle=0.0).step_energy()
    assert energy.pop("register") > 0.0
    assert all(value == 0.0 for value in energy.values())


@pytest.mark.parametrize("build", [tree, ripple])
def test_zero_weights_silence_the_adders_but_not_the_lines(build: Any) -> None:
    energy = build(weight_density=0.0).step_energy()
    assert energy["cell"] == 0.0 and energy["word_line_driver"] > 0.0


@pytest.mark.parametrize("build", [tree, ripple])
@pytest.mark.parametrize(
    "name", ["rows", "outputs", "weight_bits", "sum_bits", "input_toggle", "weight_density"]
)
def test_more_is_never_cheaper(build: Any, name: str) -> None:
    small, large = build(), build(**{name: 2 * getattr(build(), name)})
    less, more = small.step_energy(), large.step_energy()
    # Wider weights put more of a tree's bits on its calm lowest level, whose mean the accumulator takes over.
    for part in less.keys() - ({"register"} if name == "weight_bits" else set()):
        assert more[part] >= less[part] * (1 - 1e-12)
    assert sum(large.step_energy().values()) > sum(small.step_energy().values())
    assert sum(large.area.values()) >= sum(small.area.values())
    assert large.step_time >= small.step_time


def test_longer_chains_glitch_more_and_take_longer() -> None:
    short, long = ripple(depth=2.0), ripple(depth=8.0)
    assert long.step_energy()["cell"] > short.step_energy()["cell"]
    assert long.step_energy()["register"] < short.step_energy()["register"]
    assert long.step_time > short.step_time


def test_a_single_row_adds_nothing_in_its_tree() -> None:
    array = tree(rows=1.0)
    # Only the accumulator is left; it sees the products themselves, a quarter toggling, half of it rises.
    assert array.step_energy()["accumulation"] == close(2 * 6 * 6e-15 * 0.125)


@pytest.mark.parametrize("build", [tree, ripple])
def test_numbers_blocks_and_tensors_agree(build: Any) -> None:
    for part in ("cell", "register"):
        floats_and_arrays_agree(lambda t, part=part: build(t).step_energy()[part])
    floats_and_arrays_agree(lambda t: build(t).step_time, slope="gate_delay")
    floats_and_arrays_agree(lambda t: sum(build(t).area.values()), slope="gate_area")
