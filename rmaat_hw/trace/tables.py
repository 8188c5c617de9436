"""Scalar operations of ATen operators, per element: the counts behind the rules.

Counts are of the textbook formula, in the vocabulary of ``SCALAR_OPS``: a subtraction is an add, a
multiply by a constant is a multiply, and exp, log, erf, tanh, sigmoid, sin and a general power are
one ``exponential`` (a table look-up with interpolation). In-place variants share the entry.
"""

from __future__ import annotations

from collections.abc import Mapping

Counts = Mapping[str, int]

_ADD = {"add": 1}
_MULTIPLY = {"multiply": 1}
_DIVIDE = {"divide": 1}
_EXPONENTIAL = {"exponential": 1}
_COMPARE = {"compare": 1}


Pair = tuple[Counts, Counts]


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _same(names: str, counts: Counts) -> dict[str, Counts]:
    return dict.fromkeys(names.split(), counts)


def _pair(names: str, each: Counts, final: Counts) -> dict[str, Pair]:
    return dict.fromkeys(names.split(), (each, final))


# Per element of the (broadcast) output.
ELEMENTWISE: Mapping[str, Counts] = {
    **_same("add sub rsub neg abs logical_not bitwise_not", _ADD),
    **_same("mul square", _MULTIPLY),
    **_same("div reciprocal floor_divide remainder fmod", _DIVIDE),
    **_same(
        "exp exp2 expm1 log log1p log2 log10 sin cos tan asin acos atan atan2 sinh cosh asinh acosh atanh "
        "tanh sigmoid erf erfc erfinv lgamma digamma angle i0 sinc frexp special_erfcx special_ndtr "
        "special_log_ndtr special_i0e special_i1 special_i1e special_entr",
        _EXPONENTIAL,
    ),
    "sqrt": {"square_root": 1},
    "rsqrt": {"square_root": 1, "divide": 1},
    **_same(
        "relu maximum minimum fmax fmin clamp_min clamp_max eq ne lt le gt ge sign sgn signbit where "
        "masked_fill isnan isinf isfinite isposinf isneginf logical_and logical_or logical_xor bitwise_and "
        "bitwise_or bitwise_xor __and__ __or__ __xor__ __lshift__ __rshift__ bitwise_left_shift "
        "bitwise_right_shift floor ceil round trunc frac tril triu threshold heaviside isin copysign",
        _COMPARE,
    ),
    **_same("clamp hardtanh nan_to_num relu6 hardshrink", {"compare": 2}),
    "softshrink": {"compare": 2, "add": 1},
    **_same("leaky_relu _prelu_kernel rrelu_with_noise", {"compare": 1, "multiply": 1}),
    # elu: x where x > 0, else alpha·(exp(x) - 1)
    **_same("elu celu", {"compare": 1, "exponential": 1, "add": 1, "multiply": 1}),
    # gelu: x/2·(1 + erf(x/√2))
    "gelu": {"multiply": 3, "exponential": 1, "add": 1},
    "silu": {"exponential": 1, "multiply": 1},
    "mish": {"exponential": 3, "add": 1, "multiply": 1},
    "softplus": {"exponential": 2, "add": 1, "compare": 1},
    "glu": {"exponential": 1, "multiply": 1},
    "log_sigmoid_forward": {"exponential": 2, "add": 1, "compare": 1},
    "hardsigmoid": {"add": 1, "multiply": 1, "compare": 2},
    "hardswish": {"add": 1, "multiply": 2, "compare": 2},
    "logit": {"exponential": 1, "add": 1, "divide": 1},
    **_same("xlogy special_xlog1py ldexp", {"exponential": 1, "multiply": 1}),
    "hypot": {"multiply": 2, "add": 1, "square_root": 1},
    "polar": {"exponential": 2, "multiply": 2},
    "linalg_cross": {"multiply": 2, "add": 1},
    "logaddexp": {"exponential": 2, "add": 3, "compare": 1},
    "lerp": {"add": 2, "multiply": 1},
    "addcmul": {"add": 1, "multiply": 2},
    "addcdiv": {"add": 1, "multiply": 1, "divide": 1},
    "native_dropout": {"multiply": 1, "compare": 1},
    "mse_loss": {"add": 2, "multiply": 1},
    **_same("smooth_l1_loss huber_loss", {"add": 3, "multiply": 2, "compare": 1}),
    **_same(
        "binary_cross_entropy binary_cross_entropy_with_logits", {"exponential": 2, "add": 3, "multiply": 2}
    ),
    "soft_margin_loss": {"exponential": 2, "add": 1, "multiply": 1},
    # x/scale + zero point, rounded and clamped; and back
    "quantize_per_tensor": {"multiply": 1, "add": 1, "compare": 2},
    "dequantize": {"multiply": 1, "add": 1},
    "fake_quantize_per_tensor_affine_cachemask": {"multiply": 2, "add": 2, "compare": 2},
    # linear interpolations a + t·(b - a): one along a line, three in a plane, seven in a volume
    "upsample_linear1d": {"add": 2, "multiply": 1},
    **_same("upsample_bilinear2d _upsample_bilinear2d_aa", {"add": 6, "multiply": 3}),
    "upsample_trilinear3d": {"add": 14, "multiply": 7},
    # five sums of four weighted neighbours
    **_same("upsample_bicubic2d _upsample_bicubic2d_aa", {"add": 15, "multiply": 20}),
    "affine_grid_generator": {"add": 2, "multiply": 2},
    "grid_sampler_2d": {"add": 8, "multiply": 5},
    # outer products: one multiply (and add) an element, no contraction
    **_same("ger outer", _MULTIPLY),
    "addr": {"multiply": 1, "add": 1},
}

# Those of them that take one term an element of the input, and may hand out the sum alone.
LOSSES = _names(
    "mse_loss smooth_l1_loss huber_loss soft_margin_loss binary_cross_entropy "
    "binary_cross_entropy_with_logits"
)

# (per element of the input, per element of the first output)
REDUCTION: Mapping[str, Pair] = {
    **_pair("sum nansum cumsum trace", _ADD, {}),
    **_pair("prod cumprod", _MULTIPLY, {}),
    **_pair("mean nanmean", _ADD, _DIVIDE),
    **_pair("max min amax amin aminmax argmax argmin any all cummax cummin count_nonzero", _COMPARE, {}),
    # mean, then the mean of squared differences
    **_pair("var var_mean", {"add": 3, "multiply": 1}, {"divide": 2}),
    **_pair("std std_mean", {"add": 3, "multiply": 1}, {"divide": 2, "square_root": 1}),
    **_pair("norm linalg_vector_norm renorm", {"add": 1, "multiply": 1}, {"square_root": 1}),
    "logsumexp": ({"compare": 1, "add": 2, "exponential": 1}, {"exponential": 1, "add": 1}),
    "logcumsumexp": ({"compare": 1, "add": 2, "exponential": 2}, {}),
    **_pair("_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_avg_pool1d", _ADD, _DIVIDE),
    **_pair("adaptive_max_pool2d adaptive_max_pool3d", _COMPARE, {}),
    **_pair("nll_loss_forward nll_loss2d_forward", {}, {"add": 1, "divide": 1}),
    **_pair("bincount histc segment_reduce", _ADD, {}),
    **_pair("_is_all_true _is_any_true", _COMPARE, {}),
    "dist": ({"add": 2, "multiply": 1}, {"square_root": 1}),
}

# Compared log2(n) times an element, n = length of the sorted dimension.
SORTS = _names("sort topk kthvalue median nanmedian mode argsort unique_dim _unique2")

# Per element of the first output: window elements times the count, then the second per output.
POOLS: Mapping[str, Pair] = {
    **_pair(
        "max_pool2d_with_indices max_pool3d_with_indices max_pool1d max_pool2d max_pool3d "
        "fractional_max_pool2d fractional_max_pool3d",
        _COMPARE,
        {},
    ),
    **_pair("avg_pool1d avg_pool2d avg_pool3d", _ADD, _DIVIDE),
}

# Per element: maximum, subtraction, exponential, sum, division (log: subtraction of the log-sum).
SOFTMAX: Mapping[str, Counts] = {
    **_same(
        "_softmax softmax _safe_softmax _masked_softmax",
        {"compare": 1, "add": 2, "exponential": 1, "divide": 1},
    ),
    **_same("_log_softmax log_softmax", {"compare": 1, "add": 3, "exponential": 1}),
}

# Moments taken from the data: per element mean (add), deviation (add), square (multiply), its mean
# (add), scaling (multiply); gain and offset are added by the rule where the operator has them.
MOMENT_NORMS = _names(
    "native_layer_norm native_group_norm native_batch_norm _native_batch_norm_legit cudnn_batch_norm "
    "_native_batch_norm_legit_functional miopen_batch_norm"
)
MOMENTS: Counts = {"add": 3, "multiply": 2}
ROOT_MEAN_SQUARE: Counts = {"add": 1, "multiply": 2}
# Stored moments: one multiply and one add an element after folding.
FROZEN_NORMS: Mapping[str, Counts] = _same("_native_batch_norm_legit_no_training", {"add": 1, "multiply": 1})

# Rows of a table are read: bytes in = bytes out + the indices.
GATHERS = _names(
    "embedding index_select gather index take take_along_dim _unsafe_index _embedding_bag "
    "_embedding_bag_forward_only masked_select"
)

# Bytes without arithmetic; those in FILLS write without reading a tensor.
MOVES = _names(
    "clone copy _to_copy cat stack constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d "
    "replication_pad1d replication_pad2d replication_pad3d flip roll repeat repeat_interleave "
    "_reshape_copy view_copy expand_copy permute_copy slice_copy select_copy split_copy transpose_copy "
    "unsqueeze_copy squeeze_copy t_copy alias_copy detach_copy split_with_sizes_copy unbind_copy "
    "unfold_copy diagonal_copy slice_scatter select_scatter diagonal_scatter as_strided_scatter "
    "scatter index_put _index_put_impl index_copy index_fill masked_scatter nonzero _local_scalar_dense "
    "im2col col2im pixel_shuffle pixel_unshuffle channel_shuffle native_channel_shuffle upsample_nearest1d "
    "upsample_nearest2d upsample_nearest3d _upsample_nearest_exact2d one_hot tril_indices triu_indices "
    "unfold lift_fresh_copy _unsafe_view block_diag diag_embed rot90 equal is_nonzero complex max_unpool2d "
    "max_unpool3d _pack_padded_sequence _linalg_check_errors"
)
ADDING_MOVES = _names("scatter_add index_add scatter_reduce index_reduce put")
FILLS = _names(
    "fill zero full zeros ones full_like zeros_like ones_like new_full new_zeros new_ones scalar_tensor "
    "arange linspace logspace eye range bartlett_window hann_window"
)
RANDOM = _names(
    "rand randn randint randperm rand_like randn_like randint_like normal uniform bernoulli exponential "
    "random cauchy log_normal geometric multinomial poisson normal_functional _standard_gamma "
    "_sample_dirichlet"
)
# Views even where they are written in place: only shape and strides change.
RESHAPES = _names("transpose t squeeze unsqueeze swapaxes swapdims as_strided detach")
# Written whole, so that the old content of the first operand is not read.
OVERWRITES = FILLS | RANDOM | {"copy"}
