"""Memory replay: back-propagation through a segment recurrence that keeps one segment's activations.

RMAAT trains so (AMRB, arXiv 2601.00426, §3.3, after Memformer's MRBP, arXiv 2010.06891, Algorithm 1):
the forward keeps the memory between segments and nothing else; the backward takes the segments from the
last to the first, runs each again from the memory it began with, and carries the gradient of the memory
on to the segment before. The gradients are those of full back-propagation through time, not truncated
ones. Nothing here knows RMAAT: any function from memory and inputs to the next memory will do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.autograd.graph import get_gradient_edge
from torch.utils._pytree import tree_flatten, tree_map, tree_unflatten

from device_params.errors import InputError, nearest_name
from rmaat_hw.model.replay_state import RandomState, autocast_states, hooks_off, under

READOUTS = ("last", "sum", "all")

Step = Callable[..., tuple[Any, Any]]
"""``step(memory, *inputs, *shared) -> (next memory, readout)``; each a tensor or a tree of tensors."""


def segment_recurrence(
    step: Step,
    inputs: Sequence[Sequence[Any]],
    memory: Any,
    *,
    shared: Sequence[Any] = (),
    readout: str = "last",
    final: Step | None = None,
) -> tuple[Any, Any]:
    """The same recurrence as :func:`memory_replay` under plain autograd (back-propagation through time).

    Args, returns and errors: see there.
    """
    _check(inputs, readout)
    collected: list[Any] = []
    *earlier, last = inputs
    for segment in earlier:
        memory, out = step(memory, *segment, *shared)
        _collect(collected, out, readout)
    memory, out = (final or step)(memory, *last, *shared)
    _collect(collected, out, readout)
    return (collected if readout == "all" else collected[0]), memory


@torch.compiler.disable
def memory_replay(
    step: Step,
    inputs: Sequence[Sequence[Any]],
    memory: Any,
    *,
    parameters: Iterable[Tensor] = (),
    shared: Sequence[Any] = (),
    readout: str = "last",
    final: Step | None = None,
    preserve_random_state: bool = True,
) -> tuple[Any, Any]:
    """Run a segment recurrence whose backward replays the segments one by one.

    Use it like a plain loop and call ``backward()`` on a loss made of its results: gradients accumulate
    in ``parameters`` as always, so gradient accumulation, loss scaling, clipping and optimisers need no
    change. Segments 1 … T-1 run without a graph and are replayed in the backward; the last one runs
    under plain autograd, because its activations are wanted at once and a second pass over it would be
    work for nothing. Held between forward and backward: T memories, the activations of one segment, and
    the inputs. Time: one more forward of T-1 segments.

    * ``step`` must be a pure function of its arguments, ``parameters`` and the random state: the replay
      has to do what the first pass did. It changes no buffer (no batch norm that is still learning its
      statistics) and no argument in place.
    * Dropout: the random state at the beginning of each segment is kept and restored for its replay.
    * Autocast: the replay runs under the autocast of the forward. Its cache of cast weights is off
      inside, because a cast made without a graph would be taken for one that has it.
    * A compiled ``step`` may be given; the recurrence itself stays outside the compiler.
    * ``DistributedDataParallel``: each parameter gets its gradient once a backward, so its all-reduce
      starts once; ``no_sync`` is for gradient accumulation only, as without replay.
    * Second derivatives are not available.

    Args:
        step: one segment: ``step(memory, *inputs_t, *shared)`` gives the next memory and a readout.
        inputs: for each of the T segments a sequence of arguments; tensors among them that require a
            gradient receive it.
        memory: the memory before the first segment, a tensor or a tree of tensors.
        parameters: every tensor that requires a gradient and that ``step`` uses without being handed
            it, for instance ``module.parameters()``. One that is missing is an error.
        shared: further arguments, the same for all segments; they may hang on a graph of their own,
            which is back-propagated once, with the sum over all segments.
        readout: what becomes of the readouts: "last" keeps the one of the last segment, "sum" adds up
            those of all segments, "all" returns the list of all (and holds them in memory).
        final: the last segment's step, where it is another one: with readout "last" the segments before
            it need not compute what only a readout would hold.
        preserve_random_state: save and restore the random state; off where ``step`` draws nothing.

    Returns:
        The readout and the memory after the last segment.

    Raises:
        InputError: no segment, an unknown ``readout``, or ``step`` changed an argument in place or used a
            tensor that requires a gradient and is neither an argument of it nor among ``parameters``. The
            last is also looked for in the backward, where a ``step`` that ``final`` replaces, or one whose
            parameters ``functional_call`` has put back since, would lose it.

    Example:
        >>> cell = torch.nn.GRUCell(3, 4)
        >>> steps = [(x,) for x in torch.randn(5, 2, 3)]
        >>> step = lambda h, x: (cell(x, h), None)
        >>> _, h = memory_replay(step, steps, torch.zeros(2, 4), parameters=cell.parameters())
        >>> h.sum().backward()
    """
    _check(inputs, readout)
    *earlier, last = inputs
    if not earlier or not torch.is_grad_enabled():
        return segment_recurrence(step, inputs, memory, shared=shared, readout=readout, final=final)
    named = tuple({id(p): p for p in parameters if p.requires_grad}.values())  # each once
    arguments = (memory, tuple(shared), [tuple(segment) for segment in earlier])
    plan = _Plan(step, *arguments, named, readout, preserve_random_state)
    outputs = _Replayed.apply(plan, *_tensors(arguments), *named)
    memory, collected = plan.result.filled(outputs)
    handed = _tensors((memory, tuple(last), tuple(shared)))
    memory, out = (final or step)(memory, *last, *shared)
    _refuse_unnamed(_tensors((memory, out)), handed, named)
    _collect(collected, out, readout)
    return (collected if readout == "all" else collected[0]), memory


class _Tree:
    """The shape of a tree of arguments: its leaves, the tensors among them left out.

    It holds no tensor, because a node of the graph that holds its own outputs is never freed.
    """

    def __init__(self, tree: Any) -> None:
        leaves, self._spec = tree_flatten(tree)
        self._leaves = [None if isinstance(leaf, Tensor) else leaf for leaf in leaves]
        self._places = [k for k, leaf in enumerate(leaves) if isinstance(leaf, Tensor)]

    def filled(self, tensors: Iterable[Any]) -> Any:
        """The tree with tensors (or other leaves) in their places."""
        leaves = list(self._leaves)
        for place, tensor in zip(self._places, tensors, strict=True):
            leaves[place] = tensor
        return tree_unflatten(leaves, self._spec)

    def __len__(self) -> int:
        return len(self._places)


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_flatten(tree)[0] if isinstance(leaf, Tensor)]


class _Plan:
    """One call of ``memory_replay``: what forward and backward share, the tensors apart."""

    def __init__(
        self,
        step: Step,
        memory: Any,
        shared: tuple[Any, ...],
        earlier: list[tuple[Any, ...]],
        named: tuple[Tensor, ...],
        readout: str,
        preserve_random_state: bool,
    ) -> None:
        self.step = step
        self.named = named
        self.readout = readout
        self.memory = _Tree(memory)
        self.shared = _Tree(shared)
        self.inputs = [_Tree(segment) for segment in earlier]
        self.memories: list[_Tree] = []
        self.result: _Tree
        self.carried = 0  # tensors of the memory after segment T-1
        self._random: list[RandomState] | None = [] if preserve_random_state else None
        self._autocast = autocast_states(_tensors((memory, shared, earlier)))

    @property
    def count(self) -> int:
        """Tensors in memory, shared arguments and the inputs of all segments."""
        return sum(map(len, (self.memory, self.shared, *self.inputs)))

    def dealt(self, of_tensors: Sequence[Any]) -> tuple[Sequence[Any], Sequence[Any], list[Sequence[Any]]]:
        """Deal a list, one entry a tensor, out to memory, shared and the inputs of each segment."""
        parts, start = [], 0
        for tree in (self.memory, self.shared, *self.inputs):
            parts.append(of_tensors[start : start + len(tree)])
            start += len(tree)
        return parts[0], parts[1], parts[2:]

    def first_pass(self, tensors: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Run the segments without a graph; tensors of the result, and of the memories on the way."""
        own, shared_tensors, inputs = self.dealt(tensors)
        memory, shared = self.memory.filled(own), self.shared.filled(shared_tensors)
        collected: list[Any] = []
        between: list[Tensor] = []
        with under(self._autocast):
            for tree, given in zip(self.inputs, inputs, strict=True):
                self.memories.append(_Tree(memory))
                between += _tensors(memory)
                if self._random is not None:
                    self._random.append(RandomState(tensors))
                fed = _tensors((memory, given, shared))
                versions = [t._version for t in fed]
                memory, out = self.step(memory, *tree.filled(given), *shared)
                if versions != [t._version for t in fed]:
                    raise _changed_in_place(fed, versions)
                if self.readout != "last":
                    _collect(collected, out, self.readout)
        self.result = _Tree((memory, collected))
        self.carried = len(_Tree(memory))
        return _tensors((memory, collected)), between

    def replay(
        self, segment: int, memory: Sequence[Tensor], inputs: Sequence[Tensor], shared: Sequence[Tensor]
    ) -> list[Tensor]:
        """Run one segment again, with a graph; what of it went into the result."""
        with ExitStack() as stack:
            if self._random is not None:
                stack.enter_context(self._random[segment].restored())
            stack.enter_context(under(self._autocast))
            stack.enter_context(torch.enable_grad())
            following, out = self.step(
                self.memories[segment].filled(memory),
                *self.inputs[segment].filled(inputs),
                *self.shared.filled(shared),
            )
        return _tensors(following if self.readout == "last" else (following, out))


class _Replayed(torch.autograd.Function):
    """Segments 1 … T-1 as one node of the graph."""

    @staticmethod
    def forward(ctx: Any, plan: _Plan, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.plan = plan
        result, between = plan.first_pass(tensors[: plan.count])
        # Saved rather than held: autograd then refuses tensors that were changed in between.
        ctx.save_for_backward(*tensors, *between[len(plan.memory) :])
        ctx.mark_non_differentiable(*(t for t in result if not _has_gradient(t)))
        return tuple(result)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        plan: _Plan = ctx.plan
        saved = ctx.saved_tensors
        own, shared, inputs = plan.dealt(saved[: plan.count])
        between = iter((*own, *saved[plan.count + len(plan.named) :]))
        memories = [list(islice(between, len(tree))) for tree in plan.memories]
        _, shared_needed, inputs_needed = plan.dealt(ctx.needs_input_grad[1 : 1 + plan.count])

        memory_gradient, readout_gradients = _dealt_gradients(plan, gradients)
        shared_sum: list[Tensor | None] = [None] * len(shared)
        named_sum: list[Tensor | None] = [None] * len(plan.named)
        input_gradients: list[list[Tensor | None]] = [[] for _ in inputs]
        for segment in reversed(range(len(inputs))):
            memory = [_leaf(t, _has_gradient(t)) for t in memories[segment]]
            fixed = [_leaf(t, wanted) for t, wanted in zip(shared, shared_needed, strict=True)]
            fed = [_leaf(t, w) for t, w in zip(inputs[segment], inputs_needed[segment], strict=True)]
            made = plan.replay(segment, memory, fed, fixed)
            if segment == len(inputs) - 1:  # the others take the same step
                _refuse_unnamed(made, [*memory, *fed, *fixed], plan.named)
            arriving = [*memory_gradient, *readout_gradients[segment]]
            with hooks_off(plan.named):
                found = iter(_gradients(made, arriving, [*memory, *fed, *fixed, *plan.named]))
            memory_gradient = list(islice(found, len(memory)))
            input_gradients[segment] = list(islice(found, len(fed)))
            _accumulate(shared_sum, found)
            _accumulate(named_sum, found)
        return (None, *memory_gradient, *shared_sum, *chain(*input_gradients), *named_sum)


def _dealt_gradients(
    plan: _Plan, gradients: Sequence[Tensor | None]
) -> tuple[list[Tensor | None], list[list[Tensor | None]]]:
    """Gradients of the memory after segment T-1, and of the readout of each segment."""
    memory, rest = list(gradients[: plan.carried]), list(gradients[plan.carried :])
    segments = len(plan.inputs)
    if plan.readout == "all":
        each = len(rest) // segments
        return memory, [rest[k * each : (k + 1) * each] for k in range(segments)]
    return memory, [rest] * segments  # the gradient of a sum is that of each term


def _gradients(
    made: list[Tensor], arriving: list[Tensor | None], targets: list[Tensor]
) -> list[Tensor | None]:
    """Gradients of the targets; None where a target wants none, or none arrives."""
    pairs = [(m, g) for m, g in zip(made, arriving, strict=True) if g is not None and m.requires_grad]
    wanted = [target for target in targets if target.requires_grad]
    if not pairs or not wanted:
        return [None] * len(targets)
    outputs, given = zip(*pairs, strict=True)
    found = iter(torch.autograd.grad(outputs, wanted, given, allow_unused=True))
    return [next(found) if target.requires_grad else None for target in targets]


def _accumulate(sums: list[Tensor | None], found: Iterator[Tensor | None]) -> None:
    for k, total in enumerate(sums):
        gradient = next(found)
        if gradient is not None:
            # The first one may be shared with autograd's own buffers; only what we made is added into.
            sums[k] = gradient.clone() if total is None else total.add_(gradient)


def _leaf(tensor: Tensor, wanted: bool) -> Tensor:
    return tensor.detach().requires_grad_(wanted)


def _has_gradient(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _changed_in_place(tensors: Sequence[Tensor], versions: Sequence[int]) -> InputError:
    changed = [t for t, version in zip(tensors, versions, strict=True) if t._version != version]
    return InputError(
        "step changed an argument in place, so that its replay would begin with another one",
        where="memory_replay",
        value=f"{changed[0].dtype} {list(changed[0].shape)}",
        remedy="compute a new tensor instead",
    )


def _collect(collected: list[Any], out: Any, readout: str) -> None:
    """Take one more readout in."""
    if readout == "all" or not collected:
        collected.append(out)
    elif readout == "sum":
        collected[0] = tree_map(lambda a, b: a + b if isinstance(a, Tensor) else a, collected[0], out)
    else:
        collected[0] = out


def _check(inputs: Sequence[Sequence[Any]], readout: str) -> None:
    if readout not in READOUTS:
        raise InputError(
            "unknown readout",
            where="memory_replay",
            value=readout,
            allowed=", ".join(READOUTS),
            nearest=nearest_name(str(readout), READOUTS),
        )
    if not inputs:
        raise InputError("no segment to run", where="memory_replay", value="0 segments", allowed="at least 1")


def _refuse_unnamed(made: list[Tensor], handed: list[Tensor], named: Sequence[Tensor]) -> None:
    """The gradient that earlier segments give to a tensor nobody named would be lost without a word."""
    boundary = {get_gradient_edge(t).node for t in (*handed, *named) if t.requires_grad}
    waiting = [t.grad_fn for t in made if t.grad_fn is not None]
    seen = set(waiting)
    while waiting:
        node = waiting.pop()
        if node in boundary:
            continue
        if hasattr(node, "variable"):
            raise InputError(
                "step uses a tensor that requires a gradient and was not named, so its gradient from all "
                "segments but the last would be lost",
                where="memory_replay",
                value=f"{node.variable.dtype} {list(node.variable.shape)}",
                remedy="give it in `parameters` (or detach it)",
            )
        for following, _ in node.next_functions:
            if following is not None and following not in seen:
                seen.add(following)
                waiting.append(following)
