"""What one ATen operator does: kind, multiply-accumulates, scalar operations, bytes.

``work_of`` never drops an operator: one without a rule is ``Kind.UNRULED`` with the bytes of its
operands. Figures are of one execution. Bytes are what is touched: views and expanded dimensions cost
nothing, a gather reads its rows and not the table, a copy does not read what it overwrites.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil, log2, prod
from typing import Any

from cost_models.workload.operators import Kind, MatmulShape
from rmaat_hw.trace import gradient_rules, tables


@dataclass(frozen=True, slots=True)
class Work:
    """The figures of one execution of an operator."""

    kind: Kind
    bytes_in: int
    bytes_out: int
    macs: int = 0
    matmul: MatmulShape | None = None
    scalar_ops: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Issued:
    """An operator as issued: ``name`` without namespace and in-place mark, tensors in schema order."""

    name: str
    tensors: Sequence[Any]
    args: Sequence[Any]
    kwargs: Mapping[str, Any]
    outputs: Sequence[Any]

    def argument(self, position: int, name: str, default: Any = None) -> Any:
        """A non-tensor argument, given by position or by name."""
        if position < len(self.args):
            return self.args[position]
        return self.kwargs.get(name, default)

    @property
    def out_elements(self) -> int:
        return int(self.outputs[0].numel()) if self.outputs else 0


def stored_bytes(tensor: Any) -> int:
    """Bytes of the distinct elements behind a tensor: an expanded dimension counts once."""
    shape, strides = tensor.shape, tensor.stride()
    return int(prod(n for n, s in zip(shape, strides, strict=True) if s != 0) * tensor.element_size())


def base_name(op_name: str) -> str:
    """``aten.add_.Tensor`` -> ``add``: no overload, no in-place mark; other namespaces keep theirs."""
    namespace, _, rest = op_name.partition(".")
    name = rest.split(".")[0]
    if namespace != "aten":
        return f"{namespace}.{name}"
    return name[:-1] if name.endswith("_") and not name.endswith("__") else name


def work_of(issued: Issued) -> Work:
    """Apply the rule of ``issued.name``."""
    name = issued.name
    bytes_in, bytes_out = _bytes(issued)
    if name in _PRODUCTS:
        shape, extra = _PRODUCTS[name](issued)
        if issued.outputs[0].is_complex():
            shape, extra = _complex_product(shape, extra)
        kind = Kind.CONVOLUTION if "conv" in name else Kind.MATMUL
        return Work(kind, bytes_in, bytes_out, shape.macs, shape, _positive(extra))
    for kind, rule in _SCALAR_RULES:
        counts = rule(issued)
        if counts is not None:
            if any(tensor.is_complex() for tensor in issued.outputs) and name not in _TRANSFORMS:
                counts = _on_complex(counts)
            return Work(kind, bytes_in, bytes_out, scalar_ops=_positive(counts))
    return Work(Kind.UNRULED, bytes_in, bytes_out)


def is_product(name: str) -> bool:
    """Whether the operator of that base name multiplies and accumulates."""
    return name in _PRODUCTS


def _positive(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: int(count) for name, count in counts.items() if count}


def _bytes(issued: Issued) -> tuple[int, int]:
    name = issued.name
    distinct = {id(t): t for t in issued.tensors}
    bytes_out = sum(stored_bytes(t) for t in issued.outputs)
    if name in tables.GATHERS:
        indices = [t for t in list(distinct.values())[1:] if not t.is_floating_point()]
        return bytes_out + sum(stored_bytes(t) for t in indices), bytes_out
    if name in tables.OVERWRITES:
        written = {id(t) for t in issued.outputs} | ({id(issued.tensors[0])} if issued.tensors else set())
        return sum(stored_bytes(t) for key, t in distinct.items() if key not in written), bytes_out
    if name == "_local_scalar_dense":
        return issued.tensors[0].element_size(), 0
    read = gradient_rules.bytes_read(issued)
    if read is not None:
        return sum(stored_bytes(issued.tensors[k]) for k in read), bytes_out
    return sum(stored_bytes(t) for t in distinct.values()), bytes_out


# --- products ----------------------------------------------------------------------------------

Product = tuple[MatmulShape, dict[str, int]]


def _plain_product(left: int, right: int) -> Callable[[Issued], Product]:
    """mm, bmm, mv, dot and their adding variants: the operands at ``left`` and ``right``."""

    def rule(issued: Issued) -> Product:
        a, b = issued.tensors[left].shape, issued.tensors[right].shape
        rows = a[-2] if len(a) > 1 else 1
        cols = b[-1] if len(b) > 1 else 1
        batch = a[0] if len(a) == 3 else 1
        extra: Counter[str] = Counter()
        if left:  # an addend stands first: beta·addend + alpha·product
            extra["add"] = issued.out_elements if issued.kwargs.get("beta", 1) != 0 else 0
            for factor in (issued.kwargs.get("beta", 1), issued.kwargs.get("alpha", 1)):
                extra["multiply"] += issued.out_elements if factor not in (0, 1) else 0
        if issued.name == "addbmm":  # the batch is summed: its products add up in place
            extra["add"] += issued.out_elements * (batch - 1)
        return MatmulShape(batch, rows, a[-1], cols, left, right), dict(extra)

    return rule


def _convolution(issued: Issued) -> Product:
    """As the product of im2col: padded positions count, as they do on every dense array."""
    data, kernel, output = issued.tensors[0], issued.tensors[1], issued.outputs[0]
    transposed = bool(issued.argument(6, "transposed", False))
    groups = int(issued.argument(8, "groups", 1))
    window = prod(kernel.shape[2:])
    if transposed:
        # every input position is spread over the window: kernel is [in, out / groups, ...]
        rows = data.shape[0] * prod(data.shape[2:])
        contraction, cols = kernel.shape[0] // groups, kernel.shape[1] * window
        extra = {"add": rows * groups * cols}
    else:
        rows = output.shape[0] * prod(output.shape[2:])
        contraction, cols = kernel.shape[1] * window, kernel.shape[0] // groups
        extra = {"add": 0}
    if len(issued.tensors) > 2:
        extra["add"] += issued.out_elements
    return MatmulShape(groups, rows, contraction, cols, 0, 1), extra


def _complex_product(shape: MatmulShape, extra: Mapping[str, int]) -> Product:
    """Real and imaginary parts as rows and as columns: four real products, added in pairs."""
    sums = 2 * shape.batch * shape.rows * shape.cols
    real = replace(shape, rows=2 * shape.rows, cols=2 * shape.cols)
    return real, dict(Counter(_on_complex(extra)) + Counter({"add": sums}))


def _on_complex(counts: Mapping[str, int]) -> Counter[str]:
    """Real operations behind complex ones: a product is four and two sums, everything else two."""
    total = Counter({name: 2 * count for name, count in counts.items()})
    total["multiply"] += 2 * counts.get("multiply", 0)
    total["add"] += 2 * counts.get("multiply", 0)
    return total


def _grouped(issued: Issued) -> Product:
    """Rows sorted by expert, a weight an expert: every row meets one of them."""
    rows, experts = issued.tensors[0].shape, issued.tensors[1].shape
    if len(rows) != 2 or len(experts) != 3:
        return _plain_product(0, 1)(issued)
    return MatmulShape(1, rows[0], rows[1], experts[2], 0, 1), {}


def _bilinear(issued: Issued) -> Product:
    """x·W·y with W [out, in, in']: a product with the first input, a weighted sum over the second."""
    (rows, contraction), (outputs, _, second) = issued.tensors[0].shape, issued.tensors[1].shape
    sums = rows * outputs * second
    return MatmulShape(1, rows, contraction, outputs * second, 0, 1), {"multiply": sums, "add": sums}


def _fused_attention(issued: Issued) -> Product:
    """Q·Kᵀ and P·V of a fused kernel as one product of equal size: contraction S, columns E + Ev."""
    query, key, value = (t.shape for t in issued.tensors[:3])
    batch, length, source = prod(query[:-2]), query[-2], key[-2]
    scores = batch * length * source
    softmax = {name: count * scores for name, count in tables.SOFTMAX["_softmax"].items()}
    softmax["multiply"] = scores
    return MatmulShape(batch, length, source, query[-1] + value[-1], 0, 1), softmax


def _euclidean(issued: Issued) -> Product:
    """|x - y|₂ = √(|x|² - 2x·y + |y|²): a product, two norms, a root."""
    x, y = issued.tensors[0], issued.tensors[1]
    norms = x.numel() + y.numel()
    pairs = issued.out_elements
    shape = MatmulShape(prod(x.shape[:-2]), x.shape[-2], x.shape[-1], y.shape[-2], 0, 1)
    return shape, {"multiply": norms + pairs, "add": norms + 2 * pairs, "square_root": pairs}


_PRODUCTS: Mapping[str, Callable[[Issued], Product]] = {
    **dict.fromkeys(("mm", "bmm", "mv", "dot", "vdot", "_int_mm", "_scaled_mm"), _plain_product(0, 1)),
    **dict.fromkeys(("addmm", "baddbmm", "addbmm", "addmv", "_addmm_activation"), _plain_product(1, 2)),
    **dict.fromkeys(("convolution", "_convolution"), _convolution),
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention_for_cpu",
            "_scaled_dot_product_flash_attention",
            "_scaled_dot_product_efficient_attention",
            "_scaled_dot_product_cudnn_attention",
        ),
        _fused_attention,
    ),
    "_euclidean_dist": _euclidean,
    "_grouped_mm": _grouped,
    "_trilinear": _bilinear,
    **gradient_rules.PRODUCTS,
}


# --- scalar operations -------------------------------------------------------------------------


def _times(counts: Mapping[str, int], elements: int) -> Counter[str]:
    return Counter({name: count * elements for name, count in counts.items()})


def _elementwise(issued: Issued) -> Mapping[str, int] | None:
    if issued.name == "pow":
        return _times(_power(issued.argument(1, "exponent")), issued.out_elements)
    counts = tables.ELEMENTWISE.get(issued.name)
    if counts is None:
        return None
    # A loss may be summed at once: its terms are as many as its inputs, whatever it returns.
    summed = issued.name in tables.LOSSES
    total = _times(counts, int(issued.tensors[0].numel()) if summed else issued.out_elements)
    if issued.name in ("add", "sub", "rsub") and issued.kwargs.get("alpha", 1) not in (1, -1):
        total["multiply"] += issued.out_elements
    return total


def _power(exponent: Any) -> Mapping[str, int]:
    """x² and x³ are multiplies, √x a root, 1/x a division; any other power is a table look-up."""
    cheap = {2: {"multiply": 1}, 3: {"multiply": 2}, 1: {}, 0.5: {"square_root": 1}, -1: {"divide": 1},
             -0.5: {"square_root": 1, "divide": 1}}  # fmt: skip
    known = isinstance(exponent, int | float) and exponent in cheap
    return cheap[exponent] if known else {"exponential": 1}


def _reduction(issued: Issued) -> Mapping[str, int] | None:
    name = issued.name
    if name in ("max", "min") and len(issued.tensors) == 2:  # the two-tensor overload is elementwise
        return {"compare": issued.out_elements}
    elements = int(issued.tensors[0].numel()) if issued.tensors else 0
    if name in tables.REDUCTION:
        each, final = tables.REDUCTION[name]
        return _times(each, elements) + _times(final, issued.out_elements)
    if name in tables.SORTS:
        shape = issued.tensors[0].shape
        dimension = issued.argument(2 if name in ("topk", "kthvalue") else 1, "dim", -1)
        length = shape[dimension] if shape and isinstance(dimension, int) else elements
        return {"compare": elements * ceil(log2(max(length, 2)))}
    if name in tables.POOLS:
        each, final = tables.POOLS[name]
        window = issued.argument(1, "kernel_size")
        rank = int(name.split("pool")[1][0])
        size = prod(window) if len(window) == rank else window[0] ** rank
        return _times(each, issued.out_elements * size) + _times(final, issued.out_elements)
    if name in ("_cdist_forward", "_pdist_forward"):  # |x - y| in any norm: no product stands for it
        terms = issued.out_elements * issued.tensors[0].shape[-1]
        euclidean = issued.argument(2 if name == "_cdist_forward" else 1, "p", 2) == 2
        return {"add": 2 * terms, "multiply" if euclidean else "exponential": terms}
    if name in ("bucketize", "searchsorted"):
        boundaries = issued.tensors[1 if name == "bucketize" else 0].shape[-1]
        return {"compare": issued.out_elements * ceil(log2(max(boundaries, 2)))}
    return None


_TRANSFORMS = frozenset({"_fft_r2c", "_fft_c2r", "_fft_c2c"})


def _transform(issued: Issued) -> Mapping[str, int] | None:
    """Fourier transform by radix-2 butterflies: n/2·log2(n) of them, each a complex product and two sums.

    Half as many where input or output is real.
    """
    if issued.name not in _TRANSFORMS:
        return None
    real = issued.name != "_fft_c2c"
    whole = issued.outputs[0] if issued.name == "_fft_c2r" else issued.tensors[0]
    length = prod(whole.shape[dimension] for dimension in issued.argument(1, "dim"))
    butterflies = ceil(whole.numel() / 2 * log2(max(length, 1)) / (2 if real else 1))
    return {"multiply": 4 * butterflies, "add": 6 * butterflies}


def _normalisation(issued: Issued) -> Mapping[str, int] | None:
    name = issued.name
    elements = issued.out_elements
    if name in tables.FROZEN_NORMS:
        return _times(tables.FROZEN_NORMS[name], elements)
    if name not in tables.MOMENT_NORMS | {"_fused_rms_norm", "_weight_norm_interface"}:
        return None
    if name.endswith("batch_norm") and issued.argument(5, "training") is False:
        return _times({"add": 1, "multiply": 1}, elements)
    if name == "_weight_norm_interface":  # g·v/|v|: a norm a row, a factor an element
        rows = int(issued.tensors[1].numel())
        return {"add": elements, "multiply": 2 * elements, "square_root": rows, "divide": rows}
    root = name == "_fused_rms_norm"
    total = _times(tables.ROOT_MEAN_SQUARE if root else tables.MOMENTS, elements)
    affine = sum(1 for tensor in issued.tensors[1:3] if tensor is not None)
    total["multiply"] += elements if affine else 0
    total["add"] += elements if affine > 1 and not root else 0
    groups = issued.outputs[-1].numel()  # one pair of moments a row, channel or group
    return total + _times({"divide": 1 if root else 2, "add": 1, "square_root": 1}, groups)


def _softmax(issued: Issued) -> Mapping[str, int] | None:
    counts = tables.SOFTMAX.get(issued.name)
    return None if counts is None else _times(counts, issued.out_elements)


def _gather(issued: Issued) -> Mapping[str, int] | None:
    return {} if issued.name in tables.GATHERS else None


def _move(issued: Issued) -> Mapping[str, int] | None:
    if issued.name in tables.ADDING_MOVES:
        return {"add": int(issued.tensors[-1].numel())}
    return {} if issued.name in tables.MOVES | tables.FILLS | tables.RANDOM else None


_SCALAR_RULES: tuple[tuple[Kind, Callable[[Issued], Mapping[str, int] | None]], ...] = (
    (Kind.ELEMENTWISE, _elementwise),
    (Kind.REDUCTION, _reduction),
    (Kind.REDUCTION, _transform),
    (Kind.NORMALISATION, _normalisation),
    (Kind.SOFTMAX, _softmax),
    (Kind.GATHER, _gather),
    (Kind.MOVE, gradient_rules.move),
    (Kind.MOVE, _move),
    (Kind.ELEMENTWISE, gradient_rules.elementwise),
    (Kind.REDUCTION, gradient_rules.reduction),
    (Kind.NORMALISATION, gradient_rules.normalisation),
    (Kind.SOFTMAX, gradient_rules.softmax),
)
