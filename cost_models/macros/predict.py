"""What a macro would measure, from its configuration alone: a value with its interval, or a refusal."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cost_models.macros.configuration import macro_of
from cost_models.macros.metrics import figure
from cost_models.macros.parameters import CALIBRATION, parameters_of
from cost_models.macros.price import price
from cost_models.uncertainty import interval, sample
from device_params.chip_vocabulary import SettingValue
from device_params.chips import MetricRequest
from device_params.errors import InputError
from device_params.nodes import technology_at
from device_params.schema import ParameterSet
from device_params.vocabulary import RESISTIVE_MEMORIES


@dataclass(frozen=True)
class Prediction:
    """One figure in SI: nominal ``value``, 5 % and 95 % points, and the value without calibration factors."""

    value: float
    low: float
    high: float
    uncalibrated: float


def predict(
    configuration: Mapping[str, SettingValue],
    activity: Mapping[str, float],
    boundary: str,
    requests: Sequence[MetricRequest],
    *,
    samples: int = 1024,
    seed: int = 0,
) -> list[Prediction]:
    """Predict figures of one operating point.

    ``configuration`` and ``activity``: keys of a case file, SI (``docs/cases.md``); ``boundary``: array,
    macro, core or chip. Raises InputError where the configuration lies outside the model, and for a figure
    that is not a finite number.
    """
    technology = technology_at(float(configuration["node"]))
    macro = macro_of(configuration, technology.parameters["supply_voltage"].value)
    parameters = parameters_of(macro, technology)
    values = parameters.nominal()
    nominal = price(macro, activity, boundary, values)
    uncalibrated = price(macro, activity, boundary, _uncalibrated(values))
    drawn = price(macro, activity, boundary, sample(_uncertain(parameters), samples, seed))
    return [
        _prediction(
            request,
            float(figure(nominal, request)),
            np.broadcast_to(np.asarray(figure(drawn, request), dtype=float), (samples,)),
            float(figure(uncalibrated, request)),
        )
        for request in requests
    ]


def _uncertain(parameters: ParameterSet) -> ParameterSet:
    """The parameters with those held fixed whose doubt calibration has turned into the spread between chips.

    Laws of converters and constants that all macros share err alike on every chip of a style. The factor of
    the style was fitted with them as they stand, and what it leaves is in ``model_form``; to draw them as
    well would count one doubt twice. Technology and cells differ from chip to chip and are drawn.
    """
    return ParameterSet(
        dataclasses.replace(q, low=q.value, high=q.value, distribution="fixed") if _is_shared(name) else q
        for name, q in parameters.items()
    )


def _is_shared(name: str) -> bool:
    slot, _, own = name.partition(".")
    if slot == "macro":
        return not own.startswith(("model_form.", *(f"{memory}." for memory in RESISTIVE_MEMORIES)))
    return slot not in ("technology", "device")


def _uncalibrated(values: Mapping[str, float]) -> dict[str, float]:
    """The same parameters with every factor that silicon gave taken as 1."""
    return {name: 1.0 if name.startswith(CALIBRATION) else value for name, value in values.items()}


def _prediction(
    request: MetricRequest,
    value: float,
    drawn: np.ndarray[tuple[int], np.dtype[np.float64]],
    uncalibrated: float,
) -> Prediction:
    if not (np.isfinite([value, uncalibrated]).all() and np.isfinite(drawn).all()):
        raise InputError("the prediction is not a finite number", where=request.metric, value=value)
    bounds = interval(value, drawn)
    return Prediction(value, bounds["low"], bounds["high"], uncalibrated)
