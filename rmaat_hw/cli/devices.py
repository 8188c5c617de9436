"""``rmaat-hw devices show``, ``check``, ``diff`` and ``cite``: the library, and on what it rests."""

from __future__ import annotations

from typing import Annotated

import typer

from device_params.errors import InputError
from rmaat_hw.cli.catalogues import devices
from rmaat_hw.cli.options import Json, Name, Out
from rmaat_hw.cli.shell import (
    BAD_INPUT,
    STANDARD_OUTPUT,
    Command,
    console,
    examples,
    progress,
    spare,
    write_json,
)

_FILE = "A name that `list` shows, or a file."


@devices.command(
    "show",
    cls=Command,
    epilog=examples(
        "rmaat-hw devices show fefet_1f1r_28nm",
        "rmaat-hw devices show fefet_8nm_deng --plot",
        "rmaat-hw devices show cells/mine.yaml --plot --out runs/mine",
    ),
)
def show(
    name: Name,
    plot: Annotated[
        bool, typer.Option("--plot", help="Draw what follows from the numbers, into a run folder.")
    ] = False,
    out: Out = None,
    json: Json = None,
) -> None:
    """Show one of the devices: every number with its source.

    With --plot it also writes a run folder with a figure (device.svg, device.png) of loops, switching,
    window, levels, wear, retention and write energy, as far as they are known, and the table (CSV) of every
    panel.
    """
    from rmaat_hw import catalogue, runs

    if out is not None and not plot:
        raise InputError("there is no folder to write", where="--out", value=str(out), remedy="add --plot")
    if plot:
        runs.check_target(out, json)
    document = catalogue.entry("device", name)
    if plot:
        with progress() as tell:
            tell("drawing")
            from rmaat_hw.report.device_figure import save

            folder = str(save(name, out=out))
        document["folder"] = folder
    if json is not None:
        write_json(document, json)
    if json != STANDARD_OUTPUT:
        catalogue.show_entry(console(), {key: value for key, value in document.items() if key != "folder"})
        if plot:
            typer.echo(f"\nFigure and tables: {folder}")


@devices.command(
    "check",
    cls=Command,
    epilog=examples(
        "rmaat-hw devices check",
        "rmaat-hw devices check cells/mine.yaml",
        "rmaat-hw devices check cells/ --json findings.json",
    ),
)
def check(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="[FILE ...]", help="Names, files or folders; by default the whole library."),
    ] = None,
    json: Json = None,
) -> None:
    """Check parameter files: every number has a unit, a range and a source that can be found.

    Prints one line for each finding. Leaves with exit code 2 when one is an error.
    """
    from device_params import check as library

    spare(json)
    found = library.check(files or ())
    if json is not None:
        write_json({"schema_version": 1, "command": "devices check", **found.record()}, json)
    if json != STANDARD_OUTPUT:
        for finding in found.findings:
            typer.echo(str(finding))
        typer.echo(found.summary())
    if not found.ok:
        raise typer.Exit(BAD_INPUT)


@devices.command(
    "diff",
    cls=Command,
    epilog=examples(
        "rmaat-hw devices diff stt_mram stt_mram_neurosim",
        "rmaat-hw devices diff fefet_1f1r_28nm cells/mine.yaml",
    ),
)
def diff(
    a: Annotated[str, typer.Argument(metavar="A", help=_FILE)],
    b: Annotated[str, typer.Argument(metavar="B", help=_FILE)],
    json: Json = None,
) -> None:
    """Compare two files parameter by parameter: value, interval, basis and source of both."""
    from device_params.diff import diff as compare
    from device_params.diff import load_pair

    spare(json)
    first, second = load_pair(a, b)
    rows = compare(first, second)
    if json is not None:
        files = {
            side: {"name": file.name, "family": file.family, "title": file.title, "path": file.path}
            for side, file in (("a", first), ("b", second))
        }
        records = [row.record() for row in rows]
        write_json({"schema_version": 1, "command": "devices diff", **files, "parameters": records}, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.library import show_diff

        show_diff(console(), first, second, rows)


@devices.command(
    "cite",
    cls=Command,
    epilog=examples(
        "rmaat-hw devices cite fefet_1f1r_28nm",
        "rmaat-hw devices cite fefet_crossbar_28nm --bibtex > sources.bib",
    ),
)
def cite(
    names: Annotated[
        list[str],
        typer.Argument(metavar="NAME ...", help="Devices, designs or other files, by name or path."),
    ],
    bibtex: Annotated[bool, typer.Option("--bibtex", help="Print the sources as BibTeX.")] = False,
    json: Json = None,
) -> None:
    """Name the sources behind devices or designs, each with the parameters that rest on it."""
    from device_params.cite import cite as sources

    spare(json)
    found = sources(names)
    if json is not None:
        write_json({"schema_version": 1, "command": "devices cite", **found.record()}, json)
    if json == STANDARD_OUTPUT:
        return
    typer.echo(found.bibtex() if bibtex else "\n".join(found.lines()) + "\n", nl=False)
