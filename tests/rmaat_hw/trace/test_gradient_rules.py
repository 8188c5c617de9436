"""Rules of backward operators and optimisers: counts by hand, and none missing where people train."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from cost_models.workload.operators import Kind, Operator, Phase
from rmaat_hw.trace import Trace, capture_training


class Of(nn.Module):
    """A function of a parameter."""

    def __init__(self, function: Callable[[Tensor], Any], *shape: int) -> None:
        super().__init__()
        self.parameter = nn.Parameter(torch.rand(shape) + 0.1)
        self.function = function

    def forward(self) -> Any:
        return self.function(self.parameter * 1.0)


def traced(function: Callable[[Tensor], Any], *shape: int, **options: Any) -> Trace:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecations of torch's own
        return capture_training(Of(function, *shape), (), folded=False, **options)


def backward(trace: Trace, op: str) -> Operator:
    (found,) = [o for o in trace.graph.operators if o.op.startswith(f"aten.{op}.")]
    assert found.phase is Phase.BACKWARD
    return found


# Of 4 × 6 = 24 elements; counts as in the docstrings and comments of the rules.
BY_HAND: list[tuple[str, Callable[[Tensor], Any], Kind, dict[str, int]]] = [
    ("threshold_backward", F.relu, Kind.ELEMENTWISE, {"compare": 24}),
    ("elu_backward", F.elu, Kind.ELEMENTWISE, {"compare": 24, "exponential": 24, "multiply": 48}),
    ("gelu_backward", F.gelu, Kind.ELEMENTWISE, {"multiply": 168, "exponential": 48, "add": 48}),
    ("tanh_backward", torch.tanh, Kind.ELEMENTWISE, {"add": 24, "multiply": 48}),
    ("sigmoid_backward", torch.sigmoid, Kind.ELEMENTWISE, {"add": 24, "multiply": 48}),
    ("leaky_relu_backward", F.leaky_relu, Kind.ELEMENTWISE, {"compare": 24, "multiply": 24}),
    ("_softmax_backward_data", lambda t: t.softmax(1), Kind.SOFTMAX, {"multiply": 48, "add": 48}),
    (
        "_log_softmax_backward_data",
        lambda t: t.log_softmax(1),
        Kind.SOFTMAX,
        {"add": 48, "exponential": 24, "multiply": 24},
    ),
    # 5 + 5 an element for the input; gain and offset: multiply and add, add
    (
        "native_layer_norm_backward",
        lambda t: F.layer_norm(t, (6,), t[0], t[1]),
        Kind.NORMALISATION,
        {"add": 24 * 7, "multiply": 24 * 6},
    ),
    ("native_layer_norm_backward", lambda t: F.layer_norm(t, (6,)), Kind.NORMALISATION,
     {"add": 24 * 5, "multiply": 24 * 5}),
    ("slice_backward", lambda t: t[1:3], Kind.MOVE, {}),
    # one row looked up twice and one once: three rows of six added up
    ("embedding_dense_backward", lambda t: F.embedding(torch.tensor([0, 1, 1]), t), Kind.MOVE, {"add": 18}),
    ("index_put", lambda t: t[torch.tensor([0, 1, 1])], Kind.MOVE, {"add": 18}),
    ("mse_loss", lambda t: F.mse_loss(t, torch.zeros(4, 6)), Kind.ELEMENTWISE, {"add": 48, "multiply": 24}),
    ("mse_loss_backward", lambda t: F.mse_loss(t, torch.zeros(4, 6)), Kind.ELEMENTWISE,
     {"add": 24, "multiply": 48}),
    ("nll_loss_backward", lambda t: F.nll_loss(t, torch.zeros(4, dtype=torch.int64)), Kind.MOVE, {}),
]  # fmt: skip


@pytest.mark.parametrize(("op", "function", "kind", "counts"), BY_HAND)
def test_counts_by_hand(
    op: str, function: Callable[[Tensor], Any], kind: Kind, counts: dict[str, int]
) -> None:
    trace = traced(function, 4, 6)
    (found,) = [o for o in trace.graph.operators if o.op.startswith((f"aten.{op}.", f"aten.{op}_."))]
    assert (found.kind, dict(found.scalar_ops)) == (kind, counts)


def test_pools_by_hand() -> None:
    # 2 × 8 × 8 in windows of 2 × 2: 32 gradients arrive
    largest = backward(traced(lambda t: F.max_pool2d(t, 2), 1, 2, 8, 8), "max_pool2d_with_indices_backward")
    assert dict(largest.scalar_ops) == {"add": 32}
    mean = backward(traced(lambda t: F.avg_pool2d(t, 2), 1, 2, 8, 8), "avg_pool2d_backward")
    assert dict(mean.scalar_ops) == {"divide": 32, "add": 128}


def test_convolution_reads_what_each_product_needs() -> None:
    model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Conv2d(3, 4, 3, padding=1))
    graph = capture_training(model, (torch.randn(2, 3, 5, 5),), folded=False).graph
    of_input, of_weight = [o for o in graph.operators if "convolution_backward" in o.op and o.module == "1"]
    data, gradient, weight = 4 * 2 * 3 * 25, 4 * 2 * 4 * 25, 4 * 4 * 3 * 9
    assert (of_input.bytes_in, of_input.bytes_out) == (gradient + weight, data)
    assert (of_weight.bytes_in, of_weight.bytes_out) == (gradient + data, weight + 4 * 4)
    assert of_input.macs == of_weight.macs == 2 * 25 * 4 * 3 * 9
    assert of_input.work == "weight × gradient"
    assert of_weight.work == "activation × gradient"
    assert of_weight.matmul is not None
    assert of_weight.matmul.contraction == 2 * 25
    assert of_weight.scalar_ops["add"] == 2 * 4 * 25  # the bias's gradient


def adam_by_hand(elements: int, tensors: int) -> dict[str, int]:
    """AdamW as torch writes it, tensor by tensor."""
    each = {
        # decay; first average; second: times β, plus g²·(1-β)
        "multiply": 1 + 1 + 1 + 2 + 1,
        "add": 2 + 1 + 1 + 1,  # first average, second, + ε, the step
        "square_root": 1,
        "divide": 1 + 1,  # bias correction, the step
    }
    total = {name: count * elements for name, count in each.items()}
    total["add"] += tensors  # the step counters
    return total


@pytest.mark.parametrize("options", [{}, {"foreach": True}, {"fused": True}])
def test_adamw_in_all_its_forms(options: dict[str, bool]) -> None:
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 3))
    trace = capture_training(model, (torch.randn(2, 6),), optimiser=lambda p: torch.optim.AdamW(p, **options))
    found = trace.graph.totals_by_phase[Phase.OPTIMISER]
    elements = 6 * 5 + 5 + 5 * 3 + 3
    expected = adam_by_hand(elements, 4)
    assert {name: found.get(name, 0) for name in expected} == expected


def test_lists_of_tensors_move_all_their_bytes() -> None:
    model = nn.Linear(6, 5)
    trace = capture_training(
        model, (torch.randn(2, 6),), optimiser=lambda p: torch.optim.SGD(p, 0.1, foreach=True)
    )
    (step,) = [o for o in trace.graph.operators if o.op == "aten._foreach_add_.List"]
    assert (step.bytes_in, step.bytes_out) == (2 * 4 * 35, 4 * 35)
    assert step.scalar_ops == {"add": 35, "multiply": 35}  # alpha = -learning rate
    assert [o.name for o in step.operands] == ["weight", "bias", "weight.grad", "bias.grad"]


ACTIVATIONS: list[Callable[[Tensor], Any]] = [
    F.relu, F.gelu, F.elu, F.celu, F.selu, F.silu, F.mish, F.softplus, F.hardtanh, F.relu6, F.hardswish,
    F.hardsigmoid, F.logsigmoid, F.leaky_relu, torch.tanh, torch.sigmoid, F.softsign, F.tanhshrink,
    F.hardshrink, F.softshrink, F.glu, F.dropout, F.softmax, F.log_softmax, F.normalize,
    lambda t: F.rms_norm(t, (6,), t[0]), lambda t: F.alpha_dropout(t, 0.3, training=True),
]  # fmt: skip
FUNCTIONS: list[Callable[[Tensor], Any]] = [
    torch.exp, torch.log, torch.sqrt, torch.rsqrt, torch.erf, torch.sin, torch.abs, torch.expm1, torch.log1p,
    lambda t: t**2.5, lambda t: t.clamp(0.2, 0.5), lambda t: t.cumsum(0), lambda t: t.cumprod(0),
    lambda t: t.logsumexp(1), lambda t: t.max(1)[0], lambda t: t.amax(1), lambda t: t.sort()[0],
    lambda t: t.topk(2)[0], lambda t: t.std(), lambda t: t.var(0), lambda t: t.norm(), lambda t: t.prod(),
    lambda t: t[:, 2], lambda t: t.gather(1, torch.zeros(4, 2, dtype=torch.int64)),
    lambda t: t.index_select(0, torch.tensor([1, 2])), lambda t: torch.where(t > 0.5, t, 0.0),
    lambda t: t.masked_fill(t > 0.5, 0.0), lambda t: F.pad(t, (1, 2)), lambda t: t.roll(1),
    lambda t: t.flip(0), lambda t: t.unfold(0, 2, 1), lambda t: t.tril(), lambda t: t.diagonal(),
    lambda t: torch.cat([t, t]), lambda t: torch.stack([t, t]), lambda t: t.repeat(2, 1),
    lambda t: t.repeat_interleave(2, 0), lambda t: torch.cdist(t, t), lambda t: torch.pdist(t),
    lambda t: torch.einsum("ij,kj->ik", t, t), lambda t: torch.fft.rfft(t).abs(),
    lambda t: t.bfloat16() @ t.bfloat16().t(), lambda t: torch.outer(t[0], t[1]), lambda t: t @ t[0],
    lambda t: F.bilinear(t, t, torch.ones(3, 6, 6)), lambda t: F.embedding_bag(torch.tensor([[0, 1]]), t),
    lambda t: t.scatter_add(0, torch.zeros(2, 6, dtype=torch.int64), t[:2]),
    lambda t: torch.lerp(t, t + 1, 0.5),
    lambda t: t.index_add(0, torch.tensor([0, 1]), t[:2]), lambda t: torch.logaddexp(t, t + 1),
]  # fmt: skip
PICTURES: list[Callable[[Tensor], Any]] = [
    lambda t: F.adaptive_avg_pool2d(t, 3), lambda t: F.adaptive_max_pool2d(t, 3),
    lambda t: F.interpolate(t, scale_factor=2), lambda t: F.pixel_shuffle(t, 2), lambda t: F.unfold(t, 3),
    lambda t: F.interpolate(t, scale_factor=2, mode="bilinear"),
    lambda t: F.interpolate(t, scale_factor=2, mode="bicubic"),
    lambda t: F.batch_norm(t, None, None, training=True), lambda t: F.instance_norm(t),
    lambda t: F.batch_norm(t, torch.zeros(4), torch.ones(4), t[0, :, 0, 0], t[0, :, 0, 1]),
    lambda t: F.group_norm(t, 2, t[0, :, 0, 0], t[0, :, 0, 1]), lambda t: F.dropout2d(t),
    lambda t: F.pad(t, (1, 1, 1, 1), "reflect"), lambda t: F.pad(t, (1, 1, 1, 1), "replicate"),
    lambda t: F.pad(t, (1, 1, 1, 1), "circular"), lambda t: F.conv1d(t[:, :, 0], t[:, :, 0, :3]),
    lambda t: F.conv3d(t[:, None], t[:, None, :2, :2, :2]), lambda t: F.local_response_norm(t, 2),
    lambda t: F.grid_sample(t, t.permute(0, 2, 3, 1)[..., :2], align_corners=False),
]  # fmt: skip
LABELS, FLOATS = torch.tensor([0, 1, 2, 3]), torch.full((4, 6), 0.5)
LOSSES: list[Callable[[Tensor], Any]] = [
    lambda t: F.cross_entropy(t, LABELS), lambda t: F.cross_entropy(t, LABELS, label_smoothing=0.1),
    lambda t: F.l1_loss(t, FLOATS), lambda t: F.smooth_l1_loss(t, FLOATS), lambda t: F.huber_loss(t, FLOATS),
    lambda t: F.binary_cross_entropy(t.sigmoid(), FLOATS), lambda t: F.kl_div(t, FLOATS),
    lambda t: F.binary_cross_entropy_with_logits(t, FLOATS), lambda t: F.soft_margin_loss(t, FLOATS),
    lambda t: F.cross_entropy(t.view(1, 6, 2, 2), torch.zeros(1, 2, 2, dtype=torch.int64)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("functions", "shape"),
    [(ACTIVATIONS, (4, 6)), (FUNCTIONS, (4, 6)), (PICTURES, (2, 4, 8, 8)), (LOSSES, (4, 6))],
    ids=["activations", "functions", "pictures", "losses"],
)
def test_nothing_is_without_a_rule(functions: list[Callable[[Tensor], Any]], shape: tuple[int, ...]) -> None:
    missing: dict[str, int] = {}
    for position, function in enumerate(functions):
        for operator in traced(function, *shape).graph.unruled:
            missing.setdefault(operator.op, position)
    assert missing == {}


OPTIMISERS: list[tuple[type[torch.optim.Optimizer], dict[str, Any]]] = [
    (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (torch.optim.Adam, {"amsgrad": True}),
    (torch.optim.Adagrad, {}),
    (torch.optim.Adadelta, {}),
    (torch.optim.Adamax, {}),
    (torch.optim.NAdam, {}),
    (torch.optim.RAdam, {}),
    (torch.optim.RMSprop, {"momentum": 0.9, "centered": True}),
    (torch.optim.Rprop, {}),
    (torch.optim.ASGD, {}),
    (torch.optim.Adafactor, {}),
]


@pytest.mark.parametrize("foreach", [False, True])
def test_no_optimiser_is_without_a_rule(foreach: bool) -> None:
    for made, options in OPTIMISERS:
        trace = capture_training(
            nn.Linear(6, 3),
            (torch.randn(2, 6),),
            optimiser=lambda p, made=made, options=options: made(p, foreach=foreach, **options),
        )
        assert trace.mode == "fake", made
        assert not trace.graph.unruled, made
        assert trace.graph.totals_by_phase[Phase.OPTIMISER]["bytes_out"] >= 4 * 21, made
