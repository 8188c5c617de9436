"""Time until a line of an array has settled to the accuracy of its converter, in closed form.

A word line is driven through its driver's resistance; a bit line, loaded by its cells, delivers its current
into the input resistance of a converter. Both are a distributed RC line with a resistor at one end and the
other end open, and settle with the slowest of its modes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from cost_models.namespace import Array, as_array, namespace_of

#: tan(μ)·μ ≈ y·(1 + a·y)/(1 − y/y₀) with y = μ², y₀ = π²/4: pole, its residue 2 and the slope at 0 are exact,
#: which fixes a = (8/π² − 1)/y₀. Within 0.4 % of the function for 0 ≤ y < y₀.
_POLE: Final[float] = math.pi**2 / 4
_SLOPE: Final[float] = (8 / math.pi**2 - 1) / _POLE


@dataclass(frozen=True)
class RcLine:
    """A line of distributed resistance and capacitance, connected at one end, open at the other.

    Attributes:
        resistance, capacitance: of the whole line [Ω], [F]; capacitance above 0.
        terminal_resistance: of the driver, or of the converter's input [Ω]; above 0 where ``resistance`` is
        0.
        terminal_capacitance: at that end, to ground [F]: input of a converter, output of a driver.
        conductance: of all cells on the line to lines that hold their voltage [S].
    """

    resistance: Array
    capacitance: Array
    terminal_resistance: Array
    terminal_capacitance: Array = 0.0
    conductance: Array = 0.0

    @property
    def _eigenvalue(self) -> Array:
        """w = μ²/R [S], solution of ρ·(μ·tan μ + κ·μ²) = 1 − κ·R_t·G with ρ = R_t/R, κ = C_t/C.

        With the rational form of μ·tan μ this is a quadratic; written in w it has no division by R.
        """
        kappa = self.terminal_capacitance / self.capacitance
        drive = 1.0 - kappa * self.terminal_resistance * self.conductance
        square = self.terminal_resistance * self.resistance * (_SLOPE - kappa / _POLE)
        linear = self.terminal_resistance * (1.0 + kappa) + drive * self.resistance / _POLE
        root = (linear**2 + 4.0 * square * drive) ** 0.5
        return 2.0 * drive / (linear + root)

    @property
    def time_constant(self) -> Array:
        """Time constant τ = C/(w + G) [s] of the slowest mode, w = μ²/R of the line, G what the cells drain.

        Limits: 4/π²·R·C of a line held at one end; R_t·(C + C_t) where the line has no resistance.
        """
        return self.capacitance / (self._eigenvalue + self.conductance)

    def far_end_settling(self, bits: Array) -> Array:
        """Time [s] after a step at the driver until the open end is within half a step of ``bits`` bits.

        τ·ln(c·2^(bits+1)); the slowest mode begins with c = 2·sin μ/(μ + sin μ·cos μ) of the step, from 1
        (all resistance in the driver) to 4/π (all in the line). For a line without conductance and terminal
        capacitance, and at least one bit; faster modes have died by then.
        """
        xp, mu = self._angle()
        sine, cosine = xp.sin(mu), xp.cos(mu)
        return self._settled(bits, 2.0 * sine / (mu + sine * cosine), xp)

    def terminal_settling(self, bits: Array) -> Array:
        """Time [s] after all cells begin to draw equal currents until the terminal's current has settled.

        Within half a step of ``bits`` bits of the final current: τ·ln(d·2^(bits+1)), the slowest mode holds
        d = 2·sin²μ/[μ·(μ + sin μ·cos μ)] of it, from 8/π² (ideal input) to 1.
        """
        xp, mu = self._angle()
        sine, cosine = xp.sin(mu), xp.cos(mu)
        return self._settled(bits, 2.0 * sine**2 / (mu * (mu + sine * cosine)), xp)

    def _angle(self) -> tuple[Array, Array]:
        """Namespace and μ, kept off 0, where the amplitudes are 0/0 with limit 1."""
        square = self._eigenvalue * self.resistance
        xp = namespace_of(square)
        return xp, xp.sqrt(xp.clip(as_array(square, xp), 1e-10, None))

    def _settled(self, bits: Array, amplitude: Array, xp: Array) -> Array:
        return self.time_constant * xp.log(amplitude * 2.0 ** as_array(bits + 1.0, xp))
