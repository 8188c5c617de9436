"""What each product of a training step would be to an array that holds the weights.

The roles of the two operands decide, but for one question: whether activation × gradient is the gradient
of a weight, to be written into the array, or one of the many other products of two tensors that change.
It is the former when its result goes nowhere but into sums, and from them out of the backward pass.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import Operator, Phase, Role


class ProductKind(StrEnum):
    """What a product is to an array of weights."""

    READ = "read"  # weight × activation
    TRANSPOSED_READ = "transposed read"  # weight × gradient: the same array from its other side
    WEIGHT_GRADIENT = "weight gradient"  # activation × gradient, as outer products into the array
    DYNAMIC = "dynamic"  # neither operand stands still


_SUMS = ("aten.add", "aten._foreach_add", "aten.clone", "aten._to_copy", "aten.copy_", "aten.stack")


def product_kinds(graph: OperatorGraph) -> Mapping[str, ProductKind]:
    """The kind of every product of ``graph``, by operator id."""
    going: dict[str, list[str]] = {operator.id: [] for operator in graph.operators}
    for edge in graph.edges:
        inside = graph[edge.target].phase in (Phase.BACKWARD, Phase.REPLAY)
        if inside and edge.source != edge.target:
            going[edge.source].append(edge.target)
    return {o.id: _kind(o, graph, going) for o in graph.operators if o.matmul is not None}


def _kind(operator: Operator, graph: OperatorGraph, going: Mapping[str, list[str]]) -> ProductKind:
    assert operator.matmul is not None
    sides = [operator.operands[k] for k in (operator.matmul.left, operator.matmul.right)]
    gradient = any(operand.role is Role.GRADIENT for operand in sides)
    if any(operand.stationary for operand in sides):
        return ProductKind.TRANSPOSED_READ if gradient else ProductKind.READ
    if gradient and _leaves(operator, graph, going):
        return ProductKind.WEIGHT_GRADIENT
    return ProductKind.DYNAMIC


def _leaves(operator: Operator, graph: OperatorGraph, going: Mapping[str, list[str]]) -> bool:
    """Whether the result leaves the backward pass by way of sums of its own size alone."""
    front, seen = [operator.id], {operator.id}
    while front:
        here = front.pop()
        for target in going[here]:
            if target in seen:
                continue
            if not graph[target].op.startswith(_SUMS):
                return False
            seen.add(target)
            front.append(target)
    return True
