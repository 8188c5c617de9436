"""Ferroelectric transistor: window of a pulse, threshold of a state, spread over gates, write energy.

Two models of the window stand side by side. The *physical* one is the switched share of the gate stack times
the saturated window. The *fitted* one is a nucleation-limited law in the gate voltage itself, with numbers of
its own and a constant offset that stands for trapping; it interpolates measurements and knows nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

from cost_models.ferroelectric.gate_stack import GatePulse, GateStack
from cost_models.ferroelectric.nucleation import Gaussian, Nucleation, domain_count, share_sigma
from cost_models.namespace import Array


@dataclass(frozen=True)
class FittedWindow:
    """MW = c + (M − c)·F(V, t): ``window`` M and ``offset`` c [V], F of a nucleation law in the gate voltage.

    ``time_constant`` [s], ``exponent`` α, ``kai_exponent`` β, ``activation_voltage`` and ``activation_sigma``
    [V] of a normal distribution. Range: the pulses that it was fitted to, no others.
    """

    window: Array
    offset: Array
    time_constant: Array
    exponent: Array
    kai_exponent: Array
    activation_voltage: Array
    activation_sigma: Array

    def after(self, gate_voltage: Array, duration: Array) -> Array:
        """Window [V] between the states that pulses of ±``gate_voltage`` [V] and ``duration`` [s] leave."""
        law = Nucleation(
            remanent_polarization=1.0,
            time_constant=self.time_constant,
            merz_exponent=self.exponent,
            kai_exponent=self.kai_exponent,
            activation=Gaussian(self.activation_voltage, self.activation_sigma),
        )
        return self.offset + (self.window - self.offset) * law.switched_share(gate_voltage, duration)


@dataclass(frozen=True)
class FeFET:
    """A gate stack, the area of its gate [m²], the grain [m] of its film and the middle of its window [V]."""

    stack: GateStack
    gate_area: Array
    grain_size: Array
    threshold_center: Array = 0.0

    def window(self, gate_voltage: Array, duration: Array) -> Array:
        """Physical memory window [V] of pulses of ±``gate_voltage`` [V] and ``duration`` [s]."""
        return self.stack.saturated_window * self.stack.pulse(gate_voltage, duration).share

    def threshold(self, share: Array) -> Array:
        """Threshold voltage [V] with ``share`` of the domains switched towards the channel.

        Vth = Vth0 − (MW_sat/2)·P/P_sat: the saturated window belongs here, not that of the pulse, which would
        count the pulse twice.
        """
        return self.threshold_center - self.stack.saturated_window * (share - 0.5)

    @property
    def domains(self) -> Array:
        """Domains under the gate, one at least."""
        return domain_count(self.gate_area, self.grain_size)

    def threshold_sigma(self, share: Array) -> Array:
        """Standard deviation [V] of the threshold over gates written by equal pulses, without verification.

        MW_sat·√(p(1 − p)/N) of N independent domains. Verified writing is not this: there the spread is what
        the verification tolerates.
        """
        return self.stack.saturated_window * share_sigma(share, self.domains)

    def write_energy(self, pulse: GatePulse) -> Array:
        """Energy that one pulse takes from its supply [J]: V·A·(ΔP + C_film·V_film).

        ΔP is what the stack lets switch. The charge counts from an empty film; at rest it holds a little of
        the other sign (2 % of a full write).
        """
        return self.gate_area * pulse.energy
