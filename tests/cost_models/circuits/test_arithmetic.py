"""Registers, decoder, adders, multipliers: arithmetic by hand, counts by enumeration, references."""

from __future__ import annotations

import math
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from technologies import floats_and_arrays_agree, technology
from tolerance import close

from cost_models.circuits.adder_tree import AdderTree, RippleAdder, ShiftAdder
from cost_models.circuits.digital import Adder
from cost_models.circuits.elementary import larger, log2, smaller, whole
from cost_models.circuits.inverter import fanout_of_four
from cost_models.circuits.logic import Decoder, RegisterBank, path_delay
from cost_models.circuits.multiplier import BoothMultiplier, Multiplier, SerialMultiplier

GATE = 0.7e-15 * 0.81  # 28 nm, 0.9 V: one rise of a unit gate [J]


def test_elementary_functions_keep_plain_numbers_plain() -> None:
    assert (log2(8.0), larger(1.0, 2.0), smaller(1.0, 2.0), whole(2.1)) == (3.0, 2.0, 1.0, 3.0)
    for value in (log2(8.0), larger(1.0, 2.0), smaller(1.0, 2.0), whole(2.1)):
        assert type(value) is float


def test_registers() -> None:
    bank = RegisterBank(technology(), 32.0, 0.25)
    # a third of 3 gates is clocked, the rest moves with a quarter of the bits: 3·(1/3 + 2/3·0.25) = 1.5 gates
    assert bank.load().energy == close(32 * 1.5 * GATE)
    assert bank.area == close(32 * 6 * 0.614e-12)
    idle, busy = (RegisterBank(technology(), 32.0, share).load().energy for share in (0.0, 1.0))
    assert (idle, busy) == close((32 * GATE, 96 * GATE))


def test_path_delay_by_logical_effort() -> None:
    tech = technology()
    # 64 = 4·4·4: three stages; a wire-free gate still takes one
    assert path_delay(effort=64.0, technology=tech) == close(3 * fanout_of_four(tech))
    assert path_delay(effort=1.0, technology=tech) == close(fanout_of_four(tech))


def test_decoder_by_hand() -> None:
    decoder = Decoder(technology(), 64.0, pitch=1e-6, load=10e-15)
    # 6 bits, 2 groups; a line of 64 µm and 8 inputs of 0.7/3 fF; 6·0.25·2 + 2 + 1 gates; a third of the load
    line = 64e-6 * 0.2e-9 + 8 * 0.7e-15 / 3
    capacitance = 2 * line + 6 * 0.7e-15 + 10e-15 / 3
    assert decoder.select().energy == close(capacitance * 0.81)
    effort = 8 / 3 * 32 * (1 + 10e-15 / (0.7e-15 / 3))
    assert decoder.select().latency == close(math.log2(effort) / 2 * fanout_of_four(technology()))
    gates = 64 * (1.5 + 10 / 3 / 0.7) + 2 * 8 * 1.5
    assert decoder.area == close(gates * 0.614e-12)


@given(bits=st.integers(1, 10), load=st.floats(0, 1e-13))
def test_decoders_grow_with_lines_and_load(bits: int, load: float) -> None:
    tech = technology()
    small, more, heavier = (
        Decoder(tech, 2.0**bits),
        Decoder(tech, 2.0 ** (bits + 1)),
        Decoder(tech, 2.0**bits, 0.0, load),
    )
    assert more.select().energy > small.select().energy
    assert more.area > small.area
    assert more.select().latency >= small.select().latency
    assert heavier.select().energy >= small.select().energy


def enumerated(inputs: int, width: int) -> int:
    """Full adders of a tree, level by level."""
    count = 0
    while inputs > 1:
        inputs //= 2
        count += inputs * width
        width += 1
    return count


@given(levels=st.integers(1, 10), width=st.integers(1, 24))
def test_full_adders_of_a_tree(levels: int, width: int) -> None:
    assert AdderTree(technology(), 2.0**levels, float(width)).full_adders == enumerated(2**levels, width)


def test_adder_tree_by_hand() -> None:
    tree, tech = AdderTree(technology(), 64.0, 8.0, 0.25), technology()
    # 64·9 - (8 + 6 + 1) = 561 full adders of 6 gates; 7.8 gates of area
    assert tree.add().energy == close(561 * 0.25 * 6 * GATE)
    assert tree.area == close(561 * 7.8 * 0.614e-12)
    # six sums and 13 carries of two gates: 6·4.8 + 26 = 54.8 gates
    assert tree.add().latency == close(54.8 * tech.delay)
    assert tree.leakage_power == close(561 * 7.8 * 0.5e-9)
    assert AdderTree(technology(), 1.0, 8.0).add().energy == 0.0


def test_a_tree_of_two_is_one_adder() -> None:
    tree, adder = AdderTree(technology(), 2.0, 8.0), RippleAdder(technology(), 8.0)
    assert tree.add().energy == close(adder.add().energy)
    assert tree.area == close(adder.area)


def test_shift_adder_adds_its_parts() -> None:
    found = ShiftAdder(technology(), 16.0)
    assert found.accumulate().energy == close(found.adder.add().energy + found.register.load().energy)
    assert found.area == close(found.adder.area + found.register.area)
    # the crossbar chip has one activity for clock and data: the clock here adds 1.5 - 0.75 gates a bit
    tech = technology()
    known = Adder(16.0, 0.9, 0.7e-15, 0.614e-12, 6.0, 7.8, 3.0, 6.0, 0.25)
    assert found.accumulate().energy - known.add().energy == close(16 * 0.75 * GATE)
    assert found.area == close(known.area)
    assert found.accumulate().latency > RippleAdder(tech, 16.0).add().latency


def schoolbook(width: int, other: int) -> int:
    """Full adders that add ``other`` rows of ``width`` bits, row after row."""
    return sum(width - 1 for _ in range(other))


@given(width=st.integers(2, 32), other=st.integers(2, 32))
def test_multipliers_count_and_grow(width: int, other: int) -> None:
    tech = technology()
    array = Multiplier(tech, float(width), float(other))
    assert array.full_adders == schoolbook(width, other)
    for kind in (Multiplier, BoothMultiplier):
        small, wide = kind(tech, float(width), float(other)), kind(tech, width + 1.0, float(other))
        assert wide.multiply().energy > small.multiply().energy
        assert wide.area > small.area
        assert wide.multiply().latency > small.multiply().latency


def test_multipliers_by_hand() -> None:
    array = Multiplier(technology(), 8.0, 8.0)
    # 64 gates; 56 full adders of 6 gates, twice for spurious transitions; a quarter charges
    assert array.multiply().energy == close((64 + 2 * 56 * 6) * 0.25 * GATE)
    assert array.area == close((64 + 56 * 7.8) * 0.614e-12)
    booth = BoothMultiplier(technology(), 8.0, 8.0)
    # 4 rows of 6.5 + 9·3.5 gates; 3·10 full adders
    assert booth.multiply().energy == close((4 * 38 + 2 * 30 * 6) * 0.25 * GATE)
    assert booth.area == close((152 + 30 * 7.8) * 0.614e-12)
    assert BoothMultiplier(technology(), 8.0, 7.0).area == booth.area
    serial = SerialMultiplier(technology(), 8.0, activity=0.5)
    assert serial.multiply().energy == close(4 * GATE)
    assert (serial.area, serial.leakage_power) == close((8 * 0.614e-12, 8 * 0.5e-9))


def test_booth_saves_energy_in_wide_multipliers() -> None:
    assert (
        BoothMultiplier(technology(), 32.0, 32.0).multiply().energy
        < Multiplier(technology(), 32.0, 32.0).multiply().energy
    )


# Model, published, and how far they may be apart; definitions that differ stand in docs/circuits/digital.md.
REFERENCES: dict[str, tuple[Any, float, float]] = {
    "Horowitz 45 nm, INT8 multiplication [J]": (
        lambda: Multiplier(at(45), 8.0, 8.0).multiply().energy,
        0.2e-12,
        2.0,
    ),
    "Horowitz 45 nm, INT32 multiplication [J]": (
        lambda: Multiplier(at(45), 32.0, 32.0).multiply().energy,
        3.1e-12,
        2.0,
    ),
    "Horowitz 45 nm, INT8 addition [J]": (lambda: RippleAdder(at(45), 8.0).add().energy, 0.03e-12, 3.0),
    "Horowitz 45 nm, INT32 addition [J]": (lambda: RippleAdder(at(45), 32.0).add().energy, 0.1e-12, 3.0),
    "Aladdin 40 nm, INT32 adder [m2]": (lambda: RippleAdder(at(40), 32.0).area, 278e-12, 2.0),
    "Aladdin 40 nm, INT32 multiplier [m2]": (lambda: Multiplier(at(40), 32.0, 32.0).area, 6350e-12, 2.0),
    "Aladdin 40 nm, register, a bit [m2]": (lambda: RegisterBank(at(40), 1.0).area, 5.98e-12, 2.0),
    "ISAAC 32 nm, shift and add, 16 bits [J]": (
        lambda: ShiftAdder(at(32), 16.0).accumulate().energy,
        0.021e-12,
        2.0,
    ),
    "NeuroSim 22 nm, shift and add, 13 bits [J]": (lambda: shift_add_22(13.0), 1.63066e-12 / 128, 2.0),
    "NeuroSim 22 nm, shift and add, 21 bits [J]": (lambda: shift_add_22(21.0), 0.459367e-12 / 16, 2.0),
    "NeuroSim 22 nm, decoder of 8 lines [J]": (
        lambda: Decoder(at(22, 0.85), 8.0, load=2e-15).select().energy,
        0.0229598e-12 / 8,
        2.0,
    ),
}


def at(node: float, supply: float = 0.9) -> Any:
    return technology(node, supply_voltage=supply)


def shift_add_22(width: float) -> float:
    """Adder at NeuroSim's activity 0.15, register at its 0.5 for clock and data together."""
    adder = RippleAdder(at(22, 0.85), width, 0.15).add().energy
    return float(adder + RegisterBank(at(22, 0.85), width, 0.25).load().energy)


@pytest.mark.parametrize("name", REFERENCES)
def test_references(name: str) -> None:
    model, published, factor = REFERENCES[name]
    ratio = model() / published
    print(f"{name}: model/published {ratio:.2f}")
    assert 1 / factor < ratio < factor


def test_floats_blocks_and_tensors_agree() -> None:
    floats_and_arrays_agree(lambda tech: RegisterBank(tech, 8.0).load().energy)
    floats_and_arrays_agree(lambda tech: Decoder(tech, 64.0, 1e-6, 1e-14).select().energy)
    floats_and_arrays_agree(lambda tech: Decoder(tech, 64.0, 1e-6, 1e-14).select().latency)
    floats_and_arrays_agree(lambda tech: AdderTree(tech, 64.0, 8.0).add().energy)
    floats_and_arrays_agree(lambda tech: AdderTree(tech, 64.0, 8.0).add().latency, "gate_delay")
    floats_and_arrays_agree(lambda tech: ShiftAdder(tech, 21.0).accumulate().energy)
    floats_and_arrays_agree(lambda tech: Multiplier(tech, 8.0, 8.0).multiply().energy)
    floats_and_arrays_agree(lambda tech: BoothMultiplier(tech, 8.0, 8.0).multiply().energy)
