"""Figures of a priced macro, as papers state them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cost_models.macros.configuration import Macro
from cost_models.namespace import Array
from device_params.chip_vocabulary import COMPONENTS, METRICS
from device_params.chips import MetricRequest
from device_params.errors import InputError, nearest_name


@dataclass(frozen=True)
class MacroCost:
    """What one matrix-vector product of a macro costs.

    ``energy`` [J] and ``area`` [m²] by component, all arrays together; ``cycle_time`` [s] of one step,
    ``mvm_time`` [s] of the whole product. Values are numbers or arrays [points].
    """

    macro: Macro
    energy: Mapping[str, Array]
    area: Mapping[str, Array]
    cycle_time: Array
    mvm_time: Array

    def part(self, table: Mapping[str, Array], components: tuple[str, ...]) -> Array:
        """Sum over some components, over all where none is named."""
        return sum((table[name] for name in components or table if name in table), 0.0)


def _energy(cost: MacroCost, components: tuple[str, ...]) -> Array:
    return cost.part(cost.energy, components)


def _conversions(macro: Macro) -> float:
    return macro.arrays * macro.outputs * macro.conversions * macro.converted_planes * macro.groups


#: Metric → how it follows. Two operations a multiply-accumulate.
FORMULAS: Mapping[str, Callable[[MacroCost, tuple[str, ...]], Array]] = {
    "energy_efficiency": lambda c, parts: 2.0 * c.macro.macs / _energy(c, parts),
    "energy_per_mac": lambda c, parts: _energy(c, parts) / c.macro.macs,
    "energy_per_output": lambda c, parts: _energy(c, parts) / (c.macro.outputs * c.macro.arrays),
    "energy_per_mvm": lambda c, parts: _energy(c, parts) / c.macro.arrays,
    "energy_per_conversion": lambda c, _: _energy(c, ("adc",)) / _conversions(c.macro),
    "energy_share": lambda c, parts: _energy(c, parts) / _energy(c, ()),
    "throughput": lambda c, _: 2.0 * c.macro.macs / c.mvm_time,
    "cycle_time": lambda c, _: c.cycle_time,
    "mvm_time": lambda c, _: c.mvm_time,
    "area": lambda c, parts: c.part(c.area, parts),
    "area_share": lambda c, parts: c.part(c.area, parts) / c.part(c.area, ()),
    "compute_density": lambda c, _: 2.0 * c.macro.macs / c.mvm_time / c.part(c.area, ()),
}

#: Metrics that need the time of a product.
TIMED = ("throughput", "cycle_time", "mvm_time", "compute_density")


def figure(cost: MacroCost, request: MetricRequest) -> Array:
    """The figure asked for, SI.

    Raises InputError for an unknown metric, for components that cost nothing, and where time is up to data.
    """
    if request.metric not in FORMULAS:
        raise InputError(
            "unknown metric",
            where="metric",
            value=request.metric,
            allowed=", ".join(FORMULAS),
            nearest=nearest_name(request.metric, FORMULAS),
        )
    known: Mapping[str, Any] = cost.area if METRICS[request.metric].kind == "area" else cost.energy
    missing = [name for name in request.components if name not in COMPONENTS]
    if missing or (request.components and not np.any(cost.part(known, request.components))):
        raise InputError(
            "the model has nothing for these parts of this macro",
            where=f"{request.metric}.components",
            value=", ".join(missing or request.components),
            allowed=", ".join(name for name in known if name in COMPONENTS and np.any(known[name])),
        )
    if request.metric == "energy_per_conversion" and not _conversions(cost.macro):
        raise InputError("no conversions in a digital macro", where="metric", value=request.metric)
    if cost.macro.ends_early and request.metric in TIMED and cost.macro.mvm_time is None:
        raise InputError(
            "the time of a conversion that ends at its code depends on the distribution of the sums",
            where="adc.ends_early",
            value=True,
        )
    return FORMULAS[request.metric](cost, request.components)
