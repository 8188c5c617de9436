"""Channel of a transistor from weak to strong inversion, and the same behind a resistor that clips it."""

from __future__ import annotations

from typing import Any

from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE
from cost_models.namespace import Array, as_array, namespace_of
from cost_models.ranges import require_not_negative, require_positive

#: Newton steps of the self-consistent current: behind a source resistor each halves the distance at worst
#: (square law), and a step that leaves the bracket is replaced by a bisection.
_STEPS = 40


def _softplus(x: Array, xp: Any) -> Array:
    """ln(1 + eˣ), without overflow."""
    return xp.logaddexp(xp.zeros_like(x), x)


def _sigmoid(x: Array, xp: Any) -> Array:
    """1/(1 + e⁻ˣ), without overflow."""
    return xp.exp(-_softplus(-x, xp))


def thermal_voltage(temperature: Array) -> Array:
    """kT/q [V] at ``temperature`` [K]."""
    return BOLTZMANN * temperature / ELEMENTARY_CHARGE


def _inversion(
    gate: Array, threshold: Array, source: Array, drain: Array, slope: Array, temperature: Array, xp: Any
) -> tuple[Array, Array]:
    """(VG − Vth − n·V)/(2nVt) at source and drain."""
    scale = 2 * slope * thermal_voltage(temperature)
    overdrive = gate - threshold
    near, far = (overdrive - slope * source) / scale, (overdrive - slope * drain) / scale
    near, far = xp.broadcast_arrays(as_array(near, xp), as_array(far, xp))
    return near, far


def drain_current(
    *,
    gate_voltage: Array,
    threshold: Array,
    drain_voltage: Array,
    factor: Array,
    slope_factor: Array,
    temperature: Array = 300.0,
    source_voltage: Array = 0.0,
) -> Array:
    """Drain current [A] of a long channel from weak to strong inversion.

    I = 2nβ·Vt²·{ln²[1 + e^{(VG − Vth − n·VS)/2nVt}] − ln²[1 + e^{(VG − Vth − n·VD)/2nVt}]} (Enz, Krummenacher
    & Vittoz, Analog Integr. Circuits Signal Process. 8, 83, 1995). Voltages are above the bulk, which is
    grounded: a source that rises by VS costs n·VS of gate voltage (body effect).

    ``gate_voltage``, ``threshold``, ``drain_voltage``, ``source_voltage`` [V]; ``factor`` β = µ·Cox·W/L
    [A/V²]; ``slope_factor`` n; ``temperature`` [K]. No velocity saturation, no short-channel effects; odd
    under exchange of source and drain.
    """
    require_positive("channel", slope_factor=slope_factor, temperature=temperature)
    inputs = (gate_voltage, threshold, drain_voltage, source_voltage, factor, slope_factor, temperature)
    xp = namespace_of(*inputs)
    forward, backward = _inversion(
        gate_voltage, threshold, source_voltage, drain_voltage, slope_factor, temperature, xp
    )
    unit = thermal_voltage(temperature)
    near, far = _softplus(forward, xp), _softplus(backward, xp)
    # A difference of squares as a product: at small drain voltages the squares agree in nearly all digits.
    return 2 * slope_factor * factor * unit**2 * (near - far) * (near + far)


def conductances(
    *,
    gate_voltage: Array,
    threshold: Array,
    drain_voltage: Array,
    factor: Array,
    slope_factor: Array,
    temperature: Array = 300.0,
    source_voltage: Array = 0.0,
) -> tuple[Array, Array, Array]:
    """∂I/∂VG, −∂I/∂VS and ∂I/∂VD of ``drain_current`` [S], same arguments; the first is also −∂I/∂Vth."""
    inputs = (gate_voltage, threshold, drain_voltage, source_voltage, factor, slope_factor, temperature)
    xp = namespace_of(*inputs)
    forward, backward = _inversion(
        gate_voltage, threshold, source_voltage, drain_voltage, slope_factor, temperature, xp
    )
    unit = 2 * slope_factor * factor * thermal_voltage(temperature)
    source = unit * _softplus(forward, xp) * _sigmoid(forward, xp)
    drain = unit * _softplus(backward, xp) * _sigmoid(backward, xp)
    return (source - drain) / slope_factor, source, drain


def clipped_current(
    *,
    gate_voltage: Array,
    threshold: Array,
    drain_voltage: Array,
    factor: Array,
    slope_factor: Array,
    source_resistance: Array = 0.0,
    drain_resistance: Array = 0.0,
    temperature: Array = 300.0,
) -> Array:
    """Current [A] of a transistor with resistors in series, solved self-consistently: at most VD/R.

    I = ``drain_current`` at VS = I·R_s and VD − I·R_d (1FeFET-1R: Soliman et al., Nat. Commun. 2023, doi
    10.1038/s41467-023-42110-y). A resistor at the drain clips: once the channel conducts better than the
    resistor, I = VD/R whatever the threshold. A resistor at the source follows: I = (VG − Vth)/(n·R) up to
    VD/R, which depends on the threshold (degeneration). With their 0.8 V and 5 MΩ a clipped current is
    150-160 nA; the 80 nA they measure would leave half of the supply on the channel, and no ``factor`` gives
    that at every threshold: other resistance or less voltage at the cell must have a part in it.

    ``drain_voltage`` [V] across channel and resistors, not negative; ``source_resistance`` and
    ``drain_resistance`` [Ω]; the rest as of ``drain_current``. Newton's method in a fixed number of steps,
    kept within [0, VD/R]; the gradient is that of the last step, which at the solution is the implicit
    derivative.
    """
    require_positive("channel", slope_factor=slope_factor, temperature=temperature)
    require_not_negative(
        "channel in series with a resistor",
        drain_voltage=drain_voltage,
        source_resistance=source_resistance,
        drain_resistance=drain_resistance,
    )
    inputs = (gate_voltage, threshold, drain_voltage, factor, slope_factor, temperature)
    xp = namespace_of(*inputs, source_resistance, drain_resistance)
    cell = {
        "gate_voltage": gate_voltage,
        "threshold": threshold,
        "factor": factor,
        "slope_factor": slope_factor,
        "temperature": temperature,
    }

    def at(current: Array) -> dict[str, Array]:
        return {
            "source_voltage": current * source_resistance,
            "drain_voltage": drain_voltage - current * drain_resistance,
        }

    free = drain_current(**cell, **at(as_array(0.0, xp)))
    resistance = as_array(source_resistance + drain_resistance, xp)
    free, resistance, voltage = xp.broadcast_arrays(free, resistance, as_array(drain_voltage, xp))
    limited = resistance > 0
    ceiling = xp.where(limited, voltage / xp.where(limited, resistance, xp.ones_like(resistance)), free)
    low, high = xp.zeros_like(free), xp.minimum(free, ceiling)

    def newton(current: Array) -> tuple[Array, Array]:
        """Excess of ``current`` over what the channel passes, and the next current."""
        excess = current - drain_current(**cell, **at(current))
        _, source, drain = conductances(**cell, **at(current))
        return excess, current - excess / (1 + source * source_resistance + drain * drain_resistance)

    current = low
    for _ in range(_STEPS):
        excess, step = newton(current)
        low = xp.where(excess < 0, current, low)
        high = xp.where(excess > 0, current, high)
        current = xp.where((step >= low) & (step <= high), step, (low + high) / 2)
    return newton(current)[1]


def gate_steps(*, highest: float, reads: int) -> tuple[float, ...]:
    """Gate voltages [V] of a staircase of ``reads`` steps up to ``highest`` [V], evenly spaced.

    A weight of b bits in a cell with a clipped current takes 2^b − 1 reads: it conducts at as many of the
    steps as its level says. 1.2 V and two bits: 0.4, 0.8 and 1.2 V, three reads (Soliman et al., 2023).
    """
    require_positive("gate steps", highest=highest, reads=reads)
    return tuple(highest * (step + 1) / reads for step in range(reads))
