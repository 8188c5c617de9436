"""The names that a file of each kind may and must use, each with its SI unit and its meaning.

A name that is not here is refused with the nearest one that is, and so is a value whose unit does not fit:
that is how a misspelt or misplaced line of a file is found. A new parameter of a model begins here.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from device_params.converter_vocabulary import CONVERTERS
from device_params.device_vocabulary import CROSSBAR_CELL, CROSSBAR_WRITE_ENERGY, DEVICES, Entry
from device_params.schema import Kind

TECHNOLOGY = {
    "node": Entry("m", "name of the CMOS node as a length"),
    "supply_voltage": Entry("V", "core supply"),
    "nominal_voltage": Entry("V", "supply at which gate_delay and gate_leakage hold"),
    "threshold_voltage": Entry("V", "effective threshold of the alpha-power delay law"),
    "velocity_saturation_exponent": Entry("1", "exponent of the alpha-power delay law"),
    "gate_capacitance": Entry("F", "switched capacitance of the unit gate, a NAND2 with its load"),
    "gate_area": Entry("m^2", "area of the unit gate"),
    "gate_delay": Entry("s", "delay of the unit gate"),
    "gate_leakage": Entry("W", "static power of the unit gate"),
    "xor_capacitance_ratio": Entry("1", "XOR2 over unit gate, switched capacitance"),
    "xor_area_ratio": Entry("1", "XOR2 over unit gate, area"),
    "xor_delay_ratio": Entry("1", "XOR2 over unit gate, delay"),
    "flip_flop_capacitance_ratio": Entry("1", "flip-flop over unit gate, switched capacitance"),
    "flip_flop_area_ratio": Entry("1", "flip-flop over unit gate, area"),
    "full_adder_capacitance_ratio": Entry("1", "full adder over unit gate, switched capacitance"),
    "full_adder_area_ratio": Entry("1", "full adder over unit gate, area"),
    "full_adder_delay_ratio": Entry("1", "full adder over unit gate, delay of the sum"),
    "transmission_gate_area_ratio": Entry("1", "one analog switch over unit gate, area"),
    "transmission_gate_width": Entry("m", "width of each of the two transistors of an analog switch"),
    "wire_capacitance": Entry("F/m", "capacitance of a wire, per length"),
    "wire_resistance": Entry("ohm/m", "resistance of an intermediate wire of minimum width, per length"),
    "repeater_capacitance_ratio": Entry("1", "capacitance of a wire with its repeaters over the bare wire"),
    "toggle_activity": Entry("1", "transitions per bit and cycle of digital logic and buses"),
    "transistor_gate_capacitance_per_width": Entry("F/m", "gate capacitance of a short transistor"),
    "transistor_drain_capacitance_per_width": Entry("F/m", "drain capacitance of a short transistor"),
    "transistor_on_resistance_width": Entry("ohm*m", "effective on-resistance times width, nMOS"),
    "arithmetic_voltage": Entry("V", "supply at which the energies of operations below hold"),
    "multiply8_energy": Entry("J", "8-bit integer multiplication"),
    "add32_energy": Entry("J", "32-bit integer addition"),
    "add_energy": Entry("J", "addition at the 16 bits of the digital unit"),
    "multiply_energy": Entry("J", "multiplication at the 16 bits of the digital unit"),
    "compare_energy": Entry("J", "comparison (maximum, minimum, sign) at 16 bits"),
    "divide_energy": Entry("J", "division at 16 bits"),
    "square_root_energy": Entry("J", "square root at 16 bits"),
    "special_function_energy": Entry("J", "one exp, sigmoid, GELU ... by table and interpolation at 16 bits"),
    "mac_area": Entry("m^2", "8-bit multiplier, 32-bit accumulator and their registers"),
    "special_function_area": Entry("m^2", "one special-function lane: table, multiplier, adders, registers"),
    "sram_cell_area": Entry("m^2", "high-density 6T SRAM cell"),
    "capacitor_density": Entry("F/m^2", "metal-oxide-metal capacitor per area"),
    "threshold_mismatch": Entry("V*m", "Pelgrom coefficient: spread of the threshold times sqrt(W L)"),
    "high_voltage_driver_capacitance": Entry("F", "in level shifter and driver, per line and write"),
    "high_voltage_driver_area": Entry("m^2", "level shifter and driver of one line, thick oxide"),
    "high_voltage_supply_efficiency": Entry("1", "energy out over energy in of the write supply"),
    "high_voltage_supply_area": Entry("m^2", "pump and regulator of the write supply, one a chip"),
    "high_voltage_supply_idle_power": Entry("W", "write supply while on, beside its loss in delivering"),
    "high_voltage_supply_startup_energy": Entry("J", "one start of the write supply"),
    "well_capacitance": Entry("F/m^2", "isolated well under an array, against its surroundings"),
}

SAR_ADC = {
    "linear_capacitance": Entry("F", "k1 of energy = (k1 b + k2 4^b) V^2"),
    "exponential_capacitance": Entry("F", "k2 of energy = (k1 b + k2 4^b) V^2"),
    "delay_per_bit_row": Entry("s", "d1 of delay = b (d1 rows + d2)"),
    "delay_per_bit": Entry("s", "d2 of delay = b (d1 rows + d2)"),
    "area_coefficient": Entry("m^2", "a of area = a 10^(-s b) 2^b"),
    "area_slope": Entry("1", "s of area = a 10^(-s b) 2^b"),
    "energy_factor": Entry("1", "multiplies the energy: what a blind prediction of a converter is worth"),
    "area_factor": Entry("1", "multiplies the area, likewise"),
    "delay_factor": Entry("1", "multiplies the delay, likewise"),
    "leakage_fraction": Entry("1", "static power over power while converting"),
    "minimum_bits": Entry("1", "fewest nominal bits the formulas cover"),
    "maximum_bits": Entry("1", "most nominal bits the formulas cover"),
}

SRAM_MEMORY = {
    "capacity": Entry("B", "size of one memory"),
    "width_bits": Entry("1", "bits of one access"),
    "read_energy": Entry("J/bit", "energy of a read"),
    "write_energy": Entry("J/bit", "energy of a write"),
    "area": Entry("m^2", "area of one memory"),
    "leakage": Entry("W", "static power of one memory"),
    "access_time": Entry("s", "address to data"),
    "cycle_time": Entry("s", "shortest time between accesses, pipelined"),
}

DRAM_MEMORY = {
    "energy_per_bit": Entry("J/bit", "energy of a read or a write"),
    "bandwidth": Entry("B/s", "peak rate of one device"),
    "idle_power": Entry("W", "refresh and standby"),
    "board_energy_per_bit": Entry("J/bit", "energy a streamed bit adds to a whole board", required=False),
}

EDRAM_MEMORY = {
    **{name: entry for name, entry in SRAM_MEMORY.items() if name != "access_time"},
    "retention": Entry("s", "time after which every bit must have been refreshed"),
    "refresh_energy": Entry("J/bit", "energy of opening a row and restoring it"),
    "refresh_time": Entry("s", "time the port is busy with the refresh of a row"),
    "rows": Entry("1", "rows refreshed one after the other"),
}

CROSSBAR_CHIP = {
    "array.rows": Entry("1", "word lines of an array"),
    "array.cols": Entry("1", "bit lines of an array"),
    "array.columns_per_adc": Entry("1", "bit lines that share a converter"),
    "array.offset_column": Entry(
        "1", "1: a reference column an array makes weights signed, 0: pairs of cells"
    ),
    "array.adc_bits": Entry("1", "converter bits; 0: as many as a lossless sum needs"),
    "chip.arrays_per_tile": Entry("1", "arrays in a tile"),
    "chip.bus_width": Entry("1", "bits moved per cycle between buffer and tiles"),
    "chip.control_fraction": Entry("1", "control and clock over the energy and area of what they drive"),
    "chip.layout_overhead": Entry("1", "placed area over the sum of block areas"),
    "chip.power_gating": Entry("1", "share of the leakage of idle arrays that power switches remove"),
    "digital.clock": Entry("Hz", "clock of digital unit, buffer port and bus"),
    "digital.mac_lanes": Entry("1", "8-bit MACs a cycle of the digital unit"),
    "digital.special_function_lanes": Entry("1", "element-wise or special operations a cycle"),
    "digital.operand_reuse": Entry("1", "times an operand read from the buffer is used by the MAC lanes"),
    "programming.arrays_in_parallel": Entry("1", "arrays written at the same time"),
    "programming.verify_reads": Entry("1", "verify reads per written state, mean"),
    "programming.selected_share": Entry("1", "share of a row's cells that one program pulse writes, mean"),
    "programming.inhibit_fraction": Entry("1", "voltage on inhibited bit lines over write_voltage"),
    "programming.word_line_inhibit_fraction": Entry("1", "voltage on other word lines over write_voltage"),
    "programming.source_line_ratio": Entry("1", "source line that follows a bit line, capacitance over it"),
    "programming.block_erase": Entry("1", "1 when an array is erased by one pulse on its well, 0 row by row"),
    "model_form.energy": Entry("1", "factor for what the model leaves out, energy"),
    "model_form.latency": Entry("1", "factor for what the model leaves out, latency"),
    "model_form.area": Entry("1", "factor for what the model leaves out, area"),
}

_CELLS = {
    "on_resistance": Entry("ohm", "low state where a case gives none"),
    "resistance_ratio": Entry("1", "high state over low state where a case gives none"),
    "read_voltage": Entry("V", "across the cell while it is read, where a case gives none"),
    "cell_area": Entry("1", "area in squares of the node where a case gives none"),
}

#: Memories whose cells conduct, circuit styles, kinds of figures, and classes of technology of a macro.
RESISTIVE_MEMORIES = ("rram", "pcm", "mram", "fefet")
#: Kind of figure -> styles of circuit that may have a factor fitted to silicon.
CALIBRATED_STYLES: Mapping[str, tuple[str, ...]] = {
    "energy": ("digital", "capacitive", "conduction"),
    "time": ("digital", "capacitive", "conduction"),
    "area": ("digital", "analog"),
}
FIGURE_KINDS = ("energy", "time", "area")
MACRO_CLASSES = ("sram_digital", "sram_analog", "rram", "pcm", "mram", "ferroelectric")

CIM_MACRO = {
    "transistors_per_cell": Entry("1", "of an SRAM cell, where a case gives none"),
    "cell_area_ratio": Entry("1", "area a transistor of a compute cell over one of the 6T cell"),
    "cell_aspect_ratio": Entry("1", "width over height of a static cell"),
    "access_width": Entry("1", "width of an access transistor over the node"),
    "word_line_gates": Entry("1", "gates that an input line drives in each cell"),
    "unit_capacitance": Entry("F", "compute capacitor of one cell, where a case gives none"),
    "bit_line_swing": Entry("1", "full-scale swing of a discharged bit line over the supply"),
    "sense_gates": Entry("1", "gate delays from the input to a settled sum of currents"),
    "sequencer_flip_flops": Entry("1", "flip-flops that control one macro"),
    "control_fraction": Entry("1", "clock and timing over the energy and area of what they serve"),
    "glitch_ratio": Entry("1", "transitions of an adder tree over those without delays"),
    "chain_glitch_share": Entry("1", "spurious transitions of an adder chain that survive"),
    "layout_overhead": Entry("1", "placed area over the sum of block areas"),
    **{f"{memory}.{name}": entry for memory in RESISTIVE_MEMORIES for name, entry in _CELLS.items()},
    **{
        f"current_sigma.{memory}": Entry("1", f"relative spread of the current of {memory} cells; no cost")
        for memory in RESISTIVE_MEMORIES
    },
    **{
        f"calibration.{style}.{kind}": Entry("1", f"{kind} of {style} macros: factor fitted to silicon")
        for kind, styles in CALIBRATED_STYLES.items()
        for style in styles
    },
    **{
        f"model_form.{group}.{kind}": Entry("1", f"{kind} of {group} macros: what the model leaves out")
        for group in MACRO_CLASSES
        for kind in FIGURE_KINDS
    },
}

VOCABULARY: Mapping[tuple[str, str], Mapping[str, Entry]] = {
    ("technology", "cmos"): TECHNOLOGY,
    **{("device", family): entries for family, entries in DEVICES.items()},
    ("converter", "sar_adc"): SAR_ADC,
    **{("converter", family): entries for family, entries in CONVERTERS.items()},
    ("memory", "sram"): SRAM_MEMORY,
    ("memory", "dram"): DRAM_MEMORY,
    ("memory", "edram"): EDRAM_MEMORY,
    ("design", "crossbar_chip"): CROSSBAR_CHIP,
    ("macro", "cim_macro"): CIM_MACRO,
}
"""(kind, family) -> name -> entry."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What may stand in a slot of a design: kind of file, families, and the names it must give.

    ``needs`` holds for every family; of the sets in ``family_needs`` one must be there besides.
    """

    kind: Kind
    families: tuple[str, ...]
    needs: tuple[str, ...] = ()
    family_needs: Mapping[str, tuple[tuple[str, ...], ...]] = field(default_factory=dict)

    def missing(self, family: str, names: Collection[str]) -> tuple[str, ...]:
        """What a file of ``family`` that gives ``names`` lacks to stand here; of several sets the nearest."""
        sets = self.family_needs.get(family, ((),))
        lacking = [tuple(n for n in (*self.needs, *some) if n not in names) for some in sets]
        return min(lacking, key=len)


SLOTS: Mapping[str, Mapping[str, Slot]] = {
    "crossbar_chip": {
        "technology": Slot("technology", ("cmos",)),
        "cell": Slot("device", tuple(CROSSBAR_WRITE_ENERGY), CROSSBAR_CELL, CROSSBAR_WRITE_ENERGY),
        "adc": Slot("converter", ("sar_adc", "survey_adc")),
        "buffer": Slot("memory", ("sram",)),
        "dram": Slot("memory", ("dram",)),
    }
}
"""Family of a design -> slot -> what may stand there."""


def families(kind: str) -> tuple[str, ...]:
    """Return the families of a kind of file."""
    return tuple(family for known_kind, family in VOCABULARY if known_kind == kind)


def meaning(kind: str, family: str, name: str) -> str:
    """Return what a parameter means, for tables and documents."""
    return VOCABULARY[kind, family][name].meaning
