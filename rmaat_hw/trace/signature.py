"""When two stretches of the program are the same program.

A signature covers operators, shapes, dtypes, product shapes and which value made inside feeds which
operand. It leaves out what only names things. Two grades: ``exact`` compares module paths and the
parameters behind product operands literally (the same module called again), ``alike`` compares them
with numbers blanked out (``layers.0`` and ``layers.1``) and the roles besides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from functools import lru_cache

from rmaat_hw.trace.records import Call, Depends, Item, RawOp, Reading, Replay

External = tuple[int, int, tuple[int, ...]]
"""(operator, counted from the item's start; operand; values made before the item)."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Two grades of equality as numbers, and what the item reads from outside."""

    exact: int
    alike: int
    externals: tuple[External, ...]


class Signer:
    """Computes signatures, children first, each once."""

    def __init__(self, intern: Callable[[Hashable], int], source_name: Callable[[int], str]) -> None:
        self._intern = intern
        self._source_name = source_name
        self._known: dict[int, Signature] = {}
        self._alive: list[Item] = []  # keeps the ids in ``_known`` from being taken again

    def of(self, item: Item) -> Signature:
        """Signature of a finished item."""
        known = self._known.get(id(item))
        if known is None:
            known = self._compute(item)
            self._known[id(item)] = known
            self._alive.append(item)
        return known

    def _compute(self, item: Item) -> Signature:
        if isinstance(item, Replay):
            template = self.of(item.template)
            value = item.value
            moved = tuple((at, k, tuple(map(value, values))) for at, k, values in template.externals)
            return Signature(template.exact, template.alike, moved)
        return self._of_call(item) if isinstance(item, Call) else self._of_op(item)

    def _of_op(self, op: RawOp) -> Signature:
        work = op.work
        common = (
            op.op, op.phase, work.matmul, work.macs, work.bytes_in, work.bytes_out,
            tuple(work.scalar_ops.items()), tuple(reading.spec for reading in op.readings), op.outputs,
        )  # fmt: skip
        fixed, roles = self._product_operands(op)
        return Signature(
            exact=self._intern((common, fixed)),
            alike=self._intern((common, tuple(map(blank, fixed)), roles)),
            externals=tuple((0, k, read.values) for k, read in enumerate(op.readings) if read.values),
        )

    def _product_operands(self, op: RawOp) -> tuple[tuple[str, ...], tuple[bool, ...]]:
        """Of each product operand: which parameter, and which part; whether it depends on the input.

        Equal modules must agree in the second too. The same module need not: in its first call a
        recurrence starts from a parameter or from zeros, later from what the call before made.
        """
        if op.work.matmul is None:
            return (), ()
        readings = [op.readings[k] for k in (op.work.matmul.left, op.work.matmul.right)]
        return tuple(map(self._part, readings)), tuple(bool(r.depends & Depends.INPUT) for r in readings)

    def _part(self, reading: Reading) -> str:
        if reading.depends & Depends.INPUT or not reading.values or reading.values[0] >= 0:
            return ""
        name = self._source_name(reading.values[0])
        return f"{name}[{reading.extent.start}:{reading.extent.stop}]" if name else ""

    def _of_call(self, call: Call) -> Signature:
        exact: list[Hashable] = []
        alike: list[Hashable] = []
        outside: list[External] = []
        for item in call.items:
            if not item.length:
                continue
            signature = self.of(item)
            inner = []
            at = item.start - call.start
            for index, operand, values in signature.externals:
                inner.append(tuple(v - call.start for v in values if v >= call.start))
                before = tuple(v for v in values if v < call.start)
                if before:
                    outside.append((at + index, operand, before))
            edges = tuple(inner)
            exact.append((signature.exact, edges))
            alike.append((signature.alike, edges))
        return Signature(
            exact=self._intern(("call", call.path, tuple(exact))),
            alike=self._intern(("call", blank(call.path), tuple(alike))),
            externals=tuple(outside),
        )


@lru_cache(maxsize=65536)
def blank(name: str) -> str:
    """``encoder.layers.3.weight`` -> ``encoder.layers.#.weight``."""
    return re.sub(r"\d+", "#", name)
