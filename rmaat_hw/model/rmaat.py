"""The recurrent memory-augmented astromorphic transformer as a classifier.

``mem_1 → [segment] → mem_2 → … → [segment] → mem_(T+1)`` with the same weights at each step
(arXiv 2601.00426, Fig. 1 and §3.3). The memory has one learned start, stands in front of the tokens
and is read after the last layer (RECOMMENDED, after RMT, arXiv 2207.06881).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from device_params.errors import InputError
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.positional import PositionalMatrix, sinusoidal_table
from rmaat_hw.model.retention import retention_factors
from rmaat_hw.model.segment import PAD, Segment


class RMAAT(nn.Module):
    """Token ids in, one score a class out.

    What depends on parameters alone (φ(R) of each layer) is computed once a forward, before the first
    segment; tokens, position codes and retention factors are split once. Between two calls of the
    segment nothing happens.

    Example:
        >>> model = build(RMAATConfig(vocabulary=18, classes=10, segments=2), seed=0)
        >>> model(torch.ones(1, 1024, dtype=torch.int64)).shape
        torch.Size([1, 10])
    """

    retention: Tensor
    position: Tensor

    def __init__(self, config: RMAATConfig) -> None:
        super().__init__()
        self.config = config
        self.segment = Segment(config)
        self.positional = nn.ModuleList(PositionalMatrix(config) for _ in range(config.layers))
        self.memory = nn.Parameter(torch.empty(config.memory_tokens, config.d_model))
        """mem_1, [M, d], broadcast over the batch."""
        self.head = nn.Linear(config.d_model, config.classes)
        factors = retention_factors(config.segments, rate=config.retention_rate, regime=config.retention)
        # Not persistent: both follow from the configuration, and weights trained with one number of
        # segments load into a model with another.
        self.register_buffer(
            "retention",
            torch.tensor(factors.tolist(), dtype=torch.get_default_dtype()),
            persistent=False,
        )
        self.register_buffer(
            "position", sinusoidal_table(config.sequence_length, config.d_model), persistent=False
        )
        self._start()

    def _start(self) -> None:
        """Give every parameter its start value; the positional matrices set their own."""
        nn.init.normal_(self.segment.embedding.weight)
        spread = self.segment.embedding.weight.detach().std()
        nn.init.normal_(self.memory)
        with torch.no_grad():
            self.memory.mul_(spread)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """Classify padded sequences.

        Args:
            tokens: int64 [B, T · N_seg], right-aligned, id 0 in front of shorter sequences.

        Returns:
            Scores before the softmax, [B, classes].

        Raises:
            InputError: the shape or the dtype of ``tokens`` is another.
        """
        config = self.config
        self._check(tokens)
        batch = tokens.shape[0]
        by_segment = tokens.view(batch, config.segments, config.segment_length).transpose(0, 1)
        segments = by_segment.contiguous().unbind(0)
        positions = self.position.view(config.segments, config.segment_length, config.d_model).unbind(0)
        factors = self.retention.unbind(0)
        phi_r = tuple(positional() for positional in self.positional)
        # A copy rather than a view: the segment gets memory of the same layout at every call, and a
        # view of a parameter made under no_grad confuses torch's own module trackers.
        memory = self.memory.expand(batch, -1, -1).clone(memory_format=torch.contiguous_format)

        states = mask = memory
        for ids, position, factor in zip(segments, positions, factors, strict=True):
            states, mask, memory = self.segment(ids, position, memory, factor, phi_r)
        scores: Tensor = self.head(self._pool(states, mask))
        return scores

    def _pool(self, states: Tensor, mask: Tensor) -> Tensor:
        """Mean over the rows of the last segment that count, [B, N, d] and [B, N, 1] to [B, d]."""
        if self.config.pooling == "memory_mean":
            return states[:, : self.config.memory_tokens].mean(dim=1)
        return (states * mask).sum(dim=1) / mask.sum(dim=1)

    def _check(self, tokens: Tensor) -> None:
        expected = self.config.sequence_length
        if tokens.dim() != 2 or tokens.shape[1] != expected or tokens.dtype != torch.int64:
            raise InputError(
                "tokens of another shape or dtype than the model takes",
                where="RMAAT.forward",
                value=f"{tokens.dtype} {list(tokens.shape)}",
                allowed=f"torch.int64 [batch, {expected}]",
                remedy=f"pad with id {PAD} in front, or build the model for another number of segments",
            )


def build(config: RMAATConfig, seed: int = 0) -> RMAAT:
    """Build a model with seeded weights, in evaluation mode.

    Weights depend on ``config`` and ``seed`` alone; torch's global random state is left as it was.

    Args:
        config: the architecture.
        seed: 0 or more.

    Returns:
        The model, ``eval()``, parameters in torch's default dtype.

    Raises:
        InputError: a seed that is no whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError("bad seed", where="--seed", value=seed, allowed="a whole number from 0 to 2^63 - 1")
    with torch.random.fork_rng(devices=()):
        torch.default_generator.manual_seed(seed)
        return RMAAT(config).eval()
