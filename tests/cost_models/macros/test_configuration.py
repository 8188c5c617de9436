"""What a macro is: counts by hand, what stands for the unsaid, refusals, one chip described in two ways."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given
from macro_cases import KINDS, configurations, macro, nominal, priced, public_questions
from tolerance import close

from cost_models.macros.configuration import calibrated_style, circuit_style, technology_class
from device_params.chip_vocabulary import SettingValue
from device_params.errors import InputError

SAR = KINDS["discharge"]


def test_counts_of_a_bit_serial_macro_by_hand() -> None:
    found = macro(
        SAR
        | {"rows": 100.0, "rows_active": 32.0, "cols": 50.0, "input_bits": 5.0, "input_bits_per_cycle": 2.0}
        | {"adc.count": 10.0, "arrays": 3.0}
    )
    # 12 weights of 4 cells in 50 columns; bits 2 + 2 + 1; 32 + 32 + 32 + 4 rows; 48 conversions, 10 at once.
    assert (found.outputs, found.planes, found.groups) == (12.0, 3.0, 4.0)
    assert (found.conversions, found.turns) == (4.0, 5.0)
    assert found.rows_driven == 25.0
    assert found.macs == 100 * 12 * 3
    # 32 rows of one bit take 0 ... 32: 6 bits, the next power of two being short by one.
    assert found.sum_bits == 5.0
    assert macro({k: v for k, v in SAR.items() if k != "adc.bits"} | {"rows": 32.0}).converter_bits == 6.0
    # An output without loss: 5 bits of input, 4 of weight, 7 for a sum of 100.
    assert found.result_bits == 16.0


def test_pairs_are_subtracted_and_slices_joined_before_conversion() -> None:
    pairs = macro(SAR | {"differential": True})
    assert (pairs.cells_per_weight, pairs.outputs, pairs.conversions) == (8.0, 8.0, 4.0)
    joined = macro(SAR | {"weight_combination": "analog"})
    assert (joined.outputs, joined.conversions, joined.converters) == (16.0, 1.0, 16.0)


def test_carries_take_columns_of_a_ripple_array() -> None:
    # 4 bits and log2(64) = 6 for the carries: 6 weights in 64 columns; a tree beside the cells has 16.
    assert macro(KINDS["ripple"]).outputs == 6.0
    assert macro(KINDS["tree"]).outputs == 16.0


@pytest.mark.parametrize(
    ("given_", "name", "value"),
    [
        ({}, "rows_active", 64.0),
        ({}, "arrays", 1.0),
        ({}, "bits_per_cell", 1.0),
        ({}, "cells_per_weight", 4.0),
        ({"bits_per_cell": 2.0}, "cells_per_weight", 2.0),
        ({"differential": True}, "cells_per_weight", 8.0),
        ({}, "input_bits_per_cycle", 1.0),
        ({"input_encoding": "voltage"}, "input_bits_per_cycle", 4.0),
        ({}, "converter", "sar"),
        ({"style": "digital"}, "converter", "none"),
        ({}, "converters", 64.0),
        ({"adc.columns": 5.0}, "converters", 13.0),
        ({"adc.kind": "sense_amplifier"}, "converter_bits", 1.0),
        ({"output_bits": 4.0}, "converter_bits", 4.0),
        ({"output_bits": 20.0}, "converter_bits", 7.0),
        ({"weights_per_element": 8.0}, "rows_active", 8.0),
        ({"rows_active": 128.0}, "rows_active", 64.0),
        ({"input_bits_per_cycle": 8.0}, "input_bits_per_cycle", 4.0),
        ({"input_encoding": "pulse_width", "pulse_clock": 1e9}, "pulse", 16e-9),
        ({"input_encoding": "pulse_width", "pulse_clock": 1e9, "differential": True}, "pulse", 8e-9),
    ],
)
def test_what_is_not_said_has_its_usual_value(given_: dict[str, SettingValue], name: str, value: Any) -> None:
    keys = {k: v for k, v in SAR.items() if k != "adc.bits"}
    assert getattr(macro(keys | given_), name) == value


def test_supply_is_that_of_the_technology_unless_stated() -> None:
    keys = {k: v for k, v in SAR.items() if k != "supply_voltage"}
    assert macro(keys).supply_voltage == nominal(keys)["technology.supply_voltage"] == 0.9
    assert macro(keys | {"supply_voltage": 0.7}).supply_voltage == 0.7


@pytest.mark.parametrize(
    ("kind", "changes", "where", "told"),
    [
        ("discharge", {"memory": "fecap"}, "memory", "gain_cell"),
        ("charge", {"memory": "rram"}, "memory", "fecap"),
        ("tree", {"memory": "mram"}, "memory", "allowed: sram"),
        ("discharge", {"cols": 3.0}, "cells_per_weight", "at most the 3 columns"),
        ("ripple", {"cols": 9.0}, "cells_per_weight", "at most 3"),
        ("ripple", {"pipeline_registers": 65.0}, "pipeline_registers", "at most the 64 rows"),
        ("charge", {"adc.kind": "none"}, "adc.kind", "delta_sigma"),
        ("tree", {"adc.kind": "sar"}, "adc.kind", "allowed: none"),
        ("discharge", {"adc.kind": "delta_sigma"}, "adc.oversampling", "how many samples"),
        ("conduction", {"on_resistance": 2e4, "off_resistance": 1e4}, "off_resistance", "below"),
    ],
)
def test_refusals_are_one_sentence_with_place_and_remedy(
    kind: str, changes: dict[str, SettingValue], where: str, told: str
) -> None:
    with pytest.raises(InputError) as refusal:
        macro(KINDS[kind] | changes)
    text = str(refusal.value)
    assert text.startswith(f"{where}: ") and told in text and "\n" not in text


@pytest.mark.parametrize("bits", [13.0, 16.0])
def test_converters_outside_their_law_are_refused(bits: float) -> None:
    with pytest.raises(
        InputError, match=r"^adc\.bits: no converter of this kind has so many bits; got .*; allowed: 3 to 12$"
    ):
        priced(SAR | {"adc.bits": bits})


def test_a_device_of_another_memory_is_refused_and_other_families_may_stand_for_one() -> None:
    with pytest.raises(InputError, match="device: the device is of family pcm"):
        priced(KINDS["conduction"] | {"device": "pcm_14nm_ibm"})
    assert priced(KINDS["conduction"] | {"device": "sonos_40nm"}).energy["cell"] > 0


def test_every_memory_has_a_circuit_and_a_class() -> None:
    assert [circuit_style(*pair) for pair in (("sram", "digital"), ("fecap", "charge"))] == [
        "digital",
        "capacitive",
    ]
    assert [circuit_style(memory, "current") for memory in ("sram", "gain_cell", "rram", "fefet")] == [
        "capacitive", "capacitive", "conduction", "conduction",
    ]  # fmt: skip
    assert technology_class("sram", "digital") == "sram_digital"
    assert technology_class("gain_cell", "charge") == "sram_analog"
    assert technology_class("fecap", "charge") == technology_class("fefet", "current") == "ferroelectric"
    assert technology_class("mram", "current") == "mram"


#: Keys of a case file whose unsaid value shows as an attribute of the macro.
SAID = {
    "supply_voltage": "supply_voltage", "arrays": "arrays", "rows_active": "rows_active",
    "bits_per_cell": "bits_per_cell", "cells_per_weight": "cells_per_weight", "differential": "differential",
    "input_encoding": "input_encoding", "input_bits_per_cycle": "input_bits_per_cycle",
    "output_bits": "result_bits", "adc.kind": "converter", "adc.bits": "converter_bits",
    "adc.count": "converters", "accumulator": "accumulator",
    "near_memory_operations": "near_memory_operations",
}  # fmt: skip


def said(configuration: Any) -> dict[str, SettingValue]:
    """The same macro with every default spelt out."""
    found = macro(configuration)
    explicit = {key: getattr(found, name) for key, name in SAID.items()}
    values = nominal(configuration)
    for key, own, usual in (
        ("read_voltage", "device.read_voltage", f"macro.{found.memory}.read_voltage"),
        ("unit_capacitance", "", "macro.unit_capacitance"),
        ("cell_area", "device.cell_area", ""),
    ):
        if own in values or usual in values:
            explicit[key] = values[own] if own in values else values[usual]
    if found.style == "digital":
        del explicit["adc.bits"], explicit["adc.count"]
    return {k: v for k, v in configuration.items() if k != "adc.columns"} | explicit


@pytest.mark.parametrize("name", sorted(public_questions()))
def test_defaults_spelt_out_change_nothing_of_public_cases(name: str) -> None:
    question = public_questions()[name]
    silent = priced(question.configuration, question.activity, question.boundary)
    explicit = priced(said(question.configuration), question.activity, question.boundary)
    assert_equal(silent, explicit)


@given(configurations())
def test_defaults_spelt_out_change_nothing(configuration: dict[str, SettingValue]) -> None:
    assert_equal(priced(configuration), priced(said(configuration)))


def assert_equal(one: Any, other: Any) -> None:
    for field in ("energy", "area"):
        assert getattr(one, field) == close(getattr(other, field), rel=1e-9)
    assert float(one.mvm_time) == close(float(other.mvm_time), rel=1e-9)


@given(configurations())
def test_converters_by_count_or_by_columns(configuration: dict[str, SettingValue]) -> None:
    if configuration["style"] == "digital":
        return
    by_columns = dict(configuration) | {"adc.columns": 4.0}
    found = macro(by_columns)
    sums = found.outputs * found.conversions
    assert found.converters == min(-(-found.cols // 4), sums)
    by_count = {k: v for k, v in by_columns.items() if k != "adc.columns"} | {"adc.count": found.converters}
    assert_equal(priced(by_columns), priced(by_count))


def test_a_device_costs_what_its_resistances_cost() -> None:
    name = {"device": "rram_1t1r_neurram_130nm", "node": 130e-9, "supply_voltage": 1.8}
    by_device = KINDS["conduction"] | name
    # 20 uA and 1 uA at 0.5 V are 25 and 500 kohm.
    by_resistance = {k: v for k, v in by_device.items() if k != "device"} | {
        "on_resistance": 25e3,
        "off_resistance": 500e3,
        "read_voltage": 0.5,
        "cell_area": nominal(by_device)["device.cell_area"],
    }
    assert_equal(priced(by_device), priced(by_resistance))
    # Another read voltage scales the currents of both.
    assert_equal(priced(by_device | {"read_voltage": 0.25}), priced(by_resistance | {"read_voltage": 0.25}))


def test_every_device_file_with_a_resistance_gives_its_own_answer() -> None:
    energies = {
        device: float(priced(KINDS[kind] | {"device": device, "memory": memory}).energy["cell"])
        for kind, memory, device in (
            ("conduction", "rram", "rram_1t1r_neurram_130nm"),
            ("conduction", "rram", "rram_cmo_hfox"),
            ("conduction", "rram", "rram_taox_hfox"),
            ("conduction", "pcm", "pcm_14nm_ibm"),
            ("conduction", "pcm", "pcm_gst_ibm"),
            ("magnetic", "mram", "stt_mram"),
            ("magnetic", "mram", "stt_mram_neurosim"),
            ("conduction", "fefet", "fefet_1f1r_28nm"),
            ("conduction", "fefet", "fefet_analog_synapse"),
        )
    }
    assert len(set(energies.values())) == len(energies)
    # An MRAM of 3.5 kohm read at 0.15 V: 43 uA, and 1/2.3 of that in the other state.
    on = nominal(KINDS["magnetic"])["macro.mram.read_voltage"] / 3500
    mean = on * (1 / 2.3 + 0.5 * (1 - 1 / 2.3))
    cells = 64 * 64 * 0.5 * 4  # half of the inputs in each of 4 planes
    factor = nominal(KINDS["magnetic"])["macro.calibration.conduction.energy"]
    assert energies["stt_mram_neurosim"] == close(factor * cells * mean * 0.9 * 5e-9, rel=1e-9)


def test_macros_of_the_kinds_differ() -> None:
    macros = [macro(configuration) for configuration in KINDS.values()]
    assert len({dataclasses.astuple(one) for one in macros}) == len(KINDS)


def test_analog_macros_share_the_factor_of_their_area() -> None:
    for kind in ("energy", "time"):
        assert calibrated_style("sram", "charge", kind) == "capacitive"
        assert calibrated_style("rram", "current", kind) == "conduction"
    assert {calibrated_style(m, s, "area") for m, s in (("sram", "charge"), ("rram", "current"))} == {
        "analog"
    }
    assert {calibrated_style("sram", "digital", kind) for kind in ("energy", "time", "area")} == {"digital"}
