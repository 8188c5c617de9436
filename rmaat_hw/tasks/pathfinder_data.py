"""Splits of Pathfinder: generated pictures, or the published PNG files."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.tasks import pathfinder
from rmaat_hw.tasks.cache import cached
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.files import LRA_ARCHIVE, chosen, missing, random_order, taken, within
from rmaat_hw.tasks.progress import track

LENGTH = pathfinder.SIZE**2
SIZES = {"train": 160_000, "validation": 20_000, "test": 20_000}
FOLDERS = {
    "easy": "curv_baseline",
    "intermediate": "curv_contour_length_9",
    "hard": "curv_contour_length_14",
}
"""Published folder of each difficulty."""

EMPTY = "curv_baseline/imgs/0/sample_172.png"
"""The one published picture of no bytes; it is left out."""

_VERSION = 1  # of the generator; raised when other pictures come out
_STARTS = {"test": 0, "validation": 20_000, "train": 40_000}  # index of each split's first picture
_CHUNK = 500  # pictures of one worker's task
_BLOCK = 10_000  # pictures of one file on the disk
_ORIGIN = f"lra_release.gz ({LRA_ARCHIVE}), folder pathfinder32"


def load(
    which: str,
    padded_length: int,
    *,
    data: Path | None,
    n: int | None,
    seed: int,
    difficulty: str = "hard",
) -> Examples:
    """One split, generated where no ``data`` are given."""
    if data is not None:
        return _read(which, padded_length, data, n, seed, difficulty)
    size = SIZES[which]
    if n is not None and n > size:
        raise InputError(
            f"the {which} split has fewer examples", where="n", value=n, allowed=f"at most {size}"
        )
    length = pathfinder.CONTOUR_LENGTHS[difficulty]
    start = _STARTS[which]
    wanted = size if n is None else n
    if wanted < _BLOCK:
        pictures = generate(start, start + wanted, length=length, seed=seed)
    else:
        blocks = [_block(first, length, seed) for first in range(start, start + wanted, _BLOCK)]
        pictures = np.concatenate(blocks)[:wanted]
    labels = np.array([pathfinder.label_of(start + k, seed) for k in range(len(pictures))], dtype=np.int64)
    sentence = (
        f"generated pictures of the kind of Pathfinder (arXiv 1805.08315), paths of {length} dashes, "
        f"seed {seed}; {which} split"
    )
    return _examples(pictures, labels, padded_length, sentence)


def _block(start: int, length: int, seed: int) -> NDArray[np.uint8]:
    """Pictures from ``start`` on, kept on disk, so that an interrupted generation goes on where it was."""
    key = {"length": length, "seed": seed, "start": start, "size": _BLOCK, "version": _VERSION}
    make = partial(generate, start, start + _BLOCK, length=length, seed=seed)
    return cached("pathfinder", key, lambda: {"pictures": make()})["pictures"]


def source(
    n: int, seed: int, padded_length: int, length: tuple[int, int] | None, difficulty: str = "hard"
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Pictures for :meth:`Task.batch`."""
    drawn = pathfinder.pictures(0, n, length=pathfinder.CONTOUR_LENGTHS[difficulty], seed=seed)
    labels = np.array([pathfinder.label_of(k, seed) for k in range(n)], dtype=np.int64)
    return list(drawn.astype(np.int64)[:, :padded_length] + 1), labels


def _examples(
    pictures: NDArray[np.uint8], labels: NDArray[np.int64], padded_length: int, sentence: str
) -> Examples:
    return Examples(
        values=pictures.reshape(-1),
        offsets=np.arange(len(pictures) + 1, dtype=np.int64) * LENGTH,
        labels=labels,
        padded_length=padded_length,
        source=sentence,
        shift=1,
    )


def generate(start: int, stop: int, *, length: int, seed: int) -> NDArray[np.uint8]:
    """:func:`pathfinder.pictures` on all cores, uint8 [n, 1024].

    The workers are programs of their own, not forks: a caller's threads and an unguarded main module
    do no harm.
    """
    workers = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if stop - start <= _CHUNK or workers == 1:
        return pathfinder.pictures(start, stop, length=length, seed=seed)
    found = np.empty((stop - start, LENGTH), dtype=np.uint8)
    starts = range(start, stop, _CHUNK)
    pool = ThreadPoolExecutor(workers)
    try:
        parts = pool.map(partial(_in_a_worker, stop=stop, length=length, seed=seed), starts)
        for first, part in track(zip(starts, parts, strict=True), len(starts), "pictures, by 500"):
            found[first - start : first - start + len(part)] = part
    finally:
        pool.shutdown(cancel_futures=True)  # an interrupt does not wait for all that is still to come
    return found


def _in_a_worker(start: int, *, stop: int, length: int, seed: int) -> NDArray[np.uint8]:
    stop = min(start + _CHUNK, stop)
    call = f"pathfinder.pictures({start}, {stop}, length={length}, seed={seed})"
    program = f"import sys; from rmaat_hw.tasks import pathfinder; sys.stdout.buffer.write({call}.tobytes())"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True, env=environment)
    return np.frombuffer(done.stdout, dtype=np.uint8).reshape(stop - start, LENGTH)


def _read(which: str, padded_length: int, data: Path, n: int | None, seed: int, difficulty: str) -> Examples:
    """Published pictures: a permutation drawn by the seed is cut 80 / 10 / 10, as the Arena's shares."""
    names = [f"{prefix}{FOLDERS[difficulty]}" for prefix in _PREFIXES]
    folder = data if data.name == FOLDERS[difficulty] else within(data, names, origin=_ORIGIN)
    rows = list(_metadata(folder))
    if n is None and len(rows) < sum(SIZES.values()) - 1:
        raise InputError(
            "the copy is not whole",
            where=str(folder),
            value=f"{len(rows)} pictures",
            allowed=f"{sum(SIZES.values())}",
            remedy=f"unpack {_ORIGIN} again; a part is taken only together with a number of examples",
        )
    order = random_order(len(rows), seed, "pathfinder split")
    tenth = len(rows) // 10
    mine = {"test": order[:tenth], "validation": order[tenth : 2 * tenth], "train": order[2 * tenth :]}[which]
    mine = mine[chosen(len(mine), n, seed, which=which, where=str(folder))]
    pictures = np.empty((len(mine), LENGTH), dtype=np.uint8)
    for row, index in zip(pictures, track(mine, len(mine), "pictures"), strict=True):
        row[:] = _pixels(rows[index][0])
    labels = np.array([rows[index][1] for index in mine], dtype=np.int64)
    part = taken(n, len(order) - 2 * tenth if which == "train" else tenth, seed)
    sentence = (
        f"published Pathfinder32, {folder.name}, {len(rows)} pictures split 80/10/10 with seed {seed}; "
        f"{which} split, {part}"
    )
    return _examples(pictures, labels, padded_length, sentence)


_PREFIXES = ("", "pathfinder32/", "lra_release/pathfinder32/", "lra_release/lra_release/pathfinder32/")


def _metadata(folder: Path) -> Iterator[tuple[Path, int]]:
    """Picture and label of every line of ``metadata/*.npy``, in the order of their numbers."""
    files = sorted((folder / "metadata").glob("*.npy"), key=lambda path: (len(path.stem), path.stem))
    if not files:
        raise missing(folder / "metadata" / "0.npy", _ORIGIN)
    for file in files:
        for number, words in enumerate(_rows(file), start=1):
            where = f"{file}, line {number}"
            if len(words) < 4 or words[3] not in ("0", "1"):
                raise InputError(
                    "a line of this metadata names a folder, a picture, its number and its label, 0 or 1",
                    where=where,
                    value=" ".join(words)[:80],
                )
            name = Path(words[0]) / words[1]
            if name.is_absolute() or ".." in name.parts:
                raise InputError("the picture lies outside the folder", where=where, value=str(name))
            if f"{folder.name}/{name.as_posix()}" == EMPTY:
                continue
            yield folder / name, int(words[3])


def _rows(file: Path) -> list[list[str]]:
    """Words of each line; the published files are text despite their name, arrays of text are read too."""
    if file.read_bytes()[:6] == b"\x93NUMPY":
        try:
            array = np.load(file, allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise InputError(
                "this array cannot be read without running code in it, or is cut off", where=str(file)
            ) from error
        return [[str(word) for word in row] for row in np.atleast_2d(array)]
    try:
        return [line.split() for line in file.read_text(encoding="ascii").splitlines() if line.strip()]
    except UnicodeDecodeError as error:
        raise InputError("this metadata is no text", where=str(file)) from error


def _pixels(path: Path) -> NDArray[np.uint8]:
    """Grey values of one picture, uint8 [1024]."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            if picture.size != (pathfinder.SIZE, pathfinder.SIZE):
                raise InputError(
                    "the picture has another size",
                    where=str(path),
                    value=f"{picture.width} × {picture.height}",
                    allowed="32 × 32",
                )
            return np.asarray(picture.convert("L"), dtype=np.uint8).reshape(-1)
    except FileNotFoundError as error:
        raise missing(path, _ORIGIN) from error
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InputError(
            "this picture cannot be read",
            where=str(path),
            remedy=f"it may be cut off; unpack {_ORIGIN} again",
        ) from error
