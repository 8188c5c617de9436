"""The tree of module calls, and calls that need not run again.

While the context is open every ``nn.Module`` call opens a node of the tree. When a parent calls the
same module again and again, nothing else in between, and the call looks just like the two before it,
whose bodies were equal, then its forward is not run: fresh fake outputs stand for its results.

What "looks just like" covers: tensor arguments (shape, strides, dtype, device, what they depend on, which
of them share memory), other arguments by value, and the python state of the module and all in it
(plain attributes by value, everything else by identity). What it cannot see is state kept elsewhere,
in a global counter say; a program like that is traced with ``memoise=False``.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from rmaat_hw.trace import compat
from rmaat_hw.trace.recorder import Recorder, StorageEntry, extent_of
from rmaat_hw.trace.records import Call, Depends, Replay

_PLAIN: tuple[type, ...] = (
    *(bool, int, float, complex, str, bytes, type(None)),
    *(torch.dtype, torch.device, torch.Size),
)
_TABLES = frozenset({"_parameters", "_buffers", "_modules"})
_HOOKS = frozenset({"_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks"})
_BOOKKEEPING = frozenset(nn.Module().__dict__) - _TABLES - _HOOKS - {"training"}


@dataclass(slots=True)
class OutputLeaf:
    """How to make one output tensor again."""

    shape: tuple[int, ...]
    strides: tuple[int, ...]
    offset: int
    dtype: torch.dtype
    device: torch.device
    storage: int  # number of its storage among the outputs
    storage_bytes: int
    values: tuple[int, ...]
    mark: str


@dataclass(slots=True)
class Recorded:
    """A call that ran, with what a later call needs to be compared with it or to stand in for it."""

    call: Call
    fingerprint: Hashable
    marks: tuple[str, ...]  # of its arguments, before it ran
    argument_values: tuple[tuple[int, ...], ...]
    argument_starts: tuple[int, ...]  # first elements of stationary arguments in their memory, else 0
    leaves: list[OutputLeaf | Any] | None
    spec: Any


@dataclass(slots=True)
class History:
    """Calls of one module by one parent call without another module in between."""

    module: nn.Module
    calls: int
    last: list[Recorded]
    parts: list[nn.Module]  # the module and all in it, as of the last call that ran


class CallTracer:
    """Opens call nodes on a recorder and replays calls where that is safe."""

    def __init__(self, recorder: Recorder, root: nn.Module, memoise: bool) -> None:
        self.recorder = recorder
        self.memoise = memoise and recorder.fake_mode is not None
        self.paths: dict[int, list[str]] = {}
        for path, module in root.named_modules(remove_duplicate=False):
            self.paths.setdefault(id(module), []).append(path)
        self.signer = recorder.signer
        self.histories: dict[int, History] = {}  # by id of the parent call

    @contextmanager
    def patched(self) -> Iterator[None]:
        """Route every module call through this object; always put back."""
        original = nn.Module.__call__
        tracer = self

        def traced(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            return tracer.call(original, module, args, kwargs)

        nn.Module.__call__ = traced  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.__call__ = original  # type: ignore[method-assign]

    def path_of(self, module: nn.Module, parent: Call) -> str:
        """Qualified name; of several names of a shared module the one below the parent."""
        known = self.paths.get(id(module))
        if known is None:  # made during the forward, or kept outside the module tree
            return f"{parent.path}.{type(module).__name__.lower()}".lstrip(".")
        below = [path for path in known if path.startswith(parent.path)]
        return (below or known)[0]

    def call(self, original: Any, module: nn.Module, args: Any, kwargs: Any) -> Any:
        """One module call: replayed, or run and recorded."""
        recorder = self.recorder
        parent = recorder.stack[-1]
        history = self.histories.get(id(parent))
        if history is None or history.module is not module:
            history = self.histories[id(parent)] = History(module, 0, [], [])
        history.calls += 1
        fingerprint: Hashable | None = None
        values: tuple[tuple[int, ...], ...] = ()
        starts: tuple[int, ...] = ()
        marks: tuple[str, ...] = ()
        if self.memoise and history.calls > 1:
            history.parts = history.parts or list(module.modules())
            fingerprint, values, starts = self._fingerprint(history.parts, args, kwargs)
            marks = self._marks(args, kwargs)
            template = self._template(history, fingerprint, marks)
            if template is not None:
                return self._replay(template, values, starts)
        call = Call(self.path_of(module, parent), type(module).__name__, recorder.next_index)
        parent.items.append(call)
        recorder.stack.append(call)
        try:
            result = original(module, *args, **kwargs)
        finally:
            recorder.stack.pop()
            call.length = recorder.next_index - call.start
            self.histories.pop(id(call), None)
        # Compared again afterwards: a body that changes its arguments or its module is not replayed.
        history.parts = list(module.modules()) if fingerprint is not None else []
        if fingerprint is not None and self._fingerprint(history.parts, args, kwargs)[0] == fingerprint:
            leaves, spec = self._describe_outputs(call, result)
            record = Recorded(call, fingerprint, marks, values, starts, leaves, spec)
            history.last = [*history.last[-1:], record]
        else:
            history.last = []
        return result

    def _template(
        self, history: History, fingerprint: Hashable | None, marks: tuple[str, ...]
    ) -> Recorded | None:
        """The last recorded call, if the two last ones are equal, closed and like this one."""
        if fingerprint is None or len(history.last) < 2:
            return None
        first, second = history.last
        for record in history.last:
            if record.fingerprint != fingerprint or record.marks != marks or record.leaves is None:
                return None
        if self.signer.of(first.call).exact != self.signer.of(second.call).exact:
            return None
        return second if all(map(self._is_closed, history.last)) else None

    def _is_closed(self, record: Recorded) -> bool:
        """The body writes nothing outside and reads there only its arguments and fixed sources."""
        if record.call.writes_outside:
            return False
        given = {value for values in record.argument_values for value in values}
        externals = self.signer.of(record.call).externals
        return all(value < 0 or value in given for _, _, values in externals for value in values)

    def _replay(
        self, template: Recorded, values: tuple[tuple[int, ...], ...], starts: tuple[int, ...]
    ) -> Any:
        recorder = self.recorder
        substitution = {
            old: new
            for olds, news in zip(template.argument_values, values, strict=True)
            for old, new in zip(olds, news, strict=True)
            if old != new
        }
        shifts = {
            value: new - old
            for of_argument, old, new in zip(
                template.argument_values, template.argument_starts, starts, strict=True
            )
            for value in of_argument
            if old != new
        }
        replay = Replay(template.call, recorder.next_index, substitution, shifts)
        recorder.stack[-1].items.append(replay)
        recorder.raw.replays.append(replay)
        recorder.next_index += replay.length
        recorder.raw.views += template.call.views
        for call in recorder.stack:
            call.views += template.call.views
        return compat.tree_unflatten(self._fresh(template, replay), template.spec)

    def _fresh(self, template: Recorded, replay: Replay) -> list[Any]:
        """New outputs, on as many new storages as the template's had."""
        recorder = self.recorder
        assert template.leaves is not None
        assert recorder.fake_mode is not None
        fresh: list[Any] = list(template.leaves)
        storages: dict[int, list[tuple[int, OutputLeaf]]] = {}
        for position, leaf in enumerate(template.leaves):
            if isinstance(leaf, OutputLeaf):
                storages.setdefault(leaf.storage, []).append((position, leaf))
        for leaves in storages.values():
            first = leaves[0][1]
            views = [(leaf.shape, leaf.strides, leaf.offset) for _, leaf in leaves]
            elements = first.storage_bytes // first.dtype.itemsize
            tensors = compat.fresh_fake(recorder.fake_mode, elements, views, first.dtype, first.device)
            values = tuple(map(replay.value, first.values))
            reference = compat.storage_key(tensors[0])
            recorder.storages[reference.cdata] = StorageEntry(reference, values[0], values[1:], replay.start)
            for old, new in zip(first.values, values, strict=True):
                recorder.depends[new] = recorder.depends[old]
            for (position, leaf), tensor in zip(leaves, tensors, strict=True):
                fresh[position] = tensor
                if leaf.mark:
                    recorder.mark(tensor, leaf.mark)
        return fresh

    # --- what a call looks like ----------------------------------------------------------------

    def _fingerprint(
        self, parts: list[nn.Module], args: Any, kwargs: Any
    ) -> tuple[Hashable | None, tuple[tuple[int, ...], ...], tuple[int, ...]]:
        """A hashable likeness of the call, None where it cannot be told; values, starts of its tensors."""
        leaves, spec = compat.tree_flatten((args, kwargs))
        likeness: list[Hashable] = [str(spec)]
        values: list[tuple[int, ...]] = []
        starts: list[int] = []
        origin: dict[tuple[int, ...], int] = {}
        seen: dict[int, int] = {}
        for leaf in leaves:
            if isinstance(leaf, torch.Tensor):
                if not isinstance(leaf, compat.FakeTensor):
                    return None, (), ()
                entry = self.recorder.entry(leaf)
                values.append(entry.values)
                shared = tuple(seen.setdefault(value, len(seen)) for value in entry.values)
                # Which source it is matters, for the body may read the same one by name.
                fixed = tuple(value for value in entry.values if value < 0)
                depends = self.recorder.depends_on(entry.values)
                layout = (leaf.shape, leaf.stride(), leaf.dtype, leaf.device, type(leaf))
                # Which part of a stationary tensor may differ (the next slice of a stack), but slices of one
                # tensor move together.
                start = 0 if depends & Depends.INPUT else extent_of(leaf).start
                starts.append(start)
                likeness.append(
                    (layout, depends, shared, fixed, start - origin.setdefault(entry.values, start))
                )
            elif isinstance(leaf, _PLAIN):
                likeness.append((type(leaf), leaf))
            else:
                return None, (), ()
        state = _python_state(parts)
        return (None if state is None else (tuple(likeness), state)), tuple(values), tuple(starts)

    def _marks(self, args: Any, kwargs: Any) -> tuple[str, ...]:
        if not self.recorder.marks:
            return ()
        leaves = compat.tree_flatten((args, kwargs))[0]
        return tuple(self.recorder.marks.get(leaf, "") for leaf in leaves if isinstance(leaf, torch.Tensor))

    def _describe_outputs(self, call: Call, result: Any) -> tuple[list[Any] | None, Any]:
        """Leaves of the result; None where it hands out anything that is not made inside the call."""
        leaves, spec = compat.tree_flatten(result)
        described: list[Any] = []
        numbers: dict[int, int] = {}
        dtypes: dict[int, torch.dtype] = {}
        for leaf in leaves:
            if isinstance(leaf, _PLAIN):
                described.append(leaf)
                continue
            if type(leaf) is not compat.FakeTensor:
                return None, spec
            entry = self.recorder.entry(leaf)
            same = numbers.setdefault(entry.reference.cdata, len(numbers))
            nbytes = leaf.untyped_storage().nbytes()
            if entry.birth < call.start or min(entry.values) < call.start:
                return None, spec
            if dtypes.setdefault(same, leaf.dtype) != leaf.dtype:
                return None, spec
            described.append(
                OutputLeaf(
                    tuple(leaf.shape), leaf.stride(), int(leaf.storage_offset()), leaf.dtype, leaf.device,
                    same, nbytes, entry.values, self.recorder.marks.get(leaf, ""),
                )
            )  # fmt: skip
        return described, spec


def _python_state(parts: list[nn.Module]) -> Hashable | None:
    """Attributes of a module and of all modules in it; None where a hook could hide anything."""
    state: list[Hashable] = []
    for part in parts:
        for name, value in part.__dict__.items():
            if name in _BOOKKEEPING:
                continue
            if name in _TABLES:
                state.append(tuple(map(id, value.values())))
            elif name in _HOOKS:
                if value:
                    return None
            elif isinstance(value, _PLAIN):
                state.append((name, value))
            else:
                state.append((name, id(value), len(value) if isinstance(value, list | dict | set) else 0))
    return tuple(state)
