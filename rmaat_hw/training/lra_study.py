"""Do the paper's comparisons hold on the published data? A study for a GPU and the files of the Arena.

``python -m rmaat_hw.training.lra_study --data FOLDER`` (``make study-lra DATA=FOLDER``; without the option
the folder is RMAAT_HW_DATA in the environment) trains what :data:`CLAIMS` names at full size and writes
one JSON record a line: what the file is, one record a run, one a claim with its difference over seeds.
Nothing of it runs without the published files, and no result of it is shipped. A study that was stopped
goes on where it was when it is started again with the same folder of runs.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_params.errors import InputError
from rmaat_hw import runs
from rmaat_hw.training.study import SEEDS, Arm, student

DATA = "RMAAT_HW_DATA"
"""Environment variable with the folder of the published files, where no option names it."""


@dataclass(frozen=True)
class Claim:
    """One comparison of the paper: an arm that should be better than another, and by how much."""

    name: str
    better: Arm
    worse: Arm
    published: float
    """Difference of the accuracies that the paper reports, as a share (arXiv 2601.00426, §4)."""


def _arm(task: str, model: str = "rmaat", *ablations: str) -> Arm:
    return Arm(task, "full", model, ablations, SEEDS)


CLAIMS = (
    Claim("RMAAT over RMT", _arm("retrieval"), _arm("retrieval", "rmt"), 0.832 - 0.793),
    Claim("RMT over RLT", _arm("retrieval", "rmt"), _arm("retrieval", "rlt"), 0.793 - 0.784),
    Claim("retention", _arm("retrieval"), _arm("retrieval", "rmaat", "no-retention"), 0.832 - 0.805),
    Claim("retention, Text", _arm("text"), _arm("text", "rmaat", "no-retention"), 0.659 - 0.649),
    Claim(
        "16 segments over 8", _arm("retrieval"), _arm("retrieval", "rmaat", "half-segments"), 0.832 - 0.715
    ),
    Claim(
        "8 segments over 4",
        _arm("retrieval", "rmaat", "half-segments"),
        _arm("retrieval", "rmaat", "quarter-segments"),
        0.715 - 0.653,
    ),
)
"""STATED by secondary sources that quote the paper. Depth, width and training are this project's choice."""


def require_data(claims: Sequence[Claim], data: Path | None) -> None:
    """Read one example of every split that the claims need.

    Raises:
        InputError: the sentence of the loader that says which file from where is missing.
    """
    from rmaat_hw.tasks import load_task

    for name in sorted({arm.task for claim in claims for arm in (claim.better, claim.worse)}):
        for split in ("train", "validation", "test"):
            load_task(name).split(split, data=data, n=1)


def conduct(
    place: Path,
    data: Path | None,
    claims: Sequence[Claim] = CLAIMS,
    *,
    steps: int | None = None,
    batch: int | None = None,
    device: str | None = None,
    precision: str = "fp32",
) -> list[dict[str, Any]]:
    """Train whatever the claims need and is not finished yet; records of runs, then of claims.

    Args:
        place: folder of the run folders; made when missing.
        data: folder of the published files.
        claims: what to compare.
        steps, batch, device, precision: as for :func:`rmaat_hw.training.train`.
    """
    from rmaat_hw.training.result import RESULT, load_result
    from rmaat_hw.training.run import train

    require_data(claims, data)
    accuracy: dict[str, float] = {}
    records: list[dict[str, Any]] = []
    for arm in dict.fromkeys(arm for claim in claims for arm in (claim.better, claim.worse)):
        for seed in arm.seeds:
            folder = place / arm.folder(seed)
            if (folder / RESULT).exists():
                result = load_result(folder)
            else:
                result = train(
                    arm.task,
                    arm.model,
                    arm.preset,
                    seed,
                    arm.ablations,
                    data=data,
                    out=folder,
                    steps=steps,
                    batch=batch,
                    device=device,
                    precision=precision,
                    resume=folder.exists(),
                )
            accuracy[folder.name] = result.accuracy
            print(f"{folder.name}: {result.accuracy:.1%}", file=sys.stderr, flush=True)
            kept = ("settings", "config", "steps", "data", "reported", "elapsed_s", "hardware", "software")
            told = {name: result.document[name] for name in kept}
            records.append({"event": "run", **told, "test": dict(result.test)})
    return [*records, *(judged(claim, accuracy) for claim in claims)]


def judged(claim: Claim, accuracy: Mapping[str, float]) -> dict[str, Any]:
    """A claim with the difference found: mean over paired seeds and Student's interval at 95 %.

    ``holds`` is true where the whole interval is above 0, false where it is below, else null: undecided.

    Args:
        claim: the comparison.
        accuracy: share of right answers on the test split, by name of the run folder.
    """
    pairs = zip(claim.better.seeds, claim.worse.seeds, strict=True)
    found = student([accuracy[claim.better.folder(a)] - accuracy[claim.worse.folder(b)] for a, b in pairs])
    low, high = found["low"], found["high"]
    holds = None if low is None or high is None or low <= 0 <= high else low > 0
    return {
        "event": "claim",
        "claim": claim.name,
        "published_difference": round(claim.published, 4),
        "seeds": list(claim.better.seeds),
        "difference": found,
        "holds": holds,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare RMAAT with its rivals and ablations on the published data of the Long Range Arena."""
    parser = argparse.ArgumentParser(prog="python -m rmaat_hw.training.lra_study", description=main.__doc__)
    parser.add_argument("--data", type=Path, help=f"folder of the published files; by default ${DATA}")
    parser.add_argument("--runs", type=Path, default=runs.RUNS / "lra", help="folder of the runs")
    parser.add_argument("--out", type=Path, help="file to write; by default lra.jsonl among the runs")
    parser.add_argument("--steps", type=int, help="in place of the recipe's")
    parser.add_argument("--batch", type=int, help="in place of the recipe's")
    parser.add_argument("--device", help="cpu or cuda; by default the GPU where there is one")
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    told = parser.parse_args(arguments)
    given = told.data or (Path(os.environ[DATA]) if os.environ.get(DATA) else None)
    how = {name: getattr(told, name) for name in ("steps", "batch", "device", "precision")}
    try:
        records = conduct(told.runs, given, **how)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    head = {
        "event": "study",
        "schema_version": 1,
        "what": "the paper's comparisons on published data; shares, not per cent",
        "made_by": "python -m rmaat_hw.training.lra_study",
        "created_utc": runs.utc_now(),
    }
    lines = [json.dumps(record, ensure_ascii=False, allow_nan=False) for record in (head, *records)]
    runs.write_atomically(told.out or told.runs / "lra.jsonl", ("\n".join(lines) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
