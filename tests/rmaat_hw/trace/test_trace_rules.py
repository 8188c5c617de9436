"""Rules, each on the operator as torch really issues it, against counts by hand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional
from traced_models import Function

from cost_models.workload.operators import Kind, Operator
from rmaat_hw.trace import capture
from rmaat_hw.trace.rules import base_name, stored_bytes

X = torch.randn(4, 6)  # 24 elements, 96 bytes


def only(function: Callable[..., Any], *args: Any) -> Operator:
    (operator,) = capture(Function(function), args).graph.operators
    return operator


@pytest.mark.parametrize(
    ("function", "kind", "counts"),
    [
        (lambda x: x + 1, Kind.ELEMENTWISE, {"add": 24}),
        (lambda x: torch.add(x, x, alpha=2), Kind.ELEMENTWISE, {"add": 24, "multiply": 24}),
        (lambda x: x * x[:, :1], Kind.ELEMENTWISE, {"multiply": 24}),
        (lambda x: x / 3, Kind.ELEMENTWISE, {"divide": 24}),
        (lambda x: x**2, Kind.ELEMENTWISE, {"multiply": 24}),
        (lambda x: x**0.5, Kind.ELEMENTWISE, {"square_root": 24}),
        (lambda x: x**0.3, Kind.ELEMENTWISE, {"exponential": 24}),
        (torch.exp, Kind.ELEMENTWISE, {"exponential": 24}),
        (torch.rsqrt, Kind.ELEMENTWISE, {"square_root": 24, "divide": 24}),
        (torch.relu, Kind.ELEMENTWISE, {"compare": 24}),
        (lambda x: x.clamp(0, 1), Kind.ELEMENTWISE, {"compare": 48}),
        (functional.gelu, Kind.ELEMENTWISE, {"multiply": 72, "exponential": 24, "add": 24}),
        (functional.elu, Kind.ELEMENTWISE, {"compare": 24, "exponential": 24, "add": 24, "multiply": 24}),
        (functional.silu, Kind.ELEMENTWISE, {"exponential": 24, "multiply": 24}),
        (lambda x: x > 0, Kind.ELEMENTWISE, {"compare": 24}),
        (lambda x: x.sum(0), Kind.REDUCTION, {"add": 24}),
        (lambda x: x.mean(0), Kind.REDUCTION, {"add": 24, "divide": 6}),
        (lambda x: x.amax(1), Kind.REDUCTION, {"compare": 24}),
        (lambda x: x.cumsum(1), Kind.REDUCTION, {"add": 24}),
        (lambda x: x.topk(2), Kind.REDUCTION, {"compare": 24 * 3}),  # ceil(log2(6)) = 3
        (
            lambda x: x.softmax(-1),
            Kind.SOFTMAX,
            {"compare": 24, "add": 48, "exponential": 24, "divide": 24},
        ),
        (lambda x: x.log_softmax(-1), Kind.SOFTMAX, {"compare": 24, "add": 72, "exponential": 24}),
        (
            lambda x: functional.layer_norm(x, (6,)),
            Kind.NORMALISATION,
            # moments and scaling an element; a root, two means and ε a row
            {"add": 72 + 4, "multiply": 48, "divide": 8, "square_root": 4},
        ),
        (lambda x: x.clone(), Kind.MOVE, {}),
        (lambda x: torch.cat((x, x)), Kind.MOVE, {}),
        (lambda x: functional.pad(x, (1, 0)), Kind.MOVE, {}),
        (lambda x: x.double(), Kind.MOVE, {}),
    ],
)
def test_scalar_operations(function: Callable[..., Any], kind: Kind, counts: dict[str, int]) -> None:
    operator = only(function, X)
    assert operator.kind is kind
    assert operator.scalar_ops == counts
    assert operator.macs == 0


def test_affine_norm_adds_gain_and_offset() -> None:
    weight = torch.ones(6)
    plain = only(lambda x: functional.layer_norm(x, (6,)), X)
    affine = only(lambda x, w, b: functional.layer_norm(x, (6,), w, b), X, weight, weight.clone())
    assert affine.scalar_ops["multiply"] - plain.scalar_ops["multiply"] == 24
    assert affine.scalar_ops["add"] - plain.scalar_ops["add"] == 24


@pytest.mark.parametrize(
    ("function", "args", "bytes_in", "bytes_out"),
    [
        (lambda x, y: x + y, (X, X.clone()), 192, 96),
        (lambda x: x * x, (X,), 96, 96),  # one tensor, read once
        (lambda x, y: x + y.expand(4, 6), (X, torch.randn(6)), 96 + 24, 96),
        (lambda x, y: x.copy_(y), (X, torch.randn(6)), 24, 96),  # the old content is not read
        (lambda x: x.zero_(), (X,), 0, 96),
        (lambda x: x.add_(1), (X,), 96, 96),
        # 3 rows of 24 bytes and 3 indices of 8, not the table
        (lambda t, i: functional.embedding(i, t), (torch.randn(100, 6), torch.arange(3)), 72 + 24, 72),
        (lambda t, i: t.index_select(0, i), (torch.randn(100, 6), torch.arange(3)), 72 + 24, 72),
        (lambda x: torch.full((2, 3), 1.0) if x is None else torch.arange(4), (X,), 0, 32),
    ],
)
def test_bytes_are_those_touched(
    function: Callable[..., Any], args: tuple[Any, ...], bytes_in: int, bytes_out: int
) -> None:
    operator = only(function, *(a.clone() for a in args))
    assert (operator.bytes_in, operator.bytes_out) == (bytes_in, bytes_out)


def test_views_are_counted_and_cost_nothing() -> None:
    trace = capture(Function(lambda x: x.t().reshape(2, 12)[:, None].expand(2, 5, 12)), (X.t().clone(),))
    assert trace.graph.operators == ()
    assert trace.graph.views > 2


def test_products_name_their_sides() -> None:
    bias, left, right = torch.randn(5), torch.randn(3, 4), torch.randn(4, 5)
    addmm = only(torch.addmm, bias, left, right)
    assert addmm.matmul is not None
    assert (addmm.matmul.left, addmm.matmul.right, addmm.macs) == (1, 2, 60)
    assert addmm.scalar_ops == {"add": 15}
    scaled = only(lambda b, x, y: torch.addmm(b, x, y, beta=0, alpha=2), bias, left, right)
    assert scaled.scalar_ops == {"multiply": 15}
    mv = only(torch.mv, left, torch.randn(4))
    assert mv.matmul is not None
    assert (mv.matmul.rows, mv.matmul.contraction, mv.matmul.cols) == (3, 4, 1)
    dot = only(torch.dot, torch.randn(7), torch.randn(7))
    assert dot.macs == 7
    summed = only(torch.addbmm, torch.randn(3, 5), torch.randn(2, 3, 4), torch.randn(2, 4, 5))
    assert (summed.macs, summed.scalar_ops) == (120, {"add": 30})


def test_outer_product_does_not_accumulate() -> None:
    operator = only(torch.outer, torch.randn(3), torch.randn(4))
    assert (operator.kind, operator.macs, operator.scalar_ops) == (Kind.ELEMENTWISE, 0, {"multiply": 12})


def test_fused_attention_called_by_name_keeps_its_products() -> None:
    q = torch.randn(2, 4, 9, 8)
    flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu
    operator = capture(Function(lambda x: flash(x, x, x)[0]), (q,)).graph.operators[0]
    assert operator.macs == 2 * (2 * 4) * 9 * 9 * 8
    assert operator.scalar_ops["exponential"] == 2 * 4 * 9 * 9


def test_euclidean_distances_are_a_product_and_norms() -> None:
    distances = only(lambda a, b: torch.cdist(a, b), torch.randn(30, 8), torch.randn(40, 8))
    assert distances.macs == 30 * 40 * 8
    assert distances.scalar_ops["square_root"] == 1200


def test_a_convolution_is_the_product_of_its_windows() -> None:
    kernel = torch.randn(8, 2, 3, 3)
    operator = only(lambda x, k: functional.conv2d(x, k, groups=2), torch.randn(2, 4, 7, 7), kernel)
    shape = operator.matmul
    assert shape is not None
    assert (shape.batch, shape.rows, shape.contraction, shape.cols) == (2, 2 * 25, 18, 4)


@pytest.mark.parametrize(
    ("op", "name"),
    [
        ("aten.add_.Tensor", "add"),
        ("aten.__and__.Tensor", "__and__"),
        ("aten._softmax.default", "_softmax"),
        ("toy.squash.default", "toy.squash"),
    ],
)
def test_base_names(op: str, name: str) -> None:
    assert base_name(op) == name


def test_stored_bytes_count_an_expanded_dimension_once() -> None:
    assert stored_bytes(torch.zeros(1, 6).expand(9, 6)) == 24
    assert stored_bytes(torch.zeros(4, 6).t()) == 96
