"""The recurrent memory-augmented astromorphic transformer as a classifier.

``mem_1 → [segment] → mem_2 → … → [segment] → mem_(T+1)`` with the same weights at each step
(arXiv 2601.00426, Fig. 1 and §3.3). The memory has one learned start, stands in front of the tokens
and is read after the last layer (RECOMMENDED, after RMT, arXiv 2207.06881). The rivals that share this
frame (recurrent or not, linear or softmax) are configurations of it: :mod:`rmaat_hw.model.variants`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, overload

import torch
from torch import Tensor, nn

from device_params.errors import InputError
from rmaat_hw.model.attention import Attention
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.positional import PositionalMatrix, ordinal_table, sinusoidal_table
from rmaat_hw.model.replay import memory_replay, segment_recurrence
from rmaat_hw.model.retention import retention_factors
from rmaat_hw.model.segment import PAD, Segment
from rmaat_hw.model.variants import Mamba2Config, ModelConfig

if TYPE_CHECKING:
    from rmaat_hw.model.mamba2 import Mamba2Classifier


class RMAAT(nn.Module):
    """Token ids in, one score a class out.

    What depends on parameters alone (φ(R) of each layer) is computed once a forward, before the first
    segment; tokens, position codes and retention factors are split once. Between two calls of the
    segment nothing happens. ``model.segment.compile()`` compiles the segment alone, once for all T
    calls, which is the way to combine compilation with memory replay.

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
        has_astrocyte = config.attention == "astromorphic" and config.astrocyte
        self.positional = nn.ModuleList(
            PositionalMatrix(config) for _ in range(config.layers if has_astrocyte else 0)
        )
        self.memory = (
            nn.Parameter(torch.empty(config.memory_tokens, config.d_model)) if config.memory_tokens else None
        )
        """mem_1, [M, d], broadcast over the batch."""
        self.head = _head(config)
        factors = retention_factors(
            config.segments,
            rate=config.retention_rate,
            regime=config.retention,
            source=config.retention_source,
        )
        # Not persistent: both follow from the configuration, and weights trained with one number of
        # segments load into a model with another.
        self.register_buffer(
            "retention",
            torch.tensor(factors.tolist(), dtype=torch.get_default_dtype()),
            persistent=False,
        )
        self.register_buffer(
            "position", sinusoidal_table(config.stream_length, config.d_model), persistent=False
        )
        self._start()

    def _start(self) -> None:
        """Give every parameter its start value; the positional matrices set their own."""
        nn.init.normal_(self.segment.embedding.weight)
        if self.config.embedding_start == "ordinal":
            with torch.no_grad():
                self.segment.embedding.weight.copy_(ordinal_table(*self.segment.embedding.weight.shape))
        spread = self.segment.embedding.weight.detach().std()
        for rows in (self.memory, self.segment.cls):
            if rows is not None:
                nn.init.normal_(rows)
                with torch.no_grad():
                    rows.mul_(spread)
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for module in self.modules():
            if isinstance(module, Attention):  # three matrices in one parameter: Glorot's fan is that of one
                for part in module.projections.weight.chunk(3):
                    nn.init.xavier_uniform_(part)

    def forward(self, tokens: Tensor) -> Tensor:
        """Classify padded examples.

        Args:
            tokens: int64 [B, T · N_seg], right-aligned, id 0 in front of shorter sequences; with a dual
                encoder [B, 2 · T · N_seg], each document right-aligned in its half.

        Returns:
            Scores before the softmax, [B, classes].

        Raises:
            InputError: the shape or the dtype of ``tokens`` is another.
        """
        self._check(tokens)
        if self.config.streams == 1:
            encoded = self.encode(tokens)
        else:
            streams = self.encode(tokens.reshape(-1, self.config.stream_length))
            first, second = streams.view(len(tokens), 2, -1).unbind(1)
            encoded = torch.cat((first, second, first * second, first - second), dim=1)
        scores: Tensor = self.head(encoded)
        return scores

    def encode(self, tokens: Tensor) -> Tensor:
        """What the head reads of each stream: int64 [B, T · N_seg] to [B, d]."""
        config = self.config
        batch = len(tokens)
        by_segment = tokens.view(batch, config.segments, config.segment_length).transpose(0, 1)
        inputs = list(
            zip(
                by_segment.contiguous().unbind(0),
                self.position.view(config.segments, config.segment_length, config.d_model).unbind(0),
                self.retention.unbind(0),
                strict=True,
            )
        )
        phi_r = tuple(positional() for positional in self.positional)
        # A copy rather than a view: the segment gets memory of the same layout at every call, and a
        # view of a parameter made under no_grad confuses torch's own module trackers.
        memory: Tensor | None = self.memory
        if memory is not None:
            memory = memory.expand(batch, -1, -1).clone(memory_format=torch.contiguous_format)
        every = config.pooling == "all_segments_mean"
        skipping = config.skip_unread_rows and self.training and not every
        step = partial(self._step, memory_only=skipping)
        how: dict[str, Any] = {
            "shared": phi_r,
            "readout": "sum" if every else "last",
            "final": self._step,
        }
        if config.gradient == "replay" and torch.is_grad_enabled():
            how["parameters"] = self.segment.parameters()
            (total, count), _ = memory_replay(step, inputs, memory, **how)
        else:
            (total, count), _ = segment_recurrence(step, inputs, memory, **how)
        return total / count if every else self._pool(total, count)

    def _step(
        self,
        memory: Tensor | None,
        tokens: Tensor,
        position: Tensor,
        factor: Tensor,
        *phi_r: Tensor,
        memory_only: bool = False,
    ) -> tuple[Tensor | None, tuple[Tensor, Tensor]]:
        """One segment as the recurrence wants it: next memory, and states and mask or sums over them."""
        states, mask, memory = self.segment(tokens, position, memory, factor, phi_r, memory_only)
        if self.config.pooling == "all_segments_mean":
            return memory, ((states * mask).sum(dim=1), mask.sum(dim=1))
        return memory, (states, mask)

    def _pool(self, states: Tensor, mask: Tensor) -> Tensor:
        """What the head reads of the last segment, [B, N, d] and [B, N, 1] to [B, d]."""
        if self.config.pooling == "memory_mean":
            return states[:, : self.config.memory_tokens].mean(dim=1)
        if self.config.pooling == "cls":
            return states[:, self.config.memory_tokens]
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


def _head(config: RMAATConfig) -> nn.Module:
    """One product, as the paper draws it; for two encoded documents the head of the Long Range Arena."""
    if config.streams == 1:
        return nn.Linear(config.d_model, config.classes)
    return nn.Sequential(
        nn.Linear(4 * config.d_model, config.ffn_width),
        nn.ReLU(),
        nn.Linear(config.ffn_width, config.classes),
    )


@overload
def build(config: RMAATConfig, seed: int = 0) -> RMAAT: ...
@overload
def build(config: Mamba2Config, seed: int = 0) -> Mamba2Classifier: ...
def build(config: ModelConfig, seed: int = 0) -> RMAAT | Mamba2Classifier:
    """Build a model with seeded weights, in evaluation mode.

    Weights depend on ``config`` and ``seed`` alone; torch's global random state is left as it was.

    Args:
        config: the architecture; see :func:`rmaat_hw.model.variant` for those of the rivals.
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
        if isinstance(config, Mamba2Config):
            from rmaat_hw.model.mamba2 import Mamba2Classifier

            return Mamba2Classifier(config).eval()
        return RMAAT(config).eval()
