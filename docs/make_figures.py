"""Make the README's screen and figure again from a run: ``python docs/make_figures.py RUN``.

Writes ``docs/energy.svg`` and puts the screen between the two marks of ``README.md``.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from rmaat_hw.report import figures, load_run
from rmaat_hw.report.screen import show_estimate

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100


def screen(run: str) -> str:
    """The screen of a saved run as plain text."""
    stream = io.StringIO()
    show_estimate(Console(file=stream, width=WIDTH, highlight=False), *load_run(run), "runs/…")
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def main(run: str) -> None:
    """Write figure and screen."""
    with figures.style():
        figures.energy(*load_run(run)).savefig(
            ROOT / "docs" / "energy.svg", facecolor="white", metadata={"Date": None}
        )
    readme = ROOT / "README.md"
    marked = re.compile(r"(<!-- screen -->\n```text\n).*?(```\n<!-- end of screen -->)", re.DOTALL)
    text, count = marked.subn(lambda m: m[1] + screen(run) + "\n" + m[2], readme.read_text())
    if count != 1:
        raise SystemExit("README.md has no marks for the screen")
    readme.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1])
