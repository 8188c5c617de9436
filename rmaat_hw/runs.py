"""Run folders: everything that a run made, from which alone it can be repeated.

A folder appears under its final name only when it is complete. It is built under a temporary name
beside it, every file is flushed to the disk, and one rename publishes it; an interrupted run leaves
nothing behind.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import importlib.metadata
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from device_params.errors import InputError

RUNS = Path("runs")
MANIFEST = "manifest.json"
_DISTRIBUTIONS = ("rmaat-hw", "torch", "numpy", "pandas", "networkx", "scipy", "matplotlib", "pyarrow")


def utc_now() -> str:
    """The present time as ISO 8601 text, in seconds, UTC."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def to_json_text(document: Any, *, ascii_only: bool = False) -> str:
    """One JSON document with a final newline; NaN and infinity are refused, for JSON has none."""
    return json.dumps(document, indent=2, ensure_ascii=ascii_only, allow_nan=False) + "\n"


def sha256(data: bytes) -> str:
    """Hexadecimal digest of ``data``."""
    return hashlib.sha256(data).hexdigest()


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old content or the new one, never a part."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise InputError(
            "cannot write there", where=str(path), remedy=f"{error.strerror}; choose another place"
        ) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise InputError(
            "cannot write there", where=str(path), remedy=f"{error.strerror}; choose another place"
        ) from error


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def check_new_folder(out: Path | str) -> Path:
    """Return ``out`` if a run may be written there: it does not exist, or is an empty folder."""
    path = Path(out)
    if path.is_dir():
        if any(path.iterdir()):
            raise InputError(
                "the output folder is not empty",
                where="--out",
                value=str(out),
                allowed="a new or an empty folder",
                remedy="name another folder, or leave --out away for a new one under runs/",
            )
    elif path.exists():
        raise InputError(
            "the output is a file", where="--out", value=str(out), allowed="a new or an empty folder"
        )
    return path


def check_target(out: Path | None, json_file: str | None, default: Path | None = RUNS) -> None:
    """Refuse, before any work is done, places where its results cannot be written.

    ``out`` is the folder asked for, else ``default`` will get a new one (None: no folder is written);
    ``json_file`` is a file, ``-`` for standard output, or None.
    """
    if out is not None:
        if out.resolve() == Path.cwd():
            raise InputError(
                "the output folder is the present one",
                where="--out",
                value=str(out),
                allowed="a new or an empty folder",
                remedy="name a new folder in it",
            )
        _check_writable(check_new_folder(out).absolute().parent, "--out", str(out))
    elif default is not None:
        _check_writable(default.absolute(), "the folder for runs", str(default), remedy="name one with --out")
    if json_file is not None and json_file != "-":
        named = Path(json_file)
        if not json_file or (named.exists() and not named.is_file()):
            # renaming a finished file over a device or a pipe would destroy it
            raise InputError(
                "this is not the name of a file", where="--json", value=json_file, allowed="a file, or -"
            )
        _check_writable(Path(json_file).absolute().parent, "--json", json_file)


def _check_writable(folder: Path, where: str, value: str, remedy: str = "choose another place") -> None:
    """Try to write in ``folder``, or where it would be made; nothing stays behind."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"cannot write there: {error.strerror}", where=where, value=value, remedy=remedy
        ) from error


class RunFolder:
    """The folder of one run while it is being written. ``path`` is its final place."""

    def __init__(self, path: Path, partial: Path) -> None:
        self.path = path
        self._partial = partial

    def write(self, name: str, content: str | bytes) -> None:
        """Write one file of the run; ``name`` is relative to the folder."""
        write_atomically(self._partial / name, content.encode() if isinstance(content, str) else content)

    def write_manifest(
        self,
        *,
        command: str,
        options: Mapping[str, Any],
        seeds: Mapping[str, int],
        inputs: Iterable[Path] = (),
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Freeze the inputs under ``inputs/`` and write what is needed to repeat the run.

        ``facts`` are further entries, such as the hash of generated sequences.
        """
        frozen = []
        for source in sorted({path.resolve() for path in inputs}):
            data = source.read_bytes()
            name = f"inputs/{source.name}"
            if (self._partial / name).exists():  # two inputs of one name from different folders
                name = f"inputs/{sha256(data)[:8]}-{source.name}"
            self.write(name, data)
            frozen.append({"name": source.name, "copy": name, "sha256": sha256(data)})
        written = sorted(path for path in self._partial.rglob("*") if path.is_file())
        manifest = {
            "schema_version": 1,
            "created_utc": utc_now(),
            "command": command,
            "command_line": shlex.join(["rmaat-hw", *sys.argv[1:]]) if sys.argv else "",
            "options": dict(options),
            "seeds": dict(seeds),
            "versions": versions(),
            "source": commit(),
            "inputs": frozen,
            "files": {str(p.relative_to(self._partial)): sha256(p.read_bytes()) for p in written},
            **(facts or {}),
        }
        self.write(MANIFEST, to_json_text(manifest))


@contextlib.contextmanager
def run_folder(command: str, content: str, out: Path | str | None = None) -> Iterator[RunFolder]:
    """Yield a run folder that is published when the block ends, and vanishes when the block fails.

    ``content`` names what was asked for; its hash ends the default name
    ``runs/<time>-<command>-<hash>``. ``out`` is an explicit folder: new or empty.
    """
    if out is None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        path = RUNS / f"{stamp}-{command}-{sha256(content.encode())[:8]}"
    else:
        path = check_new_folder(out)
    parent = path.absolute().parent
    try:
        parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(dir=parent, prefix=f".{path.name[:200]}."))
    except OSError as error:
        raise InputError(
            "cannot make the run folder",
            where="--out",
            value=str(path),
            remedy=f"{error.strerror}; choose another place",
        ) from error
    folder = RunFolder(path, partial)
    try:
        yield folder
        os.chmod(partial, 0o777 & ~_umask())
        folder.path = _publish(partial, path, numbered=out is None)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def _publish(partial: Path, path: Path, *, numbered: bool) -> Path:
    """Rename a finished folder to ``path`` and return where it stands.

    Runs at the same time may end at one name: the rename decides, and the later one takes a number
    (``numbered``) or is refused.
    """
    names = (
        [path, *(path.with_name(f"{path.name}~{copy}") for copy in range(2, 1000))] if numbered else [path]
    )
    for name in names:
        if name.is_dir() and not numbered:
            check_new_folder(name)
            name.rmdir()
        elif name.exists():
            continue
        try:
            os.rename(partial, name.absolute())
            return name
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
                raise
    check_new_folder(path)
    raise InputError("the run folder exists already", where="--out", value=str(path))


def read_run(run: Path | str, file: str = "estimate.json") -> dict[str, Any]:
    """Read one JSON document of a finished run."""
    folder = Path(run)
    if not folder.is_dir():
        raise InputError(
            "there is no run folder of this name",
            where=str(run),
            remedy="`rmaat-hw estimate` writes one and prints its name",
        )
    path = folder / file
    try:
        document = json.loads(path.read_text(encoding="utf-8"), parse_constant=_no_constant)
        if not isinstance(document, dict):
            raise ValueError("not an object")
        return document
    except FileNotFoundError as error:
        raise InputError(f"the folder has no {file}, so it is not a finished run", where=str(run)) from error
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"the file cannot be read as a JSON document ({' '.join(str(error).split())[:200]})",
            where=str(path),
        ) from error


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def versions() -> dict[str, str]:
    """Versions of Python and of the distributions that numbers depend on; nothing is imported."""
    found = {"python": platform.python_version()}
    for name in _DISTRIBUTIONS:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found[name] = importlib.metadata.version(name)
    return found


def commit() -> dict[str, Any]:
    """The commit this program runs from, and whether its files differ; nulls with a reason otherwise."""
    here = Path(__file__).resolve()

    def git(*arguments: str) -> str:
        return subprocess.run(
            ["git", "-C", str(here.parent), *arguments],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain", "-uno"))}
    except (OSError, subprocess.SubprocessError):
        return {"commit": None, "dirty": None, "reason": "the program does not run from a git checkout"}
