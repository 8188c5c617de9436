"""Memories beside the arrays, and the wires between: on-chip SRAM buffer, off-chip DRAM, interconnect."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cost import Cost
from cost_models.namespace import Array


@dataclass(frozen=True)
class Buffer:
    """On-chip SRAM: energies [J/bit], ``capacity`` [byte], ``area`` [m²], ``leakage_power`` [W].

    ``width`` bits move each ``cycle_time`` [s].
    """

    capacity: Array
    read_energy: Array
    write_energy: Array
    area: Array
    leakage_power: Array
    cycle_time: Array
    width: Array

    def read(self, bits: Array) -> Cost:
        """Read ``bits`` bits."""
        return Cost(bits * self.read_energy, bits / self.width * self.cycle_time)

    def write(self, bits: Array) -> Cost:
        """Write ``bits`` bits."""
        return Cost(bits * self.write_energy, bits / self.width * self.cycle_time)


@dataclass(frozen=True)
class Dram:
    """Off-chip memory at one energy a bit [J/bit], device level; ``bandwidth`` in byte/s."""

    energy_per_bit: Array
    bandwidth: Array

    def move(self, bits: Array) -> Cost:
        """Read or write ``bits`` bits."""
        return Cost(bits * self.energy_per_bit, bits / 8.0 / self.bandwidth)


@dataclass(frozen=True)
class Interconnect:
    """Repeated wires: capacitance [F/m] with the repeaters' share on top; ``width`` bits at ``clock`` [Hz].

    ``activity`` is the share of bits that charge their wire (a 0 → 1 transition).
    """

    wire_capacitance: Array
    repeater_capacitance_ratio: Array
    supply_voltage: Array
    activity: Array
    width: Array
    clock: Array

    def transfer(self, bits: Array, distance: Array) -> Cost:
        """Carry ``bits`` bits over ``distance`` [m]."""
        capacitance = distance * self.wire_capacitance * self.repeater_capacitance_ratio
        return Cost(
            energy=bits * self.activity * capacitance * self.supply_voltage**2,
            latency=bits / (self.width * self.clock),
        )
