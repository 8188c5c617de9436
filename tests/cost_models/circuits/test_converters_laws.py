"""The two laws that go by name: `survey` against the published tool, `embedded` carried to another node."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from converter_samples import TECHNOLOGY, coarser, embedded, parameters, survey
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.circuits.adc import SAR_LOGIC_GATES, SarAdc
from cost_models.circuits.comparator import noise_capacitance
from cost_models.constants import BOLTZMANN
from device_params.errors import InputError

#: node [nm], effective bits, samples/s, pJ a conversion, um^2: of 132 rows from hwcomponents-adc 1.0.21, the
#: ends of every axis and points on both sides of the corner of the rate.
SINGLE = [
    (22, 4, 1e6, 0.45669, 795.28),
    (22, 4, 1e10, 0.45669, 4201.3),
    (22, 8, 1e9, 0.84724, 3333.9),
    (22, 14, 1e6, 8.3267, 1895.3),
    (65, 4, 1e6, 3.5007, 4289.8),
    (65, 6, 1e9, 4.0364, 15598),
    (65, 10, 1e8, 12.543, 14443),
    (65, 14, 1e10, 23941, 318010),
]

#: node [nm], effective bits, aggregate samples/s, converters, pJ a conversion, um^2 of all.
PARALLEL = [
    (22, 4, 1e9, 1, 0.45669, 2771.2),
    (22, 4, 1e9, 8, 0.45669, 15225),
    (22, 10, 1e11, 1, 144.9, 35673),
    (65, 8, 1e10, 256, 6.4945, 2562200),
    (65, 10, 1e11, 16, 177.56, 1077900),
]


@pytest.mark.parametrize(("node", "bits", "rate", "picojoule", "area"), SINGLE)
def test_survey_is_the_published_regression(
    node: float, bits: float, rate: float, picojoule: float, area: float
) -> None:
    adc = survey(float(bits), rate, node * 1e-9)
    assert adc.energy == close(picojoule * 1e-12, rel=0.003)
    assert adc.area == close(area * 1e-12, rel=0.003)
    # what it takes at its rate is conversion and leakage
    taken = adc.convert().energy * rate + adc.leakage_power
    assert taken == close(adc.energy * rate)
    assert adc.convert().latency == close(1 / rate)


@pytest.mark.parametrize(("node", "bits", "rate", "count", "picojoule", "area"), PARALLEL)
def test_survey_of_converters_in_parallel(
    node: float, bits: float, rate: float, count: int, picojoule: float, area: float
) -> None:
    adc = survey(float(bits), rate / count, node * 1e-9)
    assert adc.energy == close(picojoule * 1e-12, rel=0.003)
    assert count * adc.area == close(area * 1e-12, rel=0.003)


def test_survey_by_hand() -> None:
    # 8 b, 1.28 GS/s, 32 nm. ln(1.28e9) = 20.9701: FOM = min(213.78 - 60.2240, 128.31 + 25.764) = 153.556 dB;
    # SNDR 49.92 dB; 10^-10.3636 = 4.3293e-11;
    # 26.050 + 1.88*3.46574 - 2.8291*2.07944 - 1.4702 = 25.2125, exp = 8.905e10;
    # E = 0.5*4.3293e-11*8.905e10 = 1.928 pJ.
    adc = survey(8.0, 1.28e9, 32e-9)
    assert adc.energy == close(1.928e-12, rel=2e-3)
    # ln A = 1.3462 + 0.99328*3.46574 + 0.18072*20.9701 + 0.29912*0.6565 = 8.7747, A = 6468 um^2
    assert adc.area == close(6468e-12, rel=2e-3)


@given(bits=st.integers(4, 13), rate=st.floats(1e6, 1e10), nm=st.floats(7, 150))
def test_survey_rises_with_bits_rate_and_node(bits: int, rate: float, nm: float) -> None:
    base = survey(float(bits), rate, nm * 1e-9)
    assert survey(float(bits + 1), rate, nm * 1e-9).energy > base.energy
    assert survey(float(bits), rate * 2, nm * 1e-9).energy >= base.energy * (1 - 1e-12)
    assert survey(float(bits), rate, nm * 1.2e-9).energy > base.energy
    assert survey(float(bits), rate * 2, nm * 1e-9).area > base.area


@pytest.mark.parametrize(
    ("bits", "rate", "node", "told"),
    [
        (3.0, 1e8, 28e-9, "4 to 14"),
        (15.0, 1e8, 28e-9, "4 to 14"),
        (8.0, 0.9e6, 28e-9, "samples/s"),
        (8.0, 2e11, 28e-9, "samples/s"),
        (8.0, 1e8, 5e-9, "7e-09 to 1.8e-07 m"),
    ],
)
def test_survey_refuses_what_it_does_not_cover(bits: float, rate: float, node: float, told: str) -> None:
    with pytest.raises(InputError, match=told):
        survey(bits, rate, node)


def test_one_bad_point_of_a_block_is_named() -> None:
    with pytest.raises(InputError, match=r"got 2\.0"):
        survey(np.array([8.0, 2.0]))


# The embedded law.


def test_embedded_changes_nothing_at_the_node_of_its_fit() -> None:
    p = parameters("adc", "sar_28nm")
    fitted = {k.removeprefix("adc."): v for k, v in p.items() if "imum" not in k}
    sar = SarAdc(bits=9.0, rows=128.0, supply_voltage=TECHNOLOGY.supply_voltage, **fitted)
    adc = embedded(9.0)
    assert adc.convert() == sar.convert()
    assert adc.area == close(sar.area)
    assert adc.leakage_power == close(0.1 * sar.convert().energy / sar.convert().latency)
    assert adc.law == sar.law == "embedded"


def test_embedded_at_twice_the_node_by_hand() -> None:
    adc = embedded(9.0, coarser(2.0))
    # (2*100 fF*9 + 0.001 fF*4^9)*0.81 V^2 = (1800 + 262.144)*0.81 = 1670.3 fJ
    assert adc.convert().energy == close(1670.34e-15, rel=1e-5)
    # 2*9*(0.00653*128 + 0.640) ns = 26.565 ns
    assert adc.convert().latency == close(26.5651e-9, rel=1e-5)
    # 9 b at 28 nm: 3829.65 um^2, of it logic 20*9*0.614 = 110.52; 4*110.52 + 2*(3829.65 - 110.52) = 7880.34
    assert SAR_LOGIC_GATES == 20
    assert adc.area == close(7880.34e-12, rel=1e-5)


def test_embedded_slows_down_with_the_supply() -> None:
    low = embedded(8.0, replace(TECHNOLOGY, supply_voltage=0.6))
    full = embedded(8.0)
    ratio = low.convert().latency / full.convert().latency
    assert ratio == close(replace(TECHNOLOGY, supply_voltage=0.6).slowdown)
    # alpha-power law: 0.6/0.18^1.3 over 0.9/0.48^1.3 = 2.386, a little less near the threshold
    assert ratio == pytest.approx(2.386, rel=0.08)
    assert low.convert().energy / full.convert().energy == close((0.6 / 0.9) ** 2)


@given(volts=st.floats(0.5, 1.1), bits=st.integers(3, 12))
def test_capacitance_that_does_not_scale_stays_above_the_thermal_bound(volts: float, bits: int) -> None:
    # 12 kT 4^b/V^2 farads at V volts take 12 kT 4^b joules, 4.97e-20 J * 4^b at 300 K
    bound = noise_capacitance(bits=float(bits), full_scale=volts) * volts**2
    assert bound == close(12 * BOLTZMANN * 300 * 4.0**bits)
    k2 = parameters("adc", "sar_28nm")["adc.exponential_capacitance"]
    assert k2 * 4.0**bits * volts**2 > 5 * bound


@given(bits=st.integers(3, 11), factor=st.floats(0.3, 4.5), volts=st.floats(0.55, 1.05))
def test_embedded_rises_with_bits_node_and_supply(bits: int, factor: float, volts: float) -> None:
    t = replace(coarser(factor), supply_voltage=volts)
    base = embedded(float(bits), t)
    more = embedded(float(bits + 1), t)
    assert more.convert().energy > base.convert().energy and more.area > base.area
    assert more.convert().latency > base.convert().latency
    higher = embedded(float(bits), replace(t, supply_voltage=volts * 1.05))
    assert higher.convert().energy > base.convert().energy
    assert higher.convert().latency < base.convert().latency
    bigger = embedded(float(bits), replace(coarser(factor * 1.02), supply_voltage=volts))
    assert bigger.convert().energy > base.convert().energy and bigger.area > base.area


@pytest.mark.parametrize("bits", [2.0, 13.0])
def test_embedded_refuses_bits(bits: float) -> None:
    with pytest.raises(InputError, match="3 to 12"):
        embedded(bits)


@pytest.mark.parametrize("factor", [2 / 28, 180 / 28])
def test_embedded_refuses_nodes(factor: float) -> None:
    with pytest.raises(InputError, match="3 to 130 nm"):
        embedded(8.0, coarser(factor))


def test_one_law_serves_floats_numpy_and_torch() -> None:
    bits = [4.0, 6.0, 9.0]
    for build in (embedded, survey):
        single = [build(b).convert().energy for b in bits]
        block = build(np.array(bits)).convert().energy
        tensor = build(torch.tensor(bits, dtype=torch.float64)).convert().energy
        assert block.tolist() == close([float(s) for s in single])
        assert tensor.tolist() == close([float(s) for s in single])
        areas = build(torch.tensor(bits, dtype=torch.float64)).area
        assert areas.tolist() == close([float(build(b).area) for b in bits])
