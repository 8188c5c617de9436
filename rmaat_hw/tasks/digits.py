"""Handwritten digits of 8 × 8 pixels, embedded in scikit-learn: pictures that train without a download.

Source: "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI machine learning
repository, doi 10.24432/C50P49 (CC BY 4.0), its test part as scikit-learn's ``load_digits`` ships it:
1,797 pictures, grey values 0 to 16.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.files import random_order

LENGTH = 64
VOCABULARY = 18
"""Padding and 17 grey values; the token is the value plus one."""
SIZES = {"train": 1347, "validation": 150, "test": 300}


def load(which: str, padded_length: int, *, data: Path | None, n: int | None, seed: int) -> Examples:
    """One split; a permutation drawn by the seed is cut into test, validation and train."""
    if data is not None:
        raise InputError(
            "the digits are embedded, they are read from no file",
            where="--data",
            value=str(data),
            remedy="leave --data away",
        )
    pictures, labels = _all()
    order = random_order(len(labels), seed, "digits")
    start = {"test": 0, "validation": SIZES["test"], "train": SIZES["test"] + SIZES["validation"]}[which]
    size = SIZES[which]
    if n is not None and n > size:
        raise InputError(
            f"the {which} split has fewer examples", where="n", value=n, allowed=f"at most {size}"
        )
    mine = order[start : start + (size if n is None else n)]
    return Examples(
        values=pictures[mine].ravel(),
        offsets=np.arange(len(mine) + 1, dtype=np.int64) * LENGTH,
        labels=labels[mine],
        padded_length=padded_length,
        source=(
            f"scikit-learn's embedded digits (UCI, doi 10.24432/C50P49), {which} split "
            f"of {size} drawn with seed {seed}"
        ),
        shift=1,
    )


def source(
    n: int, seed: int, padded_length: int, length: tuple[int, int] | None
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Pictures for :meth:`Task.batch`, in an order drawn by the seed."""
    pictures, labels = _all()
    if n > len(labels):
        raise InputError("there are fewer digits", where="n", value=n, allowed=f"at most {len(labels)}")
    order = random_order(len(labels), seed, "digits")[:n]
    return [pictures[k].astype(np.int64)[:padded_length] + 1 for k in order], labels[order]


def _all() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    pictures, labels = load_digits(return_X_y=True)
    values: NDArray[Any] = np.asarray(pictures)
    return values.astype(np.uint8), np.asarray(labels).astype(np.int64)
