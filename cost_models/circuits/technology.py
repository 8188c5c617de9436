"""A CMOS technology as circuits see it: capacitances, areas, delay over supply, leakage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import lru_cache

from cost_models.namespace import Array, as_array, namespace_of
from device_params.load import load_technology

#: Width of the transition between weak and strong inversion, 2·n·kT/q [V], at 300 K with a slope factor n
#: of 1.4, a subthreshold swing of 83 mV a decade (typical of bulk; FinFETs 1.2).
MODERATE_INVERSION = 2.0 * 1.4 * 0.02585


@dataclass(frozen=True)
class Technology:
    """Parameters of a technology file in SI units, floats or arrays [points] that broadcast.

    ``gate_*`` describe the unit gate, a NAND2 with its load; ``*_ratio`` other cells against it.
    ``gate_delay`` and ``gate_leakage`` hold at ``nominal_voltage``; the circuits run at ``supply_voltage``.
    """

    node: Array
    supply_voltage: Array
    nominal_voltage: Array
    threshold_voltage: Array
    velocity_saturation_exponent: Array
    gate_capacitance: Array
    gate_area: Array
    gate_delay: Array
    gate_leakage: Array
    xor_capacitance_ratio: Array
    xor_area_ratio: Array
    xor_delay_ratio: Array
    flip_flop_capacitance_ratio: Array
    flip_flop_area_ratio: Array
    full_adder_capacitance_ratio: Array
    full_adder_area_ratio: Array
    full_adder_delay_ratio: Array
    transmission_gate_area_ratio: Array
    transmission_gate_width: Array
    wire_capacitance: Array
    wire_resistance: Array
    repeater_capacitance_ratio: Array
    transistor_gate_capacitance_per_width: Array
    transistor_drain_capacitance_per_width: Array
    transistor_on_resistance_width: Array
    sram_cell_area: Array
    capacitor_density: Array
    threshold_mismatch: Array
    high_voltage_driver_capacitance: Array
    high_voltage_driver_area: Array

    @classmethod
    def of(cls, p: Mapping[str, Array], slot: str = "technology") -> Technology:
        """Take the technology out of parameters by name (``technology.gate_area`` …)."""
        return cls(**{entry.name: p[f"{slot}.{entry.name}"] for entry in fields(cls)})

    @property
    def gate_energy(self) -> Array:
        """Energy that the unit gate takes from the supply for one rise of its output, C·V² [J]."""
        return self.gate_capacitance * self.supply_voltage**2

    @property
    def slowdown(self) -> Array:
        """Delay at the supply over the delay at ``nominal_voltage``, V/V_ov^α.

        Alpha-power law: Sakurai & Newton, IEEE J. Solid-State Circuits 25, 584 (1990), eq. 9, with the
        overdrive V − V_t continued through the threshold as in the EKV model (Enz, Krummenacher & Vittoz,
        Analog Integrated Circuits and Signal Processing 8, 83 (1995)):
        V_ov = 2nφ·ln(1 + exp((V − V_t)/2nφ)). Well above the threshold that is V − V_t; it stays positive
        below.
        """
        xp = namespace_of(self.supply_voltage, self.threshold_voltage)

        def delay(voltage: Array) -> Array:
            above = (voltage - self.threshold_voltage) / MODERATE_INVERSION
            overdrive = MODERATE_INVERSION * xp.log1p(xp.exp(as_array(above, xp)))
            return voltage / overdrive**self.velocity_saturation_exponent

        return delay(self.supply_voltage) / delay(self.nominal_voltage)

    @property
    def delay(self) -> Array:
        """Delay of the unit gate at the supply [s]."""
        return self.gate_delay * self.slowdown

    @property
    def leakage(self) -> Array:
        """Static power of the unit gate at the supply [W]; drain current taken as constant, power ∝ V."""
        return self.gate_leakage * self.supply_voltage / self.nominal_voltage


@lru_cache(maxsize=32)
def nominal_technology(name: str) -> Technology:
    """A built-in technology at its nominal values, as the reference that a fitted law is carried from."""
    nominal = load_technology(name).parameters.nominal()
    return Technology.of({f"technology.{parameter}": value for parameter, value in nominal.items()})
