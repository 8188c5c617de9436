"""Study of the astrocyte dynamics: retention factors two ways, tables, screen and run folder."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from device_params.errors import InputError
from rmaat_hw import runs
from rmaat_hw.model.astrocyte import ATOL, RTOL, Floats, Simulation, simulate
from rmaat_hw.model.astrocyte_constants import EQUATIONS, SOURCES, AstrocyteConstants
from rmaat_hw.model.config import RETENTION_KINDS, RETENTION_SOURCES
from rmaat_hw.model.retention import SATURATION, retention_factors

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

LENGTHS = (2, 4, 8, 16)  # segments of the curves that are always drawn
MOST_CYCLES = 100  # of the dynamics that are drawn and listed; the factors may have more
MOST_ROWS = 16  # of the table on the screen; the files have them all
PLACES = {"corner": (0, 0), "edge": (0, 1), "centre": (1, 1)}  # one synapse of each kind of the 3 × 3 grid
DOCUMENT, DYNAMICS, FACTORS, INCREMENTS = (
    "astrocyte.json",
    "dynamics.csv",
    "factors.csv",
    "increments.csv",
)


@dataclass(frozen=True, eq=False)
class Study:
    """Dynamics over ``cycles`` cycles, and what ``segments`` segments retain in one regime."""

    segments: int
    regime: str
    rate: float
    """Leak r of the long-term process over a cycle in the dynamics and the increments: the one asked
    for, or 2.4 / segments where the curve is stretched."""
    fixed_rate: float
    """Leak of the curves of "fixed"."""
    dynamics: Simulation
    longer: Simulation
    """The same over at least 16 and at least ``segments`` cycles, at the edges of their phases."""
    curves: Mapping[tuple[str, int, str], Floats]
    """Factors by regime, number of segments and source."""

    @property
    def closed_form(self) -> Floats:
        return self.curves[self.regime, self.segments, "closed_form"]

    @property
    def simulated(self) -> Floats:
        return self.curves[self.regime, self.segments, "simulated"]

    @property
    def deviations(self) -> Floats:
        """Ratio of the increments of two successive cycles over exp(-r), less 1."""
        expected = math.exp(-self.rate)
        return self.longer.ratios / expected - 1.0 if expected else np.full_like(self.longer.ratios, np.nan)


def study(segments: int = 16, *, rate: float = 0.2, regime: str = "fixed", cycles: int = 6) -> Study:
    """Simulate the dynamics and the factors of every regime.

    Args:
        segments: T of the table, 1 to 1000.
        rate: r of "fixed", and of the dynamics in "fixed" and "uniform".
        regime: see :func:`rmaat_hw.model.retention_factors`.
        cycles: cycles of the dynamics, 1 to 100.

    Raises:
        InputError: a value outside its range.
    """
    if isinstance(cycles, bool) or not isinstance(cycles, int) or not 1 <= cycles <= MOST_CYCLES:
        raise InputError(
            "bad number of cycles", value=cycles, allowed=f"a whole number from 1 to {MOST_CYCLES}"
        )
    wanted = dict.fromkeys([(regime, segments), *itertools.product(RETENTION_KINDS, (*LENGTHS, segments))])
    curves = {
        (kind, length, source): retention_factors(length, rate=rate, regime=kind, source=source)
        for kind, length in wanted
        for source in RETENTION_SOURCES
    }
    leak = SATURATION / segments if regime == "stretch" else rate
    constants = AstrocyteConstants().with_rate(leak)
    return Study(
        segments=segments,
        regime=regime,
        rate=leak,
        fixed_rate=rate,
        dynamics=simulate(constants, cycles=cycles),
        longer=simulate(constants, cycles=max(segments, cycles, LENGTHS[-1]), samples=1),
        curves=curves,
    )


def document(study: Study) -> dict[str, Any]:
    """The study as plain values, ready for JSON; what a float64 cannot hold is null."""
    run = study.dynamics
    return {
        "command": "astrocyte",
        "schema_version": 1,
        "segments": study.segments,
        "regime": study.regime,
        "rate": study.rate,
        "cycle_s": run.constants.cycle_s,
        "factors": [
            {"segment": t, "closed_form": a, "simulated": b, "difference": b - a}
            for t, (a, b) in enumerate(_pairs(study.closed_form, study.simulated), start=1)
        ],
        "capacity": {
            "closed_form": float(study.closed_form.sum()),
            "simulated": float(study.simulated.sum()),
            "filled": -math.expm1(-study.rate * study.segments),
        },
        "increments": [_plain(row) for row in increments_frame(study).to_dict("records")],
        "short_term_peaks": {name: float(run.short_term_peaks[place]) for name, place in PLACES.items()},
        "equations": [asdict(equation) for equation in EQUATIONS],
        "constants": run.constants.described(),
        "initial_state": "rest: every quantity 0 at time 0",
        "arrangement": {
            "synapses": "3 x 3 grid of unit spacing",
            "marks": "3 x 3: STATED; grid: RECOMMENDED",
        },
        "mean": "increments and p_long are means over the nine synapses",
        "solver": {
            "method": "LSODA, one call per phase of the drive",
            "rtol": RTOL,
            "atol": ATOL,
            "evaluations": run.evaluations,
        },
        "sources": SOURCES,
        "files": {
            DYNAMICS: "course of every quantity; drive holds from its time on",
            FACTORS: "factors of every regime for 2, 4, 8, 16 and the segments asked for",
            INCREMENTS: "growth of p_long by cycle",
        },
    }


def dynamics_frame(study: Study) -> pd.DataFrame:
    """One row a time; numbers of neurons and synapses from 1, the postsynaptic one first."""
    import pandas as pd

    run = study.dynamics
    columns: dict[str, Floats] = {"time_s": run.time_s, "drive": run.drive}
    for name, course in (("x_pre", run.presynaptic), ("x_post", run.postsynaptic)):
        columns |= {f"{name}_{k + 1}": course[:, k] for k in range(course.shape[1])}
    for name, course in (("s", run.synapse), ("p_short", run.short_term), ("p_long", run.long_term)):
        posts, pres = course.shape[1:]
        columns |= {f"{name}_{i + 1}_{j + 1}": course[:, i, j] for i in range(posts) for j in range(pres)}
    return pd.DataFrame(columns)


def factors_frame(study: Study) -> pd.DataFrame:
    """One row a regime, number of segments and segment."""
    import pandas as pd

    rows = []
    for (kind, length, source), closed in study.curves.items():
        if source == "closed_form":
            simulated = study.curves[kind, length, "simulated"]
            for t, (a, b) in enumerate(_pairs(closed, simulated), start=1):
                rows.append((kind, length, t, a, b, b - a))
    columns = ["regime", "segments", "segment", "closed_form", "simulated", "difference"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["regime", "segments", "segment"], ignore_index=True)


def increments_frame(study: Study) -> pd.DataFrame:
    """One row a cycle: p^l at its end, its growth, the ratio to the growth before and exp(-r)."""
    import pandas as pd

    run = study.longer
    count = len(run.increments)
    return pd.DataFrame(
        {
            "cycle": np.arange(1, count + 1),
            "end_time_s": run.constants.cycle_s * np.arange(1, count + 1),
            "p_long": run.cycle_ends.mean(axis=(1, 2)),
            "increment": run.increments,
            "ratio": np.append(np.nan, run.ratios),
            "expected_ratio": math.exp(-study.rate),
            "deviation": np.append(np.nan, study.deviations),
        }
    )


def save_study(study: Study, *, out: Path | str | None = None, options: Mapping[str, Any]) -> Path:
    """Write document, tables and figure to a run folder and return it."""
    from rmaat_hw.report.astrocyte_figure import draw
    from rmaat_hw.report.figures import to_file

    figure = draw(study)
    with runs.run_folder("astrocyte", json.dumps(dict(options), sort_keys=True), out) as folder:
        folder.write(DOCUMENT, runs.to_json_text(document(study)))
        for name, frame in (
            (DYNAMICS, dynamics_frame(study)),
            (FACTORS, factors_frame(study)),
            (INCREMENTS, increments_frame(study)),
        ):
            folder.write(name, frame.to_csv(index=False, float_format="%.10g"))
        for kind in ("svg", "png"):
            folder.write(f"astrocyte.{kind}", to_file(figure, kind))
        folder.write_manifest(command="astrocyte", options=options, seeds={})
    return folder.path


def show_study(console: Console, study: Study, folder: str) -> None:
    """Print the table and what stands behind it on one screen."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    grid = Table(box=None, header_style="dim", padding=(0, 2, 0, 0), pad_edge=False)
    for name in ("t", "closed form", "simulated", "difference", "growth Δpˡ", "ratio / exp(-r) - 1"):
        grid.add_column(name, justify="right", no_wrap=True)
    growth, deviations = study.longer.increments, np.append(np.nan, study.deviations)
    for t, (a, b) in enumerate(_pairs(study.closed_form, study.simulated)):
        if t == MOST_ROWS:
            break
        deviation = "" if np.isnan(deviations[t]) else f"{100 * deviations[t]:+.3f} %"
        grid.add_row(str(t + 1), f"{a:.5f}", f"{b:.5f}", f"{b - a:+.5f}", f"{growth[t]:.4g}", deviation)
    c = study.dynamics.constants
    console.print(Text(f"Retention factors, T = {study.segments}, {study.regime}", style="bold"))
    console.print(
        Text(
            f"r = {study.rate:.4g}, exp(-r) = {math.exp(-study.rate):.4f}; cycles of {c.cycle_s:g} s, "
            f"long-term time constant {c.tau_long_s:.4g} s",
            style="dim",
        )
    )
    console.print(Padding(grid, (1, 0)))
    for line in _lines(study):
        console.print(Text(line))
    console.print(Text.assemble("Figure and tables: ", (folder, "bold")))


def _lines(study: Study) -> list[str]:
    lines = []
    if study.segments > MOST_ROWS:
        lines.append(f"… {study.segments - MOST_ROWS} more segments in {FACTORS}")
    sums = f"closed form {study.closed_form.sum():.6f}, simulated {study.simulated.sum():.6f}"
    if study.regime == "uniform":
        lines.append(f"Capacity: {sums}; uniform factors do not share it out (ablation)")
    else:
        filled = -math.expm1(-study.rate * study.segments)
        lines.append(f"Capacity: {sums}; {100 * filled:.1f} % of the long-term process filled")
    known = np.abs(study.deviations[np.isfinite(study.deviations)])
    if len(known) > 1:
        lines.append(
            f"Start-up: the first ratio of increments is {100 * known[0]:.1f} % off exp(-r), "
            f"the later ones at most {100 * known[1:].max():.2f} %"
        )
    ends = study.dynamics.cycle_ends.mean(axis=(1, 2))
    shown = ", ".join(f"{value:.3f}" for value in ends[:8]) + (" …" if len(ends) > 8 else "")
    peaks = study.dynamics.short_term_peaks
    lines += [
        f"pˡ at the ends of cycles, mean of 9 synapses: {shown}",
        "Peaks of pˢ: " + ", ".join(f"{name} {peaks[place]:.3f}" for name, place in PLACES.items()),
        "Constants are RECOMMENDED (the paper's are unknown); equations, marks and sources: " + DOCUMENT,
    ]
    return lines


def _pairs(closed: Floats, simulated: Floats) -> list[tuple[float, float]]:
    return list(zip(closed.tolist(), simulated.tolist(), strict=True))


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """A row without NaN, which JSON has not."""
    return {str(k): None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}
