"""Array that sums cell currents on its bit lines, read bit-serially through shared converters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from cost_models.cells.cell import Cell
from cost_models.circuits.adc import Converter
from cost_models.circuits.digital import Adder
from cost_models.circuits.lines import TAPER_OVERHEAD, ColumnMultiplexer, InputDac, Line, WordLineDriver
from cost_models.namespace import Array, namespace_of, round_up


@dataclass(frozen=True)
class CurrentArray:
    """``rows`` × ``cols`` cells with drivers, input DACs, multiplexers, converters and accumulators.

    One input bit-plane is read like this: the columns behind each converter take their turn; for each
    turn the active word lines run through the gate staircase of the cell while the selected column
    integrates, then the converter converts. The converter's own capacitor integrates the charge, so
    reading and converting do not overlap. Read charge, line swings and conversions are counted per
    occupied row and column; the time is that of a full array. The currents of ``lines_per_conversion`` bit
    lines are joined before a conversion: 2 where a differential pair is subtracted, the slices of a weight
    where mirrors weight them; 1 where every bit line is converted.

    ``high_voltage_driver_area`` [m²] is one thick-oxide level shifter and driver, on every row and
    column of a cell that is written above the logic supply (``high_voltage`` 1, else 0).
    """

    rows: Array
    cols: Array
    columns_per_adc: Array
    cell: Cell
    word_line: Line
    bit_line: Line
    driver: WordLineDriver
    dac: InputDac
    multiplexer: ColumnMultiplexer
    adc: Converter
    accumulator: Adder
    high_voltage: Array
    high_voltage_driver_area: Array
    layout_overhead: Array
    lines_per_conversion: Array = 1.0

    @property
    def turns(self) -> Array:
        """Conversions that a converter does one after the other in one bit-plane."""
        return self.columns_per_adc / self.lines_per_conversion

    @property
    def adcs(self) -> Array:
        """Converters at one array."""
        return round_up(self.cols / self.columns_per_adc)

    @cached_property
    def plane_time(self) -> dict[str, Array]:
        """Time of one bit-plane by the component that takes it [s]."""
        turns = self.turns
        return {
            "cell": turns * self.cell.read_steps * self.cell.read_time,
            "word_line_driver": turns * self.driver.pulse().latency,
            "bit_line_driver": turns * self.bit_line.delay,
            "adc": turns * self.adc.convert().latency,
        }

    def plane_energy(
        self, *, rows: Array, columns: Array, input_density: Array, level_fraction: Array
    ) -> dict[str, Array]:
        """Energy of one bit-plane by component [J].

        ``rows``: word lines that carry inputs; ``columns``: bit lines that are converted;
        ``input_density``: share of inputs that are one; ``level_fraction``: mean stored level, 0 … 1.
        """
        read = self.read_energy(
            rows=rows, columns=columns, input_density=input_density, level_fraction=level_fraction
        )
        return read | self.conversion_energy(columns)

    def read_energy(
        self, *, rows: Array, columns: Array, input_density: Array, level_fraction: Array
    ) -> dict[str, Array]:
        """Energy of driving rows and of the currents that flow [J], by component; as ``plane_energy``."""
        pulses = rows * input_density * self.turns
        return {
            "cell": rows * columns * input_density * self.cell.read(level_fraction).energy,
            "word_line_driver": pulses * self.driver.pulse().energy,
            "bit_line_driver": columns
            * (1 + TAPER_OVERHEAD)
            * self.bit_line.swing(self.cell.read_voltage).energy,
            "dac": rows * self.dac.load().energy + pulses * self.dac.select().energy,
        }

    def conversion_energy(self, columns: Array) -> dict[str, Array]:
        """Energy of converting ``columns`` bit lines and accumulating the results [J], by component."""
        conversions = columns / self.lines_per_conversion
        return {
            "adc": conversions * self.adc.convert().energy,
            "multiplexer": conversions * self.multiplexer.select().energy,
            "accumulation": conversions * self.accumulator.add().energy,
        }

    @cached_property
    def area(self) -> dict[str, Array]:
        """Area by component [m²], wiring and placement overhead included."""
        accumulators = self.adcs * self.accumulator.area + self.cols * self.accumulator.register_area
        parts = {
            "cell": self.rows * self.cols * self.cell.area,
            "word_line_driver": self.rows * self.driver.area,
            "dac": self.rows * self.dac.area,
            "adc": self.adcs * self.adc.area,
            "multiplexer": self.cols * self.multiplexer.area,
            "accumulation": accumulators,
            "write_path": self.high_voltage * (self.rows + self.cols) * self.high_voltage_driver_area,
        }
        return {name: area * self.layout_overhead for name, area in parts.items()}

    @cached_property
    def side(self) -> Array:
        """Side of a square of the array's area [m]: the distance to the next array."""
        total = sum(self.area.values())
        return namespace_of(total).sqrt(total)
