"""The graph's own rules: what it refuses, what it adds up, what survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from cost_models.workload.graph import Edge, GraphError, OperatorGraph
from cost_models.workload.operators import (
    Kind,
    Loop,
    MatmulShape,
    Operand,
    Operator,
    Phase,
    Role,
    TensorSpec,
)

X = TensorSpec((4, 8))
W = TensorSpec((8, 3))
Y = TensorSpec((4, 3))


def product(name: str, **changes: object) -> Operator:
    operator = Operator(
        id=name,
        op="aten.mm.default",
        kind=Kind.MATMUL,
        phase=Phase.FORWARD,
        module="layer",
        operands=(Operand(X, Role.ACTIVATION), Operand(W, Role.WEIGHT, "layer.weight", 2)),
        outputs=(Y,),
        macs=96,
        matmul=MatmulShape(1, 4, 8, 3, 0, 1),
        scalar_ops={"add": 12},
        bytes_in=128 + 96,
        bytes_out=48,
        repeat=2,
        loops=("segment",),
    )
    return replace(operator, **changes)  # type: ignore[arg-type]


def graph(*operators: Operator, edges: tuple[Edge, ...] = ()) -> OperatorGraph:
    loops = {"segment": Loop("segment", "segment", 2, "layer", True)}
    return OperatorGraph(operators, edges, loops, name="toy", views=3)


SETUP = product("setup", phase=Phase.SETUP, repeat=1, loops=())
UNKNOWN = product("odd", kind=Kind.UNRULED, op="toy.odd.default", macs=0, matmul=None, scalar_ops={})


def test_totals_multiply_repeats_and_keep_setup_apart() -> None:
    g = graph(SETUP, product("a"))
    assert (g.macs, g.setup_macs, g.executions) == (2 * 96, 96, 3)
    assert g.totals == {
        "macs": 3 * 96,
        "bytes_in": 3 * 224,
        "bytes_out": 3 * 48,
        "executions": 3,
        "add": 3 * 12,
    }


def test_json_round_trip_is_exact_and_the_digest_sees_every_change() -> None:
    edges = (Edge("a", "b", Y, 0), Edge("b", "a", X, 0, carried=True))
    g = graph(product("a"), product("b"), edges=edges)
    g.validate()
    back = OperatorGraph.from_json(json.loads(json.dumps(g.to_json())))
    assert back == g
    assert back.digest() == g.digest()
    assert graph(product("a"), product("b")).digest() != g.digest()
    assert graph(product("a"), product("b", bytes_out=49), edges=edges).digest() != g.digest()


def test_json_of_another_schema_is_refused() -> None:
    with pytest.raises(GraphError, match="schema_version"):
        OperatorGraph.from_json({**graph().to_json(), "schema_version": 99})


@pytest.mark.parametrize(
    ("operators", "edges", "message"),
    [
        ((product("a"), product("a")), (), "used twice"),
        ((product("a"),), (Edge("a", "z", X, 0),), "no operator 'z'"),
        ((product("a"), product("b")), (Edge("b", "a", X, 0),), "backwards"),
        ((product("a"), product("b")), (Edge("a", "b", X, 7),), "no operand 7"),
        ((product("a", macs=95),), (), "95 MACs"),
        ((product("a", matmul=None),), (), "without a product shape"),
        ((product("a", repeat=3),), (), "repeat 3"),
        ((product("a", loops=("step",)),), (), "no loop 'step'"),
        ((product("a", scalar_ops={"sine": 1}),), (), "'sine'"),
        ((product("a", bytes_in=-1),), (), "negative"),
        ((SETUP, product("b")), (Edge("setup", "b", X, 0, carried=True),), "no common loop"),
    ],
)
def test_validation_names_the_contradiction(
    operators: tuple[Operator, ...], edges: tuple[Edge, ...], message: str
) -> None:
    with pytest.raises(GraphError, match=message):
        graph(*operators, edges=edges).validate()


def test_coverage_gives_the_share_of_what_has_no_rule() -> None:
    g = graph(product("a"), UNKNOWN)
    coverage = g.coverage()
    assert g.unruled == (UNKNOWN,)
    assert coverage["unruled"] == [
        {"operator": "odd", "op": "toy.odd.default", "shape": [[4, 3]], "bytes": 2 * 272}
    ]
    assert coverage["share_bytes"] == pytest.approx(0.5)
    assert coverage["share_operators"] == pytest.approx(0.5)
    assert graph().coverage() == {"unruled": [], "share_bytes": 0.0, "share_operators": 0.0}


def test_networkx_view_and_predecessors() -> None:
    edges = (Edge("a", "b", Y, 0), Edge("a", "b", Y, 1), Edge("b", "a", X, 0, carried=True))
    g = graph(product("a"), product("b"), edges=edges)
    assert g.graph.edges["a", "b"]["edges"] == edges[:2]
    assert g.predecessors("a") == ()
    assert g.predecessors("a", carried=True) == ("b",)
    assert g.predecessors("b") == ("a",)
    assert g.incoming("b") == edges[:2]


def test_table_has_one_row_an_operator_with_units() -> None:
    table = graph(SETUP, product("a")).to_pandas()
    row = table.set_index("id").loc["a"]
    assert len(table) == 2
    assert (row["total_macs"], row["bytes_in_B"], row["bytes_out_B"]) == (192, 224, 48)
    assert (row["roles"], row["shapes"]) == ("activation weight", "4x8 8x3")
