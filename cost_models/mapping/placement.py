"""Placement: which operators go to arrays, and how many rows, columns, arrays and vectors each needs.

The graph becomes a *workload*: one column a figure, one row an operator, so that a block of designs
is priced with array arithmetic and no loop over operators.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from cost_models.mapping.homes import Homes, stored_in
from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import DTYPE_BYTES, SCALAR_OPS, Kind, MatmulShape, Operator, Phase, Stored
from cost_models.workload.stats import Activity, OperandActivity
from device_params.errors import InputError

Column: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

#: Most cell bits for which stored levels are tabulated.
MAX_CELL_BITS = 8

#: Figures taken where nothing was measured: half of all input bits and a quarter of all weight
#: magnitude bits on either side of a differential pair are one (uniformly distributed values).
UNMEASURED_INPUT_DENSITY = 0.5
UNMEASURED_LEVEL_FRACTION = 0.25


@dataclass(frozen=True)
class Precision:
    """Bits of weights and of activations (inputs of arrays, traffic of buffers)."""

    weight_bits: int = 8
    input_bits: int = 8

    @classmethod
    def parse(cls, text: str) -> Precision:
        """Read ``w8a8``: 2 to 16 bits each."""
        import re

        match = re.fullmatch(r"w(\d+)a(\d+)", text.strip().lower())
        if match is None:
            raise InputError(
                "not a precision",
                where="--precision",
                value=text,
                allowed="w<weight bits>a<activation bits>",
                remedy="write for example w8a8",
            )
        weight_bits, input_bits = (int(group) for group in match.groups())
        for bits, what in ((weight_bits, "weight bits"), (input_bits, "activation bits")):
            if not 2 <= bits <= 16:
                raise InputError(
                    f"{what} out of range", where="--precision", value=text, allowed="2 to 16 bits"
                )
        return cls(weight_bits, input_bits)

    def __str__(self) -> str:
        return f"w{self.weight_bits}a{self.input_bits}"


@dataclass(frozen=True)
class Workload:
    """The columns of a program: arrays of shape [operators, 1] unless stated.

    ``static``, ``dynamic``: masks of weight × activation products (on arrays) and of products of two
    activations (on the digital unit). For static operators: ``vectors`` input vectors a pass (repeats
    included), ``contraction`` word lines and ``outputs`` weights a word line of one stored matrix,
    ``matrices`` distinct stored matrices (0 where another operator already holds them), ``parallel``
    of them at work at once (the heads of a batched product; layers follow one another).
    ``traffic_in`` and ``traffic_out`` are elements moved a pass, ``table_reads`` those of weights that
    are no array's (embeddings, norms; ``table`` of them in all), ``working`` the elements alive at one
    execution. ``level_fraction`` [operators, cell bits]: mean stored level for 1 … 8 bits a cell.
    """

    operators: tuple[str, ...]
    classes: tuple[str, ...]
    precision: Precision
    static: Column
    dynamic: Column
    vectors: Column
    contraction: Column
    outputs: Column
    matrices: Column
    parallel: Column
    macs: Column
    tile_reads: Mapping[str, Column]
    scalar_ops: Mapping[str, Column]
    traffic_in: Column
    traffic_out: Column
    table_reads: Column
    working: Column
    table: float
    input_density: Column
    level_fraction: Column
    setup: Mapping[str, float] = field(default_factory=dict)

    @property
    def total_macs(self) -> float:
        """Multiply-accumulates of one pass, all mapped operators."""
        return float(self.macs.sum())


def matrix_of(operator: Operator) -> tuple[MatmulShape, int] | None:
    """The product of a static operator with the weight on the right, and that weight operand's index.

    W·X is computed as (Xᵀ·Wᵀ)ᵀ: rows and columns change places when the weight stands on the left.
    Returns None for an operator that is not weight × activation.
    """
    shape = operator.matmul
    if shape is None:
        return None
    left, right = (operator.operands[i].stationary for i in (shape.left, shape.right))
    if right and not left:
        return shape, shape.right
    if left and not right:
        swapped = MatmulShape(shape.batch, shape.cols, shape.contraction, shape.rows, shape.right, shape.left)
        return swapped, shape.left
    return None


def level_fractions(stats: OperandActivity | None) -> list[float]:
    """Mean stored level, as a share of the highest, for 1 … 8 bits a cell.

    A signed weight stands as magnitude bits on the positive or the negative cell of a pair. The bits
    of a slice weigh 1, 2, 4 …; the mean level of a slice is the weighted mean of their densities.
    """
    if stats is None or not stats.positive_bit_density:
        return [UNMEASURED_LEVEL_FRACTION] * MAX_CELL_BITS
    halves = (stats.positive_bit_density, stats.negative_bit_density)
    out = []
    for bits in range(1, MAX_CELL_BITS + 1):
        slices = [
            sum(density * 2**i for i, density in enumerate(half[start : start + bits])) / (2**bits - 1)
            for half in halves
            for start in range(0, len(half), bits)
        ]
        out.append(float(np.mean(slices)))
    return out


def _matrices(tensor: Stored, matrix: int) -> int:
    """Matrices of ``matrix`` weights that a tensor consists of: heads, experts, groups of channels."""
    return max(1, round(tensor.elements / matrix)) if matrix else 0


def _elements(operator: Operator, nbytes: int) -> float:
    """Bytes of the traced dtype as elements: traffic is priced at the chosen precision, not the traced."""
    dtypes = [spec.dtype for spec in operator.outputs] or [o.spec.dtype for o in operator.operands]
    width = max((DTYPE_BYTES.get(dtype, 4) for dtype in dtypes), default=4)
    return nbytes / width


def place(graph: OperatorGraph, activity: Activity | None, precision: Precision) -> Workload:
    """Turn a graph and its measured activity into a workload.

    Every matrix product goes to an array (weight × activation) or to the digital unit; every other
    operator to the digital unit. Operators of phase ``setup`` do not depend on the input: their work
    is summed apart (``setup``) and priced once. Raises InputError when a multiply-accumulate of the
    graph is not found again after placement.
    """
    priced = [op for op in graph.operators if op.phase is not Phase.SETUP and op.kind is not Kind.VIEW]
    n = len(priced)

    def zeros(width: int = 1) -> Column:
        return np.zeros((n, width))

    names = ("static", "dynamic", "vectors", "contraction", "outputs", "matrices", "parallel")
    columns = {name: zeros() for name in (*names, "macs", "in", "out", "table", "working", "density")}
    columns["outputs"][:] = columns["parallel"][:] = 1.0
    columns["contraction"][:] = 1.0
    tile_reads = {"left": zeros(), "left_over": zeros(), "right": zeros(), "right_over": zeros()}
    scalar_ops = {name: zeros() for name in SCALAR_OPS}
    levels = zeros(MAX_CELL_BITS)
    on_arrays = {op.id: matrix_of(op) for op in priced}
    homes = Homes(
        stored for op in priced if (found := on_arrays[op.id]) for stored in stored_in(op, found[1])
    )
    tables: list[Stored] = []

    for i, op in enumerate(priced):
        repeat = op.repeat
        live = [o.spec.numel for o in op.operands if not o.stationary]
        columns["working"][i] = sum(live) + sum(spec.numel for spec in op.outputs)
        for name, count in op.scalar_ops.items():
            scalar_ops[name][i] = count * repeat
        placed = on_arrays[op.id]
        stats = activity.operands if activity else {}
        if placed is not None:
            shape, weight_index = placed
            stored = stored_in(op, weight_index)
            matrix = shape.contraction * shape.cols
            columns["static"][i] = 1.0
            columns["vectors"][i] = shape.batch * shape.rows * repeat
            columns["contraction"][i] = shape.contraction
            columns["outputs"][i] = shape.cols
            columns["parallel"][i] = _matrices(stored[0], matrix)
            columns["matrices"][i] = sum(_matrices(tensor, matrix) for tensor in homes.claim(stored))
            data = stats.get((op.id, shape.left))
            density = float(np.mean(data.bit_density)) if data and data.bit_density else None
            columns["density"][i] = UNMEASURED_INPUT_DENSITY if density is None else density
            levels[i] = level_fractions(stats.get((op.id, weight_index)))
            columns["in"][i] = shape.batch * shape.rows * shape.contraction * repeat
            columns["out"][i] = shape.batch * shape.rows * shape.cols * repeat
            columns["macs"][i] = columns["vectors"][i] * shape.contraction * shape.cols
            factors = {shape.left, weight_index}
        elif op.matmul is not None and op.macs:
            shape = op.matmul
            factors = {shape.left, shape.right}
            columns["dynamic"][i] = 1.0
            left = shape.batch * shape.rows * shape.contraction * repeat
            right = shape.batch * shape.contraction * shape.cols * repeat
            tile_reads["left"][i], tile_reads["left_over"][i] = left, shape.cols
            tile_reads["right"][i], tile_reads["right_over"][i] = right, shape.rows
            columns["out"][i] = shape.batch * shape.rows * shape.cols * repeat
            columns["macs"][i] = left * shape.cols
        else:
            read, written = _elements(op, op.bytes_in), _elements(op, op.bytes_out)
            columns["in"][i], columns["out"][i] = read * repeat, written * repeat
            factors = set()
        if factors:
            # What a product adds to its result (a bias) is read beside its factors.
            addends = (o for j, o in enumerate(op.operands) if j not in factors)
            columns["in"][i] += sum(o.spec.numel for o in addends) * repeat
        # Weights that no array holds are tables.
        weights = [
            (stored_in(op, j), o.spec.numel)
            for j, o in enumerate(op.operands)
            if o.stationary and (placed is None or j not in factors)
        ]
        if weights:
            tables.extend(tensor for stored, _ in weights for tensor in stored)
            share = sum(dict(weights).values())
            if op.kind is Kind.GATHER:
                share = sum(spec.numel for spec in op.outputs)
            columns["table"][i] = share * repeat

    if not columns["working"].any():
        raise InputError(
            "nothing in the program depends on its input, or the input is empty",
            where=graph.name or "program",
            value=f"{len(graph.operators)} operators, {n} of them with work for each input",
            remedy="give example inputs that the module computes with",
        )
    workload = Workload(
        operators=tuple(op.id for op in priced),
        classes=tuple(op.work for op in priced),
        precision=precision,
        static=columns["static"],
        dynamic=columns["dynamic"],
        vectors=columns["vectors"],
        contraction=columns["contraction"],
        outputs=columns["outputs"],
        matrices=columns["matrices"],
        parallel=columns["parallel"],
        macs=columns["macs"],
        tile_reads=tile_reads,
        scalar_ops=scalar_ops,
        traffic_in=columns["in"],
        traffic_out=columns["out"],
        table_reads=columns["table"],
        working=columns["working"],
        table=float(Homes(tables).elements),
        input_density=columns["density"],
        level_fraction=levels,
        setup=_setup_work(graph),
    )
    if round(workload.total_macs) != graph.macs:
        raise InputError(
            "the mapping does not find the program's multiply-accumulates again",
            where="placement",
            value=round(workload.total_macs),
            allowed=f"{graph.macs}, as the graph counts them",
            remedy=f"operators without a place: {', '.join(_homeless(priced)) or 'none'}",
        )
    return workload


def _homeless(operators: list[Operator]) -> list[str]:
    """Operators that multiply but are no matrix product that the mapping knows."""
    return [op.id for op in operators if op.macs and op.matmul is None]


def _setup_work(graph: OperatorGraph) -> dict[str, float]:
    """Work that does not depend on the input, summed: macs, elements moved, elementary operations."""
    work = dict.fromkeys(("macs", "elements", *SCALAR_OPS), 0.0)
    for op in graph.operators:
        if op.phase is not Phase.SETUP:
            continue
        work["macs"] += op.total_macs
        work["elements"] += _elements(op, (op.bytes_in + op.bytes_out) * op.repeat)
        for name, count in op.scalar_ops.items():
            work[name] += count * op.repeat
    return work
