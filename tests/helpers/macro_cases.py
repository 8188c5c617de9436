"""Macros for tests: one of each kind from few keys, those of the public cases, and generated ones."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from hypothesis import strategies as st

from cost_models.macros.configuration import Macro, macro_of
from cost_models.macros.metrics import MacroCost
from cost_models.macros.parameters import parameters_of
from cost_models.macros.price import price
from device_params.chip_vocabulary import SettingValue
from device_params.chips import Question, load_cases, questions
from device_params.errors import InputError
from device_params.nodes import technology_at

Configuration = Mapping[str, SettingValue]

_COMMON: dict[str, SettingValue] = {
    "node": 28e-9,
    "rows": 64.0,
    "cols": 64.0,
    "input_bits": 4.0,
    "weight_bits": 4.0,
    "supply_voltage": 0.9,
}

#: One macro of each kind, from little more than the required keys.
KINDS: dict[str, dict[str, SettingValue]] = {
    "discharge": _COMMON | {"memory": "sram", "style": "current", "adc.bits": 6.0},
    "pulse width": _COMMON | {"memory": "sram", "style": "current", "input_encoding": "pulse_width"},
    "pulse count": _COMMON
    | {"memory": "sram", "style": "current", "input_encoding": "pulse_count", "adc.kind": "flash"}
    | {"adc.bits": 4.0},
    "conduction": _COMMON | {"memory": "rram", "style": "current", "adc.bits": 6.0, "read_time": 5e-9},
    "oscillator": _COMMON
    | {
        "memory": "pcm",
        "style": "current",
        "input_encoding": "pulse_width",
        "adc.kind": "oscillator",
        "pulse_clock": 1e9,
    },
    "magnetic": _COMMON | {"memory": "mram", "style": "current", "adc.kind": "ramp", "read_time": 5e-9},
    "charge": _COMMON | {"memory": "sram", "style": "charge", "adc.bits": 6.0},
    "ladder": _COMMON
    | {
        "memory": "sram",
        "style": "charge",
        "input_encoding": "voltage",
        "weight_combination": "analog",
        "rows_active": 16.0,
    },
    "tree": _COMMON | {"memory": "sram", "style": "digital"},
    "booth": _COMMON | {"memory": "sram", "style": "digital", "input_bits_per_cycle": 2.0},
    "ripple": _COMMON
    | {"memory": "sram", "style": "digital", "accumulator": "ripple_column", "pipeline_registers": 8.0},
}


def macro(configuration: Configuration) -> Macro:
    """The macro of a configuration."""
    technology = technology_at(float(configuration["node"]))
    return macro_of(configuration, technology.parameters["supply_voltage"].value)


def nominal(configuration: Configuration) -> dict[str, Any]:
    """Parameters of a macro at their nominal values."""
    technology = technology_at(float(configuration["node"]))
    return dict(parameters_of(macro(configuration), technology).nominal())


def priced(
    configuration: Configuration,
    activity: Mapping[str, float] | None = None,
    boundary: str = "macro",
    **changes: Any,
) -> MacroCost:
    """Nominal cost; ``changes`` replace parameters, ``macro__sense_gates`` for ``macro.sense_gates``."""
    values = nominal(configuration) | {name.replace("__", "."): value for name, value in changes.items()}
    return price(macro(configuration), activity or {}, boundary, values)


def dynamic_energy(cost: MacroCost) -> Any:
    """Energy of one product of one array without leakage [J]."""
    return sum(value for name, value in cost.energy.items() if name != "leakage") / cost.macro.arrays


@lru_cache(maxsize=1)
def public_questions() -> dict[str, Question]:
    """First and last question of every public case that the predictor answers, by name of case and place."""
    found: dict[str, Question] = {}
    for case in load_cases():
        if case.reference:
            continue
        asked = [question for question in questions(case) if isinstance(question, Question)]
        for question in asked[:1] + asked[-1:]:
            try:
                macro(question.configuration)
            except InputError:
                continue
            found[f"{case.id} {asked.index(question)}"] = question
    return found


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, SettingValue]:
    """A macro of any kind with other dimensions, precision, node and converters."""
    configuration = dict(KINDS[draw(st.sampled_from(sorted(KINDS)))])
    rows = draw(st.sampled_from([8.0, 48.0, 128.0, 500.0]))
    configuration |= {
        "node": draw(st.sampled_from([7e-9, 22e-9, 28e-9, 65e-9])),
        "rows": rows,
        "cols": draw(st.sampled_from([32.0, 100.0, 256.0])),
        "arrays": draw(st.sampled_from([1.0, 8.0])),
        "input_bits": draw(st.sampled_from([1.0, 2.0, 4.0, 8.0])),
        "weight_bits": draw(st.sampled_from([1.0, 3.0, 8.0])),
        "rows_active": draw(st.sampled_from([8.0, rows])),
    }
    if configuration["style"] != "digital":
        configuration["adc.bits"] = draw(st.sampled_from([3.0, 5.0, 7.0]))
        configuration["adc.columns"] = draw(st.sampled_from([1.0, 4.0, 16.0]))
    configuration.pop("supply_voltage")
    configuration["supply_voltage"] = draw(st.sampled_from([0.7, 0.9]))
    return configuration
