"""The parameters behind a macro: its technology, the laws of its converters, and what all macros share."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from cost_models.macros.configuration import MEMORIES_OF_STYLE, Macro, calibrated_style
from device_params.errors import InputError
from device_params.load import load_converter, load_device, load_macro
from device_params.schema import ComponentFile, Parameter, ParameterSet

#: Family of converter → the file that holds its law.
CONVERTER_FILES = {
    "sar": "sar_28nm",
    "flash": "flash",
    "sense_amplifier": "flash",
    "ramp": "ramp",
    "delta_sigma": "ramp",
    "oscillator": "oscillator",
}

#: Files that converters of several kinds read, and those of the inputs.
_SHARED_CONVERTERS = {
    "comparator": "comparator",
    "sampling": "sampling",
    "pulse_dac": "pulse_width_dac",
    "level_dac": "capacitive_dac",
}

#: What the names of all factors that silicon gave begin with.
CALIBRATION = "macro.calibration."


def calibration_name(macro: Macro, kind: str) -> str:
    """Name of the factor that silicon may have given to a style and kind of figure."""
    return f"{CALIBRATION}{calibrated_style(macro.memory, macro.style, kind)}.{kind}"


def fitted_factors() -> frozenset[tuple[str, str]]:
    """Styles and kinds of figures whose factor was fitted to silicon: the free parameters of the model."""
    return frozenset(
        (style, kind)
        for name, parameter in load_macro("cim_macro").parameters.items()
        for head, _, tail in (name.partition("."),)
        for style, _, kind in (tail.partition("."),)
        if head == "calibration" and parameter.basis == "fitted"
    )


def model_form_name(macro: Macro, kind: str) -> str:
    """Name of the factor for what the model leaves out, by class of technology."""
    return f"macro.model_form.{macro.technology_class}.{kind}"


def parameters_of(macro: Macro, technology: ComponentFile) -> ParameterSet:
    """Every parameter that a macro can use, by slot (``technology.gate_area``, ``macro.control_fraction`` …).

    The supply is the one of the operating point, held fixed: it was set, not guessed. Raises InputError for a
    device that is another memory than the macro's.
    """
    named = {"technology": technology, "macro": load_macro("cim_macro")}
    if macro.style != "digital":
        named |= {slot: load_converter(name) for slot, name in _SHARED_CONVERTERS.items()}
        named["adc"] = load_converter(CONVERTER_FILES[macro.converter_law])
    if macro.device is not None:
        named["device"] = load_device(macro.device)
        _check_device(macro, named["device"].family)
    parameters = ParameterSet(_prefixed(named))
    return parameters.replace("technology.supply_voltage", macro.supply_voltage)


def _check_device(macro: Macro, family: str) -> None:
    """Refuse a device of another memory; families that are no memory of a macro may stand for one."""
    memories = frozenset().union(*MEMORIES_OF_STYLE.values())
    if family in memories and family != macro.memory:
        raise InputError(
            f"the device is of family {family}",
            where="device",
            value=macro.device,
            allowed=f"a device of family {macro.memory}",
        )


def _prefixed(named: dict[str, ComponentFile]) -> Iterator[Parameter]:
    for slot, file in named.items():
        for parameter in file.parameters.values():
            yield dataclasses.replace(parameter, name=f"{slot}.{parameter.name}")
