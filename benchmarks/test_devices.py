"""Speed of switching: pulses with their write energy, on both cores of a machine, and what bounds it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np

from cost_models.ferroelectric.device import film_of, gate_of, nucleation_of
from cost_models.ferroelectric.waveform import triangle
from device_params import load_device

BLOCK = 2048
SECONDS = 2.0
PROCESSES = 2


def pulse_rate(name: str, low: float, high: float) -> float:
    """Pulses with their write energy a second in this process: random voltages [V] and lengths, in blocks."""
    parameters: dict[str, Any] = dict(load_device(name).parameters.nominal())
    random = np.random.default_rng(0)
    voltage = random.uniform(low, high, BLOCK)
    shortest, longest = load_device(name).parameters["write_time"].allowed
    duration = np.exp(random.uniform(np.log(shortest), np.log(longest), BLOCK))
    gated = load_device(name).family == "fefet"
    gate = gate_of(parameters) if gated else None
    film = None if gated else film_of(parameters)

    def once() -> Any:
        if gate is not None:
            return gate.write_energy(gate.stack.pulse(voltage, duration))
        assert film is not None
        return film.pulse(voltage, duration).energy.total

    once()
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        once()
        done += BLOCK
    return done / (time.perf_counter() - began)


def on_both(name: str, low: float, high: float) -> float:
    """The rates of two processes at once, added up."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=context) as pool:
        return sum(pool.map(pulse_rate, [name] * PROCESSES, [low] * PROCESSES, [high] * PROCESSES))


def test_film_pulses(record: Callable[..., None]) -> None:
    how = (
        f"{PROCESSES} processes, 8.3 nm HZO film, 0.8-1.8 V, polarization and write energy, blocks of {BLOCK}"
    )
    record("film_pulses", on_both("hzo_film_8nm3", 0.8, 1.8), "pulses/s", how)


def test_gate_pulses(record: Callable[..., None]) -> None:
    """A gate at write voltages, where the interlayer screens, and below, where its divider is solved for."""
    how = f"{PROCESSES} processes, 8 nm FeFET, {{}}, window and write energy, blocks of {BLOCK}"
    for label, low, high in (("write", 3.7, 4.5), ("weak", 2.0, 3.6)):
        rate = on_both("fefet_8nm_deng", low, high)
        record(f"gate_pulses_{label}", rate, "pulses/s", how.format(f"{low}-{high} V"))


def test_bound_of_pulses(record: Callable[..., None]) -> None:
    """Two exponentials a quantile and pulse: what they alone would take is the bound."""
    from cost_models.ferroelectric.nucleation import QUANTILES

    exponents = np.random.default_rng(0).uniform(-30.0, 3.0, (QUANTILES // 4, BLOCK))
    out = np.empty_like(exponents)
    began, rounds = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS:
        np.exp(exponents, out=out)
        rounds += 1
    each = (time.perf_counter() - began) / rounds / BLOCK * 4
    how = f"one process: 2 × {QUANTILES} exponentials a pulse and nothing else, in cache"
    record("film_pulses_bound_one_core", 1.0 / (2 * each), "pulses/s", how)


def test_waveform(benchmark: Any, record: Callable[..., None]) -> None:
    film = film_of(dict(load_device("hzo_film_8nm3").parameters.nominal()))
    wave = triangle(1.8, 1e3, cycles=2.0)
    benchmark(film.response, wave)
    steps = len(film.response(wave).time)
    how = f"median; two 1 kHz triangles of 1.8 V, {steps} time steps, 48 quantiles"
    record("waveform_two_triangles", benchmark.stats.stats.median, "s", how)


def test_monte_carlo(benchmark: Any, record: Callable[..., None]) -> None:
    model = nucleation_of(dict(load_device("hzo_film_8nm3").parameters.nominal()))
    wave = triangle(1.8 / 8.3e-9, 1e3, cycles=0.5)
    benchmark.pedantic(
        model.monte_carlo, (wave,), {"domains": 100, "devices": 1000, "seed": 0}, rounds=3, warmup_rounds=1
    )
    record(
        "monte_carlo_1000_devices",
        benchmark.stats.stats.median,
        "s",
        "median of 3; 100 domains, half a triangle",
    )
