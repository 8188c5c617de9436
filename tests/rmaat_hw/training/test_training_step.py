"""One step: what decays, what is clipped, what is checked, what accumulates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import tiny_training
import torch
from torch.nn import functional

from device_params.errors import InputError
from rmaat_hw.model import build
from rmaat_hw.training.order import batch_indices, epoch_order
from rmaat_hw.training.step import TrainingStep, check_tokens, make_optimizer, parameter_groups

CONFIG = replace(tiny_training.CONFIG, dropout=0.0)


def batch(n: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    tokens, labels = tiny_training.examples(n, 5).batch(np.arange(n))
    return tokens, labels


def test_weights_of_linear_maps_decay_and_nothing_else() -> None:
    model = build(CONFIG)
    decaying, staying = (group["params"] for group in parameter_groups(model, 0.1))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    assert len(decaying) + len(staying) == len(names)
    kept = {names[id(p)] for p in staying}
    assert {"memory", "segment.embedding.weight", "head.bias"} <= kept
    assert "head.weight" not in kept
    assert all(p.dim() >= 2 for p in decaying)


def test_a_step_is_forward_backward_clip_and_adamw() -> None:
    tokens, labels = batch()
    model, twin = build(CONFIG).train(), build(CONFIG).train()
    step = TrainingStep(model, make_optimizer(model, tiny_training.RECIPE), clip=0.5)
    loss, norm, correct = step(tokens, labels).tolist()

    optimizer = make_optimizer(twin, tiny_training.RECIPE, fused=None)
    scores = twin(tokens)
    expected = functional.cross_entropy(scores, labels)
    expected.backward()
    expected_norm = torch.nn.utils.clip_grad_norm_(twin.parameters(), 0.5)
    optimizer.step()
    assert loss == pytest.approx(expected.item(), rel=1e-6)
    assert norm == pytest.approx(expected_norm.item(), rel=1e-5)
    assert correct == (scores.argmax(1) == labels).sum().item()
    for ours, theirs in zip(model.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_accumulated_parts_have_the_gradient_of_the_whole() -> None:
    tokens, labels = batch()
    gradients = []
    for parts in (1, 2, 4):
        model = build(CONFIG).train()
        step = TrainingStep(model, make_optimizer(model, tiny_training.RECIPE), parts=parts)
        told = step.gradients(tokens, labels)
        gradients.append(
            (told, torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
        )
    for told, gradient in gradients[1:]:
        torch.testing.assert_close(told, gradients[0][0])
        torch.testing.assert_close(gradient, gradients[0][1], rtol=1e-4, atol=1e-6)


def test_bf16_is_near_fp32_and_keeps_the_weights_in_fp32() -> None:
    tokens, labels = batch()
    told = []
    for precision in ("fp32", "bf16"):
        model = build(CONFIG).train()
        step = TrainingStep(model, make_optimizer(model, tiny_training.RECIPE), precision=precision)
        told.append(step(tokens, labels))
        assert {p.dtype for p in model.parameters()} == {torch.float32}
    torch.testing.assert_close(told[1][0], told[0][0], rtol=0.03, atol=0.03)
    assert told[1][0] != told[0][0]


def test_the_learning_rate_is_that_of_the_update() -> None:
    tokens, labels = batch()
    model = build(CONFIG).train()
    step = TrainingStep(model, make_optimizer(model, tiny_training.RECIPE))
    before = [p.clone() for p in model.parameters()]
    step.gradients(tokens, labels)
    step.update(learning_rate=0.0)
    assert all(torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True))


@pytest.mark.parametrize(("field", "value"), [("precision", "fp16"), ("parts", 0)])
def test_what_a_step_cannot_do_is_refused(field: str, value: object) -> None:
    model = build(CONFIG)
    with pytest.raises(InputError):
        TrainingStep(model, make_optimizer(model, tiny_training.RECIPE), **{field: value})


def test_a_token_outside_the_vocabulary_is_named_by_sequence_and_position() -> None:
    tokens, _ = batch()
    check_tokens(tokens, CONFIG)
    tokens[3, 17] = 8
    with pytest.raises(InputError, match=r"sequence 103, position 17: .*got 8; allowed: 0 … 7"):
        check_tokens(tokens, CONFIG, range(100, 108))
    tokens[3, 17] = -1
    with pytest.raises(InputError, match="got -1"):
        check_tokens(tokens, CONFIG)


@pytest.mark.parametrize(
    ("width", "said"), [(30, "30 is no multiple of the segment length"), (64, r"\[8, 64\]")]
)
def test_sequences_that_do_not_fit_the_segments_are_refused(width: int, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        check_tokens(torch.zeros(8, width, dtype=torch.int64), CONFIG)
    assert "4 segments of 8" in str(caught.value)


def test_each_pass_shows_every_example_once_in_another_order() -> None:
    n, size = 10, 4
    seen = np.concatenate([batch_indices(step, batch=size, n=n, seed=3) for step in range(5)])
    first, second = seen[:n], seen[n:]
    assert sorted(first) == sorted(second) == list(range(n))
    assert (first != second).any()
    assert (epoch_order(n, 3, 0) != epoch_order(n, 4, 0)).any()


def test_a_batch_may_be_larger_than_the_split() -> None:
    indices = batch_indices(1, batch=25, n=10, seed=0)
    assert np.bincount(indices, minlength=10).min() >= 2


def test_the_order_is_a_function_of_seed_and_step_alone() -> None:
    # By hand: the first pass is numpy's permutation of a generator seeded with (seed, pass).
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence([7, 0]))).permutation(6)
    assert batch_indices(0, batch=6, n=6, seed=7).tolist() == expected.tolist()
    assert batch_indices(1, batch=3, n=6, seed=7).tolist() == expected[3:].tolist()
