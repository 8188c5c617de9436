"""A hand-written estimate of the right shape: what the report's tests render. Its numbers are invented."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pandas as pd

from cost_models.workload.graph import Edge, OperatorGraph
from cost_models.workload.operators import Kind, Loop, MatmulShape, Operand, Operator, Phase, Role, TensorSpec
from cost_models.workload.stats import Activity

ROWS, WIDTH, HEADS, HEAD, HIDDEN, LAYERS, SEGMENTS = 528, 512, 8, 64, 1024, 4, 4
SEGMENT, LAYER = "segment", "segment.blocks"
BLOCK = "segment.blocks.0"


class _Builder:
    def __init__(self) -> None:
        self.operators: list[Operator] = []
        self.edges: list[Edge] = []

    def add(
        self,
        name: str,
        kind: Kind,
        module: str,
        inputs: list[tuple[str, Role, tuple[int, ...]]],
        out: tuple[int, ...],
        loops: tuple[str, ...],
        *,
        matmul: tuple[int, int, int, int] | None = None,
        phase: Phase = Phase.FORWARD,
    ) -> str:
        """``inputs``: (source operator or parameter name, role, shape)."""
        known = {operator.id for operator in self.operators}
        repeat = {0: 1, 1: SEGMENTS, 2: SEGMENTS * LAYERS}[len(loops)]
        shape = MatmulShape(*matmul, left=0, right=1) if matmul else None
        operands = tuple(
            Operand(TensorSpec(size), role, source if source not in known else "")
            for source, role, size in inputs
        )
        self.operators.append(
            Operator(
                id=name,
                op=f"aten.{name.rpartition('.')[2]}",
                kind=kind,
                phase=phase,
                module=module,
                operands=operands,
                outputs=(TensorSpec(out),),
                macs=shape.macs if shape else 0,
                matmul=shape,
                repeat=repeat,
                loops=loops,
            )
        )
        for index, (source, _, size) in enumerate(inputs):
            if source in known:
                self.edges.append(Edge(source, name, TensorSpec(size), index))
        return name


def sample_graph() -> OperatorGraph:
    """The ListOps RMAAT, folded to one block in one segment."""
    b = _Builder()
    act, weight, state = Role.ACTIVATION, Role.WEIGHT, Role.STATE
    x, heads, h = (1, ROWS, WIDTH), (1, HEADS, ROWS, HEAD), (1, HEADS, HEAD, HEAD)
    once, outer, inner = (), (SEGMENT,), (SEGMENT, LAYER)
    phi_r = b.add(
        "positional.mm",
        Kind.MATMUL,
        "positional",
        [("positional.basis", weight, (ROWS, HEAD)), ("positional.inner", weight, (HEAD, HEAD))],
        (ROWS, HEAD),
        once,
        matmul=(1, ROWS, HEAD, HEAD),
        phase=Phase.SETUP,
    )
    embed = b.add(
        "segment.embedding",
        Kind.GATHER,
        "segment.embedding",
        [("segment.embedding.weight", weight, (18, WIDTH))],
        x,
        outer,
    )
    memory = b.add("segment.cat", Kind.MOVE, "segment", [(embed, act, x)], x, outer)
    projections = {}
    for name in ("query", "key", "value"):
        module = f"{BLOCK}.attention.{name}"
        projections[name] = b.add(
            f"{module}.mm",
            Kind.MATMUL,
            module,
            [(memory, act, x), (f"{module}.weight", weight, (WIDTH, WIDTH))],
            x,
            inner,
            matmul=(1, ROWS, WIDTH, WIDTH),
        )
    attention = f"{BLOCK}.attention"
    phi_q = b.add(f"{attention}.elu", Kind.ELEMENTWISE, attention, [(projections["query"], act, x)], x, inner)
    phi_k = b.add(f"{attention}.elu_1", Kind.ELEMENTWISE, attention, [(projections["key"], act, x)], x, inner)
    fused = b.add(
        f"{attention}.add",
        Kind.ELEMENTWISE,
        attention,
        [(phi_k, act, x), (phi_r, weight, (ROWS, HEAD))],
        x,
        inner,
    )
    written = b.add(
        f"{attention}.bmm",
        Kind.MATMUL,
        attention,
        [(fused, act, heads), (projections["value"], act, heads)],
        h,
        inner,
        matmul=(HEADS, HEAD, ROWS, HEAD),
    )
    presynaptic = b.add(f"{attention}.sum", Kind.REDUCTION, attention, [(phi_k, act, x)], (1, WIDTH), inner)
    calcium = b.add(
        f"{attention}.bmm_1",
        Kind.MATMUL,
        attention,
        [(phi_q, act, heads), (presynaptic, state, (1, HEADS, HEAD, 1))],
        (1, HEADS, ROWS, 1),
        inner,
        matmul=(HEADS, ROWS, HEAD, 1),
    )
    read = b.add(
        f"{attention}.bmm_2",
        Kind.MATMUL,
        attention,
        [(phi_q, act, heads), (written, state, h)],
        heads,
        inner,
        matmul=(HEADS, ROWS, HEAD, HEAD),
    )
    divided = b.add(
        f"{attention}.div", Kind.ELEMENTWISE, attention, [(read, act, x), (calcium, act, x)], x, inner
    )
    residual = b.add(
        f"{attention}.add_1", Kind.ELEMENTWISE, attention, [(divided, act, x), (memory, act, x)], x, inner
    )
    norm = b.add(
        f"{BLOCK}.attention_norm.layer_norm",
        Kind.NORMALISATION,
        f"{BLOCK}.attention_norm",
        [(residual, act, x)],
        x,
        inner,
    )
    wide = (1, ROWS, HIDDEN)
    up = b.add(
        f"{BLOCK}.ffn.0.addmm",
        Kind.MATMUL,
        f"{BLOCK}.ffn.0",
        [(norm, act, x), (f"{BLOCK}.ffn.0.weight", weight, (HIDDEN, WIDTH))],
        wide,
        inner,
        matmul=(1, ROWS, WIDTH, HIDDEN),
    )
    gelu = b.add(f"{BLOCK}.ffn.1.gelu", Kind.ELEMENTWISE, f"{BLOCK}.ffn.1", [(up, act, wide)], wide, inner)
    down = b.add(
        f"{BLOCK}.ffn.2.addmm",
        Kind.MATMUL,
        f"{BLOCK}.ffn.2",
        [(gelu, act, wide), (f"{BLOCK}.ffn.2.weight", weight, (WIDTH, HIDDEN))],
        x,
        inner,
        matmul=(1, ROWS, HIDDEN, WIDTH),
    )
    final = b.add(
        f"{BLOCK}.ffn_norm.layer_norm",
        Kind.NORMALISATION,
        f"{BLOCK}.ffn_norm",
        [(down, act, x), (norm, act, x)],
        x,
        inner,
    )
    retained = b.add("segment.mul", Kind.ELEMENTWISE, "segment", [(final, act, x)], (1, 16, WIDTH), outer)
    b.edges.append(Edge(retained, memory, TensorSpec((1, 16, WIDTH)), 0, carried=True))
    b.edges.append(Edge(final, projections["query"], TensorSpec(x), 0, carried=True))
    pooled = b.add("mean", Kind.REDUCTION, "", [(final, act, x)], (1, WIDTH), once)
    b.add(
        "head.addmm",
        Kind.MATMUL,
        "head",
        [(pooled, act, (1, WIDTH)), ("head.weight", weight, (WIDTH, 10))],
        (1, 10),
        once,
        matmul=(1, 1, WIDTH, 10),
    )
    loops = {
        SEGMENT: Loop(SEGMENT, "segment", SEGMENTS, "segment", recurrent=True),
        LAYER: Loop(LAYER, "layer", LAYERS, "segment.blocks", recurrent=True, parent=SEGMENT),
    }
    graph = OperatorGraph(tuple(b.operators), tuple(b.edges), loops, name="RMAAT", views=31)
    graph.validate()
    return graph


def _quantity(value: float, low: float = 0.55, high: float = 1.8) -> dict[str, float]:
    return {"value": value, "low": value * low, "high": value * high}


def _leaves(graph: OperatorGraph) -> list[dict[str, Any]]:
    """Energy by MACs and elements, spread over components by fixed shares."""
    shares = {
        "adc": 0.46,
        "cell": 0.07,
        "word_line_driver": 0.06,
        "bit_line_driver": 0.03,
        "dac": 0.02,
        "multiplexer": 0.02,
        "accumulation": 0.15,
        "buffer": 0.12,
        "wire": 0.07,
    }
    leaves = []

    def leaf(component: str, operator: str, energy: float, latency: float, area: float = 0.0) -> None:
        row = {"component": component, "operator": operator, "energy_J": energy, "latency_s": latency}
        leaves.append({**row, "busy_s": 3 * latency, "area_m2": area})

    for operator in graph.operators:
        if operator.phase is Phase.SETUP:
            continue
        if operator.matmul and operator.operands[1].role is Role.WEIGHT:
            energy, time = 0.06e-12 * operator.total_macs, 1.2e-6 * operator.repeat
            for component, share in shares.items():
                time_share = {"adc": 0.8, "buffer": 0.2}.get(component, 0.0)
                leaf(component, operator.id, share * energy, time_share * time)
        elif operator.matmul:
            leaf(
                "digital_mac",
                operator.id,
                0.2e-12 * operator.total_macs,
                operator.total_macs / 256e9,
            )
        else:
            numel = operator.outputs[0].numel * operator.repeat
            leaf("special_function", operator.id, 1.5e-12 * numel, numel / 64e9)
    for component, area in {
        "cell": 1.1e-6,
        "adc": 6.1e-6,
        "buffer": 0.9e-6,
        "special_function": 0.4e-6,
    }.items():
        leaf(component, "shared", 0.0, 0.0, area)
    leaf("leakage", "shared", 40e-6, 0.0)
    return leaves


def sample_document(graph: OperatorGraph | None = None, *, measured: bool = True) -> dict[str, Any]:
    """An estimate document with every key of the contract."""
    graph = graph or sample_graph()
    breakdown = _leaves(graph)
    energy = sum(leaf["energy_J"] for leaf in breakdown)
    latency = sum(leaf["latency_s"] for leaf in breakdown)
    area = sum(leaf["area_m2"] for leaf in breakdown)
    document = {
        "schema_version": 1,
        "command": "estimate",
        "name": "listops on fefet_crossbar_28nm",
        "created_utc": "2026-01-01T00:00:00Z",
        "versions": {"rmaat-hw": "0.1.0", "torch": "2.13.0"},
        "model": {
            "name": "RMAAT",
            "task": "listops",
            "config": {"d_model": WIDTH, "layers": LAYERS, "fuse_positional": True},
            "parameters": 7_512_078,
            "batch": 1,
            "sequence_length": 2048,
            "segments": SEGMENTS,
            "precision": "w8a8",
        },
        "totals": {
            "energy_J": _quantity(energy),
            "latency_s": _quantity(latency, 0.7, 1.5),
            "area_m2": _quantity(area, 0.8, 1.3),
            "average_power_W": _quantity(energy / latency),
            "tops_per_watt": _quantity(2 * graph.macs / energy * 1e-12),
            "lifetime_s": None,
        },
        "per_sequence": {"energy_J": _quantity(energy), "latency_s": _quantity(latency, 0.7, 1.5)},
        "per_real_token": {"energy_J": _quantity(energy / 1036)},
        "padding": {
            "energy_J": _quantity(0.47 * energy),
            "share": 0.47,
            "padded_tokens": 1012.0,
            "real_tokens": 1036.0,
            "memory_tokens": 64.0,
        },
        "breakdown": breakdown,
        "conservation": {
            "macs_graph": graph.macs,
            "macs_independent": graph.macs,
            "macs_mapped": graph.macs,
            "macs_setup": graph.setup_macs,
            "independent_method": "by torch.utils.flop_counter",
            "reason": None,
        },
        "coverage": graph.coverage(),
        "boundary": "chip: arrays, converters, digital unit, buffers, interconnect; no host, no regulator",
        "activity": {
            "description": "8 ListOps sequences, seed 0",
            "sequences": 8,
            "sequences_sha256": "0" * 64,
            "input_bit_density": 0.31,
            "weight_level_fraction": 0.22,
        },
        "technology": {"name": "28 nm CMOS", "node_m": 28e-9, "supply_V": 0.9},
        "design": {
            "name": "fefet_crossbar_28nm",
            "arrays": 4096,
            "tiles": 256,
            "cells": 67_108_864,
            "utilisation": 0.89,
            "rows": 128,
            "cols": 128,
        },
        "precision": {
            "weight_bits": 8,
            "input_bits": 8,
            "cell_bits": 2,
            "adc_bits_required": 9,
            "adc_bits_used": 8,
            "noise": {"quantisation": 0.29, "variation": 0.61, "total": 0.68, "enob": 7.9},
        },
        "programming": {
            "energy_J": _quantity(3.1e-6),
            "latency_s": _quantity(12e-3),
            "cells": 60_096_624,
            "breakdown": [
                {"leaf": "cell", "energy_J": _quantity(1.2e-6), "latency_s": _quantity(8e-3)},
                {"leaf": "driver", "energy_J": _quantity(1.9e-6), "latency_s": None},
                {"leaf": "read_after_write", "energy_J": None, "latency_s": _quantity(4e-3)},
            ],
        },
        "dram": {"bytes": 0, "reason": "weights and activations fit on the chip"},
        "parameters_used": [
            {
                "name": "cell.on_current",
                "value": 1.0e-6,
                "unit": "A",
                "low": 0.6e-6,
                "high": 1.7e-6,
                "basis": "measured",
                "source": "an invented source",
                "where": "Table <1> & more",
                "conditions": "300 K",
            },
            {
                "name": "adc.energy",
                "value": 1.2e-12,
                "unit": "J",
                "low": None,
                "high": None,
                "basis": "assumed",
                "source": "an invented source",
                "where": "",
                "conditions": None,
            },
        ],
        "measured": _measured() if measured else None,
        "measured_reason": None if measured else "--no-measure",
        "notes": ["Accumulation of row tiles is digital.", "Weights are programmed once & never refreshed."],
        "trace": {
            "operators": len(graph),
            "unfolded_operators": 1274,
            "seconds": 0.31,
            "loops": ["segment ×4"],
        },
        "timing": {"trace_s": 0.3, "activity_s": 1.1, "price_s": 0.05, "measure_s": 7.4, "total_s": 9.6},
    }
    return copy.deepcopy(document)


def _measured() -> dict[str, Any]:
    names = ("addmm", "mm", "bmm", "native_layer_norm", "elu", "gelu", "div", "add", "mul", "copy_", "cat")
    kernels = [
        {"name": f"aten::{name}", "module": f"{BLOCK}.m{i % 3}", "calls": 16.0}
        | {"total_s": 0.08 / (i + 1), "self_s": 0.08 / (i + 1), "device_s": 0.0, "share": 0.3 / (i + 1)}
        for i, name in enumerate(names)
    ]
    return {
        "device": {"type": "cpu", "name": "AMD EPYC"},
        "software": {"torch": "2.13.0", "threads": 2, "default_dtype": "float32"},
        "model": {"dtype": "float32"},
        "latency": {"n": 9, "p50_s": 0.351, "p95_s": 0.36},
        "memory": {"max_allocated_B": 44_671_176},
        "energy": {"value": None, "reason": "no energy counter: this system has no powercap interface"},
        "profile": {"slowdown": 1.04},
        "kernels": kernels,
    }


class SampleEstimate:
    """Stands in for ``rmaat_hw.estimate.Estimate`` where only its shape matters."""

    def __init__(self, *, incomplete: bool = False) -> None:
        self.graph = sample_graph()
        self.document = {**sample_document(self.graph), "seed": 0}
        self.incomplete = incomplete
        self.design = SimpleNamespace(files=(__file__,))
        activity = Activity(
            {},
            sequences=8,
            sequences_sha256="",
            description="invented",
            token_rows=0,
            real_tokens=0,
            padded_tokens=0,
        )
        self.mapped = SimpleNamespace(subject=SimpleNamespace(source_files=()), activity=activity)

    def to_pandas(self) -> pd.DataFrame:
        """The leaves."""
        return pd.DataFrame(self.document["breakdown"])
