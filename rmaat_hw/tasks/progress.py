"""A bar on the terminal for work of more than a second; silent where nobody watches."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_PATIENCE = 1.0  # seconds before anything is shown
_OFTEN = 0.1  # seconds between two looks


def track(items: Iterable[T], total: int, text: str) -> Iterator[T]:
    """Yield ``items``; where standard error is a terminal, show how many of ``total`` are done."""
    if not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task(text, total=total)
    began = shown_at = time.monotonic()
    try:
        for done, item in enumerate(items):
            now = time.monotonic()
            if now - began > _PATIENCE and now - shown_at > _OFTEN:
                bar.start()
                bar.update(task, completed=done)
                shown_at = now
            yield item
    finally:
        bar.stop()
