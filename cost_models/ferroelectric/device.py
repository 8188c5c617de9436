"""From the parameters of a device file to the models of this package: which law, and what is missing
for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from cost_models.ferroelectric.delayed_preisach import DelayedPreisach
from cost_models.ferroelectric.fefet import FeFET, FittedWindow
from cost_models.ferroelectric.film import (
    Film,
    LandauLaw,
    NucleationLaw,
    PreisachLaw,
    StaticPreisachLaw,
    Switching,
    ThermalLaw,
)
from cost_models.ferroelectric.gate_stack import GateStack
from cost_models.ferroelectric.landau import Landau
from cost_models.ferroelectric.nucleation import Activation, Gaussian, GeneralizedBeta, Nucleation
from cost_models.ferroelectric.preisach import Preisach
from cost_models.ferroelectric.thermal_rate import ThermalRate
from cost_models.namespace import Array
from device_params.device_vocabulary import BETA_ACTIVATION, GATE_STACK, KINETICS, NORMAL_ACTIVATION
from device_params.errors import InputError

_LOOP = ("saturation_polarization", "remanent_polarization", "coercive_field")
_DELAY = ("preisach_delay_time", "preisach_delay_voltage", "preisach_delay_exponent")

DELAYED = "delayed Preisach"

#: Law -> names that it needs, in the order in which a device is given the most detailed that it has.
LAWS: Mapping[str, tuple[str, ...]] = {
    "nucleation, generalised beta": (*KINETICS, *BETA_ACTIVATION),
    "nucleation, normal": (*KINETICS, *NORMAL_ACTIVATION),
    "thermally activated": ("saturation_polarization", "switching_barrier", "field_action_length"),
    DELAYED: (*_LOOP, *_DELAY),
    "Landau-Khalatnikov": ("landau_alpha", "landau_beta", "landau_gamma", "landau_resistivity"),
    "Preisach": _LOOP,
}

_FITTED = {
    "window": "fit_window",
    "offset": "fit_offset",
    "time_constant": "fit_time_constant",
    "exponent": "fit_exponent",
    "kai_exponent": "fit_kai_exponent",
    "activation_voltage": "fit_activation_voltage",
    "activation_sigma": "fit_activation_sigma",
}

#: Parameters that no law takes as an array of points: drawn intervals leave them at their values.
UNVARIED = ("activation_shape_p", "activation_shape_q", "offset_field_sigma", *_DELAY)

#: Families whose state sits in the gate of a transistor: their window is a property of the stack.
GATE_FAMILIES = ("fefet", "femfet", "double_gate_fefet")

#: Families with a ferroelectric film at all.
FILM_FAMILIES = ("ferroelectric_film", "feram", "fecap", "memcapacitor", "ftj", "ferro_diode")


def law_of(names: Collection[str]) -> str:
    """The most detailed law whose parameters are all there; an empty string when there is none."""
    return next((law for law, needs in LAWS.items() if set(needs) <= set(names)), "")


def missing_for_switching(names: Collection[str]) -> tuple[str, ...]:
    """What the law that lacks least still lacks, empty when a law is complete."""
    lacking = [tuple(n for n in (*needs, "film_thickness") if n not in names) for needs in LAWS.values()]
    return min(lacking, key=len)


def missing_for_gate(names: Collection[str]) -> tuple[str, ...]:
    """What the gate stack of a transistor lacks: nucleation kinetics, thicknesses, screening."""
    kinetics = min(
        (
            tuple(n for n in (*KINETICS, *shape) if n not in names)
            for shape in (NORMAL_ACTIVATION, BETA_ACTIVATION)
        ),
        key=len,
    )
    return (*kinetics, *(n for n in GATE_STACK if n not in names))


def missing_for(family: str, names: Collection[str]) -> tuple[str, ...]:
    """What a pulse on a device of a family needs and its file does not give."""
    if family in GATE_FAMILIES:
        return (*missing_for_gate(names), *(n for n in ("gate_area", "grain_size") if n not in names))
    permittivity = () if "relative_permittivity" in names else ("relative_permittivity",)
    return (*missing_for_switching(names), *permittivity)


def _missing(what: str, names: Collection[str]) -> InputError:
    return InputError(
        f"{what}: no {', '.join(names)}",
        where="parameters",
        remedy="what was not published stays missing; state it in a file of your own",
    )


def _number(name: str, p: Mapping[str, Array]) -> float:
    """A parameter that no law takes as an array, equal at all points; 0 where the file does not give it."""
    value = p.get(name, 0.0)
    flat = np.asarray(value.detach() if hasattr(value, "detach") else value, dtype=float).reshape(-1)
    if len(flat) > 1 and np.ptp(flat) > 0:
        raise InputError("cannot vary from point to point", where=name)
    return float(flat[0])


def nucleation_of(p: Mapping[str, Array]) -> Nucleation:
    """Nucleation-limited switching from the parameters of a file, by name."""
    activation: Activation
    if all(name in p for name in BETA_ACTIVATION):
        activation = GeneralizedBeta(
            p["activation_shape_a"],
            p["activation_field_scale"],
            _number("activation_shape_p", p),
            _number("activation_shape_q", p),
        )
    else:
        activation = Gaussian(p["activation_field_mean"], p["activation_field_sigma"])
    return Nucleation(
        remanent_polarization=p["remanent_polarization"],
        time_constant=p["switching_time_constant"],
        merz_exponent=p["merz_exponent"],
        kai_exponent=p["kai_exponent"],
        activation=activation,
        offset=p.get("offset_field", 0.0),
        offset_sigma=_number("offset_field_sigma", p),
    )


def switching_of(p: Mapping[str, Array]) -> Switching:
    """The law that a device's parameters allow. Raises InputError naming what is missing."""
    law = law_of(p)
    if law.startswith("nucleation"):
        return NucleationLaw(nucleation_of(p))
    if law == "thermally activated":
        return ThermalLaw(
            ThermalRate(
                p["saturation_polarization"],
                p["switching_barrier"],
                p["field_action_length"],
                p.get("offset_field", 0.0),
            )
        )
    if law == "Landau-Khalatnikov":
        return LandauLaw(
            Landau(p["landau_alpha"], p["landau_beta"], p["landau_gamma"], p["landau_resistivity"])
        )
    if law:
        loop = Preisach(
            p["saturation_polarization"],
            p["remanent_polarization"],
            p["coercive_field"],
            p.get("offset_field", 0.0),
        )
        if law == "Preisach":
            return StaticPreisachLaw(loop)
        time, voltage, exponent = (_number(name, p) for name in _DELAY)
        return PreisachLaw(DelayedPreisach(loop, time, voltage, exponent, _number("film_thickness", p)))
    raise _missing("the switching of this film is not known", missing_for_switching(p))


def film_of(p: Mapping[str, Array]) -> Film:
    """A film between electrodes. Raises InputError naming what is missing."""
    switching = switching_of(p)
    missing = tuple(name for name in ("film_thickness", "relative_permittivity") if name not in p)
    if missing:
        raise _missing("the film is not known", missing)
    return Film(
        p["film_thickness"],
        p["relative_permittivity"],
        switching,
        p.get("leakage_current_density", 0.0),
    )


def has_gate_stack(names: Collection[str]) -> bool:
    """Whether a device's parameters give a gate stack that switches."""
    return not missing_for_gate(names)


def stack_of(p: Mapping[str, Array]) -> GateStack:
    """The gate stack of a transistor. Raises InputError naming what is missing."""
    missing = missing_for_gate(p)
    if missing:
        raise _missing("the gate stack is not known", missing)
    return GateStack(
        film_thickness=p["film_thickness"],
        permittivity=p["relative_permittivity"],
        interlayer_thickness=p["interlayer_thickness"],
        interlayer_permittivity=p["interlayer_permittivity"],
        screening_voltage=p["screening_voltage"],
        band_bending=p["band_bending"],
        saturated_window=p["saturated_window"],
        nucleation=nucleation_of(p),
    )


def gate_of(p: Mapping[str, Array]) -> FeFET:
    """A ferroelectric transistor. Raises InputError naming what is missing."""
    missing = (*missing_for_gate(p), *(name for name in ("gate_area", "grain_size") if name not in p))
    if missing:
        raise _missing("the gate is not known", missing)
    return FeFET(stack_of(p), p["gate_area"], p["grain_size"], p.get("threshold_center", 0.0))


class Slot(Mapping[str, Array]):
    """The parameters of one slot of a design under the names of its file; reading one reads the design's."""

    def __init__(self, parameters: Mapping[str, Array], slot: str) -> None:
        self._parameters, self._prefix = parameters, f"{slot}."

    def __getitem__(self, name: str) -> Array:
        return self._parameters[self._prefix + name]

    def __contains__(self, name: object) -> bool:
        return f"{self._prefix}{name}" in self._parameters

    def __iter__(self) -> Iterator[str]:
        cut = len(self._prefix)
        return (name[cut:] for name in self._parameters if name.startswith(self._prefix))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def fitted_window_of(p: Mapping[str, Any]) -> FittedWindow | None:
    """The fitted window of a transistor, or None where its file has no fit."""
    if not all(name in p for name in _FITTED.values()):
        return None
    return FittedWindow(**{field: p[name] for field, name in _FITTED.items()})
