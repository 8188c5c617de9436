"""A program on its way to the bill: traced, its activity measured, placed and scheduled."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cost_models.mapping.placement import place
from cost_models.mapping.precision import Precision
from cost_models.mapping.schedule import Schedule, schedule
from cost_models.mapping.workload import Workload
from cost_models.workload.graph import OperatorGraph
from cost_models.workload.stats import Activity
from rmaat_hw.subject import Subject

if TYPE_CHECKING:
    from rmaat_hw.trace import Trace

#: Called with one sentence as a step begins.
Progress = Callable[[str], None]


class Clock:
    """Wall time by step [s]."""

    def __init__(self) -> None:
        self.begin = self.last = time.perf_counter()
        self.steps: dict[str, float] = {}

    def stop(self, name: str) -> None:
        """The step that ends now is called ``name``."""
        now = time.perf_counter()
        self.steps[name] = now - self.last
        self.last = now

    @property
    def times(self) -> dict[str, float]:
        """All steps and the total."""
        return {**self.steps, "total_s": time.perf_counter() - self.begin}


@dataclass(frozen=True)
class Mapped:
    """A program on its way to the bill: graph, columns and schedule, with how they were made."""

    subject: Subject
    trace: Trace
    activity: Activity | None
    workload: Workload
    plan: Schedule
    notes: tuple[str, ...] = ()

    @property
    def graph(self) -> OperatorGraph:
        """The operator graph, folded."""
        return self.trace.graph


def map_program(subject: Subject, bits: Precision, tell: Progress, clock: Clock | None = None) -> Mapped:
    """Trace a program, collect the activity of its operands on real inputs, and place it."""
    from rmaat_hw.trace import TraceMismatch, capture, collect_activity

    clock = clock or Clock()
    clock.stop("prepare_s")
    tell("tracing the program")
    trace = capture(subject.module, subject.args, subject.kwargs, name=subject.name)
    clock.stop("trace_s")
    tell(f"collecting activity from {subject.sequences or 'the example'} sequences")
    activity, notes = None, trace.notes
    try:
        activity = collect_activity(
            subject.module,
            subject.activity_batches,
            trace.graph,
            weight_bits=bits.weight_bits,
            input_bits=bits.input_bits,
            kwargs=subject.kwargs,
            sequences=subject.sequences,
            sequences_sha256=subject.sequences_sha256,
            description=subject.activity_description,
            real_tokens=subject.real_tokens or 0,
            padded_tokens=subject.padded_tokens or 0,
        )
    except TraceMismatch as mismatch:
        # A program that runs otherwise on real inputs can be priced all the same, but not silently.
        notes = (*notes, f"Activity is assumed, not measured: {mismatch}")
    clock.stop("activity_s")
    tell("mapping it on the design")
    workload = place(trace.graph, activity, bits)
    on_arrays, on_digital = (workload.names(rows) for rows in (workload.on_arrays, workload.on_digital))
    plan = schedule(trace.graph, on_arrays, on_digital)
    clock.stop("map_s")
    return Mapped(subject, trace, activity, workload, plan, tuple(notes))
