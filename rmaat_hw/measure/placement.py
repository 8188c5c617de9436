"""Where a program runs: choosing the device, putting module and inputs there, what then is resident."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from device_params.errors import InputError, nearest_name

_CPU = torch.device("cpu")


def choose_device(name: str) -> torch.device:
    """Return the device for ``auto``, ``cpu``, ``cuda`` or ``cuda:<number>``; refuse one that is not here."""
    if name == "auto":
        return torch.device("cuda", torch.cuda.current_device()) if torch.cuda.is_available() else _CPU
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise InputError(
            "unknown device",
            where="device",
            value=name,
            allowed="auto, cpu, cuda, cuda:<number>",
            nearest=nearest_name(name, ("auto", "cpu", "cuda")),
        )
    if kind == "cpu":
        return _CPU
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    index = int(number or 0)
    if index >= count:
        raise InputError(
            "this machine has no such GPU, or torch cannot use it",
            where="device",
            value=name,
            allowed=f"{count} CUDA devices are visible",
            remedy="use --device cpu, or see rmaat-hw doctor",
        )
    return torch.device("cuda", index)


@contextmanager
def placed(module: nn.Module, target: torch.device) -> Iterator[None]:
    """Put the module on the target device and back again afterwards."""
    homes = {tensor.device for tensor in [*module.parameters(), *module.buffers()]}
    if homes <= {target}:
        yield
        return
    if len(homes) > 1:
        raise InputError(
            "the module is spread over several devices",
            where="module",
            value=sorted(str(home) for home in homes),
            remedy="put it on one device first",
        )
    home = homes.pop()
    if home.type == "meta":
        raise InputError("the module has no values (meta device)", where="module", remedy="build it on cpu")
    module.to(target)
    try:
        yield
    finally:
        module.to(home)


def to_device(value: Any, target: torch.device) -> Any:
    """Copy every tensor inside tuples, lists and dictionaries to the device; leave the rest as it is."""
    if isinstance(value, torch.Tensor):
        return value.to(target)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(to_device(entry, target) for entry in value))
    if isinstance(value, tuple | list):
        return type(value)(to_device(entry, target) for entry in value)
    if isinstance(value, dict):
        return {key: to_device(entry, target) for key, entry in value.items()}
    return value


def tensors_of(value: Any) -> Iterator[torch.Tensor]:
    """Yield every tensor inside tuples, lists and dictionaries."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for entry in value:
            yield from tensors_of(entry)
    elif isinstance(value, dict):
        yield from tensors_of(list(value.values()))


def resident_bytes(module: nn.Module, on_target: Any) -> int:
    """Bytes of parameters, buffers and inputs, each storage once: what is live before the call."""
    tensors = [*module.parameters(), *module.buffers(), *tensors_of(on_target)]
    return sum({t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in tensors}.values())
