"""One change at a time, all else equal: what must grow, fall, stay or scale; public and generated macros."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from macro_cases import KINDS, configurations, dynamic_energy, macro, nominal, priced, public_questions
from tolerance import close

from cost_models.macros.metrics import MacroCost
from device_params.chip_vocabulary import SettingValue
from device_params.chips import Question
from device_params.errors import InputError

#: Rounding of sums.
SLACK = 1.0 - 1e-12

PUBLIC = pytest.mark.parametrize(
    "question", [pytest.param(q, id=n) for n, q in sorted(public_questions().items())]
)

DENSITIES = st.sampled_from([0.1, 0.5, 0.9])


def cost(question: Question, **changes: Any) -> MacroCost:
    """A public case with some keys changed (``adc__bits`` for ``adc.bits``)."""
    keys = {name.replace("__", "."): value for name, value in changes.items()}
    return priced({**question.configuration, **keys}, question.activity, question.boundary)


def grows(question: Question, key: str, values: list[float]) -> None:
    """Dynamic energy of a product does not fall along ``values``; points outside the model are left out."""
    energies: list[float] = []
    for value in values:
        try:
            found = cost(question, **{key.replace(".", "__"): value})
        except InputError:
            continue
        energies.append(float(dynamic_energy(found)))
    assert len(energies) >= 2
    assert all(more >= less * SLACK for less, more in pairwise(energies))


def asked(configuration: Mapping[str, SettingValue], **activity: float) -> Question:
    return Question(configuration, activity, "macro", ())


# --- supply -------------------------------------------------------------------------------------------------


def with_fixed_reading(configuration: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """The same with a fixed reading: gates that end a current sooner at a higher supply save energy."""
    found = macro(configuration)
    fixed = {"read_time": 10e-9} if found.circuit == "conduction" else {}
    # A column that a clock cuts has fewer registers, and glitches more, where its gates are faster.
    if found.accumulator == "ripple_column" and found.pipeline_registers is None:
        fixed |= {"pipeline_registers": 8.0}
    return {**configuration, **fixed}


def volts(configuration: Mapping[str, SettingValue]) -> list[float]:
    return [macro(configuration).supply_voltage * factor for factor in (0.8, 0.9, 1.0, 1.1, 1.25)]


@PUBLIC
def test_energy_does_not_fall_with_the_supply_of_public_cases(question: Question) -> None:
    keys = with_fixed_reading(question.configuration)
    grows(Question(keys, question.activity, question.boundary, ()), "supply_voltage", volts(keys))


@given(configurations(), DENSITIES, DENSITIES)
@settings(max_examples=50)
def test_energy_does_not_fall_with_the_supply(
    configuration: dict[str, SettingValue], density: float, weights: float
) -> None:
    keys = with_fixed_reading(configuration)
    grows(asked(keys, input_density=density, weight_density=weights), "supply_voltage", volts(keys))


@pytest.mark.parametrize("kind", ["tree", "booth", "ripple"])
def test_gates_go_with_the_square_of_the_supply(kind: str) -> None:
    low, high = (priced(KINDS[kind] | {"supply_voltage": value}) for value in (0.7, 1.0))
    assert dynamic_energy(high) == close(dynamic_energy(low) / 0.49)
    assert high.mvm_time < low.mvm_time


# --- dimensions and precision -------------------------------------------------------------------------------


@PUBLIC
@pytest.mark.parametrize("key", ["rows", "cols", "input_bits", "adc.bits", "output_bits"])
def test_a_product_of_more_is_never_cheaper_on_public_cases(question: Question, key: str) -> None:
    found = macro(question.configuration)
    if key == "adc.bits" and found.style == "digital":
        return
    if key in ("rows", "cols"):
        values = [getattr(found, key) * factor for factor in (1, 2, 3, 4)]
    else:
        start = {"input_bits": found.input_bits, "adc.bits": found.converter_bits}.get(key, found.result_bits)
        values = [start + more for more in (-1, 0, 1, 2) if start + more >= 1]
    if key == "input_bits" and found.planes == 1 and found.input_bits > 1:
        # Where an input is applied at once its converter grows with it.
        question = Question(
            {k: v for k, v in question.configuration.items() if k != "input_bits_per_cycle"},
            question.activity,
            question.boundary,
            (),
        )
    grows(question, key, values)


@given(configurations(), st.sampled_from(["rows", "cols", "input_bits", "arrays"]), DENSITIES)
@settings(max_examples=80)
def test_a_product_of_more_is_never_cheaper(
    configuration: dict[str, SettingValue], key: str, density: float
) -> None:
    value = float(configuration[key])
    values = [max(1.0, value - 1.0), value] if key == "input_bits" else [value, 2.0 * value]
    grows(asked(configuration, input_density=density), key, values)


@given(configurations())
@settings(max_examples=50)
def test_wider_weights_are_never_cheaper(configuration: dict[str, SettingValue]) -> None:
    def sixteen(bits: float) -> MacroCost:
        """Sixteen weights of so many bits, in as many columns as they need."""
        keys = {k: v for k, v in configuration.items() if k != "adc.columns"} | {"weight_bits": bits}
        found = macro(keys | {"cols": 1000.0})
        carries = found.sum_bits if found.accumulator == "ripple_column" else 0.0
        return priced(keys | {"cols": 16.0 * (bits + carries)})

    bits = float(configuration["weight_bits"])
    less, more = sixteen(bits), sixteen(bits + 1.0)
    assert less.macro.outputs == more.macro.outputs == 16.0
    assert dynamic_energy(more) > dynamic_energy(less)
    assert sum(more.area.values()) > sum(less.area.values())


@given(configurations())
@settings(max_examples=50)
def test_one_more_bit_of_the_converter_costs_energy_area_and_no_time_less(
    configuration: dict[str, SettingValue],
) -> None:
    if configuration["style"] == "digital":
        return
    bits = float(configuration["adc.bits"])
    less, more = (priced(configuration | {"adc.bits": b}) for b in (bits, bits + 1))
    assert more.energy["adc"] > less.energy["adc"]
    assert more.area["adc"] > less.area["adc"]
    assert more.mvm_time >= less.mvm_time * SLACK


# --- converters ---------------------------------------------------------------------------------------------


@given(configurations(), st.sampled_from([2.0, 4.0, 8.0]))
@settings(max_examples=50)
def test_sharing_a_converter_saves_area_and_costs_time(
    configuration: dict[str, SettingValue], columns: float
) -> None:
    if configuration["style"] == "digital":
        return
    own, shared = (priced(configuration | {"adc.columns": n}) for n in (1.0, columns))
    if shared.macro.converters == own.macro.converters:
        return  # too few sums to share
    assert shared.area["adc"] < own.area["adc"]
    assert sum(shared.area.values()) < sum(own.area.values())
    # An oscillator that is clocked out counts no longer for fewer columns, but is read once a turn.
    assert shared.mvm_time > own.mvm_time
    if configuration.get("adc.kind") != "ramp":  # whose columns share one counter
        assert shared.energy["adc"] == close(own.energy["adc"])


# --- arrays -------------------------------------------------------------------------------------------------


@given(configurations(), st.sampled_from([2.0, 5.0, 64.0]))
@settings(max_examples=40)
def test_throughput_goes_with_the_arrays(configuration: dict[str, SettingValue], factor: float) -> None:
    one, many = (priced(configuration | {"arrays": n}) for n in (1.0, factor))
    rate = [2.0 * found.macro.macs / found.mvm_time for found in (one, many)]
    assert rate[1] == close(factor * rate[0])
    assert sum(many.area.values()) == close(factor * sum(one.area.values()))


# --- what a cell is -----------------------------------------------------------------------------------------


@given(st.sampled_from(["rram", "pcm", "mram", "fefet"]), st.floats(2e3, 1e6), st.floats(1.5, 10.0))
def test_a_larger_resistance_takes_less_current(memory: str, ohm: float, ratio: float) -> None:
    keys = KINDS["conduction"] | {"memory": memory, "on_resistance": ohm}
    low = priced(keys)
    high = priced(keys | {"on_resistance": ohm * ratio})
    assert high.energy["cell"] == close(low.energy["cell"] / ratio)
    assert {k: v for k, v in high.energy.items() if k != "cell"} == {
        k: close(v) for k, v in low.energy.items() if k != "cell"
    }
    off = priced(keys | {"off_resistance": 1e3 * ohm})
    assert off.energy["cell"] < low.energy["cell"]


def test_memories_and_nodes_and_styles_differ() -> None:
    def fingerprint(**changes: Any) -> tuple[str, str]:
        found = priced({**KINDS["conduction"], **changes})
        return f"{float(dynamic_energy(found)):.6g}", f"{float(sum(found.area.values())):.6g}"

    memories = {fingerprint(memory=memory) for memory in ("rram", "pcm", "mram", "fefet", "sram")}
    assert len(memories) == 5
    nodes = {fingerprint(node=node * 1e-9) for node in (7, 14, 22, 28, 65)}
    assert len(nodes) == 5
    charge = priced(KINDS["charge"])
    assert dynamic_energy(charge) != dynamic_energy(priced(KINDS["charge"] | {"unit_capacitance": 5e-15}))


NODES = (7e-9, 10e-9, 14e-9, 16e-9, 22e-9, 28e-9, 32e-9, 40e-9, 45e-9, 65e-9)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_finer_node_costs_no_more_at_equal_supply(kind: str) -> None:
    found = [priced(with_fixed_reading(KINDS[kind]) | {"node": node}) for node in NODES]
    for finer, coarser in pairwise(found):
        assert dynamic_energy(finer) <= dynamic_energy(coarser) / SLACK
        assert sum(finer.area.values()) <= sum(coarser.area.values()) / SLACK


@PUBLIC
def test_a_finer_node_costs_no_more_at_equal_supply_of_public_cases(question: Question) -> None:
    keys = with_fixed_reading(question.configuration)
    keys = {k: v for k, v in keys.items() if k != "device"} | {
        "supply_voltage": macro(question.configuration).supply_voltage
    }
    energies, areas = [], []
    for node in (14e-9, 28e-9, 65e-9):
        try:
            found = priced(keys | {"node": node}, question.activity, question.boundary)
        except InputError:
            continue  # a supply that this node does not take
        energies.append(float(dynamic_energy(found)))
        areas.append(float(sum(found.area.values())))
    assert energies == sorted(energies) and areas == sorted(areas)


# --- data ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_input_leaves_the_cells_and_lines_at_rest(kind: str) -> None:
    found = priced(KINDS[kind], {"input_density": 0.0})
    assert found.energy["cell"] == 0.0
    assert found.energy["word_line_driver"] == 0.0
    assert all(np.isfinite(value) for value in found.energy.values())


@given(configurations(), DENSITIES, DENSITIES)
@settings(max_examples=50)
def test_denser_inputs_and_weights_cost_no_less(
    configuration: dict[str, SettingValue], density: float, weights: float
) -> None:
    def energy(inputs: float, ones: float, toggle: float) -> float:
        activity = {"input_density": inputs, "weight_density": ones, "input_toggle": toggle}
        return float(dynamic_energy(priced(configuration, activity)))

    base = energy(density, weights, 0.4)
    assert energy(min(1.0, density + 0.1), weights, 0.4) >= base * SLACK
    assert energy(density, min(1.0, weights + 0.1), 0.4) >= base * SLACK
    assert energy(density, weights, 1.0) >= base * SLACK


@pytest.mark.parametrize("kind", ["tree", "ripple"])
def test_inputs_that_all_toggle_cost_most(kind: str) -> None:
    """Parities of inputs that all toggle stand still; the sums do not."""
    energies = [
        float(dynamic_energy(priced(KINDS[kind], {"input_toggle": t, "weight_density": 1.0})))
        for t in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    assert energies == sorted(energies) and energies[-1] > 2 * energies[0]


# --- poison -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["discharge", "conduction", "charge", "tree", "ripple"])
def test_parameters_that_matter_reach_the_bill(kind: str) -> None:
    """A parameter that is not a number shows in energy, area or time, if the macro uses it at all."""
    used = {
        "discharge": ("macro.bit_line_swing", "macro.sense_gates", "adc.linear_capacitance"),
        "conduction": ("macro.rram.on_resistance", "macro.rram.read_voltage", "macro.rram.cell_area"),
        "charge": ("macro.unit_capacitance", "macro.access_width", "adc.exponential_capacitance"),
        "tree": ("macro.glitch_ratio", "technology.full_adder_capacitance_ratio"),
        "ripple": ("macro.chain_glitch_share", "technology.xor_delay_ratio"),
    }[kind]
    common = (
        "macro.control_fraction",
        "macro.layout_overhead",
        "technology.gate_area",
        "technology.gate_delay",
    )
    for name in (*used, *common):
        assert name in nominal(KINDS[kind])
        found = priced(KINDS[kind], **{name.replace(".", "__"): float("nan")})
        sums = (sum(found.energy.values()), sum(found.area.values()), found.mvm_time)
        assert any(np.isnan(value) for value in sums), name
