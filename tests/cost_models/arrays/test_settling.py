"""Settling of RC lines: limits by hand, and the modes of a line cut into many sections."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import eigh
from tolerance import close

from cost_models.arrays.settling import RcLine

SECTIONS = 200


def sections(line: RcLine) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A line cut into sections, its terminal the first node: conductance, capacitance, rates, modes."""
    n = SECTIONS + 1
    g = SECTIONS / line.resistance
    k = np.zeros((n, n))
    for left in range(SECTIONS):
        # half a section lies between the terminal and the first node
        link = 2 * g if left == 0 else g
        k[left : left + 2, left : left + 2] += link * np.array([[1, -1], [-1, 1]])
    k[0, 0] += 1 / line.terminal_resistance
    k[np.arange(1, n), np.arange(1, n)] += line.conductance / SECTIONS
    c = np.full(n, line.capacitance / SECTIONS)
    c[0] = line.terminal_capacitance + 1e-9 * line.capacitance
    rates, modes = eigh(k, np.diag(c))
    return k, c, rates, modes


def settled(rates: np.ndarray, shares: np.ndarray, bits: int) -> float:
    """Last time at which Σ share·exp(−rate·t) of a final value of one is above 2^−(bits+1) [s]."""
    times = np.linspace(0.0, (bits + 3) / rates[0], 20001)
    error = np.abs(np.exp(-np.outer(times, rates[:60])) @ shares[:60])
    return float(times[np.nonzero(error > 2.0 ** -(bits + 1))[0][-1]])


def transient(line: RcLine, bits: int) -> tuple[float, float, float]:
    """Slowest time constant, settling of the open end after a step and of the terminal current [s]."""
    _, c, rates, modes = sections(line)
    driven = modes[-1] * (modes[0] / line.terminal_resistance) / rates
    drawn = modes[0] * (c[1:] @ modes[1:]) / rates
    return (
        1 / float(rates[0]),
        settled(rates, driven / driven.sum(), bits),
        settled(rates, drawn / drawn.sum(), bits),
    )


def test_limits_by_hand() -> None:
    # all resistance in the line: 4/π²·1 kΩ·100 fF = 40.5 ps; to 7 bits ln(4/π·256) = 5.787 of them
    line = RcLine(1e3, 1e-13, 0.0)
    assert line.time_constant == close(40.528e-12, rel=1e-4)
    assert line.far_end_settling(7) == close(40.528e-12 * 5.7868, rel=1e-4)
    assert line.terminal_settling(7) == close(40.528e-12 * math.log(8 / math.pi**2 * 256), rel=1e-4)
    # none in the line: R·(C + C_t), ln 2^8 time constants
    lumped = RcLine(0.0, 1e-13, 2e3, terminal_capacitance=3e-14)
    assert lumped.time_constant == close(2e3 * 1.3e-13)
    assert lumped.terminal_settling(7) == close(2.6e-10 * 8 * math.log(2), rel=1e-5)
    # cells that drain as much current as the terminal halve it
    assert RcLine(0.0, 1e-13, 2e3, conductance=5e-4).time_constant == close(1e-10)


@pytest.mark.parametrize("terminal", [10.0, 300.0, 1e3, 1e4])
@pytest.mark.parametrize("bits", [3, 8])
def test_driven_line_against_its_modes(terminal: float, bits: int) -> None:
    line = RcLine(1e3, 1e-13, terminal)
    slowest, far, foot = transient(line, bits)
    assert line.time_constant == close(slowest, rel=0.003)
    assert line.far_end_settling(bits) == close(far, rel=0.004)
    assert line.terminal_settling(bits) == close(foot, rel=0.004)


@pytest.mark.parametrize(
    ("capacitance", "conductance"), [(5e-14, 0.0), (2e-13, 1e-4), (0.0, 1e-3), (5e-13, 5e-3)]
)
def test_loaded_bit_line_against_its_modes(capacitance: float, conductance: float) -> None:
    """A capacitor at the converter and cells that conduct: amplitude of the slowest mode taken as without."""
    line = RcLine(1e3, 1e-13, 1e3, capacitance, conductance)
    slowest, _, foot = transient(line, 6)
    assert line.time_constant == close(slowest, rel=0.03)
    assert line.terminal_settling(6) == close(foot, rel=0.05)


@given(st.floats(1.0, 1e5), st.floats(1e-15, 1e-11), st.floats(1.0, 1e5), st.floats(1.01, 4.0))
def test_more_of_anything_settles_later(r: float, c: float, terminal: float, factor: float) -> None:
    base = RcLine(r, c, terminal)
    longer = (
        RcLine(r * factor, c, terminal),
        RcLine(r, c * factor, terminal),
        RcLine(r, c, terminal * factor),
    )
    for line in longer:
        assert line.time_constant > base.time_constant
        assert line.far_end_settling(6) > base.far_end_settling(6)
    assert RcLine(r, c, terminal, terminal_capacitance=c).time_constant > base.time_constant
    assert RcLine(r, c, terminal, conductance=1 / r).time_constant < base.time_constant
    assert base.terminal_settling(7) - base.terminal_settling(6) == close(
        float(base.time_constant) * math.log(2), rel=1e-6
    )


def test_floats_arrays_and_tensors_agree() -> None:
    def times(terminal: Any) -> list[Any]:
        line = RcLine(1e3, 1e-13, terminal, 1e-14, 1e-5)
        return [line.time_constant, line.far_end_settling(6), line.terminal_settling(6)]

    ohms = [1.0, 1e3, 1e5]
    tensor = torch.tensor(ohms, dtype=torch.float64, requires_grad=True)
    for single, many, torched in zip(
        zip(*(times(r) for r in ohms), strict=True), times(np.array(ohms)), times(tensor), strict=True
    ):
        assert many.tolist() == close([float(value) for value in single], rel=1e-12)
        assert torched.tolist() == close(many.tolist(), rel=1e-12)
    times(tensor)[2].sum().backward()
    assert tensor.grad is not None and bool(torch.all(tensor.grad > 0))
