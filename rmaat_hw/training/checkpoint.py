"""Checkpoints: written whole or not at all, read without running anything that is in them.

A file is a ``torch.save`` archive of plain values and tensors, with a digest of both: the archive's own
checksums are not looked at when torch reads it.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from device_params.errors import InputError

FORMAT = "rmaat-hw training checkpoint"
VERSION = 1


def save(path: Path, content: Mapping[str, Any]) -> None:
    """Write a checkpoint; whenever the process dies, ``path`` is the old file or the new one.

    Temporary file beside it, flush to the disk, rename, flush of the folder.

    Args:
        path: the file; its folder exists.
        content: dictionaries, lists, tuples, numbers, texts, None and tensors.

    Raises:
        OSError: the disk is full, or the folder cannot be written.
    """
    import torch

    archive = {"format": FORMAT, "version": VERSION, "sha256": digest(content), "content": dict(content)}
    # In memory first: where the disk is full, torch's writer hides the system's reason.
    whole = io.BytesIO()
    torch.save(archive, whole)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(whole.getbuffer())
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    flush_folder(path.parent)


def flush_folder(folder: Path) -> None:
    """Make renames in a folder last through a loss of power."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_leftovers(folder: Path) -> None:
    """Delete the temporary files of a writer that was killed."""
    for path in folder.glob(".*.pt.*"):
        path.unlink(missing_ok=True)


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint with ``weights_only=True``; every tensor lands in host memory.

    Raises:
        InputError: no such file, a file of something else, a damaged one, one of another version.
    """
    import torch

    if not path.is_file():
        raise InputError("there is no such checkpoint", where=str(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch says of foreign formats; the sentence below says it
            archive = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its unpickler met: half a dozen kinds
        # A file cut off makes it seek before the beginning, which the system calls an invalid argument.
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise InputError(f"the checkpoint cannot be read: {error.strerror}", where=str(path)) from error
        raise InputError(
            "this is no checkpoint of rmaat-hw, or a damaged one",
            where=str(path),
            remedy="take another one of the run, or train anew",
        ) from error
    if not isinstance(archive, dict) or archive.get("format") != FORMAT:
        raise InputError(
            "this file holds something else than a checkpoint of rmaat-hw",
            where=str(path),
            remedy="`rmaat-hw train` writes them into RUN/checkpoints",
        )
    if archive.get("version") != VERSION:
        raise InputError(
            "a checkpoint of another version of rmaat-hw",
            where=str(path),
            value=archive.get("version"),
            allowed=str(VERSION),
        )
    content = archive.get("content")
    if not isinstance(content, dict) or archive.get("sha256") != digest(content):
        raise InputError(
            "the checkpoint is damaged: its content does not match its digest",
            where=str(path),
            remedy="take another one of the run, or train anew",
        )
    return content


def digest(content: Any) -> str:
    """SHA-256 over keys, plain values and the bytes of every tensor, in the order they stand."""
    import torch

    found = hashlib.sha256()
    for place, leaf in _leaves(content):
        found.update(place.encode())
        if isinstance(leaf, torch.Tensor):
            host = leaf.detach().cpu().contiguous()
            found.update(f"{host.dtype} {list(host.shape)}".encode())
            found.update(host.view(-1).view(torch.uint8).numpy().data if host.numel() else b"")
        else:
            found.update(repr(leaf).encode())
    return found.hexdigest()


def _leaves(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{place}/{key!r}")
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{place}/{index}")
    else:
        yield place, value


def differences(saved: Mapping[str, Any], asked: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Fields that differ, as ``name: <saved>, not <asked>``."""
    found = []
    for name in [*saved, *(name for name in asked if name not in saved)]:
        old, new = saved.get(name), asked.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{name}.")
        elif _plain(old) != _plain(new):
            found.append(f"{prefix}{name}: {_plain(old)!r}, not {_plain(new)!r}")
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def check_same(saved: Mapping[str, Any], asked: Mapping[str, Any], *, where: str) -> None:
    """Refuse to use a checkpoint for another training than its own.

    Raises:
        InputError: each field that differs with the checkpoint's value and the asked one; for another
            number of segments T, why that matters.
    """
    found = differences(saved, asked)
    if not found:
        return
    old, new = (part.get("config", part).get("segments") for part in (saved, asked))
    if old != new:
        found = [f"T = {old} segments, not {new} (the retention factors depend on T)"] + [
            line for line in found if not line.rpartition(":")[0].endswith("segments")
        ]
    shown = "; ".join(found[:8]) + (f"; and {len(found) - 8} more" if len(found) > 8 else "")
    raise InputError(
        f"the checkpoint is of another training: {shown}",
        where=where,
        remedy="ask for what it was trained with, or train anew",
    )
