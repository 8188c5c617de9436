"""Measured points of devices of the library: what a switching model is held against.

One file ``measurements/<device>.csv`` a device: pulse voltage [V] and length [s] from the state −Pr (for a
window: pulses of both signs), the measured quantity with its unit in the name of the column, the key of its
source.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from importlib import resources
from typing import Literal, TypeAlias

Quantity: TypeAlias = Literal["polarization_C_per_m2", "memory_window_V"]
QUANTITIES: tuple[Quantity, ...] = ("polarization_C_per_m2", "memory_window_V")


@dataclass(frozen=True)
class Measurements:
    """``value`` of ``quantity`` (SI) after pulses of ``voltage`` [V] and ``duration`` [s]; ``source``
    is a key.
    """

    quantity: Quantity
    voltage: tuple[float, ...]
    duration: tuple[float, ...]
    value: tuple[float, ...]
    source: str


def measurements(device: str) -> Measurements | None:
    """Return the measured points of a built-in device, or None where there are none."""
    file = resources.files("device_params").joinpath("measurements", f"{device}.csv")
    if not file.is_file():
        return None
    rows = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    quantity = next(name for name in QUANTITIES if name in rows[0])
    voltage, duration, value = (
        tuple(float(row[column]) for row in rows) for column in ("voltage_V", "pulse_s", quantity)
    )
    return Measurements(quantity, voltage, duration, value, rows[0]["source"])
