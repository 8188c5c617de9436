"""Many designs of one program: equal to each alone, in blocks, and refused when they make no sense."""

from __future__ import annotations

import numpy as np
import pytest
from tolerance import close

from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from cost_models.mapping.schedule import schedule
from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import Kind, MatmulShape, Operand, Operator, Phase, Role, TensorSpec
from device_params.errors import InputError
from device_params.load import load_design
from sweeps import evaluate as module
from sweeps.evaluate import evaluate

X, W = TensorSpec((64, 200)), TensorSpec((200, 100))
PRODUCT = Operator(
    id="linear",
    op="aten.mm.default",
    kind=Kind.MATMUL,
    phase=Phase.FORWARD,
    module="",
    operands=(Operand(X, Role.ACTIVATION), Operand(W, Role.WEIGHT, "w")),
    outputs=(TensorSpec((64, 100)),),
    macs=64 * 200 * 100,
    matmul=MatmulShape(1, 64, 200, 100, 0, 1),
)
GRAPH = OperatorGraph((PRODUCT,))
WORKLOAD = place(GRAPH, None, Precision())
PLAN = schedule(GRAPH, ("linear",), ())
DESIGN = load_design("fefet_crossbar_28nm")
NOMINAL = DESIGN.parameters.nominal()


def run(points: dict[str, object]) -> dict[str, np.ndarray]:
    return evaluate(WORKLOAD, PLAN, NOMINAL, points, DESIGN.families)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    points = {
        "cell.on_current": np.linspace(1e-8, 1e-6, 25),
        "array.rows": np.tile([32.0, 64.0, 128.0], 9)[:25],
    }
    whole = run(points)
    monkeypatch.setattr(module, "BLOCK", 7)
    for name, values in run(points).items():
        assert values.shape == (25,)
        np.testing.assert_allclose(values, whole[name], rtol=1e-12)


def test_each_point_equals_the_design_alone() -> None:
    points = {"technology.supply_voltage": [0.7, 0.9, 1.0], "cell.bits": [1, 2, 3]}
    together = run(points)
    for i in range(3):
        alone = run({name: [values[i]] for name, values in points.items()})
        for name in together:
            assert together[name][i] == close(alone[name][0], rel=1e-12)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        ({"cell.on_curent": [1.0]}, "did you mean 'cell.on_current'"),
        ({"cell.on_current": [1e-8, float("nan")]}, "finite"),
        ({"cell.on_current": [1e-8], "array.rows": [64, 128]}, "same number of points"),
        ({}, "same number of points"),
    ],
)
def test_bad_points_are_refused(points: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(points)
