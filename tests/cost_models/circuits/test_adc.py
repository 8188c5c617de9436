"""Converter: hand-computed energy, delay and area; monotone in bits, rows and volts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.circuits.adc import SarAdc, required_bits


def converter(bits: float = 9.0, rows: float = 128.0, volts: float = 0.9) -> SarAdc:
    return SarAdc(
        bits=bits,
        rows=rows,
        supply_voltage=volts,
        linear_capacitance=100e-15,
        exponential_capacitance=1e-18,
        delay_per_bit=0.640e-9,
        delay_per_bit_row=6.53e-12,
        area_coefficient=10**1.206 * 1e-12,
        area_slope=0.0369,
    )


def test_energy_delay_and_area_of_nine_bits() -> None:
    # (100 fF·9 + 0.001 fF·4⁹)·0.81 V² = (900 + 262.144)·0.81 = 941.3 fJ
    assert converter().convert().energy == close(941.337e-15, rel=1e-4)
    # 9·(0.00653·128 + 0.640) ns = 9·1.47584 = 13.283 ns
    assert converter().convert().latency == close(13.2826e-9, rel=1e-4)
    # 10^(1.206 − 0.0369·9)·2⁹ µm² = 10^0.8739·512 = 7.47999·512 = 3829.75 µm²
    assert converter().area == close(3829.75e-12, rel=1e-5)


@pytest.mark.parametrize(
    ("rows", "levels", "bits"), [(128, 4, 9), (128, 2, 8), (127, 2, 7), (64, 4, 8), (256, 16, 12), (1, 2, 1)]
)
def test_required_bits_hold_every_sum(rows: int, levels: int, bits: int) -> None:
    assert required_bits(rows=rows, levels=levels) == bits
    assert 2**bits >= rows * (levels - 1) + 1 > 2 ** (bits - 1)


@given(bits=st.integers(3, 11), rows=st.integers(16, 1024), volts=st.floats(0.5, 1.1))
def test_never_cheaper_with_more(bits: int, rows: int, volts: float) -> None:
    base = converter(bits, rows, volts)
    for more in (converter(bits + 1, rows, volts), converter(bits, rows * 2, volts)):
        assert more.convert().energy >= base.convert().energy
        assert more.convert().latency > base.convert().latency
    assert converter(bits + 1, rows, volts).area > base.area
    assert converter(bits, rows, volts * 1.1).convert().energy > base.convert().energy


def test_a_block_equals_single_designs() -> None:
    bits = np.array([4.0, 6.0, 9.0])
    block = converter(bits).convert()
    assert block.energy.tolist() == [converter(b).convert().energy for b in bits]
