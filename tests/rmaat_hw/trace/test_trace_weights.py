"""Which weights stand behind an operand (parts, stacks, expanded, tied), and how many cells they take."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from rmaat_hw.trace import capture

D = 8


class With(nn.Module):
    """A function of a module's parameters ``w`` and ``v`` and of an input."""

    def __init__(self, function: Callable[[With, Tensor], Tensor], *shape: int) -> None:
        super().__init__()
        self.function = function
        self.w = nn.Parameter(torch.randn(*shape))
        self.step = Step()

    def forward(self, x: Tensor) -> Tensor:
        return self.function(self, x)


class Step(nn.Module):
    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return functional.relu(x @ w)


def thirds(self: With, x: Tensor) -> Tensor:
    return reduce(functional.linear, self.w.chunk(3), x)


def whole_and_part(self: With, x: Tensor) -> Tensor:
    return functional.linear(x, self.w[:D]) + functional.linear(x, self.w)[..., :D]


def column_parts(self: With, x: Tensor) -> Tensor:
    return torch.cat([x @ self.w[:, :D], x @ self.w[:, D:]], -1)


def stacked(self: With, x: Tensor) -> Tensor:
    for k in range(len(self.w)):
        x = functional.relu(x @ self.w[k])
    return x


def stacked_in_calls(self: With, x: Tensor) -> Tensor:
    return reduce(self.step, self.w, x)


def stacked_casts(self: With, x: Tensor) -> Tensor:
    for k in range(len(self.w)):
        x = (x.bfloat16() @ self.w[k].bfloat16()).float()
    return x


def expanded(self: With, x: Tensor) -> Tensor:
    return torch.bmm(x, self.w.expand(x.shape[0], D, D))


def broadcast_heads(self: With, x: Tensor) -> Tensor:
    return x.unsqueeze(1) @ self.w  # torch copies the heads for every sequence


def scaled_twice(self: With, x: Tensor) -> Tensor:
    return x @ (self.w * 2) + x @ (self.w * 3)


def cast_twice(self: With, x: Tensor) -> Tensor:
    return x.half() @ self.w.half() + (2 * x).half() @ self.w.half()


def transposed(self: With, x: Tensor) -> Tensor:
    return functional.relu(x @ self.w) @ self.w.t()


CASES = [
    (thirds, (3 * D, D), 3),
    (whole_and_part, (2 * D, D), 2),
    (column_parts, (D, 2 * D), 2),
    (stacked, (5, D, D), 5),
    (stacked_in_calls, (5, D, D), 5),
    (stacked_casts, (5, D, D), 5),
    (expanded, (D, D), 1),
    (broadcast_heads, (3, D, D), 3),
    (scaled_twice, (D, D), 2),
    (cast_twice, (D, D), 1),
    (transposed, (D, D), 1),
]


def weights_on_arrays(module: nn.Module, x: Tensor, **options: bool) -> float:
    work = place(capture(module, (x,), **options).graph, None, Precision())
    return float((work.contraction * work.outputs * work.matrices).sum())


@pytest.mark.parametrize(("function", "shape", "squares"), CASES)
def test_stored_weights_are_those_counted_by_hand(
    function: Callable[[With, Tensor], Tensor], shape: tuple[int, ...], squares: int
) -> None:
    module, x = With(function, *shape), torch.randn(4, 5, D)
    for options in ({}, {"memoise": False}, {"folded": False}):
        assert weights_on_arrays(module, x, **options) == squares * D * D


def test_slices_of_a_stack_fold_into_layers() -> None:
    for function in (stacked, stacked_in_calls):
        graph = capture(With(function, 5, D, D), (torch.randn(2, D),)).graph
        (loop,) = graph.loops.values()
        assert (loop.axis, loop.count) == ("layer", 5)
        product = graph.operators[0]
        assert product.operands[1].copies == 5
        assert [q.start for q in product.operands[1].stored] == [k * D * D for k in range(5)]


def test_a_layer_used_again_outside_its_loop_is_stored_once() -> None:
    class Again(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList(nn.Linear(D, D) for _ in range(4))

        def forward(self, x: Tensor) -> Tensor:
            y = reduce(lambda x, layer: layer(x), self.layers, x)
            return self.layers[0](y.relu()).relu()

    assert weights_on_arrays(Again(), torch.randn(2, D)) == 4 * D * D


def test_cross_attention_stores_all_its_projections() -> None:
    layer = nn.TransformerDecoderLayer(D, 2, 16, batch_first=True)
    x = torch.randn(1, 5, D)
    work = place(capture(layer, (x, torch.randn(1, 3, D))).graph, None, Precision())
    assert float((work.contraction * work.outputs * work.matrices).sum()) == (2 * 4 * D + 2 * 16) * D


@pytest.mark.parametrize(
    ("layer", "rows", "cols", "matrices", "vectors"),
    [
        (nn.Conv2d(4, 6, 3, padding=1), 36, 6, 1, 2 * 25),
        (nn.Conv2d(4, 8, 3, padding=1, groups=2), 18, 4, 2, 2 * 2 * 25),
        (nn.Conv2d(4, 4, 3, padding=1, groups=4), 9, 1, 4, 2 * 4 * 25),
        (nn.ConvTranspose2d(4, 6, 3), 4, 54, 1, 2 * 25),
        (nn.ConvTranspose2d(4, 6, 3, groups=2), 2, 27, 2, 2 * 2 * 25),
    ],
)
def test_convolutions_on_arrays(layer: nn.Module, rows: int, cols: int, matrices: int, vectors: int) -> None:
    """Word lines carry a window of a group's inputs (transposed: one position), bit lines its outputs."""
    from rmaat_hw.trace import collect_activity

    x = torch.randn(2, 4, 5, 5)
    graph = capture(layer, (x,)).graph
    activity = collect_activity(layer, [(x,)], graph, 8, 8)
    assert len(activity.operands) == 2
    work = place(graph, activity, Precision())
    found = [float(c.sum()) for c in (work.contraction, work.outputs, work.matrices, work.vectors)]
    assert found == [rows, cols, matrices, vectors]
    assert float(work.parallel.sum()) == matrices
    assert 0 < float(work.input_density.sum()) < 1 and float(work.input_density.sum()) != 0.5


class Place(nn.Module):
    """Adds its slice of the position codes; its weight is the same for every segment."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(D, D)

    def forward(self, x: Tensor, position: Tensor, memory: Tensor) -> Tensor:
        return self.linear(x + position).tanh() + memory


class Placed(nn.Module):
    def __init__(self, segments: int) -> None:
        super().__init__()
        self.position = nn.Parameter(torch.randn(segments, 5, D))
        self.segment = Place()

    def forward(self, x: Tensor) -> Tensor:
        memory = x.new_zeros(1, 5, D)
        for position, part in zip(self.position.unbind(), x.split(5, 1), strict=True):
            memory = self.segment(part, position, memory)
        return memory


def test_calls_on_the_next_slice_are_replayed_and_every_slice_is_kept() -> None:
    module, x = Placed(12), torch.randn(1, 60, D)
    trace = capture(module, (x,))
    assert trace.replayed_calls > 8
    assert trace.graph == capture(module, (x,), memoise=False).graph
    for options in ({}, {"memoise": False}, {"folded": False}):
        work = place(capture(module, (x,), **options).graph, None, Precision())
        assert work.table == 12 * 5 * D + D  # position codes and the bias
        assert float((work.contraction * work.outputs * work.matrices).sum()) == D * D
