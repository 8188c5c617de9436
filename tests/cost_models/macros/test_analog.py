"""Steps of macros that sum currents or charge: by hand from their parameters, and nothing counted twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from macro_cases import KINDS, dynamic_energy, macro, nominal, priced
from tolerance import close

from cost_models.circuits.technology import Technology
from cost_models.macros.analog import charge_step, current_step
from cost_models.macros.cells import cell_area, input_line, sum_line
from cost_models.macros.converters import EARLY_STEPS, converter_of, input_converter_of
from cost_models.macros.step import Activity, Step


def step(configuration: Mapping[str, Any], **given: float) -> Step:
    """One step of a configuration at nominal parameters."""
    found, p = macro(configuration), nominal(configuration)
    build = charge_step if found.style == "charge" else current_step
    return build(found, Activity.of(given), Technology.of(p), p)


def test_activity_of_random_bits_and_of_what_is_stated() -> None:
    assert Activity.of({}) == Activity(0.5, 0.5, 0.5, 0.25)
    # Bits of density 0.2 toggle with 2*0.2*0.8; the mean product is 0.2*0.5.
    assert Activity.of({"input_density": 0.2}) == Activity(0.2, 0.5, close(0.32), close(0.1))
    stated = Activity.of({"input_density": 0.4, "output_fraction": 0.1, "input_toggle": 0.9})
    assert (stated.product, stated.input_toggle, stated.level) == (0.1, 0.9, close(0.25))
    # A converter that clips may put out more than its inputs; a cell cannot.
    assert Activity.of({"input_density": 0.4, "output_fraction": 0.8}).level == 1.0
    assert Activity.of({"input_density": 0.0, "weight_density": 0.3}).level == 0.3


def test_conducting_cells_by_hand() -> None:
    keys = KINDS["conduction"] | {"on_resistance": 1e4, "off_resistance": 2e5, "read_voltage": 0.2}
    # 20 uA and 1 uA, half of the cells on: 10.5 uA from 0.9 V for 5 ns are 47.25 fJ a cell; half of 64*64.
    assert step(keys).energy["cell"] == close(64 * 64 * 0.5 * 47.25e-15)
    assert step(keys | {"read_supply_voltage": 0.2}).energy["cell"] == close(64 * 64 * 0.5 * 10.5e-15)
    # Bit lines are charged to the read voltage once, drivers a third more.
    found, p = macro(keys), nominal(keys)
    technology = Technology.of(p)
    line = sum_line(found, technology, p, cell_area(found, technology, p))
    assert step(keys).energy["bit_line_driver"] == close(64 * 4 / 3 * line.capacitance * 0.04)


def test_discharged_bit_lines_by_hand() -> None:
    keys = KINDS["discharge"]
    found, p = macro(keys), nominal(keys)
    technology = Technology.of(p)
    area = cell_area(found, technology, p)
    line = sum_line(found, technology, p, area)
    full = 64 * line.capacitance * p["macro.bit_line_swing"] * 0.9 * 0.9
    assert step(keys, input_density=1.0, weight_density=1.0).energy["cell"] == close(full)
    assert step(keys, input_density=0.5, weight_density=0.25).energy["cell"] == close(full / 8)
    words = input_line(found, technology, p, area)
    assert step(keys).energy["word_line_driver"] == close(64 * 0.5 * 4 / 3 * words.capacitance * 0.81)
    assert step(keys | {"word_line_voltage": 0.45}).energy["word_line_driver"] == close(
        64 * 0.5 * 4 / 3 * words.capacitance * 0.45**2
    )
    # One step: lines, development of the signal; then one conversion by each of 64 converters.
    taken = step(keys)
    assert taken.time == close(words.delay + line.delay + p["macro.sense_gates"] * technology.delay)
    adc = converter_of(found, technology, p, full_scale=1.0, code=0.25)
    assert taken.conversion_time == close(adc.convert().latency)
    assert taken.conversion_energy["adc"] == close(64 * adc.convert().energy)
    assert taken.area["adc"] == close(64 * adc.area)
    assert taken.area["cell"] == close(64 * 64 * area)
    assert taken.area["write_path"] == 0.0


def test_charged_capacitors_by_hand() -> None:
    keys = KINDS["charge"] | {"unit_capacitance": 2e-15}
    found, p = macro(keys), nominal(keys)
    technology = Technology.of(p)
    width = p["macro.access_width"] * 28e-9
    plate = 2e-15 + 4 * technology.transistor_drain_capacitance_per_width * width
    taken = step(keys, input_density=0.5, weight_density=0.25)
    assert taken.energy["cell"] == close(64 * 64 * 0.125 * plate * 0.81)
    words = input_line(found, technology, p, cell_area(found, technology, p))
    assert taken.energy["word_line_driver"] == close(64 * 0.5 * 4 / 3 * words.capacitance * 0.81)
    assert taken.energy["dac"] == close(64 * technology.flip_flop_capacitance_ratio * technology.gate_energy)
    # Charge settles after the line and the signal have developed, and larger plates take longer to.
    assert taken.time > words.delay + p["macro.sense_gates"] * technology.delay
    assert taken.time <= step(keys | {"unit_capacitance": 4e-15}).time
    # Levels spread evenly up to twice their mean of a half: mean square a third.
    ladder = KINDS["ladder"] | {"unit_capacitance": 2e-15}
    analog = step(ladder, input_density=0.5, weight_density=0.25)
    assert analog.energy["cell"] == close(16 * 64 / 3 * 0.25 * plate * 0.81)
    p = nominal(ladder)
    entry = input_converter_of(macro(ladder), Technology.of(p), p, 1e-6)
    assert entry is not None
    assert analog.energy["dac"] == close(16 * entry.convert().energy)
    assert analog.area["dac"] == close(16 * entry.area)


def test_rows_of_a_short_last_group_are_not_counted() -> None:
    # 64 rows in groups of 10: 7 steps, in all 64 rows.
    for kind in ("discharge", "conduction", "charge"):
        keys = KINDS[kind] | {"cell_area": 1e-12}
        whole = priced(keys).energy["word_line_driver"]
        assert priced(keys | {"rows_active": 10.0}).energy["word_line_driver"] == close(whole)


def test_a_pulse_swings_its_line_once_and_a_train_once_a_pulse() -> None:
    keys = KINDS["pulse width"] | {"adc.kind": "flash"}
    line = input_line_of(keys)
    # Codes 0 ... 15 with a mean of a half: one in 16 is zero.
    assert step(keys).energy["word_line_driver"] == close(64 * 15 / 16 * 4 / 3 * line.capacitance * 0.81)
    assert step(keys, input_density=1.0).energy["word_line_driver"] == close(
        64 * 4 / 3 * line.capacitance * 0.81
    )
    assert step(keys, input_density=0.0).energy["word_line_driver"] == 0.0
    train = KINDS["pulse count"]
    assert step(train).energy["word_line_driver"] == close(64 * 7.5 * 4 / 3 * line.capacitance * 0.81)
    # Both discharge the bit line by the same mean.
    assert step(train).energy["cell"] == close(step(keys).energy["cell"])


def input_line_of(keys: Mapping[str, Any]) -> Any:
    found, p = macro(keys), nominal(keys)
    technology = Technology.of(p)
    return input_line(found, technology, p, cell_area(found, technology, p))


def test_bit_lines_are_held_through_all_pulses_of_a_train() -> None:
    keys = KINDS["conduction"] | {"input_encoding": "pulse_count"}
    once = KINDS["conduction"] | {"input_bits": 1.0}
    assert step(keys).energy["bit_line_driver"] == close(step(once).energy["bit_line_driver"])


@pytest.mark.parametrize("kind", ["pulse width", "pulse count", "discharge", "charge"])
def test_held_sums_are_read_once_and_converted_in_turns(kind: str) -> None:
    alone, shared = (step(KINDS[kind] | {"adc.kind": "flash", "adc.columns": n}) for n in (1.0, 8.0))
    assert shared.turns == 8.0
    assert shared.energy == {name: close(value) for name, value in alone.energy.items()}
    assert shared.time == close(alone.time)
    assert shared.conversion_time == close(8 * alone.conversion_time)


def test_sums_that_are_not_held_are_read_again_for_each_turn() -> None:
    alone, shared = (step(KINDS["conduction"] | {"adc.columns": n}) for n in (1.0, 8.0))
    assert shared.time == close(8 * alone.time)
    assert shared.energy["word_line_driver"] == close(8 * alone.energy["word_line_driver"])
    assert shared.energy["cell"] == close(alone.energy["cell"])
    assert shared.conversion_energy == {name: close(v) for name, v in alone.conversion_energy.items()}


def test_more_converters_than_sums_cost_area_but_no_part_of_a_turn() -> None:
    enough, spare = (step(KINDS["discharge"] | {"adc.count": n}) for n in (64.0, 100.0))
    assert spare.turns == 1.0
    assert spare.time == close(enough.time) and spare.conversion_time == close(enough.conversion_time)
    assert spare.area["adc"] == close(enough.area["adc"] * 100 / 64)


@pytest.mark.parametrize("count", [float(n) for n in range(40, 65)])
def test_area_is_that_of_the_stated_converters(count: float) -> None:
    keys = KINDS["discharge"] | {"cols": 512.0, "adc.count": count}
    one = step(keys | {"adc.count": 1.0}).area["adc"]
    assert step(keys).area["adc"] == close(count * one)


def test_steps_joined_before_conversion_are_converted_once() -> None:
    keys = KINDS["conduction"] | {"adc.columns": 8.0}
    apart, joined = priced(keys), priced(keys | {"input_combination": "analog"})
    assert joined.energy["adc"] == close(apart.energy["adc"] / 4)
    # 4 steps, each read once instead of 8 times.
    assert joined.energy["word_line_driver"] == close(apart.energy["word_line_driver"] / 8)
    assert joined.mvm_time < apart.mvm_time


def test_inputs_on_source_lines_open_all_word_lines() -> None:
    keys = KINDS["conduction"] | {"inputs_on": "source_line"}
    half, none = step(keys), step(keys, input_density=0.0)
    assert none.energy["word_line_driver"] == close(half.energy["word_line_driver"])
    assert none.energy["cell"] == 0.0
    line = input_line_of(keys)
    volts = nominal(keys)["macro.rram.read_voltage"]
    driven = half.energy["bit_line_driver"] - none.energy["bit_line_driver"]
    assert driven == close(64 * 0.5 * 4 / 3 * line.capacitance * volts**2)


def test_an_oscillator_counts_while_its_inputs_last() -> None:
    clocked = step(KINDS["oscillator"])
    assert clocked.conversion_time == 0.0
    assert clocked.time == pytest.approx(16e-9, rel=0.01, abs=0.0)  # 2^4 periods of 1 ns, and the lines
    # Without a clock the cells conduct as long as the slower of counting and the pulse takes.
    keys = {k: v for k, v in KINDS["oscillator"].items() if k != "pulse_clock"} | {"adc.bits": 9.0}
    p, found = nominal(keys), macro(keys)
    counting = converter_of(found, Technology.of(p), p, full_scale=1.0, code=0.25).convert().latency
    assert step(keys).time == pytest.approx(float(counting), rel=0.01, abs=0.0)
    # What is counted cannot be held: columns that share one are read again.
    assert step(KINDS["oscillator"] | {"adc.columns": 4.0}).time == close(4 * clocked.time)


def test_a_sum_that_is_one_conversion_needs_no_accumulator() -> None:
    single = {"input_bits": 1.0, "weight_bits": 1.0}
    for kind in ("discharge", "charge"):
        taken = step(KINDS[kind] | single)
        assert taken.conversion_energy["accumulation"] == 0.0 and taken.area["accumulation"] == 0.0
        # Groups of 16 rows: 4 sums of 6 bits make 8.
        p = nominal(KINDS[kind])
        technology = Technology.of(p)
        adder = technology.full_adder_capacitance_ratio + technology.flip_flop_capacitance_ratio
        one = 8 * adder * technology.gate_energy * p["technology.toggle_activity"]
        grouped = step(KINDS[kind] | single | {"rows_active": 16.0})
        assert grouped.conversion_energy["accumulation"] == close(64 * one)
        # 4 planes, 4 slices: 6 + 3 + 3 bits.
        whole = step(KINDS[kind])
        assert whole.conversion_energy["accumulation"] == close(64 * one * 12 / 8)


def test_a_conversion_that_ends_at_its_code_takes_fewer_steps() -> None:
    keys = KINDS["magnetic"] | {"adc.bits": 6.0, "adc.count": 64.0}
    p, found = nominal(keys), macro(keys | {"adc.ends_early": True})
    early = converter_of(found, Technology.of(p), p, full_scale=0.36, code=0.25)
    full = converter_of(macro(keys | {"adc.count": 1.0}), Technology.of(p), p, full_scale=0.36, code=0.25)
    assert early.convert().latency == close(EARLY_STEPS * full.convert().latency)
    assert early.convert().energy < full.convert().energy


def test_every_kind_of_converter_gives_its_own_answer() -> None:
    kinds = ("sar", "flash", "ramp", "oscillator")
    energies = [dynamic_energy(priced(KINDS["discharge"] | {"adc.kind": kind})) for kind in kinds]
    assert len({f"{float(energy):.6g}" for energy in energies}) == len(kinds)
    # A sense amplifier compares; one of many bits decides bit after bit.
    for bits, like in ((1.0, "flash"), (2.0, "flash"), (3.0, "sar"), (6.0, "sar")):
        keys = KINDS["discharge"] | {"adc.bits": bits}
        amplifier = priced(keys | {"adc.kind": "sense_amplifier"})
        assert amplifier.energy == close(priced(keys | {"adc.kind": like}).energy)


def test_oversampling_multiplies_the_steps_of_a_conversion() -> None:
    keys = KINDS["charge"] | {"adc.kind": "delta_sigma"}
    few, many = (step(keys | {"adc.oversampling": n}) for n in (32.0, 64.0))
    assert many.conversion_time == close(2 * few.conversion_time)
    assert few.conversion_energy["adc"] < many.conversion_energy["adc"] < 2 * few.conversion_energy["adc"]


def test_reference_columns_are_read_and_converted_with_the_others() -> None:
    for kind in ("conduction", "charge"):
        plain, more = (step(KINDS[kind] | {"reference_columns": n}) for n in (0.0, 16.0))
        columns = KINDS[kind]["cols"]
        grown = (columns + 16.0) / columns
        assert float(more.energy["cell"]) == close(grown * float(plain.energy["cell"]))
        assert float(more.area["cell"]) == close(grown * float(plain.area["cell"]))
        for name in ("adc", "multiplexer"):
            ratio = float(more.conversion_energy[name]) / float(plain.conversion_energy[name])
            assert ratio == close(grown), (kind, name)
