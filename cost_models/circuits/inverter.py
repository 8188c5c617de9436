"""The inverter behind drivers, repeaters and gates: resistance, capacitance, delay, area, leakage."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cost_models.circuits.elementary import log2
from cost_models.circuits.technology import Technology
from cost_models.namespace import Array

#: pMOS over nMOS width of an inverter with equal edges, the convention of the unit inverter in
#: Weste & Harris, CMOS VLSI Design, 4th ed., §4.3: its input is three widths of gate.
WIDTHS = 3.0

#: 50 % delay of a single RC over R·C.
STEP_DELAY = math.log(2.0)


@dataclass(frozen=True)
class Inverter:
    """An inverter whose nMOS is ``width`` [m] wide and whose pMOS twice that.

    Input 3·width·C_g, output 3·width·C_d; both capacitances per width are the technology's.
    """

    technology: Technology
    width: Array

    @property
    def resistance(self) -> Array:
        """Resistance [Ω] that gives, as ln 2·R·C, the delay in a chain where every input is a ramp."""
        return self.technology.transistor_on_resistance_width * ramp_factor(self.technology) / self.width

    @property
    def input_capacitance(self) -> Array:
        """Gate of both transistors [F]."""
        return WIDTHS * self.width * self.technology.transistor_gate_capacitance_per_width

    @property
    def output_capacitance(self) -> Array:
        """Drains of both transistors [F]."""
        return WIDTHS * self.width * self.technology.transistor_drain_capacitance_per_width

    @property
    def area(self) -> Array:
        """Layout area [m²]: that of an analog switch (transistors of known width), by transistor width."""
        return WIDTHS * self.width * area_per_width(self.technology)

    @property
    def leakage_power(self) -> Array:
        """Static power [W]: one of the two transistors is off, 1.5 widths on average."""
        return WIDTHS / 2.0 * self.width * leakage_per_width(self.technology)


def ramp_factor(technology: Technology) -> Array:
    """Delay of a gate in a chain over R_on·C·ln 2, that of a step at its input.

    Horowitz: a gate that switches at the share v of the supply and whose input takes t_in for the whole swing
    needs t = RC·√(ln²v + t_in/(RC)·(1 − v)) (M. Horowitz, Timing Models for MOS Circuits, Stanford 1983; the
    form of CACTI). In a chain t_in·(1 − v) is the delay t of the gate before, so t/RC = ½ + √(¼ + ln²v). At v
    = V_t/V = 0.42/0.9: 1.41, twice the ln 2 of a step. Supplies other than the nominal one stretch it with
    ``Technology.slowdown``.
    """
    logarithm = STEP_DELAY * log2(technology.threshold_voltage / technology.nominal_voltage)
    return (0.5 + (0.25 + logarithm**2) ** 0.5) / STEP_DELAY * technology.slowdown


def area_per_width(technology: Technology) -> Array:
    """Layout area over transistor width [m²/m], from the analog switch of the technology file.

    A switch of two transistors, each ``transmission_gate_width`` wide, takes ``transmission_gate_area_ratio``
    unit gates.
    """
    switch = technology.transmission_gate_area_ratio * technology.gate_area
    return switch / (2.0 * technology.transmission_gate_width)


def leakage_per_width(technology: Technology) -> Array:
    """Static power over the width of one transistor that is off [W/m].

    The unit gate leaks through one device about as wide as a minimum switch (technology file, gate_leakage).
    """
    return technology.leakage / technology.transmission_gate_width


def fanout_of_four(technology: Technology) -> Array:
    """Delay of an inverter that drives four of its kind [s]: ln 2·R·(C_out + 4·C_in), any width.

    The yardstick of the logical-effort delays in `logic` and `sram`. 28 nm: 1.41·2600 Ω·µm·3·(0.6 + 4·0.85)
    fF/µm = 44 ps.
    """
    one = Inverter(technology, 1.0)
    return STEP_DELAY * one.resistance * (one.output_capacitance + 4.0 * one.input_capacitance)
