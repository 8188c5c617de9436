"""Two-gate FeFET: a weight stored under a ferroelectric gate, modulated through a plain back gate.

The back gate of a fully depleted film shifts the threshold of the front channel by −γ·V_BG (Lim & Fossum,
IEEE Trans. Electron Devices 30, 1244, 1983, back surface depleted), and the stored weight with it: a third
operand that costs no write, as of a tripartite synapse (Jiang et al., arXiv 2504.14466) or of attention in a
crossbar (Mia et al., arXiv 2604.07628). What is multiplied depends on where the channel works:

* weak inversion: the stored current times γ·V_BG/(n·kT/q), linear within γ·V_BG/(2n·kT/q);
* saturation: the stored overdrive times γ·V_BG·β/n, linear within γ·V_BG over twice the overdrive;
* triode: drain voltage times γ·V_BG·β, linear, but the same for every stored threshold: the stored weight is
  added to the back gate there, not multiplied by it.
"""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.constants import VACUUM_PERMITTIVITY
from cost_models.ferroelectric.channel import conductances, drain_current
from cost_models.namespace import Array, as_array, namespace_of
from cost_models.ranges import require, require_positive

#: Relative permittivity of silicon and silicon dioxide (Sze & Ng, Physics of Semiconductor Devices, 3rd ed.,
#: appendices G and H).
SILICON_PERMITTIVITY = 11.9
SILICON_DIOXIDE_PERMITTIVITY = 3.9

_HALVINGS = 50  # of the interval that holds the end of the linear range


def back_gate_coupling(
    *, channel_thickness: Array, buried_oxide_thickness: Array, front_capacitance: Array
) -> Array:
    """Threshold shift over back-gate voltage of a fully depleted film, magnitude.

    γ = C_si·C_box/[C_front·(C_si + C_box)] (Lim & Fossum, 1983): the back gate acts through film and buried
    oxide in series, the front gate through its own stack. ``channel_thickness`` and
    ``buried_oxide_thickness`` [m], ``front_capacitance`` [F/m²] of film and interlayer in series.

    Range: back surface depleted, neither accumulated (γ = 0) nor inverted (a second channel).
    """
    require_positive(
        "two-gate FeFET",
        channel_thickness=channel_thickness,
        buried_oxide_thickness=buried_oxide_thickness,
        front_capacitance=front_capacitance,
    )
    return (
        back_capacitance(channel_thickness=channel_thickness, buried_oxide_thickness=buried_oxide_thickness)
        / front_capacitance
    )


def back_capacitance(*, channel_thickness: Array, buried_oxide_thickness: Array) -> Array:
    """Film and buried oxide in series [F/m²], what the back gate sees of a conducting front channel."""
    film = SILICON_PERMITTIVITY * VACUUM_PERMITTIVITY / channel_thickness
    oxide = SILICON_DIOXIDE_PERMITTIVITY * VACUUM_PERMITTIVITY / buried_oxide_thickness
    return film * oxide / (film + oxide)


def front_capacitance(
    *,
    film_thickness: Array,
    relative_permittivity: Array,
    interlayer_thickness: Array,
    interlayer_permittivity: Array = SILICON_DIOXIDE_PERMITTIVITY,
) -> Array:
    """Ferroelectric film, without switching, and interlayer in series [F/m²]."""
    inverse = film_thickness / relative_permittivity + interlayer_thickness / interlayer_permittivity
    return VACUUM_PERMITTIVITY / inverse


@dataclass(frozen=True, kw_only=True)
class DoubleGateFefet:
    """``coupling`` γ, channel ``factor`` [A/V²], ``slope_factor`` n, ``temperature`` [K].

    ``largest_back_gate`` [V]: magnitude of the back-gate voltage that was shown to modulate; beyond it is
    refused.
    """

    coupling: Array
    factor: Array
    slope_factor: Array
    largest_back_gate: Array
    temperature: Array = 300.0

    def __post_init__(self) -> None:
        require_positive(
            "two-gate FeFET",
            factor=self.factor,
            slope_factor=self.slope_factor,
            largest_back_gate=self.largest_back_gate,
        )
        require(
            (self.coupling > 0) & (self.coupling < 1),
            "the back gate does not couple more weakly than the front gate",
            where="two-gate FeFET, coupling",
            value=self.coupling,
            allowed="between 0 and 1",
        )

    def modulated_threshold(self, stored_threshold: Array, back_gate_voltage: Array) -> Array:
        """Threshold of the front channel [V]: stored, less γ·V_BG."""
        require(
            abs(back_gate_voltage) <= self.largest_back_gate,
            "the back-gate voltage is beyond what modulates the channel",
            where="two-gate FeFET, back_gate_voltage",
            value=back_gate_voltage,
            allowed="magnitude up to largest_back_gate",
        )
        return stored_threshold - self.coupling * back_gate_voltage

    def modulated_current(
        self, *, gate_voltage: Array, stored_threshold: Array, back_gate_voltage: Array, drain_voltage: Array
    ) -> Array:
        """Current [A] of a weight stored as ``stored_threshold`` [V] under ``back_gate_voltage`` [V].

        ``gate_voltage``, ``drain_voltage`` [V]; weak to strong inversion, triode and saturation
        (``drain_current``).
        """
        return drain_current(
            gate_voltage=gate_voltage,
            threshold=self.modulated_threshold(stored_threshold, back_gate_voltage),
            drain_voltage=drain_voltage,
            factor=self.factor,
            slope_factor=self.slope_factor,
            temperature=self.temperature,
        )

    def gain(self, *, gate_voltage: Array, stored_threshold: Array, drain_voltage: Array) -> Array:
        """Change of the current over the back-gate voltage at V_BG = 0 [A/V]: γ·∂I/∂VG."""
        return (
            self.coupling
            * conductances(
                gate_voltage=gate_voltage,
                threshold=stored_threshold,
                drain_voltage=drain_voltage,
                factor=self.factor,
                slope_factor=self.slope_factor,
                temperature=self.temperature,
            )[0]
        )

    def deviation(
        self, *, gate_voltage: Array, stored_threshold: Array, back_gate_voltage: Array, drain_voltage: Array
    ) -> Array:
        """Relative deviation of I(V_BG) − I(0) from ``gain`` times V_BG, signed; V_BG not zero."""
        point = {"gate_voltage": gate_voltage, "drain_voltage": drain_voltage}
        change = self.modulated_current(
            stored_threshold=stored_threshold, back_gate_voltage=back_gate_voltage, **point
        ) - self.modulated_current(
            stored_threshold=stored_threshold, back_gate_voltage=0.0 * back_gate_voltage, **point
        )
        line = self.gain(stored_threshold=stored_threshold, **point) * back_gate_voltage
        return change / line - 1

    def linear_range(
        self, *, tolerance: Array, gate_voltage: Array, stored_threshold: Array, drain_voltage: Array
    ) -> Array:
        """Back-gate voltage [V] up to which, with either sign, ``deviation`` stays within ``tolerance``.

        At most ``largest_back_gate``. The current is convex in the back-gate voltage, so that the deviation
        grows with it; the end of the range is bracketed, and a last Newton step refines it and carries the
        gradient.
        """
        require_positive("two-gate FeFET", tolerance=tolerance)
        point = {
            "gate_voltage": gate_voltage,
            "stored_threshold": stored_threshold,
            "drain_voltage": drain_voltage,
        }
        shapes = (tolerance, *point.values(), self.coupling, self.factor, self.slope_factor, self.temperature)
        xp = namespace_of(*shapes, self.largest_back_gate)
        largest = as_array(self.largest_back_gate, xp)
        largest = xp.broadcast_arrays(largest, *(as_array(value, xp) for value in shapes))[0]
        ends = [self._end(sign=sign, tolerance=tolerance, largest=largest, point=point) for sign in (1, -1)]
        return xp.minimum(*ends)

    def _end(self, *, sign: int, tolerance: Array, largest: Array, point: dict[str, Array]) -> Array:
        """Magnitude of the back-gate voltage of one ``sign`` at which the deviation reaches the tolerance."""
        xp = namespace_of(largest)
        low, high = xp.zeros_like(largest), largest
        for _ in range(_HALVINGS):
            middle = (low + high) / 2
            inside = sign * self.deviation(back_gate_voltage=sign * middle, **point) < tolerance
            low, high = xp.where(inside, middle, low), xp.where(inside, high, middle)
        end = (low + high) / 2
        deviation = self.deviation(back_gate_voltage=sign * end, **point)
        local = dict(point, stored_threshold=self.modulated_threshold(point["stored_threshold"], sign * end))
        # d[ΔI/(g·V)]/dV = [I′/g − ΔI/(g·V)]/V
        slope = (self.gain(**local) / self.gain(**point) - 1 - deviation) / (sign * end)
        whole = sign * self.deviation(back_gate_voltage=sign * largest, **point) <= tolerance
        growing = xp.where(whole, xp.ones_like(end), slope)
        refined = end - (sign * deviation - tolerance) / growing
        return xp.where(whole, largest, refined)


def back_gate_energy(*, line_capacitance: Array, back_gate_voltage: Array) -> Array:
    """Energy [J] of one vector: the line is charged to ``back_gate_voltage`` [V] and discharged, C·V².

    ``line_capacitance`` [F]: wire and ``back_capacitance`` times the gate area of each cell on the line.
    """
    return line_capacitance * back_gate_voltage**2
