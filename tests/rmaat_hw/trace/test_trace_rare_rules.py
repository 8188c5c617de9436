"""Rules of operators that few programs have, against hand counts; products against torch on real tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from traced_models import Function

from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from cost_models.workload.operators import Operator
from rmaat_hw.trace import capture, independent_macs


def only(module: nn.Module, *args: Tensor) -> Operator:
    graph = capture(module, args).graph
    assert not graph.unruled
    (operator,) = graph.operators
    return operator


def test_bilinear_is_a_product_and_a_weighted_sum() -> None:
    operator = only(nn.Bilinear(3, 5, 7, bias=False), torch.randn(2, 3), torch.randn(2, 5))
    assert operator.macs == 2 * 3 * (7 * 5)
    assert operator.scalar_ops == {"multiply": 2 * 7 * 5, "add": 2 * 7 * 5}


def test_complex_product_is_four_real_ones_on_two_parts_of_the_weights() -> None:
    class Complex(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.randn(3, 4, dtype=torch.complex64))

        def forward(self, x: Tensor) -> Tensor:
            return x @ self.w

    module, x = Complex(), torch.randn(5, 3, dtype=torch.complex64)
    graph = capture(module, (x,)).graph
    assert graph.macs == 4 * 5 * 3 * 4
    assert graph.operators[0].scalar_ops == {"add": 2 * 5 * 4}
    work = place(graph, None, Precision())
    assert float((work.contraction * work.outputs * work.matrices).sum()) == 2 * 3 * 4
    count, reason = independent_macs(module, (x,))
    assert count is None and "complex aten.mm" in reason


@pytest.mark.parametrize(
    ("function", "shape", "counts"),
    [
        # 16 points: 8·4 butterflies of 4 multiplies and 6 adds; half of that on real numbers
        (lambda x: torch.fft.rfft(x), (3, 16), {"multiply": 3 * 64, "add": 3 * 96}),
        (lambda x: torch.fft.irfft(x, n=16), (3, 9, 2), {"multiply": 3 * 64, "add": 3 * 96}),
        (lambda x: torch.fft.fft(x), (3, 16, 2), {"multiply": 3 * 128, "add": 3 * 192}),
        (lambda x: x * x, (5, 2), {"multiply": 20, "add": 10}),
        (lambda x: torch.bucketize(x, torch.arange(8.0)), (10,), {"compare": 30}),
        (lambda x: torch.cdist(x, x[:2]), (3, 4), {"add": 48, "multiply": 24}),
    ],
)
def test_transforms_complex_arithmetic_and_searches(
    function: Callable[[Tensor], Tensor], shape: tuple[int, ...], counts: dict[str, int]
) -> None:
    x = torch.randn(shape)
    if shape[-1] == 2:
        x = torch.view_as_complex(x)
    operators = capture(Function(function), (x,)).graph.operators
    found = {name: sum(o.scalar_ops.get(name, 0) for o in operators) for name in counts}
    assert found == counts


@pytest.mark.parametrize(
    ("mode", "shape", "counts"),
    [
        ("linear", (1, 2, 4), {"add": 2, "multiply": 1}),
        ("bilinear", (1, 2, 4, 4), {"add": 6, "multiply": 3}),
        ("bicubic", (1, 2, 4, 4), {"add": 15, "multiply": 20}),
        ("trilinear", (1, 2, 4, 4, 4), {"add": 14, "multiply": 7}),
    ],
)
def test_interpolation(mode: str, shape: tuple[int, ...], counts: dict[str, int]) -> None:
    operator = only(nn.Upsample(scale_factor=2, mode=mode), torch.randn(shape))
    size = operator.outputs[0].numel
    assert operator.scalar_ops == {name: count * size for name, count in counts.items()}


def test_experts_by_grouped_product_are_stored_once_each() -> None:
    class Experts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.randn(4, 16, 32, dtype=torch.bfloat16))

        def forward(self, x: Tensor, ends: Tensor) -> Tensor:
            return torch._grouped_mm(x, self.w, ends)

    x, ends = torch.randn(64, 16, dtype=torch.bfloat16), torch.tensor([8, 24, 40, 64], dtype=torch.int32)
    graph = capture(Experts(), (x, ends)).graph
    assert graph.macs == 64 * 16 * 32
    work = place(graph, None, Precision())
    assert (float(work.matrices.sum()), float(work.vectors.sum())) == (4, 64)


def test_views_made_in_place_are_views() -> None:
    def function(x: Tensor) -> Tensor:
        y = x * 2
        y.transpose_(0, 1).unsqueeze_(0).squeeze_(0).t_()
        return y + 1

    graph = capture(Function(function), (torch.randn(3, 4),)).graph
    assert [o.id for o in graph.operators] == ["mul", "add"]
    assert graph.predecessors("add") == ("mul",)


def test_weight_norm_is_setup() -> None:
    module = nn.utils.parametrizations.weight_norm(nn.Linear(4, 3))
    graph = capture(module, (torch.randn(2, 4),)).graph
    assert not graph.unruled
    norm, product = graph.operators
    assert (str(norm.phase), str(product.phase)) == ("setup", "forward")
    assert norm.scalar_ops == {"add": 12, "multiply": 24, "square_root": 3, "divide": 3}


PROGRAMS: list[tuple[nn.Module, Any]] = [
    (nn.Transformer(16, 2, 1, 1, 32, batch_first=True), (torch.randn(1, 5, 16), torch.randn(1, 3, 16))),
    (nn.GRU(8, 8, 2, bidirectional=True), (torch.randn(6, 2, 8),)),
    (
        nn.Sequential(nn.Conv1d(4, 8, 3, groups=2), nn.ConvTranspose1d(8, 4, 4, stride=2)),
        (torch.randn(1, 4, 9),),
    ),
    (
        Function(lambda x: functional.scaled_dot_product_attention(x, x, x, is_causal=True)),
        (torch.randn(1, 2, 5, 4),),
    ),
    (nn.Sequential(nn.EmbeddingBag(20, 8), nn.Linear(8, 3)), (torch.randint(20, (4, 6)),)),
]


@pytest.mark.parametrize(("module", "args"), PROGRAMS, ids=lambda q: type(q).__name__)
def test_multiply_accumulates_agree_with_torch_on_real_tensors(module: nn.Module, args: Any) -> None:
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode

    from rmaat_hw.trace import compat

    module.eval()
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), compat.plain_kernels(), sdpa_kernel(SDPBackend.MATH), counter:
        module(*args)
    assert capture(module, args).graph.totals["macs"] == counter.get_total_flops() // 2 > 0
