"""Roles, phases and edges: what an operand is, what depends on what, what is seen through views."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from traced_models import Function, recurrent

from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import Kind, Phase, Role
from device_params.errors import InputError
from rmaat_hw.model import RMAATConfig, build
from rmaat_hw.trace import capture


def states(graph: OperatorGraph) -> set[tuple[str, int]]:
    return {(o.id, k) for o in graph.operators for k, x in enumerate(o.operands) if x.role is Role.STATE}


@pytest.mark.parametrize("segments", [3, 4])
def test_states_found_from_edges_are_those_that_a_model_marks(segments: int) -> None:
    found = states(capture(*recurrent(segments)).graph)
    marked_graph = capture(*recurrent(segments, marked=True)).graph
    # the retention factor reads the memory as the segment before left it: carried, yet not marked
    assert states(marked_graph) == found
    assert found == {("segment/cat", 0), ("segment.layers.0.attention/bmm#2", 1)}
    named = {o.operands[k].name for o in marked_graph.operators for k in range(len(o.operands))}
    assert {"memory", "H"} <= named


def test_marks_reach_views_and_copies_but_not_what_is_computed() -> None:
    class Marked(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            from rmaat_hw.trace import mark_state

            h = mark_state(x + 1, "H")
            return h.t().contiguous().view(-1) * 2 + (h * 3).view(-1)

    graph = capture(Marked(), (torch.randn(2, 3),)).graph
    assert states(graph) == {("clone", 0), ("mul", 0), ("mul#2", 0)}


def test_mark_is_the_identity() -> None:
    from rmaat_hw.trace import mark_state

    x = torch.zeros(2)
    assert mark_state(x, "anything") is x


def test_softmax_attention_has_no_state() -> None:
    def attend(q: torch.Tensor) -> torch.Tensor:
        return (q @ q.transpose(1, 2)).softmax(-1) @ q

    # as many tokens as features, so that sizes alone cannot tell
    assert states(capture(Function(attend), (torch.randn(2, 8, 8),)).graph) == set()


def test_rmaat_marks_and_edges_agree() -> None:
    config = RMAATConfig(vocabulary=18, classes=10, segments=3)
    model = build(config, seed=0)
    graph = capture(model, (torch.ones(1, config.sequence_length, dtype=torch.int64),)).graph
    marked = {
        (o.id, k)
        for o in graph.operators
        for k, x in enumerate(o.operands)
        if x.role is Role.STATE and x.name
    }
    import rmaat_hw.model.attention
    import rmaat_hw.model.segment

    with pytest.MonkeyPatch.context() as patch:
        for module in (rmaat_hw.model.attention, rmaat_hw.model.segment):
            patch.setattr(module, "mark_state", lambda tensor, name: tensor)
        found = states(capture(model, (torch.ones(1, config.sequence_length, dtype=torch.int64),)).graph)
    assert marked
    assert marked <= found
    # besides: Σφ(K)^α, a sum over tokens that each token reads, is a state that has no mark
    others = {graph[name].operands[k].spec.shape[-1] for name, k in found - marked}
    assert others == {1}


def test_derived_weights_are_weights_and_their_making_is_setup() -> None:
    class Derived(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(4, 4))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x @ (self.weight.softmax(-1) @ self.weight).t()

    graph = capture(Derived(), (torch.randn(2, 4),)).graph
    assert [(o.id, o.phase) for o in graph.operators] == [
        ("_softmax", Phase.SETUP),
        ("mm", Phase.SETUP),
        ("mm#2", Phase.FORWARD),
    ]
    assert (graph.macs, graph.setup_macs) == (2 * 16, 64)
    assert [x.role for x in graph["mm#2"].operands] == [Role.ACTIVATION, Role.WEIGHT]


def test_casts_of_one_weight_in_every_segment_are_one_weight() -> None:
    class Narrow(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return nn.functional.linear(x, self.weight.to(torch.bfloat16))

    class Cast(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.part = Narrow(4, 4, bias=False)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            for _ in range(5):
                x = self.part(x)
            return x

    graph = capture(Cast(), (torch.randn(2, 4, dtype=torch.bfloat16),)).graph
    product = next(o for o in graph.operators if o.kind is Kind.MATMUL)
    assert product.repeat == 5
    assert (product.operands[1].role, product.operands[1].copies) == (Role.WEIGHT, 1)


def test_random_numbers_are_no_weights() -> None:
    graph = capture(Function(lambda x: torch.randn(3, 4) @ x), (torch.randn(4, 2),)).graph
    assert [o.phase for o in graph.operators] == [Phase.FORWARD, Phase.FORWARD]
    assert graph["mm"].operands[0].role is Role.ACTIVATION


def test_captured_tensors_are_constants_and_are_reported() -> None:
    table = torch.randn(8, 4)
    trace = capture(Function(lambda x: x @ table.t() + torch.tensor(2.0)), (torch.randn(2, 4),))
    assert [x.role for x in trace.graph["mm"].operands] == [Role.ACTIVATION, Role.CONSTANT]
    (note,) = trace.notes
    assert "1 captured tensor(s)" in note
    assert "(8, 4)" in note


def test_written_buffers_are_states_and_stay_as_they_were() -> None:
    norm = nn.BatchNorm1d(4).train()
    graph = capture(norm, (torch.randn(8, 4),)).graph
    roles = {x.name: x.role for o in graph.operators for x in o.operands if x.name}
    assert roles["running_mean"] is Role.STATE
    assert roles["weight"] is Role.WEIGHT
    assert norm.num_batches_tracked == 0
    assert norm.running_mean.abs().sum() == 0


def test_a_partial_write_and_what_it_left_both_feed_the_reader() -> None:
    def program(x: torch.Tensor) -> torch.Tensor:
        y = x.clone()
        y[:, :4].add_(1)
        return y.mean()

    graph = capture(Function(program), (torch.randn(2, 8),)).graph
    assert set(graph.predecessors("mean")) == {"clone", "add_"}
    assert graph.predecessors("add_") == ("clone",)
    assert graph.views == 1  # the slice


def test_a_whole_write_hides_what_was_there() -> None:
    def program(x: torch.Tensor) -> torch.Tensor:
        y = x.clone()
        alias = y.view(-1)
        y.copy_(x * 2)
        return alias.sum()

    graph = capture(Function(program), (torch.randn(2, 8),)).graph
    assert graph.predecessors("sum") == ("copy_",)
    assert graph.predecessors("copy_") == ("mul",)


def test_edges_see_through_views() -> None:
    def program(x: torch.Tensor) -> torch.Tensor:
        a, b = (x * 2).chunk(2, dim=1)
        return a.t().reshape(4, 2) @ b.unsqueeze(0).squeeze(0)

    graph = capture(Function(program), (torch.randn(2, 8),)).graph
    assert [o.kind for o in graph.operators if o.kind is Kind.VIEW] == []
    mm = graph["mm"]
    assert {edge.source for edge in graph.incoming("mm") if edge.operand == mm.matmul.right} == {"mul"}


def test_capture_leaves_the_module_and_torch_as_they_were() -> None:
    class Keeps(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 4)
            self.last: torch.Tensor | None = None

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.last = self.linear(x)
            self.surprise = 1
            return self.last

    model = Keeps()
    weight, call = model.linear.weight, nn.Module.__call__
    switches = (torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled)
    capture(model, (torch.randn(2, 4),))
    with pytest.raises(InputError, match="shapes cannot be multiplied"):
        capture(model, (torch.randn(2, 5),))
    assert model.linear.weight is weight
    assert model.last is None
    assert not hasattr(model, "surprise")
    assert nn.Module.__call__ is call
    assert (torch.backends.mha.get_fastpath_enabled(), torch.backends.mkldnn.enabled) == switches
    assert type(model(torch.randn(2, 4))) is torch.Tensor


def test_works_inside_inference_mode_and_with_keyword_and_nested_inputs() -> None:
    class Nested(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(4, 3)

        def forward(self, batch: dict[str, list[torch.Tensor]], *, scale: float) -> torch.Tensor:
            return self.linear(batch["x"][0]) * scale

    with torch.inference_mode():
        trace = capture(Nested(), ({"x": [torch.randn(2, 4)]},), {"scale": 2.0}, name="nested")
    assert [o.id for o in trace.graph.operators] == ["linear/addmm", "mul"]
    assert trace.graph.name == "nested"
    assert trace.mode == "fake"


def test_a_program_that_looks_at_its_data_is_traced_on_real_tensors() -> None:
    linear = nn.Linear(4, 4)
    trace = capture(Function(lambda x: linear(x) if x.sum() > 0 else x), (torch.ones(2, 4),))
    assert trace.mode == "real"
    assert "DataDependentOutputException" in trace.notes[0]
    assert trace.graph.macs == 32
