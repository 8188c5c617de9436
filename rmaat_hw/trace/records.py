"""What the recorder writes down: operators, the values they read, the tree of module calls.

A *value* is a number: ``i >= 0`` is what operator ``i`` made, ``-1 - k`` is source ``k`` (a
parameter, an input, a captured tensor). Views are passed through, so a tensor and its views share one
value. Operators are numbered in execution order, those of a call being ``start .. start + length``;
a replayed call takes as many numbers as its template, so that numbers are the same as if it had run.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, field
from enum import IntFlag
from typing import NamedTuple

from cost_models.workload.operators import Phase, Role, TensorSpec
from rmaat_hw.trace.rules import Work


class Depends(IntFlag):
    """What a value depends on; the last two occur in training steps only."""

    NOTHING = 0  # factories: arange, zeros
    INPUT = 1  # the program's input, or a random number
    PARAMETER = 2
    CONSTANT = 4  # a captured tensor
    TRAINED = 8  # a parameter that the step changes
    GRADIENT = 16  # the gradient of the loss with respect to something


@dataclass(slots=True)
class Source:
    """A tensor that the program does not make: ``kind`` is parameter, buffer, input or constant."""

    kind: str
    name: str
    depends: Depends
    written: bool = False


class Extent(NamedTuple):
    """A stretch of memory: first element, one after the last, distinct elements read from between them."""

    start: int
    stop: int
    elements: int


NOWHERE = Extent(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One operand as read: all values whose content it holds (several after partial writes).

    ``extent`` is known of what does not depend on the input. ``role``: where it is known already, and
    ``mark`` is then the operand's name.
    """

    spec: TensorSpec
    values: tuple[int, ...]
    depends: Depends
    mark: str = ""
    extent: Extent = NOWHERE
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class RawOp:
    """One recorded operator; ``settings``: its other arguments, where it does not depend on the input."""

    index: int
    op: str
    work: Work
    readings: tuple[Reading, ...]
    outputs: tuple[TensorSpec, ...]
    path: str
    depends: Depends
    settings: str = ""
    phase: Phase = Phase.FORWARD

    @property
    def start(self) -> int:
        return self.index

    @property
    def length(self) -> int:
        return 1


@dataclass(slots=True, eq=False)
class Call:
    """One call of a module: its items (operators, calls, replays) in execution order.

    In a training step also what such a call stands for later: its gradients (``origin`` is the call they
    are the gradients of), or a module's share of the optimiser's step.
    """

    path: str
    module: str  # class name
    start: int
    length: int = 0
    items: list[RawOp | Call | Replay] = field(default_factory=list)
    views: int = 0
    writes_outside: bool = False
    phase: Phase = Phase.FORWARD
    parent: Call | None = None
    origin: Call | None = None


@dataclass(slots=True, eq=False)
class Replay:
    """A call that was not run again: the template's operators on other arguments.

    ``substitution``: value for value; ``shifts``: by how much another part of a value is read here.
    """

    template: Call
    start: int
    substitution: dict[int, int]
    shifts: dict[int, int] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.template.length

    @property
    def path(self) -> str:
        return self.template.path

    @property
    def module(self) -> str:
        return self.template.module

    @property
    def phase(self) -> Phase:
        return self.template.phase

    def value(self, value: int) -> int:
        """The value that stands here where the template has ``value``."""
        inside = value - self.template.start
        if 0 <= inside < self.template.length:
            return self.start + inside
        return self.substitution.get(value, value)


Item = RawOp | Call | Replay


@dataclass(slots=True)
class RawTrace:
    """The whole recording."""

    root: Call
    ops: dict[int, RawOp]
    replays: list[Replay]
    sources: list[Source]
    views: int = 0
    interned: dict[Hashable, int] = field(default_factory=dict)

    @property
    def length(self) -> int:
        return self.root.length

    def replay_at(self, index: int) -> Replay:
        """The replay that covers an operator which was not recorded itself."""
        return self.replays[bisect_right(self.replays, index, key=lambda replay: replay.start) - 1]

    def op(self, index: int) -> RawOp:
        """Operator ``index``, from the template where it was not run."""
        while index not in self.ops:
            replay = self.replay_at(index)
            index = index - replay.start + replay.template.start
        return self.ops[index]

    def values_read(self, index: int) -> list[tuple[int, ...]]:
        """Values read by operator ``index``, operand by operand."""
        known = self.ops.get(index)
        if known is not None:
            return [reading.values for reading in known.readings]
        replay = self.replay_at(index)
        template = self.values_read(index - replay.start + replay.template.start)
        return [tuple(replay.value(value) for value in values) for values in template]

    def extents_read(self, index: int) -> list[Extent]:
        """Parts of those values, operand by operand."""
        known = self.ops.get(index)
        if known is not None:
            return [reading.extent for reading in known.readings]
        replay = self.replay_at(index)
        at = index - replay.start + replay.template.start
        extents = self.extents_read(at)
        if not replay.shifts:
            return extents
        shifts = [
            next((replay.shifts[value] for value in values if value in replay.shifts), 0)
            for values in self.values_read(at)
        ]
        return [Extent(e.start + d, e.stop + d, e.elements) for e, d in zip(extents, shifts, strict=True)]

    def source_name(self, value: int) -> str:
        """Name of source ``value`` (a negative number)."""
        return self.sources[-1 - value].name

    def intern(self, key: Hashable) -> int:
        """A small number for ``key``: equal keys, equal numbers."""
        return self.interned.setdefault(key, len(self.interned))
