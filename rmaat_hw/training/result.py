"""What a finished training hands back, and its file in the run folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError
from rmaat_hw.runs import read_run
from rmaat_hw.training.log import LOG, read_log

if TYPE_CHECKING:
    import pandas as pd

RESULT = "result.json"
SETTINGS = "training.json"


@dataclass(frozen=True)
class TrainingResult:
    """A finished training: its folder and the document in ``result.json``."""

    folder: Path
    document: Mapping[str, Any]

    @property
    def accuracy(self) -> float:
        """Share of right answers on the test split, of the reported weights."""
        return float(self.test["accuracy"]["value"])

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95 % interval (Wilson)."""
        return self.test["accuracy"]["low"], self.test["accuracy"]["high"]

    @property
    def test(self) -> Mapping[str, Any]:
        """Score on the test split, of the reported weights."""
        return self._reported("test")

    @property
    def validation(self) -> Mapping[str, Any]:
        """Score on the validation split, of the reported weights."""
        return self._reported("validation")

    def _reported(self, split: str) -> Mapping[str, Any]:
        scores: Mapping[str, Any] = self.document["scores"][self.document["reported"]][split]
        return scores

    def to_pandas(self) -> pd.DataFrame:
        """The log as a table: a row per record of training and validation, in the order of steps.

        Columns ``step, split, loss_nat, accuracy, learning_rate, gradient_norm, epoch, steps_per_s,
        elapsed_s``; what a record does not have is NaN.
        """
        import pandas as pd

        columns = ["step", "split", "loss_nat", "accuracy", "learning_rate", "gradient_norm"]
        columns += ["epoch", "steps_per_s", "elapsed_s"]
        rows = []
        for record in read_log(self.folder / LOG):
            if record["event"] in ("train", "validation"):
                accuracy = record["accuracy"]
                value = accuracy["value"] if isinstance(accuracy, dict) else accuracy
                rows.append({**record, "split": record["event"], "accuracy": value})
        return pd.DataFrame(rows, columns=columns)


def load_result(run: Path | str) -> TrainingResult:
    """Read the result of a finished training.

    Raises:
        InputError: no such folder, a training that is not finished, a damaged file.
    """
    document = read_run(run, RESULT)
    try:
        found = TrainingResult(Path(run), document)
        _ = found.accuracy, found.interval, found.validation
    except (KeyError, TypeError, ValueError):
        raise InputError("this is no result of a training", where=str(Path(run) / RESULT)) from None
    return found
