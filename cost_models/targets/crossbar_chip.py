"""A chip of analog crossbar arrays with a digital unit, one buffer, an interconnect and DRAM outside.

Weight × activation products run on arrays that hold every weight at once; everything else runs on the
shared digital unit. Boundary: chip with its DRAM traffic; no I/O pads, host, regulators or cooling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np

from cost_models.cost import SHARED, Cost, Leaves, Priced
from cost_models.mapping.placement import MAX_CELL_BITS
from cost_models.mapping.schedule import Schedule
from cost_models.mapping.workload import Workload
from cost_models.namespace import Array, as_points, namespace_of, round_up
from cost_models.targets.assembly import Parts, assemble
from cost_models.targets.output_quality import output_quality
from cost_models.targets.programming import programming

BOUNDARY = "chip with its DRAM traffic (without I/O pads, host, regulators, cooling)"

SIMPLIFICATIONS: tuple[str, ...] = (
    "No operator is fused with another: each reads its inputs from the buffer and writes its outputs there.",
    "No pipelining between operators: a barrier stands after each level, so latency errs high.",
    "Every weight has one home array (no replication); padded tokens are computed like real ones.",
    "The digital unit works on 8-bit products and 16-bit elementary operations at any chosen precision.",
)

#: Mean level of weights that are shifted by half of their range.
SHIFTED_LEVEL = 0.5

Rows: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


def price(
    workload: Workload, plan: Schedule, parameters: Mapping[str, Array], families: Mapping[str, str]
) -> Priced:
    """Price one pass of a program on a block of designs.

    ``parameters``: design parameters by name, floats or arrays [points] (NumPy, or torch tensors for
    gradients); ``families``: the family of each component (``cell``: fefet, rram or sram). Returns
    leaves [operators + 1, points]; the last operator is what all operators share.
    """
    xp = namespace_of(*parameters.values())
    p = _Noted({name: as_points(value, xp) for name, value in parameters.items()})
    return _Chip(workload, plan, p, assemble(p, families, workload.precision), xp).priced()


class _Noted(dict[str, Array]):
    """Parameters that note which of them were used."""

    def __init__(self, values: Mapping[str, Array]) -> None:
        super().__init__(values)
        self.used: set[str] = set()

    def __getitem__(self, name: str) -> Array:
        self.used.add(name)
        return super().__getitem__(name)


@dataclass(frozen=True)
class _Chip:
    """One block of designs under one program; each cached property is one part of the bill."""

    workload: Workload
    plan: Schedule
    p: _Noted
    parts: Parts
    xp: Any

    # -- columns of the workload ------------------------------------------------------------------

    @cached_property
    def rows(self) -> Rows:
        """Numbers of the operators that run on arrays."""
        return self.workload.on_arrays

    @cached_property
    def digital_rows(self) -> Rows:
        """Numbers of the operators that run on the digital unit."""
        return self.workload.on_digital

    @cached_property
    def shared_row(self) -> Rows:
        """Number of the operator ``shared``."""
        return np.asarray([len(self.workload.operators)])

    def column(self, values: Any, rows: Rows) -> Array:
        """Rows of a workload column as an array of the priced namespace [rows, 1]."""
        return self.xp.asarray(values[rows])

    # -- placement --------------------------------------------------------------------------------

    @cached_property
    def level_fraction(self) -> Array:
        """Mean stored level of each array operator at the block's bits a cell [rows, points]."""
        index = self.xp.asarray(self.parts.cell_bits, dtype=self.xp.int64) - 1
        fractions = self.column(self.workload.level_fraction, self.rows)
        pairs = self.xp.take(fractions, self.xp.clip(index, 0, MAX_CELL_BITS - 1), axis=1)
        # Shifted weights lie around the middle of their range, whatever their spread.
        return pairs + self.parts.offset_column * (SHIFTED_LEVEL - pairs)

    @cached_property
    def columns(self) -> Array:
        """Bit lines that one stored matrix occupies [rows, points]."""
        return self.column(self.workload.outputs, self.rows) * self.parts.cells_per_weight

    @cached_property
    def row_tiles(self) -> Array:
        """Arrays along the contraction; their results are added digitally [rows, points]."""
        return round_up(self.column(self.workload.contraction, self.rows) / self.parts.array.rows)

    @cached_property
    def col_tiles(self) -> Array:
        """Arrays across the outputs; each gets the same inputs [rows, points]."""
        return round_up(self.columns / (self.parts.array.cols - self.parts.offset_column))

    @cached_property
    def arrays(self) -> Array:
        """Arrays that hold each operator's weights [rows, points]."""
        return self.row_tiles * self.col_tiles * self.column(self.workload.matrices, self.rows)

    @cached_property
    def cells(self) -> Array:
        """Programmed cells of each operator [rows, points]."""
        weights = (self.workload.contraction * self.workload.outputs * self.workload.matrices)[self.rows]
        stored = self.xp.asarray(weights) * self.parts.cells_per_weight
        references = self.xp.asarray((self.workload.contraction * self.workload.matrices)[self.rows])
        return stored + references * self.col_tiles * self.parts.offset_column

    # -- products on arrays -----------------------------------------------------------------------

    def _products(self, energy: Leaves) -> dict[str, Array]:
        """Energy of weight × activation products; returns their time by component [rows, points]."""
        work, array = self.workload, self.parts.array
        planes = self.column(work.vectors, self.rows) * work.precision.input_bits
        # Word lines are driven once in every column tile; bit lines are converted once in every row tile.
        contraction = self.column(work.contraction, self.rows)
        per_plane = array.plane_energy(
            rows=contraction,
            columns=self.columns + self.parts.offset_column * self.col_tiles,
            input_density=self.column(work.input_density, self.rows),
            level_fraction=self.level_fraction,
        )
        tiles = dict.fromkeys(("word_line_driver", "dac"), self.col_tiles)
        tiles |= dict.fromkeys(("bit_line_driver", "adc", "multiplexer", "accumulation"), self.row_tiles)
        for name, value in per_plane.items():
            energy.add(name, self.rows, planes * value * tiles.get(name, 1.0))
        # Once a vector: slices and halves of pairs (or the reference) are combined, then row tiles added up.
        vectors = self.column(work.vectors, self.rows)
        outputs = self.column(work.outputs, self.rows)
        joined = self.parts.cells_per_weight - 1 + self.parts.offset_column
        combine = joined * self.row_tiles * self.parts.combiner.add().energy
        reduce = (self.row_tiles - 1) * self.parts.reducer.add().energy
        requantise = self.parts.digital.operation_energy["multiply"]
        energy.add("accumulation", self.rows, vectors * outputs * (combine + reduce + requantise))
        # A bias is added on the way out, in the shadow of the array.
        energy.add("accumulation", self.rows, self._operations(self.rows).energy)
        in_series = planes / self.column(work.parallel, self.rows)
        return {name: in_series * value for name, value in array.plane_time.items()}

    # -- area -------------------------------------------------------------------------------------

    @cached_property
    def area(self) -> Leaves:
        """Area of arrays under their operators, of everything else under ``shared``."""
        leaves, overhead = Leaves(), self.p["chip.layout_overhead"]
        for name, value in self.parts.array.area.items():
            leaves.add(name, self.rows, self.arrays * value)
        leaves.add("accumulation", self.rows, self.arrays * overhead * self.parts.adder_area)
        digital, shared = self.parts.digital, self.shared_row
        leaves.add("digital_mac", shared, (overhead * digital.mac_array_area)[None, :])
        leaves.add("special_function", shared, (overhead * digital.special_function_array_area)[None, :])
        leaves.add("buffer", shared, (overhead * self.parts.buffer.area)[None, :])
        supply = self.p["cell.high_voltage_write"] * self.p["technology.high_voltage_supply_area"]
        leaves.add("write_path", shared, (overhead * supply)[None, :])
        core = leaves.total()
        leaves.add("control", shared, (self.p["chip.control_fraction"] * core)[None, :])
        return leaves

    @cached_property
    def distance(self) -> Array:
        """Mean Manhattan distance from the buffer in the middle to an array of a square chip [m].

        A quarter of the side along each axis: half the side.
        """
        return 0.5 * self.xp.sqrt(self.area.total())

    @cached_property
    def near(self) -> Array:
        """The same inside the block in the middle, where buffer and digital unit stand together [m]."""
        digital, buffer = self.parts.digital, self.parts.buffer
        block = digital.mac_array_area + digital.special_function_array_area + buffer.area
        return 0.5 * self.xp.sqrt(self.p["chip.layout_overhead"] * block)

    # -- movement of data -------------------------------------------------------------------------

    def _overflow(self, rows: Rows) -> tuple[Array, Array]:
        """Share of table reads [points] and of activation traffic [rows, points] that goes to DRAM.

        Activations of an operator stay in the buffer as far as they fit, each element at the precision
        of activations; tables (embeddings, position codes, norms) get what the largest operator leaves.
        """
        size, capacity = self.workload.precision.input_bits / 8.0, self.parts.buffer.capacity
        clip = self.xp.clip
        free = clip(capacity - float(self.workload.working.max(initial=0.0)) * size, 0.0, None)
        tables_out = clip(1.0 - free / max(self.workload.table * size, 1.0), 0.0, 1.0)
        working = clip(self.column(self.workload.working, rows) * size, 1.0, None)
        return tables_out, clip(1.0 - capacity / working, 0.0, 1.0)

    def _traffic(self, rows: Rows) -> tuple[Array, Array, Array]:
        """Bits read from and written to the buffer, and bits of tables among them [rows, points or 1].

        A digital product is computed in square output tiles: each operand is read once for every tile
        that needs it.
        """
        work, side = self.workload, self.parts.digital.tile_side
        tiled = self.column(work.left, rows) * round_up(self.column(work.left_over, rows) / side)
        tiled = tiled + self.column(work.right, rows) * round_up(self.column(work.right_over, rows) / side)
        bits = work.precision.input_bits
        read = (self.column(work.traffic_in, rows) + tiled) * bits
        return read, self.column(work.traffic_out, rows) * bits, self.column(work.table_reads, rows) * bits

    def _movement(self, rows: Rows, distance: Array, energy: Leaves) -> tuple[Array, dict[str, Array]]:
        """Buffer, DRAM and wire energy of operators ``distance`` [m] from the buffer.

        Returns DRAM bits and times by component.
        """
        read, written, table = self._traffic(rows)
        tables_out, activations_out = self._overflow(rows)
        buffer, dram = self.parts.buffer, self.parts.dram
        read_cost, write_cost = buffer.read(read), buffer.write(written)
        energy.add("buffer", rows, read_cost.energy + write_cost.energy)
        spilled = table * tables_out + (read + written) * activations_out
        moved = dram.move(spilled)
        energy.add("dram", rows, moved.energy)
        transfer = self.parts.interconnect.transfer(read + written, distance)
        energy.add("wire", rows, transfer.energy)
        times = {
            "buffer": read_cost.latency + write_cost.latency,
            "wire": transfer.latency,
            "dram": moved.latency,
        }
        return spilled, times

    def _distribution(self, energy: Leaves) -> None:
        """Wires inside an operator's region: inputs pass every column tile, partial sums every row tile."""
        work = self.workload
        vectors = self.column(work.vectors, self.rows)
        inputs = vectors * self.column(work.contraction, self.rows) * work.precision.input_bits
        hop = self.parts.array.side
        width = self.parts.combiner.width
        partial = vectors * self.column(work.outputs, self.rows) * width * (self.row_tiles - 1)
        wires = self.parts.interconnect
        local = wires.transfer(inputs * self.col_tiles, hop) + wires.transfer(partial, hop)
        energy.add("wire", self.rows, local.energy)

    # -- digital unit -----------------------------------------------------------------------------

    def _operations(self, rows: Rows) -> Cost:
        """Elementary operations of some operators [rows, 1 or points]."""
        counts = {name: self.column(count, rows) for name, count in self.workload.scalar_ops.items()}
        return self.parts.digital.operate(counts)

    def _digital(self, energy: Leaves) -> dict[str, Array]:
        """Dynamic products and elementary operations; returns times by component [rows, points]."""
        rows, digital = self.digital_rows, self.parts.digital
        macs = self.column(self.workload.macs, rows)
        product = digital.multiply_accumulate(macs)
        work = self._operations(rows)
        energy.add("digital_mac", rows, product.energy)
        energy.add("special_function", rows, work.energy)
        return {"digital_mac": product.latency, "special_function": work.latency}

    # -- bill -------------------------------------------------------------------------------------

    def priced(self) -> Priced:
        """Put the bill together."""
        energy, busy, exposed = Leaves(), Leaves(), Leaves()
        array_times = self._products(energy)
        array_spill, array_moves = self._movement(self.rows, self.distance, energy)
        self._distribution(energy)
        digital_times = self._digital(energy)
        digital_spill, digital_moves = self._movement(self.digital_rows, self.near, energy)
        self._control(energy)

        array_times = self._overlap(array_times, array_moves)
        digital_times = self._overlap(digital_times, digital_moves)
        array_time, digital_time = sum(array_times.values()), sum(digital_times.values())
        ones = self.xp.ones_like(self.distance)
        on_path = self.plan.exposed(array_time * ones, digital_time * ones, self.xp)
        for rows, times, share in (
            (self.rows, array_times, on_path[0]),
            (self.digital_rows, digital_times, on_path[1]),
        ):
            for name, time in times.items():
                busy.add(name, rows, time)
                exposed.add(name, rows, time * share)
        latency = exposed.total()
        self._leakage(energy, array_time, array_times["adc"], latency)

        energy.scale(self.p["model_form.energy"])
        for leaves in (exposed, busy):
            leaves.scale(self.p["model_form.latency"])
        area = Leaves()
        area.by_component = dict(self.area.by_component)
        area.scale(self.p["model_form.area"])

        def beside() -> tuple[dict[str, Array], frozenset[str]]:
            facts = self._facts(array_spill.sum(axis=0) + digital_spill.sum(axis=0))
            return facts, frozenset(self.p.used)

        names = (*self.workload.operators, SHARED)
        return Priced(names, energy, exposed, busy, area, self.workload.total_macs, beside)

    def _overlap(self, compute: Mapping[str, Array], moves: Mapping[str, Array]) -> dict[str, Array]:
        """Moving runs beside computing: only what exceeds the computation adds time, by its own name.

        The slowest of buffer, wires and DRAM sets the pace of moving (they form one pipeline).
        """
        xp = self.xp
        out = dict(compute)
        paced = sum(compute.values())
        for name, time in moves.items():
            total = xp.where(time > paced, time, paced)
            out[name] = total - paced
            paced = total
        return out

    def _control(self, energy: Leaves) -> None:
        """Sequencing and clocks as a share of the energy of everything that switches on chip."""
        for leaf_rows in (self.rows, self.digital_rows):
            total = sum(
                leaf.values
                for name, leaves in energy.by_component.items()
                if name not in ("cell", "dram", "control")
                for leaf in leaves
                if leaf.rows is leaf_rows
            )
            energy.add("control", leaf_rows, self.p["chip.control_fraction"] * total)

    def _leakage(self, energy: Leaves, busy: Array, converting: Array, latency: Array) -> None:
        """Leakage over the whole pass: arrays under their operators, gated while idle; the rest always on.

        Arrays of layers that share an operator are busy in turn. What a converter leaks while it
        converts is part of its conversion energy; while the cells are read it waits and leaks.
        """
        p, array = self.p, self.parts.array
        gate_density = p["technology.gate_leakage"] / p["technology.gate_area"]
        logic = sum(array.area[name] for name in ("dac", "multiplexer", "accumulation", "word_line_driver"))
        adc = array.adcs * array.adc.leakage_power
        cells = array.rows * array.cols * array.cell.standby_leakage
        logic = (logic / p["chip.layout_overhead"] + self.parts.adder_area) * gate_density
        matrices = self.xp.clip(self.column(self.workload.matrices, self.rows), 1.0, None)
        turn = self.column(self.workload.parallel, self.rows) / matrices
        active, waiting = busy * turn, (busy - converting) * turn
        idle = self.xp.clip(latency - active, 0.0, None) * (1.0 - p["chip.power_gating"])
        leaked = logic * active + adc * waiting + (logic + adc) * idle + cells * latency
        energy.add("leakage", self.rows, self.arrays * leaked)
        digital = self.parts.digital
        logic = digital.mac_array_area + digital.special_function_array_area
        shared = (logic * gate_density + self.parts.buffer.leakage_power) * latency
        energy.add("leakage", self.shared_row, shared[None, :])
        energy.add("dram", self.shared_row, (p["dram.idle_power"] * latency)[None, :])

    def _facts(self, dram_bits: Array) -> dict[str, Array]:
        """Numbers beside the bill, each [points]."""
        parts, arrays = self.parts, self.arrays.sum(axis=0)
        capacity = arrays * parts.array.rows * parts.array.cols
        cells = self.cells.sum(axis=0)
        return {
            "adc_bits_required": parts.adc_bits_required,
            "adc_bits_used": parts.array.adc.bits,
            "cells_per_weight": parts.cells_per_weight,
            "arrays": arrays,
            "tiles": round_up(arrays / self.p["chip.arrays_per_tile"]),
            "cells": cells,
            "utilisation": cells / self.xp.clip(capacity, 1.0, None),
            "dram_bits": dram_bits,
            **programming(cells, arrays, parts, self.p, self.workload.setup),
            **self._output_quality(),
        }

    def _output_quality(self) -> dict[str, Array]:
        """Noise and IR drop of a full column at the mean activity of the program's inputs and weights."""
        weight = self.column(self.workload.vectors * self.workload.contraction, self.rows)
        share = weight / self.xp.clip(weight.sum(axis=0), 1.0, None)
        return output_quality(
            self.parts,
            self.workload.precision,
            supply_voltage=self.p["technology.supply_voltage"],
            on_current_sigma=self.p["cell.on_current_sigma"],
            input_density=(share * self.column(self.workload.input_density, self.rows)).sum(axis=0),
            level_fraction=(share * self.level_fraction).sum(axis=0),
        )
