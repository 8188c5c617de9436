"""``rmaat-hw doctor``."""

from __future__ import annotations

import typer

from rmaat_hw.cli.options import Json
from rmaat_hw.cli.shell import BAD_INPUT, STANDARD_OUTPUT, Command, app, console, examples, write_json


@app.command(cls=Command, epilog=examples("rmaat-hw doctor", "rmaat-hw doctor --json"))
def doctor(json: Json = None) -> None:
    """Say what is installed, which devices there are and what can be measured on this machine."""
    from rmaat_hw import doctor as examination

    found = examination.doctor()
    if json is not None:
        write_json(found.to_json(), json)
    if json != STANDARD_OUTPUT:
        examination.render(found, console())
    if not found.ok:
        raise typer.Exit(BAD_INPUT)
