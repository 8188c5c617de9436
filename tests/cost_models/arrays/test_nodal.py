"""Exact array currents: published solutions, a dense solve of path sums, charge and energy conserved."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.arrays.nodal import NodalSolution, solve_gated, solve_passive
from device_params.errors import InputError

#: Solutions of badcrossbar (MIT licence, commit 1c42e09): n, r of a segment, R_on, R_off [Ω], sum of all
#: column currents and the first four of them [A]. 0.5 V on a random quarter of the rows, the others at 0 V.
BADCROSSBAR = [
    (
        32,
        1.0,
        240000.0,
        24000000.0,
        0.0002352699228818315,
        (6.327111865765015e-06, 1.0448752305401747e-05, 8.387921548108636e-06, 8.385692510211439e-06),
    ),
    (
        32,
        1.0,
        6000.0,
        102000.0,
        0.00924100904753148,
        (0.0002590958558647256, 0.00041080819226646336, 0.00033486235795668746, 0.00033159593212679324),
    ),
    (
        64,
        1.0,
        240000.0,
        24000000.0,
        0.0013939994173557658,
        (2.3035344636613426e-05, 1.891613791899884e-05, 2.095719805313535e-05, 1.8928656095149607e-05),
    ),
    (
        64,
        1.0,
        6000.0,
        102000.0,
        0.047125280074264614,
        (0.0008572617697393031, 0.0007092977586141708, 0.00076074791745381, 0.0007249048755065498),
    ),
    (
        64,
        2.5,
        240000.0,
        24000000.0,
        0.0013816746279037664,
        (2.2933087920661978e-05, 1.8822593360672635e-05, 2.0832021861659306e-05, 1.8853631456440922e-05),
    ),
    (
        64,
        2.5,
        6000.0,
        102000.0,
        0.03683744616195983,
        (0.0007453723376809562, 0.0006096682800598431, 0.0006379504544064898, 0.0006392132266413856),
    ),
]


@pytest.mark.parametrize(("n", "r", "on", "off", "total", "first"), BADCROSSBAR)
def test_published_solutions(
    n: int, r: float, on: float, off: float, total: float, first: tuple[float, ...]
) -> None:
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2, (n, n))
    volts = (rng.random((n, 1)) < 0.25) * 0.5
    found = solve_passive(
        np.where(bits == 1, 1 / on, 1 / off), volts[:, 0], word_line_resistance=r, bit_line_resistance=r
    )
    assert found.column_currents.sum() == close(total, rel=1e-11)
    assert found.column_currents[:4] == close(np.array(first), rel=1e-11)


def test_one_cell_by_hand() -> None:
    # 1 V through 2 Ω of word line, 90 Ω and 8 Ω of bit line: 10 mA, 10 mW; 0.98 V and 0.08 V at the cell
    found = solve_passive([[1 / 90]], [1.0], word_line_resistance=2.0, bit_line_resistance=8.0)
    assert found.column_currents[0] == close(0.01)
    assert found.power == close(0.01)
    assert (found.source_voltage[0, 0], found.sink_voltage[0, 0]) == (close(0.98), close(0.08))
    # both ends of the word line: 1 Ω in their stead
    both = solve_passive(
        [[1 / 90]], [1.0], word_line_resistance=2.0, bit_line_resistance=8.0, both_sides=True
    )
    assert both.column_currents[0] == close(1 / 99)
    # gated: bit line, cell and source line are in series; the other row is open
    gated = solve_gated(
        [[1 / 5], [1 / 90]], [0, 1], read_voltage=1.0, bit_line_resistance=2.0, source_line_resistance=8.0
    )
    assert gated.column_currents[0] == close(0.01)
    # ... and 8 Ω more where the source line ends at the top
    top = solve_gated(
        [[1 / 5], [1 / 90]],
        [0, 1],
        read_voltage=1.0,
        bit_line_resistance=2.0,
        source_line_resistance=8.0,
        sources_at_top=True,
    )
    assert top.column_currents[0] == close(1 / 108)


def dense(cells: np.ndarray, volts: np.ndarray, r_word: float, r_bit: float) -> np.ndarray:
    """Column currents from loop-free path sums: (1 + G·(W + B))·i = G·V, every cell current an unknown.

    The drop at (i, j) is r_word·Σ min(j, k)·i_ik along the row and r_bit·Σ min(depth)·i_kj along the column.
    """
    rows, cols = cells.shape
    right = np.arange(1, cols + 1)
    depth = np.arange(rows, 0, -1)
    word = np.einsum("ik,jl->ijkl", np.eye(rows), r_word * np.minimum.outer(right, right))
    bit = np.einsum("ik,jl->ijkl", r_bit * np.minimum.outer(depth, depth), np.eye(cols))
    drop = (word + bit).reshape(rows * cols, rows * cols)
    g = cells.reshape(-1)
    ideal = g * np.repeat(volts, cols)
    current = np.linalg.solve(np.eye(g.size) + g[:, None] * drop, ideal)
    return current.reshape(rows, cols).sum(axis=0)


@given(
    st.integers(1, 6),
    st.integers(1, 6),
    st.floats(0.0, 1e3),
    st.floats(0.0, 1e3),
    st.integers(0, 2**32 - 1),
)
def test_small_arrays_against_a_dense_solve(
    rows: int, cols: int, r_word: float, r_bit: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cells, volts = 10.0 ** rng.uniform(-7, -3, (rows, cols)), rng.uniform(0.1, 1.0, rows)
    found = solve_passive(cells, volts, word_line_resistance=r_word, bit_line_resistance=r_bit)
    assert found.column_currents == close(dense(cells, volts, r_word, r_bit), rel=1e-8)


def dissipated(found: NodalSolution, cells: np.ndarray, lines: list[tuple[np.ndarray, int, float]]) -> float:
    """Power in cells and in wires between cells, plus what the given end segments take [W]."""
    power = float(np.sum(found.cell_currents**2 / cells))
    for voltage, axis, r in lines:
        power += float(np.sum(np.diff(voltage, axis=axis) ** 2)) / r
    return power


@given(st.integers(2, 20), st.integers(2, 20), st.booleans(), st.integers(0, 2**32 - 1))
def test_supplies_deliver_what_resistances_dissipate(
    rows: int, cols: int, both_sides: bool, seed: int
) -> None:
    """Tellegen: Σ V·I over the line ends is Σ I²·R over cells and segments, and no charge is lost."""
    rng = np.random.default_rng(seed)
    cells, volts = 10.0 ** rng.uniform(-6, -3, (rows, cols)), rng.uniform(0.0, 1.0, rows)
    found = solve_passive(
        cells, volts, word_line_resistance=3.0, bit_line_resistance=7.0, both_sides=both_sides
    )
    power = dissipated(found, cells, [(found.source_voltage, 1, 3.0), (found.sink_voltage, 0, 7.0)])
    power += float(np.sum((volts - found.source_voltage[:, 0]) ** 2)) / 3.0
    power += both_sides * float(np.sum((volts - found.source_voltage[:, -1]) ** 2)) / 3.0
    power += float(np.sum(found.sink_voltage[-1] ** 2)) / 7.0
    assert found.power == close(power, rel=1e-8)
    assert found.column_currents == close(found.cell_currents.sum(axis=0), rel=1e-8)


@pytest.mark.parametrize("sources_at_top", [False, True])
def test_a_gated_array_conserves_energy_and_charge(sources_at_top: bool) -> None:
    rng = np.random.default_rng(1)
    cells = 10.0 ** rng.uniform(-6, -4, (24, 5))
    found = solve_gated(
        cells,
        np.ones(24),
        read_voltage=0.3,
        bit_line_resistance=11.0,
        source_line_resistance=5.0,
        sources_at_top=sources_at_top,
    )
    # One supply: it delivers its voltage times all current.
    assert found.power == close(0.3 * found.column_currents.sum(), rel=1e-9)
    power = dissipated(found, cells, [(found.source_voltage, 0, 11.0), (found.sink_voltage, 0, 5.0)])
    power += float(np.sum((0.3 - found.source_voltage[-1]) ** 2)) / 11.0
    power += float(np.sum(found.sink_voltage[0 if sources_at_top else -1] ** 2)) / 5.0
    assert found.power == close(power, rel=1e-9)


def test_wires_without_resistance_lose_nothing() -> None:
    rng = np.random.default_rng(2)
    cells, volts = rng.random((7, 4)) * 1e-5, rng.random(7)
    ideal = volts @ cells
    nothing = solve_passive(cells, volts, word_line_resistance=0.0, bit_line_resistance=0.0)
    assert nothing.column_currents == close(ideal, rel=1e-12)
    assert nothing.power == close(float(np.sum(cells * volts[:, None] ** 2)), rel=1e-12)
    almost = solve_passive(cells, volts, word_line_resistance=1e-6, bit_line_resistance=0.0)
    assert almost.column_currents == close(ideal, rel=1e-6)
    gated = solve_gated(cells, volts > 0.5, read_voltage=1.0, bit_line_resistance=0.0)
    assert gated.column_currents == close((volts > 0.5) @ cells, rel=1e-12)


@given(st.floats(0.1, 50.0), st.floats(1.1, 10.0))
def test_more_resistance_never_gives_more_current(r: float, factor: float) -> None:
    cells = np.random.default_rng(3).random((10, 6)) * 1e-4
    low, high = (
        solve_gated(cells, np.ones(10), read_voltage=1.0, bit_line_resistance=value)
        for value in (r, r * factor)
    )
    assert (high.column_currents < low.column_currents).all()


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="do not fit together"):
        solve_passive(np.ones((3, 2)), np.ones(2), word_line_resistance=1.0, bit_line_resistance=1.0)
    with pytest.raises(InputError, match="0 or more"):
        solve_gated(np.ones((3, 2)), np.ones(3), read_voltage=1.0, bit_line_resistance=-1.0)
