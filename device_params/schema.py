"""Parameters: numbers that know their unit, interval, basis and source. Immutable, SI inside."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from device_params.errors import InputError, nearest_name
from device_params.units import scale, split_quantity, to_si

if TYPE_CHECKING:
    import pandas

Kind = Literal["device", "technology", "converter", "memory", "design", "macro"]
Distribution = Literal["lognormal", "normal", "fixed"]
Basis = Literal["measured", "simulated", "fitted", "derived", "assumed", "user"]

NORMAL_SCORE_95 = 1.6448536269514722
"""Standard normal score of the 95 % point (the 5 % point is its negative)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Parameter:
    """One number with everything needed to judge it.

    ``value``, ``low``, ``high``, ``allowed`` and ``sweep_bounds`` are in the SI unit ``unit``; ``low`` and
    ``high`` are the 5 % and 95 % points of ``distribution``, whose median is ``value``. Outside ``allowed`` a
    value is refused, unless the user allows extrapolation: then it is marked ``extrapolated``. ``source``
    holds the keys of ``references.bib``, separated by ", ". ``unit_written`` and ``factor`` (SI value of one
    written unit) tell how the file wrote it.
    """

    name: str
    value: float
    unit: str
    low: float
    high: float
    distribution: Distribution
    allowed: tuple[float, float]
    sweep_bounds: tuple[float, float] | None
    integer: bool
    basis: Basis
    conditions: str
    source: str
    where: str
    note: str
    unit_written: str = ""
    factor: float = 1.0
    extrapolated: bool = False

    @property
    def source_keys(self) -> tuple[str, ...]:
        """Keys of ``references.bib`` behind the value; empty for an assumption without a source."""
        return tuple(key.strip() for key in self.source.split(",") if key.strip())

    @property
    def weak(self) -> bool:
        """True when the note says that the reference behind the value is weak."""
        return "weak" in self.note.lower()

    def at_score(self, score: Any) -> Any:
        """Return the value at standard normal ``score``: a number, or an array of any namespace.

        Two half distributions joined at the median, so that the scores -1.645, 0 and 1.645 give ``low``,
        ``value`` and ``high``: ``value * exp(...)`` for lognormal, ``value + ...`` for normal, with one width
        a side. Tails are not cut at ``allowed``.
        """
        above = (score + abs(score)) / 2 / NORMAL_SCORE_95
        below = (score - abs(score)) / 2 / NORMAL_SCORE_95
        if self.distribution == "lognormal":
            return self.value * (self.high / self.value) ** above * (self.value / self.low) ** below
        return self.value + (self.high - self.value) * above + (self.value - self.low) * below

    def written(self, value: float | None = None) -> str:
        """Return ``value`` (SI; the nominal one by default) with the unit of the file, as in ``80 nA``."""
        number = scale(self.value if value is None else value, 1.0 / self.factor)
        unit = self.unit_written or self.unit
        return f"{number:.6g}" if unit == "1" else f"{number:.6g} {unit}"

    def replaced(self, value: float | str, *, allow_extrapolation: bool = False) -> Parameter:
        """Return this parameter with a user's value: text with or without unit, or a number in SI.

        Outside the range of its source a value is refused, or marked where extrapolation is allowed; a
        value of the other sign, or of a choice between 0 and 1, is refused all the same.
        """
        number = self._parse(value)
        low, high = self.allowed
        outside = not low <= number <= high
        choice = self.integer and self.allowed == (0.0, 1.0)
        bounded = choice or (low >= 0.0 and number <= 0.0)
        if outside and (bounded or not allow_extrapolation):
            raise InputError(
                "value outside its range",
                where=self.name,
                value=value,
                allowed=(
                    "above zero"
                    if bounded and allow_extrapolation and not choice
                    else f"{self.written(low)} to {self.written(high)}"
                ),
                remedy="" if bounded else "--allow-extrapolation takes it and marks the result",
            )
        if self.integer and number != round(number):
            raise InputError("must be a whole number", where=self.name, value=value)
        return dataclasses.replace(
            self,
            value=number,
            low=number,
            high=number,
            distribution="fixed",
            basis="user",
            conditions="",
            source="",
            where="",
            note=f"set by the user; the file says {self.written()}",
            allowed=(min(low, number), max(high, number)),
            extrapolated=outside,
        )

    def _parse(self, value: float | str) -> float:
        if isinstance(value, str):
            try:
                number, unit = split_quantity(value)
                return to_si(number, unit, self.unit) if unit else number
            except InputError as error:
                raise InputError(str(error), where=self.name) from error
        if isinstance(value, bool) or not math.isfinite(value):
            raise InputError("not a finite number", where=self.name, value=value)
        return float(value)


class ParameterSet(Mapping[str, Parameter]):
    """Immutable mapping from names to parameters, in the order of the files.

    Equal sets compare equal. ``replace`` returns a new set and leaves this one as it is.
    """

    __slots__ = ("_parameters",)
    _parameters: dict[str, Parameter]

    def __init__(self, parameters: Iterable[Parameter]) -> None:
        object.__setattr__(self, "_parameters", {parameter.name: parameter for parameter in parameters})

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("a ParameterSet cannot be changed; use replace")

    def __delattr__(self, name: str) -> None:
        raise AttributeError("a ParameterSet cannot be changed; use replace")

    def __getitem__(self, name: str) -> Parameter:
        try:
            return self._parameters[name]
        except KeyError:
            raise UnknownParameter(name, self._parameters) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __len__(self) -> int:
        return len(self._parameters)

    def __repr__(self) -> str:
        return f"ParameterSet({len(self)} parameters)"

    def __reduce__(self) -> tuple[type[ParameterSet], tuple[tuple[Parameter, ...]]]:
        return type(self), (tuple(self._parameters.values()),)

    def nominal(self) -> dict[str, float]:
        """Return name -> nominal value in SI."""
        return {name: parameter.value for name, parameter in self._parameters.items()}

    def replace(self, name: str, value: float | str, *, allow_extrapolation: bool = False) -> ParameterSet:
        """Return a set with one value changed by the user.

        ``value``: text such as ``"3.5 V"`` (converted) or a bare number (SI). The basis becomes ``user`` and
        the interval collapses to the value. Raises InputError: unknown name, wrong unit, value out of range.
        """
        changed = self[name].replaced(value, allow_extrapolation=allow_extrapolation)
        return ParameterSet(changed if parameter.name == name else parameter for parameter in self.values())

    def replace_all(self, assignments: Iterable[str], *, allow_extrapolation: bool = False) -> ParameterSet:
        """Return a set with every ``NAME=VALUE`` of ``assignments`` applied, in order."""
        result = self
        for assignment in assignments:
            name, equals, value = assignment.partition("=")
            if not equals or not name.strip() or not value.strip():
                raise InputError(
                    "expected NAME=VALUE", value=assignment, remedy="as in 'cell.write_voltage=3.5 V'"
                )
            result = result.replace(name.strip(), value.strip(), allow_extrapolation=allow_extrapolation)
        return result

    def sources(self) -> tuple[str, ...]:
        """Return the keys of ``references.bib`` behind the values, each once, in order of first use."""
        return tuple(dict.fromkeys(key for parameter in self.values() for key in parameter.source_keys))

    def to_pandas(self) -> pandas.DataFrame:
        """Return one row a parameter; ``value``, ``low``, ``high`` are in the SI unit of column ``unit``."""
        import pandas

        return pandas.DataFrame([record(parameter) for parameter in self.values()])


class UnknownParameter(InputError, KeyError):
    """No parameter has this name. A KeyError too, so that a set behaves as a mapping."""

    def __init__(self, name: object, known: Iterable[str]) -> None:
        names = list(known)
        super().__init__(
            "unknown parameter",
            value=name,
            nearest=nearest_name(str(name), names),
            remedy="" if names else "the set is empty",
        )

    def __str__(self) -> str:
        # KeyError would show the repr of the sentence
        return str(self.args[0])

    def __reduce__(self) -> tuple[type[InputError], tuple[str]]:
        return InputError, (str(self),)


def record(parameter: Parameter) -> dict[str, Any]:
    """Return a parameter as a flat dictionary that JSON and pandas take as it is (values in SI)."""
    return {
        "name": parameter.name,
        "value": parameter.value,
        "unit": parameter.unit,
        "low": parameter.low,
        "high": parameter.high,
        "distribution": parameter.distribution,
        "allowed_low": parameter.allowed[0],
        "allowed_high": parameter.allowed[1],
        "written": parameter.written(),
        "basis": parameter.basis,
        "weak": parameter.weak,
        "source": parameter.source,
        "where": parameter.where,
        "conditions": parameter.conditions,
        "note": parameter.note,
        "extrapolated": parameter.extrapolated,
    }


@dataclasses.dataclass(frozen=True)
class ComponentFile:
    """One file of a device, technology, converter, memory or macro; parameters have its names."""

    name: str
    kind: Kind
    family: str
    title: str
    description: str
    parameters: ParameterSet
    path: str


@dataclasses.dataclass(frozen=True)
class Design:
    """A whole accelerator: its components by slot, their families, and one set with every parameter.

    Names in ``parameters``: the slot and the name of the component's file (``cell.read_voltage``), and the
    design's own dotted names (``array.rows``). ``files``: every file read for it, its own first. ``own``:
    names of the parameters that its own file states.
    """

    name: str
    family: str
    title: str
    description: str
    components: Mapping[str, str]
    families: Mapping[str, str]
    parameters: ParameterSet
    path: str
    files: tuple[str, ...] = ()
    own: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "components", MappingProxyType(dict(self.components)))
        object.__setattr__(self, "families", MappingProxyType(dict(self.families)))

    def replace_all(self, assignments: Iterable[str], *, allow_extrapolation: bool = False) -> Design:
        """Return a design with every ``NAME=VALUE`` of ``assignments`` applied to its parameters."""
        changed = self.parameters.replace_all(assignments, allow_extrapolation=allow_extrapolation)
        return dataclasses.replace(self, parameters=changed)

    def __reduce__(self) -> tuple[type[Design], tuple[object, ...]]:
        # a mapping proxy cannot be pickled, and a sweep sends designs to its workers
        values = (getattr(self, field.name) for field in dataclasses.fields(self))
        return type(self), tuple(
            dict(value) if isinstance(value, MappingProxyType) else value for value in values
        )
