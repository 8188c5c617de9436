"""Sequencer, clock tree, power switch, temperature: arithmetic by hand, limits, runaway."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from technologies import floats_and_arrays_agree, technology
from tolerance import close

from cost_models.circuits.control import ClockTree, PowerSwitch, Sequencer
from cost_models.circuits.logic import RegisterBank
from cost_models.circuits.thermal import HEAT_SINK_PACKAGE, Package, hot_spot, leakage_factor

GATE = 0.7e-15 * 0.81


def test_sequencer_by_hand() -> None:
    found = Sequencer(technology(), states=16.0, counter_bits=12.0, outputs=20.0)
    # 4 + 12 + 20 flip-flops of 1.5 gates; 16·10 + 2.5·12 = 190 gates, a quarter
    assert found.step().energy == close(36 * 1.5 * GATE + 0.25 * 190 * GATE)
    assert found.area == close((36 * 6 + 190) * 0.614e-12)
    assert found.leakage_power == close((36 * 6 + 190) * 0.5e-9)


def test_clock_tree_by_hand() -> None:
    tree = ClockTree(technology(), flip_flops=512.0, side=1e-3)
    # 16 leaves: 0.5 mm to the centre and 3/2·(4 - 1) mm; 0.65·√512·1 mm inside the leaves
    assert tree.trunk_length == close(5e-3)
    assert tree.leaf_length == close(0.65 * math.sqrt(512) * 1e-3)
    length = tree.trunk_length + tree.leaf_length
    assert tree.cycle().energy == close(4 / 3 * length * 0.2e-9 * 0.81)
    gated = ClockTree(technology(), 512.0, 1e-3, enabled=0.0)
    assert gated.cycle().energy == close(4 / 3 * 5e-3 * 0.2e-9 * 0.81)
    assert tree.area > 0 and tree.leakage_power > 0


def points(count: int, side: float, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((count, 2)) * side


def spanning_length(where: np.ndarray) -> float:
    """Length of the shortest tree over points (Prim)."""
    distance = np.linalg.norm(where[:, None] - where, axis=2)
    near, left, total = distance[0].copy(), np.ones(len(where), dtype=bool), 0.0
    left[0] = False
    while left.any():
        new = int(np.argmin(np.where(left, near, np.inf)))
        total += near[new]
        left[new] = False
        near = np.minimum(near, distance[new])
    return total


def test_wires_inside_the_leaves_are_a_shortest_tree_of_random_points() -> None:
    lengths = [spanning_length(points(400, 1e-3, seed)) for seed in range(5)]
    assert ClockTree(technology(), 400.0, 1e-3).leaf_length == close(np.mean(lengths), rel=0.05)


def test_clock_wires_cost_a_few_times_the_pins_in_a_sparse_block() -> None:
    tree, pins = ClockTree(technology(), 10000.0, 1e-3), RegisterBank(technology(), 10000.0, activity=0.0)
    assert 0.5 < tree.cycle().energy / pins.load().energy < 5


def switch(leakage: float = 1e-3, capacitance: float = 1e-9, current: float = 0.1) -> PowerSwitch:
    return PowerSwitch(technology(), leakage, capacitance, current)


def test_power_switch_by_hand() -> None:
    found = switch()
    # 2·2600 Ω·µm·0.1 A/(0.05·0.9 V) = 11.56 mm
    assert found.width == close(2 * 2600e-6 * 0.1 / 0.045)
    # 0.1·width·0.5 nW/0.3 µm = 1.926 µW
    assert found.leakage_power == close(0.1 * found.width * 0.5e-9 / 0.3e-6)
    gate = found.width * 0.85e-9 * 4 / 3
    assert found.wake().energy == close((1e-9 + gate) * 0.81)
    assert found.wake().latency == close(1e-9 * 0.9 / 0.1)
    assert found.break_even_time == close(found.wake().energy / (1e-3 - found.leakage_power))


@given(factor=st.floats(0, 100))
def test_idling_costs_no_more_than_either_way(factor: float) -> None:
    found = switch()
    duration = factor * float(found.break_even_time)
    cost = found.idle(duration)
    stay, gated = 1e-3 * duration, found.wake().energy + found.leakage_power * duration
    assert cost.energy == close(min(stay, gated)) if duration else cost.energy == 0
    assert (cost.latency > 0) == (gated < stay)


def test_a_block_that_leaks_less_than_its_switch_is_never_gated() -> None:
    found = switch(leakage=1e-9)
    assert found.leakage_power == 1e-9
    assert found.break_even_time == math.inf
    assert found.idle(1e3).latency == 0.0


def test_leakage_doubles() -> None:
    assert (leakage_factor(300.0), leakage_factor(313.0), leakage_factor(287.0)) == close((1.0, 2.0, 0.5))


def test_hot_spot_by_hand() -> None:
    # 10 mW on 0.1 mm by 0.1 mm: 0.01/(4·120·0.1 mm/√π = 0.02708) = 0.3693 K
    assert hot_spot(power=0.01, area=1e-8) == close(0.36928, rel=1e-4)
    assert hot_spot(power=0.01, area=4e-8) == close(0.36928 / 2, rel=1e-4)


def test_temperature_without_leakage_is_a_product() -> None:
    assert Package(30.0, 298.0).temperature(dynamic=0.5, leakage=0.0) == close(313.0)


@given(
    dynamic=st.floats(0, 2),
    leakage=st.floats(1e-4, 0.05),
    resistance=st.floats(0.1, 20),
    ambient=st.floats(280, 330),
)
def test_heat_and_leakage_agree(dynamic: float, leakage: float, resistance: float, ambient: float) -> None:
    package = Package(resistance, ambient)
    found = float(package.temperature(dynamic=dynamic, leakage=leakage))
    if math.isfinite(found):
        power = dynamic + leakage * leakage_factor(found)
        assert found == close(ambient + resistance * power, rel=1e-6)
        assert found >= ambient
    else:
        # no temperature at all serves: heating outruns cooling everywhere
        trial = ambient + np.linspace(0, 500, 5001)
        assert (ambient + resistance * (dynamic + leakage * leakage_factor(trial)) > trial).all()


def test_runaway_begins_where_the_theory_says() -> None:
    # y = ln 2/13·θ·L·2^((T_a - 300)/13) = 1/e: L = 13/(ln 2·e·θ) at T_a = 300 K
    edge = 13 / (math.log(2) * math.e * 10)
    assert math.isfinite(Package(10.0).temperature(dynamic=0.0, leakage=edge * 0.9999))
    assert Package(10.0).temperature(dynamic=0.0, leakage=edge * 1.0001) == math.inf
    # on the edge x = 1: 13/ln 2 = 18.76 K above the ambient
    assert Package(10.0).temperature(dynamic=0.0, leakage=edge * 0.999999) == close(318.76, rel=1e-3)


def test_temperature_of_a_block_of_designs() -> None:
    package = Package(HEAT_SINK_PACKAGE)
    powers = [1.0, 50.0, 100.0]
    single = [float(package.temperature(dynamic=power, leakage=2.0)) for power in powers]
    assert single == sorted(single)
    block = package.temperature(dynamic=np.array(powers), leakage=2.0)
    np.testing.assert_allclose(block, single, rtol=1e-12)
    tensor = torch.tensor(powers, dtype=torch.float64, requires_grad=True)
    found = package.temperature(dynamic=tensor, leakage=2.0)
    np.testing.assert_allclose(found.detach().numpy(), single, rtol=1e-12)
    (slope,) = torch.autograd.grad(found.sum(), tensor)
    step = (
        package.temperature(dynamic=50.001, leakage=2.0) - package.temperature(dynamic=49.999, leakage=2.0)
    ) / 0.002
    assert float(slope[1]) == pytest.approx(float(step), rel=1e-6)


def test_floats_blocks_and_tensors_agree() -> None:
    floats_and_arrays_agree(lambda tech: Sequencer(tech, 16.0, 12.0, 20.0).step().energy)
    floats_and_arrays_agree(lambda tech: ClockTree(tech, 512.0, 1e-3).cycle().energy, "wire_capacitance")
    by = "transistor_gate_capacitance_per_width"
    floats_and_arrays_agree(lambda tech: PowerSwitch(tech, 1e-3, 1e-9, 0.1).wake().energy, by)
    floats_and_arrays_agree(lambda tech: PowerSwitch(tech, 1e-3, 1e-9, 0.1).break_even_time, by)
