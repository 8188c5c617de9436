"""A memory of six-transistor cells by capacity, port and technology: energy, time, area, leakage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from cost_models.circuits.elementary import larger, log2, whole
from cost_models.circuits.inverter import fanout_of_four
from cost_models.circuits.lines import DISTRIBUTED_DELAY
from cost_models.circuits.logic import Decoder
from cost_models.circuits.memory import Buffer
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import RepeatedWire
from cost_models.cost import Cost
from cost_models.namespace import Array, as_array, namespace_of
from device_params.errors import InputError

#: Sub-arrays to choose from: rows, and columns that share a sense amplifier.
ROWS: tuple[int, ...] = (32, 64, 128, 256, 512)
MULTIPLEX: tuple[int, ...] = (1, 2, 4, 8)

#: Most columns on one word line; a wider access opens several sub-arrays.
MOST_COLUMNS = 256.0

#: Capacity [bit] and port [bit] that the model was compared for, and a factor of four beyond.
CAPACITY_RANGE = (256.0 * 8.0, 16.0 * 2.0**20 * 8.0)
WIDTH_RANGE = (8.0, 2048.0)

#: Transistors of a cell over the feature size: access 1.31, pull-down 2.08 (CACTI 7, tech_params/*.dat,
#: Wmemcella, Wmemcellnmos).
ACCESS_WIDTH = 1.31
PULL_DOWN_WIDTH = 2.08

#: Width over height of a thin cell, word line along the width (Weste & Harris, CMOS VLSI Design, 4th ed.,
#: §12.2).
CELL_ASPECT_RATIO = 2.0

#: Swing of a bit line in a read [V]: offset of a sense amplifier, about 50 mV at 3 sigma, and what the line
#: falls further until the replica stops it. Assumed, 0.1 to 0.3.
READ_SWING = 0.2

#: Gates a column (precharge, multiplexer), a data bit (sense amplifier, latch, write driver), in unit gates
#: of four transistors: 3 + 3 and about 20 transistors.
COLUMN_GATES = 1.5
PORT_GATES = 5.0

#: Control lines along the open columns (precharge, equalise, column select, sense or write enable), about one
#: unit gate of load a column each.
CONTROL_LINES = 4.0

#: Gates that switch in one sense amplifier or write driver.
SENSE_GATES = 4.0

#: Share of the port's wires that charge in an access: one of each precharged pair, whatever the bit; CACTI
#: charges each wire too. Static wires with independent random bits: 0.25.
PORT_ACTIVITY = 1.0

#: Wires beside address and data: clock, enable, read/write.
CONTROL_WIRES = 3.0

#: Pitch of the wires of the port over the feature size, and delay that their repeaters give up (CACTI 7:
#: global wires, 8 F; 30 %).
WIRE_PITCH = 8.0
DELAY_PENALTY = 0.3

#: Sense amplifier, column multiplexer and output latch, in delays of an inverter that drives four.
SENSE_STAGES = 4.0

#: Leakage of a cell over that of a unit gate. Three of six transistors are off, about 1.5 F wide each, 0.4 of
#: a gate's width; high-threshold transistors leak a tenth. Weak: 0.02 to 0.4.
CELL_LEAKAGE_RATIO = 0.05


@dataclass(frozen=True)
class Organisation:
    """One way to cut a memory of ``bits`` bits with a port of ``width`` bits into sub-arrays.

    ``rows`` word lines; ``multiplex`` columns share a sense amplifier. width·multiplex columns open in an
    access, in sub-arrays of at most 256 columns. Sub-arrays fill a square; a binary tree of repeated wires
    joins them to the middle of its edge: side·(3/2 − 1/√count) to each (half a side to the centre, then the
    tree of `wires.HTree`).
    """

    technology: Technology
    bits: Array
    width: Array
    rows: Array
    multiplex: Array
    activity: Array
    cell_aspect_ratio: Array
    read_swing: Array
    cell_leakage_ratio: Array

    @property
    def merit(self) -> Array:
        """What the best cut has least of: access time² × read energy."""
        return self.access_time**2 * self.read_energy

    @property
    def open_columns(self) -> Array:
        """Columns that an access opens."""
        return self.width * self.multiplex

    @property
    def open_subarrays(self) -> Array:
        """Sub-arrays that an access opens."""
        return whole(self.open_columns / MOST_COLUMNS)

    @property
    def cols(self) -> Array:
        """Columns of a sub-array."""
        return self.open_columns / self.open_subarrays

    @property
    def count(self) -> Array:
        """Sub-arrays; not rounded, so that capacity may have any value, but as many as are opened."""
        return larger(self.bits / (self.rows * self.cols), self.open_subarrays)

    @property
    def cell_height(self) -> Array:
        """Pitch of the word lines [m]."""
        return (self.technology.sram_cell_area / self.cell_aspect_ratio) ** 0.5

    @property
    def cell_width(self) -> Array:
        """Pitch of the columns [m]."""
        return (self.technology.sram_cell_area * self.cell_aspect_ratio) ** 0.5

    @cached_property
    def word_line(self) -> Array:
        """Capacitance of one word line [F]: two access gates and the wire, each cell."""
        tech = self.technology
        gates = 2.0 * ACCESS_WIDTH * tech.node * tech.transistor_gate_capacitance_per_width
        return self.cols * (gates + self.cell_width * tech.wire_capacitance)

    @cached_property
    def bit_line(self) -> Array:
        """Capacitance of one bit line [F]: one drain and the wire, each cell."""
        tech = self.technology
        drain = ACCESS_WIDTH * tech.node * tech.transistor_drain_capacitance_per_width
        return self.rows * (drain + self.cell_height * tech.wire_capacitance)

    @cached_property
    def decoder(self) -> Decoder:
        """Row decoder with its word-line drivers."""
        return Decoder(self.technology, self.rows, self.cell_height, self.word_line)

    @property
    def address_wires(self) -> Array:
        """Address and control wires."""
        return log2(self.bits / self.width) + CONTROL_WIRES

    @cached_property
    def subarrays_area(self) -> Array:
        """All sub-arrays [m²]: cells, column and port circuits, row decoders."""
        tech = self.technology
        gates = self.cols * (COLUMN_GATES + PORT_GATES / self.multiplex)
        cells = self.rows * self.cols * tech.sram_cell_area
        return self.count * (cells + gates * tech.gate_area + self.decoder.area)

    @property
    def area(self) -> Array:
        """Whole memory [m²]: sub-arrays, and half across them a channel of data, address and control."""
        channel = (2.0 * self.width + self.address_wires) * WIRE_PITCH * self.technology.node
        return self.subarrays_area + channel * self.subarrays_area**0.5 / 2.0

    @property
    def forks(self) -> Array:
        """Forks of the tree on the way to a sub-array, each with a gate."""
        return log2(self.count)

    @cached_property
    def wire(self) -> RepeatedWire:
        """One wire from the edge to a sub-array."""
        length = self.subarrays_area**0.5 * (1.5 - self.count**-0.5)
        return RepeatedWire(self.technology, length, self.activity, DELAY_PENALTY)

    @cached_property
    def _shared_energy(self) -> Array:
        """Address, decoder, word line, column control and data wires of an access [J]."""
        tech, square = self.technology, self.technology.supply_voltage**2
        rows = self.open_subarrays * (self.decoder.select().energy + self.word_line * square)
        column = tech.gate_capacitance + self.cell_width * tech.wire_capacitance
        control = self.open_columns * CONTROL_LINES * column * square
        wires = self.address_wires + self.width
        forks = wires * self.forks * self.activity * tech.gate_energy
        return self.wire.transfer(wires).energy + forks + rows + control

    @property
    def read_energy(self) -> Array:
        """One read [J]: every open column swings by the read swing and is charged again from the supply."""
        tech = self.technology
        columns = self.open_columns * self.bit_line * tech.supply_voltage * self.read_swing
        return self._shared_energy + columns + self.width * SENSE_GATES * tech.gate_energy

    @property
    def write_energy(self) -> Array:
        """One write [J]: the written columns swing fully, the others as in a read."""
        tech, supply = self.technology, self.technology.supply_voltage
        others = (self.open_columns - self.width) * self.bit_line * supply * self.read_swing
        written = self.width * (self.bit_line * supply**2 + SENSE_GATES * tech.gate_energy)
        return self._shared_energy + others + written

    @cached_property
    def bit_line_delay(self) -> Array:
        """Time in which a cell lowers the bit line by the read swing [s]: R·C·ΔV/V and the line's delay."""
        tech = self.technology
        resistance = (1.0 / ACCESS_WIDTH + 1.0 / PULL_DOWN_WIDTH) / tech.node
        resistance = resistance * tech.transistor_on_resistance_width * tech.slowdown
        line = DISTRIBUTED_DELAY * self.rows * self.cell_height * tech.wire_resistance
        return self.bit_line * (resistance * self.read_swing / tech.supply_voltage + line)

    @property
    def _row_delay(self) -> Array:
        """Word line, bit line, sense amplifier and output latch [s]."""
        tech = self.technology
        word = DISTRIBUTED_DELAY * self.cols * self.cell_width * tech.wire_resistance * self.word_line
        return word + self.bit_line_delay + SENSE_STAGES * fanout_of_four(tech)

    @cached_property
    def access_time(self) -> Array:
        """Address to data [s]: tree in, decoder, row, tree out; a gate at every fork of the tree."""
        forks = self.forks * fanout_of_four(self.technology)
        return 2.0 * (self.wire.delay + forks) + self.decoder.select().latency + self._row_delay

    @property
    def cycle_time(self) -> Array:
        """Shortest time between accesses with registers around the sub-array [s]: row and precharge."""
        return self._row_delay + self.bit_line_delay + fanout_of_four(self.technology)

    @property
    def leakage_power(self) -> Array:
        """Cells and the circuits around them, these by their area in unit gates [W]."""
        tech = self.technology
        cells = self.count * self.rows * self.cols
        gates = (self.subarrays_area - cells * tech.sram_cell_area) / tech.gate_area
        return (cells * self.cell_leakage_ratio + gates) * tech.leakage


@dataclass(frozen=True)
class Sram:
    """Memory of ``capacity`` [byte], 256 B to 16 MiB, with one read/write port of ``width`` bits, 8 to 2048.

    Cut into sub-arrays for the least access time² × read energy among ``ROWS`` × ``MULTIPLEX``, CACTI's rule.
    ``activity``: share of address and data wires that charge in an access, 0.25 to 1. ``cell_aspect_ratio``:
    width over height of a cell. ``read_swing`` [V] of a bit line. ``cell_leakage_ratio``: leakage of a cell
    over that of a unit gate.

    Equations stand with `Organisation`. The structure (sub-arrays, tree, sense amplifiers) is CACTI's: Wilton
    & Jouppi, IEEE J. Solid-State Circuits 31, 677 (1996). Lines are C·V², repeated wires as in `wires`, gate
    delays by logical effort. Not in it: redundancy, error correction, test circuits.
    """

    technology: Technology
    capacity: Array
    width: Array
    activity: Array = PORT_ACTIVITY
    cell_aspect_ratio: Array = CELL_ASPECT_RATIO
    read_swing: Array = READ_SWING
    cell_leakage_ratio: Array = CELL_LEAKAGE_RATIO

    def __post_init__(self) -> None:
        """Refuse sizes outside the range."""
        for what, unit, value, (low, high) in (
            ("capacity", "B", self.capacity, tuple(bits / 8.0 for bits in CAPACITY_RANGE)),
            ("width", "bits", self.width, WIDTH_RANGE),
        ):
            xp = namespace_of(value)
            numbers = as_array(value, xp)
            if not bool(xp.all((numbers >= low) & (numbers <= high))):
                raise InputError(
                    f"outside the range of the SRAM model ({unit})",
                    where=what,
                    value=value,
                    allowed=f"{low:g} to {high:g}",
                    remedy="split the memory into several",
                )

    @cached_property
    def organisation(self) -> Organisation:
        """The cut with the least access time² × read energy."""
        tech = self.technology
        trial = Organisation(
            tech,
            self.capacity * 8.0,
            self.width,
            float(ROWS[0]),
            float(MULTIPLEX[0]),
            self.activity,
            self.cell_aspect_ratio,
            self.read_swing,
            self.cell_leakage_ratio,
        )
        xp = namespace_of(trial.merit)
        least = as_array(trial.merit, xp)
        rows, multiplex = (xp.full_like(least, value) for value in (ROWS[0], MULTIPLEX[0]))
        for row in ROWS:
            for shared in MULTIPLEX:
                merit = as_array(replace(trial, rows=float(row), multiplex=float(shared)).merit, xp)
                better = merit < least
                least = xp.where(better, merit, least)
                rows = xp.where(better, xp.full_like(merit, row), rows)
                multiplex = xp.where(better, xp.full_like(merit, shared), multiplex)
        return replace(trial, rows=rows, multiplex=multiplex)

    def read(self) -> Cost:
        """One access of ``width`` bits."""
        return Cost(self.organisation.read_energy, self.organisation.access_time)

    def write(self) -> Cost:
        """One access of ``width`` bits; its time is taken as that of a read."""
        return Cost(self.organisation.write_energy, self.organisation.access_time)

    @property
    def area(self) -> Array:
        """Area [m²]."""
        return self.organisation.area

    @property
    def leakage_power(self) -> Array:
        """Static power [W]."""
        return self.organisation.leakage_power

    @property
    def cycle_time(self) -> Array:
        """Shortest time between accesses [s]."""
        return self.organisation.cycle_time

    def buffer(self) -> Buffer:
        """The same memory as the buffer of a chip, energies per bit."""
        return Buffer(
            capacity=self.capacity,
            read_energy=self.organisation.read_energy / self.width,
            write_energy=self.organisation.write_energy / self.width,
            area=self.area,
            leakage_power=self.leakage_power,
            cycle_time=self.cycle_time,
            width=self.width,
        )
