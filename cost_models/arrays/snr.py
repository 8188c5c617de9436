"""Signal-to-noise ratio of what an array computes, in closed form, for every kind of array.

A column adds up products of an input digit and a stored level. Quantities are in *steps*: the contribution of
the smallest input digit above zero and the smallest level above zero. The noise terms of a current-mode and
of a charge-mode array come from `current_noise` and `charge_noise`; a digital array has none. `output_snr`
adds what the converter does and combines the planes of an input and the slices of a weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from cost_models.arrays.quantisation import bits_needed, clipped, rounded
from cost_models.circuits.adc import required_bits
from cost_models.circuits.elementary import smaller
from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE
from cost_models.namespace import Array, as_array, namespace_of


@dataclass(frozen=True)
class ColumnSum:
    """Statistics of one ideal column sum Σ x·w over ``rows``, inputs and levels independent of one another.

    First and second moments of an input digit and of the level of a cell, in steps, with the largest of each:
    a one-bit input of density p has ``input_mean`` = ``input_square`` = p and ``input_max`` 1.
    """

    rows: Array
    input_mean: Array
    input_square: Array
    weight_mean: Array
    weight_square: Array
    weight_max: Array
    input_max: Array = 1.0

    @classmethod
    def of_bits(
        cls,
        *,
        rows: Array,
        input_density: Array,
        levels: Array,
        level_fraction: Array,
        used_share: Array = 1.0,
    ) -> ColumnSum:
        """One-bit inputs of density ``input_density`` and cells of ``levels`` states.

        ``level_fraction``: mean level over the highest. The bits of a level are taken as independent and
        equally dense, which for ½ is the uniform distribution: E[w²] = ρ·(1−ρ)·(levels² − 1)/3 + ρ²·(levels −
        1)². ``used_share``: share of cells that may differ from zero, ½ in a differential pair, where one
        side of each weight is zero; ρ = level_fraction/used_share is the density within it, at most 1.
        """
        dense = smaller(level_fraction / used_share, 1.0)
        top = levels - 1
        square = used_share * (dense * (1 - dense) * (levels**2 - 1) / 3 + dense**2 * top**2)
        return cls(
            rows=rows,
            input_mean=input_density,
            input_square=input_density,
            weight_mean=level_fraction * top,
            weight_square=square,
            weight_max=top,
        )

    @property
    def mean(self) -> Array:
        """Mean of the sum."""
        return self.rows * self.input_mean * self.weight_mean

    @property
    def variance(self) -> Array:
        """Variance over inputs and weights, rows·(E[x²]·E[w²] − (E[x]·E[w])²)."""
        return self.rows * (
            self.input_square * self.weight_square - (self.input_mean * self.weight_mean) ** 2
        )

    @property
    def maximum(self) -> Array:
        """Largest possible sum."""
        return self.rows * self.input_max * self.weight_max

    @property
    def bits_required(self) -> Array:
        """Converter bits that tell all sums 0 … maximum apart."""
        bits = required_bits(rows=self.rows, levels=self.input_max * self.weight_max + 1)
        return float(bits) if isinstance(self.maximum, (int, float)) else bits

    def range_of(self, sigmas: Array) -> tuple[Array, Array]:
        """Range of a converter that covers mean ± ``sigmas`` standard deviations, not beyond 0 … maximum."""
        half = sigmas * self.variance**0.5
        return -smaller(half - self.mean, 0.5), smaller(self.mean + half, self.maximum + 0.5)


@dataclass(frozen=True)
class Word:
    """Planes of an input and slices of a weight that are converted apart and combined by shift and add.

    Plane t counts 2^(``plane_bits``·t), slice s 2^(``slice_bits``·s); digits are independent of one another.
    ``differential``: another set of columns holds the negative weights and is subtracted; one side of each
    weight is zero. ``reference``: weights are shifted by half of their range, and one more column, whose
    cells conduct half as much as they can, is subtracted from every slice. ``signed_input``: two's
    complement, the last of one-bit planes counts negative.
    """

    planes: Array = 1.0
    plane_bits: Array = 1.0
    slices: Array = 1.0
    slice_bits: Array = 1.0
    differential: bool = False
    reference: bool = False
    signed_input: bool = False

    @property
    def sides(self) -> float:
        """Sets of columns."""
        return 2.0 if self.differential else 1.0

    @property
    def plane_sum(self) -> Array:
        """Σ of the factors of all planes."""
        unsigned = (2.0 ** (self.plane_bits * self.planes) - 1) / (2.0**self.plane_bits - 1)
        last = 2.0 ** (self.plane_bits * (self.planes - 1))
        return unsigned - 2 * last if self.signed_input else unsigned

    @property
    def plane_squares(self) -> Array:
        """Σ of their squares."""
        return (4.0 ** (self.plane_bits * self.planes) - 1) / (4.0**self.plane_bits - 1)

    @property
    def slice_sum(self) -> Array:
        """Σ of the factors of all slices of one side."""
        return (2.0 ** (self.slice_bits * self.slices) - 1) / (2.0**self.slice_bits - 1)

    @property
    def slice_squares(self) -> Array:
        """Σ of their squares."""
        return (4.0 ** (self.slice_bits * self.slices) - 1) / (4.0**self.slice_bits - 1)

    @property
    def column_squares(self) -> Array:
        """Σ of the squared factors of all columns of an output; a reference counts as all slices at once."""
        shared = self.slice_sum**2 if self.reference else 0.0
        return self.sides * self.slice_squares + shared

    def maximum(self, column: ColumnSum) -> Array:
        """Range of the output, from its least to its largest value."""
        factors = (2.0 ** (self.plane_bits * self.planes) - 1) / (2.0**self.plane_bits - 1)
        return self.sides * column.maximum * factors * self.slice_sum

    def input_moments(self, column: ColumnSum) -> tuple[Array, Array]:
        """E[X], E[X²] of the whole input."""
        mean = column.input_mean * self.plane_sum
        digit = column.input_square - column.input_mean**2
        return mean, digit * self.plane_squares + mean**2

    def signal(self, column: ColumnSum) -> Array:
        """Variance of the ideal output.

        Of a differential weight only one side is not zero, each as often: E[W] = 0 and E[W²] = 2·E[M²] with
        the moments of the digits of that side, E[w|used] = 2·E[w]. A reference takes half of the range off
        the mean and leaves the variance.
        """
        mean, square = self.input_moments(column)
        w1, w2 = column.weight_mean, column.weight_square
        if self.differential:
            digits = (w2 - 2 * w1**2) * self.slice_squares + 2 * (w1 * self.slice_sum) ** 2
            return column.rows * square * 2 * digits
        weight = (w1 - (column.weight_max / 2 if self.reference else 0.0)) * self.slice_sum
        weight_square = (w2 - w1**2) * self.slice_squares + weight**2
        return column.rows * (square * weight_square - (mean * weight) ** 2)

    def gain(self, term: str, column: ColumnSum) -> Array:
        """Variance of a term in the output over that of one column.

        What is drawn anew in each conversion adds up in power over planes. A cell's error stays: it
        multiplies the whole input (``variation``) or, where charges are averaged, its deviation from the mean
        (``mismatch``). Off currents are the same in all slices and cancel where columns are subtracted. An
        ``offset`` of a converter adds up over planes.
        """
        columns = self.column_squares
        mean, square = self.input_moments(column)
        if term == "variation":
            return columns * square / column.input_square
        if term == "mismatch":
            whole = column.weight_square * square - (column.weight_mean * mean) ** 2
            return columns * whole * column.rows / column.variance
        if term == "off_current":
            subtracted = self.differential or self.reference
            return 0.0 * self.plane_squares if subtracted else self.plane_squares * self.slice_sum**2
        if term == "offset":
            return columns * self.plane_sum**2
        return columns * self.plane_squares


def current_noise(
    *,
    column: ColumnSum,
    step_charge: Array,
    off_ratio: Array,
    current_sigma: Array,
    capacitance: Array,
    ir_drop_spread: Array = 0.0,
    temperature: Array = 300.0,
) -> dict[str, Array]:
    """Standard deviations [steps] of a column sum of cell currents.

    Args:
        column: what is summed.
        step_charge: charge of one step [C]: current of a cell's smallest level times its read time.
        off_ratio: current of a cell in its lowest level over that of one step.
        current_sigma: relative spread of the current of a cell, independent from cell to cell.
        capacitance: that collects the charge [F].
        ir_drop_spread: `IrDrop.spread`.
        temperature: [K].

    Returns:
        ``shot`` √(q·Q) of the mean charge; ``thermal`` √(kT·C); ``variation`` σ·√(rows·E[x²]·E[w²]), a cell
        errs in all its steps alike; ``off_current`` of a number of active rows that changes, its mean
        removed; ``ir_drop`` what is left of it after a gain correction.
    """
    charge = step_charge * (column.mean + column.rows * column.input_mean * off_ratio)
    rows_on = column.rows * (column.input_square - column.input_mean**2)
    return {
        "shot": (ELEMENTARY_CHARGE * charge) ** 0.5 / step_charge,
        "thermal": (BOLTZMANN * temperature * capacitance) ** 0.5 / step_charge,
        "variation": current_sigma * (column.rows * column.input_square * column.weight_square) ** 0.5,
        "off_current": off_ratio * rows_on**0.5,
        "ir_drop": ir_drop_spread * column.variance**0.5,
    }


def charge_noise(
    *,
    column: ColumnSum,
    unit_capacitance: Array,
    parasitic_capacitance: Array,
    supply_voltage: Array,
    mismatch: Array,
    comparator_offset: Array = 0.0,
    comparator_noise: Array = 0.0,
    temperature: Array = 300.0,
) -> dict[str, Array]:
    """Standard deviations [steps] of a column that averages charge on the capacitors of its cells.

    V = V_DD·Σ C_i·b_i/(Σ C_i + C_p), b_i = x·w over its largest value. One step is
    V_DD·C/(rows·C + C_p)/(input_max·weight_max): parasitic capacitance attenuates it by
    A = rows·C/(rows·C + C_p) and so lifts every noise that is a voltage.

    Args:
        column: what is summed.
        unit_capacitance, parasitic_capacitance: C of a cell and C_p of the column's line and converter [F].
        supply_voltage: [V].
        mismatch: relative standard deviation of a unit capacitor.
        comparator_offset: standard deviation over converters [V], 0 where it is calibrated.
        comparator_noise: input-referred, of one conversion [V].
        temperature: [K].

    Returns:
        ``mismatch`` σ·√(rows·(1 − 1/rows)·var(b) + (1 − A)²·mean²/rows): an average errs only where its terms
        differ; ``thermal`` √(kT/(rows·C + C_p)); ``offset``; ``comparator``.
    """
    total = column.rows * unit_capacitance + parasitic_capacitance
    step = supply_voltage * unit_capacitance / total / (column.input_max * column.weight_max)
    lost = parasitic_capacitance / total
    differing = (1 - 1 / column.rows) * column.variance + (lost * column.mean) ** 2 / column.rows
    return {
        "mismatch": mismatch * differing**0.5,
        "thermal": (BOLTZMANN * temperature / total) ** 0.5 / step,
        "offset": comparator_offset / step,
        "comparator": comparator_noise / step,
    }


def output_snr(
    *,
    column: ColumnSum,
    used_bits: Array,
    analog: Mapping[str, Array] | None = None,
    full_scale: tuple[Array, Array] | None = None,
    word: Word | None = None,
) -> dict[str, Array]:
    """Noise and signal-to-noise ratio of an output.

    Args:
        column: ideal sums that are converted one by one.
        used_bits: of the converter, or kept of a digital sum.
        analog: standard deviation of each term before conversion [steps of a column], from `current_noise` or
            `charge_noise`; none for a digital array, whose sums are exact.
        full_scale: range of the converter [steps], as `ColumnSum.range_of` gives it; beyond it sums are
            clipped. Without it the converter spans all sums in steps of 2^(required − used).
        word: planes and slices that make up an output; without it one column is the output.

    Returns:
        Standard deviation of each term in units of the output's smallest step: those of ``analog``,
        ``quantisation`` and ``clipping``, ``total``; ``signal``, the standard deviation of the ideal output;
        ``snr`` (ratio of powers), ``snr_dB``; ``enob``, bits of the output's range against √12 times the
        total, at most those of the range; ``bits_required`` for a lossless column sum, ``bits_needed`` beyond
        which quantisation stays 6 dB below the rest, ``bits_used``.

    Equations:
        Quantisation: Δ²/12. Without ``full_scale``, thresholds lie between the sums, and as long as the
        analog noise is below 0.4 steps rounding undoes a part of it and adds less (`rounded`). Clipping: a
        Gaussian column sum beyond the range comes out as the last code. Sum of terms: independent; error of
        the mean (offsets of the whole ensemble) removed.
    """
    word = word or Word()
    variances = {name: sigma**2 for name, sigma in (analog or {}).items()}
    noise = sum(variances.values(), 0.0)
    required = column.bits_required
    xp = namespace_of(required, used_bits, noise, column.variance)
    used = as_array(used_bits, xp)
    if full_scale is None:
        span = 2.0**required
        step = span / 2.0**used
        surviving, rounding = rounded(noise, step)
        variances = {name: surviving * variance for name, variance in variances.items()}
        variances |= {"quantisation": rounding, "clipping": 0.0 * rounding}
    else:
        low, high = full_scale
        span = high - low
        step = span / 2.0**used
        outside, beyond = clipped(column.mean, column.variance + noise, low, high, step)
        variances |= {"quantisation": (1.0 - outside) * step**2 / 12, "clipping": beyond}
    variances = {name: word.gain(name, column) * variance for name, variance in variances.items()}
    total, signal = sum(variances.values()), as_array(word.signal(column), xp)
    rest = (total - variances["quantisation"]) / word.gain("quantisation", column)
    noisy = total > 0.0
    power = xp.where(noisy, total, 1.0 + total)
    snr = xp.where(noisy, signal / power, math.inf)
    values = word.maximum(column) + 1
    steps = xp.sqrt(12 * power)
    enob = xp.log2(values / xp.where(noisy & (steps > 1.0), steps, 1.0 + 0.0 * steps))
    return {
        **{name: xp.sqrt(as_array(variance, xp)) for name, variance in variances.items()},
        "total": xp.sqrt(total),
        "signal": xp.sqrt(signal),
        "snr": snr,
        "snr_dB": 10.0 * xp.log10(snr),
        "enob": enob,
        "bits_required": required,
        "bits_needed": bits_needed(span, as_array(rest, xp), required),
        "bits_used": used,
    }
