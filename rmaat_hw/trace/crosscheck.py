"""An independent count of multiply-accumulates: torch's own FLOP counter on the same program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rmaat_hw.trace import compat
from rmaat_hw.trace.rules import base_name, is_product
from rmaat_hw.trace.surroundings import copied_buffers, no_gradients, tensors_in, untouched

_METHOD = "torch.utils.flop_counter on fake tensors, two operations a MAC, attention written out"
_FUSED_RECURRENCES = ("rnn", "lstm", "gru")


class _Unknown(compat.TorchDispatchMode):
    """Collects products that the counter has no formula for; it would count them as zero."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = base_name(str(func))
        fused = any(word in name for word in _FUSED_RECURRENCES)
        product = fused or is_product(name)
        if product and func.overloadpacket not in compat.flop_registry:
            self.names.add(str(func))
        result = func(*args, **(kwargs or {}))
        if product and isinstance(result, torch.Tensor) and result.is_complex():
            self.names.add(f"complex {func}")
        return result


def independent_macs(
    module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
) -> tuple[int | None, str]:
    """Count MACs of one forward pass without our rules.

    Returns:
        (MACs, how they were counted), setup included; or (None, why they cannot be counted).
    """
    inputs = (tuple(args), dict(kwargs or {}))
    method = _METHOD
    try:
        fake_mode = compat.FakeTensorMode(allow_non_fake_inputs=True)
        with fake_mode, compat.quiet_fakes():
            count, unknown = _count(module, inputs, fake_mode.from_tensor)
    except Exception:
        # The program may look at its data: the real run decides.
        method = _METHOD.replace("fake", "real")
        try:
            count, unknown = _count(module, inputs, lambda tensor: tensor)
        except Exception as error:
            reason = (str(error).strip().splitlines() or [""])[0][:200]
            return None, f"the counting run failed: {type(error).__name__}: {reason}"
    if unknown:
        return None, f"torch's counter has no formula for {', '.join(sorted(unknown))}"
    return count, method


def _count(
    module: nn.Module, inputs: tuple[Any, Any], stand_in: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[int, set[str]]:
    """MACs of one run, and the products that have no formula."""

    def bare(tensor: torch.Tensor) -> torch.Tensor:
        # Without requires_grad: the counter's module tracker fails on views of parameters that were
        # made under no_grad and claim to need a gradient.
        return stand_in(tensor.detach())

    unknown = _Unknown()
    counter = FlopCounterMode(display=False)
    with no_gradients(), compat.plain_kernels(), untouched(module):
        known: dict[int, torch.Tensor] = {}
        tensors = {}
        for kind, path, tensor in tensors_in(module):
            if kind == "parameter":
                if id(tensor) not in known:
                    known[id(tensor)] = bare(tensor)
                tensors[path] = known[id(tensor)]
        tensors.update({path: bare(buffer) for path, buffer in copied_buffers(module).items()})
        args, kwargs = compat.tree_map_only(torch.Tensor, bare, inputs)
        with compat.reparametrize(module, tensors), unknown, counter:
            module(*args, **kwargs)
    return counter.get_total_flops() // 2, unknown.names
