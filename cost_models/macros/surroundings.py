"""What a core or a chip holds beside its arrays: buffers, and the tree of wires to them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cost_models.circuits.logic import RegisterBank
from cost_models.circuits.sram import CAPACITY_RANGE, Sram
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import HTree
from cost_models.macros.configuration import Macro
from cost_models.namespace import Array, namespace_of

#: Bits that move at once between a buffer and the arrays.
PORT = 128.0

#: Capacity of a buffer [byte] below which it is made of registers, and above which it is made of several
#: memories.
SMALLEST_MEMORY, LARGEST_MEMORY = (bits / 8.0 for bits in CAPACITY_RANGE)


@dataclass(frozen=True)
class Surroundings:
    """``energy`` [J] of one product and ``area`` [m²] by component, static power [W] of the buffers."""

    energy: Mapping[str, Array]
    area: Mapping[str, Array]
    leakage_power: Array


def surroundings(
    macro: Macro, technology: Technology, p: Mapping[str, Array], *, boundary: str, area: Array
) -> Surroundings:
    """Buffers and, on a chip, wires; all arrays together.

    ``area``: of the arrays [m²]. Inputs are read once and outputs written once. A core has its arrays beside
    its buffers; on a chip a tree of repeated wires joins them.
    """
    moved = {
        "in": macro.arrays * macro.rows * macro.input_bits,
        "out": macro.arrays * macro.outputs * macro.result_bits,
    }
    energy: dict[str, Array] = {"buffer": 0.0 * area}
    space: dict[str, Array] = {"buffer": 0.0 * area}
    leakage_power: Array = 0.0
    for capacity, way in ((macro.input_buffer, "in"), (macro.output_buffer, "out")):
        if not capacity:
            continue
        if capacity < SMALLEST_MEMORY:
            width = 8.0 * capacity
            registers = RegisterBank(technology, width)
            access, area_of, leaked = registers.load(), registers.area, registers.leakage_power
        else:
            banks = math.ceil(capacity / LARGEST_MEMORY)
            memory = Sram(technology, capacity / banks, PORT)
            access = memory.read() if way == "in" else memory.write()
            area_of, leaked, width = banks * memory.area, banks * memory.leakage_power, PORT
        energy["buffer"] = energy["buffer"] + moved[way] / width * access.energy
        space["buffer"] = space["buffer"] + p["macro.layout_overhead"] * area_of
        leakage_power = leakage_power + leaked
    if boundary == "chip":
        xp = namespace_of(area)
        side = xp.sqrt(xp.asarray(area + space["buffer"]))
        tree = HTree(technology, side, max(4.0, macro.arrays), PORT)
        energy["wire"] = tree.unicast(moved["in"]).energy + tree.unicast(moved["out"]).energy
        space["wire"] = p["macro.layout_overhead"] * tree.area
    return Surroundings(energy, space, leakage_power)
