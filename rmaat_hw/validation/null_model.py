"""The bar: a regression with four terms that knows the node, the kind of memory and nothing of circuits.

log10 of the energy efficiency, normalised to 1 b inputs and 1 b weights, is fitted by
{constant, non-volatile?, digital?, log10(node / 28 nm)} with a ridge of 0.3 on all but the constant. A model
of the physics that is not better than this has added nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rmaat_hw.validation.statistics import median_interval

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.linear_model import Ridge

RIDGE = 0.3
REFERENCE_NODE = 28e-9
#: Fewest chips to fit four terms on: below it a fit says nothing of chips it has not seen.
FEWEST = 5


@dataclass(frozen=True)
class Reading:
    """What the null model sees of a chip: its class, its node [m], and its published efficiencies.

    ``efficiencies`` are TOPS/W times input bits times weight bits, one an operating point.
    """

    case: str
    nonvolatile: bool
    digital: bool
    node: float
    efficiencies: tuple[float, ...]

    @property
    def terms(self) -> list[float]:
        """All terms but the constant."""
        return [float(self.nonvolatile), float(self.digital), math.log10(self.node / REFERENCE_NODE)]

    @property
    def typical(self) -> float:
        """log10 of the efficiency, median over operating points."""
        return float(np.median(np.log10(self.efficiencies)))

    def error(self, predicted: float) -> float:
        """Median over operating points of |ln| of ``predicted`` (log10) over published."""
        return float(np.median(np.abs(math.log(10.0) * (predicted - np.log10(self.efficiencies)))))


@dataclass(frozen=True)
class NullModel:
    """The fit: log10(TOPS/W, normalised) = constant + nonvolatile + digital + node * log10(node / 28 nm)."""

    chips: int
    constant: float
    nonvolatile: float
    digital: float
    node: float


@dataclass(frozen=True)
class Pair:
    """One chip by both models: |ln| of predicted over published energy efficiency, as factors."""

    case: str
    technology: str
    model_factor: float
    null_factor: float


@dataclass(frozen=True)
class Comparison:
    """Model against null model over chips that publish an energy efficiency.

    ``difference`` is the median over chips of |ln| of the model less that of the null model: below 0 the
    model is nearer. ``low`` and ``high`` are its 95 % bootstrap interval over chips; ``p_value`` is of the
    two-sided Wilcoxon signed-rank test on the same pairs.
    """

    fitted: NullModel
    variant: str
    left_out: bool
    pairs: tuple[Pair, ...]
    model_factor: float
    null_factor: float
    difference: float
    low: float | None
    high: float | None
    p_value: float | None

    @property
    def better(self) -> bool:
        """Whether the interval of the difference lies below 0."""
        return self.high is not None and self.high < 0.0

    @property
    def verdict(self) -> str:
        """One sentence: does the interval exclude 0, and on which side."""
        if self.low is None or self.high is None:
            return "One chip cannot tell the model from the null model."
        if self.better:
            return (
                "The interval of the paired difference excludes 0: the model is better than the null model."
            )
        if self.low > 0.0:
            return "The interval of the paired difference excludes 0: the model is worse than the null model."
        return "The interval of the paired difference includes 0: the model is not shown to be better."


def fit(readings: Sequence[Reading]) -> NullModel:
    """Fit the four terms, one value a chip."""
    found = _ridge(readings)
    constant, terms = float(found.intercept_), [float(value) for value in found.coef_]
    return NullModel(len(readings), constant, *terms)


def _ridge(readings: Sequence[Reading]) -> Ridge:
    from sklearn.linear_model import Ridge

    found = Ridge(alpha=RIDGE)
    found.fit(np.array([r.terms for r in readings]), np.array([r.typical for r in readings]))
    return found


def _predicted(fitted: Ridge, reading: Reading) -> float:
    return float(fitted.predict(np.array([reading.terms]))[0])


def errors(public: Sequence[Reading], judged: Sequence[Reading]) -> dict[str, float]:
    """|ln| error of the null model for every judged chip, fitted on the public chips without that chip."""
    found = {}
    for reading in judged:
        others = [r for r in public if r.case != reading.case]
        if len(others) >= FEWEST:
            found[reading.case] = reading.error(_predicted(_ridge(others), reading))
    return found


def compare(
    public: Sequence[Reading], judged: Sequence[Reading], chips: pd.DataFrame, variant: str, seed: int
) -> Comparison | None:
    """Hold the model's energy errors against the null model's, chip by chip.

    Args:
        public: the shipped chips, on which the null model is fitted.
        judged: chips that are judged; one that is public as well is left out of its own fit.
        chips: one line a judged chip with ``case``, ``technology`` and the model's |ln| in ``variant``, over
            the same figures as the readings.
        variant: name of that column.
        seed: of the bootstrap.

    Returns:
        None where too few chips publish an energy efficiency.
    """
    from scipy.stats import wilcoxon

    nulls = errors(public, judged)
    lines = chips[chips["case"].isin(list(nulls))]
    if lines.empty:
        return None
    model = lines[variant].to_numpy(dtype=float)
    null = np.array([nulls[str(case)] for case in lines["case"]])
    difference = model - null
    bounds = median_interval(difference, seed)
    pairs = tuple(
        Pair(str(case), str(technology), math.exp(a), math.exp(b))
        for case, technology, a, b in zip(lines["case"], lines["technology"], model, null, strict=True)
    )
    known = {reading.case for reading in public}
    return Comparison(
        fitted=fit(public),
        variant=variant,
        left_out=any(pair.case in known for pair in pairs),
        pairs=pairs,
        model_factor=math.exp(float(np.median(model))),
        null_factor=math.exp(float(np.median(null))),
        difference=float(np.median(difference)),
        low=None if bounds is None else bounds[0],
        high=None if bounds is None else bounds[1],
        # All equal: there is nothing to rank, and no sign of a difference.
        p_value=float(wilcoxon(difference).pvalue) if np.any(difference) else 1.0,
    )
