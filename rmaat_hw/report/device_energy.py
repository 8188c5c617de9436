"""Numbers behind the figure of a device: what a write costs, leaf by leaf."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from cost_models.circuits.write_path import ENERGY_LEAVES
from cost_models.ferroelectric.capacitor import PulseParts
from cost_models.ferroelectric.device import GATE_FAMILIES, film_of, has_gate_stack
from cost_models.ferroelectric.film import Film
from cost_models.mapping.precision import Precision
from cost_models.targets.assembly import assemble
from cost_models.targets.programming import write_path
from cost_models.uncertainty import TAIL, sample
from device_params import list_names, load_design
from device_params.schema import ComponentFile, Design
from device_params.vocabulary import SLOTS
from rmaat_hw.report.device_panels import SAMPLES, SEED, Panel, Part, Unknown, brief, switching_law
from rmaat_hw.report.device_states import bars

DEFAULT_DESIGN = "fefet_crossbar_28nm"

#: What is laid out stays that of the design's own cell when only the gate stack is another.
_LAYOUT = ("gate_area", "cell_area", "cell_aspect_ratio", "word_line_capacitance", "bit_line_capacitance")
_PULSE = ("write_voltage", "write_time")
_PARTS = ("switching", "linear", "leakage")
#: Numbers that the delayed Preisach law takes once for all points.
_ONE_FOR_ALL = ("film_thickness", "preisach_delay_time", "preisach_delay_voltage", "preisach_delay_exponent")


def write_energy(device: ComponentFile) -> list[Part]:
    """The write path of a cell in a design's array, the pulse of a film, or the cell's own number."""
    p = device.parameters
    chosen = _in_an_array(device)
    if chosen is not None:
        design, taken = chosen
        return [_path(device, design, taken)]
    law = switching_law(device)
    if isinstance(law, Film):
        missing = tuple(name for name in _PULSE if name not in p)
        return [Unknown("write energy", missing) if missing else _film_pulse(device)]
    stated = p.get("write_energy")
    if stated is not None:
        return [bars("write_energy", "Write energy of the cell alone, one pulse", [stated])]
    lacking = law.missing if isinstance(law, Unknown) else ("write_energy",)
    return [Unknown("write energy", lacking)]


def _in_an_array(device: ComponentFile) -> tuple[Design, tuple[str, ...]] | None:
    """A design whose cell the device can be, and the parameters of the device that go into it."""
    own = device.parameters
    names = sorted(list_names("design"), key=lambda name: name != DEFAULT_DESIGN)
    for name in names:
        design = load_design(name)
        if design.families["cell"] != device.family:
            continue
        if not SLOTS[design.family]["cell"].missing(device.family, own):
            return design, tuple(own)
        if device.family in GATE_FAMILIES and has_gate_stack(own) and set(_PULSE) <= set(own):
            return design, tuple(name for name in own if name not in _LAYOUT)
    return None


def _path(device: ComponentFile, design: Design, taken: tuple[str, ...]) -> Panel:
    """Energy by leaf of writing a whole array once, over its cells, with 5–95 % of all parameters."""
    import pandas as pd

    parameters = dict(design.parameters)
    for name in taken:
        own = device.parameters[name]
        parameters[f"cell.{name}"] = dataclasses.replace(own, name=f"cell.{name}")
    nominal = _leaves({name: q.value for name, q in parameters.items()}, design)
    drawn = _leaves(sample(parameters, SAMPLES, SEED), design)
    rows = []
    for leaf in ("total", *ENERGY_LEAVES):
        low, high = np.quantile(np.asarray(drawn[leaf]), [TAIL, 1 - TAIL])
        value = float(nominal[leaf])
        row = {"leaf": leaf, "energy_J": value, "low_energy_J": min(low, value)}
        rows.append({**row, "high_energy_J": max(high, value)})
    array = f"array of {design.name}, all cells written once; 5–95 %"
    if len(taken) == len(device.parameters):
        note = array
    else:
        gate = f"{1e12 * parameters['cell.gate_area'].value:g} µm²"
        note = f"its stack on a gate of {gate} in the {array}"
    return Panel("write_energy", "Write path: energy a cell", pd.DataFrame(rows), note)


def _leaves(p: Mapping[str, Any], design: Design) -> dict[str, Any]:
    parts = assemble(p, design.families, Precision())
    path = write_path(parts, p)
    cells = parts.array.rows * parts.array.cols
    energy = path.energy(cells=cells, rows=parts.array.rows)
    leaves = {name: value / cells for name, value in energy.items()}
    return {"total": sum(leaves.values()), **leaves}


def _film_pulse(device: ComponentFile) -> Panel:
    """Energy an area [J/m²] of one pulse on the state −Pr, by what takes it."""
    import pandas as pd

    p = device.parameters

    def parts(v: Mapping[str, Any]) -> PulseParts:
        energy = film_of(v).pulse(v["write_voltage"], v["write_time"], v.get("temperature", 300.0)).energy
        error = v["write_voltage"] * v.get("polarization_error", 0.0)
        return dataclasses.replace(energy, switching=energy.switching + error)

    p_drawn = {name: q for name, q in p.items() if name not in _ONE_FOR_ALL}
    found, drawn = parts(p.nominal()), parts({**p.nominal(), **sample(p_drawn, SAMPLES, SEED)})
    rows = []
    for name in ("total", *_PARTS):
        value = float(np.asarray(getattr(found, name)))
        low, high = np.quantile(np.asarray(getattr(drawn, name)), [TAIL, 1 - TAIL])
        row = {"leaf": name, "energy_J_per_m2": value, "low_energy_J_per_m2": min(low, value)}
        rows.append({**row, "high_energy_J_per_m2": max(high, value)})
    voltage, width = (brief(p[name].value, unit) for name, unit in zip(_PULSE, "Vs", strict=True))
    note = f"{voltage} for {width} on the state −Pr; J/m² is pJ/µm²"
    return Panel("write_energy", "Write energy of the film", pd.DataFrame(rows), note)


def design_files(device: ComponentFile) -> tuple[str, ...]:
    """Files behind the array that the device is written in."""
    chosen = _in_an_array(device)
    return () if chosen is None else chosen[0].files
