"""The log of a training: one JSON record a line for programs, TensorBoard scalars for eyes.

``log.jsonl`` holds what the training computed; of its fields only those of ``WALL_CLOCK`` differ between
two runs of the same settings. ``sessions.jsonl`` holds who computed it: one record when a process begins
and one when it stops.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from device_params.errors import InputError
from rmaat_hw.runs import utc_now

LOG = "log.jsonl"
SESSIONS = "sessions.jsonl"
TENSORBOARD = "tensorboard"
WALL_CLOCK = ("time_utc", "elapsed_s", "steps_per_s")


class Log:
    """Appends records, each flushed, and scalars.

    Args:
        folder: of the run.
        kept_bytes: length at the checkpoint from which the training goes on; what stands behind it is cut
            off, so that no step is told twice and no line is half.
        step: of that checkpoint; TensorBoard drops what it has of later steps.
        scalars: whether to write TensorBoard's file too.
    """

    def __init__(self, folder: Path, *, kept_bytes: int = 0, step: int = 0, scalars: bool = True) -> None:
        self.path = folder / LOG
        size = self.path.stat().st_size if self.path.exists() else 0
        if size < kept_bytes:
            raise InputError(
                "the log is shorter than at the last checkpoint; it was changed",
                where=str(self.path),
                value=f"{size} bytes",
                allowed=f"at least {kept_bytes} bytes",
                remedy="put the whole log back",
            )
        self._file = self.path.open("ab")
        self._file.truncate(kept_bytes)
        self._file.seek(kept_bytes)
        self._scalars = _writer(folder / TENSORBOARD, step) if scalars else None

    def write(self, event: str, step: int, **fields: Any) -> None:
        """Append one record. Numbers that JSON has no sign for become null."""
        record = {"event": event, "step": step, **{k: _finite(v) for k, v in fields.items()}}
        record["time_utc"] = utc_now()
        self._file.write((json.dumps(record, allow_nan=False) + "\n").encode())
        self._file.flush()

    def scalar(self, name: str, value: float, step: int) -> None:
        """Give TensorBoard one point."""
        if self._scalars is not None:
            self._scalars.add_scalar(name, value, step)

    def settle(self) -> int:
        """Bring everything to the disk and return the length of the log in bytes."""
        self._file.flush()
        os.fsync(self._file.fileno())
        if self._scalars is not None:
            self._scalars.flush()
        return self._file.tell()

    def close(self) -> None:
        """End both files."""
        self.settle()
        self._file.close()
        if self._scalars is not None:
            self._scalars.close()


def _writer(folder: Path, step: int) -> Any:
    import torch.utils.tensorboard

    # Points of the steps before it stay, later ones are hidden.
    return torch.utils.tensorboard.SummaryWriter(str(folder), purge_step=step + 1 if step else None)


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _finite(inner) for key, inner in value.items()}
    return value


def read_log(path: Path) -> list[dict[str, Any]]:
    """Records of a log; a last line that a killed process left half written is passed over.

    Raises:
        InputError: the file is missing or holds something else.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise InputError(f"the log cannot be read: {error.strerror}", where=str(path)) from error
    whole, _ = lines[:-1], lines[-1]
    try:
        records = [json.loads(line) for line in whole]
        if all(isinstance(record, dict) and "event" in record for record in records):
            return records
    except ValueError:
        pass
    raise InputError("this is no log of a training", where=str(path))


def tell_session(folder: Path, event: str, **fields: Any) -> None:
    """Append a record to the list of processes that worked on a run."""
    record = {"event": event, "time_utc": utc_now(), **fields}
    with (folder / SESSIONS).open("ab") as file:
        if file.tell() and not _ends_a_line(folder / SESSIONS):
            file.write(b"\n")
        file.write((json.dumps(record, allow_nan=False) + "\n").encode())


def _ends_a_line(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def read_sessions(folder: Path) -> list[dict[str, Any]]:
    """What :func:`tell_session` wrote; half-written and foreign lines are passed over."""
    try:
        lines = (folder / SESSIONS).read_bytes().splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and "event" in record:
            found.append(record)
    return found
