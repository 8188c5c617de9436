"""Exact currents of an array with wires of finite resistance: Kirchhoff's laws at every crossing, one solve.

The reference for the closed form of `cost_models.arrays.ir_drop`; NumPy and one array at a time, not for
sweeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from device_params.errors import InputError

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class NodalSolution:
    """Voltages and currents of one array.

    ``source_voltage``, ``sink_voltage`` [V, rows × cols]: the line that feeds each cell and the line that
    collects its current; ``cell_currents`` [A, rows × cols] from one to the other; ``column_currents`` [A,
    cols]: what leaves each collecting line through its end; ``power`` [W]: what the supplies of all line ends
    deliver together, which Tellegen's theorem equates with what wires and cells dissipate.
    """

    source_voltage: Floats
    sink_voltage: Floats
    cell_currents: Floats
    column_currents: Floats
    power: float


#: Resistance of a segment [Ω] below which a wire counts as ideal; a micrometre of thick metal has milliohms.
LEAST_RESISTANCE = 1e-12


@dataclass(frozen=True)
class _Lines:
    """Parallel wires, one for every row or column, held at a voltage at their first end, last end or both.

    ``axis`` 1: along a row, first end left; 0: along a column, first end at the top. A segment of
    ``resistance`` [Ω] lies between neighbouring cells and between an end cell and a held end. Voltages [V]
    are one a wire; None is an open end.
    """

    axis: int
    resistance: float
    first: Floats | None = None
    last: Floats | None = None

    @property
    def is_ideal(self) -> bool:
        """Whether the wires count as free of resistance: below that of any metal, where 1/R overflows."""
        return self.resistance < LEAST_RESISTANCE

    def held(self, shape: tuple[int, int]) -> list[tuple[NDArray[np.intp], Floats]]:
        """For each held end: the cells (flat index) next to it and the voltages behind the last segment."""
        index = np.arange(shape[0] * shape[1]).reshape(shape)
        ends = ((0, self.first), (-1, self.last))
        return [(np.take(index, at, axis=self.axis), v) for at, v in ends if v is not None]

    def laplacian(self, shape: tuple[int, int]) -> tuple[sparse.csc_array, Floats]:
        """Conductance matrix of the wires [S] and the currents that held ends push in [A]."""
        index = np.arange(shape[0] * shape[1]).reshape(shape)
        one = np.take(index, range(shape[self.axis] - 1), axis=self.axis).ravel()
        other = np.take(index, range(1, shape[self.axis]), axis=self.axis).ravel()
        diagonal = np.bincount(np.concatenate((one, other)), minlength=index.size).astype(float)
        injected = np.zeros(index.size)
        for cells, voltage in self.held(shape):
            np.add.at(diagonal, cells, 1.0)
            np.add.at(injected, cells, voltage)
        ones = np.ones(one.size)
        links = sparse.coo_array((ones, (one, other)), shape=(index.size, index.size))
        matrix = (sparse.diags_array(diagonal) - links - links.T) / self.resistance
        return matrix.tocsc(), injected / self.resistance

    def ideal(self, shape: tuple[int, int]) -> Floats:
        """Voltages of wires without resistance [rows × cols]."""
        voltage = self.first if self.first is not None else self.last
        assert voltage is not None
        return np.broadcast_to(np.expand_dims(voltage, self.axis), shape).astype(float)

    def outflow(self, voltage: Floats, cell_inflow: Floats) -> tuple[Floats, float]:
        """Current out of the held ends of each wire [A] and the power that these ends take up [W].

        ``cell_inflow`` [A]: what the cells put into the wire, which is all that an ideal wire passes on.
        """
        if self.is_ideal:
            total = cell_inflow.sum(axis=self.axis)
            return total, float(np.sum(total * self.ideal(voltage.shape).take(0, axis=self.axis)))
        total, power = np.zeros(voltage.shape[1 - self.axis]), 0.0
        for cells, held in self.held(voltage.shape):
            current = (voltage.ravel()[cells] - held) / self.resistance
            total, power = total + current, power + float(np.sum(current * held))
        return total, power


def solve_passive(
    conductance: ArrayLike,
    input_voltage: ArrayLike,
    *,
    word_line_resistance: float,
    bit_line_resistance: float,
    both_sides: bool = False,
) -> NodalSolution:
    """Currents of an array of two-terminal cells between word lines and bit lines.

    Args:
        conductance: of each cell [S, rows × cols], series resistance of an access device included.
        input_voltage: of each word line [V, rows], held at its left end; 0 for a row without input, whose
            cells then pull current out of the bit lines.
        word_line_resistance, bit_line_resistance: of one segment [Ω], 0 or more. A segment lies between
            neighbouring cells and between a held end and the first cell; bit lines are at 0 V at the bottom.
        both_sides: word lines are driven at their right end, too.

    Returns:
        `NodalSolution`; word lines are the source, bit lines the sink.
    """
    cells, volts = np.asarray(conductance, dtype=float), np.asarray(input_voltage, dtype=float)
    _check_shape(cells, volts, "input_voltage")
    words = _Lines(1, word_line_resistance, first=volts, last=volts if both_sides else None)
    bits = _Lines(0, bit_line_resistance, last=np.zeros(cells.shape[1]))
    return _solve(cells, words, bits)


def solve_gated(
    conductance: ArrayLike,
    active: ArrayLike,
    *,
    read_voltage: float,
    bit_line_resistance: float,
    source_line_resistance: float = 0.0,
    sources_at_top: bool = False,
) -> NodalSolution:
    """Currents of an array whose word lines drive gates (1T1R, FeFET, 8T): they carry no current.

    Each cell conducts between the bit line of its column, at ``read_voltage`` [V] at the bottom, and a source
    line beside it, at 0 V at the bottom (or, ``sources_at_top``, at the top).

    Args:
        conductance: of each cell when its gate is on [S, rows × cols]; linear in the voltage across it.
        active: of each row [rows], 1 where the gate is on, 0 where the cells are open.
        bit_line_resistance, source_line_resistance: of one segment [Ω], 0 or more.

    Returns:
        `NodalSolution`; bit lines are the source, source lines the sink.
    """
    cells, gates = np.asarray(conductance, dtype=float), np.asarray(active, dtype=float)
    _check_shape(cells, gates, "active")
    grounds = np.zeros(cells.shape[1])
    bits = _Lines(0, bit_line_resistance, last=np.full(cells.shape[1], float(read_voltage)))
    ends = (grounds, None) if sources_at_top else (None, grounds)
    return _solve(cells * gates[:, None], bits, _Lines(0, source_line_resistance, *ends))


def _solve(conductance: Floats, source: _Lines, sink: _Lines) -> NodalSolution:
    """Both layers of wires with the cells between them, as one sparse symmetric system."""
    for lines, name in ((source, "source"), (sink, "sink")):
        if not (np.isfinite(lines.resistance) and lines.resistance >= 0.0):
            raise InputError(
                "resistance of a wire segment is not a number of ohms",
                where=f"{name} lines",
                value=lines.resistance,
                allowed="0 or more",
            )
    shape = (conductance.shape[0], conductance.shape[1])
    g = conductance.ravel()
    fixed = [lines.ideal(shape).ravel() if lines.is_ideal else None for lines in (source, sink)]
    matrices, currents = [], []
    for lines, other in ((source, fixed[1]), (sink, fixed[0])):
        if lines.is_ideal:
            continue
        matrix, injected = lines.laplacian(shape)
        matrices.append(matrix + sparse.diags_array(g))
        currents.append(injected if other is None else injected + g * other)
    voltages = list(fixed)
    if matrices:
        link = -sparse.diags_array(g)
        grid: Any = [matrices] if len(matrices) == 1 else [[matrices[0], link], [link, matrices[1]]]
        system = sparse.block_array(grid, format="csc")
        found = splu(
            system, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True}
        ).solve(np.concatenate(currents))
        parts = iter(np.split(found, len(matrices)))
        voltages = [next(parts) if known is None else known for known in fixed]
    source_voltage, sink_voltage = (np.reshape(v, shape) for v in voltages if v is not None)
    cell_currents = conductance * (source_voltage - sink_voltage)
    column_currents, sunk = sink.outflow(sink_voltage, cell_currents)
    _, returned = source.outflow(source_voltage, -cell_currents)
    return NodalSolution(source_voltage, sink_voltage, cell_currents, column_currents, -(sunk + returned))


def _check_shape(cells: Floats, rows: Floats, name: str) -> None:
    if cells.ndim != 2 or rows.shape != cells.shape[:1]:
        raise InputError(
            "conductances and rows do not fit together",
            where=f"conductance {cells.shape}, {name} {rows.shape}",
            allowed="conductance [rows, cols] and one number a row",
        )
