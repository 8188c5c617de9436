"""Two parameter files side by side: value, interval, basis and source of every parameter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from device_params.errors import InputError
from device_params.load import load_file
from device_params.schema import ComponentFile, Design, Parameter
from device_params.vocabulary import VOCABULARY

if TYPE_CHECKING:
    import pandas

_COLUMNS = ("value", "low", "high", "basis", "source")


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter as the files A and B give it; None where a file does not."""

    parameter: str
    unit: str
    meaning: str
    a: Parameter | None
    b: Parameter | None

    @property
    def ratio(self) -> float | None:
        """Value of B over that of A; None unless both give it and A is not zero."""
        if self.a is None or self.b is None or self.a.value == 0:
            return None
        return self.b.value / self.a.value

    @property
    def only_in(self) -> Literal["a", "b"] | None:
        """The one file that gives the parameter; None when both do."""
        if self.a is None or self.b is None:
            return "a" if self.b is None else "b"
        return None

    @property
    def same(self) -> bool:
        """True when both give the same value and interval."""
        if self.a is None or self.b is None:
            return False
        return (self.a.value, self.a.low, self.a.high) == (self.b.value, self.b.low, self.b.high)

    def record(self) -> dict[str, Any]:
        """Return the row as a flat dictionary (values in the SI unit ``unit``)."""
        sides = {
            f"{column}_{side}": None if parameter is None else getattr(parameter, column)
            for side, parameter in (("a", self.a), ("b", self.b))
            for column in _COLUMNS
        }
        head = {"parameter": self.parameter, "unit": self.unit, "meaning": self.meaning}
        return head | sides | {"ratio": self.ratio, "only_in": self.only_in}


def load_pair(a: str | Path, b: str | Path) -> tuple[ComponentFile, ComponentFile]:
    """Return two files by name or path that ``diff`` can compare. Raises InputError."""
    first, second = _component(a), _component(b)
    _shared(first, second)
    return first, second


def diff(a: ComponentFile | str | Path, b: ComponentFile | str | Path) -> list[Row]:
    """Return every parameter that A or B gives, in the order of the vocabulary (A's, then what only B's has).

    Files are given loaded, by name or by path. Raises InputError for a design, and for two files whose
    families have no parameter in common.

    >>> [row.ratio for row in diff("stt_mram", "stt_mram_neurosim") if row.parameter == "on_off_ratio"]
    [1.15]
    """
    first, second = _component(a), _component(b)
    return [
        Row(name, unit, meaning, first.parameters.get(name), second.parameters.get(name))
        for name, (unit, meaning) in _shared(first, second).items()
        if name in first.parameters or name in second.parameters
    ]


def to_pandas(rows: Iterable[Row]) -> pandas.DataFrame:
    """Return one row a parameter; values in the SI unit of column ``unit``."""
    import pandas

    columns: Sequence[str] = [f"{column}_{side}" for side in "ab" for column in _COLUMNS]
    names = ["parameter", "unit", "meaning", *columns, "ratio", "only_in"]
    return pandas.DataFrame([row.record() for row in rows], columns=names)


def _component(file: ComponentFile | str | Path) -> ComponentFile:
    loaded = file if isinstance(file, ComponentFile) else load_file(file)
    if isinstance(loaded, Design):
        raise InputError(
            "a design is not compared parameter by parameter",
            value=loaded.name,
            allowed="a device, technology, converter or memory",
        )
    return loaded


def _shared(a: ComponentFile, b: ComponentFile) -> dict[str, tuple[str, str]]:
    """Name -> unit and meaning in the vocabularies of both files. Raises InputError when they share none."""
    first, second = VOCABULARY[a.kind, a.family], VOCABULARY[b.kind, b.family]
    if a.kind != b.kind or not set(first) & set(second):
        raise InputError(
            "nothing to compare: the families have no parameter in common",
            value=f"{a.name} ({a.kind}, {a.family}) and {b.name} ({b.kind}, {b.family})",
        )
    return {name: (entry.unit, entry.meaning) for name, entry in {**first, **second, **first}.items()}
