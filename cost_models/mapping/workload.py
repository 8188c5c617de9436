"""The workload: a program as columns of numbers, one row an operator.

A block of designs is priced with array arithmetic on these columns, and no loop over operators.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

import numpy as np

from cost_models.mapping.precision import Precision

Column: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class Row:
    """Figures of one operator over one pass of the program, repeats included.

    ``static``: 1 for a weight × activation product, which runs on arrays; all else runs on the digital
    unit. For static operators: ``vectors`` input vectors, ``contraction`` word lines and ``outputs``
    weights a word line of one stored matrix, ``matrices`` distinct stored matrices (0 where another
    operator already holds them), ``parallel`` of them at work at once (the heads of a batched product;
    layers follow one another), ``input_density`` the share of input bits that are one. For products of
    two activations: ``left`` and ``right`` elements of the factors, each read once for every tile of the
    other side's ``left_over`` columns or ``right_over`` rows.
    ``traffic_in`` and ``traffic_out``: elements moved; ``table_reads``: elements read of weights that
    no array holds; ``working``: elements alive at one execution.
    """

    static: float = 0.0
    macs: float = 0.0
    vectors: float = 0.0
    contraction: float = 1.0
    outputs: float = 1.0
    matrices: float = 0.0
    parallel: float = 1.0
    input_density: float = 0.0
    left: float = 0.0
    left_over: float = 0.0
    right: float = 0.0
    right_over: float = 0.0
    traffic_in: float = 0.0
    traffic_out: float = 0.0
    table_reads: float = 0.0
    working: float = 0.0


@dataclass(frozen=True)
class Workload:
    """Rows stacked to columns: every figure of ``Row`` as an array [operators, 1].

    ``classes``: class of work of each operator. ``scalar_ops``: elementary operations by name,
    [operators, 1] each. ``level_fraction`` [operators, cell bits]: mean stored level for 1, 2 … bits
    a cell. ``table``: elements of all weights that no array holds. ``setup``: work that does not
    depend on the input, by name.
    """

    operators: tuple[str, ...]
    classes: tuple[str, ...]
    precision: Precision
    scalar_ops: Mapping[str, Column]
    level_fraction: Column
    table: float
    static: Column
    macs: Column
    vectors: Column
    contraction: Column
    outputs: Column
    matrices: Column
    parallel: Column
    input_density: Column
    left: Column
    left_over: Column
    right: Column
    right_over: Column
    traffic_in: Column
    traffic_out: Column
    table_reads: Column
    working: Column
    setup: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def stack(rows: Sequence[Row]) -> dict[str, Column]:
        """Columns by name from rows."""
        names = [item.name for item in fields(Row)]
        return {name: np.array([[getattr(row, name)] for row in rows], dtype=float) for name in names}

    @property
    def on_arrays(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Numbers of the operators that run on arrays."""
        return np.flatnonzero(self.static[:, 0])

    @property
    def on_digital(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Numbers of the operators that run on the digital unit."""
        return np.flatnonzero(self.static[:, 0] == 0)

    def names(self, rows: np.ndarray[Any, np.dtype[np.int64]]) -> tuple[str, ...]:
        """Operators by number."""
        return tuple(self.operators[row] for row in rows)

    @property
    def total_macs(self) -> float:
        """Multiply-accumulates of one pass, as the mapping finds them again."""
        return float(self.macs.sum())
