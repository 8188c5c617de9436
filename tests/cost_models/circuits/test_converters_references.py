"""How far the converters are off published ones: the ratios that `docs/circuits/adc.md` and `dac.md` state.

Nothing was fitted to these figures. A ratio that moves by more than a tenth fails here, and the pages want
it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from converter_samples import capacitive, charge_sar, embedded, flash, ramp, survey, technology_of

from cost_models.circuits.technology import Technology
from device_params.nodes import technology_at


def at(nanometres: float, volts: float) -> Technology:
    return replace(technology_of(technology_at(nanometres * 1e-9)), supply_voltage=volts)


def stated(ratio: float) -> Any:
    return pytest.approx(ratio, rel=0.1)


#: NeuroSim 1.4, 22 nm, 0.85 V, a column of 2.70 kohm: bits -> fJ a conversion, um^2. Its SAR energy includes
#: the current of the column, 0.0795 V^2/2.70 kohm for b + 1 ns.
NEUROSIM_SAR = {5: (219.0, 124.2), 7: (301.0, 161.7)}
NEUROSIM_FLASH = {4: (49.5, 43.5), 5: (89.8, 59.3), 7: (444.0, 149.0)}


@pytest.mark.parametrize(
    ("bits", "with_column", "alone", "area", "embedded_alone", "embedded_area"),
    [(5, 1.23, 2.2, 0.59, 7.5, 2.3), (7, 1.42, 2.95, 1.0, 6.9, 6.0)],
)
def test_sar_beside_neurosim(
    bits: int, with_column: float, alone: float, area: float, embedded_alone: float, embedded_area: float
) -> None:
    t = at(22, 0.85)
    energy, square = NEUROSIM_SAR[bits]
    column = 0.0795 / 2700 * (bits + 1) * 1e-9 * 1e15  # fJ
    adc, law = charge_sar(float(bits), t, 0.85), embedded(float(bits), t)
    ours = adc.convert().energy * 1e15
    assert (ours + column) / energy == stated(with_column)
    assert 0.5 < (ours + column) / energy < 2
    assert ours / (energy - column) == stated(alone)
    assert adc.area * 1e12 / square == stated(area)
    assert law.convert().energy * 1e15 / (energy - column) == stated(embedded_alone)
    assert law.area * 1e12 / square == stated(embedded_area)


@pytest.mark.parametrize(
    ("bits", "noise_only", "noise_area", "matched", "matched_area"),
    [(4, 0.90, 1.27, 1.12, 1.32), (5, 1.01, 1.84, 2.30, 2.09), (7, 2.12, 5.2, 20.6, 10.0)],
)
def test_flash_beside_neurosim(
    bits: int, noise_only: float, noise_area: float, matched: float, matched_area: float
) -> None:
    t = at(22, 0.85)
    energy, square = NEUROSIM_FLASH[bits]
    adc = flash(float(bits), t, 0.85)
    # NeuroSim does not size a comparator by its offset
    plain = replace(adc, comparator=replace(adc.comparator, offset_sigmas=0.0))
    assert plain.convert().energy * 1e15 / energy == stated(noise_only)
    assert plain.area * 1e12 / square == stated(noise_area)
    assert adc.convert().energy * 1e15 / energy == stated(matched)
    assert adc.area * 1e12 / square == stated(matched_area)


def test_flash_and_sar_change_places() -> None:
    # between 5 and 7 bits in NeuroSim; between 4 and 5 here, because our comparators are matched
    t = at(22, 0.85)
    for bits, flash_wins in ((4.0, True), (5.0, False), (7.0, False)):
        fast, slow = (build(bits, t, 0.85).convert().energy for build in (flash, charge_sar))
        assert (fast < slow) == flash_wins


@pytest.mark.parametrize(
    ("volts", "picojoule", "law", "parts"), [(0.85, 1.79, 0.74, 0.32), (1.2, 3.56, 0.74, 0.28)]
)
def test_column_sar_at_65_nm(volts: float, picojoule: float, law: float, parts: float) -> None:
    # silicon, 8 nominal bits, one converter a column
    t = at(65, volts)
    assert embedded(8.0, t).convert().energy * 1e12 / picojoule == stated(law)
    assert charge_sar(8.0, t, volts).convert().energy * 1e12 / picojoule == stated(parts)


def test_stand_alone_sar_at_32_nm() -> None:
    # Kull 2013: 8 nominal, 6.2 effective bits, 1.2 GS/s, 2.55 pJ, 1500 um^2, 1 V
    t = at(32, 1.0)
    law, parts = embedded(8.0, t, rows=0.0), charge_sar(8.0, t, 1.0)
    regression = survey(6.2, 1.2e9, 32e-9)
    assert law.convert().energy * 1e12 / 2.55 == stated(0.40)
    assert law.area * 1e12 / 1500 == stated(1.47)
    assert parts.convert().energy * 1e12 / 2.55 == stated(0.21)
    assert parts.area * 1e12 / 1500 == stated(0.23)
    assert regression.energy * 1e12 / 2.55 == stated(0.24)
    assert regression.area * 1e12 / 1500 == stated(3.0)
    # a converter built for speed; both of ours are column converters
    assert law.convert().latency * 1.2e9 == stated(6.8)
    assert parts.convert().latency * 1.2e9 == stated(6.1)


#: bits -> pJ, um^2 at 32 nm: the list that ISAAC-style models use, scaled from one part.
ISAAC = {
    4: (0.79, 361),
    5: (0.99, 477),
    6: (1.20, 627),
    7: (1.42, 845),
    8: (1.67, 1200),
    9: (1.97, 1828),
    10: (2.38, 3002),
}


def test_isaac_list() -> None:
    t = at(32, 1.0)
    law = {b: embedded(float(b), t, rows=0.0) for b in ISAAC}
    parts = {b: charge_sar(float(b), t, 1.0) for b in ISAAC}

    def span(values: list[float]) -> list[float]:
        return [min(values), max(values)]

    def energies(made: dict[int, Any]) -> list[float]:
        return span([made[b].convert().energy * 1e12 / ISAAC[b][0] for b in ISAAC])

    def areas(made: dict[int, Any]) -> list[float]:
        return span([made[b].area * 1e12 / ISAAC[b][1] for b in ISAAC])

    assert energies(law) == stated([0.60, 0.95])
    assert areas(law) == stated([0.55, 2.5])
    assert energies(parts) == stated([0.17, 1.71])
    assert areas(parts) == stated([0.21, 0.39])


#: Effective bits below -> least pJ of any converter of at least 1 MS/s in the survey (revision of June 2025).
BEST = {5: 0.96, 6: 0.78, 7: 0.30, 8: 1.09, 9: 1.90, 10: 3.73}


def test_best_of_the_survey() -> None:
    ratio = {b: charge_sar(float(b)).convert().energy * 1e12 / best for b, best in BEST.items()}
    assert ratio == stated({5: 0.12, 6: 0.20, 7: 0.77, 8: 0.39, 9: 0.59, 10: 1.04})


def test_neuron_converter_at_130_nm() -> None:
    # 0.3 pJ a step at 1.8 V and 400 um^2 for the converter of a column
    adc = ramp(8.0, at(130, 1.8))
    assert adc.convert().energy / 256 * 1e12 / 0.3 == stated(0.82)
    assert adc.area * 1e12 / 400 == stated(0.95)


def test_capacitive_dac_at_40_nm() -> None:
    # array of an 8-bit SAR of 1.1 GS/s: 0.291 pJ, 438 um^2
    dac = capacitive(8.0, at(40, 1.0))
    assert dac.convert().energy * 1e12 / 0.291 == stated(0.34)
    assert dac.area * 1e12 / 438 == stated(0.64)
