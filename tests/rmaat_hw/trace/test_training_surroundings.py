"""A traced training step leaves no trace; what cannot be trained is told; fake and real steps agree."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile
from traced_models import Function
from trained_models import Attention, Checkpointed, small, step_of

from device_params.errors import InputError
from rmaat_hw.model import RMAATConfig, build
from rmaat_hw.trace import Trace, capture_training, compat, training
from rmaat_hw.trace.compat import FakeTensor


class Looker(nn.Module):
    """Looks at its data, so that fake tensors do not do; has a buffer that training changes."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.linear(x))
        return y if bool((y.sum() > -1e9).item()) else -y


MODULES: dict[str, Callable[[], tuple[nn.Module, tuple[Any, ...]]]] = {
    "lstm": lambda: (nn.LSTM(8, 16, 2, dropout=0.1), (torch.randn(6, 3, 8),)),
    "batch norm": lambda: (nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8)), (torch.randn(6, 8),)),
    "looks at its data": lambda: (Looker(), (torch.randn(6, 8, requires_grad=True),)),
    "rmaat": lambda: (build(small(gradient="replay"), 0), (torch.ones(1, 64, dtype=torch.int64),)),
}


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("had_gradients", [False, True])
def test_everything_is_left_as_it_was(name: str, had_gradients: bool) -> None:
    module, args = MODULES[name]()
    module.eval()
    next(iter(module.children()), module).train()
    modes = [part.training for part in module.modules()]
    for parameter in module.parameters() if had_gradients else ():
        parameter.grad = torch.ones_like(parameter)
    held = dict(module.state_dict(keep_vars=True))
    values = {key: tensor.detach().clone() for key, tensor in held.items()}
    gradients = {key: tensor.grad for key, tensor in held.items()}
    random = torch.get_rng_state()
    trace = capture_training(module, args, optimiser="adamw", clip_norm=1.0)
    assert trace.mode == ("real" if name == "looks at its data" else "fake")
    assert torch.equal(torch.get_rng_state(), random)
    assert [part.training for part in module.modules()] == modes
    now = module.state_dict(keep_vars=True)
    for key, tensor in held.items():
        assert now[key] is tensor
        assert torch.equal(tensor, values[key])
        assert tensor.grad is gradients[key]
    assert not any(isinstance(p, FakeTensor) for p in module.parameters())
    assert args[0].grad is None
    if isinstance(module, nn.LSTM):
        assert all(a is b for a, b in zip(module._flat_weights, module.parameters(), strict=True))
    module.train()(*args)  # and it still runs


def test_captured_parameter_keeps_its_gradient() -> None:
    outside = nn.Parameter(torch.ones(8))
    model = nn.Sequential(nn.Linear(8, 8), Function(lambda x: x * outside))
    trace = capture_training(model, (torch.randn(2, 8),))
    assert outside.grad is None
    assert any("captured" in note for note in trace.notes)


def test_dropout_is_active_whatever_the_mode() -> None:
    model = nn.Sequential(nn.Linear(8, 8), nn.Dropout(0.5)).eval()
    graph = capture_training(model, (torch.randn(2, 8),)).graph
    assert any(o.op.startswith("aten.bernoulli") for o in graph.operators)


def test_what_cannot_be_trained_is_told() -> None:
    x = torch.randn(2, 8)
    frozen = nn.Linear(8, 8).requires_grad_(False)
    with pytest.raises(InputError, match="nothing to train"):
        capture_training(frozen, (x,))
    with pytest.raises(InputError, match="depend on no parameter"):
        capture_training(nn.Sequential(nn.Linear(8, 8), Function(lambda y: y.detach())), (x,))
    with pytest.raises(InputError, match=r"loss cannot be differentiated.*shape \(2, 8\)"):
        capture_training(nn.Linear(8, 8), (x,), loss=lambda y: y)
    with pytest.raises(InputError, match="loss of the training step fails with ValueError: no"):
        capture_training(nn.Linear(8, 8), (x,), loss=_refuse)
    with pytest.raises(InputError, match="optimiser of the training step fails"):
        capture_training(nn.Linear(8, 8), (x,), optimiser=lambda p: torch.optim.SGD(p, lr=-1.0))
    with pytest.raises(InputError, match="unknown optimiser"):
        capture_training(nn.Linear(8, 8), (x,), optimiser="adam")
    with pytest.raises(InputError, match="program fails on its example inputs"):
        capture_training(nn.Linear(8, 8), (torch.randn(2, 7),))


def _refuse(output: Tensor) -> Tensor:
    raise ValueError("no")


def test_default_losses() -> None:
    class Losing(nn.Module):
        def __init__(self, kind: str) -> None:
            super().__init__()
            self.linear = nn.Linear(8, 8)
            self.kind = kind

        def forward(self, x: Tensor) -> Any:
            y = self.linear(x)
            return {"scalar": y.sum(), "two": (y, y * 2), "dict": {"a": y, "b": x}}[self.kind]

    means = {}
    for kind in ("scalar", "two", "dict"):
        graph = capture_training(Losing(kind), (torch.randn(2, 8),)).graph
        means[kind] = sum(o.op.startswith("aten.mean") for o in graph.operators)
    assert means == {"scalar": 0, "two": 2, "dict": 1}


# --- fake and real, and what an allocator says -----------------------------------------------------


def step_parts(config: RMAATConfig) -> training._Step:
    tokens = torch.ones(2, config.sequence_length, dtype=torch.int64)
    labels = torch.zeros(2, dtype=torch.int64)
    return training._Step(
        build(config, 0), (tokens,), {}, (labels,), functional.cross_entropy, torch.optim.AdamW, 1.0, False
    )


FAMILY = [
    {"gradient": "replay"},
    {"gradient": "bptt"},
    {"gradient": "bptt", "attention": "softmax"},
    {"gradient": "replay", "attention": "linear"},
    {"gradient": "replay", "pooling": "memory_mean"},
    {"gradient": "replay", "fuse_positional": False},
]


@pytest.mark.parametrize("fields", FAMILY, ids=lambda fields: "-".join(map(str, fields.values())))
def test_fake_step_is_the_real_step(fields: dict[str, Any]) -> None:
    """Operators, modules, phases, shapes; and not a byte of difference in memory."""
    step = step_parts(small(**fields))
    with training._random_state_kept(step), training._gradients_kept(step.module):
        fake, real = training._record_fake(step), training._record(step, training._copied, None)
    ops = [
        [(op.op, op.path, op.phase, op.outputs, op.work) for op in recorder.raw.ops.values()]
        for recorder in (fake, real)
    ]
    assert ops[0] == ops[1]
    assert fake.memory.peak() == real.memory.peak()


def allocated(step: training._Step, trace: Trace) -> int:
    """Peak of a plain training step by torch's own profiler [B]: what stood before it, and what it adds."""
    module = step.module.train()
    optimiser = torch.optim.AdamW(module.parameters())
    for parameter in module.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    gc.collect()
    with compat.plain_kernels(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        loss = step.loss(module(*step.args), *step.targets)
        loss.backward()
        del loss
        nn.utils.clip_grad_norm_(module.parameters(), 1.0, foreach=False)
        optimiser.step()
    events = [e for e in seen.profiler.kineto_results.events() if e.name() == "[memory]"]  # type: ignore[union-attr]
    live = most = 0
    for event in sorted(events, key=lambda e: e.start_ns()):
        live += event.nbytes()
        most = max(most, live)
    assert trace.peak_bytes is not None
    parts = trace.peak_bytes.parts
    return most + sum(parts[name] for name in ("parameters", "buffers", "inputs", "optimiser state"))


@pytest.mark.parametrize("gradient", ["bptt", "replay"])
def test_peak_is_what_the_allocator_saw(gradient: str) -> None:
    config = small(segment_length=64, d_model=64, gradient=gradient)
    step = step_parts(config)
    trace = step_of(config, optimiser="adamw", clip_norm=1.0)
    assert trace.peak_bytes is not None
    assert trace.peak_bytes.total == pytest.approx(allocated(step, trace), rel=0.03)


def test_activations_are_flat_under_replay_and_grow_with_full_back_propagation() -> None:
    peaks = {
        (gradient, segments): step_of(
            small(gradient=gradient, segments=segments, segment_length=64, layers=1), optimiser="adamw"
        ).peak_bytes
        for gradient in ("bptt", "replay")
        for segments in (4, 8)
    }
    few, many = (peaks["replay", segments].activations for segments in (4, 8))  # type: ignore[union-attr]
    assert many < 1.1 * few
    few, many = (peaks["bptt", segments].activations for segments in (4, 8))  # type: ignore[union-attr]
    assert many > 1.7 * few


def test_parts_of_the_peak_by_hand() -> None:
    model = nn.Sequential(nn.Linear(100, 50, bias=False), nn.Linear(50, 10, bias=False))
    x = torch.randn(30, 100)
    trace = capture_training(model, (x,), loss=lambda y: y.sum(), optimiser=lambda p: torch.optim.SGD(p, 0.1))
    peak = trace.peak_bytes
    assert peak is not None
    weights = 4 * (100 * 50 + 50 * 10)
    assert peak.parts["parameters"] == weights
    assert peak.parts["inputs"] == 4 * 30 * 100
    # The gradient of the first weight comes last: then that of the second is there, and the gradient of
    # the activations between; those themselves and the loss's expanded one are gone but for one number.
    assert peak.parts["gradients"] == weights
    assert peak.by_phase["backward"] == peak.total  # type: ignore[index]
    assert peak.total == sum(peak.parts.values())


def test_checkpointing_saves_memory_and_fused_attention_too() -> None:
    x = torch.randn(2, 64, 16)
    written_out, fused = (capture_training(Attention(), (x,), fused_attention=f) for f in (False, True))
    assert written_out.peak_bytes.activations > 2 * fused.peak_bytes.activations  # type: ignore[union-attr]
    projections, products = 2 * 64 * 16 * 48, 2 * 2 * 2 * 64 * 64 * 8
    assert fused.graph.macs == projections * 2 + products + products * 5 // 2
    assert not fused.graph.unruled
    model, x = Checkpointed(8, False), torch.randn(50, 8)
    plain = nn.Sequential(model.first, *model.layers)
    peaks = [capture_training(m, (x,)).peak_bytes for m in (model, plain)]
    assert 2 * peaks[0].activations < peaks[1].activations  # type: ignore[union-attr]
