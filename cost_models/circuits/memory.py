"""Memories beside the arrays, and the wires between: on-chip SRAM and eDRAM, off-chip DRAM, interconnect."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.cost import Cost
from cost_models.namespace import Array
from device_params.errors import InputError


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
    """Off-chip memory: ``energy_per_bit`` [J/bit] at the level of the device; ``bandwidth`` in byte/s.

    ``board_energy_per_bit`` [J/bit] is a quantity of its own, no sum or factor of the first: what a streamed
    bit adds to the power of the board (device, both ends of the interface, controller, regulators). None: not
    known. ``idle_power`` [W]: refresh and standby.
    """

    energy_per_bit: Array
    bandwidth: Array
    board_energy_per_bit: Array | None = None
    idle_power: Array = 0.0

    def move(self, bits: Array) -> Cost:
        """Read or write ``bits`` bits, energy at the level of the device."""
        return Cost(bits * self.energy_per_bit, bits / 8.0 / self.bandwidth)

    def move_on_board(self, bits: Array) -> Cost:
        """Read or write ``bits`` bits, energy at the level of the board; InputError where it is not known."""
        if self.board_energy_per_bit is None:
            raise InputError(
                "the energy at board level of this memory is not known",
                where="board_energy_per_bit",
                remedy="give it in a memory file of your own, or use the device level",
            )
        return Cost(bits * self.board_energy_per_bit, bits / 8.0 / self.bandwidth)


@dataclass(frozen=True)
class Edram:
    """On-chip dynamic memory: as `Buffer`, and every bit is written again each ``retention`` [s].

    ``refresh_energy`` [J/bit] is that of opening a row and restoring it, without moving data to the port;
    ``refresh_time`` [s] that of one row, ``rows`` rows.
    """

    memory: Buffer
    retention: Array
    refresh_energy: Array
    refresh_time: Array
    rows: Array

    def read(self, bits: Array) -> Cost:
        """Read ``bits`` bits; the cycle holds the restore."""
        return self._beside_refresh(self.memory.read(bits))

    def write(self, bits: Array) -> Cost:
        """Write ``bits`` bits."""
        return self._beside_refresh(self.memory.write(bits))

    def _beside_refresh(self, cost: Cost) -> Cost:
        return Cost(cost.energy, cost.latency / (1.0 - self.refresh_share))

    @property
    def refresh_power(self) -> Array:
        """Refresh of the whole memory [W]."""
        return self.memory.capacity * 8.0 * self.refresh_energy / self.retention

    @property
    def refresh_share(self) -> Array:
        """Share of the time that refresh keeps the port busy: rows·refresh_time/retention."""
        return self.rows * self.refresh_time / self.retention

    @property
    def area(self) -> Array:
        """Area [m²]."""
        return self.memory.area

    @property
    def leakage_power(self) -> Array:
        """Static power with refresh [W]."""
        return self.memory.leakage_power + self.refresh_power


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
