"""Standard-cell logic: adders, registers, the multiply-accumulate unit and special functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cost_models.cost import Cost
from cost_models.namespace import Array


@dataclass(frozen=True)
class Adder:
    """Ripple-carry adder with a register at its output, ``width`` bits wide.

    Per bit one full adder and one flip-flop, each so many unit NAND2 gates in capacitance and area
    (ratios of the technology file). ``activity`` is the share of nodes that charge in one operation.
    """

    width: Array
    supply_voltage: Array
    gate_capacitance: Array
    gate_area: Array
    full_adder_capacitance_ratio: Array
    full_adder_area_ratio: Array
    flip_flop_capacitance_ratio: Array
    flip_flop_area_ratio: Array
    activity: Array

    @classmethod
    def of(cls, p: Mapping[str, Array], *, width: Array) -> Adder:
        """Build it from the parameters of a technology file (``technology.gate_area`` …)."""
        names = (
            "supply_voltage",
            "gate_capacitance",
            "gate_area",
            "full_adder_capacitance_ratio",
            "full_adder_area_ratio",
            "flip_flop_capacitance_ratio",
            "flip_flop_area_ratio",
        )
        return cls(
            width=width,
            activity=p["technology.toggle_activity"],
            **{name: p[f"technology.{name}"] for name in names},
        )

    def add(self) -> Cost:
        """One addition, result registered."""
        ratio = self.full_adder_capacitance_ratio + self.flip_flop_capacitance_ratio
        capacitance = self.width * ratio * self.gate_capacitance
        return Cost(energy=self.activity * capacitance * self.supply_voltage**2)

    @property
    def area(self) -> Array:
        """Adder and register [m²]."""
        return self.width * (self.full_adder_area_ratio + self.flip_flop_area_ratio) * self.gate_area

    @property
    def register_area(self) -> Array:
        """A further register of the same width [m²], for a result that waits."""
        return self.width * self.flip_flop_area_ratio * self.gate_area


@dataclass(frozen=True)
class DigitalUnit:
    """Lanes of 8-bit multiply-accumulate and of special functions, shared by the whole chip.

    ``operation_energy`` maps each elementary operation of ``workload.operators.SCALAR_OPS`` to its
    energy [J]. ``tile_side``: a product is computed in output tiles of that many rows and columns, so
    that each operand is fetched once a tile and not once a multiplication.
    """

    mac_lanes: Array
    special_function_lanes: Array
    clock: Array
    tile_side: Array
    mac_energy: Array
    operation_energy: Mapping[str, Array]
    mac_area: Array
    special_function_area: Array

    def multiply_accumulate(self, macs: Array) -> Cost:
        """``macs`` multiply-accumulates spread over all lanes."""
        return Cost(energy=macs * self.mac_energy, latency=macs / (self.mac_lanes * self.clock))

    def operate(self, counts: Mapping[str, Array]) -> Cost:
        """Elementary operations by name, one a lane and cycle."""
        energy: Array = 0.0
        total: Array = 0.0
        for name, count in counts.items():
            energy = energy + count * self.operation_energy[name]
            total = total + count
        return Cost(energy=energy, latency=total / (self.special_function_lanes * self.clock))

    @property
    def mac_array_area(self) -> Array:
        """All multiply-accumulate lanes [m²]."""
        return self.mac_lanes * self.mac_area

    @property
    def special_function_array_area(self) -> Array:
        """All special-function lanes [m²]."""
        return self.special_function_lanes * self.special_function_area
