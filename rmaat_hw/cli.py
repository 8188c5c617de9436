"""The command line. Heavy packages are imported inside the commands that need them.

Exit codes: 0 done; 1 internal error; 2 bad input; 3 finished, but incomplete under ``--strict``;
130 interrupted.
"""

from __future__ import annotations

import codecs
import errno
import os
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from device_params.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from rmaat_hw.catalogue import Kind

INTERNAL, BAD_INPUT, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130
# Complaints about the command line itself; older releases of typer take them from click.
_UsageError = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "UsageError")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
TRACEBACK_VARIABLE = "RMAAT_HW_TRACEBACK"
STANDARD_OUTPUT = "-"


class _Command(TyperCommand):
    """A command whose ``--json`` may stand alone: it then means standard output."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, with_json_value(args))


def with_json_value(args: list[str]) -> list[str]:
    """Put ``-`` behind a ``--json`` that has no value."""
    completed = []
    for index, argument in enumerate(args):
        completed.append(argument)
        if argument == "--json":
            following = args[index + 1] if index + 1 < len(args) else "--"
            if following.startswith("-") and following != STANDARD_OUTPUT:
                completed.append(STANDARD_OUTPUT)
    return completed


def _examples(*lines: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  $ {line}" for line in lines)


app = typer.Typer(
    name="rmaat-hw",
    help="What a PyTorch model would cost in energy, area and latency on emerging memory hardware.",
    epilog=_examples("rmaat-hw estimate", "rmaat-hw designs list", "rmaat-hw estimate --help"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)

Task = Annotated[
    str, typer.Option(metavar="NAME", help="Task that gives sequences and model; see `rmaat-hw tasks list`.")
]
Batch = Annotated[int, typer.Option(metavar="COUNT", help="Sequences in one pass.")]
Precision = Annotated[str, typer.Option(metavar="w<BITS>a<BITS>", help="Bits of weights and activations.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FILE.yaml|MODULE:CALLABLE",
        help="Fields of RMAATConfig in YAML, or a callable that returns (module, args[, kwargs]).",
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
Extrapolate = Annotated[
    bool, typer.Option("--allow-extrapolation", help="Take values outside their measured range, and say so.")
]
Measure = Annotated[bool, typer.Option(help="Also run the program on this machine.")]


def _version(value: bool) -> None:
    if value:
        from rmaat_hw import __version__

        typer.echo(f"rmaat-hw {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and leave.")
    ] = False,
) -> None:
    pass


@app.command(
    cls=_Command,
    epilog=_examples(
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
    with _progress() as tell:
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
        _write_json(result.document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.screen import show_estimate

        show_estimate(_console(), result.document, result.graph, str(folder))
    if strict and result.incomplete:
        _say(f"Incomplete: without a rule and not priced: {len(result.graph.unruled)} operators.")
        raise typer.Exit(INCOMPLETE)


@app.command(
    cls=_Command,
    epilog=_examples(
        "rmaat-hw trace",
        "rmaat-hw trace --seq-len 32768",
        "rmaat-hw trace --model my_models:make_bert --json graph.json",
    ),
)
def trace(
    task: Task = "listops",
    batch: Batch = 1,
    model: Model = None,
    seq_len: SeqLen = None,
    seed: Seed = 0,
    out: Out = None,
    json: Json = None,
    strict: Strict = False,
) -> None:
    """Trace a model into its operator graph and show what it consists of."""
    from rmaat_hw import runs

    runs.check_target(out, json, default=None)
    with _progress() as tell:
        tell("tracing the program")
        from rmaat_hw.subject import load_subject
        from rmaat_hw.trace import capture

        subject = load_subject(task, model=model, batch=batch, seq_len=seq_len, seed=seed)
        traced = capture(subject.module, subject.args, subject.kwargs, name=subject.name)
    document = traced.graph.to_json()
    if out is not None:
        options = {"task": task, "batch": batch, "model": model, "seq_len": seq_len, "seed": seed}
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
        _write_json(document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.screen import show_trace

        show_trace(_console(), traced, str(out) if out is not None else None)
    if strict and traced.graph.unruled:
        _say(f"Incomplete: without a rule: {len(traced.graph.unruled)} operators.")
        raise typer.Exit(INCOMPLETE)


@app.command(cls=_Command, epilog=_examples("rmaat-hw report runs/20260101T120000-estimate-1a2b3c4d"))
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
        _write_json(document, json)
    if json != STANDARD_OUTPUT:
        from rmaat_hw.report.screen import show_estimate

        show_estimate(_console(), document, graph, str(run))


@app.command(cls=_Command, epilog=_examples("rmaat-hw doctor", "rmaat-hw doctor --json"))
def doctor(json: Json = None) -> None:
    """Say what is installed, which devices there are and what can be measured on this machine."""
    from rmaat_hw import doctor as examination

    found = examination.doctor()
    if json is not None:
        _write_json(found.to_json(), json)
    if json != STANDARD_OUTPUT:
        examination.render(found, _console())
    if not found.ok:
        raise typer.Exit(BAD_INPUT)


def _catalogue(kind: Kind, plural: str, example: str) -> None:
    """Add ``<plural> list`` and ``<plural> show NAME``."""
    group = typer.Typer(
        help=f"List the {plural}, or show one with every number and its source.",
        epilog=_examples(f"rmaat-hw {plural} list", f"rmaat-hw {plural} show {example}"),
        no_args_is_help=True,
    )

    @group.command("list", cls=_Command, epilog=_examples(f"rmaat-hw {plural} list"))
    def list_(json: Json = None) -> None:
        from rmaat_hw import catalogue

        rows = catalogue.entries(kind)
        if json is not None:
            _write_json({"schema_version": 1, "command": f"{plural} list", plural: rows}, json)
        if json != STANDARD_OUTPUT:
            catalogue.show_entries(_console(), plural, rows)

    list_.__doc__ = f"List the {plural} by name."

    @group.command("show", cls=_Command, epilog=_examples(f"rmaat-hw {plural} show {example}"))
    def show(
        name: Name,
        json: Json = None,
    ) -> None:
        from rmaat_hw import catalogue

        document = catalogue.entry(kind, name)
        if json is not None:
            _write_json(document, json)
        if json != STANDARD_OUTPUT:
            catalogue.show_entry(_console(), document)

    show.__doc__ = f"Show one of the {plural}."
    app.add_typer(group, name=plural)


_catalogue("device", "devices", "fefet_1f1r_28nm")
_catalogue("design", "designs", "fefet_crossbar_28nm")
_catalogue("task", "tasks", "listops")
_catalogue("technology", "technologies", "28nm")


def _console(*, error: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=error, highlight=False)


def _say(sentence: str) -> None:
    typer.echo(sentence, err=True)


@contextmanager
def _progress() -> Iterator[Callable[[str], None]]:
    """Show the present step on standard error: a spinner on a terminal, else nothing."""
    console = _console(error=True)
    # What the user's program prints must not stand before the document.
    with redirect_stdout(sys.stderr):
        if not console.is_terminal:
            yield lambda sentence: None
            return
        with console.status("") as status:
            yield lambda sentence: status.update(f"{sentence[:1].upper()}{sentence[1:]} …")


def _write_json(document: Any, target: str) -> None:
    from rmaat_hw.runs import to_json_text, write_atomically

    text = to_json_text(document)
    if target == STANDARD_OUTPUT:
        if not (sys.stdout.encoding or "").lower().startswith("utf"):
            text = to_json_text(document, ascii_only=True)
        sys.stdout.write(text)
        sys.stdout.flush()
    else:
        write_atomically(Path(target), text.encode())


def run(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code; errors are told on standard error."""
    try:
        code = app(arguments, prog_name="rmaat-hw", standalone_mode=False) or 0
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except (BrokenPipeError, SystemExit) as end:
        # typer and rich turn a reader that went away (`| head`) into an exit of their own.
        if isinstance(end, SystemExit) and not isinstance(end.__context__, BrokenPipeError):
            raise
        # What Python would still flush at exit goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except InputError as error:
        _say(f"Error: {error}")
        return BAD_INPUT
    except Exception as error:
        if isinstance(error, _UsageError):
            _say(_usage_sentence(error))
            return BAD_INPUT
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            _say(f"Error: cannot write: {error.strerror}; make room or choose another place")
            return BAD_INPUT
        told = " ".join(str(error).split())
        _say(
            f"Internal error: {type(error).__name__}: {told[:400]}; this is a defect of rmaat-hw, not of "
            f"your input. {TRACEBACK_VARIABLE}=1 before the command shows the traceback."
        )
        return INTERNAL
    if code == INTERRUPTED:
        _say("Interrupted: no run folder was written.")
    return int(code)


def _usage_sentence(error: Any) -> str:
    """One sentence about a wrong command line, or the help where nothing was asked for."""
    told = " ".join(error.format_message().split()).rstrip(".")
    command = error.ctx.command_path if error.ctx else "rmaat-hw"
    return f"Error: {told[:1].lower()}{told[1:]}; `{command} --help` tells what there is"


_PLAIN = {"µ": "u", "²": "2", "×": "x", "·": ",", "–": "-", "…": "...", "Ω": "Ohm", "≠": "!=", "█": "#"}


def _plain_letters(error: UnicodeError) -> tuple[str, int]:
    """Write for a terminal that lacks a letter the nearest plain one: ``µJ`` must not become ``?J``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(letter) or _bare(letter) for letter in lacking), error.end


def _bare(letter: str) -> str:
    """The letter without its accents; a space for a part of a bar; else a question mark."""
    if letter in "▏▎▍▌▋▊▉":
        return " "
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


def main() -> None:
    """Entry point of the ``rmaat-hw`` script."""
    codecs.register_error("rmaat_hw.plain", _plain_letters)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="rmaat_hw.plain")
    sys.exit(run())
