"""Numbers behind the figure of a device: its switching. Tables that the figure draws as they are.

A panel is one tidy table with a heading; what a device's file does not give is an ``Unknown`` that names what
is missing. Nothing is filled in. Columns carry their SI unit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from cost_models.ferroelectric.device import (
    FILM_FAMILIES,
    GATE_FAMILIES,
    film_of,
    fitted_window_of,
    missing_for_gate,
    missing_for_switching,
    stack_of,
)
from cost_models.ferroelectric.film import Film, StaticPreisachLaw
from cost_models.ferroelectric.gate_stack import GateStack
from cost_models.ferroelectric.waveform import Floats, triangle
from cost_models.uncertainty import TAIL, sample
from device_params import list_names, load_device
from device_params.measured_points import Measurements, measurements
from device_params.schema import ComponentFile, Parameter
from rmaat_hw.report.numbers import scale

if TYPE_CHECKING:
    import pandas as pd

#: Frequency of loops [Hz]: capacitors are customarily traced at 1 kHz; gates are written within 1 µs, a
#: quarter of their cycle.
LOOP_FREQUENCY = 1e3
GATE_LOOP_FREQUENCY = 2.5e5
SAMPLES = 1024
SEED = 0

_GATE_LOOPS = 3  # half a second each
_WIDTHS = 121
_MAP_POINTS = 61
_STEPS = (0.8, 1.0, 1.2)  # amplitudes over the voltage that switches one half
_MOST = 1.6  # the largest, where no write voltage is stated
_LARGEST_FIELD = 4e8  # V/m, where a file states no voltage

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Panel:
    """``name`` of the table, ``title`` over the axes, a second line ``note``, and the numbers drawn.

    ``marks`` are single numbers that stand in the axes beside the table (SI).
    """

    name: str
    title: str
    frame: pd.DataFrame
    note: str = ""
    marks: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Unknown:
    """A panel that cannot be drawn, and the parameters whose absence is the reason."""

    what: str
    missing: tuple[str, ...] = ()


Part: TypeAlias = Panel | Unknown
Law: TypeAlias = Film | GateStack


def brief(value: float, unit: str) -> str:
    """``4e-9, "s"`` → ``4 ns``: three significant figures without trailing zeros."""
    factor, name = scale(value, unit)
    return f"{float(f'{value / factor:.3g}'):g} {name}".rstrip()


def power(value: float, _: object = None) -> str:
    """``1e5`` → ``10⁵``; what is no power of ten gets its leading figures before it."""
    exponent = int(np.floor(np.log10(value) + 1e-9))
    leading = float(f"{value / 10.0**exponent:.3g}")
    if exponent in (0, 1):
        return f"{value:g}"
    ten = "10" + str(exponent).translate(_SUPERSCRIPTS)
    return ten if leading == 1.0 else f"{leading:g}·{ten}"


def band(parameters: Mapping[str, Parameter], law: Any) -> tuple[Floats, Floats]:
    """5 and 95 % of ``law(values)``, an array [samples, points], over the joint intervals of parameters."""
    drawn = sample(parameters, SAMPLES, SEED)
    columns = {name: np.asarray(value, dtype=float).reshape(-1, 1) for name, value in drawn.items()}
    low, high = np.quantile(law(columns), [TAIL, 1 - TAIL], axis=0)
    return low, high


def switching_law(device: ComponentFile) -> Law | Unknown | None:
    """The film, or the gate stack, that switches; what is missing for it; None where none could be."""
    p = device.parameters.nominal()
    if device.family in GATE_FAMILIES:
        missing = missing_for_gate(p)
        return Unknown("", missing) if missing else stack_of(p)
    if device.family not in FILM_FAMILIES:
        return None
    missing = missing_for_switching(p)
    missing += tuple(n for n in ("relative_permittivity",) if n not in p)
    return Unknown("", missing) if missing else film_of(p)


def measured(device: ComponentFile) -> Measurements | None:
    """Measured points of a built-in device; a user's file of the same name has none."""
    if device.name not in list_names("device") or load_device(device.name).path != device.path:
        return None
    return measurements(device.name)


def input_files(device: ComponentFile) -> list[str]:
    """The device's file and that of its measured points."""
    if measured(device) is None:
        return [device.path]
    return [device.path, str(resources.files("device_params").joinpath("measurements", f"{device.name}.csv"))]


def switching(device: ComponentFile) -> list[Part]:
    """Loops, switched share and window map."""
    law = switching_law(device)
    if law is None:
        return []
    if isinstance(law, Unknown):
        parts = ["hysteresis", "switched share"]
        parts += ["window map"] if device.family in GATE_FAMILIES else []
        return [Unknown(name, law.missing) for name in parts]
    amplitudes = _amplitudes(device, law)
    found: list[Part] = [_loops(device, law, amplitudes), _share(device, law, amplitudes)]
    return [*found, _window_map(device, law)] if isinstance(law, GateStack) else found


def switched_share(law: Law, voltage: Any, duration: Any, temperature: float) -> Floats:
    """Share of the polarization that one pulse [V], [s] turns."""
    if isinstance(law, GateStack):
        share: Floats = law.pulse(voltage, duration).share
        return share
    left = law.switching.left(voltage / law.thickness, duration, temperature)
    return np.asarray((left / law.switching.remanent + 1.0) / 2.0)


def _temperature(device: ComponentFile) -> float:
    stated = device.parameters.get("temperature")
    return 300.0 if stated is None else stated.value


def _reference_time(device: ComponentFile) -> float:
    stated = device.parameters.get("write_time")
    return 0.25 / LOOP_FREQUENCY if stated is None else stated.value


def _largest_voltage(device: ComponentFile, law: Law) -> float:
    stated = device.parameters.get("write_voltage")
    thickness = float(law.film_thickness if isinstance(law, GateStack) else law.thickness)
    return _LARGEST_FIELD * thickness if stated is None else stated.allowed[1]


def _amplitudes(device: ComponentFile, law: Law) -> list[float]:
    """Voltages that were measured, else from just below the one that switches one half to that of a write."""
    points = measured(device)
    if points is not None:
        voltages = sorted(set(points.voltage))
    else:
        most = _largest_voltage(device, law)
        grid = np.linspace(0.0, most, 201)[1:]
        times = np.full_like(grid, _reference_time(device))
        reached = np.flatnonzero(switched_share(law, grid, times, _temperature(device)) >= 0.5)
        half = float(grid[reached[0]]) if len(reached) else most / _MOST
        stated = device.parameters.get("write_voltage")
        last = max(_MOST * half, 0.0 if stated is None else stated.value)
        steps = [min(step * half, most) for step in _STEPS]
        voltages = sorted({round(20.0 * step) / 20.0 for step in (*steps, min(last, most))})
    return voltages


def _marked(amplitudes: list[float]) -> dict[str, float]:
    """Amplitudes of both panels, so that one has the same colour in both."""
    return {f"amplitude_{place}_V": voltage for place, voltage in enumerate(amplitudes, start=1)}


def _loops(device: ComponentFile, law: Law, amplitudes: list[float]) -> Panel:
    """The cycle that follows the first rise from the state −Pr."""
    import pandas as pd

    gated = isinstance(law, GateStack)
    frequency = GATE_LOOP_FREQUENCY if gated else LOOP_FREQUENCY
    frames = []
    drawn = amplitudes
    if gated and len(amplitudes) > _GATE_LOOPS:
        places = np.linspace(0.5, len(amplitudes) - 0.5, _GATE_LOOPS).astype(int)
        drawn = [amplitudes[place] for place in places]
    for amplitude in drawn:
        waveform = triangle(amplitude, frequency, cycles=1.25)
        if isinstance(law, GateStack):
            found = law.response(waveform)
        else:
            found = law.response(waveform, _temperature(device))
        kept = found.time >= waveform.time[1]
        columns = {
            "amplitude_V": amplitude,
            "frequency_Hz": frequency,
            "time_s": found.time[kept],
            "voltage_V": np.interp(found.time[kept], waveform.time, waveform.drive),
            "polarization_C_per_m2": found.polarization[kept],
        }
        frames.append(pd.DataFrame(columns))
    timeless = isinstance(law, Film) and isinstance(law.switching, StaticPreisachLaw)
    note = "at any frequency" if timeless else f"triangle of {brief(frequency, 'Hz')}"
    note += " after the first rise from −Pr"
    if isinstance(law, GateStack):
        note += f"; injected charge screens {100 * float(law.screened_share):.0f} % at rest"
    title = "Hysteresis of the gate" if gated else "Hysteresis"
    return Panel("hysteresis", title, pd.concat(frames), note, _marked(amplitudes))


def _share(device: ComponentFile, law: Law, amplitudes: list[float]) -> Panel:
    import pandas as pd

    widths = np.geomspace(*_widths(device, law, amplitudes), _WIDTHS)
    grid_v, grid_t = (axis.reshape(-1) for axis in np.meshgrid(amplitudes, widths, indexing="ij"))
    share = switched_share(law, grid_v, grid_t, _temperature(device))
    frame = _share_rows("model", grid_v, grid_t, share)
    title, marks = "Switched share over pulse width", _marked(amplitudes)
    points = measured(device)
    if points is None:
        return Panel("switched_share", title, frame, marks=marks)
    voltage, duration, value = (np.asarray(c) for c in (points.voltage, points.duration, points.value))
    if isinstance(law, GateStack):
        value, note = value / float(law.saturated_window), "dots: measured window / saturated window"
    else:
        value, note = (value / float(np.asarray(law.switching.remanent)) + 1.0) / 2.0, "dots: measured"
    extra = _share_rows("measured", voltage, duration, value)
    return Panel("switched_share", title, pd.concat([frame, extra]), note, marks)


def _share_rows(kind: str, voltage: Floats, duration: Floats, share: Floats) -> pd.DataFrame:
    import pandas as pd

    columns = {"kind": kind, "amplitude_V": voltage, "pulse_s": duration, "switched_share": share}
    return pd.DataFrame(columns)


def _widths(device: ComponentFile, law: Law, amplitudes: list[float]) -> tuple[float, float]:
    """Pulses of the file's range and a decade beyond; without one, from no switching to all of it."""
    stated = device.parameters.get("write_time")
    if stated is not None:
        return stated.allowed[0] / 10.0, stated.allowed[1] * 10.0
    scan = np.geomspace(1e-14, 1e2, 161)
    shares = [switched_share(law, np.full_like(scan, v), scan, _temperature(device)) for v in amplitudes]
    slowest = next((share for share in shares if share.max() >= 0.5), shares[-1])
    first, last = (int(np.argmax(s >= share * s.max())) for s, share in ((shares[-1], 0.01), (slowest, 0.99)))
    return float(scan[max(first - 10, 0)]), float(scan[min(last + 10, len(scan) - 1)])


def _range(device: ComponentFile) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Voltages [V] and widths [s] that were measured, or that the file allows."""
    points = measured(device)
    if points is not None:
        return (min(points.voltage), max(points.voltage)), (min(points.duration), max(points.duration))
    stated = [device.parameters.get(name) for name in ("write_voltage", "write_time")]
    if stated[0] is None or stated[1] is None:
        return None
    return stated[0].allowed, stated[1].allowed


def _window_map(device: ComponentFile, law: GateStack) -> Part:
    import pandas as pd

    limits = _range(device)
    if limits is None:
        names = ("write_voltage", "write_time")
        return Unknown("window map", tuple(n for n in names if n not in device.parameters))
    (least, most), (shortest, longest) = limits
    marks = {"least_V": least, "most_V": most, "shortest_s": shortest, "longest_s": longest}
    outer = (max(least - 0.5, 0.5), most + 0.5), (shortest / 10.0, longest * 10.0)
    grid = _grid(*outer)
    window = float(law.saturated_window) * np.asarray(law.pulse(*grid).share)
    frames = [_map_rows("physical", *grid, window)]
    note = "white: contours every 0.25 V; dashed: range of the file"
    fitted = fitted_window_of(device.parameters.nominal())
    if fitted is not None:
        inner = _grid(*limits)
        frames.append(_map_rows("fitted", *inner, fitted.after(*inner)))
        note = "colour, white: physical model; black: fitted, every 0.5 V"
    points = measured(device)
    if points is not None and points.quantity == "memory_window_V":
        columns = (np.asarray(c) for c in (points.voltage, points.duration, points.value))
        frames.append(_map_rows("measured", *columns))
        note += "; dots: measured, in their range"
    return Panel("window_map", "Memory window", pd.concat(frames), note, marks)


def _grid(voltages: tuple[float, float], widths: tuple[float, float]) -> tuple[Floats, Floats]:
    axes = np.meshgrid(np.linspace(*voltages, _MAP_POINTS), np.geomspace(*widths, _MAP_POINTS), indexing="ij")
    return axes[0].reshape(-1), axes[1].reshape(-1)


def _map_rows(kind: str, voltage: Floats, duration: Floats, window: Floats) -> pd.DataFrame:
    import pandas as pd

    columns = {"kind": kind, "voltage_V": voltage, "pulse_s": duration, "memory_window_V": window}
    return pd.DataFrame(columns)
