"""What every command shares: the application, its options' plumbing, its streams, errors and exit codes.

Exit codes: 0 done; 1 internal error; 2 bad input; 3 finished, but incomplete (``--strict``, or a
training that stopped before its last step); 130 interrupted.
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

INTERNAL, BAD_INPUT, INCOMPLETE, INTERRUPTED = 1, 2, 3, 130
# Complaints about the command line itself; older releases of typer take them from click.
_UsageError = next(c for c in typer.BadParameter.__mro__ if c.__name__ == "UsageError")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS)
TRACEBACK_VARIABLE = "RMAAT_HW_TRACEBACK"
STANDARD_OUTPUT = "-"


class Leave(Exception):
    """End the command with this exit code after telling one sentence on standard error."""

    def __init__(self, code: int, sentence: str) -> None:
        self.code = code
        super().__init__(sentence)


class Command(TyperCommand):
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


def examples(*lines: str) -> str:
    return "Examples:\n\n" + "\n\n".join(f"  $ {line}" for line in lines)


app = typer.Typer(
    name="rmaat-hw",
    help="What a PyTorch model would cost in energy, area and latency on emerging memory hardware.",
    epilog=examples("rmaat-hw estimate", "rmaat-hw designs list", "rmaat-hw estimate --help"),
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


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


def console(*, error: bool = False) -> Console:
    from rich.console import Console

    return Console(stderr=error, highlight=False)


def say(sentence: str) -> None:
    typer.echo(sentence, err=True)


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Show the present step on standard error: a spinner on a terminal, else nothing."""
    terminal = console(error=True)
    # What the user's program prints must not stand before the document.
    with redirect_stdout(sys.stderr):
        if not terminal.is_terminal:
            yield lambda sentence: None
            return
        with terminal.status("") as status:
            yield lambda sentence: status.update(f"{sentence[:1].upper()}{sentence[1:]} …")


def spare(json: str | None, *inputs: Path | None) -> None:
    """Refuse to write the document over an input: ``--json`` takes the word that follows it."""
    if json is None or json == STANDARD_OUTPUT:
        return
    read = {path.resolve() for path in inputs if path is not None}
    if Path(json).suffix in (".yaml", ".yml", ".bib") or Path(json).resolve() in read:
        raise InputError(
            "the document would be written over a file that is read",
            where="--json",
            value=json,
            remedy="put --json last, or write --json -",
        )


def write_json(document: Any, target: str) -> None:
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
    except Leave as end:
        say(str(end))
        return end.code
    except InputError as error:
        say(f"Error: {error}")
        return BAD_INPUT
    except Exception as error:
        if isinstance(error, _UsageError):
            say(_usage_sentence(error))
            return BAD_INPUT
        if os.environ.get(TRACEBACK_VARIABLE):
            raise
        if isinstance(error, OSError) and error.errno in _NO_ROOM:
            say(f"Error: cannot write: {error.strerror}; make room or choose another place")
            return BAD_INPUT
        told = " ".join(str(error).split())
        say(
            f"Internal error: {type(error).__name__}: {told[:400]}; this is a defect of rmaat-hw, not of "
            f"your input. {TRACEBACK_VARIABLE}=1 before the command shows the traceback."
        )
        return INTERNAL
    if code == INTERRUPTED:
        say("Interrupted: no run folder was written.")
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
