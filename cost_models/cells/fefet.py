"""Ferroelectric field-effect transistor as the cell of a crossbar."""

from __future__ import annotations

from collections.abc import Mapping

from cost_models.ferroelectric.device import has_gate_stack, stack_of
from cost_models.namespace import Array


def gate_pulse_energy(cell: Mapping[str, Array]) -> Array:
    """Energy of one program or erase pulse on the gate [J], on a state that points against it.

    ``cell``: parameters by the names of its file. From the gate stack (V·A·(ΔP + C_film·V_film), ΔP what the
    pulse of ``write_voltage`` and ``write_time`` switches) where the file gives one, else its own
    ``write_energy``. A cell that already points along the pulse takes the linear part alone: counted in full,
    this errs high.
    """
    if not has_gate_stack(cell):
        return cell["write_energy"]
    return cell["gate_area"] * stack_of(cell).pulse(cell["write_voltage"], cell["write_time"]).energy
