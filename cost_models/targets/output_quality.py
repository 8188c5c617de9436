"""What the outputs of a crossbar chip are worth: noise of a column sum, its IR drop, signal over noise."""

from __future__ import annotations

from typing import Any

from cost_models.arrays.ir_drop import LINES_PER_COLUMN, IrDrop, conductances, gated_ir_drop
from cost_models.arrays.snr import ColumnSum, Word, current_noise, output_snr
from cost_models.mapping.precision import Precision
from cost_models.namespace import Array, as_array, namespace_of
from cost_models.targets.assembly import Parts

#: Share of cells of a differential pair that may hold more than zero; of shifted weights all may.
USED_SHARE = 0.5

#: Activity below which a program is not told from one without activity; keeps ratios finite.
_LEAST = 1e-9


def output_quality(
    parts: Parts,
    precision: Precision,
    *,
    supply_voltage: Array,
    on_current_sigma: Array,
    input_density: Array,
    level_fraction: Array,
) -> dict[str, Array]:
    """Facts of a full column at the mean activity of a program's inputs and weights.

    Args:
        parts: of the chip.
        precision: of inputs (two's-complement planes) and weights (sliced; pairs of magnitudes, or shifted by
            half of their range beside a reference column).
        supply_voltage: of the converters [V].
        on_current_sigma: relative spread of the current of a cell that conducts.
        input_density: share of input bits that are one; ``level_fraction``: mean stored level over the
        highest.

    Returns:
        ``noise_*``: standard deviations of one converted column sum in steps of a cell's smallest
        contribution (terms of `current_noise` and `output_snr`), ``noise_total``, ``noise_leakage_pedestal``
        (mean of the off currents, which calibration can remove; not in the total) and ``noise_enob``;
        ``snr_dB`` of an output after shift and add; ``adc_bits_needed``; ``ir_drop_*`` of a column.
    """
    array, cell = parts.array, parts.array.cell
    xp = namespace_of(array.rows, cell.on_current, input_density, level_fraction)
    used_share = USED_SHARE * (1.0 + parts.offset_column)
    column = ColumnSum.of_bits(
        rows=array.rows,
        input_density=xp.clip(as_array(input_density, xp), _LEAST, 1.0),
        levels=cell.levels,
        level_fraction=_within(as_array(level_fraction, xp), used_share, xp),
        used_share=used_share,
    )
    drop = column_ir_drop(parts, column)
    step = (cell.on_current - cell.off_current) * cell.read_time * cell.read_steps / column.weight_max
    off_ratio = cell.off_current * cell.read_time * cell.read_steps / step
    analog = current_noise(
        column=column,
        step_charge=step,
        off_ratio=off_ratio,
        current_sigma=on_current_sigma,
        # The converter's capacitor holds the charge of the largest sum at the supply.
        capacitance=step * column.maximum / supply_voltage,
        ir_drop_spread=drop.spread,
    )
    one = output_snr(column=column, used_bits=array.adc.bits, analog=analog)
    pairs, shifted = (
        output_snr(
            column=column,
            used_bits=array.adc.bits,
            analog=analog,
            word=Word(
                planes=precision.input_bits,
                slices=parts.cells_per_weight / (2 - parts.offset_column),
                slice_bits=parts.cell_bits,
                differential=not reference,
                reference=reference,
                signed_input=True,
            ),
        )
        for reference in (False, True)
    )
    whole = {
        name: xp.where(xp.asarray(parts.offset_column > 0), shifted[name], pairs[name])
        for name in ("snr_dB", "bits_needed")
    }
    noise = {name: one[name] for name in (*analog, "quantisation", "clipping", "total", "enob")}
    noise["leakage_pedestal"] = column.rows * column.input_mean * off_ratio
    return {
        **{f"noise_{name}": value for name, value in noise.items()},
        "snr_dB": whole["snr_dB"],
        "adc_bits_needed": whole["bits_needed"],
        "ir_drop_mean": drop.mean,
        "ir_drop_worst": drop.worst,
        "ir_drop_flagged": drop.flagged,
        "ir_drop_infeasible": drop.infeasible,
    }


def _within(level: Array, most: Array, xp: Any) -> Array:
    return xp.maximum(xp.minimum(level, most), xp.asarray(_LEAST, dtype=level.dtype))


def column_ir_drop(parts: Parts, column: ColumnSum) -> IrDrop:
    """IR drop along the bit and source lines of a chip's array; its word lines drive gates.

    A cell is a resistance of its read voltage over its current. In a stepped read it conducts fully or not at
    all, with the mean level as the share of steps at which it does; else its conductance follows its level.
    """
    array = parts.array
    mean, square, largest = conductances(array.cell, column)
    return gated_ir_drop(
        rows=array.rows,
        cols=array.cols,
        line_resistance=LINES_PER_COLUMN * array.bit_line.pitch * array.bit_line.wire_resistance,
        conductance_mean=mean,
        conductance_square=square,
        conductance_max=largest,
        density=column.input_mean,
    )
