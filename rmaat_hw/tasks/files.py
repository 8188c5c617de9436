"""What all readers of published files share: finding them, checking them, and what is said of them.

A copy must be the published one, whole, unless the caller takes ``n`` examples of it: then a part in the
same format is enough, and the source sentence says that it is a part.
"""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError

LRA_ARCHIVE = "https://storage.googleapis.com/long-range-arena/lra_release.gz"
"""Archive of the Long Range Arena: a gzip-compressed tar with all its files."""

_BLOCK = 1 << 20


def required(data: Path | None, *, what: str, origin: str) -> Path:
    """The user's path, if one was given and exists."""
    if data is None:
        raise InputError(
            f"{what} cannot be generated: the published files are needed",
            where="--data",
            remedy=f"get {origin} and name the file or its folder with --data",
        )
    if not data.exists():
        raise InputError(
            "no such file or folder",
            where="--data",
            value=str(data),
            remedy=f"get {origin} and name the file or its folder",
        )
    return data


def within(data: Path, names: Sequence[str], *, origin: str) -> Path:
    """The first of ``names`` (relative paths) that lies in the folder ``data``."""
    for name in names:
        if (data / name).exists():
            return data / name
    raise missing(data / names[0], origin)


def table(data: Path, names: Sequence[str], *, origin: str) -> Path:
    """A table of text that the user names itself, or by a folder in which it is one of ``names``."""
    if data.is_file() and data.suffix in (".gz", ".tgz", ".zip"):
        raise InputError(
            "this is an archive", where="--data", value=str(data), remedy="unpack it and name the folder"
        )
    return data if data.is_file() else within(data, names, origin=origin)


def missing(path: Path | str, origin: str) -> InputError:
    """The error for a file of a published set that is not there."""
    return InputError("this file is missing", where=str(path), remedy=f"it is part of {origin}")


def md5(path: Path) -> str:
    """Digest of a file, for comparison with a published one; not for security."""
    digest = hashlib.md5(usedforsecurity=False)
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def check_archive(path: Path, published: str, n: int | None, *, origin: str) -> tuple[str, str]:
    """Compare an archive with its published MD5; its MD5 and what to say of it in the source sentence."""
    found = md5(path)
    if found == published:
        return found, f"{path.name} (MD5 as published)"
    if n is None:
        raise InputError(
            "this is not the published archive: its MD5 differs",
            where=str(path),
            value=found,
            allowed=published,
            remedy=f"get {origin} again; a part of it is taken only together with a number of examples",
        )
    return found, f"{path.name} (MD5 {found}, not the published archive)"


def line_starts(file: BinaryIO, path: Path, *, origin: str) -> tuple[list[int], str]:
    """Byte at which each line of a file starts, the end of the file behind them, and its SHA-256.

    So that a line can be read alone: published files are larger than their examples in memory.
    """
    starts = [0]
    digest = hashlib.sha256()
    line = b""
    for line in file:
        starts.append(starts[-1] + len(line))
        digest.update(line)
    if not line.endswith(b"\n"):
        where = f"{path}, line {max(1, len(starts) - 1)}"
        raise InputError("the file is empty or cut off", where=where, remedy=f"get {origin} again")
    return starts, digest.hexdigest()


@contextmanager
def open_tar(path: Path) -> Iterator[tarfile.TarFile]:
    """Open a gzip-compressed tar for reading member by member; nothing is written anywhere."""
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            yield archive
    except (tarfile.TarError, EOFError, OSError) as error:
        raise InputError(
            "this archive cannot be read to its end",
            where=str(path),
            remedy=f"it may be cut off or no .tar.gz ({error}); get it again",
        ) from error


def is_tar(path: Path) -> bool:
    """Whether a path names a compressed archive rather than a folder."""
    return path.is_file() and path.name.endswith((".tar.gz", ".tgz"))


def random_order(n: int, seed: int, name: str) -> NDArray[np.int64]:
    """A permutation of 0 … n-1, the same on every machine: the order of raw bits of Philox."""
    key = int.from_bytes(hashlib.sha256(f"{name} {seed}".encode()).digest()[:16], "little")
    return np.argsort(np.random.Philox(key=key).random_raw(n), kind="stable")


def chosen(available: int, n: int | None, seed: int, *, which: str, where: str) -> NDArray[np.int64]:
    """Which of the ``available`` examples to take: all in their order, or ``n`` drawn by the seed."""
    if n is None:
        return np.arange(available)
    if n > available:
        raise InputError(
            f"the {which} split has fewer examples there",
            where=where,
            value=n,
            allowed=f"at most {available}",
        )
    return random_order(available, seed, f"choose {which}")[:n]


def taken(n: int | None, available: int, seed: int) -> str:
    """For the source sentence: what part of the split was taken."""
    return f"all {available}" if n is None else f"{n} of {available}, drawn with seed {seed}"
