"""Numbers as people read them."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rmaat_hw.report import numbers


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (3.2e-6, "J", "3.20 µJ"),
        (0.9996e-3, "J", "1.00 mJ"),
        (999.96e-9, "s", "1.00 µs"),
        (1.0, "W", "1.00 W"),
        (0.0, "J", "0 J"),
        (8.5e-6, "m²", "8.50 mm²"),
        (4.5e-14, "m²", "0.0450 µm²"),
        (0.9e-6, "m²", "0.900 mm²"),
        (7_512_078, "1", "7.51 M"),
        (None, "J", "–"),
        (1e-3, "s", "1.00 ms"),
        (1e-21, "J", "0.00100 aJ"),
    ],
)
def test_engineering(value: float | None, unit: str, text: str) -> None:
    assert numbers.engineering(value, unit) == text


@given(st.floats(1e-17, 1e14))
def test_engineering_says_the_number(value: float) -> None:
    factor, _ = numbers.scale(value, "J")
    text = numbers.digits(value / factor)
    assert math.isclose(float(text.replace(",", "")) * factor, value, rel_tol=5.1e-3)


def test_quantity_uses_the_unit_of_the_value_for_the_interval() -> None:
    assert numbers.quantity({"value": 1.2e-3, "low": 0.8e-3, "high": 2e-3}, "J") == (
        "1.20 mJ",
        "0.800 to 2.00 mJ",
    )
    assert numbers.quantity({"value": 1.2e-3, "low": None, "high": None}, "J") == ("1.20 mJ", "")
    assert numbers.quantity(None, "J") == ("–", "")
    assert numbers.plain({"value": 28.1, "low": 15.5, "high": 50.6}, "TOPS/W") == (
        "28.1 TOPS/W",
        "15.5 to 50.6 TOPS/W",
    )


def test_shares_durations_counts_and_bars() -> None:
    assert [numbers.percent(s) for s in (0.4712, 0.0, 1e-5, None)] == ["47.1 %", "0.0 %", "< 0.1 %", "–"]
    assert numbers.duration(90.0) == "1.5 minutes"
    assert numbers.duration(3e-3) == "3.00 ms"
    assert numbers.duration(86400.0 * 3) == "3.0 days"
    assert numbers.count(1234567) == "1,234,567"
    assert numbers.bar(0.5, 4) == "██"
    assert numbers.bar(1 / 32, 4) == "▏"
    assert [numbers.general(v) for v in (128.0, 2, 1e-15, 0.12345)] == ["128", "2", "1e-15", "0.1235"]
