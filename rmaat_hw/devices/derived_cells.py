"""What follows for cells that store in a capacitor or a junction, and for a second gate."""

from __future__ import annotations

import math
from typing import Any

from cost_models.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from cost_models.ferroelectric.capacitor import CapacitiveRead, FeramCell, Memcapacitor
from cost_models.ferroelectric.channel import thermal_voltage
from cost_models.ferroelectric.double_gate import DoubleGateFefet
from cost_models.ferroelectric.tunnel_junction import MeasuredJunction
from rmaat_hw.devices.derivation import Derivation, Formula, Values
from rmaat_hw.devices.derived_levels import steps

ENOB = 3.0  # effective bits of a read
BIT_LINE = 20e-15  # F, of a bit line with its amplifier

_READ, _TOLD_READ = 10e-9, "10 ns"
_FAST_READ = 1e-6  # s
_TOLERANCE = 0.1  # of a back-gate modulation that counts as linear
_BELOW = 0.5  # V below the threshold, weak inversion


def feram(d: Derivation) -> None:
    """Sense signal of a cell that is read by switching it."""
    if d.device.family != "feram" or not d.has("remanent_polarization", "write_voltage"):
        return
    area, told = d.area
    line = f"a bit line of 20 fF, {told}"
    if d.has("film_thickness", "relative_permittivity"):

        def signal(p: Values) -> Any:
            return FeramCell(
                device_area=area(p),
                switched_polarization=2.0 * p["remanent_polarization"],
                capacitance_per_area=VACUUM_PERMITTIVITY * p["relative_permittivity"] / p["film_thickness"],
                bit_line_capacitance=BIT_LINE,
                plate_voltage=p["write_voltage"],
            ).sense_signal

        d.add("sense_signal", "V", signal, f"2·Pr·A/(C_line + C_film) on {line}")
        return
    d.add(
        "sense_signal",
        "V",
        lambda p: 2.0 * p["remanent_polarization"] * area(p) / BIT_LINE,
        f"2·Pr·A/C_line on {line}; at most: film capacitance unknown",
    )


def capacitive_read(d: Derivation) -> None:
    """Charge, noise and effective bits of a read that switches nothing."""
    if d.device.family not in ("fecap", "memcapacitor"):
        return
    states, told = _capacitances(d)
    if d.has("capacitance_ratio"):
        d.add(
            "capacitance_contrast",
            "1",
            lambda p: 1.0 - 1.0 / p["capacitance_ratio"],
            "1 - 1/capacitance_ratio: difference of the states over the on state",
        )
        count = steps(d)
        if count > 1:
            d.add(
                "level_contrast",
                "1",
                lambda p: (1.0 - 1.0 / p["capacitance_ratio"]) / count,
                f"capacitance_contrast/{count:g}: one level, spaced evenly",
            )
    if states is None or not d.has("read_voltage"):
        return
    area, where = d.area

    def read(p: Values) -> CapacitiveRead:
        on, off = states(p)
        return CapacitiveRead(
            device_area=area(p),
            capacitance_on=on,
            capacitance_off=off,
            read_voltage=p["read_voltage"],
            line_capacitance=BIT_LINE,
            temperature=d.temperature,
        )

    d.add(
        "read_electrons",
        "1",
        lambda p: read(p).electrons,
        f"{told} · A · read_voltage/q, {where}",
    )
    d.add(
        "noise_electrons",
        "1",
        lambda p: read(p).noise / ELEMENTARY_CHARGE,
        f"sqrt(k·T·C) of a line of 20 fF and the cell, {d.temperature:g} K",
    )
    d.add(
        "read_enob",
        "1",
        lambda p: read(p).enob,
        "(20·log10(electrons/noise) - 1.76)/6.02, effective bits of one read",
        remark=lambda found: "the noise exceeds the signal" if found["value"] < 0.0 else "",
    )
    d.add(
        "area_for_three_bits",
        "m^2",
        lambda p: read(p).area_for(ENOB),
        "area that gives one read an ENOB of 3, line of 20 fF",
    )
    d.add(
        "reads_for_three_bits",
        "1",
        lambda p: read(p).reads_for(ENOB),
        f"reads to average for an ENOB of 3, {where}",
    )


def _capacitances(d: Derivation) -> tuple[Formula | None, str]:
    """Capacitances of both states [F/m²] as a formula, and the words of their difference."""
    if d.has("capacitance_on", "capacitance_off"):
        return lambda p: (p["capacitance_on"], p["capacitance_off"]), "(capacitance_on - capacitance_off)"
    if d.has("capacitance_on", "capacitance_ratio"):
        return (
            lambda p: (p["capacitance_on"], p["capacitance_on"] / p["capacitance_ratio"]),
            "capacitance_on·(1 - 1/capacitance_ratio)",
        )
    if d.has("capacitance_window", "capacitance_ratio"):

        def both(p: Values) -> Any:
            cell = Memcapacitor.from_window(
                device_area=1.0,
                capacitance_window=p["capacitance_window"],
                capacitance_ratio=p["capacitance_ratio"],
            )
            return cell.capacitance_on, cell.capacitance_on / cell.capacitance_ratio

        return both, "capacitance_window"
    if d.has("capacitance_window"):
        # the least capacitance that has this window, and so the least noise
        return lambda p: (p["capacitance_window"], 0.0), "capacitance_window (off state 0)"
    return None, ""


def junction(d: Derivation) -> None:
    """Current of a tunnel junction and the time or the area that a read of it takes."""
    if d.device.family != "ftj":
        return
    count = steps(d)
    if d.has("on_off_ratio") and count:
        d.add(
            "ratio_of_neighbours",
            "1",
            lambda p: p["on_off_ratio"] ** (1.0 / count),
            f"on_off_ratio^(1/{count:g}): levels spaced evenly in the logarithm",
        )
    if not d.has("on_current_density", "read_voltage"):
        return
    area, told = d.area
    bound = "" if d.has("on_off_ratio") else "; at least: off current unknown, taken as 0"

    def measured(p: Values) -> MeasuredJunction:
        return MeasuredJunction(
            device_area=area(p),
            read_voltage=p["read_voltage"],
            on_current_density=p["on_current_density"],
            on_off_ratio=p.get("on_off_ratio", math.inf),
        )

    d.add("on_current", "A", lambda p: measured(p).on_current, f"on_current_density · A, {told}")
    d.add(
        "on_resistance", "ohm", lambda p: measured(p).on_resistance, f"read_voltage over on_current, {told}"
    )
    d.add(
        "electrons_in_10_ns",
        "1",
        lambda p: measured(p).electrons(_READ),
        f"on_current · {_TOLD_READ}/q, {told}",
        remark=lambda found: "fewer than one" if found["value"] < 1.0 else "",
    )
    d.add(
        "read_time_for_three_bits",
        "s",
        lambda p: measured(p).read_time(ENOB, longest=math.inf),
        f"96 electrons for an ENOB of 3 in shot noise, {told}{bound}",
    )
    d.add(
        "area_for_fast_read",
        "m^2",
        lambda p: measured(p).area_for(_FAST_READ, ENOB),
        f"area that reads an ENOB of 3 in 1 µs{bound}",
    )


def back_gate(d: Derivation) -> None:
    """What a volt of back gate does to a stored weight."""
    if not d.has("back_gate_coupling"):
        return
    temperature = d.temperature
    d.add(
        "threshold_shift_per_back_gate",
        "1",
        lambda p: p["back_gate_coupling"],
        "back_gate_coupling: volts of front threshold per volt of back gate",
    )
    if d.has("memory_window"):
        d.add(
            "window_share_per_back_gate",
            "1/V",
            lambda p: p["back_gate_coupling"] / p["memory_window"],
            "back_gate_coupling over memory_window: share of the window per volt",
        )
    known = d.has("slope_factor")
    most, least = ("", "") if known else (", at most (n = 1)", ", at least (n = 1)")
    d.add(
        "gain_per_back_gate",
        "1/V",
        lambda p: p["back_gate_coupling"] / (p.get("slope_factor", 1.0) * thermal_voltage(temperature)),
        f"coupling/(n·k·T/q): relative change of a current in weak inversion, {temperature:g} K{most}",
    )

    def linear(p: Values) -> Any:
        transistor = DoubleGateFefet(
            coupling=p["back_gate_coupling"],
            factor=1e-4,  # relative deviations do not depend on it
            slope_factor=p.get("slope_factor", 1.0),
            largest_back_gate=1.0,
            temperature=temperature,
        )
        return transistor.linear_range(
            tolerance=_TOLERANCE, gate_voltage=-_BELOW, stored_threshold=0.0, drain_voltage=0.1
        )

    d.add(
        "linear_back_gate",
        "V",
        linear,
        f"back gate up to which the change is linear within 10 %, gate 0.5 V below threshold{least}",
    )


def write_drive(d: Derivation) -> None:
    """Current or voltage of a write pulse, from its energy."""
    if d.is_set("volatile") or not d.has("write_energy", "write_time"):
        return
    if d.has("write_current"):
        d.add(
            "mean_write_voltage",
            "V",
            lambda p: p["write_energy"] / (p["write_current"] * p["write_time"]),
            "write_energy over write_current · write_time",
        )
    elif d.has("write_voltage"):
        d.add(
            "mean_write_current",
            "A",
            lambda p: p["write_energy"] / (p["write_voltage"] * p["write_time"]),
            f"write_energy over {d.told('write_voltage')} · {d.told('write_time')}",
        )
