"""Derived quantities of a device on the screen: a short table with what is behind every number below it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rmaat_hw.report.numbers import DASH, digits, duration, percent, readable, scale

if TYPE_CHECKING:
    from rich.console import Console

MOST_COUNTED = 1e15  # a count of this size means that or more (`rmaat_hw.devices.derivation.MOST`)
_WIDE = 150  # columns that hold a row and its formula side by side
_INDENT = "  "
_PER_AREA = "1/m^2"  # of bits
_MINUTE = 60.0  # s
_WHOLE = 1e6  # below it a whole number is told without rounding
_SHARES = ("share", "contrast", "left_day", "left_ten_years")  # ends of the names of shares


def show_derived(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the rows that a short table holds, and name those that it leaves out."""
    from rich.text import Text

    shown = [row for row in rows if not row["detail"]]
    if not shown:
        return
    cells = [(row["name"].replace("_", " "), *told(row)) for row in shown]
    heads = ("derived", "value", "90 % interval")
    first, second, third = (max(len(head), *(len(cell[i]) for cell in cells)) for i, head in enumerate(heads))
    wide = console.width >= _WIDE
    line = f"{heads[0]:{first}}  {heads[1]:>{second}}  {heads[2]:>{third}}"
    console.print(Text(line + ("  how" if wide else ""), style="dim"))
    for row, cell in zip(shown, cells, strict=True):
        line = f"{cell[0]:{first}}  {cell[1]:>{second}}  {cell[2]:>{third}}"
        how = Text.assemble((f"{row['how']}.", "dim"), _sentence(row))
        indent = " " * (len(line) + 2) if wide else _INDENT
        parts = how.wrap(console, console.width - len(indent))
        if not wide:
            console.print(Text(line))
        for number, part in enumerate(parts):
            part.rstrip()
            console.print(Text.assemble(f"{line}  " if wide and number == 0 else indent, part))
    left_out = [row["name"].replace("_", " ") for row in rows if row["detail"]]
    if left_out:
        console.print()
        more = Text(f"--json gives {len(left_out)} more: {', '.join(left_out)}.", style="dim")
        for part in more.wrap(console, console.width):
            part.rstrip()
            console.print(part)


def _sentence(row: Mapping[str, Any]) -> str:
    """Why there is no quantity, or what its value warns of."""
    said = row["reason"] or row["remark"]
    return f" {said[:1].upper()}{said[1:]}." if said else ""


def told(row: Mapping[str, Any]) -> tuple[str, str]:
    """Value and interval of a row in the unit in which the value reads well."""
    found, unit = row["quantity"], row["unit"]
    if found is None:
        return DASH, ""
    value, low, high, name = _numbers(row["name"], found, unit)
    span = DASH if low == value == high else f"{low} to {high} {name}".rstrip()
    return f"{value} {name}".rstrip(), span


def _numbers(name: str, found: Mapping[str, float], unit: str) -> tuple[str, str, str, str]:
    """Value, low, high and the unit that follows them."""
    three = [found[end] for end in ("value", "low", "high")]
    if unit == "1":
        shown = [percent(x) if name.endswith(_SHARES) else _count(x) for x in three]
    elif unit == "s" and three[0] >= _MINUTE:
        shown = [duration(x) for x in three]
    else:
        factor, unit = readable(three[0], unit) if unit != _PER_AREA else _bits(three[0])
        value, low, high = (digits(x / factor) for x in three)
        return value, low, high, unit
    return shown[0], shown[1], shown[2], ""


def _bits(value: float) -> tuple[float, str]:
    factor, name = scale(value * 1e-6, "bit")
    return factor * 1e6, f"{name}/mm²"


def _count(value: float) -> str:
    if value >= MOST_COUNTED:
        return f"> {MOST_COUNTED:.0e}"
    return f"{value:,.0f}" if value.is_integer() and abs(value) < _WHOLE else digits(value)
