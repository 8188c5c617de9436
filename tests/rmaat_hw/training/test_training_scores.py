"""Scores with their interval, and what needs no learning."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_training
import torch
from torch import nn

from rmaat_hw.model import build
from rmaat_hw.tasks.examples import Examples, pack
from rmaat_hw.training.evaluation import Score, baselines, evaluate, first_token, majority_class, wilson


def test_wilson_of_published_cases() -> None:
    # Newcombe, Stat. Med. 17, 857 (1998), Table I, method 3: Wilson's score without correction.
    for (correct, n), expected in {
        (81, 263): (0.2553, 0.3662),
        (15, 148): (0.0624, 0.1605),
        (0, 20): (0.0, 0.1611),
        (1, 29): (0.0061, 0.1718),
    }.items():
        assert wilson(correct, n) == pytest.approx(expected, abs=5e-5)
    assert wilson(5, 5)[1] == 1.0


class Recite(nn.Module):
    """Answers class 1 whenever the last token is odd; counts how it is called."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        odd = (tokens[:, -1] % 2).float()
        return torch.stack((1 - odd, odd), dim=1)


def split(sequences: list[list[int]], labels: list[int]) -> Examples:
    return pack([bytes(s) for s in sequences], labels, padded_length=4, source="by hand")


def test_a_split_is_scored_whole_without_gradient_in_evaluation_mode() -> None:
    examples = split([[1], [2], [3], [4], [5]], [1, 0, 1, 1, 1])
    model = Recite().train()
    done: list[int] = []
    score = evaluate(model, examples, batch=2, device=torch.device("cpu"), progress=done.append)
    assert (score.correct, score.sequences) == (4, 5)
    # Scores 0 and 1: the loss is ln(1 + e) - 1 where right and ln(1 + e) where wrong.
    assert score.loss == pytest.approx(np.log(1 + np.e) - 4 / 5, rel=1e-6)
    assert model.training
    assert done == [2, 4, 5]


def test_scoring_leaves_the_random_state_alone() -> None:
    model = build(tiny_training.CONFIG).train()
    before = torch.get_rng_state()
    evaluate(model, tiny_training.examples(10, 1), batch=4, device=tiny_training.CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_answers_without_learning() -> None:
    train = split([[1, 2], [1, 3], [1, 9], [2, 2], [2, 5], [2, 6]], [0, 0, 1, 2, 2, 2])
    asked = split([[1, 7], [2, 7], [2, 8], [3, 1]], [0, 2, 1, 2])
    assert majority_class(train, asked) == Score(2, 4)  # always 2
    # After 1 comes 0, after 2 comes 2, and 3 was never seen: the majority, 2.
    assert first_token(train, asked) == Score(3, 4)
    assert set(baselines("listops", train, asked)) == {"majority class", "root operator"}
    assert set(baselines("text", train, asked)) == {"majority class"}
