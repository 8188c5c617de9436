"""What a converter does to a column sum: it rounds whole numbers with noise and clips beyond its range."""

from __future__ import annotations

import math
from typing import Any, Final

from scipy import special

from cost_models.namespace import Array, as_array, namespace_of, round_up

#: Quantisation no longer limits once it is 6 dB, a factor of four in power, below all other noise.
QUANTISATION_MARGIN: Final[float] = 4.0


def bits_needed(span: Array, rest: Array, required: Array) -> Array:
    """Least bits with Δ²/12 ≤ rest/4 over the range ``span``, from 1 to what a lossless sum needs."""
    xp = namespace_of(rest, span)
    quiet = rest < (1e-6 * span) ** 2
    step = xp.sqrt(12.0 * xp.where(quiet, 1.0 + rest, rest) / QUANTISATION_MARGIN)
    bits = xp.clip(round_up(xp.log2(span / step)), 1.0, None)
    return xp.where(quiet | (bits > required), required + 0.0 * bits, bits)


def rounded(noise: Array, step: Array) -> tuple[Array, Array]:
    """Share of the power of a small noise that survives rounding, and the variance that rounding adds.

    Column sums are whole numbers k and the thresholds lie between them, so that a converter of step Δ ≤ 1
    undoes a noise n that stays well below half a step. With v = E[n²] and E the mean square of n rounded to
    whole numbers,
    E(v) = v + 1/12 + Σ_m (−1)^m·exp(−2π²m²v)·[1/(π²m²) + 4v],
    the error is Δ²/12 − 1/12 + E(v): E(v) → 0 for v → 0, and Δ²/12 + v from a noise of 0.4 steps on. Finer
    steps, Δ < 1, round to multiples of Δ.

    Source: the mean square of a rounded Gaussian by Poisson summation; B. Widrow and I. Kollár, Quantization
        Noise, Cambridge (2008), moments of quantised variables.
    """
    xp = namespace_of(noise, step)
    spacing = xp.where(step < 1.0, step, 1.0 + 0.0 * step)
    v = as_array(noise, xp) / spacing**2
    quiet = v < 0.01  # noise of a tenth: one in two million is rounded wrongly
    heard = xp.where(quiet, 0.01 + 0.0 * v, v)
    series = sum(
        (-1) ** m * xp.exp(-2 * (math.pi * m) ** 2 * heard) * (1 / (math.pi * m) ** 2 + 4 * heard)
        for m in range(1, 7)
    )
    added = xp.where(quiet, -heard, 1 / 12 + series)  # E(v) − v
    surviving = xp.clip(1.0 + added / heard, 0.0, 1.0)
    coarser = (step**2 - spacing**2) / 12
    return surviving, coarser + spacing**2 * xp.clip(added, 0.0, None)


def clipped(mean: Array, variance: Array, low: Array, high: Array, step: Array) -> tuple[Array, Array]:
    """Share of a Gaussian outside ``low`` … ``high`` and the variance of the error made there.

    Beyond the range the last code comes out, half a step inside: with z = (S − mean)/σ, a the edge and b the
    code in the same units, σ²·E[(z − b)²; z > a] = σ²·[(1 + b²)·Q(a) + (a − 2b)·φ(a)], and likewise below.
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
