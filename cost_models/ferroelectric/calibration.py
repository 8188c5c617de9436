"""Numbers of a device that its own measurements fix: screening voltage, fitted window, errors of models.

Every fit reports its free parameters, its error on all points and the error on a voltage that it has not seen
(leave one voltage out): what a fit is worth between its points.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import optimize

from cost_models.ferroelectric.fefet import FittedWindow
from cost_models.ferroelectric.gate_stack import GateStack
from cost_models.ferroelectric.waveform import Floats
from device_params.schema import NORMAL_SCORE_95


@dataclass(frozen=True)
class Points:
    """Measured ``value`` after pulses of ``voltage`` [V] and ``duration`` [s], all [points]."""

    voltage: Floats
    duration: Floats
    value: Floats

    def where(self, chosen: np.ndarray[Any, np.dtype[np.bool_]]) -> Points:
        """The points for which ``chosen`` is true."""
        return Points(self.voltage[chosen], self.duration[chosen], self.value[chosen])


@dataclass(frozen=True)
class Agreement:
    """Root mean square and largest difference of a model from points, in their unit."""

    root_mean_square: float
    largest: float
    points: int

    @property
    def bound(self) -> float:
        """Half width of a 90 % interval of normal errors."""
        return NORMAL_SCORE_95 * self.root_mean_square


@dataclass(frozen=True)
class Fit:
    """``values`` by parameter name; agreement on all points and on voltages left out, one at a time."""

    values: dict[str, float]
    agreement: Agreement
    left_out: Agreement


Model = Callable[[Floats, Floats, Floats], Floats]


def agreement(predicted: Floats, measured: Floats) -> Agreement:
    """How far ``predicted`` is from ``measured``, both [points]."""
    difference = np.asarray(predicted) - np.asarray(measured)
    return Agreement(float(np.sqrt(np.mean(difference**2))), float(np.abs(difference).max()), len(difference))


def fit_screening_voltage(stack: GateStack, points: Points) -> Fit:
    """The one free number of the physical window, by least squares on windows that are not negative.

    A negative window is trapping, which the film does not do. Kinetics, capacitances and the saturated window
    of ``stack`` are taken as they are.
    """

    def window(values: Floats, voltage: Floats, duration: Floats) -> Floats:
        fitted = dataclasses.replace(stack, screening_voltage=values[0])
        result: Floats = fitted.saturated_window * fitted.pulse(voltage, duration).share
        return result

    return _fit(window, ["screening_voltage"], np.asarray([1.5]), points.where(points.value >= 0))


def fit_window(points: Points, *, least_voltage: float) -> Fit:
    """The fitted window, six free numbers and β = 2, on all points from ``least_voltage`` [V] on."""
    names = [
        "fit_window",
        "fit_offset",
        "fit_activation_voltage",
        "fit_activation_sigma",
        "log_time",
        "fit_exponent",
    ]

    def window(values: Floats, voltage: Floats, duration: Floats) -> Floats:
        most, offset, mean, sigma, log_time, exponent = values
        law = FittedWindow(most, offset, np.exp(log_time), exponent, 2.0, mean, np.abs(sigma))
        result: Floats = law.after(voltage, duration)
        return result

    kept = points.where(points.voltage >= least_voltage)
    largest = float(kept.voltage.max())
    starts = [
        np.asarray([kept.value.max(), min(kept.value.min(), -0.01), mean, 0.1 * mean, log_time, exponent])
        for mean in (largest, 1.5 * largest, 3.0 * largest)
        for log_time in np.log(kept.duration.min() * np.asarray([0.3, 0.03, 0.003]))
        for exponent in (1.5, 3.0)
    ]
    found = _fit(window, names, _best_start(window, starts, kept), kept)
    values = {**found.values, "fit_time_constant": float(np.exp(found.values["log_time"]))}
    del values["log_time"]
    return dataclasses.replace(found, values=values)


def _best_start(model: Model, starts: list[Floats], points: Points) -> Floats:
    """The start whose own fit is best: such laws have several valleys."""
    found = []
    for start in starts:
        with np.errstate(all="ignore"):
            try:
                found.append(_solve(model, points, start, start))
            except ValueError:  # a step to where the law is no number
                continue
    misses = [
        agreement(model(v, points.voltage, points.duration), points.value).root_mean_square for v in found
    ]
    return found[int(np.argmin(misses))]


def _solve(model: Model, points: Points, first: Floats, scale: Floats) -> Floats:
    """Least squares from ``first``; ``scale`` is the size of each value."""

    def difference(values: Floats) -> Floats:
        return model(values, points.voltage, points.duration) - points.value

    result: Floats = optimize.least_squares(difference, first, x_scale=np.abs(scale)).x
    return result


def _fit(model: Model, names: list[str], start: Floats, points: Points) -> Fit:
    best = _solve(model, points, start, start)
    predicted = np.empty_like(points.value)
    for voltage in np.unique(points.voltage):
        out = points.voltage == voltage
        values = _solve(model, points.where(~out), best, start)
        predicted[out] = model(values, points.voltage[out], points.duration[out])
    return Fit(
        dict(zip(names, best.tolist(), strict=True)),
        agreement(model(best, points.voltage, points.duration), points.value),
        agreement(predicted, points.value),
    )
