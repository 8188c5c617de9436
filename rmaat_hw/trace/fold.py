"""Repeats in the recorded program: segments, layers and steps become loops.

A loop is a stretch of consecutive items of one call that repeats with a period: the same
signatures, and the same edges within each iteration. Two passes a call: first the same modules with the same
parameters again (segments, steps), then modules that differ in a number only (layers). Bodies are
searched again, so that loops nest. Numbers of operators are contiguous, so a loop is arithmetic:
``start``, ``length`` of an iteration, ``count``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from cost_models.workload.operators import Phase
from rmaat_hw.trace.records import Call, Item, RawOp, RawTrace, Replay
from rmaat_hw.trace.signature import Signer

LONGEST_PERIOD = 1024
"""Items of one iteration that are looked for; a longer body is left unfolded."""


@dataclass(slots=True, eq=False)
class FoldedLoop:
    """``count`` iterations of ``length`` operators from number ``start`` on.

    ``kept`` is the iteration that stands for all: the last one that was recorded, so that roles are
    those of the steady state (the first one where gradients go back). ``shares_weights``: the same modules
    again, not equal ones.
    """

    start: int
    length: int
    count: int
    kept: int
    axis: str
    module: str
    shares_weights: bool
    inner: list[FoldedLoop] = field(default_factory=list)
    parent: FoldedLoop | None = None
    id: str = ""
    phase: Phase = Phase.FORWARD

    @property
    def kept_start(self) -> int:
        return self.start + self.kept * self.length

    @property
    def end(self) -> int:
        return self.start + self.count * self.length


def fold(raw: RawTrace, signer: Signer) -> list[FoldedLoop]:
    """Outermost loops of the whole trace, in execution order, each with its inner ones."""
    loops = _Folder(signer).call(raw.root)
    used: dict[str, int] = {}
    for loop in _walk(loops):
        name = in_phase(loop.phase, f"{loop.module}/{loop.axis}".lstrip("/"))
        used[name] = used.get(name, 0) + 1
        loop.id = name if used[name] == 1 else f"{name}#{used[name]}"
    return loops


def in_phase(phase: Phase, name: str) -> str:
    """The name of an operator or a loop; what is no forward pass says so: ``backward:head/mm``."""
    return name if phase in (Phase.SETUP, Phase.FORWARD) else f"{phase}:{name}"


def _walk(loops: list[FoldedLoop]) -> Iterator[FoldedLoop]:
    for loop in loops:
        yield loop
        yield from _walk(loop.inner)


class _Folder:
    def __init__(self, signer: Signer) -> None:
        self.signer = signer

    def call(self, call: Call) -> list[FoldedLoop]:
        return self.items([item for item in call.items if item.length], call.path)

    def items(self, items: list[Item], path: str, exact: bool = True) -> list[FoldedLoop]:
        """Loops among consecutive items and inside those that are no part of one."""
        run = self._longest(items, exact)
        if run is None:
            if exact:
                return self.items(items, path, exact=False)
            return [
                loop for item in items if isinstance(item, Call) for loop in self.call(item)
            ]  # a replay that joined no loop stays unfolded
        first, period, count = run
        last = first + period * count
        loop = self._loop(items[first:last], period, count, path, exact)
        return [
            *self.items(items[:first], path, exact),
            *([loop] if loop is not None else []),
            *self.items(items[last:], path, exact),
        ]

    def _loop(self, items: list[Item], period: int, count: int, path: str, exact: bool) -> FoldedLoop | None:
        blocks = [items[k * period : (k + 1) * period] for k in range(count)]
        recorded = [k for k, block in enumerate(blocks) if not any(isinstance(i, Replay) for i in block)]
        if not recorded:
            return None
        phases = {item.phase for item in blocks[recorded[-1]]}
        # A segment computed again and its gradients, one after the other, are a step of the backward pass.
        phase = Phase.BACKWARD if len(phases) > 1 else phases.pop()
        chosen = recorded[0] if phase is Phase.BACKWARD else recorded[-1]
        kept = blocks[chosen]
        calls = [item for item in kept if not isinstance(item, RawOp)]
        says_segment = any("segment" in f"{call.module} {call.path}".lower() for call in calls)
        loop = FoldedLoop(
            start=items[0].start,
            length=sum(item.length for item in kept),
            count=count,
            kept=chosen,
            axis=("segment" if says_segment else "step") if exact else "layer",
            module=_common_path([item.path for block in blocks for item in block]) if calls else path,
            shares_weights=exact,
            phase=phase,
        )
        loop.inner = self.items(kept, path)
        for inner in loop.inner:
            inner.parent = loop
        return loop

    def _longest(self, items: list[Item], exact: bool) -> tuple[int, int, int] | None:
        """(first item, period, count) of the repeat that covers most items; None if there is none."""
        if len(items) < 2:
            return None
        signatures = [self.signer.of(item) for item in items]
        keys = np.array([s.exact if exact else s.alike for s in signatures])
        for first, period, count in _candidates(keys):
            found = self._confirm(items, first, period, count, exact)
            if found is not None:
                return found
        return None

    def _confirm(
        self, items: list[Item], first: int, period: int, count: int, exact: bool
    ) -> tuple[int, int, int] | None:
        """The longest stretch whose iterations have the same inner edges, if it is a loop at all."""
        edges = [self._edges(items[first + k * period : first + (k + 1) * period]) for k in range(count)]
        best_start, best = 0, 1
        start = 0
        for k in range(1, count + 1):
            if k == count or edges[k] != edges[start]:
                if k - start > best:
                    best_start, best = start, k - start
                start = k
        if best < 2:
            return None
        first += best_start * period
        block = items[first : first + period]
        if all(isinstance(item, RawOp) for item in block):
            recurrent = self._recurrent(items[first : first + best * period], period)
            if not _worth_folding(block, period, best, recurrent):
                return None
        elif not exact and not self._siblings(items, first, period):
            return None
        return first, period, best

    def _siblings(self, items: list[Item], first: int, period: int) -> bool:
        """Whether the first two iterations differ, in the number of a path or of a part of a weight."""
        pairs = [
            (items[first + k], items[first + period + k])
            for k in range(period)
            if not isinstance(items[first + k], RawOp)
        ]
        return any(a.path != b.path or self.signer.of(a).exact != self.signer.of(b).exact for a, b in pairs)

    def _edges(self, block: list[Item]) -> tuple[tuple[int, ...], ...]:
        start = block[0].start
        return tuple(
            tuple(value - start for value in values if value >= start)
            for item in block
            for _, _, values in self.signer.of(item).externals
        )

    def _recurrent(self, items: list[Item], period: int) -> bool:
        """Whether every iteration reads something of the one before."""
        starts = [items[k].start for k in range(0, len(items), period)]
        for k in range(1, len(starts)):
            block = items[k * period : (k + 1) * period]
            read = (
                value for item in block for _, _, values in self.signer.of(item).externals for value in values
            )
            if not any(starts[k - 1] <= value < starts[k] for value in read):
                return False
        return True


def _common_path(paths: list[str]) -> str:
    """Longest common beginning, in whole components: ``blocks.0``, ``blocks.1`` -> ``blocks``."""
    parts = [path.split(".") for path in paths if path]
    if not parts:
        return ""
    common = []
    for column in zip(*parts, strict=False):
        if len(set(column)) > 1:
            break
        common.append(column[0])
    return ".".join(common)


def _candidates(keys: NDArray[np.int64]) -> list[tuple[int, int, int]]:
    """Every maximal repeat (first, period, count) of a sequence, the one that covers most first."""
    found: list[tuple[int, int, int]] = []
    for period in range(1, min(len(keys) // 2, LONGEST_PERIOD) + 1):
        same = np.concatenate(([0], (keys[:-period] == keys[period:]).astype(np.int8), [0]))
        change = np.flatnonzero(np.diff(same))
        for begin, end in zip(change[::2], change[1::2], strict=True):
            if end - begin >= period:
                found.append((int(begin), period, int((end - begin) // period) + 1))
    return sorted(found, key=lambda run: (-run[1] * run[2], run[1], run[0]))


def _worth_folding(block: list[Item], period: int, count: int, recurrent: bool) -> bool:
    """Loops written as plain operators: a recurrence, or products with the same weights thrice.

    A single operator that happens to occur twice in a row is not a loop.
    """
    if period < 2:
        return False
    product = any(isinstance(item, RawOp) and item.work.matmul is not None for item in block)
    return (recurrent and (product or count > 2)) or (product and count > 2)
