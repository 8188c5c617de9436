"""Errors over chips: one value a chip and kind, so that a chip with many points does not outvote the rest.

The error of a chip is the median over its operating points of |ln(predicted / published)|, told as a
factor: 1.25 means a quarter too much or a fifth too little. What stands for a chip is its figures of the
whole macro; where it publishes none, its compute density, and where it has none either, figures of parts.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from rmaat_hw.validation.rows import DENSITY, KINDS

if TYPE_CHECKING:
    import pandas as pd

ALL = "all"
#: Chips of the grades A and B, told apart where there are others.
WELL_KNOWN = "grades_a_b"
RESAMPLES = 10_000
#: A style of circuit and a kind of figure.
StyleKind = tuple[str, str]
CONFIDENCE = 0.95
#: Error probability of the intervals that are judged: they are to hold 90 % of what is published.
ALPHA = 0.1


@dataclass(frozen=True)
class Summary:
    """Errors of one kind over the chips of one technology, in one variant of the prediction.

    ``technology`` may also be ``all``, or ``grades_a_b`` where there are chips of grade C.

    ``low`` and ``high`` bound the median factor: 95 % bootstrap over chips, None for fewer than two.
    """

    kind: str
    variant: str
    technology: str
    chips: int
    median_factor: float
    low: float | None
    high: float | None
    within_1_3: float
    within_1_5: float
    within_2: float


@dataclass(frozen=True)
class Factor:
    """One factor of calibration a style and kind: on energy, time or area.

    ``fitted``: whether the model has such a factor. ``shipped`` is what the predictions contain, ``refitted``
    the geometric median of published over uncalibrated cost of the style's chips, used or not.
    """

    style: str
    kind: str
    chips: int
    fitted: bool
    shipped: float
    refitted: float


@dataclass(frozen=True)
class Coverage:
    """How the 90 % intervals fare, for one kind: ``group`` is all, sram or nvm.

    ``chips_covered`` is the share of chips with at least half of their figures inside, ``figures_covered``
    the share of all figures. ``median_width`` is high over low. ``interval_score`` is the mean over chips of
    equation 43 of Gneiting and Raftery, J. Am. Stat. Assoc. 102 (2007) 359, on natural logarithms: the width
    plus 2/alpha times the distance of what lies outside, alpha = 0.1; smaller is better.
    """

    kind: str
    variant: str
    group: str
    chips: int
    figures: int
    chips_covered: float
    figures_covered: float
    median_width: float
    interval_score: float


@dataclass(frozen=True)
class Ranking:
    """Kendall's tau between predicted and published energy efficiency over chips.

    ``precision`` names the bits of input and weight that the chips share, or ``1 b x 1 b normalised``.
    """

    precision: str
    variant: str
    chips: int
    tau: float
    p_value: float


def chips_of(frame: pd.DataFrame) -> pd.DataFrame:
    """The lines that count: of chips in the statistics, those of the first rank that a chip and kind has."""
    counted = frame[frame["in_statistics"]]
    if counted.empty:
        return counted
    return counted[counted["rank"] == counted.groupby(["case", "kind"])["rank"].transform("min")]


def chip_values(counted: pd.DataFrame, columns: Sequence[str], *, signed: bool = False) -> pd.DataFrame:
    """One line a chip and kind: the median over operating points of |log ratio|, or of the log ratio itself.

    Several figures of one operating point count as one, their median. Lines are sorted by kind (energy, time,
    area) and case.
    """
    keys = ["kind", "case"]
    values = counted[list(columns)] if signed else counted[list(columns)].abs()
    about_chip = ["grade", "style", "technology", "nonvolatile"]
    labelled = counted[[*keys, "point", *about_chip]].join(values)
    points = labelled.groupby([*keys, "point"], sort=True)[list(columns)].median()
    chips = points.groupby(level=keys, sort=True).median()
    about = labelled.groupby(keys, sort=True)[about_chip].first()
    number = points.groupby(level=keys, sort=True).size().rename("points")
    found = about.join(number).join(chips).reset_index()
    return found.sort_values(
        "kind", key=lambda kinds: kinds.map(KINDS.index), kind="stable", ignore_index=True
    )


def with_refits(counted: pd.DataFrame, model: Collection[StyleKind]) -> pd.DataFrame:
    """``counted`` with the log ratios ``in_sample`` and ``leave_one_out``.

    ``model``: styles and kinds that have a factor; the others stay as they are. A factor is the median of the
    chips' own log ratios: of all of them in sample, of the others for a chip that is left out. Without
    another chip in its style it is 1. A compute density takes the factors of time and of area, and gives
    neither.
    """
    fitted = _fitted(counted)
    has = [pair in model for pair in zip(fitted["style"], fitted["kind"], strict=True)]
    fitted = fitted[has]
    shifts: dict[str, list[float]] = {"in_sample": [], "leave_one_out": []}
    for case, style, kind, rank in zip(
        counted["case"], counted["style"], counted["kind"], counted["rank"], strict=True
    ):
        kinds = ("time", "area") if rank == DENSITY else (kind,)
        shifts["in_sample"].append(sum(_shift(fitted, style, each) for each in kinds))
        shifts["leave_one_out"].append(sum(_shift(fitted, style, each, without=case) for each in kinds))
    columns = {name: counted["uncalibrated"] + np.array(values) for name, values in shifts.items()}
    return counted.assign(**columns)


def _fitted(counted: pd.DataFrame) -> pd.DataFrame:
    """The chips that a factor is fitted to: one line a chip and kind, with the log ratio that it asks for."""
    return chip_values(counted[counted["rank"] != DENSITY], ["uncalibrated", "calibrated"], signed=True)


def _shift(fitted: pd.DataFrame, style: str, kind: str, without: str | None = None) -> float:
    """Logarithm of the factor of a style and kind; 0 without a chip to fit it to."""
    chosen = (fitted["style"] == style) & (fitted["kind"] == kind) & (fitted["case"] != without)
    return -float(fitted.loc[chosen, "uncalibrated"].median()) if chosen.any() else 0.0


def factors(counted: pd.DataFrame, model: Collection[StyleKind]) -> tuple[Factor, ...]:
    """The factor of every style and kind: as shipped, and as these chips would give it."""
    fitted = _fitted(counted)
    found = []
    for (style, kind), group in fitted.groupby(["style", "kind"], sort=True):
        contained = group["calibrated"] - group["uncalibrated"]
        found.append(
            Factor(
                style=str(style),
                kind=str(kind),
                chips=len(group),
                fitted=(str(style), str(kind)) in model,
                shipped=math.exp(float(contained.median())),
                refitted=math.exp(_shift(fitted, str(style), str(kind))),
            )
        )
    return tuple(found)


def median_interval(logs: np.ndarray, seed: int) -> tuple[float, float] | None:
    """95 % bootstrap interval of the median over chips, percentile method; None for fewer than two.

    BCa would correct with a jackknife, which is not consistent for a median.
    """
    from scipy.stats import bootstrap

    if len(logs) < 2:
        return None
    found = bootstrap(
        (logs,),
        np.median,
        n_resamples=RESAMPLES,
        confidence_level=CONFIDENCE,
        method="percentile",
        random_state=seed,
    ).confidence_interval
    return float(found.low), float(found.high)


def summaries(chips: pd.DataFrame, variants: Sequence[str], seed: int) -> tuple[Summary, ...]:
    """Errors by kind, variant and technology; ``chips`` are the values of :func:`chip_values`."""
    found = []
    for kind in KINDS:
        of_kind = chips[chips["kind"] == kind]
        if of_kind.empty:
            continue
        groups = [(ALL, of_kind), *((str(t), g) for t, g in of_kind.groupby("technology", sort=True))]
        known = of_kind[of_kind["grade"] != "C"]
        if 0 < len(known) < len(of_kind):
            groups.append((WELL_KNOWN, known))
        for variant in variants:
            found += [
                _summary(kind, variant, name, group[variant].to_numpy(), seed) for name, group in groups
            ]
    return tuple(found)


def _summary(kind: str, variant: str, technology: str, logs: np.ndarray, seed: int) -> Summary:
    bounds = median_interval(logs, seed)

    def within(factor: float) -> float:
        return float(np.mean(logs <= math.log(factor) + 1e-12))

    return Summary(
        kind=kind,
        variant=variant,
        technology=technology,
        chips=len(logs),
        median_factor=math.exp(float(np.median(logs))),
        low=None if bounds is None else math.exp(bounds[0]),
        high=None if bounds is None else math.exp(bounds[1]),
        within_1_3=within(1.3),
        within_1_5=within(1.5),
        within_2=within(2.0),
    )


def coverage(counted: pd.DataFrame, variants: Sequence[str]) -> tuple[Coverage, ...]:
    """How the intervals fare, by kind, variant and group; those of a refit move with its factor."""
    import pandas as pd

    found = []
    for variant in variants:
        moved = counted[variant] - counted["calibrated"]
        low, high = counted["low"] + moved, counted["high"] + moved
        outside = np.maximum(low, 0.0) + np.maximum(-high, 0.0)
        lines = pd.DataFrame(
            {
                "kind": counted["kind"],
                "case": counted["case"],
                "nonvolatile": counted["nonvolatile"],
                "inside": (outside == 0.0).astype(float),
                "width": high - low,
                "score": high - low + 2.0 / ALPHA * outside,
            }
        )
        for kind in KINDS:
            of_kind = lines[lines["kind"] == kind]
            for group, members in (
                (ALL, of_kind),
                ("sram", of_kind[~of_kind["nonvolatile"]]),
                ("nvm", of_kind[of_kind["nonvolatile"]]),
            ):
                if not members.empty:
                    found.append(_coverage(kind, variant, group, members))
    return tuple(found)


def _coverage(kind: str, variant: str, group: str, lines: pd.DataFrame) -> Coverage:
    by_chip = lines.groupby("case")
    return Coverage(
        kind=kind,
        variant=variant,
        group=group,
        chips=by_chip.ngroups,
        figures=len(lines),
        chips_covered=float((by_chip["inside"].mean() >= 0.5).mean()),
        figures_covered=float(lines["inside"].mean()),
        median_width=math.exp(float(by_chip["width"].median().median())),
        interval_score=float(by_chip["score"].mean().mean()),
    )


#: Fewest chips over which an order says something: three orders of three chips agree by chance too often.
FEWEST_RANKED = 4


def rankings(counted: pd.DataFrame, variant: str) -> tuple[Ranking, ...]:
    """Kendall's tau over chips: at one precision where enough chips have it, and normalised to 1 b."""
    from scipy.stats import kendalltau

    lines = counted[counted["tera_operations"].notna()]
    if lines.empty:
        return ()
    precision = ["input_bits", "weight_bits"]
    published = np.log(lines["tera_operations"])
    table = lines[["case", *precision]].assign(published=published, predicted=published - lines[variant])
    normal = np.log(table["input_bits"] * table["weight_bits"])
    whole = table.assign(published=published + normal, predicted=table["predicted"] + normal)
    groups = [("1 b x 1 b normalised", whole)]
    groups += [(f"{a:g} b x {b:g} b", g) for (a, b), g in table.groupby(precision, sort=True)]
    found = []
    for name, group in groups:
        chips = group.groupby("case")[["published", "predicted"]].median()
        if len(chips) < FEWEST_RANKED:
            continue
        # A tau of constants is not defined.
        if chips["published"].nunique() < 2 or chips["predicted"].nunique() < 2:
            continue
        tau = kendalltau(chips["published"], chips["predicted"])
        found.append(Ranking(name, variant, len(chips), float(tau.statistic), float(tau.pvalue)))
    return tuple(found)
