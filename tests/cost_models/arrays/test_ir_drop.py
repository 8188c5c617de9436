"""Closed form of the IR drop: by hand, its limits, and the exact solution over a grid of arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.arrays.ir_drop import IrDrop, gated_ir_drop, passive_ir_drop
from cost_models.arrays.nodal import solve_gated, solve_passive


def gated(**changes: Any) -> IrDrop:
    values: dict[str, Any] = {
        "rows": 64,
        "cols": 64,
        "line_resistance": 2.0,
        "conductance_mean": 5e-6,
        "conductance_square": 5e-11,
        "conductance_max": 1e-5,
        "density": 0.5,
    }
    return gated_ir_drop(**values | changes)


def passive(**changes: Any) -> IrDrop:
    values: dict[str, Any] = {
        "rows": 64,
        "cols": 48,
        "word_line_resistance": 1.0,
        "bit_line_resistance": 2.0,
        "conductance_mean": 5e-6,
        "conductance_square": 5e-11,
        "density": 0.5,
    }
    return passive_ir_drop(**values | changes)


def test_first_order_by_hand() -> None:
    # two active rows of 1 µS each, 1 Ω: the near cell sees both currents over one segment, the far one both
    # over the first and its own over the second: (2 + 3)/2 µS·Ω
    found = gated(
        rows=2,
        cols=1,
        line_resistance=1.0,
        conductance_mean=1e-6,
        conductance_square=1e-12,
        conductance_max=1e-6,
        density=1.0,
    )
    assert found.mean == close(2.5e-6, rel=1e-5)
    assert found.worst == close(2.5e-6, rel=1e-5)
    # passive, two rows and three columns: bit lines as above; word lines Σ min(j, k) = 3 + 5 + 6 over 3
    cells = {"conductance_mean": 1e-6, "conductance_square": 1e-12, "density": 1.0}
    found = passive(rows=2, cols=3, word_line_resistance=1.0, bit_line_resistance=1.0, **cells)
    assert found.mean == close(2.5e-6 + 14e-6 / 3, rel=1e-4)
    assert found.worst == close(2.5e-6 + 6e-6, rel=1e-3)
    # driven from both sides: shared resistance min·(4 − max)/4, rows of 1.5, 2 and 1.5
    both = passive(
        rows=2, cols=3, word_line_resistance=1.0, bit_line_resistance=0.0, both_sides=True, **cells
    )
    assert both.mean == close(5e-6 / 3, rel=1e-4)
    assert both.worst == close(2e-6, rel=1e-3)


def test_uniform_arrays_against_the_exact_solution() -> None:
    """Without chance the closed form is that of a distributed line: a few per cent at drops of a half."""
    for r in (1.0, 10.0, 60.0):
        cells = np.full((64, 40), 1e-5)
        exact = solve_passive(cells, np.ones(64), word_line_resistance=2 * r, bit_line_resistance=r)
        loss = 1 - exact.column_currents / 64e-5
        found = passive(
            cols=40,
            word_line_resistance=2 * r,
            bit_line_resistance=r,
            conductance_mean=1e-5,
            conductance_square=1e-10,
            density=1.0,
        )
        assert found.mean == close(float(loss.mean()), rel=0.005)
        assert found.worst == close(float(loss.max()), rel=0.005)
        two = solve_passive(
            cells, np.ones(64), word_line_resistance=2 * r, bit_line_resistance=r, both_sides=True
        )
        loss = 1 - two.column_currents / 64e-5
        found = passive(
            cols=40,
            word_line_resistance=2 * r,
            bit_line_resistance=r,
            conductance_mean=1e-5,
            conductance_square=1e-10,
            density=1.0,
            both_sides=True,
        )
        assert found.mean == close(float(loss.mean()), rel=0.005)
        assert found.worst == close(float(loss.max()), rel=0.005)


def compare(kind: str, n: int, r: float, on: float, ratio: float, density: float) -> tuple[float, ...]:
    """Exact and closed-form loss, mean over columns and worst column, of square arrays of random bits.

    The mean needs many draws of active rows. Columns of a gated array do not see one another, so that each
    may have rows of its own; a passive array is linear in its inputs: all ones give the mean over inputs.
    """
    high, low = 1 / on, 1 / on / ratio
    rng = np.random.default_rng(0)

    def random_bits(cols: int) -> Any:
        return np.where(rng.random((n, cols)) < 0.5, high, low)

    if kind == "gated":
        cells = random_bits(32000 // n)
        cells *= rng.random(cells.shape) < density
        exact = solve_gated(
            cells, np.ones(n), read_voltage=1.0, bit_line_resistance=r, source_line_resistance=r
        )
        mean = 1 - exact.column_currents.sum() / cells.sum()
    worst, losses = [], []
    least = 2 if kind == "passive" else 12
    for _ in range(max(least, (6400 if kind == "passive" else 80_000) // n**2)):
        cells = random_bits(n)
        rows = (rng.random(n) < density) * 1.0
        if not rows.any():
            continue
        if kind == "gated":
            exact = solve_gated(
                cells, rows, read_voltage=1.0, bit_line_resistance=r, source_line_resistance=r
            )
        else:
            exact = solve_passive(cells, np.ones(n), word_line_resistance=r, bit_line_resistance=r)
            losses.append(1 - exact.column_currents.sum() / cells.sum())
            if density < 1.0:
                exact = solve_passive(cells, rows, word_line_resistance=r, bit_line_resistance=r)
        worst.append(float(np.max(1 - exact.column_currents / (rows @ cells))))
    if kind == "passive":
        mean = np.mean(losses)
    statistics = {
        "rows": n,
        "cols": n,
        "density": density,
        "conductance_mean": (high + low) / 2,
        "conductance_square": (high**2 + low**2) / 2,
    }
    found = (
        gated_ir_drop(line_resistance=2 * r, conductance_max=high, **statistics)
        if kind == "gated"
        else passive_ir_drop(word_line_resistance=r, bit_line_resistance=r, **statistics)
    )
    return float(mean), float(found.mean), float(np.mean(worst)), float(found.worst)


#: Least number of active rows from which the worst column is claimed.
LEAST_ROWS = {"gated": 8, "passive": 4}


def check(kind: str, sizes: tuple[int, ...], densities: tuple[float, ...]) -> None:
    """Mean and worst column of all arrays that lose at most 10 %; prints how far the closed form is off."""
    means, worsts = [], []
    for n in sizes:
        for r in (0.1, 1.0, 10.0):
            for on, ratio in ((6e3, 17.0), (1e5, 3.0), (1e5, 100.0), (1e7, 100.0)):
                for density in densities:
                    mean, told, worst, told_worst = compare(kind, n, r, on, ratio, density)
                    if mean <= 0.1:
                        means.append(abs(told / mean - 1))
                    if worst <= 0.1 and density * n >= LEAST_ROWS[kind]:
                        worsts.append(abs(told_worst / worst - 1))
    for name, errors in (("mean over columns", means), ("worst column", worsts)):
        most, median = max(errors), float(np.median(errors))
        print(f"\n{kind}, {name}: {len(errors)} arrays, off by {most:.1%} at worst, median {median:.1%}")
    assert max(means) <= 0.15
    assert max(worsts) <= 0.15


@pytest.mark.parametrize("kind", ["gated", "passive"])
def test_small_arrays_within_fifteen_per_cent(kind: str) -> None:
    check(kind, (32,), (0.5,))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["gated", "passive"])
def test_grid_within_fifteen_per_cent(kind: str) -> None:
    check(kind, (16, 64, 128, 256) + ((512,) if kind == "gated" else ()), (0.1, 0.3, 1.0))


def residue(ideal: np.ndarray, real: np.ndarray) -> float:
    """Standard deviation left after the best straight line, over that of the line."""
    slope, offset = np.polyfit(ideal, real, 1)
    return float(np.std(real - slope * ideal - offset) / (slope * np.std(ideal)))


@pytest.mark.parametrize(
    ("n", "ratio", "density", "r"), [(64, 100.0, 0.5, 5.0), (64, 3.0, 0.5, 5.0), (128, 100.0, 1.0, 1.0)]
)
def test_spread_that_a_gain_correction_leaves(n: int, ratio: float, density: float, r: float) -> None:
    rng = np.random.default_rng(0)
    high, low = 1e-5, 1e-5 / ratio
    cells = np.where(rng.random((n, 2000)) < 0.5, high, low) * (rng.random((n, 2000)) < density)
    exact = solve_gated(cells, np.ones(n), read_voltage=1.0, bit_line_resistance=r, source_line_resistance=r)
    found = gated(
        rows=n,
        line_resistance=2 * r,
        density=density,
        conductance_mean=(high + low) / 2,
        conductance_square=(high**2 + low**2) / 2,
        conductance_max=high,
    )
    assert found.spread == close(residue(cells.sum(axis=0), exact.column_currents), rel=0.15)


@pytest.mark.parametrize(
    ("density", "r_word", "r_bit"), [(0.5, 0.0, 10.0), (0.1, 0.0, 10.0), (0.5, 5.0, 0.0)]
)
def test_spread_of_a_passive_array(density: float, r_word: float, r_bit: float) -> None:
    rng = np.random.default_rng(0)
    cols = 6 if r_word == 0.0 else 48
    ideal, real = [], []
    for _ in range(200):
        cells = np.where(rng.random((64, cols)) < 0.5, 1e-5, 1e-7)
        rows = (rng.random(64) < density) * 1.0
        exact = solve_passive(cells, rows, word_line_resistance=r_word, bit_line_resistance=r_bit)
        ideal.append(rows @ cells)
        real.append(exact.column_currents)
    a, b = np.array(ideal), np.array(real)
    left = np.sqrt(np.mean([residue(a[:, j], b[:, j]) ** 2 for j in range(cols)]))
    found = passive(
        cols=cols,
        word_line_resistance=r_word,
        bit_line_resistance=r_bit,
        density=density,
        conductance_mean=5.05e-6,
        conductance_square=5.0005e-11,
    )
    assert found.spread == close(float(left), rel=0.15)


@given(st.floats(1e-9, 0.3), st.floats(1.01, 3.0))
def test_loss_grows_with_everything_that_loads_a_line(size: float, factor: float) -> None:
    r = size / (5e-6 * 64**2)
    base = gated(line_resistance=r)
    assert 0 < base.mean < base.worst < 1
    assert gated(line_resistance=r * factor).mean > base.mean
    assert gated(line_resistance=r, rows=64 * factor).mean > base.mean
    assert gated(line_resistance=r, density=min(1.0, 0.5 * factor)).mean > base.mean
    assert gated(line_resistance=r, cols=64 * factor).worst > base.worst
    crossed = passive(word_line_resistance=r, bit_line_resistance=r)
    assert passive(word_line_resistance=r * factor, bit_line_resistance=r).worst > crossed.worst
    assert passive(word_line_resistance=r, bit_line_resistance=r * factor).mean > crossed.mean
    assert passive(word_line_resistance=r, bit_line_resistance=r, both_sides=True).mean < crossed.mean


def test_no_resistance_loses_nothing_and_large_losses_are_marked() -> None:
    none = passive(word_line_resistance=0.0, bit_line_resistance=0.0)
    assert (none.mean, none.worst, none.spread) == (0, 0, 0)
    found = gated(line_resistance=np.array([1.0, 25.0, 60.0]))
    assert found.worst.tolist() == sorted(found.worst.tolist())
    assert found.flagged.tolist() == [0, 1, 1]
    assert found.infeasible.tolist() == [0, 0, 1]


def test_floats_arrays_and_tensors_agree() -> None:
    resistances = [1e-4, 1.0, 30.0]
    for build, name in ((gated, "line_resistance"), (passive, "bit_line_resistance")):
        one = [build(**{name: r}) for r in resistances]
        many = build(**{name: np.array(resistances)})
        tensor = torch.tensor(resistances, dtype=torch.float64, requires_grad=True)
        torched = build(**{name: tensor})
        for part in ("mean", "worst", "spread"):
            values = [float(getattr(found, part)) for found in one]
            assert getattr(many, part).tolist() == close(values, rel=1e-12)
            assert getattr(torched, part).tolist() == close(values, rel=1e-12)
        torched.worst.sum().backward()
        assert tensor.grad is not None
        assert bool(torch.all(tensor.grad > 0)) and bool(torch.isfinite(tensor.grad).all())
