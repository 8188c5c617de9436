"""Disturb: what the voltages of other cells' writes and reads do to a state that they oppose.

Progress adds up over pulses (a domain does not forget what it has gone through), so n exposures of one length
count as one of n times that length. A state that the voltage supports is not disturbed by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.ferroelectric.fefet import FeFET
from cost_models.namespace import Array, as_array, namespace_of

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


def threshold_shift(transistor: FeFET, exposure: Exposure) -> Array:
    """Threshold voltage [V] that a fully switched state has lost after an exposure: [points].

    Assumes that the gate rests between exposures (trapped charge relaxes), which is when it is disturbed
    most.
    """
    return transistor.window(exposure.voltage, exposure.time)


def exposures_until(transistor: FeFET, *, voltage: Array, duration: Array, shift: Array) -> Array:
    """Exposures [points] after which a state has lost ``shift`` [V]; infinite where it never does.

    Bisection in the logarithm of the accumulated time, 1e-30 to 1e30 s: the shift only grows with it.
    """
    xp = namespace_of(voltage, duration, shift, transistor.stack.screening_voltage)
    shape = as_array(voltage, xp) + 0.0 * as_array(duration, xp) + 0.0 * as_array(shift, xp)
    low, high = 0.0 * shape - _LONGEST, 0.0 * shape + _LONGEST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2.0
        reached = transistor.window(voltage + 0.0 * middle, 10.0**middle) >= shift
        high, low = xp.where(reached, middle, high), xp.where(reached, low, middle)
    never = high >= _LONGEST
    return xp.where(never, xp.inf + 0.0 * high, 10.0 ** ((low + high) / 2.0) / duration)
