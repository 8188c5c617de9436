"""What the parameters of a device mean: quantities that the models compute from them, with 90 % intervals.

Only what a file's parameters allow is computed; a condition that the file does not state (an area, an array,
the capacitance of a line) is named in the row that uses it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from device_params import load_device
from device_params.schema import ComponentFile
from rmaat_hw.devices import (
    derived_cells,
    derived_film,
    derived_gate,
    derived_levels,
    derived_wear,
)
from rmaat_hw.devices.derivation import Derivation, Derived

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Derived", "DerivedRows", "derived", "derived_of"]

#: What is derived, in the order of the rows; each part adds what the parameters of a device allow.
PARTS: tuple[Callable[[Derivation], None], ...] = (
    derived_film.switching,
    derived_film.loop_alone,
    derived_gate.gate,
    derived_gate.series_resistor,
    derived_levels.spacing,
    derived_cells.feram,
    derived_cells.capacitive_read,
    derived_cells.junction,
    derived_cells.back_gate,
    derived_levels.current,
    derived_levels.inputs,
    derived_cells.write_drive,
    derived_levels.array,
    derived_wear.wear,
)


class DerivedRows(list[Derived]):
    """The derived quantities of one device."""

    def to_pandas(self) -> pd.DataFrame:
        """One row a quantity: name, value, low, high (SI), unit, how, reason, remark."""
        import pandas as pd

        columns = ["name", "value", "low", "high", "unit", "how", "reason", "remark"]
        rows = [row.document() | (row.quantity or {}) for row in self]
        return pd.DataFrame(rows, columns=columns)


def derived(name: str) -> DerivedRows:
    """Derived quantities of a device of the library, or of a file at a path. Raises InputError."""
    return derived_of(load_device(name))


def derived_of(device: ComponentFile) -> DerivedRows:
    """Derived quantities of a device."""
    derivation = Derivation(device)
    for part in PARTS:
        part(derivation)
    return DerivedRows(derivation.rows)
