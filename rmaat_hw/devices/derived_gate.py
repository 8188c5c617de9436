"""What follows from the gate stack of a ferroelectric transistor: states, write, disturb."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cost_models.circuits.write_path import WriteScheme, half_voltage, row_inhibit, third_voltage
from cost_models.ferroelectric.channel import gate_steps
from cost_models.ferroelectric.device import (
    GATE_FAMILIES,
    fitted_window_of,
    gate_of,
    has_gate_stack,
    stack_of,
)
from cost_models.ferroelectric.disturb import Exposure, exposures_until, threshold_shift
from rmaat_hw.devices.derivation import CELL_SCORE, COLS, FEW, MOST, ROWS, Derivation, Quantity, Values
from rmaat_hw.devices.derived_levels import crowded, steps, threshold_spacing

#: Name of a row, words and scheme of writing the array; V/2 and V/3 cell by cell.
SCHEMES: tuple[tuple[str, str, WriteScheme], ...] = (
    ("half_voltage", "V/2 cell by cell", half_voltage(selected_share=1.0 / COLS)),
    ("third_voltage", "V/3 cell by cell", third_voltage(selected_share=1.0 / COLS)),
    (
        "row_inhibit",
        "half a row a pulse, other bit lines at V/2",
        row_inhibit(inhibit_fraction=0.5, selected_share=0.5),
    ),
)

_LOST = 0.1  # share of the window that counts as disturbed
_RELAXATION = "trapped charge relaxes between pulses, low end not"


def gate(d: Derivation) -> None:
    """Rows of a transistor whose gate stack is known."""
    if d.device.family not in GATE_FAMILIES or not has_gate_stack(d.nominal):
        return
    d.add(
        "film_capacitance",
        "F/m^2",
        lambda p: stack_of(p).film_capacitance,
        "eps0·eps over thickness, film",
        detail=True,
    )
    d.add(
        "interlayer_capacitance",
        "F/m^2",
        lambda p: stack_of(p).interlayer_capacitance,
        "eps0·eps over thickness, interlayer",
        detail=True,
    )
    if d.has("gate_area"):
        d.add(
            "gate_capacitance",
            "F",
            lambda p: stack_of(p).series_capacitance * p["gate_area"],
            "film and interlayer in series · gate_area, nothing switching",
        )
    d.add(
        "screened_share",
        "1",
        lambda p: stack_of(p).screened_share,
        "1 - net charge/Pr at rest: polarization that injected charge screens",
    )
    d.add(
        "net_charge",
        "C/m^2",
        lambda p: stack_of(p).net_charge,
        "film capacitance · saturated_window/2, fully switched, at rest",
        detail=True,
    )
    if not d.has("gate_area", "grain_size"):
        return
    _states(d)
    if d.has("write_voltage", "write_time"):
        _write(d)
        for name, told, scheme in SCHEMES:
            _half_select(d, name, told, scheme)
    _read_disturb(d)


def _states(d: Derivation) -> None:
    d.add(
        "domains",
        "1",
        lambda p: gate_of(p).domains,
        "gate_area over grain_size², one at least",
        detail=True,
    )
    domains = float(gate_of(d.nominal).domains)
    d.add(
        "threshold_sigma_unverified",
        "V",
        lambda p: gate_of(p).threshold_sigma(0.5),
        f"saturated_window/2/sqrt({domains:.3g} domains): equal pulses, half way, no verification",
    )
    spacing, told = threshold_spacing(d)
    if spacing is not None:
        d.add(
            "spacing_in_sigma_unverified",
            "1",
            lambda p: spacing(p) / gate_of(p).threshold_sigma(0.5),
            f"{told} over threshold_sigma_unverified",
            remark=crowded,
        )


def _write(d: Derivation) -> None:
    voltage, duration = d.nominal["write_voltage"], d.nominal["write_time"]
    told = f"one pulse of {d.told('write_voltage')}, {d.told('write_time')}"
    d.add(
        "switched_polarization",
        "C/m^2",
        lambda p: stack_of(p).pulse(voltage, duration).switched_polarization,
        f"{told} on a fully switched gate",
        detail=True,
    )
    d.add(
        "memory_window_physical",
        "V",
        lambda p: gate_of(p).window(voltage, duration) + p.get("window_error", 0.0),
        f"saturated_window · share that switches, {told} each way",
    )
    if fitted_window_of(d.nominal) is not None:
        d.add(
            "memory_window_fitted",
            "V",
            lambda p: _fitted(p, voltage, duration),
            f"fitted law of the gate voltage, {told} each way",
        )

    def energy(p: Values) -> Any:
        transistor = gate_of(p)
        return transistor.write_energy(transistor.stack.pulse(voltage, duration))

    d.add("pulse_energy", "J", energy, f"V·A·(switched polarization + C_film·V_film), {told}")


def _fitted(p: Values, voltage: float, duration: float) -> Any:
    fitted = fitted_window_of(p)
    return None if fitted is None else fitted.after(voltage, duration) + p.get("fit_error", 0.0)


def opposing(scheme: WriteScheme) -> tuple[float, float]:
    """Fraction of the write voltage that disturbs most, and how often a cell sees it while all are written.

    Of the voltages of the largest magnitude those of one sign add up, for a state feels one sign only; the
    sign that comes more often counts.
    """
    seen: dict[float, float] = {}
    for exposure in scheme.exposures(rows=float(ROWS), cols=float(COLS), pulse_width=1.0, writes=1.0):
        fraction = round(float(exposure.fraction), 9)
        if exposure.kind != "selected" and fraction:
            seen[fraction] = seen.get(fraction, 0.0) + float(exposure.count)
    largest = max(abs(fraction) for fraction in seen)
    count = max(times for fraction, times in seen.items() if abs(fraction) == largest)
    return largest, count


def _half_select(d: Derivation, name: str, told: str, scheme: WriteScheme) -> None:
    fraction, count = opposing(scheme)
    voltage, duration = fraction * d.nominal["write_voltage"], d.nominal["write_time"]
    pulses = f", {d.nominal['write_pulses']:g} pulses each" if d.has("write_pulses") else ""
    how = f"rewrites of {ROWS} × {COLS}, {told}{pulses}, no refresh; {_RELAXATION}{_extrapolated(d, voltage)}"

    def a_write(p: Values) -> Any:
        return count * p.get("write_pulses", 1.0)

    if d.has("endurance"):
        d.add(
            f"{name}_shift",
            "V",
            lambda p: _either(
                p,
                lambda rested: threshold_shift(
                    gate_of(p), Exposure(voltage, duration, a_write(p) * p["endurance"]), rested=rested
                ),
            ),
            f"threshold lost in {d.told('endurance')} {how}",
            remark=lambda found: _disturbed(found, _LOST * _window(d.nominal)),
        )
    d.add(
        f"{name}_rewrites",
        "1",
        lambda p: _times(p, voltage, duration, a_write(p)),
        f"until a tenth of the window is lost: {how}",
        remark=lambda found: "perhaps within one rewrite" if found["low"] < 1.0 else "",
        detail=True,
        samples=FEW,
    )


def _disturbed(found: Quantity, limit: float) -> str:
    if found["value"] > limit:
        return "more than a tenth of the window"
    return "perhaps more than a tenth of the window" if found["high"] > limit else ""


def _read_disturb(d: Derivation) -> None:
    if not d.has("read_gate_voltage", "read_time"):
        return
    voltage = d.nominal["read_gate_voltage"]
    d.add(
        "read_disturb_reads",
        "1",
        lambda p: _times(p, p["read_gate_voltage"], p["read_time"], 1.0),
        f"reads of {d.told('read_gate_voltage')}, {d.told('read_time')} until a tenth of the window is lost"
        f"{_extrapolated(d, voltage)}",
        samples=FEW,
    )


def _times(p: Values, voltage: Any, duration: Any, exposures: Any) -> Any:
    """How often until a tenth of the window is lost, ``MOST`` at most; ``exposures`` each time."""
    found = _either(
        p,
        lambda rested: exposures_until(
            gate_of(p), voltage=voltage, duration=duration, shift=_LOST * _window(p), rested=rested
        ),
    )
    return np.minimum(found / exposures, MOST)


def _either(p: Values, lost: Callable[[bool], Any]) -> Any:
    """With trapped charge that relaxes between exposures; in half of the drawn devices it does not."""
    return np.where(np.asarray(p[CELL_SCORE]) >= 0.0, lost(True), lost(False))


def _window(p: Values) -> Any:
    return p.get("memory_window", p["saturated_window"])


def _extrapolated(d: Derivation, voltage: float) -> str:
    stated = d.device.parameters.get("write_voltage")
    below = stated is not None and voltage < stated.allowed[0]
    return f"; extrapolated below {stated.written(stated.allowed[0])}" if stated and below else ""


def series_resistor(d: Derivation) -> None:
    """Rows of a transistor behind a resistor that clips its current."""
    if d.has("series_resistance", "read_voltage"):
        stated = d.nominal.get("on_current")
        d.add(
            "on_current_bound",
            "A",
            lambda p: p["read_voltage"] / p["series_resistance"],
            "read_voltage over series_resistance: a channel without resistance",
            remark=lambda found: (
                "" if stated is None else f"the on_current of the file is {stated / found['value']:.0%} of it"
            ),
        )
    reads = round(steps(d))
    if d.is_set("stepped_read") and d.has("read_gate_voltage") and reads:
        staircase = gate_steps(highest=d.nominal["read_gate_voltage"], reads=reads)
        told = ", ".join(f"{step:.3g}" for step in staircase)
        d.add(
            "gate_step",
            "V",
            lambda p: gate_steps(highest=p["read_gate_voltage"], reads=reads)[0],
            f"{reads} read{'s' if reads > 1 else ''} of a stored level, at {told} V",
            detail=True,
        )
