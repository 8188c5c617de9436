"""Memory retention factor in closed form.

The paper computes, and does not learn, one scalar per segment from the growth of the long-term
astrocyte process p^l over the cycles of the short-term one:
``RetentionFactor(t, T) = Δp_t / Σ_i Δp_i`` (arXiv 2601.00426, §3.3 and Appendix D, as quoted). Under
a periodic drive p^l is a leaky integrator, its increments are geometric with ratio ρ = exp(-r),
r = γ τ_cycle / τ_p, and the factor has the closed form below (INFERRED).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError, nearest_name
from rmaat_hw.model.config import RETENTION_KINDS


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


def retention_schedule(*, segments: int, rate: float, kind: str = "decay") -> NDArray[np.float64]:
    """Factors by which the memory is multiplied after segments 1 … T.

    Args:
        segments: T, segments of the sequence.
        rate: r > 0, see :func:`retention_factor`; not used by "uniform".
        kind: "decay" for the closed form, "uniform" for 1 throughout (ablation without retention).

    Returns:
        float64 [T].

    Raises:
        InputError: ``kind`` is none of the two.
    """
    if kind == "uniform":
        return np.ones(segments)
    if kind != "decay":
        raise InputError(
            "unknown retention",
            value=kind,
            allowed=", ".join(RETENTION_KINDS),
            nearest=nearest_name(kind, RETENTION_KINDS),
        )
    return retention_factor(segment=np.arange(1, segments + 1), segments=segments, rate=rate)
