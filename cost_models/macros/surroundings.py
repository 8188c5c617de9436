"""What a core or a chip holds beside its arrays: buffers, and the tree of wires to them."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.circuits.sram import Sram
from cost_models.circuits.technology import Technology
from cost_models.circuits.wires import HTree
from cost_models.macros.configuration import Macro
from cost_models.namespace import Array, namespace_of

#: Bits that move at once between a buffer and the arrays.
PORT = 128.0


def surroundings(
    macro: Macro, technology: Technology, p: Mapping[str, Array], *, boundary: str, area: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Energy of one product [J] and area [m²] of buffers and, on a chip, of the wires; all arrays together.

    ``area``: of the arrays [m²]. Inputs are read once and outputs written once. A core has its arrays beside its
    buffers; on a chip a tree of repeated wires joins them.
    """
    outputs = macro.outputs * (macro.output_bits or macro.input_bits + macro.weight_bits + macro.sum_bits)
    moved = {"in": macro.arrays * macro.rows * macro.input_bits, "out": macro.arrays * outputs}
    energy: dict[str, Array] = {"buffer": 0.0 * area}
    space: dict[str, Array] = {"buffer": 0.0 * area}
    for capacity, way in ((macro.input_buffer, "in"), (macro.output_buffer, "out")):
        if capacity:
            memory = Sram(technology, capacity, PORT)
            access = memory.read() if way == "in" else memory.write()
            energy["buffer"] = energy["buffer"] + moved[way] / PORT * access.energy
            space["buffer"] = space["buffer"] + p["macro.layout_overhead"] * memory.area
    if boundary == "chip":
        xp = namespace_of(area)
        side = xp.sqrt(xp.asarray(area + space["buffer"]))
        tree = HTree(technology, side, max(4.0, macro.arrays), PORT)
        energy["wire"] = tree.unicast(moved["in"]).energy + tree.unicast(moved["out"]).energy
        space["wire"] = p["macro.layout_overhead"] * tree.area
    return energy, space
