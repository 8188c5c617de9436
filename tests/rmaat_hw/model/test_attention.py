"""Astromorphic attention against slow, literal readings of the equations."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rmaat_hw.model import RMAATConfig
from rmaat_hw.model.attention import AstromorphicAttention, LinearAttention, SoftmaxAttention

CONFIG = RMAATConfig(
    vocabulary=8, classes=2, d_model=12, heads=3, segment_length=9, memory_tokens=2, calcium_floor=1e-30
)
BATCH, ROWS, WIDTH, HEADS, M = 2, 11, 12, 3, 4


def make(config: RMAATConfig = CONFIG) -> AstromorphicAttention:
    torch.manual_seed(3)
    return AstromorphicAttention(config).double().requires_grad_(False)


def operands(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """X, a mask without pads and φ(R)."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(BATCH, ROWS, WIDTH, dtype=torch.float64, generator=generator)
    phi_r = torch.rand(ROWS, M, dtype=torch.float64, generator=generator) + 0.2
    return x, torch.ones(BATCH, ROWS, 1, dtype=torch.float64), phi_r


def phi(x: Tensor) -> Tensor:
    return functional.elu(x) + 1


def per_token(
    attention: AstromorphicAttention, x: Tensor, mask: Tensor, phi_r: Tensor, alpha: float
) -> Tensor:
    """L_n = φ(q_n)(H ⊙ P_n) + x_n, one sequence, head and token at a time."""
    out = x.clone()
    w_q, w_k, w_v = attention.projections.weight.chunk(3)
    for b in range(BATCH):
        real = [n for n in range(ROWS) if mask[b, n, 0] > 0]
        for head in range(HEADS):
            part = slice(head * M, (head + 1) * M)
            q = phi(x[b] @ w_q.T)[:, part]
            k = phi(x[b] @ w_k.T)[:, part]
            v = (x[b] @ w_v.T)[:, part]
            state = torch.zeros(M, M, dtype=torch.float64)
            g = torch.zeros(M, dtype=torch.float64)
            for n in real:
                state += (torch.outer(k[n], v[n]) + torch.outer(phi_r[n], v[n])) / M
                g += k[n]
            g = g**alpha
            for n in range(ROWS):
                feedback = 1.0 / (q[n] @ g)  # P = 1/C
                out[b, n, part] += q[n] @ (state * feedback)
    return out


@pytest.mark.parametrize("fused", [True, False])
def test_equals_the_per_token_hadamard_form(fused: bool) -> None:
    attention = make(replace(CONFIG, fuse_positional=fused))
    x, mask, phi_r = operands()
    expected = per_token(attention, x, mask, phi_r, alpha=0.25)
    torch.testing.assert_close(attention(x, mask, phi_r), expected, rtol=1e-12, atol=1e-12)
    assert (expected - x).abs().max() > 1e-2  # the attention term is there to be seen


@pytest.mark.parametrize("fused", [True, False])
def test_is_standard_linear_attention_without_astrocyte(fused: bool) -> None:
    """H_astro = 0, α = 1 and 1/m removed: φ(q)Σφ(k)ᵀv / φ(q)Σφ(k)."""
    attention = make(replace(CONFIG, alpha=1.0, fuse_positional=fused))
    x, mask, _ = operands()
    term = (attention(x, mask, None) - x) * M

    def split(y: Tensor) -> Tensor:
        return y.view(BATCH, ROWS, HEADS, M)

    q, k, v = (x @ w.T for w in attention.projections.weight.chunk(3))
    q, k, v = split(phi(q)), split(phi(k)), split(v)
    weights = torch.einsum("bihm,bjhm->bhij", q, k)
    weights = weights / weights.sum(dim=3, keepdim=True)
    expected = torch.einsum("bhij,bjhm->bihm", weights, v).reshape(BATCH, ROWS, WIDTH)
    torch.testing.assert_close(term, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("fused", [True, False])
def test_pads_are_as_if_absent(fused: bool) -> None:
    """Rows that count get what they get when the others (and their rows of R) are cut out."""
    attention = make(replace(CONFIG, fuse_positional=fused))
    x, mask, phi_r = operands()
    mask[:, 2:7] = 0.0
    x[:, 2:7] = 1e3  # whatever stands in a pad
    keep = [0, 1, 7, 8, 9, 10]
    padded = attention(x, mask, phi_r)[:, keep]
    cut = attention(x[:, keep], mask[:, keep], phi_r[keep])
    torch.testing.assert_close(padded, cut, rtol=1e-12, atol=1e-12)
    literal = per_token(attention, x, mask, phi_r, alpha=0.25)[:, keep]
    torch.testing.assert_close(padded, literal, rtol=1e-12, atol=1e-12)


def test_output_projection_stands_between_heads_and_residual() -> None:
    plain, projected = make(), make(replace(CONFIG, output_projection=True))
    projected.load_state_dict(plain.state_dict(), strict=False)
    x, mask, phi_r = operands()
    heads = plain(x, mask, phi_r) - x
    expected = heads @ projected.output.weight.T + x
    torch.testing.assert_close(projected(x, mask, phi_r), expected, rtol=1e-12, atol=1e-12)


def masked_operands() -> tuple[Tensor, Tensor, list[int]]:
    x, mask, _ = operands()
    mask[1, 2:7] = 0.0
    x[1, 2:7] = 1e3  # whatever stands in a pad
    return x, mask, [0, 1, 7, 8, 9, 10]


@pytest.mark.parametrize("kernel", ["fused", "materialised"])
def test_softmax_attention_is_softmax_over_the_rows_that_count(kernel: str) -> None:
    torch.manual_seed(3)
    attention = SoftmaxAttention(replace(CONFIG, softmax_kernel=kernel)).double().requires_grad_(False)
    x, mask, keep = masked_operands()
    out = attention(x, mask)
    for b, rows in ((0, list(range(ROWS))), (1, keep)):
        q, k, v = (x[b, rows] @ w.T for w in attention.projections.weight.chunk(3))
        for head in range(HEADS):
            part = slice(head * M, (head + 1) * M)
            weights = torch.softmax(q[:, part] @ k[:, part].T / M**0.5, dim=1)
            expected = weights @ v[:, part] + x[b, rows][:, part]
            torch.testing.assert_close(out[b, rows][:, part], expected, rtol=1e-12, atol=1e-12)


def test_linear_attention_weighs_by_feature_products() -> None:
    """Katharopoulos et al. 2020, Eq. 4 with φ = elu + 1, written with the N × N weights."""
    torch.manual_seed(3)
    attention = LinearAttention(CONFIG).double().requires_grad_(False)
    x, mask, keep = masked_operands()
    out = attention(x, mask)
    for b, rows in ((0, list(range(ROWS))), (1, keep)):
        q, k, v = (x[b, rows] @ w.T for w in attention.projections.weight.chunk(3))
        for head in range(HEADS):
            part = slice(head * M, (head + 1) * M)
            weights = phi(q[:, part]) @ phi(k[:, part]).T
            expected = weights @ v[:, part] / weights.sum(dim=1, keepdim=True) + x[b, rows][:, part]
            torch.testing.assert_close(out[b, rows][:, part], expected, rtol=1e-12, atol=1e-12)


def test_alpha_below_one_keeps_attention_from_vanishing() -> None:
    """At N = 528, d = m = 128 with Glorot weights the term's spread is near 0.08 for α = 1/4 and two
    orders less for α = 1."""
    spread = {}
    for alpha in (0.25, 1.0):
        config = RMAATConfig(vocabulary=8, classes=2, d_model=128, heads=1, alpha=alpha)
        attention = AstromorphicAttention(config).requires_grad_(False)
        generator = torch.Generator().manual_seed(1)
        for part in attention.projections.weight.chunk(3):
            torch.nn.init.xavier_uniform_(part, generator=generator)
        x = torch.randn(1, config.rows, 128, generator=generator)
        phi_r = torch.ones(config.rows, 128)
        spread[alpha] = float((attention(x, torch.ones(1, config.rows, 1), phi_r) - x).std())
    assert 0.04 < spread[0.25] < 0.16
    assert spread[1.0] < spread[0.25] / 50
