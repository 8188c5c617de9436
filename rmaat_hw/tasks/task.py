"""What a task is: a vocabulary, a padded length, an architecture and seeded batches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.model.config import RMAATConfig

if TYPE_CHECKING:
    import torch

Sequences = tuple[list[NDArray[np.int64]], NDArray[np.int64]]
Source = Callable[[int, int, int, tuple[int, int] | None], Sequences]
"""(n, seed, padded length, length bounds or None) -> ids of each sequence without padding, labels."""


@dataclass(frozen=True)
class Batch:
    """Padded sequences of one task with what identifies them."""

    tokens: torch.Tensor
    """int64 [n, padded_length], right-aligned: id 0 in front of shorter sequences."""
    lengths: torch.Tensor
    """Real tokens of each sequence, int64 [n]."""
    labels: torch.Tensor
    """Class of each sequence, int64 [n]."""
    sha256: str
    """Of the tokens as little-endian int64 in row order."""

    @property
    def real_tokens(self) -> int:
        """Tokens of all sequences that are not padding."""
        return int(self.lengths.sum())

    @property
    def padded_tokens(self) -> int:
        """Padding of all sequences."""
        return self.tokens.numel() - self.real_tokens


@dataclass(frozen=True)
class Task:
    """A task of the Long Range Arena with the RMAAT that this project recommends for it."""

    name: str
    title: str
    config: RMAATConfig
    source: Source
    description: str = ""

    @property
    def vocabulary(self) -> int:
        """Token ids, padding included."""
        return self.config.vocabulary

    @property
    def classes(self) -> int:
        """Classes to tell apart."""
        return self.config.classes

    @property
    def segments(self) -> int:
        """Segments T of a padded sequence."""
        return self.config.segments

    @property
    def padded_length(self) -> int:
        """Tokens of a padded sequence, T · N_seg."""
        return self.config.sequence_length

    def with_sequence_length(self, sequence_length: int) -> Task:
        """Return the task for another padded length, with the number of segments that follows.

        Args:
            sequence_length: tokens, a positive multiple of the segment length.

        Raises:
            InputError: any other number, with the multiples next to it.
        """
        return replace(self, config=with_sequence_length(self.config, sequence_length))

    def batch(self, n: int, seed: int = 0, length: tuple[int, int] | None = None) -> Batch:
        """Generate ``n`` sequences, padded in front; the first k of n are those of k.

        Args:
            n: sequences, at least 1.
            seed: 0 or more; the same seed gives the same bytes on every machine.
            length: strict bounds on the real tokens of a sequence; by default those of the task.

        Raises:
            InputError: a bad count or seed, or bounds that do not fit the padded length.
        """
        import torch

        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise InputError("bad number of sequences", value=n, allowed="a whole number of at least 1")
        if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
            raise InputError("bad seed", where="--seed", value=seed, allowed="a whole number of at least 0")
        if length is not None and not 0 <= length[0] < length[1] - 1 <= self.padded_length:
            raise InputError(
                "bad length bounds",
                where="length",
                value=length,
                allowed=f"0 <= low, low + 1 < high <= {self.padded_length + 1} (both strict)",
            )
        found, labels = self.source(n, seed, self.padded_length, length)
        tokens = pad_in_front(found, self.padded_length)
        return Batch(
            tokens=torch.from_numpy(tokens),
            lengths=torch.tensor([len(sequence) for sequence in found], dtype=torch.int64),
            labels=torch.from_numpy(labels),
            sha256=hashlib.sha256(tokens.astype("<i8").tobytes()).hexdigest(),
        )


def pad_in_front(sequences: list[NDArray[np.int64]], length: int) -> NDArray[np.int64]:
    """Right-align sequences in an int64 array [n, length] with id 0 in front."""
    tokens = np.zeros((len(sequences), length), dtype=np.int64)
    for row, sequence in zip(tokens, sequences, strict=True):
        row[length - len(sequence) :] = sequence
    return tokens


def with_sequence_length(config: RMAATConfig, sequence_length: int) -> RMAATConfig:
    """Return the architecture for padded sequences of ``sequence_length`` tokens.

    Raises:
        InputError: the length is no positive multiple of the segment length.
    """
    step = config.segment_length
    whole = isinstance(sequence_length, int) and not isinstance(sequence_length, bool)
    if not whole or sequence_length < 1 or sequence_length % step:
        below = max(1, sequence_length // step) * step if whole else step
        raise InputError(
            "this is no whole number of segments",
            where="--seq-len",
            value=sequence_length,
            allowed=f"a positive multiple of the segment length, {step}",
            remedy=f"take {below} or {below + step}",
        )
    return config.with_segments(sequence_length // step)
