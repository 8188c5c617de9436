"""No MAC is lost: graphs of programs nobody here wrote against hand formulas and torch's counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional
from traced_models import Function

from cost_models.workload.operators import Kind, Role
from rmaat_hw.trace import capture, independent_macs

torch.manual_seed(0)


def total(graph: Any) -> int:
    return graph.macs + graph.setup_macs


def encoder() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    model = nn.TransformerEncoder(nn.TransformerEncoderLayer(32, 4, 64, batch_first=True), 2).eval()
    rows, d, n, batch = 2 * 7, 32, 7, 2
    layer = rows * d * (3 * d + d) + 2 * batch * n * n * d + 2 * rows * d * 64
    return model, (torch.randn(2, 7, d),), {}, 2 * layer


def lstm() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    steps, batch, inputs, hidden = 6, 3, 8, 16
    macs = steps * batch * 4 * hidden * ((inputs + hidden) + (hidden + hidden))
    return nn.LSTM(inputs, hidden, 2), (torch.randn(steps, batch, inputs),), {}, macs


def gru() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    return nn.GRU(8, 16), (torch.randn(6, 3, 8),), {}, 6 * 3 * 3 * 16 * (8 + 16)


def bert() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=50,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=32,
    )
    tokens = torch.randint(0, 50, (2, 9))
    rows, d = 18, 32
    layer = 4 * rows * d * d + 2 * 2 * 9 * 9 * d + 2 * rows * d * 64
    return BertModel(config).eval(), (tokens,), {}, 3 * layer + 2 * d * d


def einsum() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    model = Function(lambda q, k: torch.einsum("bhnd,bhmd->bhnm", q, k))
    return model, (torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8)), {}, 2 * 3 * 5 * 7 * 8


def bmm() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    model = Function(lambda a, b, c: torch.baddbmm(c, a, b) @ b.transpose(1, 2))
    shapes = ((2, 4, 6), (2, 6, 5), (2, 4, 5))
    return model, tuple(torch.randn(s) for s in shapes), {}, 2 * (4 * 6 * 5 + 4 * 5 * 6)


def attention() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    model = Function(lambda q: functional.scaled_dot_product_attention(q, q, q, is_causal=True))
    return model, (torch.randn(2, 4, 9, 8),), {}, 2 * (2 * 4) * 9 * 9 * 8


class WindowAttention(nn.Module):
    """As in a Swin transformer: its layers are read as tensors and never called as modules."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(8, 24)
        self.proj = nn.Linear(8, 8)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = functional.linear(x, self.qkv.weight, self.qkv.bias).chunk(3, dim=-1)
        mixed = (q @ k.transpose(-1, -2)).softmax(-1) @ v
        return functional.linear(mixed, self.proj.weight, self.proj.bias)


def functional_linear() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    return WindowAttention().eval(), (torch.randn(2, 9, 8),), {}, 18 * 8 * 24 + 2 * 2 * 81 * 8 + 18 * 64


def convolutions() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(8 * 16, 4),
    ).eval()
    # 16×16 with padding 1, stride 2 -> 8×8 positions, padded ones counted
    first = 2 * 64 * 8 * 3 * 9
    depthwise = 2 * 64 * 8 * 9
    return model, (torch.randn(2, 3, 16, 16),), {}, first + depthwise + 2 * 128 * 4


def transposed() -> tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]:
    model = nn.ConvTranspose2d(4, 6, 3, stride=2, groups=2)
    return model, (torch.randn(2, 4, 5, 5),), {}, 2 * 25 * 4 * 3 * 9


Case = Callable[[], tuple[nn.Module, tuple[Any, ...], dict[str, Any], int]]
CASES: tuple[Case, ...] = (
    encoder, lstm, gru, bert, einsum, bmm, attention, functional_linear, convolutions, transposed,
)  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_graph_hand_formula_and_counter_agree(case: Case) -> None:
    model, args, kwargs, expected = case()
    trace = capture(model, args, kwargs)
    assert trace.mode == "fake"
    assert trace.graph.unruled == ()
    assert total(trace.graph) == expected
    counted, method = independent_macs(model, args, kwargs)
    assert counted == expected, method


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_folding_and_real_tensors_change_no_total(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    model, args, kwargs, _ = case()
    folded = capture(model, args, kwargs).graph
    flat = capture(model, args, kwargs, folded=False)
    assert flat.graph.totals == folded.totals
    assert len(flat.graph) == flat.unfolded_operators == folded.executions
    # fake and real kernels issue the same operators (guards against other strides in fake ones)
    monkeypatch.setattr("rmaat_hw.trace.program._record_fake", refuse)
    real = capture(model, args, kwargs)
    assert real.mode == "real"
    assert "ValueError: no fakes" in real.notes[0]
    assert real.graph.digest() == folded.digest()


def refuse(*_: object) -> None:
    raise ValueError("no fakes today")


def test_bert_with_a_mask_has_the_same_products() -> None:
    """The library looks at the mask's values where it can, so that real and fake runs differ there."""
    model, args, _, expected = bert()
    mask = {"attention_mask": torch.ones(2, 9, dtype=torch.int64)}
    assert total(capture(model, args, mask).graph) == expected
    assert independent_macs(model, args, mask)[0] == expected


def test_every_stationary_product_of_functional_calls_finds_its_weight() -> None:
    model, args, _, _ = functional_linear()
    products = [o for o in capture(model, args).graph.operators if o.kind is Kind.MATMUL]
    names = [[x.name for x in o.operands if x.role is Role.WEIGHT] for o in products]
    assert names == [["qkv.bias", "qkv.weight"], [], [], ["proj.bias", "proj.weight"]]


def test_products_without_a_formula_of_torch_are_counted_here_and_refused_there() -> None:
    a, b = torch.randn(4, 6), torch.randn(6)
    model = Function(lambda m, v: torch.outer(m @ v, v).sum() + torch.dot(v, v))
    assert capture(model, (a, b)).graph.macs == 4 * 6 + 6  # the outer product does not accumulate
    count, reason = independent_macs(model, (a, b))
    assert count is None
    assert "aten.mv.default" in reason
    assert "aten.dot.default" in reason


def test_counter_survives_views_of_parameters_made_without_gradients() -> None:
    class Views(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.start = nn.Parameter(torch.randn(1, 4))
            self.linear = nn.Linear(4, 4)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.linear(self.start.expand(3, -1)) + x

    assert independent_macs(Views(), (torch.randn(3, 4),))[0] == 3 * 16


def test_counter_falls_back_to_real_tensors_and_says_what_failed() -> None:
    linear = nn.Linear(4, 4)
    count, method = independent_macs(Function(lambda x: linear(x) if x.sum() > 0 else x), (torch.ones(2, 4),))
    assert count == 32
    assert "real tensors" in method
    count, reason = independent_macs(linear, (torch.ones(2, 5),))
    assert count is None
    assert "counting run failed" in reason


def test_an_operator_without_rule_is_reported_with_its_share() -> None:
    @torch.library.custom_op("tracetest::squash", mutates_args=())
    def squash(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    squash.register_fake(torch.empty_like)
    trace = capture(Function(lambda x: squash(x) + 1), (torch.randn(2, 8),))
    assert trace.mode == "fake"
    (unruled,) = trace.graph.unruled
    assert (unruled.id, unruled.kind) == ("tracetest.squash", Kind.UNRULED)
    # both operators read and write 64 bytes
    assert trace.graph.coverage()["share_bytes"] == pytest.approx(0.5)
    assert any("tracetest.squash" in note for note in trace.notes)


def test_a_custom_operator_without_fake_kernel_is_traced_on_real_tensors() -> None:
    @torch.library.custom_op("tracetest::blind", mutates_args=())
    def blind(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    trace = capture(Function(lambda x: blind(x) + 1), (torch.randn(2, 8),))
    assert trace.mode == "real"
    assert [o.op for o in trace.graph.unruled] == ["tracetest.blind.default"]
