"""How a training ends before its last step."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from device_params.errors import InputError


class TrainingIncomplete(RuntimeError):
    """The training stopped before its last step; what there is stands in the run folder."""

    reason = "stopped"

    def __init__(self, sentence: str, run: Path, step: int) -> None:
        super().__init__(sentence)
        self.run = run
        self.step = step


class OutOfTime(TrainingIncomplete):
    """The time allowed is over; a checkpoint was written."""

    reason = "time limit"


class NotFinite(TrainingIncomplete):
    """Loss or gradient is infinite or no number; ``file`` holds what is needed to see it again."""

    reason = "loss not finite"

    def __init__(self, sentence: str, run: Path, step: int, file: Path) -> None:
        super().__init__(sentence, run, step)
        self.file = file


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C, or a request to end; a checkpoint was written."""

    reason = "interrupted"

    def __init__(self, sentence: str, run: Path, step: int) -> None:
        super().__init__(sentence)
        self.run = run
        self.step = step


class Requests:
    """Whether somebody asked the process to end."""

    def __init__(self) -> None:
        self.asked = False

    def _take(self, number: int, frame: FrameType | None) -> None:
        if self.asked:  # the second time does not wait for the end of the step
            raise KeyboardInterrupt
        self.asked = True


@contextlib.contextmanager
def requests() -> Iterator[Requests]:
    """Take Ctrl-C (SIGINT) and SIGTERM as a wish to end after the present step, the second at once.

    In another thread than the main one signals stay as they are.
    """
    found = Requests()
    if threading.current_thread() is not threading.main_thread():
        yield found
        return
    before: dict[int, Any] = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, found._take)
        yield found
    finally:
        for taken, handler in before.items():
            signal.signal(taken, handler if handler is not None else signal.SIG_DFL)


@contextlib.contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the run for this process; the system lets go when the process dies, however it dies.

    Raises:
        InputError: another process trains it.
    """
    with (folder / ".lock").open("ab") as file:
        try:
            import fcntl
        except ImportError:  # no such locks on this system
            yield
            return
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                "another process is training this run",
                where=str(folder),
                remedy="wait for it, or stop it first",
            ) from None
        yield
