"""Astromorphic attention: linear attention written by a neuron–astrocyte network.

Write mode and read mode follow arXiv 2601.00426, §3.2, Eq. 4 and Fig. 2; the division by C per token
follows Eq. 18 of the predecessor (arXiv 2312.10925), to which the printed ``φ(Q)(H ⊙ P) + X`` with
P = 1/C is numerically equal. There is no softmax, no causal mask and no sigmoid on H.

Shapes: B sequences, N rows of a segment (memory and tokens), h heads of width m, d = h·m.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.positional import feature_map
from rmaat_hw.trace.annotate import mark_state


def write_state(phi_k: Tensor, value: Tensor, phi_r: Tensor, *, fused: bool) -> Tensor:
    """H = H_neuron + H_astro = φ(K)ᵀV/m + φ(R)ᵀV/m (Eq. 4).

    Args:
        phi_k: φ(K), [B, N, h, m], rows of pads zero.
        value: V, [B, N, h, m], rows of pads zero.
        phi_r: φ(R), [N, m].
        fused: one product with φ(K)+φ(R) instead of one each; the same numbers.

    Returns:
        H, [B, h, m, m], rows from K and columns from V.
    """
    # The product is formed as Hᵀ = Vᵀ(φ(K)+φ(R)) and returned transposed: with φ(K) on its right the
    # gradient arrives at elu in the layout of elu's input. In any other layout fake tensors and the
    # real kernel of elu's backward disagree on strides.
    batch, rows, heads, width = value.shape
    key = phi_k + phi_r.unsqueeze(1) if fused else phi_k
    transposed = torch.matmul(value.permute(0, 2, 3, 1), key.transpose(1, 2))
    if not fused:
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


class AstromorphicAttention(nn.Module):
    """L = φ(Q)H / C + X for one segment; the residual is part of it (Fig. 2: the path "1")."""

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.head_width = config.head_width
        self.alpha = config.alpha
        self.calcium_floor = config.calcium_floor
        self.fused = config.fuse_positional
        width = config.d_model
        self.query = nn.Linear(width, width, bias=False)
        self.key = nn.Linear(width, width, bias=False)
        self.value = nn.Linear(width, width, bias=False)
        self.output = nn.Linear(width, width, bias=False) if config.output_projection else nn.Identity()

    def forward(self, x: Tensor, mask: Tensor, phi_r: Tensor) -> Tensor:
        """Attend within one segment.

        Args:
            x: X, [B, N, d].
            mask: [B, N, 1], 1 for rows that count and 0 for pads.
            phi_r: φ(R), [N, m].

        Returns:
            L, [B, N, d]; rows of pads are finite but mean nothing.
        """
        batch, rows, width = x.shape
        split = (batch, rows, self.heads, self.head_width)
        # φ comes before the head transpose, so that elu sees contiguous rows (see write_state).
        phi_q = feature_map(self.query(x)).view(split).transpose(1, 2)
        phi_k = (feature_map(self.key(x)) * mask).view(split)
        value = (self.value(x) * mask).view(split)

        state = mark_state(write_state(phi_k, value, phi_r, fused=self.fused), "H")
        presynaptic = presynaptic_sum(phi_k, self.alpha)
        read = read_state(phi_q, state, presynaptic, self.calcium_floor)
        return self.output(read.transpose(1, 2).reshape(batch, rows, width)) + x
