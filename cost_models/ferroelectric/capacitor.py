"""Ferroelectric capacitors: three devices that share a film and little else.

* FeCAP, metal-film-metal: written by switching pulses, read without switching by the small difference that
  the state leaves in its capacitance (a ratio of 1.1-2).
* FeRAM cell: the same capacitor behind a transistor, read by switching it: a large charge, but the state is
  lost, is written back, and every read costs a cycle of its endurance.
* Memcapacitor: a semiconductor in the stack is depleted or not, so that the capacitance changes by a large
  ratio; read like a FeCAP.

Polarization C/m², capacitance a square metre F/m², areas m². Lines and drivers are charged elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from cost_models.constants import BOLTZMANN, ELEMENTARY_CHARGE
from cost_models.ferroelectric.charge_read import electrons_of, enob_of, signal_to_noise_for
from cost_models.namespace import Array
from cost_models.ranges import require, require_not_negative, require_positive


@dataclass(frozen=True)
class PulseParts:
    """Charge [C] or energy [J] of a pulse: what switches, what charges the capacitance, what leaks."""

    switching: Array
    linear: Array
    leakage: Array

    @property
    def total(self) -> Array:
        """All three."""
        return self.switching + self.linear + self.leakage


def pulse_charge(
    *,
    switched_polarization: Array,
    area: Array,
    voltage: Array,
    capacitance_per_area: Array,
    leakage_current_density: Array = 0.0,
    pulse_time: Array = 0.0,
) -> PulseParts:
    """Charge that a pulse moves, in magnitude: ΔP·A, C·V, J·A·t [C].

    ``switched_polarization`` ΔP [C/m²], 2·Pr for a full reversal, less where the film is not screened or the
    pulse too short; ``capacitance_per_area`` of the whole stack without switching [F/m²];
    ``leakage_current_density`` [A/m²] at the pulse's ``voltage``, for ``pulse_time`` [s]. The charge of the
    capacitance comes back when the pulse ends; the rest does not.
    """
    require_not_negative(
        "pulse on a ferroelectric",
        area=area,
        capacitance_per_area=capacitance_per_area,
        leakage_current_density=leakage_current_density,
        pulse_time=pulse_time,
    )
    return PulseParts(
        switching=abs(switched_polarization) * area,
        linear=capacitance_per_area * area * abs(voltage),
        leakage=leakage_current_density * area * pulse_time,
    )


def pulse_energy(
    *,
    switched_polarization: Array,
    area: Array,
    voltage: Array,
    capacitance_per_area: Array,
    leakage_current_density: Array = 0.0,
    pulse_time: Array = 0.0,
) -> PulseParts:
    """Energy that a supply of ``voltage`` gives to a pulse [J]: ΔP·A·V, C·V², J·A·V·t.

    C·V² is a charge and a discharge of the capacitance from a supply that takes nothing back. Arguments as of
    ``pulse_charge``. With 2·Pr = 50 µC/cm², ε 28 and 8 nm a gate of 100 × 100 nm at 4 V takes 20.0 + 5.0 fJ;
    behind an unscreened interlayer far less polarization switches.
    """
    charge = pulse_charge(
        switched_polarization=switched_polarization,
        area=area,
        voltage=voltage,
        capacitance_per_area=capacitance_per_area,
        leakage_current_density=leakage_current_density,
        pulse_time=pulse_time,
    )
    volts = abs(voltage)
    return PulseParts(charge.switching * volts, charge.linear * volts, charge.leakage * volts)


@dataclass(frozen=True, kw_only=True)
class CapacitiveRead:
    """A read of ``cells`` capacitors on one line by a small voltage that switches nothing.

    ``device_area`` [m²], ``capacitance_on`` and ``capacitance_off`` [F/m²] of the two states,
    ``read_voltage`` [V], ``line_capacitance`` [F] of the line and the input of its amplifier, ``temperature``
    [K], ``leakage_current_density`` [A/m²] for ``read_time`` [s]. ``coercive_voltage`` [V]: above it the read
    would switch, and is refused.
    """

    device_area: Array
    capacitance_on: Array
    capacitance_off: Array
    read_voltage: Array
    line_capacitance: Array
    cells: Array = 1.0
    temperature: Array = 300.0
    leakage_current_density: Array = 0.0
    read_time: Array = 0.0
    coercive_voltage: Array = math.inf

    def __post_init__(self) -> None:
        require_positive("capacitive read", device_area=self.device_area, capacitance_on=self.capacitance_on)
        require(
            self.capacitance_on > self.capacitance_off,
            "the states do not differ",
            where="capacitive read, capacitance_off",
            value=self.capacitance_off,
            allowed="below capacitance_on",
        )
        require(
            abs(self.read_voltage) < self.coercive_voltage,
            "the read voltage switches the film",
            where="capacitive read, read_voltage",
            value=self.read_voltage,
            allowed="below coercive_voltage",
        )

    @property
    def charge(self) -> Array:
        """Charge between all cells on and all cells off [C]: ΔC·V."""
        window = self.capacitance_on - self.capacitance_off
        return self.cells * window * self.device_area * abs(self.read_voltage)

    @property
    def electrons(self) -> Array:
        """The same charge in electrons."""
        return electrons_of(self.charge)

    @property
    def cell_capacitance(self) -> Array:
        """All cells in their on state [F]."""
        return self.cells * self.capacitance_on * self.device_area

    @property
    def energy(self) -> Array:
        """C·V² of all cells in their on state [J], an upper bound; no polarization switches."""
        return self.cell_capacitance * self.read_voltage**2

    @property
    def noise(self) -> Array:
        """Standard deviation of the charge [C]: kTC of line and cells, and the shot noise of what leaks.

        A displacement current carries no shot noise; leakage does.
        """
        thermal = BOLTZMANN * self.temperature * (self.line_capacitance + self.cell_capacitance)
        leaked = self.cells * self.leakage_current_density * self.device_area * self.read_time
        return (thermal + ELEMENTARY_CHARGE * leaked) ** 0.5

    @property
    def enob(self) -> Array:
        """Effective bits of one read; negative where the noise exceeds the signal."""
        return enob_of(self.charge / self.noise)

    def reads_for(self, enob: Array) -> Array:
        """Reads to average for ``enob`` effective bits: noise falls with their root (below one: one)."""
        return (signal_to_noise_for(enob) * self.noise / self.charge) ** 2

    def area_for(self, enob: Array) -> Array:
        """Area of one capacitor [m²] that gives ``enob`` effective bits in one read.

        (ΔC·V·A)² = SNR²·(kT·C_line + (kT·C_on + q·J·t)·A): the larger root in A.
        """
        density = self.charge / self.device_area
        ratio = (signal_to_noise_for(enob) / density) ** 2
        fixed = BOLTZMANN * self.temperature * self.line_capacitance
        growing = (self.noise**2 - fixed) / self.device_area
        return (ratio * growing + (ratio**2 * growing**2 + 4 * ratio * fixed) ** 0.5) / 2


@dataclass(frozen=True, kw_only=True)
class FerroelectricCapacitor:
    """FeCAP: ``device_area`` [m²], ``remanent_polarization`` [C/m²], capacitances of both states [F/m²]."""

    device_area: Array
    remanent_polarization: Array
    capacitance_on: Array
    capacitance_off: Array
    coercive_voltage: Array = math.inf

    def write_energy(self, *, voltage: Array, switched_share: Array = 1.0) -> PulseParts:
        """Energy of a pulse that reverses ``switched_share`` of the film [J]."""
        return pulse_energy(
            switched_polarization=2 * self.remanent_polarization * switched_share,
            area=self.device_area,
            voltage=voltage,
            capacitance_per_area=self.capacitance_on,
        )

    def read(
        self,
        *,
        read_voltage: Array,
        line_capacitance: Array,
        cells: Array = 1.0,
        temperature: Array = 300.0,
    ) -> CapacitiveRead:
        """A read that switches nothing."""
        return CapacitiveRead(
            device_area=self.device_area,
            capacitance_on=self.capacitance_on,
            capacitance_off=self.capacitance_off,
            read_voltage=read_voltage,
            line_capacitance=line_capacitance,
            cells=cells,
            temperature=temperature,
            coercive_voltage=self.coercive_voltage,
        )


@dataclass(frozen=True, kw_only=True)
class Memcapacitor:
    """``device_area`` [m²], ``capacitance_on`` [F/m²] and its ``capacitance_ratio`` over the off state."""

    device_area: Array
    capacitance_on: Array
    capacitance_ratio: Array

    def __post_init__(self) -> None:
        require(
            self.capacitance_ratio > 1,
            "the states do not differ",
            where="memcapacitor, capacitance_ratio",
            value=self.capacitance_ratio,
            allowed="above one",
        )

    @classmethod
    def from_window(
        cls, *, device_area: Array, capacitance_window: Array, capacitance_ratio: Array
    ) -> Memcapacitor:
        """From the difference of the states [F/m²]: C_on = window·ratio/(ratio − 1)."""
        return cls(
            device_area=device_area,
            capacitance_on=capacitance_window * capacitance_ratio / (capacitance_ratio - 1),
            capacitance_ratio=capacitance_ratio,
        )

    def level_capacitance(self, level: Array, levels: Array) -> Array:
        """Capacitance [F] of ``level`` 0 … levels − 1, spaced evenly between off and on."""
        off = self.capacitance_on / self.capacitance_ratio
        return self.device_area * (off + (self.capacitance_on - off) * level / (levels - 1))

    def read(
        self,
        *,
        read_voltage: Array,
        line_capacitance: Array,
        cells: Array = 1.0,
        temperature: Array = 300.0,
    ) -> CapacitiveRead:
        """A read that switches nothing."""
        return CapacitiveRead(
            device_area=self.device_area,
            capacitance_on=self.capacitance_on,
            capacitance_off=self.capacitance_on / self.capacitance_ratio,
            read_voltage=read_voltage,
            line_capacitance=line_capacitance,
            cells=cells,
            temperature=temperature,
        )


@dataclass(frozen=True, kw_only=True)
class FeramCell:
    """One transistor, one capacitor: read by a pulse on the plate against a floating bit line.

    ``device_area`` [m²], ``switched_polarization`` [C/m²] that a stored one releases (2·Pr), its
    ``capacitance_per_area`` [F/m²], ``bit_line_capacitance`` [F], ``plate_voltage`` [V] of read and write.
    ``coercive_voltage`` [V]: what must remain across the film at the end of the read for it to switch.
    """

    device_area: Array
    switched_polarization: Array
    capacitance_per_area: Array
    bit_line_capacitance: Array
    plate_voltage: Array
    coercive_voltage: Array = 0.0

    def __post_init__(self) -> None:
        require_positive(
            "FeRAM cell",
            device_area=self.device_area,
            switched_polarization=self.switched_polarization,
            capacitance_per_area=self.capacitance_per_area,
            bit_line_capacitance=self.bit_line_capacitance,
            plate_voltage=self.plate_voltage,
        )
        require(
            self.film_voltage > self.coercive_voltage,
            "the bit line takes so much of the plate voltage that the film does not switch",
            where="FeRAM cell, voltage across the film",
            value=self.film_voltage,
            allowed="above coercive_voltage",
            remedy="a larger bit_line_capacitance or a smaller device_area leaves more",
        )

    @property
    def capacitance(self) -> Array:
        """Capacitance of the film without switching [F]."""
        return self.capacitance_per_area * self.device_area

    @property
    def bit_line_voltage(self) -> tuple[Array, Array]:
        """Bit line after the pulse for a stored one and a stored zero [V].

        Plate, film and bit line are in series: C_BL·V_BL = C·(V − V_BL) + ΔP·A, with ΔP = 0 for a zero.
        """
        both = self.bit_line_capacitance + self.capacitance
        zero = self.capacitance * self.plate_voltage / both
        return zero + self.switched_polarization * self.device_area / both, zero

    @property
    def sense_signal(self) -> Array:
        """Difference that the sense amplifier sees [V]: ΔP·A/(C_BL + C)."""
        one, zero = self.bit_line_voltage
        return one - zero

    @property
    def film_voltage(self) -> Array:
        """What remains across the film at the end of the read of a one [V]."""
        return self.plate_voltage - self.bit_line_voltage[0]

    @property
    def noise(self) -> Array:
        """kTC of bit line and film at 300 K as a voltage [V]."""
        return (BOLTZMANN * 300.0 / (self.bit_line_capacitance + self.capacitance)) ** 0.5

    def read_energy(self, *, ones_share: Array = 0.5) -> PulseParts:
        """Energy of a read and its write-back [J]: C·V² twice for any state, ΔP·A·V twice for a stored one.

        ``ones_share``: share of the cells read that hold a one. Bit line and plate line are charged
        elsewhere.
        """
        pulse = pulse_energy(
            switched_polarization=self.switched_polarization * ones_share,
            area=self.device_area,
            voltage=self.plate_voltage,
            capacitance_per_area=self.capacitance_per_area,
        )
        return PulseParts(2 * pulse.switching, 2 * pulse.linear, pulse.leakage)

    def write_energy(self) -> PulseParts:
        """Energy of a write that reverses the film [J]."""
        return pulse_energy(
            switched_polarization=self.switched_polarization,
            area=self.device_area,
            voltage=self.plate_voltage,
            capacitance_per_area=self.capacitance_per_area,
        )

    @staticmethod
    def cycles(*, reads: Array, writes: Array) -> Array:
        """Endurance cycles that ``reads`` and ``writes`` cost: a read switches a one and switches it back."""
        return reads + writes
