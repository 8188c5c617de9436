"""Preisach hysteresis behind a delay: the field that the film feels lags the field that is applied."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cost_models.ferroelectric.kinetics import merz_time
from cost_models.ferroelectric.preisach import FIELD_STEP, Start, TanhLoop
from cost_models.ferroelectric.waveform import Floats, Response, Waveform

#: Halvings of a time step: enough to find a lag of 1e-12 of it.
_HALVINGS = 40


@dataclass(frozen=True)
class DelayedPreisach:
    """A static film driven by E_eff, τ·dE_eff/dt = E − E_eff with τ = τ0·exp[(V0/|V|)^m].

    Attributes:
        film: the static loop.
        delay_time: τ0 [s].
        delay_voltage: V0 [V].
        delay_exponent: m.
        film_thickness: [m]; V = E·thickness is the voltage across the film.

    Without a voltage the delay is infinite: E_eff stays where the drive left it, and with it the
    polarization. The applied field does the work. What it does beyond that of E_eff, (E − E_eff)·dP, is lost
    as it is done; it is never negative, for E_eff and with it P moves towards E.

    Range: the form of the lag is reported at second hand; names and values of the parameters are the card's.

    Source: "transient Preisach", K. Ni et al., Symp. VLSI Technology 2018, 131.
    """

    film: TanhLoop
    delay_time: float
    delay_voltage: float
    delay_exponent: float
    film_thickness: float

    def time_constant(self, field: Floats) -> Floats:
        """τ [s] at an applied field [V/m]."""
        tau: Floats = merz_time(
            field=field * self.film_thickness,
            time_constant=self.delay_time,
            activation_field=self.delay_voltage,
            exponent=self.delay_exponent,
        )
        return tau

    def effective_field(self, waveform: Waveform, *, initial: float = 0.0) -> Floats:
        """E_eff [V/m] at the samples of a waveform of the field, from ``initial`` at the first sample.

        One exponential step between samples, exact for a constant drive and for a straight one of constant τ;
        τ is that in the middle of the step.
        """
        field, middle = waveform.drive, (waveform.drive[1:] + waveform.drive[:-1]) / 2
        lags = waveform.steps / self.time_constant(middle)
        caught = -np.expm1(-lags)  # share of the distance that E_eff covers towards a constant drive
        # Share of the step of the drive itself that E_eff follows: 1 − (1 − e^−h)/h, h/2 for a short step.
        series = lags < 1e-6
        followed = np.where(series, lags / 2, 1 - caught / np.where(series, 1.0, lags))
        gain = (caught * field[:-1] + followed * np.diff(field)).tolist()
        effective = [initial]
        for kept, step in zip((1 - caught).tolist(), gain, strict=True):
            effective.append(kept * effective[-1] + step)
        return np.asarray(effective)

    def response(
        self, waveform: Waveform, *, start: Start = "negative", largest_step: float | None = None
    ) -> Response:
        """Follow a waveform of the applied field [V/m] from rest (E_eff = 0) and a film in state ``start``.

        Samples are added until neither field changes by more than ``largest_step`` [V/m] (δ/16 when not
        given) between two of them.
        """
        limit = largest_step or float(self.film.width) * FIELD_STEP
        fine = waveform.refined(limit)
        effective = self.effective_field(fine)
        for _ in range(_HALVINGS):
            wide = np.flatnonzero(np.abs(np.diff(effective)) > limit)
            if len(wide) == 0:
                break
            fine = Waveform(
                np.insert(fine.time, wide + 1, (fine.time[wide] + fine.time[wide + 1]) / 2),
                np.insert(fine.drive, wide + 1, (fine.drive[wide] + fine.drive[wide + 1]) / 2),
            )
            effective = self.effective_field(fine)
        polarization, loss = self.film.follow(effective, start=start)
        ahead = fine.drive - effective
        drag = (ahead[1:] + ahead[:-1]) / 2 * np.diff(polarization)
        return Response(fine.time, fine.drive, polarization, loss + np.append(0.0, np.cumsum(drag)))
