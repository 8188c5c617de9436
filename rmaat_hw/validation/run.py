"""From cases to rows: ask the predictor what a case asks, and put the answers beside what was published."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np

from cost_models.macros import Prediction, predict
from cost_models.macros.component_table import answers
from cost_models.macros.configuration import calibrated_style
from cost_models.macros.quality import quality_of
from device_params.chip_vocabulary import METRICS, SettingValue
from device_params.chips import (
    AnyQuestion,
    Case,
    MetricRequest,
    OperatingPoint,
    Published,
    TableQuestion,
    load_cases,
    question,
)
from device_params.errors import InputError
from rmaat_hw import runs
from rmaat_hw.validation.result import ChipSummary, PointPrecision, Validation
from rmaat_hw.validation.rows import Row
from rmaat_hw.validation.summary import summarised

SAMPLES = 1024
Progress = Callable[[str], None]
Answer = Prediction | str
"""A prediction, or the reason why there is none."""


class Predictor(Protocol):
    """What :func:`cost_models.macros.predict` is: it sees configuration and activity, never a figure."""

    def __call__(
        self,
        configuration: Mapping[str, SettingValue],
        activity: Mapping[str, float],
        boundary: str,
        requests: Sequence[MetricRequest],
        *,
        samples: int = 1024,
        seed: int = 0,
    ) -> list[Prediction]: ...


def validate(
    cases: Path | str | None = None,
    *,
    predictor: Predictor = predict,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress = lambda sentence: None,
) -> Validation:
    """Predict every published figure of a set of chips and say how far off the predictions are.

    Args:
        cases: a case file or a folder of them; by default the cases that come with the project.
        predictor: another one than that of the project, to be judged alike.
        samples: draws behind every 90 % interval.
        seed: of the draws and of the bootstrap.
        progress: is told each step.

    Returns:
        Rows, statistics, trends and targets. The shipped cases are those that the calibration has seen: they
        are judged with each chip left out in turn. Other cases are judged as they are, blind.

    Raises:
        InputError: the cases cannot be read. What the model refuses to predict is a row with its reason.
    """
    loaded = load_cases(cases)
    return judged(
        loaded,
        loaded if cases is None else load_cases(),
        source="cases of the project" if cases is None else f"cases in {cases}",
        predictor=predictor,
        samples=samples,
        seed=seed,
        progress=progress,
    )


def judged(
    cases: Sequence[Case],
    public: Sequence[Case],
    *,
    source: str,
    predictor: Predictor = predict,
    samples: int = SAMPLES,
    seed: int = 0,
    progress: Progress = lambda sentence: None,
) -> Validation:
    """The validation of ``cases``; ``public`` are those that the calibration and the null model have seen."""
    rows: list[Row] = []
    summaries = []
    precision: list[PointPrecision] = []
    for case in cases:
        progress(f"predicting {case.id}, {case.name}")
        mine: list[Row] = []
        for point in case.points:
            found = _rows(case, point, predictor, samples, seed)
            mine += found
            if not point.level and any(row.refused is None for row in found):
                precision += _precision(case, point)
        summaries.append(_summary(case, mine))
        rows += mine
    progress("computing the statistics")
    known = [
        _row(case, point, figure) for case in public for point in case.points for figure in point.published
    ]
    return Validation(
        rows=tuple(rows),
        cases=tuple(summaries),
        source=source,
        shipped=cases is public,
        samples=samples,
        seed=seed,
        created_utc=runs.utc_now(),
        files=tuple(case.path for case in cases),
        precision=tuple(precision),
        **summarised(rows, known, shipped=cases is public, seed=seed),
    )


def _rows(case: Case, point: OperatingPoint, predictor: Predictor, samples: int, seed: int) -> list[Row]:
    if case.reference:
        answers: list[Answer] = [case.reference] * len(point.published)
    else:
        answers = _answers(question(case, point), predictor, samples, seed)
    return [
        _row(case, point, figure, answer) for figure, answer in zip(point.published, answers, strict=True)
    ]


def _precision(case: Case, point: OperatingPoint) -> list[PointPrecision]:
    """What the outputs are worth at a point, nothing where the project's model refuses it."""
    try:
        found = quality_of(point.configuration, point.activity)
    except _REFUSALS:
        return []
    known = {field.name for field in dataclasses.fields(PointPrecision)}
    shown = {name: value for name, value in found.items() if name in known}
    return [PointPrecision(case.id, point.name, **shown)]


def _answers(asked: AnyQuestion, predictor: Predictor, samples: int, seed: int) -> list[Answer]:
    """One answer a request; where one is refused, the others are asked for one by one."""

    def ask(requests: Sequence[MetricRequest]) -> list[Answer]:
        if isinstance(asked, TableQuestion):
            values = answers(replace(asked, requests=tuple(requests)))
            return [Prediction(value, value, value, value) for value in values]
        # What is not finite is refused below with its reason; NumPy need not warn of it as well.
        with np.errstate(all="ignore"):
            found = predictor(
                asked.configuration, asked.activity, asked.boundary, requests, samples=samples, seed=seed
            )
        return [_checked(prediction) for prediction in found]

    try:
        return ask(asked.requests)
    except _REFUSALS as error:
        if len(asked.requests) == 1:
            return [_reason(error)]
    return [_alone(ask, request) for request in asked.requests]


def _alone(ask: Callable[[Sequence[MetricRequest]], list[Answer]], request: MetricRequest) -> Answer:
    try:
        return ask([request])[0]
    except _REFUSALS as error:
        return _reason(error)


#: What a predictor may raise without taking the other chips with it: a refusal, or numbers that break down.
_REFUSALS = (InputError, ArithmeticError)


def _reason(error: Exception) -> str:
    """Why there is no prediction, without the offer of an option that this command does not have."""
    if isinstance(error, InputError):
        return str(error).partition("; --allow-extrapolation")[0]
    return f"the arithmetic of the model fails here ({error})"


def _checked(prediction: Prediction) -> Answer:
    """The prediction, or the reason why it is none: a number that is not finite leaves nothing to judge."""
    numbers = (prediction.value, prediction.low, prediction.high, prediction.uncalibrated)
    if not all(math.isfinite(number) and number >= 0.0 for number in numbers):
        return f"the model gave no finite, positive number ({prediction.value:g})"
    if not prediction.low <= prediction.value <= prediction.high:
        return "the model gave an interval that does not hold its own value"
    return prediction


def _row(case: Case, point: OperatingPoint, figure: Published, answer: Answer | None = None) -> Row:
    """A published figure with the answer to it, in the unit of the publication."""
    configuration = point.configuration
    memory, style = str(configuration.get("memory", "")), str(configuration.get("style", ""))
    row = Row(
        case=case.id,
        name=case.name,
        point=point.name,
        metric=figure.metric,
        components=figure.components,
        kind=figure.kind,
        type=figure.type,
        grade=case.grade,
        memory=memory,
        style=calibrated_style(memory, style, figure.kind) if memory else "",
        node=float(configuration["node"]) if "node" in configuration else None,
        in_statistics=case.in_statistics and figure.in_statistics and not point.level,
        published=figure.written,
        unit=figure.unit,
        boundary=point.boundary,
        measurement_tolerance=figure.measurement_tolerance,
        model_tolerance=figure.model_tolerance,
        tolerance_kind=figure.tolerance_kind,
        label=figure.label,
        refused=answer if isinstance(answer, str) else None,
        share=METRICS[figure.metric].share,
        configuration=configuration,
        activity=point.activity,
        tera_operations=_tera_operations(figure),
    )
    if not isinstance(answer, Prediction):
        return row
    return replace(
        row,
        predicted=answer.value / figure.factor,
        low=answer.low / figure.factor,
        high=answer.high / figure.factor,
        uncalibrated=answer.uncalibrated / figure.factor,
    )


def _tera_operations(figure: Published) -> float | None:
    """Energy efficiency [TOPS/W] that a figure of the whole tells; one MAC is two operations."""
    if figure.components:
        return None
    if figure.metric == "energy_efficiency":
        return figure.value / 1e12
    return 2.0 / figure.value / 1e12 if figure.metric == "energy_per_mac" else None


def _summary(case: Case, rows: Sequence[Row]) -> ChipSummary:
    refused = [row.refused for row in rows if row.refused is not None]
    return ChipSummary(
        case=case.id,
        name=case.name,
        grade=case.grade,
        in_statistics=case.in_statistics,
        evidence=case.evidence,
        technology=next((row.technology for row in rows if row.memory), ""),
        figures=len(rows),
        refused=len(refused),
        reasons=tuple(dict.fromkeys(refused)),
        notes=case.notes,
    )
