"""``rmaat-hw astrocyte``."""

from __future__ import annotations

from typing import Annotated

import typer

from device_params.errors import InputError
from rmaat_hw.cli.options import Json, Out
from rmaat_hw.cli.shell import STANDARD_OUTPUT, Command, app, console, examples, progress, write_json

_RATES = (1e-8, 1e9)  # leaks per segment whose time constant the simulation takes


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
    _check(segments, rate, cycles)
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


def _check(segments: int, rate: float, cycles: int) -> None:
    """Hold the options to what can be simulated, by their own names."""
    from rmaat_hw.model.astrocyte import MOST_CYCLES
    from rmaat_hw.report.astrocyte import MOST_CYCLES as MOST_DRAWN

    for where, value, most in (("--segments", segments, MOST_CYCLES), ("--cycles", cycles, MOST_DRAWN)):
        if not 1 <= value <= most:
            raise InputError(
                "bad value", where=where, value=value, allowed=f"a whole number from 1 to {most}"
            )
    least, largest = _RATES
    if not least <= rate <= largest:
        raise InputError(
            "bad value", where="--rate", value=rate, allowed=f"a number from {least:g} to {largest:g}"
        )
