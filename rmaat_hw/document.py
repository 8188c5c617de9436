"""The document of an estimate: every number with its unit, interval, boundary, activity and source."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import TYPE_CHECKING, Any

import numpy as np

from cost_models.circuits.write_path import ENERGY_LEAVES, LATENCY_LEAVES
from cost_models.cost import Breakdown, Priced
from cost_models.ferroelectric.device import GATE_FAMILIES, Slot, has_gate_stack, stack_of
from cost_models.mapping.workload import Workload
from cost_models.targets.crossbar_chip import SIMPLIFICATIONS
from cost_models.uncertainty import interval
from cost_models.workload.operators import SHARED_WORK
from device_params import Design, record

if TYPE_CHECKING:
    from rmaat_hw.mapped import Mapped
    from rmaat_hw.measure.record import Measurement

SCHEMA_VERSION = 1

#: A pulse reaches the outermost levels if its window is this share of theirs.
_REACHED = 0.9

#: Distributions whose versions an estimate depends on.
VERSIONED = ("rmaat-hw", "torch", "numpy", "scipy", "networkx", "pandas")


def compose(
    *,
    mapped: Mapped,
    design: Design,
    nominal: Priced,
    spread: Priced,
    breakdown: Breakdown,
    measurement: Measurement | None,
    extrapolated: Sequence[str],
    timing: Mapping[str, float],
    seed: int,
) -> dict[str, Any]:
    """Put the document together: plain JSON types, units in the keys, no NaN."""
    subject, graph = mapped.subject, mapped.graph
    one, many = nominal.totals(), spread.totals()
    facts = {name: _number(value) for name, value in nominal.facts.items()}
    totals: dict[str, Any] = {name: interval(_number(one[name]), many[name]) for name in one}
    # Nothing is rewritten by inference with static weights: there is no wear and so no lifetime.
    totals["lifetime_s"] = None
    conservation = _conservation(mapped)
    return {
        "schema_version": SCHEMA_VERSION,
        "command": "estimate",
        "name": f"{subject.name} on {design.name}",
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {name: _version(name) for name in VERSIONED},
        "seed": seed,
        "model": {
            "name": subject.name,
            "task": subject.task,
            "config": dict(subject.config),
            "parameters": sum(p.numel() for p in subject.module.parameters()),
            "batch": subject.batch,
            "sequence_length": subject.sequence_length,
            "segments": subject.segments,
            "precision": str(mapped.workload.precision),
        },
        "totals": totals,
        **_per_unit(mapped, totals),
        "breakdown": breakdown.records(),
        "operator_classes": _classes(mapped.workload, breakdown),
        "conservation": conservation,
        "coverage": graph.coverage(),
        "boundary": breakdown.boundary,
        "activity": _activity(mapped),
        "technology": {"name": design.components["technology"], "title": _title(design, "technology")},
        "design": {
            "name": design.name,
            "title": design.title,
            "components": dict(design.components),
            **{name: facts[name] for name in ("arrays", "tiles", "cells", "utilisation", "cells_per_weight")},
            "rows": int(design.parameters["array.rows"].value),
            "cols": int(design.parameters["array.cols"].value),
        },
        "precision": {
            "weight_bits": mapped.workload.precision.weight_bits,
            "input_bits": mapped.workload.precision.input_bits,
            "cell_bits": int(design.parameters["cell.bits"].value),
            "adc_bits_required": int(facts["adc_bits_required"]),
            "adc_bits_used": int(facts["adc_bits_used"]),
            "noise": {
                name.removeprefix("noise_"): value
                for name, value in facts.items()
                if name.startswith("noise_")
            },
            "snr_dB": facts["snr_dB"] if math.isfinite(facts["snr_dB"]) else None,
            "adc_bits_needed": int(facts["adc_bits_needed"]),
            "ir_drop": {
                "mean": facts["ir_drop_mean"],
                "worst": facts["ir_drop_worst"],
                "flagged": bool(facts["ir_drop_flagged"]),
                "infeasible": bool(facts["ir_drop_infeasible"]),
            },
        },
        "programming": {
            "energy_J": interval(facts["programming_energy_J"], spread.facts["programming_energy_J"]),
            "latency_s": interval(facts["programming_latency_s"], spread.facts["programming_latency_s"]),
            "cells": facts["cells"],
            "breakdown": _programming_leaves(facts, spread),
            "setup_energy_J": facts["setup_energy_J"],
            "setup_latency_s": facts["setup_latency_s"],
        },
        "dram": {"bytes": facts["dram_bits"] / 8, "reason": _dram_reason(mapped.workload, facts, design)},
        "parameters_used": [
            record(parameter)
            for name, parameter in design.parameters.items()
            if name in nominal.parameters_used
        ],
        "measured": measurement.to_json() if measurement else None,
        **({} if measurement else {"measured_reason": "measuring was switched off"}),
        "extrapolated": list(extrapolated),
        "notes": [
            *SIMPLIFICATIONS,
            *_weak_write(design),
            *mapped.notes,
        ],
        "trace": {
            "operators": len(graph.operators),
            "unfolded_operators": mapped.trace.unfolded_operators,
            "seconds": mapped.trace.seconds,
            "mode": mapped.trace.mode,
            "loops": [
                {"id": q.id, "axis": q.axis, "count": q.count, "module": q.module, "recurrent": q.recurrent}
                for q in graph.loops.values()
            ],
        },
        "timing": dict(timing),
    }


def _number(value: Any) -> float:
    """The first (nominal) point of a figure."""
    return float(np.asarray(value).reshape(-1)[0])


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _title(design: Design, component: str) -> str:
    from device_params.load import load_technology

    return load_technology(design.components[component]).title


def _weak_write(design: Design) -> list[str]:
    """A sentence where the write pulse does not reach the outermost levels: what it costs is no write."""
    cell = Slot(design.parameters.nominal(), "cell")
    if (
        design.families["cell"] not in GATE_FAMILIES
        or "memory_window" not in cell
        or not has_gate_stack(cell)
    ):
        return []
    stack, wanted = stack_of(cell), cell["memory_window"]
    left = stack.saturated_window * float(stack.pulse(cell["write_voltage"], cell["write_time"]).share)
    if left >= _REACHED * wanted:
        return []
    pulse = f"{cell['write_voltage']:g} V for {cell['write_time']:g} s"
    return [
        f"The write pulse, {pulse}, leaves a window of {left:.2f} V of the {wanted:.2f} V between the "
        "outermost levels: they are not reached."
    ]


def _programming_leaves(facts: Mapping[str, float], spread: Priced) -> list[dict[str, Any]]:
    """Programming by leaf: energies and times sum to their totals; null where a leaf has none."""
    rows = []
    for leaf in dict.fromkeys((*ENERGY_LEAVES, *LATENCY_LEAVES)):
        names = {"energy_J": f"programming_{leaf}_J", "latency_s": f"programming_{leaf}_s"}
        if any(facts.get(name) for name in names.values()):
            found = {
                key: interval(facts[name], spread.facts[name]) if facts.get(name) else None
                for key, name in names.items()
            }
            rows.append({"leaf": leaf, **found})
    return rows


def _scaled(quantity: Mapping[str, float], factor: float) -> dict[str, float]:
    return {name: value * factor for name, value in quantity.items()}


def _per_unit(mapped: Mapped, totals: Mapping[str, Any]) -> dict[str, Any]:
    """Energy a sequence and a real token, and the share of it that goes into padding."""
    subject = mapped.subject
    out: dict[str, Any] = {"per_sequence": None, "per_real_token": None, "padding": None}
    if subject.batch is None:
        return out
    per_sequence = {name: _scaled(totals[name], 1 / subject.batch) for name in ("energy_J", "latency_s")}
    out["per_sequence"] = per_sequence
    if not subject.real_tokens or subject.padded_tokens is None or subject.sequences is None:
        return out
    real = subject.real_tokens / subject.sequences
    padded = subject.padded_tokens / subject.sequences
    share = padded / (real + padded + subject.memory_tokens)
    out["per_real_token"] = {"energy_J": _scaled(per_sequence["energy_J"], 1 / real)}
    out["padding"] = {
        "energy_J": _scaled(per_sequence["energy_J"], share),
        "share": share,
        "padded_tokens": padded,
        "real_tokens": real,
        "memory_tokens": subject.memory_tokens,
        "note": (
            f"means over {subject.sequences} sequences; every row of a segment costs the same, "
            "so padding has its share of the rows"
        ),
    }
    return out


def _classes(workload: Workload, breakdown: Breakdown) -> list[dict[str, Any]]:
    """The bill by class of operator, and what they share."""
    names = [*workload.classes, SHARED_WORK]
    macs = [*workload.macs[:, 0], 0.0]
    rows: dict[str, dict[str, Any]] = {}
    for i, name in enumerate(names):
        row = rows.setdefault(
            name,
            {"class": name, "operators": 0, "macs": 0, "energy_J": 0.0, "latency_s": 0.0, "area_m2": 0.0},
        )
        row["operators"] += 1
        row["macs"] += int(macs[i])
        row["energy_J"] += float(breakdown.energy[:, i].sum())
        row["latency_s"] += float(breakdown.latency[:, i].sum())
        row["area_m2"] += float(breakdown.area[:, i].sum())
    return sorted(rows.values(), key=lambda row: -row["energy_J"])


def _conservation(mapped: Mapped) -> dict[str, Any]:
    """Multiply-accumulates counted in three ways; the independent one is null where nothing can count."""
    subject = mapped.subject
    by_hand = subject.macs_by_hand
    independent: int | None
    setup_independent: int | None = None
    method, reason = None, None
    if by_hand is not None:
        independent, setup_independent = by_hand["forward"], by_hand["setup"]
        method = "by closed formula"
    else:
        from rmaat_hw.trace import independent_macs

        independent, told = independent_macs(subject.module, subject.args, subject.kwargs)
        if independent is None:
            reason = told
        else:
            method = f"by {told}"
            # The counter does not know which work depends on the input: it counts both phases.
            independent -= mapped.graph.setup_macs
    out = {
        "macs_graph": mapped.graph.macs,
        "macs_independent": independent,
        "macs_mapped": round(mapped.workload.total_macs),
        "macs_setup": mapped.graph.setup_macs,
        "macs_setup_independent": setup_independent,
        "independent_method": method,
        "reason": reason,
    }
    if by_hand is not None:
        out["macs_unfused_positional"] = by_hand["forward_literal"]
    return out


def _activity(mapped: Mapped) -> dict[str, Any]:
    """Mean input density and stored level of the products on arrays, weighted by their cells and vectors."""
    work, activity = mapped.workload, mapped.activity
    weight = work.vectors * work.contraction * work.outputs * work.static
    total = max(float(weight.sum()), 1.0)
    return {
        "description": activity.description if activity else "assumed: half of all bits are one",
        "sequences": activity.sequences if activity else 0,
        "sequences_sha256": activity.sequences_sha256 if activity else None,
        "input_bit_density": float((work.input_density * weight).sum() / total),
        "weight_level_fraction_2_bit": float((work.level_fraction[:, [1]] * weight).sum() / total),
    }


def _dram_reason(work: Workload, facts: Mapping[str, float], design: Design) -> str:
    """Why DRAM is used, or why it is not."""
    size = work.precision.input_bits / 8
    capacity = design.parameters["buffer.capacity"].value
    needed = _bytes(work.working.max() * size)
    tables = f" beside {_bytes(work.table * size)} of biases and tables" if work.table else ""
    fits = "does not fit" if facts["dram_bits"] else "fits"
    return (
        f"the largest working set, {needed}, {fits} in the buffer of {_bytes(capacity)}{tables}; "
        "all matrix weights are on arrays"
    )


def _bytes(size: float) -> str:
    """A size with a decimal prefix, for a sentence."""
    unit, factor = next(((u, f) for u, f in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)) if size >= f), ("B", 1.0))
    return f"{size / factor:.3g} {unit}"
