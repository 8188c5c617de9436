"""One step of a macro that sums currents or charges."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cost_models.arrays.analog_charge import ChargeArray
from cost_models.arrays.analog_current import CurrentArray
from cost_models.arrays.settling import RcLine
from cost_models.cells.cell import Cell
from cost_models.circuits.adc import Converter
from cost_models.circuits.dac import LadderDac, PulseWidthDac
from cost_models.circuits.digital import Adder
from cost_models.circuits.elementary import larger
from cost_models.circuits.lines import TAPER_OVERHEAD, ColumnMultiplexer, InputDac, WordLineDriver
from cost_models.circuits.technology import Technology
from cost_models.macros.cells import cell_area, input_line, read_cell, sum_line
from cost_models.macros.configuration import STATIC_MEMORIES, Macro
from cost_models.macros.converters import converter_of, input_converter_of
from cost_models.macros.step import Activity, Step
from cost_models.namespace import Array, namespace_of

#: Mean square over square of the mean of a level spread evenly from nothing to twice its mean.
_SQUARE_OVER_MEAN = 4.0 / 3.0

#: Transistor drains on the plate that a cell drives: both pass pairs that choose its level.
_DRAINS = 4.0


def _accumulator(macro: Macro, p: Mapping[str, Array]) -> Adder:
    """Shifts and adds conversions to the sum over planes, slices of a weight and groups.

    As wide as what it adds up; no bit where an output is one conversion.
    """
    width = macro.converter_bits + math.log2(macro.groups)
    if macro.converted_planes > 1:
        width += macro.input_bits - macro.input_bits_per_cycle
    if macro.conversions > 1:
        width += macro.weight_bits - macro.bits_per_cell
    added = macro.conversions * macro.converted_planes * macro.groups
    return Adder.of(p, width=width if added > 1 else 0.0)


def _multiplexer(technology: Technology) -> ColumnMultiplexer:
    return ColumnMultiplexer(technology.supply_voltage, technology.gate_capacitance, technology.gate_area)


def _is_pulsed(macro: Macro) -> bool:
    """Whether the time that an input is on tells its value."""
    return macro.input_encoding in ("pulse_width", "pulse_count")


def _opened(macro: Macro, density: float) -> float:
    """Share of inputs that open their line in a step, from their mean over full scale.

    A pulse swings its line once, however long it lasts. Codes spread evenly from nothing to twice their mean
    are zero once in 2·d·(2ᵇ − 1) + 1.
    """
    if macro.input_encoding != "pulse_width" or macro.input_bits_per_cycle <= 1:
        return density
    codes = 2.0 * density * (macro.pulse_steps - 1.0)
    return max(density, codes / (codes + 1.0))


def _reading_time(
    macro: Macro,
    technology: Technology,
    p: Mapping[str, Array],
    *,
    entry: LadderDac | PulseWidthDac | None,
    counting: Array,
    applied: float,
) -> Array:
    """Time in which cells conduct in one step [s]; ``counting``: what an oscillator takes, else 0."""
    if macro.read_time is not None:
        return macro.read_time
    if macro.input_encoding == "pulse_width" and macro.pulse is not None:
        return macro.pulse
    if _is_pulsed(macro) and entry is not None:
        return larger(entry.convert().latency, counting)
    if macro.clock is not None and macro.circuit == "conduction":
        # Nothing switches the current off before the period ends: a slow clock costs energy.
        return 1.0 / macro.clock / applied
    return larger(p["macro.sense_gates"] * technology.delay, counting)


@dataclass(frozen=True)
class Reading:
    """How cells are read in one step.

    ``cell`` conducts in each of ``pulses`` of a full input, and all of them are ``applied`` so often, once or
    in every turn of the converters. ``entry``: converter of one row, if it has one; ``adc``: of a sum.
    """

    cell: Cell
    pulses: float
    applied: float
    entry: LadderDac | PulseWidthDac | None
    adc: Converter

    @classmethod
    def of(cls, macro: Macro, activity: Activity, technology: Technology, p: Mapping[str, Array]) -> Reading:
        """The reading of a macro whose cells conduct onto bit lines."""
        area = cell_area(macro, technology, p)
        xp = namespace_of(area, technology.supply_voltage)
        entry = input_converter_of(macro, technology, p, xp.sqrt(xp.asarray(area)))
        pulses = max(1.0, macro.pulse_steps - 1.0) if macro.input_encoding == "pulse_count" else 1.0
        adc = converter_of(
            macro,
            technology,
            p,
            full_scale=p["macro.bit_line_swing"] * technology.supply_voltage,
            code=activity.product,
        )
        # Sums of pulses, of steps that are joined before conversion, and on bit lines that were discharged
        # stay on capacitors while converters take turns; others, and what an oscillator counts, are read each
        # turn.
        oscillates = macro.converter == "oscillator"
        stays = _is_pulsed(macro) or macro.analog_inputs or macro.circuit == "capacitive"
        applied = 1.0 if stays and not oscillates else macro.turns
        reading = _reading_time(
            macro,
            technology,
            p,
            entry=entry,
            counting=adc.convert().latency if oscillates else 0.0,
            applied=applied,
        )
        return cls(
            cell=read_cell(macro, technology, p, pulse=reading / pulses, pulses=pulses),
            pulses=pulses,
            applied=applied,
            entry=entry,
            adc=adc,
        )


def current_step(macro: Macro, activity: Activity, technology: Technology, p: Mapping[str, Array]) -> Step:
    """One step of a macro whose cells conduct onto bit lines."""
    area = cell_area(macro, technology, p)
    read = Reading.of(macro, activity, technology, p)
    cell, pulses, applied, entry, adc = read.cell, read.pulses, read.applied, read.entry, read.adc
    word_line = input_line(macro, technology, p, area)
    dac = InputDac(
        steps=1.0,
        supply_voltage=technology.supply_voltage,
        gate_capacitance=technology.gate_capacitance,
        gate_area=technology.gate_area,
        flip_flop_capacitance_ratio=technology.flip_flop_capacitance_ratio,
        flip_flop_area_ratio=technology.flip_flop_area_ratio,
    )
    lines = macro.cols / (macro.outputs * macro.conversions)
    array = CurrentArray(
        rows=macro.rows,
        cols=macro.columns,
        columns_per_adc=applied * lines,
        cell=cell,
        word_line=word_line,
        bit_line=sum_line(macro, technology, p, area),
        driver=WordLineDriver(
            line=word_line,
            voltage=cell.read_gate_voltage,
            steps=1.0,
            gate_capacitance=technology.gate_capacitance,
            gate_area=technology.gate_area,
        ),
        dac=dac,
        multiplexer=_multiplexer(technology),
        adc=adc,
        accumulator=_accumulator(macro, p),
        high_voltage=0.0 if macro.memory in STATIC_MEMORIES else 1.0,
        high_voltage_driver_area=technology.high_voltage_driver_area,
        layout_overhead=1.0,
        lines_per_conversion=lines,
    )
    rows = macro.rows_driven
    energy = array.read_energy(
        rows=rows,
        columns=macro.outputs * macro.cells_per_weight + macro.reference_columns,
        input_density=activity.input_density,
        level_fraction=activity.level,
    )
    energy["cell"] = pulses * energy["cell"]
    opened = pulses * _opened(macro, activity.input_density)
    if macro.inputs_on_source_lines:
        # The word lines of all active rows open in every step; inputs drive the lines along the rows.
        driven = (1 + TAPER_OVERHEAD) * rows * word_line.swing(cell.read_voltage).energy
        energy["bit_line_driver"] = energy["bit_line_driver"] + opened * driven
        opened = 1.0
    energy["word_line_driver"] = applied * rows * opened * array.driver.pulse().energy
    parts = array.area | {
        # Results wait in the registers of the macro.
        "adc": macro.converters * adc.area,
        "accumulation": macro.converters * array.accumulator.area,
    }
    if entry is not None:
        energy["dac"] = rows * entry.convert().energy
        parts["dac"] = macro.rows_active * entry.area
    times = array.plane_time
    return Step(
        energy=energy,
        area=parts,
        time=times["word_line_driver"] + times["bit_line_driver"] + times["cell"] * pulses,
        turns=macro.turns,
        conversion_energy=array.conversion_energy(macro.cols + macro.reference_columns * lines),
        conversion_time=0.0 if macro.converter == "oscillator" else macro.turns * adc.convert().latency,
    )


def charge_step(macro: Macro, activity: Activity, technology: Technology, p: Mapping[str, Array]) -> Step:
    """One step of a macro whose cells charge capacitors."""
    area = cell_area(macro, technology, p)
    xp = namespace_of(area, technology.supply_voltage)
    unit = p["macro.unit_capacitance"] if macro.unit_capacitance is None else macro.unit_capacitance
    drain = technology.transistor_drain_capacitance_per_width * p["macro.access_width"] * technology.node
    line = input_line(macro, technology, p, area)
    array = ChargeArray(
        rows=macro.rows,
        cols=macro.columns,
        cell_area=area,
        unit_capacitance=unit + _DRAINS * drain,
        supply_voltage=technology.supply_voltage,
        word_line=line,
    )
    level = activity.input_density
    if macro.input_bits_per_cycle > 1:
        level = min(level, _SQUARE_OVER_MEAN * level**2)
    rows = macro.rows_driven
    energy = array.step_energy(rows=rows, input_level=level, product_level=level * activity.level)
    adc = converter_of(macro, technology, p, full_scale=technology.supply_voltage, code=activity.product)
    accumulator, multiplexer = _accumulator(macro, p), _multiplexer(technology)
    conversions = macro.outputs * macro.conversions + macro.reference_columns
    entry = input_converter_of(macro, technology, p, xp.sqrt(xp.asarray(area)))
    driver = WordLineDriver(
        line=line,
        voltage=technology.supply_voltage,
        steps=1.0,
        gate_capacitance=technology.gate_capacitance,
        gate_area=technology.gate_area,
    )
    column = sum_line(macro, technology, p, area)
    joined = RcLine(
        resistance=column.length * technology.wire_resistance,
        capacitance=column.capacitance + macro.rows * array.unit_capacitance,
        # Every plate joins through a switch of its own, all at once.
        terminal_resistance=technology.transistor_on_resistance_width
        / technology.transmission_gate_width
        / macro.rows,
    )
    register = technology.flip_flop_capacitance_ratio * technology.gate_energy
    energy["dac"] = rows * (register if entry is None else entry.convert().energy)
    register_area = technology.flip_flop_area_ratio * technology.gate_area
    entering = 0.0 if entry is None else entry.convert().latency
    return Step(
        energy=energy,
        area={
            "cell": array.area,
            "word_line_driver": macro.rows * driver.area,
            "dac": macro.rows_active * (register_area if entry is None else entry.area),
            "adc": macro.converters * adc.area,
            "multiplexer": macro.columns * multiplexer.area,
            "accumulation": macro.converters * accumulator.area,
        },
        time=entering
        + line.delay
        + p["macro.sense_gates"] * technology.delay
        + joined.terminal_settling(macro.converter_bits),
        turns=macro.turns,
        conversion_energy={
            "adc": conversions * adc.convert().energy,
            "multiplexer": conversions * multiplexer.select().energy,
            "accumulation": conversions * accumulator.add().energy,
        },
        conversion_time=macro.turns * adc.convert().latency,
    )
