"""Ferroelectric tunnel junction: a barrier that the polarization tilts, and the time that a read of it takes.

Positive polarization points at electrode 1 and positive voltage raises the potential of electrode 2, so that
a positive voltage writes a positive polarization; it lowers the barrier at electrode 1 and raises it at
electrode 2, each by what the screening charge drops in that electrode. An electrode that screens badly on one
side only makes the two states differ in mean height: that difference is the electroresistance (Zhuravlev et
al., Phys. Rev. Lett. 94, 246802, 2005).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass

from cost_models.constants import ELEMENTARY_CHARGE, VACUUM_PERMITTIVITY
from cost_models.ferroelectric.charge_read import electrons_for, electrons_of
from cost_models.ferroelectric.tunnelling import (
    Segment,
    gruverman_conductance,
    tsu_esaki_current_density,
)
from cost_models.namespace import Array, as_array, namespace_of
from cost_models.ranges import require, require_not_negative, require_positive

#: Longest read [s] that is not refused, assumed: a thousand reads of 10 ns.
LONGEST_READ = 10e-6


def _larger(one: Array, other: Array) -> Array:
    xp = namespace_of(one, other)
    return xp.maximum(*xp.broadcast_arrays(as_array(one, xp), as_array(other, xp)))


def _largest(value: Array) -> float:
    xp = namespace_of(value)
    largest: float = xp.max(as_array(value, xp)).tolist()
    return largest


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Electrostatics of electrode 1, film, dielectric if there is one, and electrode 2.

    ``film_thickness`` [m] and ``relative_permittivity`` of the film, ``screening_length_1`` and ``_2`` [m]
    and ``screening_permittivity_1`` and ``_2`` of the electrodes, ``oxide_thickness`` [m] and
    ``oxide_permittivity`` of a dielectric between film and electrode 2. Linear (Thomas-Fermi) screening;
    charge trapped between film and dielectric counts as so much less polarization.
    """

    film_thickness: Array
    relative_permittivity: Array
    screening_length_1: Array
    screening_permittivity_1: Array
    screening_length_2: Array
    screening_permittivity_2: Array
    oxide_thickness: Array = 0.0
    oxide_permittivity: Array = 1.0

    def __post_init__(self) -> None:
        require_positive(
            "tunnel junction",
            film_thickness=self.film_thickness,
            relative_permittivity=self.relative_permittivity,
            screening_permittivity_1=self.screening_permittivity_1,
            screening_permittivity_2=self.screening_permittivity_2,
            oxide_permittivity=self.oxide_permittivity,
        )
        require_not_negative(
            "tunnel junction",
            screening_length_1=self.screening_length_1,
            screening_length_2=self.screening_length_2,
            oxide_thickness=self.oxide_thickness,
        )

    @property
    def inverse_capacitance(self) -> Array:
        """λ1/κ1 + λ2/κ2 + d/κ + d_ox/κ_ox [m], ε0 over the capacitance a square metre."""
        return (
            self.screening_length_1 / self.screening_permittivity_1
            + self.screening_length_2 / self.screening_permittivity_2
            + self.film_thickness / self.relative_permittivity
            + self.oxide_thickness / self.oxide_permittivity
        )

    @property
    def capacitance_density(self) -> Array:
        """Capacitance without switching over the area [F/m²]."""
        return VACUUM_PERMITTIVITY / self.inverse_capacitance

    def screening_charge(self, voltage: Array, polarization: Array) -> Array:
        """σ = (P·d/κ + ε0·V)/(λ1/κ1 + λ2/κ2 + d/κ [+ d_ox/κ_ox]) [C/m²] (Zhuravlev et al., 2005,
        with a voltage applied): the drops in electrodes, film and dielectric add up to V."""
        bound = polarization * self.film_thickness / self.relative_permittivity
        return (bound + VACUUM_PERMITTIVITY * voltage) / self.inverse_capacitance

    def film_field(self, voltage: Array, polarization: Array) -> Array:
        """Rise of the potential in the film from electrode 1 to 2, (σ − P)/(κ·ε0) [V/m]."""
        charge = self.screening_charge(voltage, polarization)
        return (charge - polarization) / (self.relative_permittivity * VACUUM_PERMITTIVITY)

    def oxide_field(self, voltage: Array, polarization: Array) -> Array:
        """Rise of the potential in the dielectric, σ/(κ_ox·ε0) [V/m]."""
        return self.screening_charge(voltage, polarization) / (self.oxide_permittivity * VACUUM_PERMITTIVITY)

    def electrode_drops(self, voltage: Array, polarization: Array) -> tuple[Array, Array]:
        """σ·λ/(κ·ε0) [V]: by what the barrier falls at electrode 1 and rises at electrode 2."""
        charge = self.screening_charge(voltage, polarization) / VACUUM_PERMITTIVITY
        return (
            charge * self.screening_length_1 / self.screening_permittivity_1,
            charge * self.screening_length_2 / self.screening_permittivity_2,
        )


@dataclass(frozen=True, kw_only=True)
class Junction(ABC):
    """A junction with ``device_area`` [m²] read at ``read_voltage`` [V]: its states and its read time."""

    device_area: Array
    read_voltage: Array

    @abstractmethod
    def densities(self) -> tuple[Array, Array]:
        """Magnitude of the current over the area [A/m²] at the read voltage, on state and off state."""

    @property
    def on_current(self) -> Array:
        """Current of the on state at the read voltage [A]."""
        return self.device_area * self.densities()[0]

    @property
    def off_current(self) -> Array:
        """Current of the off state at the read voltage [A]."""
        return self.device_area * self.densities()[1]

    @property
    def on_resistance(self) -> Array:
        """Read voltage over the current of the on state [Ω]."""
        return abs(self.read_voltage) / self.on_current

    @property
    def electroresistance(self) -> Array:
        """Tunnelling electroresistance (J_on − J_off)/J_off at the read voltage: on/off ratio less one."""
        on, off = self.densities()
        return on / off - 1

    def electrons(self, time: Array) -> Array:
        """Electrons that the on state passes in ``time`` [s]."""
        return electrons_of(self.on_current * time)

    def read_time(
        self,
        enob: Array,
        *,
        load_capacitance: Array = 0.0,
        sense_resistance: Array = math.inf,
        leakage_current: Array = 0.0,
        longest: float = LONGEST_READ,
    ) -> Array:
        """Time [s] until a read tells on from off with ``enob`` effective bits: max(RC, shot noise).

        * Shot noise: the difference of the states against the fluctuation of all that flows, (I_on −
          I_off)²·t/[q·(I_on + I_leak)] = n with n of ``electrons_for``; without off current and leakage
          n·q/I_on.
        * RC: ``load_capacitance`` [F] of the node that the junction drives, the junction's own included,
          through the on resistance in parallel with ``sense_resistance`` [Ω] of the amplifier; infinite: the
          node floats.

        ``leakage_current`` [A]: current of other cells and of the selector into the same node.

        Raises InputError: longer than ``longest`` [s]; names the area that would do.
        """
        on, off = self.on_current, self.off_current
        shot = electrons_for(enob) * ELEMENTARY_CHARGE * (on + leakage_current) / (on - off) ** 2
        conductance = on / abs(self.read_voltage) + 1 / sense_resistance
        time = _larger(shot, load_capacitance / conductance)
        area = self.area_for(
            longest,
            enob,
            load_capacitance=load_capacitance,
            sense_resistance=sense_resistance,
            leakage_current=leakage_current,
        )
        # A device of the very area that is named for a time needs that time: let rounding pass.
        require(
            time <= longest * (1 + 1e-9),
            f"a read of {_largest(enob):g} effective bits takes too long",
            where=f"{type(self).__name__}, read time in s",
            value=time,
            allowed=f"up to {longest:g} s",
            remedy=f"an area of {_largest(area):.3g} m^2 would do",
        )
        return time

    def area_for(
        self,
        read_time: Array,
        enob: Array,
        *,
        load_capacitance: Array = 0.0,
        sense_resistance: Array = math.inf,
        leakage_current: Array = 0.0,
    ) -> Array:
        """Area [m²] of the same junction that reads ``enob`` effective bits in ``read_time`` [s].

        Current densities and the load stay: (J_on − J_off)²·A²·t = n·q·(J_on·A + I_leak), and the on
        resistance falls with the area until RC fits. Arguments as of ``read_time``.
        """
        on, off = self.densities()
        noise = electrons_for(enob) * ELEMENTARY_CHARGE / (read_time * (on - off) ** 2)
        shot = (noise * on + (noise**2 * on**2 + 4 * noise * leakage_current) ** 0.5) / 2
        settled = (load_capacitance / read_time - 1 / sense_resistance) * abs(self.read_voltage) / on
        return _larger(shot, settled)


@dataclass(frozen=True, kw_only=True)
class MeasuredJunction(Junction):
    """A junction known by ``on_current_density`` [A/m²] at its read voltage and ``on_off_ratio`` alone.

    Nothing is said of other voltages, nor of intermediate states. The density is that of the junctions
    measured; at another area it assumes a current in proportion to the area.
    """

    on_current_density: Array
    on_off_ratio: Array

    def __post_init__(self) -> None:
        require_positive(
            "measured junction", device_area=self.device_area, on_current_density=self.on_current_density
        )
        require(
            self.on_off_ratio > 1,
            "the states do not differ",
            where="measured junction, on_off_ratio",
            value=self.on_off_ratio,
            allowed="above one",
        )
        require(
            self.read_voltage != 0,
            "no voltage to read at",
            where="measured junction",
            value=self.read_voltage,
        )

    def densities(self) -> tuple[Array, Array]:
        """Current densities [A/m²] of on and off state."""
        return self.on_current_density, self.on_current_density / self.on_off_ratio


@dataclass(frozen=True, kw_only=True)
class BarrierJunction(Junction):
    """A junction from its barrier, with states at plus and minus ``remanent_polarization`` [C/m²].

    The on state is the one that conducts more at the read voltage. Attributes: see the two kinds below.
    """

    stack: Stack
    remanent_polarization: Array
    barrier_height: Array
    effective_mass: Array = 1.0

    def __post_init__(self) -> None:
        require_positive(
            "tunnel junction",
            device_area=self.device_area,
            barrier_height=self.barrier_height,
            effective_mass=self.effective_mass,
            remanent_polarization=self.remanent_polarization,
        )
        require(
            self.read_voltage != 0, "no voltage to read at", where="tunnel junction", value=self.read_voltage
        )

    @abstractmethod
    def current_density(self, voltage: Array, polarization: Array) -> Array:
        """Current over the area [A/m²] at ``voltage`` [V] and ``polarization`` [C/m²]."""

    def current(self, voltage: Array, polarization: Array) -> Array:
        """Current [A] at ``voltage`` [V] with a film of uniform ``polarization`` [C/m²]."""
        return self.device_area * self.current_density(voltage, polarization)

    def domain_current(self, voltage: Array, up_share: Array) -> Array:
        """Current [A] of a film of which ``up_share`` points at electrode 1 and the rest at electrode 2.

        Domains conduct in parallel, each as a film of its own (Chanthbouala et al., Nat. Mater. 11, 860,
        2012).
        """
        up = self.current(voltage, self.remanent_polarization)
        down = self.current(voltage, -self.remanent_polarization)
        return up_share * up + (1 - up_share) * down

    def densities(self) -> tuple[Array, Array]:
        """Current densities [A/m²] of the better and the worse conducting saturated state."""
        up = abs(self.current_density(self.read_voltage, self.remanent_polarization))
        down = abs(self.current_density(self.read_voltage, -self.remanent_polarization))
        xp = namespace_of(up, down)
        return xp.maximum(up, down), xp.minimum(up, down)


@dataclass(frozen=True, kw_only=True)
class TunnelJunction(BarrierJunction):
    """Metal, ferroelectric film, metal: direct tunnelling through the whole film (Gruverman).

    ``barrier_height`` φ [J] mean height without polarization and voltage, ``barrier_asymmetry`` [J] height at
    electrode 2 less that at electrode 1, ``effective_mass`` relative, ``temperature`` [K] of the read, zero
    for the formula as published (a factor of 1.1-1.4 at 300 K for 3 nm). Heights follow φ1 = φ − Δφ/2 − e·ψ1,
    φ2 = φ + Δφ/2 + e·ψ2 with ψ of ``Stack.electrode_drops``.
    """

    barrier_asymmetry: Array = 0.0
    temperature: Array = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        require(
            self.stack.oxide_thickness == 0,
            "the film has a dielectric in series",
            where="tunnel junction, oxide_thickness",
            value=self.stack.oxide_thickness,
            allowed="zero",
            remedy="use BilayerJunction",
        )

    def barrier(self, voltage: Array, polarization: Array) -> tuple[Array, Array]:
        """Heights [J] at electrode 1 and electrode 2, each above its own Fermi level."""
        drop_1, drop_2 = self.stack.electrode_drops(voltage, polarization)
        return (
            self.barrier_height - self.barrier_asymmetry / 2 - ELEMENTARY_CHARGE * drop_1,
            self.barrier_height + self.barrier_asymmetry / 2 + ELEMENTARY_CHARGE * drop_2,
        )

    def conductance_density(self, voltage: Array, polarization: Array) -> Array:
        """Current over voltage and area [S/m²], finite at zero volts."""
        height_1, height_2 = self.barrier(voltage, polarization)
        return gruverman_conductance(
            voltage=voltage,
            barrier_height_1=height_1,
            barrier_height_2=height_2,
            thickness=self.stack.film_thickness,
            effective_mass=self.effective_mass,
            temperature=self.temperature,
        )

    def current_density(self, voltage: Array, polarization: Array) -> Array:
        """Current over the area [A/m²] at ``voltage`` [V] and ``polarization`` [C/m²]."""
        return voltage * self.conductance_density(voltage, polarization)

    def resistance(self, voltage: Array, polarization: Array) -> Array:
        """Voltage over current [Ω], finite at zero volts."""
        return 1 / (self.device_area * self.conductance_density(voltage, polarization))


@dataclass(frozen=True, kw_only=True)
class BilayerJunction(BarrierJunction):
    """Film and dielectric in series: electrons tunnel through the dielectric, as a triangle at high field.

    ``barrier_height`` [J] of the film above electrode 1 and ``oxide_barrier_height`` [J] of the dielectric
    above electrode 2, both bands flat; masses relative. The polarization pulls the band of the film below the
    Fermi level (on) or lifts it (off); the integral over energies finds which part of either layer is a
    barrier, so that the dielectric alone and Fowler-Nordheim emission are its limits. ``film_conducts``: an
    electron that has crossed the dielectric is taken to reach electrode 1 through the film by other ways
    (traps), which makes the dielectric the only barrier and the current an upper bound; otherwise the film is
    a barrier too.
    """

    oxide_barrier_height: Array
    oxide_effective_mass: Array = 1.0
    temperature: Array = 300.0
    film_conducts: bool = True

    def segments(self, voltage: Array, polarization: Array) -> tuple[Segment, Segment]:
        """Film and dielectric; heights are above the middle of the Fermi levels."""
        stack, charge = self.stack, ELEMENTARY_CHARGE
        drop_1, drop_2 = stack.electrode_drops(voltage, polarization)
        film = charge * stack.film_field(voltage, polarization) * stack.film_thickness
        oxide = charge * stack.oxide_field(voltage, polarization) * stack.oxide_thickness
        start = self.barrier_height + charge * (voltage / 2 - drop_1)
        end = self.oxide_barrier_height + charge * (drop_2 - voltage / 2)
        return (
            Segment(stack.film_thickness, start, start - film, self.effective_mass),
            Segment(stack.oxide_thickness, end + oxide, end, self.oxide_effective_mass),
        )

    def current_density(self, voltage: Array, polarization: Array) -> Array:
        """Current over the area [A/m²] at ``voltage`` [V] and ``polarization`` [C/m²]."""
        film, oxide = self.segments(voltage, polarization)
        return tsu_esaki_current_density(
            voltage=voltage,
            segments=(oxide,) if self.film_conducts else (film, oxide),
            temperature=self.temperature,
        )
