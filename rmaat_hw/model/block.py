"""One encoder block: attention with its residual, norm, feed-forward network, add and norm.

Order after arXiv 2601.00426, Fig. 2: ``Y = Norm(L)``, ``Z = Norm(FFN(Y) + Y)``; the residual of the
feed-forward network is taken after the first norm. Dropout stands after a residual sum and before its
norm, as in the predecessor.
"""

from __future__ import annotations

from torch import Tensor, nn

from rmaat_hw.model.attention import KINDS
from rmaat_hw.model.config import RMAATConfig

_ACTIVATIONS: dict[str, type[nn.Module]] = {"gelu": nn.GELU, "relu": nn.ReLU}


class Block(nn.Module):
    """Attention and feed-forward network of one layer; X [B, N, d] to Z [B, N, d]."""

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__()
        self.attention = KINDS[config.attention](config)
        self.attention_norm = nn.LayerNorm(config.d_model)
        self.ffn = nn.Sequential(
            nn.Linear(config.d_model, config.ffn_width),
            _ACTIVATIONS[config.activation](),
            nn.Linear(config.ffn_width, config.d_model),
        )
        self.ffn_norm = nn.LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Tensor, mask: Tensor, phi_r: Tensor | None = None, rows: int | None = None
    ) -> Tensor:
        """Pass one segment through the layer.

        Args:
            x: X, [B, N, d].
            mask: [B, N, 1], 1 for rows that count and 0 for pads.
            phi_r: φ(R) of this layer, [N, m], where its attention has one.
            rows: compute the first so many rows only; by default all.

        Returns:
            Z, [B, N or rows, d].
        """
        y: Tensor = self.attention_norm(self.dropout(self.attention(x, mask, phi_r, rows)))
        z: Tensor = self.ffn_norm(self.dropout(self.ffn(y) + y))
        return z
