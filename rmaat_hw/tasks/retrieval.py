"""Retrieval: does one of two papers cite the other? Pairs of the ACL Anthology Network, byte by byte.

Source: the Long Range Arena (arXiv 2011.04006), folder tsv_data of its archive: lines of
``label, id1, id2, text1, text2`` separated by tabs, without quoting or header. 4,000 bytes of a document
are kept, as in the Arena; each document stands right-aligned in its own half of the sequence.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.tasks import synthetic
from rmaat_hw.tasks.examples import Examples, pack
from rmaat_hw.tasks.files import LRA_ARCHIVE, chosen, line_starts, required, table, taken
from rmaat_hw.tasks.progress import track

LENGTH = 4000
"""Bytes kept of a document, from its start."""
VOCABULARY = 257
"""Padding and 256 bytes; the token is the byte plus one."""
SIZES = {"train": 147_086}
"""Published pairs, as far as the reference of this project states them."""

_FILES = {
    "train": "new_aan_pairs.train.tsv",
    "validation": "new_aan_pairs.eval.tsv",
    "test": "new_aan_pairs.test.tsv",
}
_PREFIXES = ("", "tsv_data/", "lra_release/tsv_data/", "lra_release/lra_release/tsv_data/")
_ORIGIN = f"lra_release.gz ({LRA_ARCHIVE}), folder tsv_data"
_COLUMNS = ("label", "id1", "id2", "text1", "text2")


def load(which: str, padded_length: int, *, data: Path | None, n: int | None, seed: int) -> Examples:
    """One split from its TSV file."""
    given = required(data, what="the pairs of the ACL Anthology Network", origin=_ORIGIN)
    path = table(given, [prefix + _FILES[which] for prefix in _PREFIXES], origin=_ORIGIN)
    with path.open("rb") as file:
        starts, digest = line_starts(file, path, origin=_ORIGIN)
        mine = chosen(len(starts) - 1, n, seed, which=which, where=str(path))
        documents: list[bytes] = []
        labels = []
        for index in track(mine, len(mine), "pairs"):
            file.seek(starts[index])
            label, first, second = _pair(file.readline(), f"{path}, line {index + 1}")
            labels.append(label)
            documents += [first, second]
    return pack(
        documents,
        labels,
        padded_length=padded_length,
        source=(
            f"pairs of the ACL Anthology Network, {path.name}, SHA-256 {digest[:16]}…, byte by byte, the "
            f"first {LENGTH} of each document; {which} split, {taken(n, len(starts) - 1, seed)}"
        ),
        shift=1,
        documents=2,
    )


def source(
    n: int, seed: int, padded_length: int, length: tuple[int, int] | None
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Synthetic pairs for :meth:`Task.batch`: frequent English words in no order."""
    draw = random.Random(seed)
    size = min(LENGTH, padded_length // 2)
    found = []
    for _ in range(2 * n):
        if length is not None:
            size = (length[0] + 1 + int(draw.random() * (length[1] - length[0] - 1))) // 2
        found.append(np.frombuffer(synthetic.words(draw, size), dtype=np.uint8).astype(np.int64) + 1)
    return found, np.arange(n, dtype=np.int64) % 2


def _pair(line: bytes, where: str) -> tuple[int, bytes, bytes]:
    fields = line.rstrip(b"\r\n").split(b"\t")
    if len(fields) != len(_COLUMNS):
        raise InputError(
            "a line has five fields separated by tabs: " + ", ".join(_COLUMNS),
            where=where,
            value=f"{len(fields)} fields",
        )
    label = {b"0": 0, b"1": 1, b"0.0": 0, b"1.0": 1}.get(fields[0])
    if label is None:
        raise InputError(
            "the first field is no label",
            where=where,
            value=fields[0][:40].decode("latin-1"),
            allowed="0 or 1",
        )
    return label, fields[3][:LENGTH], fields[4][:LENGTH]
