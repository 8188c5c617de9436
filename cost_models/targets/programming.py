"""Writing all weights once, and the work that does not depend on the input."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.circuits.write_path import (
    HighVoltageSupply,
    WritePath,
    WriteScheme,
    access_transistor,
    row_erase,
    row_inhibit,
)
from cost_models.cost import Cost
from cost_models.namespace import Array
from cost_models.targets.assembly import Parts
from cost_models.workload.operators import SCALAR_OPS


def programming(
    cells: Array, arrays: Array, parts: Parts, p: Mapping[str, Array], setup: Mapping[str, float]
) -> dict[str, Array]:
    """One-time energy [J] and time [s] of programming ``cells`` on ``arrays`` arrays, and of set-up work.

    ``programming_energy_J`` and ``programming_latency_s`` are the sums of ``programming_<leaf>_J`` and
    ``programming_<leaf>_s`` (leaves of ``circuits/write_path.py``). The supply starts once. Set-up
    (positional features and the like) runs once on the digital unit.
    """
    path = write_path(parts, p)
    rows = arrays * parts.array.rows
    energy, latency = path.energy(cells=cells, rows=rows), path.latency(rows=rows)

    digital = parts.digital
    operations = digital.operate({name: setup.get(name, 0.0) for name in SCALAR_OPS})
    products = digital.multiply_accumulate(setup.get("macs", 0.0))
    moved = parts.buffer.read(setup.get("elements", 0.0) * 8)
    prepared = operations + products + moved
    return {
        "programming_energy_J": sum(energy.values()),
        "programming_latency_s": sum(latency.values()),
        **{f"programming_{name}_J": value for name, value in energy.items()},
        **{f"programming_{name}_s": value for name, value in latency.items()},
        "setup_energy_J": prepared.energy + 0.0 * cells,
        "setup_latency_s": prepared.latency + 0.0 * cells,
    }


def write_path(parts: Parts, p: Mapping[str, Array]) -> WritePath:
    """The write path of a chip: a row at a time, several arrays side by side.

    A cell behind an access transistor leaves its neighbours alone; a bare one needs inhibited lines, and its
    source line follows its bit line. A verifying read is one bit-plane of the row at half of the levels; only
    the columns of cells that are being written are converted, in the time of all.
    """
    array, cell = parts.array, parts.array.cell
    share = p["programming.selected_share"]
    program, erase = access_transistor(selected_share=share), access_transistor(selected_share=1.0)
    source_line = 0.0 * array.bit_line.capacitance
    if not cell.gated:
        program, erase = _inhibiting(p), row_erase()
        source_line = p["programming.source_line_ratio"] * array.bit_line.capacitance
    plane = array.plane_energy(rows=1.0, columns=share * array.cols, input_density=1.0, level_fraction=0.5)
    high_voltage = p["cell.high_voltage_write"]
    return WritePath(
        rows=array.rows,
        cols=array.cols,
        program=program,
        erase=erase,
        block_erase=p["programming.block_erase"],
        voltage=cell.write_voltage,
        cell_pulse=cell.write_pulse(),
        pulses=p["cell.write_pulses"],
        erases=p["cell.erase_before_write"],
        word_line=array.word_line,
        bit_line=array.bit_line,
        source_line_capacitance=source_line,
        well_capacitance=p["technology.well_capacitance"] * array.rows * array.cols * cell.area,
        cell_capacitance=cell.word_line_capacitance,
        driver_capacitance=high_voltage * p["technology.high_voltage_driver_capacitance"],
        verify=Cost(energy=sum(plane.values()), latency=sum(array.plane_time.values())),
        verify_reads=p["programming.verify_reads"],
        read_after_write_delay=p["cell.read_after_write_delay"],
        supply=HighVoltageSupply(
            present=high_voltage,
            efficiency=p["technology.high_voltage_supply_efficiency"],
            idle_power=p["technology.high_voltage_supply_idle_power"],
            startup_energy=p["technology.high_voltage_supply_startup_energy"],
        ),
        arrays_in_parallel=p["programming.arrays_in_parallel"],
    )


def _inhibiting(p: Mapping[str, Array]) -> WriteScheme:
    return row_inhibit(
        inhibit_fraction=p["programming.inhibit_fraction"],
        word_line_fraction=p["programming.word_line_inhibit_fraction"],
        selected_share=p["programming.selected_share"],
    )
