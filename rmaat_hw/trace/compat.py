"""Every private or semi-private torch name that the tracer uses, in one place, with a test each."""

from __future__ import annotations

import logging
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensor, FakeTensorMode
from torch.multiprocessing.reductions import StorageWeakRef
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.utils.stateless import _reparametrize_module
from torch.utils._python_dispatch import TorchDispatchMode, _disable_current_modes
from torch.utils._pytree import tree_flatten, tree_map, tree_map_only, tree_unflatten
from torch.utils.flop_counter import flop_registry
from torch.utils.weak import WeakTensorKeyDictionary

from device_params.errors import InputError

__all__ = [
    "FakeTensor",
    "FakeTensorMode",
    "StorageWeakRef",
    "TorchDispatchMode",
    "WeakTensorKeyDictionary",
    "address",
    "content",
    "current_sequence_number",
    "decomposes",
    "flop_registry",
    "fresh_fake",
    "is_random",
    "next_sequence_number",
    "plain_kernels",
    "quiet_fakes",
    "reparametrize",
    "storage_key",
    "tree_flatten",
    "tree_map",
    "tree_map_only",
    "tree_unflatten",
    "watched",
    "written_arguments",
]

# The first fake mode loads torch's compiler front end (about a second). It is loaded with this module,
# so that it counts as an import and not as the time of the first trace.
FakeTensorMode()

reparametrize = _reparametrize_module
"""Context manager: run a module with other tensors in place of its parameters and buffers."""


@contextmanager
def plain_kernels(attention: bool = True) -> Iterator[None]:
    """Fused kernels off: attention (unless left alone) falls apart into products, recurrent cells into steps.

    Restores the three global switches whatever happens inside. (``torch.backends.mkldnn.flags`` would do
    for the last of them, but it also sets others, with a warning.)
    """
    fast_path = torch.backends.mha.get_fastpath_enabled()
    onednn = torch._C._get_mkldnn_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    torch._C._set_mkldnn_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH) if attention else nullcontext():
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
        torch._C._set_mkldnn_enabled(onednn)


def fresh_fake(
    fake_mode: FakeTensorMode,
    elements: int,
    views: Sequence[tuple[Sequence[int], Sequence[int], int]],
    dtype: torch.dtype,
    device: torch.device,
) -> list[torch.Tensor]:
    """Fake tensors of (shape, strides, offset) on one new storage of ``elements`` elements.

    Made beneath all modes, for that is three times faster than an operator under a fake mode.
    """
    with _disable_current_modes():
        memory = torch.empty(elements, dtype=dtype, device="meta")
        return [FakeTensor(fake_mode, memory.as_strided(*view), device) for view in views]


@contextmanager
def quiet_fakes() -> Iterator[None]:
    """No traceback on standard error when an operator fails on fake tensors: the caller tells it."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    disabled = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = disabled


def storage_key(tensor: torch.Tensor) -> StorageWeakRef:
    """Identity of the memory behind a tensor.

    While the weak reference lives no other storage takes its ``cdata``, although the memory itself
    is free to go.
    """
    if tensor.is_nested or tensor.layout is not torch.strided:
        raise InputError(
            "a tensor without dense memory cannot be traced",
            where="nested tensor" if tensor.is_nested else f"tensor of shape {tuple(tensor.shape)}",
            value="nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch."),
            allowed="dense (strided) tensors",
            remedy="let the program compute with `.to_dense()` or padded tensors",
        )
    return StorageWeakRef(tensor.untyped_storage())


def watched(storage: torch.UntypedStorage, gone: Callable[[object], None]) -> weakref.ref[Any]:
    """A reference that does not keep the memory alive; ``gone`` is called when the memory is freed.

    It is to the Python object, which torch keeps as long as the memory itself.
    """
    return weakref.ref(storage, gone)


def address(storage: torch.UntypedStorage) -> int:
    """Identity of memory while it is alive."""
    return int(storage._cdata)


def content(tensor: torch.Tensor) -> bytes:
    """The bytes of a tensor's elements, of any dtype, in row-major order."""
    dense = tensor.detach().cpu().contiguous().flatten().resolve_conj().resolve_neg()
    return dense.view(torch.uint8).numpy().tobytes() if dense.numel() else b""


def decomposes(func: Any) -> bool:
    """Whether the operator is only a composition of others (``linear``, ``matmul``, ``einsum``)."""
    return bool(func._can_decompose())


def next_sequence_number() -> int:
    """The sequence number that the next autograd node of this thread gets."""
    return int(torch._C._autograd._get_sequence_nr())


def current_sequence_number() -> int | None:
    """That of the autograd node at work in a backward pass; None without one.

    The nodes that deliver a gradient to its parameter have none of their own.
    """
    node = torch._C._current_autograd_node()
    number = None if node is None else node._sequence_nr()
    return number if number is not None and number < 2**63 else None


def is_random(func: Any) -> bool:
    """Whether two calls with the same arguments may differ."""
    return torch.Tag.nondeterministic_seeded in func.tags


def written_arguments(func: Any) -> tuple[tuple[int, str], ...]:
    """Position and name of the arguments that the operator writes to, from its schema."""
    return tuple(
        (position, argument.name)
        for position, argument in enumerate(func._schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    )
