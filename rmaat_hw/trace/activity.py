"""Activity: what the operands of every product look like in bits, from real inputs.

The real module runs on real batches under a mode that looks at products only. The k-th product of the
run is the k-th of the graph written out; operator, module and shapes must agree, else the run is refused.
Activations are read from a regular sample of rows (``SAMPLE`` values a call or more, all if fewer),
scaled by the largest magnitude of the whole tensor; weights are read in full, once each.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from cost_models.workload.graph import OperatorGraph
from cost_models.workload.operators import Operator, Role
from cost_models.workload.stats import (
    Activity,
    OperandActivity,
    as_signed,
    from_histogram,
    largest_integer,
)
from device_params.errors import InputError
from rmaat_hw.trace import compat
from rmaat_hw.trace.rules import base_name, is_product
from rmaat_hw.trace.signature import blank
from rmaat_hw.trace.surroundings import (
    check_that_it_runs,
    copied_buffers,
    no_gradients,
    tensors_in,
    untouched,
)

SAMPLE = 65536
"""Values that are read of an activation in one execution of its operator, at least."""

Key = tuple[str, int]


class TraceMismatch(RuntimeError):
    """The real run is another program than the graph."""


def collect_activity(
    module: nn.Module,
    batches: Iterable[Any],
    graph: OperatorGraph,
    weight_bits: int,
    input_bits: int,
    *,
    kwargs: Mapping[str, Any] | None = None,
    sequences: int | None = None,
    sequences_sha256: str = "",
    real_tokens: int = 0,
    padded_tokens: int = 0,
    description: str = "",
) -> Activity:
    """Run ``module`` on ``batches`` and gather statistics of every product's operands.

    Args:
        module: the module that ``graph`` was captured from.
        batches: positional arguments of each run, a tuple (or a single tensor). The batch size may
            differ from that of the graph.
        graph: the captured graph.
        kwargs: keyword arguments of every run.
        weight_bits, input_bits: precision of weights and constants, and of activations and states.
        sequences: number of sequences; by default the leading sizes of the first tensors.
        sequences_sha256: hash of the sequences; by default of the tensors' bytes.
        real_tokens, padded_tokens: totals over the sequences, as the task counts them.
        description: one line for reports.

    Raises:
        TraceMismatch: the run's products are not those of the graph, or there are no data to run on.
        InputError: the program fails, an operand is not finite, fewer than two bits are asked for, or the
            graph is that of a training step.
    """
    for name, bits in (("weight_bits", weight_bits), ("input_bits", input_bits)):
        if not 2 <= bits <= 16:
            raise InputError("precision out of range", where=name, value=bits, allowed="2 to 16 bits")
    if graph.trains:
        raise InputError(
            "activity is measured on forward passes",
            where=graph.name or "graph",
            value="the graph of a training step",
            allowed="a graph that `rmaat_hw.trace.capture` made",
        )
    observer = _Observer(graph, module, weight_bits, input_bits)
    digest = hashlib.sha256()
    counted = 0
    for batch in batches:
        args = batch if isinstance(batch, tuple) else (batch,)
        leaves = compat.tree_flatten((args, dict(kwargs or {})))[0]
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        if any(tensor.is_meta for tensor in (*tensors, *(tensor for _, _, tensor in tensors_in(module)))):
            raise TraceMismatch("the program's tensors are on the device meta and hold no data")
        for tensor in tensors:
            digest.update(compat.content(tensor))
        counted += int(tensors[0].shape[0]) if tensors and tensors[0].dim() else 1
        try:
            observer.run(args, kwargs or {})
        except (TraceMismatch, InputError):
            raise
        except (Exception, SystemExit):
            # Its shapes were traced without a complaint: are the data wrong, an index outside a table?
            check_that_it_runs(module, args, kwargs or {})
            raise
    return Activity(
        operands=observer.results(),
        sequences=counted if sequences is None else sequences,
        sequences_sha256=sequences_sha256 or digest.hexdigest(),
        description=description,
        token_rows=real_tokens + padded_tokens,
        real_tokens=real_tokens,
        padded_tokens=padded_tokens,
    )


def written_out(operators: Sequence[Operator], graph: OperatorGraph, depth: int = 0) -> Iterator[Operator]:
    """Operators in order of execution, loops run ``count`` times."""
    position = 0
    while position < len(operators):
        operator = operators[position]
        if len(operator.loops) == depth:
            yield operator
            position += 1
            continue
        loop = operator.loops[depth]
        end = position
        while end < len(operators) and operators[end].loops[depth : depth + 1] == (loop,):
            end += 1
        for _ in range(graph.loops[loop].count):
            yield from written_out(operators[position:end], graph, depth + 1)
        position = end


class _Observer(compat.TorchDispatchMode):
    """Looks at products; everything else passes."""

    def __init__(self, graph: OperatorGraph, module: nn.Module, weight_bits: int, input_bits: int) -> None:
        super().__init__()
        self.graph = graph
        self.module = module
        self.weight_bits = weight_bits
        self.input_bits = input_bits
        self.products = [operator for operator in graph.operators if operator.matmul is not None]
        self.expected: Iterator[Operator] = iter(())
        self.counts: dict[tuple[Key, bool], NDArray[np.int64]] = {}  # by operand and signedness
        self.weights: set[tuple[Key, int, int]] = set()
        self.alive: list[compat.StorageWeakRef] = []  # so that no address of a seen weight is reused
        self.names: dict[int, set[str]] = {}
        for path, part in module.named_modules(remove_duplicate=False):
            self.names.setdefault(id(part), set()).add(blank(path))
        self.modules: list[nn.Module] = []
        self._products: dict[Any, bool] = {}

    def run(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        """One batch."""
        self.expected = written_out(self.products, self.graph)
        with no_gradients(), compat.plain_kernels(), untouched(self.module):
            buffers = copied_buffers(self.module)
            with compat.reparametrize(self.module, buffers), self._following(), self:
                self.module(*args, **kwargs)
        left = next(self.expected, None)
        if left is not None:
            raise TraceMismatch(f"the run ended before the graph's {left.id!r}: {_ADVICE}")

    @contextmanager
    def _following(self) -> Iterator[None]:
        """Know which module is running."""
        original = nn.Module.__call__
        modules = self.modules

        def followed(module: nn.Module, *args: Any, **kwargs: Any) -> Any:
            modules.append(module)
            try:
                return original(module, *args, **kwargs)
            finally:
                modules.pop()

        nn.Module.__call__ = followed  # type: ignore[method-assign]
        try:
            yield
        finally:
            nn.Module.__call__ = original  # type: ignore[method-assign]

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func not in self._products:
            self._products[func] = is_product(base_name(str(func)))
        if not self._products[func] and compat.decomposes(func):
            # Under inference mode composite operators arrive whole.
            with self:
                result = func.decompose(*args, **(kwargs or {}))
            if result is not NotImplemented:
                return result
        if self._products[func]:
            self._look(str(func), [a for a in args if isinstance(a, torch.Tensor)])
        return func(*args, **(kwargs or {}))

    def _look(self, op: str, tensors: list[torch.Tensor]) -> None:
        operator = next(self.expected, None)
        if operator is None:
            raise TraceMismatch(f"the run goes on with {op} after the graph's last product: {_ADVICE}")
        self._agree(operator, op, tensors)
        assert operator.matmul is not None
        for index in (operator.matmul.left, operator.matmul.right):
            key = (operator.id, index)
            if operator.operands[index].role in (Role.WEIGHT, Role.CONSTANT):
                self._weight(key, tensors[index])
            else:
                self._add(key, tensors[index], self.input_bits, SAMPLE)

    def _agree(self, operator: Operator, op: str, tensors: list[torch.Tensor]) -> None:
        """Operator, module, operand ranks and weight shapes as in the graph; the batch may differ."""
        found = f"{op} on {' and '.join(str(list(t.shape)) for t in tensors)}"
        names = self.names.get(id(self.modules[-1])) if self.modules else None
        same = op == operator.op and len(tensors) == len(operator.operands)
        same = same and (names is None or blank(operator.module) in names)
        for tensor, operand in zip(tensors, operator.operands, strict=False):
            shape = tuple(tensor.shape)
            weight = operand.role is Role.WEIGHT
            same = same and (shape == operand.spec.shape if weight else len(shape) == len(operand.spec.shape))
        if not same:
            raise TraceMismatch(f"the run does {found} where the graph has {operator.id!r}: {_ADVICE}")

    def _weight(self, key: Key, tensor: torch.Tensor) -> None:
        reference = compat.storage_key(tensor)
        seen = (key, reference.cdata, int(tensor.storage_offset()))
        if seen in self.weights:
            return
        self.weights.add(seen)
        self.alive.append(reference)
        self._add(key, tensor, self.weight_bits, tensor.numel())

    def _add(self, key: Key, tensor: torch.Tensor, bits: int, values: int) -> None:
        if not tensor.numel():
            return
        if tensor.is_complex():
            tensor = torch.view_as_real(tensor.resolve_conj())
        low, high = (float(bound) for bound in torch.aminmax(tensor.detach()))
        if not np.isfinite([low, high]).all():
            raise InputError("operand is not finite", where=f"{key[0]}, operand {key[1]}", value=(low, high))
        signed = low < 0
        top = largest_integer(bits, signed)
        largest = max(high, -low)
        scale = top / largest if largest > 0 else 0.0
        integers = (sampled(tensor, values).to(torch.float32) * scale).round_().to(torch.int32)
        bins = 2 * top + 1 if signed else top + 1
        shifted = (integers + top if signed else integers).flatten()
        counts = torch.bincount(shifted, minlength=bins).numpy()
        name = (key, signed)
        self.counts[name] = self.counts[name] + counts if name in self.counts else counts

    def results(self) -> Mapping[Key, OperandActivity]:
        """Statistics of what was gathered; an operand that was negative once is signed."""
        activities: dict[Key, OperandActivity] = {}
        for operator in self.products:
            assert operator.matmul is not None
            for index in dict.fromkeys((operator.matmul.left, operator.matmul.right)):
                key = (operator.id, index)
                weight = operator.operands[index].role in (Role.WEIGHT, Role.CONSTANT)
                bits = self.weight_bits if weight else self.input_bits
                plus, both = self.counts.get((key, False)), self.counts.get((key, True))
                if both is not None and plus is not None:
                    both = both + as_signed(counts=plus, bits=bits)
                counts = plus if both is None else both
                if counts is not None:
                    activities[key] = from_histogram(
                        counts=counts, bits=bits, signed=both is not None, weight=weight
                    )
        return activities


_ADVICE = "capture the graph anew from this module, in this mode and with inputs of this shape"


def sampled(tensor: torch.Tensor, values: int) -> torch.Tensor:
    """Every n-th slice along the longest dimensions, so that ``values`` or more are left."""
    surplus = tensor.numel() // max(values, 1)
    for dimension in sorted(range(tensor.dim()), key=lambda d: -tensor.shape[d]):
        if surplus < 2:
            break
        step = min(surplus, tensor.shape[dimension])
        tensor = tensor[(slice(None),) * dimension + (slice(None, None, step),)]
        surplus //= step
    return tensor
