"""One published figure beside its prediction, and the frame that the statistics read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.macros.configuration import STATIC_MEMORIES, technology_class

if TYPE_CHECKING:
    import pandas as pd

KINDS = ("energy", "time", "area")

#: Metrics of which more is better: their ratio is turned over before an error in cost is told.
RISING = frozenset({"energy_efficiency", "throughput", "compute_density"})
#: Which figures stand for a chip: the first of these that it publishes. A density is time and area at once.
WHOLE, DENSITY, PART = 0, 1, 2

#: Width of an interval over its value below which a closure is arithmetic on given numbers.
ARITHMETIC = 0.02


def is_nonvolatile(memory: str) -> bool:
    """Whether the memory keeps its state without supply: its intervals may be wider."""
    return memory not in STATIC_MEMORIES


@dataclass(frozen=True)
class Row:
    """One published figure and what was predicted for it; numbers are in ``unit``, that of the publication.

    ``kind`` is energy, time or area; ``type`` is prediction, or closure where arithmetic on published
    numbers decides. ``uncalibrated`` is the prediction without the factors fitted to chips. ``refused`` is
    the reason why there is no prediction; ``predicted``, ``low``, ``high`` and ``uncalibrated`` are then
    None. ``model_tolerance`` is a factor, or the allowed distance where ``tolerance_kind`` is "points". A
    ``share`` of a total is compared by difference, not by ratio.
    """

    case: str
    name: str
    point: str
    metric: str
    components: tuple[str, ...]
    kind: str
    type: str
    grade: str
    memory: str
    style: str
    node: float | None
    in_statistics: bool
    published: float
    unit: str
    boundary: str
    predicted: float | None = None
    low: float | None = None
    high: float | None = None
    uncalibrated: float | None = None
    measurement_tolerance: float | None = None
    model_tolerance: float | None = None
    tolerance_kind: str = "factor"
    label: str = "source"
    refused: str | None = None
    share: bool = False
    configuration: Mapping[str, Any] = field(default_factory=dict)
    activity: Mapping[str, float] = field(default_factory=dict)
    tera_operations: float | None = None
    """Published energy efficiency [TOPS/W], where the metric tells one."""

    @property
    def arithmetic(self) -> bool:
        """Whether it is a closure on published numbers alone: nothing in it that the model is unsure of."""
        if self.type != "closure" or self.predicted is None or self.low is None or self.high is None:
            return False
        return self.high - self.low <= ARITHMETIC * self.predicted

    @property
    def technology(self) -> str:
        """Class of chips of this one; see :func:`technology_class`."""
        return technology_class(self.memory, self.style)

    @property
    def ratio(self) -> float | None:
        """Predicted over published; None where either is missing or the published one is 0."""
        return self.predicted / self.published if self.predicted is not None and self.published else None

    @property
    def within(self) -> bool | None:
        """Whether the prediction keeps the tolerance of its case; None where it has none or was refused."""
        if self.predicted is None or self.model_tolerance is None:
            return None
        if self.tolerance_kind == "points":
            return abs(self.predicted - self.published) <= self.model_tolerance * (1.0 + 1e-9)
        ratio = self.ratio
        if ratio is None or ratio <= 0.0:
            return self.predicted == self.published
        return abs(math.log(ratio)) <= math.log(self.model_tolerance) + 1e-9

    @property
    def covered(self) -> bool | None:
        """Whether the published figure lies in the 90 % interval of the prediction."""
        if self.low is None or self.high is None:
            return None
        return self.low <= self.published <= self.high

    def document(self) -> dict[str, Any]:
        """The row as plain JSON types."""
        return {
            "case": self.case,
            "name": self.name,
            "point": self.point,
            "metric": self.metric,
            "components": list(self.components),
            "kind": self.kind,
            "type": self.type,
            "grade": self.grade,
            "style": self.style,
            "technology": self.technology,
            "node_nm": None if self.node is None else round(self.node * 1e9, 6),
            "in_statistics": self.in_statistics,
            "predicted": self.predicted,
            "low": self.low,
            "high": self.high,
            "uncalibrated": self.uncalibrated,
            "published": self.published,
            "unit": self.unit,
            "ratio": self.ratio,
            "measurement_tolerance": self.measurement_tolerance,
            "model_tolerance": self.model_tolerance,
            "tolerance_kind": self.tolerance_kind,
            "share": self.share,
            "within": self.within,
            "covered": self.covered,
            "label": self.label,
            "boundary": self.boundary,
            "activity": dict(self.activity),
            "refused": self.refused,
        }


def error_frame(rows: Iterable[Row]) -> pd.DataFrame:
    """Rows that have an error as a ratio, one line each: predictions that were made, no shares.

    ``calibrated``, ``uncalibrated``, ``low`` and ``high`` are natural logarithms of predicted over published
    **cost**: above 0 the chip is predicted to need more energy, time or area than it does, whichever way its
    metric counts. ``index`` is the place among all rows; ``rank`` is 0 for a figure of the whole, 1 for a
    compute density, 2 for a figure of a part.
    """
    import pandas as pd

    lines = []
    for index, row in enumerate(rows):
        if row.share or row.type != "prediction" or row.predicted is None or row.uncalibrated is None:
            continue
        if not (row.predicted > 0.0 and row.uncalibrated > 0.0 and row.published > 0.0):
            continue
        bounds = [row.low or row.predicted, row.high or row.predicted]
        sign = -1.0 if row.metric in RISING else 1.0
        logs = sign * np.log(np.array([row.predicted, row.uncalibrated, *bounds]) / row.published)
        lines.append(
            {
                "index": index,
                "case": row.case,
                "point": row.point,
                "kind": row.kind,
                "grade": row.grade,
                "style": row.style,
                "technology": row.technology,
                "nonvolatile": is_nonvolatile(row.memory),
                "in_statistics": row.in_statistics,
                "rank": PART if row.components else DENSITY if row.metric == "compute_density" else WHOLE,
                "calibrated": float(logs[0]),
                "uncalibrated": float(logs[1]),
                "low": float(min(logs[2:])),
                "high": float(max(logs[2:])),
                "input_bits": float(row.configuration.get("input_bits", 1.0)),
                "weight_bits": float(row.configuration.get("weight_bits", 1.0)),
                "tera_operations": row.tera_operations,
            }
        )
    return pd.DataFrame(lines, columns=list(_COLUMNS)).astype(_COLUMNS)


_COLUMNS: Mapping[str, Any] = {
    "index": int,
    "case": object,
    "point": object,
    "kind": object,
    "grade": object,
    "style": object,
    "technology": object,
    "nonvolatile": bool,
    "in_statistics": bool,
    "rank": int,
    "calibrated": float,
    "uncalibrated": float,
    "low": float,
    "high": float,
    "input_bits": float,
    "weight_bits": float,
    "tera_operations": float,
}
