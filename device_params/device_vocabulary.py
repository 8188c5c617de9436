"""Names of a device file: what every memory device may state, and what its family adds.

A file states what is known of its device and leaves out the rest; only a few names are required, without
which a family cannot be told. What a cell of a crossbar needs on top of that is asked where it is used
(``CROSSBAR_CELL``).

``group`` marks names that describe one thing together: the switching of a film, the fitted window of a
transistor. Such a set comes from one source; ``file_format`` holds files to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

SWITCHING = "switching"
WINDOW = "fitted window"


@dataclass(frozen=True, slots=True)
class Entry:
    """SI unit, meaning, whether a file of the family must give the parameter, and the set it belongs to."""

    unit: str
    meaning: str
    required: bool = True
    group: str = ""


def _optional(unit: str, meaning: str, group: str = "") -> Entry:
    return Entry(unit, meaning, required=False, group=group)


CELL = {
    "bits": _optional("1", "bits stored in one cell"),
    "levels": _optional("1", "distinguishable states that were shown"),
    "read_voltage": _optional("V", "voltage across the cell while it is read"),
    "on_current": _optional("A", "current of a conducting cell (largest level) at read_voltage"),
    "off_current": _optional("A", "current of a cell in its lowest level at read_voltage"),
    "on_off_ratio": _optional("1", "largest over smallest current or conductance"),
    "read_gate_voltage": _optional("V", "highest swing of the word line while reading"),
    "stepped_read": _optional(
        "1", "1 when the on-current is clipped and a level is read in gate steps, else 0"
    ),
    "read_time": _optional("s", "time of one read step in the array, without conversion"),
    "cell_area": _optional("m^2", "area of one cell in the array"),
    "cell_aspect_ratio": _optional("1", "cell width (along the word line) over height"),
    "word_line_capacitance": _optional("F", "load of one cell on its word line, without wire"),
    "bit_line_capacitance": _optional("F", "load of one cell on its bit line, without wire"),
    "write_voltage": _optional("V", "amplitude of a write pulse; its range is what was measured"),
    "erase_voltage": _optional("V", "magnitude of an erase pulse, where it is not that of a write pulse"),
    "write_time": _optional("s", "length of a write pulse; its range is what was measured"),
    "write_current": _optional("A", "current of a write pulse"),
    "write_energy": _optional(
        "J", "energy into the cell itself, per pulse (lines, drivers, supply are extra)"
    ),
    "write_pulses": _optional("1", "program pulses a state, mean, with verification"),
    "erase_before_write": _optional("1", "1 when every write begins with an erase pulse, else 0"),
    "read_after_write_delay": _optional("s", "wait between a write and the first valid read"),
    "on_current_sigma": _optional("1", "standard deviation of on_current over cells, relative"),
    "update_sigma": _optional(
        "1", "standard deviation of one update over the conductance range, cycle to cycle"
    ),
    "update_nonlinearity_up": _optional(
        "1", "A of G(n) = B (1 - exp(-n/A)) as NeuroSim's label, potentiation"
    ),
    "update_nonlinearity_down": _optional("1", "the same for depression"),
    "standby_leakage": _optional("W", "static power of an idle cell"),
    "high_voltage_write": _optional("1", "1 when writing needs more than the core supply, else 0"),
    "temperature": _optional("K", "temperature of the measurements; its range is what they cover"),
}

RELIABILITY = {
    "endurance": _optional("1", "writes of a cell until its states merge"),
    "endurance_sigma": _optional(
        "1", "spread of endurance over the cells of an array, standard deviation in decades"
    ),
    "retention": _optional("s", "time that the states were shown or are taken to hold"),
    "retention_loss": _optional("V", "threshold voltage lost a decade of time"),
    "retention_time_constant": _optional("s", "tau of P0 exp(-(t/tau)^b), the stretched exponential"),
    "retention_exponent": _optional("1", "b of the stretched exponential"),
    "wake_up_cycles": _optional("1", "cycles N_w of Pr(N) = Pr + gain (1 - exp(-N/N_w))"),
    "wake_up_gain": _optional("1", "polarisation after wake-up over that of the fresh film"),
    "fatigue_onset": _optional("1", "cycles after which the polarisation falls"),
    "fatigue_loss": _optional("1", "share of the polarisation lost a decade of cycles beyond the onset"),
    "imprint_shift": _optional("V", "a of the coercive shift a ln(1 + t/t0)"),
    "imprint_time": _optional("s", "t0 of the coercive shift"),
    "imprint_activation_energy": _optional("J", "Ea of the coercive shift, a factor exp(-Ea/kT)"),
    "read_disturb_cycles": _optional("1", "reads until a state is disturbed"),
}

FILM = {
    "film_thickness": _optional("m", "ferroelectric film"),
    "grain_size": _optional("m", "side of one switching domain"),
    "remanent_polarization": _optional("C/m^2", "remanent polarisation", SWITCHING),
    "saturation_polarization": _optional("C/m^2", "saturation polarisation of the loop", SWITCHING),
    "coercive_field": _optional("V/m", "coercive field of the loop", SWITCHING),
    "relative_permittivity": _optional("1", "of the film, without switching", SWITCHING),
    "switching_time_constant": _optional("s", "tau0 of tau = tau0 exp((Ea/E)^alpha)", SWITCHING),
    "merz_exponent": _optional("1", "alpha of tau = tau0 exp((Ea/E)^alpha)", SWITCHING),
    "kai_exponent": _optional("1", "beta of 1 - exp(-(t/tau)^beta)", SWITCHING),
    "activation_field_scale": _optional("V/m", "b of the generalised beta distribution of Ea", SWITCHING),
    "activation_shape_a": _optional("1", "a of the generalised beta distribution of Ea", SWITCHING),
    "activation_shape_p": _optional("1", "p of the generalised beta distribution of Ea", SWITCHING),
    "activation_shape_q": _optional("1", "q of the generalised beta distribution of Ea", SWITCHING),
    "activation_field_mean": _optional("V/m", "mean of a normal distribution of Ea", SWITCHING),
    "activation_field_sigma": _optional(
        "V/m", "standard deviation of a normal distribution of Ea", SWITCHING
    ),
    "offset_field": _optional("V/m", "built-in field, mean", SWITCHING),
    "offset_field_sigma": _optional("V/m", "built-in field, standard deviation over domains", SWITCHING),
    "switching_barrier": _optional("J", "w_b of the thermally activated rate", SWITCHING),
    "field_action_length": _optional("m", "d_e of the thermally activated rate", SWITCHING),
    "preisach_delay_time": _optional("s", "tau0 of the lag of the effective field", SWITCHING),
    "preisach_delay_voltage": _optional("V", "V0 of tau = tau0 exp((V0/V)^m)", SWITCHING),
    "preisach_delay_exponent": _optional("1", "m of tau = tau0 exp((V0/V)^m)", SWITCHING),
    "landau_alpha": _optional("V*m/C", "alpha of E = alpha P + beta P^3 + gamma P^5 + rho dP/dt", SWITCHING),
    "landau_beta": _optional("V*m^5/C^3", "beta of the Landau polynomial", SWITCHING),
    "landau_gamma": _optional("V*m^9/C^5", "gamma of the Landau polynomial", SWITCHING),
    "landau_resistivity": _optional("ohm*m", "rho of the Landau-Khalatnikov equation", SWITCHING),
    "polarization_error": _optional("C/m^2", "error of the switching model against its measurements"),
    "leakage_current_density": _optional("A/m^2", "leakage of the film while it is written"),
    "breakdown_field": _optional("V/m", "field at which the film breaks down"),
}

CAPACITOR = {
    "device_area": _optional("m^2", "area of one capacitor"),
    "capacitance_on": _optional("F/m^2", "small-signal capacitance of the high state"),
    "capacitance_off": _optional("F/m^2", "small-signal capacitance of the low state"),
    "capacitance_window": _optional("F/m^2", "capacitance between the two states"),
    "capacitance_ratio": _optional("1", "high over low small-signal capacitance"),
    "destructive_read": _optional("1", "1 when a read destroys the state and costs a cycle, else 0"),
}

TRANSISTOR = {
    "series_resistance": _optional("ohm", "resistor in series that clips the on-current"),
    "gate_area": _optional("m^2", "width times length of the ferroelectric gate"),
    "channel_width": _optional("m", "width of the channel"),
    "channel_length": _optional("m", "length of the channel"),
    "channel_factor": _optional("A/V^2", "mobility times oxide capacitance times width over length"),
    "channel_doping": _optional("1/m^3", "doping of the channel"),
    "slope_factor": _optional("1", "n of the subthreshold slope n kT/q ln 10"),
    "interlayer_thickness": _optional("m", "oxide between channel and film"),
    "interlayer_permittivity": _optional("1", "relative permittivity of that oxide"),
    "screening_voltage": _optional(
        "V", "gate voltage below the film once injected charge screens the polarisation"
    ),
    "band_bending": _optional("V", "part of screening_voltage that drops in the channel, mean of both signs"),
    "saturated_window": _optional("V", "threshold voltage between fully switched states"),
    "memory_window": _optional("V", "threshold voltage between the outermost levels used"),
    "level_spacing": _optional("V", "threshold voltage between neighbouring levels"),
    "threshold_center": _optional("V", "threshold voltage in the middle of the window"),
    "threshold_sigma": _optional("V", "standard deviation of the threshold voltage of a written level"),
    "window_error": _optional("V", "error of the physical window model against its measurements"),
    "window_closing": _optional("V", "window lost a decade of cycles beyond window_closing_onset"),
    "window_closing_onset": _optional("1", "cycles N0 of MW(N) = MW - s log10(1 + N/N0)"),
    "fit_window": _optional("V", "largest window of the fitted model", WINDOW),
    "fit_offset": _optional("V", "window of the fitted model without switching (trapping)", WINDOW),
    "fit_time_constant": _optional("s", "tau0 of the fitted window", WINDOW),
    "fit_exponent": _optional("1", "alpha of the fitted window", WINDOW),
    "fit_kai_exponent": _optional("1", "beta of the fitted window", WINDOW),
    "fit_activation_voltage": _optional(
        "V", "mean activation voltage at the gate of the fitted window", WINDOW
    ),
    "fit_activation_sigma": _optional("V", "standard deviation of the activation voltage", WINDOW),
    "fit_error": _optional("V", "error of the fitted window against its measurements", WINDOW),
}

FAMILIES: dict[str, dict[str, Entry]] = {
    "ferroelectric_film": {**FILM, "film_thickness": Entry("m", "ferroelectric film")},
    "fefet": {**FILM, **TRANSISTOR},
    "femfet": {
        **FILM,
        **TRANSISTOR,
        "capacitor_area_ratio": _optional("1", "area of the capacitor over that of the gate it drives"),
    },
    "double_gate_fefet": {
        **FILM,
        **TRANSISTOR,
        "channel_thickness": _optional("m", "silicon film between the two gates"),
        "buried_oxide_thickness": _optional("m", "oxide between channel and back gate"),
        "front_oxide_thickness": _optional("m", "equivalent oxide thickness of the front gate"),
        "back_gate_coupling": _optional("1", "threshold shift over back-gate voltage, magnitude"),
        "back_gate_voltage": _optional("V", "largest back-gate voltage that modulates a weight"),
        "back_gate_capacitance": _optional("F", "load of one cell on its back-gate line, without wire"),
    },
    "ftj": {
        **FILM,
        "device_area": _optional("m^2", "area of one junction"),
        "on_current_density": _optional("A/m^2", "current of the on state at read_voltage over area"),
        "barrier_thickness": _optional("m", "tunnel barrier, where it is not the whole film"),
        "barrier_height": _optional("J", "mean height of the barrier without polarisation"),
        "barrier_asymmetry": _optional("J", "height at electrode 2 less that at electrode 1"),
        "effective_mass": _optional("1", "mass of the tunnelling electron over that of a free one"),
        "screening_length_1": _optional("m", "of electrode 1"),
        "screening_length_2": _optional("m", "of electrode 2"),
        "screening_permittivity_1": _optional("1", "relative permittivity of electrode 1"),
        "screening_permittivity_2": _optional("1", "relative permittivity of electrode 2"),
        "oxide_thickness": _optional("m", "dielectric in series with the film"),
        "oxide_permittivity": _optional("1", "relative permittivity of that dielectric"),
        "rectification": _optional("1", "forward over reverse current"),
    },
    "feram": {**FILM, **CAPACITOR},
    "fecap": {**FILM, **CAPACITOR},
    "memcapacitor": {**FILM, **CAPACITOR},
    "ferro_diode": {
        **FILM,
        "device_area": _optional("m^2", "area of one diode"),
        "rectification": _optional("1", "forward over reverse current"),
        "on_off_ratio_sigma": _optional("1", "standard deviation of on_off_ratio over cells, relative"),
        "switching_voltage_sigma": _optional("1", "standard deviation of the switching voltage, relative"),
    },
    "rram": {
        "maximum_conductance": _optional("S", "conductance of the highest level"),
        "relaxation_sigma": _optional("S", "spread of conductance that relaxation adds, a factor e of time"),
        "stuck_share": _optional("1", "share of devices that do not switch"),
    },
    "pcm": {
        "maximum_conductance": _optional("S", "conductance of the highest level"),
        "drift_exponent": _optional("1", "nu of G(t) = G0 (t/t0)^-nu, mid-range level"),
        "drift_exponent_sigma": _optional("1", "standard deviation of nu over cells"),
        "drift_reference_time": _optional("s", "t0 of G(t) = G0 (t/t0)^-nu"),
        "programming_sigma": _optional(
            "S", "standard deviation of a programmed conductance, mid-range level"
        ),
    },
    "mram": {
        "on_resistance": _optional("ohm", "resistance of the parallel state"),
        "off_resistance": _optional("ohm", "resistance of the antiparallel state"),
        "magnetoresistance": _optional("1", "tunnel magnetoresistance ratio"),
    },
    "ecram": {
        "maximum_conductance": _optional("S", "conductance of the highest level"),
        "minimum_conductance": _optional("S", "conductance of the lowest level"),
        "update_step": _optional("1", "smallest update over the range of weights"),
        "update_step_sigma": _optional("1", "standard deviation of an update over its mean, cycle to cycle"),
        "update_step_spread": _optional("1", "standard deviation of the mean update over devices, relative"),
    },
    "sonos": {
        "maximum_conductance": _optional("S", "conductance of the highest level"),
        "on_resistance": _optional("ohm", "resistance of the erased state"),
        "off_resistance": _optional("ohm", "resistance of the programmed state"),
        "programming_sigma": _optional("A", "A of sigma(I) = A (1 - exp(-I/B)), after programming"),
        "programming_scale": _optional("A", "B of sigma(I) = A (1 - exp(-I/B))"),
        "maximum_current": _optional("A", "largest current that the spread covers"),
    },
    "gain_cell": {
        "storage_capacitance": _optional("F", "capacitor that holds the state"),
        "leakage_current": _optional("A", "current that discharges it"),
        "input_levels": _optional("1", "levels of the input pulse"),
        "input_time": _optional("s", "longest input pulse"),
        "volatile": _optional("1", "1 when the state is lost without supply", ""),
    },
    "sram": {
        "volatile": _optional("1", "1 when the state is lost without supply", ""),
        "transistors": _optional("1", "transistors of one cell"),
    },
}
"""Family of a device -> names that only this family has."""

DEVICES: Mapping[str, Mapping[str, Entry]] = {
    family: {**CELL, **RELIABILITY, **own} for family, own in FAMILIES.items()
}
"""Family of a device -> every name a file of it may use."""

CROSSBAR_CELL: tuple[str, ...] = (
    "bits",
    "read_voltage",
    "on_current",
    "off_current",
    "read_gate_voltage",
    "stepped_read",
    "read_time",
    "cell_area",
    "cell_aspect_ratio",
    "word_line_capacitance",
    "bit_line_capacitance",
    "write_voltage",
    "write_time",
    "write_pulses",
    "erase_before_write",
    "read_after_write_delay",
    "endurance",
    "retention",
    "on_current_sigma",
    "standby_leakage",
    "high_voltage_write",
)
"""What a device must state to be the cell of a crossbar that sums currents."""

KINETICS = ("remanent_polarization", "switching_time_constant", "merz_exponent", "kai_exponent")
BETA_ACTIVATION = (
    "activation_field_scale",
    "activation_shape_a",
    "activation_shape_p",
    "activation_shape_q",
)
NORMAL_ACTIVATION = ("activation_field_mean", "activation_field_sigma")
"""Nucleation-limited switching needs the kinetics and one of the two distributions of activation fields."""

GATE_STACK = (
    "film_thickness",
    "relative_permittivity",
    "interlayer_thickness",
    "interlayer_permittivity",
    "screening_voltage",
    "band_bending",
    "saturated_window",
)
"""What the gate of a ferroelectric transistor needs beside the switching of its film."""

CROSSBAR_WRITE_ENERGY: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "fefet": (
        ("write_energy",),
        ("gate_area", *GATE_STACK, *KINETICS, *NORMAL_ACTIVATION),
        ("gate_area", *GATE_STACK, *KINETICS, *BETA_ACTIVATION),
    ),
    "rram": (("write_energy",),),
    "sram": (("write_energy",),),
}
"""Family of such a cell -> what the energy of a write pulse follows from, one set or another; these families
can be one."""

POSITIVE = frozenset(
    {
        *KINETICS,
        *BETA_ACTIVATION,
        "activation_field_mean",
        "film_thickness",
        "relative_permittivity",
        "interlayer_thickness",
        "interlayer_permittivity",
        "saturated_window",
        "gate_area",
        "device_area",
        "grain_size",
        "saturation_polarization",
        "coercive_field",
        "switching_barrier",
        "field_action_length",
        "preisach_delay_time",
        "preisach_delay_voltage",
        "preisach_delay_exponent",
        "landau_gamma",
        "landau_resistivity",
        "fit_time_constant",
        "fit_exponent",
        "fit_kai_exponent",
        "fit_activation_voltage",
        "write_time",
        "temperature",
        "endurance",
    }
)
"""Names whose numbers lie above zero in any file, whatever range it states: laws divide by them or take their
logarithm."""
