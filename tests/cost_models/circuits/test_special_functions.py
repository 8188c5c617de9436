"""Special functions: counts times blocks, passes of a row, and the figures that bound them."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from technologies import floats_and_arrays_agree, technology
from tolerance import close

from cost_models.circuits.special_functions import (
    OPERATIONS,
    ROW_OPERATIONS,
    SpecialFunctionUnit,
    bounds,
)


def unit(
    width: float = 16.0, lanes: float = 4.0, node: float = 28.0, **changes: float
) -> SpecialFunctionUnit:
    return SpecialFunctionUnit(technology(node, **changes), lanes, 1e9, width)


def test_exponential_by_hand() -> None:
    found = unit()
    register = found.register.load().energy
    multiply, add = found.multiplier.multiply().energy, found.adder.add().energy
    table = found.table.read().energy
    # 1 look-up, 2 multiplications, 3 additions, a register each
    expected = table + 2 * multiply + 3 * add + 6 * register
    assert found.apply("exponential").energy == close(expected)
    # 256 values and slopes of 16 bits: 1 KB, 32 bits wide
    assert (found.table.capacity, found.table.width) == (1024.0, 32.0)


@pytest.mark.parametrize("function", OPERATIONS)
def test_energy_and_time_add_over_values(function: str) -> None:
    found = unit()
    one, many = found.apply(function), found.apply(function, 400.0)
    assert many.energy == close(400 * one.energy)
    # 100 values a lane behind a pipeline of six
    assert many.latency == close(106e-9)
    assert found.apply(function, 0.0).energy == 0.0


def test_a_longer_recipe_costs_more() -> None:
    found = unit()
    costs = {name: found.apply(name).energy for name in OPERATIONS}
    assert costs["reciprocal_square_root"] > costs["reciprocal"] > costs["exponential"]
    assert costs["power"] > costs["exponential"]


def test_elu_plus_one_between_addition_and_exponential() -> None:
    found = unit()
    positive, half, negative = (found.elu_plus_one(1.0, share).energy for share in (0.0, 0.5, 1.0))
    assert positive == close(found.energy({"add": 2}))
    assert negative == close(found.energy({"add": 1}) + found.apply("exponential").energy)
    assert half == close((positive + negative) / 2)


@pytest.mark.parametrize("function", ROW_OPERATIONS)
def test_rows_add_and_pass_three_times(function: str) -> None:
    found = unit()
    one = found.normalise(function, 1.0, 64.0)
    assert found.normalise(function, 10.0, 64.0).energy == close(10 * one.energy)
    # three passes of 16 values a lane and six stages: 66 clocks
    assert one.latency == close(66e-9)
    value = (
        found.normalise(function, 1.0, 65.0).energy - one.energy,
        found.energy(ROW_OPERATIONS[function][0]),
    )
    assert value[0] == close(value[1], rel=1e-9)


def test_softmax_holds_an_exponential_and_a_product_a_value() -> None:
    value, row = ROW_OPERATIONS["softmax"]
    known = OPERATIONS["exponential"]
    # beside the exponential: compare, subtract, sum; times the reciprocal
    assert {name: value[name] - known[name] for name in known} == {"table": 0, "multiply": 1, "add": 3}
    assert row == OPERATIONS["reciprocal"]


@given(width=st.floats(8, 32), more=st.floats(1, 8))
def test_wider_numbers_cost_more(width: float, more: float) -> None:
    small, wide = unit(width), unit(width + more)
    assert wide.apply("gelu").energy > small.apply("gelu").energy
    assert wide.area > small.area
    assert wide.leakage_power > small.leakage_power


def test_lanes_cost_area_and_save_time() -> None:
    few, many = unit(lanes=4.0), unit(lanes=8.0)
    assert many.area == close(2 * few.area)
    assert many.apply("gelu", 800.0).latency < few.apply("gelu", 800.0).latency
    assert many.apply("gelu", 800.0).energy == close(few.apply("gelu", 800.0).energy)


def test_inside_the_interval_of_the_technology_file() -> None:
    # special_function_energy at 28 nm: 0.91 pJ, 0.3 to 2.7, from the same sources by another way
    for name in OPERATIONS:
        assert 0.3e-12 < unit().apply(name).energy < 2.7e-12, name
    low, high = bounds(unit().apply("exponential").energy)
    assert low < 0.91e-12 < high


def test_softmax_is_a_small_part_of_an_attention_accelerator() -> None:
    # ITA, 22 nm, 0.8 V, INT8: 16.9 TOPS/W with softmax. A score of 64-wide heads, 256 operations: 15.1 pJ.
    found = unit(8.0, node=22.0, supply_voltage=0.8).normalise("softmax", 1.0, 64.0).energy / 64
    share = found / (256 / 16.9e12)
    print(f"softmax, a score: {found * 1e12:.2f} pJ, {share:.1%} of ITA's energy a score")
    assert 0.005 < share < 0.3


def test_floats_blocks_and_tensors_agree() -> None:
    def attention(tech: Any) -> object:
        return SpecialFunctionUnit(tech, 4.0, 1e9).normalise("softmax", 8.0, 64.0).energy

    floats_and_arrays_agree(attention)
