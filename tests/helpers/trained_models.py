"""Small programs whose training step is traced."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from rmaat_hw.model import RMAATConfig, build
from rmaat_hw.model.variants import ModelConfig
from rmaat_hw.trace import Trace, capture_training

SMALL = {
    "vocabulary": 18, "classes": 10, "d_model": 32, "heads": 2, "layers": 2, "ffn_width": 64,
    "segment_length": 16, "memory_tokens": 4, "segments": 4,
}  # fmt: skip


def small(**fields: Any) -> RMAATConfig:
    """A small RMAAT's configuration; every row is computed, as the hand formula has it."""
    return RMAATConfig(**{**SMALL, "skip_unread_rows": False, **fields})


def step_of(config: ModelConfig, batch: int = 2, **options: Any) -> Trace:
    """A traced training step of an RMAAT, or of a rival, with cross-entropy."""
    tokens = torch.ones(batch, config.sequence_length, dtype=torch.int64)
    labels = torch.zeros(batch, dtype=torch.int64)
    return capture_training(
        build(config, 0), (tokens,), loss=functional.cross_entropy, targets=(labels,), **options
    )


def macs_of(trace: Trace) -> dict[str, int]:
    """MACs by phase."""
    return {str(phase): totals["macs"] for phase, totals in trace.graph.totals_by_phase.items()}


class Checkpointed(nn.Module):
    """Layers of 8 → 16 → 8 under activation checkpointing, behind a layer of 8 → 8 that is not."""

    def __init__(self, layers: int, reentrant: bool) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Dropout(0.1), nn.Linear(16, 8))
            for _ in range(layers)
        )
        self.reentrant = reentrant

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        for layer in self.layers:
            x = x + checkpoint(layer, x, use_reentrant=self.reentrant)
        return x


class Product(torch.autograd.Function):
    """A product with a backward pass of its own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return x @ weight

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:
        x, weight = ctx.saved_tensors
        return gradient @ weight.t(), x.t() @ gradient


class Custom(nn.Module):
    """A product with a backward pass of its own, behind a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.weight = nn.Parameter(torch.ones(8, 8))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = Product.apply(self.linear(x), self.weight)  # type: ignore[no-untyped-call]
        return result


class Attention(nn.Module):
    """Causal attention of two heads of width 8, and its projections."""

    def __init__(self) -> None:
        super().__init__()
        self.projections = nn.Linear(16, 48)

    def forward(self, x: Tensor) -> Tensor:
        split = (t.unflatten(2, (2, 8)).transpose(1, 2) for t in self.projections(x).chunk(3, -1))
        return functional.scaled_dot_product_attention(*split, is_causal=True)
