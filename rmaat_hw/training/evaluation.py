"""How good a model is: right answers with their interval, beside what needs no learning at all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rmaat_hw.tasks.examples import Examples

if TYPE_CHECKING:
    import torch
    from torch import nn

    from rmaat_hw.model.variants import ModelConfig

_NORMAL_95 = 1.959963984540054  # two-sided 95 % quantile of the normal distribution


def wilson(correct: int, n: int, z: float = _NORMAL_95) -> tuple[float, float]:
    """Wilson's score interval of a share (J. Am. Stat. Assoc. 22, 1927, p. 209).

    Args:
        correct: successes.
        n: trials, at least 1.
        z: normal quantile; by default that of 95 %.

    Returns:
        Lower and upper bound, within 0 … 1.

    Example:
        >>> wilson(81, 263)  # 0.2553 … 0.3662 (Newcombe, Stat. Med. 17, 1998, Table I)
        (0.255..., 0.366...)
    """
    share = correct / n
    middle = share + z * z / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


@dataclass(frozen=True)
class Score:
    """Right answers on one split."""

    correct: int
    sequences: int
    loss: float | None = None
    """Mean cross-entropy, nat; None where there are no scores."""

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return self.correct / self.sequences

    def to_dict(self) -> dict[str, Any]:
        """As plain values: accuracy with its 95 % interval (Wilson), counts, loss."""
        low, high = wilson(self.correct, self.sequences)
        told: dict[str, Any] = {
            "accuracy": {"value": self.accuracy, "low": low, "high": high},
            "correct": self.correct,
            "sequences": self.sequences,
        }
        if self.loss is not None:
            told["loss_nat"] = self.loss if math.isfinite(self.loss) else None
        return told


def evaluate(
    model: nn.Module,
    examples: Examples,
    *,
    batch: int,
    device: torch.device,
    precision: str = "fp32",
    config: ModelConfig | None = None,
    progress: Callable[[int], None] | None = None,
) -> Score:
    """Score a model on a whole split: evaluation mode, no gradient, random state untouched.

    Args:
        model: left in the mode it came in.
        examples: the split.
        batch: sequences in one pass.
        device: where the model is.
        precision: "fp32" or "bf16", as in training.
        config: of the model; given, each batch is checked against it before it gets to the model.
        progress: called with the number of sequences done.
    """
    import torch
    from torch.nn import functional

    from rmaat_hw.training.step import autocast, check_tokens

    training = model.training
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=device)
    correct = torch.zeros((), dtype=torch.int64, device=device)
    try:
        with torch.no_grad():
            for start in range(0, len(examples), batch):
                indices = np.arange(start, min(start + batch, len(examples)))
                tokens, labels = examples.batch(indices)
                if config is not None:
                    check_tokens(tokens, config, indices)
                tokens, labels = tokens.to(device), labels.to(device)
                with autocast(device, precision):
                    scores = model(tokens)
                loss += functional.cross_entropy(scores.float(), labels, reduction="sum")
                correct += (scores.argmax(dim=1) == labels).sum()
                if progress is not None:
                    progress(int(indices[-1]) + 1)
    finally:
        model.train(training)
    return Score(int(correct), len(examples), float(loss) / len(examples))


def majority_class(train: Examples, split: Examples) -> Score:
    """Always answer the most frequent class of the training split."""
    answer = np.bincount(train.labels).argmax()
    return Score(int((split.labels == answer).sum()), len(split))


def first_token_answers(train: Examples, split: Examples) -> NDArray[np.int64]:
    """For each sequence the most frequent class of the training sequences that begin with its token, [n]."""
    seen, asked = (part.values[part.offsets[:-1]].astype(np.int64) for part in (train, split))
    classes = int(max(train.labels.max(), split.labels.max())) + 1
    counts = np.zeros((int(max(seen.max(), asked.max())) + 1, classes), dtype=np.int64)
    np.add.at(counts, (seen, train.labels), 1)
    # A token that no training sequence begins with gets the majority class.
    counts[counts.sum(axis=1) == 0] = np.bincount(train.labels, minlength=classes)
    return counts.argmax(axis=1)[asked]


def first_token(train: Examples, split: Examples) -> Score:
    """Answer the most frequent class of the training sequences that begin with the same token.

    In ListOps the first token is the root operator: the best that can be done without reading on
    (36.2 % of the training trees at full size), hence the mark that learning has to pass.
    """
    return Score(int((first_token_answers(train, split) == split.labels).sum()), len(split))


def baselines(task: str, train: Examples, split: Examples) -> dict[str, Score]:
    """What needs no learning, by name: the majority class, and for ListOps the root operator."""
    found = {"majority class": majority_class(train, split)}
    if task == "listops":
        found["root operator"] = first_token(train, split)
    return found
