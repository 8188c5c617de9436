"""``capture``: one forward pass of any ``nn.Module`` as an operator graph.

The pass runs on fake tensors (shapes and strides without data) that stand in for the module's
parameters, buffers and inputs; the module itself is left as it was. A program that looks at its data
cannot run so: it is run again on real tensors, and the trace says so.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from cost_models.workload.graph import OperatorGraph
from device_params.errors import InputError
from rmaat_hw.trace import annotate, compat
from rmaat_hw.trace.build import Builder
from rmaat_hw.trace.calls import CallTracer
from rmaat_hw.trace.fold import fold
from rmaat_hw.trace.memory import PeakBytes
from rmaat_hw.trace.recorder import Recorder
from rmaat_hw.trace.records import Call, Depends
from rmaat_hw.trace.surroundings import (
    check_that_it_runs,
    collection_paused,
    copied_buffers,
    no_gradients,
    tensors_in,
    told,
    untouched,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Trace:
    """A captured program.

    ``unfolded_operators``: operators of the program written out, views left out; ``mode``: "fake" or
    "real"; ``replayed_calls``: module calls that were not run because they equalled earlier ones;
    ``seconds``: wall time of the capture; ``peak_bytes``: memory that the step holds at most, of
    training steps.
    """

    graph: OperatorGraph
    unfolded_operators: int
    replayed_calls: int
    seconds: float
    mode: str
    notes: tuple[str, ...]
    peak_bytes: PeakBytes | None = None

    def to_pandas(self) -> pd.DataFrame:
        """The operators of the graph, one row each."""
        return self.graph.to_pandas()


def capture(
    module: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    name: str = "",
    memoise: bool = True,
    folded: bool = True,
) -> Trace:
    """Trace one forward pass of ``module(*args, **kwargs)`` without gradients.

    Args:
        module: any module, in the mode (``eval`` or ``train``) that is to be traced.
        args: example inputs; tensors may sit in lists, tuples and dicts. Only their shapes count.
        kwargs: example keyword inputs.
        name: name of the graph; the class name by default.
        memoise: do not run a module again that is called with the same kind of arguments over and
            over (see ``calls``). The graph is the same; turn it off for modules with hidden state.
        folded: merge segments, layers and steps into loops; off, every execution is an operator.

    Returns:
        The trace. Its graph is validated.

    Raises:
        InputError: the module fails on its inputs, or holds a tensor that cannot be traced.
    """
    begin = time.perf_counter()
    with collection_paused():
        recorder, mode, notes = _record_somehow(module, args, dict(kwargs or {}), memoise)
        return finished(recorder, name or type(module).__name__, folded, mode, notes, begin)


def finished(recorder: Recorder, name: str, folded: bool, mode: str, notes: list[str], begin: float) -> Trace:
    """Fold a recording and build its graph; ``begin``: when the capture began, by ``perf_counter``."""
    raw = recorder.raw
    raw.root.length = recorder.next_index
    loops = fold(raw, recorder.signer) if folded else []
    graph = Builder(raw, recorder.signer, loops, name).build()
    graph.validate()
    captured = [source.name for source in raw.sources if source.kind == "constant"]
    if captured:
        shown = "; ".join(captured[:5])
        notes.append(f"{len(captured)} captured tensor(s), neither parameter, buffer nor input: {shown}")
    if graph.unruled:
        names = sorted({operator.op for operator in graph.unruled})
        notes.append(f"operators without a rule: {', '.join(names)}")
    seconds = time.perf_counter() - begin
    return Trace(graph, raw.length, len(raw.replays), seconds, mode, tuple(notes))


def _record_somehow(
    module: nn.Module, args: Sequence[Any], kwargs: dict[str, Any], memoise: bool
) -> tuple[Recorder, str, list[str]]:
    """On fake tensors, or on real ones where that fails; which of them, and a note why."""
    try:
        return _record_fake(module, args, kwargs, memoise), "fake", []
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        # Any failure may come from a missing value or a missing fake kernel; the real run decides.
        note = f"traced on real tensors, for on fake ones: {told(error)}"
    try:
        return _record_real(module, args, kwargs), "real", [note]
    except InputError:
        raise
    except (Exception, SystemExit):
        check_that_it_runs(module, args, kwargs)
        raise


def _record_fake(module: nn.Module, args: Any, kwargs: Any, memoise: bool) -> Recorder:
    fake_mode = compat.FakeTensorMode(allow_non_fake_inputs=True)

    def fake(tensor: torch.Tensor) -> torch.Tensor:
        return fake_mode.from_tensor(tensor)

    with fake_mode, compat.quiet_fakes():
        return _record(module, args, kwargs, fake, fake_mode, memoise)


def _record_real(module: nn.Module, args: Any, kwargs: Any) -> Recorder:
    """On real tensors; buffers are copied, so that the module's own keep their content."""
    copies = copied_buffers(module)
    own = {id(tensor): copies[path] for _, path, tensor in tensors_in(module) if path in copies}

    def stand_in(tensor: torch.Tensor) -> torch.Tensor:
        return own.get(id(tensor), tensor)

    return _record(module, args, kwargs, stand_in, None, memoise=False)


def _record(
    module: nn.Module,
    args: Any,
    kwargs: Any,
    stand_in: Any,
    fake_mode: compat.FakeTensorMode | None,
    memoise: bool,
) -> Recorder:
    recorder = Recorder(Call("", type(module).__name__, 0), fake_mode)
    tracer = CallTracer(recorder, module, memoise)
    with no_gradients():
        tensors = {}
        for kind, path, tensor in tensors_in(module):
            tensors[path] = stand_in(tensor)
            recorder.register(tensors[path], kind, path, Depends.PARAMETER)
        args, kwargs = compat.tree_map_only(torch.Tensor, stand_in, (tuple(args), kwargs))
        for k, leaf in enumerate(compat.tree_flatten((args, kwargs))[0]):
            if isinstance(leaf, torch.Tensor):
                recorder.register(leaf, "input", f"input {k}", Depends.INPUT)
        with ExitStack() as stack:
            stack.enter_context(compat.plain_kernels())
            stack.enter_context(untouched(module))
            stack.enter_context(compat.reparametrize(module, tensors))
            annotate.activate(recorder)
            stack.callback(annotate.deactivate, recorder)
            stack.enter_context(tracer.patched())
            stack.enter_context(recorder)
            module(*args, **kwargs)
    return recorder
