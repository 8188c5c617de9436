"""Generated splits kept on disk, so that a long generation is done once.

A file is named after everything that its content follows from (law, seed, sizes, version of the
generator), is written atomically, and is checked against its own digest when read; a file that fails
the check is made again.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.runs import write_atomically

FOLDER_VARIABLE = "RMAAT_HW_CACHE"
Arrays = dict[str, NDArray[Any]]


def cache_folder() -> Path:
    """Folder for generated data: $RMAAT_HW_CACHE, else rmaat-hw under the user's cache folder."""
    chosen = os.environ.get(FOLDER_VARIABLE)
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "rmaat-hw"


def cached(kind: str, key: Mapping[str, Any], make: Callable[[], Arrays]) -> Arrays:
    """Return ``make()``, from the disk where it was made before.

    Args:
        kind: start of the file's name.
        key: plain values from which alone the arrays follow.
        make: generates the arrays, by name.

    A folder that cannot be written is no obstacle: the arrays are then made each time.
    """
    text = json.dumps(key, sort_keys=True)
    path = cache_folder() / f"{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.npz"
    found = _read(path, text)
    if found is not None:
        return found
    arrays = make()
    buffer = io.BytesIO()
    np.savez(buffer, key=np.array(text), digest=np.array(_digest(arrays)), **arrays)  # type: ignore[arg-type]
    with suppress(InputError):
        write_atomically(path, buffer.getvalue())
    return arrays


def _read(path: Path, text: str) -> Arrays | None:
    try:
        # Opened here, for np.load leaves a file that is no archive open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        same = str(arrays.pop("key")) == text and str(arrays.pop("digest")) == _digest(arrays)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):  # absent or damaged
        return None
    return arrays if same else None


def _digest(arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.data)
    return digest.hexdigest()
