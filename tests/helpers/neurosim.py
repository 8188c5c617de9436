"""NeuroSim's sub-arrays and the same ones in our terms: as a macro, and as an array of the crossbar chip.

``tests/cost_models/arrays/neurosim_subarrays.csv`` holds results of runs of DNN+NeuroSim 2DInferenceV1.4
(github.com/neurosim, commit 8a88abf, 2025-10-26; CC BY-NC 4.0): 22 nm, 0.85 V, one bit-plane through one
sub-array, all columns. They are for comparison only; nothing of the tool is ported.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cost_models.arrays.analog_current import CurrentArray
from cost_models.circuits.technology import Technology
from cost_models.macros.configuration import Macro, macro_of
from cost_models.macros.converters import converter_of
from cost_models.macros.metrics import MacroCost
from cost_models.macros.parameters import parameters_of
from cost_models.macros.price import price
from cost_models.mapping.precision import Precision
from cost_models.targets.assembly import assemble
from device_params.load import load_design
from device_params.nodes import technology_at

NODE, SUPPLY, READ_VOLTAGE, ACCESS_VOLTAGE = 22e-9, 0.85, 0.55, 1.1

#: Volts that V²/R of a column needs to give the current in NeuroSim's SAR energy: found from its results at
#: different densities (`test_current_of_the_column`).
COLUMN_VOLTAGE = 0.0795**0.5

#: Bits of an input and of a weight.
BITS = 8.0

#: Component here → columns of the table (without the unit) that hold the same work.
ENERGY: Mapping[str, tuple[str, ...]] = {
    "word_line_driver": ("array",),
    "dac": ("switch_matrix",),
    "multiplexer": ("mux", "mux_decoder"),
    "adc": ("adc",),
    "accumulation": ("partial_sums", "shift_add"),
}
AREA: Mapping[str, tuple[str, ...]] = {
    "cell": ("cell",),
    "row": ("switch_matrix",),
    "multiplexer": ("mux", "mux_decoder"),
    "adc": ("adc",),
    "accumulation": ("partial_sums", "shift_add"),
    "write_path": ("level_shifters",),
}


@dataclass(frozen=True)
class SubArray:
    """One case: a row of the table."""

    name: str
    memory: str
    adc: str
    figures: Mapping[str, float]

    def __getitem__(self, column: str) -> float:
        return self.figures[column]

    def energy(self, component: str) -> float:
        """NeuroSim's energy of one bit-plane [J]."""
        return sum(self[f"{column}_pJ"] for column in ENERGY[component]) * 1e-12

    def area(self, component: str) -> float:
        """NeuroSim's area [m²]."""
        return sum(self[f"{column}_um2"] for column in AREA[component]) * 1e-12

    @property
    def groups(self) -> float:
        """Groups of rows that are read one after the other."""
        return self["rows"] / self["rows_parallel"]

    @property
    def conversions(self) -> float:
        """Conversions of one bit-plane: every column, for every group of rows."""
        return self["rows"] * self.groups

    @property
    def column_energy(self) -> float:
        """Energy of the currents of all columns in NeuroSim's SAR energy [J]: V²/R for the conversion."""
        power = COLUMN_VOLTAGE**2 / self["column_ohm"]
        return self.conversions * power * self["sense_ns"] * 1e-9

    @property
    def converter_energy(self) -> float:
        """NeuroSim's conversions of one bit-plane without the current of the column [J], SAR only."""
        return self.energy("adc") - self.column_energy

    @property
    def resistances(self) -> tuple[float, float]:
        """On and off [Ω] with what is in series: the transistor of a 1T1R cell has R_on/4."""
        on = self["on_kohm"] * 1e3
        access = on / 4.0 if self.memory == "rram" else 0.0
        return on + access, on * self["on_off_ratio"] + access


def load() -> dict[str, SubArray]:
    """All cases by name."""
    path = Path(__file__).parents[1] / "cost_models" / "arrays" / "neurosim_subarrays.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    words = ("case", "memory", "adc")
    return {
        row["case"]: SubArray(
            row["case"],
            row["memory"],
            row["adc"],
            {name: float(value) for name, value in row.items() if name not in words},
        )
        for row in rows
    }


CASES = load()


def macro(case: SubArray, **changes: Any) -> Macro:
    """The case as the keys of a chip; what it does not state is ours to guess."""
    keys: dict[str, Any] = {
        "node": NODE,
        "memory": case.memory,
        "style": "current",
        "rows": case["rows"],
        "cols": case["rows"],
        "rows_active": case["rows_parallel"],
        "input_bits": BITS,
        "weight_bits": BITS,
        "bits_per_cell": case["cell_bits"],
        "adc.kind": case.adc,
        "adc.bits": case["adc_bits"],
        "adc.columns": case["columns_per_adc"],
        "supply_voltage": SUPPLY,
        "cell_area": case["cell_height_F"] * case["cell_width_F"] * NODE**2,
        "read_time": case["sense_ns"] * 1e-9,
    }
    if case.memory == "sram":
        keys["transistors_per_cell"] = 6.0
    else:
        on, off = case.resistances
        keys |= {"on_resistance": on, "off_resistance": off}
        keys |= {"read_voltage": READ_VOLTAGE, "word_line_voltage": ACCESS_VOLTAGE}
    return macro_of(keys | changes, SUPPLY)


def parameters(chip: Macro, **changes: float) -> dict[str, Any]:
    """Nominal parameters of a macro, nothing fitted to chips and no overhead of placement."""
    p = dict(parameters_of(chip, technology_at(chip.node)).nominal())
    fitted = {name: 1.0 for name in p if name.startswith("macro.calibration.")}
    return p | fitted | {"macro.layout_overhead": 1.0} | changes


def priced(case: SubArray, **changes: Any) -> MacroCost:
    """One product of 8-bit inputs of the case as a macro: eight bit-planes."""
    chip = macro(case, **changes)
    activity = {"input_density": case["density"], "weight_density": 0.5}
    return price(chip, activity, "macro", parameters(chip))


def crossbar(case: SubArray) -> CurrentArray:
    """The case as an array of the crossbar chip, its lines with the capacitances that NeuroSim gives them."""
    design = load_design("fefet_crossbar_28nm")
    chip = macro(case)
    p = parameters(chip)
    height, width = case["cell_height_F"] * NODE, case["cell_width_F"] * NODE
    wire = p["technology.wire_capacitance"]
    on, off = case.resistances
    values = design.parameters.nominal() | {n: v for n, v in p.items() if n.startswith("technology.")}
    values |= {
        "array.rows": case["rows"],
        "array.cols": case["rows"],
        "array.columns_per_adc": case["columns_per_adc"],
        "array.adc_bits": case["adc_bits"],
        "chip.layout_overhead": 1.0,
        "cell.bits": case["cell_bits"],
        "cell.stepped_read": 0.0,
        "cell.read_voltage": READ_VOLTAGE,
        "cell.read_gate_voltage": ACCESS_VOLTAGE,
        "cell.read_time": case["sense_ns"] * 1e-9,
        "cell.on_current": READ_VOLTAGE / on,
        "cell.off_current": READ_VOLTAGE / off,
        "cell.cell_area": height * width,
        "cell.cell_aspect_ratio": width / height,
        "cell.word_line_capacitance": case["row_fF"] * 1e-15 / case["rows"] - width * wire,
        "cell.bit_line_capacitance": case["column_fF"] * 1e-15 / case["rows"] - height * wire,
    }
    array = assemble(values, design.families, Precision(int(BITS), int(BITS))).array
    technology = Technology.of(p)
    # The chip's own converter is the law at 28 nm; here the one that the case names.
    swing = p["macro.bit_line_swing"] * SUPPLY
    adc: Any = converter_of(chip, technology, p, full_scale=swing, code=0.5 * case["density"])
    return replace(array, adc=adc)


def crossbar_plane(case: SubArray) -> dict[str, float]:
    """Energy by component of one bit-plane of the crossbar's array [J]."""
    plane = crossbar(case).plane_energy(
        rows=case["rows_parallel"], columns=case["rows"], input_density=case["density"], level_fraction=0.5
    )
    return {name: float(case.groups * value) for name, value in plane.items()}


def macro_plane(case: SubArray) -> dict[str, float]:
    """Energy by component of one bit-plane of the macro [J]."""
    cost = priced(case)
    return {name: float(value) / BITS for name, value in cost.energy.items()}


def ratio(plane: Mapping[str, float], case: SubArray, component: str) -> float:
    """Our energy of a component over NeuroSim's."""
    return plane[component] / case.energy(component)


def area_ratios(case: SubArray, area: Mapping[str, Any]) -> dict[str, float]:
    """Our ``area`` by component over NeuroSim's; word-line driver and row input together, as there."""
    ours = {**area, "row": area["word_line_driver"] + area["dac"]}
    return {name: float(ours[name]) / case.area(name) for name in AREA if case.area(name)}


def _print() -> None:
    """Ratios of energy and area, ours over NeuroSim's, case by case."""
    print("energy:", *ENERGY)
    for case in CASES.values():
        planes = {"macro": macro_plane(case)}
        if case.memory != "sram":
            planes["crossbar"] = crossbar_plane(case)
        for style, plane in planes.items():
            print(f"{case.name:28}{style:10}", *(f"{ratio(plane, case, name):8.3f}" for name in ENERGY))
    print("area:", *AREA)
    for case in CASES.values():
        print(
            f"{case.name:28}", *(f"{value:8.3f}" for value in area_ratios(case, priced(case).area).values())
        )


if __name__ == "__main__":
    _print()
