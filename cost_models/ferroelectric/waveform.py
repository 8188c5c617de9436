"""Waveforms that drive a film: sampled in time, straight lines between samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from device_params.errors import InputError

Floats: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Waveform:
    """``time`` [s] and ``drive`` (voltage [V] or field [V/m]), both [samples], time strictly rising.

    Raises InputError: fewer than two samples, different lengths, NaN or infinity, time that does not rise.
    """

    time: Floats
    drive: Floats

    def __post_init__(self) -> None:
        for name in ("time", "drive"):
            try:
                values = np.asarray(getattr(self, name), dtype=np.float64).reshape(-1)
            except (TypeError, ValueError) as error:
                raise InputError(f"{name} is not made of numbers", where="waveform") from error
            object.__setattr__(self, name, values)
        if len(self.time) != len(self.drive):
            raise InputError(
                "time and drive have different lengths",
                where="waveform",
                value=(len(self.time), len(self.drive)),
            )
        if len(self.time) < 2:
            raise InputError("a waveform needs two samples at least", where="waveform", value=len(self.time))
        for name, values in (("time", self.time), ("drive", self.drive)):
            broken = np.flatnonzero(~np.isfinite(values))
            if len(broken):
                raise InputError(
                    f"{name} is not a finite number",
                    where=f"waveform, sample {broken[0] + 1}",
                    value=float(values[broken[0]]),
                    remedy="remove NaN and infinity",
                )
        falls = np.flatnonzero(np.diff(self.time) <= 0)
        if len(falls):
            raise InputError(
                "time does not rise",
                where=f"waveform, sample {falls[0] + 2}",
                value=float(self.time[falls[0] + 1]),
                allowed=f"more than {self.time[falls[0]]:g} s",
            )

    @property
    def steps(self) -> Floats:
        """Time from sample to sample [samples - 1]."""
        return np.diff(self.time)

    def scaled(self, factor: float) -> Waveform:
        """The same waveform with its drive times ``factor`` (V -> V/m: one over the thickness)."""
        return Waveform(self.time, self.drive * factor)

    def refined(self, largest_step: float) -> Waveform:
        """The same waveform with samples added so that the drive changes by ``largest_step`` at most.

        Zero crossings become samples of their own: between two samples the drive keeps its sign.
        """
        time, drive = self.time, self.drive
        crossings = np.flatnonzero(drive[:-1] * drive[1:] < 0)
        share = drive[crossings] / (drive[crossings] - drive[crossings + 1])
        times = time[crossings] + share * (time[crossings + 1] - time[crossings])
        inside = (times > time[crossings]) & (times < time[crossings + 1])
        crossings, times = crossings[inside], times[inside]
        time, drive = np.insert(time, crossings + 1, times), np.insert(drive, crossings + 1, 0.0)
        counts = np.maximum(1, np.ceil(np.abs(np.diff(drive)) / largest_step)).astype(int)
        starts = np.repeat(np.arange(len(counts)), counts)
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        share = within / counts[starts]
        fine_time = time[starts] + share * (time[starts + 1] - time[starts])
        fine_drive = drive[starts] + share * (drive[starts + 1] - drive[starts])
        return Waveform(np.append(fine_time, time[-1]), np.append(fine_drive, drive[-1]))


def triangle(amplitude: float, frequency: float, *, cycles: float = 1.0) -> Waveform:
    """A triangle that starts at zero and rises to ``amplitude`` first; ``frequency`` [Hz], whole quarters."""
    quarters = round(4 * cycles)
    corners = np.asarray([0.0, amplitude, 0.0, -amplitude])
    return Waveform(np.arange(quarters + 1) / (4 * frequency), corners[np.arange(quarters + 1) % 4])


@dataclass(frozen=True)
class Response:
    """What a film does under a waveform: all [samples], at the samples of ``time`` [s].

    ``field`` [V/m]; ``polarization`` [C/m²] is the switching part, without ε0·ε·E; ``dissipated`` [J/m³] is
    the work lost up to each time by the model's own account, so that over a closed cycle it equals ∮E dP.
    """

    time: Floats
    field: Floats
    polarization: Floats
    dissipated: Floats

    def work(self) -> float:
        """∫E dP from first to last sample [J/m³], by trapezoids."""
        mean = (self.field[1:] + self.field[:-1]) / 2
        return float(np.sum(mean * np.diff(self.polarization)))
