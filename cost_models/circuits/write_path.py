"""What a write costs beside the cell: lines, drivers, inhibited cells, erase, verifying reads, supply.

A ``WriteScheme`` holds the voltages of the lines during one pulse, and from them what every other cell of the
array sees; a ``WritePath`` prices the pulses of an array leaf by leaf.
"""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.lines import Line
from cost_models.cost import Cost
from cost_models.namespace import Array, namespace_of

#: Where a cell stands during a pulse: written; on the selected word line but on the bit line of a cell that
#: is not; on the bit line of a written cell but on another word line; on neither.
KINDS: tuple[str, ...] = ("selected", "row", "column", "unselected")

#: Leaves of the energy of writing, in the order in which tables show them.
ENERGY_LEAVES: tuple[str, ...] = (
    "cell",
    "erase",
    "word_line",
    "bit_line",
    "source_line",
    "well",
    "inhibited_line",
    "inhibited_cell",
    "driver",
    "verify",
    "supply_loss",
    "supply_idle",
    "supply_startup",
)

#: Leaves of the time of writing; ``cell`` are the program pulses.
LATENCY_LEAVES: tuple[str, ...] = ("cell", "erase", "read_after_write", "verify")


@dataclass(frozen=True)
class CellExposure:
    """What a cell of one kind sees while an array is written: mean over the cells.

    ``fraction`` of the write voltage, word line less bit line, with its sign; ``duration`` [s] of one pulse;
    ``count`` of such pulses a cell; ``cells`` of that kind during each pulse.
    """

    kind: str
    fraction: Array
    duration: Array
    count: Array
    cells: Array

    @property
    def time(self) -> Array:
        """Accumulated time a cell [s]."""
        return self.duration * self.count

    def voltage(self, write_voltage: Array) -> Array:
        """Voltage on the cell [V]."""
        return self.fraction * write_voltage


@dataclass(frozen=True)
class WriteScheme:
    """Voltages of the lines during one write pulse, over the write voltage V.

    ``selected_share`` of the cells on the selected word line are written by one pulse together (1/cols: cell
    by cell; 1: the whole row), so a row takes 1/selected_share pulses for each that its cells need. Bit line
    means bit line and channel: where a cell is a transistor its source line follows its bit line.

    A cell sees its word line less its bit line:

    | scheme            | word lines, this/other | bit lines, written/other | row   | column | neither |
    |-------------------|------------------------|--------------------------|-------|--------|---------|
    | V/2               | 1, 1/2                 | 0, 1/2                   | 1/2   | 1/2    | 0       |
    | V/3               | 1, 1/3                 | 0, 2/3                   | 1/3   | 1/3    | −1/3    |
    | row, inhibit i    | 1, 0                   | 0, i                     | 1 − i | 0      | −i      |
    | row erase         | −1, 0                  | 0, –                     | –     | 0      | –       |
    | block erase       | 0 (all), –             | 1 (all, and the well), – | –     | –      | –       |
    | access transistor | 1, 0                   | 1, 0                     | 0     | 0      | 0       |

    A ``gated`` cell has an access transistor on its word line: it sees its bit line when that is high and
    nothing when it is low. ``whole_block``: every word line is selected.
    """

    selected_word_line: Array
    unselected_word_line: Array
    selected_bit_line: Array
    unselected_bit_line: Array
    selected_share: Array
    gated: bool = False
    whole_block: bool = False

    @property
    def fractions(self) -> dict[str, Array]:
        """Voltage on a cell of each kind over the write voltage."""
        if self.gated:
            nothing = 0.0 * self.selected_bit_line
            on = (self.selected_bit_line, self.unselected_bit_line)
            return dict(zip(KINDS, (*on, nothing, nothing), strict=True))
        return {
            "selected": self.selected_word_line - self.selected_bit_line,
            "row": self.selected_word_line - self.unselected_bit_line,
            "column": self.unselected_word_line - self.selected_bit_line,
            "unselected": self.unselected_word_line - self.unselected_bit_line,
        }

    def cells(self, rows: Array, cols: Array) -> dict[str, Array]:
        """Cells of each kind in an array of ``rows`` × ``cols`` during one pulse."""
        written, others = self.selected_share * cols, (1.0 - self.selected_share) * cols
        on, off = (rows, 0.0 * rows) if self.whole_block else (1.0, rows - 1.0)
        return {
            "selected": on * written,
            "row": on * others,
            "column": off * written,
            "unselected": off * others,
        }

    def exposures(
        self, *, rows: Array, cols: Array, pulse_width: Array, writes: Array
    ) -> tuple[CellExposure, ...]:
        """What the cells of an array see while every one of them is written ``writes`` times, by kind.

        Each write is one pulse of ``pulse_width`` [s] on the cell itself. Its row takes 1/selected_share
        pulses for it, so the cell stands on the selected word line of 1/selected_share − 1 others; each of
        the other rows puts it once on the bit line of a written cell and 1/selected_share − 1 times beside.
        Disturb has to be accumulated over all of it, with the sign of the state.
        """
        again = 1.0 / self.selected_share - 1.0
        other_rows = 0.0 * rows if self.whole_block else rows - 1.0
        counts = (1.0, again, other_rows, other_rows * again)
        cells, fractions = self.cells(rows, cols), self.fractions
        return tuple(
            CellExposure(kind, fractions[kind], pulse_width, writes * count, cells[kind])
            for kind, count in zip(KINDS, counts, strict=True)
        )

    def switched_lines(self, rows: Array, cols: Array) -> Array:
        """Lines that leave 0 V during one pulse: each switches a driver."""
        written, others = self.selected_share * cols, (1.0 - self.selected_share) * cols
        lines = (
            (self.selected_word_line, 1.0),
            (self.unselected_word_line, rows - 1.0),
            (self.selected_bit_line, written),
            (self.unselected_bit_line, others),
        )
        xp = namespace_of(rows, cols, self.selected_share, *(fraction for fraction, _ in lines))
        return sum(count * xp.where(xp.asarray(fraction) != 0.0, 1.0, 0.0) for fraction, count in lines)


def half_voltage(*, selected_share: Array) -> WriteScheme:
    """V/2: every line that is not selected rests at half of the write voltage."""
    return WriteScheme(1.0, 0.5, 0.0, 0.5, selected_share)


def third_voltage(*, selected_share: Array) -> WriteScheme:
    """V/3: no cell sees more than a third, at the price of every cell seeing it."""
    return WriteScheme(1.0, 1.0 / 3.0, 0.0, 2.0 / 3.0, selected_share)


def row_inhibit(
    *, inhibit_fraction: Array, selected_share: Array, word_line_fraction: Array = 0.0
) -> WriteScheme:
    """A row at once: bit lines of cells that must not switch rise to ``inhibit_fraction`` of the voltage.

    ``word_line_fraction`` lifts the word lines of the other rows: 1/2 with 1/2 is V/2, 1/3 with 2/3 V/3.
    """
    return WriteScheme(1.0, word_line_fraction, 0.0, inhibit_fraction, selected_share)


def row_erase() -> WriteScheme:
    """A row erased at once by a negative word line; all else rests."""
    return WriteScheme(-1.0, 0.0, 0.0, 0.0, 1.0)


def block_erase() -> WriteScheme:
    """A whole array erased at once: the well rises, its lines follow, the word lines stay at 0."""
    return WriteScheme(0.0, 0.0, 1.0, 1.0, 1.0, whole_block=True)


def access_transistor(*, selected_share: Array) -> WriteScheme:
    """Cells behind a transistor: the bit lines of the written cells rise, no other cell sees anything."""
    return WriteScheme(1.0, 0.0, 1.0, 0.0, selected_share, gated=True)


@dataclass(frozen=True)
class HighVoltageSupply:
    """Pump and regulator of the write voltage; ``present`` 0 where the core supply writes.

    ``efficiency`` energy out over energy in while it delivers; ``idle_power`` [W] of its clock, reference and
    regulator as long as it is on; ``startup_energy`` [J] to fill its capacitors once.
    """

    present: Array
    efficiency: Array
    idle_power: Array
    startup_energy: Array

    def loss(self, delivered: Array) -> Array:
        """Energy lost in the pump while it delivers ``delivered`` [J]."""
        return self.present * delivered * (1.0 / self.efficiency - 1.0)

    def idle(self, time: Array) -> Array:
        """Energy [J] that it takes for being on during ``time`` [s]."""
        return self.present * self.idle_power * time

    def startup(self) -> Array:
        """Energy of one start [J]."""
        return self.present * self.startup_energy


@dataclass(frozen=True)
class WritePath:
    """Everything that writes the cells of arrays of ``rows`` × ``cols``.

    A state takes ``erases`` erase pulses (a row at once, or a block where ``block_erase`` is 1) and
    ``pulses`` program pulses at ``voltage`` [V], each ``cell_pulse`` on the cell itself, and ``verify_reads``
    reads of its row (``verify``), each ``read_after_write_delay`` [s] after a pulse. ``cell_capacitance`` [F]
    is what a half-selected cell charges, ``source_line_capacitance`` [F] that of a source line that follows
    its bit line (0: it rests), ``well_capacitance`` [F] that of the well under an array,
    ``driver_capacitance`` [F] that of level shifter and driver of one switched line (0 where no level is
    shifted). Lines that follow each other share a driver. ``arrays_in_parallel`` are written at the same
    time.

    The gates of the selected word line are charged in its own C·V² and again in the energy of a cell pulse
    and of inhibited cells of the row: for a FeFET below one percent of the total, erring high. A
    half-selected cell takes its linear charge alone; what little of it switches would add a fifth to
    ``inhibited_cell`` at V/2.
    """

    rows: Array
    cols: Array
    program: WriteScheme
    erase: WriteScheme
    block_erase: Array
    voltage: Array
    cell_pulse: Cost
    pulses: Array
    erases: Array
    word_line: Line
    bit_line: Line
    source_line_capacitance: Array
    well_capacitance: Array
    cell_capacitance: Array
    driver_capacitance: Array
    verify: Cost
    verify_reads: Array
    read_after_write_delay: Array
    supply: HighVoltageSupply
    arrays_in_parallel: Array

    def _counts(self, rows: Array) -> tuple[Array, Array, Array, Array]:
        """Program pulses, row erases, block erases and verifying reads of ``rows`` rows of whole arrays."""
        in_turn = rows / self.program.selected_share
        erases = rows * self.erases
        return (
            in_turn * self.pulses,
            erases * (1.0 - self.block_erase),
            erases / self.rows * self.block_erase,
            in_turn * self.verify_reads,
        )

    def latency(self, *, rows: Array) -> dict[str, Array]:
        """Time by leaf [s] of writing ``rows`` rows of whole arrays; the leaves follow one another.

        Delays along the lines, picoseconds against pulses of microseconds, and the start of the supply are
        left out.
        """
        pulses, row_erases, block_erases, reads = self._counts(rows)
        times = {
            "cell": pulses * self.cell_pulse.latency,
            "erase": (row_erases + block_erases) * self.cell_pulse.latency,
            "read_after_write": reads * self.read_after_write_delay,
            "verify": reads * self.verify.latency,
        }
        return {name: time / self.arrays_in_parallel for name, time in times.items()}

    def energy(self, *, cells: Array, rows: Array) -> dict[str, Array]:
        """Energy by leaf [J] of writing ``cells`` cells that stand on ``rows`` rows of whole arrays."""
        pulses, row_erases, block_erases, reads = self._counts(rows)
        program, erase, square = self.program, self.erase, self.voltage**2
        written, others = program.selected_share * self.cols, (1.0 - program.selected_share) * self.cols
        word, bit, source = (
            self.word_line.capacitance,
            self.bit_line.capacitance,
            self.source_line_capacitance,
        )
        followed = written * program.selected_bit_line**2 + others * program.unselected_bit_line**2
        inhibited_line = others * bit * program.unselected_bit_line**2
        inhibited_line = inhibited_line + (self.rows - 1.0) * word * program.unselected_word_line**2
        counts, fractions = program.cells(self.rows, self.cols), program.fractions
        inhibited = sum(counts[kind] * fractions[kind] ** 2 for kind in KINDS if kind != "selected")
        erase_lines = word * erase.selected_word_line**2 + self.cols * bit * erase.selected_bit_line**2
        switched = pulses * program.switched_lines(self.rows, self.cols) + block_erases
        switched = switched + row_erases * erase.switched_lines(self.rows, self.cols)
        leaves = {
            "cell": cells * self.pulses * self.cell_pulse.energy,
            "erase": cells * self.erases * self.cell_pulse.energy + row_erases * square * erase_lines,
            "word_line": pulses * square * word * program.selected_word_line**2,
            "bit_line": pulses * square * written * bit * program.selected_bit_line**2,
            "source_line": pulses * square * source * followed,
            "well": block_erases * square * (self.well_capacitance + self.cols * (bit + source)),
            "inhibited_line": pulses * square * inhibited_line,
            "inhibited_cell": pulses * square * self.cell_capacitance * inhibited,
            "driver": switched * square * self.driver_capacitance,
        }
        delivered = sum(leaves.values())
        return leaves | {
            "verify": reads * self.verify.energy,
            "supply_loss": self.supply.loss(delivered),
            "supply_idle": self.supply.idle(sum(self.latency(rows=rows).values())),
            "supply_startup": self.supply.startup(),
        }
