"""Numbers as people read them: engineering prefixes, shares, intervals. None becomes a dash."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

DASH = "–"
_PREFIXES = {-18: "a", -15: "f", -12: "p", -9: "n", -6: "µ", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}
_AREA = ((1e-6, "mm²"), (1e-12, "µm²"), (1e-18, "nm²"))
_PREFIXED = ("V", "A", "F", "J", "W", "s", "S", "C", "Hz", "m")
_NAMED = {"ohm": "Ω", "m^2": "m²"}
#: Factor, unit that takes the prefix, and what it is over: C/m^2 reads as µC/cm².
_DENSITIES = {
    "C/m^2": (1e-4, "C", "/cm²"),
    "F/m^2": (1e-12, "F", "/µm²"),
    "J/m^2": (1e-12, "J", "/µm²"),
    "V/m": (1e-2, "V", "/cm"),
    "F/m": (1e-6, "F", "/µm"),
    "ohm/m": (1e-6, "Ω", "/µm"),
}
_DURATIONS = ((365.25 * 86400.0, "years"), (86400.0, "days"), (3600.0, "hours"), (60.0, "minutes"))

Quantity = Mapping[str, Any]


def scale(value: float, unit: str) -> tuple[float, str]:
    """Return the factor and the prefixed unit in which ``value`` reads as 1 to 1000.

    ``unit`` is an SI unit; ``m²`` gets mm² and below, ``1`` gets k, M, G as multiples of a count.
    """
    size = abs(value)
    if size == 0 or not math.isfinite(size):
        return 1.0, "" if unit == "1" else unit
    if unit == "m²":
        factor, name = next(((f, n) for f, n in _AREA if size >= 0.01 * f), _AREA[-1])
        return factor, name
    exponent = 3 * math.floor(math.log10(float(f"{size:.2e}")) / 3)  # 999.96 reads as 1.00 of the next
    exponent = min(max(exponent, -18), 12)
    return 10.0**exponent, _PREFIXES[exponent] + ("" if unit == "1" else unit)


def readable(value: float, unit: str) -> tuple[float, str]:
    """Return the factor and the unit in which a parameter in ``unit`` (as files write SI) reads well.

    Units without a customary one (A/m^2, ohm*m) stay as they are.
    """
    if unit in _DENSITIES:
        over, base, rest = _DENSITIES[unit]
        factor, name = scale(value * over, base)
        return factor / over, name + rest
    if unit in _PREFIXED or unit in _NAMED:
        return scale(value, _NAMED.get(unit, unit))
    return 1.0, "" if unit == "1" else unit


def digits(value: float, figures: int = 3) -> str:
    """``value`` with ``figures`` significant figures, without an exponent where it stays short."""
    if value == 0:
        return "0"
    size = math.floor(math.log10(abs(value)))
    if size >= 6 or size < -4:
        return f"{value:.{figures - 1}e}"
    rounded = round(value, figures - 1 - size)
    return f"{rounded:,.{max(0, figures - 1 - math.floor(math.log10(abs(rounded))))}f}"


def engineering(value: float | None, unit: str) -> str:
    """``3.2e-6, "J"`` → ``3.20 µJ``."""
    if value is None:
        return DASH
    factor, name = scale(value, unit)
    return f"{digits(value / factor)} {name}".rstrip()


def quantity(q: Quantity | None, unit: str) -> tuple[str, str]:
    """Value and 90 % interval of an estimated quantity, both with the unit in which the value reads well."""
    if q is None or q.get("value") is None:
        return DASH, ""
    factor, name = scale(float(q["value"]), unit)
    value = f"{digits(float(q['value']) / factor)} {name}".rstrip()
    if q.get("low") is None or q.get("high") is None:
        return value, ""
    return value, f"{digits(float(q['low']) / factor)} to {digits(float(q['high']) / factor)} {name}".rstrip()


def plain(q: Quantity | None, unit: str) -> tuple[str, str]:
    """Value and interval of a quantity whose unit takes no prefix (TOPS/W)."""
    if q is None or q.get("value") is None:
        return DASH, ""
    low, high = q.get("low"), q.get("high")
    span = "" if low is None or high is None else f"{digits(low)} to {digits(high)} {unit}"
    return f"{digits(q['value'])} {unit}", span


def general(value: float) -> str:
    """Any number with up to four significant figures; whole numbers stay whole."""
    return f"{round(value):,}" if float(value).is_integer() and abs(value) < 1e9 else f"{value:.4g}"


def percent(share: float | None) -> str:
    """A share as a percentage; what is there but rounds to nothing reads ``< 0.1 %``."""
    if share is None:
        return DASH
    if 0 < share < 0.001:
        return "< 0.1 %"
    return f"{100 * share:.1f} %"


def count(value: float | None) -> str:
    """A whole number with separators of thousands."""
    return DASH if value is None else f"{round(value):,}"


def duration(seconds: float | None) -> str:
    """A life time: seconds with a prefix up to a minute, then minutes, hours, days, years."""
    if seconds is None:
        return DASH
    for size, name in _DURATIONS:
        if seconds >= size:
            return f"{digits(seconds / size, 2)} {name}"
    return engineering(seconds, "s")


def bar(share: float, width: int = 16) -> str:
    """A bar of eighths of a character cell, ``width`` cells for a share of 1."""
    eighths = round(max(0.0, min(1.0, share)) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[rest]


def plain_value(value: Any) -> str:
    """Any value of a document as text."""
    if isinstance(value, bool) or value is None:
        return DASH if value is None else ("yes" if value else "no")
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        return general(value)
    return str(value)
