"""A small program priced on the default chip: additivity, blocks, gradients, trends, conservation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from tolerance import close

from cost_models.circuits.write_path import ENERGY_LEAVES, LATENCY_LEAVES
from cost_models.cost import Breakdown, Priced
from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from cost_models.mapping.schedule import Schedule, schedule
from cost_models.mapping.workload import Workload
from cost_models.targets.crossbar_chip import BOUNDARY, price
from cost_models.workload.graph import Edge, OperatorGraph
from cost_models.workload.operators import Kind, Loop, MatmulShape, Operand, Operator, Phase, Role, TensorSpec
from cost_models.workload.stats import Activity, OperandActivity
from device_params.errors import InputError
from device_params.load import load_design

DESIGNS = ("fefet_crossbar_28nm", "rram_crossbar_28nm", "sram_crossbar_28nm")
DESIGN = load_design(DESIGNS[0])


def linear(name: str, rows: int, k: int, n: int, repeat: int = 1, copies: int = 1) -> Operator:
    x, w = TensorSpec((rows, k)), TensorSpec((k, n))
    return Operator(
        id=name,
        op="aten.mm.default",
        kind=Kind.MATMUL,
        phase=Phase.FORWARD,
        module=name,
        operands=(Operand(x, Role.ACTIVATION), Operand(w, Role.WEIGHT, f"{name}.weight", copies)),
        outputs=(TensorSpec((rows, n)),),
        macs=rows * k * n,
        matmul=MatmulShape(1, rows, k, n, 0, 1),
        bytes_in=4 * (rows * k + k * n),
        bytes_out=4 * rows * n,
        repeat=repeat,
        loops=("layers",) if repeat > 1 else (),
    )


def elementwise(name: str, count: int) -> Operator:
    spec = TensorSpec((count,))
    return Operator(
        id=name,
        op="aten.gelu.default",
        kind=Kind.ELEMENTWISE,
        phase=Phase.FORWARD,
        module="",
        operands=(Operand(spec, Role.ACTIVATION),),
        outputs=(spec,),
        scalar_ops={"exponential": count, "multiply": 2 * count},
        bytes_in=4 * count,
        bytes_out=4 * count,
    )


def dynamic(name: str, rows: int, k: int, n: int) -> Operator:
    base = linear(name, rows, k, n)
    operands = tuple(replace(o, role=Role.ACTIVATION, name="") for o in base.operands)
    return replace(base, operands=operands, op="aten.bmm.default")


GRAPH = OperatorGraph(
    operators=(
        linear("first", 96, 300, 200, repeat=3, copies=3),
        elementwise("gelu", 96 * 200),
        dynamic("scores", 96, 200, 96),
        linear("second", 96, 200, 40),
    ),
    edges=(
        Edge("first", "gelu", TensorSpec((96, 200)), 0),
        Edge("gelu", "scores", TensorSpec((96, 200)), 0),
        Edge("gelu", "second", TensorSpec((96, 200)), 0),
    ),
    loops={"layers": Loop("layers", "layer", 3, "", True)},
)


@cache
def prepared(bits: str = "w8a8") -> tuple[Workload, Schedule]:
    workload = place(GRAPH, None, Precision.parse(bits))
    return workload, schedule(GRAPH, ("first", "second"), ("gelu", "scores"))


def priced(changes: Mapping[str, Any] | None = None, design: str = DESIGNS[0], bits: str = "w8a8") -> Priced:
    loaded = load_design(design)
    workload, plan = prepared(bits)
    return price(workload, plan, loaded.parameters.nominal() | dict(changes or {}), loaded.families)


def total(name: str, changes: Mapping[str, Any] | None = None, **options: str) -> float:
    return float(priced(changes, **options).totals()[name][0])


@pytest.mark.parametrize("design", DESIGNS)
def test_leaves_add_up_to_the_totals(design: str) -> None:
    bill = priced(design=design)
    table = Breakdown.of(bill, point=0, boundary=BOUNDARY, activity="", technology="").to_pandas()
    totals = bill.totals()
    for column in ("energy_J", "latency_s", "area_m2"):
        assert table[column].sum() == close(float(totals[column][0]), rel=1e-12)
        assert (table[column] >= 0).all()
    by_component, by_operator = (table.groupby(key)["energy_J"].sum() for key in ("component", "operator"))
    assert by_component.sum() == close(by_operator.sum(), rel=1e-12)
    assert (table["busy_s"] >= table["latency_s"] * (1 - 1e-12)).all()


def test_a_block_of_designs_equals_each_design_alone() -> None:
    rng = np.random.default_rng(0)
    points = 37  # neither 1 nor the number of operators
    block = {
        "cell.read_voltage": rng.uniform(0.6, 1.0, points),
        "cell.bits": rng.integers(1, 4, points).astype(float),
        "array.rows": rng.choice([32.0, 64.0, 128.0, 256.0], points),
        "array.columns_per_adc": rng.choice([4.0, 8.0, 16.0], points),
        "technology.supply_voltage": rng.uniform(0.7, 1.0, points),
        "buffer.capacity": rng.uniform(1e4, 1e6, points),
        "digital.clock": rng.uniform(1e8, 2e9, points),
    }
    together = priced(block).totals()
    for i in range(points):
        alone = priced({name: float(values[i]) for name, values in block.items()}).totals()
        for name in together:
            assert together[name][i] == close(float(alone[name][0]), rel=1e-12)


def test_every_multiply_accumulate_has_a_place() -> None:
    workload, _ = prepared()
    assert workload.total_macs == GRAPH.macs == 96 * (3 * 300 * 200 + 200 * 96 + 200 * 40)


def test_a_product_without_a_place_is_an_error() -> None:
    homeless = replace(elementwise("odd", 10), macs=7)
    with pytest.raises(InputError, match=r"multiply-accumulates.*odd"):
        place(OperatorGraph((homeless,)), None, Precision())


def test_arrays_and_cells_by_hand() -> None:
    facts = priced().facts
    # 8-bit weights: 7 magnitude bits on 2-bit cells are 4 slices, twice for the pair: 8 cells a weight.
    # first: ⌈300/128⌉·⌈200·8/128⌉·3 layers = 3·13·3 = 117; second: ⌈200/128⌉·⌈40·8/128⌉ = 2·3 = 6
    assert float(facts["arrays"][0]) == 123
    assert float(facts["cells"][0]) == (3 * 300 * 200 + 200 * 40) * 8
    assert float(facts["adc_bits_required"][0]) == 9


def test_conversions_by_hand() -> None:
    workload, _ = prepared()
    leaf = priced().energy.table("adc", len(workload.operators) + 1, 0)
    p = DESIGN.parameters.nominal()
    conversion = (900 + 4**9 * 1e-3) * 1e-15 * p["technology.supply_voltage"] ** 2
    # vectors · input bits · row tiles · columns: 96·3·8·3·1600 and 96·8·2·320
    assert leaf[0] == close(96 * 3 * 8 * 3 * 1600 * conversion, rel=1e-9)
    assert leaf[3] == close(96 * 8 * 2 * 320 * conversion, rel=1e-9)


def test_latency_by_hand() -> None:
    """The only array operator of its level waits for nobody: its time is vectors · planes · turns · step."""
    p = DESIGN.parameters.nominal()
    step = (2 ** p["cell.bits"] - 1) * p["cell.read_time"] + 9 * (0.640e-9 + 6.53e-12 * 128)
    exposed = priced().exposed
    names = [*prepared()[0].operators, "shared"]
    first = sum(exposed.table(c, len(names), 0)[0] for c in exposed.by_component)
    assert first == pytest.approx(96 * 3 * 8 * 8 * step, rel=1e-3)  # line delays are below 0.1 %


@pytest.mark.parametrize("name", ["energy_J", "latency_s", "area_m2"])
def test_the_cell_changes_the_answer(name: str) -> None:
    assert len({total(name, design=design) for design in DESIGNS}) == len(DESIGNS)


@pytest.mark.parametrize(
    ("column", "name", "values"),
    [
        ("energy_J", "cell.read_voltage", (0.4, 0.8, 1.0)),
        ("energy_J", "cell.on_current", (1e-8, 8e-8, 1e-6)),
        ("energy_J", "technology.supply_voltage", (0.6, 0.9, 1.1)),
        ("energy_J", "technology.wire_capacitance", (1e-10, 2e-10, 4e-10)),
        ("energy_J", "array.adc_bits", (5.0, 7.0, 9.0, 11.0)),
        ("energy_J", "technology.gate_leakage", (1e-11, 1e-9)),
        ("latency_s", "array.columns_per_adc", (4.0, 8.0, 16.0)),
        ("latency_s", "cell.read_time", (5e-9, 1e-8, 2e-8)),
        ("area_m2", "cell.cell_area", (1e-14, 4e-14, 1e-13)),
        ("area_m2", "buffer.area", (1e-7, 1e-6)),
    ],
)
def test_never_cheaper_with_more(column: str, name: str, values: tuple[float, ...]) -> None:
    found = [total(column, {name: value}) for value in values]
    assert found == sorted(found)
    assert found[0] < found[-1]


def test_more_bits_cost_more() -> None:
    assert total("energy_J", bits="w4a4") < total("energy_J", bits="w4a8") < total("energy_J", bits="w8a8")


def test_a_small_buffer_spills_to_dram() -> None:
    spilled = priced({"buffer.capacity": 1000.0})
    assert float(spilled.facts["dram_bits"][0]) > 0 == float(priced().facts["dram_bits"][0])
    assert float(spilled.totals()["energy_J"][0]) > total("energy_J")


def test_gradients_by_torch_equal_differences() -> None:
    workload, plan = prepared()
    nominal = DESIGN.parameters.nominal()
    names = ("cell.read_voltage", "cell.on_current", "technology.supply_voltage", "buffer.read_energy")
    tensors = {n: torch.tensor(v, dtype=torch.float64) for n, v in nominal.items()}
    for name in names:
        tensors[name].requires_grad_(True)
    energy = price(workload, plan, tensors, DESIGN.families).totals()["energy_J"]
    assert energy.item() == close(total("energy_J"), rel=1e-12)
    energy.sum().backward()
    for name in names:
        step = nominal[name] * 1e-5
        up, down = (total("energy_J", {name: nominal[name] + sign * step}) for sign in (1, -1))
        gradient = tensors[name].grad
        assert gradient is not None
        assert gradient.item() == close((up - down) / (2 * step), rel=1e-5)


@pytest.mark.parametrize("design", DESIGNS)
def test_leaves_of_programming_add_up(design: str) -> None:
    facts = {name: float(value[0]) for name, value in priced(design=design).facts.items()}
    for total_name, unit, leaves in (
        ("programming_energy_J", "J", ENERGY_LEAVES),
        ("programming_latency_s", "s", LATENCY_LEAVES),
    ):
        values = [facts[f"programming_{leaf}_{unit}"] for leaf in leaves]
        assert min(values) >= 0
        assert sum(values) == close(facts[total_name], rel=1e-14)
        assert facts[total_name] > 0


def test_a_block_is_programmed_like_each_design_alone() -> None:
    """Schemes V/2, V/3, row by row and erase by block side by side."""
    block = {
        "programming.inhibit_fraction": np.asarray([0.5, 2 / 3, 0.4]),
        "programming.word_line_inhibit_fraction": np.asarray([0.5, 1 / 3, 0.0]),
        "programming.selected_share": np.asarray([1 / 128, 0.5, 1.0]),
        "programming.block_erase": np.asarray([0.0, 1.0, 1.0]),
    }
    together = priced(block).facts
    for i in range(3):
        alone = priced({name: float(values[i]) for name, values in block.items()}).facts
        for name in (n for n in together if n.startswith("programming_")):
            found = np.broadcast_to(together[name], (3,))[i]
            assert found == close(float(alone[name][0]), rel=1e-12), name


@pytest.mark.parametrize(
    ("leaf", "name"),
    [
        ("supply_idle", "technology.high_voltage_supply_idle_power"),
        ("supply_startup", "technology.high_voltage_supply_startup_energy"),
        ("driver", "technology.high_voltage_driver_capacitance"),
        ("source_line", "programming.source_line_ratio"),
    ],
)
def test_a_leaf_follows_its_parameter_alone(leaf: str, name: str) -> None:
    nominal = DESIGN.parameters[name].value
    base, twice = (priced({name: factor * nominal}).facts for factor in (1, 2))
    key = f"programming_{leaf}_J"
    assert twice[key][0] == close(2 * base[key][0], rel=1e-12)
    moved = {n for n in base if base[n] != close(twice[n], rel=1e-12)}
    assert moved <= {key, "programming_supply_loss_J", "programming_energy_J"}


def test_model_form_scales_everything() -> None:
    for name, column in (("energy", "energy_J"), ("latency", "latency_s"), ("area", "area_m2")):
        assert total(column, {f"model_form.{name}": 2.0}) == close(2 * total(column), rel=1e-12)


def test_weights_shared_by_two_operators_are_stored_once() -> None:
    twice = OperatorGraph((linear("a", 8, 128, 16), replace(linear("a", 8, 128, 16), id="b")))
    workload = place(twice, None, Precision())
    plan = schedule(twice, ("a", "b"), ())
    bill = price(workload, plan, DESIGN.parameters.nominal(), DESIGN.families)
    assert float(bill.facts["arrays"][0]) == 1


def test_a_weight_on_the_left_is_transposed() -> None:
    x, w = TensorSpec((300, 50)), TensorSpec((20, 300))
    op = replace(
        linear("left", 20, 300, 50),
        operands=(Operand(w, Role.WEIGHT, "w"), Operand(x, Role.ACTIVATION)),
    )
    workload = place(OperatorGraph((op,)), None, Precision())
    assert (workload.vectors[0, 0], workload.contraction[0, 0], workload.outputs[0, 0]) == (50, 300, 20)


def with_density(inputs: float, weights: float) -> dict[str, float]:
    """Energy of the first operator by component when that share of input and weight bits is one."""
    data = OperandActivity(8, True, 1 - inputs, inputs, (inputs,) * 8)
    stored = OperandActivity(8, True, 1 - weights, weights, (weights,) * 8, (weights,) * 7, (weights,) * 7)
    operands = {("first", 0): data, ("first", 1): stored, ("second", 0): data, ("second", 1): stored}
    activity = Activity(operands, 1, "", "", 0, 0, 0)
    workload = place(GRAPH, activity, Precision())
    bill = price(workload, prepared()[1], DESIGN.parameters.nominal(), DESIGN.families)
    count = len(workload.operators) + 1
    return {name: float(bill.energy.table(name, count, 0)[0]) for name in bill.energy.by_component}


def test_density_means_ones_and_not_zeros() -> None:
    none, half, all_ones = (with_density(share, 0.5) for share in (0.0, 0.5, 1.0))
    for name in ("cell", "word_line_driver"):
        assert none[name] == 0
        assert all_ones[name] == close(2 * half[name], rel=1e-12)
    # Converters and bit lines work whatever the data is.
    assert none["adc"] == half["adc"] == all_ones["adc"]
    assert none["bit_line_driver"] == all_ones["bit_line_driver"]


def test_stored_levels_carry_current() -> None:
    p = DESIGN.parameters.nominal()
    none, half = (with_density(1.0, share)["cell"] for share in (0.0, 0.5))
    # 7 magnitude bits on 2-bit cells: three full slices of mean level ½, and one of one bit that holds
    # ½ of level 1 out of 3: (3·½ + ½/3)/4 = 0.4167 of the range
    off, on = p["cell.off_current"], p["cell.on_current"]
    assert half / none == pytest.approx((off + (on - off) * (1.5 + 0.5 / 3) / 4) / off, rel=1e-9)
