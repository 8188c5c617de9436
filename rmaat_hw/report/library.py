"""The library of devices on a screen: two files side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rmaat_hw.report.listings import parameter_value
from rmaat_hw.report.numbers import DASH, digits

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from device_params.diff import Row
    from device_params.schema import ComponentFile, Parameter


def show_diff(console: Console, a: ComponentFile, b: ComponentFile, rows: Sequence[Row]) -> None:
    """Print two files parameter by parameter, basis and source below the value; the same is dimmed."""
    from rich.table import Table
    from rich.text import Text

    for side, file in (("A", a), ("B", b)):
        console.print(Text.assemble((f"{side}  ", "dim"), (file.name, "bold"), f"  {file.title}"))
    console.print()
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("parameter", overflow="fold", min_width=18)
    table.add_column("A", overflow="fold")
    table.add_column("B", overflow="fold")
    table.add_column("B / A", no_wrap=True, justify="right")
    for row in rows:
        style = "dim" if row.same else ""
        ratio = DASH if row.ratio is None else digits(row.ratio)
        name = Text(row.parameter, style=style)
        table.add_row(name, _side(row.a, style), _side(row.b, style), Text(ratio, style=style))
    console.print(table)
    counts = {side: sum(row.only_in == side for row in rows) for side in ("a", "b")}
    same = sum(row.same for row in rows)
    console.print()
    console.print(
        f"{len(rows)} parameters: {same} the same, {len(rows) - same - sum(counts.values())} different, "
        f"{counts['a']} only in A, {counts['b']} only in B",
        style="dim",
    )


def _side(parameter: Parameter | None, style: str) -> Text:
    from rich.text import Text

    from device_params.schema import record

    if parameter is None:
        return Text(DASH, style="dim")
    value, interval = parameter_value(record(parameter))
    told = value if interval == DASH else f"{value} ({interval})"
    return Text.assemble((told, style), (f"\n{parameter.basis} {parameter.source}".rstrip(), "dim"))
