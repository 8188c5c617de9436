"""What is known: numbers with unit, interval, condition and source. Imports nothing of ours."""

from device_params.errors import InputError, nearest_name
from device_params.load import (
    describe,
    list_names,
    load_converter,
    load_design,
    load_device,
    load_macro,
    load_memory,
    load_technology,
)
from device_params.references import Reference, bibliography, citation, references
from device_params.schema import ComponentFile, Design, Kind, Parameter, ParameterSet, record

__all__ = [
    "ComponentFile",
    "Design",
    "InputError",
    "Kind",
    "Parameter",
    "ParameterSet",
    "Reference",
    "bibliography",
    "citation",
    "describe",
    "list_names",
    "load_converter",
    "load_design",
    "load_device",
    "load_macro",
    "load_memory",
    "load_technology",
    "nearest_name",
    "record",
    "references",
]
