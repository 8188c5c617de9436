"""Make what the README shows again: ``python docs/make_figures.py RUN``.

Writes ``docs/energy.svg`` and puts the screen of a saved estimate between two marks of ``README.md``; runs
the validation, writes ``docs/validation.svg`` and ``docs/validation_errors.svg`` and puts its table between
two others.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from rmaat_hw import validate
from rmaat_hw.report import figures, load_run, validation_figures
from rmaat_hw.report.screen import show_estimate

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 100


def screen(run: str) -> str:
    """The screen of a saved run as plain text."""
    stream = io.StringIO()
    show_estimate(Console(file=stream, width=WIDTH, highlight=False), *load_run(run), "runs/…")
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def errors(document: Mapping[str, Any]) -> str:
    """Errors over the public chips as a table in Markdown: each chip left out, and without fitted factors."""
    found = {(s["kind"], s["variant"]): s for s in document["statistics"] if s["technology"] == "all"}
    lines = [
        "| | chips | median error, chip left out | within 2× | median error, nothing fitted |",
        "|---|---|---|---|---|",
    ]
    for kind in ("energy", "time", "area"):
        judged, plain = found[kind, "leave_one_out"], found[kind, "uncalibrated"]
        lines.append(
            f"| {kind} | {judged['chips']} | {judged['median_factor']:.2f}× | {judged['within_2']:.0%} | "
            f"{plain['median_factor']:.2f}× |"
        )
    return "\n".join(lines)


def replaced(text: str, name: str, content: str) -> str:
    """``text`` with ``content`` between the marks called ``name``."""
    marked = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end of {name} -->)", re.DOTALL)
    changed, count = marked.subn(lambda m: m[1] + content + "\n" + m[2], text)
    if count != 1:
        raise SystemExit(f"README.md has no marks for the {name}")
    return changed


def main(run: str) -> None:
    """Write figures, screen and table."""
    plain: Mapping[str, Any] = {"facecolor": "white", "metadata": {"Date": None}}
    with figures.style():
        figures.energy(*load_run(run)).savefig(ROOT / "docs" / "energy.svg", **plain)
        document = validate().document()
        for name, drawn in (
            ("validation", validation_figures.scatter(document)),
            ("validation_errors", validation_figures.errors(document)),
        ):
            assert drawn is not None
            drawn.savefig(ROOT / "docs" / f"{name}.svg", **plain)
    readme = ROOT / "README.md"
    text = replaced(readme.read_text(), "screen", f"```text\n{screen(run)}\n```")
    readme.write_text(replaced(text, "validation", errors(document)))


if __name__ == "__main__":
    main(sys.argv[1])
