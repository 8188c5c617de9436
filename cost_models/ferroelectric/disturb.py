"""Disturb: what the voltages of other cells' writes and reads do to a state that they oppose.

Progress adds up over pulses (a domain does not forget what it has gone through), so n exposures of one length
count as one of n times that length. What they find is not the same: if the charge that screens the film
relaxes between them, each finds the interlayer with little to bear and the film with its full share of the
voltage; if it does not, the first exposures have taken that share off the film and the rest do little. The
relaxation takes 400 ns with a standby bias and milliseconds without, so the two are the bounds. A state that
the voltage supports is not disturbed by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.ferroelectric.fefet import FeFET
from cost_models.namespace import Array, spread

_BISECTIONS = 60
_LONGEST = 30.0  # decades of time, up and down, in which an exposure is looked for


@dataclass(frozen=True)
class Exposure:
    """A voltage [V] on the gate against the state, for a time [s] each of ``count`` times."""

    voltage: Array
    duration: Array
    count: Array

    @property
    def time(self) -> Array:
        """Accumulated time [s]."""
        return self.duration * self.count


def threshold_shift(transistor: FeFET, exposure: Exposure, *, rested: bool = True) -> Array:
    """Threshold voltage [V] that a fully switched state has lost after an exposure.

    ``rested``: the trapped charge relaxes between the exposures, which is when they disturb most; else it
    never does, and the shift errs low by a quarter at most, as the pulse does. A rested one is within an
    eighth of time steps from ten exposures on (tests).
    """
    pulse = transistor.stack.pulse(exposure.voltage, exposure.time, rested=rested)
    return transistor.stack.saturated_window * pulse.share


def exposures_until(
    transistor: FeFET, *, voltage: Array, duration: Array, shift: Array, rested: bool = True
) -> Array:
    """Exposures after which a state has lost ``shift`` [V]; infinite where it never does.

    Bisection in the logarithm of the accumulated time, 1e-30 to 1e30 s: the shift only grows with it.
    """
    xp, gate, (voltage, duration, shift), shape = spread(transistor, voltage, duration, shift)
    low, high = 0.0 * voltage - _LONGEST, 0.0 * voltage + _LONGEST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        lost = threshold_shift(gate, Exposure(voltage, 10.0**middle, 1.0), rested=rested)
        reached = lost >= shift
        high, low = xp.where(reached, middle, high), xp.where(reached, low, middle)
    never = high >= _LONGEST
    found = xp.where(never, xp.inf + 0.0 * high, 10.0 ** ((low + high) / 2.0) / duration)
    return xp.reshape(found, shape)
