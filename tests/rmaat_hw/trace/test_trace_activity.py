"""Activity: the right tensors, the right bits, in little time; another program is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from traced_models import Function, recurrent

from cost_models.workload.operators import Kind, Role
from device_params.errors import InputError
from rmaat_hw.trace import capture, collect_activity
from rmaat_hw.trace.activity import TraceMismatch, sampled, written_out


def test_one_layer_by_hand() -> None:
    layer = nn.Linear(4, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -1.0, 0.0, 0.5], [0.0, 0.0, 0.0, -0.25]]))
    x = torch.tensor([[0.0, 1.0, 2.0, 3.0]])
    graph = capture(layer, (x,)).graph
    activity = collect_activity(
        layer, [x, x], graph, weight_bits=4, input_bits=2, real_tokens=7, padded_tokens=1
    )
    (operator,) = graph.operators
    inputs, weights = activity.operands[operator.id, 0], activity.operands[operator.id, 1]
    assert (inputs.bits, inputs.signed, inputs.sparsity) == (2, False, 0.25)
    assert inputs.bit_density == (0.5, 0.5)  # 0 1 2 3
    # 7, -7, 0, 3.5 -> 4 (to even), and -1.75 -> -2, of eight
    assert (weights.signed, weights.sparsity) == (True, 0.5)
    assert weights.positive_bit_density == (1 / 8, 1 / 8, 2 / 8)  # 111 and 100
    assert weights.negative_bit_density == (1 / 8, 2 / 8, 1 / 8)  # 111 and 010
    assert (activity.sequences, activity.token_rows) == (2, 8)
    assert len(activity.sequences_sha256) == 64


def test_every_product_of_a_folded_program_has_both_operands() -> None:
    model, args = recurrent(4)
    graph = capture(model, args).graph
    activity = collect_activity(model, [args, (torch.randn(5, 20, 8),)], graph, 8, 8)
    products = [o for o in graph.operators if o.kind is Kind.MATMUL]
    assert set(activity.operands) == {(o.id, k) for o in products for k in (o.matmul.left, o.matmul.right)}
    assert activity.sequences == 7
    phi = activity.operands["segment.layers.0.attention/bmm", 0]
    assert not phi.signed  # elu + 1 is positive
    assert activity.operands["segment.layers.0.attention/bmm#2", 1].signed  # H


def test_weights_are_averaged_over_all_copies_once() -> None:
    model, args = recurrent(3, layers=2)
    with torch.no_grad():
        model.segment.layers[0].up.weight.fill_(1.0)
        model.segment.layers[1].up.weight.fill_(-1.0)
    graph = capture(model, args).graph
    weight = collect_activity(model, [args], graph, 4, 4).operands["segment.layers.0.up/addmm", 2]
    assert weight.positive_bit_density == (0.5, 0.5, 0.5)
    assert weight.negative_bit_density == (0.5, 0.5, 0.5)


def test_an_operand_that_is_negative_once_is_signed() -> None:
    model = Function(lambda x: x @ x.transpose(0, 1))
    graph = capture(model, (torch.ones(2, 4),)).graph
    activity = collect_activity(model, [torch.ones(2, 4), -torch.ones(2, 4)], graph, 8, 8)
    operand = activity.operands["mm", 0]
    assert operand.signed
    assert operand.mean_magnitude == 1.0


def test_written_out_order_is_that_of_the_unfolded_trace() -> None:
    model, args = recurrent(3)
    graph = capture(model, args).graph
    flat = capture(model, args, folded=False).graph
    order = list(written_out(graph.operators, graph))
    assert [o.op for o in order] == [o.op for o in flat.operators]
    assert [o.macs for o in order] == [o.macs for o in flat.operators]


def test_another_program_is_refused() -> None:
    model, args = recurrent(3)
    graph = capture(model, args).graph
    other, other_args = recurrent(2)
    with pytest.raises(TraceMismatch, match="query/addmm"):
        collect_activity(other, [other_args], graph, 8, 8)
    layers = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 2))
    with pytest.raises(TraceMismatch, match="ended before the graph's '1/addmm'"):
        collect_activity(layers[:1], [args[0]], capture(layers, args).graph, 8, 8)
    other, other_args = recurrent(4)
    with pytest.raises(TraceMismatch, match="head/addmm"):
        collect_activity(other, [other_args], graph, 8, 8)
    with pytest.raises(TraceMismatch, match="capture the graph anew"):
        collect_activity(
            nn.Linear(8, 2), [torch.randn(2, 8)], capture(nn.Linear(8, 3), (args[0],)).graph, 8, 8
        )


def test_bad_operands_and_bits_are_told() -> None:
    layer = nn.Linear(4, 2)
    graph = capture(layer, (torch.randn(3, 4),)).graph
    with pytest.raises(InputError, match="not finite"):
        collect_activity(layer, [torch.full((3, 4), torch.inf)], graph, 8, 8)
    with pytest.raises(InputError, match="input_bits"):
        collect_activity(layer, [torch.randn(3, 4)], graph, 8, 1)


def test_all_zero_operands_are_sparse() -> None:
    layer = nn.Linear(4, 2)
    graph = capture(layer, (torch.randn(3, 4),)).graph
    operand = collect_activity(layer, [torch.zeros(3, 4)], graph, 8, 8).operands[graph.operators[0].id, 1]
    assert (operand.sparsity, operand.mean_magnitude) == (1.0, 0.0)


def test_the_module_is_left_as_it_was() -> None:
    norm = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4)).train()
    graph = capture(norm, (torch.randn(8, 4),)).graph
    call = nn.Module.__call__
    collect_activity(norm, [torch.randn(8, 4)], graph, 8, 8)
    assert norm[1].num_batches_tracked == 0
    assert nn.Module.__call__ is call


def test_samples_are_large_enough_and_close_to_the_whole() -> None:
    x = torch.randn(8, 300, 100)
    part = sampled(x, 60000)
    assert 60000 <= part.numel() < 2 * 60000
    assert sampled(x, x.numel()).numel() == x.numel()
    assert sampled(torch.zeros(()), 1).numel() == 1
    model = Function(lambda a: a @ a.transpose(1, 2))
    activity = collect_activity(model, [x], capture(model, (x,)).graph, 8, 8)
    q = np.rint(x.numpy() * (127 / np.abs(x.numpy()).max())).astype(int)
    found = activity.operands["bmm", 0]
    assert found.mean_magnitude == pytest.approx(np.abs(q).mean() / 127, rel=0.01)
    for plane in range(8):
        exact = ((q & 255) >> plane & 1).mean()
        assert found.bit_density[plane] == pytest.approx(exact, abs=0.01)


def test_roles_choose_the_precision() -> None:
    model, args = recurrent(2, layers=1)
    graph = capture(model, args).graph
    activity = collect_activity(model, [args], graph, weight_bits=6, input_bits=5)
    for (name, k), operand in activity.operands.items():
        role = graph[name].operands[k].role
        assert operand.bits == (6 if role is Role.WEIGHT else 5)
        assert bool(operand.positive_bit_density) == (role is Role.WEIGHT)
