"""Chips whose published figures follow a law that the predictor knows, times a factor that it does not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cost_models.macros import Prediction
from device_params.chip_vocabulary import figure_factor
from device_params.chips import Case, MetricRequest, OperatingPoint, Published, Source
from device_params.errors import InputError

#: Half width of the fake predictor's intervals, as a factor.
SPREAD = 1.5


def law(metric: str, configuration: Mapping[str, Any]) -> float:
    """A figure in SI: efficiency falls with V² and bits, the clock rises with V, area goes with node²."""
    node, voltage = float(configuration["node"]), float(configuration["supply_voltage"])
    bits = float(configuration["input_bits"]) * float(configuration["weight_bits"])
    cells = float(configuration["rows"]) * float(configuration["cols"])
    return {
        "energy_efficiency": 1e15 * (28e-9 / node) / voltage**2 / bits,
        "energy_per_mac": 2e-15 * (node / 28e-9) * voltage**2 * bits,
        "throughput": 1e9 * cells * voltage / bits,
        "area": 200.0 * cells * node**2,
        "compute_density": 1e9 * voltage / bits / (200.0 * node**2),
        "energy_share": 0.25,
    }[metric]


def predictor(
    configuration: Mapping[str, Any],
    activity: Mapping[str, float],
    boundary: str,
    requests: Sequence[MetricRequest],
    *,
    samples: int = 1024,
    seed: int = 0,
) -> list[Prediction]:
    """The law itself, with intervals of ``SPREAD`` to both sides; memories it does not know are refused."""
    if configuration["memory"] == "fecap":
        raise InputError("no model of this memory", where="memory", value="fecap")
    values = [law(request.metric, configuration) for request in requests]
    return [Prediction(value, value / SPREAD, value * SPREAD, value) for value in values]


def published(
    metric: str,
    value: float,
    unit: str,
    *,
    components: tuple[str, ...] = (),
    kind: str = "prediction",
    tolerance: float = 1.3,
) -> Published:
    """A figure from its value in SI."""
    factor = figure_factor(metric, unit)
    points = "points" if metric.endswith("_share") else "factor"
    return Published(
        metric, components, value, value / factor, unit, factor, 0.1, tolerance, points, kind, "source",
        True, "",
    )  # fmt: skip


UNITS = {
    "energy_efficiency": "TOPS/W",
    "energy_per_mac": "fJ/MAC",
    "throughput": "GOPS",
    "area": "mm^2",
    "compute_density": "TOPS/mm^2",
}


def chip(
    name: str,
    *,
    energy: float = 1.0,
    time: float = 1.0,
    area: float = 1.0,
    memory: str = "sram",
    style: str = "digital",
    node: float = 28e-9,
    bits: float = 8,
    voltages: Sequence[float] = (0.9,),
    metrics: Sequence[str] = ("energy_efficiency", "throughput", "area"),
    in_statistics: bool = True,
) -> Case:
    """A chip that needs ``energy``, ``time`` and ``area`` times what the law says."""
    true = {
        "energy_efficiency": 1.0 / energy,
        "energy_per_mac": energy,
        "throughput": 1.0 / time,
        "area": area,
        "compute_density": 1.0 / (time * area),
    }
    points = []
    for voltage in voltages:
        configuration = {
            "node": node,
            "memory": memory,
            "style": style,
            "rows": 128.0,
            "cols": 64.0,
            "input_bits": float(bits),
            "weight_bits": float(bits),
            "supply_voltage": voltage,
        }
        figures = [
            published(metric, law(metric, configuration) * true[metric], UNITS[metric]) for metric in metrics
        ]
        points.append(
            OperatingPoint(
                f"{voltage:g} V", configuration, {"input_density": 0.5}, "macro", "", tuple(figures)
            )
        )
    return case(name, points, in_statistics=in_statistics)


def case(name: str, points: Sequence[OperatingPoint], *, in_statistics: bool = True) -> Case:
    """A case around its points."""
    return Case(
        id=name,
        name=f"synthetic chip {name}",
        year=2026,
        grade="A",
        in_statistics=in_statistics,
        evidence="silicon",
        source=Source(("https://example.org",), "synthetic", ""),
        notes="Made up.",
        reference="",
        table=None,
        points=tuple(points),
        path="",
    )
