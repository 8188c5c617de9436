"""Every stationary value has one home, whoever reads it."""

from __future__ import annotations

from itertools import permutations

from cost_models.mapping.homes import Homes, stored_in
from cost_models.workload.operators import Kind, Operand, Operator, Phase, Role, Stored, TensorSpec

WHOLE = Stored("w", 0, 12, 12)
HEAD, TAIL = Stored("w", 0, 6, 6), Stored("w", 6, 12, 6)
STRIPES = Stored("w", 0, 11, 6)  # every other element
OTHER = Stored("v", 0, 6, 6)


def test_parts_of_a_whole_need_no_home_in_any_order() -> None:
    for order in permutations((WHOLE, HEAD, STRIPES, OTHER)):
        homes = Homes(order)
        assert homes.elements == 18
        assert homes.claim(order) == [tensor for tensor in order if tensor in (WHOLE, OTHER)]
        assert homes.claim(order) == []


def test_parts_alone_have_a_home_each() -> None:
    homes = Homes((HEAD, TAIL, HEAD))
    assert homes.elements == 12
    assert homes.claim([HEAD]) == [HEAD]
    assert homes.claim([HEAD, TAIL]) == [TAIL]


def test_what_is_read_in_strides_holds_nothing_but_itself() -> None:
    inside = Stored("w", 2, 4, 2)
    assert not STRIPES.holds(inside) and STRIPES.holds(STRIPES)
    assert Homes((STRIPES, inside)).elements == 8


def test_operands_without_a_record_are_one_tensor_a_copy() -> None:
    spec = TensorSpec((3, 4))
    named = Operand(spec, Role.WEIGHT, "layers.0.weight", copies=2)
    nameless = Operand(spec, Role.WEIGHT)
    operator = Operator("mm", "aten.mm", Kind.MATMUL, Phase.FORWARD, "", (named, nameless), ())
    assert stored_in(operator, 0) == (
        Stored("layers.0.weight", 0, 12, 12),
        Stored("layers.0.weight#1", 0, 12, 12),
    )
    assert stored_in(operator, 1) == (Stored("mm[1]", 0, 12, 12),)
