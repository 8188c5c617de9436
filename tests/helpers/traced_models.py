"""Small programs for the tracer's tests."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from rmaat_hw.trace.annotate import mark_state


class Function(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__()
        self.function = function

    def forward(self, *args: object) -> object:
        return self.function(*args)


class LinearAttention(nn.Module):
    """φ(Q)·H with H = φ(K)ᵀV, one head."""

    def __init__(self, d: int, m: int, marked: bool) -> None:
        super().__init__()
        self.query = nn.Linear(d, m)
        self.key = nn.Linear(d, m)
        self.value = nn.Linear(d, d)
        self.marked = marked

    def forward(self, x: Tensor) -> Tensor:
        phi_q = functional.elu(self.query(x)) + 1
        phi_k = functional.elu(self.key(x)) + 1
        state = phi_k.transpose(1, 2) @ self.value(x) / x.shape[1]
        if self.marked:
            state = mark_state(state, "H")
        return phi_q @ state


class Layer(nn.Module):
    def __init__(self, d: int, m: int, marked: bool) -> None:
        super().__init__()
        self.attention = LinearAttention(d, m, marked)
        self.norm = nn.LayerNorm(d)
        self.up = nn.Linear(d, 2 * d)
        self.down = nn.Linear(2 * d, d)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x + self.attention(x))
        return x + self.down(functional.gelu(self.up(x)))


class Segment(nn.Module):
    def __init__(self, d: int, m: int, memory: int, layers: int, marked: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(Layer(d, m, marked) for _ in range(layers))
        self.memory = memory
        self.marked = marked

    def forward(self, memory: Tensor, tokens: Tensor) -> tuple[Tensor, Tensor]:
        if self.marked:
            memory = mark_state(memory, "memory")
        x = torch.cat((memory, tokens), dim=1)
        for layer in self.layers:
            x = layer(x)
        return x[:, : self.memory], x[:, self.memory :]


class Recurrent(nn.Module):
    """T calls of one segment with memory handed on: two outputs that are views of one tensor."""

    def __init__(
        self,
        segments: int,
        d: int = 8,
        m: int = 6,
        memory: int = 2,
        layers: int = 4,
        marked: bool = False,
        copied: bool = True,
    ) -> None:
        super().__init__()
        self.copied = copied
        self.segments = segments
        self.segment = Segment(d, m, memory, layers, marked)
        self.start = nn.Parameter(torch.randn(1, memory, d))
        self.head = nn.Linear(d, 3)

    def forward(self, x: Tensor) -> Tensor:
        # copied, for an expanded start is read with fewer bytes and keeps segment 0 out of the loop
        memory = self.start.expand(x.shape[0], -1, -1)
        memory = memory.clone() if self.copied else memory
        pooled = []
        for tokens in x.chunk(self.segments, dim=1):
            memory, states = self.segment(memory, tokens)
            memory = memory * 0.5
            pooled.append(states)
        return self.head(torch.cat(pooled, dim=1).mean(dim=1))


def recurrent(segments: int, tokens: int = 5, **options: object) -> tuple[Recurrent, tuple[Tensor]]:
    """The model in evaluation mode and inputs of batch 2 for it."""
    torch.manual_seed(0)
    model = Recurrent(segments, **options).eval()  # type: ignore[arg-type]
    return model, (torch.randn(2, segments * tokens, 8),)


def recurrent_macs(
    segments: int, tokens: int = 5, d: int = 8, m: int = 6, memory: int = 2, layers: int = 4
) -> int:
    """By hand, batch 2: rows n = memory + tokens a segment and layer."""
    n = 2 * (memory + tokens)
    per_layer = n * d * m * 2  # query, key
    per_layer += n * d * d  # value
    per_layer += n * m * d * 2  # φ(K)ᵀV and φ(Q)H
    per_layer += n * d * 2 * d * 2  # up, down
    return segments * layers * per_layer + 2 * d * 3  # head
