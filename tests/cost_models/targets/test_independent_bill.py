"""The whole bill computed a second time: scalar Python from docs/cost_model.md, nothing of the cost models.

Written apart from the package, from the graph and the parameter values alone, so that an error of
multiplicity, a unit or a missing term in either shows as a difference.
"""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import pytest
from scipy import integrate
from tolerance import close

from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from cost_models.mapping.schedule import schedule
from cost_models.targets.crossbar_chip import price
from cost_models.workload.graph import Edge, OperatorGraph
from cost_models.workload.operators import Kind, Loop, MatmulShape, Operand, Operator, Phase, Role, TensorSpec
from device_params.load import load_design

BITS = 8  # of weights and of inputs
DENSITY, LEVEL = 0.5, 0.25  # of unmeasured operands


def operator(name: str, kind: Kind, operands: list[Operand], out: tuple[int, ...], **more: Any) -> Operator:
    outputs = (TensorSpec(out),)
    moved = {"bytes_in": sum(o.spec.nbytes for o in operands), "bytes_out": outputs[0].nbytes}
    return Operator(name, name, kind, Phase.FORWARD, "", tuple(operands), outputs, **moved, **more)


def tensor(role: Role, *shape: int, name: str = "", copies: int = 1) -> Operand:
    return Operand(TensorSpec(shape), role, name, copies)


ACTIVATION, WEIGHT = Role.ACTIVATION, Role.WEIGHT
LAYERS: dict[str, Any] = {"repeat": 3, "loops": ("layers",)}
OPERATORS = (
    operator(
        "linear",  # with a bias; three layers
        Kind.MATMUL,
        [
            tensor(WEIGHT, 200, name="b", copies=3),
            tensor(ACTIVATION, 96, 300),
            tensor(WEIGHT, 300, 200, name="w", copies=3),
        ],
        (96, 200),
        macs=96 * 300 * 200,
        matmul=MatmulShape(1, 96, 300, 200, 1, 2),
        scalar_ops={"add": 96 * 200},
        **LAYERS,
    ),
    operator(
        "heads",  # a batched product with a weight of its own for each of four heads
        Kind.MATMUL,
        [tensor(ACTIVATION, 4, 96, 75), tensor(WEIGHT, 4, 75, 16, name="h", copies=3)],
        (4, 96, 16),
        macs=4 * 96 * 75 * 16,
        matmul=MatmulShape(4, 96, 75, 16, 0, 1),
        **LAYERS,
    ),
    operator(
        "shift",
        Kind.ELEMENTWISE,
        [tensor(ACTIVATION, 96, 200), tensor(WEIGHT, 96, 200)],
        (96, 200),
        scalar_ops={"add": 19200, "exponential": 19200},
        **LAYERS,
    ),
    operator(
        "scores",
        Kind.MATMUL,
        [tensor(ACTIVATION, 96, 200), tensor(ACTIVATION, 200, 70)],
        (96, 70),
        macs=96 * 200 * 70,
        matmul=MatmulShape(1, 96, 200, 70, 0, 1),
    ),
    operator(
        "head",
        Kind.MATMUL,
        [tensor(ACTIVATION, 96, 200), tensor(WEIGHT, 200, 40, name="out")],
        (96, 40),
        macs=96 * 200 * 40,
        matmul=MatmulShape(1, 96, 200, 40, 0, 1),
    ),
)
GRAPH = OperatorGraph(
    operators=OPERATORS,
    edges=(
        Edge("linear", "shift", TensorSpec((96, 200)), 0),
        Edge("shift", "scores", TensorSpec((96, 200)), 0),
        Edge("shift", "head", TensorSpec((96, 200)), 0),
    ),
    loops={"layers": Loop("layers", "layer", 3, "", True)},
)
Leaves = dict[str, float]
GROUPS = (("linear", "heads"), ("shift",), ("scores", "head"))  # by hand: what may run side by side
WEIGHTS = 3 * 300 * 200 + 3 * 4 * 75 * 16 + 200 * 40
TABLES = 3 * 200 + 96 * 200  # the biases of three layers, and what "shift" adds (one tensor)


def bill(p: dict[str, float], *, gated: bool) -> tuple[dict[str, float], float, dict[str, float], Leaves]:
    """Energy by component [J], latency [s], area by component [m²], programming; design of parameters ``p``.

    ``gated``: the cell has an access transistor.
    """
    t = {name.removeprefix("technology."): v for name, v in p.items() if name.startswith("technology.")}
    c = {name.removeprefix("cell."): v for name, v in p.items() if name.startswith("cell.")}
    energy: dict[str, float] = defaultdict(float)
    area: dict[str, float] = defaultdict(float)
    rows, cols, turns = (p[f"array.{name}"] for name in ("rows", "cols", "columns_per_adc"))
    gate = t["gate_capacitance"] * t["supply_voltage"] ** 2
    levels = 2 ** c["bits"]
    steps = levels - 1 if c["stepped_read"] else 1
    per_weight = 2 * math.ceil((BITS - 1) / c["bits"])
    adc_bits = p["array.adc_bits"] or math.ceil(math.log2(rows * (levels - 1) + 1))
    width, height = (math.sqrt(c["cell_area"] * c["cell_aspect_ratio"] ** sign) for sign in (1, -1))
    word = cols * (c["word_line_capacitance"] + width * t["wire_capacitance"])
    bit = rows * (c["bit_line_capacitance"] + height * t["wire_capacitance"])
    settle = 0.38 * t["wire_resistance"] * (steps * cols * width * word + rows * height * bit)
    staircase = sum((s / steps) ** 2 for s in range(1, int(steps) + 1))
    convert = p["adc.linear_capacitance"] * adc_bits + p["adc.exponential_capacitance"] * 4**adc_bits
    convert *= p["adc.energy_factor"] * t["supply_voltage"] ** 2
    convert_time = p["adc.delay_factor"] * adc_bits
    convert_time *= p["adc.delay_per_bit_row"] * rows + p["adc.delay_per_bit"]

    def add(bits: float) -> float:
        ratio = t["full_adder_capacitance_ratio"] + t["flip_flop_capacitance_ratio"]
        return t["toggle_activity"] * bits * ratio * gate

    def adder_area(bits: float) -> float:
        return bits * (t["full_adder_area_ratio"] + t["flip_flop_area_ratio"]) * t["gate_area"]

    scale = (t["supply_voltage"] / t["arithmetic_voltage"]) ** 2
    scalar = {n: scale * t[f"{n}_energy"] for n in ("add", "multiply")}
    scalar["exponential"] = scale * t["special_function_energy"]

    adcs = math.ceil(cols / turns)
    slice_adders = adder_area(adc_bits + 2 * BITS) + adder_area(adc_bits + 2 * BITS + 8)
    array = {
        "cell": rows * cols * c["cell_area"],
        "word_line_driver": rows * word / 3 / t["gate_capacitance"] * t["gate_area"],
        "dac": rows * (t["flip_flop_area_ratio"] + 2 * steps) * t["gate_area"],
        "adc": adcs
        * p["adc.area_factor"]
        * p["adc.area_coefficient"]
        * 2**adc_bits
        * 10 ** (-p["adc.area_slope"] * adc_bits),
        "multiplexer": cols * 3 * t["gate_area"],
        "accumulation": adcs * adder_area(adc_bits + BITS)
        + cols * (adc_bits + BITS) * t["flip_flop_area_ratio"] * t["gate_area"],
        "write_path": c["high_voltage_write"] * (rows + cols) * t["high_voltage_driver_area"],
    }
    hop = math.sqrt(p["chip.layout_overhead"] * sum(array.values()))
    leaky = sum(array[n] for n in ("word_line_driver", "dac", "multiplexer", "accumulation")) + slice_adders
    array["accumulation"] += slice_adders
    logic = p["digital.mac_lanes"] * t["mac_area"]
    logic += p["digital.special_function_lanes"] * t["special_function_area"]
    placed: dict[str, tuple[int, int, int, int]] = {}  # arrays of a matrix: down, across; matrices, at once
    for op in OPERATORS:
        if op.matmul is not None and (stored := op.operands[op.matmul.right]).role is WEIGHT:
            down = math.ceil(op.matmul.contraction / rows)
            across = math.ceil(op.matmul.cols * per_weight / cols)
            placed[op.id] = (down, across, op.matmul.batch * stored.copies, op.matmul.batch)
    arrays = sum(down * across * matrices for down, across, matrices, _ in placed.values())
    for name, value in array.items():
        area[name] += p["chip.layout_overhead"] * arrays * value
    area["digital"] = p["chip.layout_overhead"] * logic
    area["buffer"] = p["chip.layout_overhead"] * p["buffer.area"]
    area["write_path"] += p["chip.layout_overhead"] * c["high_voltage_write"] * t["high_voltage_supply_area"]
    area["control"] = p["chip.control_fraction"] * sum(area.values())
    far = math.sqrt(sum(area.values())) / 2
    near = math.sqrt(p["chip.layout_overhead"] * (logic + p["buffer.area"])) / 2
    wire = (
        t["toggle_activity"]
        * t["wire_capacitance"]
        * t["repeater_capacitance_ratio"]
        * t["supply_voltage"] ** 2
    )

    largest = max(
        sum(o.spec.numel for o in op.operands if o.role is ACTIVATION) + op.outputs[0].numel
        for op in OPERATORS
    )
    left = max(p["buffer.capacity"] - largest, 0.0)
    spill = max(0.0, 1 - left / TABLES)
    times: dict[str, tuple[float, float]] = {}
    for op in OPERATORS:
        e: dict[str, float] = defaultdict(float)
        shape, tables, time, converting = op.matmul, 0, 0.0, 0.0
        written = op.outputs[0].numel * BITS * op.repeat
        operations = op.repeat * sum(n * scalar[name] for name, n in op.scalar_ops.items())
        if op.id in placed and shape is not None:
            down, across, _, at_once = placed[op.id]
            vectors = shape.batch * shape.rows * op.repeat
            planes, converted = vectors * BITS, down * shape.cols * per_weight
            pulses = across * shape.contraction * DENSITY * turns
            current = c["off_current"] + (c["on_current"] - c["off_current"]) * LEVEL
            read_energy = max(c["read_voltage"], t["supply_voltage"]) * current * steps * c["read_time"]
            e["cell"] = planes * shape.contraction * shape.cols * per_weight * DENSITY * read_energy
            e["word_line_driver"] = planes * pulses * 4 / 3 * word * c["read_gate_voltage"] ** 2 * staircase
            e["bit_line_driver"] = planes * converted * 4 / 3 * bit * c["read_voltage"] ** 2
            e["dac"] = (
                planes
                * gate
                * (across * shape.contraction * t["flip_flop_capacitance_ratio"] + pulses * 2 * steps)
            )
            e["adc"] = planes * converted * convert
            e["multiplexer"] = planes * converted * 3 * gate
            sums = (per_weight - 1) * down * add(adc_bits + 2 * BITS) + (down - 1) * add(
                adc_bits + 2 * BITS + 8
            )
            e["accumulation"] = planes * converted * add(adc_bits + BITS) + operations
            e["accumulation"] += vectors * shape.cols * (sums + scalar["multiply"])
            tables = sum(o.spec.numel for o in op.operands if o.name == "b") * op.repeat * BITS
            read = vectors * shape.contraction * BITS + tables
            passing = vectors * BITS * shape.contraction * across
            passing += vectors * shape.cols * (adc_bits + 2 * BITS) * (down - 1)
            e["wire"] = passing * wire * hop + (read + written) * wire * far
            time = (
                planes / at_once * turns * (steps * c["read_time"] + convert_time)
                + planes / at_once * turns * settle
            )
            converting = planes / at_once * turns * convert_time
        else:
            macs, side = op.macs * op.repeat, p["digital.operand_reuse"]
            e["digital_mac"] = macs * scale * (t["multiply8_energy"] + t["add32_energy"])
            e["special_function"] = operations
            if shape is not None:
                fetched = shape.rows * math.ceil(shape.cols / side) + shape.cols * math.ceil(
                    shape.rows / side
                )
                read = shape.contraction * fetched * BITS
            else:
                read = sum(o.spec.numel for o in op.operands) * BITS * op.repeat
                tables = sum(o.spec.numel for o in op.operands if o.role is WEIGHT) * BITS * op.repeat
            e["wire"] = (read + written) * wire * near
            time = macs / (p["digital.mac_lanes"] * p["digital.clock"])
            time += (
                op.repeat
                * sum(op.scalar_ops.values())
                / (p["digital.special_function_lanes"] * p["digital.clock"])
            )
        e["buffer"] = read * p["buffer.read_energy"] + written * p["buffer.write_energy"]
        live = sum(o.spec.numel for o in op.operands if o.role is ACTIVATION) + op.outputs[0].numel
        out = tables * spill + (read + written) * max(0.0, 1 - p["buffer.capacity"] / live)
        e["dram"] = out * p["dram.energy_per_bit"]
        e["control"] = p["chip.control_fraction"] * sum(v for n, v in e.items() if n not in ("cell", "dram"))
        moving = (read + written) / p["buffer.width_bits"] * p["buffer.cycle_time"]
        bus = (read + written) / p["chip.bus_width"] / p["digital.clock"]
        times[op.id] = max(time, moving, bus, out / 8 / p["dram.bandwidth"]), converting
        for name, value in e.items():
            energy[name] += value
    latency = 0.0
    for group in GROUPS:
        waiting = [times[name][0] for name in group if name in placed]
        latency += max([sum(times[name][0] for name in group if name not in placed), *waiting])
    density = t["gate_leakage"] / t["gate_area"]
    for name, (down, across, matrices, at_once) in placed.items():
        busy, converting = (x * at_once / matrices for x in times[name])
        idle = (latency - busy) * (1 - p["chip.power_gating"])
        adc = adcs * p["adc.leakage_fraction"] * convert / convert_time
        leak = leaky * density * (busy + idle) + adc * (busy - converting + idle)
        leak += rows * cols * c["standby_leakage"] * latency
        energy["leakage"] += down * across * matrices * leak
    energy["leakage"] += (logic * density + p["buffer.leakage"]) * latency

    share = p["programming.selected_share"]
    current = c["off_current"] + (c["on_current"] - c["off_current"]) / 2
    read = turns * (4 / 3 * word * c["read_gate_voltage"] ** 2 * staircase + 2 * steps * gate)
    read += t["flip_flop_capacitance_ratio"] * gate
    column = max(c["read_voltage"], t["supply_voltage"]) * current * steps * c["read_time"]
    column += 4 / 3 * bit * c["read_voltage"] ** 2
    read += share * cols * (column + convert + 3 * gate + add(adc_bits + BITS))
    once = writing(
        p,
        gated=gated,
        arrays=arrays,
        cells=per_weight * WEIGHTS,
        word=word,
        bit=bit,
        read=read,
        read_time=turns * (steps * c["read_time"] + convert_time + settle),
    )
    return energy, latency, area, once


def writing(
    p: dict[str, float],
    *,
    gated: bool,
    arrays: float,
    cells: float,
    word: float,
    bit: float,
    read: float,
    read_time: float,
) -> Leaves:
    """Programming, ``<leaf>_J`` and ``<leaf>_s``: one row of one array, line by line, then all rows."""
    t = {name.removeprefix("technology."): v for name, v in p.items() if name.startswith("technology.")}
    c = {name.removeprefix("cell."): v for name, v in p.items() if name.startswith("cell.")}
    w = {name.removeprefix("programming."): v for name, v in p.items() if name.startswith("programming.")}
    rows, cols, volts = int(p["array.rows"]), int(p["array.cols"]), c["write_voltage"]
    one: Leaves = defaultdict(float)  # a row
    share, high = w["selected_share"], c["high_voltage_write"]
    driver = high * t["high_voltage_driver_capacitance"] * volts**2
    source = 0.0 if gated else w["source_line_ratio"] * bit
    write_pulses = c["write_pulses"] / share
    # Bit lines come in two sorts: of cells that this pulse writes, and of others.
    if gated:
        sorts = [("bit_line", share * cols, volts), ("inhibited_line", (1 - share) * cols, 0.0)]
    else:
        sorts = [("bit_line", share * cols, 0.0)]
        sorts.append(("inhibited_line", (1 - share) * cols, w["inhibit_fraction"] * volts))
    for row in range(rows):
        up = volts if row == 0 else 0.0 if gated else w["word_line_inhibit_fraction"] * volts
        one["word_line" if row == 0 else "inhibited_line"] += write_pulses * word * up**2
        one["driver"] += write_pulses * driver * (up != 0)
        for sort, columns, level in sorts:
            if row == 0:
                one[sort] += write_pulses * columns * bit * level**2
                one["source_line"] += write_pulses * columns * source * level**2
                one["driver"] += write_pulses * driver * columns * (level != 0)
            if gated or (row == 0 and sort == "bit_line"):
                continue  # nothing is half-selected, or the cell is the written one
            seen = up - level
            one["inhibited_cell"] += write_pulses * columns * c["word_line_capacitance"] * seen**2
    erases = c["erase_before_write"]
    if w["block_erase"]:
        well = t["well_capacitance"] * rows * cols * c["cell_area"]
        one["well"] = erases / rows * volts**2 * (well + cols * (bit + source))
        one["driver"] += erases / rows * driver
        one["erase_s"] = erases / rows * c["write_time"]
    else:
        one["erase"] = erases * volts**2 * (word + gated * cols * bit)
        one["driver"] += erases * driver * (1 + gated * cols)
        one["erase_s"] = erases * c["write_time"]
    one["verify"] = w["verify_reads"] / share * read
    one["cell_s"] = write_pulses * c["write_time"]
    one["read_after_write_s"] = w["verify_reads"] / share * c["read_after_write_delay"]
    one["verify_s"] = w["verify_reads"] / share * read_time
    found: Leaves = {}
    for name, value in one.items():
        if name.endswith("_s"):
            found[name] = arrays * rows * value / w["arrays_in_parallel"]
        else:
            found[f"{name}_J"] = arrays * rows * value
    pulse = c["write_energy"] if gated else gate_pulse(c)
    found["cell_J"] = cells * c["write_pulses"] * pulse
    found["erase_J"] = found.get("erase_J", 0.0) + cells * erases * pulse
    delivered = sum(v for name, v in found.items() if name.endswith("_J") and name != "verify_J")
    time = sum(v for name, v in found.items() if name.endswith("_s"))
    found["supply_loss_J"] = high * delivered * (1 / t["high_voltage_supply_efficiency"] - 1)
    found["supply_idle_J"] = high * time * t["high_voltage_supply_idle_power"]
    found["supply_startup_J"] = high * t["high_voltage_supply_startup_energy"]
    found["latency_s"] = time
    found["energy_J"] = sum(v for name, v in found.items() if name.endswith("_J"))
    return found


def gate_pulse(c: dict[str, float]) -> float:
    """Energy of a pulse on a ferroelectric gate, by adaptive quadrature over its activation fields [J].

    At a voltage at which injected charge screens the interlayer: the film has what is left of the gate's.
    """
    film, vacuum = c["film_thickness"], 8.8541878128e-12
    capacitance = vacuum * c["relative_permittivity"] / film
    oxide = vacuum * c["interlayer_permittivity"] / c["interlayer_thickness"]
    across = c["write_voltage"] - c["screening_voltage"]
    rest = c["saturated_window"] / 2 * capacitance / oxide
    assert across > (c["write_voltage"] - c["band_bending"] + rest) / (1 + capacitance / oxide)

    def switched(score: float) -> float:
        activation = max(c["activation_field_mean"] + score * c["activation_field_sigma"], 1e-2)
        delay = math.exp(min((activation * film / across) ** c["merz_exponent"], 700.0))
        progress = c["write_time"] / (c["switching_time_constant"] * delay)
        return (
            -math.expm1(-(progress ** c["kai_exponent"])) * math.exp(-(score**2) / 2) / math.sqrt(2 * math.pi)
        )

    share = integrate.quad(switched, -5.0, 9.0, limit=200, points=[0.0, 2.0, 4.0])[0]
    charge = 2 * c["remanent_polarization"] * share + capacitance * across
    return c["write_voltage"] * c["gate_area"] * charge


CHANGES: tuple[dict[str, float], ...] = (
    {},
    {
        "buffer.capacity": 25e3,
        "chip.power_gating": 0.3,
        "array.columns_per_adc": 16.0,
        "cell.cell_aspect_ratio": 2.0,
        "programming.selected_share": 0.75,
        "programming.inhibit_fraction": 2 / 3,
        "programming.word_line_inhibit_fraction": 1 / 3,
        "programming.block_erase": 1.0,
        "cell.erase_before_write": 1.0,
    },
)


@pytest.mark.parametrize("changes", CHANGES, ids=["nominal", "overflow"])
@pytest.mark.parametrize("name", ["fefet_crossbar_28nm", "rram_crossbar_28nm", "sram_crossbar_28nm"])
def test_two_computations_agree(name: str, changes: dict[str, float]) -> None:
    design = load_design(name)
    parameters = design.parameters.nominal() | changes
    workload = place(GRAPH, None, Precision(BITS, BITS))
    plan = schedule(GRAPH, ("linear", "heads", "head"), ("shift", "scores"))
    priced = price(workload, plan, parameters, design.families)
    energy, latency, area, once = bill(parameters, gated=design.families["cell"] != "fefet")
    found = {name: float(value[0]) for name, value in priced.energy.component_totals().items()}
    assert found == close(dict(energy), rel=1e-9)
    assert float(priced.exposed.total()[0]) == close(latency, rel=1e-9)
    sizes = {name: float(value[0]) for name, value in priced.area.component_totals().items()}
    sizes["digital"] = sizes.pop("digital_mac") + sizes.pop("special_function")
    assert sizes == close(dict(area), rel=1e-9)
    written = {
        name.removeprefix("programming_"): float(value[0])
        for name, value in priced.facts.items()
        if name.startswith("programming_")
    }
    written, once = ({n: v for n, v in leaves.items() if v} for leaves in (written, once))
    # A pulse on a ferroelectric gate sums over quantiles of the activation fields: 2.5e-7 off the integral.
    pulse_rel = 1e-6 if design.families["cell"] == "fefet" else 1e-9
    holding_pulses = {f"{leaf}_J" for leaf in ("cell", "erase", "supply_loss", "energy")} & once.keys()
    assert {n: written.pop(n) for n in holding_pulses} == close(
        {n: once.pop(n) for n in holding_pulses}, rel=pulse_rel
    )
    assert written == close(once, rel=1e-9)
