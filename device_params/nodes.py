"""A technology at any node from 130 to 3 nm: a built-in file, or log-log between the two around the node.

A power law between neighbours is the identity at every file, reciprocal and transitive, continuous across
every file, and monotone wherever the files are. A table of ratios from node to node, interpolated in its rows
and columns, is none of these.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from itertools import pairwise

from device_params.errors import InputError
from device_params.load import list_names, load_technology
from device_params.schema import ComponentFile, Parameter, ParameterSet

EXACT = 1e-6
"""Relative distance within which a node is that of a file."""


@functools.cache
def _files() -> tuple[tuple[float, str], ...]:
    """Return (node [m], name) of the built-in technologies, smallest node first."""
    names = list_names("technology")
    return tuple(sorted((load_technology(name).parameters["node"].value, name) for name in names))


def technology_nodes() -> tuple[float, ...]:
    """Return the nodes [m] that have a file of their own, smallest first."""
    return tuple(node for node, _ in _files())


@functools.lru_cache(maxsize=128)
def technology_at(node: float) -> ComponentFile:
    """Return the technology of a node: a built-in file, or one interpolated between its neighbours.

    ``node`` [m]: 3 to 130 nm. Between files, value, interval, range and bounds of sweeps of every parameter
    follow a power law of the node, p = p0 (p1/p0)^(ln(n/n0) / ln(n1/n0)); what both files give alike, the
    ratios of gates for one, stays as it is. Such a set is ``derived`` and every note names the two files.

    Raises InputError outside the files.

    >>> technology_at(28e-9).name
    '28nm'
    >>> technology_at(55e-9).parameters["supply_voltage"].written()
    '1.15349 V'
    """
    files = _files()
    for known, name in files:
        if abs(node / known - 1.0) <= EXACT:
            return load_technology(name)
    for (below, lower), (above, upper) in pairwise(files):
        if below < node < above:
            share = math.log(node / below) / math.log(above / below)
            return _between(node, load_technology(lower), load_technology(upper), share)
    raise InputError(
        "no technology of this node",
        where="node",
        value=f"{node * 1e9:g} nm",
        allowed=f"{files[0][0] * 1e9:g} to {files[-1][0] * 1e9:g} nm",
        remedy="a process is named by its node, as in 28 nm",
    )


def _between(node: float, lower: ComponentFile, upper: ComponentFile, share: float) -> ComponentFile:
    between = f"interpolated between {lower.name.removesuffix('nm')} and {upper.name.removesuffix('nm')} nm"
    text = f"{node * 1e9:.6g}"
    return ComponentFile(
        name=f"{text}nm",
        kind=lower.kind,
        family=lower.family,
        title=f"{text} nm CMOS, {between}",
        description=f"Every parameter is {between}, log-log in the node. Those two files tell the sources.",
        parameters=ParameterSet(
            _mixed(parameter, upper.parameters[name], node, share, between)
            for name, parameter in lower.parameters.items()
        ),
        path=(lower if share < 0.5 else upper).path,
    )


def _mixed(low: Parameter, high: Parameter, node: float, share: float, between: str) -> Parameter:
    """Return one parameter at ``share`` of the way from the smaller node to the larger, in logarithms."""
    if low.name == "node":
        return dataclasses.replace(
            low, value=node, low=node, high=node, allowed=(node, node), note=f"Name of the node; {between}."
        )
    if _numbers(low) == _numbers(high):
        return low

    def mixed(a: float, b: float) -> float:
        # a limit of zero has no logarithm
        return a * (b / a) ** share if a > 0.0 and b > 0.0 else a + (b - a) * share

    sources = dict.fromkeys((*low.source_keys, *high.source_keys))
    return dataclasses.replace(
        low,
        value=mixed(low.value, high.value),
        low=mixed(low.low, high.low),
        high=mixed(low.high, high.high),
        allowed=(mixed(low.allowed[0], high.allowed[0]), mixed(low.allowed[1], high.allowed[1])),
        sweep_bounds=(
            (
                mixed(low.sweep_bounds[0], high.sweep_bounds[0]),
                mixed(low.sweep_bounds[1], high.sweep_bounds[1]),
            )
            if low.sweep_bounds and high.sweep_bounds
            else None
        ),
        basis="derived",
        conditions=low.conditions if low.conditions == high.conditions else "",
        source=", ".join(sources),
        where=low.where if low.where == high.where else "",
        note=f"{'Weak. ' if low.weak or high.weak else ''}{between[0].upper()}{between[1:]}.",
    )


def _numbers(parameter: Parameter) -> tuple[object, ...]:
    return (parameter.value, parameter.low, parameter.high, parameter.allowed, parameter.distribution)
