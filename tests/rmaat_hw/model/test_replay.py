"""Memory replay against back-propagation through time: any segment recurrence, then the models."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from device_params.errors import InputError
from rmaat_hw.model import RMAATConfig, build, memory_replay, segment_recurrence, variant

TINY = RMAATConfig(
    vocabulary=9,
    classes=5,
    d_model=16,
    heads=2,
    layers=2,
    ffn_width=24,
    segment_length=6,
    segments=5,
    memory_tokens=3,
    dropout=0.2,
)
RIVALS = {
    "rmaat": TINY,
    "all segments": replace(TINY, pooling="all_segments_mean"),
    "cls": replace(TINY, pooling="cls"),
    "two documents": replace(TINY, documents="dual_encoder"),
    "no astrocyte": replace(TINY, astrocyte=False),
    "rmt": replace(variant("rmt", TINY), gradient="replay"),
    "rlt": replace(variant("rlt", TINY), gradient="replay"),
    "two segments": replace(TINY, segments=2),
    "one segment": replace(TINY, segments=1),
}


@pytest.fixture
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def examples(config: RMAATConfig, batch: int = 3, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(1, config.vocabulary, (batch, config.sequence_length), generator=generator)
    ids[0, : config.sequence_length // 3] = 0
    return ids, torch.randint(0, config.classes, (batch,), generator=generator)


def gradients(config: RMAATConfig, *, dropout_seed: int = 5, batches: int = 1) -> dict[str, Tensor]:
    """Gradients of a training step by name, summed over ``batches`` as in gradient accumulation."""
    model = build(config, seed=1).train()
    torch.manual_seed(dropout_seed)
    for seed in range(batches):
        ids, labels = examples(config, seed=seed)
        (functional.cross_entropy(model(ids), labels) / batches).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def worst(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name] - other[name]).abs().max()) for name in one)


@pytest.mark.parametrize("which", RIVALS)
@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_gradients_are_those_of_full_back_propagation(_double: None, which: str, dropout: float) -> None:
    config = replace(RIVALS[which], dropout=dropout)
    replayed = gradients(config)
    through_time = gradients(replace(config, gradient="bptt"))
    assert worst(replayed, through_time) < 1e-10
    names = set(replayed)
    assert "memory" in names  # the initial memory
    if config.attention == "astromorphic" and config.astrocyte:
        assert {"positional.0.raw_scale", "positional.1.projection"} <= names
    # and the gradient comes from all segments: it is not the truncated one
    assert all(float(g.abs().max()) > 0 for g in replayed.values())


def test_gradients_are_not_those_of_truncated_back_propagation(_double: None) -> None:
    """What would be wrong would be seen: cutting the memory between segments changes them."""
    config = replace(TINY, dropout=0.0)
    full = gradients(config)
    model = build(config, seed=1).train()
    step = model._step

    def cut(memory: Any, *rest: Any, **keywords: Any) -> Any:
        return step(memory.detach(), *rest, **keywords)

    model._step = cut  # type: ignore[method-assign]
    ids, labels = examples(config)
    functional.cross_entropy(model(ids), labels).backward()
    embedding = model.segment.embedding.weight.grad
    assert embedding is not None
    assert float((full["segment.embedding.weight"] - embedding).abs().max()) > 1e-4


def test_dropout_is_drawn_anew_but_not_between_pass_and_replay(_double: None) -> None:
    one, again, other = (gradients(TINY, dropout_seed=seed) for seed in (5, 5, 6))
    assert worst(one, again) == 0.0
    assert worst(one, other) > 1e-4


def test_random_state_goes_on_as_without_replay() -> None:
    states = []
    for gradient in ("replay", "bptt"):
        gradients(replace(TINY, gradient=gradient))
        states.append(torch.rand(4))
    assert torch.equal(*states)


def test_gradient_accumulation(_double: None) -> None:
    replayed = gradients(TINY, batches=3)
    assert worst(replayed, gradients(replace(TINY, gradient="bptt"), batches=3)) < 1e-10


def test_under_autocast_as_back_propagation_under_the_same_autocast() -> None:
    """Within what bfloat16 rounds off: both are off the float32 gradient, each by about as much."""
    config = replace(TINY, d_model=32, ffn_width=64)

    def found(gradient: str, autocast: bool) -> dict[str, Tensor]:
        model = build(replace(config, gradient=gradient), seed=1).train()
        torch.manual_seed(2)
        ids, labels = examples(config)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
            scores = model(ids)
        assert (scores.dtype == torch.bfloat16) == autocast  # it was in force
        functional.cross_entropy(scores.float(), labels).backward()
        return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}

    exact, through_time, replayed = found("bptt", False), found("bptt", True), found("replay", True)
    assert worst(exact, through_time) > 1e-5
    for name, gradient in through_time.items():
        rounding = float((gradient - exact[name]).norm())
        assert float((replayed[name] - gradient).norm()) <= 2 * rounding, name
        assert rounding < 0.05 * float(gradient.norm()), name


def test_models_in_bfloat16_train() -> None:
    for config in RIVALS.values():
        model = build(config, seed=1).to(torch.bfloat16).train()
        ids, labels = examples(config)
        functional.cross_entropy(model(ids).float(), labels).backward()
        assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


# --- any module ------------------------------------------------------------------------------------


class Cell(nn.Module):
    """An LSTM with dropout as a segment: memory is a pair, its readout a dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(4, 6)
        self.dropout = nn.Dropout(0.3)

    def step(self, memory: Any, x: Tensor, name: str, gain: Tensor) -> Any:
        assert name == "a segment"
        hidden, state = self.cell(self.dropout(x), memory)
        return (hidden * gain, state), {"sum": hidden.sum(dim=1), "count": torch.ones(())}


def any_recurrence(run: Callable[..., Any], readout: str, **keywords: Any) -> list[Tensor]:
    torch.manual_seed(0)
    module = Cell()
    inputs = torch.randn(5, 3, 4, requires_grad=True)
    start = (torch.randn(3, 6, requires_grad=True), torch.randn(3, 6, requires_grad=True))
    raw = torch.randn(6, requires_grad=True)
    if run is memory_replay:
        keywords["parameters"] = module.parameters()
    segments = [(x, "a segment") for x in inputs.unbind(0)]
    read, memory = run(module.step, segments, start, shared=(raw.exp(),), readout=readout, **keywords)
    reads = read if readout == "all" else [read]
    loss = sum((k + 1) * r["sum"].square().sum() * r["count"] for k, r in enumerate(reads))
    loss = loss + memory[0].square().sum() + memory[1].sum()
    return list(torch.autograd.grad(loss, [inputs, *start, raw, *module.parameters()]))


@pytest.mark.parametrize("readout", ["last", "sum", "all"])
def test_any_module_with_trees_shared_tensors_and_inputs_that_want_gradients(
    _double: None, readout: str
) -> None:
    for one, other in zip(
        any_recurrence(memory_replay, readout), any_recurrence(segment_recurrence, readout), strict=True
    ):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def linear_step(module: nn.Linear) -> Callable[..., Any]:
    return lambda memory, x: (torch.tanh(module(memory + x)), memory)


def rows(count: int = 4) -> list[tuple[Tensor]]:
    return [(x,) for x in torch.randn(count, 1, 8)]


def test_a_parameter_that_nobody_named_is_an_error() -> None:
    module, extra = nn.Linear(8, 8), torch.ones(8, requires_grad=True)
    step = linear_step(module)
    with pytest.raises(InputError, match=r"was not named.*\[8, 8\]"):
        memory_replay(step, rows(), torch.zeros(1, 8), parameters=[module.bias])
    with pytest.raises(InputError, match="was not named"):
        memory_replay(
            lambda m, x: (step(m, x)[0] * extra, None),
            rows(),
            torch.zeros(1, 8),
            parameters=module.parameters(),
        )


@pytest.mark.parametrize(
    ("inputs", "readout", "words"),
    [([], "last", "no segment"), (rows(), "lst", "unknown readout.*last")],
)
def test_bad_arguments(inputs: Any, readout: str, words: str) -> None:
    for run in (memory_replay, segment_recurrence):
        with pytest.raises(InputError, match=words):
            run(linear_step(nn.Linear(8, 8)), inputs, torch.zeros(1, 8), readout=readout)


def test_parameters_changed_before_the_backward_are_noticed() -> None:
    module = nn.Linear(8, 8)
    _, memory = memory_replay(linear_step(module), rows(), torch.zeros(1, 8), parameters=module.parameters())
    with torch.no_grad():
        module.weight.add_(1.0)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        memory.sum().backward()


def test_nothing_is_kept_when_the_result_goes() -> None:
    """No cycle through the graph: freed without the collector, which cannot see such cycles."""
    module = nn.Linear(8, 8)
    step = linear_step(module)

    def run() -> Iterable[Any]:
        read, memory = memory_replay(
            step, rows(), torch.zeros(1, 8), parameters=module.parameters(), readout="all"
        )
        return weakref.ref(memory), *map(weakref.ref, read)

    gc.disable()
    try:
        assert all(reference() is None for reference in run())
    finally:
        gc.enable()


def test_without_gradients_it_is_the_plain_loop() -> None:
    module = nn.Linear(8, 8)
    inputs = rows()
    with torch.no_grad():
        _, plain = segment_recurrence(linear_step(module), inputs, torch.zeros(1, 8))
        _, replayed = memory_replay(linear_step(module), inputs, torch.zeros(1, 8))
    assert torch.equal(plain, replayed) and not replayed.requires_grad


def test_frozen_parts_get_none() -> None:
    module = nn.Linear(8, 8)
    module.weight.requires_grad_(False)
    _, memory = memory_replay(linear_step(module), rows(), torch.zeros(1, 8), parameters=module.parameters())
    memory.sum().backward()
    assert module.weight.grad is None and module.bias.grad is not None
