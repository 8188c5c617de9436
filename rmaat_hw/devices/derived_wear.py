"""What follows from wear and from time: life of cell and array, what is left of a state."""

from __future__ import annotations

import math
from typing import Any

from cost_models.ferroelectric.capacitor import FeramCell
from cost_models.ferroelectric.device import GATE_FAMILIES, has_gate_stack
from cost_models.ferroelectric.wear import Endurance, Wear, retained_polarization
from rmaat_hw.devices.derivation import CELL_SCORE, COLS, DAY, ROWS, TEN_YEARS, Derivation, Formula, Values
from rmaat_hw.devices.derived_levels import threshold_spacing

REPAIRABLE = 1e-3  # share of an array's cells
REWRITES, READS = 1.0, 1e6  # of one cell, a second
FIRST_READ = 1.0  # s after writing, from which a loss a decade counts

_HALF_WINDOW = "cycles_to_half_window"


def wear(d: Derivation) -> None:
    """Rows on cycles: none of a volatile cell, which is not worn out by design."""
    if d.has("write_time", "read_after_write_delay") and d.nominal["read_after_write_delay"] > 0.0:
        d.add(
            "first_valid_read",
            "s",
            lambda p: Wear.of(p).first_valid_read(p["write_time"]),
            "write_time + read_after_write_delay, from the start of the pulse",
            detail=has_gate_stack(d.nominal),
        )
    if d.is_set("volatile"):
        _refresh(d)
        return
    if d.has("memory_window", "window_closing", "window_closing_onset"):
        d.add(
            _HALF_WINDOW,
            "1",
            lambda p: Wear.of(p).cycles_to(p["memory_window"] / 2.0),
            "window_closing_onset·(10^(memory_window/2/window_closing) - 1)",
            remark=lambda found: _early(found["value"], d.nominal.get("endurance", math.inf)),
        )
    elif d.device.family in GATE_FAMILIES and d.has("memory_window"):
        how = "window over cycles"
        d.lack(_HALF_WINDOW, "1", how, "not known: no law of its closing was published")
    if d.has("endurance", "endurance_sigma"):
        d.add(
            "cycles_to_array_loss",
            "1",
            lambda p: Endurance(p["endurance"], p["endurance_sigma"]).cycles_to_failure(
                ROWS * COLS, REPAIRABLE
            ),
            f"first cell beyond {REPAIRABLE:.1%} that can be repaired, of {ROWS} × {COLS}; median",
        )
    if d.has("endurance"):
        d.add(
            "lifetime_of_rewrites",
            "s",
            lambda p: p["endurance"] / REWRITES,
            "endurance at one rewrite of the cell a second",
        )
    _destructive(d)
    _retention(d)


def _early(value: float, endurance: float) -> str:
    return f"sooner than its endurance of {endurance:g}" if value < endurance else ""


def _refresh(d: Derivation) -> None:
    if d.device.family == "gain_cell" and d.has("retention"):
        d.add(
            "refreshes_in_ten_years",
            "1",
            lambda p: TEN_YEARS / p["retention"],
            "10 years over retention",
        )
        if d.has("endurance"):
            d.add(
                "endurance_for_refreshes",
                "1",
                lambda p: TEN_YEARS / p["retention"] / p["endurance"],
                "refreshes_in_ten_years over endurance",
            )
    if d.has("storage_capacitance", "leakage_current"):
        d.add(
            "droop",
            "V/s",
            lambda p: p["leakage_current"] / p["storage_capacitance"],
            "leakage_current over storage_capacitance",
        )


def _destructive(d: Derivation) -> None:
    if not d.is_set("destructive_read"):
        return
    cycles = float(FeramCell.cycles(reads=1.0, writes=0.0))
    d.add(
        "cycles_of_a_read",
        "1",
        lambda p: cycles,
        "a read turns the film to tell its state and turns it back",
    )
    if d.has("endurance"):
        d.add(
            "lifetime_of_reads",
            "s",
            lambda p: p["endurance"] / (cycles * READS),
            "endurance at one read of the cell a microsecond",
        )


def _retention(d: Derivation) -> None:
    if d.has("drift_exponent", "drift_exponent_sigma", "drift_reference_time"):
        _drift(d)
        return
    name, years = "retention_loss_ten_years", "10 years"
    if d.has("retention_loss"):
        spacing, told = threshold_spacing(d)
        half = math.inf if spacing is None else float(spacing(d.nominal)) / 2.0
        conditions = d.device.parameters["retention_loss"].conditions
        d.add(
            name,
            "V",
            lambda p: Wear.of(p).threshold_loss(TEN_YEARS, FIRST_READ),
            f"retention_loss · log10({years}/1 s), counted from 1 s{', ' + conditions if conditions else ''}",
            remark=lambda found: f"more than half of {told}, {half:g} V" if found["value"] > half else "",
        )
    elif d.has("retention_time_constant", "retention_exponent"):
        d.add(
            name,
            "1",
            lambda p: 1.0 - _retained(p),
            f"1 - exp(-(t/tau)^b) of the polarization at {years}",
        )
    elif d.has("relaxation_sigma"):
        d.add(
            "relaxation_in_ten_years",
            "S",
            lambda p: p["relaxation_sigma"] * math.log(TEN_YEARS / DAY),
            "relaxation_sigma · ln(10 years/1 day): spread added after the first day",
        )
    else:
        stated = "no law of it"
        if d.has("retention"):
            stated += f", only that states hold for {_years(d.nominal['retention'])}"
        d.lack(
            name,
            "V" if d.device.family in GATE_FAMILIES else "1",
            "loss in 10 years",
            f"not known: the file has {stated}",
        )


def _retained(p: Values) -> Any:
    return retained_polarization(
        time=TEN_YEARS,
        initial=1.0,
        time_constant=p["retention_time_constant"],
        exponent=p["retention_exponent"],
    )


def _years(seconds: float) -> str:
    years = seconds / TEN_YEARS * 10.0
    if years >= 0.95:
        return f"{years:.2g} years"
    return f"{seconds / DAY:.2g} days" if seconds >= DAY else f"{seconds:,.0f} s"


def _drift(d: Derivation) -> None:
    reference, start = d.nominal["drift_reference_time"], d.told("drift_reference_time")

    def left(time: float) -> Formula:
        return lambda p: (
            (time / reference) ** -(p["drift_exponent"] + p["drift_exponent_sigma"] * p[CELL_SCORE])
        )

    for name, time, told in (("day", DAY, "a day"), ("ten_years", TEN_YEARS, "10 years")):
        d.add(
            f"conductance_left_{name}",
            "1",
            left(time),
            f"(t/t0)^-drift_exponent at {told}, t0 {start}; interval over levels and cells",
        )
    d.add(
        "drift_spread_ten_years",
        "1",
        lambda p: p["drift_exponent_sigma"] * math.log(TEN_YEARS / reference),
        "drift_exponent_sigma · ln(10 years/t0): spread over cells, relative",
    )
