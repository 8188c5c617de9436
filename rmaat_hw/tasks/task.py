"""What a task is: a vocabulary, a padded length, an architecture, a recipe and labelled splits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError, nearest_name
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.recipe import Recipe

if TYPE_CHECKING:
    import torch

Sequences = tuple[list[NDArray[np.int64]], NDArray[np.int64]]
Source = Callable[[int, int, int, tuple[int, int] | None], Sequences]
"""(n, seed, padded length, length bounds or None) -> ids of each sequence without padding, labels."""

SPLITS = ("train", "validation", "test")


class Loader(Protocol):
    """What makes or reads one split of a task."""

    def __call__(
        self, which: str, padded_length: int, *, data: Path | None, n: int | None, seed: int
    ) -> Examples:
        """Return the examples; ``which`` is one of :data:`SPLITS`, ``n`` and ``seed`` are checked."""
        ...


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
    """A task with the RMAAT and the recipe that this project recommends for it.

    ``source`` makes sequences for :meth:`batch`, ``loader`` the splits for :meth:`split`.
    """

    name: str
    title: str
    config: RMAATConfig
    source: Source
    loader: Loader
    sizes: Mapping[str, int]
    """Examples of each split, where they are known beforehand."""
    data: str
    """Where the splits come from: generated, embedded, or which files the user must bring."""
    law: Mapping[str, Any] = field(default_factory=dict)
    """What a preset decides of the examples that are generated, in plain values."""
    description: str = ""
    recipe: Recipe = field(default_factory=Recipe)
    preset: str = "full"
    presets: tuple[str, ...] = ("full",)
    fixed_length: bool = False
    """Every example has the same number of tokens, as pictures have."""
    batches: str = "generated"
    """What :meth:`batch` makes: "generated" or "embedded" examples of the task itself, or "synthetic"
    sequences that stand in for published data and can only be traced."""
    documents: int = 1
    """Sequences of one example, each right-aligned in its own equal part of the padded length."""

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

        _check_count(n)
        _check_seed(seed)
        if length is not None and not 0 <= length[0] < length[1] - 1 <= self.padded_length:
            raise InputError(
                "bad length bounds",
                where="length",
                value=length,
                allowed=f"0 <= low, low + 1 < high <= {self.padded_length + 1} (both strict)",
            )
        if length is not None and self.fixed_length:
            raise InputError("every sequence of this task has the same length", where="length", value=length)
        found, labels = self.source(n, seed, self.padded_length, length)
        tokens = pad_in_front(found, self.padded_length, self.documents)
        return Batch(
            tokens=torch.from_numpy(tokens),
            lengths=torch.from_numpy((tokens > 0).sum(axis=1)),
            labels=torch.from_numpy(labels),
            sha256=hashlib.sha256(tokens.astype("<i8").tobytes()).hexdigest(),
        )

    def split(
        self, which: str, *, data: Path | str | None = None, n: int | None = None, seed: int = 0
    ) -> Examples:
        """Return the labelled examples of one split, made or read.

        Args:
            which: "train", "validation" or "test".
            data: folder or archive with the published files; None generates, where that is possible.
            n: take only so many of them; the first k of n are those of k.
            seed: of what is generated or drawn; the same seed gives the same examples on every machine.

        Raises:
            InputError: an unknown split, a bad count or seed, more examples than there are, files that
                are missing or malformed.
        """
        if which not in SPLITS:
            raise InputError(
                "unknown split",
                where="split",
                value=which,
                allowed=", ".join(SPLITS),
                nearest=nearest_name(str(which), SPLITS),
            )
        _check_seed(seed)
        if n is not None:
            _check_count(n)
        path = None if data is None else Path(data).expanduser()
        return self.loader(which, self.padded_length, data=path, n=n, seed=seed)


def pad_in_front(sequences: list[NDArray[np.int64]], length: int, documents: int = 1) -> NDArray[np.int64]:
    """Right-align sequences with id 0 in front; ``documents`` of them share a row of ``length``."""
    part = length // documents
    tokens = np.zeros((len(sequences), part), dtype=np.int64)
    for row, sequence in zip(tokens, sequences, strict=True):
        row[part - len(sequence) :] = sequence
    return tokens.reshape(-1, length)


def _check_count(n: object) -> None:
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise InputError("bad number of sequences", value=n, allowed="a whole number of at least 1")


def _check_seed(seed: object) -> None:
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise InputError("bad seed", where="--seed", value=seed, allowed="a whole number of at least 0")


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
