"""Devices that are not ferroelectric: the arithmetic of their notes, done again; what they leave out."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pytest
from tolerance import close

from device_params import InputError, list_names, load_device
from device_params.schema import Parameter
from device_params.vocabulary import SLOTS

NAMES = [
    "ecram_array_10x10",
    "ecram_metal_oxide",
    "gain_cell_igzo",
    "gain_cell_osfet",
    "pcm_14nm_ibm",
    "pcm_gst_ibm",
    "rram_cmo_hfox",
    "rram_taox_hfox",
    "sonos_40nm",
    "sot_mram",
    "sram_6t_28nm",
    "stt_mram",
    "stt_mram_neurosim",
]


def of(name: str) -> Mapping[str, Parameter]:
    return load_device(name).parameters


def polynomial(coefficients: list[float], x: float) -> float:
    return sum(c * x**power for power, c in enumerate(coefficients))


def test_they_are_all_there() -> None:
    assert set(NAMES) <= set(list_names("device"))


@pytest.mark.parametrize("name", NAMES)
def test_none_of_them_is_a_cell_of_a_crossbar_by_accident(name: str) -> None:
    slot = SLOTS["crossbar_chip"]["cell"]
    assert set(slot.needs) - set(of(name))


@pytest.mark.parametrize("name", NAMES)
def test_interval_and_sweep_bounds_are_two_things(name: str) -> None:
    for parameter in of(name).values():
        assert parameter.sweep_bounds != (parameter.low, parameter.high), parameter


def test_phase_change_memory_at_the_middle_of_its_range() -> None:
    gst = of("pcm_gst_ibm")
    x = 0.5
    spread = polynomial([0.26348, 1.9650, -1.1731], x)
    assert gst["programming_sigma"].value == close(spread * 1e-6, rel=1e-3)
    assert gst["drift_exponent"].value == max(0.049, min(0.1, -0.0155 * math.log(x) + 0.0244))
    assert gst["drift_exponent_sigma"].value == max(0.008, min(0.045, -0.0125 * math.log(x) - 0.0059))
    at_top = polynomial([0.26348, 1.9650, -1.1731], 1.0) / 25
    assert gst["on_current_sigma"].value == pytest.approx(at_top, rel=0.01)

    hermes = of("pcm_14nm_ibm")
    coefficients = [0.15781817, 2.32443916, -2.16310839, 0.68841818]
    assert hermes["programming_sigma"].value == close(polynomial(coefficients, x) * 1e-6, rel=1e-3)
    assert hermes["on_current_sigma"].value == pytest.approx(polynomial(coefficients, 1.0) / 10.35, rel=0.01)
    assert hermes["drift_exponent"].value == pytest.approx(-0.0436 * x**2 - 0.0126 * x + 0.0736)
    sigma = -0.0165 * x**2 + 0.0116 * x + 0.0104
    assert hermes["drift_exponent_sigma"].value == pytest.approx(sigma, rel=0.01)


def test_spread_of_the_zurich_cell_adds_programming_and_relaxation() -> None:
    cell = of("rram_cmo_hfox")
    top = cell["maximum_conductance"].value * 1e6  # uS

    def spread(programming: tuple[float, float], seconds: float) -> float:
        relaxed = 0.04201137 * math.log(seconds) + 0.41183342
        return math.hypot(programming[0] + programming[1] * top, relaxed) / top

    within_2, within_02 = (0.0112185391, 0.01129027418), (0.00081107, 0.00106879)
    sigma = cell["on_current_sigma"]
    assert sigma.value == pytest.approx(spread(within_2, 86400), rel=0.01)
    assert sigma.low == pytest.approx(spread(within_02, 1), rel=0.01)
    assert sigma.high == pytest.approx(spread(within_2, 10 * 3.156e7), rel=0.01)
    assert cell["on_off_ratio"].value == pytest.approx(88.2 / 9)


def test_write_energies_are_those_of_the_resistive_element() -> None:
    oxide = of("rram_taox_hfox")
    joules = oxide["write_voltage"].value ** 2 * oxide["write_time"].value
    highest = joules * oxide["maximum_conductance"].value
    lowest = highest / oxide["on_off_ratio"].value
    energy = oxide["write_energy"]
    expected = (lowest, (lowest + highest) / 2, highest)
    assert (energy.low, energy.value, energy.high) == close(expected, rel=0.03)

    junction = of("stt_mram_neurosim")
    joules = junction["write_voltage"].value ** 2 * junction["write_time"].value
    parallel, antiparallel = (joules / junction[f"{s}_resistance"].value for s in ("on", "off"))
    energy = junction["write_energy"]
    expected = (antiparallel, math.sqrt(parallel * antiparallel), parallel)
    assert (energy.low, energy.value, energy.high) == close(expected, rel=0.04)


@pytest.mark.parametrize("name", ["stt_mram", "stt_mram_neurosim"])
def test_resistances_of_a_junction_agree(name: str) -> None:
    junction = of(name)
    ratio = junction["off_resistance"].value / junction["on_resistance"].value
    assert junction["on_off_ratio"].value == pytest.approx(ratio)
    assert junction["magnetoresistance"].value == pytest.approx(ratio - 1)


def test_spread_of_the_charge_trap() -> None:
    cell = of("sonos_40nm")
    sigma, scale = cell["programming_sigma"].value, cell["programming_scale"].value
    top = cell["maximum_current"].value
    relative = sigma * (1 - math.exp(-top / scale)) / top
    assert cell["on_current_sigma"].value == pytest.approx(relative, rel=0.01)


def test_update_of_the_oxide_is_a_share_of_the_whole_range() -> None:
    step = of("ecram_metal_oxide")["update_step"].value
    assert step == pytest.approx(2.8214e-4 / (1.1714 + 0.8286), rel=0.01)


def test_nothing_is_invented() -> None:
    """What no source states is missing, and says so when it is asked for."""
    for name, missing in [
        ("ecram_array_10x10", "write_energy"),
        ("gain_cell_osfet", "retention"),
        ("pcm_gst_ibm", "write_energy"),
        ("sonos_40nm", "write_voltage"),
        ("sot_mram", "on_resistance"),
    ]:
        with pytest.raises(InputError, match="unknown parameter"):
            of(name)[missing]


def test_weak_classes_are_assumed_throughout() -> None:
    for name in ("sot_mram", "stt_mram"):
        for parameter in of(name).values():
            assert parameter.basis in ("assumed", "derived"), parameter
            assert parameter.integer or parameter.high / parameter.low >= 1.4, parameter
