"""From rows to a result: the errors of chips, their statistics, the null model, trends and targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.macros.parameters import fitted_factors
from rmaat_hw.validation import statistics
from rmaat_hw.validation.null_model import Comparison, Reading, compare, errors
from rmaat_hw.validation.result import ChipError, PartSummary, ShareSummary
from rmaat_hw.validation.rows import KINDS, PART, Row, error_frame, is_nonvolatile
from rmaat_hw.validation.slopes import slopes
from rmaat_hw.validation.targets import targets

if TYPE_CHECKING:
    import pandas as pd

CALIBRATED = "calibrated"
LEFT_OUT = "leave_one_out"


def summarised(rows: Sequence[Row], public: Sequence[Row], *, shipped: bool, seed: int) -> dict[str, Any]:
    """All that a :class:`Validation` holds beside its rows and cases.

    Args:
        rows: figures with their predictions.
        public: figures of the shipped cases, of which only what is published is read.
        shipped: whether ``rows`` are the shipped cases: then factors are refitted, chip by chip.
        seed: of the bootstrap.
    """
    frame = error_frame(rows)
    counted = statistics.chips_of(frame)
    judged = LEFT_OUT if shipped else CALIBRATED
    variants: tuple[str, ...] = (CALIBRATED, "uncalibrated")
    if shipped:
        counted = statistics.with_refits(counted, fitted_factors())
        variants = (*variants, "in_sample", LEFT_OUT)
    chips = statistics.chip_values(counted, variants)
    found_summaries = statistics.summaries(chips, variants, seed)
    found_coverage = statistics.coverage(counted, tuple(dict.fromkeys((CALIBRATED, judged))))
    found_rankings = statistics.rankings(counted, judged)
    known, asked = readings(public), readings([row for row in rows if row.predicted is not None])
    null = _against_null(known, asked, counted, judged, seed)
    nulls = errors(known, asked)
    closures = [row.within for row in rows if row.arithmetic and row.within is not None]
    return {
        "judged": judged,
        "variants": variants,
        "chips": _chip_errors(rows, counted, chips, variants, judged, nulls),
        "summaries": found_summaries,
        "factors": statistics.factors(counted, fitted_factors()),
        "coverage": found_coverage,
        "rankings": found_rankings,
        "null": null,
        "shares": _shares(rows),
        "parts": _parts(frame),
        "slopes": slopes(rows),
        "targets": targets(
            judged=judged,
            summaries=found_summaries,
            coverage=found_coverage,
            null=null,
            rankings=found_rankings,
            closures=closures,
        ),
    }


def readings(rows: Sequence[Row]) -> list[Reading]:
    """What the null model sees: chips in the statistics with a published efficiency of the whole."""
    efficiencies: dict[str, dict[str, float]] = {}
    of_case: dict[str, Row] = {}
    for row in rows:
        counts = row.in_statistics and row.type == "prediction" and not row.components
        if counts and row.tera_operations and row.node:
            bits = float(row.configuration["input_bits"]) * float(row.configuration["weight_bits"])
            efficiencies.setdefault(row.case, {}).setdefault(row.point, row.tera_operations * bits)
            of_case.setdefault(row.case, row)
    return [
        Reading(
            case=case,
            nonvolatile=is_nonvolatile(row.memory),
            digital=row.style == "digital",
            node=row.node or math.nan,
            efficiencies=tuple(efficiencies[case].values()),
        )
        for case, row in of_case.items()
    ]


def _against_null(
    public: Sequence[Reading], asked: Sequence[Reading], counted: pd.DataFrame, judged: str, seed: int
) -> Comparison | None:
    """The comparison over the same figures on both sides: published efficiencies of the whole."""
    same = counted[(counted["kind"] == "energy") & counted["tera_operations"].notna()]
    if same.empty or not asked:
        return None
    return compare(public, asked, statistics.chip_values(same, [judged]), judged, seed)


def _chip_errors(
    rows: Sequence[Row],
    counted: pd.DataFrame,
    chips: pd.DataFrame,
    variants: Sequence[str],
    judged: str,
    nulls: Mapping[str, float],
) -> tuple[ChipError, ...]:
    signed = statistics.chip_values(counted, [judged], signed=True)
    names = {row.case: row.name for row in rows}
    found = []
    for place, chip in enumerate(chips.to_dict("records")):
        lines = counted[(counted["case"] == chip["case"]) & (counted["kind"] == chip["kind"])]
        distance = (lines[CALIBRATED].abs() - chip[CALIBRATED]).abs().to_numpy()
        null = nulls.get(chip["case"]) if chip["kind"] == "energy" else None
        found.append(
            ChipError(
                case=chip["case"],
                name=names[chip["case"]],
                kind=chip["kind"],
                technology=chip["technology"],
                style=chip["style"],
                points=int(chip["points"]),
                factors={variant: math.exp(chip[variant]) for variant in variants},
                ratio=math.exp(float(signed[judged].iloc[place])),
                null_factor=None if null is None else math.exp(null),
                row=int(lines["index"].to_numpy()[int(np.argmin(distance))]),
            )
        )
    return tuple(found)


def _shares(rows: Sequence[Row]) -> tuple[ShareSummary, ...]:
    """Shares are compared by difference, in the unit 1."""
    found = []
    for kind in KINDS:
        shares = [row for row in rows if row.share and row.kind == kind and row.predicted is not None]
        if shares:
            scale = [0.01 if row.unit == "%" else 1.0 for row in shares]
            distances = [
                abs((row.predicted or 0.0) - row.published) * unit
                for row, unit in zip(shares, scale, strict=True)
            ]
            found.append(
                ShareSummary(
                    kind=kind,
                    cases=len({row.case for row in shares}),
                    figures=len(shares),
                    median_error=float(np.median(distances)),
                    within=sum(bool(row.within) for row in shares),
                )
            )
    return tuple(found)


def _parts(frame: pd.DataFrame) -> tuple[PartSummary, ...]:
    """Figures of parts of a macro, one value a chip."""
    parts = statistics.chip_values(frame[frame["in_statistics"] & (frame["rank"] == PART)], [CALIBRATED])
    return tuple(
        PartSummary(str(kind), len(group), math.exp(float(group[CALIBRATED].median())))
        for kind, group in parts.groupby("kind", sort=True)
    )
