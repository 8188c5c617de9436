"""States that the edges give away: ``H = φ(K)ᵀV``, written once a segment and read a token at a time.

A product operand is such a state when it comes, through element-by-element work of its own size only,
from a product of two activations that contracted over the tokens, and the product that reads it runs over
just as many tokens on its other side. A softmax on the way says no: that is P of softmax attention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import prod

from cost_models.workload.graph import Edge
from cost_models.workload.operators import Kind, Operator, Role

_LONGEST_WAY = 12
"""Operators between the product that makes a state and the one that reads it."""


def with_states(operators: tuple[Operator, ...], edges: Sequence[Edge]) -> tuple[Operator, ...]:
    """The same operators, with role ``state`` where the edges show one."""
    by_id = {operator.id: operator for operator in operators}
    incoming: dict[str, list[Edge]] = {operator.id: [] for operator in operators}
    for edge in edges:
        incoming[edge.target].append(edge)
    return tuple(_with_states(operator, by_id, incoming) for operator in operators)


def _with_states(
    operator: Operator, by_id: Mapping[str, Operator], incoming: Mapping[str, Sequence[Edge]]
) -> Operator:
    shape = operator.matmul
    if operator.kind is not Kind.MATMUL or shape is None:
        return operator
    operands = list(operator.operands)
    for index, other, tokens in (
        (shape.right, shape.left, shape.rows),
        (shape.left, shape.right, shape.cols),
    ):
        dynamic = operands[index].role is Role.ACTIVATION and operands[other].role is Role.ACTIVATION
        if dynamic and _sums_tokens(operator.id, index, tokens, by_id, incoming):
            operands[index] = replace(operands[index], role=Role.STATE)
            break
    return replace(operator, operands=tuple(operands))


def _sums_tokens(
    target: str,
    operand: int,
    tokens: int,
    by_id: Mapping[str, Operator],
    incoming: Mapping[str, Sequence[Edge]],
) -> bool:
    """Whether the operand goes back to a sum over ``tokens`` tokens."""
    if tokens < 2:
        return False
    front = [edge for edge in incoming[target] if edge.operand == operand and not edge.carried]
    for _ in range(_LONGEST_WAY):
        following: list[Edge] = []
        for edge in front:
            source = by_id[edge.source]
            size = prod(edge.tensor.shape)
            if _contracts(source, tokens, size):
                return True
            if source.kind in (Kind.ELEMENTWISE, Kind.MOVE) and source.outputs[0].numel == size:
                same = (e for e in incoming[source.id] if not e.carried and e.tensor.numel == size)
                following.extend(same)
        front = following
    return False


def _contracts(source: Operator, tokens: int, size: int) -> bool:
    shape = source.matmul
    if shape is not None:
        both = all(source.operands[k].role is Role.ACTIVATION for k in (shape.left, shape.right))
        return both and shape.contraction == tokens and source.outputs[0].numel == size
    if source.kind is Kind.REDUCTION and source.op.startswith("aten.sum"):
        return source.outputs[0].numel * tokens == source.operands[0].spec.numel
    return False
