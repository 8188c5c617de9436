"""MACs of a training step by phase: hand formulas, torch's counter, what is computed again."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode, flop_registry
from traced_models import Function
from trained_models import Attention, Checkpointed, Custom, Product, macs_of, small, step_of

from cost_models.workload.operators import Phase
from rmaat_hw.model import build, macs_by_hand
from rmaat_hw.model.variants import ABLATIONS, VARIANTS, variant
from rmaat_hw.trace import capture, capture_training

pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")

Case = tuple[nn.Module, tuple[Any, ...], int, int]
"""Module, inputs, forward MACs, and those of products of which one operand needs no gradient."""


def encoder() -> Case:
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2)
    rows, d, n, batch = 2 * 7, 32, 7, 2
    layer = rows * d * (3 * d + d) + 2 * batch * n * n * d + 2 * rows * d * 64
    return model, (torch.randn(2, 7, d),), 2 * layer, rows * d * 3 * d


def encoder_whose_input_wants_a_gradient() -> Case:
    model, (x,), macs, _ = encoder()
    return model, (x.requires_grad_(),), macs, 0


def bert() -> Case:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=50, hidden_size=32, num_hidden_layers=3, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=32,
    )  # fmt: skip
    rows, d = 18, 32
    layer = 4 * rows * d * d + 2 * 2 * 9 * 9 * d + 2 * rows * d * 64
    return BertModel(config), (torch.randint(0, 50, (2, 9)),), 3 * layer + 2 * d * d, 0


def gru() -> Case:
    # The input's product over all steps at once; the first hidden state is zeros without a gradient.
    steps, batch, inputs, hidden = 6, 3, 8, 16
    of_input, of_hidden = steps * batch * 3 * hidden * inputs, steps * batch * 3 * hidden * hidden
    return nn.GRU(8, 16), (torch.randn(6, 3, 8),), of_input + of_hidden, of_input + of_hidden // steps


def convolutions() -> Case:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, stride=2), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 6, 3, padding=1), nn.MaxPool2d(2), nn.ConvTranspose2d(6, 4, 3, stride=2),
        nn.Flatten(), nn.Dropout(), nn.Linear(4 * 81, 5),
    )  # fmt: skip
    # 16×16 -> 8×8 -> pooled to 4×4 -> 9×9
    first, second = 2 * 64 * 8 * 3 * 9, 2 * 64 * 6 * 8 * 9
    transposed, last = 2 * 16 * 6 * 4 * 9, 2 * 4 * 81 * 5
    return model, (torch.randn(2, 3, 16, 16),), first + second + transposed + last, first


def custom_function() -> Case:
    return Custom(), (torch.randn(5, 8),), 2 * 5 * 64, 5 * 64


def attention() -> Case:
    projections, products = 2 * 9 * 16 * 48, 2 * 2 * 2 * 9 * 9 * 8
    return Attention(), (torch.randn(2, 9, 16),), projections + products, projections


def frozen_weight() -> Case:
    # The frozen layer stands behind a trained one: its own gradient is not wanted, its input's is.
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 4))
    model[1].requires_grad_(False)
    return model, (torch.randn(5, 8),), 5 * 64 + 5 * 32, 5 * 64 + 5 * 32


CASES: tuple[Callable[[], Case], ...] = (
    encoder, encoder_whose_input_wants_a_gradient, bert, gru, convolutions, custom_function, attention,
    frozen_weight,
)  # fmt: skip


def counted(model: nn.Module, args: tuple[Any, ...]) -> int:
    """MACs of forward and backward pass by torch's counter."""
    model.train()
    onednn = torch._C._get_mkldnn_enabled()
    with FlopCounterMode(display=False) as counter, sdpa_kernel(SDPBackend.MATH):
        output = model(*args)
        outputs = output if isinstance(output, tuple | torch.Tensor) else tuple(output.values())
        sum(t.mean() for t in (outputs if isinstance(outputs, tuple) else (outputs,))).backward()
    assert torch._C._get_mkldnn_enabled() == onednn
    model.zero_grad()
    return int(counter.get_total_flops()) // 2


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_backward_is_the_forward_products_once_for_each_operand_with_a_gradient(
    case: Callable[[], Case],
) -> None:
    model, args, forward, halves = case()
    trace = capture_training(model, args)
    macs = macs_of(trace)
    assert trace.mode == "fake"
    assert macs.get("setup", 0) + macs["forward"] == forward
    assert macs["backward"] == 2 * forward - halves
    assert trace.graph.macs + trace.graph.setup_macs == counted(model, args)
    assert not trace.graph.unruled


def test_the_same_forward_pass_as_without_gradients() -> None:
    for case in CASES:
        model, args, _, _ = case()
        alone = capture(model.train(), args).graph
        step = capture_training(model, args).graph.totals_by_phase
        assert step[Phase.FORWARD]["macs"] == alone.macs, case.__name__


def test_grouped_and_dilated_convolutions_by_hand() -> None:
    """torch's counter takes every group for a whole convolution in the backward pass."""
    model = nn.Sequential(
        nn.Conv2d(4, 8, 3, padding=2, dilation=2, groups=4),
        nn.ConvTranspose2d(8, 6, 3, stride=2, groups=2),
        nn.Conv2d(6, 6, 1),
    )
    # 5×5 stays, then (5-1)·2+3 = 11
    first, second, third = 2 * 25 * 8 * 1 * 9, 2 * 25 * 4 * 3 * 9 * 2, 2 * 121 * 36
    macs = macs_of(capture_training(model, (torch.randn(2, 4, 5, 5),)))
    assert macs == {"forward": first + second + third, "backward": first + 2 * second + 2 * third}


@pytest.mark.parametrize("gradient", ["bptt", "replay"])
@pytest.mark.parametrize("fields", [{}, {"attention": "softmax"}, {"attention": "linear"}, {"layers": 1}])
@pytest.mark.parametrize("segments", [1, 2, 5])
def test_rmaat_trains_in_three_forward_passes_and_replays_all_segments_but_the_last(
    gradient: str, fields: dict[str, Any], segments: int
) -> None:
    config = small(segments=segments, gradient=gradient, **fields)
    macs = macs_of(step_of(config, optimiser="adamw"))
    by_hand = macs_by_hand(config, 2)
    # φ(R) comes from parameters alone: set-up in inference, work of every step while they learn.
    assert macs["forward"] == by_hand["total"]
    assert macs["backward"] == 2 * by_hand["total"]
    replayed = 2 * (segments - 1) * by_hand["segment"] if gradient == "replay" else 0
    assert macs.get("replay", 0) == replayed
    assert macs["optimiser"] == 0
    assert macs.get("setup", 0) == 0


@pytest.mark.parametrize("gradient", ["bptt", "replay"])
def test_rows_that_nobody_reads_are_computed_in_no_phase(gradient: str) -> None:
    config = small(skip_unread_rows=True, gradient=gradient)
    hand, unread = macs_by_hand(config, 2), config.segment_length
    d, m = config.d_model, config.head_width
    # of the last layer: query, read mode, calcium and feed-forward network of the token rows
    shorter = hand["segment"] - unread * (d * d + d * m + d + 2 * d * config.ffn_width)
    macs = macs_of(step_of(config))
    earlier = 2 * (config.segments - 1) * shorter
    assert macs["forward"] == hand["setup"] + hand["head"] + 2 * hand["segment"] + earlier
    assert macs["backward"] == 2 * macs["forward"]
    assert macs.get("replay", 0) == (earlier if gradient == "replay" else 0)


@pytest.mark.parametrize("name", [*VARIANTS, *(f"rmaat {ablation}" for ablation in ABLATIONS)])
def test_the_family_trains_in_three_forward_passes(name: str) -> None:
    """Every rival and ablation: no operator without a rule, and every operand of a product learns."""
    rival, *ablations = name.split()
    config = variant(rival, small(skip_unread_rows=True), ablations)
    trace = step_of(config, optimiser="adamw", clip_norm=1.0)
    macs = macs_of(trace)
    assert trace.mode == "fake"
    assert trace.notes == ()
    assert macs.get("setup", 0) == 0
    assert macs["backward"] == 2 * macs["forward"]
    replays = rival == "rmaat" and "bptt" not in ablations and config.segments > 1
    assert ("replay" in macs) == replays


class WithoutGradients(nn.Module):
    """Half of its products run without gradients, and the others in a function of one's own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(8, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            scale = (x @ self.weight).mean()
        result: torch.Tensor = Product.apply(x * scale, self.weight)  # type: ignore[no-untyped-call]
        return result


@pytest.mark.parametrize("reentrant", [False, True])
def test_what_runs_without_gradients_in_a_replayed_module_is_replay(reentrant: bool) -> None:
    model = nn.Sequential(nn.Linear(8, 8), WithoutGradients(), WithoutGradients())

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.parts = model

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.parts[0](x)
            for part in self.parts[1:]:
                x = checkpoint(part, x, use_reentrant=reentrant)
            return x

    product = 5 * 64
    macs = macs_of(capture_training(Whole(), (torch.randn(5, 8),)))
    assert macs == {"forward": 5 * product, "replay": 4 * product, "backward": product + 2 * 2 * product}


class TorchFormulas(TorchDispatchMode):
    """torch's formulas without its module tracker, which cannot follow a backward pass within another."""

    def __init__(self) -> None:
        super().__init__()
        self.flops = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func._overloadpacket in flop_registry:
            self.flops += flop_registry[func._overloadpacket](*args, **(kwargs or {}), out_val=result)
        return result


@pytest.mark.parametrize("gradient", ["bptt", "replay"])
@pytest.mark.parametrize("skip", [False, True])
def test_rmaat_against_torchs_formulas(gradient: str, skip: bool) -> None:
    config = small(gradient=gradient, skip_unread_rows=skip)
    tokens = torch.ones(2, config.sequence_length, dtype=torch.int64)
    model = build(config, 0)
    graph = capture_training(model, (tokens,)).graph
    with TorchFormulas() as counter:
        model.train()(tokens).mean().backward()
    assert graph.macs == counter.flops // 2


@pytest.mark.parametrize("reentrant", [False, True])
def test_checkpointed_layers_are_replay(reentrant: bool) -> None:
    model, x = Checkpointed(3, reentrant), torch.randn(5, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trace = capture_training(model, (x,))
        macs = macs_of(trace)
        assert trace.graph.macs == counted(model, (x,))
    layer = 5 * 8 * 16
    assert macs["forward"] == 5 * 64 + 3 * 2 * layer
    assert macs["backward"] == 2 * macs["forward"] - 5 * 64
    # Without reentrance the recomputation stops where nothing more is needed: before the last product.
    assert macs["replay"] == 3 * layer * (2 if reentrant else 1)
    again = {o.module.split(".")[2] for o in trace.graph.operators if o.phase is Phase.REPLAY and o.macs}
    assert again == ({"0", "3"} if reentrant else {"0"})


def test_gradients_within_the_forward_pass_are_forward() -> None:
    """A force from an energy: autograd.grad in the model, differentiated once more by the loss."""
    weight = nn.Parameter(torch.randn(8, 8))

    def force(x: torch.Tensor) -> torch.Tensor:
        x = x.detach().requires_grad_()
        energy = torch.tanh(x @ model.weight).sum()
        (found,) = torch.autograd.grad(energy, x, create_graph=True)
        return found

    model = Function(force)
    model.weight = weight
    macs = macs_of(capture_training(model, (torch.randn(5, 8),)))
    assert macs["forward"] == 2 * 5 * 64  # the product, and its gradient for x
    # two products for each of the two: x is a leaf that asks for a gradient, and gets one
    assert macs["backward"] == 4 * 5 * 64
    assert "replay" not in macs


def test_phases_add_up() -> None:
    graph = step_of(small(gradient="replay"), optimiser="adamw").graph
    for key in ("macs", "bytes_in", "bytes_out", "executions", "add", "multiply"):
        assert sum(t.get(key, 0) for t in graph.totals_by_phase.values()) == graph.totals[key]
    assert list(graph.totals_by_phase) == [Phase.FORWARD, Phase.BACKWARD, Phase.REPLAY, Phase.OPTIMISER]
    assert math.isclose(graph.totals_by_phase[Phase.BACKWARD]["macs"] / graph.macs, 2 / 3.75, rel_tol=0.01)
