"""Statistics over chips against numbers worked out by hand, and what must hold for any chips."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from rmaat_hw.validation import statistics

LINE: dict[str, Any] = {
    "index": 0,
    "case": "A",
    "point": "1",
    "kind": "energy",
    "grade": "A",
    "style": "digital",
    "technology": "sram_digital",
    "nonvolatile": False,
    "in_statistics": True,
    "rank": 0,
    "calibrated": 0.0,
    "uncalibrated": 0.0,
    "low": -0.5,
    "high": 0.5,
    "input_bits": 8.0,
    "weight_bits": 8.0,
    "tera_operations": 1.0,
}


#: A model with a factor for every style and kind that the tests use.
MODEL = frozenset((style, kind) for style in ("digital", "charge") for kind in ("energy", "time", "area"))


def frame(*lines: dict[str, Any]) -> pd.DataFrame:
    """Lines from factors: ``factor`` is predicted over published cost, calibrated and uncalibrated alike."""
    made = []
    for line in lines:
        log = math.log(line.get("factor", 1.0))
        rest = {name: value for name, value in line.items() if name != "factor"}
        made.append(LINE | {"calibrated": log, "uncalibrated": log} | rest)
    return pd.DataFrame(made)


def test_the_error_of_a_chip_is_the_median_over_its_points() -> None:
    """Errors of 1.1, 1/1.2 and 2: the median of |ln| is ln 1.2."""
    chips = statistics.chip_values(
        frame(
            {"point": "1", "factor": 1.1}, {"point": "2", "factor": 1 / 1.2}, {"point": "3", "factor": 2.0}
        ),
        ["calibrated"],
    )
    assert len(chips) == 1 and chips["points"].tolist() == [3]
    assert chips["calibrated"].tolist() == close([math.log(1.2)])


def test_two_figures_of_one_point_count_once() -> None:
    """Point 1 twice (1.1 and 1.3, geometric mean 1.196), point 2 (2.0): the median of two is their mean."""
    chips = statistics.chip_values(
        frame({"point": "1", "factor": 1.1}, {"point": "1", "factor": 1.3}, {"point": "2", "factor": 2.0}),
        ["calibrated"],
    )
    expected = (math.log(1.1 * 1.3) / 2.0 + math.log(2.0)) / 2.0
    assert chips["calibrated"].tolist() == close([expected])


def test_a_chip_with_many_points_does_not_outvote_the_rest() -> None:
    many = [{"case": "M", "point": str(k), "factor": 4.0} for k in range(50)]
    chips = statistics.chip_values(frame(*many, {"case": "B"}, {"case": "C"}), ["calibrated"])
    (summary,) = [s for s in statistics.summaries(chips, ["calibrated"], 0) if s.technology == "all"]
    assert (summary.chips, summary.median_factor) == (3, 1.0)
    assert summary.within_2 == close(2 / 3)


def test_wholes_stand_for_a_chip_before_densities_and_parts() -> None:
    lines = [
        {"case": "A", "rank": 2, "factor": 9.0},
        {"case": "A", "rank": 0, "factor": 1.5},
        {"case": "B", "rank": 2, "factor": 3.0},
        {"case": "B", "rank": 1, "factor": 2.0},
        {"case": "C", "rank": 2, "factor": 1.1},
        {"case": "D", "rank": 0, "factor": 7.0, "in_statistics": False},
    ]
    counted = statistics.chips_of(frame(*lines))
    assert counted[["case", "rank"]].values.tolist() == [["A", 0], ["B", 1], ["C", 2]]


def test_a_factor_refitted_without_the_chip() -> None:
    """Costs of 1.2, 1.5 and 2 times the published ones in one style, 3 alone in another.

    In sample the factor is 1/1.5, and the errors 1.5/1.2 = 1.25, 1 and 2/1.5 = 1.333. Left out, the first is
    judged by the median of 1.5 and 2, sqrt(3) = 1.732: 1.732/1.2 = 1.443; the second by sqrt(2.4) = 1.549;
    the third by sqrt(1.8) = 1.342. The one that is alone keeps its 3.
    """
    counted = statistics.with_refits(
        frame(
            {"case": "A", "factor": 1.2},
            {"case": "B", "factor": 1.5},
            {"case": "C", "factor": 2.0},
            {"case": "D", "factor": 3.0, "style": "charge"},
        ),
        MODEL,
    )
    chips = statistics.chip_values(counted, ["in_sample", "leave_one_out"])
    assert np.exp(chips["in_sample"]).tolist() == close([1.25, 1.0, 2.0 / 1.5, 1.0])
    expected = [math.sqrt(3.0) / 1.2, math.sqrt(2.4) / 1.5, 2.0 / math.sqrt(1.8), 3.0]
    assert np.exp(chips["leave_one_out"]).tolist() == close(expected)
    factors = {f.style: f for f in statistics.factors(counted, MODEL)}
    assert factors["digital"].refitted == close(1.0 / 1.5) and factors["digital"].chips == 3
    assert factors["charge"].refitted == close(1.0 / 3.0)
    assert factors["digital"].shipped == 1.0


def test_what_is_shipped_is_told_from_what_is_refitted() -> None:
    """A cost of 1.5 uncalibrated and 1.2 calibrated: the shipped factor is 0.8."""
    counted = frame({"calibrated": math.log(1.2), "uncalibrated": math.log(1.5)})
    (factor,) = statistics.factors(counted, MODEL)
    assert (factor.shipped, factor.refitted) == (close(0.8), close(1 / 1.5))


def test_a_density_takes_the_factors_of_time_and_area_and_gives_neither() -> None:
    """Time 2 and area 1.5 too much on the other chip: a density that needs 6 is left with 6/3 = 2."""
    counted = statistics.with_refits(
        frame(
            {"case": "A", "kind": "time", "factor": 2.0},
            {"case": "A", "kind": "area", "factor": 1.5},
            {"case": "B", "kind": "area", "rank": 1, "factor": 6.0},
        ),
        MODEL,
    )
    density = counted[counted["rank"] == 1]
    assert np.exp(density["leave_one_out"]).tolist() == close([2.0])
    assert {f.kind: f.chips for f in statistics.factors(counted, MODEL)} == {"time": 1, "area": 1}


@given(
    logs=st.lists(st.floats(-2.0, 2.0), min_size=2, max_size=9),
    scale=st.floats(-1.0, 1.0),
)
def test_leaving_out_does_not_feel_a_common_factor(logs: list[float], scale: float) -> None:
    """A factor on all predictions of a style is what calibration takes away, also from the chip left out."""

    def left_out(shift: float) -> list[float]:
        lines = [{"case": f"{k:02}", "factor": math.exp(log + shift)} for k, log in enumerate(logs)]
        counted = statistics.with_refits(frame(*lines), MODEL)
        found: list[float] = statistics.chip_values(counted, ["leave_one_out"])["leave_one_out"].tolist()
        return found

    assert left_out(scale) == pytest.approx(left_out(0.0), abs=1e-9)


@given(logs=st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=9))
def test_in_sample_the_median_chip_is_met(logs: list[float]) -> None:
    lines = [{"case": f"{k:02}", "factor": math.exp(log)} for k, log in enumerate(logs)]
    counted = statistics.with_refits(frame(*lines), MODEL)
    signed = statistics.chip_values(counted, ["in_sample"], signed=True)["in_sample"]
    assert float(signed.median()) == pytest.approx(0.0, abs=1e-9)


def test_the_bootstrap_is_seeded_and_holds_the_median() -> None:
    logs = np.array([0.1, 0.2, 0.3, 0.4, 1.5])
    first = statistics.median_interval(logs, 3)
    assert first is not None and first == statistics.median_interval(logs, 3)
    assert first[0] <= 0.3 <= first[1] and first[0] >= 0.1 and first[1] <= 1.5
    assert statistics.median_interval(np.full(4, 0.2), 0) == (close(0.2), close(0.2))
    assert statistics.median_interval(np.array([0.2]), 0) is None


def test_the_bootstrap_of_the_median_of_three() -> None:
    """The least of three is the median of a sample in 1/27 + 3·2/27 = 7/27 of all: both ends are reached."""
    assert statistics.median_interval(np.array([0.1, 0.2, 0.7]), 0) == (close(0.1), close(0.7))


def test_coverage_width_and_interval_score() -> None:
    """Chip A: (-0.2, 0.3) holds 0, score 0.5; (0.1, 0.4) does not, score 0.3 + 20·0.1 = 2.3: mean 1.4.

    Chip B (non-volatile): (-0.6, -0.1), score 0.5 + 20·0.1 = 2.5.
    """
    lines = frame(
        {"point": "1", "low": -0.2, "high": 0.3},
        {"point": "2", "low": 0.1, "high": 0.4},
        {"case": "B", "nonvolatile": True, "low": -0.6, "high": -0.1},
    )
    found = {c.group: c for c in statistics.coverage(lines, ["calibrated"])}
    assert (found["sram"].chips_covered, found["sram"].figures_covered) == (1.0, 0.5)
    assert found["sram"].interval_score == close(1.4)
    assert found["sram"].median_width == close(math.exp(0.4))
    assert (found["nvm"].chips_covered, found["nvm"].interval_score) == (0.0, close(2.5))
    assert found["all"].chips_covered == 0.5 and found["all"].figures_covered == close(1 / 3)
    assert found["all"].interval_score == close((1.4 + 2.5) / 2)


def test_intervals_move_with_a_refitted_factor() -> None:
    """Shifted up by 0.3, the interval (-0.6, -0.1) of the prediction holds the published figure."""
    lines = frame({"low": -0.6, "high": -0.1, "calibrated": -0.3}).assign(leave_one_out=0.0)
    found = {
        c.variant: c for c in statistics.coverage(lines, ["calibrated", "leave_one_out"]) if c.group == "all"
    }
    assert (found["calibrated"].chips_covered, found["leave_one_out"].chips_covered) == (0.0, 1.0)
    assert found["leave_one_out"].median_width == close(found["calibrated"].median_width)


def ranked(published: list[float], predicted: list[float], bits: float = 8.0) -> pd.DataFrame:
    lines = [
        {
            "case": f"{k}",
            "tera_operations": p,
            "calibrated": math.log(p / q),
            "input_bits": bits,
            "weight_bits": bits,
        }
        for k, (p, q) in enumerate(zip(published, predicted, strict=True))
    ]
    return frame(*lines)


def test_kendalls_tau_at_one_precision() -> None:
    """Of the six pairs of four chips one is in the wrong order: (5 - 1) / 6."""
    found = statistics.rankings(ranked([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 4.0]), "calibrated")
    assert {f.precision: f.tau for f in found} == {
        "1 b x 1 b normalised": close(4 / 6),
        "8 b x 8 b": close(4 / 6),
    }
    reverse = statistics.rankings(ranked([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]), "calibrated")
    assert [f.tau for f in reverse] == [-1.0, -1.0]


def test_an_order_of_few_or_of_equal_chips_says_nothing() -> None:
    assert statistics.rankings(ranked([1.0, 2.0, 3.0], [1.0, 2.0, 3.0]), "calibrated") == ()
    assert statistics.rankings(ranked([2.0] * 4, [1.0, 2.0, 3.0, 4.0]), "calibrated") == ()


def test_grades_a_and_b_are_told_apart_where_there_are_others() -> None:
    chips = statistics.chip_values(
        frame({"case": "A", "factor": 1.1}, {"case": "B", "factor": 3.0, "grade": "C"}), ["calibrated"]
    )
    found = {s.technology: s for s in statistics.summaries(chips, ["calibrated"], 0)}
    assert found["grades_a_b"].chips == 1 and found["grades_a_b"].median_factor == close(1.1)
    assert found["all"].median_factor == close(math.sqrt(3.3))
    without = statistics.chip_values(frame({"case": "A"}), ["calibrated"])
    assert {s.technology for s in statistics.summaries(without, ["calibrated"], 0)} == {"all", "sram_digital"}


def test_a_style_without_a_factor_stays_as_it_is() -> None:
    lines = [{"case": f"{k}", "factor": factor} for k, factor in enumerate((1.5, 2.0, 3.0))]
    counted = statistics.with_refits(frame(*lines), frozenset())
    for variant in ("in_sample", "leave_one_out"):
        assert np.exp(counted[variant]).tolist() == close([1.5, 2.0, 3.0])
    assert not any(factor.fitted for factor in statistics.factors(counted, frozenset()))
