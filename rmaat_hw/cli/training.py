"""``rmaat-hw train`` and ``rmaat-hw results``."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from device_params.errors import InputError
from rmaat_hw.cli.options import Json, Out
from rmaat_hw.cli.shell import (
    INCOMPLETE,
    INTERRUPTED,
    STANDARD_OUTPUT,
    Command,
    Leave,
    app,
    console,
    examples,
    say,
    write_json,
)

if TYPE_CHECKING:
    from rmaat_hw.training.loop import Progress
    from rmaat_hw.training.result import TrainingResult

_LINE_EVERY_S = 30.0  # between two lines of progress where there is no terminal

Task = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Task, see `rmaat-hw tasks list`.", show_default="listops"),
]
Model = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="rmaat, at, rmt, rlt, softmax or mamba2.", show_default="rmaat"),
]
Preset = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Size of the task: full, small, …", show_default="full"),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER", help="Seed of weights, order of the examples and dropout.", show_default="0"
    ),
]
Ablation = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="no-retention, bptt, no-astro, half-segments or quarter-segments (repeatable).",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(metavar="COUNT", help="Optimiser steps in place of the recipe's."),
]
Batch = Annotated[
    int | None, typer.Option(metavar="COUNT", help="Sequences of one step in place of the recipe's.")
]
LearningRate = Annotated[
    float | None, typer.Option(metavar="NUMBER", help="Highest learning rate in place of the recipe's.")
]
Precision = Annotated[
    str | None,
    typer.Option(metavar="fp32|bf16", help="bf16: products in bfloat16 (autocast).", show_default="fp32"),
]
Device = Annotated[
    str | None, typer.Option(metavar="cpu|cuda|auto", help="By default the GPU where there is one.")
]
Compile = Annotated[bool, typer.Option("--compile", help="Compile the model with torch.compile.")]
Accumulation = Annotated[
    int | None,
    typer.Option(
        metavar="COUNT", help="Equal parts in which the batch is run, for less memory.", show_default="1"
    ),
]
Data = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Published files, for the tasks that read them.")
]
EvaluateEvery = Annotated[
    int | None, typer.Option(metavar="STEPS", help="Between two evaluations, in place of the recipe's.")
]
CheckpointEvery = Annotated[
    int | None,
    typer.Option(metavar="STEPS", help="Between two checkpoints; by default as often as evaluations."),
]
MaxMinutes = Annotated[
    float | None,
    typer.Option(metavar="MINUTES", help="Then write a checkpoint and leave with exit code 3."),
]
Resume = Annotated[
    Path | None,
    typer.Option(metavar="RUN", help="Go on with this run, with all that it was begun with."),
]


@app.command(
    cls=Command,
    epilog=examples(
        "rmaat-hw train --task listops --preset small --seed 0",
        "rmaat-hw train --task digits --steps 300 --out runs/digits",
        "rmaat-hw train --task retrieval --data lra_release --model rmt --precision bf16 --compile",
        "rmaat-hw train --preset small --ablation no-retention --seed 1",
        "rmaat-hw train --resume runs/digits",
    ),
)
def train(
    task: Task = None,
    model: Model = None,
    preset: Preset = None,
    seed: Seed = None,
    ablation: Ablation = None,
    steps: Steps = None,
    batch: Batch = None,
    learning_rate: LearningRate = None,
    precision: Precision = None,
    device: Device = None,
    compile_: Compile = False,
    gradient_accumulation: Accumulation = None,
    data: Data = None,
    evaluate_every: EvaluateEvery = None,
    checkpoint_every: CheckpointEvery = None,
    max_minutes: MaxMinutes = None,
    out: Out = None,
    resume: Resume = None,
    json: Json = None,
) -> None:
    """Train a model on a task and score it on validation and test.

    Writes a run folder with log.jsonl, tensorboard/, checkpoints/ and, when finished, result.json. Ctrl-C
    and a killed process lose nothing before the last checkpoint: `--resume RUN` goes on from it.
    """
    from rmaat_hw import runs

    asked: dict[str, Any] = {
        "task": task,
        "model": model,
        "preset": preset,
        "seed": seed,
        "ablations": ablation or None,
        "steps": steps,
        "batch": batch,
        "learning_rate": learning_rate,
        "precision": precision,
        "compile": compile_ or None,
        "gradient_accumulation": gradient_accumulation,
        "evaluate_every": evaluate_every,
        "checkpoint_every": checkpoint_every,
    }
    given = {name: value for name, value in asked.items() if value is not None}
    if resume is None:
        runs.check_target(out, json)
    elif out is not None:
        raise InputError(
            "a run goes on in its own folder", where="--out", value=str(out), remedy="leave it away"
        )
    else:
        runs.check_target(None, json, default=None)
        _check_resumed(resume, given)
    with _stops(), _progress() as tell:
        from rmaat_hw.training import resume_training
        from rmaat_hw.training import train as run_training

        common: dict[str, Any] = {"data": data, "device": device, "max_minutes": max_minutes}
        if resume is not None:
            result = resume_training(resume, **common, progress=tell)
        else:
            result = run_training(**given, **common, out=out, progress=tell)
    if json is not None:
        write_json(result.document, json)
    if json != STANDARD_OUTPUT:
        _show(result)


def _check_resumed(run: Path, given: dict[str, Any]) -> None:
    """Refuse options that say something else than the run was begun with."""
    from rmaat_hw.training import checkpoint
    from rmaat_hw.training.run import read_settings

    saved = read_settings(run).to_dict()
    known = {**saved, **saved["recipe"]}
    checkpoint.check_same({name: known[name] for name in given}, given, where=str(run))


@contextmanager
def _stops() -> Iterator[None]:
    """Turn an early end into its exit code and its sentence."""
    from rmaat_hw.training.endings import TrainingIncomplete, TrainingInterrupted

    try:
        yield
    except TrainingInterrupted as end:
        raise Leave(INTERRUPTED, str(end)) from end
    except TrainingIncomplete as end:
        raise Leave(INCOMPLETE, str(end)) from end


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """Show where a training is on standard error: bars on a terminal, else a line now and then."""
    terminal = console(error=True)
    with redirect_stdout(sys.stderr):
        if not terminal.is_terminal:
            yield _lines()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[told]}"),
        )
        bars = Bars(*columns, console=terminal, transient=True)
        bar = bars.add_task("", total=None, told="")

        def show(at: Progress) -> None:
            bars.start()  # not before: while data are generated, another bar is there
            bars.update(
                bar, description=at.phase.capitalize(), completed=at.done, total=at.of, told=_told(at)
            )

        try:
            yield show
        finally:
            bars.stop()


def _lines() -> Callable[[Progress], None]:
    told_at = time.monotonic()

    def tell(at: Progress) -> None:
        nonlocal told_at
        if at.phase == "training" and time.monotonic() - told_at >= _LINE_EVERY_S:
            told_at = time.monotonic()
            say(f"step {at.done} of {at.of}: {_told(at)}")

    return tell


def _told(at: Progress) -> str:
    """The figures of one moment: ``loss 1.02, accuracy 61.3 %, 12.1 steps/s, 3 min left``."""
    parts = []
    if at.loss is not None:
        parts.append(f"loss {at.loss:.3f}")
    if at.accuracy is not None:
        parts.append(f"accuracy {100 * at.accuracy:.1f} %")
    if at.validation is not None:
        parts.append(f"validation {100 * at.validation:.1f} %")
    if at.steps_per_s is not None:
        parts.append(f"{at.steps_per_s:.3g} steps/s")
    if at.remaining_s is not None:
        parts.append(f"{duration(at.remaining_s)} left")
    return ", ".join(parts)


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3 h 05 min``."""
    whole = round(seconds)
    if whole < 100:
        return f"{whole} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60:02d} min"


def _show(result: TrainingResult) -> None:
    """Print what came out: both splits with their intervals, and what needs no learning."""
    from rich.table import Table
    from rich.text import Text

    document = result.document
    settings = document["settings"]
    reported = document["scores"][document["reported"]]
    name = " ".join([settings["model"], *settings["ablations"]])
    head = f"{name} on {settings['task']}, preset {settings['preset']}, seed {settings['seed']}"
    made = (
        f"{document['steps']} steps of {settings['recipe']['batch']}, {settings['precision']}, "
        f"{document['hardware']['device']['name']}, {duration(document['elapsed_s'])}, "
        f"{document['parameters']:,} parameters"
    )
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("accuracy in %")
    for split in ("validation", "test"):
        table.add_column(split, justify="right")
        table.add_column("95 % interval", style="dim")
    rows = {f"model, step {reported['step']}": reported}
    for label, scores in {**rows, **document["baselines"]}.items():
        cells = []
        for split in ("validation", "test"):
            share = scores[split]["accuracy"]
            cells += [f"{100 * share['value']:.1f}", f"{100 * share['low']:.1f} … {100 * share['high']:.1f}"]
        table.add_row(Text(label, style="bold" if scores is reported else ""), *cells)
    screen = console()
    screen.print(Text(head, style="bold"))
    screen.print(Text(made, style="dim"))
    screen.print()
    screen.print(table)
    screen.print()
    screen.print(Text(f"Reported: {document['reported_reason']}.", style="dim"))
    screen.print(Text(f"Run: {result.folder}", style="dim"))


@app.command(
    cls=Command,
    epilog=examples(
        "rmaat-hw results",
        "rmaat-hw results runs/small-* --markdown table.md",
        "rmaat-hw results --json | jq '.groups[] | [.model, .task, .accuracy_mean]'",
    ),
)
def results(
    places: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[RUN|FOLDER]...", help="Runs, or folders with runs; by default runs/."),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table to a CSV file, a row per group.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the table to a Markdown file.")
    ] = None,
    json: Json = None,
) -> None:
    """Gather trainings into the paper's table: models by tasks, mean ± standard deviation over seeds.

    Averaged are runs that differ in their seed alone; unfinished runs are listed apart. Published values
    stand beside ours at the size they were published for.
    """
    from rmaat_hw import runs
    from rmaat_hw.training import table
    from rmaat_hw.training.gather import gather

    runs.check_target(None, json, default=None)
    found = gather(places or [runs.RUNS])
    if csv is not None:
        runs.write_atomically(csv, found.to_pandas().to_csv(index=False).encode())
    if markdown is not None:
        runs.write_atomically(markdown, table.markdown(found).encode())
    if json is not None:
        write_json(found.to_json(), json)
    if json != STANDARD_OUTPUT:
        table.show(console(), found)
