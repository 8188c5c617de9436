"""Two position codes: the sinusoidal one at the input, and the matrix R inside the attention.

R carries the distance decay of the short-term astrocyte process (arXiv 2601.00426, §3.2):
``r_ij = exp(-|i-j|·scale)`` is STATED; how the N × N matrix r becomes an N × m matrix R is INFERRED
from the predecessor (arXiv 2312.10925, Eq. 11): ``D = M_p r M_pᵀ``, ``R = M_pᵀ D`` with a learnable
``M_p`` of m × N. r itself is never formed.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from rmaat_hw.model.config import RMAATConfig


def feature_map(x: Tensor) -> Tensor:
    """φ(x) = elu(x) + 1, element-wise and positive; any shape (arXiv 2312.10925)."""
    return _FeatureMap.apply(x) if x.requires_grad else _phi(x)


def _phi(x: Tensor) -> Tensor:
    return functional.elu(x) + 1.0


class _FeatureMap(torch.autograd.Function):
    """φ with its derivative from its value: φ' = 1 for x > 0, else exp(x) = φ, so φ' = min(φ, 1).

    It keeps φ(x), which the products keep anyway, instead of x as well.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        phi = _phi(x)
        ctx.save_for_backward(phi)
        return phi

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (phi,) = ctx.saved_tensors
        return gradient * phi.clamp(max=1.0)


def distance_decay_product(x: Tensor, scale: Tensor) -> Tensor:
    """Multiply by the distance-decay matrix, ``r @ x`` with r_ij = exp(-|i-j|·scale).

    r is the sum of a lower and an upper triangular matrix of the powers of a = exp(-scale), less
    their common diagonal. Each triangular product is a first-order recursion, f_k = x_k + a f_(k-1) and
    the same backwards, and the two run side by side.

    Args:
        x: [N, m], any floating dtype.
        scale: positive scalar tensor, decay per row.

    Returns:
        [N, m]. Time and memory O(N m), in O(log N) operators; no N × N array.
    """
    both = _decayed_sums(torch.cat((x, x.flip(0)), dim=1), torch.exp(-scale))
    before, after = both.chunk(2, dim=1)
    return before + after.flip(0) - x


_FEW_ROWS = 64


def _decayed_sums(x: Tensor, decay: Tensor) -> Tensor:
    """f_k = x_k + a f_(k-1) for [n, w] without a loop over rows.

    Pairs of rows obey the same recursion with a² and half the rows, x_(2k+1) + a x_2k; what they give
    are the odd rows, and one more step gives the even ones. Halving makes n + n/2 + n/4 + … < 2 n rows
    of work. A few rows take fewer operators by doubling: after the step with shift s each holds the
    decayed sum of its 2 s nearest predecessors.
    """
    rows = x.shape[0]
    if rows <= _FEW_ROWS:
        shift = 1
        while shift < rows:
            x = x + decay * functional.pad(x[:-shift], (0, 0, shift, 0))
            decay = decay * decay
            shift *= 2
        return x
    if rows % 2:
        others = _decayed_sums(x[:-1], decay)
        return torch.cat((others, x[-1:] + decay * others[-1:]))
    even, odd = x.unflatten(0, (-1, 2)).unbind(1)
    at_odd = _decayed_sums(odd + decay * even, decay * decay)
    at_even = even + decay * functional.pad(at_odd[:-1], (0, 0, 1, 0))
    return torch.stack((at_even, at_odd), dim=1).flatten(0, 1)


def sinusoidal_table(length: int, width: int) -> Tensor:
    """Sinusoidal position code: sin in even columns, cos in odd ones (Vaswani et al. 2017, §3.5).

    Returns:
        [length, width] in the default dtype; row p is the code of the global position p.
    """
    position = torch.arange(length, dtype=torch.float64).unsqueeze(1)
    even = torch.arange(0, width, 2, dtype=torch.float64)
    angle = position * torch.exp(even * (-math.log(10_000.0) / width))
    pairs = torch.stack((angle.sin(), angle.cos()), dim=2).flatten(1)
    return pairs[:, :width].to(torch.get_default_dtype())


def ordinal_table(tokens: int, width: int) -> Tensor:
    """Random waves over the token id, so that the rows of near ids are alike; unit variance.

    Column c is ``√2 sin(ω_c id + φ_c)`` with a random phase; ω falls in geometric steps so that all the
    ids span from most of a turn (5.4 rad) to a seventh of one (0.9 rad).

    Returns:
        [tokens, width] in the default dtype, drawn from torch's global random state.
    """
    span = torch.logspace(math.log10(5.4), math.log10(0.9), width)
    phase = 2 * math.pi * torch.rand(width)
    return math.sqrt(2) * torch.sin(torch.arange(tokens).unsqueeze(1) / tokens * span + phase)


class PositionalMatrix(nn.Module):
    """φ(R) of one layer: computed from parameters alone, once a forward, shared by all segments.

    Positions are one-dimensional inside the segment, memory tokens at 0 … M-1 and tokens behind them
    (RECOMMENDED), so the same R serves every segment; heads share it.
    """

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__()
        self.projection = nn.Parameter(torch.empty(config.head_width, config.rows))
        """M_p, [m, N]."""
        start = math.log(math.expm1(config.positional_scale))
        self.raw_scale = nn.Parameter(torch.tensor(start))
        """softplus of it is the decay per row; it starts at ``config.positional_scale``."""
        nn.init.xavier_uniform_(self.projection)

    @property
    def scale(self) -> Tensor:
        """Decay per row, a positive scalar tensor."""
        return functional.softplus(self.raw_scale)

    def forward(self) -> Tensor:
        """Return φ(R), [N, m], positive."""
        transposed = self.projection.transpose(0, 1).contiguous()
        decayed = distance_decay_product(transposed, self.scale)  # r M_pᵀ, [N, m]
        density = torch.matmul(self.projection, decayed)  # D, [m, m]
        return feature_map(torch.matmul(transposed, density))
