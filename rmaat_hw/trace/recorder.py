"""The recorder: a dispatch mode that writes down every ATen operator with what it reads and makes.

Identity is by storage: a tensor's value is that of its storage, plus whoever wrote a part of it since.
So ``.t()``, ``view`` and ``expand`` of a parameter are still the parameter, an in-place update is
seen by every alias, and an operator whose outputs alias an input is a view and is passed through.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch

from cost_models.workload.operators import Kind, Phase, TensorSpec
from rmaat_hw.trace import compat, tables
from rmaat_hw.trace.records import NOWHERE, Call, Depends, Extent, RawOp, RawTrace, Reading, Source
from rmaat_hw.trace.rules import Issued, base_name, stored_bytes, work_of
from rmaat_hw.trace.signature import Signer

_EMPTY = frozenset(
    {"empty", "empty_like", "empty_strided", "new_empty", "new_empty_strided", "empty_permuted"}
)
_LITERAL = frozenset({"lift_fresh", "lift_fresh_copy"})


@dataclass(slots=True)
class StorageEntry:
    """Who made a storage's content: one writer of the whole, then writers of parts."""

    reference: compat.StorageWeakRef
    value: int
    writers: tuple[int, ...] = ()
    birth: int = -1  # number of the operator that made the storage; -1: existed before
    distinct: int | None = None  # elements that differ, where a copy of an expanded tensor repeats them

    @property
    def values(self) -> tuple[int, ...]:
        return (self.value, *self.writers)


@dataclass(frozen=True, slots=True)
class OpInfo:
    """What is fixed for an overload; computed once."""

    op: str
    name: str
    composite: bool
    random: bool
    written: tuple[tuple[int, str], ...]


class Recorder(compat.TorchDispatchMode):
    """Records while it is entered; ``raw`` is the result."""

    def __init__(self, root: Call, fake_mode: compat.FakeTensorMode | None) -> None:
        super().__init__()
        self.fake_mode = fake_mode
        self.raw = RawTrace(root=root, ops={}, replays=[], sources=[])
        self.signer = Signer(self.raw.intern, self.raw.source_name)
        self.stack: list[Call] = [root]
        self.phase = Phase.FORWARD
        self.next_index = 0
        self.depends: dict[int, Depends] = {}
        self.storages: dict[int, StorageEntry] = {}
        self.marks: Any = compat.WeakTensorKeyDictionary()
        self._info: dict[Any, OpInfo] = {}

    # --- sources and values ------------------------------------------------------------------

    def register(self, tensor: torch.Tensor, kind: str, name: str, depends: Depends) -> None:
        """Declare a tensor that the program finds: a parameter, a buffer or an input."""
        reference = compat.storage_key(tensor)
        if reference.cdata not in self.storages:
            self.raw.sources.append(Source(kind, name, depends))
            value = -len(self.raw.sources)
            self.depends[value] = depends
            self.storages[reference.cdata] = StorageEntry(reference, value)

    def entry(self, tensor: torch.Tensor) -> StorageEntry:
        """The storage behind a tensor; one never seen before is a captured constant."""
        key = compat.storage_key(tensor).cdata
        if key not in self.storages:
            path = self.stack[-1].path
            self.register(tensor, "constant", f"{path or 'program'}: {_spec(tensor).shape}", Depends.CONSTANT)
        return self.storages[key]

    def depends_on(self, values: Iterable[int]) -> Depends:
        """Union over values of what they depend on."""
        union = Depends.NOTHING
        for value in values:
            union |= self.depends[value]
        return union

    def mark(self, tensor: torch.Tensor, name: str) -> None:
        """Called by ``annotate.mark_state``."""
        self.marks[tensor] = name

    # --- dispatch ----------------------------------------------------------------------------

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func.namespace == "prim":
            return func(*args, **kwargs)
        info = self._info.get(func) or self._describe(func)
        if info.composite:
            with self:
                result = func.decompose(*args, **kwargs)
            if result is not NotImplemented:
                return result
        if self.fake_mode is not None and info.name not in _LITERAL:
            args, kwargs = self._as_fake(args, kwargs)
        result = func(*args, **kwargs)
        self._note(info, args, kwargs, result)
        return result

    def _describe(self, func: Any) -> OpInfo:
        op = str(func)
        info = OpInfo(
            op=op,
            name=base_name(op),
            composite=compat.decomposes(func),
            random=compat.is_random(func),
            written=compat.written_arguments(func),
        )
        self._info[func] = info
        return info

    def _as_fake(self, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Captured real tensors enter the fake world here, so that their views keep their storage."""
        if all(isinstance(t, compat.FakeTensor) for t in tensors_of((args, tuple(kwargs.values())))):
            return args, kwargs
        convert = compat.tree_map_only

        def fake(tensor: torch.Tensor) -> torch.Tensor:
            assert self.fake_mode is not None
            return tensor if isinstance(tensor, compat.FakeTensor) else self.fake_mode.from_tensor(tensor)

        return convert(torch.Tensor, fake, args), convert(torch.Tensor, fake, kwargs)

    def _note(self, info: OpInfo, args: Any, kwargs: Any, result: Any) -> None:
        tensors = list(tensors_of((args, tuple(kwargs.values()))))
        outputs = list(tensors_of((result,)))
        if info.name in _LITERAL:
            self._adopt(tensors, outputs)
            return
        entries = [self.entry(tensor) for tensor in tensors]
        known = {entry.reference.cdata for entry in entries}
        keys = [compat.storage_key(output) for output in outputs]
        fresh = [i for i, key in enumerate(keys) if key.cdata not in known]
        written = [] if info.name in tables.RESHAPES else self._written(info, args, kwargs)
        if not written and outputs and not fresh:
            self.raw.views += 1
            for call in self.stack:
                call.views += 1
            self._inherit_mark(tensors, outputs)
            return
        if info.name in _EMPTY:  # memory without content: a source that depends on nothing
            for output in outputs:
                self.storages.pop(compat.storage_key(output).cdata, None)
                self.register(output, "empty", "", Depends.NOTHING)
                self.entry(output).birth = self.next_index
            return
        if not outputs and not written and not tensors:
            return
        index = self._append(info, args, kwargs, tensors, outputs, entries, written)
        distinct = self._distinct(self.raw.ops[index])
        for i in fresh:
            self.storages[keys[i].cdata] = StorageEntry(keys[i], index, birth=index, distinct=distinct)
        for tensor in written:
            self._overwrite(tensor, index)
        if info.name in ("clone", "_to_copy"):
            self._inherit_mark(tensors, outputs)

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
        index = self.next_index
        self.next_index += 1
        made = outputs or written
        work = work_of(Issued(info.name, tensors, args, kwargs, made))
        blind = written[0] if written and info.name in tables.OVERWRITES else None
        readings = []
        for tensor, entry in zip(tensors, entries, strict=True):
            values = () if tensor is blind else entry.values
            mark = self.marks.get(tensor, "") if self.marks else ""
            on = self.depends_on(values)
            extent = NOWHERE if on & Depends.INPUT else extent_of(tensor, entry.distinct)
            readings.append(Reading(_spec(tensor), values, on, mark, extent))
        depends = Depends.INPUT if info.random else Depends.NOTHING
        for reading in readings:
            depends |= reading.depends
        call = self.stack[-1]
        settings = "" if depends & Depends.INPUT else _settings(args, kwargs)
        specs = tuple(_spec(t) for t in made)
        raw = RawOp(index, info.op, work, tuple(readings), specs, call.path, depends, settings, self.phase)
        self.raw.ops[index] = raw
        self.depends[index] = depends
        call.items.append(raw)
        return index

    # --- storages ----------------------------------------------------------------------------

    def _distinct(self, op: RawOp) -> int | None:
        """Distinct elements of what a copy, a cast or a function of one stationary tensor makes."""
        if op.depends & Depends.INPUT or len(op.readings) != 1:
            return None
        if op.work.kind not in (Kind.MOVE, Kind.ELEMENTWISE):
            return None
        (reading,) = op.readings
        return reading.extent.elements if reading.extent.elements < reading.spec.numel else None

    def _adopt(self, tensors: list[torch.Tensor], outputs: list[torch.Tensor]) -> None:
        """``torch.tensor(...)`` inside the program: a literal, not a captured tensor."""
        for output in outputs:
            self.storages.pop(compat.storage_key(output).cdata, None)
            self.register(output, "literal", "", Depends.NOTHING)
            self.entry(output).birth = self.next_index

    def _written(self, info: OpInfo, args: Any, kwargs: Any) -> list[torch.Tensor]:
        written: list[torch.Tensor] = []
        for position, name in info.written:
            argument = args[position] if position < len(args) else kwargs.get(name)
            written.extend(tensors_of((argument,)))
        return written

    def _overwrite(self, tensor: torch.Tensor, index: int) -> None:
        entry = self.entry(tensor)
        for call in self.stack:
            if entry.birth < call.start:
                call.writes_outside = True
        if entry.value < 0 and entry.birth < 0:
            self.raw.sources[-1 - entry.value].written = True
        if stored_bytes(tensor) >= tensor.untyped_storage().nbytes():
            entry.value, entry.writers = index, ()
        else:
            entry.writers = (*entry.writers, index)

    def _inherit_mark(self, tensors: list[torch.Tensor], outputs: list[torch.Tensor]) -> None:
        if self.marks and tensors and tensors[0] in self.marks:
            for output in outputs:
                self.marks[output] = self.marks[tensors[0]]


def tensors_of(container: Iterable[Any]) -> Iterable[torch.Tensor]:
    """Tensors in an operator's arguments, in order: they are nested in lists at most."""
    for item in container:
        if isinstance(item, torch.Tensor):
            yield item
        elif isinstance(item, list | tuple):
            yield from tensors_of(item)


def _settings(args: Any, kwargs: Any) -> str:
    """Arguments that are no tensors, so that two operators on the same tensors can be told apart."""
    return str(compat.tree_map_only(torch.Tensor, lambda tensor: None, (args, kwargs)))


def extent_of(tensor: torch.Tensor, distinct: int | None = None) -> Extent:
    """Which elements of its memory a tensor shows; ``distinct`` of the memory's differ, if not all.

    Elements are real numbers: a complex one counts as two.
    """
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    start = int(tensor.storage_offset())
    moving = [(n, s) for n, s in zip(tensor.shape, tensor.stride(), strict=True) if s != 0]
    if not tensor.numel():
        return Extent(start, start, 0)
    stop = start + 1 + sum((n - 1) * s for n, s in moving)
    elements = min(prod(n for n, _ in moving), stop - start)
    return Extent(start, stop, elements if distinct is None else min(elements, distinct))


_DTYPE_NAMES: dict[torch.dtype, str] = {}


def _spec(tensor: torch.Tensor) -> TensorSpec:
    name = _DTYPE_NAMES.setdefault(tensor.dtype, str(tensor.dtype).removeprefix("torch."))
    return TensorSpec(tuple(tensor.shape), name)
