"""Text: is a film review positive? Classification of IMDB reviews, byte by byte.

Source: A. Maas et al., "Learning word vectors for sentiment analysis", ACL 2011,
https://ai.stanford.edu/~amaas/data/sentiment/. The bytes are the vocabulary (RECOMMENDED; the Long Range
Arena encodes bytes too, the usual PyTorch loader takes characters that occur 15 times): the token is the
byte plus one. The Arena has no validation part, its test reviews serve as both, and so do they here.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.tasks import synthetic
from rmaat_hw.tasks.cache import Arrays, cached
from rmaat_hw.tasks.examples import Examples, pack
from rmaat_hw.tasks.files import check_archive, chosen, is_tar, missing, open_tar, required, taken
from rmaat_hw.tasks.progress import track

LENGTH = 4096
"""Tokens kept of a review, from its start."""
VOCABULARY = 257
"""Padding and 256 bytes."""
SIZES = {"train": 25_000, "validation": 25_000, "test": 25_000}

ARCHIVE = "aclImdb_v1.tar.gz"
ARCHIVE_MD5 = "7c2ac02c03563afcf9b574c7e56c153a"
FOLDER = "aclImdb"

_ORIGIN = f"{ARCHIVE} (https://ai.stanford.edu/~amaas/data/sentiment/{ARCHIVE})"
_VERSION = 1  # of the arrays kept of an archive
_CLASSES = ("neg", "pos")
_MEMBER = re.compile(rf"(?:\./)?{FOLDER}/(train|test)/(neg|pos)/(\d+)_\d+\.txt")
_NAME = re.compile(r"(\d+)_\d+\.txt")

Review = tuple[int, int, bytes]
"""Number of the review in its folder, class, first bytes."""


def load(which: str, padded_length: int, *, data: Path | None, n: int | None, seed: int) -> Examples:
    """One split from the archive, or from the folder that it unpacks to."""
    path = required(data, what="the IMDB reviews", origin=_ORIGIN)
    part = "train" if which == "train" else "test"
    if is_tar(path):
        digest, told = check_archive(path, ARCHIVE_MD5, n, origin=_ORIGIN)
        where = f"{path}: {FOLDER}/{part}"
        key = {"md5": digest, "part": part, "length": LENGTH, "version": _VERSION}
        arrays = cached("text", key, lambda: _packed(_from_archive(path, part)))
    else:
        folder = path / FOLDER if (path / FOLDER).is_dir() else path
        told = f"folder {folder.name}"
        where = str(folder / part)
        arrays = _packed(_from_folder(folder / part))
    labels = arrays["labels"]
    for kind, name in enumerate(_CLASSES):
        count = int((labels == kind).sum())
        if not count:
            raise missing(f"{where}/{name}", _ORIGIN)
        if n is None and 2 * count != SIZES[which]:
            raise InputError(
                "the copy is not whole",
                where=f"{where}/{name}",
                value=f"{count} reviews",
                allowed=f"{SIZES[which] // 2}",
                remedy=f"unpack {_ORIGIN} again; a part is taken only together with a number of examples",
            )
    also = ", the published test reviews, which serve as both" if which == "validation" else ""
    everything = Examples(
        values=arrays["values"],
        offsets=arrays["offsets"],
        labels=labels,
        padded_length=padded_length,
        source=(
            f"IMDB reviews, {told}, byte by byte, the first {LENGTH}; {which} split{also}, "
            f"{taken(n, len(labels), seed)}"
        ),
        shift=1,
    )
    if n is None:
        return everything
    return everything.take(chosen(len(labels), n, seed, which=which, where=where))


def _packed(reviews: Iterable[Review]) -> Arrays:
    """Reviews in the order of their numbers, the two classes by turns."""
    found = sorted(reviews, key=lambda review: review[:2])
    packed = pack([r[2] for r in found], [r[1] for r in found], padded_length=LENGTH, source="")
    return {"values": packed.values, "offsets": packed.offsets, "labels": packed.labels}


def source(
    n: int, seed: int, padded_length: int, length: tuple[int, int] | None
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Synthetic reviews for :meth:`Task.batch`: frequent English words in no order."""
    draw = random.Random(seed)
    found = []
    for _ in range(n):
        size = synthetic.review_length(draw, padded_length)
        if length is not None:
            size = length[0] + 1 + int(draw.random() * (length[1] - length[0] - 1))
        found.append(np.frombuffer(synthetic.words(draw, size), dtype=np.uint8).astype(np.int64) + 1)
    return found, np.arange(n, dtype=np.int64) % 2


def _from_folder(folder: Path) -> Iterator[Review]:
    for kind, name in enumerate(_CLASSES):
        if not (folder / name).is_dir():
            raise missing(folder / name, _ORIGIN)
        files = [path for path in (folder / name).iterdir() if _NAME.fullmatch(path.name)]
        for path in track(files, len(files), f"reviews, {name}"):
            with path.open("rb") as file:
                yield _review(path.name, kind, file.read(LENGTH), str(path))


def _from_archive(path: Path, part: str) -> Iterator[Review]:
    with open_tar(path) as archive:
        for member in track(archive, 100_000, "reviews"):  # with the 50,000 that have no label
            match = _MEMBER.fullmatch(member.name)
            if match is None or match[1] != part or not member.isfile():
                continue
            file = archive.extractfile(member)
            assert file is not None  # it is a regular file
            name = member.name.rsplit("/", 1)[-1]
            yield _review(name, _CLASSES.index(match[2]), file.read(LENGTH), f"{path}: {member.name}")


def _review(name: str, kind: int, content: bytes, where: str) -> Review:
    if not content:
        raise InputError("this review is empty", where=where, remedy=f"unpack {_ORIGIN} again")
    return int(name.split("_")[0]), kind, content
