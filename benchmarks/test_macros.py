"""Speed of predicting macros, of the whole validation, and of wire resistance, exact and in closed form."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from cost_models.arrays.ir_drop import passive_ir_drop
from cost_models.arrays.nodal import solve_passive
from cost_models.macros.configuration import macro_of
from cost_models.macros.parameters import parameters_of
from cost_models.macros.price import price
from cost_models.uncertainty import sample
from device_params.chips import Question, load_cases, questions
from device_params.nodes import technology_at
from rmaat_hw import validate

POINTS = 4096


def test_macro_points(benchmark: Any, record: Callable[..., None]) -> None:
    question = next(q for case in load_cases() if case.id == "A03" for q in questions(case))
    assert isinstance(question, Question)
    technology = technology_at(float(question.configuration["node"]))
    macro = macro_of(question.configuration, technology.parameters["supply_voltage"].value)
    drawn = sample(parameters_of(macro, technology), POINTS, 0)
    benchmark(price, macro, question.activity, question.boundary, drawn)
    record(
        "macro_points",
        POINTS / benchmark.stats.stats.median,
        "points/s",
        f"median; one SRAM macro, {POINTS} joint samples of all parameters, one process",
    )


def test_validation(record: Callable[..., None]) -> None:
    start = time.perf_counter()
    found = validate()
    seconds = time.perf_counter() - start
    figures = sum(row.predicted is not None for row in found.rows)
    record("validate_public_cases", seconds, "s", f"one run; {figures} figures predicted, 1024 samples each")


def test_ir_drop(benchmark: Any, record: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    size = 128
    cells = np.where(rng.integers(0, 2, (size, size)) > 0, 1 / 240e3, 1 / 24e6)
    volts = 0.5 * (rng.random(size) < 0.25)
    start = time.perf_counter()
    solve_passive(cells, volts, word_line_resistance=1.0, bit_line_resistance=1.0)
    exact = time.perf_counter() - start
    wires = np.linspace(0.1, 10.0, POINTS)
    benchmark(
        passive_ir_drop,
        rows=size,
        cols=size,
        word_line_resistance=wires,
        bit_line_resistance=wires,
        conductance_mean=float(cells.mean()),
        conductance_square=float((cells**2).mean()),
        density=0.25,
    )
    each = benchmark.stats.stats.median / POINTS
    record("ir_drop_exact", exact, "s", f"one run; nodal solution of a passive array of {size} x {size}")
    record("ir_drop_closed_form", each, "s", f"median a point; {POINTS} arrays of {size} x {size} at once")
