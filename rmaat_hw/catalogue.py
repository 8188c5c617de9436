"""What can be chosen by name: tasks, and the devices, designs and technologies of the parameter files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 130  # columns that hold the longest name beside its source

Kind = Literal["device", "design", "task", "technology"]


def entries(kind: Kind) -> list[dict[str, str]]:
    """Name and title of everything of a kind."""
    if kind == "task":
        from rmaat_hw.tasks import load_task, task_names

        return [{"name": name, "title": load_task(name).title} for name in task_names()]
    from device_params.load import describe, list_names

    return [{"name": name, "title": str(describe(kind, name)["title"])} for name in list_names(kind)]


def entry(kind: Kind, name: str) -> dict[str, Any]:
    """Everything about one of them, as a document of plain JSON types. Raises InputError."""
    if kind == "task":
        from rmaat_hw.tasks import load_task

        task = load_task(name)
        return {
            "schema_version": 1,
            "kind": "task",
            "name": task.name,
            "title": task.title,
            "description": task.description,
            "vocabulary": task.vocabulary,
            "classes": task.classes,
            "padded_length": task.padded_length,
            "segments": task.segments,
            "config": task.config.to_dict(),
        }
    from device_params.load import describe

    return describe(kind, name)


def show_entries(console: Console, plural: str, rows: Sequence[Mapping[str, str]]) -> None:
    """Print names and titles."""
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, pad_edge=False, header_style="dim")
    grid.add_column("name", style="bold", no_wrap=True)
    grid.add_column("title")
    for row in rows:
        grid.add_row(Text(row["name"]), Text(row["title"]))
    console.print(grid)
    console.print(f"\nrmaat-hw {plural} show NAME tells more.", style="dim", markup=False)


def show_entry(console: Console, document: Mapping[str, Any]) -> None:
    """Print one entry: its header, its parameters with intervals and sources, and the sources in full."""
    from rich.table import Table
    from rich.text import Text

    from rmaat_hw.report.listings import parameter_value

    console.print(Text.assemble((document["name"], "bold"), "  ", document["title"]))
    if document["description"]:
        console.print(Text(document["description"]))
    console.print()
    facts = {
        key: value
        for key, value in document.items()
        if key not in ("schema_version", "name", "title", "description", "parameters", "references")
    }
    grid = Table.grid(padding=(0, 2))
    for key, value in _flat(facts):
        grid.add_row(Text(key, style="dim"), Text(value))
    console.print(grid)
    if not document.get("parameters"):
        return
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("parameter", "value", "90 % interval", "basis", "source"):
        table.add_column(
            name,
            no_wrap=name not in ("parameter", "source"),
            min_width=18 if name in ("parameter", "source") else None,
            overflow="fold",
            justify="right" if "val" in name else "left",
        )
    for p in document["parameters"]:
        source = " · ".join(str(part) for part in (p.get("source"), p.get("where")) if part)
        table.add_row(
            Text(p["name"] if console.width >= _WIDE else p["name"].replace(".", ".\n  ")),
            *(Text(part) for part in parameter_value(p)),
            Text(str(p.get("basis") or "")),
            Text(source),
        )
    console.print(table)
    if document.get("references"):
        console.print()
        for key, citation in document["references"].items():
            console.print(Text.assemble((key, "bold"), f"  {citation}"))


def _flat(group: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in group.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows
