"""Reader of the JSON traces that torch's profiler exports: events, nesting, time by operator and module.

The field names are those of torch 2.13 (Kineto schema 1): complete events have ``ph`` = X, ``ts`` and
``dur`` in microseconds; operators have ``cat`` = cpu_op, ``record_function`` spans user_annotation, device
work kernel, gpu_memcpy or gpu_memset, tied to its launch by ``correlation`` and to the operator
by ``External id``.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from device_params.errors import InputError

MODULE_TAG = "module:"  # record_function("module:encoder.layers.0") around a module's forward
CALL_TAG = "measure:call"  # around one call of the program
DEVICE_CATEGORIES = ("kernel", "gpu_memcpy", "gpu_memset")
_LAUNCH_CATEGORIES = ("cuda_runtime", "cuda_driver")
_MICROSECOND = 1e-6

# What a trace needs to be read again. Host name, trace name (a path), process labels and thread
# names (a user's program), and the profiler's configuration stay behind.
_KEPT_TOP = ("schemaVersion", "displayTimeUnit", "baseTimeNanoseconds", "deviceProperties", "profile_memory")
_KEPT_PHASES = ("X", "i", "s", "f")
_DROPPED_CATEGORIES = ("python_function",)  # stack frames: file names with their paths


def load(path: Path | str) -> dict[str, Any]:
    """Read an exported trace, plain or gzipped."""
    source = Path(path)
    try:
        raw = source.read_bytes()
        document = json.loads(gzip.decompress(raw) if source.suffix == ".gz" else raw)
    except (OSError, ValueError, EOFError) as error:
        raise InputError(f"cannot read the trace ({error})", where=source.name) from error
    if not isinstance(document, dict) or "traceEvents" not in document:
        raise InputError(
            "not a trace of torch's profiler: it has no traceEvents",
            where=source.name,
            remedy="export one with torch.profiler.profile.export_chrome_trace",
        )
    return document


def strip(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the trace without host name, job environment, process and thread names, paths.

    Process and thread numbers are renumbered from 0; everything ``events`` reads is kept.
    """
    numbers: dict[tuple[Any, Any], int] = {}
    kept = []
    for event in document["traceEvents"]:
        if event.get("ph") not in _KEPT_PHASES or event.get("cat") in _DROPPED_CATEGORIES:
            continue
        if event.get("cat") == "Trace" or not isinstance(event.get("pid"), int):
            continue  # spans of the profiler itself
        thread = (event["pid"], event.get("tid", 0))
        kept.append({**event, "pid": 0, "tid": numbers.setdefault(thread, len(numbers))})
    top = {key: document[key] for key in _KEPT_TOP if key in document}
    return {**top, "traceEvents": kept}


def events(document: Mapping[str, Any]) -> pd.DataFrame:
    """Return the complete events, one row each, with their nesting resolved.

    Columns: ``name, category, thread, start_s, duration_s, self_s, parent`` (row number of the
    enclosing event on the same thread, -1 at the top), ``external_id, correlation, sequence_number``
    (-1 where absent). ``start_s`` counts from the first event. ``self_s`` of a CPU event is its
    duration less that of the events directly inside it.
    """
    rows = [
        (
            event["name"],
            event.get("cat", ""),
            f"{event.get('pid')}/{event.get('tid')}",
            float(event["ts"]),
            float(event.get("dur", 0.0)),
            _number(event, "External id"),
            _number(event, "correlation"),
            _number(event, "Sequence number"),
            _number(event, "Ev Idx"),
        )
        for event in document["traceEvents"]
        if event.get("ph") == "X" and event.get("cat") not in ("Trace", *_DROPPED_CATEGORIES)
    ]
    columns = ["name", "category", "thread", "ts", "dur", "external_id", "correlation", "sequence_number"]
    table = pd.DataFrame(rows, columns=[*columns, "order"])
    # Equal start and length happen at nanosecond resolution: the outer event has the lower index.
    table["before"] = -table["dur"]
    table = table.sort_values(["thread", "ts", "before", "order"], kind="stable", ignore_index=True)
    table["start_s"] = (table["ts"] - (table["ts"].min() if len(table) else 0.0)) * _MICROSECOND
    table["duration_s"] = table["dur"] * _MICROSECOND
    table["parent"] = _parents(table)
    inner = np.zeros(len(table))
    parents = table["parent"].to_numpy(dtype=np.int64)
    np.add.at(inner, parents[parents >= 0], table["duration_s"].to_numpy()[parents >= 0])
    table["self_s"] = (table["duration_s"] - inner).clip(lower=0.0)
    return table.drop(columns=["ts", "dur", "order", "before"])


def _number(event: Mapping[str, Any], key: str) -> int:
    value = event.get("args", {}).get(key, -1)
    return int(value) if isinstance(value, int | float) else -1


def _parents(table: pd.DataFrame) -> list[int]:
    """Row number of each event's enclosing event; rows come sorted by thread, start, longest first."""
    parents: list[int] = []
    open_rows: list[tuple[int, float]] = []
    thread = None
    slack = 2e-3  # µs: time stamps are decimal nanoseconds, rounded once more by float64
    for number, (current, start, length) in enumerate(
        zip(table["thread"], table["ts"], table["dur"], strict=True)
    ):
        if current != thread:
            thread, open_rows = current, []
        while open_rows and start + length > open_rows[-1][1] + slack:
            open_rows.pop()
        parents.append(open_rows[-1][0] if open_rows else -1)
        open_rows.append((number, start + length))
    return parents


def attribute(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``module`` (innermost module tag around), ``call`` (row of the call tag around, -1 outside).

    Device events take both from the operator that launched them, named in the column ``operator``
    (row number, -1 where unknown); an operator's own is itself, a launch's the operator around it.
    """
    names, categories = table["name"].tolist(), table["category"].tolist()
    modules, calls, operators = [""] * len(table), [-1] * len(table), [-1] * len(table)
    for number, parent in enumerate(table["parent"].tolist()):  # parents come first
        if parent >= 0:
            modules[number], calls[number] = modules[parent], calls[parent]
            operators[number] = operators[parent]
        if categories[number] == "user_annotation" and names[number].startswith(MODULE_TAG):
            modules[number] = names[number].removeprefix(MODULE_TAG)
        elif categories[number] == "user_annotation" and names[number] == CALL_TAG:
            calls[number] = number
        elif categories[number] == "cpu_op":
            operators[number] = number
    launches = _first(table, table["category"].isin(_LAUNCH_CATEGORIES), "correlation")
    by_external = _first(table, table["category"] == "cpu_op", "external_id")
    correlation, external = table["correlation"].tolist(), table["external_id"].tolist()
    for number in np.flatnonzero(table["category"].isin(DEVICE_CATEGORIES)).tolist():
        launch = launches.get(correlation[number], -1)
        owner = operators[launch] if launch >= 0 else -1
        if owner < 0:
            owner = by_external.get(external[number], -1)
        if owner >= 0:
            modules[number], calls[number], operators[number] = modules[owner], calls[owner], owner
    return table.assign(module=modules, call=calls, operator=operators)


def _first(table: pd.DataFrame, rows: pd.Series[bool], column: str) -> dict[int, int]:
    """Map each value of ``column`` among ``rows`` to the number of the first row that has it."""
    numbers = np.flatnonzero(rows & (table[column] >= 0))[::-1]
    return dict(zip(table[column].to_numpy()[numbers].tolist(), numbers.tolist(), strict=True))


def summary(table: pd.DataFrame) -> dict[str, Any]:
    """Sum up the calls of the program in an attributed trace; times are means of one call.

    ``wall_s`` = ``operators_self_s`` + ``other_s`` by construction on the calling thread: what is not
    inside an operator is Python, the modules' tags, the dispatch around them and, on a GPU, waiting
    for it. ``device_s`` is the time of kernels and copies on the device, summed over streams.
    """
    spans = table[(table["name"] == CALL_TAG) & (table["category"] == "user_annotation")]
    if spans.empty:
        raise InputError(f"the trace holds no span named {CALL_TAG!r}", where="trace")
    inside = table[table["call"] >= 0]
    calls = len(spans)
    wall = spans["duration_s"].sum() / calls
    operators = inside.loc[inside["category"] == "cpu_op", "self_s"].sum() / calls
    device = inside.loc[inside["category"].isin(DEVICE_CATEGORIES), "duration_s"].sum() / calls
    return {
        "calls": calls,
        "wall_s": float(wall),
        "operators_self_s": float(operators),
        "other_s": float(wall - operators),
        "device_s": float(device),
        "operator_calls": len(inside[inside["category"] == "cpu_op"]) / calls,
        "share_of": "device_s" if device > 0 else "operators_self_s",
    }


def operator_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per operator and module, of one call of the program, dearest first.

    Columns ``name, module, calls, total_s, self_s, device_s, share``. ``total_s`` includes operators
    called inside, ``self_s`` does not; ``device_s`` is the device work the operator itself launched;
    ``share`` is of the summed device time where there is any, else of the summed self time.
    """
    inside = table[table["call"] >= 0]
    calls = max(inside["call"].nunique(), 1)
    operators = inside[inside["category"] == "cpu_op"].assign(calls=1)
    device = inside[inside["category"].isin(DEVICE_CATEGORIES) & (inside["operator"] >= 0)]
    operators = operators.assign(device_s=device.groupby("operator")["duration_s"].sum())
    operators["device_s"] = operators["device_s"].fillna(0.0)
    rows = (
        operators.groupby(["name", "module"], sort=False)
        .agg(
            calls=("calls", "sum"),
            total_s=("duration_s", "sum"),
            self_s=("self_s", "sum"),
            device_s=("device_s", "sum"),
        )
        .div(calls)
        .reset_index()
    )
    return _with_share(rows)


def module_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return one row per tagged module, of one call of the program, dearest first.

    Columns ``module, calls, total_s, self_s, device_s, share``. ``total_s`` is the time inside the
    module's forward; ``self_s`` is the self time of operators run by the module's own code, not by a
    module inside it, so that it sums to the operators' self time. ``device_s`` likewise.
    """
    inside = table[table["call"] >= 0]
    calls = max(inside["call"].nunique(), 1)
    tags = inside[(inside["category"] == "user_annotation") & inside["name"].str.startswith(MODULE_TAG)]
    spans = tags.groupby("module")["duration_s"].agg(["count", "sum"])
    operators = inside[inside["category"] == "cpu_op"].groupby("module")["self_s"].sum()
    device = inside[inside["category"].isin(DEVICE_CATEGORIES)].groupby("module")["duration_s"].sum()
    rows = pd.DataFrame(
        {"calls": spans["count"], "total_s": spans["sum"], "self_s": operators, "device_s": device}
    )
    return _with_share(rows.fillna(0.0).div(calls).rename_axis("module").reset_index())


def _with_share(rows: pd.DataFrame) -> pd.DataFrame:
    weight = rows["device_s"] if rows["device_s"].sum() > 0 else rows["self_s"]
    rows["share"] = weight / weight.sum() if weight.sum() > 0 else 0.0
    return rows.sort_values("share", ascending=False, kind="stable", ignore_index=True)


def peak_allocation(document: Mapping[str, Any]) -> tuple[int, int]:
    """Return peak and final bytes on the CPU above the start of the trace, from its memory record.

    Needs ``profile_memory=True``. What was allocated before the trace began (weights, inputs) is not
    in it; workspaces that a library takes outside torch's allocator are not either.
    """
    record = [
        (float(event["ts"]), _number(event, "Ev Idx"), int(event["args"]["Bytes"]))
        for event in document["traceEvents"]
        if event.get("name") == "[memory]" and event["args"].get("Device Type") == 0
    ]
    level = peak = 0
    for _, _, change in sorted(record):
        level += change
        peak = max(peak, level)
    return peak, level
