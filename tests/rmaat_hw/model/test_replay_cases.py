"""Memory replay where a recurrence is not the usual one: each case beside back-propagation through time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call

from device_params.errors import InputError
from rmaat_hw.model import memory_replay, segment_recurrence

Run = Callable[..., Any]


@pytest.fixture(autouse=True)
def _double() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def replaying(step: Any, inputs: Any, memory: Any, *, parameters: Any, **keywords: Any) -> Any:
    return memory_replay(step, inputs, memory, parameters=parameters, **keywords)


def through_time(step: Any, inputs: Any, memory: Any, *, parameters: Any, **keywords: Any) -> Any:
    return segment_recurrence(step, inputs, memory, **keywords)


def same(case: Callable[[Run], list[Tensor]]) -> None:
    torch.testing.assert_close(case(replaying), case(through_time), rtol=1e-12, atol=1e-12)


def linear() -> tuple[nn.Linear, list[tuple[Tensor]], Tensor]:
    torch.manual_seed(0)
    return nn.Linear(8, 8), [(x,) for x in torch.randn(4, 2, 8)], torch.randn(2, 8, requires_grad=True)


def plain(module: nn.Module) -> Callable[..., Any]:
    return lambda memory, x: (torch.tanh(module(memory + x)), memory.sum())


def test_a_parameter_named_twice_has_its_gradient_once() -> None:
    def case(run: Run) -> list[Tensor]:
        module, inputs, memory = linear()
        named = [*module.parameters(), *module.parameters()]
        _, memory = run(plain(module), inputs, memory, parameters=named)
        return list(torch.autograd.grad(memory.square().sum(), list(module.parameters())))

    same(case)


def test_hooks_of_parameters_see_the_whole_gradient_once() -> None:
    heard = []

    def case(run: Run) -> list[Tensor]:
        module, inputs, memory = linear()

        def double(gradient: Tensor) -> Tensor:
            heard.append(gradient.clone())
            return 2 * gradient

        module.weight.register_hook(double)
        for _ in range(2):  # they are there the second time, too
            _, after = run(plain(module), inputs, memory, parameters=module.parameters())
            after.square().sum().backward()
        assert module.weight.grad is not None
        return [module.weight.grad]

    same(case)
    assert len(heard) == 4
    torch.testing.assert_close(heard[0], heard[2], rtol=1e-12, atol=1e-12)


def test_complex_memory() -> None:
    def case(run: Run) -> list[Tensor]:
        torch.manual_seed(0)
        pole = torch.randn(8, dtype=torch.complex128, requires_grad=True)
        start = torch.randn(2, 8, dtype=torch.complex128, requires_grad=True)
        inputs = [(x,) for x in torch.randn(4, 2, 8)]
        read, memory = run(
            lambda m, x: (m * pole + x, (m * pole).real.sum()),
            inputs,
            start,
            parameters=[pole],
            readout="sum",
        )
        return list(torch.autograd.grad(memory.abs().square().sum() + read, [pole, start]))

    same(case)


def test_whole_numbers_in_the_memory() -> None:
    def case(run: Run) -> list[Tensor]:
        module, inputs, start = linear()

        def step(memory: Any, x: Tensor) -> Any:
            state, count, number = memory
            state = torch.tanh(module(state + x)) * (count + number)
            return (state, count + 1, number + 1), {"count": count, "mean": state.mean(), "name": "a"}

        read, (state, count, number) = run(
            step, inputs, (start, torch.tensor(1), 0), parameters=module.parameters(), readout="sum"
        )
        assert (int(count), number, int(read["count"]), read["name"]) == (5, 4, 10, "a")
        loss = state.square().sum() + read["mean"]
        return list(torch.autograd.grad(loss, [start, *module.parameters()]))

    same(case)


@pytest.mark.parametrize("which", ["unchanged", "a view", "the input", "a constant"])
def test_memory_that_is_no_new_tensor(which: str) -> None:
    def case(run: Run) -> list[Tensor]:
        module, inputs, start = linear()

        def step(memory: Tensor, x: Tensor) -> Any:
            following = {
                "unchanged": memory,
                "a view": memory.view(2, 8),
                "the input": x,
                "a constant": torch.ones(2, 8),
            }[which]
            return following, module(memory + x).square().sum()

        read, memory = run(step, inputs, start, parameters=module.parameters(), readout="sum")
        return list(torch.autograd.grad(read + memory.sum(), [start, *module.parameters()]))

    same(case)


def test_replay_inside_replay_with_dropout() -> None:
    def case(run: Run) -> list[Tensor]:
        module, _, start = linear()
        inputs = [(x,) for x in torch.randn(3, 4, 2, 8)]
        keywords: dict[str, Any] = {"parameters": list(module.parameters()), "readout": "sum"}
        dropout = nn.Dropout(0.3)

        def inner(memory: Tensor, x: Tensor) -> Any:
            return torch.tanh(dropout(module(memory + x))), memory.sum()

        def outer(memory: Tensor, x: Tensor) -> Any:
            read, memory = run(inner, [(row,) for row in x], memory, **keywords)
            return memory, read

        read, memory = run(outer, inputs, start, **keywords)
        return list(torch.autograd.grad(read + memory.square().sum(), [start, *module.parameters()]))

    same(case)


def test_saved_on_the_processor_and_backward_twice() -> None:
    def case(run: Run) -> list[Tensor]:
        module, inputs, start = linear()
        with torch.autograd.graph.save_on_cpu():
            _, memory = run(plain(module), inputs, start, parameters=module.parameters())
            loss = memory.square().sum()
        loss.backward(retain_graph=True)
        loss.backward()
        assert start.grad is not None and module.weight.grad is not None
        return [start.grad, module.weight.grad]

    same(case)


def test_parameters_from_functional_call() -> None:
    def case(run: Run) -> list[Tensor]:
        module, inputs, start = linear()
        raw = torch.full((8, 8), 0.1, requires_grad=True)
        own = {"weight": raw.tanh(), "bias": torch.zeros(8)}
        _, memory = run(
            lambda m, x: (torch.tanh(functional_call(module, own, (m + x,))), None),
            inputs,
            start,
            parameters=own.values(),
        )
        return list(torch.autograd.grad(memory.square().sum(), [raw, start]))

    same(case)


def test_parameters_put_back_before_the_backward_are_an_error() -> None:
    """The replay would use others than the first pass, and gradients would be wrong without a word."""

    class Whole(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(8, 8)

        def forward(self, rows: Tensor) -> Tensor:
            inputs, start = [(x,) for x in rows], torch.zeros(2, 8)
            _, memory = memory_replay(plain(self.linear), inputs, start, parameters=self.parameters())
            assert isinstance(memory, Tensor)
            return memory

    raw = torch.full((8, 8), 0.1, requires_grad=True)
    changed = {"linear.weight": raw * 2, "linear.bias": torch.zeros(8)}
    memory = functional_call(Whole(), changed, (torch.randn(4, 2, 8),))
    with pytest.raises(InputError, match="was not named"):
        memory.sum().backward()


def test_an_unnamed_tensor_of_the_segments_before_the_last_is_an_error() -> None:
    module, inputs, start = linear()
    gain = torch.ones(8, requires_grad=True)
    _, memory = memory_replay(
        lambda m, x: (module(m + x) * gain, None),
        inputs,
        start,
        parameters=module.parameters(),
        final=plain(module),
    )
    with pytest.raises(InputError, match=r"was not named.*\[8\]"):
        memory.sum().backward()


@pytest.mark.parametrize("argument", ["memory", "input"])
def test_a_step_that_changes_an_argument_in_place_is_an_error(argument: str) -> None:
    module, inputs, start = linear()

    def step(memory: Tensor, x: Tensor) -> Any:
        (memory if argument == "memory" else x).mul_(0.5)
        return module(memory + x), None

    with pytest.raises(InputError, match="changed an argument in place"):
        memory_replay(step, inputs, start.detach(), parameters=module.parameters(), final=plain(module))


def test_no_second_derivative() -> None:
    module, inputs, start = linear()
    _, memory = memory_replay(plain(module), inputs, start, parameters=module.parameters())
    (gradient,) = torch.autograd.grad(memory.square().sum(), start, create_graph=True)
    with pytest.raises(RuntimeError, match="differentiate twice"):
        gradient.sum().backward()
