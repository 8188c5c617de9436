"""Build the components of a chip from its parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cost_models.arrays.analog_current import CurrentArray
from cost_models.cells.cell import Cell
from cost_models.cells.fefet import gate_pulse_energy
from cost_models.circuits.adc import NODE_OF_FIT, Converter, EmbeddedAdc, SarAdc, required_bits
from cost_models.circuits.adc_survey import SurveyAdc
from cost_models.circuits.digital import Adder, DigitalUnit
from cost_models.circuits.lines import ColumnMultiplexer, InputDac, Line, WordLineDriver
from cost_models.circuits.memory import Buffer, Dram, Interconnect
from cost_models.circuits.technology import Technology, nominal_technology
from cost_models.ferroelectric.device import Slot
from cost_models.mapping.precision import Precision
from cost_models.namespace import Array, namespace_of, round_up
from device_params.errors import InputError, nearest_name

#: Energy parameter of the technology for each elementary operation of the digital unit.
OPERATION_ENERGIES: Mapping[str, str] = {
    "add": "technology.add_energy",
    "multiply": "technology.multiply_energy",
    "divide": "technology.divide_energy",
    "exponential": "technology.special_function_energy",
    "square_root": "technology.square_root_energy",
    "compare": "technology.compare_energy",
}

#: Cell families and how the energy of a write pulse follows from their parameters [J].
CELL_FAMILIES: Mapping[str, Callable[[Mapping[str, Array]], Array]] = {
    "fefet": lambda p: gate_pulse_energy(Slot(p, "cell")),
    "rram": lambda p: p["cell.write_energy"],
    "sram": lambda p: p["cell.write_energy"],
}

#: Cell families with an access transistor on the word line.
GATED: frozenset[str] = frozenset({"rram", "sram"})

#: Constants of the embedded converter law.
_FITTED: tuple[str, ...] = (
    "linear_capacitance",
    "exponential_capacitance",
    "delay_per_bit",
    "delay_per_bit_row",
    "area_coefficient",
    "area_slope",
    "energy_factor",
    "delay_factor",
    "area_factor",
    "leakage_fraction",
)

#: Parameters of the technology that carry the embedded converter law to another node and supply.
_CARRIED_BY: tuple[str, ...] = (
    "node",
    "gate_capacitance",
    "gate_area",
    "gate_delay",
    "supply_voltage",
    "nominal_voltage",
    "threshold_voltage",
    "velocity_saturation_exponent",
    "capacitor_density",
)

CELL_PARAMETERS: tuple[str, ...] = (
    "read_voltage",
    "on_current",
    "off_current",
    "read_gate_voltage",
    "read_time",
    "word_line_capacitance",
    "bit_line_capacitance",
    "write_voltage",
    "write_time",
    "standby_leakage",
)


@dataclass(frozen=True)
class Parts:
    """The components of one chip (or of a block of designs: every attribute may be an array [points])."""

    cell_bits: Array
    cells_per_weight: Array
    offset_column: Array
    adc_bits_required: Array
    array: CurrentArray
    combiner: Adder
    reducer: Adder
    digital: DigitalUnit
    buffer: Buffer
    dram: Dram
    interconnect: Interconnect

    @property
    def adder_area(self) -> Array:
        """The adders beside one array that combine slices, halves and row tiles [m²], one of each."""
        return self.combiner.area + self.reducer.area


def cell_of(p: Mapping[str, Array], family: str) -> Cell:
    """The cell of a family from the parameters ``cell.*``."""
    if family not in CELL_FAMILIES:
        raise InputError(
            "no cost model for this cell family",
            where="components.cell",
            value=family,
            allowed=", ".join(CELL_FAMILIES),
            nearest=nearest_name(family, CELL_FAMILIES),
        )
    xp = namespace_of(*p.values())
    levels = 2.0 ** p["cell.bits"]
    return Cell(
        levels=levels,
        # The bit line is held at the read voltage by a circuit in series with the supply.
        read_supply_voltage=xp.maximum(
            p["cell.read_voltage"] + 0.0 * levels, p["technology.supply_voltage"] + 0.0 * levels
        ),
        read_steps=xp.where(p["cell.stepped_read"] > 0, levels - 1.0, 1.0 + 0.0 * levels),
        area=p["cell.cell_area"],
        aspect_ratio=p["cell.cell_aspect_ratio"],
        write_energy=CELL_FAMILIES[family](p),
        gated=family in GATED,
        **{name: p[f"cell.{name}"] for name in CELL_PARAMETERS},
    )


def _converter(p: Mapping[str, Array], family: str, *, bits: Array, rows: Array) -> Converter:
    """The converter at the foot of the columns, by the law that the family of its file names.

    ``sar_adc``: the embedded law, carried from the node of its fit to that of the chip. ``survey_adc``: the
    law of stand-alone converters, its nominal bits taken as effective ones, one conversion a digital clock.
    """
    if family == "survey_adc":
        return SurveyAdc.of(p, bits=bits, rate=p["digital.clock"], node=p["technology.node"])
    fitted = SarAdc(
        bits=bits,
        rows=rows,
        supply_voltage=p["technology.supply_voltage"],
        **{name: p[f"adc.{name}"] for name in _FITTED},
    )
    # Of the technology only what carries the law is taken note of as used.
    carrying = {f"technology.{name}": p[f"technology.{name}"] for name in _CARRIED_BY}
    here = Technology.of(dict(p) | carrying)
    return EmbeddedAdc(fitted, here, nominal_technology(NODE_OF_FIT))


def assemble(p: Mapping[str, Array], families: Mapping[str, str], precision: Precision) -> Parts:
    """All components of a crossbar chip from its parameters (SI values, floats or arrays [points]).

    A signed weight is a differential pair: its magnitude bits (one less than its bits) are sliced over
    cells of ``cell.bits``, once for the positive and once for the negative side. With
    ``array.offset_column`` it is shifted by half of its range instead, all its bits are sliced once, and
    each array has one column at half of the levels that is converted with the others and subtracted.
    Inputs are bits of two's complement: a positive operand needs no second read.

    Widths: a converter's result is accumulated over input bits (+ input bits), then over slices and
    the two halves of a differential pair (+ weight bits), then over row tiles (+ 8 bits, 256 tiles).
    """
    supply, gate, gate_area = (
        p[f"technology.{name}"] for name in ("supply_voltage", "gate_capacitance", "gate_area")
    )
    cell = cell_of(p, families["cell"])
    rows, cols = p["array.rows"], p["array.cols"]
    cell_bits = p["cell.bits"]
    xp = namespace_of(*p.values())

    offset = p["array.offset_column"]
    slices = round_up((precision.weight_bits - 1 + offset) / cell_bits)
    required = required_bits(rows=rows, levels=cell.levels)
    bits = xp.where(p["array.adc_bits"] > 0, p["array.adc_bits"], required)

    def line(cells: Array, pitch: Array, capacitance: Array) -> Line:
        return Line(
            cells=cells,
            pitch=pitch,
            cell_capacitance=capacitance,
            wire_capacitance=p["technology.wire_capacitance"],
            wire_resistance=p["technology.wire_resistance"],
        )

    adc = _converter(p, families["adc"], bits=bits, rows=rows)
    word_line = line(cols, cell.width, cell.word_line_capacitance)
    array = CurrentArray(
        rows=rows,
        cols=cols,
        columns_per_adc=p["array.columns_per_adc"],
        cell=cell,
        word_line=word_line,
        bit_line=line(rows, cell.height, cell.bit_line_capacitance),
        driver=WordLineDriver(
            line=word_line,
            voltage=cell.read_gate_voltage,
            steps=cell.read_steps,
            gate_capacitance=gate,
            gate_area=gate_area,
        ),
        dac=InputDac(
            steps=cell.read_steps,
            supply_voltage=supply,
            gate_capacitance=gate,
            gate_area=gate_area,
            flip_flop_capacitance_ratio=p["technology.flip_flop_capacitance_ratio"],
            flip_flop_area_ratio=p["technology.flip_flop_area_ratio"],
        ),
        multiplexer=ColumnMultiplexer(supply_voltage=supply, gate_capacitance=gate, gate_area=gate_area),
        adc=adc,
        accumulator=Adder.of(p, width=bits + precision.input_bits),
        high_voltage=p["cell.high_voltage_write"],
        high_voltage_driver_area=p["technology.high_voltage_driver_area"],
        layout_overhead=p["chip.layout_overhead"],
    )
    combined = bits + precision.input_bits + precision.weight_bits
    # Arithmetic energies hold at one supply; switched capacitance makes them go with its square.
    at_supply = (supply / p["technology.arithmetic_voltage"]) ** 2
    return Parts(
        cell_bits=cell_bits,
        cells_per_weight=(2 - offset) * slices,
        offset_column=offset,
        adc_bits_required=required,
        array=array,
        combiner=Adder.of(p, width=combined),
        reducer=Adder.of(p, width=combined + 8),
        digital=DigitalUnit(
            mac_lanes=p["digital.mac_lanes"],
            special_function_lanes=p["digital.special_function_lanes"],
            clock=p["digital.clock"],
            tile_side=p["digital.operand_reuse"],
            mac_energy=at_supply * (p["technology.multiply8_energy"] + p["technology.add32_energy"]),
            operation_energy={op: at_supply * p[name] for op, name in OPERATION_ENERGIES.items()},
            mac_area=p["technology.mac_area"],
            special_function_area=p["technology.special_function_area"],
        ),
        buffer=Buffer(
            **{
                name: p[f"buffer.{name}"]
                for name in (
                    "capacity",
                    "read_energy",
                    "write_energy",
                    "area",
                    "cycle_time",
                )
            },
            leakage_power=p["buffer.leakage"],
            width=p["buffer.width_bits"],
        ),
        dram=Dram(energy_per_bit=p["dram.energy_per_bit"], bandwidth=p["dram.bandwidth"]),
        interconnect=Interconnect(
            wire_capacitance=p["technology.wire_capacitance"],
            repeater_capacitance_ratio=p["technology.repeater_capacitance_ratio"],
            supply_voltage=supply,
            activity=p["technology.toggle_activity"],
            width=p["chip.bus_width"],
            clock=p["digital.clock"],
        ),
    )
