"""Numbers behind the figure of a device: its levels, how they wear and how they hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.ferroelectric.device import GATE_FAMILIES, gate_of
from cost_models.ferroelectric.waveform import Floats
from cost_models.ferroelectric.wear import STRETCHED_EXPONENTIAL_FROM, Wear, wake_up
from device_params.schema import NORMAL_SCORE_95, ComponentFile, Parameter
from rmaat_hw.report.device_panels import Panel, Part, Unknown, band, brief, power, switching_law
from rmaat_hw.report.numbers import duration

if TYPE_CHECKING:
    import pandas as pd

#: Cells of the array whose first failure is told.
ARRAY_CELLS = 128 * 128

_FIRST_READ = 1.0  # s: what a loss a decade counts from
_POINTS = 121
_WIDE = 4.0  # standard deviations that a distribution is drawn to
_EXAMPLE_LEVELS = 4  # where a file does not say how many

#: States that stand for themselves, in the order in which they are looked for.
_STATES: tuple[tuple[str, ...], ...] = (
    ("off_current", "on_current"),
    ("on_resistance", "off_resistance"),
    ("minimum_conductance", "maximum_conductance"),
    ("memory_window",),
    ("capacitance_off", "capacitance_on"),
    ("capacitance_ratio",),
    ("on_off_ratio",),
    ("capacitance_window",),
    ("remanent_polarization",),
    ("on_current_density",),
    ("maximum_conductance",),
)
_CAPACITORS = ("feram", "fecap", "memcapacitor")


def levels(device: ComponentFile) -> list[Part]:
    """Distributions of the stored levels; where no spread is known, the states alone."""
    if device.family == "ferroelectric_film":
        return []
    p = device.parameters.nominal()
    found = _thresholds(device) if device.family in GATE_FAMILIES else None
    found = found or _normals(device, p)
    if found is not None:
        return [found]
    lacking: tuple[str, ...] = () if device.family in _CAPACITORS else ("on_current_sigma",)
    unknown = Unknown(
        "spread of the levels", ("threshold_sigma",) if device.family in GATE_FAMILIES else lacking
    )
    if isinstance(switching_law(device), Unknown | None):
        states = _states(device)
        return [unknown] if states is None else [states, unknown]
    return [unknown]


def _thresholds(device: ComponentFile) -> Panel | None:
    """Threshold distributions: what verification tolerates, and what domains give without it."""
    import pandas as pd

    p = device.parameters.nominal()
    stacked = not isinstance(switching_law(device), Unknown) and {"gate_area", "grain_size"} <= set(p)
    window = p.get("memory_window", p.get("saturated_window"))
    if window is None or not (stacked or "threshold_sigma" in p):
        return None
    count = _count(p, _EXAMPLE_LEVELS)
    offsets = window * (np.arange(count) / (count - 1) - 0.5)
    middles = offsets + p.get("threshold_center", 0.0)
    frames, notes = [], []
    if "threshold_sigma" in p:
        sigmas = np.full(count, p["threshold_sigma"])
        frames.append(_distributions("verified", middles, sigmas, "threshold_V", "density_per_V"))
        notes.append(f"filled: verified, σ = {brief(p['threshold_sigma'], 'V')}")
    if stacked:
        gate = gate_of(p)
        shares = np.clip(0.5 - offsets / p["saturated_window"], 0.0, 1.0)
        sigmas = np.asarray(gate.threshold_sigma(shares))
        frames.append(_distributions("open loop", middles, sigmas, "threshold_V", "density_per_V"))
        domains = float(np.asarray(gate.domains))
        notes.append(
            f"lines: open loop, {domains:.0f} domain{'s' if domains >= 1.5 else ''}, "
            f"σ up to {brief(float(sigmas.max()), 'V')}"
        )
    if "bits" not in p and "levels" not in p:
        notes.append("four levels for example")
    marks = {} if "threshold_center" in p else {"centered": 1.0}
    return Panel("levels", "Threshold of the stored levels", pd.concat(frames), "; ".join(notes), marks)


def _count(p: Mapping[str, float], default: int) -> int:
    """Levels of a cell, two at least."""
    return max(2, int(p.get("levels", 2.0 ** p["bits"] if "bits" in p else default)))


def _distributions(kind: str, means: Floats, sigmas: Floats, column: str, density: str) -> pd.DataFrame:
    """Normal densities over ±4 σ, one after the other; a level without spread is a stroke of two points."""
    import pandas as pd

    rows = []
    z = np.linspace(-_WIDE, _WIDE, _POINTS)
    for level, (mean, sigma) in enumerate(zip(means.tolist(), sigmas.tolist(), strict=True)):
        score = z if sigma > 0.0 else np.zeros(2)
        relative = np.exp(-(score**2) / 2.0) if sigma > 0.0 else np.asarray([0.0, 1.0])
        columns = {
            "kind": kind,
            "level": level,
            column: mean + sigma * score,
            density: relative / (sigma * np.sqrt(2.0 * np.pi)) if sigma > 0.0 else np.nan,
            "relative_density": relative,
        }
        rows.append(pd.DataFrame(columns))
    return pd.concat(rows)


def _normals(device: ComponentFile, p: Mapping[str, float]) -> Panel | None:
    """Distributions of a current, a conductance or a ratio, as far as the file gives a spread."""
    found = _level_spread(device, p)
    if found is None:
        return None
    column, what, means, sigmas, note = found
    unit = column.rpartition("_")[2]
    density = "density" if unit == "1" else f"density_per_{unit}"
    frame = _distributions("cells", np.asarray(means), np.asarray(sigmas), column, density)
    return Panel("levels", what, frame, note)


def _level_spread(
    device: ComponentFile, p: Mapping[str, float]
) -> tuple[str, str, list[float], list[float], str] | None:
    """Column, title, mean and standard deviation of every level, and what to say of them."""
    if {"maximum_current", "programming_sigma", "programming_scale"} <= set(p):
        means = np.linspace(0.0, p["maximum_current"], _EXAMPLE_LEVELS)
        sigmas = p["programming_sigma"] * -np.expm1(-means / p["programming_scale"])
        note = "four levels for example; σ of the fit over the current"
        return "current_A", "Current of the stored levels", means.tolist(), sigmas.tolist(), note
    if {"maximum_conductance", "programming_sigma", "on_current_sigma"} <= set(p):
        top = p["maximum_conductance"]
        note = "middle of the range and highest level, after programming"
        sigmas_ = [p["programming_sigma"], top * p["on_current_sigma"]]
        return "conductance_S", "Conductance of the stored levels", [top / 2.0, top], sigmas_, note
    for column, top_name, low_name in (
        ("current_A", "on_current", "off_current"),
        ("conductance_S", "maximum_conductance", "minimum_conductance"),
    ):
        if not {top_name, "on_current_sigma"} <= set(p):
            continue
        top = p[top_name]
        low = p.get(low_name, top / p["on_off_ratio"] if "on_off_ratio" in p else 0.0)
        count = _count(p, 2)
        sigmas_ = [0.0] * (count - 1) + [top * p["on_current_sigma"]]
        note = f"σ = {brief(sigmas_[-1], column[-1])}, known of the highest level only"
        what = "Current" if column == "current_A" else "Conductance"
        return column, f"{what} of the stored levels", np.linspace(low, top, count).tolist(), sigmas_, note
    if {"on_off_ratio", "on_off_ratio_sigma"} <= set(p):
        ratio = p["on_off_ratio"]
        spread = device.parameters["on_off_ratio_sigma"]
        note = "; ".join(t for t in (f"σ = {100 * spread.value:g} %", spread.conditions) if t)
        return "ratio_1", "Ratio of on to off current", [ratio], [ratio * spread.value], note
    if {"update_step", "update_step_sigma"} <= set(p):
        step = p["update_step"]
        note = "one device, from pulse to pulse"
        return "update_1", "One update over the range", [step], [step * p["update_step_sigma"]], note
    return None


def _states(device: ComponentFile) -> Panel | None:
    whole = [names for names in _STATES if set(names) <= set(device.parameters)]
    some = [names for names in _STATES if set(names) & set(device.parameters)]
    chosen = next(iter(whole or some), None)
    if chosen is None:
        return None
    known = [device.parameters[name] for name in chosen if name in device.parameters]
    alone = known[0].name.replace("_", " ").replace("on off", "on/off").capitalize()
    return bars("states", "States" if len(known) > 1 else alone, known)


def bars(name: str, title: str, parameters: list[Parameter], *notes: str) -> Panel:
    """Numbers of the file with their intervals, one row each; ``notes`` stand in place of their basis."""
    import pandas as pd

    rows = [
        {
            "parameter": q.name,
            "value": q.value,
            "low": q.low,
            "high": q.high,
            "unit": q.unit,
            "basis": q.basis,
        }
        for q in parameters
    ]
    told = dict.fromkeys((*(notes or [q.basis for q in parameters]), *(q.conditions for q in parameters)))
    return Panel(name, title, pd.DataFrame(rows), "; ".join(line for line in told if line))


def wear(device: ComponentFile) -> list[Part]:
    """Window or polarization against cycles, else the endurance alone."""
    p = device.parameters.nominal()
    worn = Wear.of(p)
    stated = device.parameters.get("endurance")
    note = ""
    if worn.cells is not None:
        first = float(np.asarray(worn.cells.cycles_to_failure(ARRAY_CELLS, 0.0)))
        note = f"first of {ARRAY_CELLS:,} cells fails after {power(float(f'{first:.2g}'))} cycles"
    marks = {} if stated is None else {"value": stated.value, "low": stated.low, "high": stated.high}
    if worn.window(1.0) is not None:
        names = ("memory_window", "window_closing", "window_closing_onset")
        last = 10.0 * (p["window_closing_onset"] * 1e6 if stated is None else stated.high)
        frame = _course(device, names, _window, np.geomspace(1.0, last, _POINTS), "cycles", "memory_window_V")
        return [Panel("window_over_cycles", "Memory window over write cycles", frame, note, marks)]
    if {"remanent_polarization", "wake_up_cycles", "wake_up_gain"} <= set(p):
        return [_woken(device, marks, note)]
    if stated is None:
        gated = device.family in GATE_FAMILIES
        return [Unknown("window against cycles" if gated else "endurance", ("endurance",))]
    bound = "a lower bound" if "lower bound" in stated.note.lower() else ""
    return [bars("endurance", "Endurance", [stated], stated.basis, bound, note)]


def _window(v: Mapping[str, Any], cycles: Floats) -> Any:
    return Wear.of(v).window(cycles)


def _loss(v: Mapping[str, Any], time: Floats) -> Any:
    return Wear.of(v).threshold_loss(time, _FIRST_READ)


def _retained(v: Mapping[str, Any], time: Floats) -> Any:
    return Wear.of(v).retained(time)


def _woken(device: ComponentFile, marks: dict[str, float], note: str) -> Panel:
    """Polarization over cycles: the file's is that of the woken film; up to where fatigue begins."""
    p = device.parameters.nominal()
    names = ["remanent_polarization", "wake_up_cycles", "wake_up_gain"]
    fatigued = {"fatigue_onset", "fatigue_loss"} <= set(p)
    onset = device.parameters.get("fatigue_onset")
    last = 1e3 * p["wake_up_cycles"] if onset is None else onset.value
    if fatigued:
        names += ["fatigue_onset", "fatigue_loss"]
        last *= 1e4

    def law(v: Mapping[str, Any], n: Floats) -> Any:
        fresh = v["remanent_polarization"] / v["wake_up_gain"]
        if fatigued:
            return Wear.of(v).polarization(n, fresh)
        gain = v["remanent_polarization"] - fresh
        return wake_up(cycles=n, fresh=fresh, gain=gain, onset=v["wake_up_cycles"], exponent=1.0)

    column = "remanent_polarization_C_per_m2"
    frame = _course(device, tuple(names), law, np.geomspace(1.0, last, _POINTS), "cycles", column)
    basis = device.parameters["wake_up_gain"].basis
    told = [*([note] if note else []), f"wake-up {basis}, the film of the file taken as woken"]
    if onset is not None and not fatigued:
        marks = {**marks, "fatigue": onset.value, "fatigue_low": onset.low, "fatigue_high": onset.high}
        told.append("grey: fatigue begins, at an unknown rate")
    return Panel("polarization_over_cycles", "Polarization over cycles", frame, "; ".join(told), marks)


def _course(
    device: ComponentFile, names: tuple[str, ...], law: Any, x: Floats, axis: str, column: str
) -> pd.DataFrame:
    """A law at the nominal parameters with its 5–95 % band over their intervals."""
    import pandas as pd

    chosen = {name: device.parameters[name] for name in names}
    low, high = band(chosen, lambda drawn: law(drawn, x))
    value = law({name: q.value for name, q in chosen.items()}, x)
    return pd.DataFrame({axis: x, column: value, f"low_{column}": low, f"high_{column}": high})


def holding(device: ComponentFile) -> list[Part]:
    """What is lost over time: threshold, polarization or conductance; else for how long the states hold."""
    p = device.parameters.nominal()
    stated = device.parameters.get("retention")
    if "retention_loss" in p:
        loss = device.parameters["retention_loss"]
        times = np.geomspace(_FIRST_READ, 1e5 if stated is None else max(stated.value, 10.0), _POINTS)
        frame = _course(device, ("retention_loss",), _loss, times, "time_s", "threshold_loss_V")
        marks = {"half_spacing_V": p["level_spacing"] / 2.0} if "level_spacing" in p else {}
        note = "; ".join(t for t in (loss.conditions, f"counted from {brief(_FIRST_READ, 's')}") if t)
        return [Panel("retention", "Threshold lost over time", frame, note, marks)]
    if {"retention_time_constant", "retention_exponent"} <= set(p):
        times = np.geomspace(
            STRETCHED_EXPONENTIAL_FROM, max(10.0 * p["retention_time_constant"], 1e4), _POINTS
        )
        names = ("retention_time_constant", "retention_exponent")
        frame = _course(device, names, _retained, times, "time_s", "retained_share")
        return [Panel("retention", "Polarization kept over time", frame, "stretched exponential from 100 s")]
    if {"drift_exponent", "drift_exponent_sigma", "drift_reference_time"} <= set(p):
        return [_drift(p)]
    if stated is None:
        return (
            [Unknown("retention", ("retention",))]
            if device.family != "ferroelectric_film"
            else [Unknown("retention", ("retention_time_constant", "retention_exponent"))]
        )
    how = "shown to hold for" if stated.basis == "measured" else f"{stated.basis} to hold for"
    if "extrapolated" in stated.note.lower():
        how = "extrapolated to"
    return [bars("retention", "Retention", [stated], f"{how} {duration(stated.value)}")]


def _drift(p: Mapping[str, float]) -> Panel:
    import pandas as pd

    reference = p["drift_reference_time"]
    times = np.geomspace(reference, 1e5 * reference, _POINTS)
    exponents = p["drift_exponent"] + NORMAL_SCORE_95 * p["drift_exponent_sigma"] * np.asarray(
        [0.0, 1.0, -1.0]
    )
    kept, low, high = ((times / reference) ** -nu for nu in exponents)
    columns = {"time_s": times, "conductance_share": kept}
    frame = pd.DataFrame({**columns, "low_conductance_share": low, "high_conductance_share": high})
    note = f"middle of the range, over that at {brief(reference, 's')}; band: 90 % of cells"
    return Panel("retention", "Drift of the conductance", frame, note)
