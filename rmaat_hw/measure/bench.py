"""The measurement protocol: latency, memory, profile and energy, each in a run of its own."""

from __future__ import annotations

import hashlib
import json
import math
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function

from device_params.errors import InputError
from rmaat_hw.measure import environment, kineto
from rmaat_hw.measure.meter import Counter, energy_of, find_counter
from rmaat_hw.measure.placement import choose_device, placed, resident_bytes, tensors_of, to_device
from rmaat_hw.measure.record import Measurement

MIN_CALLS, MAX_CALLS = 5, 200
WARM_UP_S = 3.0  # protocol: at least 3 s; less where the budget is small, never less than one call
MAX_PROFILED_CALLS = 5
MAX_EVENTS = 200_000  # of a trace: writing and reading one costs some 30 µs an event
# Shares of the budget. What warm-up and latency leave unused falls to the later runs.
_WARM_UP_SHARE, _LATENCY_SHARE, _PROFILE_SHARE = 0.15, 0.4, 0.15

Call = Callable[[], object]


def measure(
    module: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    device: str = "auto",
    seconds_budget: float = 20.0,
    progress: Callable[[str], None] | None = None,
    counter: Counter | None = None,
    trace_file: Path | str | None = None,
) -> Measurement:
    """Measure one forward pass of ``module(*args, **kwargs)`` on this machine.

    Four runs, never at once: latency without any instrument; peak memory; torch's profiler with a tag
    around every module; energy, where a counter exists. The module is taken as given (``eval`` or
    not) under ``torch.no_grad``, and stands where it stood when the function returns.

    Args:
        device: ``auto`` (the first GPU when there is one, else the CPU), ``cpu``, ``cuda`` or ``cuda:1``.
        seconds_budget: wall time to aim at, in seconds; a program so slow that warm-up, five timed
            calls, memory and profile do not fit is still measured and takes longer.
        progress: called with one sentence as each run begins.
        counter: energy counter to use instead of what this machine offers.
        trace_file: where to keep the profiler's trace, stripped of names and paths.

    Returns:
        A ``Measurement``; every figure is of one call.
    """
    if not (isinstance(seconds_budget, int | float) and 0 < seconds_budget < math.inf):
        raise InputError(
            "not a measuring time", where="seconds_budget", value=seconds_budget, allowed="seconds above 0"
        )
    target = choose_device(device)
    tell = progress or (lambda sentence: None)
    began = time.perf_counter()

    def left() -> float:
        return seconds_budget - (time.perf_counter() - began)

    with ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(torch.random.fork_rng(devices=[target] if target.type == "cuda" else []))
        if target.type == "cuda":
            stack.enter_context(torch.cuda.device(target))
        stack.enter_context(placed(module, target))
        on_target = to_device((tuple(args), dict(kwargs or {})), target)

        def call() -> object:
            return module(*on_target[0], **on_target[1])

        tell(f"warm-up on {target.type}")
        warm_up = _warm_up(call, target, seconds_budget * _WARM_UP_SHARE)
        tell("latency, without instruments")
        latency = _latency(call, target, seconds_budget * _LATENCY_SHARE)
        latency.update(warm_up)
        tell("peak memory")
        memory, events_per_call = _memory(call, target, resident_bytes(module, on_target))
        tell("profile by operator and module")
        names = {id(part): name for name, part in module.named_modules()}
        budget = min(seconds_budget * _PROFILE_SHARE, left())
        document = _profile(call, target, names, budget, MAX_EVENTS // events_per_call - 1)
        tell("energy")
        meter = counter or find_counter(target)
        energy, clocks = energy_of(meter, call, _synchroniser(target), budget_s=left())

    if trace_file is not None:
        Path(trace_file).write_text(json.dumps(document), encoding="utf-8")
    table = kineto.attribute(kineto.events(document))
    described = {**environment.device(target), **meter.describe()}
    profile_summary = kineto.summary(table)
    # How much slower the program is with the profiler and the tags on: the times of ``kernels`` carry it.
    profile_summary["slowdown"] = profile_summary["wall_s"] / latency["p50_s"]
    kernels = kineto.operator_table(table).assign(phase="forward")
    modules = kineto.module_table(table)
    classes = {name or "(root)": type(part).__name__ for name, part in module.named_modules()}
    modules["class"] = [classes.get(name, "") for name in modules["module"]]
    created = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    digest = hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
    return Measurement(
        id=f"{created}-{digest[:8]}",
        created_utc=created,
        host=environment.host(),
        device=described,
        clocks=clocks,
        software=environment.software(),
        model=_model(module),
        workload=_workload(module, on_target),
        latency=latency,
        throughput={"steps_per_s": 1.0 / latency["p50_s"]},
        memory=memory,
        energy=energy,
        profile=profile_summary,
        kernels=_rows(kernels),
        modules=_rows(modules),
        provenance={
            "command": "rmaat_hw.measure",
            "trace_sha256": digest,
            "seconds_budget": seconds_budget,
            "seconds_spent": time.perf_counter() - began,
        },
    )


def _synchroniser(target: torch.device) -> Callable[[], None]:
    """Return what waits until the device has finished (nothing to wait for on a CPU)."""
    if target.type == "cuda":
        return lambda: torch.cuda.synchronize(target)
    return lambda: None


def _warm_up(call: Call, target: torch.device, budget_s: float) -> dict[str, Any]:
    """Call until 3 s, or the share of the budget, is over: allocator, caches and clocks settle."""
    synchronise = _synchroniser(target)
    began = time.perf_counter()
    calls = 0
    while calls == 0 or time.perf_counter() - began < min(WARM_UP_S, budget_s):
        call()
        synchronise()
        calls += 1
    return {"warmup": calls, "warmup_s": time.perf_counter() - began}


def _latency(call: Call, target: torch.device, budget_s: float) -> dict[str, Any]:
    """Time single calls, 5 to 200 of them, as many as fit; on a GPU by events on its stream."""
    timed = _timed_on_gpu if target.type == "cuda" else _timed_on_cpu
    values: list[float] = []
    began = time.perf_counter()
    while len(values) < MIN_CALLS or (
        len(values) < MAX_CALLS and time.perf_counter() - began < budget_s - values[-1]
    ):
        values.append(timed(call))
    array = np.array(values)
    return {
        "n": len(values),
        "p50_s": float(np.percentile(array, 50)),
        "p95_s": float(np.percentile(array, 95)),
        "min_s": float(array.min()),
        "mean_s": float(array.mean()),
        "std_s": float(array.std(ddof=1)),
        "clock": "cuda_event" if target.type == "cuda" else "perf_counter",
        "values_s": values,
    }


def _timed_on_cpu(call: Call) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def _timed_on_gpu(call: Call) -> float:
    """Time on the device's stream between the call's first and last work, launch gaps included."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) * 1e-3  # milliseconds by torch's definition


def _memory(call: Call, target: torch.device, resident_B: int) -> tuple[dict[str, Any], int]:
    """Return the group ``memory``, of one call, and how many events that call leaves in a trace."""
    memory: dict[str, Any] = {"resident_B": resident_B}
    if target.type == "cuda":
        torch.cuda.synchronize(target)
        torch.cuda.reset_peak_memory_stats(target)
    with _exported(profile(activities=[ProfilerActivity.CPU], profile_memory=True)) as document:
        call()
    if target.type == "cuda":
        torch.cuda.synchronize(target)
        free, total = torch.cuda.mem_get_info(target)
        memory["max_allocated_B"] = torch.cuda.max_memory_allocated(target)
        memory["max_reserved_B"] = torch.cuda.max_memory_reserved(target)
        memory["device_used_B"] = total - free
        memory["method"] = "torch's CUDA allocator; device_used_B is of the whole card, every process"
    else:
        peak, _ = kineto.peak_allocation(document)
        memory["activations_peak_B"] = peak
        memory["max_allocated_B"] = resident_B + peak
        memory["method"] = (
            "resident parameters, buffers and inputs + the peak of the profiler's allocator record during "
            "one call; workspaces outside torch's allocator are not in it"
        )
    memory["peak_rss_B"] = _peak_rss_B()
    memory["peak_rss_note"] = "of the whole process since its start, interpreter and libraries included"
    if memory["peak_rss_B"] is None:
        memory["reason"] = "peak_rss_B: this operating system has no getrusage"
    return memory, max(len(document["traceEvents"]), 1)


def _peak_rss_B() -> int | None:
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # bytes there, KiB on Linux (getrusage(2))


@contextmanager
def _exported(profiler: Any) -> Iterator[dict[str, Any]]:
    """Run the body under the profiler; the dictionary given out holds the stripped trace afterwards."""
    # Kineto prints its own start and stop lines on standard error unless told not to, once a process.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    document: dict[str, Any] = {}
    with profiler:
        yield document
    with tempfile.TemporaryDirectory(prefix="rmaat-hw-") as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        document.update(kineto.strip(kineto.load(path)))


def _profile(
    call: Call, target: torch.device, names: Mapping[int, str], budget_s: float, most: int
) -> dict[str, Any]:
    """Profile one to five calls (at most ``most``), every module tagged, after one that is not counted."""
    activities = [ProfilerActivity.CPU]
    if target.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    synchronise = _synchroniser(target)
    with _tagged(names), _exported(profile(activities=activities)) as document:
        began = time.perf_counter()
        call()  # the first call under the profiler pays for its buffers
        synchronise()
        first = time.perf_counter() - began
        fitting = int((budget_s - first) / max(first, 1e-9))
        for _ in range(max(1, min(fitting, most, MAX_PROFILED_CALLS))):
            with record_function(kineto.CALL_TAG):
                call()
                synchronise()
    return document


@contextmanager
def _tagged(names: Mapping[int, str]) -> Iterator[None]:
    """Put a profiler span around the forward of every named module, for the time of the body.

    Global hooks, not hooks of each module: the latter switch off the fused paths of torch's encoder
    layers, and another program would be profiled than was timed.
    """
    spans: list[Any] = []

    def enter(part: nn.Module, _: Any) -> None:
        span = None
        if id(part) in names:
            span = record_function(f"{kineto.MODULE_TAG}{names[id(part)] or '(root)'}")
            span.__enter__()
        spans.append(span)

    def leave(part: nn.Module, _: Any, __: Any) -> None:
        span = spans.pop()
        if span is not None:
            span.__exit__(None, None, None)

    before = nn.modules.module.register_module_forward_pre_hook(enter)
    after = nn.modules.module.register_module_forward_hook(leave, always_call=True)
    try:
        yield
    finally:
        before.remove()
        after.remove()


def _rows(table: pd.DataFrame) -> tuple[dict[str, Any], ...]:
    return tuple({str(key): value for key, value in row.items()} for row in table.to_dict("records"))


def _model(module: nn.Module) -> dict[str, Any]:
    parameters = list(module.parameters())
    dtypes = sorted({str(tensor.dtype).removeprefix("torch.") for tensor in parameters})
    return {
        "name": type(module).__name__,
        "params": sum(tensor.numel() for tensor in parameters),
        "dtype": "+".join(dtypes) or "none",
        "autocast": torch.is_autocast_enabled(),
    }


def _workload(module: nn.Module, on_target: Any) -> dict[str, Any]:
    return {
        "mode": "fwd",
        "training_flag": module.training,
        "inputs": [
            {"shape": list(tensor.shape), "dtype": str(tensor.dtype).removeprefix("torch.")}
            for tensor in tensors_of(on_target)
        ],
    }
