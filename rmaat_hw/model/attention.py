"""Astromorphic attention: linear attention written by a neuron–astrocyte network; and its rivals.

Write mode and read mode follow arXiv 2601.00426, §3.2, Eq. 4 and Fig. 2; the division by C per token
follows Eq. 18 of the predecessor (arXiv 2312.10925), to which the printed ``φ(Q)(H ⊙ P) + X`` with
P = 1/C is numerically equal. There is no softmax, no causal mask and no sigmoid on H.

Shapes: B sequences, N rows of a segment (memory and tokens), h heads of width m, d = h·m.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn
from torch.nn import functional

from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.positional import feature_map
from rmaat_hw.trace.annotate import mark_state


def write_state(phi_k: Tensor, value: Tensor, phi_r: Tensor | None, *, fused: bool) -> Tensor:
    """H = H_neuron + H_astro = φ(K)ᵀV/m + φ(R)ᵀV/m (Eq. 4).

    Args:
        phi_k: φ(K), [B, N, h, m], rows of pads zero.
        value: V, [B, N, h, m], rows of pads zero.
        phi_r: φ(R), [N, m]; None leaves H_astro out.
        fused: one product with φ(K)+φ(R) instead of one each; the same numbers.

    Returns:
        H, [B, h, m, m], rows from K and columns from V.
    """
    # The product is formed as Hᵀ = Vᵀ(φ(K)+φ(R)) and returned transposed: with φ(K) on its right the
    # gradient arrives at elu in the layout of elu's input. In any other layout fake tensors and the
    # real kernel of elu's backward disagree on strides.
    batch, rows, heads, width = value.shape
    key = phi_k + phi_r.unsqueeze(1) if fused and phi_r is not None else phi_k
    transposed = torch.matmul(value.permute(0, 2, 3, 1), key.transpose(1, 2))
    if not fused and phi_r is not None:
        # φ(R) stands still and the columns of V stream through it: d reads of an array of N rows.
        columns = value.reshape(batch, rows, heads * width).transpose(1, 2)
        astrocyte = torch.matmul(columns, phi_r)  # [B, d, m]
        transposed = transposed + astrocyte.view(batch, heads, width, width)
    return (transposed / width).transpose(2, 3)


def presynaptic_sum(phi_k: Tensor, alpha: float) -> Tensor:
    """g = (Σ_t φ(k_t))^α, the power of the sum (arXiv 2312.10925, Eq. 14).

    Args:
        phi_k: φ(K), [B, N, h, m], rows of pads zero.
        alpha: exponent.

    Returns:
        gᵀ, [B, h, m, 1].
    """
    return phi_k.sum(dim=1).pow(alpha).unsqueeze(3)


def read_state(phi_q: Tensor, state: Tensor, presynaptic: Tensor, floor: float) -> Tensor:
    """φ(Q)H / C with the calcium-like strength C = φ(Q)gᵀ + ε.

    φ(Q)gᵀ is a product with one column, and on an array holding H one column more.

    Args:
        phi_q: φ(Q), [B, h, N, m].
        state: H, [B, h, m, m].
        presynaptic: gᵀ, [B, h, m, 1].
        floor: ε.

    Returns:
        [B, h, N, m].
    """
    calcium = torch.matmul(phi_q, presynaptic) + floor
    return torch.matmul(phi_q, state) / calcium


class Attention(nn.Module, ABC):
    """What the three attentions share: projections, heads side by side, and the residual.

    ``L = attend(Q, K, V) + X`` for one segment; the residual is part of it (Fig. 2: the path "1").
    """

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.head_width = config.head_width
        width = config.d_model
        self.projections = nn.Linear(width, 3 * width, bias=False)
        """W_Q, W_K and W_V, one above the other: one product instead of three."""
        self.output = nn.Linear(width, width, bias=False) if config.output_projection else nn.Identity()

    def forward(
        self, x: Tensor, mask: Tensor, phi_r: Tensor | None = None, rows: int | None = None
    ) -> Tensor:
        """Attend within one segment.

        Args:
            x: X, [B, N, d].
            mask: [B, N, 1], 1 for rows that count and 0 for pads.
            phi_r: φ(R), [N, m], for astromorphic attention with its astrocyte.
            rows: answer the first so many rows only (they still attend to all); by default all.

        Returns:
            L, [B, N or rows, d]; rows of pads are finite but mean nothing.
        """
        width = x.shape[2]
        if rows is None:
            query, key, value = self.projections(x).split(width, dim=2)
        else:
            of_query, of_rest = self.projections.weight.split((width, 2 * width))
            key, value = functional.linear(x, of_rest).split(width, dim=2)
            x = x[:, :rows]
            query = functional.linear(x, of_query)
        read = self.attend(query, key, value, mask, phi_r)
        return self.output(read.transpose(1, 2).reshape(x.shape)) + x

    @abstractmethod
    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, phi_r: Tensor | None) -> Tensor:
        """Each head's answer, [B, h, n, m], from Q, [B, n, d], and K and V, [B, N, d], of all heads."""

    def split(self, x: Tensor) -> Tensor:
        """[B, N, d] as [B, N, h, m]."""
        return x.unflatten(2, (self.heads, self.head_width))


class AstromorphicAttention(Attention):
    """φ(Q)H / C, written and read by the functions above."""

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__(config)
        self.alpha = config.alpha
        self.calcium_floor = config.calcium_floor
        self.fused = config.fuse_positional

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, phi_r: Tensor | None) -> Tensor:
        # φ comes before the head transpose, so that elu sees plain rows (see write_state).
        phi_q = self.split(feature_map(query)).transpose(1, 2)
        phi_k = self.split(feature_map(key) * mask)
        state = write_state(phi_k, self.split(value * mask), phi_r, fused=self.fused)
        presynaptic = presynaptic_sum(phi_k, self.alpha)
        return read_state(phi_q, mark_state(state, "H"), presynaptic, self.calcium_floor)


class LinearAttention(Attention):
    """φ(Q)(φ(K)ᵀV) / φ(Q)Σφ(k), φ = elu + 1 (Katharopoulos et al. 2020, arXiv 2006.16236, Eq. 5)."""

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, phi_r: Tensor | None) -> Tensor:
        phi_q = self.split(feature_map(query)).transpose(1, 2)
        phi_k = self.split(feature_map(key) * mask)
        transposed = torch.matmul(self.split(value * mask).permute(0, 2, 3, 1), phi_k.transpose(1, 2))
        state = mark_state(transposed.transpose(2, 3), "H")
        return torch.matmul(phi_q, state) / torch.matmul(phi_q, presynaptic_sum(phi_k, 1.0))


class SoftmaxAttention(Attention):
    """softmax(QKᵀ/√m)V over the rows that count."""

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__(config)
        self.fused = config.softmax_kernel == "fused"

    def attend(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor, phi_r: Tensor | None) -> Tensor:
        q, k, v = (self.split(x).transpose(1, 2) for x in (query, key, value))
        counts = (mask > 0).transpose(1, 2).unsqueeze(1)  # [B, 1, 1, N], of the keys
        if self.fused:
            return functional.scaled_dot_product_attention(q, k, v, attn_mask=counts)
        scores = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(self.head_width)
        weights = torch.softmax(scores.masked_fill(~counts, -math.inf), dim=3)
        return torch.matmul(weights, v)


KINDS: dict[str, type[Attention]] = {
    "astromorphic": AstromorphicAttention,
    "linear": LinearAttention,
    "softmax": SoftmaxAttention,
}
