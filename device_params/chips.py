"""Published chips as cases: what a chip is, and apart from it what was measured on it.

Whoever predicts gets :func:`questions`, never a :class:`Case`: a question holds configuration, activity,
boundary and the names of what is asked, and nothing from which a published figure could be reached.
``docs/cases.md`` describes the files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from device_params.chip_vocabulary import METRICS, Kind, SettingValue
from device_params.errors import FileError, InputError

LARGEST_FILE = 1_000_000
"""Bytes of a case file above which it is refused: sixty times the longest one here."""

FigureType = Literal["prediction", "closure"]
Label = Literal["source", "derived", "weak"]


@dataclass(frozen=True, slots=True)
class MetricRequest:
    """A metric by name, restricted to ``components`` where there are any."""

    metric: str
    components: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Published:
    """One published figure.

    ``value`` is in SI (OP/J, J, s, m², OP/s, W, 1), ``written`` is what the source says in ``unit``; their
    ratio is ``factor``, which also counts how many equal things the figure is one of. A prediction is within
    ``model_tolerance`` when predicted over published lies between its inverse and it ("factor"), or when they
    differ by no more percentage points ("points"). ``measurement_tolerance`` is relative.
    """

    metric: str
    components: tuple[str, ...]
    value: float
    written: float
    unit: str
    factor: float
    measurement_tolerance: float
    model_tolerance: float
    tolerance_kind: Literal["factor", "points"]
    type: FigureType
    label: Label
    in_statistics: bool
    note: str

    @property
    def kind(self) -> Kind:
        """Whether it is a figure of energy, time or area."""
        return METRICS[self.metric].kind

    @property
    def request(self) -> MetricRequest:
        """What is asked, without the answer."""
        return MetricRequest(self.metric, self.components)


@dataclass(frozen=True, slots=True)
class Part:
    """``count`` equal parts of a level, each of ``power`` [W] and ``area`` [m²]."""

    name: str
    count: float
    power: float
    area: float


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a component table: its own parts and how many of lower levels it holds.

    It does ``operations`` of its own (2 a multiply-accumulate) every ``period`` [s]; both 0 where only what
    it holds computes.
    """

    name: str
    parts: tuple[Part, ...]
    holds: tuple[tuple[str, int], ...]
    operations: float
    period: float


@dataclass(frozen=True, slots=True)
class ComponentTable:
    """Published components of a design study; ``levels`` from the lowest to the highest."""

    levels: tuple[Level, ...]

    def level(self, name: str) -> Level:
        """Return a level by its name."""
        return next(level for level in self.levels if level.name == name)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One condition under which figures were published.

    ``configuration`` is that of the case with what the point changes, numbers in SI; ``level`` names the
    level of the component table that answers here, and is empty where the predictor does.
    """

    name: str
    configuration: Mapping[str, SettingValue]
    activity: Mapping[str, float]
    boundary: str
    level: str
    published: tuple[Published, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where the figures of a case were read."""

    urls: tuple[str, ...]
    kind: str
    note: str


@dataclass(frozen=True, slots=True)
class Case:
    """One published chip. ``reference`` tells why nothing of it is to be predicted; empty otherwise."""

    id: str
    name: str
    year: int | None
    grade: Literal["A", "B", "C"]
    in_statistics: bool
    evidence: Literal["silicon", "post-layout", "design study", "measurement"]
    source: Source
    notes: str
    reference: str
    table: ComponentTable | None
    points: tuple[OperatingPoint, ...]
    path: str


@dataclass(frozen=True, slots=True)
class Question:
    """All that a predictor may see of one operating point."""

    configuration: Mapping[str, SettingValue]
    activity: Mapping[str, float]
    boundary: str
    requests: tuple[MetricRequest, ...]


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """Sums that are asked of one ``level`` of a published component table."""

    table: ComponentTable = field(repr=False)
    level: str
    requests: tuple[MetricRequest, ...]


AnyQuestion: TypeAlias = Question | TableQuestion


def questions(case: Case) -> tuple[AnyQuestion, ...]:
    """What is asked of a case: one question a point, in the order of its points and of their figures.

    Raises InputError for a case that only records figures.
    """
    return tuple(question(case, point) for point in case.points)


def question(case: Case, point: OperatingPoint) -> AnyQuestion:
    """What is asked at one point of a case. Raises InputError for a case that only records figures."""
    if case.reference:
        raise InputError(case.reference, where=case.id)
    requests = tuple(figure.request for figure in point.published)
    if case.table is not None and point.level:
        return TableQuestion(case.table, point.level, requests)
    return Question(
        MappingProxyType(dict(point.configuration)),
        MappingProxyType(dict(point.activity)),
        point.boundary,
        requests,
    )


def load_cases(path: str | Path | None = None) -> tuple[Case, ...]:
    """Return the cases in a file or in all ``*.yaml`` of a folder, by file name; built-in without ``path``.

    Raises InputError with all mistakes of all files.
    """
    root: Traversable = (
        resources.files("device_params").joinpath("chips") if path is None else Path(path).expanduser()
    )
    if not root.is_dir():
        return (load_case(root),)
    files = sorted(
        (f for f in root.iterdir() if f.name.endswith((".yaml", ".yml"))), key=lambda file: file.name
    )
    if not files:
        raise InputError("no case files in this folder", where=str(root), remedy="a case is a file *.yaml")
    cases: list[Case] = []
    mistakes: list[str] = []
    for file in files:
        try:
            cases.append(load_case(file))
        except FileError as error:
            mistakes += [f"{file.name}: {text}" for text in error.problems]
        except InputError as error:
            mistakes.append(str(error))
    seen: dict[str, Case] = {}
    for case in cases:
        if case.id in seen:
            first = Path(seen[case.id].path).name
            mistakes.append(str(InputError(f"the id of {first} again", where=case.path, value=case.id)))
        seen.setdefault(case.id, case)
    if mistakes:
        raise FileError(str(root), mistakes)
    return tuple(cases)


def load_case(file: str | Traversable) -> Case:
    """Return the case in one file. Raises InputError with all its mistakes."""
    from device_params.chip_format import parse_case

    where = Path(file).expanduser() if isinstance(file, str) else file
    if isinstance(where, Path) and where.exists() and not where.is_file():
        # a run keeps a copy of what it read, and a pipe can be read only once
        raise InputError("not a regular file", where=str(where), remedy="write the case to a file *.yaml")
    try:
        with where.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot read the case file: {reason}", where=str(where)) from error
    if len(content) > LARGEST_FILE:
        raise InputError(
            "too large for a case file", where=str(where), allowed=f"at most {LARGEST_FILE} bytes"
        )
    return parse_case(content, str(where))
