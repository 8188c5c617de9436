"""Typed operators: what one node of the operator graph is.

Shapes are those of one execution; ``repeat`` says how often it is executed in one pass of the
program. Everything is plain data: strings, integers, tuples. No torch here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import prod


class Kind(StrEnum):
    """What an operator does; the mapping decides the hardware from kind and operand roles."""

    MATMUL = "matmul"
    ELEMENTWISE = "elementwise"
    REDUCTION = "reduction"
    NORMALISATION = "normalisation"
    SOFTMAX = "softmax"
    CONVOLUTION = "convolution"
    GATHER = "gather"  # embedding, index_select: rows of a table are read, none is computed
    MOVE = "move"  # copies, concatenation, padding: bytes but no arithmetic
    VIEW = "view"  # no bytes, no arithmetic
    UNRULED = "unruled"  # no rule: reported by name with its share, an error under --strict


class Phase(StrEnum):
    """When an operator runs.

    ``setup`` does not change from pass to pass: priced once, not per sequence. In a training step what
    depends on trained parameters does change, and is ``forward``.
    """

    SETUP = "setup"
    FORWARD = "forward"
    BACKWARD = "backward"
    REPLAY = "replay"
    OPTIMISER = "optimiser"


class Role(StrEnum):
    """What an operand is to the hardware; it separates a crossbar read from a crossbar write."""

    WEIGHT = "weight"  # a parameter, or derived from parameters alone: written once
    STATE = "state"  # written once a segment, read many times: H, memory tokens
    ACTIVATION = "activation"
    CONSTANT = "constant"  # a captured tensor or scalar table, neither parameter nor input
    GRADIENT = "gradient"  # a gradient, or made from gradients: in training steps only


DTYPE_BYTES: Mapping[str, int] = {
    "float64": 8,
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int16": 2,
    "int8": 1,
    "uint8": 1,
    "bool": 1,
    "complex64": 8,
    "complex128": 16,
}


@dataclass(frozen=True)
class TensorSpec:
    """Shape and dtype of a tensor; ``numel`` elements, ``nbytes`` bytes in the traced dtype."""

    shape: tuple[int, ...]
    dtype: str = "float32"

    @property
    def numel(self) -> int:
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        return self.numel * DTYPE_BYTES.get(self.dtype, 4)


@dataclass(frozen=True)
class Stored:
    """Where the values of a stationary operand stand: a stretch of the memory of a named tensor.

    ``start`` is the first element, ``stop`` one after the last; ``elements`` distinct values are read
    from there. They are fewer than the stretch where it is read in strides, and fewer than the operand
    has where a dimension is only expanded.
    """

    name: str
    start: int
    stop: int
    elements: int

    def holds(self, other: Stored) -> bool:
        """Whether every value of ``other`` is one of these: a slice of a matrix that is used whole."""
        whole = self.stop - self.start == self.elements
        return self == other or (
            whole and self.name == other.name and self.start <= other.start and other.stop <= self.stop
        )


@dataclass(frozen=True)
class Operand:
    """One tensor input of an operator.

    ``name`` is the parameter's qualified name (of the first repeat) or the mark given by the model;
    ``copies`` counts the distinct tensors behind the operand over all repeats: four equal layers
    folded into one node carry four weights, four segments that share them carry one. ``stored`` says
    of a traced stationary operand where each of them stands.
    """

    spec: TensorSpec
    role: Role
    name: str = ""
    copies: int = 1
    stored: tuple[Stored, ...] = ()

    @property
    def stationary(self) -> bool:
        """Written once: a weight, or a captured tensor (most likely a parameter never registered)."""
        return self.role in (Role.WEIGHT, Role.CONSTANT)


@dataclass(frozen=True)
class MatmulShape:
    """``batch`` products of [rows, contraction] × [contraction, cols].

    ``left`` and ``right`` index the operator's operands: the side that carries ``rows`` and the
    side that carries ``cols``.
    """

    batch: int
    rows: int
    contraction: int
    cols: int
    left: int
    right: int

    @property
    def macs(self) -> int:
        return self.batch * self.rows * self.contraction * self.cols


@dataclass(frozen=True)
class Loop:
    """A body executed ``count`` times in series and folded to one copy.

    ``axis`` names what repeats ("segment", "layer", "step" or the module's class in lower case);
    ``recurrent`` tells whether a tensor passes from one iteration to the next.
    """

    id: str
    axis: str
    count: int
    module: str
    recurrent: bool
    parent: str = ""


@dataclass(frozen=True)
class Operator:
    """One (folded) operator: figures are of one execution, ``repeat`` executions a pass.

    ``scalar_ops`` counts elementary operations of one execution by name (keys of ``SCALAR_OPS``).
    ``bytes_in``/``bytes_out`` count what is really touched (gathered rows, not the table; views 0).
    """

    id: str
    op: str
    kind: Kind
    phase: Phase
    module: str
    operands: tuple[Operand, ...]
    outputs: tuple[TensorSpec, ...]
    macs: int = 0
    matmul: MatmulShape | None = None
    scalar_ops: Mapping[str, int] = field(default_factory=dict)
    bytes_in: int = 0
    bytes_out: int = 0
    repeat: int = 1
    loops: tuple[str, ...] = ()  # ids of the loops around it, outermost first

    @property
    def total_macs(self) -> int:
        return self.macs * self.repeat

    @property
    def work(self) -> str:
        """Class of work in words of the report: what meets what in a product, else what the kind does."""
        if self.kind not in (Kind.MATMUL, Kind.CONVOLUTION) and self.matmul is None:
            return WORK_OF_KIND[self.kind]
        sides = self.operands
        if self.matmul is not None:
            sides = (self.operands[self.matmul.left], self.operands[self.matmul.right])
        stationary = any(operand.stationary for operand in sides)
        if any(operand.role is Role.GRADIENT for operand in sides):
            return "weight × gradient" if stationary else "activation × gradient"
        if stationary:
            return "weight × activation"
        if any(operand.role is Role.STATE for operand in sides):
            return "state × activation"
        return "activation × activation"


SCALAR_OPS: tuple[str, ...] = (
    "add",
    "multiply",
    "divide",
    "exponential",  # exp, log, tanh, erf, sigmoid, power: one table look-up with interpolation
    "square_root",
    "compare",  # maximum, where, comparisons, masks
)

#: Class of work of an operator that is no product.
WORK_OF_KIND: Mapping[Kind, str] = {
    Kind.ELEMENTWISE: "element-wise",
    Kind.REDUCTION: "reductions",
    Kind.NORMALISATION: "normalisation",
    Kind.SOFTMAX: "softmax",
    Kind.GATHER: "look-ups and moves",
    Kind.MOVE: "look-ups and moves",
    Kind.VIEW: "look-ups and moves",
    Kind.UNRULED: "without a rule",
}

#: Class of work under which blocks stand that serve every operator.
SHARED_WORK = "shared blocks"
