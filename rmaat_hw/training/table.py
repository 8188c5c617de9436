"""The gathered runs as a table on the screen and as Markdown."""

from __future__ import annotations

import string
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rmaat_hw.training.gather import PUBLISHED_PRESET, TASKS, Group, Results, published, published_value

if TYPE_CHECKING:
    from rich.console import Console


def percent(share: float) -> str:
    """``45.1``."""
    return f"{100 * share:.1f}"


def marks(groups: Sequence[Group]) -> list[str]:
    """A letter for each group: a, b, … z, a2, b2, …"""
    letters = string.ascii_lowercase
    return [
        letters[k % len(letters)] + (str(k // len(letters) + 1) if k >= len(letters) else "")
        for k in range(len(groups))
    ]


def cell_text(group: Group) -> str:
    """Mean and standard deviation over the seeds, in per cent."""
    spread = "" if group.std is None else f" ± {percent(group.std)}"
    return f"{percent(group.mean)}{spread} (n={len(group.seeds)})"


_UNPUBLISHED = {"at": "AT", "mamba2": "Mamba-2"}
"""Rows of ours that no published table has."""


def title(model: str, ablations: Sequence[str]) -> str:
    """A row's name: as published, else our own with its ablations."""
    for row in published()["rows"]:
        if (row["model"], row.get("ablations", [])) == (model, list(ablations)):
            return str(row["title"])
    return ", ".join([_UNPUBLISHED.get(model, model), *ablations])


def note(group: Group) -> str:
    """How a group was made, and what needs no learning, in one line."""
    several = "s" if len(group.seeds) > 1 else ""
    seeds = f"seed{several} " + " ".join(str(seed) for seed in group.seeds)
    floor = ", ".join(f"{name} {percent(value)}" for name, value in group.baselines.items())
    low, high = group.intervals[0]
    interval = f", 95 % interval {percent(low)} … {percent(high)}" if len(group.seeds) == 1 else ""
    return (
        f"{group.label} on {group.task} {group.preset}: {group.steps} steps of {group.batch}, "
        f"{group.precision}, {group.device}, {group.parameters:,} parameters, "
        f"{seeds}{interval}, {group.reported} weights; without learning: {floor}"
    )


def sections(results: Results) -> Iterator[tuple[str, list[str], list[list[str]]]]:
    """For each preset its name, the tasks and the rows: model, one cell a task.

    A cell has ours with the letter of its note. At the published size the published value stands behind
    it in brackets, and published models that have no run have a row too.
    """
    marked = list(zip(marks(results.groups), results.groups, strict=True))
    known = [(row["model"], tuple(row.get("ablations", ()))) for row in published()["rows"]]
    for preset in dict.fromkeys(group.preset for group in results.groups):
        here = [(mark, group) for mark, group in marked if group.preset == preset]
        ours = {(group.model, group.ablations) for _, group in here}
        tasks = list(dict.fromkeys(group.task for _, group in here))
        rows = [label for label in known if label in ours] + sorted(ours - set(known))
        if preset == PUBLISHED_PRESET:
            tasks = [*TASKS, *(task for task in tasks if task not in TASKS)]
            rows = known + sorted(ours - set(known))
        table = []
        for model, ablations in rows:
            cells = [title(model, ablations)]
            for task in tasks:
                lines = [
                    f"{cell_text(group)} {mark}"
                    for mark, group in here
                    if (group.model, group.ablations, group.task) == (model, ablations, task)
                ]
                value = published_value(model, ablations, task) if preset == PUBLISHED_PRESET else None
                lines += [f"[{percent(value['accuracy'])}]"] if value else []
                cells.append("\n".join(lines) or "–")
            table.append(cells)
        yield preset, tasks, table


def caption(preset: str) -> str:
    """What stands over a table."""
    published_too = ", [published]" if preset == PUBLISHED_PRESET else ""
    return f"Test accuracy in %, preset {preset}: mean ± standard deviation (n seeds){published_too}"


def unfinished_lines(results: Results) -> list[str]:
    """One line a run that has no result."""
    lines = []
    for run in results.unfinished:
        known = [str(run[name]) for name in ("model", "task", "preset") if name in run]
        what = f" ({' '.join(known)}, seed {run.get('seed')})" if known else ""
        step = f", step {run['step']} of {run['steps']}" if "step" in run else ""
        lines.append(f"{run['run']}{what}: {run['reason']}{step}")
    return lines


def source_lines() -> list[str]:
    """What "published" means."""
    return [f"{entry['citation']}; {entry['where']} ({key})" for key, entry in published()["sources"].items()]


def show(console: Console, results: Results) -> None:
    """Print the tables, how each of our numbers was made, and the runs that are not finished."""
    from rich.table import Table
    from rich.text import Text

    for preset, tasks, rows in sections(results):
        table = Table(box=None, pad_edge=False, header_style="dim")
        table.add_column("model", style="bold", min_width=12)
        for task in tasks:
            table.add_column(task)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        console.print(Text(caption(preset), style="bold"))
        console.print(table)
        console.print()
    for mark, group in zip(marks(results.groups), results.groups, strict=True):
        console.print(Text.assemble((f"{mark} ", "bold"), note(group)))
    if any(group.preset == PUBLISHED_PRESET for group in results.groups):
        console.print()
        for line in source_lines():
            console.print(Text(f"Published: {line}", style="dim"))
    if results.unfinished:
        if results.groups:
            console.print()
        console.print(Text("Not finished", style="bold"))
        for line in unfinished_lines(results):
            console.print(Text(line))


def markdown(results: Results) -> str:
    """The same as a Markdown document."""
    lines = []
    for preset, tasks, rows in sections(results):
        lines += [f"## {caption(preset)}", ""]
        lines += [_row(["model", *tasks]), _row(["---"] * (len(tasks) + 1))]
        lines += [*(_row([cell.replace("\n", "<br>") for cell in row]) for row in rows), ""]
    for mark, group in zip(marks(results.groups), results.groups, strict=True):
        lines.append(f"- {mark}: {note(group)}")
    if any(group.preset == PUBLISHED_PRESET for group in results.groups):
        lines += ["", *(f"Published: {line}" for line in source_lines())]
    if results.unfinished:
        lines += ["", "Not finished:", "", *(f"- {line}" for line in unfinished_lines(results))]
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
