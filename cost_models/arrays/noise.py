"""Noise budget of a column sum: what disturbs it, in units of the smallest step of the converter."""

from __future__ import annotations

from cost_models.arrays.analog_current import CurrentArray
from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE
from cost_models.namespace import Array, namespace_of


def column_noise(
    *,
    array: CurrentArray,
    required_bits: Array,
    used_bits: Array,
    on_current_sigma: Array,
    input_density: Array,
    level_fraction: Array,
    temperature: float = 300.0,
) -> dict[str, Array]:
    """Standard deviations of one converted column sum, each in steps of a cell's smallest contribution.

    One step is the charge of one conducting cell in one gate step (of one level for a conductance):
    I_on·t, or I_on·t/(levels − 1). ``shot``: √(q·Q) of the charge that flows. ``thermal``: √(kTC) of
    the capacitor that holds the full-scale charge at the supply of the converter. ``variation``: the
    relative spread ``on_current_sigma`` of the cells that conduct, independent of one another; a cell at
    level k errs in all its k steps alike, so the variance goes with Σk², here bounded by (levels − 1)·Σk.
    ``leakage``: pedestal of cells in their lowest level, a mean offset that calibration can remove.
    ``quantisation``: 1/√12 of a converter step, which is 2^(required − used) steps wide. ``enob``:
    effective bits of the range against the root sum of squares, without the pedestal.
    """
    cell = array.cell
    xp = namespace_of(array.rows, cell.on_current)
    contributions = cell.levels - 1
    step = cell.on_current * cell.read_time * cell.read_steps / contributions
    off_step = cell.off_current * cell.read_time * cell.read_steps
    conducting = array.rows * input_density * contributions * level_fraction
    pedestal = array.rows * input_density * off_step / step
    charge = step * (conducting + pedestal)
    full_scale = step * (array.rows * contributions)
    capacitance = full_scale / array.adc.supply_voltage
    sigmas = {
        "shot": xp.sqrt(ELEMENTARY_CHARGE * charge) / step,
        "thermal": xp.sqrt(BOLTZMANN * temperature * capacitance) / step,
        "variation": on_current_sigma * xp.sqrt(contributions * conducting),
        "quantisation": 2.0 ** (required_bits - used_bits) / 12**0.5,
    }
    total = xp.sqrt(sum(sigma**2 for sigma in sigmas.values()))
    levels = array.rows * contributions + 1
    return {
        **sigmas,
        "total": total,
        "leakage_pedestal": pedestal,
        "enob": xp.log2(levels / (total * 12**0.5)),
    }
