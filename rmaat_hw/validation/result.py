"""What a validation found: every figure beside its prediction, and what they amount to over chips."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.macros.parameters import fitted_factors
from rmaat_hw.validation.null_model import Comparison
from rmaat_hw.validation.rows import Row
from rmaat_hw.validation.slopes import Slope
from rmaat_hw.validation.statistics import Coverage, Factor, Ranking, Summary
from rmaat_hw.validation.targets import CONTEXT, Target

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
_VERSIONED = ("rmaat-hw", "numpy", "scipy", "pandas", "scikit-learn")


@dataclass(frozen=True)
class ChipSummary:
    """One case as a line: how many figures it has, how many were refused, and why."""

    case: str
    name: str
    grade: str
    in_statistics: bool
    evidence: str
    technology: str
    figures: int
    refused: int
    reasons: tuple[str, ...]
    notes: str = ""


@dataclass(frozen=True)
class PointPrecision:
    """Output quality of one operating point (`cost_models.macros.quality`); None where there is no number.

    ``adc_bits_*`` of the converter, or of the sums of a digital macro; ``ir_drop_*`` where cells conduct.
    """

    case: str
    point: str
    adc_bits_used: float | None
    adc_bits_required: float | None
    adc_bits_needed: float | None
    snr_dB: float | None
    ir_drop_mean: float | None = None
    ir_drop_worst: float | None = None
    ir_drop_flagged: float | None = None
    ir_drop_infeasible: float | None = None


@dataclass(frozen=True)
class ChipError:
    """Error of one chip and kind in every variant, as factors, and one figure that stands for it.

    ``row`` is the place in ``rows`` of the figure whose error is nearest to the chip's. ``ratio`` is the
    median over operating points of predicted over published cost.
    """

    case: str
    name: str
    kind: str
    technology: str
    style: str
    points: int
    factors: Mapping[str, float]
    ratio: float
    null_factor: float | None
    row: int


@dataclass(frozen=True)
class ShareSummary:
    """Errors of shares of energy or area over all cases, in points of a percent (0.05 is five)."""

    kind: str
    cases: int
    figures: int
    median_error: float
    within: int


@dataclass(frozen=True)
class PartSummary:
    """Errors of figures of parts of a macro, one value a chip, beside those of the whole."""

    kind: str
    chips: int
    median_factor: float


@dataclass(frozen=True)
class Validation:
    """The result of :func:`rmaat_hw.validate`.

    ``shipped`` tells whether the cases are those that the calibration has seen: then ``judged`` is
    "leave_one_out", else "calibrated". ``variants`` are the columns of errors.
    """

    rows: tuple[Row, ...]
    cases: tuple[ChipSummary, ...]
    source: str
    shipped: bool
    judged: str
    variants: tuple[str, ...]
    chips: tuple[ChipError, ...]
    summaries: tuple[Summary, ...]
    factors: tuple[Factor, ...]
    coverage: tuple[Coverage, ...]
    rankings: tuple[Ranking, ...]
    null: Comparison | None
    shares: tuple[ShareSummary, ...]
    parts: tuple[PartSummary, ...]
    slopes: tuple[Slope, ...]
    targets: tuple[Target, ...]
    samples: int
    seed: int
    created_utc: str
    files: tuple[str, ...] = ()
    precision: tuple[PointPrecision, ...] = ()

    @property
    def free_parameters(self) -> int:
        """Factors of the model that were fitted to the shipped chips."""
        return len(fitted_factors())

    def to_pandas(self) -> pd.DataFrame:
        """One line a published figure; the columns are the keys of ``rows`` in the document."""
        import pandas as pd

        frame = pd.DataFrame([row.document() for row in self.rows])
        return frame.assign(components=[" ".join(row.components) for row in self.rows])

    def document(self) -> dict[str, Any]:
        """Everything as plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "command": "validate",
            "created_utc": self.created_utc,
            "versions": {name: metadata.version(name) for name in _VERSIONED},
            "source": self.source,
            "shipped": self.shipped,
            "samples": self.samples,
            "seed": self.seed,
            "judged": self.judged,
            "variants": list(self.variants),
            "free_parameters": self.free_parameters,
            "cases": [_plain(case) for case in self.cases],
            "rows": [_plain(row.document()) for row in self.rows],
            "chips": [_plain(chip) for chip in self.chips],
            "statistics": [_plain(summary) for summary in self.summaries],
            "calibration": [_plain(factor) for factor in self.factors],
            "coverage": [_plain(found) for found in self.coverage],
            "ranking": [_plain(found) for found in self.rankings],
            "null_model": None
            if self.null is None
            else _plain(self.null) | {"better": self.null.better, "verdict": self.null.verdict},
            "shares": [_plain(share) for share in self.shares],
            "parts": [_plain(part) for part in self.parts],
            "precision": [_plain(found) for found in self.precision],
            "slopes": [_plain(slope) | {"title": slope.title} for slope in self.slopes],
            "targets": [_plain(target) for target in self.targets],
            "context": CONTEXT,
        }


def _plain(value: Any) -> Any:
    """Dataclasses, tuples and NumPy numbers as JSON types."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.item() if isinstance(value, np.generic) else value
