"""One quantity that follows from the parameters of a device, and the parameters drawn for its interval."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from cost_models.uncertainty import interval
from device_params import ComponentFile
from device_params.errors import InputError
from rmaat_hw.devices.subject import ROOM_TEMPERATURE, SAMPLES, Subject, normal_scores

Values: TypeAlias = Mapping[str, Any]
Formula: TypeAlias = Callable[[Values], Any]
Quantity: TypeAlias = dict[str, float]

SEED = 0
FEW = 256  # samples of a formula that searches for its answer

#: Name under which a formula finds the standard normal score of one cell among its like: 0 for the nominal
#: device, drawn for the interval.
CELL_SCORE = "cell score"

#: Counts are followed up to here; a count of this size means that or more.
MOST = 1e15

#: What no file states and every row that uses it names.
ROWS = COLS = 128
STATED_AREA = 1e-14  # m²
DAY = 86400.0  # s
TEN_YEARS = 10 * 365.25 * DAY


@dataclass(frozen=True)
class Derived:
    """A derived quantity of one device.

    ``quantity`` is ``{"value", "low", "high"}`` (90 % interval) in ``unit`` (SI), or None with the
    ``reason``; ``how`` names the formula and every condition that the file does not state; ``remark`` warns
    of a value that decides something. ``detail`` marks rows that a short table leaves out.
    """

    name: str
    quantity: Quantity | None
    unit: str
    how: str
    reason: str = ""
    remark: str = ""
    detail: bool = False

    def document(self) -> dict[str, Any]:
        """The row as plain JSON types."""
        return dataclasses.asdict(self)


@dataclass
class Derivation:
    """The rows of one device, added one by one: a formula is asked for nominal and for drawn parameters."""

    device: ComponentFile
    rows: list[Derived] = field(default_factory=list)

    def __post_init__(self) -> None:
        subject = Subject(self.device)
        self.law = subject.law
        self.temperature = subject.nominal.get("temperature", ROOM_TEMPERATURE)
        self.nominal: Values = {**subject.nominal, CELL_SCORE: 0.0}
        self.drawn: Values = {
            **subject.drawn(SEED, temperature=self.temperature),
            CELL_SCORE: normal_scores(SEED),
        }

    def has(self, *names: str) -> bool:
        """Whether the file states all of ``names``."""
        return all(name in self.device.parameters for name in names)

    def is_set(self, name: str) -> bool:
        """Whether the file states the choice ``name`` as 1."""
        return bool(self.nominal.get(name, 0.0) == 1.0)

    def told(self, name: str) -> str:
        """The nominal value of a parameter as its file writes it, as in ``4 V``."""
        return self.device.parameters[name].written()

    @property
    def area(self) -> tuple[Formula, str]:
        """Area of one device [m²] and its words: the file's, else 100 × 100 nm."""
        if self.has("device_area"):
            return lambda p: p["device_area"], "device_area"
        return lambda p: STATED_AREA, "100 × 100 nm"

    def draws(self, count: int) -> Values:
        """The first ``count`` of the drawn parameters."""
        return {name: v[:count] if isinstance(v, np.ndarray) else v for name, v in self.drawn.items()}

    def add(
        self,
        name: str,
        unit: str,
        formula: Formula,
        how: str,
        *,
        remark: Callable[[Quantity], str] | None = None,
        detail: bool = False,
        samples: int = SAMPLES,
    ) -> None:
        """Add a row; ``formula`` refuses (InputError) or gives no finite number where there is no quantity.

        ``remark`` is asked what to say of the quantity found.
        """
        try:
            value = float(np.asarray(formula(self.nominal)))
            spread = np.asarray(formula(self.draws(samples)), dtype=float).reshape(-1)
        except InputError as error:
            self.lack(name, unit, how, str(error), detail=detail)
            return
        if not (math.isfinite(value) and np.isfinite(spread).all()):
            self.lack(name, unit, how, "it is not finite at these parameters", detail=detail)
            return
        quantity = interval(value, spread)
        warning = remark(quantity) if remark else ""
        self.rows.append(Derived(name, quantity, unit, how, remark=warning, detail=detail))

    def lack(self, name: str, unit: str, how: str, reason: str, *, detail: bool = False) -> None:
        """Add a row without a quantity and say why."""
        self.rows.append(Derived(name, None, unit, how, reason=reason, detail=detail))
