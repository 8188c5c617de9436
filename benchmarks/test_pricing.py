"""Speed of pricing: one design, an interval, and a sweep of whole designs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cost_models.mapping.precision import Precision
from cost_models.targets.crossbar_chip import price
from cost_models.uncertainty import sample
from device_params import load_design
from rmaat_hw.estimate import SAMPLES
from rmaat_hw.mapped import map_program
from rmaat_hw.subject import load_subject
from sweeps.evaluate import BLOCK, evaluate

DESIGN = load_design("fefet_crossbar_28nm")
NOMINAL = DESIGN.parameters.nominal()

#: Parameters of a sweep that touches every part of the bill: device, array, converter, logic, memory.
VARIED = {
    "cell.read_voltage": (0.6, 1.0),
    "cell.on_current": (3e-8, 3e-7),
    "cell.read_time": (5e-9, 2.5e-8),
    "technology.supply_voltage": (0.7, 1.0),
    "technology.wire_capacitance": (1.6e-10, 2.5e-10),
    "adc.energy_factor": (0.45, 2.2),
    "buffer.read_energy": (2e-13, 9e-13),
    "digital.clock": (2e8, 1e9),
}


@pytest.fixture(name="program", scope="module")
def _program() -> Any:
    subject = load_subject("listops", model=None, batch=1, seq_len=None, seed=0)
    return map_program(subject, Precision(), lambda sentence: None)


def test_one_design(program: Any, benchmark: Any, record: Callable[..., None]) -> None:
    benchmark(price, program.workload, program.plan, NOMINAL, DESIGN.families)
    record(
        "price_one_design",
        benchmark.stats.stats.median,
        "s",
        "median; RMAAT on ListOps, one design, placed program",
    )


def test_interval(program: Any, benchmark: Any, record: Callable[..., None]) -> None:
    drawn = sample(DESIGN.parameters, SAMPLES, 0)
    benchmark(price, program.workload, program.plan, drawn, DESIGN.families)
    record(
        "price_interval",
        benchmark.stats.stats.median,
        "s",
        f"median; {SAMPLES} joint samples of all parameters",
    )


def test_sweep(program: Any, benchmark: Any, record: Callable[..., None]) -> None:
    count = 16 * BLOCK
    rng = np.random.default_rng(0)
    points = {name: rng.uniform(low, high, count) for name, (low, high) in VARIED.items()}
    points["array.rows"] = rng.choice([64.0, 128.0, 256.0], count)
    points["array.columns_per_adc"] = rng.choice([4.0, 8.0, 16.0], count)
    arguments = (program.workload, program.plan, NOMINAL, points, DESIGN.families)
    benchmark.pedantic(evaluate, arguments, rounds=10, warmup_rounds=1)
    record(
        "sweep_full_network",
        count / benchmark.stats.stats.median,
        "points/s",
        f"median of 10; {count} designs, {len(points)} parameters varied, "
        f"{len(program.workload.operators)} folded operators, blocks of {BLOCK}, one process",
    )
