"""The words of a case file: what a chip is configured with, at which activity, what is published of it.

``docs/cases.md`` tells how a file is written; ``chip_format`` checks one.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from device_params.errors import InputError, nearest_name
from device_params.units import scale, si_factor, split_quantity

#: Value of one key of a configuration: a number in SI, one of its choices, or yes and no.
SettingValue = float | str | bool
Kind = Literal["energy", "time", "area"]
Asked = Literal["predictor", "table", "reference"]

BOUNDARIES = ("array", "macro", "core", "chip")
COMPONENTS = (
    "cell", "word_line_driver", "bit_line_driver", "dac", "adc", "multiplexer", "accumulation", "register",
    "decoder", "control", "special_function", "buffer", "wire", "leakage",
)  # fmt: skip
"""The parts that a figure may be restricted to."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of a configuration: its meaning; unit and range of a number, or choices, or a flag."""

    meaning: str
    unit: str = "1"
    low: float = 1.0
    high: float = math.inf
    integer: bool = False
    choices: tuple[str, ...] = ()
    flag: bool = False
    required: bool = False


def _count(meaning: str, high: float, low: float = 1.0, required: bool = False) -> Setting:
    return Setting(meaning, low=low, high=high, integer=True, required=required)


CONFIGURATION: Mapping[str, Setting] = {
    "node": Setting("name of the CMOS node as a length", "m", 1e-9, 1e-6, required=True),
    "memory": Setting(
        "what a cell stores with",
        choices=("sram", "rram", "pcm", "mram", "fefet", "fecap", "gain_cell", "ftj", "flash", "dram"),
        required=True,
    ),
    "style": Setting(
        "how a sum is formed: cell currents on bit lines, charge on capacitors, adders, delays of a line",
        choices=("current", "charge", "digital", "time"),
        required=True,
    ),
    "rows": _count("cells of a column of one array", 65536, required=True),
    "cols": _count("cells of a row of one array", 65536, required=True),
    "arrays": _count("arrays inside the boundary", 1e6),
    "rows_active": _count("rows summed at once", 65536),
    "bits_per_cell": Setting("bits stored in one cell", low=1, high=8),
    "cells_per_weight": _count("cells of a row that hold one weight", 256),
    "weights_per_element": _count("weights that share one computing element", 1024),
    "transistors_per_cell": _count("transistors of a cell", 100),
    "differential": Setting("whether a weight is a pair of cells that are subtracted", flag=True),
    "input_bits": _count("bits of an input", 32, required=True),
    "weight_bits": _count("bits of a weight, its sign included", 32, required=True),
    "output_bits": _count("bits of an output", 64),
    "input_bits_per_cycle": _count("input bits applied at once", 32),
    "input_encoding": Setting(
        "how inputs enter: bit by bit, as a voltage, as one pulse's length, as a number of pulses",
        choices=("bit_serial", "voltage", "pulse_width", "pulse_count"),
    ),
    "weight_combination": Setting(
        "whether the bit columns of a weight are combined before conversion (analog) or after it (digital)",
        choices=("digital", "analog"),
    ),
    "inputs_on": Setting(
        "whether inputs open word lines, or drive source lines past rows that are all open",
        choices=("word_line", "source_line"),
    ),
    "input_combination": Setting(
        "whether the steps of an input are summed before conversion (analog) or after it (digital)",
        choices=("digital", "analog"),
    ),
    "accumulator": Setting(
        "how a digital macro adds: a tree beside the cells, or a full adder in each cell of a column",
        choices=("adder_tree", "ripple_column"),
    ),
    "pipeline_registers": _count("registers that cut a column of adders", 65536),
    "reference_columns": Setting(
        "columns of an array that are read and converted beside those of the weights",
        low=0,
        high=65536,
        integer=True,
    ),
    "near_memory_operations": Setting(
        "scalar operations an output takes after accumulation", low=0, high=1e4
    ),
    "adc.kind": Setting(
        "converter; ramp includes single slope and charge decrement",
        choices=("sar", "flash", "ramp", "oscillator", "delta_sigma", "sense_amplifier", "none"),
    ),
    "adc.bits": _count("nominal bits of a converter", 16),
    "adc.oversampling": _count("samples of one delta-sigma conversion", 65536),
    "adc.ends_early": Setting("whether a conversion ends as soon as its code is found", flag=True),
    "adc.columns": _count("columns that share one converter", 65536),
    "adc.count": _count("converters of one array, instead of adc.columns", 65536),
    "supply_voltage": Setting("core supply", "V", 0.2, 5.0),
    "read_voltage": Setting("voltage across a cell while it is read", "V", 0.01, 5.0),
    "word_line_voltage": Setting("swing of a word line while reading", "V", 0.1, 5.0),
    "read_supply_voltage": Setting("supply that read currents are drawn from", "V", 0.01, 5.0),
    "clock": Setting("frequency of steps, where it is set and not the result", "Hz", 1e3, 1e11),
    "pulse_clock": Setting("frequency that input pulses are counted with", "Hz", 1e3, 1e11),
    "read_time": Setting(
        "time in which one step is read, all pulses of a full input, where it is fixed", "s", 1e-12, 1e-3
    ),
    "on_resistance": Setting("resistance of a cell in its most conducting state", "ohm", 100.0, 1e12),
    "off_resistance": Setting("resistance of a cell in its least conducting state", "ohm", 100.0, 1e18),
    "unit_capacitance": Setting("capacitor of one cell", "F", 1e-18, 1e-9),
    "cell_area": Setting("area of one cell", "m^2", 1e-17, 1e-9),
    "input_buffer": Setting("input buffer inside the boundary", "B", 0.0, 1e12),
    "output_buffer": Setting("output buffer inside the boundary", "B", 0.0, 1e12),
    "device": Setting("name of a device file with the cell's resistances and voltages"),
    "mvm_time": Setting("published time of one matrix-vector product; closures only", "s", 1e-12, 1.0),
}
"""Every key of a configuration. A key without range, choices or flag (``device``) is a name.

A file may describe more than is modelled: what no model knows is refused when it is predicted, so that one
such case does not take the others with it.
"""

REQUIRED = tuple(name for name, setting in CONFIGURATION.items() if setting.required)

ACTIVITY: Mapping[str, str] = {
    "input_density": "share of input bits that are one, or mean input over full scale",
    "input_toggle": "share of input bits that change from one cycle to the next",
    "weight_density": "share of weight bits that are one",
    "output_fraction": "mean output code over full scale",
}
"""Data statistics, each 0 to 1. What is left out is not known."""


@dataclass(frozen=True, slots=True)
class Metric:
    """A kind of published figure: SI unit, what it errs in, where it may stand, whether parts may be named.

    ``parts``: whether ``components`` are refused ("none"), allowed ("some") or needed ("must").
    ``additive``: whether figures of equal things add up to that of all of them.
    """

    unit: str
    kind: Kind
    asked: tuple[Asked, ...] = ("predictor",)
    parts: Literal["none", "some", "must"] = "none"
    additive: bool = False

    @property
    def share(self) -> bool:
        """Whether it is a share of a whole, compared by difference."""
        return self.parts == "must"


METRICS: Mapping[str, Metric] = {
    "energy_efficiency": Metric("OP/J", "energy", ("predictor", "table")),
    "energy_per_mac": Metric("J/MAC", "energy", parts="some"),
    "energy_per_output": Metric("J", "energy", parts="some", additive=True),
    "energy_per_mvm": Metric("J", "energy", ("predictor", "table"), parts="some", additive=True),
    "energy_per_conversion": Metric("J", "energy"),
    "energy_share": Metric("1", "energy", parts="must"),
    "throughput": Metric("OP/s", "time", ("predictor", "table"), additive=True),
    "cycle_time": Metric("s", "time"),
    "mvm_time": Metric("s", "time", ("predictor", "table")),
    "area": Metric("m^2", "area", ("predictor", "table"), parts="some", additive=True),
    "area_share": Metric("1", "area", parts="must"),
    "compute_density": Metric("OP/s/m^2", "area", ("predictor", "table")),
    "power": Metric("W", "energy", ("table", "reference"), parts="some", additive=True),
    "energy_per_byte": Metric("J/bit", "energy", ("reference",)),
    "energy_per_operation": Metric("J/OP", "energy", ("reference",)),
    "energy_per_token": Metric("J/token", "energy", ("reference",)),
}
"""Every metric. One multiply-accumulate is two operations, at the precision of the point."""

_OPERATIONS = {"POPS": 1e15, "TOPS": 1e12, "GOPS": 1e9, "MOPS": 1e6}
_JOULES = {"nJ": 1e-9, "pJ": 1e-12, "fJ": 1e-15, "aJ": 1e-18}

_UNITS: Mapping[str, tuple[float, str]] = {
    **{f"{name}/W": (factor, "OP/J") for name, factor in _OPERATIONS.items()},
    **{name: (factor, "OP/s") for name, factor in _OPERATIONS.items()},
    **{f"{name}/mm^2": (1e6 * factor, "OP/s/m^2") for name, factor in _OPERATIONS.items()},
    **{f"{name}/MAC": (factor, "J/MAC") for name, factor in _JOULES.items()},
    # two operations a multiply-accumulate
    **{f"{name}/OP": (2.0 * factor, "J/MAC") for name, factor in _JOULES.items()},
    "pJ/FLOP": (1e-12, "J/OP"),
    "mJ/token": (1e-3, "J/token"),
    "%": (0.01, "1"),
}
"""Units of the field that pint does not have -> (SI value, SI unit); all others are pint's."""


def figure_factor(metric: str, unit: str) -> float:
    """SI value of one ``unit`` of a metric. Raises InputError for a unit that does not fit."""
    expected = METRICS[metric].unit
    fitting = [name for name, (_, own) in _UNITS.items() if own == expected]
    try:
        factor, si_unit = _UNITS[unit] if unit in _UNITS else si_factor(unit)
    except InputError:  # of words that are no unit at all, it does not know those of this metric
        factor, si_unit = 0.0, ""
    if si_unit != expected or (METRICS[metric].share and unit != "%"):
        raise InputError(
            f"wrong unit of {metric}",
            value=unit,
            allowed=", ".join(fitting) or f"units convertible to {expected}",
            nearest=nearest_name(unit, fitting),
        )
    return factor


def quantity(text: object, expected: str) -> float:
    """Number in SI of what a file writes: ``28 nm`` for a dimension, a bare number for a count."""
    if isinstance(text, bool) or not isinstance(text, (int, float, str)):
        raise InputError("not a number", value=text, remedy=f"write it with a unit, as {_example(expected)}")
    number, unit = split_quantity(text if isinstance(text, str) else repr(text))
    if expected != "1" and not unit:
        raise InputError("missing unit", value=text, allowed=f"units convertible to {expected}")
    factor, si_unit = si_factor(unit or "1")
    if si_unit != expected:
        raise InputError("wrong unit", value=text, allowed=f"units convertible to {expected}")
    return scale(number, factor)


#: SI unit -> (factor, unit) in which people read limits of chips.
_READABLE: Mapping[str, tuple[float, str]] = {
    "m": (1e9, "nm"),
    "m^2": (1e12, "um^2"),
    "s": (1e9, "ns"),
    "F": (1e15, "fF"),
    "Hz": (1e-6, "MHz"),
}


def _example(expected: str) -> str:
    return "in '128'" if expected == "1" else f"in '1 {expected}'"


def setting_value(name: str, value: object, devices: tuple[str, ...]) -> SettingValue:
    """Checked value of the key ``name`` of a configuration, in SI. Raises InputError.

    ``devices``: the known names of ``device``.
    """
    setting = CONFIGURATION[name]
    if setting.flag:
        if not isinstance(value, bool):
            raise InputError("expected true or false", value=value, allowed="true, false, without quotes")
        return value
    choices = devices if name == "device" else setting.choices
    if choices:
        if value not in choices:
            raise InputError(
                "unknown choice",
                value=value,
                allowed=", ".join(choices),
                nearest=nearest_name(str(value), choices),
            )
        return str(value)
    number = quantity(value, setting.unit)
    if not setting.low <= number <= setting.high:
        factor, unit = _READABLE.get(setting.unit, (1.0, "" if setting.unit == "1" else setting.unit))
        raise InputError(
            "outside its range",
            value=value,
            allowed=f"{setting.low * factor:g} to {setting.high * factor:g} {unit}".strip(),
        )
    if setting.integer and number != round(number):
        raise InputError("must be a whole number", value=value)
    return number
