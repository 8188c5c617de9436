"""Temperature of a chip and of a block on it, and what it does to leakage."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cost_models.namespace import Array, as_array, namespace_of

#: Temperature at which the leakage of the technology files holds [K].
REFERENCE_TEMPERATURE = 300.0

#: Leakage doubles every so many kelvin. CACTI 7, tech_params, I_off of LSTP transistors between 300 and 350
#: K: 10 K at 22 nm, 18 K at 65 nm; geometric mean 13 K. Gate leakage does not depend on temperature and is in
#: the mean.
DOUBLING = 13.0

#: Thermal conductivity of silicon near 350 K [W/(m·K)]: 148 at 300 K, falling as T^(-1.3). Weak: doped,
#: thinned silicon conducts less.
SILICON_CONDUCTIVITY = 120.0

#: Junction to ambient [K/W]: small package on a board without a heat sink, large one with heat sink and fan.
#: Assumed, a factor of two either way.
BARE_PACKAGE = 30.0
HEAT_SINK_PACKAGE = 0.3

#: Newton steps of the fixed point; the slowest case, on the edge of runaway, halves its error each.
_STEPS = 50


def leakage_factor(temperature: Array, *, doubling: Array = DOUBLING) -> Array:
    """Leakage at ``temperature`` [K] over that at 300 K: 2^((T − 300 K)/doubling). From 250 to 400 K."""
    return 2.0 ** ((temperature - REFERENCE_TEMPERATURE) / doubling)


def hot_spot(*, power: Array, area: Array) -> Array:
    """Rise [K] of a block of ``area`` [m²] and ``power`` [W] over its die: P/(4·k·a), a = √(area/π).

    An isothermal disc on a half-space (Carslaw & Jaeger, Conduction of Heat in Solids, §8.2). For blocks
    smaller than the die is thick, some 0.5 mm; above that it is too high, by the heat that leaves straight
    down.
    """
    return power / (4.0 * SILICON_CONDUCTIVITY * (area / math.pi) ** 0.5)


@dataclass(frozen=True)
class Package:
    """``resistance`` [K/W] from junction to an ambient of ``ambient`` [K]."""

    resistance: Array = BARE_PACKAGE
    ambient: Array = REFERENCE_TEMPERATURE

    def temperature(self, *, dynamic: Array, leakage: Array, doubling: Array = DOUBLING) -> Array:
        """Junction temperature [K] where heat and leakage agree; infinite where they never do.

        T = T_a + θ·(P + L·2^((T − 300 K)/D)) for ``dynamic`` P and ``leakage`` L at 300 K [W]. With x = ln
        2/D·(T − T_a − θP) it reads x = y·eˣ, y = ln 2/D·θ·L·2^((T_a + θP − 300 K)/D): the smaller root x =
        −W(−y) exists up to y = 1/e, beyond it the chip runs away.
        """
        xp = namespace_of(dynamic, leakage, self.resistance, self.ambient)
        rate = as_array(math.log(2.0) / doubling, xp)
        cool = as_array(self.ambient + self.resistance * dynamic, xp)
        y = rate * self.resistance * leakage * xp.exp(rate * (cool - REFERENCE_TEMPERATURE))
        y, cool = xp.broadcast_arrays(as_array(y, xp), cool)
        stable = y * math.e < 1.0
        bounded = xp.where(stable, y, xp.zeros_like(y))
        x = xp.zeros_like(bounded)
        for _ in range(_STEPS):
            grown = bounded * xp.exp(x)
            x = x - (x - grown) / (1.0 - grown)
        return xp.where(stable, cool + x / rate, xp.inf)
