"""Schedule: levels, shared digital unit, and the time that is left on the critical path."""

from __future__ import annotations

import array_api_compat.numpy as xp
import numpy as np

from cost_models.mapping.schedule import schedule
from cost_models.workload.graph import Edge, OperatorGraph
from cost_models.workload.operators import Kind, Operator, Phase, TensorSpec

SPEC = TensorSpec((4,))


def operator(name: str, loops: tuple[str, ...] = ()) -> Operator:
    return Operator(name, "aten.x", Kind.ELEMENTWISE, Phase.FORWARD, "", (), (SPEC,), loops=loops)


def graph(edges: list[tuple[str, str]], names: str) -> OperatorGraph:
    links = tuple(Edge(a, b, SPEC, 0, carried=a > b) for a, b in edges)
    return OperatorGraph(tuple(operator(n) for n in names), links)


#          a (array) ──┐
#  in ─── b (array) ──┼── e (digital)
#          c, d (digital) ┘
NET = graph([("a", "e"), ("b", "e"), ("c", "e"), ("d", "e"), ("e", "a")], "abcde")


def exposed(arrays: list[list[float]], digital: list[list[float]]) -> tuple[list, list]:
    plan = schedule(NET, ("a", "b"), ("c", "d", "e"))
    on_arrays, queued = plan.exposed(np.array(arrays), np.array(digital), xp)
    return on_arrays.tolist(), queued.tolist()


def test_the_slowest_array_hides_the_others() -> None:
    assert exposed([[5.0], [7.0]], [[1.0], [2.0], [3.0]]) == ([[0.0], [1.0]], [[0.0], [0.0], [1.0]])


def test_digital_operators_queue_up() -> None:
    # 4 + 4 > 7: the queue of the digital unit sets the pace and hides both arrays.
    assert exposed([[5.0], [7.0]], [[4.0], [4.0], [3.0]]) == ([[0.0], [0.0]], [[1.0], [1.0], [1.0]])


def test_each_point_has_its_own_critical_path() -> None:
    arrays, digital = exposed([[5.0, 1.0], [7.0, 1.0]], [[1.0, 4.0], [2.0, 4.0], [3.0, 3.0]])
    assert arrays == [[0.0, 0.0], [1.0, 0.0]]
    assert digital == [[0.0, 1.0], [0.0, 1.0], [1.0, 1.0]]


def test_equal_times_are_charged_once() -> None:
    assert exposed([[7.0], [7.0]], [[0.0], [0.0], [1.0]])[0] == [[1.0], [0.0]]


def test_a_program_without_arrays_is_all_on_the_path() -> None:
    plan = schedule(NET, (), ("a", "b", "c", "d", "e"))
    _, queued = plan.exposed(np.zeros((0, 1)), np.ones((5, 1)), xp)
    assert queued.tolist() == [[1.0]] * 5
