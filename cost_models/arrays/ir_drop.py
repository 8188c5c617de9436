"""Loss of column current to the resistance of an array's wires, in closed form for sweeps.

Two kinds of arrays. *Gated*: word lines drive gates and carry no current (1T1R, FeFET, 8T); a column is a
ladder of its own. *Passive*: cells between word line and bit line; both drop, and cells of rows without input
pull current out of the bit lines. Checked against the exact solution of `cost_models.arrays.nodal`.

Notation: n rows, m columns, r [Ω] of a segment, m₁ and m₂ the mean of the conductance of a cell and of its
square over the stored states, p the share of active rows, each active by chance and apart from the others.

Linear resistances throughout. A cell that holds its current against a lower voltage (a clipped or saturated
transistor) loses less, until the voltage left for it is too small.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from cost_models.arrays.snr import ColumnSum
from cost_models.cells.cell import Cell
from cost_models.namespace import Array, as_array, namespace_of

#: Loss of the worst column above which a result is flagged: calibration of a common gain no longer hides it.
FLAGGED_LOSS: Final[float] = 0.1

#: Loss of the worst column above which the array is called infeasible; the closed form is not checked beyond.
INFEASIBLE_LOSS: Final[float] = 0.2

#: Lines of a column that carry the read current: the bit line and a source line of the same wire beside it.
LINES_PER_COLUMN = 2

#: Eigenmodes of the word line that are summed; what is left out is below 1e-4 of the loss.
_MODES: Final[int] = 8


@dataclass(frozen=True)
class IrDrop:
    """Relative loss of column currents, floats or arrays [points].

    ``mean``: of the sum over all columns. ``worst``: of the column that loses most, at the far end of the
    word lines (passive) or with the most conducting cells (gated); the expected one among ``cols``.
    ``spread``: standard deviation of what is left of the error after the best gain is taken out, over the
    standard deviation of the column current; the gain of a passive array is each column's own.
    """

    mean: Array
    worst: Array
    spread: Array

    @property
    def flagged(self) -> Array:
        """1 where the worst column loses more than 10 %, else 0."""
        return 1.0 * (self.worst > FLAGGED_LOSS)

    @property
    def infeasible(self) -> Array:
        """1 where the worst column loses more than 20 %, else 0."""
        return 1.0 * (self.worst > INFEASIBLE_LOSS)


def gated_ir_drop(
    *,
    rows: Array,
    cols: Array,
    line_resistance: Array,
    conductance_mean: Array,
    conductance_square: Array,
    conductance_max: Array,
    density: Array,
) -> IrDrop:
    """Loss in a column whose cells conduct between its bit line and the source line beside it.

    To first order a cell i segments from the foot loses r·Σ_j min(i, j)·g_j. Over chance rows and states the
    current-weighted mean is L = r·[p·m₁·(n+1)(2n+1)/6 + (m₂/m₁ − p·m₁)·(n+1)/2]: the other cells, and the
    cell's own current, which does not thin out with p. A distributed ladder keeps tanh λ/λ of its current
    with λ² = n²·r·g = 3·L; that form carries L to larger losses.

    Args:
        rows, cols: cells of a column; columns among which the worst is sought.
        line_resistance: r [Ω], bit line and source line together, of one segment. Both may end at the same
            side or at opposite ones; the mean to first order is the same.
        conductance_mean, conductance_square: m₁ [S] and m₂ [S²] of a cell when its gate is on.
        conductance_max: of a cell [S]; no column conducts more than with all its active cells there.
        density: p, 0 < p ≤ 1.

    Range: within 15 % of the exact loss up to losses of 10 %; ``worst`` from eight active rows on
    (docs/circuits/ir_drop.md).

    Source: derived here; ladder: any text on transmission lines, RG line at zero frequency.
    """
    xp = namespace_of(rows, cols, line_resistance, conductance_mean, conductance_square, density)
    n, r, m1 = rows, line_resistance, conductance_mean
    variance = _variance(m1, conductance_square, xp)
    pair = density * m1
    own = conductance_square / m1 - pair
    mean_pair, mean_own, _, _ = _kernel(n, both_sides=False)
    first = r * (pair * mean_pair + own * mean_own)
    # A column's weights γ_i shift its loss by r·Σ γ_i·[p·m₁·(2h_i − h̄) + own·(i − ī)]/(p·n·m₁), h_i = i·n −
    # i²/2.
    weights = pair**2 * n**4 / 5 + own**2 * n**2 / 12 + pair * own * n**3 / 6
    scatter = r * xp.sqrt(as_array(variance * weights / (density * n * m1**2), xp))
    # After the best gain: r·Σ δ_i·[2·p·m₁·(h_i − h̄) + own·(i − ī)] over Σ δ_i.
    left = pair**2 * n**4 * 4 / 45 + own**2 * n**2 / 12 + pair * own * n**3 / 6
    full = r * conductance_max * (density * mean_pair + (1 - density) * mean_own)
    extreme = first + _expected_maximum(cols) * scatter
    mean = _loss(first)
    return IrDrop(
        mean=mean,
        worst=_loss(xp.where(extreme < full, extreme, full + 0.0 * extreme)),
        spread=r * xp.sqrt(as_array(left, xp)) * (1.0 - mean),
    )


def conductances(cell: Cell, column: ColumnSum) -> tuple[Array, Array, Array]:
    """Mean [S], mean square [S²] and maximum [S] of the conductance of a cell whose gate is on."""
    xp = namespace_of(cell.read_steps, cell.on_current, column.weight_mean)
    low, rise = (
        current / cell.read_voltage for current in (cell.off_current, cell.on_current - cell.off_current)
    )
    share = as_array(column.weight_mean / column.weight_max, xp)
    stepped = as_array(cell.read_steps, xp) > 1.0
    square = xp.where(stepped, share, column.weight_square / column.weight_max**2 + 0.0 * share)
    return low + rise * share, low**2 + 2 * low * rise * share + rise**2 * square, low + rise


def passive_ir_drop(
    *,
    rows: Array,
    cols: Array,
    word_line_resistance: Array,
    bit_line_resistance: Array,
    conductance_mean: Array,
    conductance_square: Array,
    density: Array,
    both_sides: bool = False,
) -> IrDrop:
    """Loss in an array of two-terminal cells; rows without input are held at 0 V.

    With uniform conductance the cell currents obey (1 + W + B)·i = g·V, W and B the drops along word and bit
    lines, which commute: each eigenmode k of W, α_k = λ_w²/μ_k², leaves a ladder of bit lines whose λ_b² is
    divided by 1 + α_k. The current kept is Σ_k c_k·T(λ_b/√(1+α_k))/(1+α_k), T(λ) = tanh λ/λ, μ_k = (k−½)π,
    c_k = 2/μ_k² for the mean over columns and 2·(−1)^(k+1)/μ_k for the far column. Chance states enter
    through λ² = 3·L with the exact first-order losses L = r·[m₁·Σ_j min(i, j) + (m₂/m₁ − m₁)·i], averaged.
    The density p falls out of the mean: fewer active rows carry less, and the others pull as much.

    Args:
        rows, cols: n and m.
        word_line_resistance, bit_line_resistance: of one segment [Ω].
        conductance_mean, conductance_square: m₁ [S] and m₂ [S²] of a cell.
        density: p, 0 < p ≤ 1; it matters for ``worst`` and ``spread``.
        both_sides: word lines are driven from both ends.

    Range: within 15 % of the exact loss up to losses of 10 %; ``worst`` from four active rows on
    (docs/circuits/ir_drop.md).

    Source: derived here.
    """
    lines = (word_line_resistance, bit_line_resistance)
    xp = namespace_of(rows, cols, *lines, conductance_mean, conductance_square, density)
    n, m1, p = rows, conductance_mean, density
    variance = _variance(m1, conductance_square, xp)
    own = conductance_square / m1 - m1
    mean_pair, mean_own, far_pair, far_own = _kernel(cols, both_sides=both_sides)
    word_mean = word_line_resistance * (m1 * mean_pair + own * mean_own)
    word_far = word_line_resistance * (m1 * far_pair + own * far_own)
    foot_pair, foot_own, _, _ = _kernel(n, both_sides=False)
    bit = bit_line_resistance * (m1 * foot_pair + own * foot_own)
    # Weights of a column shift its loss as in a gated column, but here idle rows load the line, too.
    weights = m1**2 * n**4 * (1 + 8 * p) / 45 + own**2 * n**2 / 12 + m1 * own * (1 + p) * n**3 / 12
    scatter = bit_line_resistance * xp.sqrt(as_array(variance * weights / (p * n * m1**2), xp))
    # Only columns whose word-line loss is within a standard deviation of the last one's compete with it: the
    # loss is flat there, L·(1 − (1−x)²).
    rivals = xp.sqrt(scatter / (scatter + as_array(word_far, xp) + 1e-300))
    extreme = _expected_maximum(1.0 + (cols - 1.0) * rivals) * scatter
    mean = _mode_sum(word_mean * 3, bit, mean=True)
    return IrDrop(
        mean=mean,
        worst=_mode_sum(word_far * 2, bit + extreme, mean=False),
        spread=_passive_spread(n, cols, *lines, m1, variance, p) * (1.0 - mean),
    )


def _passive_spread(
    n: Array, m: Array, r_w: Array, r_b: Array, m1: Array, variance: Array, p: Array
) -> Array:
    """Error after the best gain over the signal, to first order.

    Bit line: what a conductance γ_i of the column changes in its load goes with h_i whether or not the row is
    active; β = p²·var γ/var(a·g) is the part of it that the signal knows of. Word line: Σ_k min(j, k)·γ_ik is
    another number in each row, so that rows weigh unequally; mean of Σ_k min² over the columns is m³/6.
    """
    signal = p * (variance + (1 - p) * m1**2)
    beta = p**2 * variance / signal
    bit = (r_b * m1 * n**2 / 3) ** 2 * ((1 + 3 * beta) / 5 + beta * (1 - beta))
    word = r_w**2 * m**3 * variance / 6 * p * (variance + m1**2) / signal
    xp = namespace_of(bit, word)
    return xp.sqrt(as_array(bit + word, xp))


def _variance(mean: Array, square: Array, xp: Any) -> Array:
    """Variance from the moments, kept off the rounding error and the endless slope of its root at zero."""
    least = as_array(1e-24 * mean**2, xp)
    return xp.maximum(as_array(square - mean**2, xp), least)


def _kernel(cells: Array, *, both_sides: bool) -> tuple[Array, Array, Array, Array]:
    """Segments shared by two cells of a line with its held end: averages that weigh first-order losses.

    Σ_k min(j, k) averaged over j; j averaged; both at the cell that loses most. Driven from both sides the
    shared resistance is min·(m+1−max)/(m+1), and the middle loses most.
    """
    m = cells
    if both_sides:
        return (m + 1) * (m + 2) / 12, (m + 2) / 6, (m + 1) ** 2 / 8, (m + 1) / 4
    return (m + 1) * (2 * m + 1) / 6, (m + 1) / 2, m * (m + 1) / 2, m


def _loss(first: Array) -> Array:
    """1 − tanh λ/λ with λ² = 3·``first``; its series below 1e-3, where the difference would lose digits."""
    xp = namespace_of(first)
    first = as_array(first, xp)
    series = first * (1 - first * (6 / 5 - first * 51 / 35))
    small = first < 1e-3
    root = xp.sqrt(3.0 * xp.where(small, 1e-3 + 0.0 * first, first))
    return xp.where(small, series, 1.0 - xp.tanh(root) / root)


def _mode_sum(word: Array, bit: Array, *, mean: bool) -> Array:
    """Loss with λ_w² = ``word`` and the bit lines' first-order loss ``bit``, see `passive_ir_drop`."""
    total, left = 0.0, 1.0
    for k in range(_MODES):
        mu = (k + 0.5) * math.pi
        coefficient = 2 / mu**2 if mean else 2 * (-1) ** k / mu
        alpha = word / mu**2
        total = total + coefficient * (alpha + _loss(bit / (1 + alpha))) / (1 + alpha)
        left -= coefficient
    return total + left * _loss(bit)


def _expected_maximum(count: Array) -> Array:
    """Expected largest of ``count`` standard normal numbers, 0 for one; within 2 % of the exact value.

    The normal quantile of (count − 0.375)/(count + 0.25): G. Blom, Statistical Estimates and Transformed
    Beta-Variables (1958). Quantile by the rational form of Abramowitz & Stegun, Handbook of Mathematical
    Functions, 26.2.23, |error| < 4.5e-4.
    """
    xp = namespace_of(count)
    tail = 0.625 / (as_array(count, xp) + 0.25)
    t = xp.sqrt(-2.0 * xp.log(tail))
    numerator = 2.515517 + t * (0.802853 + t * 0.010328)
    return xp.clip(t - numerator / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))), 0.0, None)
