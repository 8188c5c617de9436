"""Off-chip memories at two levels, embedded DRAM with refresh, and the arithmetic of their files."""

from __future__ import annotations

import dataclasses

import pytest
from tolerance import close

from cost_models.circuits.memory import Buffer, Dram, Edram
from device_params.errors import InputError
from device_params.load import load_memory
from device_params.schema import Parameter

STACKED = ("hbm2", "hbm3", "gddr5")


def values(name: str) -> dict[str, float]:
    return {key: parameter.value for key, parameter in load_memory(name).parameters.items()}


def parameter(name: str, key: str) -> Parameter:
    return load_memory(name).parameters[key]


def dram(name: str) -> Dram:
    return Dram(**values(name))


def edram() -> Edram:
    given = values("edram_64kb_32nm")
    renamed = {"capacity": "capacity", "width_bits": "width", "leakage": "leakage_power"}
    same = ("read_energy", "write_energy", "area", "cycle_time")
    buffer = Buffer(
        **{new: given[old] for old, new in renamed.items()}, **{name: given[name] for name in same}
    )
    rest = ("retention", "refresh_energy", "refresh_time", "rows")
    return Edram(buffer, **{name: given[name] for name in rest})


@pytest.mark.parametrize("name", STACKED)
def test_device_and_board_are_two_quantities(name: str) -> None:
    memory = dram(name)
    device, board = memory.move(8e9), memory.move_on_board(8e9)
    assert device.energy == close(8e9 * parameter(name, "energy_per_bit").value)
    assert board.energy == close(8e9 * parameter(name, "board_energy_per_bit").value)
    assert device.latency == board.latency == close(1e9 / memory.bandwidth)
    # board-level figures are two to six times those of the device (component_refs: three to four)
    assert 2 < board.energy / device.energy < 6
    for key in ("energy_per_bit", "board_energy_per_bit"):
        known = parameter(name, key)
        assert known.low < known.value < known.high


@pytest.mark.parametrize("name", ["ddr3", "lpddr4"])
def test_an_unknown_board_energy_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="board level of this memory is not known"):
        dram(name).move_on_board(1.0)


def test_newer_memories_cost_less_a_bit() -> None:
    energies = [parameter(name, "energy_per_bit").value for name in ("ddr3", "gddr5", "lpddr4", "hbm2")]
    assert energies == sorted(energies, reverse=True)


def test_bandwidths_of_the_notes() -> None:
    # width · rate / 8
    assert parameter("hbm2", "bandwidth").value == close(1024 * 2e9 / 8)
    assert parameter("hbm3", "bandwidth").value == close(1024 * 6.4e9 / 8)
    assert parameter("gddr5", "bandwidth").value == close(32 * 8e9 / 8)
    assert parameter("ddr3", "bandwidth").value == close(64 * 1.6e9 / 8)


def test_edram_of_isaac() -> None:
    memory = edram()
    # 256 bits: 20.45 pJ
    assert memory.read(256).energy == close(20.45e-12, rel=1e-3)
    assert memory.area == close(0.083e-6)
    # the tool's arithmetic: 20.7 mW/12 over 2.097 µs and 144 accesses
    time = 16384 / (128 * 8 * 1e7 * 1.2 * 100 / 128)
    accesses = (16384 + 2048) * 2 / 256
    assert 20.7e-3 / 12 * time / accesses == close(20.45e-12, rel=1e-3)


def test_refresh_by_hand() -> None:
    memory = edram()
    # 524288 bits · 30 fJ / 40 µs = 0.393 mW; 2048 rows · 2 ns / 40 µs = 10.2 % of the time
    assert memory.refresh_power == close(524288 * 30e-15 / 40e-6)
    assert memory.refresh_share == close(0.1024)
    assert memory.leakage_power == close(memory.memory.leakage_power + memory.refresh_power)
    assert memory.read(256).latency == close(1e-9 / (1 - 0.1024))
    assert memory.write(0.0).energy == 0.0
    assert memory.write(256).energy == memory.memory.write(256).energy


def test_longer_retention_refreshes_less() -> None:
    memory = edram()
    longer = dataclasses.replace(memory, retention=2 * memory.retention)
    assert longer.refresh_power == close(memory.refresh_power / 2)
    assert longer.read(256).latency < memory.read(256).latency


def test_refresh_stays_below_the_power_of_isaacs_memory() -> None:
    # 20.7 mW are all of it, accesses included
    low, high = (
        parameter("edram_64kb_32nm", "refresh_energy").low / parameter("edram_64kb_32nm", "retention").high,
        parameter("edram_64kb_32nm", "refresh_energy").high / parameter("edram_64kb_32nm", "retention").low,
    )
    assert 0.01e-3 < 524288 * low < 524288 * high < 20.7e-3
