"""Price many designs of one program: vectorised over points, in blocks that stay in the cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from cost_models.mapping.schedule import Schedule
from cost_models.mapping.workload import Workload
from cost_models.targets.crossbar_chip import price
from device_params.errors import InputError, nearest_name

#: Points a block. One core, 38 operators, 10 varied parameters: 1.6e5 points/s at 256, 4e5 at 1024, 5e5 at
#: 2048; beyond, between 1.5e5 and 6e5 from run to run, because large blocks go back to the system and fault.
BLOCK = 2048

Table = dict[str, np.ndarray[Any, np.dtype[np.float64]]]


def _blocks(points: int) -> Iterator[slice]:
    for start in range(0, points, BLOCK):
        yield slice(start, min(start + BLOCK, points))


def evaluate(
    workload: Workload,
    plan: Schedule,
    nominal: Mapping[str, float],
    points: Mapping[str, Any],
    families: Mapping[str, str],
) -> Table:
    """Totals of every design point: name → [points].

    ``nominal`` are the parameters of the base design, ``points`` the ones that vary, each [points]
    in SI units. Columns: energy_J, latency_s, area_m2, average_power_W, tops_per_watt. Raises
    InputError for an unknown name, a wrong length or a value that is no number.
    """
    arrays: dict[str, np.ndarray[Any, np.dtype[np.float64]]] = {}
    for name, values in points.items():
        if name not in nominal:
            raise InputError(
                "unknown design parameter", where="sweep", value=name, nearest=nearest_name(name, nominal)
            )
        arrays[name] = np.asarray(values, dtype=float).reshape(-1)
        if not np.isfinite(arrays[name]).all():
            raise InputError("not a finite number", where=f"sweep, {name}", remedy="remove NaN and infinity")
    lengths = {len(values) for values in arrays.values()}
    if len(lengths) != 1:
        raise InputError(
            "every swept parameter needs the same number of points", where="sweep", value=sorted(lengths)
        )
    count = lengths.pop()
    parts: dict[str, list[Any]] = {}
    for block in _blocks(count):
        parameters = {**nominal, **{name: values[block] for name, values in arrays.items()}}
        totals = price(workload, plan, parameters, families).totals()
        width = block.stop - block.start
        for name, values in totals.items():
            parts.setdefault(name, []).append(np.broadcast_to(values, (width,)))
    return {name: np.concatenate(values) for name, values in parts.items()}
