"""What surrounds a run that only looks: no gradients, the module left as it was."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


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
    """Put back attributes that the forward sets on the module or on any module in it."""
    before = [(part, dict(part.__dict__)) for part in module.modules()]
    try:
        yield
    finally:
        for part, attributes in before:
            now = part.__dict__
            if now.keys() != attributes.keys() or any(now[k] is not v for k, v in attributes.items()):
                now.clear()
                now.update(attributes)


def copied_buffers(module: nn.Module) -> dict[str, torch.Tensor]:
    """Stand-ins for the buffers by qualified name, so that a real run cannot change the module's own."""
    copies: dict[int, torch.Tensor] = {}
    return {
        path: copies.setdefault(id(buffer), buffer.clone())
        for path, buffer in module.named_buffers(remove_duplicate=False)
    }
