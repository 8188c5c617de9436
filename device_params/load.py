"""Find, read and check parameter files: built-in ones by name, a user's by path.

A built-in file comes with the package (``importlib.resources``, so a wheel works as well as a checkout). A
user's file may name sources of its own in a ``references.bib`` beside it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from device_params.errors import InputError, nearest_name
from device_params.references import Reference, bibliography, parse_bib
from device_params.schema import ComponentFile, Design, Kind, Parameter, ParameterSet, record
from device_params.vocabulary import SLOTS, Slot, meaning

FOLDERS: Mapping[Kind, str] = {
    "device": "devices",
    "technology": "technologies",
    "converter": "converters",
    "memory": "memories",
    "design": "designs",
    "macro": "macros",
}


def load_device(name: str) -> ComponentFile:
    """Return the cell called ``name`` (or in the file ``name``). Raises InputError."""
    return _load_component("device", name, None)


def load_technology(name: str) -> ComponentFile:
    """Return the CMOS technology called ``name`` (or in the file ``name``). Raises InputError."""
    return _load_component("technology", name, None)


def load_converter(name: str) -> ComponentFile:
    """Return the converter called ``name`` (or in the file ``name``). Raises InputError."""
    return _load_component("converter", name, None)


def load_memory(name: str) -> ComponentFile:
    """Return the memory called ``name`` (or in the file ``name``). Raises InputError."""
    return _load_component("memory", name, None)


def load_macro(name: str) -> ComponentFile:
    """Return the shared parameters of macros called ``name`` (or in the file ``name``). Raises InputError."""
    return _load_component("macro", name, None)


def load_design(name_or_path: str | Path) -> Design:
    """Return the design called, or in the file, ``name_or_path`` with all its components. Raises InputError.

    >>> load_design("fefet_crossbar_28nm").parameters["array.rows"].value
    128.0
    """
    return _load_design(str(name_or_path), None, ())


def load_file(name_or_path: str | Path) -> ComponentFile | Design:
    """Return the built-in file of this name, or the file at this path, of any kind. Raises InputError."""
    name = str(name_or_path)
    kind = _kind_in(name) if _is_path(name) else _kind_of(name)
    return load_design(name) if kind == "design" else _load_component(kind, name, None)


def built_in_files() -> dict[str, Kind]:
    """Return name -> kind of every built-in file."""
    return {name: kind for kind in FOLDERS for name in list_names(kind)}


def list_names(kind: Kind) -> tuple[str, ...]:
    """Return the names of the built-in files of a kind, sorted."""
    if kind not in FOLDERS:
        raise InputError("unknown kind of file", value=kind, allowed=", ".join(FOLDERS))
    folder = resources.files("device_params").joinpath(FOLDERS[kind])
    return tuple(
        sorted(entry.name.removesuffix(".yaml") for entry in folder.iterdir() if entry.name.endswith(".yaml"))
    )


def describe(kind: Kind, name: str) -> dict[str, Any]:
    """Return a file as a dictionary that JSON takes as it is: header, parameters (SI) and the sources cited.

    A design lists its components and every parameter that ``--set`` accepts.
    """
    loaded = load_design(name) if kind == "design" else _load_component(kind, name, None)
    document: dict[str, Any] = {
        "schema_version": 1,
        "kind": kind,
        "name": loaded.name,
        "family": loaded.family,
        "title": loaded.title,
        "description": loaded.description,
        "path": loaded.path,
    }
    if isinstance(loaded, Design):
        document["components"] = dict(loaded.components)
    document["parameters"] = [
        record(parameter) | {"meaning": _meaning(loaded, parameter.name)}
        for parameter in loaded.parameters.values()
    ]
    document["references"] = {key: known.citation() for key, known in references_of(loaded).items()}
    return document


def references_of(loaded: ComponentFile | Design) -> dict[str, Reference]:
    """Return the sources behind the parameters of a file, in order of first use.

    A key of a ``references.bib`` beside one of the files goes before the same key of the bibliography.
    """
    known = dict(bibliography())
    # the file itself last, so that its own entries stand
    for path in reversed(loaded.files if isinstance(loaded, Design) else (loaded.path,)):
        known |= own_references(path)
    return {key: known[key] for key in loaded.parameters.sources()}


def _meaning(loaded: ComponentFile | Design, name: str) -> str:
    if isinstance(loaded, ComponentFile):
        return meaning(loaded.kind, loaded.family, name)
    slot, _, own_name = name.partition(".")
    if slot in loaded.families:
        return meaning(SLOTS[loaded.family][slot].kind, loaded.families[slot], own_name)
    return meaning("design", loaded.family, name)


def _is_path(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name


def _locate(kind: Kind, name: str, beside: Path | None) -> Traversable:
    """Return the file behind a name; a relative path is looked up ``beside`` the file that names it."""
    if _is_path(name):
        path = Path(name).expanduser()
        return path if path.is_absolute() or beside is None else beside / path
    known = list_names(kind)
    if name not in known:
        raise InputError(
            f"unknown {kind}",
            value=name,
            allowed=", ".join(known),
            nearest=nearest_name(name, known),
            remedy="or give the path of a .yaml file",
        )
    return resources.files("device_params").joinpath(FOLDERS[kind], f"{name}.yaml")


def _kind_of(name: str) -> Kind:
    known = built_in_files()
    if name not in known:
        raise InputError(
            "unknown file",
            value=name,
            nearest=nearest_name(name, known),
            remedy="or give the path of a .yaml file",
        )
    return known[name]


def _kind_in(path: str) -> Kind:
    """Return the kind that a user's file says; any kind where it says none, whose loader then complains."""
    from device_params import file_format

    said = file_format.parse_yaml(_read("parameter", Path(path).expanduser()), path).get("kind")
    return next((kind for kind in FOLDERS if kind == said), "device")


def _read(kind: str, file: Traversable) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"cannot read the {kind} file: {reason}", where=str(file)) from error


def own_references(path: str) -> Mapping[str, Reference]:
    """Return the entries of a ``references.bib`` beside a user's file; none for a built-in file."""
    file = Path(path).parent / "references.bib"
    if not file.is_file():
        return {}
    try:
        return parse_bib(file.read_text(encoding="utf-8"), str(file))
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", where=str(file)) from error


def _keys(path: str) -> frozenset[str]:
    return frozenset(bibliography()) | frozenset(own_references(path))


def _load_component(kind: Kind, name: str, beside: Path | None) -> ComponentFile:
    file = _locate(kind, name, beside)
    return _parse_component(kind, str(file), _read(kind, file), _keys(str(file)))


@functools.lru_cache(maxsize=256)
def _parse_component(kind: Kind, path: str, content: bytes, keys: frozenset[str]) -> ComponentFile:
    """Return a component; cached by content, so that an edited file is read anew."""
    from device_params import file_format

    document = file_format.parse_yaml(content, path)
    problems = file_format.Problems(path)
    vocabulary = file_format.check_header(file_format.Header, document, kind, problems)
    parameters = _checked_parameters(document, vocabulary, keys, problems, complete=True)
    problems.stop()
    return ComponentFile(
        name=document["name"],
        kind=kind,
        family=document["family"],
        title=document["title"],
        description=" ".join(document["description"].split()),
        parameters=ParameterSet(parameters),
        path=path,
    )


def _checked_parameters(
    document: Mapping[str, Any],
    vocabulary: Mapping[str, Any],
    keys: frozenset[str],
    problems: Any,
    *,
    complete: bool,
) -> list[Parameter]:
    from device_params import file_format

    entries = document.get("parameters", {})
    if not vocabulary or not isinstance(entries, dict):
        return []
    return file_format.check_parameters(entries, vocabulary, keys, problems, complete=complete)


@dataclasses.dataclass(frozen=True)
class _DesignParts:
    """A design before its components are merged in: what a design based on it can replace."""

    header: Mapping[str, Any]
    components: Mapping[str, ComponentFile]
    parameters: Mapping[str, Parameter]
    path: str
    bases: tuple[str, ...] = ()
    own: tuple[str, ...] = ()


def _load_design(name: str, beside: Path | None, seen: tuple[str, ...]) -> Design:
    parts = _design_parts(name, beside, seen)
    merged = [
        dataclasses.replace(parameter, name=f"{slot}.{parameter.name}")
        for slot, component in parts.components.items()
        for parameter in component.parameters.values()
    ]
    return Design(
        name=parts.header["name"],
        family=parts.header["family"],
        title=parts.header["title"],
        description=" ".join(parts.header["description"].split()),
        components={slot: component.name for slot, component in parts.components.items()},
        families={slot: component.family for slot, component in parts.components.items()},
        parameters=ParameterSet([*merged, *parts.parameters.values()]),
        path=parts.path,
        files=tuple(dict.fromkeys([parts.path, *parts.bases, *(c.path for c in parts.components.values())])),
        own=parts.own,
    )


def _design_parts(name: str, beside: Path | None, seen: tuple[str, ...]) -> _DesignParts:
    file = _locate("design", name, beside)
    path = str(file)
    if path in seen:
        raise InputError(
            "designs are based on each other in a circle", where=path, value=" -> ".join([*seen, path])
        )
    content = _read("design", file)
    from device_params import file_format

    problems = file_format.Problems(path)
    own = _parse_design(path, content, _keys(path))
    folder = Path(path).parent if isinstance(file, Path) and _is_path(name) else None
    base = None
    if own.header["based_on"]:
        base = problems.guard(
            "based_on", lambda: _design_parts(own.header["based_on"], folder, (*seen, path))
        )
    problems.stop()
    slots = SLOTS[own.header["family"]]
    components: dict[str, ComponentFile] = {}
    for slot, wanted in slots.items():
        chosen = own.header["components"].get(slot)
        if chosen is None and base is not None:
            components[slot] = base.components[slot]
            continue
        if chosen is None:
            problems.add("missing key", f"components.{slot}", remedy=f"name a {wanted.kind}")
            continue
        component = problems.guard(
            f"components.{slot}", functools.partial(_load_component, wanted.kind, chosen, folder)
        )
        if component is not None and _fits(component, slot, wanted, problems):
            components[slot] = component
    problems.stop()
    parameters = {**(base.parameters if base else {}), **own.parameters}
    bases = (base.path, *base.bases) if base else ()
    return _DesignParts(own.header, components, parameters, path, bases, tuple(own.parameters))


def _fits(component: ComponentFile, slot: str, wanted: Slot, problems: Any) -> bool:
    """Whether a component can stand in a slot; adds what it lacks to ``problems``."""
    if component.family not in wanted.families:
        problems.add(
            "a family that does not fit here",
            f"components.{slot}",
            value=component.family,
            allowed=", ".join(wanted.families),
        )
        return False
    missing = wanted.missing(component.family, component.parameters)
    if missing:
        problems.add(
            f"the file does not give what a {slot} of this design needs: {', '.join(missing)}",
            f"components.{slot}",
            value=component.name,
            remedy="what was not published stays missing; state it in a file of your own",
        )
    return not missing


@functools.lru_cache(maxsize=64)
def _parse_design(path: str, content: bytes, keys: frozenset[str]) -> _DesignParts:
    """Return what one design file says itself, without components and base; cached by content."""
    from device_params import file_format

    document = file_format.parse_yaml(content, path)
    problems = file_format.Problems(path)
    header = {"family": "crossbar_chip", "based_on": "", "components": {}, "parameters": {}, **document}
    vocabulary = file_format.check_header(file_format.DesignHeader, document, "design", problems)
    parameters = _checked_parameters(header, vocabulary, keys, problems, complete=not header["based_on"])
    slots = SLOTS.get(str(header["family"]), {})
    for slot in header["components"] if slots and isinstance(header["components"], dict) else ():
        if slot not in slots:
            problems.add("unknown component", f"components.{slot}", nearest=nearest_name(slot, slots))
    problems.stop()
    return _DesignParts(header, {}, {parameter.name: parameter for parameter in parameters}, path)
