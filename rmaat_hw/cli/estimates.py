"""``rmaat-hw estimate``, ``trace`` and ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rmaat_hw.cli.options import (
    Batch,
    Design,
    Extrapolate,
    Json,
    Measure,
    Model,
    Out,
    Precision,
    Seed,
    SeqLen,
    Set,
    Strict,
    Task,
    Training,
)
from rmaat_hw.cli.shell import (
    INCOMPLETE,
    STANDARD_OUTPUT,
    Command,
    app,
    console,
    examples,
    progress,
    say,
    write_json,
)

if TYPE_CHECKING:
    from rmaat_hw.subject import Subject
    from rmaat_hw.trace import Trace


@app.command(
    cls=Command,
    epilog=examples(
        "rmaat-hw estimate",
        "rmaat-hw estimate --no-measure --set array.rows=64 --out runs/small-arrays",
        "rmaat-hw estimate --model my_models:make_bert --batch 4",
        "rmaat-hw estimate --json | jq .totals",
    ),
)
def estimate(
    task: Task = "listops",
    batch: Batch = 1,
    precision: Precision = "w8a8",
    model: Model = None,
    seq_len: SeqLen = None,
    design: Design = "fefet_crossbar_28nm",
    set_: Set = None,
    seed: Seed = 0,
    measure: Measure = True,
    out: Out = None,
    json: Json = None,
    strict: Strict = False,
    allow_extrapolation: Extrapolate = False,
) -> None:
    """Estimate energy, area and latency of a model on a design, and measure it here.

    Prints one screen and writes a run folder with report.html, estimate.json, breakdown.parquet,
    graph.json, activity.json and manifest.json.
    """
    from rmaat_hw import runs

    options: dict[str, Any] = {
        "task": task,
        "batch": batch,
        "precision": precision,
        "model": model,
        "seq_len": seq_len,
        "design": design,
        "set": list(set_ or ()),
        "seed": seed,
        "measure": measure,
        "strict": strict,
        "allow_extrapolation": allow_extrapolation,
    }
    runs.check_target(out, json)
    with progress() as tell:
        tell("starting")
        from rmaat_hw.estimate import estimate as run_estimate
        from rmaat_hw.report import save_estimate

        result = run_estimate(
            task,
            model=model,
            batch=batch,
            precision=precision,
            seq_len=seq_len,
            design=design,
            set=options["set"],
            seed=seed,
            measure=measure,
            allow_extrapolation=allow_extrapolation,
            progress=tell,
        )
        tell("writing the report")
        folder = save_estimate(result, out=out, options=options)
    if json is not None:
        write_json(result.document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.screen import show_estimate

        show_estimate(console(), result.document, result.graph, str(folder))
    if strict and result.incomplete:
        say(f"Incomplete: without a rule and not priced: {len(result.graph.unruled)} operators.")
        raise typer.Exit(INCOMPLETE)


@app.command(
    cls=Command,
    epilog=examples(
        "rmaat-hw trace",
        "rmaat-hw trace --seq-len 32768",
        "rmaat-hw trace --training --batch 8",
        "rmaat-hw trace --model my_models:make_bert --json graph.json",
    ),
)
def trace(
    task: Task = "listops",
    batch: Batch = 1,
    model: Model = None,
    seq_len: SeqLen = None,
    seed: Seed = 0,
    training: Training = False,
    out: Out = None,
    json: Json = None,
    strict: Strict = False,
) -> None:
    """Trace a model into its operator graph and show what it consists of.

    With `--training` a whole training step: forward, backward, what is computed again, and AdamW's update.
    """
    from rmaat_hw import runs

    runs.check_target(out, json, default=None)
    with progress() as tell:
        tell("tracing the program")
        from rmaat_hw.subject import load_subject

        subject = load_subject(task, model=model, batch=batch, seq_len=seq_len, seed=seed)
        traced = _traced_step(subject) if training else _traced_pass(subject)
    document = traced.graph.to_json()
    if training:
        from rmaat_hw.report import step

        document["training"] = step.document(traced)
    if out is not None:
        options: dict[str, Any] = {
            "task": task, "batch": batch, "model": model, "seq_len": seq_len, "seed": seed,
        }  # fmt: skip
        if training:
            options["training"] = True
        with runs.run_folder("trace", str(options), out) as folder:
            folder.write("graph.json", runs.to_json_text(document))
            folder.write_manifest(
                command="trace",
                options=options,
                seeds={"seed": seed},
                inputs=[Path(file) for file in subject.source_files],
                facts={"graph_sha256": traced.graph.digest()},
            )
    if json is not None:
        write_json(document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.screen import show_trace

        show_trace(console(), traced, str(out) if out is not None else None)
    if strict and traced.graph.unruled:
        say(f"Incomplete: without a rule: {len(traced.graph.unruled)} operators.")
        raise typer.Exit(INCOMPLETE)


def _traced_pass(subject: Subject) -> Trace:
    from rmaat_hw.trace import capture

    return capture(subject.module, subject.args, subject.kwargs, name=subject.name)


def _traced_step(subject: Subject) -> Trace:
    """One step of training; the scores of a task's model meet labels in cross-entropy."""
    import torch

    from rmaat_hw.trace import capture_training

    name = f"{subject.name}, one training step"
    if subject.task is None:
        return capture_training(subject.module, subject.args, subject.kwargs, optimiser="adamw", name=name)
    return capture_training(
        subject.module,
        subject.args,
        subject.kwargs,
        loss=torch.nn.functional.cross_entropy,
        targets=(torch.zeros(len(subject.args[0]), dtype=torch.int64),),
        optimiser="adamw",
        name=name,
    )


@app.command(cls=Command, epilog=examples("rmaat-hw report runs/20260101T120000-estimate-1a2b3c4d"))
def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder that `rmaat-hw estimate` wrote.")],
    json: Json = None,
) -> None:
    """Show a saved run again and render its page anew."""
    from rmaat_hw.report import load_run
    from rmaat_hw.report import report as render

    document, graph = load_run(run)
    render(run)
    if json is not None:
        write_json(document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.screen import show_estimate

        show_estimate(console(), document, graph, str(run))
