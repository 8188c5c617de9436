"""The whole model against one literal reading of the equations, sequence by sequence in float64.

Written from the equations alone: dense distance matrix, no heads side by side, no masks (rows of pads
are cut out), explicit layer norms. Weights come from the model under test by name.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rmaat_hw.model import RMAATConfig, build

CONFIG = RMAATConfig(
    vocabulary=9,
    classes=5,
    d_model=16,
    heads=2,
    layers=2,
    ffn_width=24,
    segment_length=6,
    segments=3,
    memory_tokens=3,
    positional_scale=0.3,
)


def phi(x: Tensor) -> Tensor:
    return torch.where(x > 0, x + 1, torch.exp(x))


def norm(x: Tensor, weights: dict[str, Tensor], name: str) -> Tensor:
    centred = x - x.mean(dim=1, keepdim=True)
    spread = (centred.square().mean(dim=1, keepdim=True) + 1e-5).sqrt()
    return centred / spread * weights[f"{name}.weight"] + weights[f"{name}.bias"]


def positional(config: RMAATConfig, weights: dict[str, Tensor], layer: int) -> Tensor:
    """R = M_pᵀ M_p r M_pᵀ, [N, m]."""
    projection = weights[f"positional.{layer}.projection"]
    scale = torch.log1p(torch.exp(weights[f"positional.{layer}.raw_scale"]))
    index = torch.arange(config.rows, dtype=torch.float64)
    r = torch.exp(-(index[:, None] - index[None, :]).abs() * scale)
    return projection.T @ projection @ r @ projection.T


def block(x: Tensor, phi_r: Tensor, weights: dict[str, Tensor], layer: int, config: RMAATConfig) -> Tensor:
    prefix = f"segment.blocks.{layer}"
    query, key, value = (x @ w.T for w in weights[f"{prefix}.attention.projections.weight"].chunk(3))
    m = config.head_width
    parts = []
    for head in range(config.heads):
        cut = slice(head * m, (head + 1) * m)
        q, k, v = phi(query[:, cut]), phi(key[:, cut]), value[:, cut]
        state = k.T @ v / m + phi_r.T @ v / m
        calcium = q @ (k.sum(dim=0) ** config.alpha) + config.calcium_floor
        parts.append((q @ state) / calcium[:, None])
    y = norm(torch.cat(parts, dim=1) + x, weights, f"{prefix}.attention_norm")
    hidden = y @ weights[f"{prefix}.ffn.0.weight"].T + weights[f"{prefix}.ffn.0.bias"]
    hidden = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    ffn = hidden @ weights[f"{prefix}.ffn.2.weight"].T + weights[f"{prefix}.ffn.2.bias"]
    return norm(ffn + y, weights, f"{prefix}.ffn_norm")


def classify(tokens: list[int], weights: dict[str, Tensor], config: RMAATConfig) -> Tensor:
    """Scores of one padded sequence."""
    d, count = config.d_model, config.memory_tokens
    memory = weights["memory"]
    rates = [math.exp(-config.retention_rate * t) for t in range(config.segments)]
    states = memory
    for t in range(config.segments):
        rows, kept = [], list(range(count))
        for i in range(config.segment_length):
            index = t * config.segment_length + i
            if tokens[index]:
                code = [
                    (math.cos if j % 2 else math.sin)(index / 10_000 ** ((j - j % 2) / d)) for j in range(d)
                ]
                embedded = weights["segment.embedding.weight"][tokens[index]]
                rows.append(embedded + torch.tensor(code, dtype=torch.float64))
                kept.append(count + i)
        states = torch.cat([memory, *(row.unsqueeze(0) for row in rows)])
        for layer in range(config.layers):
            phi_r = phi(positional(config, weights, layer))[kept]
            states = block(states, phi_r, weights, layer, config)
        memory = states[:count] * rates[t] / sum(rates)
    return states.mean(dim=0) @ weights["head.weight"].T + weights["head.bias"]


@pytest.mark.parametrize("pads", [0, 4, 8, 16])
def test_model_equals_its_literal_reading(pads: int) -> None:
    torch.set_default_dtype(torch.float64)
    try:
        model = build(CONFIG, seed=2).requires_grad_(False)
    finally:
        torch.set_default_dtype(torch.float32)
    generator = torch.Generator().manual_seed(pads)
    for name, parameter in model.named_parameters():
        if parameter.dim() == 1:  # biases and norms start at 0 and 1: make them visible
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=torch.float64))
        assert parameter.dtype == torch.float64, name
    tokens = torch.randint(1, 9, (2, CONFIG.sequence_length), generator=generator)
    tokens[:, :pads] = 0
    weights = dict(model.named_parameters())
    expected = torch.stack([classify(row, weights, CONFIG) for row in tokens.tolist()])
    torch.testing.assert_close(model(tokens), expected, rtol=1e-10, atol=1e-10)


def test_start_values() -> None:
    model = build(RMAATConfig(vocabulary=300, classes=5, d_model=64, heads=4, memory_tokens=64, layers=2))
    embedding = float(model.segment.embedding.weight.detach().std())
    assert float(model.memory.detach().std()) == pytest.approx(embedding, rel=0.05)
    for part in model.segment.blocks[0].attention.projections.weight.detach().chunk(3):
        assert float(part.std()) == pytest.approx((2 / (64 + 64)) ** 0.5, rel=0.05)  # Glorot, of each
    assert float(model.head.bias.detach().abs().max()) == 0.0
    assert float(functional.softplus(model.positional[1].raw_scale.detach())) == pytest.approx(0.1, rel=1e-5)
