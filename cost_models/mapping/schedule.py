"""Schedule: which operators wait for which, and the time that each one adds to the critical path.

Policy (stated in every report): operators run in dependency order, level by level, with a barrier
after each level; operators of one level run at the same time if each has arrays of its own, and one
after the other if they share the digital unit; nothing is pipelined between levels, and the
iterations of a loop (segments, layers) follow one another, because a tensor passes between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import networkx as nx
import numpy as np

from cost_models.namespace import Array
from cost_models.workload.graph import OperatorGraph

Index: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Schedule:
    """Groups of operators that start together, as far as they compete for the critical path.

    Only groups with an operator on arrays can be contested; in all others the digital unit sets the
    pace. ``members`` [groups, width]: the array operators of each contested group, padded with their
    number; ``group`` [array operators] and ``slot``: where each one stands in ``members``;
    ``queue`` [groups, digital operators]: 1 where a digital operator belongs to the group.
    """

    members: Index
    group: Index
    slot: Index
    queue: np.ndarray[Any, np.dtype[np.float64]]

    def exposed(self, on_arrays: Array, digital: Array, xp: Any) -> tuple[Array, Array]:
        """Which operators lie on the critical path (1) and which are hidden behind another (0).

        ``on_arrays`` [array operators, points] and ``digital`` [digital operators, points] are the
        operators' own times [s]; the two masks come back in the same shapes. In each group either the
        digital operators, one after the other, set the pace, or the slowest operator on arrays.
        """
        if not len(self.group):
            return on_arrays, xp.ones_like(digital)
        points = on_arrays.shape[1]
        queue = xp.asarray(self.queue, dtype=digital.dtype)
        padded = xp.concat([on_arrays, xp.zeros((1, points), dtype=on_arrays.dtype)])
        rows = xp.take(padded, xp.asarray(self.members.reshape(-1)), axis=0)
        by_slot = xp.reshape(rows, (*self.members.shape, points))
        queued = queue @ digital
        digital_wins = queued >= xp.max(by_slot, axis=1)
        winner = xp.argmax(by_slot, axis=1)
        group = xp.asarray(self.group)
        arrays_win = (xp.take(winner, group, axis=0) == xp.asarray(self.slot[:, None])) & ~xp.take(
            digital_wins, group, axis=0
        )
        hidden = queue.T @ xp.astype(~digital_wins, digital.dtype)
        return xp.astype(arrays_win, on_arrays.dtype), 1.0 - hidden


def schedule(graph: OperatorGraph, on_arrays: tuple[str, ...], digital: tuple[str, ...]) -> Schedule:
    """Group operators (ids) by the earliest level at which their inputs are there.

    Edges carried from one iteration to the next close loops and do not count: iterations are serial.
    Operators inside different loops never share a group.
    """
    priced = {*on_arrays, *digital}
    forward: nx.DiGraph[str] = nx.DiGraph()
    forward.add_nodes_from(op.id for op in graph.operators)
    forward.add_edges_from((e.source, e.target) for e in graph.edges if not e.carried)
    level: dict[str, int] = {}
    for node in nx.topological_sort(forward):
        # An operator that is not priced per sequence (setup) is ready before the first level.
        step = 1 if node in priced else 0
        level[node] = step + max((level[p] for p in forward.predecessors(node)), default=0)
    keys = {name: (level[name], graph[name].loops) for name in priced}
    contested = sorted({keys[name] for name in on_arrays})
    number = {key: g for g, key in enumerate(contested)}
    lists: list[list[int]] = [[] for _ in contested]
    for i, name in enumerate(on_arrays):
        lists[number[keys[name]]].append(i)
    width = max((len(members) for members in lists), default=1)
    members = np.full((len(contested), width), len(on_arrays), dtype=np.int64)
    group, slot = np.zeros(len(on_arrays), dtype=np.int64), np.zeros(len(on_arrays), dtype=np.int64)
    for g, indices in enumerate(lists):
        members[g, : len(indices)] = indices
        group[indices], slot[indices] = g, np.arange(len(indices))
    queue = np.zeros((len(contested), len(digital)))
    for i, name in enumerate(digital):
        if keys[name] in number:
            queue[number[keys[name]], i] = 1.0
    return Schedule(members, group, slot, queue)
