"""Image: CIFAR-10 in grey, a picture as a sequence of 1024 pixels.

Source: A. Krizhevsky, "Learning multiple layers of features from tiny images", 2009,
https://www.cs.toronto.edu/~kriz/cifar.html, in its binary version (the Python version is pickled, and
reading it would run code from it). A file is 10,000 records of one label and 3 × 1024 bytes: red, green,
blue. The Long Range Arena turns them grey with TensorFlow's weights and trains on the first nine tenths
of the training files; which nine tenths depends on its reader's order, here it is the order of the files.
"""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.tasks import synthetic
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.files import check_archive, chosen, is_tar, missing, open_tar, required, taken

LENGTH = 1024
VOCABULARY = 257
"""Padding and 256 grey values; the token is the value plus one."""
CLASSES = 10
SIZES = {"train": 45_000, "validation": 5_000, "test": 10_000}

ARCHIVE = "cifar-10-binary.tar.gz"
ARCHIVE_MD5 = "c32a1d4ab5d03f1284b67883e8d87530"
"""As printed on the page of the data set."""
FOLDER = "cifar-10-batches-bin"
GREY = (0.2989, 0.5870, 0.1140)
"""Weights of red, green and blue in tf.image.rgb_to_grayscale, which the Arena uses."""

_RECORD = 1 + 3 * LENGTH
_RECORDS = 10_000  # of a published file
_FILES = {
    "train": [f"data_batch_{k}.bin" for k in range(1, 6)],
    "validation": [f"data_batch_{k}.bin" for k in range(1, 6)],
    "test": ["test_batch.bin"],
}
_ORIGIN = f"{ARCHIVE} (https://www.cs.toronto.edu/~kriz/{ARCHIVE})"


def load(which: str, padded_length: int, *, data: Path | None, n: int | None, seed: int) -> Examples:
    """One split from the binary version: its archive, or the folder that it unpacks to."""
    path = required(data, what="CIFAR-10", origin=_ORIGIN)
    if "python" in path.name or path.name == "cifar-10-batches-py" or (path / "cifar-10-batches-py").is_dir():
        raise InputError(
            "this is the Python version of CIFAR-10, pickled files that run code when read",
            where=str(path),
            remedy=f"take the binary version, {_ORIGIN}",
        )
    if is_tar(path):
        _, told = check_archive(path, ARCHIVE_MD5, n, origin=_ORIGIN)
        contents = _from_archive(path, _FILES[which])
    else:
        folder = path / FOLDER if (path / FOLDER).is_dir() else path
        told = f"folder {folder.name}"
        contents = _from_folder(folder, _FILES[which])
    records = np.concatenate([_records(content, where, n) for where, content in contents])
    if which != "test":
        cut = len(records) - len(records) // 10
        records = records[:cut] if which == "train" else records[cut:]
    mine = chosen(len(records), n, seed, which=which, where=str(path))
    grey = to_grey(records[mine, 1:].reshape(-1, 3, LENGTH))
    return Examples(
        values=grey.reshape(-1),
        offsets=np.arange(len(mine) + 1, dtype=np.int64) * LENGTH,
        labels=records[mine, 0].astype(np.int64),
        padded_length=padded_length,
        source=(
            f"CIFAR-10, binary version, {told}, grey by {GREY[0]:.4f} R + {GREY[1]:.4f} G + {GREY[2]:.4f} B; "
            f"{which} split, {taken(n, len(records), seed)}"
        ),
        shift=1,
    )


def source(
    n: int, seed: int, padded_length: int, length: tuple[int, int] | None
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Synthetic pictures for :meth:`Task.batch`."""
    draw = random.Random(seed)
    pictures = [synthetic.picture(draw).astype(np.int64)[:padded_length] + 1 for _ in range(n)]
    return pictures, np.array([k % CLASSES for k in range(n)], dtype=np.int64)


def to_grey(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Grey values of pictures, uint8 [n, 3, pixels] to uint8 [n, pixels].

    As TensorFlow does it: the weighted sum as a fraction of 255, times 255.5, cut to a whole number.
    """
    found = np.empty((len(colours), colours.shape[2]), dtype=np.uint8)
    weights = np.array(GREY) / 255 * 255.5
    for start in range(0, len(colours), 1000):
        part = colours[start : start + 1000]
        found[start : start + 1000] = np.tensordot(part, weights, axes=(1, 0)).astype(np.uint8)
    return found


def _from_folder(folder: Path, names: list[str]) -> list[tuple[str, bytes]]:
    for name in names:
        if not (folder / name).is_file():
            raise missing(folder / name, _ORIGIN)
    return [(str(folder / name), (folder / name).read_bytes()) for name in names]


def _from_archive(path: Path, names: list[str]) -> list[tuple[str, bytes]]:
    found: dict[str, bytes] = {}
    with open_tar(path) as archive:
        for member in archive:
            name = member.name.rsplit("/", 1)[-1]
            if member.isfile() and name in names and member.name.endswith(f"{FOLDER}/{name}"):
                file = archive.extractfile(member)
                assert file is not None  # it is a regular file
                found[name] = file.read(_RECORD * _RECORDS + 1)
    for name in names:
        if name not in found:
            raise missing(f"{path}: {FOLDER}/{name}", _ORIGIN)
    return [(f"{path}: {name}", found[name]) for name in names]


def _records(content: bytes, where: str, n: int | None) -> NDArray[np.uint8]:
    """Records of one file, uint8 [records, 3073], checked."""
    records, rest = divmod(len(content), _RECORD)
    if rest or not records or (n is None and records != _RECORDS):
        raise InputError(
            "this file has another size: it is cut off or no binary CIFAR-10 batch",
            where=where,
            value=f"{len(content)} bytes",
            allowed=f"{_RECORDS * _RECORD} bytes, {_RECORDS} records of {_RECORD}",
            remedy=f"get {_ORIGIN} again",
        )
    table = np.frombuffer(content, dtype=np.uint8).reshape(records, _RECORD)
    wrong = np.flatnonzero(table[:, 0] >= CLASSES)
    if len(wrong):
        raise InputError(
            "a record has no label of CIFAR-10",
            where=f"{where}, record {wrong[0] + 1}",
            value=int(table[wrong[0], 0]),
            allowed="0 … 9",
        )
    return table
