"""From the recording and its loops to the operator graph.

Every recorded operator is an instance of one node; nodes are the operators of the kept iterations.
Figures are those of the kept instance (equal for all, by signature), names those of the first, edges
and the tensors behind an operand the union over all instances.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from cost_models.workload.graph import Edge, OperatorGraph
from cost_models.workload.operators import Loop, Operand, Operator, Phase, Role, Stored, TensorSpec
from rmaat_hw.trace.fold import FoldedLoop, in_phase
from rmaat_hw.trace.records import Depends, Extent, RawOp, RawTrace, Replay
from rmaat_hw.trace.roles import with_states
from rmaat_hw.trace.signature import Signer

Place = tuple[int, tuple[tuple[FoldedLoop, int], ...]]
"""Number of the node's kept instance, and (loop, iteration) from the outermost loop in."""


Tensor = tuple[tuple[int, ...], Extent]
"""A tensor of one content: what its memory holds (see ``Builder._identity``), and which part of it."""


@dataclass(slots=True)
class _Slot:
    """One operand of one node over all instances."""

    tensors: dict[Tensor, None] = field(default_factory=dict)  # distinct ones, in order
    carried_by: FoldedLoop | None = None


class Builder:
    """Builds one graph."""

    def __init__(self, raw: RawTrace, signer: Signer, loops: list[FoldedLoop], name: str) -> None:
        self.raw = raw
        self.signer = signer
        self.loops = loops
        self.name = name
        self._places: dict[int, Place] = {}
        self._identities: dict[int, int] = {}
        self._slots: dict[tuple[int, int], _Slot] = {}
        self._edges: dict[tuple[int, int, int, bool], TensorSpec] = {}
        self._derived: dict[tuple[int, ...], int] = {}

    def build(self) -> OperatorGraph:
        """The graph, roles and states included."""
        recurrent = self._connect()
        ids: dict[int, str] = {}
        operators: list[Operator] = []
        used: dict[str, int] = {}
        for node, around in self._nodes():
            operator_id = self._unique_id(self._first(node, around), used)
            ids[node] = operator_id
            operators.append(self._operator(node, around, operator_id))
        edges = tuple(
            Edge(ids[source], ids[target], spec, operand, carried)
            for (source, target, operand, carried), spec in sorted(
                self._edges.items(), key=lambda item: (item[0][1], item[0][2], item[0][0], item[0][3])
            )
        )
        loops = {
            loop.id: Loop(
                id=loop.id,
                axis=loop.axis,
                count=loop.count,
                module=loop.module,
                recurrent=id(loop) in recurrent,
                parent=loop.parent.id if loop.parent is not None else "",
            )
            for loop in _walk(self.loops)
        }
        return OperatorGraph(
            operators=with_states(tuple(operators), edges),
            edges=edges,
            loops=loops,
            name=self.name,
            views=self.raw.views,
        )

    # --- where an operator went ----------------------------------------------------------------

    def place(self, index: int) -> Place:
        """The node of operator ``index`` and the iterations it belongs to."""
        known = self._places.get(index)
        if known is None:
            around: list[tuple[FoldedLoop, int]] = []
            node, loops = index, self.loops
            while True:
                loop = next((loop for loop in loops if loop.start <= node < loop.end), None)
                if loop is None:
                    break
                iteration, offset = divmod(node - loop.start, loop.length)
                around.append((loop, iteration))
                node, loops = loop.kept_start + offset, loop.inner
            known = self._places[index] = (node, tuple(around))
        return known

    def _nodes(self) -> Iterator[tuple[int, tuple[FoldedLoop, ...]]]:
        """Nodes in execution order, each with the loops around it."""

        def span(
            start: int, end: int, loops: list[FoldedLoop], around: tuple[FoldedLoop, ...]
        ) -> Iterator[tuple[int, tuple[FoldedLoop, ...]]]:
            position = start
            for loop in loops:
                yield from ((node, around) for node in range(position, loop.start))
                kept = loop.kept_start
                yield from span(kept, kept + loop.length, loop.inner, (*around, loop))
                position = loop.end
            yield from ((node, around) for node in range(position, end))

        return span(0, self.raw.length, self.loops, ())

    def _first(self, node: int, around: tuple[FoldedLoop, ...]) -> RawOp:
        """The node's first instance: it gives the names."""
        index = node
        for loop in reversed(around):
            index += loop.start - loop.kept_start
        return self.raw.op(index)

    # --- edges and operands over all instances -------------------------------------------------

    def _connect(self) -> set[int]:
        """Collect edges and distinct tensors; ids of the loops that something is carried through."""
        recurrent: set[int] = set()
        for index, op in self.raw.ops.items():
            if not op.depends & Depends.INPUT:
                self._identity(index)  # in order, so that long chains need no deep recursion
            for operand, reading in enumerate(op.readings):
                self._read(index, operand, reading.values, recurrent)
        for replay in self.raw.replays:
            if self.place(replay.start)[0] == self.place(replay.template.start)[0]:
                # folded with its template: only what comes from outside can differ
                self._reread(replay, recurrent)
            else:
                for index in range(replay.start, replay.start + replay.length):
                    for operand, values in enumerate(self.raw.values_read(index)):
                        self._read(index, operand, values, recurrent)
        return recurrent

    def _reread(self, replay: Replay, recurrent: set[int]) -> None:
        for at, operand, values in self.signer.of(replay.template).externals:
            if any(value in replay.substitution or value in replay.shifts for value in values):
                self._read(replay.start + at, operand, tuple(map(replay.value, values)), recurrent)

    def _read(self, index: int, operand: int, values: tuple[int, ...], recurrent: set[int]) -> None:
        node, around = self.place(index)
        slot = self._slots.setdefault((node, operand), _Slot())
        reading = self.raw.op(index).readings[operand]
        if not reading.depends & Depends.INPUT:
            extent = self.raw.extents_read(index)[operand]
            slot.tensors[tuple(map(self._identity, values)), extent] = None
        for value in values:
            if value < 0:
                continue
            source, before = self.place(value)
            loop = _crossed(before, around)
            key = (source, node, operand, loop is not None)
            if key not in self._edges:
                self._edges[key] = reading.spec
            if loop is not None:
                recurrent.add(id(loop))
                slot.carried_by = loop

    def _identity(self, value: int) -> int:
        """One number for tensors of one content: casts of one weight are one weight, made twice."""
        if value < 0:
            return value
        op = self.raw.op(value)
        if op.depends & Depends.INPUT:
            return value
        known = self._identities.get(value)
        if known is None:
            read = tuple(tuple(map(self._identity, values)) for values in self.raw.values_read(value))
            key = (op.op, op.settings, op.outputs, read, tuple(self.raw.extents_read(value)))
            known = self._identities[value] = self.raw.length + self.raw.intern(key)
        return known

    # --- nodes ---------------------------------------------------------------------------------

    def _unique_id(self, first: RawOp, used: dict[str, int]) -> str:
        namespace, _, rest = first.op.partition(".")
        short = rest.split(".")[0] if namespace == "aten" else f"{namespace}.{rest.split('.')[0]}"
        name = in_phase(first.phase, f"{first.path}/{short}" if first.path else short)
        used[name] = used.get(name, 0) + 1
        return name if used[name] == 1 else f"{name}#{used[name]}"

    def _operator(self, node: int, around: tuple[FoldedLoop, ...], operator_id: str) -> Operator:
        op, first = self.raw.op(node), self._first(node, around)
        operands = tuple(self._operand(node, k, op, first) for k in range(len(op.readings)))
        setup = op.phase is Phase.FORWARD and not op.depends & (Depends.INPUT | Depends.TRAINED)
        repeat = 1
        for loop in around:
            repeat *= loop.count
        return Operator(
            id=operator_id,
            op=op.op,
            kind=op.work.kind,
            phase=Phase.SETUP if setup else op.phase,
            module=first.path,
            operands=operands,
            outputs=op.outputs,
            macs=op.work.macs,
            matmul=op.work.matmul,
            scalar_ops=dict(op.work.scalar_ops),
            bytes_in=op.work.bytes_in,
            bytes_out=op.work.bytes_out,
            repeat=repeat,
            loops=tuple(loop.id for loop in around),
        )

    def _operand(self, node: int, k: int, op: RawOp, first: RawOp) -> Operand:
        reading = op.readings[k]
        slot = self._slots.get((node, k), _Slot())
        sources = [self.raw.sources[-1 - v] for v in first.readings[k].values if v < 0]
        written = any(source.written for source in sources)
        if reading.role is not None:
            role = reading.role
        elif reading.mark or written:
            role = Role.STATE
        elif reading.depends & Depends.GRADIENT:
            role = Role.GRADIENT
        elif reading.depends & Depends.INPUT:
            carried = slot.carried_by is not None and slot.carried_by.shares_weights
            role = Role.STATE if carried else Role.ACTIVATION
        else:
            role = Role.WEIGHT if reading.depends & Depends.PARAMETER else Role.CONSTANT
        stationary = role in (Role.WEIGHT, Role.CONSTANT)
        stored = tuple(map(self._stored, slot.tensors)) if stationary else ()
        name = sources[0].name if sources and (stationary or written) else ""
        return Operand(reading.spec, role, reading.mark or name, max(len(stored), 1), stored)

    def _stored(self, tensor: Tensor) -> Stored:
        """Parameters and buffers are known by their names, everything else by when it was first read."""
        contents, extent = tensor
        source = self.raw.sources[-1 - contents[0]] if len(contents) == 1 and contents[0] < 0 else None
        if source is not None and source.kind in ("parameter", "buffer"):
            return Stored(source.name, *extent)
        return Stored(f"derived {self._derived.setdefault(contents, len(self._derived) + 1)}", *extent)


def _crossed(
    before: tuple[tuple[FoldedLoop, int], ...], after: tuple[tuple[FoldedLoop, int], ...]
) -> FoldedLoop | None:
    """The loop whose iterations an edge leads from one to another, if any."""
    for (loop, iteration), (other, later) in zip(before, after, strict=False):
        if loop is not other:
            return None
        if iteration != later:
            return loop
    return None


def _walk(loops: list[FoldedLoop]) -> Iterator[FoldedLoop]:
    for loop in loops:
        yield loop
        yield from _walk(loop.inner)
