"""Segments, layers and steps fold; what is folded adds up to what was unrolled; replays change nothing."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from traced_models import Function, recurrent, recurrent_macs

from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import Kind, Role
from rmaat_hw.trace import capture


def without_loop_counts(graph: OperatorGraph) -> list[tuple[str, int]]:
    return [(o.id, o.macs) for o in graph.operators]


@pytest.mark.parametrize("segments", [1, 2, 3, 8])
def test_folded_equals_unrolled_and_the_hand_formula(segments: int) -> None:
    model, args = recurrent(segments)
    folded, flat = capture(model, args), capture(model, args, folded=False, memoise=False)
    assert folded.graph.macs == recurrent_macs(segments)
    assert folded.graph.totals == flat.graph.totals
    assert folded.graph.views == flat.graph.views
    assert folded.unfolded_operators == len(flat.graph)
    assert flat.graph.loops == {}
    assert flat.replayed_calls == 0


@pytest.mark.parametrize("segments", [1, 2, 3, 5, 64])
def test_replayed_graph_is_the_very_graph_of_the_full_run(segments: int) -> None:
    model, args = recurrent(segments, layers=2)
    quick, full = capture(model, args), capture(model, args, memoise=False)
    assert quick.graph == full.graph
    assert quick.replayed_calls == max(segments - 3, 0)  # the first starts from a parameter
    # and written out: the replayed calls' operators get the same edges as if they had run
    assert capture(model, args, folded=False).graph == capture(model, args, folded=False, memoise=False).graph


def test_segments_hold_layers_and_count_their_weights_once() -> None:
    model, args = recurrent(4)
    graph = capture(model, args).graph
    segment, layer = graph.loops.values()
    assert (segment.axis, segment.count, segment.module, segment.parent) == ("segment", 4, "segment", "")
    assert (layer.axis, layer.count, layer.module) == ("layer", 4, "segment.layers")
    assert layer.parent == segment.id
    assert segment.recurrent
    assert layer.recurrent
    key = graph["segment.layers.0.attention.key/addmm"]
    assert (key.repeat, key.loops) == (16, (segment.id, layer.id))
    weight = key.operands[2]
    assert (weight.role, weight.name, weight.copies) == (
        Role.WEIGHT,
        "segment.layers.0.attention.key.weight",
        4,
    )
    assert graph["head/addmm"].operands[2].copies == 1


def test_node_count_does_not_grow_with_segments() -> None:
    traces = [capture(*recurrent(segments)).graph for segments in (2, 3, 8)]
    assert without_loop_counts(traces[0])[:-3] == without_loop_counts(traces[1])[:-3]
    assert len({len(graph) for graph in traces}) == 1


def test_what_is_carried_is_the_memory_and_nothing_else() -> None:
    graph = capture(*recurrent(4, layers=1)).graph
    carried = [edge for edge in graph.edges if edge.carried]
    assert [(edge.source, edge.target, edge.operand) for edge in carried] == [("mul", "segment/cat", 0)]
    assert graph["segment/cat"].operands[0].role is Role.STATE
    assert graph["segment/cat"].operands[1].role is Role.ACTIVATION
    assert graph.predecessors("segment/cat") == ("clone",)  # of the start, a parameter
    assert graph.predecessors("segment/cat", carried=True) == ("clone", "mul")


def test_an_expanded_start_is_read_with_fewer_bytes_and_stays_apart() -> None:
    """Totals come first: segment 0 folds only when it costs what the others cost."""
    graph, flat = (capture(*recurrent(4, copied=False), folded=on).graph for on in (True, False))
    assert graph.totals == flat.totals
    assert graph.loops["segment/segment"].count == 3
    assert graph["segment/cat"].bytes_in < graph["segment/cat#2"].bytes_in


def test_query_key_and_value_stay_apart() -> None:
    model, args = recurrent(2)
    names = [o.id for o in capture(model, args).graph.operators if o.kind is Kind.MATMUL]
    assert names == [
        *(f"segment.layers.0.attention.{name}/addmm" for name in ("query", "key", "value")),
        *("segment.layers.0.attention/bmm", "segment.layers.0.attention/bmm#2"),
        *("segment.layers.0.up/addmm", "segment.layers.0.down/addmm", "head/addmm"),
    ]


def test_a_recurrence_of_plain_operators_folds_into_steps() -> None:
    graph = capture(nn.LSTM(8, 16), (torch.randn(7, 2, 8),)).graph
    (loop,) = graph.loops.values()
    assert (loop.axis, loop.count, loop.recurrent) == ("step", 7, True)
    hidden = next(o for o in graph.operators if o.repeat == 7 and o.kind is Kind.MATMUL)
    assert [operand.role for operand in hidden.operands][1] is Role.STATE  # h of the step before
    assert hidden.operands[2].copies == 1


def test_two_equal_operators_in_a_row_are_no_loop() -> None:
    graph = capture(Function(lambda x: (x + 1) + 1), (torch.zeros(3),)).graph
    assert graph.loops == {}
    assert [o.id for o in graph.operators] == ["add", "add#2"]


def test_layers_of_different_sizes_do_not_fold() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 5))
    graph = capture(model, (torch.zeros(2, 4),)).graph
    assert [o.repeat for o in graph.operators] == [2, 1]
    assert graph.operators[0].operands[2].copies == 2


def test_layers_with_shared_weights_count_one_copy() -> None:
    layer = nn.Linear(4, 4)
    graph = capture(nn.Sequential(layer, layer, layer), (torch.zeros(2, 4),)).graph
    (operator,) = graph.operators
    assert (operator.repeat, operator.operands[2].copies) == (3, 1)


class Stateful(nn.Module):
    """A segment with one bad habit; every habit must keep it from being replayed."""

    def __init__(self, habit: str) -> None:
        super().__init__()
        self.habit = habit
        self.linear = nn.Linear(4, 4)
        self.count = 0
        self.kept: torch.Tensor | None = None
        self.seen: list[int] = []
        self.register_buffer("steps", torch.zeros(4))

    def forward(self, x: torch.Tensor, bag: list[torch.Tensor]) -> torch.Tensor:
        if self.habit == "passes its input on":
            self.linear(x)
            return x
        if self.habit == "returns a parameter":
            return self.linear.bias + 0 * self.linear(x)[0], self.linear.bias  # type: ignore[return-value]
        y = self.linear(x)
        if self.habit == "counts":
            self.count += 1
            for _ in range(self.count % 3):
                y = self.linear(y)
        elif self.habit == "keeps a tensor":
            y = y if self.kept is None else y + self.kept
            self.kept = y * 2
        elif self.habit == "writes a buffer":
            self.steps += y.sum(0)
        elif self.habit == "fills a list argument":
            bag.append(y)
        elif self.habit == "fills a list of its own":
            self.seen.append(1)
        elif self.habit == "writes its argument":
            x.add_(1)
        return y.clone()


class Caller(nn.Module):
    def __init__(self, habit: str) -> None:
        super().__init__()
        self.part = Stateful(habit)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        bag: list[torch.Tensor] = []
        x = x * 1
        for _ in range(6):
            y = self.part(x, bag)
            x = y if isinstance(y, torch.Tensor) else y[0].expand(2, 4)
        return x


@pytest.mark.parametrize(
    "habit",
    [
        "passes its input on",
        "returns a parameter",
        "counts",
        "keeps a tensor",
        "writes a buffer",
        "fills a list argument",
        "fills a list of its own",
        "writes its argument",
    ],
)
def test_calls_with_side_effects_are_run(habit: str) -> None:
    quick = capture(Caller(habit), (torch.randn(2, 4),))
    assert quick.replayed_calls == 0
    assert quick.graph == capture(Caller(habit), (torch.randn(2, 4),), memoise=False).graph


def test_a_call_without_side_effects_is_not_run_again() -> None:
    assert capture(Caller("none"), (torch.randn(2, 4),)).replayed_calls == 3


def test_hooks_keep_a_call_from_being_replayed() -> None:
    model = Caller("none")
    calls: list[int] = []
    model.part.linear.register_forward_hook(lambda *_: calls.append(1))
    assert capture(model, (torch.randn(2, 4),)).replayed_calls == 0
    assert len(calls) == 6


def test_replayed_outputs_share_memory_as_the_real_ones_do() -> None:
    class Twice(nn.Module):
        def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            y = torch.cat((x, x))
            return y[:2], y[2:]

    class Writer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.twice = Twice()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(6):
                left, right = self.twice(x)
                left.add_(1)  # a part of the memory that ``right`` is in too
                x = right * 2
            return x

    quick, full = (capture(Writer(), (torch.randn(2, 4),), memoise=on) for on in (True, False))
    assert quick.replayed_calls > 0
    assert quick.graph == full.graph
    assert set(quick.graph.predecessors("mul")) == {"twice/cat", "add_"}


def test_sixty_four_segments_cost_little_more_than_three() -> None:
    """Operators really run: three calls of the segment in both; the benchmark has the times."""
    three, many = capture(*recurrent(3)), capture(*recurrent(64))
    assert three.replayed_calls == 0
    assert many.replayed_calls == 61
    assert many.graph.macs == recurrent_macs(64)
