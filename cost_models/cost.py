"""The language of cost: what one action costs, and the additive breakdown of a whole estimate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.namespace import Array

if TYPE_CHECKING:
    import pandas as pd

#: Leaves of the component axis, in the order in which tables and figures show them.
COMPONENTS: tuple[str, ...] = (
    "cell",
    "word_line_driver",
    "bit_line_driver",
    "dac",
    "adc",
    "multiplexer",
    "accumulation",
    "digital_mac",
    "special_function",
    "buffer",
    "wire",
    "write_path",
    "control",
    "leakage",
    "dram",
)

#: The operator under which blocks stand that serve every operator (buffer, digital unit, interconnect).
SHARED = "shared"


@dataclass(frozen=True)
class Cost:
    """What one action costs: ``energy`` [J] and ``latency`` [s]; floats or arrays that broadcast."""

    energy: Array = 0.0
    latency: Array = 0.0

    def __add__(self, other: Cost) -> Cost:
        """Both actions one after the other."""
        return Cost(self.energy + other.energy, self.latency + other.latency)


@dataclass(frozen=True)
class Leaf:
    """Figures of one component: ``values`` [rows, points] for the operators numbered ``rows``."""

    rows: np.ndarray[Any, np.dtype[np.int64]]
    values: Array


class Leaves:
    """A growing table component → leaves; only the rows that a component touches are stored."""

    def __init__(self) -> None:
        self.by_component: dict[str, list[Leaf]] = {}

    def add(self, component: str, rows: np.ndarray[Any, np.dtype[np.int64]], values: Array) -> None:
        """Add ``values`` [rows, points] (or [rows, 1]) to a component."""
        self.by_component.setdefault(component, []).append(Leaf(rows, values))

    def scale(self, factor: Array) -> None:
        """Multiply every leaf by ``factor`` [points]."""
        for name, leaves in self.by_component.items():
            self.by_component[name] = [Leaf(leaf.rows, leaf.values * factor) for leaf in leaves]

    def total(self) -> Array:
        """Sum of all leaves [points]."""
        return sum(leaf.values.sum(axis=0) for leaves in self.by_component.values() for leaf in leaves)

    def component_totals(self) -> dict[str, Array]:
        """Sum over operators, by component [points]."""
        return {
            name: sum(leaf.values.sum(axis=0) for leaf in leaves)
            for name, leaves in self.by_component.items()
        }

    def table(self, component: str, operators: int, point: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        """One point of one component as a column over all operators."""
        column = np.zeros(operators)
        for leaf in self.by_component.get(component, ()):
            values = np.asarray(leaf.values, dtype=float)
            np.add.at(column, leaf.rows, values[:, point if values.shape[1] > 1 else 0])
        return column


@dataclass(frozen=True)
class Priced:
    """A priced block of designs: leaves component × operator × point.

    ``energy`` [J], ``exposed`` [s] (time on the critical path) and ``busy`` [s] are of one pass of the
    program; ``area`` [m²] is of the chip. The last operator is ``shared``. ``beside`` gives the
    facts that stand beside the bill (arrays, ADC bits, programming) and the parameters that were read: a
    sweep, which asks for totals alone, never computes them.
    """

    operators: tuple[str, ...]
    energy: Leaves
    exposed: Leaves
    busy: Leaves
    area: Leaves
    macs: float
    beside: Callable[[], tuple[Mapping[str, Array], frozenset[str]]]

    @cached_property
    def _beside(self) -> tuple[Mapping[str, Array], frozenset[str]]:
        return self.beside()

    @property
    def facts(self) -> Mapping[str, Array]:
        """Numbers beside the bill by name, each [points]; computed when first asked for."""
        return self._beside[0]

    @property
    def parameters_used(self) -> frozenset[str]:
        """Names of the parameters that bill and facts have read."""
        return self._beside[1]

    def totals(self) -> dict[str, Array]:
        """Totals of every point [points]; a multiply-accumulate counts as two operations."""
        energy, latency = self.energy.total(), self.exposed.total()
        return {
            "energy_J": energy,
            "latency_s": latency,
            "area_m2": self.area.total(),
            "average_power_W": energy / latency,
            "tops_per_watt": 2.0 * self.macs / energy * 1e-12,
        }


@dataclass(frozen=True)
class Breakdown:
    """The bill of one design: a tree component × operator whose leaves add up to the totals exactly.

    Arrays have shape [components, operators]. ``latency`` is exposed time on the critical path,
    ``busy`` the time a resource works; areas of blocks that serve all stand under ``shared``.
    The labels say what the numbers include and assume.
    """

    components: tuple[str, ...]
    operators: tuple[str, ...]
    energy: np.ndarray[Any, np.dtype[np.float64]]
    latency: np.ndarray[Any, np.dtype[np.float64]]
    busy: np.ndarray[Any, np.dtype[np.float64]]
    area: np.ndarray[Any, np.dtype[np.float64]]
    boundary: str
    activity: str
    technology: str

    @classmethod
    def of(cls, priced: Priced, *, point: int, boundary: str, activity: str, technology: str) -> Breakdown:
        """Take one point out of a priced block."""
        parts = (priced.energy, priced.exposed, priced.busy, priced.area)
        components = tuple(name for name in COMPONENTS if any(name in part.by_component for part in parts))
        count = len(priced.operators)
        energy, latency, busy, area = (
            np.stack([part.table(name, count, point) for name in components]) for part in parts
        )
        return cls(components, priced.operators, energy, latency, busy, area, boundary, activity, technology)

    def records(self) -> list[dict[str, Any]]:
        """One dictionary a leaf that is not zero everywhere, with units in the keys."""
        rows = []
        for c, component in enumerate(self.components):
            for o, operator in enumerate(self.operators):
                values = (self.energy[c, o], self.latency[c, o], self.busy[c, o], self.area[c, o])
                if any(values):
                    names = ("energy_J", "latency_s", "busy_s", "area_m2")
                    row = {"component": component, "operator": operator}
                    rows.append(row | {n: float(v) for n, v in zip(names, values, strict=True)})
        return rows

    def to_pandas(self) -> pd.DataFrame:
        """The leaves as a table: component, operator, energy_J, latency_s, busy_s, area_m2."""
        import pandas as pd

        columns = ["component", "operator", "energy_J", "latency_s", "busy_s", "area_m2"]
        return pd.DataFrame(self.records(), columns=columns)
