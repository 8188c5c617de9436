"""One step of training and nothing else: forward, loss, backward, clipping, optimiser.

No file, no clock, no printing: the loop calls it, and so can a tracer or a benchmark.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from device_params.errors import InputError
from rmaat_hw.model.variants import ModelConfig
from rmaat_hw.tasks.recipe import Recipe

PRECISIONS = ("fp32", "bf16")
_TABLES = ("memory",)  # learned rows that stand for tokens: the start of the memory


def parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Split the parameters into those that decay and those that do not.

    Decaying: everything of two or more dimensions that is no table, that is the weights of linear maps
    and convolutions, and the projection M_p of the positional matrix. Not decaying: biases, norms,
    scalars (the positional decay), embeddings and the memory's start. RECOMMENDED; the paper does not
    say.
    """
    tables = {id(p) for m in model.modules() if isinstance(m, nn.Embedding) for p in m.parameters()}
    decaying: list[Tensor] = []
    staying: list[Tensor] = []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        table = id(parameter) in tables or name.rpartition(".")[2] in _TABLES
        (staying if parameter.dim() < 2 or table else decaying).append(parameter)
    groups = [(decaying, weight_decay), (staying, 0.0)]
    return [{"params": parameters, "weight_decay": decay} for parameters, decay in groups if parameters]


def make_optimizer(model: nn.Module, recipe: Recipe, *, fused: bool | None = True) -> torch.optim.AdamW:
    """AdamW of a recipe (Loshchilov and Hutter, arXiv 1711.05101), ε = 1e-9 as in the Long Range Arena.

    Args:
        model: its parameters that require a gradient.
        recipe: learning rate, averages and weight decay.
        fused: one kernel for all parameters; None leaves the choice to torch.
    """
    return torch.optim.AdamW(
        parameter_groups(model, recipe.weight_decay),
        lr=recipe.learning_rate,
        betas=recipe.betas,
        eps=1e-9,
        fused=fused,
    )


class TrainingStep:
    """Forward, cross-entropy, backward, clipping and the optimiser's update of one batch.

    ``step(tokens, labels)`` is the whole step. A loop that must look at the loss before it touches the
    weights calls :meth:`gradients`, reads the three numbers (the one wait for a GPU), and then
    :meth:`update`.

    Args:
        model: called with tokens [B, L], gives scores [B, classes].
        optimizer: as :func:`make_optimizer` makes it.
        clip: largest norm of the gradient over all parameters; 0 measures it and leaves it.
        precision: "fp32", or "bf16": autocast for forward and loss, weights and optimiser in fp32.
        parts: the batch is run in this many equal shares whose gradients add up (gradient
            accumulation); the result is that of the whole batch but for rounding and dropout.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        clip: float = 0.0,
        precision: str = "fp32",
        parts: int = 1,
    ) -> None:
        if precision not in PRECISIONS:
            raise InputError(
                "unknown precision", where="--precision", value=precision, allowed=", ".join(PRECISIONS)
            )
        if isinstance(parts, bool) or not isinstance(parts, int) or parts < 1:
            raise InputError("bad gradient accumulation", value=parts, allowed="a whole number of at least 1")
        self.model = model
        self.optimizer = optimizer
        self.clip = clip
        self.precision = precision
        self.parts = parts
        self._parameters = [p for group in optimizer.param_groups for p in group["params"]]

    def __call__(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """One whole step at the optimiser's present learning rate; returns what :meth:`gradients` does."""
        told = self.gradients(tokens, labels)
        self.update()
        return told

    def gradients(self, tokens: Tensor, labels: Tensor) -> Tensor:
        """Leave the clipped gradient of the mean cross-entropy in ``.grad``.

        Args:
            tokens: int64 [B, L] on the model's device.
            labels: int64 [B].

        Returns:
            Mean loss [nat], norm of the gradient before clipping, correct answers; fp32 [3], on the
            device, no wait. A loss or a norm that is not finite shows here, before any weight changed.
        """
        self.optimizer.zero_grad(set_to_none=True)
        sequences = labels.shape[0]
        loss = torch.zeros((), device=tokens.device)
        correct = torch.zeros((), device=tokens.device)
        for some, wanted in self._shares(tokens, labels):
            with autocast(tokens.device, self.precision):
                scores = self.model(some)
                share = functional.cross_entropy(scores, wanted, reduction="sum") / sequences
            share.backward()
            with torch.no_grad():
                loss += share.detach()
                correct += (scores.argmax(dim=1) == wanted).sum()
        gradients = [p.grad for p in self._parameters if p.grad is not None]
        norm = nn.utils.get_total_norm(gradients)
        if self.clip > 0:
            nn.utils.clip_grads_with_norm_(self._parameters, self.clip, norm)
        return torch.stack((loss, norm.detach().float(), correct))

    def update(self, learning_rate: float | None = None) -> None:
        """Take the optimiser's step with the gradients that are there."""
        if learning_rate is not None:
            for group in self.optimizer.param_groups:
                group["lr"] = learning_rate
        self.optimizer.step()

    def _shares(self, tokens: Tensor, labels: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        if self.parts == 1:
            return iter([(tokens, labels)])
        return zip(tokens.chunk(self.parts), labels.chunk(self.parts), strict=True)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The autocast of a precision on a device; for "fp32" one that does nothing."""
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=precision == "bf16")


def check_tokens(
    tokens: Tensor, config: ModelConfig, indices: Sequence[int] | NDArray[np.int64] | None = None
) -> None:
    """Refuse a batch that the embedding would not take, before it gets there.

    Args:
        tokens: int64 [B, L] in host memory.
        config: of the model: ``vocabulary`` and ``sequence_length`` are read.
        indices: number of each sequence in its split, [B]; by default its row.

    Raises:
        InputError: another width than the model's (with the segments it would be), or an id outside the
            vocabulary, with sequence and position.
    """
    vocabulary, length = config.vocabulary, config.sequence_length
    if tokens.dim() != 2 or tokens.shape[1] != length:
        segment = getattr(config, "segment_length", length)
        width = tokens.shape[-1]
        divides = "" if width % segment == 0 else f", and {width} is no multiple of the segment length"
        raise InputError(
            f"sequences of another length than the model is built for{divides}",
            where="batch",
            value=list(tokens.shape),
            allowed=f"[batch, {length}] = {length // segment} segments of {segment} tokens",
            remedy="pad them in front with id 0, or build the model for this number of segments",
        )
    least, most = (int(bound) for bound in torch.aminmax(tokens))
    if least >= 0 and most < vocabulary:
        return
    row, position = (int(i) for i in ((tokens < 0) | (tokens >= vocabulary)).nonzero()[0])
    number = row if indices is None else int(indices[row])
    raise InputError(
        "a token outside the vocabulary",
        where=f"sequence {number}, position {position}",
        value=int(tokens[row, position]),
        allowed=f"0 … {vocabulary - 1}",
        remedy="data and preset must belong to the same task",
    )
