"""The operator graph: what a traced program does, folded, with its edges and its loops.

A thin typed layer over ``networkx.DiGraph``. Operators stand in execution order; once the carried
edges (from one loop iteration to a later one) are taken away every edge runs forward in that order, so
the rest is a directed acyclic graph. No torch here; networkx and pandas are imported where used.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, Any

from cost_models.workload.operators import (
    SCALAR_OPS,
    Kind,
    Loop,
    MatmulShape,
    Operand,
    Operator,
    Phase,
    Role,
    Stored,
    TensorSpec,
)

if TYPE_CHECKING:
    import networkx
    import pandas

SCHEMA_VERSION = 1


class GraphError(ValueError):
    """An operator graph that contradicts itself: never the user's input, always a defect of its maker."""


@dataclass(frozen=True)
class Edge:
    """A tensor that ``source`` makes and ``target`` reads as its operand number ``operand``.

    ``carried``: from one iteration of a loop to a later one. Views between the two are passed
    through: ``tensor`` is what the target reads.
    """

    source: str
    target: str
    tensor: TensorSpec
    operand: int
    carried: bool = False


@dataclass(frozen=True)
class OperatorGraph:
    """Operators in execution order, the tensors between them, and the loops around them.

    ``views`` counts the view operators of the program that were contracted (they move no byte).
    """

    operators: tuple[Operator, ...]
    edges: tuple[Edge, ...] = ()
    loops: Mapping[str, Loop] = field(default_factory=dict)
    name: str = ""
    views: int = 0

    @cached_property
    def _by_id(self) -> dict[str, Operator]:
        return {operator.id: operator for operator in self.operators}

    @cached_property
    def _incoming(self) -> dict[str, list[Edge]]:
        incoming: dict[str, list[Edge]] = {operator.id: [] for operator in self.operators}
        for edge in self.edges:
            incoming[edge.target].append(edge)
        return incoming

    def __getitem__(self, operator_id: str) -> Operator:
        return self._by_id[operator_id]

    def __len__(self) -> int:
        return len(self.operators)

    @property
    def unruled(self) -> tuple[Operator, ...]:
        """Operators without a rule: their work is unknown, their bytes are not."""
        return tuple(operator for operator in self.operators if operator.kind is Kind.UNRULED)

    @cached_property
    def macs(self) -> int:
        """Multiply-accumulates of one pass, repeats included, setup left out."""
        return sum(o.total_macs for o in self.operators if o.phase is not Phase.SETUP)

    @cached_property
    def setup_macs(self) -> int:
        """Multiply-accumulates that do not depend on the input: done once, with programming."""
        return sum(o.total_macs for o in self.operators if o.phase is Phase.SETUP)

    @cached_property
    def executions(self) -> int:
        """Operator executions of one pass: what the unfolded trace would list."""
        return sum(operator.repeat for operator in self.operators)

    @cached_property
    def totals(self) -> dict[str, int]:
        """Totals with repeats: ``macs`` (setup too), bytes, executions and each scalar operation."""
        return _totals(self.operators)

    @cached_property
    def totals_by_phase(self) -> dict[Phase, dict[str, int]]:
        """``totals`` of each phase that the program has, in the order of ``Phase``."""
        found = {o.phase for o in self.operators}
        return {p: _totals(o for o in self.operators if o.phase is p) for p in Phase if p in found}

    @property
    def trains(self) -> bool:
        """Whether this is a training step: gradients, what is computed again for them, an optimiser."""
        return any(p not in (Phase.SETUP, Phase.FORWARD) for p in self.totals_by_phase)

    @cached_property
    def graph(self) -> networkx.DiGraph[str]:
        """The graph in networkx: node attribute ``operator``, edge attribute ``edges`` (a tuple)."""
        import networkx

        graph: networkx.DiGraph[str] = networkx.DiGraph()
        for operator in self.operators:
            graph.add_node(operator.id, operator=operator)
        for edge in self.edges:
            known = graph.get_edge_data(edge.source, edge.target, default={}).get("edges", ())
            graph.add_edge(edge.source, edge.target, edges=(*known, edge))
        return graph

    def incoming(self, operator_id: str) -> tuple[Edge, ...]:
        """Edges that end at the operator, carried ones included."""
        return tuple(self._incoming[operator_id])

    def predecessors(self, operator_id: str, carried: bool = False) -> tuple[str, ...]:
        """Operators read by this one within an iteration; with ``carried`` those of earlier ones too."""
        sources = (e.source for e in self._incoming[operator_id] if carried or not e.carried)
        return tuple(dict.fromkeys(sources))

    def coverage(self) -> dict[str, Any]:
        """Unruled operators by name and shape, with their share of bytes and of executions."""
        moved = sum((o.bytes_in + o.bytes_out) * o.repeat for o in self.operators)
        rows = [
            {
                "operator": o.id,
                "op": o.op,
                "shape": [list(spec.shape) for spec in o.outputs],
                "bytes": (o.bytes_in + o.bytes_out) * o.repeat,
            }
            for o in self.unruled
        ]
        unruled_bytes = sum((o.bytes_in + o.bytes_out) * o.repeat for o in self.unruled)
        unruled_executions = sum(o.repeat for o in self.unruled)
        return {
            "unruled": rows,
            "share_bytes": unruled_bytes / moved if moved else 0.0,
            "share_operators": unruled_executions / self.executions if self.executions else 0.0,
        }

    def validate(self) -> None:
        """Raise ``GraphError`` where ids, edges, loops, repeats or MAC counts contradict each other."""
        position = {operator.id: index for index, operator in enumerate(self.operators)}
        if len(position) != len(self.operators):
            names = Counter(operator.id for operator in self.operators)
            raise GraphError(f"operator id used twice: {names.most_common(1)[0][0]!r}")
        for operator in self.operators:
            _validate_operator(operator, self.loops)
        for edge in self.edges:
            for end in (edge.source, edge.target):
                if end not in position:
                    raise GraphError(f"edge {edge.source!r} -> {edge.target!r}: no operator {end!r}")
            if not 0 <= edge.operand < len(self._by_id[edge.target].operands):
                raise GraphError(f"edge into {edge.target!r}: it has no operand {edge.operand}")
            if not edge.carried and position[edge.source] >= position[edge.target]:
                raise GraphError(f"edge {edge.source!r} -> {edge.target!r} runs backwards but is not carried")
            if edge.carried and not set(self[edge.source].loops) & set(self[edge.target].loops):
                raise GraphError(f"carried edge {edge.source!r} -> {edge.target!r} has no common loop")

    def to_pandas(self) -> pandas.DataFrame:
        """One row an operator; bytes and MACs of one execution, ``total_macs`` of all."""
        import pandas

        return pandas.DataFrame(
            [
                {
                    "id": o.id,
                    "op": o.op,
                    "kind": str(o.kind),
                    "phase": str(o.phase),
                    "module": o.module,
                    "repeat": o.repeat,
                    "macs": o.macs,
                    "total_macs": o.total_macs,
                    "bytes_in_B": o.bytes_in,
                    "bytes_out_B": o.bytes_out,
                    "roles": " ".join(str(operand.role) for operand in o.operands),
                    "shapes": " ".join("x".join(map(str, x.spec.shape)) or "1" for x in o.operands),
                    "output_shapes": " ".join("x".join(map(str, spec.shape)) or "1" for spec in o.outputs),
                    "loops": " ".join(o.loops),
                    **{name: o.scalar_ops.get(name, 0) for name in SCALAR_OPS},
                }
                for o in self.operators
            ]
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dump``; ``from_json`` gives back an equal graph."""
        document = asdict(self)
        document["loops"] = {key: asdict(loop) for key, loop in self.loops.items()}
        # Through text once, so that tuples are lists and enums strings, as they are in a file.
        plain: dict[str, Any] = json.loads(json.dumps({"schema_version": SCHEMA_VERSION, **document}))
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> OperatorGraph:
        """Rebuild a graph from ``to_json``'s document."""
        version = document.get("schema_version")
        if version != SCHEMA_VERSION:
            raise GraphError(f"schema_version is {version!r}, this program reads {SCHEMA_VERSION}")
        return cls(
            operators=tuple(_operator(item) for item in document["operators"]),
            edges=tuple(Edge(**{**item, "tensor": _spec(item["tensor"])}) for item in document["edges"]),
            loops={key: Loop(**item) for key, item in document["loops"].items()},
            name=document["name"],
            views=document["views"],
        )

    def digest(self) -> str:
        """SHA-256 over the canonical JSON text: equal graphs, equal digests."""
        text = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _totals(operators: Iterable[Operator]) -> dict[str, int]:
    totals = Counter({"macs": 0, "bytes_in": 0, "bytes_out": 0, "executions": 0})
    for o in operators:
        totals["macs"] += o.total_macs
        totals["bytes_in"] += o.bytes_in * o.repeat
        totals["bytes_out"] += o.bytes_out * o.repeat
        totals["executions"] += o.repeat
        for name, count in o.scalar_ops.items():
            totals[name] += count * o.repeat
    return dict(totals)


def _validate_operator(operator: Operator, loops: Mapping[str, Loop]) -> None:
    where = f"operator {operator.id!r}"
    missing = [name for name in operator.loops if name not in loops]
    if missing:
        raise GraphError(f"{where}: no loop {missing[0]!r}")
    parents = ("", *operator.loops)[: len(operator.loops)]
    if any(loops[name].parent != parent for name, parent in zip(operator.loops, parents, strict=True)):
        raise GraphError(f"{where}: loops {operator.loops} are not nested in that order")
    if operator.repeat != prod(loops[name].count for name in operator.loops):
        raise GraphError(f"{where}: repeat {operator.repeat} is not the product of its loops' counts")
    if operator.matmul is not None and operator.matmul.macs != operator.macs:
        raise GraphError(f"{where}: {operator.macs} MACs, but its product has {operator.matmul.macs}")
    if operator.matmul is None and operator.kind in (Kind.MATMUL, Kind.CONVOLUTION):
        raise GraphError(f"{where}: a {operator.kind} without a product shape")
    if operator.matmul is not None:
        for index in (operator.matmul.left, operator.matmul.right):
            if not 0 <= index < len(operator.operands):
                raise GraphError(f"{where}: its product names operand {index}, which it has not")
    unknown = set(operator.scalar_ops) - set(SCALAR_OPS)
    if unknown:
        raise GraphError(f"{where}: unknown scalar operation {sorted(unknown)[0]!r}")
    counts = (operator.macs, operator.bytes_in, operator.bytes_out, *operator.scalar_ops.values())
    if min(counts) < 0 or operator.repeat < 1:
        raise GraphError(f"{where}: a negative count or a repeat below 1")


def _spec(item: Mapping[str, Any]) -> TensorSpec:
    return TensorSpec(shape=tuple(item["shape"]), dtype=item["dtype"])


def _operator(item: Mapping[str, Any]) -> Operator:
    operands = tuple(
        Operand(
            spec=_spec(o["spec"]),
            role=Role(o["role"]),
            name=o["name"],
            copies=o["copies"],
            stored=tuple(Stored(**place) for place in o["stored"]),
        )
        for o in item["operands"]
    )
    return Operator(
        **{
            **item,
            "kind": Kind(item["kind"]),
            "phase": Phase(item["phase"]),
            "operands": operands,
            "outputs": tuple(_spec(spec) for spec in item["outputs"]),
            "matmul": None if item["matmul"] is None else MatmulShape(**item["matmul"]),
            "loops": tuple(item["loops"]),
        }
    )
