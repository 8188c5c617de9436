"""The graph of a training step: folding, modules and roles of gradients, kinds of products, refusals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
import torch
from torch import nn
from traced_models import recurrent
from trained_models import Checkpointed, small, step_of

from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import Operator, Phase, Role
from device_params.errors import InputError
from rmaat_hw.model import macs_by_hand
from rmaat_hw.trace import capture_training, collect_activity
from rmaat_hw.trace.products import ProductKind, product_kinds

pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")


def encoder() -> tuple[nn.Module, tuple[Any, ...]]:
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    return nn.TransformerEncoder(layer, 4), (torch.randn(2, 5, 16, requires_grad=True),)


PROGRAMS = {
    "recurrent": lambda: recurrent(5, layers=2),
    "encoder": encoder,
    "lstm": lambda: (nn.LSTM(8, 16, 2), (torch.randn(6, 3, 8),)),
    "checkpointed": lambda: (Checkpointed(5, False), (torch.randn(5, 8),)),
    "reentrant": lambda: (Checkpointed(5, True), (torch.randn(5, 8),)),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_folded_equals_unfolded(program: str) -> None:
    module, args = PROGRAMS[program]()
    folded = capture_training(module, args, optimiser="adamw", clip_norm=1.0)
    flat = capture_training(module, args, optimiser="adamw", clip_norm=1.0, folded=False)
    assert folded.graph.totals_by_phase == flat.graph.totals_by_phase
    assert folded.graph.executions == len(flat.graph) == folded.unfolded_operators
    assert len(folded.graph) < len(flat.graph)
    kinds = [_macs_by_kind(trace.graph) for trace in (folded, flat)]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("gradient", ["bptt", "replay"])
def test_rmaat_folds_exactly_and_to_one_size(gradient: str) -> None:
    sizes = []
    for segments in (5, 7):
        config = small(segments=segments, gradient=gradient)
        folded = step_of(config, optimiser="adamw")
        flat = step_of(config, optimiser="adamw", folded=False)
        assert folded.graph.totals_by_phase == flat.graph.totals_by_phase
        sizes.append(len(folded.graph))
    assert sizes[0] == sizes[1]


def test_segments_of_the_backward_pass_are_a_loop() -> None:
    graph = step_of(small(segments=8, gradient="replay")).graph
    loop = graph.loops["backward:segment/segment"]
    assert (loop.axis, loop.recurrent) == ("segment", True)
    inside = [o for o in graph.operators if loop.id in o.loops]
    assert {o.phase for o in inside} == {Phase.REPLAY, Phase.BACKWARD}
    assert loop.count >= 8 - 3  # the last has no gradient from behind, the first no memory that changes


def test_gradients_have_the_module_of_what_they_are_gradients_of() -> None:
    graph = step_of(small(gradient="replay"), folded=False).graph
    forward = Counter(o.module for o in graph.operators if o.macs and o.phase is Phase.FORWARD)
    backward = Counter(o.module for o in graph.operators if o.macs and o.phase is Phase.BACKWARD)
    assert backward == {module: 2 * count for module, count in forward.items()}
    nameless = [o for o in graph.operators if o.phase is Phase.BACKWARD and not o.module]
    assert all(not o.macs for o in nameless)
    owners = {o.module for o in graph.operators if "layer_norm_backward" in o.op}
    assert owners == {f"segment.blocks.{k}.{norm}_norm" for k in (0, 1) for norm in ("attention", "ffn")}


def only(graph: OperatorGraph, **wanted: Any) -> list[Operator]:
    return [o for o in graph.operators if all(getattr(o, name) == value for name, value in wanted.items())]


def test_roles_of_a_linear_layer_and_its_optimiser() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    graph = capture_training(model, (torch.randn(5, 4),), optimiser="adamw").graph
    to_input, to_weight = only(graph, phase=Phase.BACKWARD, module="2", op="aten.mm.default")
    assert [(o.role, o.name) for o in to_input.operands] == [(Role.GRADIENT, ""), (Role.WEIGHT, "2.weight")]
    assert [o.role for o in to_weight.operands] == [Role.GRADIENT, Role.ACTIVATION]
    assert to_weight.outputs[0].shape == (2, 3)
    (mask,) = only(graph, op="aten.tanh_backward.default")
    assert [o.role for o in mask.operands] == [Role.GRADIENT, Role.ACTIVATION]
    step = only(graph, phase=Phase.OPTIMISER, op="aten.addcdiv_.default")
    assert [o.module for o in step] == ["0", "0", "2", "2"]
    assert [(o.role, o.name) for o in step[0].operands[:2]] == [
        (Role.WEIGHT, "0.weight"),
        (Role.STATE, "0.weight.exp_avg"),
    ]
    (average, *_) = only(graph, phase=Phase.OPTIMISER, op="aten.lerp_.Scalar")
    assert [(o.role, o.name) for o in average.operands] == [
        (Role.STATE, "0.weight.exp_avg"),
        (Role.GRADIENT, "0.weight.grad"),
    ]
    weights = [o for o in only(graph, phase=Phase.FORWARD) for o in o.operands if o.name.endswith("weight")]
    assert {o.role for o in weights} == {Role.WEIGHT}  # though the step changes them


def test_saved_states_keep_their_mark() -> None:
    graph = step_of(small(gradient="bptt")).graph
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        read = [o for o in only(graph, phase=phase) if o.matmul and any(x.name == "H" for x in o.operands)]
        assert read
        assert all(x.role is Role.STATE for o in read for x in o.operands if x.name == "H")


def _macs_by_kind(graph: OperatorGraph) -> dict[tuple[Phase, ProductKind], int]:
    kinds, found = product_kinds(graph), Counter[tuple[Phase, ProductKind]]()
    for operator in graph.operators:
        if operator.id in kinds:
            found[operator.phase, kinds[operator.id]] += operator.total_macs
    return dict(found)


@pytest.mark.parametrize("gradient", ["bptt", "replay"])
@pytest.mark.parametrize("optimiser", [None, "adamw"])
def test_kinds_of_the_products_of_rmaat(gradient: str, optimiser: str | None) -> None:
    config = small(gradient=gradient)
    hand = macs_by_hand(config, 2)
    found = _macs_by_kind(step_of(config, optimiser=optimiser).graph)
    stationary = hand["qkv"] + hand["ffn"] + hand["head"]
    assert found[Phase.FORWARD, ProductKind.READ] == stationary + hand["setup"]
    assert found[Phase.BACKWARD, ProductKind.WEIGHT_GRADIENT] == stationary
    # of D = M_p(r M_pᵀ) and R = M_pᵀD both operands are weights: each gradient reads the other one
    assert found[Phase.BACKWARD, ProductKind.TRANSPOSED_READ] == stationary + 2 * hand["setup"]
    dynamic = hand["forward"] - stationary
    assert found[Phase.FORWARD, ProductKind.DYNAMIC] == dynamic
    assert found[Phase.BACKWARD, ProductKind.DYNAMIC] == 2 * dynamic


def test_graph_goes_through_json() -> None:
    graph = step_of(small(gradient="replay"), optimiser="adamw").graph
    again = OperatorGraph.from_json(graph.to_json())
    assert again == graph
    assert again.trains


def test_a_training_step_is_not_priced_and_has_no_activity() -> None:
    model, x = nn.Linear(4, 3), torch.randn(5, 4)
    graph = capture_training(model, (x,)).graph
    with pytest.raises(InputError, match=r"training step cannot be priced.*forward, backward"):
        place(graph, None, Precision.parse("w8a8"))
    with pytest.raises(InputError, match="activity is measured on forward passes"):
        collect_activity(model, [(x,)], graph, 8, 8)
