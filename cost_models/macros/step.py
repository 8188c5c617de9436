"""One step of a macro: a few bits of the inputs against one group of rows, all columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cost_models.namespace import Array
from device_params.errors import InputError

#: What stands for a density that a case does not state: random bits.
RANDOM = 0.5


@dataclass(frozen=True)
class Activity:
    """Data of an operating point: shares of ones, transitions an input bit and cycle, mean output."""

    input_density: float
    weight_density: float
    input_toggle: float
    product: float

    @property
    def level(self) -> float:
        """Mean stored level where an input is on; full scale at most, though a converter may clip above."""
        if not self.input_density:
            return self.weight_density
        return min(self.product / self.input_density, 1.0)

    @classmethod
    def of(cls, given: Mapping[str, float]) -> Activity:
        """From the keys of a case; what is missing as for independent random bits.

        Bits of density d toggle with 2·d·(1 − d), from one half on with ½: inputs that are mostly one are
        not known to stand still. The mean product is the mean output where that is given.
        Raises InputError for a share that is not 0 to 1.
        """
        for name, share in given.items():
            if not 0.0 <= share <= 1.0:
                raise InputError("no share", where=f"activity {name}", value=share, allowed="0 to 1")
        density = given.get("input_density", RANDOM)
        weights = given.get("weight_density", RANDOM)
        return cls(
            input_density=density,
            weight_density=weights,
            input_toggle=given.get("input_toggle", 2.0 * min(density, RANDOM) * (1.0 - min(density, RANDOM))),
            product=given.get("output_fraction", density * weights),
        )


@dataclass(frozen=True)
class Step:
    """One array in one step.

    ``energy`` [J] by component and ``time`` [s] of applying inputs and summing, ``conversion_energy`` and
    ``conversion_time`` of converting the sums, ``area`` [m²] by component; clock ``turns`` of converters.
    """

    energy: Mapping[str, Array]
    area: Mapping[str, Array]
    time: Array
    turns: Array
    conversion_energy: Mapping[str, Array] = field(default_factory=dict)
    conversion_time: Array = 0.0
