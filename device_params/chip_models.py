"""The shape of a case file, as pydantic checks it; what its words mean is checked in ``chip_format``."""

from __future__ import annotations

import unicodedata
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from device_params.chips import FigureType, Label
from device_params.file_format import Checked

Quantity = float | str


def _text(value: object) -> object:
    """Text on one line. YAML takes 0.9 for a number, and a terminal obeys control characters."""
    if isinstance(value, (bool, int, float)):
        raise PydanticCustomError("text", "a text is needed: put it in quotes")
    if not isinstance(value, str):
        return value
    flat = " ".join(value.split())
    if any(unicodedata.category(character) == "Cc" for character in flat):
        raise PydanticCustomError("text", "a text must not hold control characters")
    return flat


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[Text, Field(min_length=1, max_length=200)]


class SourceEntry(Checked):
    urls: list[Name]
    kind: Name = "paper"
    note: str = ""


def _source(value: object) -> object:
    """A source that is one line is its address."""
    return {"urls": [value]} if isinstance(value, str) else value


class TolerancesEntry(Checked):
    """What figures without a tolerance of their own take, by type and kind; usual values if not given."""

    measurement: Annotated[float, Field(ge=0, lt=1)] = 0.1
    energy: Quantity = 1.5
    time: Quantity = 1.3
    area: Quantity = 1.5
    share: Quantity = "10 points"
    closure: Quantity = 1.05


class CaseEntry(Checked):
    schema_version: Literal[1]
    id: Annotated[Text, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
    name: Name
    year: Annotated[int, Field(ge=1950, le=2100)] | None = None
    grade: Literal["A", "B", "C"]
    in_statistics: bool = True
    evidence: Literal["silicon", "post-layout", "design study", "measurement"] = "silicon"
    source: Annotated[SourceEntry, BeforeValidator(_source)]
    notes: str = ""
    tolerances: dict[str, Any] = Field(default_factory=dict)
    reference: str = ""
    configuration: dict[str, Any] = Field(default_factory=dict)
    activity: dict[str, Any] = Field(default_factory=dict)
    component_table: list[Any] = Field(default_factory=list)
    operating_points: Annotated[list[Any], Field(min_length=1)]


class PointEntry(Checked):
    name: Name
    boundary: Name
    configuration: dict[str, Any] = Field(default_factory=dict)
    activity: dict[str, Any] = Field(default_factory=dict)
    level: str = ""
    published: Annotated[list[Any], Field(min_length=1)]


class FigureEntry(Checked):
    metric: str
    value: Annotated[float, Field(gt=0)]
    unit: str
    components: list[str] = Field(default_factory=list)
    times: Annotated[int, Field(ge=1)] = 1
    measurement_tolerance: Annotated[float, Field(ge=0, lt=1)] | None = None
    model_tolerance: Quantity | None = None
    type: FigureType | None = None
    label: Label = "source"
    in_statistics: bool = True
    note: str = ""


class PartEntry(Checked):
    name: Name
    count: Annotated[float, Field(gt=0)] = 1
    power: Quantity = "0 W"
    area: Quantity = "0 m^2"
    note: str = ""


class LevelEntry(Checked):
    name: Name
    components: list[PartEntry] = Field(default_factory=list)
    holds: dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)
    operations: Annotated[float, Field(ge=0)] = 0
    period: Quantity = "0 s"
    note: str = ""
