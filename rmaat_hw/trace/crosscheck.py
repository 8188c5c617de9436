"""An independent count of multiply-accumulates: torch's own FLOP counter on the same program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from rmaat_hw.trace import compat
from rmaat_hw.trace.rules import base_name, is_product
from rmaat_hw.trace.surroundings import no_gradients, untouched

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
        if (fused or is_product(name)) and func.overloadpacket not in compat.flop_registry:
            self.names.add(str(func))
        return func(*args, **(kwargs or {}))


def independent_macs(
    module: nn.Module, args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
) -> tuple[int | None, str]:
    """Count MACs of one forward pass without our rules.

    Returns:
        (MACs, how they were counted), setup included; or (None, why they cannot be counted).
    """
    fake_mode = compat.FakeTensorMode(allow_non_fake_inputs=True)

    def fake(tensor: torch.Tensor) -> torch.Tensor:
        # Without requires_grad: the counter's module tracker fails on views of parameters that were
        # made under no_grad and claim to need a gradient.
        return fake_mode.from_tensor(tensor.detach())

    unknown = _Unknown()
    counter = FlopCounterMode(display=False)
    try:
        with fake_mode, no_gradients(), compat.plain_kernels(), untouched(module):
            known: dict[int, torch.Tensor] = {}
            tensors = {}
            for named in (module.named_parameters, module.named_buffers):
                for path, tensor in named(remove_duplicate=False):
                    if id(tensor) not in known:
                        known[id(tensor)] = fake(tensor)
                    tensors[path] = known[id(tensor)]
            given = compat.tree_map_only(torch.Tensor, fake, (tuple(args), dict(kwargs or {})))
            with compat.reparametrize(module, tensors), unknown, counter:
                module(*given[0], **given[1])
    except Exception as error:
        reason = (str(error).strip().splitlines() or [""])[0][:200]
        return None, f"the counting run failed: {type(error).__name__}: {reason}"
    if unknown.names:
        return None, f"torch's counter has no formula for {', '.join(sorted(unknown.names))}"
    return counter.get_total_flops() // 2, _METHOD
