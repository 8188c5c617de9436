"""What a reader should see before believing an estimate: checks, and the measured run beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rmaat_hw.report.numbers import DASH, count, digits, engineering, percent, plain_value, quantity
from rmaat_hw.report.tables import Document, Table


def precision_lines(document: Document) -> list[str]:
    """ADC bits required and used, the noise budget, signal over noise, IR drop."""
    precision = document.get("precision") or {}
    lines = []
    required, used = precision.get("adc_bits_required"), precision.get("adc_bits_used")
    if used is not None:
        clipped = "" if required is None or used >= required else " (partial sums are rounded)"
        lines.append(
            f"ADC bits: {plain_value(required)} required for lossless sums, {plain_value(used)} used{clipped}"
        )
    noise = {name: value for name, value in (precision.get("noise") or {}).items() if value is not None}
    bits, total = noise.pop("enob", None), noise.pop("total", None)
    parts = ", ".join(f"{name.replace('_', ' ')} {digits(value, 2)}" for name, value in noise.items())
    if total is not None:
        line = f"Noise of a column sum: {digits(total, 2)} steps of one cell ({parts})"
        lines.append(line + (f", {digits(bits, 2)} effective bits" if bits is not None else ""))
    if precision.get("adc_bits_needed") is not None:
        ratio, needed = precision["snr_dB"], plain_value(precision["adc_bits_needed"])
        line = "rounding removes all noise" if ratio is None else f"signal {digits(ratio, 2)} dB above noise"
        lines.append(f"Output: {line}; beyond {needed} ADC bits quantisation no longer limits it")
    return [*lines, *_ir_drop_line(precision.get("ir_drop"))]


def _ir_drop_line(drop: Mapping[str, Any] | None) -> list[str]:
    """Current that columns lose to the resistance of their lines, and whether that is too much."""
    if not drop:
        return []
    verdict = ""
    if drop["infeasible"]:
        verdict = " (not feasible: above 20 %; smaller arrays, less current or wider lines)"
    elif drop["flagged"]:
        verdict = " (above 10 %: a common gain does not hide it)"
    mean, worst = percent(drop["mean"]), percent(drop["worst"])
    return [f"IR drop: columns lose {mean} of their current on average, the worst {worst}{verdict}"]


def dram_line(document: Document) -> list[str]:
    """Does anything go to DRAM, and why?"""
    dram = document.get("dram") or {}
    if dram.get("bytes") is None:
        return []
    return [f"DRAM: {engineering(dram['bytes'], 'B')} per pass; {dram.get('reason', '')}".rstrip("; ")]


def conservation_lines(document: Document) -> list[str]:
    """Are all MACs found again, and does every operator have a rule?"""
    macs, coverage = document["conservation"], document["coverage"]
    graph, independent, mapped = (macs.get(f"macs_{w}") for w in ("graph", "independent", "mapped"))
    by = f" {macs['independent_method']}" if macs.get("independent_method") else ""
    if independent is None:
        line = f"MACs: {count(graph)} traced {_equal(graph, mapped)} {count(mapped)} mapped; "
        line += f"no independent count ({macs.get('reason') or 'no reason given'})"
    elif graph == mapped == independent:
        line = f"MACs: {count(graph)} traced = mapped = counted{by or ' independently'}"
    else:
        line = f"MACs: {count(graph)} traced {_equal(graph, mapped)} {count(mapped)} mapped, "
        line += f"{_equal(graph, independent)} {count(independent)} counted{by or ' independently'}"
    if macs.get("macs_setup"):
        line += f"; {count(macs['macs_setup'])} once, at set-up"
    return [line, coverage_line(coverage)]


def coverage_line(coverage: Mapping[str, Any]) -> str:
    """Does every operator have a rule, and if not, what is left out?"""
    unruled = coverage.get("unruled") or []
    if not unruled:
        return "Coverage: every operator has a rule"
    names = sorted({str(entry.get("op", entry.get("operator"))) for entry in unruled})
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return (
        f"Coverage: INCOMPLETE, {len(unruled)} operators without a rule ({shown}): "
        f"{percent(coverage.get('share_operators'))} of operators, "
        f"{percent(coverage.get('share_bytes'))} of bytes are not priced"
    )


def check_lines(document: Document) -> list[str]:
    """What a reader should look at before believing the numbers."""
    return [*precision_lines(document), *dram_line(document), *conservation_lines(document)]


def _equal(one: Any, other: Any) -> str:
    return "=" if one == other else "≠"


def measured_beside_modelled(document: Document, *, brief: bool = False) -> Table:
    """The same program as modelled and as measured here; each column says what it includes.

    The two have different boundaries, so no ratio is formed. ``brief`` leaves the reason for a missing
    energy counter to the page.
    """
    measured, total, model = document.get("measured"), document["totals"], document["model"]
    modelled = f"modelled: {document['design']['name']}"
    if not measured:
        reason = document.get("measured_reason") or "not asked for"
        return Table("Measured beside modelled", (), (), (f"Not measured: {reason}.",))
    device, latency = measured["device"], measured["latency"]
    name = str(device.get("name") or device.get("type"))
    here = f"measured: {name if len(name) < 34 else name[:33] + '…'}"
    energy = measured.get("energy") or {}
    joules = energy.get("value", energy.get("gross_per_iter_J"))
    memory = measured.get("memory") or {}
    peak = memory.get("max_allocated_B") or memory.get("analytic_peak_B") or memory.get("live_peak_B")
    size = "one pass" if model["batch"] is None else f"batch {model['batch']}"
    value, interval = quantity(total["latency_s"], "s")
    rows = [
        (
            f"latency, {size}",
            f"{value} ({interval})" if interval else value,
            f"p50 {engineering(latency['p50_s'], 's')}, p95 {engineering(latency['p95_s'], 's')}"
            f" of {count(latency['n'])} calls",
        )
    ]
    value, interval = quantity(total["energy_J"], "J")
    rows.append(
        (
            f"energy, {size}",
            f"{value} ({interval})" if interval else value,
            engineering(joules, "J") if joules is not None else f"not measured: {_reason(energy, brief)}",
        )
    )
    if peak is not None:
        rows.append(("peak memory", DASH, engineering(peak, "B")))
    rows.append(("arithmetic", f"{model['precision']} integers", _measured_numbers(measured)))
    rows.append(("includes", str(document["boundary"]), _measured_boundary(measured)))
    return Table(
        "Measured beside modelled",
        ("", modelled, here),
        tuple(rows),
        ("Different boundaries, so they stand side by side and are not divided.",),
    )


def _reason(energy: Mapping[str, Any], brief: bool) -> str:
    reason = str(energy.get("reason") or "no energy counter")
    return reason.partition(":")[0] if brief else reason


def _measured_numbers(measured: Mapping[str, Any]) -> str:
    software = measured.get("software") or {}
    parts = [(measured.get("model") or {}).get("dtype") or software.get("default_dtype") or ""]
    if software.get("torch"):
        parts.append(f"torch {software['torch']}")
    if measured["device"].get("type") == "cpu" and software.get("threads"):
        parts.append(f"{software['threads']} threads")
    return ", ".join(part for part in parts if part)


def _measured_boundary(measured: Mapping[str, Any]) -> str:
    if measured["device"].get("type") == "cpu":
        return "the whole call on the host: processor, memory, Python"
    return "device time of the call between two events; the host is not in it"


def measured_operators(document: Document, most: int = 12) -> dict[str, float]:
    """Measured self time [s] by operator of one call, the greatest first; the rest as ``others``."""
    measured = document.get("measured") or {}
    found: dict[str, float] = {}
    for row in measured.get("kernels") or ():
        seconds = row.get("device_s") or row.get("self_s", row.get("total_s", 0.0))
        name = str(row.get("name") or row.get("op"))
        found[name] = found.get(name, 0.0) + float(seconds or 0.0)
    ordered = sorted(((k, v) for k, v in found.items() if v > 0), key=lambda item: -item[1])
    top = dict(ordered[:most])
    if len(ordered) > most:
        top[f"{len(ordered) - most} others"] = sum(value for _, value in ordered[most:])
    return top
