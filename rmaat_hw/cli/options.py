"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Task = Annotated[
    str, typer.Option(metavar="NAME", help="Task that gives sequences and model; see `rmaat-hw tasks list`.")
]
Batch = Annotated[int, typer.Option(metavar="COUNT", help="Sequences in one pass.")]
Precision = Annotated[str, typer.Option(metavar="w<BITS>a<BITS>", help="Bits of weights and activations.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.yaml|MODULE:CALLABLE",
        help="rmaat, at, rmt, rlt, softmax or mamba2; fields of RMAATConfig in YAML; or a callable that "
        "returns (module, args[, kwargs]).",
    ),
]
SeqLen = Annotated[
    int | None, typer.Option(metavar="TOKENS", help="Padded length, a multiple of the segment length.")
]
Design = Annotated[str, typer.Option(metavar="NAME|FILE", help="Design; see `rmaat-hw designs list`.")]
Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="NAME=VALUE",
        help="Another value for a parameter used (repeatable); with a unit, or bare in SI.",
    ),
]
Seed = Annotated[int, typer.Option(metavar="NUMBER", help="Seed of weights, sequences and samples.")]
Out = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="New or empty folder; by default a new one in runs/.")
]
Json = Annotated[
    str | None,
    typer.Option(
        "--json", metavar="[FILE|-]", help="Write one JSON document to FILE, or alone to standard output."
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="A name that `list` shows, or a file.")]
Strict = Annotated[bool, typer.Option("--strict", help="Leave with exit code 3 if an operator has no rule.")]
Training = Annotated[
    bool, typer.Option("--training", help="Trace a training step: forward, backward, replay and optimiser.")
]
Extrapolate = Annotated[
    bool, typer.Option("--allow-extrapolation", help="Take values outside their measured range, and say so.")
]
Measure = Annotated[bool, typer.Option(help="Also run the program on this machine.")]
