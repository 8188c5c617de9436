"""Array that adds up charge on capacitors: one capacitor a cell, a converter at the foot of its columns."""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.circuits.lines import TAPER_OVERHEAD, Line
from cost_models.namespace import Array


@dataclass(frozen=True)
class ChargeArray:
    """``rows`` × ``cols`` cells, each with a compute capacitor of ``unit_capacitance`` [F].

    In each step every active row drives its input line; a cell charges its capacitor to the supply where the
    product of its bit with the input is not zero. All capacitors of a column are then joined and the
    converter sees their mean; afterwards they are discharged. A ladder that weights the bits of a word (C-2C)
    presents about one unit capacitor a bit to its input and so costs the same a cell.
    """

    rows: Array
    cols: Array
    cell_area: Array
    unit_capacitance: Array
    supply_voltage: Array
    word_line: Line

    def step_energy(self, *, rows: Array, input_level: Array, product_level: Array) -> dict[str, Array]:
        """Energy of one step by component [J], without converters and accumulation.

        ``rows``: rows that are driven; ``input_level``: mean square of the input over full scale (for bits:
        the share of ones); ``product_level``: the same times the share of weight bits that are one.
        """
        charged = self.unit_capacitance * self.supply_voltage**2
        return {
            "cell": rows * self.cols * product_level * charged,
            "word_line_driver": (1 + TAPER_OVERHEAD)
            * rows
            * input_level
            * self.word_line.swing(self.supply_voltage).energy,
        }

    @property
    def area(self) -> Array:
        """All cells [m²]; the capacitors lie in the metal above them."""
        return self.rows * self.cols * self.cell_area
