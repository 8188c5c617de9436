"""Wear of a ferroelectric device: wake-up, fatigue, window, imprint, retention, endurance of an array.

Every law is an empirical form; its parameters belong to one device under one condition. The temperature
dependence of window, endurance and retention of FeFETs is not known and has no term here. What a device file
does not state is None, and what follows from it is None: nothing is filled in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from scipy.special import betaincinv, ndtri

from cost_models.constants import BOLTZMANN
from cost_models.namespace import Array, as_array, namespace_of
from device_params.errors import InputError

#: The stretched exponential holds from this time after writing on [s] (Appl. Phys. Lett. 118, 082901, 2021).
STRETCHED_EXPONENTIAL_FROM = 100.0

#: Cycles are counted up to this power of ten of the onset; a window that closes later does not close.
_MOST_DECADES = 290.0

_LN10 = math.log(10.0)


def wake_up(*, cycles: Array, fresh: Array, gain: Array, onset: Array, exponent: Array) -> Array:
    """Remanent polarization after ``cycles`` switching cycles, ``fresh`` + ``gain``·(1 − e^{−(N/Nw)^a}).

    Args:
        cycles: N, not negative [...].
        fresh: polarization of the film as made [C/m²].
        gain: what full wake-up adds to it [C/m²]; 0 where a device shows none.
        onset: Nw, cycles after which 63 % of the gain is reached.
        exponent: a; below 1 wake-up is spread over more decades.

    Returns:
        Polarization [C/m²], the shape of the arguments broadcast.

    Source: customary form; Nw of 1e3 to 1e5 is quoted for HZO capacitors without a confirmed source.
    """
    xp = namespace_of(cycles, fresh, gain, onset, exponent)
    share = -xp.expm1(-as_array((cycles / onset) ** exponent, xp))
    return fresh + gain * share


def fatigue(*, cycles: Array, polarization: Array, loss: Array, onset: Array) -> Array:
    """Remanent polarization after fatigue, P − ``loss``·log10(N/Nf) beyond Nf = ``onset``, never below 0.

    ``polarization`` [C/m²] before fatigue, ``loss`` [C/m²] a decade of cycles. Fatigue of the film is not
    what ends the life of a FeFET: its film still switches when trapped charge has closed the window.

    Source: customary form; Nf of 1e6 to 1e9 is quoted for HZO without a confirmed source.
    """
    xp = namespace_of(cycles, polarization, loss, onset)
    decades = xp.log10(xp.clip(as_array(cycles / onset, xp), 1.0, None))
    return xp.clip(as_array(polarization - loss * decades, xp), 0.0, None)


def memory_window(*, cycles: Array, fresh: Array, loss: Array, onset: Array) -> Array:
    """Memory window of a FeFET after ``cycles`` write cycles [V], MW0 − s·log10(1 + N/N0), never below 0.

    ``fresh`` MW0 [V], ``loss`` s [V a decade], ``onset`` N0 [cycles]. The window closes by interface
    trapping, typically within 1e4 to 1e6 cycles (doi 10.1088/1674-4926/24100010); the form is a fit to such
    curves.
    """
    xp = namespace_of(cycles, fresh, loss, onset)
    decades = xp.log1p(as_array(cycles / onset, xp)) / _LN10
    return xp.clip(as_array(fresh - loss * decades, xp), 0.0, None)


def cycles_to_window(*, window: Array, fresh: Array, loss: Array, onset: Array) -> Array:
    """Cycles until ``window`` [V] is left: N0·(10^{(MW0 − w)/s} − 1), the inverse of ``memory_window``.

    0 where the fresh window is smaller already. Raises InputError: a negative window, a loss that is not
    positive.
    """
    xp = namespace_of(window, fresh, loss, onset)
    _require("window to be kept", window, "not negative", lowest=0.0)
    _require("window lost a decade", loss, "more than 0 V a decade", above=0.0)
    decades = xp.clip(as_array((fresh - window) / loss, xp), 0.0, _MOST_DECADES)
    return onset * xp.expm1(_LN10 * decades)


def imprint(
    *, time: Array, amplitude: Array, onset: Array, activation_energy: Array, temperature: Array
) -> Array:
    """Shift of the coercive voltage after ``time`` in one state [V], a·ln(1 + t/t0)·e^{−Ea/kT}.

    ``amplitude`` a [V], ``onset`` t0 [s], ``activation_energy`` Ea [J] (0: a is that of the temperature at
    which it was measured), ``temperature`` [K]. The shift follows the state that was kept: the loop moves so
    that this state becomes the preferred one.

    Source: logarithmic in bake time from 23 to 260 °C, within 0.1 V (doi 10.1063/5.0053185).
    """
    xp = namespace_of(time, amplitude, onset, activation_energy, temperature)
    rate = xp.exp(-as_array(activation_energy / (BOLTZMANN * temperature), xp))
    return amplitude * xp.log1p(as_array(time / onset, xp)) * rate


def threshold_loss(*, time: Array, loss: Array, reference: Array) -> Array:
    """Threshold voltage lost by ``time`` [s] after writing, ``loss``·log10(t/t_ref) [V], 0 before t_ref.

    ``loss`` [V a decade] of the outermost level, ``reference`` [s] the first read that the loss counts from.
    A plot over five decades at 85 °C (doi 10.1038/s41467-023-42110-y, Fig. 6) is what the form rests on.
    """
    xp = namespace_of(time, loss, reference)
    return loss * xp.log10(xp.clip(as_array(time / reference, xp), 1.0, None))


def retained_polarization(*, time: Array, initial: Array, time_constant: Array, exponent: Array) -> Array:
    """Polarization left ``time`` [s] after writing, P0·exp(−(t/τ)^b).

    ``initial`` P0 [C/m²], ``time_constant`` τ [s], ``exponent`` b, between 0 and 1. Raises InputError for a
    time below 100 s, where the form was not established.

    Source: Appl. Phys. Lett. 118, 082901 (2021): fits HfO2 capacitors from 100 s on, a power law does not.
    """
    xp = namespace_of(time, initial, time_constant, exponent)
    _require("time after writing", time, "at least 100 s", lowest=STRETCHED_EXPONENTIAL_FROM)
    return initial * xp.exp(-as_array((time / time_constant) ** exponent, xp))


def first_valid_read(*, pulse_width: Array, delay: Array) -> Array:
    """Time from the start of a write pulse to the first read that can be trusted [s].

    ``delay`` [s] after the pulse: charge that the pulse trapped hides the state of a FeFET until it leaves,
    about 400 ns with a standby bias of 1.5 V, more than 1e5 times longer without (abstract of the 2021 study
    of standby bias, W4226377113).
    """
    return pulse_width + delay


@dataclass(frozen=True)
class Endurance:
    """Write cycles that a cell of an array survives: log-normal over the cells.

    ``median`` [cycles] and ``sigma``, the standard deviation in decades. Cells fail independently of each
    other; a cluster of bad cells is not in it.
    """

    median: Array
    sigma: Array

    def cycles_to_failure(self, cells: Array, repairable_fraction: Array, *, quantile: Array = 0.5) -> Array:
        """Cycles by which an array has lost more cells than can be repaired, with probability ``quantile``.

        The array fails with its k-th cell, k = ⌊f·M⌋ + 1 of M ``cells`` (f ``repairable_fraction``). The
        share of the distribution below the k-th of M independent cells is Beta(k, M − k + 1) distributed,
        exactly, so

            N_q = median · 10^{σ·Φ⁻¹(u)},  u = I⁻¹_q(k, M − k + 1)

        with I⁻¹ the inverse of the regularised incomplete beta function (David & Nagaraja, Order Statistics,
        3rd ed., §2.1). Without repair (k = 1) u is 1 − (1 − q)^{1/M}. Gradients pass to median and sigma.

        Raises InputError: less than one cell, a fraction outside 0 … 1, a quantile outside 0 … 1.
        """
        cells, fraction, quantile = (_plain(x) for x in (cells, repairable_fraction, quantile))
        _require("cells of an array", cells, "at least 1", lowest=1.0)
        _require("repairable fraction", fraction, "0 up to, but without, 1", lowest=0.0, below=1.0)
        _require("quantile", quantile, "between 0 and 1", above=0.0, below=1.0)
        # 0.29 of 100 cells are 28.999… in binary: the relative 1e-12 makes them 29.
        k = np.minimum(np.floor(fraction * cells * (1 + 1e-12)) + 1, cells)
        score = ndtri(betaincinv(k, cells - k + 1, quantile))
        xp = namespace_of(self.median, self.sigma)
        return self.median * 10.0 ** (self.sigma * as_array(xp.asarray(score), xp))

    def lifetime(
        self,
        cells: Array,
        repairable_fraction: Array,
        cycles_per_second: Array,
        *,
        quantile: Array = 0.5,
    ) -> Array:
        """Time until ``cycles_to_failure`` [s] when every cell is written at ``cycles_per_second`` [1/s].

        Infinite where nothing is rewritten.
        """
        survived = self.cycles_to_failure(cells, repairable_fraction, quantile=quantile)
        xp = namespace_of(survived, cycles_per_second)
        rate = as_array(cycles_per_second, xp)
        written = rate > 0
        return xp.where(written, survived / xp.where(written, rate, 1.0), math.inf)


@dataclass(frozen=True)
class Wear:
    """What is known of one device's wear; names and units are those of the device files, None where unknown.

    A method whose law lacks a parameter returns None.
    """

    endurance: Array | None = None
    endurance_sigma: Array | None = None
    memory_window: Array | None = None
    window_closing: Array | None = None
    window_closing_onset: Array | None = None
    wake_up_cycles: Array | None = None
    wake_up_gain: Array | None = None
    fatigue_onset: Array | None = None
    fatigue_loss: Array | None = None
    imprint_shift: Array | None = None
    imprint_time: Array | None = None
    imprint_activation_energy: Array | None = None
    retention_loss: Array | None = None
    retention_time_constant: Array | None = None
    retention_exponent: Array | None = None
    read_after_write_delay: Array | None = None

    @classmethod
    def of(cls, parameters: Mapping[str, Array]) -> Wear:
        """Take the known names out of a device's parameters (SI)."""
        return cls(**{f.name: parameters.get(f.name) for f in fields(cls)})

    @property
    def cells(self) -> Endurance | None:
        """Endurance with its spread over cells; without the spread the first cell to fail is unknown."""
        if not _known(self.endurance, self.endurance_sigma):
            return None
        return Endurance(self.endurance, self.endurance_sigma)

    def window(self, cycles: Array) -> Array | None:
        """Memory window after ``cycles`` [V]."""
        if not _known(self.memory_window, self.window_closing, self.window_closing_onset):
            return None
        return memory_window(
            cycles=cycles,
            fresh=self.memory_window,
            loss=self.window_closing,
            onset=self.window_closing_onset,
        )

    def cycles_to(self, window: Array) -> Array | None:
        """Cycles until ``window`` [V] is left."""
        if not _known(self.memory_window, self.window_closing, self.window_closing_onset):
            return None
        return cycles_to_window(
            window=window,
            fresh=self.memory_window,
            loss=self.window_closing,
            onset=self.window_closing_onset,
        )

    def polarization(self, cycles: Array, fresh: Array) -> Array | None:
        """Remanent polarization after wake-up and fatigue [C/m²]; None unless both are known.

        ``fresh`` [C/m²] is that of the film as made: published loops are mostly of a woken film. The gain of
        a file is a ratio to it, its loss a share of the woken polarization a decade.
        """
        gain, loss = self.wake_up_gain, self.fatigue_loss
        if gain is None or loss is None or not _known(self.wake_up_cycles, self.fatigue_onset):
            return None
        woken = wake_up(
            cycles=cycles, fresh=fresh, gain=fresh * (gain - 1.0), onset=self.wake_up_cycles, exponent=1.0
        )
        return fatigue(cycles=cycles, polarization=woken, loss=loss * fresh * gain, onset=self.fatigue_onset)

    def imprint(self, time: Array, temperature: Array | None = None) -> Array | None:
        """Shift of the coercive voltage after ``time`` [s] in one state [V].

        With an activation energy the amplitude belongs to the whole law and ``temperature`` [K] must be
        given. Without one it holds at the temperature of its measurement: none is given then, and at any that
        is the shift is unknown.
        """
        energy = self.imprint_activation_energy
        if not _known(self.imprint_shift, self.imprint_time) or _known(energy) != _known(temperature):
            return None
        return imprint(
            time=time,
            amplitude=self.imprint_shift,
            onset=self.imprint_time,
            activation_energy=0.0 if energy is None else energy,
            temperature=1.0 if temperature is None else temperature,  # e^0 whatever it is
        )

    def threshold_loss(self, time: Array, reference: Array) -> Array | None:
        """Threshold voltage lost between ``reference`` and ``time`` [s] after writing [V]."""
        if self.retention_loss is None:
            return None
        return threshold_loss(time=time, loss=self.retention_loss, reference=reference)

    def retained(self, time: Array) -> Array | None:
        """Share of the polarization left ``time`` [s] after writing, from 100 s on."""
        if not _known(self.retention_time_constant, self.retention_exponent):
            return None
        return retained_polarization(
            time=time,
            initial=1.0,
            time_constant=self.retention_time_constant,
            exponent=self.retention_exponent,
        )

    def first_valid_read(self, pulse_width: Array) -> Array | None:
        """Time from the start of a write pulse to the first valid read [s]."""
        if self.read_after_write_delay is None:
            return None
        return first_valid_read(pulse_width=pulse_width, delay=self.read_after_write_delay)


def _known(*values: Array | None) -> bool:
    return all(value is not None for value in values)


def _plain(value: Array) -> Any:
    """Counts and shares as a NumPy array: an order statistic has no derivative with respect to them."""
    return np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=np.float64)


def _require(
    what: str,
    value: Array,
    allowed: str,
    *,
    lowest: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> None:
    """Refuse values outside [lowest, …], (above, …] or [… , below); NaN is outside of all."""
    values = _plain(value).reshape(-1)
    bad = ~((values >= lowest) & (values > above) & (values < below))
    if bad.any():
        raise InputError(f"{what} out of range", where="wear", value=float(values[bad][0]), allowed=allowed)
