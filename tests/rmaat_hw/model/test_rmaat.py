"""The whole model: recurrence, padding, determinism, and the shape a tracer needs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from device_params.errors import InputError
from rmaat_hw.model import RMAATConfig, attention, build, retention_factors, segment

TINY = RMAATConfig(
    vocabulary=9,
    classes=5,
    d_model=16,
    heads=2,
    layers=2,
    ffn_width=24,
    segment_length=6,
    segments=4,
    memory_tokens=3,
)


def tokens(batch: int = 2, config: RMAATConfig = TINY, seed: int = 0, pads: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, config.vocabulary, (batch, config.sequence_length), generator=generator)
    ids[:, :pads] = 0
    return ids


@pytest.fixture(autouse=True)
def _no_grad() -> Any:
    with torch.no_grad():
        yield


class Calls:
    """Arguments and results of every call of the segment."""

    def __init__(self, model: Any) -> None:
        self.args: list[tuple[Any, ...]] = []
        self.outputs: list[tuple[Tensor, Tensor, Tensor]] = []
        model.segment.register_forward_hook(self._note)

    def _note(self, module: Any, args: Any, output: Any) -> None:
        self.args.append(args)
        self.outputs.append(output)


def test_scores_of_each_class() -> None:
    scores = build(TINY, seed=1)(tokens(3))
    assert scores.shape == (3, 5)
    assert scores.isfinite().all()
    assert (scores[0] - scores[1]).abs().max() > 1e-3


def test_one_segment_called_once_a_segment_with_the_same_metadata() -> None:
    model = build(TINY)
    calls = Calls(model)
    model(tokens())
    assert len(calls.args) == TINY.segments
    described = {tuple((t.shape, t.stride(), t.dtype) for t in (*args[:4], *args[4])) for args in calls.args}
    assert len(described) == 1
    assert all(t.is_contiguous() for args in calls.args for t in (*args[:4], *args[4]))
    for args in calls.args[1:]:
        assert all(a is b for a, b in zip(args[4], calls.args[0][4], strict=True))  # φ(R) computed once


def test_memory_recurrence_and_retention() -> None:
    model = build(TINY)
    calls = Calls(model)
    ids = tokens()
    model(ids)
    factors = retention_factors(4, rate=TINY.retention_rate)
    torch.testing.assert_close(calls.args[0][2], model.memory.expand(2, -1, -1))
    for t in range(4):
        torch.testing.assert_close(calls.args[t][0], ids[:, 6 * t : 6 * t + 6])
        states, _, following = calls.outputs[t]
        torch.testing.assert_close(following, states[:, :3] * float(factors[t]))
        if t < 3:
            assert calls.args[t + 1][2] is following


def test_head_reads_unscaled_last_segment_without_pads() -> None:
    model = build(TINY)
    calls = Calls(model)
    scores = model(tokens(pads=20))  # segments of 6: the last one has two pads
    rows = calls.outputs[-1][0][:, [0, 1, 2, 5, 6, 7, 8]]  # 3 memory rows, 6 tokens less 2
    expected = rows.mean(dim=1) @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(scores, expected)


def test_memory_pooling() -> None:
    model = build(replace(TINY, pooling="memory_mean"))
    calls = Calls(model)
    scores = model(tokens())
    expected = calls.outputs[-1][0][:, :3].mean(dim=1) @ model.head.weight.T + model.head.bias
    torch.testing.assert_close(scores, expected)


def test_first_segment_reaches_the_scores_through_the_memory() -> None:
    model = build(TINY).double()
    ids = tokens()
    other = ids.clone()
    other[:, 0] = other[:, 0] % 8 + 1
    assert (model(ids) - model(other)).abs().max() > 1e-9


def test_retention_matters() -> None:
    ids = tokens()
    fixed, uniform = build(TINY), build(replace(TINY, retention="uniform"))
    assert uniform.retention.tolist() == [1.0] * 4
    assert (fixed(ids) - uniform(ids)).abs().max() > 1e-4


def test_fused_equals_literal_form() -> None:
    fused, literal = build(TINY).double(), build(replace(TINY, fuse_positional=False)).double()
    ids = tokens(pads=8)
    torch.testing.assert_close(fused(ids), literal(ids), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("pads", [4, 6, 15, 23])
def test_content_of_pads_does_not_matter(pads: int) -> None:
    model = build(TINY).double()
    ids = tokens(pads=pads)
    before = model(ids)
    model.segment.embedding.weight[0] = 50.0 * torch.randn(16, dtype=torch.float64)
    torch.testing.assert_close(model(ids), before, rtol=1e-10, atol=1e-10)


def test_pads_matter_when_they_are_not_masked() -> None:
    """The counterpart: id 1 in place of the pads changes the scores."""
    model = build(TINY)
    ids = tokens(pads=15)
    filled = ids.masked_fill(ids == 0, 1)
    assert (model(ids) - model(filled)).abs().max() > 1e-3


def test_empty_segments_are_finite() -> None:
    model = build(TINY)
    assert model(tokens(pads=18)).isfinite().all()
    assert model(torch.zeros(2, 24, dtype=torch.int64)).isfinite().all()


def test_sequences_of_a_batch_are_independent() -> None:
    model = build(TINY).double()
    ids = tokens(4)
    ids[1, :13] = 0
    together = model(ids)
    apart = torch.cat([model(row.unsqueeze(0)) for row in ids])
    torch.testing.assert_close(together, apart, rtol=1e-11, atol=1e-12)


def test_build_is_deterministic_and_leaves_the_global_state() -> None:
    torch.manual_seed(5)
    state = torch.get_rng_state()
    one, two, other = build(TINY, seed=7), build(TINY, seed=7), build(TINY, seed=8)
    assert torch.equal(torch.get_rng_state(), state)
    for name, value in one.state_dict().items():
        assert torch.equal(value, two.state_dict()[name]), name
    assert not torch.equal(one.memory, other.memory)
    ids = tokens()
    assert torch.equal(one(ids), two(ids))


def test_dropout_is_inert_in_evaluation_only() -> None:
    model = build(TINY)
    assert not model.training
    ids = tokens()
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))


def test_weights_load_for_another_number_of_segments() -> None:
    model, longer = build(TINY), build(TINY.with_segments(6), seed=1)
    longer.load_state_dict(model.state_dict())
    assert longer(tokens(config=longer.config)).isfinite().all()


def test_every_parameter_gets_a_gradient() -> None:
    model = build(TINY)
    with torch.enable_grad():
        model(tokens(pads=4)).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 0, name


def test_states_are_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[tuple[str, tuple[int, ...]]] = []

    def note(tensor: Tensor, name: str) -> Tensor:
        heard.append((name, tuple(tensor.shape)))
        return tensor

    monkeypatch.setattr(attention, "mark_state", note)
    monkeypatch.setattr(segment, "mark_state", note)
    build(TINY)(tokens())
    once = [("memory", (2, 3, 16)), ("H", (2, 2, 8, 8)), ("H", (2, 2, 8, 8))]
    assert heard == once * 4


class Names(TorchDispatchMode):
    """Names of the operators in the order of their execution."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.names.append(str(func))
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("fused", [True, False])
def test_operators_on_meta_tensors_are_those_of_a_real_run(fused: bool) -> None:
    """Forward and backward; φ after the head transpose would break this."""
    config = replace(TINY, fuse_positional=fused)
    sequences = []
    for device in ("cpu", "meta"):
        model = build(config).to(device)
        ids = tokens().to(device)
        with torch.enable_grad(), Names() as mode:
            model(ids).sum().backward()
        sequences.append(mode.names)
    assert sequences[0] == sequences[1]


@pytest.mark.parametrize(
    "bad",
    [
        torch.zeros(2, 23, dtype=torch.int64),
        torch.zeros(24, dtype=torch.int64),
        torch.zeros(2, 24, dtype=torch.int32),
    ],
)
def test_other_shapes_are_refused(bad: Tensor) -> None:
    with pytest.raises(InputError, match=r"allowed: torch\.int64 \[batch, 24\]"):
        build(TINY)(bad)


@pytest.mark.parametrize("seed", [-1, 1.5, True])
def test_bad_seed(seed: Any) -> None:
    with pytest.raises(InputError, match="bad seed"):
        build(TINY, seed=seed)
