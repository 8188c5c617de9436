"""The tables of a validation, as plain rows of text: the screen and the page show the same ones."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from rmaat_hw.report.numbers import DASH, digits, percent
from rmaat_hw.report.tables import MAC_NOTE, Document, Table, component_name

VARIANTS: Mapping[str, str] = {
    "calibrated": "as shipped",
    "uncalibrated": "uncalibrated",
    "in_sample": "refitted, in sample",
    "leave_one_out": "leave one chip out",
}
TECHNOLOGIES: Mapping[str, str] = {
    "all": "all",
    "grades_a_b": "grades A and B",
    "sram_digital": "SRAM digital",
    "sram_analog": "SRAM analog",
    "rram": "RRAM",
    "pcm": "PCM",
    "mram": "MRAM",
    "ferroelectric": "ferroelectric",
}


def technology_name(technology: str) -> str:
    """The class of chips for readers."""
    return TECHNOLOGIES.get(technology, technology.replace("_", " "))


_MOST_PARTS = 2  # of a figure by name, where the name is to be short


def figure_name(row: Document, *, brief: bool = False) -> str:
    """What was published: the metric, and the parts that it is restricted to."""
    names = [component_name(part) for part in row["components"]]
    parts = f"{len(names)} parts" if brief and len(names) > _MOST_PARTS else ", ".join(names)
    metric = str(row["metric"]).replace("_", " ").replace("mvm", "MVM").replace("mac", "MAC")
    return f"{metric}, {parts}" if parts else metric


def title(document: Document) -> str:
    """What was validated, in one line."""
    cases, rows = document["cases"], document["rows"]
    figures = f"{len(rows)} published figure{'s' if len(rows) != 1 else ''}"
    return f"{figures} of {len(cases)} case{'s' if len(cases) != 1 else ''}, each beside its prediction"


def subtitle(document: Document) -> str:
    """Which cases, and how the predictions were made."""
    fitted = document["free_parameters"]
    calibration = (
        f"{fitted} free parameter{'s' if fitted != 1 else ''} fitted to chips"
        if fitted
        else "no parameter fitted to chips"
    )
    return f"{document['source']} · {calibration} · {document['samples']} samples, seed {document['seed']}"


def verdict(row: Document) -> tuple[str, str]:
    """How a prediction stands to its tolerance, and whether its interval holds the figure."""
    if row["refused"] is not None:
        return "refused", ""
    kept = {None: DASH, True: "within", False: "OUTSIDE"}[row["within"]]
    return kept, {None: DASH, True: "yes", False: "no"}[row["covered"]]


def _numbers(row: Document) -> tuple[str, str, str, str]:
    """Predicted, interval, published with unit, and ratio."""
    published = f"{digits(row['published'])} {row['unit']}"
    if row["predicted"] is None:
        return DASH, "", published, DASH
    span = "" if row["low"] is None else f"{digits(row['low'])} to {digits(row['high'])}"
    ratio = DASH if row["ratio"] is None else f"{row['ratio']:.2f}"
    return digits(row["predicted"]), span, published, ratio


def chips(document: Document) -> Table:
    """One line a chip and kind: the figure that stands for it, and the error over its operating points."""
    rows = document["rows"]
    lines = []
    for chip in document["chips"]:
        row = rows[chip["row"]]
        lines.append(
            (
                chip["case"],
                figure_name(row, brief=True),
                *_numbers(row),
                f"{chip['factors'][document['judged']]:.2f}",
                *verdict(row),
            )
        )
    return Table(
        "Chips",
        (
            "case", "figure", "predicted", "90 % interval", "published", "ratio", "error", "tolerance",
            "in interval",
        ),
        tuple(lines),
        (
            "The figure is the one whose error is nearest to the median of the chip's operating points; "
            f"error: that median as a factor, {VARIANTS[document['judged']]}. {MAC_NOTE}.",
        ),
        frozenset({2, 3, 4, 5, 6}),
    )  # fmt: skip


def cases(document: Document) -> Table:
    """Every case: how much of it was predicted, and why the rest was not."""
    lines = []
    for case in document["cases"]:
        mine = [row for row in document["rows"] if row["case"] == case["case"]]
        judged = [row for row in mine if row["within"] is not None]
        within = f"{sum(row['within'] for row in judged)} of {len(judged)}" if judged else DASH
        lines.append(
            (
                case["case"],
                case["name"],
                technology_name(case["technology"]),
                case["grade"],
                "yes" if case["in_statistics"] else "no",
                str(case["figures"]),
                within,
                str(case["refused"] or ""),
            )
        )
    return Table(
        "Cases",
        ("case", "name", "technology", "grade", "counts", "figures", "in tolerance", "refused"),
        tuple(lines),
        numeric=frozenset({5, 6, 7}),
    )


def refusals(document: Document) -> list[str]:
    """One sentence a reason for which a case was refused, in whole or in part."""
    return [
        f"{case['case']}: refused {case['refused']} of {case['figures']}: {reason}"
        for case in document["cases"]
        for reason in case["reasons"]
    ]


def errors(document: Document) -> Table:
    """Median factors over chips by kind and variant."""
    lines = [
        (
            summary["kind"],
            VARIANTS[summary["variant"]],
            str(summary["chips"]),
            f"{summary['median_factor']:.2f}",
            DASH if summary["low"] is None else f"{summary['low']:.2f} to {summary['high']:.2f}",
            *(percent(summary[name]) for name in ("within_1_3", "within_1_5", "within_2")),
        )
        for summary in document["statistics"]
        if summary["technology"] == "all"
    ]
    return Table(
        "Errors over chips, one value a chip",
        ("kind", "variant", "chips", "median factor", "95 % bootstrap", "within 1.3x", "1.5x", "2x"),
        tuple(lines),
        numeric=frozenset(range(2, 8)),
    )


def by_technology(document: Document) -> Table:
    """The judged variant beside the uncalibrated one, by class of chips."""
    found = {(s["kind"], s["technology"], s["variant"]): s for s in document["statistics"]}
    judged = document["judged"]
    lines = []
    for (kind, technology, variant), summary in found.items():
        if technology != "all" and variant == judged:
            bare = found[kind, technology, "uncalibrated"]
            lines.append(
                (
                    kind,
                    technology_name(technology),
                    str(summary["chips"]),
                    f"{summary['median_factor']:.2f}",
                    f"{bare['median_factor']:.2f}",
                    percent(summary["within_2"]),
                )
            )
    return Table(
        "Errors by technology",
        ("kind", "technology", "chips", VARIANTS[judged], "uncalibrated", "within 2x"),
        tuple(lines),
        numeric=frozenset(range(2, 6)),
    )


def calibration(document: Document) -> Table:
    """Factors on energy, time and area: as shipped, and as these chips would give them."""
    lines = [
        (
            factor["style"],
            factor["kind"],
            str(factor["chips"]),
            f"{factor['shipped']:.3f}" if factor["fitted"] else "none",
            f"{factor['refitted']:.3f}",
        )
        for factor in document["calibration"]
    ]
    return Table(
        "Calibration, at most one factor a style and kind",
        ("style", "kind", "chips", "factor", "what these chips ask for"),
        tuple(lines),
        numeric=frozenset(range(2, 5)),
    )


def intervals(document: Document) -> Table:
    """How the 90 % intervals fare."""
    lines = [
        (
            found["kind"],
            found["group"].upper() if found["group"] != "all" else "all",
            VARIANTS[found["variant"]],
            f"{percent(found['chips_covered'])} of {found['chips']}",
            f"{percent(found['figures_covered'])} of {found['figures']}",
            f"{found['median_width']:.2f}",
            f"{found['interval_score']:.2f}",
        )
        for found in document["coverage"]
        if found["variant"] == document["judged"]
    ]
    return Table(
        "90 % intervals",
        ("kind", "chips", "variant", "chips inside", "figures inside", "high / low", "interval score"),
        tuple(lines),
        (
            "A chip is inside with at least half of its figures. Interval score: Gneiting and Raftery 2007, "
            "on natural logarithms; smaller is better.",
        ),
        numeric=frozenset(range(3, 7)),
    )


def targets(document: Document) -> Table:
    """Every target with its figure, met or missed."""
    lines = []
    for target in document["targets"]:
        met = {None: "no figure", True: "met", False: "MISSED"}[target["met"]]
        ambition = "" if target["ambition"] is None else f"(hoped for: {target['ambition']:g})"
        value = DASH if target["value"] is None else f"{target['value']:.2f}"
        lines.append((target["name"], value, f"{target['bound']} {target['limit']:g}", met, ambition))
    return Table("Targets", ("target", "found", "limit", "", ""), tuple(lines), numeric=frozenset({1}))


def slopes(document: Document) -> Table:
    """Every trend in energy inside one chip."""
    lines = []
    for slope in document["slopes"]:
        exponents = [slope["published_exponent"], slope["predicted_exponent"]]
        lines.append(
            (
                slope["case"],
                slope["title"],
                slope["metric"].replace("_", " "),
                slope["conditions"],
                str(len(slope["values"])),
                *(DASH if value is None else f"{value:.2f}" for value in exponents),
                f"{slope['published_swing']:.2f}",
                f"{slope['predicted_swing']:.2f}",
            )
        )
    return Table(
        "Trends inside a chip",
        (
            "case", "trend", "figure", "at", "points",
            "exponent published", "predicted", "swing published", "predicted",
        ),
        tuple(lines),
        ("Swing: energy at the most expensive published point over that at the cheapest.",),
        numeric=frozenset(range(4, 9)),
    )  # fmt: skip


def typical_slopes(document: Document) -> Table:
    """One line a chip and axis: medians over its trends."""
    groups: dict[tuple[str, str], list[Document]] = {}
    for slope in document["slopes"]:
        groups.setdefault((slope["case"], slope["title"]), []).append(slope)
    names = ("published_exponent", "predicted_exponent", "published_swing", "predicted_swing")
    lines = []
    for (case, trend), group in groups.items():
        medians = [_median([slope[name] for slope in group]) for name in names]
        lines.append((case, trend, str(len(group)), *medians))
    return Table(
        "Trends inside a chip, medians",
        ("case", "trend", "trends", "exponent published", "predicted", "swing published", "predicted"),
        tuple(lines),
        ("Swing: energy at the most expensive published point over that at the cheapest.",),
        numeric=frozenset(range(2, 7)),
    )


def _median(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.2f}" if known else DASH


def figures(document: Document) -> Table:
    """Every published figure."""
    lines = [
        (
            row["case"],
            row["point"],
            figure_name(row),
            *_numbers(row),
            row["type"],
            _tolerance(row),
            *verdict(row),
        )
        for row in document["rows"]
    ]
    return Table(
        "All published figures",
        (
            "case", "point", "figure", "predicted", "90 % interval", "published", "ratio", "type",
            "tolerance", "", "in interval",
        ),
        tuple(lines),
        numeric=frozenset({3, 4, 5, 6}),
    )  # fmt: skip


def _tolerance(row: Document) -> str:
    if row["model_tolerance"] is None:
        return DASH
    points = row["tolerance_kind"] == "points"
    return f"± {row['model_tolerance']:g} points" if points else f"{row['model_tolerance']:g}x"


def lines(document: Document) -> list[str]:
    """What stands beside the tables: null model, order, parts, shares and closures, one sentence each."""
    told = []
    null = document["null_model"]
    if null is None:
        told.append("Null model: too few chips publish an energy efficiency to compare with it.")
    else:
        span = (
            "" if null["low"] is None else f" ({math.exp(null['low']):.2f} to {math.exp(null['high']):.2f})"
        )
        told.append(
            f"Null model, ridge of four terms on {null['fitted']['chips']} public chips: median factor "
            f"{null['null_factor']:.2f} against {null['model_factor']:.2f} of the model on the same "
            f"{len(null['pairs'])} chips, {VARIANTS[null['variant']]}; paired difference as a factor "
            f"{math.exp(null['difference']):.2f}{span}, Wilcoxon signed-rank p = {null['p_value']:.3g}. "
            f"{null['verdict']}"
        )
    told += [
        f"Order of energy efficiency at {rank['precision']}: Kendall's tau {rank['tau']:.2f} over "
        f"{rank['chips']} chips (p = {rank['p_value']:.2g})."
        for rank in document["ranking"]
    ]
    told += [
        f"Figures of parts, {part['kind']}: median factor {part['median_factor']:.2f} over "
        f"{part['chips']} chip{'s' if part['chips'] != 1 else ''}."
        for part in document["parts"]
    ]
    told += [
        f"Shares of {share['kind']}: median error {100 * share['median_error']:.1f} points, "
        f"{share['within']} of {share['figures']} within their tolerance, {share['cases']} "
        f"case{'s' if share['cases'] != 1 else ''}."
        for share in document["shares"]
    ]
    closures = [row for row in document["rows"] if row["type"] == "closure" and row["within"] is not None]
    if closures:
        open_ = list(dict.fromkeys(row["case"] for row in closures if not row["within"]))
        told.append(
            f"Closures, from published times and parts: {sum(row['within'] for row in closures)} of "
            f"{len(closures)} within their tolerance"
            + (f", not all of {', '.join(open_)}." if open_ else ".")
        )
    return told


def misses(document: Document) -> Table:
    """Chips that err by more than their tolerance or by more than 2."""
    told: list[tuple[str, ...]] = []
    for chip in document["chips"]:
        row, error = document["rows"][chip["row"]], chip["factors"][document["judged"]]
        if error > min(row["model_tolerance"] or 2.0, 2.0):
            side = "too much" if chip["ratio"] > 1.0 else "too little"
            told.append((chip["case"], f"{error:.2f}x {side} {chip['kind']}", _tolerance(row), chip["name"]))
    return Table("Misses", ("case", "error", "tolerance", "name"), tuple(told))


def notes(document: Document) -> list[tuple[str, str]]:
    """What is known and not known of every case: the reasons of a miss begin there."""
    return [(case["case"], case["notes"]) for case in document["cases"] if case["notes"]]
