"""Programs with habits of their own: the module is left as it was, failures are told, dtypes are read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from traced_models import Function

from device_params.errors import InputError
from rmaat_hw.trace import TraceMismatch, capture, collect_activity, independent_macs
from rmaat_hw.trace.compat import FakeTensor


class Tied(nn.Module):
    """One module under three names, one parameter in two modules."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(8, 8)
        self.blocks = nn.ModuleList([self.first, nn.Linear(8, 8)])
        self.blocks[1].weight = self.first.weight
        self.last = self.first

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        for block in self.blocks:
            x = block(x)
        return self.last(x)


def test_module_under_several_names_gets_its_own_parameters_back() -> None:
    module, x = Tied(), torch.randn(2, 8)
    before = {name: id(p) for name, p in module.named_parameters(remove_duplicate=False)}
    graph = capture(module, (x,)).graph
    assert independent_macs(module, (x,))[0] == graph.macs == 3 * 2 * 8 * 8
    collect_activity(module, [(x,)], graph, 8, 8)
    assert {name: id(p) for name, p in module.named_parameters(remove_duplicate=False)} == before
    assert not any(isinstance(p, FakeTensor) for p in module.parameters())


class Hoarder(nn.Module):
    """Keeps tensors in containers and makes a module when it is called first."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)
        self.seen: list[torch.Tensor] = []
        self.cache: dict[str, torch.Tensor] = {"bias": torch.ones(8)}
        self.names: set[str] = set()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not hasattr(self, "late"):
            self.late = nn.Identity()
        y = self.late(self.linear(x)) + self.cache["bias"]
        self.seen.append(y)
        self.cache["bias"] = y.mean(0)
        self.names.add("called")
        return sum(self.seen[1:], self.seen[0])


def test_containers_and_tables_of_the_module_are_put_back() -> None:
    module, x = Hoarder(), torch.randn(2, 8)
    bias = module.cache["bias"]
    graph = capture(module, (x,)).graph
    collect_activity(module, [(x,)], graph, 8, 8)
    assert module.seen == [] and module.names == set() and module.cache["bias"] is bias
    assert not hasattr(module, "late") and set(module._modules) == {"linear"}


def fails(x: torch.Tensor) -> torch.Tensor:
    raise RuntimeError("the moon is wrong")


@pytest.mark.parametrize(
    ("module", "args", "told"),
    [
        (Function(fails), (torch.ones(1),), "the moon is wrong"),
        (nn.Linear(8, 8), (torch.ones(2, 9),), "cannot be multiplied"),
        (nn.Linear(8, 8), (), "missing 1 required positional argument"),
        (Function(lambda x: torch.sparse.mm(x, x)), (torch.eye(3).to_sparse(),), "to_dense"),
        (Function(lambda x: sys.exit(5)), (torch.ones(1),), "SystemExit: 5"),
    ],
)
def test_program_that_fails_is_the_users_error(module: nn.Module, args: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        capture(module, args)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.complex64])
def test_activity_of_any_dtype(dtype: torch.dtype) -> None:
    module, x = nn.Linear(8, 8, dtype=dtype), torch.randn(3, 8, dtype=dtype)
    activity = collect_activity(module, [(x,)], capture(module, (x,)).graph, 8, 8)
    assert len(activity.operands) == 2
    assert all(0 < q.mean_magnitude < 1 for q in activity.operands.values())


def test_empty_operands_have_no_activity() -> None:
    module, x = nn.Linear(8, 8), torch.randn(0, 8)
    activity = collect_activity(module, [(x,)], capture(module, (x,)).graph, 8, 8)
    assert set(activity.operands) == {("addmm", 2)}


def in_inference_mode(module: nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    def call(x: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return module(x)

    return call


def test_inference_mode_inside_the_program_hides_nothing() -> None:
    linear, x = nn.Linear(8, 8), torch.randn(3, 8)
    module = Function(in_inference_mode(linear))
    module.linear = linear
    graph = capture(module, (x,)).graph
    assert graph.macs == 3 * 8 * 8
    assert len(collect_activity(module, [(x,)], graph, 8, 8).operands) == 2


def test_wrong_data_of_the_right_shape_are_the_users_error() -> None:
    module, tokens = nn.Embedding(10, 4), torch.tensor([[3, 10]])
    graph = capture(module, (tokens,)).graph
    with pytest.raises(InputError, match="index out of range"):
        collect_activity(module, [(tokens,)], graph, 8, 8)


def test_a_program_without_data_is_traced_and_has_no_activity() -> None:
    module = nn.Linear(8, 8, device="meta")
    x = torch.randn(2, 8, device="meta")
    graph = capture(module, (x,)).graph
    assert graph.macs == independent_macs(module, (x,))[0] == 2 * 8 * 8
    with pytest.raises(TraceMismatch, match="hold no data"):
        collect_activity(module, [(x,)], graph, 8, 8)
