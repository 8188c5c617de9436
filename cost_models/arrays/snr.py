"""Signal-to-noise ratio of what an array computes, in closed form, for every kind of array.

A column adds up products of an input digit and a stored level. Quantities are in *steps*: the contribution of the
smallest input digit above zero and the smallest level above zero. The noise terms of a current-mode and of a
charge-mode array come from `current_noise` and `charge_noise`; a digital array has none. `output_snr` adds what
the converter does and combines the planes of an input and the slices of a weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from scipy import special

from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE
from cost_models.namespace import Array, as_array, namespace_of, round_up

#: Quantisation no longer limits once it is 6 dB, a factor of four in power, below all other noise.
QUANTISATION_MARGIN: Final[float] = 4.0

_DECIBELS: Final[float] = 10.0


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
        cls, *, rows: Array, input_density: Array, levels: Array, level_fraction: Array, used_share: Array = 1.0
    ) -> ColumnSum:
        """One-bit inputs of density ``input_density`` and cells of ``levels`` states.

        ``level_fraction``: mean level over the highest. The bits of a level are taken as independent and equally
        dense, which for ½ is the uniform distribution: E[w²] = ρ·(1−ρ)·(levels² − 1)/3 + ρ²·(levels − 1)².
        ``used_share``: share of cells that may differ from zero, ½ in a differential pair, where one side of
        each weight is zero; ρ = level_fraction/used_share is the density within it, at most 1.
        """
        xp = namespace_of(level_fraction, used_share, levels)
        dense = xp.clip(as_array(level_fraction / used_share, xp), None, 1.0)
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
        xp = namespace_of(self.maximum)
        return round_up(xp.log2(as_array(self.maximum + 1, xp)))

    def range_of(self, sigmas: Array) -> tuple[Array, Array]:
        """Range of a converter that covers mean ± ``sigmas`` standard deviations, not beyond 0 … maximum."""
        xp = namespace_of(self.mean, self.variance, sigmas)
        half = sigmas * xp.sqrt(as_array(self.variance, xp))
        low, high = self.mean - half, self.mean + half
        top = self.maximum + 0.5 + 0.0 * high
        return xp.where(low > -0.5, low, -0.5 + 0.0 * low), xp.where(high < top, high, top)


@dataclass(frozen=True)
class Word:
    """Planes of an input and slices of a weight that are converted apart and combined by shift and add.

    Plane t counts 2^(``plane_bits``·t), slice s 2^(``slice_bits``·s); digits are independent of one another.
    ``differential``: another set of columns holds the negative weights and is subtracted; one side of each
    weight is zero. ``signed_input``: two's complement, the last of one-bit planes counts negative.
    """

    planes: Array = 1.0
    plane_bits: Array = 1.0
    slices: Array = 1.0
    slice_bits: Array = 1.0
    differential: bool = False
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

    def input_moments(self, column: ColumnSum) -> tuple[Array, Array]:
        """E[X], E[X²] of the whole input."""
        mean = column.input_mean * self.plane_sum
        digit = column.input_square - column.input_mean**2
        return mean, digit * self.plane_squares + mean**2

    def signal(self, column: ColumnSum) -> Array:
        """Variance of the ideal output.

        Of a differential weight only one side is not zero, each as often: E[W] = 0 and E[W²] = 2·E[M²] with
        the moments of the digits of that side, E[w|used] = 2·E[w].
        """
        mean, square = self.input_moments(column)
        w1, w2 = column.weight_mean, column.weight_square
        if self.differential:
            digits = (w2 - 2 * w1**2) * self.slice_squares + 2 * (w1 * self.slice_sum) ** 2
            return column.rows * square * 2 * digits
        weight = w1 * self.slice_sum
        weight_square = (w2 - w1**2) * self.slice_squares + weight**2
        return column.rows * (square * weight_square - (mean * weight) ** 2)

    def gain(self, term: str, column: ColumnSum) -> Array:
        """Variance of a term in the output over that of one column.

        What is drawn anew in each conversion adds up in power over planes. A cell's error stays: it multiplies
        the whole input (``variation``) or, where charges are averaged, its deviation from the mean
        (``mismatch``). Off currents are the same in all slices and cancel between the sides. An ``offset``
        of a converter adds up over planes.
        """
        columns = self.sides * self.slice_squares
        mean, square = self.input_moments(column)
        if term == "variation":
            return columns * square / column.input_square
        if term == "mismatch":
            whole = column.weight_square * square - (column.weight_mean * mean) ** 2
            return columns * whole * column.rows / column.variance
        if term == "off_current":
            return 0.0 * self.plane_squares if self.differential else self.plane_squares * self.slice_sum**2
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
        ``shot`` √(q·Q) of the mean charge; ``thermal`` √(kT·C); ``variation`` σ·√(rows·E[x²]·E[w²]), a cell errs
        in all its steps alike; ``off_current`` of a number of active rows that changes, its mean removed;
        ``ir_drop`` what is left of it after a gain correction.
    """
    xp = namespace_of(column.variance, step_charge, off_ratio, current_sigma, capacitance)
    charge = step_charge * (column.mean + column.rows * column.input_mean * off_ratio)
    rows_on = column.rows * (column.input_square - column.input_mean**2)

    def root(value: Array) -> Array:
        return xp.sqrt(as_array(value, xp))

    return {
        "shot": root(ELEMENTARY_CHARGE * charge) / step_charge,
        "thermal": root(BOLTZMANN * temperature * capacitance) / step_charge,
        "variation": current_sigma * root(column.rows * column.input_square * column.weight_square),
        "off_current": off_ratio * root(rows_on),
        "ir_drop": ir_drop_spread * root(column.variance),
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
    xp = namespace_of(column.variance, step, mismatch)
    differing = (1 - 1 / column.rows) * column.variance + (lost * column.mean) ** 2 / column.rows
    return {
        "mismatch": mismatch * xp.sqrt(as_array(differing, xp)),
        "thermal": xp.sqrt(as_array(BOLTZMANN * temperature / total, xp)) / step,
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
        ``snr`` (ratio of powers), ``snr_dB``; ``enob``, bits of the output's range against √12 times the total;
        ``bits_required`` for a lossless column sum, ``bits_needed`` beyond which quantisation stays 6 dB below
        the rest, ``bits_used``.

    Equations:
        Quantisation: Δ²/12, less what whole-numbered sums spare while analog noise is below 0.4 steps
        (`_lattice`). Clipping: a Gaussian column sum beyond the range comes out as the last code.
        Sum of terms: independent; error of the mean (offsets of the whole ensemble) removed.
    """
    word = word or Word()
    terms = dict(analog or {})
    noise = sum((sigma**2 for sigma in terms.values()), 0.0)
    required = column.bits_required
    xp = namespace_of(required, used_bits, noise, column.variance)
    used = as_array(used_bits, xp)
    if full_scale is None:
        span = 2.0**required
        step = span / 2.0**used
        terms["quantisation"] = xp.sqrt(step**2 / 12 + _lattice(noise, step))
        terms["clipping"] = 0.0 * terms["quantisation"]
    else:
        low, high = full_scale
        span = high - low
        step = span / 2.0**used
        outside, clipped = _clipping(column.mean, column.variance + noise, low, high, step)
        terms["quantisation"] = xp.sqrt((1.0 - outside) * step**2 / 12)
        terms["clipping"] = xp.sqrt(as_array(clipped, xp))
    variances = {name: word.gain(name, column) * sigma**2 for name, sigma in terms.items()}
    total, signal = sum(variances.values()), as_array(word.signal(column), xp)
    rest = (total - variances["quantisation"]) / word.gain("quantisation", column)
    noisy = total > 0
    snr = xp.where(noisy, signal / xp.where(noisy, total, 1.0 + total), math.inf)
    deviation = xp.sqrt(total)
    levels = column.maximum * (2.0 ** (word.plane_bits * word.planes) - 1) / (2.0**word.plane_bits - 1)
    levels = word.sides * levels * word.slice_sum + 1
    enob = xp.log2(levels / (xp.where(noisy, deviation, 1.0 + deviation) * 12**0.5))
    return {
        **{name: xp.sqrt(as_array(variance, xp)) for name, variance in variances.items()},
        "total": deviation,
        "signal": xp.sqrt(signal),
        "snr": snr,
        "snr_dB": _DECIBELS * xp.log10(snr),
        "enob": xp.where(noisy, enob, math.inf),
        "bits_required": required,
        "bits_needed": _bits_needed(span, as_array(rest, xp), required),
        "bits_used": used,
    }


def _bits_needed(span: Array, rest: Array, required: Array) -> Array:
    """Least bits with Δ²/12 ≤ rest/4 over the range ``span``, from 1 to what a lossless sum needs."""
    xp = namespace_of(rest, span)
    quiet = rest < (1e-6 * span) ** 2
    step = xp.sqrt(12.0 * xp.where(quiet, 1.0 + rest, rest) / QUANTISATION_MARGIN)
    bits = xp.clip(round_up(xp.log2(span / step)), 1.0, None)
    return xp.where(quiet | (bits > required), required + 0.0 * bits, bits)


def _lattice(noise: Array, step: Array) -> Array:
    """What quantising whole numbers with little noise of variance ``noise`` spares against Δ²/12 (negative).

    Rounding to steps Δ of a continuous value adds Δ²/12. Sums are whole numbers: with thresholds between them
    the error of rounding k + n is known from the moments of a quantised Gaussian. For a lattice of spacing s, the
    smaller of Δ and 1, it is s²·Σ_m (−1)^m·exp(−2π²m²v)·(1/(π²m²) + 4v), v = noise/s²: −s²/12 without noise, as
    good as zero from a noise of 0.4·s on.

    Source: B. Widrow and I. Kollár, Quantization Noise (2008), ch. 4 and 5: moments of quantised variables.
    """
    xp = namespace_of(noise, step)
    spacing = xp.where(step < 1.0, step, 1.0 + 0.0 * step)
    v = as_array(noise, xp) / spacing**2
    small = v < 0.01  # rounding undoes the noise: total error zero to 1e-5
    safe = xp.where(small, 0.01 + 0.0 * v, v)
    series = sum(
        (-1) ** m * xp.exp(-2 * (math.pi * m) ** 2 * safe) * (1 / (math.pi * m) ** 2 + 4 * safe)
        for m in range(1, 7)
    )
    return spacing**2 * xp.clip(xp.where(small, -1.0 / 12 - v, series), -1.0 / 12 - v, 0.0)


def _clipping(mean: Array, variance: Array, low: Array, high: Array, step: Array) -> tuple[Array, Array]:
    """Share of a Gaussian outside ``low`` … ``high`` and the variance of the error made there.

    Beyond the range the last code comes out, half a step inside: with z = (S − mean)/σ, a the edge and b the code
    in the same units, σ²·E[(z − b)²; z > a] = σ²·[(1 + b²)·Q(a) + (a − 2b)·φ(a)], and likewise below.
    """
    xp = namespace_of(variance, low, high, step)
    deviation = xp.sqrt(as_array(variance, xp))
    outside, error = 0.0, 0.0
    for edge in (high - mean, mean - low):
        a = edge / deviation
        b = (edge - step / 2) / deviation
        tail = _upper_tail(a, xp)
        density = xp.exp(-(a**2) / 2) / math.sqrt(2 * math.pi)
        outside = outside + tail
        error = error + (1 + b**2) * tail + (a - 2 * b) * density
    return outside, variance * error


def _upper_tail(value: Array, xp: Any) -> Array:
    """Q(x) = erfc(x/√2)/2, with the special functions of the namespace where it has its own (torch)."""
    return getattr(xp, "special", special).erfc(value / math.sqrt(2)) / 2
