"""One step of a macro that sums currents or charges."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.arrays.analog_charge import ChargeArray
from cost_models.arrays.analog_current import CurrentArray
from cost_models.circuits.digital import Adder
from cost_models.circuits.lines import TAPER_OVERHEAD, ColumnMultiplexer, InputDac, WordLineDriver
from cost_models.circuits.technology import Technology
from cost_models.macros.cells import cell_area, input_line, read_cell, sum_line
from cost_models.macros.configuration import Macro
from cost_models.macros.converters import converter_of, input_converter_of
from cost_models.macros.step import Activity, Step
from cost_models.namespace import Array, namespace_of

#: Mean square over square of the mean of a level spread evenly from nothing to twice its mean.
_SQUARE_OVER_MEAN = 4.0 / 3.0

#: Transistor drains on the plate that a cell drives: both pass pairs that choose its level.
_DRAINS = 4.0


def _adder(width: Array, technology: Technology, p: Mapping[str, Array]) -> Adder:
    names = (
        "full_adder_capacitance_ratio",
        "full_adder_area_ratio",
        "flip_flop_capacitance_ratio",
        "flip_flop_area_ratio",
    )
    return Adder(
        width=width,
        supply_voltage=technology.supply_voltage,
        gate_capacitance=technology.gate_capacitance,
        gate_area=technology.gate_area,
        activity=p["technology.toggle_activity"],
        **{name: getattr(technology, name) for name in names},
    )


def _accumulator(macro: Macro, technology: Technology, p: Mapping[str, Array]) -> Adder:
    """Shifts and adds one conversion to the sum over planes, slices of a weight and groups; none where one does."""
    conversions = macro.conversions * macro.converted_planes * macro.groups
    width = macro.converter_bits + macro.input_bits + macro.weight_bits
    return _adder(width if conversions > 1 else 0.0, technology, p)


def _multiplexer(technology: Technology) -> ColumnMultiplexer:
    return ColumnMultiplexer(technology.supply_voltage, technology.gate_capacitance, technology.gate_area)


def current_step(
    macro: Macro, activity: Activity, technology: Technology, p: Mapping[str, Array]
) -> Step:
    """One step of a macro whose cells conduct onto bit lines."""
    area = cell_area(macro, technology, p)
    xp = namespace_of(area, technology.supply_voltage)
    pitch = xp.sqrt(xp.asarray(area))
    entry = input_converter_of(macro, technology, p, pitch)
    pulses = 2.0**macro.input_bits_per_cycle - 1.0 if macro.input_encoding == "pulse_count" else 1.0
    settle = p["macro.sense_gates"] * technology.delay
    if macro.read_time is not None:
        reading = macro.read_time
    elif macro.input_encoding == "pulse_width" and macro.pulse is not None:
        reading = macro.pulse
    elif macro.input_encoding in ("pulse_width", "pulse_count") and entry is not None:
        reading = entry.convert().latency
    else:
        reading = settle
    cell = read_cell(macro, technology, p, pulse=reading / pulses, pulses=pulses)
    word_line = input_line(macro, technology, p, area)
    dac = InputDac(
        steps=1.0,
        supply_voltage=technology.supply_voltage,
        gate_capacitance=technology.gate_capacitance,
        gate_area=technology.gate_area,
        flip_flop_capacitance_ratio=technology.flip_flop_capacitance_ratio,
        flip_flop_area_ratio=technology.flip_flop_area_ratio,
    )
    array = CurrentArray(
        rows=macro.rows,
        cols=macro.cols,
        columns_per_adc=macro.cols / macro.converters,
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
        adc=converter_of(
            macro,
            technology,
            p,
            full_scale=p["macro.bit_line_swing"] * technology.supply_voltage,
            code=activity.product,
        ),
        accumulator=_accumulator(macro, technology, p),
        high_voltage=0.0 if macro.memory in ("sram", "gain_cell") else 1.0,
        high_voltage_driver_area=technology.high_voltage_driver_area,
        layout_overhead=1.0,
        lines_per_conversion=macro.cols / (macro.outputs * macro.conversions),
    )
    columns = macro.outputs * macro.cells_per_weight
    level = activity.product / activity.input_density if activity.input_density else activity.weight_density
    energy = array.read_energy(
        rows=macro.rows_active,
        columns=columns,
        input_density=activity.input_density,
        level_fraction=level,
    )
    if macro.inputs_on_source_lines:
        # The word lines of all active rows open in every step; inputs drive the lines along the rows.
        energy["word_line_driver"] = energy["word_line_driver"] / activity.input_density
        driven = (1 + TAPER_OVERHEAD) * macro.rows_active * word_line.swing(cell.read_voltage).energy
        energy["bit_line_driver"] = energy["bit_line_driver"] + activity.input_density * driven
    energy = {name: pulses * value for name, value in energy.items()}
    parts = dict(array.area)
    if entry is not None:
        energy["dac"] = macro.rows_active * entry.convert().energy
        parts["dac"] = macro.rows_active * entry.area
    times = array.plane_time
    entering = (times["word_line_driver"] + times["bit_line_driver"]) / array.turns
    if macro.input_encoding in ("pulse_width", "pulse_count") or macro.analog_inputs:
        # The inputs are applied once, and their sums are held on capacitors while converters take turns.
        applying = entering + reading
    else:
        applying = array.turns * (entering + reading)
    # An oscillator counts while the inputs last.
    converting = 0.0 if macro.converter == "oscillator" else times["adc"]
    return Step(
        energy=energy,
        area=parts,
        time=applying,
        turns=array.turns,
        conversion_energy=array.conversion_energy(macro.cols),
        conversion_time=converting,
    )


def charge_step(
    macro: Macro, activity: Activity, technology: Technology, p: Mapping[str, Array]
) -> Step:
    """One step of a macro whose cells charge capacitors."""
    area = cell_area(macro, technology, p)
    xp = namespace_of(area, technology.supply_voltage)
    unit = p["macro.unit_capacitance"] if macro.unit_capacitance is None else macro.unit_capacitance
    drain = technology.transistor_drain_capacitance_per_width * p["macro.access_width"] * technology.node
    line = input_line(macro, technology, p, area)
    array = ChargeArray(
        rows=macro.rows,
        cols=macro.cols,
        cell_area=area,
        unit_capacitance=unit + _DRAINS * drain,
        supply_voltage=technology.supply_voltage,
        word_line=line,
    )
    level = activity.input_density
    if macro.input_bits_per_cycle > 1:
        level = min(level, _SQUARE_OVER_MEAN * level**2)
    weights = activity.product / activity.input_density if activity.input_density else 0.0
    energy = array.step_energy(
        rows=macro.rows_active, input_level=level, product_level=level * weights
    )
    adc = converter_of(
        macro, technology, p, full_scale=technology.supply_voltage, code=activity.product
    )
    accumulator, multiplexer = _accumulator(macro, technology, p), _multiplexer(technology)
    conversions = macro.outputs * macro.conversions
    entry = input_converter_of(macro, technology, p, xp.sqrt(xp.asarray(area)))
    driver = WordLineDriver(
        line=line,
        voltage=technology.supply_voltage,
        steps=1.0,
        gate_capacitance=technology.gate_capacitance,
        gate_area=technology.gate_area,
    )
    register = technology.flip_flop_capacitance_ratio * technology.gate_energy
    energy |= {
        "dac": macro.rows_active * (register if entry is None else entry.convert().energy),
    }
    register_area = technology.flip_flop_area_ratio * technology.gate_area
    entering = 0.0 if entry is None else entry.convert().latency
    return Step(
        energy=energy,
        area={
            "cell": array.area,
            "word_line_driver": macro.rows * driver.area,
            "dac": macro.rows_active * (register_area if entry is None else entry.area),
            "adc": macro.converters * adc.area,
            "multiplexer": macro.cols * multiplexer.area,
            "accumulation": macro.converters * accumulator.area,
        },
        time=entering
        + line.delay
        + p["macro.sense_gates"] * technology.delay,
        turns=macro.turns,
        conversion_energy={
            "adc": conversions * adc.convert().energy,
            "multiplexer": conversions * multiplexer.select().energy,
            "accumulation": conversions * accumulator.add().energy,
        },
        conversion_time=macro.turns * adc.convert().latency,
    )
