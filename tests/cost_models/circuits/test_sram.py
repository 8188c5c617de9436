"""SRAM by size, port and node: arithmetic by hand, limits, forty results of CACTI 7 within a factor two."""

from __future__ import annotations

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from hypothesis import given
from technologies import floats_and_arrays_agree, technology
from tolerance import close

from cost_models.circuits.sram import MULTIPLEX, ROWS, Organisation, Sram
from device_params.errors import InputError

# CACTI 7, LSTP, 300 K: node [nm], capacity [KB], port [bit]; read, write [pJ], area [mm2], access time [ns].
CACTI = (
    (22, 1, 32, 0.3039, 0.4512, 0.0008174, 0.4271),
    (22, 1, 128, 0.7626, 1.147, 0.001267, 0.3858),
    (22, 4, 32, 0.9618, 0.7798, 0.003361, 0.4675),
    (22, 4, 128, 1.59, 2.179, 0.003854, 0.4675),
    (22, 4, 512, 7.218, 8.755, 0.009103, 0.4603),
    (22, 16, 32, 2.066, 1.445, 0.01413, 0.6839),
    (22, 16, 128, 3.83, 4.192, 0.01274, 0.6502),
    (22, 16, 512, 8.505, 15.14, 0.01704, 0.6502),
    (22, 64, 32, 4.359, 2.86, 0.05687, 0.983),
    (22, 64, 128, 8.966, 7.601, 0.05428, 0.9504),
    (22, 64, 512, 19.89, 29.89, 0.05303, 0.9815),
    (22, 256, 32, 7.367, 5.816, 0.2162, 1.612),
    (22, 256, 128, 17.77, 15.28, 0.2554, 1.527),
    (22, 256, 512, 50.72, 53.86, 0.2481, 1.527),
    (22, 1024, 32, 14.75, 11.77, 0.7661, 2.574),
    (22, 1024, 128, 36.34, 31.45, 0.8563, 2.493),
    (22, 1024, 512, 116.5, 119.6, 1.114, 2.599),
    (22, 4096, 32, 27.47, 24.49, 3.026, 4.41),
    (22, 4096, 128, 75.02, 65.46, 3.052, 4.308),
    (22, 4096, 512, 239.6, 218.9, 3.407, 4.743),
    (65, 1, 32, 1.811, 5.259, 0.007828, 1.391),
    (65, 1, 128, 6.392, 9.597, 0.0111, 1.14),
    (65, 4, 32, 5.166, 6.95, 0.02749, 1.509),
    (65, 4, 128, 8.156, 21.95, 0.02976, 1.509),
    (65, 4, 512, 58.07, 70.89, 0.0797, 1.307),
    (65, 16, 32, 17.86, 12.99, 0.1044, 1.678),
    (65, 16, 128, 19.3, 42.81, 0.1057, 1.944),
    (65, 16, 512, 64.71, 119.9, 0.149, 1.678),
    (65, 64, 32, 38.5, 24.76, 0.4273, 2.441),
    (65, 64, 128, 70.25, 67.42, 0.3922, 2.259),
    (65, 64, 512, 91.64, 316.1, 0.4251, 2.8),
    (65, 256, 32, 60.54, 46.64, 1.714, 3.953),
    (65, 256, 128, 141.2, 121.7, 1.852, 3.558),
    (65, 256, 512, 347.6, 467.4, 1.601, 3.514),
    (65, 1024, 32, 126.2, 94.24, 6.579, 5.653),
    (65, 1024, 128, 284.3, 246.4, 6.776, 5.439),
    (65, 1024, 512, 812.2, 932, 8.25, 5.604),
    (65, 4096, 32, 227.4, 194.9, 25.81, 9.204),
    (65, 4096, 128, 587.2, 477.2, 25.73, 8.848),
    (65, 4096, 512, 1761, 1741, 29.76, 9.097),
)  # fmt: skip
CACTI_SUPPLY = {22: 0.8, 65: 1.2}
CACTI_CELL = 146  # feature sizes squared; height 1.46 times the width

FIGURES = ("read energy", "write energy", "area", "access time")


def figures(memory: Sram) -> dict[str, np.ndarray]:
    """The quantities that the table has, in its units."""
    read, write = memory.read(), memory.write()
    values = (read.energy * 1e12, write.energy * 1e12, memory.area * 1e6, read.latency * 1e9)
    return dict(zip(FIGURES, (np.asarray(value) for value in values), strict=True))


def over_cacti(*, own_cell: bool) -> dict[str, np.ndarray]:
    """Model over CACTI, forty ratios a quantity; with CACTI's cell, or the one of the technology file."""
    ratios: dict[str, list[np.ndarray]] = {name: [] for name in FIGURES}
    for node, supply in CACTI_SUPPLY.items():
        rows = np.array([row[1:] for row in CACTI if row[0] == node], dtype=float)
        cell = {} if own_cell else {"sram_cell_area": CACTI_CELL * (node * 1e-9) ** 2}
        memory = Sram(
            technology(node, supply_voltage=supply, **cell),
            rows[:, 0] * 1024,
            rows[:, 1],
            cell_aspect_ratio=2.0 if own_cell else 1 / 1.46,
        )
        for (name, value), published in zip(figures(memory).items(), rows[:, 2:].T, strict=True):
            ratios[name].append(value / published)
    return {name: np.concatenate(parts) for name, parts in ratios.items()}


def worst(ratios: np.ndarray) -> float:
    """Largest factor between the two, whichever is larger."""
    return float(np.exp(np.abs(np.log(ratios)).max()))


def test_forty_memories_of_cacti_within_two() -> None:
    ratios = over_cacti(own_cell=False)
    for name, values in ratios.items():
        assert len(values) == 40
        print(f"{name}: worst factor {worst(values):.2f}, geometric mean {np.exp(np.log(values).mean()):.2f}")
        assert worst(values) < 2.0, name
    assert worst(ratios["access time"]) < 1.6


def test_with_the_cell_of_the_technology_file() -> None:
    # Cells of foundries are half as large again as CACTI's at 22 nm: up to 2.2 in area.
    for name, values in over_cacti(own_cell=True).items():
        print(
            f"{name}: worst factor {worst(values):.2f}, within two {np.mean(np.abs(np.log2(values)) < 1):.0%}"
        )
        assert worst(values) < 2.25, name
        assert np.mean(np.abs(np.log2(values)) < 1) >= 0.95, name


def test_the_textbook_memory_of_8_KB_at_45_nm() -> None:
    # Horowitz, ISSCC 2014: 5 pJ for 32 bits, 10 pJ for 64 bits of an 8 KB cache, which has tags besides.
    for width, published in ((32.0, 5.0), (64.0, 10.0)):
        energy = Sram(technology(45, supply_voltage=0.9), 8192.0, width).read().energy * 1e12
        print(f"8 KB, {width:.0f} bits: {energy:.2f} pJ of {published}")
        assert published / 2.5 < energy < published


def organisation(rows: float = 64.0, multiplex: float = 4.0) -> Organisation:
    """1 KB, 32 bits, in two sub-arrays of 64 × 64 … at 28 nm."""
    return Organisation(technology(), 8192.0, 32.0, rows, multiplex, 1.0, 2.0, 0.2, 0.05)


def test_one_organisation_by_hand() -> None:
    cut, tech = organisation(), technology()
    # 32·4 = 128 columns in one sub-array, 8192/(64·128) = 1 of them
    assert (cut.open_subarrays, cut.cols, cut.count) == (1.0, 128.0, 1.0)
    width, height = math.sqrt(tech.sram_cell_area * 2), math.sqrt(tech.sram_cell_area / 2)
    # 128·(2·1.31·28 nm·C_g + width·C_w): 1.31 F = 36.68 nm
    gates = 2 * 1.31 * 28e-9 * tech.transistor_gate_capacitance_per_width
    assert cut.word_line == close(128 * (gates + width * tech.wire_capacitance))
    drain = 1.31 * 28e-9 * tech.transistor_drain_capacitance_per_width
    assert cut.bit_line == close(64 * (drain + height * tech.wire_capacitance))
    # 64·128 cells, 128·(1.5 + 5/4) gates and the decoder
    periphery = 128 * 2.75 * tech.gate_area + cut.decoder.area
    assert cut.subarrays_area == close(8192 * tech.sram_cell_area + periphery)
    # one sub-array: half a side of wire; address 8 bits and 3 control wires
    assert cut.wire.length == close(0.5 * math.sqrt(cut.subarrays_area))
    assert cut.address_wires == close(11.0)
    # a write swings 32 columns fully where a read swings them by 0.2 V
    more = 32 * cut.bit_line * 0.9 * (0.9 - 0.2)
    assert cut.write_energy - cut.read_energy == close(more)


def test_the_cut_is_the_best_of_the_list() -> None:
    memory = Sram(technology(), 65536.0, 64.0)
    merits = {(r, m): memory_merit(memory, r, m) for r in ROWS for m in MULTIPLEX}
    chosen = memory.organisation
    assert (float(chosen.rows), float(chosen.multiplex)) == min(merits, key=lambda cut: merits[cut])
    assert len(set(merits.values())) == len(merits)


def memory_merit(memory: Sram, rows: float, multiplex: float) -> float:
    cut = Organisation(
        memory.technology, memory.capacity * 8, memory.width, rows, multiplex, memory.activity, 2.0, 0.2, 0.05
    )
    return float(cut.merit)


@given(
    kilobytes=st.floats(64.0, 4096.0),
    width=st.sampled_from([8.0, 24.0, 64.0, 128.0, 512.0]),
    node=st.sampled_from([65.0, 28.0, 7.0]),
)
def test_larger_wider_and_older_memories_cost_more(kilobytes: float, width: float, node: float) -> None:
    tech = technology(node)
    small, large = (Sram(tech, kilobytes * 1024 * factor, width) for factor in (1.0, 2.0))
    assert large.read().energy > small.read().energy * 0.99  # another cut may save a little
    assert large.area > 1.3 * small.area
    assert large.leakage_power > small.leakage_power
    assert Sram(tech, kilobytes * 1024, 2 * width).read().energy > small.read().energy
    older = Sram(technology(90), kilobytes * 1024, width)
    assert older.read().energy > small.read().energy
    assert older.area > small.area
    cells = kilobytes * 8192 * tech.sram_cell_area
    assert small.area > cells


def test_quiet_wires_cost_less_and_empty_swing_nothing() -> None:
    tech = technology()
    busy, quiet = (Sram(tech, 65536.0, 64.0, activity=share).organisation for share in (1.0, 0.0))
    assert quiet.read_energy < 0.5 * busy.read_energy
    still = Sram(tech, 65536.0, 64.0, read_swing=0.0).organisation
    assert still.bit_line_delay < 0.5 * busy.bit_line_delay


def test_floats_blocks_and_tensors_agree() -> None:
    floats_and_arrays_agree(lambda tech: Sram(tech, 65536.0, 64.0).read().energy)
    floats_and_arrays_agree(lambda tech: Sram(tech, 65536.0, 64.0).write().energy)
    floats_and_arrays_agree(lambda tech: Sram(tech, 65536.0, 64.0).read().latency)
    sizes = [1024.0, 65536.0, 1048576.0]
    tech = technology()
    single = [float(Sram(tech, size, 64.0).area) for size in sizes]
    np.testing.assert_allclose(Sram(tech, np.array(sizes), 64.0).area, single, rtol=1e-12)
    tensor = Sram(tech, torch.tensor(sizes, dtype=torch.float64), 64.0).area
    np.testing.assert_allclose(tensor.numpy(), single, rtol=1e-12)


def test_as_the_buffer_of_a_chip() -> None:
    memory = Sram(technology(), 65536.0, 64.0)
    buffer = memory.buffer()
    assert buffer.read(64.0).energy == close(memory.read().energy)
    assert buffer.write(128.0).energy == close(2 * memory.write().energy)
    assert buffer.read(128.0).latency == close(2 * memory.cycle_time)
    assert (buffer.area, buffer.leakage_power) == (memory.area, memory.leakage_power)
    assert memory.cycle_time < memory.read().latency


@pytest.mark.parametrize(("capacity", "width"), [(64.0, 32.0), (2.0**30, 32.0), (4096.0, 4.0)])
def test_sizes_outside_the_range_are_refused(capacity: float, width: float) -> None:
    with pytest.raises(InputError, match="outside the range of the SRAM model"):
        Sram(technology(), np.array([8192.0, capacity]), width)
