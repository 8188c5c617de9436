"""What can be chosen by name: tasks, and the devices, designs and technologies of the parameter files."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rich.console import Console

_WIDE = 130  # columns that hold the longest name beside its source
_NAME = 18  # letters of a line of a name where columns are fewer

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
        return _task_entry(name)
    from device_params.load import describe

    document = describe(kind, name)
    if kind == "device":
        from rmaat_hw.devices.derived import derived

        document["derived"] = [row.document() for row in derived(name)]
    return document


def _task_entry(name: str) -> dict[str, Any]:
    from rmaat_hw.tasks import load_task

    task = load_task(name)
    presets = {preset: load_task(name, preset=preset) for preset in task.presets}
    return {
        "schema_version": 1,
        "kind": "task",
        "name": task.name,
        "title": task.title,
        "description": task.description,
        "data": task.data,
        "vocabulary": task.vocabulary,
        "classes": task.classes,
        "documents": task.documents,
        "padded_length": task.padded_length,
        "segments": task.segments,
        "config": task.config.to_dict(),
        "presets": {
            preset: {
                "title": other.title,
                "description": other.description,
                "padded_length": other.padded_length,
                "splits": dict(other.sizes),
                "law": dict(other.law),
                "config": other.config.to_dict(),
                "recipe": other.recipe.to_dict(),
            }
            for preset, other in presets.items()
        },
    }


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

    console.print(Text.assemble((document["name"], "bold"), "  ", document["title"]))
    if document["description"]:
        console.print(Text(document["description"]))
    console.print()
    apart = ["schema_version", "name", "title", "description", "derived", "parameters", "references"]
    if "presets" in document:
        apart += ["config", "presets", "padded_length", "segments"]
    grid = Table.grid(padding=(0, 2))
    for key, value in _flat({key: value for key, value in document.items() if key not in apart}):
        grid.add_row(Text(key, style="dim"), Text(value))
    console.print(grid)
    if "presets" in document:
        _show_presets(console, document["presets"])
    if document.get("derived"):
        from rmaat_hw.report.derived import show_derived

        console.print()
        show_derived(console, document["derived"])
    if not document.get("parameters"):
        return
    console.print()
    _show_parameters(console, document["parameters"])
    if document.get("references"):
        console.print()
        for key, citation in document["references"].items():
            console.print(Text.assemble((key, "bold"), f"  {citation}"))


def _show_parameters(console: Console, parameters: Sequence[Mapping[str, Any]]) -> None:
    """Print every parameter with interval, basis and source; on few columns the source below the basis."""
    from rich.table import Table
    from rich.text import Text

    from rmaat_hw.report.listings import parameter_value

    wide = console.width >= _WIDE
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in (
        "parameter",
        "value",
        "90 % interval",
        *(("basis", "source") if wide else ("basis, source",)),
    ):
        folded = "source" in name
        right = "val" in name
        table.add_column(name, no_wrap=not folded, overflow="fold", justify="right" if right else "left")
    for p in parameters:
        source = " · ".join(str(part) for part in (p.get("source"), p.get("where")) if part)
        basis = str(p.get("basis") or "")
        ends = (basis, source) if wide else ("\n".join(part for part in (basis, source) if part),)
        name = p["name"] if wide else _broken(p["name"])
        table.add_row(*(Text(part) for part in (name, *parameter_value(p), *ends)))
    console.print(table)


def _broken(name: str) -> str:
    """A long name on lines of its own: after the slot of a design, and between words."""
    lines: list[str] = []
    for part in name.replace(".", ". ").split(" "):
        lines.append("  " if lines else "")
        for word in re.findall("[^_]*_?", part):
            if len(lines[-1] + word) > _NAME:
                lines.append("  ")
            lines[-1] += word
    return "\n".join(lines)


def _show_presets(console: Console, presets: Mapping[str, Mapping[str, Any]]) -> None:
    """Print the presets of a task side by side; what a preset shares with the first is dimmed."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("preset", no_wrap=True)
    columns = [dict(_flat({k: v for k, v in p.items() if k != "description"})) for p in presets.values()]
    for name in presets:
        table.add_column(name, overflow="fold", min_width=len(name))
    for key, first in columns[0].items():
        same = [column[key] == first for column in columns]
        cells = [
            Text(column[key], style="dim" if index and same[index] else "")
            for index, column in enumerate(columns)
        ]
        table.add_row(Text(key, style="dim" if all(same) else ""), *cells)
    console.print()
    console.print(table)


def _flat(group: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for key, value in group.items():
        if isinstance(value, Mapping):
            rows += _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            rows.append((f"{prefix}{key}", ", ".join(str(part) for part in value)))
        else:
            rows.append((f"{prefix}{key}", str(value)))
    return rows
