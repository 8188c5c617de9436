"""How far apart stored levels stand, and what a read of them passes."""

from __future__ import annotations

from typing import Any

from cost_models.ferroelectric.charge_read import electrons_of
from rmaat_hw.devices.derivation import COLS, ROWS, Derivation, Formula, Quantity, Values

#: Distance of neighbouring levels over their standard deviation: below the first they overlap (a level is
#: misread in 5 % of the cells, 2·Q(2)), above the second they hardly do (0.3 %, 2·Q(3)).
CLOSE, APART = 4.0, 6.0

_GATED = ("fefet", "femfet", "double_gate_fefet")


def crowded(found: Quantity) -> str:
    """What to say of levels that stand so many standard deviations apart."""
    value = found["value"]
    if value < CLOSE:
        return f"closer than {CLOSE:g} sigma: levels overlap"
    return f"closer than {APART:g} sigma" if value < APART else ""


def spacing(d: Derivation) -> None:
    """Distance of the levels in standard deviations, where a spread is known."""
    if d.device.family in _GATED:
        _thresholds(d)
    count = steps(d)
    if d.has("update_sigma") and count:
        d.add(
            "spacing_in_update_sigma",
            "1",
            lambda p: 1.0 / count / p["update_sigma"],
            f"1/{count:g} of the range over update_sigma, one update",
            remark=crowded,
        )
    if d.has("on_current_sigma") and count and not d.is_set("stepped_read"):
        _top_level(d)
    if d.has("maximum_current", "programming_sigma", "programming_scale"):
        d.add(
            "levels_six_sigma_apart",
            "1",
            lambda p: 1.0 + p["maximum_current"] / (APART * p["programming_sigma"]),
            "1 + maximum_current/(6·programming_sigma), which is that of a large current",
        )
    elif d.has("maximum_conductance", "programming_sigma"):
        d.add(
            "levels_six_sigma_apart",
            "1",
            lambda p: 1.0 + p["maximum_conductance"] / (APART * p["programming_sigma"]),
            "1 + maximum_conductance/(6·programming_sigma), right after programming",
        )
    if d.has("on_off_ratio", "on_off_ratio_sigma"):
        d.add(
            "spacing_in_sigma",
            "1",
            lambda p: (p["on_off_ratio"] - 1.0) / (p["on_off_ratio"] * p["on_off_ratio_sigma"]),
            "(on_off_ratio - 1) over its standard deviation, off state without one",
            remark=crowded,
        )
    _updates(d)


def steps(d: Derivation) -> float:
    """Levels less one; 0 where their number is not known."""
    levels = d.nominal.get("levels", 2.0 ** d.nominal.get("bits", 0.0))
    return max(float(levels) - 1.0, 0.0)


def threshold_spacing(d: Derivation) -> tuple[Formula | None, str]:
    """Distance of neighbouring thresholds [V] as a formula, and its words; None where it is not known."""
    if d.has("level_spacing"):
        return lambda p: p["level_spacing"], "level_spacing"
    count = steps(d)
    if d.has("memory_window") and count:
        return lambda p: p["memory_window"] / count, f"memory_window/{count:g}"
    return None, ""


def _thresholds(d: Derivation) -> None:
    window, told = threshold_spacing(d)
    if window is None:
        return
    if not d.has("level_spacing") and steps(d) > 1:
        d.add("level_spacing", "V", window, f"{told}, levels spaced evenly")
    if d.has("threshold_sigma"):
        d.add(
            "spacing_in_sigma_verified",
            "1",
            lambda p: window(p) / p["threshold_sigma"],
            f"{told} over threshold_sigma",
            remark=crowded,
            detail=True,
        )


def _top_level(d: Derivation) -> None:
    """Levels of current or conductance, spaced evenly, over the spread of the highest one."""
    for top, low in (("on_current", "off_current"), ("maximum_conductance", "minimum_conductance")):
        if d.has(top) and (d.has(low) or d.has("on_off_ratio")):
            rest: Formula = _over(low, top) if d.has(low) else _inverse_ratio
            _evenly(d, rest, top)
            return


def _evenly(d: Derivation, rest: Formula, top: str) -> None:
    count = steps(d)
    d.add(
        "spacing_in_sigma",
        "1",
        lambda p: (1.0 - rest(p)) / count / p["on_current_sigma"],
        f"({top} - lowest level){f'/{count:g}' if count > 1 else ''} over on_current_sigma of the highest",
        remark=crowded,
    )


def _over(one: str, other: str) -> Formula:
    return lambda p: p[one] / p[other]


def _inverse_ratio(p: Values) -> Any:
    return 1.0 / p["on_off_ratio"]


def _updates(d: Derivation) -> None:
    """Rows of a device that is written by many small pulses."""
    if d.has("update_step"):
        d.add("pulses_over_range", "1", lambda p: 1.0 / p["update_step"], "1 over update_step")
        if d.has("update_step_sigma"):
            d.add(
                "range_sigma",
                "1",
                lambda p: p["update_step_sigma"] * p["update_step"] ** 0.5,
                "update_step_sigma · sqrt(update_step): one way through the range, over the range",
            )
    if d.device.family == "ecram" and d.has("minimum_conductance", "maximum_conductance") and steps(d):
        count = steps(d)
        d.add(
            "level_spacing",
            "S",
            lambda p: (p["maximum_conductance"] - p["minimum_conductance"]) / count,
            f"(maximum_conductance - minimum_conductance)/{count:g}",
        )
    if d.device.family == "ecram" and d.has("levels", "write_time"):
        d.add(
            "time_over_range",
            "s",
            lambda p: (p["levels"] - 1.0) * p["write_time"],
            "levels - 1 pulses of write_time, one after the other",
        )


def current(d: Derivation) -> None:
    """What one cell passes while it is read, and what the cells beside it add."""
    minor = d.has("series_resistance")  # its rows are told first
    ratio = _ratio(d)
    if ratio is not None:
        d.add(
            "on_over_other_off",
            "1",
            ratio,
            f"current of a cell that is on over that of {ROWS - 1} that are off, read on one line",
            remark=lambda found: "" if found["value"] > 1.0 else "those that are off outweigh it",
            detail=minor,
        )
    if not d.has("on_current", "read_voltage"):
        return
    d.add(
        "on_resistance",
        "ohm",
        lambda p: p["read_voltage"] / p["on_current"],
        "read_voltage over on_current",
        detail=minor,
    )
    d.add(
        "line_current",
        "A",
        lambda p: ROWS * p["on_current"],
        f"{ROWS} cells of a bit line that are all on",
        detail=minor,
    )
    if d.has("read_time"):
        d.add(
            "read_electrons",
            "1",
            lambda p: electrons_of(p["on_current"] * p["read_time"]),
            "on_current · read_time over the elementary charge",
            detail=minor,
        )
        d.add(
            "read_energy",
            "J",
            lambda p: p["read_voltage"] * p["on_current"] * p["read_time"],
            "read_voltage · on_current · read_time, the cell alone",
            detail=minor,
        )


def _ratio(d: Derivation) -> Formula | None:
    """On current over that of the other cells of a line, all off."""
    for on, off in (("on_current", "off_current"), ("off_resistance", "on_resistance")):
        if d.has(on, off):
            return lambda p: p[on] / p[off] / (ROWS - 1)
    return (lambda p: p["on_off_ratio"] / (ROWS - 1)) if d.has("on_off_ratio") else None


def inputs(d: Derivation) -> None:
    """Time that tells one level of an input pulse from the next."""
    if d.has("input_levels", "input_time") and d.nominal["input_levels"] > 1.0:
        d.add(
            "time_of_an_input_level",
            "s",
            lambda p: p["input_time"] / (p["input_levels"] - 1.0),
            "input_time over input_levels - 1",
        )


def array(d: Derivation) -> None:
    """Bits an area and power at rest."""
    if d.has("bits", "cell_area"):
        d.add(
            "bit_density",
            "1/m^2",
            lambda p: p["bits"] / p["cell_area"],
            "bits over cell_area",
            detail=d.has("series_resistance"),
        )
    if d.nominal.get("standby_leakage", 0.0) > 0.0:
        d.add(
            "array_leakage",
            "W",
            lambda p: ROWS * COLS * p["standby_leakage"],
            f"standby_leakage of {ROWS} × {COLS} cells",
        )
