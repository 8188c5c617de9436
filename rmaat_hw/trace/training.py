"""``capture_training``: one training step of any ``nn.Module`` as an operator graph.

Forward pass, loss, backward pass and optimiser step run on fake tensors that stand in for parameters,
buffers and inputs (on copies of the real ones where the program looks at its data); the module, its
gradients and the random state are left as they were. Nothing is skipped while gradients are on, so the
time of a capture grows with the program, not with what it folds to.

Phases. ``forward``: the module and the loss. ``backward``: what the backward pass does, sums of gradients
included. ``replay``: what the backward pass computes a second time with gradients on (activation
checkpointing, memory replay). ``optimiser``: clipping and the optimiser's step. ``setup``: work that
depends neither on the input nor on a trained parameter; work on trained parameters alone is ``forward``
here, though ``capture`` calls it ``setup``, for they change with each step.

The multiply-accumulates of ``backward`` are those of each product of ``forward`` (one without gradients,
such as the first pass of memory replay, left out) and of ``replay``, once for every operand of the product
that needs a gradient: twice those of ``forward`` where all do, so three times in all. The first layer on
inputs that need no gradient takes two times, a product with a frozen weight two as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from cost_models.workload.operators import Phase, Role
from device_params.errors import InputError
from rmaat_hw.trace import annotate, compat
from rmaat_hw.trace.program import Trace, finished
from rmaat_hw.trace.records import Call, Depends
from rmaat_hw.trace.step_recorder import Home, StepCalls, StepRecorder
from rmaat_hw.trace.surroundings import (
    check_that_it_runs,
    collection_paused,
    exchanged,
    tensors_in,
    told,
    untouched,
)

Loss = Callable[..., torch.Tensor]
MakeOptimiser = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]
Tensors = Mapping[str, torch.Tensor]


@dataclass(frozen=True)
class _Step:
    """What a training step is made of."""

    module: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    targets: tuple[Any, ...]
    loss: Loss
    optimiser: MakeOptimiser | None
    clip_norm: float | None
    fused_attention: bool


def capture_training(
    module: nn.Module,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
    *,
    loss: Loss | None = None,
    targets: Sequence[Any] = (),
    optimiser: MakeOptimiser | str | None = None,
    clip_norm: float | None = None,
    fused_attention: bool = False,
    name: str = "",
    folded: bool = True,
) -> Trace:
    """Trace one training step: ``loss(module(*args, **kwargs), *targets)``, backward, optimiser.

    The module is in training mode meanwhile. The step is one of many: gradients are made afresh
    (``zero_grad(set_to_none=True)``), the optimiser's state exists already.

    Args:
        module: any module.
        args: example inputs; tensors may sit in lists, tuples and dicts. Only their shapes count.
        kwargs: example keyword inputs.
        loss: takes what the module returns, and ``targets``; returns a scalar. By default an output's
            own ``loss``, an only scalar output itself, else the sum of the outputs' means.
        targets: further arguments of ``loss``; tensors among them are inputs of the program.
        optimiser: None for no optimiser step, "adamw" for torch's with its defaults, or a callable that
            takes the parameters and returns a ``torch.optim.Optimizer``.
        clip_norm: clip the norm of all gradients to this before the optimiser's step.
        fused_attention: leave ``scaled_dot_product_attention`` to the kernel that the device has for it,
            as one operator whose backward pass computes the scores anew (2.5 times its products). The peak
            of memory is then that of the kernel; by default attention is written out, scores and all.
        name: name of the graph; the class name by default.
        folded: merge segments, layers and steps into loops; off, every execution is an operator.

    Returns:
        The trace with ``peak_bytes``. Its graph is validated.

    Raises:
        InputError: the program or a part of the step fails on its inputs, or there is nothing to train.
    """
    begin = time.perf_counter()
    step = _Step(
        module, tuple(args), dict(kwargs or {}), tuple(targets), loss or mean_output, _optimiser(optimiser),
        clip_norm, fused_attention,
    )  # fmt: skip
    if not any(parameter.requires_grad for parameter in module.parameters()):
        raise InputError(
            "there is nothing to train",
            where=type(module).__name__,
            value="no parameter requires a gradient",
            remedy="call `requires_grad_()` on what is to be trained, or capture the forward pass",
        )
    with collection_paused(), _random_state_kept(step), _gradients_kept(module):
        recorder, mode, notes = _record_somehow(step)
        trace = finished(recorder, name or type(module).__name__, folded, mode, notes, begin)
        return replace(trace, peak_bytes=recorder.memory.peak())


def mean_output(output: Any) -> torch.Tensor:
    """The loss where none is given: an output's own loss, a scalar itself, else the sum of all means."""
    own = getattr(output, "loss", None)
    if isinstance(own, torch.Tensor):
        return own
    leaves = compat.tree_flatten(dict(output) if isinstance(output, Mapping) else output)[0]
    found = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor) and leaf.requires_grad]
    if not found:
        raise InputError(
            "the program's outputs depend on no parameter that requires a gradient",
            where="training step",
            remedy="give a `loss` that makes a scalar from what the module returns",
        )
    if len(found) == 1 and found[0].dim() == 0:
        return found[0]
    total = found[0].mean()
    for tensor in found[1:]:
        total = total + tensor.mean()
    return total


def _optimiser(wanted: MakeOptimiser | str | None) -> MakeOptimiser | None:
    if isinstance(wanted, str):
        if wanted != "adamw":
            raise InputError(
                "unknown optimiser",
                where="optimiser",
                value=wanted,
                allowed="adamw, or a callable that takes the parameters",
            )
        return torch.optim.AdamW
    return wanted


# --- fake or real --------------------------------------------------------------------------------


def _record_somehow(step: _Step) -> tuple[StepRecorder, str, list[str]]:
    """On fake tensors, or on copies of the real ones where that fails; and a note why."""
    try:
        return _record_fake(step), "fake", []
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        note = f"traced on real tensors, for on fake ones: {told(error)}"
    try:
        return _record(step, _copied, None), "real", [note]
    except InputError:
        raise
    except (Exception, SystemExit):
        check_that_it_runs(step.module, step.args, step.kwargs)
        raise


def _record_fake(step: _Step) -> StepRecorder:
    fake_mode = compat.FakeTensorMode(allow_non_fake_inputs=True)

    def fake(tensor: torch.Tensor) -> torch.Tensor:
        return fake_mode.from_tensor(tensor if tensor.is_leaf else tensor.detach())

    with fake_mode, compat.quiet_fakes():
        return _record(step, fake, fake_mode)


def _copied(tensor: torch.Tensor) -> torch.Tensor:
    copy = tensor.detach().clone()
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(copy, requires_grad=tensor.requires_grad)
    return copy.requires_grad_(tensor.requires_grad)


def _record(
    step: _Step,
    stand_in: Callable[[torch.Tensor], torch.Tensor],
    fake_mode: compat.FakeTensorMode | None,
) -> StepRecorder:
    module = step.module
    recorder = StepRecorder(Call("", type(module).__name__, 0), fake_mode)
    own: dict[int, torch.Tensor] = {}

    def replaced(tensor: torch.Tensor) -> torch.Tensor:
        if id(tensor) not in own:
            own[id(tensor)] = stand_in(tensor)
        return own[id(tensor)]

    with ExitStack() as stack:
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        stack.enter_context(torch.autograd.set_multithreading_enabled(False))
        tensors, trained = _registered(recorder, module, replaced)
        inputs = (step.args, dict(step.kwargs), step.targets)
        args, kwargs, targets = compat.tree_map_only(torch.Tensor, replaced, inputs)
        for k, leaf in enumerate(compat.tree_flatten((args, kwargs, targets))[0]):
            if isinstance(leaf, torch.Tensor):
                recorder.register(leaf, "input", f"input {k}", Depends.INPUT)
                recorder.memory.see(leaf, Phase.FORWARD, "inputs")
        stack.enter_context(compat.plain_kernels(attention=not step.fused_attention))
        stack.enter_context(untouched(module))
        stack.enter_context(compat.reparametrize(module, dict(tensors)))
        exchanged(module, own)
        with suppress(NotImplementedError):  # an exported program has its mode compiled in
            module.train()
        annotate.activate(recorder)
        stack.callback(annotate.deactivate, recorder)
        stack.callback(_give_back, recorder)
        stack.enter_context(StepCalls(recorder, module).patched())
        stack.enter_context(recorder)
        optimiser = _with_state(recorder, step, trained)
        outputs = [module(*args, **kwargs)]
        with _part("loss", recorder):
            loss = step.loss(outputs.pop(), *targets)
        _differentiate(recorder, loss, trained)
        del loss
        recorder.begin(Phase.OPTIMISER)
        if step.clip_norm is not None:
            nn.utils.clip_grad_norm_(trained.values(), step.clip_norm, foreach=False)
        if optimiser is not None:
            with _part("optimiser", recorder):
                optimiser.step()
        recorder.begin(Phase.FORWARD)
    return recorder


def _registered(
    recorder: StepRecorder, module: nn.Module, replaced: Callable[[torch.Tensor], torch.Tensor]
) -> tuple[Tensors, dict[str, nn.Parameter]]:
    """Stand-ins for all that the module holds, by path; those of trained parameters, each once."""
    tensors: dict[str, torch.Tensor] = {}
    trained: dict[str, nn.Parameter] = {}
    for kind, path, tensor in tensors_in(module):
        tensors[path] = replaced(tensor)
        learns = kind == "parameter" and tensor.requires_grad
        depends = Depends.PARAMETER | (Depends.TRAINED if learns else Depends.NOTHING)
        recorder.register(tensors[path], kind, path, depends)
        recorder.memory.see(tensors[path], Phase.FORWARD, f"{kind}s")
        if learns and not any(tensors[path] is known for known in trained.values()):
            parameter = tensors[path]
            assert isinstance(parameter, nn.Parameter)
            trained[path] = parameter
    return tensors, trained


def _with_state(
    recorder: StepRecorder, step: _Step, trained: Mapping[str, nn.Parameter]
) -> torch.optim.Optimizer | None:
    """The optimiser after a first step, which makes its state and is not recorded."""
    for path, parameter in trained.items():
        recorder.settle(parameter, Home(path, Role.WEIGHT, path.rpartition(".")[0]))
    make = step.optimiser
    if make is None:
        return None
    with _part("optimiser", recorder), recorder.muted():
        optimiser = make(list(trained.values()))
        recorder.begin(Phase.OPTIMISER)
        for parameter in trained.values():
            parameter.grad = torch.zeros_like(parameter)
        optimiser.step()
        for parameter in trained.values():
            parameter.grad = None
        recorder.begin(Phase.FORWARD)
    for path, parameter in trained.items():
        for key, value in optimiser.state.get(parameter, {}).items():
            if isinstance(value, torch.Tensor):
                name = f"{path}.{key}"
                recorder.register(value, "optimiser", name, Depends.INPUT)
                recorder.settle(value, Home(name, Role.STATE, path.rpartition(".")[0]))
                recorder.memory.see(value, Phase.FORWARD, "optimiser state")
    return optimiser


def _differentiate(recorder: StepRecorder, loss: Any, trained: Mapping[str, nn.Parameter]) -> None:
    if not isinstance(loss, torch.Tensor) or loss.numel() != 1 or not loss.requires_grad:
        found = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, torch.Tensor) else type(loss)
        raise InputError(
            "the loss cannot be differentiated",
            where="loss",
            value=str(found),
            allowed="one number that depends on a parameter that requires a gradient",
        )
    recorder.begin(Phase.BACKWARD)
    with torch.no_grad():
        seed = torch.ones_like(loss)
    recorder.mark_gradient(seed)
    with _part("backward pass", recorder):
        loss.backward(seed)
    for path, parameter in trained.items():
        if parameter.grad is not None:
            owner = path.rpartition(".")[0]
            recorder.settle(parameter.grad, Home(f"{path}.grad", Role.GRADIENT, owner))
            recorder.deliver(parameter.grad)


@contextmanager
def _part(what: str, recorder: StepRecorder) -> Iterator[None]:
    """A failure here is the user's on real tensors, and is told as such; on fake ones it need not be."""
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:
        if recorder.fake_mode is not None:
            raise
        raise InputError(
            f"the {what} of the training step fails with {told(error)}",
            where=recorder.raw.root.module,
            remedy="run one step by hand to see the traceback",
        ) from error


# --- what must not change ------------------------------------------------------------------------


@contextmanager
def _random_state_kept(step: _Step) -> Iterator[None]:
    leaves = compat.tree_flatten((step.args, dict(step.kwargs), step.targets))[0]
    tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
    tensors.extend(tensor for _, _, tensor in tensors_in(step.module))
    devices = {t.device for t in tensors if t.device.type == "cuda"} if torch.cuda.is_available() else set()
    with torch.random.fork_rng(devices=list(devices)):
        yield


@contextmanager
def _gradients_kept(module: nn.Module) -> Iterator[None]:
    """The module's own parameters keep the gradients they have, whatever way the program finds them."""
    before = [(parameter, parameter.grad) for parameter in module.parameters()]
    try:
        yield
    finally:
        for parameter, gradient in before:
            if parameter.grad is not gradient:
                parameter.grad = gradient


def _give_back(recorder: StepRecorder) -> None:
    """Captured tensors outside the module keep their gradients too."""
    for tensor, gradient in recorder.strangers.values():
        if tensor.grad is not gradient:
            tensor.grad = gradient
