"""Rules for what only training steps have: backward operators, optimisers on lists of tensors.

Counts are of the textbook formula in the vocabulary of ``SCALAR_OPS``, as in ``tables``; g is the
gradient that arrives, x and y are an operator's input and output.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from math import prod
from typing import TYPE_CHECKING

from cost_models.workload.operators import MatmulShape
from rmaat_hw.trace import tables

if TYPE_CHECKING:
    from rmaat_hw.trace.rules import Issued

Counts = Mapping[str, int]


def _same(names: str, counts: Counts) -> dict[str, Counts]:
    return dict.fromkeys(names.split(), counts)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _times(counts: Counts, elements: int) -> Counter[str]:
    return Counter({name: count * elements for name, count in counts.items()})


# Per element of the result.
_ELEMENTWISE: Mapping[str, Counts] = {
    **_same("threshold_backward hardtanh_backward hardshrink_backward softshrink_backward", {"compare": 1}),
    **_same("leaky_relu_backward rrelu_with_noise_backward", {"compare": 1, "multiply": 1}),
    "_prelu_kernel_backward": {"compare": 1, "multiply": 2},
    # g·α·exp(x) where x <= 0
    "elu_backward": {"compare": 1, "exponential": 1, "multiply": 2},
    # g·(Φ(x) + x·φ(x)), Φ by erf, φ by exp
    "gelu_backward": {"multiply": 7, "exponential": 2, "add": 2},
    # g·σ·(1 + x·(1 - σ))
    "silu_backward": {"exponential": 1, "multiply": 3, "add": 2},
    **_same("sigmoid_backward tanh_backward", {"add": 1, "multiply": 2}),  # g·y·(1 - y), g·(1 - y²)
    "softplus_backward": {"exponential": 1, "add": 1, "divide": 1, "multiply": 1, "compare": 1},
    "log_sigmoid_backward": {"exponential": 1, "add": 1, "divide": 1, "multiply": 1, "compare": 1},
    "mish_backward": {"exponential": 3, "multiply": 4, "add": 2},
    "glu_backward": {"exponential": 1, "multiply": 3, "add": 1},
    "hardsigmoid_backward": {"compare": 2, "multiply": 1},
    "hardswish_backward": {"compare": 2, "multiply": 2, "add": 1},
    "logit_backward": {"add": 1, "multiply": 1, "divide": 1},
    "native_dropout_backward": {"multiply": 2},
    "mse_loss_backward": {"add": 1, "multiply": 2},
    **_same("smooth_l1_loss_backward huber_loss_backward", {"add": 1, "compare": 2, "multiply": 2}),
    "soft_margin_loss_backward": {"exponential": 1, "add": 1, "multiply": 2, "divide": 1},
    "binary_cross_entropy_backward": {"add": 2, "multiply": 2, "divide": 1},
}

# y·(g - Σ g·y), and g - exp(y)·Σ g
_SOFTMAX: Mapping[str, Counts] = {
    "_softmax_backward_data": {"multiply": 2, "add": 2},
    "_log_softmax_backward_data": {"add": 2, "exponential": 1, "multiply": 1},
}

# Where a gradient came from, zeros elsewhere: bytes without arithmetic.
_MOVES = _names(
    "slice_backward select_backward diagonal_backward nll_loss_backward nll_loss2d_backward "
    "value_selecting_reduction_backward masked_select_backward trace_backward "
    "_pack_padded_sequence_backward _foreach_copy _foreach_zero"
)

# Every element of the gradient is added to one of the result.
_ADDING_MOVES = _names(
    "embedding_dense_backward embedding_backward _embedding_bag_backward _embedding_bag_dense_backward "
    "unfold_backward "
    "max_pool2d_with_indices_backward max_pool3d_with_indices_backward fractional_max_pool2d_backward "
    "adaptive_max_pool2d_backward reflection_pad1d_backward reflection_pad2d_backward "
    "reflection_pad3d_backward replication_pad1d_backward replication_pad2d_backward "
    "replication_pad3d_backward upsample_nearest1d_backward upsample_nearest2d_backward "
    "upsample_nearest3d_backward _upsample_nearest_exact2d_backward repeat_interleave_backward"
)

# Per element of the gradient that arrives: its share of each neighbour, as in the forward pass.
_INTERPOLATIONS: Mapping[str, Counts] = {
    "upsample_linear1d_backward": {"add": 2, "multiply": 2},
    **_same("upsample_bilinear2d_backward _upsample_bilinear2d_aa_backward", {"add": 4, "multiply": 4}),
    "upsample_trilinear3d_backward": {"add": 8, "multiply": 8},
    "upsample_bicubic2d_backward": {"add": 16, "multiply": 20},
    "grid_sampler_2d_backward": {"add": 16, "multiply": 16},
}

# Per element: x̂ anew (add, multiply), g·w (multiply), two means (add; multiply, add), their parts of the
# result (multiply, 2 adds), the scale (multiply). The root mean square has one mean and no deviation.
_MOMENT_NORM: Counts = {"add": 5, "multiply": 5}
_ROOT_NORM: Counts = {"add": 2, "multiply": 5}
_STORED_NORM: Counts = {"multiply": 2}
# Which argument says what is asked for: input, weight (g·x̂ summed), bias (g summed).
_NORM_MASKS: Mapping[str, int] = {
    "native_layer_norm_backward": 7,
    "native_group_norm_backward": 9,
    "native_batch_norm_backward": 9,
    "_fused_rms_norm_backward": 5,
    "cudnn_batch_norm_backward": -1,
    "miopen_batch_norm_backward": -1,
}

# Per element of the parameters: all tensors of a fused step are read and written once.
# adam(w): decay, two moving averages, root, bias correction, ε, the step
_FUSED_OPTIMISERS: Mapping[str, Counts] = {
    **_same("_fused_adam _fused_adamw", {"add": 5, "multiply": 6, "divide": 2, "square_root": 1}),
    "_fused_sgd": {"add": 3, "multiply": 3},
    "_fused_adagrad": {"add": 3, "multiply": 3, "divide": 1, "square_root": 1},
}


def elementwise(issued: Issued) -> Counts | None:
    """Backward of element-by-element operators; an operator on every tensor of a list; fused optimisers."""
    name = issued.name
    if name in _ELEMENTWISE:
        return _times(_ELEMENTWISE[name], max((t.numel() for t in issued.outputs), default=0))
    if name in _FUSED_OPTIMISERS:
        parameters = sum(t.numel() for t in issued.args[0])
        return _times(_FUSED_OPTIMISERS[name], parameters)
    if name.startswith("_foreach_"):
        return _foreach(issued)
    if name in ("_weight_norm_interface_backward", "_weight_norm_differentiable_backward"):
        return _times({"multiply": 4, "add": 3}, issued.tensors[0].numel())
    return None


def _foreach(issued: Issued) -> Counts | None:
    single = issued.name.removeprefix("_foreach_")
    counts = tables.ELEMENTWISE.get(single, {"exponential": 1} if single == "pow" else None)
    if counts is None:
        return None
    total = _times(counts, sum(t.numel() for t in issued.outputs))
    if single in ("add", "sub") and issued.kwargs.get("alpha", 1) not in (1, -1):
        total["multiply"] += sum(t.numel() for t in issued.outputs)
    return total


def reduction(issued: Issued) -> Counts | None:
    """Norms of every tensor of a list; backward of pools and distances; interpolations."""
    name = issued.name
    if name in ("_foreach_norm", "_foreach_max"):
        each, final = tables.REDUCTION[name.removeprefix("_foreach_")]
        return _times(each, sum(t.numel() for t in issued.tensors)) + _times(final, len(issued.outputs))
    arriving = int(issued.tensors[0].numel()) if issued.tensors else 0
    if name in _INTERPOLATIONS:
        return _times(_INTERPOLATIONS[name], arriving)
    if name.startswith(("avg_pool", "_adaptive_avg_pool")) and name.endswith("_backward"):
        window = issued.argument(2, "kernel_size") if name.startswith("avg_pool") else None
        rank = int(name.split("pool")[1][0])
        if window is None:  # windows that tile the input
            return {"divide": arriving, "add": issued.out_elements}
        size = prod(window) if len(window) == rank else window[0] ** rank
        return {"divide": arriving, "add": arriving * size}
    if name in ("_cdist_backward", "_pdist_backward"):
        terms = arriving * issued.tensors[1].shape[-1]
        return {"add": 2 * terms, "multiply": terms, "divide": arriving}
    return None


def normalisation(issued: Issued) -> Counts | None:
    """Backward of norms, for what is asked of input, weight and bias."""
    name = issued.name
    if name not in _NORM_MASKS:
        return None
    position = _NORM_MASKS[name]
    mask = issued.argument(position, "output_mask") if position >= 0 else (True, True, True)
    elements = int(issued.tensors[0].numel())
    total: Counter[str] = Counter()
    if mask[0]:
        stored = name == "native_batch_norm_backward" and issued.argument(7, "train") is False
        root = name == "_fused_rms_norm_backward"
        total += _times(_STORED_NORM if stored else _ROOT_NORM if root else _MOMENT_NORM, elements)
    if mask[1]:
        total += _times({"multiply": 1, "add": 1}, elements)
    if len(mask) > 2 and mask[2]:
        total += _times({"add": 1}, elements)
    return total


def softmax(issued: Issued) -> Counts | None:
    """Backward of softmax and of its logarithm."""
    counts = _SOFTMAX.get(issued.name)
    return None if counts is None else _times(counts, issued.out_elements)


def move(issued: Issued) -> Counts | None:
    """Gradients that are only put in their place."""
    name = issued.name
    if name in _MOVES:
        return {}
    if name in _ADDING_MOVES:
        return {"add": int(issued.tensors[0].numel())}
    if name in ("index_put", "_index_put_impl", "_unsafe_index_put") and issued.argument(
        3, "accumulate", False
    ):
        values = issued.args[2]
        return {"add": int(values.numel())}
    return None


Product = tuple[MatmulShape, dict[str, int]]


def _convolution(issued: Issued) -> Product:
    """One of the two products, each as large as that of the forward pass: g × weight or input × g."""
    gradient, data, kernel = issued.tensors[:3]
    transposed, groups = bool(issued.args[7]), int(issued.args[9])
    of_input, of_weight, of_bias = issued.args[10]
    window = prod(kernel.shape[2:])
    extra = {"add": gradient.numel() if of_bias else 0}
    # positions where the kernel is laid, kernel channels on their side and on the other one
    places = (data if transposed else gradient).shape
    positions = places[0] * prod(places[2:])
    near, far = kernel.shape[0] // groups, kernel.shape[1]
    if not (of_input or of_weight):
        return MatmulShape(0, positions, near, far * window, 0, 1), extra
    if of_weight:  # contracted over the positions
        left, right = (0, 1) if transposed else (1, 0)
        return MatmulShape(groups, far * window, positions, near, left, right), extra
    if transposed:
        return MatmulShape(groups, positions, far * window, near, 0, 2), extra
    extra["add"] += positions * groups * far * window  # the windows overlap
    return MatmulShape(groups, positions, near, far * window, 0, 2), extra


def _fused_attention(issued: Issued) -> Product:
    """Scores anew, then the gradients of P, V, Q and K: five products as one of equal size."""
    query, key, value = (t.shape for t in issued.tensors[1:4])
    batch, length, source = prod(query[:-2]), query[-2], key[-2]
    scores = batch * length * source
    counts = {"multiply": 3 * scores, "add": 3 * scores, "exponential": scores}
    return MatmulShape(batch, length, source, 3 * query[-1] + 2 * value[-1], 0, 1), counts


PRODUCTS: Mapping[str, Callable[[Issued], Product]] = {
    "convolution_backward": _convolution,
    **dict.fromkeys(
        (
            "_scaled_dot_product_flash_attention_for_cpu_backward",
            "_scaled_dot_product_flash_attention_backward",
            "_scaled_dot_product_efficient_attention_backward",
            "_scaled_dot_product_cudnn_attention_backward",
        ),
        _fused_attention,
    ),
}


def bytes_read(issued: Issued) -> tuple[int, ...] | None:
    """Positions of the tensors that are read, where that is not all of them."""
    if issued.name != "convolution_backward":
        return None
    of_input, of_weight, _ = issued.args[10]
    return tuple(k for k, wanted in enumerate((True, of_weight, of_input)) if wanted)
