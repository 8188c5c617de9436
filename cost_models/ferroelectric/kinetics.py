"""Switching under a constant field in closed form: Merz, KAI, a Lorentzian distribution of switching times.

These are the classical limits of nucleation-limited switching (`cost_models.ferroelectric.nucleation`). All
formulas give the switched share between 0 and 1; a film that starts at −Pr has then changed its polarization
by ΔP = 2·Pr·share.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from cost_models.namespace import Array, as_array, namespace_of

#: A time constant beyond τ0·exp(600), 1e260·τ0, is as good as infinite, and still a number with a gradient.
LARGEST_EXPONENT: Final[float] = 600.0

#: exp(−750) is zero in double precision: nothing is left unswitched.
_SWITCHED: Final[float] = 750.0


def merz_time(*, field: Array, time_constant: Array, activation_field: Array, exponent: Array) -> Array:
    """Switching time τ = τ0·exp[(Ea/|E|)^α] (Merz).

    Args:
        field: E [V/m]; only its magnitude counts. Volts serve as well when ``activation_field`` is in volts.
        time_constant: τ0 [s].
        activation_field: Ea, unit of ``field``.
        exponent: α; 1 is Merz' law, fits of HfO2 films take 3 to 4.2.

    Returns:
        τ [s], the shape of all arguments broadcast; at most τ0·exp(600) towards E = 0, without a warning and
        with a gradient of zero there.

    Source: W. J. Merz, Phys. Rev. 95, 690 (1954); the exponent α as in Deng et al., VLSI 2020,
        doi 10.1109/VLSITechnology18217.2020.9265014.
    """
    xp = namespace_of(field, time_constant, activation_field, exponent)
    scale, power = as_array(activation_field, xp), as_array(exponent, xp)
    # The field is kept where the power neither overflows nor decides: it is above LARGEST_EXPONENT there.
    smallest = scale * (LARGEST_EXPONENT + 100.0) ** (-1.0 / power)
    driving = xp.maximum(xp.abs(as_array(field, xp)), smallest)
    grown = (scale / driving) ** power
    return time_constant * xp.exp(xp.minimum(grown, as_array(LARGEST_EXPONENT, xp)))


def kai_share(*, time: Array, time_constant: Array, exponent: Array) -> Array:
    """Switched share 1 − exp[−(t/τ)^n] of one population of growing domains (KAI).

    Args:
        time: t [s] under a constant field.
        time_constant: τ [s].
        exponent: n, 1 to 3: dimension of growth; about 2 in fits of HfO2 films.

    Returns:
        Share in [0, 1], the shape of all arguments broadcast.

    Source: Y. Ishibashi and Y. Takagi, J. Phys. Soc. Jpn. 31, 506 (1971), infinite grains.
    """
    xp = namespace_of(time, time_constant, exponent)
    power = as_array(exponent, xp)
    elapsed = xp.minimum(as_array(time, xp) / time_constant, _SWITCHED ** (1.0 / power))
    return -xp.expm1(-(elapsed**power))


def lorentzian_width(*, field: Array, constant: Array, slope: Array) -> Array:
    """Half width w = w0 + w1/E² of the distribution of log10 τ, in decades.

    ``field`` E [V/m], ``constant`` w0 [decades], ``slope`` w1 [decades·V²/m²]. The form of the fits to HZO
    films of this project; the width falls with the field as in J. Y. Jo et al., Phys. Rev. Lett. 99, 267602
    (2007).
    """
    return constant + slope / field**2


def lorentzian_step_share(*, time: Array, center_time: Array, width: Array) -> Array:
    """Switched share ½ + arctan[(log10 t − log10 t1)/w]/π: sharp switching, times spread as a Lorentzian.

    Args:
        time: t [s]; nothing has switched at t = 0.
        center_time: t1 [s], median of the switching times (`merz_time` of the field).
        width: w [decades], half width at half maximum of the distribution of log10 τ.

    Returns:
        Share in [0, 1], the shape of all arguments broadcast.

    Range: the limit of `lorentzian_share` for a large KAI exponent. Its tails are heavy: far below the median
    time more seems to switch than is measured.

    Source: J. Y. Jo et al., Phys. Rev. Lett. 99, 267602 (2007).
    """
    xp = namespace_of(time, center_time, width)
    time, center = as_array(time, xp), as_array(center_time, xp)
    started = time > 0
    decades = xp.log10(xp.where(started, time, center)) - xp.log10(center)
    return xp.where(started, 0.5 + xp.atan(decades / width) / math.pi, 0.0)


def lorentzian_share(*, time: Array, center_time: Array, width: Array, exponent: Array) -> Array:
    """Switched share ∫ {1 − exp[−(t/τ)^n]}·F(log10 τ) d log10 τ with a Lorentzian F, numerically.

    1 − exp[−(t/τ)^n] is the probability that a number x drawn from an exponential distribution is below
    (t/τ)^n, that is, τ below t·x^(−1/n). So the integral is the mean over x of the closed form at that time,
    ∫ exp(−x)·`lorentzian_step_share`(t·x^(−1/n)) dx. Over y = ln x the integrand exp(y − e^y)·… is smooth and
    falls off on both sides, where the trapezoidal rule converges exponentially.

    Args:
        time, center_time, width: as in `lorentzian_step_share`.
        exponent: KAI exponent n of each population.

    Returns:
        Share in [0, 1], the shape of all arguments broadcast.

    Source: A. K. Tagantsev et al., Phys. Rev. B 66, 214109 (2002), eq. for a distribution of waiting times;
        Lorentzian F of J. Y. Jo et al., Phys. Rev. Lett. 99, 267602 (2007).
    """
    xp = namespace_of(time, center_time, width, exponent)
    y = np.linspace(-36.0, 4.0, 401)
    weights = (y[1] - y[0]) * np.exp(y - np.exp(y))
    total = 0.0
    for node, weight in zip(y.tolist(), weights.tolist(), strict=True):
        shift = xp.exp(-node / as_array(exponent, xp))
        total = total + weight * lorentzian_step_share(
            time=time * shift, center_time=center_time, width=width
        )
    return total
