"""``rmaat-hw astrocyte``."""

from __future__ import annotations

from typing import Annotated

import typer

from rmaat_hw.cli.options import Json, Out
from rmaat_hw.cli.shell import STANDARD_OUTPUT, Command, app, console, examples, progress, write_json


@app.command(
    cls=Command,
    epilog=examples(
        "rmaat-hw astrocyte",
        "rmaat-hw astrocyte --segments 8 --regime stretch",
        "rmaat-hw astrocyte --rate 0.4 --out runs/dynamics",
        "rmaat-hw astrocyte --json | jq .factors",
    ),
)
def astrocyte(
    segments: Annotated[int, typer.Option(metavar="COUNT", help="Segments T of a sequence.")] = 16,
    rate: Annotated[
        float,
        typer.Option(metavar="NUMBER", help="Leak r of the long-term process per segment; not of stretch."),
    ] = 0.2,
    regime: Annotated[
        str, typer.Option(metavar="fixed|stretch|uniform", help="How the factors depend on T.")
    ] = "fixed",
    cycles: Annotated[int, typer.Option(metavar="COUNT", help="Cycles of the drive to draw.")] = 6,
    out: Out = None,
    json: Json = None,
) -> None:
    """Simulate the astrocyte dynamics and derive the memory retention factors.

    Prints the factors beside their closed form and writes a run folder with the figure
    (astrocyte.svg, astrocyte.png), dynamics.csv, factors.csv, increments.csv and astrocyte.json.
    """
    from rmaat_hw import runs

    options = {"segments": segments, "rate": rate, "regime": regime, "cycles": cycles}
    runs.check_target(out, json)
    with progress() as tell:
        tell("integrating")
        from rmaat_hw.report.astrocyte import document, save_study, show_study, study

        found = study(segments, rate=rate, regime=regime, cycles=cycles)
        tell("drawing")
        folder = save_study(found, out=out, options=options)
    if json is not None:
        write_json(document(found), json)
    if json != STANDARD_OUTPUT:
        show_study(console(), found, str(folder))
