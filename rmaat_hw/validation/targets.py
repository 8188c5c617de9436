"""What a validation is held to, and whether it is met. The numbers are those of ``docs/validation.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rmaat_hw.validation.null_model import Comparison
from rmaat_hw.validation.rows import KINDS
from rmaat_hw.validation.statistics import ALL, Coverage, Ranking, Summary

#: Largest median factor of chips that the calibration has not seen, and the factor that is hoped for.
BLIND: Mapping[str, float] = {"energy": 1.5, "time": 1.3, "area": 1.5}
AMBITION: Mapping[str, Mapping[str, float]] = {
    "leave_one_out": {"energy": 1.35},
    "calibrated": {"energy": 1.25, "time": 1.15, "area": 1.3},
}
IN_SAMPLE = 1.25
WITHIN_2 = 0.8
COVERED = 0.8
#: Widest useful 90 % interval, high over low, by group of chips.
WIDTH: Mapping[str, float] = {"sram": 4.0, "nvm": 6.0}
TAU = 0.7

CONTEXT = (
    "For context: tools with factors fitted to each chip report about 7 % on energy, 5 % on time and 8 % on "
    "area of the chips that they were fitted to. None of those compared has published a blind error against "
    "silicon."
)


@dataclass(frozen=True)
class Target:
    """One figure held against its limit: ``bound`` says whether it may be at most or at least that."""

    name: str
    value: float | None
    limit: float
    bound: str
    met: bool | None
    ambition: float | None = None
    note: str = ""


def _at_most(
    name: str, value: float | None, limit: float, *, ambition: float | None = None, note: str = ""
) -> Target:
    met = None if value is None else value <= limit * (1.0 + 1e-12)
    return Target(name, value, limit, "at most", met, ambition, note)


def _at_least(name: str, value: float | None, limit: float, *, note: str = "") -> Target:
    met = None if value is None else value >= limit * (1.0 - 1e-12)
    return Target(name, value, limit, "at least", met, None, note)


def targets(
    *,
    judged: str,
    summaries: Iterable[Summary],
    coverage: Iterable[Coverage],
    null: Comparison | None,
    rankings: Sequence[Ranking],
    closures: Sequence[bool],
) -> tuple[Target, ...]:
    """Every target with its figure; ``judged`` is the variant that has not seen the chip.

    ``closures`` tells of every arithmetic on published numbers whether it comes out within its tolerance. A
    target without a figure is kept, with None: there was nothing to hold it against.
    """
    errors = {(s.kind, s.variant): s for s in summaries if s.technology == ALL}
    spread = {(c.kind, c.group): c for c in coverage if c.variant == judged}
    found = []
    for kind in KINDS:
        summary = errors.get((kind, judged))
        found.append(
            _at_most(
                f"median factor, {kind}",
                None if summary is None else summary.median_factor,
                BLIND[kind],
                ambition=AMBITION[judged].get(kind),
            )
        )
        share = None if summary is None else summary.within_2
        found.append(_at_least(f"share of chips within 2x, {kind}", share, WITHIN_2))
        if judged == "leave_one_out":
            fitted = errors.get((kind, "in_sample"))
            found.append(
                _at_most(
                    f"median factor in sample, {kind}",
                    None if fitted is None else fitted.median_factor,
                    IN_SAMPLE,
                )
            )
    for kind in KINDS:
        whole = spread.get((kind, ALL))
        found.append(
            _at_least(
                f"share of chips inside the 90 % interval, {kind}",
                None if whole is None else whole.chips_covered,
                COVERED,
            )
        )
        for group, limit in WIDTH.items():
            part = spread.get((kind, group))
            if part is not None:
                found.append(
                    _at_most(
                        f"median width of the 90 % interval, {kind}, {group.upper()}",
                        part.median_width,
                        limit,
                    )
                )
    found.append(_null_target(null))
    order = _ranking(rankings)
    found.append(
        _at_least(
            "Kendall's tau of energy efficiency",
            None if order is None else order.tau,
            TAU,
            note="" if order is None else f"{order.chips} chips, {order.precision}",
        )
    )
    if closures:
        kept = sum(closures) / len(closures)
        found.append(_at_least("share of closures within their tolerance", kept, 1.0))
    return tuple(found)


def _null_target(null: Comparison | None) -> Target:
    """The bar is the paired difference: the upper end of its interval must lie below 0."""
    name = "upper end of the paired difference to the null model"
    if null is None or null.high is None:
        return Target(name, None, 0.0, "below", None)
    return Target(name, null.high, 0.0, "below", null.better, None, null.verdict)


def _ranking(rankings: Sequence[Ranking]) -> Ranking | None:
    """The order at one precision that most chips share, else the normalised one."""
    equal = [ranking for ranking in rankings if "normalised" not in ranking.precision]
    pool = equal or list(rankings)
    return max(pool, key=lambda ranking: ranking.chips) if pool else None
