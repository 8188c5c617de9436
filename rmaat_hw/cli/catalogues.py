"""``list`` and ``show`` of the devices, designs, tasks and technologies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from rmaat_hw.cli.options import Json, Name
from rmaat_hw.cli.shell import STANDARD_OUTPUT, Command, app, console, examples, write_json

if TYPE_CHECKING:
    from rmaat_hw.catalogue import Kind


def _catalogue(
    kind: Kind,
    plural: str,
    example: str,
    *,
    more: str = "",
    lines: tuple[str, ...] = (),
    own_show: bool = False,
) -> typer.Typer:
    """Add ``<plural> list`` and ``<plural> show NAME``; return the group, for commands of its own.

    ``more`` and ``lines`` tell in the help what those do; with ``own_show`` one of them is ``show``.
    """
    group = typer.Typer(
        help=f"List the {plural}, or show one with every number and its source{more}.",
        epilog=examples(f"rmaat-hw {plural} list", f"rmaat-hw {plural} show {example}", *lines),
        no_args_is_help=True,
    )

    @group.command("list", cls=Command, epilog=examples(f"rmaat-hw {plural} list"))
    def list_(json: Json = None) -> None:
        from rmaat_hw import catalogue

        rows = catalogue.entries(kind)
        if json is not None:
            write_json({"schema_version": 1, "command": f"{plural} list", plural: rows}, json)
        if json != STANDARD_OUTPUT:
            catalogue.show_entries(console(), plural, rows)

    list_.__doc__ = f"List the {plural} by name."
    app.add_typer(group, name=plural)
    if own_show:
        return group

    @group.command("show", cls=Command, epilog=examples(f"rmaat-hw {plural} show {example}"))
    def show(
        name: Name,
        json: Json = None,
    ) -> None:
        from rmaat_hw import catalogue

        document = catalogue.entry(kind, name)
        if json is not None:
            write_json(document, json)
        if json != STANDARD_OUTPUT:
            catalogue.show_entry(console(), document)

    show.__doc__ = f"Show one of the {plural}."
    return group


devices = _catalogue(
    "device",
    "devices",
    "fefet_1f1r_28nm",
    more="; check files, compare two, cite what they rest on",
    lines=("rmaat-hw devices check", "rmaat-hw devices diff stt_mram stt_mram_neurosim"),
    own_show=True,
)
designs = _catalogue("design", "designs", "fefet_crossbar_28nm")
tasks = _catalogue("task", "tasks", "listops")
technologies = _catalogue("technology", "technologies", "28nm")
