"""Trends inside a chip: what belongs together, exponents and swings."""

from __future__ import annotations

import dataclasses

from synthetic_chips import chip, predictor
from tolerance import close

from rmaat_hw.validation.rows import Row
from rmaat_hw.validation.run import judged
from rmaat_hw.validation.slopes import slopes


def rows_of(*, voltages: tuple[float, ...]) -> list[Row]:
    case = chip("A", energy=3.0, voltages=voltages)
    return list(judged([case], [], source="", predictor=predictor).rows)


def test_an_exponent_over_the_supply() -> None:
    """The law goes with V²: from 0.6 to 0.9 V a swing of 2.25; the factor of 3 does not show."""
    (slope,) = slopes(rows_of(voltages=(0.9, 0.6, 0.75)))
    assert slope.axis == "supply_voltage" and slope.values == (0.6, 0.75, 0.9)
    assert slope.published_exponent == close(2.0) and slope.predicted_exponent == close(2.0)
    assert (slope.published_swing, slope.predicted_swing) == (close(2.25), close(2.25))
    assert slope.published == close([1.0, (0.75 / 0.6) ** 2, 2.25])
    assert slope.conditions == "8 b inputs, 8 b weights"


def test_a_prediction_of_another_exponent_shows() -> None:
    rows = [
        dataclasses.replace(row, predicted=row.published * row.configuration["supply_voltage"])
        for row in rows_of(voltages=(0.6, 0.9))
    ]
    (slope,) = slopes(rows)  # efficiency times V: energy falls to V^1
    assert (slope.published_exponent, slope.predicted_exponent) == (close(2.0), close(1.0))
    assert (slope.published_swing, slope.predicted_swing) == (close(2.25), close(1.5))


def test_points_that_differ_in_more_than_the_axis_are_no_trend() -> None:
    low, high = rows_of(voltages=(0.6,)), rows_of(voltages=(0.9,))
    other = [dataclasses.replace(r, configuration={**r.configuration, "rows": 64.0}) for r in high]
    assert slopes([*low, *other]) == ()
    assert len(slopes([*low, *high])) == 1


def test_bits_of_input_alone_and_of_both() -> None:
    def at(inputs: float, weights: float) -> list[Row]:
        row = rows_of(voltages=(0.9,))[0]
        changed = {**row.configuration, "input_bits": inputs, "weight_bits": weights}
        scale = 64.0 / (inputs * weights)
        return [
            dataclasses.replace(
                row, configuration=changed, published=row.published * scale, predicted=row.published * scale
            )
        ]

    found = {s.axis: s for s in slopes([*at(1, 1), *at(2, 2), *at(4, 4), *at(2, 1), *at(4, 1)])}
    # Energy goes with inputs times weights: exponent 1 over inputs, 2 over both.
    assert found["input_bits"].published_exponent == close(1.0) and len(found["input_bits"].values) == 3
    assert found["precision"].published_exponent == close(2.0) and len(found["precision"].values) == 3


def test_data_values_have_a_swing_and_no_exponent() -> None:
    row = rows_of(voltages=(0.9,))[0]
    points = [
        dataclasses.replace(
            row,
            activity={"input_density": d},
            published=row.published / (1.0 + d),
            predicted=20.0 / (2.0 + d),
        )
        for d in (0.5, 0.0, 1.0)
    ]
    (slope,) = slopes(points)
    assert slope.axis == "data" and slope.published_exponent is None
    # Published energy from 1 to 2, predicted from 2 to 3.
    assert (slope.published_swing, slope.predicted_swing) == (close(2.0), close(1.5))
    assert slope.published == close([1.0, 1.5, 2.0]) and slope.predicted == close([1.0, 1.25, 1.5])


def test_shares_parts_and_refusals() -> None:
    rows = rows_of(voltages=(0.6, 0.9))
    assert slopes([dataclasses.replace(row, share=True) for row in rows]) == ()
    assert slopes([dataclasses.replace(row, predicted=None) for row in rows]) == ()
    assert slopes([]) == ()
