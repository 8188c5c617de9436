"""Labelled sequences of one split, stored end to end and padded only when a batch is made."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Examples:
    """Sequences with their labels.

    An example has ``documents`` sequences, each right-aligned in its own equal part of the padded
    length. Sequences are stored without padding, one behind the other.
    """

    values: NDArray[np.uint8]
    """Tokens of all sequences, uint8, 1-D; the token id is the value plus ``shift``."""
    offsets: NDArray[np.int64]
    """Sequence k is ``values[offsets[k]:offsets[k + 1]]``; int64 [n · documents + 1]."""
    labels: NDArray[np.int64]
    """Class of each example, int64 [n]."""
    padded_length: int
    """Tokens L of a padded example."""
    source: str
    """One sentence: where the examples come from."""
    shift: int = 0
    """Added to a stored value, so that id 0 stays the padding where 0 is a value (pixels, bytes)."""
    documents: int = 1
    """Sequences of one example: 1, or 2 where documents are compared."""

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> NDArray[np.int64]:
        """Real tokens of each example, at most the padded length; int64 [n]."""
        part = self.padded_length // self.documents
        kept = np.minimum(np.diff(self.offsets), part).reshape(-1, self.documents)
        return kept.sum(axis=1, dtype=np.int64)

    @cached_property
    def sha256(self) -> str:
        """Digest of stored values, offsets and labels (little-endian), shift and documents."""
        digest = hashlib.sha256(f"{self.values.dtype.str} {self.shift} {self.documents}".encode())
        for array in (self.values, self.offsets.astype("<i8"), self.labels.astype("<i8")):
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()

    def sequence(self, index: int, document: int = 0) -> NDArray[np.int64]:
        """Token ids of one sequence without padding, int64 [tokens]."""
        row = index * self.documents + document
        start, stop = self.offsets[row], self.offsets[row + 1]
        return self.values[start:stop].astype(np.int64) + self.shift

    def batch(self, indices: Sequence[int] | NDArray[np.integer] | torch.Tensor) -> tuple[Any, Any]:
        """Pad the examples of ``indices`` in front.

        What is longer than its place keeps its first tokens, as in the Long Range Arena.

        Returns:
            Tokens int64 [B, L] and labels int64 [B], both torch tensors.

        Raises:
            InputError: an index outside 0 … n-1.
        """
        import torch

        wanted = np.asarray(indices, dtype=np.int64)
        if wanted.ndim != 1:
            raise InputError("indices of a batch must be one list", value=list(wanted.shape), allowed="[B]")
        if wanted.size and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise InputError(
                "no such example", where="batch", value=int(wanted.max()), allowed=f"0 … {len(self) - 1}"
            )
        part = self.padded_length // self.documents
        tokens = np.zeros((len(wanted) * self.documents, part), dtype=np.int64)
        rows = (wanted[:, None] * self.documents + np.arange(self.documents)).ravel()
        for place, row in zip(tokens, rows, strict=True):
            start = self.offsets[row]
            kept = min(int(self.offsets[row + 1] - start), part)
            if kept:
                place[part - kept :] = self.values[start : start + kept]
                place[part - kept :] += self.shift
        shape = (len(wanted), self.padded_length)
        return torch.from_numpy(tokens.reshape(shape)), torch.from_numpy(self.labels[wanted])

    def take(self, indices: NDArray[np.integer]) -> Examples:
        """The examples of ``indices``, in that order."""
        rows = (np.asarray(indices)[:, None] * self.documents + np.arange(self.documents)).ravel()
        lengths = np.diff(self.offsets)[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        parts = [self.values[self.offsets[row] : self.offsets[row + 1]] for row in rows]
        values = np.concatenate(parts) if parts else self.values[:0]
        return replace(self, values=values, offsets=offsets, labels=self.labels[np.asarray(indices)])

    def padded_to(self, padded_length: int) -> Examples:
        """The same examples for another padded length; what is longer keeps its first tokens.

        Raises:
            InputError: a length that does not give every document an equal part.
        """
        if padded_length < self.documents or padded_length % self.documents:
            raise InputError(
                "documents get equal parts of the padded length",
                where="padded length",
                value=padded_length,
                allowed=f"a positive multiple of {self.documents}",
            )
        return replace(self, padded_length=padded_length)


def pack(
    sequences: Sequence[bytes],
    labels: Sequence[int] | NDArray[np.integer],
    *,
    padded_length: int,
    source: str,
    shift: int = 0,
    documents: int = 1,
) -> Examples:
    """Store sequences of bytes end to end; they are n · ``documents``, those of an example side by side."""
    arrays = [np.frombuffer(sequence, dtype=np.uint8) for sequence in sequences]
    offsets = np.zeros(len(arrays) + 1, dtype=np.int64)
    np.cumsum([len(a) for a in arrays], out=offsets[1:])
    values = np.empty(int(offsets[-1]), dtype=np.uint8)
    for array, start in zip(arrays, offsets[:-1], strict=True):
        values[start : start + len(array)] = array
    return Examples(
        values=values,
        offsets=offsets,
        labels=np.asarray(labels, dtype=np.int64),
        padded_length=padded_length,
        source=source,
        shift=shift,
        documents=documents,
    )
