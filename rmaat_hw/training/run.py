"""Train from the first step or from the last checkpoint, evaluate, and leave a run folder."""

from __future__ import annotations

import contextlib
import errno
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError
from rmaat_hw import runs
from rmaat_hw.training import checkpoint
from rmaat_hw.training.endings import Requests, TrainingIncomplete, TrainingInterrupted, alone, requests
from rmaat_hw.training.evaluation import Score, baselines
from rmaat_hw.training.log import read_sessions, tell_session
from rmaat_hw.training.result import RESULT, SETTINGS, TrainingResult
from rmaat_hw.training.settings import LOG_EVERY, Job, Settings, make_job, make_settings

if TYPE_CHECKING:
    import torch

    from rmaat_hw.training.loop import Loop, Watcher

DEVICES = ("auto", "cpu", "cuda")
_NOT_WRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


def train(
    task: str = "listops",
    model: str = "rmaat",
    preset: str = "full",
    seed: int = 0,
    ablations: Sequence[str] = (),
    *,
    data: Path | str | None = None,
    out: Path | str | None = None,
    steps: int | None = None,
    batch: int | None = None,
    learning_rate: float | None = None,
    device: str | None = None,
    precision: str = "fp32",
    compile: bool = False,
    gradient_accumulation: int = 1,
    resume: bool = False,
    evaluate_every: int | None = None,
    checkpoint_every: int | None = None,
    log_every: int = LOG_EVERY,
    max_minutes: float | None = None,
    progress: Watcher | None = None,
) -> TrainingResult:
    """Train a model on a task and score it on validation and test.

    Args:
        task: name, see ``rmaat-hw tasks list``.
        model: name in ``rmaat_hw.model.variants.VARIANTS``.
        preset: size of the task.
        seed: of weights, order of the examples and dropout; the data are the same for every seed.
        ablations: names in ``rmaat_hw.model.variants.ABLATIONS``.
        data: folder of the published files, for the tasks that read them.
        out: new or empty run folder; by default a new one in runs/.
        steps, batch, learning_rate, evaluate_every: in place of the preset's recipe. With fewer steps
            the warm-up shrinks in proportion.
        device: "cpu", "cuda" or "auto" (None): the GPU where there is one.
        precision: "fp32" or "bf16" (autocast).
        compile: with torch.compile.
        gradient_accumulation: equal parts in which the batch is run.
        resume: go on with the run in ``out`` if there is one; it must be of the same settings.
        checkpoint_every: steps between two checkpoints, beside those after each evaluation; by default
            as often as evaluations.
        log_every: steps between two lines of the log.
        max_minutes: after this time write a checkpoint and stop.
        progress: called about ten times a second with a ``Progress``.

    Returns:
        The result. Reported are the weights with the best validation accuracy, or the last ones where
        the validation split is the test split itself (Text of the Long Range Arena).

    Raises:
        InputError: bad input.
        TrainingInterrupted: Ctrl-C or SIGTERM; TrainingIncomplete: time over, or a loss that is not
            finite. After each ``resume_training(run)`` goes on.

    Example:
        >>> train("digits", preset="small", steps=200).accuracy  # doctest: +SKIP
        0.9...
    """
    settings = make_settings(
        task,
        model,
        preset,
        seed,
        ablations=ablations,
        data=data,
        steps=steps,
        batch=batch,
        learning_rate=learning_rate,
        precision=precision,
        compile=compile,
        gradient_accumulation=gradient_accumulation,
        evaluate_every=evaluate_every,
        checkpoint_every=checkpoint_every,
        log_every=log_every,
    )
    place = choose_device(device)
    _check_time(max_minutes)
    if resume and out is None:
        raise InputError("which run shall go on?", where="resume", remedy="name its folder as `out`")
    if resume and out is not None and (Path(out) / SETTINGS).exists():
        check_unfinished(Path(out))
        saved = read_settings(Path(out))
        # Where the data are is no part of what a training is.
        kept = {**settings.to_dict(), "data": None}
        checkpoint.check_same({**saved.to_dict(), "data": None}, kept, where=str(out))
        folder = Path(out)
    else:
        if out is not None:
            runs.check_new_folder(out)
        folder = None
    job = make_job(settings)
    if folder is None:
        folder = create_run(job, out)
    return run_job(job, folder, place, watch=progress, max_minutes=max_minutes)


def resume_training(
    run: Path | str,
    *,
    data: Path | str | None = None,
    device: str | None = None,
    max_minutes: float | None = None,
    progress: Watcher | None = None,
) -> TrainingResult:
    """Go on with a run where it was left; everything that it is stands in its folder.

    On the same CPU the end is bit-equal to that of a run never interrupted; torch computes with the number
    of threads that the run was begun with.

    Args:
        run: its folder.
        data: where the published files are now, if they have moved.
        device, max_minutes, progress: as in :func:`train`.

    Raises:
        InputError: no such run, a finished one, one that another process works on, or data that changed.
    """
    from dataclasses import replace

    folder = Path(run)
    settings = read_settings(folder)
    check_unfinished(folder)
    if data is not None:
        settings = replace(settings, data=str(data))
    place = choose_device(device)
    _check_time(max_minutes)
    return run_job(make_job(settings), folder, place, watch=progress, max_minutes=max_minutes)


def choose_device(name: str | None) -> torch.device:
    """The device of a name; "auto" and None: the GPU where there is one."""
    import torch

    name = name or "auto"
    if name not in DEVICES:
        raise InputError("unknown device", where="--device", value=name, allowed=", ".join(DEVICES))
    if name == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "torch sees no GPU here",
            where="--device",
            value=name,
            remedy="take cpu, or see `rmaat-hw doctor`",
        )
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", torch.cuda.current_device())


def _check_time(minutes: float | None) -> None:
    if minutes is not None and not 0 < minutes < math.inf:
        raise InputError("bad time limit", where="--max-minutes", value=minutes, allowed="a positive number")


def create_run(job: Job, out: Path | str | None = None) -> Path:
    """Make the folder of a new run with its settings and its manifest."""
    settings = job.settings.to_dict()
    with runs.run_folder("train", repr(settings), out) as folder:
        described = {"schema_version": 1, "settings": settings, "config": job.config.to_dict()}
        folder.write(SETTINGS, runs.to_json_text({**described, "data": job.data()}))
        folder.write_manifest(
            command="train", options=settings, seeds={"seed": job.settings.seed}, facts={"data": job.data()}
        )
    return folder.path


def read_settings(run: Path) -> Settings:
    """Settings of a run from its folder."""
    if not (run / SETTINGS).is_file():
        raise InputError(
            "there is no training in this folder" if run.is_dir() else "there is no run of this name",
            where=str(run),
            remedy="`rmaat-hw train` makes one and prints its name; `rmaat-hw results` lists those in runs/",
        )
    document = runs.read_run(run, SETTINGS)
    return Settings.from_mapping(document.get("settings", {}), where=str(run / SETTINGS))


def check_unfinished(run: Path) -> None:
    """Refuse a run that has its result."""
    if (run / RESULT).exists():
        raise InputError(
            "this run is finished",
            where=str(run),
            remedy=f"`rmaat-hw results {run}` shows it; a longer training is a new run with --steps",
        )


def run_job(
    job: Job,
    folder: Path,
    device: torch.device,
    *,
    watch: Watcher | None = None,
    max_minutes: float | None = None,
) -> TrainingResult:
    """Bring a run to its end in its folder, from wherever it stands."""
    try:
        return _run_job(job, folder, device, watch, max_minutes)
    except TrainingInterrupted:
        raise
    except KeyboardInterrupt:  # while the model was built: the folder is there, and no step was lost
        told = f"Interrupted before a step was done; `rmaat-hw train --resume {folder}` goes on."
        raise TrainingInterrupted(told, folder, 0) from None
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise InputError(
            f"cannot write: {error.strerror}",
            where=str(folder),
            remedy=f"mend that; `rmaat-hw train --resume {folder}` goes on from the last checkpoint",
        ) from error


def _run_job(
    job: Job, folder: Path, device: torch.device, watch: Watcher | None, max_minutes: float | None
) -> TrainingResult:
    import torch

    from rmaat_hw.measure import environment
    from rmaat_hw.training.loop import Loop
    from rmaat_hw.training.randomness import surroundings_kept

    with alone(folder):
        check_unfinished(folder)
        loop = Loop(job, folder, device, watch)
        hardware = {"host": environment.host(), "device": environment.device(device)}
        software = environment.software()
        where = {**hardware, "software": software}
        with surroundings_kept(device), _session(folder, loop, where), requests() as wishes:
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats(device)
            loop.run(wishes, deadline_s=None if max_minutes is None else 60 * max_minutes)
            document = {
                **_outcome(job, loop, wishes),
                "hardware": {**hardware, "devices": _devices(folder)},
                "software": software,
                "peak_memory_B": torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None,
            }
            runs.write_atomically(folder / RESULT, runs.to_json_text(document).encode())
    return TrainingResult(folder, document)


@contextlib.contextmanager
def _session(folder: Path, loop: Loop, where: dict[str, Any]) -> Iterator[None]:
    """Note when this process begins to work on the run, on what, and why it stops."""
    tell_session(folder, "begin", **where)
    reason = "failed"
    try:
        yield
        reason = "finished"
    except (TrainingIncomplete, TrainingInterrupted) as end:
        reason = end.reason
        raise
    except KeyboardInterrupt:  # the second one, or the first outside the steps
        reason = "interrupted"
        raise loop.interrupted() from None
    finally:
        tell_session(folder, "end", reason=reason, at_step=loop.step, elapsed_s=loop.elapsed_s)


def _devices(folder: Path) -> list[str]:
    """Names of the devices that worked on the run, in the order they came."""
    sessions = [s for s in read_sessions(folder) if s["event"] == "begin" and "device" in s]
    return list(dict.fromkeys(s["device"]["name"] for s in sessions))


def _outcome(job: Job, loop: Loop, wishes: Requests) -> dict[str, Any]:
    """Score the last and the best weights on validation and test, and what needs no learning."""
    from rmaat_hw.training.loop import CHECKPOINTS

    elapsed_s = loop.elapsed_s
    settings = job.settings
    last = settings.recipe.steps
    best = loop.best or {"step": last}
    scores = {"last": _scores(loop, last, wishes, loop.validation)}
    if best["step"] == last:
        scores["best"] = scores["last"]
    else:
        loop.load_weights(loop.folder / CHECKPOINTS / best["file"])
        known = Score(best["correct"], len(job.validation), best["loss"])
        scores["best"] = _scores(loop, best["step"], wishes, known)
    selected = job.validation.sha256 != job.test.sha256
    return {
        "schema_version": 1,
        "command": "train",
        "created_utc": runs.utc_now(),
        "settings": settings.to_dict(),
        "config": job.config.to_dict(),
        "data": job.data(),
        "parameters": loop.parameters,
        "steps": settings.recipe.steps,
        "elapsed_s": elapsed_s,
        "reported": "best" if selected else "last",
        "reported_reason": "weights with the best validation accuracy"
        if selected
        else "last weights, because the validation split is the test split",
        "scores": scores,
        "baselines": {
            name: {split: score.to_dict() for split, score in by_split.items()}
            for name, by_split in _baselines(job).items()
        },
    }


def _scores(loop: Loop, step: int, wishes: Requests, validation: Score | None) -> dict[str, Any]:
    """Scores of the weights that the loop has; ``validation`` where they were scored before."""
    found = {
        "validation": validation or loop.score("validation", wishes),
        "test": loop.score("test", wishes),
    }
    return {"step": step, **{split: score.to_dict() for split, score in found.items()}}


def _baselines(job: Job) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for split in ("validation", "test"):
        for name, score in baselines(job.settings.task, job.train, getattr(job, split)).items():
            found.setdefault(name, {})[split] = score
    return found
