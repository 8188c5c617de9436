"""From the text of a case file to a checked case, with every mistake of the file told at once."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, TypeVar

from device_params.chip_checks import check_points
from device_params.chip_models import (
    CaseEntry,
    FigureEntry,
    LevelEntry,
    PointEntry,
    Quantity,
    TolerancesEntry,
)
from device_params.chip_vocabulary import (
    ACTIVITY,
    BOUNDARIES,
    COMPONENTS,
    CONFIGURATION,
    METRICS,
    Asked,
    SettingValue,
    figure_factor,
    quantity,
    setting_value,
)
from device_params.chips import (
    Case,
    ComponentTable,
    FigureType,
    Level,
    OperatingPoint,
    Part,
    Published,
    Source,
)
from device_params.errors import nearest_name
from device_params.file_format import Problems, check_model, parse_yaml
from device_params.load import list_names
from device_params.units import scale


def parse_case(content: bytes, path: str) -> Case:
    """Return the case that a file describes. Raises InputError; FileError with all mistakes of the format."""
    document = parse_yaml(content, path)
    problems = Problems(path)
    head = check_model(CaseEntry, document, "", problems)
    # the sections are read even beside a mistake in the head, so that their mistakes are told with it
    reference = str(document.get("reference", ""))
    configured, stated = _section(document, "configuration", {}), _section(document, "component_table", [])
    if reference and (configured or stated):
        problems.add(
            "a case that only records figures has none",
            "configuration" if configured else "component_table",
            remedy="leave out 'reference', or the configuration",
        )
    mistaken: set[str] = set()
    configuration = _configuration(configured, "configuration", mistaken, problems)
    activity = _activity(_section(document, "activity", {}), "activity", problems)
    table = _table(stated, problems)
    tolerances = check_model(TolerancesEntry, _section(document, "tolerances", {}), "tolerances", problems)
    points = []
    for index, entry in enumerate(_section(document, "operating_points", [])):
        where = f"operating_points[{index}]"
        if not isinstance(entry, dict):
            problems.add("expected a mapping with name, boundary, published", where, value=entry)
            continue
        point = check_model(PointEntry, entry, where, problems)
        if point is not None:
            read = _Reader(where, problems, tolerances, table, reference, mistaken)
            points.append(read.point(point, configuration, activity))
    check_points(points, reference, mistaken, problems)
    problems.stop()
    assert head is not None  # else a problem was told
    return Case(
        id=head.id,
        name=head.name,
        year=head.year,
        grade=head.grade,
        in_statistics=head.in_statistics,
        evidence=head.evidence,
        source=Source(tuple(head.source.urls), head.source.kind, _flat(head.source.note)),
        notes=_flat(head.notes),
        reference=_flat(head.reference),
        table=table,
        points=tuple(points),
        path=path,
    )


Section = TypeVar("Section", dict[str, Any], list[Any])


def _section(document: Mapping[str, Any], name: str, empty: Section) -> Section:
    """A section of the file, empty where it is missing or of another type, which the head then tells."""
    section = document.get(name, empty)
    return section if isinstance(section, type(empty)) else empty


def _flat(text: str) -> str:
    return " ".join(text.split())


@functools.cache
def _devices() -> tuple[str, ...]:
    return list_names("device")


def _configuration(
    content: Mapping[str, Any], where: str, mistaken: set[str], problems: Problems
) -> dict[str, SettingValue]:
    """Checked settings; names of those that are given with a mistake are added to ``mistaken``."""
    checked: dict[str, SettingValue] = {}
    for name, value in content.items():
        field = f"{where}.{name}"
        if name not in CONFIGURATION:
            nearest = nearest_name(str(name), CONFIGURATION)
            problems.add("unknown key", field, nearest=nearest, allowed=", ".join(CONFIGURATION))
            continue
        found = problems.guard(field, functools.partial(setting_value, name, value, _devices()))
        if found is None:
            mistaken.add(name)
        else:
            checked[name] = found
    return checked


def _activity(content: Mapping[str, Any], where: str, problems: Problems) -> dict[str, float]:
    checked: dict[str, float] = {}
    for name, value in content.items():
        field = f"{where}.{name}"
        if name not in ACTIVITY:
            nearest = nearest_name(str(name), ACTIVITY)
            problems.add("unknown key", field, nearest=nearest, allowed=", ".join(ACTIVITY))
            continue
        number = problems.guard(field, functools.partial(quantity, value, "1"))
        if number is None:
            continue
        if not 0.0 <= number <= 1.0:
            problems.add("outside its range", field, value=value, allowed="0 to 1")
        checked[name] = number
    return checked


def _table(content: Sequence[Any], problems: Problems) -> ComponentTable | None:
    levels: dict[str, Level] = {}
    for index, entry in enumerate(content):
        where = f"component_table[{index}]"
        if not isinstance(entry, dict):
            problems.add("expected a mapping with name, components, holds", where, value=entry)
            continue
        level = check_model(LevelEntry, entry, where, problems)
        if level is None:
            continue
        if level.name in levels:
            problems.add("a level of this name stands above", f"{where}.name", value=level.name)
            continue
        for held in level.holds:
            if held not in levels:
                problems.add(
                    "holds a level that does not stand above",
                    f"{where}.holds",
                    value=held,
                    allowed=", ".join(levels) or "nothing: it is the lowest",
                    nearest=nearest_name(held, levels),
                )
        levels[level.name] = _level(level, levels, where, problems)
    return ComponentTable(tuple(levels.values())) if content else None


def _level(level: LevelEntry, below: Collection[str], where: str, problems: Problems) -> Level:
    parts: list[Part] = []
    for index, part in enumerate(level.components):
        field = f"{where}.components[{index}]"
        power = _amount(part.power, "W", f"{field}.power", problems)
        area = _amount(part.area, "m^2", f"{field}.area", problems)
        if part.name in (other.name for other in parts):
            problems.add("a component of this name stands above", f"{field}.name", value=part.name)
        parts.append(Part(part.name, part.count, power, area))
    period = _amount(level.period, "s", f"{where}.period", problems)
    if (level.operations > 0) != (period > 0):
        problems.add("operations and period belong together", where)
    holds = tuple((held, count) for held, count in level.holds.items() if held in below)
    return Level(level.name, tuple(parts), holds, level.operations, period)


def _amount(value: Quantity, unit: str, where: str, problems: Problems) -> float:
    """Quantity of a component table in SI; 0 beside a mistake that was told."""
    number: float | None = problems.guard(where, functools.partial(quantity, value, unit))
    if number is not None and number < 0:
        problems.add("must not be negative", where, value=value)
    return number or 0.0


class _Reader:
    """Reads one operating point, telling mistakes under its place in the file."""

    def __init__(
        self,
        where: str,
        problems: Problems,
        tolerances: TolerancesEntry | None,
        table: ComponentTable | None,
        reference: str,
        mistaken: set[str],
    ) -> None:
        self.where = where
        self.problems = problems
        self.tolerances = tolerances
        self.table = table
        self.reference = reference
        self.mistaken = mistaken

    def point(
        self,
        point: PointEntry,
        configuration: Mapping[str, SettingValue],
        activity: Mapping[str, float],
    ) -> OperatingPoint:
        where = f"{self.where}.configuration"
        own = _configuration(point.configuration, where, self.mistaken, self.problems)
        if {"adc.columns", "adc.count"} & own.keys():  # one replaces the other
            configuration = {k: v for k, v in configuration.items() if k not in ("adc.columns", "adc.count")}
        own_activity = _activity(point.activity, f"{self.where}.activity", self.problems)
        if self.reference and own:
            self.problems.add("a case that only records figures has none", where)
        boundaries = (*BOUNDARIES, "board") if self.reference else BOUNDARIES
        if point.boundary not in boundaries:
            self.problems.add(
                "unknown boundary",
                f"{self.where}.boundary",
                value=point.boundary,
                allowed=", ".join(boundaries),
                nearest=nearest_name(point.boundary, boundaries),
            )
        level = self._level(point.level)
        figures = [
            self._figure(entry, f"{self.where}.published[{index}]", level)
            for index, entry in enumerate(point.published)
        ]
        return OperatingPoint(
            name=point.name,
            configuration=MappingProxyType({**configuration, **own}),
            activity=MappingProxyType({**activity, **own_activity}),
            boundary=point.boundary,
            level=point.level,
            published=tuple(figure for figure in figures if figure is not None),
        )

    def _level(self, name: str) -> Level | None:
        if not name:
            return None
        known = {level.name: level for level in self.table.levels} if self.table else {}
        if name not in known:
            self.problems.add(
                "no such level in component_table",
                f"{self.where}.level",
                value=name,
                allowed=", ".join(known) or "none: the case has no component_table",
                nearest=nearest_name(name, known),
            )
        return known.get(name)

    def _figure(self, content: Any, where: str, level: Level | None) -> Published | None:
        if not isinstance(content, dict):
            self.problems.add("expected a mapping with metric, value, unit", where, value=content)
            return None
        figure = check_model(FigureEntry, content, where, self.problems)
        if figure is None:
            return None
        asked: Asked = "reference" if self.reference else "table" if level else "predictor"
        allowed = [name for name, metric in METRICS.items() if asked in metric.asked]
        if figure.metric not in allowed:
            self.problems.add(
                "unknown metric" if figure.metric not in METRICS else "a metric that cannot be asked here",
                f"{where}.metric",
                value=figure.metric,
                allowed=", ".join(allowed),
                nearest=nearest_name(figure.metric, allowed),
            )
            return None
        self._components(figure, where, level)
        usual: FigureType = "prediction" if asked == "predictor" else "closure"
        figure_type = figure.type or usual
        if asked != "predictor" and figure_type != "closure":
            self.problems.add(
                "nothing is predicted here", f"{where}.type", value=figure_type, allowed="closure"
            )
        metric = METRICS[figure.metric]
        factor = self.problems.guard(f"{where}.unit", lambda: figure_factor(figure.metric, figure.unit))
        if metric.share and factor is not None and figure.value * factor > 1.0:
            self.problems.add(
                "a share of more than the whole",
                f"{where}.value",
                value=figure.value,
                allowed="at most 100 %",
            )
        if figure.times > 1 and not metric.additive:
            self.problems.add(
                "figures of this metric do not add up",
                f"{where}.times",
                value=figure.times,
                allowed=f"1; more of {', '.join(name for name in METRICS if METRICS[name].additive)}",
            )
        measured = figure.measurement_tolerance
        if measured is None and self.tolerances:  # else their mistake was told
            measured = self.tolerances.measurement
        tolerance = self._tolerance(figure, figure_type, where)
        if factor is None or measured is None or tolerance is None:
            return None
        return Published(
            metric=figure.metric,
            components=tuple(figure.components),
            value=scale(figure.value, factor) * figure.times,
            written=figure.value,
            unit=figure.unit,
            factor=factor * figure.times,
            measurement_tolerance=measured,
            model_tolerance=tolerance[0],
            tolerance_kind=tolerance[1],
            type=figure_type,
            label=figure.label,
            in_statistics=figure.in_statistics,
            note=_flat(figure.note),
        )

    def _components(self, figure: FigureEntry, where: str, level: Level | None) -> None:
        """Only known parts, each once, and only where the metric has parts."""
        where = f"{where}.components"
        metric = METRICS[figure.metric]
        known = _part_names(self.table, level) if level else COMPONENTS
        if figure.components and (
            metric.parts == "none" or (level and figure.metric not in ("power", "area"))
        ):
            self.problems.add("this metric has no parts", where, value=figure.metric)
            return
        if not figure.components and metric.parts == "must":
            self.problems.add("missing key", where, remedy="a share names its parts")
        for name in figure.components:
            if name not in known:
                self.problems.add(
                    "unknown component",
                    where,
                    value=name,
                    allowed=", ".join(known),
                    nearest=nearest_name(name, known),
                )
        if len(set(figure.components)) < len(figure.components):
            self.problems.add("a component is named twice", where, value=figure.components)

    def _tolerance(
        self, figure: FigureEntry, figure_type: FigureType, where: str
    ) -> tuple[float, Literal["factor", "points"]] | None:
        """Tolerance of the model: a factor of at least 1, or percentage points of a share."""
        metric = METRICS[figure.metric]
        kind = "closure" if figure_type == "closure" else "share" if metric.share else metric.kind
        value = figure.model_tolerance
        if value is None and self.tolerances:
            value = getattr(self.tolerances, kind)
        if value is None:  # the mistake was told
            return None
        where = f"{where}.model_tolerance"
        text = str(value).strip()
        points = text.endswith("points")
        number: float | None = self.problems.guard(
            where, lambda: quantity(text.removesuffix("points").strip(), "1")
        )
        if number is None:
            return None
        if points != metric.share or not (0 < number <= 100 if points else 1 <= number <= 100):
            self.problems.add(
                "not a tolerance of this metric",
                where,
                value=value,
                allowed="0 to 100 percentage points, as in '10 points'"
                if metric.share
                else "a factor, 1 to 100",
            )
            return None
        return number, "points" if points else "factor"


def _part_names(table: ComponentTable | None, level: Level) -> tuple[str, ...]:
    """Names of the parts of a level and of all that it holds."""
    names = [part.name for part in level.parts]
    for held, _ in level.holds:
        if table is not None:
            names += _part_names(table, table.level(held))
    return tuple(dict.fromkeys(names))
