"""What surrounds a run that only looks: no gradients, the module left as it was."""

from __future__ import annotations

import gc
from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from device_params.errors import InputError
from rmaat_hw.trace import compat


def told(error: BaseException) -> str:
    """Class and first line of an error."""
    return f"{type(error).__name__}: {(str(error).strip().splitlines() or [''])[0][:200]}"


@contextmanager
def no_gradients() -> Iterator[None]:
    """No gradients, yet not inference mode: there composite operators would not fall apart."""
    with torch.inference_mode(False), torch.no_grad():
        yield


@contextmanager
def collection_paused() -> Iterator[None]:
    """No cyclic garbage collection: one full pass over torch's objects takes as long as a trace."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def untouched(module: nn.Module) -> Iterator[None]:
    """Put back what the forward sets on the module or on any module in it.

    Attributes, and the content of those that are plain containers: tables of parameters and modules,
    caches kept in a list or a dictionary.
    """
    before = [(part, dict(part.__dict__)) for part in module.modules()]
    held = [value for _, attributes in before for value in attributes.values() if type(value) in _CONTAINERS]
    contents = [(container, container.copy()) for container in held]
    try:
        yield
    finally:
        for part, attributes in before:
            now = part.__dict__
            if now.keys() != attributes.keys() or any(now[k] is not v for k, v in attributes.items()):
                now.clear()
                now.update(attributes)
        for container, content in contents:
            _refill(container, content)


def exchanged(module: nn.Module, stand_ins: Mapping[int, torch.Tensor]) -> None:
    """Put stand-ins (by id of the tensor) into the plain containers that modules keep tensors in.

    Recurrent layers hold their parameters a second time, in a list. To be called while the module is
    ``untouched``, which puts the containers back.
    """

    def known(item: Any) -> bool:
        return id(item) in stand_ins

    for part in module.modules():
        for name, value in part.__dict__.items():
            if type(value) in (list, tuple) and any(map(known, value)):
                part.__dict__[name] = type(value)(stand_ins.get(id(item), item) for item in value)
            elif type(value) is dict and name not in _TABLES and any(map(known, value.values())):
                part.__dict__[name] = {key: stand_ins.get(id(item), item) for key, item in value.items()}


_TABLES = frozenset({"_parameters", "_buffers", "_modules"})
_CONTAINERS = (list, dict, set, deque, OrderedDict)


def _refill(container: Any, content: Any) -> None:
    # By identity: comparing tensors would compute.
    kept = content.values() if isinstance(content, dict) else content
    now = container.values() if isinstance(container, dict) else container
    if len(now) == len(kept) and all(a is b for a, b in zip(now, kept, strict=True)):
        return
    container.clear()
    if isinstance(container, dict | set):
        container.update(content)
    else:
        container.extend(content)


def tensors_in(module: nn.Module) -> Iterator[tuple[str, str, torch.Tensor]]:
    """Kind ("parameter" or "buffer"), qualified name and tensor of every place that holds one.

    A tensor tied to several places comes once for each; a module that is reached by several names comes
    once, by the first, for it has one place only.
    """
    for prefix, part in module.named_modules():
        for kind, table in (("parameter", part._parameters), ("buffer", part._buffers)):
            for name, tensor in table.items():
                if tensor is not None:
                    yield kind, f"{prefix}.{name}" if prefix else name, tensor


def copied_buffers(module: nn.Module) -> dict[str, torch.Tensor]:
    """Stand-ins for the buffers by qualified name, so that a real run cannot change the module's own."""
    copies: dict[int, torch.Tensor] = {}
    return {
        path: copies.setdefault(id(tensor), tensor.clone())
        for kind, path, tensor in tensors_in(module)
        if kind == "buffer"
    }


def check_that_it_runs(module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
    """Tell a program that fails by itself, which is the user's, from one that fails while it is watched."""
    try:
        with no_gradients(), untouched(module), compat.reparametrize(module, copied_buffers(module)):
            module(*args, **kwargs)
    except (Exception, SystemExit) as error:
        raise InputError(
            f"the program fails on its example inputs with {told(error)}",
            where=type(module).__name__,
            remedy="call it by hand to see the traceback",
        ) from error
