"""The program of one segment, called T times with the same weights (arXiv 2601.00426, Fig. 1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from rmaat_hw.model.block import Block
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.trace.annotate import mark_state

PAD = 0
"""Token id of padding in every task."""


class Segment(nn.Module):
    """Memory and tokens in, final states and the next memory out.

    It reads its arguments and its parameters and writes nothing else, so that every call is the same
    program on tensors of the same shapes: a tracer folds the calls into one, and a replay in training
    can run any of them again from the memory it started with.
    """

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__()
        self.memory_tokens = config.memory_tokens
        self.prefix = config.prefix
        self.embedding = nn.Embedding(config.vocabulary, config.d_model)
        has_own_row = config.prefix > config.memory_tokens
        self.cls = nn.Parameter(torch.empty(1, config.d_model)) if has_own_row else None
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))

    def forward(
        self,
        tokens: Tensor,
        position: Tensor,
        memory: Tensor | None,
        retention: Tensor,
        phi_r: Sequence[Tensor] = (),
        memory_only: bool = False,
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Run one segment.

        Args:
            tokens: int64 [B, N_seg], 0 where padded.
            position: input position code of these tokens, [N_seg, d].
            memory: memory tokens mem_t, [B, M, d]; None in a model without.
            retention: factor RF(t, T), a scalar tensor.
            phi_r: φ(R) of each layer, each [N, m]; none where the attention has no astrocyte.
            memory_only: compute of the last block its memory rows only, for a segment of which nothing
                else is read.

        Returns:
            states: Z of the last block, [B, N, d]: memory rows, the row of "cls" if any, tokens; with
                ``memory_only`` [B, M, d].
            mask: [B, N, 1], 1 for rows in front and real tokens, 0 for pads.
            memory: mem_(t+1) = RF(t, T) × mem'_(t+1), [B, M, d] (§3.3), or None.
        """
        embedded = self.embedding(tokens) + position
        rows = [embedded]
        if self.cls is not None:
            rows.insert(0, self.cls.expand(len(tokens), -1, -1))
        if memory is not None:
            rows.insert(0, mark_state(memory, "memory"))
        states = torch.cat(rows, dim=1) if len(rows) > 1 else embedded
        real = (tokens != PAD).to(embedded.dtype).unsqueeze(2)
        mask = functional.pad(real, (0, 0, self.prefix, 0), value=1.0) if self.prefix else real
        of_layers: Sequence[Tensor | None] = phi_r or [None] * len(self.blocks)
        last = len(self.blocks) - 1
        for layer, (block, positional) in enumerate(zip(self.blocks, of_layers, strict=True)):
            rows_read = self.memory_tokens if memory_only and layer == last else None
            states = block(states, mask, positional, rows_read)
        if memory is None:
            return states, mask, None
        return states, mask, (states[:, : self.memory_tokens] * retention).contiguous()
