"""The cell of a macro from its configuration: geometry, terminals, read currents."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.cells.cell import Cell
from cost_models.circuits.lines import Line
from cost_models.circuits.technology import Technology
from cost_models.macros.configuration import Macro
from cost_models.namespace import Array, namespace_of

#: Transistors of the densest static cell, whose area a technology file states.
_SRAM_TRANSISTORS = 6.0

#: Most transistors of a static cell that foundries offer with the rules of their densest one.
_FOUNDRY_TRANSISTORS = 8.0


def cell_area(macro: Macro, technology: Technology, p: Mapping[str, Array]) -> Array:
    """Area of one cell [m²].

    Static cells go by their transistors; resistive ones by squares of the node; a stated area stands.
    """
    if macro.cell_area is not None:
        return macro.cell_area
    if "device.cell_area" in p:
        return p["device.cell_area"]
    if f"macro.{macro.memory}.cell_area" in p:
        per_device: Array = p[f"macro.{macro.memory}.cell_area"] * technology.node**2
        return per_device
    transistors = macro.transistors_per_cell
    count: Array = p["macro.transistors_per_cell"] if transistors is None else transistors
    dense = macro.style != "charge" and transistors is not None and transistors <= _FOUNDRY_TRANSISTORS
    ratio = 1.0 if dense else p["macro.cell_area_ratio"]
    return technology.sram_cell_area * count / _SRAM_TRANSISTORS * ratio


def aspect_ratio(macro: Macro, p: Mapping[str, Array]) -> Array:
    """Width over height of one cell."""
    return p["macro.cell_aspect_ratio"] if _is_static(macro) else 1.0


def input_line(macro: Macro, technology: Technology, p: Mapping[str, Array], area: Array) -> Line:
    """The line that carries an input along a row past all columns."""
    xp = namespace_of(area, p["macro.access_width"])
    gates = p["macro.word_line_gates"] if _is_static(macro) else 1.0
    gate = technology.transistor_gate_capacitance_per_width * p["macro.access_width"] * technology.node
    return Line(
        cells=macro.columns,
        pitch=xp.sqrt(xp.asarray(area * aspect_ratio(macro, p))),
        cell_capacitance=gates * gate,
        wire_capacitance=technology.wire_capacitance,
        wire_resistance=technology.wire_resistance,
    )


def sum_line(macro: Macro, technology: Technology, p: Mapping[str, Array], area: Array) -> Line:
    """The line that collects currents along a column past all rows."""
    xp = namespace_of(area, p["macro.access_width"])
    drain = technology.transistor_drain_capacitance_per_width * p["macro.access_width"] * technology.node
    return Line(
        cells=macro.rows,
        pitch=xp.sqrt(xp.asarray(area / aspect_ratio(macro, p))),
        cell_capacitance=drain,
        wire_capacitance=technology.wire_capacitance,
        wire_resistance=technology.wire_resistance,
    )


def read_cell(
    macro: Macro, technology: Technology, p: Mapping[str, Array], *, pulse: Array, pulses: float
) -> Cell:
    """The cell of a macro that sums currents, in one of the ``pulses`` of ``pulse`` [s] of a full input.

    A resistive cell conducts V_read/R between its two states; the current comes from the supply, across the
    circuit that holds the bit line at the read voltage. A static cell discharges a precharged bit line: all
    active cells together, through all pulses, by the full-scale swing; so one takes C·ΔV/(rows·pulses).
    """
    area = cell_area(macro, technology, p)
    line = sum_line(macro, technology, p, area)
    if _is_static(macro):
        swing = p["macro.bit_line_swing"] * macro.supply_voltage
        on = line.capacitance * swing / (macro.rows_active * pulses * pulse)
        off, voltage = 0.0 * on, 0.0 * on
    else:
        voltage, on, off = _read_currents(macro, p)
    return Cell(
        levels=2.0**macro.bits_per_cell,
        read_voltage=voltage,
        read_supply_voltage=macro.supply_voltage
        if macro.read_supply_voltage is None
        else macro.read_supply_voltage,
        on_current=on,
        off_current=off,
        read_gate_voltage=macro.word_line_voltage or macro.supply_voltage,
        read_steps=1.0,
        read_time=pulse,
        area=area,
        aspect_ratio=aspect_ratio(macro, p),
        word_line_capacitance=input_line(macro, technology, p, area).cell_capacitance,
        bit_line_capacitance=line.cell_capacitance,
        write_voltage=macro.supply_voltage,
        write_time=0.0,
        standby_leakage=0.0,
        write_energy=0.0,
        gated=True,
    )


def _read_currents(macro: Macro, p: Mapping[str, Array]) -> tuple[Array, Array, Array]:
    """Voltage across a resistive cell [V] and its currents in both states [A].

    What the configuration states goes before the device it names, and that before the usual values.
    """
    name = f"macro.{macro.memory}"
    voltage = macro.read_voltage
    if voltage is None:
        voltage = p["device.read_voltage"] if "device.read_voltage" in p else p[f"{name}.read_voltage"]
    if macro.on_resistance is not None:
        on = voltage / macro.on_resistance
    elif "device.on_current" in p and "device.read_voltage" in p:
        on = p["device.on_current"] * voltage / p["device.read_voltage"]
    elif "device.maximum_conductance" in p:
        on = p["device.maximum_conductance"] * voltage
    elif "device.on_resistance" in p:
        on = voltage / p["device.on_resistance"]
    else:
        on = voltage / p[f"{name}.on_resistance"]
    if macro.off_resistance is not None:
        return voltage, on, voltage / macro.off_resistance
    if "device.off_current" in p and "device.on_current" in p:
        return voltage, on, on * p["device.off_current"] / p["device.on_current"]
    ratio = "device.on_off_ratio" if "device.on_off_ratio" in p else f"{name}.resistance_ratio"
    return voltage, on, on / p[ratio]


def _is_static(macro: Macro) -> bool:
    return macro.memory in ("sram", "gain_cell", "fecap")
