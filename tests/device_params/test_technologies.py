"""Technologies from 130 to 3 nm: what their notes compute, what they are compared with, and nodes between."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.circuits.technology import Technology
from device_params import list_names, load_technology
from device_params.errors import InputError
from device_params.nodes import technology_at, technology_nodes
from device_params.schema import ComponentFile

NODES = (130, 90, 65, 45, 40, 32, 28, 22, 16, 14, 10, 7, 5, 3)
nodes = st.floats(3.0, 130.0).map(lambda nm: nm * 1e-9)

LARGER_AT_LARGER_NODES = (
    "supply_voltage",
    "nominal_voltage",
    "threshold_voltage",
    "gate_capacitance",
    "gate_area",
    "gate_delay",
    "transmission_gate_width",
    "transistor_drain_capacitance_per_width",
    "transistor_on_resistance_width",
    "multiply8_energy",
    "add32_energy",
    "add_energy",
    "multiply_energy",
    "compare_energy",
    "divide_energy",
    "square_root_energy",
    "special_function_energy",
    "mac_area",
    "special_function_area",
    "sram_cell_area",
    "threshold_mismatch",
)
SMALLER_AT_LARGER_NODES = ("wire_resistance", "capacitor_density")
CONSTANT = (
    "xor_capacitance_ratio",
    "flip_flop_area_ratio",
    "full_adder_delay_ratio",
    "transmission_gate_area_ratio",
    "repeater_capacitance_ratio",
    "toggle_activity",
    "velocity_saturation_exponent",
    "arithmetic_voltage",
    "high_voltage_driver_area",
    "high_voltage_supply_efficiency",
)


def value(node_nm: float, name: str) -> float:
    return technology_at(node_nm * 1e-9).parameters[name].value


def ratio(node_nm: float, name: str, other_nm: float = 28) -> float:
    return value(node_nm, name) / value(other_nm, name)


def technology(file: ComponentFile, supply: float | None = None) -> Technology:
    found = {f"technology.{name}": p.value for name, p in file.parameters.items()}
    if supply is not None:
        found["technology.supply_voltage"] = supply
    return Technology.of(found)


# Files and the nodes between them.


def test_there_is_a_file_of_every_node() -> None:
    assert [round(node * 1e12) for node in technology_nodes()] == [nm * 1000 for nm in sorted(NODES)]
    assert len(list_names("technology")) == len(NODES)


@pytest.mark.parametrize("nm", NODES)
def test_a_node_with_a_file_gives_the_file(nm: int) -> None:
    node = nm * 1e-9
    assert technology_at(node) == load_technology(f"{nm}nm")
    assert technology_at(node * (1 + 5e-7)) == load_technology(f"{nm}nm")
    assert load_technology(f"{nm}nm").parameters["node"].value == close(node)


def test_between_two_files_by_hand() -> None:
    between = technology_at(55e-9)
    # ln(55/45) / ln(65/45) = 0.20067 / 0.36772 = 0.54571
    # 1.1 V * (1.2/1.1)^0.54571 = 1.1535 V;  1.16 fF * (1.54/1.16)^0.54571 = 1.3541 fF
    assert between.parameters["supply_voltage"].value == pytest.approx(1.1535, abs=1e-4)
    assert between.parameters["gate_capacitance"].value == close(1.3541e-15, rel=1e-4)
    # the low end of the cell: 0.24 um^2 * (0.48/0.24)^0.54571 = 0.35034 um^2
    assert between.parameters["sram_cell_area"].low == close(0.35034e-12, rel=1e-4)


def test_what_an_interpolated_set_says_of_itself() -> None:
    between = technology_at(55e-9)
    assert (between.name, between.kind, between.family) == ("55nm", "technology", "cmos")
    gate = between.parameters["gate_capacitance"]
    assert gate.basis == "derived"
    assert "interpolated between 45 and 65 nm" in gate.note.lower()
    assert set(gate.source_keys) >= {"zigzagimc2025", "stillmaker2017"}
    assert between.parameters["node"].value == 55e-9
    assert between.parameters["node"].allowed == (55e-9, 55e-9)
    assert list(between.parameters) == list(load_technology("45nm").parameters)
    # weak on one side is weak between, and stays so for the reader
    assert between.parameters["gate_leakage"].weak


@pytest.mark.parametrize("name", CONSTANT)
def test_what_does_not_scale_is_the_same_everywhere(name: str) -> None:
    expected = load_technology("28nm").parameters[name]
    for nm in (*NODES, 55, 6, 3.5):
        found = technology_at(nm * 1e-9).parameters[name]
        assert (found.value, found.low, found.high) == (expected.value, expected.low, expected.high)
        assert (found.basis, found.source) == (expected.basis, expected.source)


@pytest.mark.parametrize("nm", [2.9, 130.1, 0.0, -28.0, math.nan, 28e9])
def test_outside_the_files_is_refused(nm: float) -> None:
    with pytest.raises(InputError, match="3 to 130 nm"):
        technology_at(nm * 1e-9)


@pytest.mark.parametrize("nm", NODES[1:-1])
def test_no_step_at_a_file(nm: int) -> None:
    here = load_technology(f"{nm}nm").parameters
    for near in (technology_at(nm * 1e-9 * (1 - 1e-5)), technology_at(nm * 1e-9 * (1 + 1e-5))):
        assert near.parameters["gate_area"].value != here["gate_area"].value
        for name, parameter in here.items():
            found = near.parameters[name]
            for got, expected in (
                (found.value, parameter.value),
                (found.low, parameter.low),
                (found.high, parameter.high),
            ):
                assert got == close(expected, rel=1e-4), name


@given(a=nodes, b=nodes)
def test_larger_nodes_are_larger_slower_and_costlier(a: float, b: float) -> None:
    small, large = (technology_at(node).parameters for node in sorted((a, b)))
    for name in LARGER_AT_LARGER_NODES:
        assert small[name].value <= large[name].value * (1 + 1e-12), name
    for name in SMALLER_AT_LARGER_NODES:
        assert small[name].value >= large[name].value * (1 - 1e-12), name


@pytest.mark.parametrize("name", ["gate_capacitance", "gate_area", "gate_delay", "sram_cell_area"])
def test_every_step_from_file_to_file_shrinks(name: str) -> None:
    assert all(value(large, name) > value(small, name) for large, small in pairwise(NODES))


@given(node=nodes)
def test_intervals_stay_in_order_and_inside_their_ranges(node: float) -> None:
    for parameter in technology_at(node).parameters.values():
        low, high = parameter.allowed
        numbers = [low, parameter.low, parameter.value, parameter.high, high]
        assert all(a <= b * (1 + 1e-12) for a, b in pairwise(numbers)), parameter


@given(share=st.floats(0.05, 0.95), ends=st.sampled_from([(45, 65), (90, 130), (7, 10), (28, 32), (3, 5)]))
def test_interpolating_twice_is_interpolating_once(share: float, ends: tuple[int, int]) -> None:
    # transitivity: a node between two nodes that are interpolated themselves
    low, high = ends
    first, last = (low * (high / low) ** part * 1e-9 for part in (0.02, 0.98))
    middle = first * (last / first) ** share
    ends_of, found = [technology_at(first).parameters, technology_at(last).parameters], technology_at(middle)
    for name, parameter in found.parameters.items():
        a, b = (end[name].value for end in ends_of)
        assert parameter.value == close(a * (b / a) ** share, rel=1e-9), name


@given(node=nodes)
def test_scaling_there_and_back_changes_nothing(node: float) -> None:
    # identity and reciprocity of the factor from node to node
    for name in ("gate_area", "gate_capacitance", "gate_delay"):
        to, back = (
            value(node * 1e9, name) / value(28, name),
            value(28, name) / technology_at(node).parameters[name].value,
        )
        assert to * back == close(1.0, rel=1e-12)


@given(node=nodes, share=st.floats(0.0, 0.99))
def test_supply_above_threshold_and_lower_supply_is_slower(node: float, share: float) -> None:
    file = technology_at(node)
    low, high = file.parameters["supply_voltage"].allowed
    # moderate inversion is described; weak inversion is not
    assert low >= file.parameters["threshold_voltage"].value - 0.01
    slow, fast = low + share * (high - low), low + (share + 0.01) * (high - low)
    assert technology(file, slow).delay > technology(file, fast).delay
    assert technology(file, slow).gate_energy < technology(file, fast).gate_energy
    assert technology(file).slowdown == close(1.0)


# The arithmetic of the notes, done again.

LIBRARY = {130: math.sqrt(1.38 * 2.72 * 1.92 * 3.78), 45: 0.57 * 1.4, 7: 0.324 * 0.27}
"""Area of a two-input NAND of drive one [um^2]: SKY130 and SG13G2, Nangate on FreePDK45, ASAP7."""

# delay [ps] a3 V^3 + a2 V^2 + a1 V + a0 and energy b2 V^2 + b1 V + b0, with the nominal supply [V]
POLYNOMIALS = {
    130: (1.2, (-76.65, 334.9, -493.4, 275.8)),
    90: (1.2, (-60.34, 262.5, -384.2, 210.9)),
    65: (1.1, (-53.3, 230.4, -333.9, 178.6)),
    45: (1.0, (-501.6, 1567, -1619, 566.1)),
    32: (0.9, (-1047, 2982, -2797, 873.5)),
    20: (0.9, (0, 34.63, -66.37, 41.15)),
    16: (0.85, (0, 24.8, -47.52, 28.87)),
    14: (0.8, (-40.66, 109.2, -100.6, 35.92)),
    10: (0.75, (-34.95, 93.65, -85.99, 30.4)),
    7: (0.7, (-28.58, 76.6, -70.26, 24.69)),
}

ENERGY_OVER_45 = {130: 3.188, 90: 1.967, 65: 1.275, 32: 0.6464, 16: 0.1860, 14: 0.1490, 10: 0.1264, 7: 0.1017}
"""Published energy at equal supply over that at 45 nm, mean of 0.8 and 1.0 V."""


def loglog(x: float, points: dict[int, float]) -> float:
    for (a, ya), (b, yb) in pairwise(sorted(points.items())):
        if a <= x <= b:
            return ya * (yb / ya) ** (math.log(x / a) / math.log(b / a))
    raise AssertionError(x)


@pytest.mark.parametrize("nm", [n for n in NODES if n >= 7])
def test_gate_area_follows_the_libraries(nm: int) -> None:
    expected = 0.614e-12 * loglog(nm, LIBRARY) / loglog(28, LIBRARY)
    assert value(nm, "gate_area") == close(expected, rel=0.005)


def test_gate_delay_follows_the_slope_of_the_polynomials() -> None:
    x = [math.log(node) for node in POLYNOMIALS]
    y = [math.log(((a * v + b) * v + c) * v + d) for v, (a, b, c, d) in POLYNOMIALS.values()]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    slope = sum((p - mean_x) * (q - mean_y) for p, q in zip(x, y, strict=True)) / sum(
        (p - mean_x) ** 2 for p in x
    )
    assert slope == pytest.approx(0.80, abs=0.005)
    for nm in (n for n in NODES if n >= 7):
        assert value(nm, "gate_delay") == close(47.8e-12 * (nm / 28) ** 0.80, rel=0.005)


@pytest.mark.parametrize("nm", [n for n in NODES if n >= 7])
def test_gate_capacitance_is_the_mean_of_energy_and_size_or_the_size(nm: int) -> None:
    size = math.sqrt(ratio(nm, "gate_area"))
    energy = {45: 1.0, **ENERGY_OVER_45}
    # 28 nm: log-log between 32 nm and the published 20 nm, 0.2362, gives 0.485
    over_28 = loglog(nm, energy) / 0.485 if nm > 28 else 1.0
    expected = math.sqrt(over_28 * size) if nm > 28 else size
    assert ratio(nm, "gate_capacitance") == close(expected, rel=0.01)


def test_energies_at_45_nm_are_the_published_ones() -> None:
    # 16 bits: 0.03 pJ * (0.1/0.03)^0.5 = 0.0548 pJ; 0.2 pJ * (3.1/0.2)^0.5 = 0.787 pJ
    published = {
        "multiply8_energy": 0.2e-12,
        "add32_energy": 0.1e-12,
        "add_energy": 0.0548e-12,
        "multiply_energy": 0.787e-12,
    }
    for name, joule in published.items():
        assert value(45, name) == close(joule, rel=1e-3)
        # all operations scale alike, as the gates they are made of
        assert ratio(16, name, 45) == close(ratio(16, "add32_energy", 45), rel=0.01)


@pytest.mark.parametrize("nm", NODES)
def test_sums_of_parts(nm: int) -> None:
    p = technology_at(nm * 1e-9).parameters
    assert p["mac_area"].value == close(1039 * p["gate_area"].value, rel=0.01)
    flip_flops = 16 * 32 * 3 * p["gate_capacitance"].value * 0.81 * 0.25
    assert p["divide_energy"].value == close(16 * p["add_energy"].value + flip_flops, rel=0.02)
    logic = 2954 * p["gate_area"].value
    assert p["special_function_area"].value > logic
    assert p["special_function_energy"].value > p["multiply_energy"].value + 3 * p["add_energy"].value


def test_tables_of_cacti_at_65_nm() -> None:
    p = load_technology("65nm").parameters
    # 1.96 * 1.2 V / 519.2 uA/um = 4530 ohm*um
    assert p["transistor_on_resistance_width"].value == pytest.approx(4530e-6, rel=0.002)
    # local 81.25 by 162.5 nm, barrier 6 nm: 2.2e-8 / (69.25 nm * 156.5 nm) = 2.030 ohm/um; semi-global
    # 130 by 260 nm: 2.2e-8 / (118 nm * 254 nm) = 0.7340 ohm/um; geometric mean 1.221 ohm/um
    assert p["wire_resistance"].value == pytest.approx(1.221e6, rel=0.003)
    assert p["wire_resistance"].low == pytest.approx(0.734e6, rel=0.003)
    # 0.614 * 1.2 + 3 * 0.08 = 0.9768 fF/um, with 1 fF/um: 0.988
    assert p["transistor_gate_capacitance_per_width"].value == close(0.99e-9, rel=0.01)
    # width 0.551 um, 1.2 V: LSTP 118.1 pA/um = 78.1 pW, LOP 14.51 nA/um = 9.59 nW: 0.866 nW
    assert p["gate_leakage"].value == close(0.866e-9, rel=0.01)
    assert p["gate_leakage"].high == close(9.59e-9 / 2, rel=0.02)


# Compared with what was not used.

PITCHES = {130: 319 * 345, 40: 162 * 120, 28: 117 * 95, 16: 90 * 70, 14: 78 * 64, 10: 64 * 48}
"""Contacted gate pitch times first metal pitch of foundries [nm^2]; WikiChip, one page a node."""


@pytest.mark.parametrize("nm", [nm for nm in PITCHES if nm != 28])
def test_gate_area_shrinks_as_the_pitches_do(nm: int) -> None:
    # 11.5, 1.53, 0.514, 0.439, 0.294 against 9.9, 1.75, 0.567, 0.449, 0.276
    assert ratio(nm, "gate_area") == close(PITCHES[nm] / PITCHES[28], rel=0.17)


@pytest.mark.parametrize("nm", [130, 90, 65, 32])
def test_planar_gates_and_published_energy_ratios(nm: int) -> None:
    assert ratio(nm, "gate_capacitance", 45) == close(ENERGY_OVER_45[nm], rel=0.14)


@pytest.mark.parametrize("nm", [16, 14, 10, 7])
def test_finfet_gates_shrink_less_than_the_simulated_inverters(nm: int) -> None:
    # the step from planar gates to fins in the published simulation is not that of libraries
    beyond = ratio(nm, "gate_capacitance", 45) / ENERGY_OVER_45[nm]
    assert 2.2 < beyond < 2.75
    # and both lie in the interval
    parameter = technology_at(nm * 1e-9).parameters["gate_capacitance"]
    assert parameter.low <= 0.7e-15 * ENERGY_OVER_45[nm] / 0.485 * 1.01


def test_delay_ratio_against_announced_speed() -> None:
    # 16 nm FinFETs were announced up to 65 % faster than 28 nm: 1/1.65 = 0.606
    assert ratio(16, "gate_delay") == close(1 / 1.65, rel=0.06)


def test_arithmetic_at_7_nm_against_the_published_table() -> None:
    # INT8 multiply 0.07 pJ, INT32 add 0.03 pJ at 7 nm; ours at 0.75 V: * (0.75/0.9)^2
    for name, published in (("multiply8_energy", 0.07e-12), ("add32_energy", 0.03e-12)):
        ours = value(7, name) * (0.75 / 0.9) ** 2
        assert 0.6 < ours / published < 0.8
        assert technology_at(7e-9).parameters[name].high * (0.75 / 0.9) ** 2 > published


def test_cells_shrink_less_than_logic_below_16_nm() -> None:
    for small, large in ((7, 16), (5, 7), (3, 5)):
        assert ratio(small, "sram_cell_area", large) > ratio(small, "gate_area", large)
    # and a cell stays smaller than two gates, which have eight transistors
    assert all(value(nm, "sram_cell_area") < 2 * value(nm, "gate_area") for nm in NODES)


def test_extrapolated_files_say_so_and_are_wider() -> None:
    seven = load_technology("7nm").parameters
    for name in ("5nm", "3nm"):
        file = load_technology(name)
        assert "extrapolated" in file.description.lower()
        for key in ("gate_capacitance", "gate_area", "gate_delay", "multiply8_energy"):
            found = file.parameters[key]
            assert found.basis == "derived"
            if key.startswith("gate"):
                assert "extrapolated" in found.note.lower()
            if key != "gate_capacitance":
                assert found.high / found.low > seven[key].high / seven[key].low


def test_gate_and_wire_capacitance_agree_on_the_size_of_a_gate() -> None:
    # the load of a unit gate is worth a wire of 1 to 12 gate widths at every node
    for nm in NODES:
        p = technology_at(nm * 1e-9).parameters
        length = p["gate_capacitance"].value / p["wire_capacitance"].value
        assert 1 < length / math.sqrt(p["gate_area"].value) < 12


def test_interpolation_survives_a_limit_of_zero() -> None:
    # gate_leakage may be 0 and has no logarithm there
    assert technology_at(25e-9).parameters["gate_leakage"].allowed == (0.0, close(1e-6))
