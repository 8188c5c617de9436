"""Units at the edge: what a file or a user writes, turned into SI once and never again.

pint decides. Because importing it and building its registry takes a quarter of a second, its answers for the
units of our own files stand in a table (``PINT_RESULTS``) that a test holds against pint; any other unit text
goes to pint itself, imported at that moment.

Two conventions that are ours: information is counted in bytes (``B``, ``B/s``) except in an energy per bit
(``J/bit``), and pure numbers (bits of a converter, rows, ratios) have the unit ``1``.
"""

from __future__ import annotations

import functools
import math
import re
from decimal import Decimal
from importlib import resources
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError, nearest_name

if TYPE_CHECKING:
    import pint

SI_UNITS = (
    "1", "V", "A", "ohm", "S", "F", "C", "J", "W", "s", "Hz", "m", "m^2", "K", "V/m", "F/m", "F/m^2", "C/m^2",
    "J/m^2", "W/m^2", "A/m^2", "ohm/m", "ohm*m", "J/bit", "B", "B/s", "1/m^3", "A/V^2",
    "V*m", "V*m/C", "V*m^5/C^3", "V*m^9/C^5",
)  # fmt: skip
"""Every unit a parameter can have inside; one for each dimension."""

PINT_RESULTS: dict[str, tuple[float, str]] = {
    "1": (1.0, "1"),
    "V": (1.0, "V"),
    "mV": (1e-3, "V"),
    "A": (1.0, "A"),
    "uA": (1e-6, "A"),
    "nA": (1e-9, "A"),
    "ohm": (1.0, "ohm"),
    "S": (1.0, "S"),
    "uS": (1e-6, "S"),
    "kohm": (1e3, "ohm"),
    "Mohm": (1e6, "ohm"),
    "ohm/um": (1e6, "ohm/m"),
    "ohm*um": (1e-6, "ohm*m"),
    "F": (1.0, "F"),
    "fF": (1e-15, "F"),
    "fF/um": (1e-9, "F/m"),
    "pF/mm": (1e-9, "F/m"),
    "J": (1.0, "J"),
    "pJ": (1e-12, "J"),
    "fJ": (1e-15, "J"),
    "J/m^2": (1.0, "J/m^2"),
    "pJ/bit": (1e-12, "J/bit"),
    "fJ/bit": (1e-15, "J/bit"),
    "W": (1.0, "W"),
    "mW": (1e-3, "W"),
    "nW": (1e-9, "W"),
    "pW": (1e-12, "W"),
    "s": (1.0, "s"),
    "us": (1e-6, "s"),
    "ns": (1e-9, "s"),
    "ps": (1e-12, "s"),
    "MHz": (1e6, "Hz"),
    "GHz": (1e9, "Hz"),
    "nm": (1e-9, "m"),
    "um": (1e-6, "m"),
    "um^2": (1e-12, "m^2"),
    "mm^2": (1e-6, "m^2"),
    "MiB": (1048576.0, "B"),
    "GB/s": (1e9, "B/s"),
    "K": (1.0, "K"),
    "eV": (1.602176634e-19, "J"),
    "MV/cm": (1e8, "V/m"),
    "uC/cm^2": (1e-2, "C/m^2"),
    "fF/um^2": (1e-3, "F/m^2"),
    "A/cm^2": (1e4, "A/m^2"),
    "1/cm^3": (1e6, "1/m^3"),
    "ohm*m": (1.0, "ohm*m"),
    "mV*um": (1e-9, "V*m"),
    "V*m/C": (1.0, "V*m/C"),
    "V*m^5/C^3": (1.0, "V*m^5/C^3"),
    "V*m^9/C^5": (1.0, "V*m^9/C^5"),
}
"""Unit as written -> (SI value of one such unit, SI unit), as pint answers."""

_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(.*?)\s*$")


@functools.cache
def _registry() -> pint.UnitRegistry[Any]:
    """Return a registry with pint's own definitions, but information as a dimension of its own."""
    import pint

    # loaded by hand because a registry that pint fills itself has already cached bits as pure numbers
    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(filename=None, on_redefinition="ignore")
    registry.load_definitions(str(resources.files("pint") / "default_en.txt"))
    registry.define("bit = [information]")
    registry.define("byte = 8 * bit = B")
    return registry


@functools.cache
def _si_unit_by_dimension() -> dict[str, str]:
    registry = _registry()
    return {str(registry.parse_units(_pint_text(unit)).dimensionality): unit for unit in SI_UNITS}


def _pint_text(unit: str) -> str:
    return "" if unit == "1" else unit


@functools.lru_cache(maxsize=1024)
def ask_pint(unit: str) -> tuple[float, str]:
    """Return (SI value of one ``unit``, SI unit) from pint itself.

    Raises InputError for text that is no unit, a dimension no parameter has, and scales with an offset or a
    logarithm (degrees Celsius, decibels), which no factor can convert.
    """
    registry = _registry()
    try:
        parsed = registry.parse_units(_pint_text(unit))
        si_unit = _si_unit_by_dimension().get(str(parsed.dimensionality))
    except Exception as error:
        # pint raises half a dozen unrelated exception types here, some from the tokenizer of Python itself
        raise InputError(
            "not a unit",
            value=unit,
            nearest=nearest_name(unit, PINT_RESULTS),
            remedy="write it as in 'fF/um'",
        ) from error
    if si_unit is None:
        raise InputError(
            "no parameter has this dimension",
            value=unit,
            allowed="units convertible to " + ", ".join(SI_UNITS),
        )
    target = _pint_text(si_unit)
    zero = registry.Quantity(0.0, parsed).to(target).magnitude
    factor = float(registry.Quantity(1.0, parsed).to(target).magnitude)
    if zero != 0.0:
        raise InputError("a scale with an offset or a logarithm is not accepted", value=unit, allowed=si_unit)
    return factor, si_unit


def si_factor(unit: str) -> tuple[float, str]:
    """Return (SI value of one ``unit``, SI unit): from the table where it has the unit, else from pint."""
    known = PINT_RESULTS.get(unit)
    return known if known is not None else ask_pint(unit)


def scale(value: float, factor: float) -> float:
    """Return ``value * factor`` as decimals multiply, so that 0.7 fF is exactly the float 7e-16."""
    return float(Decimal(repr(float(value))) * Decimal(repr(factor)))


def to_si(value: float, unit: str, expected: str = "") -> float:
    """Return ``value`` in SI; ``expected`` is the SI unit it must have (any when empty).

    >>> to_si(80, "nA", "A")
    8e-08
    """
    factor, si_unit = si_factor(unit)
    if expected and si_unit != expected:
        raise InputError("wrong unit", value=unit, allowed=f"units convertible to {expected}")
    return scale(value, factor)


def split_quantity(text: str) -> tuple[float, str]:
    """Return (number, unit text) of ``"3.5 V"``; the unit is empty for a bare number.

    Raises InputError when the text does not start with a finite number.
    """
    match = _QUANTITY.match(text)
    if match is None or not math.isfinite(float(match.group(1))):
        raise InputError(
            "not a finite number with an optional unit", value=text, remedy="write it as in '3.5 V'"
        )
    return float(match.group(1)), match.group(2)
