"""Intervals: the joint distribution of the parameters, carried through the pricing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy.special import ndtri
from scipy.stats import qmc

from device_params.schema import Parameter

#: Share of the distribution outside the interval on either side: intervals are 5–95 %.
TAIL = 0.05

Block = np.ndarray[Any, np.dtype[np.float64]]


def sample(parameters: Mapping[str, Parameter], points: int, seed: int) -> dict[str, Any]:
    """Draw ``points`` joint samples: parameter name → value [points]; fixed parameters stay numbers.

    Scrambled Sobol points mapped to normal scores (common random numbers for equal seeds). A
    parameter that several components share is one name and so is drawn once.
    """
    free = [name for name, q in parameters.items() if q.distribution != "fixed" and q.low < q.high]
    out: dict[str, Any] = {name: parameter.value for name, parameter in parameters.items()}
    if not free:
        return out
    engine = qmc.Sobol(len(free), scramble=True, rng=seed)
    uniform = engine.random_base2(max(0, int(np.ceil(np.log2(points)))))[:points]
    scores = ndtri(np.clip(uniform, 1e-9, 1 - 1e-9))
    for i, name in enumerate(free):
        parameter = parameters[name]
        out[name] = np.clip(parameter.at_score(scores[:, i]), *parameter.allowed)
    return out


def interval(value: float, samples: Block) -> dict[str, float]:
    """``{"value", "low", "high"}``: the nominal value inside the 5–95 % range of the samples."""
    low, high = np.quantile(np.asarray(samples, dtype=float), [TAIL, 1 - TAIL])
    return {"value": float(value), "low": float(min(low, value)), "high": float(max(high, value))}
