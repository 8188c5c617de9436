"""Units: pint is the authority, the table of its answers agrees, and nothing else is accepted."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from device_params import InputError, list_names, load_design, load_device
from device_params.units import PINT_RESULTS, SI_UNITS, ask_pint, scale, si_factor, split_quantity, to_si


@pytest.mark.parametrize("unit", PINT_RESULTS)
def test_table_agrees_with_pint(unit: str) -> None:
    factor, si_unit = ask_pint(unit)
    assert si_unit == PINT_RESULTS[unit][1]
    assert factor == close(PINT_RESULTS[unit][0], rel=1e-12)


@pytest.mark.parametrize("unit", SI_UNITS)
def test_si_units_are_their_own_and_all_different(unit: str) -> None:
    assert ask_pint(unit) == (pytest.approx(1.0, rel=1e-12), unit)


def test_table_covers_every_built_in_file() -> None:
    written = {
        parameter.unit_written
        for design in list_names("design")
        for parameter in load_design(design).parameters.values()
    }
    written |= {
        p.unit_written for name in list_names("device") for p in load_device(name).parameters.values()
    }
    assert written <= set(PINT_RESULTS)


@pytest.mark.parametrize(
    ("value", "unit", "si", "si_unit"),
    [
        (80, "nA", 8e-8, "A"),
        (25, "uC/cm^2", 0.25, "C/m^2"),  # 25e-6 C / 1e-4 m^2
        (1.1, "MV/cm", 1.1e8, "V/m"),  # 1.1e6 V / 1e-2 m
        (13.2, "fJ/(0.01 um^2)", None, ""),
        (1, "MiB", 2**20, "B"),
        (1, "Mbit", 125000, "B"),
        (3.7, "pJ/byte", 0.4625e-12, "J/bit"),
        (30, "%", 0.3, "1"),
        (1, "MOhm", None, ""),
    ],
)
def test_conversions_by_hand(value: float, unit: str, si: float | None, si_unit: str) -> None:
    if si is None:
        with pytest.raises(InputError, match="not a unit"):
            si_factor(unit)
    else:
        assert to_si(value, unit, si_unit) == close(si, rel=1e-12)


@pytest.mark.parametrize("unit", ["degC", "dBm"])
def test_scales_without_a_factor_are_refused(unit: str) -> None:
    with pytest.raises(InputError, match="offset or a logarithm"):
        si_factor(unit)


def test_dimension_without_parameter_is_refused() -> None:
    with pytest.raises(InputError, match="no parameter has this dimension; got 'kg'"):
        si_factor("kg")


def test_wrong_dimension_names_the_expected_unit() -> None:
    with pytest.raises(InputError, match="wrong unit; got 'nA'; allowed: units convertible to V"):
        to_si(1, "nA", "V")


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("3.5 V", 3.5, "V"),
        ("80nA", 80.0, "nA"),
        ("1e-9", 1e-9, ""),
        (" -2.5E3 fF/um ", -2500.0, "fF/um"),
        (".5", 0.5, ""),
    ],
)
def test_split_quantity(text: str, number: float, unit: str) -> None:
    assert split_quantity(text) == (number, unit)


@pytest.mark.parametrize("text", ["", "V", "nan", "inf V", "1e999", "--3", "true"])
def test_split_quantity_refuses(text: str) -> None:
    with pytest.raises(InputError, match="not a finite number"):
        split_quantity(text)


def test_scale_is_exact_in_decimals() -> None:
    assert scale(0.7, 1e-15) == 7e-16
    assert scale(80, 1e-9) == 8e-8


@given(
    st.floats(1e-6, 1e6),
    st.sampled_from([unit for unit, (factor, _) in PINT_RESULTS.items() if factor != 1.0]),
)
def test_scale_there_and_back(value: float, unit: str) -> None:
    factor, _ = PINT_RESULTS[unit]
    assert math.isclose(scale(scale(value, factor), 1.0 / factor), value, rel_tol=1e-12)
