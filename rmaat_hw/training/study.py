"""Does it learn? Trainings over seeds beside the best answer without learning, kept as data.

``python -m rmaat_hw.training.study`` (``make study-learning``) trains what :data:`PLAN` names on this
machine and writes one JSON record a line: what the file is, one record a run, one a group of runs that
differ in their seed alone. The file shipped with the project is :data:`SHIPPED`. A study that was
stopped goes on where it was when it is started again with the same folder of runs.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rmaat_hw import runs
from rmaat_hw.training.evaluation import first_token_answers
from rmaat_hw.training.result import RESULT, SETTINGS, TrainingResult, load_result

if TYPE_CHECKING:
    from rmaat_hw.tasks.examples import Examples

SHIPPED = Path(__file__).with_name("results") / "learning.jsonl"
SEEDS = (0, 1, 2)
_SAME = ("task", "preset", "model", "ablations")
_SCORED_AT_ONCE = 500  # sequences


@dataclass(frozen=True)
class Arm:
    """One model on one task, trained once a seed."""

    task: str
    preset: str
    model: str = "rmaat"
    ablations: tuple[str, ...] = ()
    seeds: tuple[int, ...] = (0,)

    def folder(self, seed: int) -> str:
        """Name of the run folder of one seed."""
        return "-".join((self.task, self.preset, self.model, *self.ablations, str(seed)))


PLAN = (
    Arm("listops", "small", seeds=SEEDS),
    Arm("listops", "short", seeds=SEEDS),
    Arm("digits", "full", seeds=SEEDS),
    Arm("listops", "short", ablations=("no-retention",)),
    *(Arm("listops", "short", model=rival) for rival in ("at", "rlt", "rmt", "softmax")),
)
"""RMAAT with its interval, and on the short preset one seed each of an ablation and of the rivals."""


def conduct(place: Path, plan: Sequence[Arm] = PLAN, *, steps: int | None = None) -> list[dict[str, Any]]:
    """Train whatever of the plan is not finished yet and return the records of all of it.

    Args:
        place: folder of the run folders; made when missing.
        plan: what to train.
        steps: optimiser steps in place of each recipe's.
    """
    from rmaat_hw.training.run import resume_training, train

    found = []
    for arm in plan:
        for seed in arm.seeds:
            folder = place / arm.folder(seed)
            if (folder / RESULT).exists():
                result = load_result(folder)
            elif (folder / SETTINGS).exists():
                result = resume_training(folder, device="cpu")
            else:
                result = train(
                    arm.task,
                    arm.model,
                    arm.preset,
                    seed,
                    arm.ablations,
                    out=folder,
                    steps=steps,
                    device="cpu",
                )
            found.append(evidence(result))
            print(_sentence(found[-1]), file=sys.stderr, flush=True)
    return [*found, *margins(found)]


def evidence(
    result: TrainingResult, *, train: Examples | None = None, test: Examples | None = None
) -> dict[str, Any]:
    """One run as a record: what it was made with, its score, what needs no learning, where it is right.

    ``by_segments`` parts the test split by the segments that a sequence reaches over. Beside the accuracy
    stand the root operator's and the model's own when every segment but the first begins with memory of
    zeros, which shows how much of the answer passed through the memory.

    Args:
        result: a finished run.
        train, test: its splits; by default those of the task and preset.
    """
    document = result.document
    settings, config = document["settings"], document["config"]
    record: dict[str, Any] = {
        "event": "run",
        **{name: settings[name] for name in (*_SAME, "seed", "precision", "recipe")},
        "steps": document["steps"],
        "config": config,
        "parameters": document["parameters"],
        "data": document["data"],
        "reported": document["reported"],
        "test": dict(result.test),
        "validation": dict(result.validation),
        "without_learning": {name: by["test"] for name, by in document["baselines"].items()},
        "elapsed_s": document["elapsed_s"],
        "hardware": document["hardware"],
        "software": document["software"],
        "created_utc": document["created_utc"],
    }
    if settings["task"] == "listops":
        record |= _against_the_root_operator(result, train, test)
    return record


def _against_the_root_operator(
    result: TrainingResult, train: Examples | None, test: Examples | None
) -> dict[str, Any]:
    from rmaat_hw.tasks import load_task
    from rmaat_hw.training.weights import load_model

    settings = result.document["settings"]
    task = load_task(settings["task"], preset=settings["preset"])
    train, test = train or task.split("train"), test or task.split("test")
    model: Any = load_model(result.folder, which=result.document["reported"])
    right = _right(model, test)
    model.retention.zero_()
    cut = _right(model, test)
    root = first_token_answers(train, test) == test.labels
    reach = -(-test.lengths // task.config.segment_length)
    parts = []
    for segments in np.unique(reach).tolist():
        mine = reach == segments
        parts.append(
            {
                "segments": segments,
                "sequences": int(mine.sum()),
                "accuracy": float(right[mine].mean()),
                "root_operator": float(root[mine].mean()),
                "memory_cut": float(cut[mine].mean()),
            }
        )
    return {"margin": paired(right, root), "by_segments": parts}


def _right(model: Any, test: Examples) -> NDArray[np.bool_]:
    """Which sequences the model gets right, [n]."""
    import torch

    answers = []
    with torch.no_grad():
        for start in range(0, len(test), _SCORED_AT_ONCE):
            tokens, labels = test.batch(np.arange(start, min(start + _SCORED_AT_ONCE, len(test))))
            answers.append((model(tokens).argmax(dim=1) == labels).numpy())
    return np.concatenate(answers)


def paired(
    right: NDArray[np.bool_], other: NDArray[np.bool_], z: float = 1.959963984540054
) -> dict[str, float]:
    """Difference of two shares of right answers on the same sequences, with its normal interval.

    Args:
        right, other: who is right where, [n].
        z: normal quantile; by default that of 95 %.
    """
    difference = right.astype(np.float64) - other
    mean = float(difference.mean())
    half = z * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    return {"value": mean, "low": mean - half, "high": mean + half}


def margins(records: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Accuracy, and on ListOps its margin over the root operator, of each group of runs over its seeds.

    The interval is Student's at 95 % of the mean over seeds. All seeds share one test split: what
    another split would change is in the interval of each run.
    """
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault(json.dumps([record[name] for name in _SAME]), []).append(record)
    found = []
    for members in groups.values():
        told = {name: members[0][name] for name in _SAME}
        told["seeds"] = [member["seed"] for member in members]
        told["accuracy"] = student([member["test"]["accuracy"]["value"] for member in members])
        if members[0]["task"] == "listops":
            told["margin_over_root_operator"] = student(
                [
                    member["test"]["accuracy"]["value"]
                    - member["without_learning"]["root operator"]["accuracy"]["value"]
                    for member in members
                ]
            )
        found.append({"event": "group", **told})
    return found


def student(values: Sequence[float]) -> dict[str, float | None]:
    """Mean with its 95 % interval by Student's t; no interval for a single value.

    Example:
        >>> {name: round(value, 3) for name, value in student([0.1, 0.2, 0.3]).items()}
        {'value': 0.2, 'low': -0.048, 'high': 0.448}
    """
    from scipy import stats

    mean = float(np.mean(values))
    if len(values) < 2:
        return {"value": mean, "low": None, "high": None}
    half = float(stats.t.ppf(0.975, len(values) - 1)) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return {"value": mean, "low": mean - half, "high": mean + half}


def write(records: Iterable[Mapping[str, Any]], path: Path, *, note: str | None = None) -> None:
    """Write a study as one file, after a first record that says what it is and how to make it again."""
    head = {
        "event": "study",
        "schema_version": 1,
        "what": "test accuracy of trained models beside what needs no learning; shares, not per cent",
        "made_by": "python -m rmaat_hw.training.study",
        "note": note,
        "created_utc": runs.utc_now(),
    }
    lines = [json.dumps(record, ensure_ascii=False, allow_nan=False) for record in (head, *records)]
    runs.write_atomically(path, ("\n".join(lines) + "\n").encode())


def read(path: Path = SHIPPED) -> list[dict[str, Any]]:
    """Records of a study, the first one included."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _sentence(record: Mapping[str, Any]) -> str:
    known = record["without_learning"]
    floor = ", ".join(f"{name} {known[name]['accuracy']['value']:.1%}" for name in known)
    name = " ".join([record["task"], record["preset"], record["model"], *record["ablations"]])
    return f"{name}, seed {record['seed']}: {record['test']['accuracy']['value']:.1%} ({floor})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Conduct the study and write its file."""
    parser = argparse.ArgumentParser(prog="python -m rmaat_hw.training.study", description=main.__doc__)
    parser.add_argument("--runs", type=Path, default=runs.RUNS / "learning", help="folder of the runs")
    parser.add_argument("--out", type=Path, default=SHIPPED, help="file to write")
    parser.add_argument("--note", help="kept in the file, for instance what else the machine did")
    told = parser.parse_args(arguments)
    write(conduct(told.runs), told.out, note=told.note)


if __name__ == "__main__":
    main()
