"""``rmaat-hw validate``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from rmaat_hw.cli.options import Json, Out
from rmaat_hw.cli.shell import (
    STANDARD_OUTPUT,
    Command,
    app,
    console,
    examples,
    progress,
    spare,
    write_json,
)


@app.command(
    cls=Command,
    epilog=examples(
        "rmaat-hw validate",
        "rmaat-hw validate --cases chips/mine.yaml",
        "rmaat-hw validate --cases chips/ --out runs/my-chips",
        "rmaat-hw validate --json | jq .targets",
    ),
)
def validate(
    cases: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR|FILE",
            help="Case files of your own, as docs/cases.md describes them; by default those of the project.",
        ),
    ] = None,
    out: Out = None,
    json: Json = None,
) -> None:
    """Hold the models against published chips, failures included.

    The predictor sees configuration and activity of a chip, never what was measured. Cases of the project,
    which the calibration has seen, are judged with each chip left out in turn; your own are judged blind.
    A miss is a result, not an error: the exit code stays 0.

    Prints chips, statistics and targets, and writes a run folder with report.html, report.json, figures.csv,
    predictions.svg, errors.svg, trends.svg and manifest.json.
    """
    from rmaat_hw import runs

    runs.check_target(out, json)
    spare(json, cases)
    options = {"cases": None if cases is None else str(cases)}
    with progress() as tell:
        tell("reading the cases")
        from rmaat_hw.report.validation import save_validation, show_validation
        from rmaat_hw.validation import validate as judge

        found = judge(cases, progress=tell)
        tell("drawing")
        folder = save_validation(found, out=out, options=options)
    document = found.document()
    if json is not None:
        write_json(document, json)
    if json != STANDARD_OUTPUT:
        show_validation(console(), document, str(folder))
