"""Placement: which operators go to arrays, and how many rows, columns, arrays and vectors each needs."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from cost_models.mapping.homes import Homes, stored_in
from cost_models.mapping.precision import Precision
from cost_models.mapping.workload import Row, Workload
from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import DTYPE_BYTES, SCALAR_OPS, Kind, MatmulShape, Operator, Phase, Stored
from cost_models.workload.stats import Activity, OperandActivity
from device_params.errors import InputError

#: Most cell bits for which stored levels are tabulated.
MAX_CELL_BITS = 8

#: Figures taken where nothing was measured: half of all input bits and a quarter of all weight
#: magnitude bits on either side of a differential pair are one (uniformly distributed values).
UNMEASURED_INPUT_DENSITY = 0.5
UNMEASURED_LEVEL_FRACTION = 0.25

Measured = Mapping[tuple[str, int], OperandActivity]


def place(graph: OperatorGraph, activity: Activity | None, precision: Precision) -> Workload:
    """Turn a graph and its measured activity into a workload.

    Every matrix product goes to an array (weight × activation) or to the digital unit; every other
    operator to the digital unit. Operators of phase ``setup`` do not depend on the input: their work
    is summed apart (``setup``) and priced once. Raises InputError when a multiply-accumulate of the
    graph is not found again after placement, and for the graph of a training step: what writing
    gradients into arrays costs is not modelled.
    """
    if graph.trains:
        raise InputError(
            "a training step cannot be priced: the cost models are those of inference",
            where=graph.name or "program",
            value="phases " + ", ".join(graph.totals_by_phase),
            allowed="phases setup, forward",
            remedy="capture the forward pass alone, with `rmaat_hw.trace.capture`",
        )
    priced = [op for op in graph.operators if op.phase is not Phase.SETUP and op.kind is not Kind.VIEW]
    stats: Measured = activity.operands if activity else {}
    matrices = {op.id: matrix_of(op) for op in priced}
    homes = Homes(tensor for op in priced if (found := matrices[op.id]) for tensor in stored_in(op, found[1]))
    rows, tables, levels = [], [], []
    for op in priced:
        placed = matrices[op.id]
        row = _product_on_arrays(op, placed, homes, stats) if placed else _on_digital_unit(op)
        factors = _factors(op, placed)
        _bias(op, row, factors)
        tables.extend(_tables(op, row, factors if placed else frozenset()))
        row.working = _alive(op)
        rows.append(row)
        levels.append(level_fractions(stats.get((op.id, placed[1])) if placed else None))

    if not any(row.working for row in rows):
        raise InputError(
            "nothing in the program depends on its input, or the input is empty",
            where=graph.name or "program",
            value=f"{len(graph.operators)} operators, {len(priced)} of them with work for each input",
            remedy="give example inputs that the module computes with",
        )
    workload = Workload(
        operators=tuple(op.id for op in priced),
        classes=tuple(op.work for op in priced),
        precision=precision,
        scalar_ops={
            name: np.array([[float(op.scalar_ops.get(name, 0) * op.repeat)] for op in priced])
            for name in SCALAR_OPS
        },
        level_fraction=np.array(levels),
        table=float(Homes(tables).elements),
        **Workload.stack(rows),
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


def _product_on_arrays(op: Operator, placed: tuple[MatmulShape, int], homes: Homes, stats: Measured) -> Row:
    """Weight × activation: vectors pass through the arrays that hold the weight."""
    shape, weight = placed
    stored, size = stored_in(op, weight), shape.contraction * shape.cols
    data = stats.get((op.id, shape.left))
    vectors = shape.batch * shape.rows * op.repeat
    return Row(
        static=1.0,
        macs=vectors * shape.contraction * shape.cols,
        vectors=vectors,
        contraction=shape.contraction,
        outputs=shape.cols,
        matrices=sum(_matrices(tensor, size) for tensor in homes.claim(stored)),
        parallel=_matrices(stored[0], size),
        input_density=data.mean_bit_density if data else UNMEASURED_INPUT_DENSITY,
        traffic_in=vectors * shape.contraction,
        traffic_out=vectors * shape.cols,
    )


def _on_digital_unit(op: Operator) -> Row:
    """A product of two activations, read tile by tile, or an operator that streams its elements."""
    shape = op.matmul
    if shape is None or not op.macs:
        read, written = (_elements(op, nbytes) * op.repeat for nbytes in (op.bytes_in, op.bytes_out))
        return Row(traffic_in=read, traffic_out=written)
    left = shape.batch * shape.rows * shape.contraction * op.repeat
    return Row(
        macs=left * shape.cols,
        left=left,
        left_over=shape.cols,
        right=shape.batch * shape.contraction * shape.cols * op.repeat,
        right_over=shape.rows,
        traffic_out=shape.batch * shape.rows * shape.cols * op.repeat,
    )


def _factors(op: Operator, placed: tuple[MatmulShape, int] | None) -> frozenset[int]:
    """Numbers of the operands that a product multiplies; what else it has, it adds."""
    if placed:
        return frozenset({placed[0].left, placed[1]})
    if op.matmul is not None and op.macs:
        return frozenset({op.matmul.left, op.matmul.right})
    return frozenset()


def _bias(op: Operator, row: Row, factors: frozenset[int]) -> None:
    """What a product adds to its result is read beside its factors."""
    if factors:
        row.traffic_in += op.repeat * sum(o.spec.numel for j, o in enumerate(op.operands) if j not in factors)


def _tables(op: Operator, row: Row, on_arrays: frozenset[int]) -> list[Stored]:
    """Weights that no array holds, and how many elements of them are read (of a look-up: its rows)."""
    weights = [
        (stored_in(op, j), o.spec.numel)
        for j, o in enumerate(op.operands)
        if o.stationary and j not in on_arrays
    ]
    if weights:
        read = sum(dict(weights).values())
        if op.kind is Kind.GATHER:
            read = sum(spec.numel for spec in op.outputs)
        row.table_reads = float(read * op.repeat)
    return [tensor for stored, _ in weights for tensor in stored]


def _alive(op: Operator) -> float:
    """Elements that one execution holds: its activations and its results."""
    operands = sum(o.spec.numel for o in op.operands if not o.stationary)
    return float(operands + sum(spec.numel for spec in op.outputs))


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
