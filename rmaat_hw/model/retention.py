"""Memory retention factors: from the simulated long-term process, and in closed form.

The paper computes, and does not learn, one scalar per segment from the growth of the long-term
astrocyte process p^l over the cycles of the short-term one:
``RetentionFactor(t, T) = Δp_t / Σ_i Δp_i`` (arXiv 2601.00426, §3.3 and Appendix D, as quoted). Under
a periodic drive p^l is a leaky integrator, its increments are geometric with ratio ρ = exp(-r),
r = γ τ_cycle / τ_p, and the factor has the closed form below (INFERRED).

The simulation (:mod:`rmaat_hw.model.astrocyte`; its constants RECOMMENDED) starts from rest. While
synapses and short-term process settle, the long-term one gains less, so the first cycle's share is
smaller than in the closed form: its ratio to the second is 4.7 % off ρ at r = 0.2 (5.6 % at 0.4), the
next 0.2 %, later ones less than 0.02 %. Below r = 0.04 the second factor is therefore the largest.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError, nearest_name
from rmaat_hw.model.config import RETENTION_KINDS, RETENTION_SOURCES

SATURATION = 2.4
"""Leak r · T over a whole sequence whose long-term process ends saturated, at 1 - exp(-2.4) = 91 % of
its limit (RECOMMENDED; six cycles of the dynamics with r = 0.4 end there)."""


def retention_factor(*, segment: int | NDArray[np.int64], segments: int, rate: float) -> NDArray[np.float64]:
    """Share of the long-term process gained during one segment: ρ^(t-1) (1-ρ) / (1-ρ^T).

    Args:
        segment: t, number of the segment, 1 … ``segments``; a number or an array of any shape.
        segments: T, segments of the sequence.
        rate: r > 0, leak of the long-term process over one segment, without unit.

    Returns:
        Factors in (0, 1], float64, of the shape of ``segment``. Over t = 1 … T they sum to 1.

    Example:
        >>> retention_factor(segment=np.arange(1, 5), segments=4, rate=0.2).round(3).tolist()
        [0.329, 0.27, 0.221, 0.181]
    """
    elapsed = np.asarray(segment, dtype=np.float64) - 1.0
    # expm1 keeps every digit of 1-ρ and 1-ρ^T when the rate is small.
    return np.exp(-rate * elapsed) * np.expm1(-rate) / np.expm1(-rate * segments)


def retention_factors(
    segments: int, *, rate: float = 0.2, regime: str = "fixed", source: str = "closed_form"
) -> NDArray[np.float64]:
    """Factors by which the memory is multiplied after segments 1 … T.

    Args:
        segments: T, segments of the sequence, at least 1.
        rate: r > 0, see :func:`retention_factor`; read by "fixed" alone. RECOMMENDED 0.2.
        regime: whether a cycle lasts the same in sequences of any length is UNKNOWN. "fixed", it does
            (RECOMMENDED); "stretch", the curve saturates at T, r = 2.4 / T; "uniform", 1 throughout
            (the paper's ablation without the factor).
        source: "closed_form", or "simulated": growth of p^l over T cycles of the simulation, mean over
            its nine synapses, divided by the sum; τ_p^l is set so that γ^l τ_cycle / τ_p^l is the rate.

    Returns:
        float64 [T], falling; the sum is 1, the capacity of the saturated process. "uniform": ones.

    Raises:
        InputError: no such number of segments (simulated: at most 1000), rate, regime or source.

    Example:
        >>> retention_factors(4, regime="stretch").round(3).tolist()
        [0.496, 0.272, 0.149, 0.082]
    """
    if isinstance(segments, bool) or not isinstance(segments, int | np.integer) or segments < 1:
        raise InputError("bad number of segments", value=segments, allowed="a whole number of at least 1")
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise InputError("bad rate", value=rate, allowed="a positive finite number")
    _check_name("regime of retention", regime, RETENTION_KINDS)
    _check_name("source of retention factors", source, RETENTION_SOURCES)
    if regime == "uniform":
        return np.ones(segments)
    if regime == "stretch":
        rate = SATURATION / segments
    if source == "simulated":
        from rmaat_hw.model.astrocyte import simulate
        from rmaat_hw.model.astrocyte_constants import AstrocyteConstants

        constants = AstrocyteConstants().with_rate(rate)
        return simulate(constants, cycles=segments, samples=1).retention(segments)
    return retention_factor(segment=np.arange(1, segments + 1), segments=int(segments), rate=rate)


def _check_name(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(
            f"unknown {what}",
            value=value,
            allowed=", ".join(known),
            nearest=nearest_name(str(value), known),
        )
