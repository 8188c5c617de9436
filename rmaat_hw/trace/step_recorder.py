"""The recorder of a training step: it knows phases, and which module call a gradient belongs to.

With gradients on, every operator that will be differentiated leaves a node with a sequence number. The
calls of modules cut these numbers into stretches, so a node tells its call, and an operator of the
backward pass tells its node. Gradients are filed in *mirrors* of the forward calls: a tree of calls of the
same shape, in the order in which the backward pass visits them, which is what makes it fold.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from cost_models.workload.operators import Phase, Role
from rmaat_hw.trace import compat
from rmaat_hw.trace.calls import CallTracer
from rmaat_hw.trace.memory import LiveMemory
from rmaat_hw.trace.recorder import OpInfo, Recorder, StorageEntry, tensors_of
from rmaat_hw.trace.records import Call, Depends, Reading
from rmaat_hw.trace.rules import base_name

_SUMS = frozenset({"add", "_foreach_add", "clone", "_to_copy", "copy"})
_TO_NUMBER = torch.ops.aten._local_scalar_dense.default
_CONVOLUTION_BACKWARD = torch.ops.aten.convolution_backward.default
_STEPS_DONE = 1000.0
"""What an optimiser on fake tensors finds in its step counter: well beyond any warm-up of its own."""


@dataclass(frozen=True, slots=True)
class Home:
    """What a storage is to the optimiser: name and role of the operand, path of the parameter's module."""

    name: str
    role: Role
    path: str


class StepRecorder(Recorder):
    """Records one training step; the driver says where it is by ``stage``."""

    def __init__(self, root: Call, fake_mode: compat.FakeTensorMode | None) -> None:
        super().__init__(root, fake_mode)
        self.stage = Phase.FORWARD
        self.memory = LiveMemory()
        self.homes: dict[int, Home] = {}  # by storage
        self.strangers: dict[int, tuple[torch.Tensor, torch.Tensor | None]] = {}
        self._made: dict[int, list[tuple[int, int]]] = {}  # operator -> storages and elements of its results
        self._muted = False
        self._running = 1  # calls at the bottom of the stack whose code is running; mirrors stand above
        self._again: int | None = None  # node for which the running module is computed again
        self._starts: list[int] = []  # sequence numbers where another call begins to make nodes
        self._makers: list[Call] = []
        self._marked: dict[int, str] = {}  # value -> mark of the tensor that is all of it

    # --- what the driver and the tracer of calls tell ------------------------------------------

    @contextmanager
    def muted(self) -> Iterator[None]:
        """Operators run but are not written down."""
        self._muted = True
        try:
            yield
        finally:
            self._muted = False

    def begin(self, stage: Phase) -> None:
        """The next part of the step begins."""
        self._close(self._running)
        self.stage = self.phase = stage

    def settle(self, tensor: torch.Tensor, home: Home) -> None:
        """Say what the optimiser finds in a tensor's storage."""
        self.homes[compat.storage_key(tensor).cdata] = home

    def mark_gradient(self, tensor: torch.Tensor) -> None:
        """Declare the start of the backward pass, the gradient of the loss with respect to itself."""
        for value in self.entry(tensor).values:
            self.depends[value] |= Depends.GRADIENT

    def deliver(self, gradient: torch.Tensor) -> None:
        """Declare the gradient of a parameter; the terms that were summed up to it are found from there."""
        front, seen = list(self.entry(gradient).values), set[int]()
        while front:
            value = front.pop()
            if value in seen or value not in self._made:
                continue
            seen.add(value)
            for number, elements in self._made[value]:
                if elements == gradient.numel():
                    self.memory.label(number, "gradients")
            op = self.raw.ops[value]
            if base_name(op.op) in _SUMS:
                terms = (r for r in op.readings if r.spec.numel == gradient.numel())
                front.extend(v for term in terms if term.depends & Depends.GRADIENT for v in term.values)

    def mark(self, tensor: torch.Tensor, name: str) -> None:
        """Called by ``annotate.mark_state``; a saved tensor is another object, its value is the same."""
        super().mark(tensor, name)
        if tensor.numel() * tensor.element_size() == tensor.untyped_storage().nbytes():
            self._marked[self.entry(tensor).value] = name

    def current_phase(self) -> Phase:
        """A backward pass that computes with gradients on computes something again.

        So does all in a module that it calls then, even where that turns gradients off for a while,
        until another autograd node is at work.
        """
        if self.stage is not Phase.BACKWARD:
            return self.stage
        if torch.is_grad_enabled():
            return Phase.REPLAY
        again = self._again is not None and self._again == compat.current_sequence_number()
        return Phase.REPLAY if again else Phase.BACKWARD

    def enter(self, call: Call) -> tuple[int, int | None]:
        """A module call begins; returns what ``leave`` wants to know."""
        before = self._running, self._again
        self._running = len(self.stack) + 1
        self._again = compat.current_sequence_number() if call.phase is Phase.REPLAY else None
        self.stack.append(call)
        self._made_by(call)
        return before

    def leave(self, before: tuple[int, int | None]) -> None:
        """The module call ends."""
        self._close(self._running - 1)
        self._running, self._again = before
        self._made_by(self.stack[-1])

    def make_room(self, module: nn.Module, tracer: CallTracer) -> None:
        """Before a module is called within the backward pass: its call is no part of its own gradients."""
        if self.stage is not Phase.BACKWARD:
            return
        self._reflect()
        path = tracer.path_of(module, self.stack[self._running - 1])
        height = len(self.stack)
        while height > self._running and not path.startswith(f"{self.stack[height - 1].path}."):
            height -= 1
        self._close(height)

    # --- the tree of calls -------------------------------------------------------------------

    def _made_by(self, call: Call) -> None:
        self._starts.append(compat.next_sequence_number())
        self._makers.append(call)

    def _close(self, height: int) -> None:
        while len(self.stack) > height:
            call = self.stack.pop()
            call.length = self.next_index - call.start

    def _open(self, call: Call) -> None:
        self.stack[-1].items.append(call)
        self.stack.append(call)

    def _reflect(self) -> None:
        """Open the mirrors of the call that made the autograd node at work, close those of others.

        Without a node (sums of gradients, their delivery to the parameters) everything stays as it is.
        """
        number = compat.current_sequence_number()
        if number is None:
            return
        index = bisect_right(self._starts, number) - 1
        lineage = _lineage(self._makers[index] if index >= 0 else self.raw.root)
        opened = [call.origin or call for call in self.stack]
        running = self._running
        if len(lineage) < running or any(a is not b for a, b in zip(lineage, opened[:running], strict=False)):
            lineage = opened[:running]  # a node from elsewhere: the running code owns what it does
        common = running
        while common < min(len(lineage), len(opened)) and lineage[common] is opened[common]:
            common += 1
        self._close(common)
        for original in lineage[common:]:
            self._open(
                Call(
                    original.path, original.module, self.next_index,
                    phase=Phase.BACKWARD, parent=self.stack[-1], origin=original,
                )
            )  # fmt: skip

    def _attend(self, entries: list[StorageEntry]) -> None:
        """File an operator of the optimiser under the module whose parameters it works on."""
        homes = (self.homes.get(entry.reference.cdata) for entry in entries)
        paths = {home.path for home in homes if home is not None}
        if not paths:  # what it made itself a moment ago, or what belongs to no one
            start = self.stack[-1].start
            if all(value >= start for entry in entries for value in entry.values):
                return
        path = paths.pop() if len(paths) == 1 else ""
        if self.stack[-1].path == path:
            return
        self._close(self._running)
        if path:
            self._open(Call(path, "Optimizer", self.next_index, phase=Phase.OPTIMISER, parent=self.stack[-1]))

    # --- dispatch ----------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func.namespace in ("prim", "profiler"):
            return func(*args, **(kwargs or {}))
        name = func._schema.name
        if (
            name == "aten::_local_scalar_dense"
            and self.stage is Phase.OPTIMISER
            and self.fake_mode is not None
        ):
            self._note(self._info.get(func) or self._describe(func), args, kwargs or {}, _STEPS_DONE)
            return _STEPS_DONE
        if name == "aten::convolution_backward" and all(args[10][:2]):
            # Two products: with the weight and with the input.
            return self._two_products(func, types, args, kwargs)
        self.phase = self.current_phase()
        return super().__torch_dispatch__(func, types, args, kwargs)

    def _two_products(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        bias = args[10][2]
        masks = [True, False, False], [False, True, bias]
        parts = [self.__torch_dispatch__(func, types, (*args[:10], mask), kwargs) for mask in masks]
        return parts[0][0], parts[1][1], parts[1][2]

    def _note(self, info: OpInfo, args: Any, kwargs: Any, result: Any) -> None:
        if self._muted:
            return
        numbers = [(self.memory.see(t, self.phase), t.numel()) for t in tensors_of((result,))]
        index = self.next_index
        super()._note(info, args, kwargs, result)
        if self.stage is Phase.BACKWARD and self.next_index > index:
            self._made[index] = numbers

    def register(self, tensor: torch.Tensor, kind: str, name: str, depends: Depends) -> None:
        """As of any recorder; a captured tensor that would gather gradients is remembered besides."""
        if kind == "constant":
            self._meet(tensor)
        super().register(tensor, kind, name, depends)

    def _as_fake(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        for leaf in tensors_of((args, tuple(kwargs.values()))):
            if not isinstance(leaf, compat.FakeTensor):
                self._meet(leaf)
        return super()._as_fake(args, kwargs)

    def _meet(self, tensor: torch.Tensor) -> None:
        if tensor.requires_grad and tensor.is_leaf:
            self.strangers.setdefault(id(tensor), (tensor, tensor.grad))

    def _append(
        self,
        info: OpInfo,
        args: Any,
        kwargs: Any,
        tensors: list[torch.Tensor],
        outputs: list[torch.Tensor],
        entries: list[StorageEntry],
        written: list[torch.Tensor],
    ) -> int:
        if self.stage is Phase.BACKWARD:
            self._reflect()
        elif self.stage is Phase.OPTIMISER:
            self._attend(entries)
        index = super()._append(info, args, kwargs, tensors, outputs, entries, written)
        if self.stage is not Phase.FORWARD:
            raw = self.raw.ops[index]
            pairs = zip(raw.readings, entries, strict=True)
            named = replace(raw, readings=tuple(self._named(reading, entry) for reading, entry in pairs))
            self.raw.ops[index] = self.stack[-1].items[-1] = named
        return index

    def _named(self, reading: Reading, entry: StorageEntry) -> Reading:
        """What is known of an operand from elsewhere: the optimiser's tensors, marks of saved states."""
        if self.stage is Phase.OPTIMISER:
            home = self.homes.get(entry.reference.cdata)
            return reading if home is None else replace(reading, mark=home.name, role=home.role)
        if reading.mark or reading.depends & Depends.GRADIENT:
            return reading
        mark = self._marked.get(entry.value, "")
        return replace(reading, mark=mark) if mark else reading

    def _overwrite(self, tensor: torch.Tensor, index: int) -> None:
        entry = self.entry(tensor)
        source = self.raw.sources[-1 - entry.value] if entry.value < 0 else None
        written = source is not None and source.written
        super()._overwrite(tensor, index)
        if self.stage is Phase.OPTIMISER and source is not None:
            source.written = written  # weights that are learned are weights, and no state


class StepCalls(CallTracer):
    """Opens call nodes on a recorder of a training step: every call runs."""

    recorder: StepRecorder

    def __init__(self, recorder: StepRecorder, root: nn.Module) -> None:
        super().__init__(recorder, root, memoise=False)

    def call(self, original: Any, module: nn.Module, args: Any, kwargs: Any) -> Any:
        """One module call."""
        recorder = self.recorder
        recorder.make_room(module, self)
        parent = recorder.stack[-1]
        call = Call(
            self.path_of(module, parent), type(module).__name__, recorder.next_index,
            phase=recorder.current_phase(), parent=parent,
        )  # fmt: skip
        parent.items.append(call)
        before = recorder.enter(call)
        try:
            return original(module, *args, **kwargs)
        finally:
            recorder.leave(before)


def _lineage(call: Call) -> list[Call]:
    """The forward calls around a call and itself, from the root down."""
    found: list[Call] = []
    up: Call | None = call
    while up is not None:
        found.append(up.origin or up)
        up = up.parent
    return found[::-1]
