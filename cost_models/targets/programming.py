"""Writing all weights once, and the work that does not depend on the input."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.namespace import Array
from cost_models.targets.assembly import Parts
from cost_models.workload.operators import SCALAR_OPS


def programming(
    cells: Array, arrays: Array, parts: Parts, p: Mapping[str, Array], setup: Mapping[str, float]
) -> dict[str, Array]:
    """One-time energy [J] and time [s] of programming ``cells`` on ``arrays`` arrays, and of set-up work.

    Each row of an array is written by itself: one erase pulse where the family needs it, then
    ``write_pulses`` pulses, and verifying reads (a FeFET must wait before each). Every pulse swings
    the selected word line to the write voltage and every bit line to a part of it (inhibit), switches
    one high-voltage driver a line, and is drawn from a supply of limited efficiency. Set-up
    (positional features and the like) runs once on the digital unit.
    """
    cell, array = parts.array.cell, parts.array
    voltage = cell.write_voltage
    pulses = p["cell.write_pulses"] + p["cell.erase_before_write"]
    pulse = cell.write_pulse()
    rows_written = arrays * array.rows
    driver = p["cell.high_voltage_write"] * p["technology.high_voltage_driver_capacitance"] * voltage**2
    inhibited = p["programming.inhibit_fraction"] * voltage
    inhibit = array.cols * array.bit_line.capacitance * inhibited**2
    lines = array.word_line.capacitance * voltage**2 + inhibit + (1 + array.cols) * driver
    supply = 1.0 / p["technology.high_voltage_supply_efficiency"]
    efficiency = p["cell.high_voltage_write"] * supply + (1 - p["cell.high_voltage_write"])
    written = efficiency * pulses * (cells * pulse.energy + rows_written * lines)

    reads = rows_written * p["programming.verify_reads"]
    verify_plane = array.plane_energy(rows=1.0, columns=array.cols, input_density=1.0, level_fraction=0.5)
    verified = reads * sum(verify_plane.values())
    read_time = sum(array.plane_time.values())
    verify_time = p["cell.read_after_write_delay"] + read_time
    row_time = pulses * pulse.latency + p["programming.verify_reads"] * verify_time
    parallel = p["programming.arrays_in_parallel"]
    write_time = rows_written * row_time / parallel

    digital = parts.digital
    operations = digital.operate({name: setup.get(name, 0.0) for name in SCALAR_OPS})
    products = digital.multiply_accumulate(setup.get("macs", 0.0))
    moved = parts.buffer.read(setup.get("elements", 0.0) * 8)
    prepared = operations + products + moved
    return {
        "programming_energy_J": written + verified,
        "programming_latency_s": write_time,
        "setup_energy_J": prepared.energy + 0.0 * cells,
        "setup_latency_s": prepared.latency + 0.0 * cells,
    }
