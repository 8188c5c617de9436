"""What a compute-in-memory macro is: dimensions, precision, converters, supplies. Never what it achieves."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from cost_models.circuits.adc import required_bits
from device_params.chip_vocabulary import CONFIGURATION, REQUIRED, SettingValue
from device_params.errors import InputError, nearest_name

#: Memories that can sum cell currents, charge capacitors or feed adders. A digital macro reads its weights
#: without sensing, which only a static cell allows.
MEMORIES_OF_STYLE: Mapping[str, frozenset[str]] = {
    "current": frozenset({"sram", "rram", "pcm", "mram", "fefet", "gain_cell"}),
    "charge": frozenset({"sram", "fecap", "fefet", "gain_cell"}),
    "digital": frozenset({"sram"}),
}

#: Bits of a successive conversion up to which it is priced as comparators.
MOST_COMPARED_BITS = 2.0

#: Bits above which no converter is assumed that a case does not state.
MOST_USUAL_BITS = 8.0

#: Memories that hold their bit in transistors and lose it without supply.
STATIC_MEMORIES = ("sram", "gain_cell")

Style = Literal["current", "charge", "digital"]


@dataclass(frozen=True)
class Macro:
    """One macro of ``arrays`` equal arrays that work side by side; SI units, counts as plain numbers.

    ``rows`` × ``cols`` cells an array, ``rows_active`` of them summed at once. An input of ``input_bits`` is
    applied in ``planes`` steps of ``input_bits_per_cycle``; a weight of ``weight_bits`` takes
    ``cells_per_weight`` cells of a row. ``converters``: converters an array; ``conversions``: conversions
    that one output needs for one plane and one group of rows. ``reference_columns`` of an array are read and
    converted beside the weights' in every step (offset, dummy, replica).
    """

    node: float
    memory: str
    style: Style
    supply_voltage: float
    rows: float
    cols: float
    arrays: float
    rows_active: float
    input_bits: float
    input_bits_per_cycle: float
    input_encoding: str
    inputs_on_source_lines: bool
    weight_bits: float
    bits_per_cell: float
    cells_per_weight: float
    differential: bool
    analog_weights: bool
    analog_inputs: bool
    output_bits: float | None
    converter: str
    converter_bits: float
    converters: float
    ends_early: bool
    oversampling: float | None
    accumulator: str
    pipeline_registers: float | None
    clock: float | None
    pulse_clock: float | None
    read_time: float | None
    read_voltage: float | None
    read_supply_voltage: float | None
    word_line_voltage: float | None
    on_resistance: float | None
    off_resistance: float | None
    unit_capacitance: float | None
    cell_area: float | None
    transistors_per_cell: float | None
    reference_columns: float
    near_memory_operations: float
    input_buffer: float
    output_buffer: float
    mvm_time: float | None
    device: str | None

    @property
    def planes(self) -> float:
        """Steps in which an input is applied."""
        return math.ceil(self.input_bits / self.input_bits_per_cycle)

    @property
    def groups(self) -> float:
        """Groups of rows that take their turn."""
        return math.ceil(self.rows / self.rows_active)

    @property
    def rows_driven(self) -> float:
        """Rows of a group on the average: the last one may be short."""
        return self.rows / self.groups

    @property
    def sum_bits(self) -> float:
        """Bits by which a sum over the active rows is wider than a term."""
        return math.ceil(math.log2(self.rows_active)) if self.rows_active > 1 else 0.0

    @property
    def result_bits(self) -> float:
        """Bits of an output of the whole product: as stated, else without loss."""
        if self.output_bits is not None:
            return self.output_bits
        return self.input_bits + self.weight_bits + math.ceil(math.log2(self.rows))

    @property
    def outputs(self) -> float:
        """Weights of a row of one array: outputs of its matrix-vector product.

        Adders inside the array need columns of their own for the carries of the sum.
        """
        if self.style == "digital" and self.accumulator == "ripple_column":
            return max(1.0, math.floor(self.cols / (self.cells_per_weight + self.sum_bits)))
        return max(1.0, math.floor(self.cols / self.cells_per_weight))

    @property
    def conversions(self) -> float:
        """Conversions of one output, plane and group of rows; a differential pair is subtracted before."""
        if self.style == "digital" or self.converter == "none":
            return 0.0
        if self.analog_weights:
            return 1.0
        return max(1.0, self.cells_per_weight / (2.0 if self.differential else 1.0))

    @property
    def converted_planes(self) -> float:
        """Planes after which the sums are converted: every one, or once where charge adds them up."""
        return 1.0 if self.analog_inputs else self.planes

    @property
    def turns(self) -> float:
        """Conversions that a converter does one after the other for one plane and group."""
        sums = self.outputs * self.conversions + self.reference_columns
        return max(1.0, math.ceil(sums / max(self.converters, 1.0) - 1e-9))

    @property
    def columns(self) -> float:
        """Columns of cells of one array, references included."""
        return self.cols + self.reference_columns

    @property
    def converter_law(self) -> str:
        """Law that prices the converter, by the kind of which it is.

        A sense amplifier of several bits decides one after the other, as a SAR converter does; one or two
        bits are the work of as many comparators, a flash converter's.
        """
        if self.converter in ("sar", "sense_amplifier"):
            return "sar" if self.converter_bits > MOST_COMPARED_BITS else "flash"
        return self.converter

    @property
    def macs(self) -> float:
        """Multiply-accumulates of one matrix-vector product of all arrays."""
        return self.rows * self.outputs * self.arrays

    @property
    def circuit(self) -> str:
        """Circuit style, see ``circuit_style``."""
        return circuit_style(self.memory, self.style)

    @property
    def pulse_steps(self) -> float:
        """Steps of the longest pulse; beside differential weights, the sign of an input is apart."""
        signed = self.differential and self.input_bits_per_cycle > 1
        return float(2.0 ** (self.input_bits_per_cycle - (1.0 if signed else 0.0)))

    @property
    def pulse(self) -> float | None:
        """Longest pulse of a pulse-width input where a clock counts it out [s]."""
        return self.pulse_steps / self.pulse_clock if self.pulse_clock is not None else None

    @property
    def technology_class(self) -> str:
        """Class of technology, see ``technology_class``."""
        return technology_class(self.memory, self.style)


def circuit_style(memory: str, style: str) -> str:
    """How a macro adds: gates; columns that are charged or discharged; cells that conduct; delays."""
    if style in ("digital", "time"):
        return style
    return "capacitive" if style == "charge" or memory in STATIC_MEMORIES else "conduction"


def calibrated_style(memory: str, style: str, kind: str) -> str:
    """Style whose chips share the factor of a kind of figure.

    Energy and time hang on how a macro adds. What a count of parts leaves out of an area (references,
    decoupling, straps, layout in the pitch of a column) is alike in all analog macros.
    """
    circuit = circuit_style(memory, style)
    return "analog" if kind == "area" and circuit != "digital" else circuit


def technology_class(memory: str, style: str) -> str:
    """What intervals are told by: the memory and, for static cells, whether the arithmetic is digital."""
    if memory in STATIC_MEMORIES:
        return "sram_digital" if style == "digital" else "sram_analog"
    return "ferroelectric" if memory in ("fefet", "fecap") else memory


def _encoding_bits(encoding: str, input_bits: float) -> float:
    return 1.0 if encoding == "bit_serial" else input_bits


def macro_of(configuration: Mapping[str, SettingValue], nominal_voltage: float) -> Macro:
    """A macro from the keys of a case file (``docs/cases.md``); what is not said has its usual value.

    ``nominal_voltage`` [V] is the supply where the configuration states none. Raises InputError for what the
    model does not describe.
    """
    c = dict(configuration)
    _check_keys(c)

    def number(name: str, default: float) -> float:
        return float(c.get(name, default))

    def optional(name: str) -> float | None:
        return float(c[name]) if name in c else None

    style, memory = str(c["style"]), str(c["memory"])
    if style not in MEMORIES_OF_STYLE:
        allowed = ", ".join(MEMORIES_OF_STYLE)
        raise InputError("no model of this way to add", where="style", value=style, allowed=allowed)
    if memory not in MEMORIES_OF_STYLE[style]:
        allowed = ", ".join(sorted(MEMORIES_OF_STYLE[style]))
        raise InputError(
            f"no model of a {style} macro with this memory", where="memory", value=memory, allowed=allowed
        )
    rows, cols = float(c["rows"]), float(c["cols"])
    input_bits, weight_bits = float(c["input_bits"]), float(c["weight_bits"])
    encoding = str(c.get("input_encoding", "bit_serial"))
    cell_bits = number("bits_per_cell", 1.0)
    differential = bool(c.get("differential", False))
    slices = math.ceil(weight_bits / cell_bits)
    cells = number("cells_per_weight", slices * (2.0 if differential else 1.0))
    # Weights that share an element take turns at it. A macro made for more rows or bits than it holds or is
    # given uses what there is.
    rows_active = min(number("rows_active", math.ceil(rows / number("weights_per_element", 1.0))), rows)
    bits_per_cycle = min(number("input_bits_per_cycle", _encoding_bits(encoding, input_bits)), input_bits)
    outputs = max(1.0, math.floor(cols / cells))
    converter = str(c.get("adc.kind", "none" if style == "digital" else "sar"))
    analog_weights = str(c.get("weight_combination", "digital")) == "analog"
    sums = outputs * (1.0 if analog_weights else max(1.0, cells / (2.0 if differential else 1.0)))
    count = number("adc.count", min(sums, cols / number("adc.columns", 1.0)))
    # Values of one product: of a cell, or of a weight whose columns are combined, by the input digit.
    levels = (2.0 ** (weight_bits if analog_weights else cell_bits) - 1.0) * (2.0**bits_per_cycle - 1.0) + 1.0
    lossless = float(required_bits(rows=rows_active, levels=levels))
    output_bits = optional("output_bits")
    usual_bits = min(lossless, MOST_USUAL_BITS, output_bits or MOST_USUAL_BITS)
    macro = Macro(
        node=float(c["node"]),
        memory=memory,
        style=cast(Style, style),
        supply_voltage=number("supply_voltage", nominal_voltage),
        rows=rows,
        cols=cols,
        arrays=number("arrays", 1.0),
        rows_active=rows_active,
        input_bits=input_bits,
        input_bits_per_cycle=bits_per_cycle,
        input_encoding=encoding,
        inputs_on_source_lines=str(c.get("inputs_on", "word_line")) == "source_line",
        weight_bits=weight_bits,
        bits_per_cell=cell_bits,
        cells_per_weight=cells,
        differential=differential,
        analog_weights=analog_weights,
        analog_inputs=str(c.get("input_combination", "digital")) == "analog",
        output_bits=output_bits,
        converter=converter,
        converter_bits=number("adc.bits", 1.0 if converter == "sense_amplifier" else usual_bits),
        converters=max(1.0, math.ceil(count - 1e-9)),
        ends_early=bool(c.get("adc.ends_early", False)),
        oversampling=optional("adc.oversampling"),
        accumulator=str(c.get("accumulator", "adder_tree")),
        pipeline_registers=optional("pipeline_registers"),
        clock=optional("clock"),
        pulse_clock=optional("pulse_clock"),
        read_time=optional("read_time"),
        read_voltage=optional("read_voltage"),
        read_supply_voltage=optional("read_supply_voltage"),
        word_line_voltage=optional("word_line_voltage"),
        on_resistance=optional("on_resistance"),
        off_resistance=optional("off_resistance"),
        unit_capacitance=optional("unit_capacitance"),
        cell_area=optional("cell_area"),
        transistors_per_cell=optional("transistors_per_cell"),
        reference_columns=number("reference_columns", 0.0),
        near_memory_operations=number("near_memory_operations", 0.0),
        input_buffer=number("input_buffer", 0.0),
        output_buffer=number("output_buffer", 0.0),
        mvm_time=optional("mvm_time"),
        device=str(c["device"]) if "device" in c else None,
    )
    _check(macro)
    return macro


def _check_keys(c: Mapping[str, SettingValue]) -> None:
    """Refuse keys that a case file could not hold; a loaded case has passed the same."""
    for name in REQUIRED:
        if name not in c:
            raise InputError("missing key", where=name, remedy=CONFIGURATION[name].meaning)
    for name, value in c.items():
        if name not in CONFIGURATION:
            raise InputError("unknown key", value=name, nearest=nearest_name(name, CONFIGURATION))
        choices = CONFIGURATION[name].choices
        if choices and value not in choices:
            raise InputError(
                "unknown choice",
                where=name,
                value=value,
                allowed=", ".join(choices),
                nearest=nearest_name(str(value), choices),
            )


def _check(macro: Macro) -> None:
    """Refuse what contradicts itself."""
    if macro.cells_per_weight > macro.cols:
        raise InputError(
            "a weight does not fit into a row",
            where="cells_per_weight",
            value=macro.cells_per_weight,
            allowed=f"at most the {macro.cols:g} columns",
        )
    ripples = macro.style == "digital" and macro.accumulator == "ripple_column"
    if ripples and macro.cells_per_weight + macro.sum_bits > macro.cols:
        raise InputError(
            "a weight does not fit into a row with the carries of its sum",
            where="cells_per_weight",
            value=macro.cells_per_weight,
            allowed=f"at most {macro.cols - macro.sum_bits:g}, {macro.sum_bits:g} below the columns",
        )
    if ripples and (macro.pipeline_registers or 0.0) > macro.rows_active:
        raise InputError(
            "more registers than adders in a column",
            where="pipeline_registers",
            value=macro.pipeline_registers,
            allowed=f"at most the {macro.rows_active:g} rows summed at once",
        )
    if macro.style != "digital" and macro.converter == "none":
        raise InputError(
            "an analog sum needs a converter",
            where="adc.kind",
            value="none",
            allowed="sar, flash, ramp, oscillator, delta_sigma, sense_amplifier",
        )
    if macro.style == "digital" and macro.reference_columns:
        raise InputError(
            "a digital sum needs no reference", where="reference_columns", value=macro.reference_columns
        )
    if macro.style == "digital" and macro.input_encoding != "bit_serial":
        raise InputError(
            "a digital macro takes bits",
            where="input_encoding",
            value=macro.input_encoding,
            allowed="bit_serial",
            remedy="input_bits_per_cycle tells how many at once",
        )
    if macro.style == "digital" and macro.converter != "none":
        raise InputError(
            "a digital macro has no converter", where="adc.kind", value=macro.converter, allowed="none"
        )
    if macro.converter == "delta_sigma" and macro.oversampling is None:
        raise InputError(
            "a delta-sigma converter needs its oversampling: energy and time go with it",
            where="adc.oversampling",
            remedy="state how many samples make one conversion",
        )
    if macro.on_resistance and macro.off_resistance and macro.off_resistance < macro.on_resistance:
        raise InputError(
            "off-resistance below the on-resistance", where="off_resistance", value=macro.off_resistance
        )
