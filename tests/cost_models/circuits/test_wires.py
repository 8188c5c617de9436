"""Inverters, repeated wires, trees, meshes: arithmetic by hand, the optimum found by search, references."""

from __future__ import annotations

import dataclasses
import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given
from technologies import floats_and_arrays_agree, technology
from tolerance import close

from cost_models.circuits.inverter import Inverter, fanout_of_four, ramp_factor
from cost_models.circuits.network import Mesh, Router
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import HTree, RepeatedWire


def test_inverter_by_hand() -> None:
    tech = technology()
    # v = 0.42/0.9: ln v = -0.76214; 1/2 + √(1/4 + 0.58086) = 1.41152, over ln 2 2.03638
    assert ramp_factor(tech) == close(2.03638, rel=1e-5)
    one = Inverter(tech, 1e-6)
    assert one.resistance == close(2600 * 2.03638, rel=1e-5)
    assert one.input_capacitance == close(3 * 0.85e-15)
    # 1.41152·2600 Ω·3·(0.6 + 4·0.85) fF = 44.04 ps, one unit gate of a synthesised path (47.8 ps)
    assert fanout_of_four(tech) == close(44.039e-12, rel=1e-4)
    assert 0.5 < fanout_of_four(tech) / tech.delay < 1.5
    # 0.6 unit gates hold two transistors of 0.3 µm; the inverter has 3 µm: five times as much
    assert one.area == close(5 * 0.6 * tech.gate_area)
    # 1.5 µm leak on average where a unit gate has 0.3 µm
    assert one.leakage_power == close(5 * tech.leakage)


def test_fanout_of_four_slows_down_with_the_supply() -> None:
    delays = [fanout_of_four(technology(supply_voltage=volts)) for volts in (0.6, 0.7, 0.9, 1.0)]
    assert delays == sorted(delays, reverse=True)


def segment_delay(tech: Technology, segment: float, width: float) -> float:
    """Delay per length of a wire cut into segments, from its parts."""
    one = Inverter(tech, width)
    wire_r, wire_c = tech.wire_resistance * segment, tech.wire_capacitance * segment
    driver = one.resistance * (wire_c + one.input_capacitance + one.output_capacitance)
    return math.log(2) * (driver + wire_r * (wire_c / 2 + one.input_capacitance)) / segment


def segment_capacitance(tech: Technology, segment: float, width: float) -> float:
    one = Inverter(tech, width)
    return tech.wire_capacitance + (one.input_capacitance + one.output_capacitance) / segment


@pytest.mark.parametrize("penalty", [0.0, 0.1, 0.3])
def test_wire_is_the_sum_of_its_segments(penalty: float) -> None:
    tech = technology()
    wire = RepeatedWire(tech, 1e-3, delay_penalty=penalty)
    segment, width = wire.spacing, wire.repeater.width
    assert wire.delay == close(1e-3 * segment_delay(tech, segment, width))
    assert wire.capacitance == close(1e-3 * segment_capacitance(tech, segment, width))
    # 1 bit, a rise every fourth cycle
    assert wire.transfer().energy == close(0.25 * wire.capacitance * 0.81)
    assert wire.transfer(8).energy == close(8 * wire.transfer().energy)
    assert wire.area == close(1e-3 / segment * wire.repeater.area)


@pytest.mark.parametrize("node", [65, 28, 7])
@pytest.mark.parametrize("penalty", [0.0, 0.1, 0.3])
def test_no_other_sizes_are_as_fast_and_cheaper(node: float, penalty: float) -> None:
    tech = technology(node)
    wire = RepeatedWire(tech, 1.0, delay_penalty=penalty)
    steps = np.geomspace(1 / 3, 3.0, 201)
    segment, width = np.meshgrid(wire.spacing * steps, wire.repeater.width * steps)
    delay = np.vectorize(lambda d, k: segment_delay(tech, d, k))(segment, width)
    added = np.vectorize(lambda d, k: segment_capacitance(tech, d, k))(segment, width)
    quick = delay <= wire.delay * (1 + 1e-9)
    assert quick.any()
    assert delay.min() >= wire.delay / (1 + penalty) * (1 - 1e-9)  # none is faster than the fastest
    assert added[quick].min() >= wire.capacitance * 0.995


def test_wider_wires_are_faster_and_repeated_less_often() -> None:
    narrow, wide = (RepeatedWire(technology(), 1e-3, resistance_ratio=ratio) for ratio in (1.0, 0.25))
    assert wide.delay == close(narrow.delay / 2)
    assert wide.spacing == close(2 * narrow.spacing)
    assert wide.capacitance == close(narrow.capacitance)


def test_repeaters_agree_with_the_ratio_of_the_technology_file() -> None:
    tech = technology()
    # 1.3 to 1.9 times the bare wire, from a tenth given up to none
    relaxed, fastest = (RepeatedWire(tech, 1.0, delay_penalty=e).capacitance for e in (0.1, 0.0))
    assert relaxed / tech.wire_capacitance == close(1.38, rel=0.01)
    assert fastest / tech.wire_capacitance == close(1.92, rel=0.01)


def test_energy_a_millimetre_against_the_references() -> None:
    # CiMLoop 0.2·V² pJ/bit/mm for a wire that charges; 0.05-0.1 pJ/bit/mm is quoted (weak) for a bus.
    wire = RepeatedWire(technology(), 1e-3)
    assert 0.02e-12 < wire.transfer().energy < 0.1e-12
    charged = dataclasses.replace(wire, activity=1.0)
    assert 1.0 < charged.transfer().energy / (0.2e-12 * 0.81) < 2.0


def tree(leaves: float = 16.0, width: float = 32.0) -> HTree:
    return HTree(technology(), 2e-3, leaves, width)


def branches(side: float, levels: int) -> float:
    """Total length of an H-tree, letter by letter."""
    return sum(4 ** (i - 1) * 3 * (side / 2**i) for i in range(1, levels + 1))


@pytest.mark.parametrize("levels", [1, 2, 3, 5])
def test_lengths_of_a_tree(levels: int) -> None:
    found = tree(4.0**levels)
    assert found.total_length == close(branches(2e-3, levels))
    # a quarter across and a quarter up, then an eighth …
    assert found.path_length == close(sum(2 * 2e-3 / 2 ** (i + 1) for i in range(1, levels + 1)))


def test_tree_of_one_leaf_is_no_tree() -> None:
    single = tree(1.0)
    assert (single.path_length, single.total_length, single.delay) == (0.0, 0.0, 0.0)
    assert single.broadcast(64).energy == 0.0


def test_one_leaf_costs_less_than_all_and_words_follow_each_other() -> None:
    found = tree()
    assert found.unicast(32).energy < found.broadcast(32).energy
    assert found.unicast(33).latency == close(2 * found.unicast(32).latency)
    # 2 mm·(1 - 1/4) = 1.5 mm
    assert found.unicast(32).energy == close(RepeatedWire(technology(), 1.5e-3).transfer(32).energy)
    slow = dataclasses.replace(found, fork_delay=1e-9)
    assert slow.delay == close(found.delay + 4e-9)


def router(ports: float = 5.0, width: float = 64.0, depth: float = 4.0) -> Router:
    return Router(technology(), ports, width, depth)


def test_router_by_hand() -> None:
    found, gate = router(), 0.7e-15 * 0.81
    # crossbar: 5·64 wires of 4·28 nm pitch: 35.84 µm
    assert found.crossbar_side == close(35.84e-6)
    latches = 128 * (1 / 3 + 2 / 3 * 0.25) * 3 * gate  # two latches of 64 bits
    logic = 0.25 * (64 * 3 + 2 * 64 * 5 * 0.5 + 25 * 10) * gate
    wires = 0.25 * 64 * 2 * 35.84e-6 * 0.2e-9 * 0.81
    assert found.forward().energy == close(latches + logic + wires)


@given(ports=st.floats(2, 10), width=st.floats(8, 512), depth=st.floats(1, 16))
def test_routers_grow(ports: float, width: float, depth: float) -> None:
    small = router(ports, width, depth)
    for larger in (
        router(ports + 1, width, depth),
        router(ports, 2 * width, depth),
        router(ports, width, depth + 1),
    ):
        assert larger.forward().energy > small.forward().energy
        assert larger.area > small.area
        assert larger.leakage_power > small.leakage_power


def test_router_of_isaac() -> None:
    # 32 nm: 0.081 pJ/bit/hop and 0.15 mm², a design study, no silicon. Ours of 256-bit flits is lower.
    found = Router(technology(32), 8.0, 256.0)
    energy, area = found.forward().energy / 256 * 1e12, found.area * 1e6
    print(f"router, 8 ports, 256 bits: {energy:.3f} pJ/bit of 0.081, {area:.3f} mm2 of 0.15")
    assert 0.081 / 4 < energy < 0.081
    assert 0.15 / 2 < area < 0.15 * 2


def mean_hops(side: int) -> float:
    """Mean over all pairs of tiles, by counting."""
    places = np.arange(side)
    return 2 * float(np.abs(places[:, None] - places).mean())


@pytest.mark.parametrize("side", [1, 2, 4, 9])
def test_hops_of_a_mesh(side: int) -> None:
    mesh = Mesh(router(), float(side**2), 0.5e-3)
    assert mesh.mean_hops == pytest.approx(mean_hops(side), abs=1e-12)


def test_mesh_adds_router_and_link() -> None:
    mesh = Mesh(router(), 16.0, 0.5e-3)
    hop = router().forward().energy + RepeatedWire(technology(), 0.5e-3).transfer(64).energy
    assert mesh.hop().energy == close(hop)
    # 256 bits are four flits over three hops
    assert mesh.send(256, 3).energy == close(12 * hop)
    assert mesh.send(0, 3).energy == 0.0
    # 4·4 tiles have 24 neighbourly pairs, a link each way
    links = 48 * 64 * mesh.link.area
    assert mesh.area == close(16 * router().area + links)
    assert mesh.leakage_power > 16 * router().leakage_power


def test_floats_blocks_and_tensors_agree() -> None:
    by = "wire_capacitance"
    floats_and_arrays_agree(lambda tech: RepeatedWire(tech, 1e-3).transfer(8).energy, by)
    floats_and_arrays_agree(lambda tech: RepeatedWire(tech, 1e-3).delay, by)
    floats_and_arrays_agree(lambda tech: HTree(tech, 1e-3, 16.0, 8.0).broadcast(9.0).energy, by)
    floats_and_arrays_agree(lambda tech: HTree(tech, 1e-3, 16.0, 8.0).unicast(9.0).latency, by)
    floats_and_arrays_agree(
        lambda tech: Mesh(Router(tech, 5.0, 64.0), 16.0, 1e-3).send(640.0, 3.0).energy, by
    )
