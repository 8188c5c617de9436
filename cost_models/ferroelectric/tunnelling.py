"""Current through a thin barrier between two metals: closed forms, and the integral they come from.

All follow from one integral over the energy of the electrons normal to the barrier, at zero temperature

    J = (4π·m·e/h³)·∫ [F(μ1 − E) − F(μ2 − E)]·T(E) dE
    F(x) = max(x, 0),  ln T(E) = −(2/ħ)·∫ √[2m·(U(x) − E)] dx

(Tsu & Esaki, Appl. Phys. Lett. 22, 562, 1973). For a trapezoid with the heights U1 and U2 the action is
(4d√(2m)/3ħ)·(U1^{3/2} − U2^{3/2})/(U1 − U2), and with s = √U that quotient is (s1² + s1·s2 + s2²)/(s1 + s2):
nothing is divided by a difference, so that equal heights need no branch. The forms differ in where ln T is
replaced by a straight line in E, with A = (2d/ħ)√(2m):

* Gruverman: about the middle of the two Fermi levels. At small bias it is low by 1/(A√φ), 1.4 to 9 per cent
  for 1-4 nm and 1-3 eV, and by up to 13 per cent at eV = φ/3 (thick and high).
* Brinkman, Dynes and Rowell: the same, expanded to the third power of V and to the leading order in A.
* Simmons: about each Fermi level on its own side, without the terms of relative size 3/(A√φ) of its supply
  integrals: its conductance at zero bias is G0·(1 − 2/(A√φ)), 4 to 27 per cent below the integral there.

Current against current, Gruverman is therefore 1 to 28 per cent above Simmons there, the more the lower and
thinner the barrier, and the nearer of the two to the integral; current over the conductance at zero bias
agrees within 5 per cent (tests). Energies are joules; a barrier's height is above the Fermi level of the
electrode that it stands at.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from cost_models.constants import BOLTZMANN, ELECTRON_MASS, ELEMENTARY_CHARGE, PLANCK
from cost_models.namespace import Array, as_array, namespace_of
from cost_models.ranges import require, require_positive

#: 4π·m·e³/h³ of a free electron [A/m² per eV²]: electrons that strike a barrier, energies in electron volts.
SUPPLY = 4 * math.pi * ELECTRON_MASS * ELEMENTARY_CHARGE**3 / PLANCK**3

#: (2/ħ)√(2·m·e) of a free electron [1/(m·√eV)]: A of a barrier is this times its thickness.
DECAY = 4 * math.pi * math.sqrt(2 * ELECTRON_MASS * ELEMENTARY_CHARGE) / PLANCK

#: Voltage up to which Brinkman's expansion holds, over the height of the barrier (Brinkman et al., 1970).
BRINKMAN_RANGE = 1 / 3

#: Largest k·kT of the thermal factor, k = −d ln T/dE: near 0.5 as many electrons are lifted over the barrier
#: as tunnel through it; up to here the factor is within 5 per cent (tests).
THERMAL_RANGE = 0.4

#: Depth of the electrodes' bands that the integral covers [J], assumed: 5 eV, as of most metals. Electrons an
#: electron volt below the Fermi level add less than exp(−A/(2√φ)) of the current, 2e-3 at 2 nm and 2 eV.
FERMI_ENERGY = 5 * ELEMENTARY_CHARGE

_NODES = 32  # Gauss-Legendre nodes in each panel of energy
_COLDEST = 1e-6  # thermal energy [eV] that stands for zero temperature
_THERMAL_REACH = 40.0  # thermal energies above the top of the barrier that the integral covers


def _electron_volts(energy: Array) -> Array:
    return energy / ELEMENTARY_CHARGE


def _sinh_over(x: Array) -> Array:
    """sinh(x)/x, by its series near zero, where the quotient is 0/0: within 1e-15 on both sides of 0.05."""
    xp = namespace_of(x)
    near = x * x < 0.05**2
    away = xp.where(near, xp.ones_like(x), x)
    square = xp.where(near, x * x, xp.zeros_like(x))
    series = 1 + square / 6 * (1 + square / 20 * (1 + square / 42 * (1 + square / 72)))
    return xp.where(near, series, xp.sinh(away) / away)


def _sine_factor(x: Array) -> Array:
    """x/sin(x), 1 at zero, for x in [0, π)."""
    xp = namespace_of(x)
    near = x < 1e-2
    away = xp.where(near, xp.ones_like(x), x)
    square = xp.where(near, x * x, xp.zeros_like(x))
    return xp.where(near, 1 + square / 6 + 7 * square**2 / 360, away / xp.sin(away))


def zero_bias_conductance(*, barrier_height: Array, thickness: Array, effective_mass: Array = 1.0) -> Array:
    """Conductance of a symmetric barrier at zero bias over its area [S/m²], leading order in 1/(A√φ).

    G0 = (e/h)²·√(2mφ)/d·exp(−(2d/ħ)√(2mφ)) (Brinkman, Dynes & Rowell, J. Appl. Phys. 41, 1915, 1970).
    ``barrier_height`` φ [J], ``thickness`` d [m], ``effective_mass`` m over that of a free electron.
    """
    height = _electron_volts(barrier_height)
    decay = DECAY * thickness * effective_mass**0.5
    xp = namespace_of(height, decay)
    root = as_array(height, xp) ** 0.5
    return SUPPLY * effective_mass * 2 * root / decay * xp.exp(-decay * root)


def brinkman_current_density(
    *,
    voltage: Array,
    barrier_height: Array,
    barrier_asymmetry: Array,
    thickness: Array,
    effective_mass: Array = 1.0,
) -> Array:
    """Current density [A/m²] of a trapezoid at low bias, to the third power of the voltage.

    J/G0 = V − (A0·Δφ/32φ^{3/2})·e·V² + (3·A0²/128φ)·e²·V³ with A0 = 4√(2m)·d/3ħ, the integral of the
    published conductance dJ/dV = G0·[1 − (A0·Δφ/16φ^{3/2})·eV + (9·A0²/128φ)·(eV)²] (Brinkman, Dynes &
    Rowell, J. Appl. Phys. 41, 1915, 1970). Every term carries G0.

    ``voltage`` V [V], ``barrier_height`` φ, the mean of both sides [J], ``barrier_asymmetry`` Δφ, height at
    electrode 2 less that at electrode 1 [J], ``thickness`` [m], ``effective_mass`` relative. Electrons go
    from electrode 1 to 2 at V > 0. Accurate to about a tenth for d > 1 nm and |Δφ| < φ (the authors) while
    k·eV/2 stays below two, k = A/(2√φ): what the third power leaves out of sinh makes it five times too low
    at 4 nm, 3 eV and φ/3.

    Raises InputError: |eV| > φ/3, |Δφ| ≥ φ.
    """
    height, asymmetry = _electron_volts(barrier_height), _electron_volts(barrier_asymmetry)
    require(
        abs(voltage) <= height * BRINKMAN_RANGE * (1 + 1e-12),
        "the voltage is beyond a third of the barrier, where the expansion ends",
        where="tunnel current (Brinkman)",
        value=voltage,
        allowed="|e·V| up to a third of barrier_height",
        remedy="use gruverman_current_density",
    )
    require(
        abs(asymmetry) < height,
        "the barrier is as asymmetric as it is high",
        where="tunnel current (Brinkman)",
        value=barrier_asymmetry,
        allowed="|barrier_asymmetry| below barrier_height",
    )
    slope = 2 / 3 * DECAY * thickness * effective_mass**0.5
    second = slope * asymmetry / (32 * height**1.5)
    third = 3 * slope**2 / (128 * height)
    conductance = zero_bias_conductance(
        barrier_height=barrier_height, thickness=thickness, effective_mass=effective_mass
    )
    return conductance * voltage * (1 - second * voltage + third * voltage**2)


def simmons_current_density(
    *, voltage: Array, barrier_height: Array, thickness: Array, effective_mass: Array = 1.0
) -> Array:
    """Current density [A/m²] of a rectangular barrier at intermediate bias, e|V| < φ.

    J = e/(2πh·d²)·{(φ − eV/2)·exp[−A√(φ − eV/2)] − (φ + eV/2)·exp[−A√(φ + eV/2)]}, A = (4πd/h)√(2m) (Simmons,
    J. Appl. Phys. 34, 1793, 1963, rectangular barrier, intermediate voltage; his β is one).

    ``voltage`` [V], ``barrier_height`` φ [J], ``thickness`` d [m], ``effective_mass`` relative.

    Raises InputError: |eV| ≥ φ.
    """
    height = _electron_volts(barrier_height)
    require(
        abs(voltage) < height,
        "the voltage exceeds the barrier",
        where="tunnel current (Simmons)",
        value=voltage,
        allowed="|e·V| below barrier_height",
        remedy="use fowler_nordheim_current_density",
    )
    xp = namespace_of(voltage, height, thickness, effective_mass)
    decay = DECAY * thickness * effective_mass**0.5
    low, high = as_array(height - voltage / 2, xp), as_array(height + voltage / 2, xp)
    terms = low * xp.exp(-decay * low**0.5) - high * xp.exp(-decay * high**0.5)
    return ELEMENTARY_CHARGE**2 / (2 * math.pi * PLANCK * thickness**2) * terms


def gruverman_conductance(
    *,
    voltage: Array,
    barrier_height_1: Array,
    barrier_height_2: Array,
    thickness: Array,
    effective_mass: Array = 1.0,
    temperature: Array = 0.0,
) -> Array:
    """Chord conductance J/V over the area [S/m²] of direct tunnelling through a trapezoid; finite at V = 0.

    J = C·exp{α[U2^{3/2} − U1^{3/2}]}/{α²[√U2 − √U1]²}·sinh{(3eV/4)·α[√U2 − √U1]} with U1 = φ1 + eV/2,
    U2 = φ2 − eV/2, C = −32π·e·m/(9h³), α = 8πd√(2m)/[3h(φ1 + eV − φ2)] (Gruverman et al., Nano Lett. 9, 3539,
    2009, eq. 1). The printed α is infinite where U1 = U2, V = 0 of equal barriers included; with s = √U and
    k = −d ln T/dE = A/(s1 + s2) the same expression reads

        J/V = (4π·m·e³/h³)·(1/k)·exp[−(2A/3)(s1² + s1·s2 + s2²)/(s1 + s2)]·sinh(k·eV/2)/(k·eV/2)

    without a difference in a denominator: the prefactor C is confirmed by the integral over energies
    (module).

    ``voltage`` [V], ``barrier_height_1`` and ``_2`` [J] at either electrode, ``thickness`` d [m],
    ``effective_mass`` m relative, in prefactor and barrier alike as printed. ``temperature`` T [K] multiplies
    by π·k·kT/sin(π·k·kT), what Fermi functions add to a straight ln T (Stratton, J. Phys. Chem. Solids 23,
    1177, 1962); zero is the printed formula. Positive V raises the electrons of electrode 1.

    Raises InputError: a Fermi level at the top of the barrier (field emission), k·kT above ``THERMAL_RANGE``.
    """
    phi_1, phi_2 = _electron_volts(barrier_height_1), _electron_volts(barrier_height_2)
    xp = namespace_of(voltage, phi_1, phi_2, thickness, effective_mass, temperature)
    voltage = as_array(voltage, xp)
    upper, lower = phi_1 + voltage / 2, phi_2 - voltage / 2
    require(
        (upper > abs(voltage) / 2) & (lower > abs(voltage) / 2),
        "a Fermi level reaches the top of the barrier, where direct tunnelling ends",
        where="tunnel current (Gruverman)",
        value=voltage,
        allowed="both barrier heights above zero and above |e·V|",
        remedy="use tsu_esaki_current_density",
    )
    decay = DECAY * thickness * effective_mass**0.5
    root_1, root_2 = upper**0.5, lower**0.5
    slope = decay / (root_1 + root_2)
    thermal = math.pi * slope * (BOLTZMANN / ELEMENTARY_CHARGE) * temperature
    require(
        thermal <= math.pi * THERMAL_RANGE,
        "electrons pass near the top of the barrier rather than through it",
        where="tunnel current (Gruverman)",
        value=temperature,
        allowed=f"k·T up to {THERMAL_RANGE:g}·(√U1 + √U2)/A",
        remedy="use tsu_esaki_current_density",
    )
    action = 2 / 3 * slope * (root_1**2 + root_1 * root_2 + root_2**2)
    return (
        SUPPLY
        * effective_mass
        / slope
        * xp.exp(-action)
        * _sinh_over(slope * voltage / 2)
        * _sine_factor(thermal)
    )


def gruverman_current_density(
    *,
    voltage: Array,
    barrier_height_1: Array,
    barrier_height_2: Array,
    thickness: Array,
    effective_mass: Array = 1.0,
    temperature: Array = 0.0,
) -> Array:
    """Current density [A/m²] of direct tunnelling through a trapezoid: ``gruverman_conductance`` times V."""
    return voltage * gruverman_conductance(
        voltage=voltage,
        barrier_height_1=barrier_height_1,
        barrier_height_2=barrier_height_2,
        thickness=thickness,
        effective_mass=effective_mass,
        temperature=temperature,
    )


def fowler_nordheim_current_density(
    *, field: Array, barrier_height: Array, effective_mass: Array = 1.0
) -> Array:
    """Current density [A/m²] through the triangle that a strong field makes of a barrier.

    J = A·E²·exp(−B/|E|) with the sign of E, A = e³/(8πh·φ)·(m_e/m), B = 8π√(2m)·φ^{3/2}/(3h·e) (Lenzlinger &
    Snow, J. Appl. Phys. 40, 278, 1969, eq. 1 without image force and temperature). Valid where the barrier's
    far side lies below the Fermi level: E·d > φ/e.

    ``field`` E in the barrier [V/m], ``barrier_height`` φ [J], ``effective_mass`` in the barrier, relative;
    the electrode's electrons are free ones.
    """
    require_positive("Fowler-Nordheim current", barrier_height=barrier_height, effective_mass=effective_mass)
    height = _electron_volts(barrier_height)
    xp = namespace_of(field, height, effective_mass)
    field = as_array(field, xp)
    # Below this field exp(−B/E) is zero to double precision, and its gradient would be no number.
    strength = 2 / 3 * DECAY * effective_mass**0.5 * height**1.5
    flows = abs(field) * 700 > strength
    safe = xp.where(flows, field, xp.ones_like(field) * strength)
    prefactor = SUPPLY / (DECAY**2 * effective_mass * height)
    current = prefactor * safe * abs(safe) * xp.exp(-strength / abs(safe))
    return xp.where(flows, current, xp.zeros_like(current))


@dataclass(frozen=True)
class Segment:
    """A layer of a barrier: ``thickness`` [m], heights at its ``start`` and ``end`` [J], relative mass.

    Heights are above the middle of the two Fermi levels, at the voltage applied.
    """

    thickness: Array
    start: Array
    end: Array
    effective_mass: Array = 1.0

    def action(self, energy: Array) -> Array:
        """(2/ħ)∫√[2m(U − E)] dx over what lies above ``energy`` [eV] of the layer: [..., energies]."""
        xp = namespace_of(self.start, self.end, self.thickness, self.effective_mass, energy)
        above_1 = as_array(_electron_volts(self.start), xp)[..., None] - energy
        above_2 = as_array(_electron_volts(self.end), xp)[..., None] - energy
        above_1, above_2 = xp.broadcast_arrays(above_1, above_2)
        one, two = above_1 > 0, above_2 > 0
        ones, zeros = xp.ones_like(above_1), xp.zeros_like(above_1)
        root_1 = xp.where(one, xp.where(one, above_1, ones) ** 0.5, zeros)
        root_2 = xp.where(two, xp.where(two, above_2, ones) ** 0.5, zeros)
        roots = xp.where(one & two, root_1 + root_2, ones)
        drop = xp.where(one ^ two, abs(above_1 - above_2), ones)
        whole = (root_1**2 + root_1 * root_2 + root_2**2) / roots
        cut = (root_1**3 + root_2**3) / drop
        mean = xp.where(one & two, whole, xp.where(one ^ two, cut, zeros))
        decay = as_array(DECAY * self.thickness * self.effective_mass**0.5, xp)
        return 2 / 3 * decay[..., None] * mean


@functools.cache
def _legendre() -> tuple[Any, Any]:
    """Nodes and weights on (0, 1)."""
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2


def tsu_esaki_current_density(
    *,
    voltage: Array,
    segments: Sequence[Segment],
    temperature: Array = 300.0,
    fermi_energy: Array = FERMI_ENERGY,
    electrode_mass: Array = 1.0,
) -> Array:
    """Current density [A/m²] by the integral over energies (module), for any stack of linear layers.

    Fermi functions replace F(x) by kT·ln[1 + exp(x/kT)]; where the barrier is below the energy of an
    electron, its part of the action is zero: direct tunnelling, field emission and emission over the barrier
    are one formula.

    ``voltage`` [V], ``segments`` at that voltage, ``temperature`` [K], ``fermi_energy`` depth of the
    electrodes' bands [J], ``electrode_mass`` relative, of the electrons that strike the barrier.
    Gauss-Legendre in panels that meet at the Fermi levels and at the top of the barrier: within 1e-6 of an
    adaptive quadrature while both Fermi levels are below the barrier, within 1e-3 where it is cut (tests). No
    interference, no image force.
    """
    require_positive("tunnel current (integral)", fermi_energy=fermi_energy, electrode_mass=electrode_mass)
    parts = [value for s in segments for value in (s.thickness, s.start, s.end, s.effective_mass)]
    xp = namespace_of(voltage, temperature, fermi_energy, electrode_mass, *parts)
    bias = as_array(voltage, xp)[..., None]
    thermal = as_array(temperature, xp)[..., None] * (BOLTZMANN / ELEMENTARY_CHARGE)
    thermal = xp.where(thermal > _COLDEST, thermal, xp.ones_like(thermal) * _COLDEST)
    depth = as_array(_electron_volts(fermi_energy), xp)[..., None]
    span = abs(bias) / 2
    near = depth / 5
    top = span
    for height in (h for s in segments for h in (s.start, s.end)):
        top = xp.maximum(*xp.broadcast_arrays(top, as_array(_electron_volts(height), xp)[..., None]))
    reach = xp.minimum(*xp.broadcast_arrays(span + _THERMAL_REACH / 2 * thermal, top))
    edges = (-span - depth, -span - near, -span, span, reach, top, top + _THERMAL_REACH * thermal)
    nodes, weights = (xp.asarray(values) for values in _legendre())
    zero = xp.zeros_like(thermal)
    total: Array = 0.0
    for low, high in itertools.pairwise(edges):
        energy = low + (high - low) * nodes
        supply = thermal * (
            xp.logaddexp(zero, (bias / 2 - energy) / thermal)
            - xp.logaddexp(zero, (-bias / 2 - energy) / thermal)
        )
        action = sum(segment.action(energy) for segment in segments)
        total = total + xp.sum((high - low) * weights * supply * xp.exp(-action), axis=-1)
    return SUPPLY * electrode_mass * total
