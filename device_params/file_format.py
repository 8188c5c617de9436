"""From the text of a YAML file to checked parameters, with every mistake of the file told at once."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from device_params.device_vocabulary import POSITIVE, Entry
from device_params.errors import FileError, InputError, nearest_name
from device_params.schema import Distribution, Parameter
from device_params.units import scale, si_factor
from device_params.vocabulary import VOCABULARY, families

Pair = Annotated[list[float], Field(min_length=2, max_length=2)]


class Checked(BaseModel):
    """A mapping of a file: no key but the known ones, no number for a text, nothing infinite."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


Model = TypeVar("Model", bound=Checked)


class ParameterEntry(Checked):
    """One entry under ``parameters``, in the units of the file."""

    value: float
    unit: str
    range: Pair
    basis: Literal["measured", "simulated", "fitted", "derived", "assumed"]
    interval: Pair | None = None
    distribution: Distribution | None = None
    sweep_bounds: Pair | None = None
    integer: bool = False
    conditions: str = ""
    source: str = ""
    where: str = ""
    note: str = ""


class Header(Checked):
    """Everything of a file but the contents of its parameters."""

    schema_version: Literal[1]
    name: str
    kind: Literal["device", "technology", "converter", "memory", "design", "macro"]
    family: str
    title: str
    description: str
    parameters: dict[str, Any]


class DesignHeader(Header):
    """A design names its components, and may start from another design and change parts of it."""

    family: str = "crossbar_chip"
    based_on: str = ""
    components: dict[str, str] = {}
    parameters: dict[str, Any] = {}


class Problems:
    """Collects the mistakes of one file; ``stop`` raises them as one FileError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.found: list[str] = []

    def add(self, what: str, field: str, **details: Any) -> None:
        """Add one mistake; ``details`` are those of InputError (value, allowed, nearest, remedy)."""
        self.found.append(str(InputError(what, where=field, **details)))

    def guard(self, field: str, action: Callable[[], Any]) -> Any:
        """Return what ``action`` returns; collect its InputError under ``field`` and return None instead."""
        try:
            return action()
        except InputError as error:
            self.found.append(f"{field}: {error}")
            return None

    def stop(self) -> None:
        """Raise when anything was found."""
        if self.found:
            raise FileError(self.path, self.found)


def parse_yaml(content: bytes, path: str) -> Mapping[str, Any]:
    """Return the mapping in a YAML 1.2 text. Raises InputError: not UTF-8, not YAML, a key twice."""
    try:
        document = YAML(typ="safe", pure=True).load(io.StringIO(content.decode("utf-8")))
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", where=path) from error
    except RecursionError as error:
        raise InputError("nested too deeply", where=path) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).splitlines()[0]
        raise InputError(f"not valid YAML: {problem}", where=f"{path}{line}") from error
    if not isinstance(document, dict):
        raise InputError(
            "expected a mapping of keys to values", where=path, remedy="begin with 'schema_version: 1'"
        )
    return document


def check_model(
    model: type[Model], content: Mapping[str, Any], field: str, problems: Problems
) -> Model | None:
    """Return ``content`` as ``model``, or None after adding every mistake that pydantic reports."""
    try:
        return model.model_validate(content)
    except ValidationError as error:
        for found in error.errors(include_url=False):
            where = ".".join([field, *map(str, found["loc"])] if field else map(str, found["loc"]))
            if found["type"] == "extra_forbidden":
                nearest = nearest_name(str(found["loc"][-1]), model.model_fields)
                problems.add("unknown key", where, nearest=nearest, allowed=", ".join(model.model_fields))
            elif found["type"] == "missing":
                problems.add("missing key", where)
            else:
                message = found["msg"]
                problems.add(message[0].lower() + message[1:], where, value=found["input"])
        return None


def check_header(
    model: type[Header], content: Mapping[str, Any], kind: str, problems: Problems
) -> Mapping[str, Entry]:
    """Check kind and family; return the vocabulary of the file (empty when the family is unknown)."""
    before = len(problems.found)
    check_model(model, content, "", problems)
    known = families(kind)
    family = content.get("family", model.model_fields["family"].default)
    if content.get("kind") == kind and family in known:
        # a mistake elsewhere in the header does not keep the parameters from being checked
        return VOCABULARY[kind, family]
    if len(problems.found) == before and content["kind"] != kind:
        problems.add("a file of another kind", "kind", value=content["kind"], allowed=kind)
    elif len(problems.found) == before:
        problems.add(
            f"unknown family of {kind}",
            "family",
            value=family,
            allowed=", ".join(known),
            nearest=nearest_name(family, known),
        )
    return {}


def check_parameters(
    entries: Mapping[str, Any],
    vocabulary: Mapping[str, Entry],
    keys: Collection[str],
    problems: Problems,
    *,
    complete: bool = True,
) -> list[Parameter]:
    """Return the parameters of a file in SI; add every mistake to ``problems``.

    ``keys``: the known bibliography keys. ``complete``: whether required names may not be missing.
    """
    parameters = []
    for name, content in entries.items():
        field = f"parameters.{name}"
        if name not in vocabulary:
            problems.add("unknown parameter", field, nearest=nearest_name(str(name), vocabulary))
            continue
        if not isinstance(content, dict):
            problems.add("expected a mapping with value, unit, range, basis", field, value=content)
            continue
        entry = check_model(ParameterEntry, content, field, problems)
        if entry is not None:
            parameter = _parameter(name, entry, vocabulary[name].unit, field, keys, problems)
            if parameter is not None:
                parameters.append(parameter)
    if complete:
        for name, expected in vocabulary.items():
            if expected.required and name not in entries:
                problems.add(
                    "missing parameter", f"parameters.{name}", remedy=f"{expected.meaning} [{expected.unit}]"
                )
    _check_sets(parameters, vocabulary, problems)
    return parameters


def _check_sets(
    parameters: Collection[Parameter], vocabulary: Mapping[str, Entry], problems: Problems
) -> None:
    """Parameters that describe one thing together come from one source; an assumed one may join from another.

    Kinetics fitted with one polarisation and one capacitor mean nothing beside those of another film.
    """
    for group in dict.fromkeys(entry.group for entry in vocabulary.values() if entry.group):
        members = [p for p in parameters if vocabulary[p.name].group == group]
        own = [p for p in members if p.basis != "assumed"]
        if own and not set.intersection(*(set(p.source_keys) for p in own)):
            told = ", ".join(f"{p.name} ({p.source})" for p in own)
            problems.add(
                f"the {group} set mixes sources",
                "parameters",
                value=told,
                remedy="take the set from one source; a value from elsewhere is 'assumed', with an interval",
            )
        for p in members:
            if p.basis == "assumed" and not (p.source and p.low < p.high):
                problems.add(
                    f"an assumed value of the {group} set needs a source and an interval",
                    f"parameters.{p.name}",
                )


def _parameter(
    name: str,
    entry: ParameterEntry,
    expected_unit: str,
    field: str,
    keys: Collection[str],
    problems: Problems,
) -> Parameter | None:
    """Return one entry in SI, or None when its unit does not fit."""
    before = len(problems.found)
    converted = problems.guard(f"{field}.unit", lambda: si_factor(entry.unit))
    if converted is None:
        return None
    factor, si_unit = converted
    if si_unit != expected_unit:
        allowed = f"units convertible to {expected_unit}"
        problems.add(
            f"wrong unit, expected {expected_unit}", f"{field}.unit", value=entry.unit, allowed=allowed
        )
        return None
    _check_numbers(entry, field, problems)
    if name in POSITIVE and min([entry.value, *(entry.interval or [])]) <= 0:
        key = "value" if entry.value <= 0 else "interval"
        problems.add(
            "must lie above zero",
            f"{field}.{key}",
            value=getattr(entry, key),
            allowed=f"more than 0 {entry.unit}",
        )
    _check_evidence(entry, field, keys, problems)
    if len(problems.found) > before:
        return None
    low, high = entry.interval or (entry.value, entry.value)
    return Parameter(
        name=name,
        value=scale(entry.value, factor),
        unit=si_unit,
        low=scale(low, factor),
        high=scale(high, factor),
        distribution=_distribution(entry),
        allowed=(scale(entry.range[0], factor), scale(entry.range[1], factor)),
        sweep_bounds=(
            (scale(entry.sweep_bounds[0], factor), scale(entry.sweep_bounds[1], factor))
            if entry.sweep_bounds
            else None
        ),
        integer=entry.integer,
        basis=entry.basis,
        conditions=entry.conditions,
        source=", ".join(_keys(entry)),
        where=entry.where,
        note=" ".join(entry.note.split()),
        unit_written=entry.unit,
        factor=factor,
    )


def _distribution(entry: ParameterEntry) -> Distribution:
    if entry.interval is None:
        return "fixed"
    return entry.distribution or "lognormal"


def _keys(entry: ParameterEntry) -> list[str]:
    return [key.strip() for key in entry.source.split(",") if key.strip()]


def _check_numbers(entry: ParameterEntry, field: str, problems: Problems) -> None:
    """Order and limits of value, interval, range and sweep_bounds, in the unit of the file."""
    low, high = entry.range
    span = f"{low:g} to {high:g}" + ("" if entry.unit == "1" else f" {entry.unit}")
    if low > high:
        problems.add("lower limit above the upper one", f"{field}.range", value=entry.range)
        return
    if not low <= entry.value <= high:
        problems.add("value outside its range", f"{field}.value", value=entry.value, allowed=span)
    for key, pair in (("interval", entry.interval), ("sweep_bounds", entry.sweep_bounds)):
        if pair and not low <= pair[0] <= pair[1] <= high:
            problems.add("not in order or outside the range", f"{field}.{key}", value=pair, allowed=span)
    if entry.interval and not entry.interval[0] <= entry.value <= entry.interval[1]:
        problems.add(
            "does not contain the value",
            f"{field}.interval",
            value=entry.interval,
            allowed=f"low <= {entry.value:g} <= high",
        )
    if entry.integer and (entry.interval or entry.value != round(entry.value)):
        problems.add("must be a whole number without interval", f"{field}.value", value=entry.value)
    if entry.distribution == "fixed" and entry.interval:
        problems.add("a fixed value has no interval", f"{field}.interval", value=entry.interval)
    if entry.distribution not in (None, "fixed") and not entry.interval:
        problems.add(
            "missing key", f"{field}.interval", remedy=f"give 5 % and 95 % of the {entry.distribution}"
        )
    if _distribution(entry) == "lognormal" and entry.interval and entry.interval[0] <= 0:
        problems.add("a lognormal interval must be positive", f"{field}.interval", value=entry.interval)


def _check_evidence(entry: ParameterEntry, field: str, keys: Collection[str], problems: Problems) -> None:
    """Every number has a known source; a derived or assumed one also tells how."""
    for key in _keys(entry):
        if key not in keys:
            problems.add(
                "no such key in references.bib", f"{field}.source", value=key, nearest=nearest_name(key, keys)
            )
    if entry.basis != "assumed" and not _keys(entry):
        problems.add("missing key", f"{field}.source", remedy=f"a {entry.basis} value needs its source")
    if entry.basis in ("derived", "assumed") and not entry.note.strip():
        problems.add("missing key", f"{field}.note", remedy=f"tell how the value was {entry.basis}")
