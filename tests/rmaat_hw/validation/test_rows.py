"""One figure beside its prediction: tolerance, interval, and the error as a cost."""

from __future__ import annotations

import math
from typing import Any

import pytest
from tolerance import close

from cost_models.macros.configuration import technology_class
from rmaat_hw.validation.rows import Row, error_frame, is_nonvolatile

BASE: dict[str, Any] = {
    "case": "X",
    "name": "a chip",
    "point": "0.9 V",
    "metric": "energy_efficiency",
    "components": (),
    "kind": "energy",
    "type": "prediction",
    "grade": "A",
    "memory": "sram",
    "style": "digital",
    "node": 28e-9,
    "in_statistics": True,
    "published": 20.0,
    "unit": "TOPS/W",
    "boundary": "macro",
    "predicted": 25.0,
    "low": 20.0,
    "high": 40.0,
    "uncalibrated": 10.0,
    "model_tolerance": 1.3,
}


def row(**changes: Any) -> Row:
    return Row(**BASE | changes)


def test_a_ratio_is_within_its_tolerance_to_both_sides() -> None:
    assert row().ratio == 1.25 and row().within is True
    assert row(predicted=26.0).within is True  # the limit itself
    assert row(predicted=26.1).within is False
    assert row(predicted=20.0 / 1.3).within is True
    assert row(predicted=15.3).within is False  # 20 / 15.3 = 1.307
    assert row(model_tolerance=None).within is None


def test_a_share_is_compared_by_points() -> None:
    share = {
        "share": True,
        "published": 34.0,
        "unit": "%",
        "tolerance_kind": "points",
        "model_tolerance": 10.0,
    }
    assert row(**share, predicted=44.0).within is True
    assert row(**share, predicted=23.9).within is False
    assert row(**share, predicted=0.0).within is False


def test_a_part_that_is_predicted_to_cost_nothing_is_a_miss() -> None:
    nothing = row(predicted=0.0, low=0.0, high=0.0, uncalibrated=0.0, components=("adc",))
    assert nothing.within is False and nothing.ratio == 0.0
    assert error_frame([nothing]).empty  # it has no logarithm


def test_an_interval_covers_with_its_ends() -> None:
    assert row().covered is True  # published 20, low 20
    assert row(low=20.1).covered is False
    assert row(low=None, high=None).covered is None


def test_a_refused_row_has_no_verdict() -> None:
    refused = row(predicted=None, low=None, high=None, uncalibrated=None, refused="no model")
    assert (refused.ratio, refused.within, refused.covered) == (None, None, None)
    assert error_frame([refused]).empty
    assert refused.document()["refused"] == "no model"


def test_errors_are_errors_of_cost_whichever_way_a_metric_counts() -> None:
    """25 of 20 TOPS/W is too little energy: ln(20/25); 25 of 20 fJ/MAC is too much: ln(25/20)."""
    frame = error_frame([row(), row(metric="energy_per_mac", unit="fJ/MAC")])
    assert frame["calibrated"].tolist() == close([-math.log(1.25), math.log(1.25)])
    assert frame["uncalibrated"].tolist() == close([math.log(2.0), -math.log(2.0)])
    # Interval of 20 to 40 TOPS/W: energies of 20/40 to 20/20 of the published one.
    assert frame["low"].tolist() == close([-math.log(2.0), 0.0])
    assert frame["high"].tolist() == close([0.0, math.log(2.0)])


def test_what_has_no_error_as_a_ratio_is_left_out() -> None:
    kept = row(case="kept")
    frame = error_frame([row(share=True), kept, row(type="closure")])
    assert frame["case"].tolist() == ["kept"] and frame["index"].tolist() == [1]


def test_figures_of_the_whole_come_before_densities_and_parts() -> None:
    frame = error_frame(
        [
            row(),
            row(metric="compute_density", kind="area"),
            row(metric="area", kind="area", components=("adc",)),
        ]
    )
    assert frame["rank"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("memory", "style", "technology"),
    [
        ("sram", "digital", "sram_digital"),
        ("sram", "charge", "sram_analog"),
        ("gain_cell", "charge", "sram_analog"),
        ("sram", "discharge", "sram_analog"),
        ("rram", "conduction", "rram"),
        ("fecap", "charge", "ferroelectric"),
    ],
)
def test_classes_of_chips(memory: str, style: str, technology: str) -> None:
    assert technology_class(memory, style) == technology
    assert is_nonvolatile(memory) is (memory not in ("sram", "gain_cell"))
    assert row(memory=memory, style=style).document()["technology"] == technology
