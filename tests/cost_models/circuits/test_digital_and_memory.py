"""Adders, digital unit, buffer, DRAM, wires: arithmetic by hand; zero work costs nothing."""

from __future__ import annotations

from tolerance import close

from cost_models.circuits.digital import Adder, DigitalUnit
from cost_models.circuits.memory import Buffer, Dram, Interconnect


def test_adder() -> None:
    adder = Adder(
        width=17,
        supply_voltage=0.9,
        gate_capacitance=0.7e-15,
        gate_area=0.614e-12,
        full_adder_capacitance_ratio=6,
        full_adder_area_ratio=7.8,
        flip_flop_capacitance_ratio=3,
        flip_flop_area_ratio=6,
        activity=0.25,
    )
    # 0.25·17·(6 + 3)·0.7 fF·0.81 V² = 21.69 fJ
    assert adder.add().energy == close(21.687e-15, rel=1e-4)
    assert adder.area == close(17 * 13.8 * 0.614e-12)
    assert adder.register_area == close(17 * 6 * 0.614e-12)


def test_digital_unit() -> None:
    unit = DigitalUnit(
        mac_lanes=1024,
        special_function_lanes=64,
        clock=1e9,
        tile_side=32,
        mac_energy=0.1e-12,
        operation_energy={"add": 1e-15, "exponential": 5e-15},
        mac_area=500e-12,
        special_function_area=1000e-12,
    )
    product = unit.multiply_accumulate(2048)
    assert (product.energy, product.latency) == close((204.8e-12, 2e-9))
    work = unit.operate({"add": 64.0, "exponential": 64.0})
    # 64 fJ + 320 fJ; two operations a lane
    assert (work.energy, work.latency) == close((384e-15, 2e-9))
    assert unit.operate({}).energy == 0
    assert unit.mac_array_area == close(1024 * 500e-12)


def test_memories_and_wires() -> None:
    buffer = Buffer(
        capacity=2**20,
        read_energy=0.4e-12,
        write_energy=0.3e-12,
        area=1e-6,
        leakage_power=1e-4,
        cycle_time=2e-9,
        width=128,
    )
    assert buffer.read(1280).energy == close(512e-12)
    assert buffer.write(1280).latency == close(20e-9)
    dram = Dram(energy_per_bit=8e-12, bandwidth=12.8e9)
    assert dram.move(8 * 12.8).latency == close(1e-9)
    wires = Interconnect(
        wire_capacitance=0.2e-9,
        repeater_capacitance_ratio=1.5,
        supply_voltage=1.0,
        activity=0.25,
        width=512,
        clock=1e9,
    )
    # 512 bits over 1 mm: 512·0.25·0.2 pF·1.5·1 V² = 38.4 pJ, one cycle
    moved = wires.transfer(512, 1e-3)
    assert (moved.energy, moved.latency) == close((38.4e-12, 1e-9))
    assert wires.transfer(0, 1e-3).energy == 0
