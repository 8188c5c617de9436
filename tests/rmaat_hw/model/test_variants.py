"""The rivals and the ablations by name."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional

from device_params.errors import InputError
from rmaat_hw.model import ABLATIONS, VARIANTS, RMAATConfig, build, variant
from rmaat_hw.model.variants import Mamba2Config
from rmaat_hw.tasks import load_task, task_names

TINY = RMAATConfig(
    vocabulary=9,
    classes=5,
    d_model=16,
    heads=2,
    layers=2,
    ffn_width=24,
    segment_length=6,
    segments=4,
    memory_tokens=3,
)


def ids(config: Any, batch: int = 3) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(1, config.vocabulary, (batch, config.sequence_length), generator=generator)


def changed(config: Any, base: RMAATConfig = TINY) -> set[str]:
    return {name for name, value in config.to_dict().items() if base.to_dict()[name] != value}


@pytest.mark.parametrize("name", VARIANTS)
def test_every_rival_has_the_same_interface_and_trains(name: str) -> None:
    config = variant(name, TINY)
    assert config.sequence_length == TINY.sequence_length
    model = build(config, seed=3)
    tokens = ids(config)
    scores = model(tokens)
    assert scores.shape == (3, 5)
    assert torch.equal(build(config, seed=3)(tokens), scores)
    functional.cross_entropy(model.train()(tokens), torch.tensor([0, 1, 2])).backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
    with pytest.raises(InputError, match="another shape"):
        model(tokens[:, 1:])


@pytest.mark.parametrize("name", VARIANTS)
def test_pads_do_not_reach_the_scores(name: str) -> None:
    """Two sequences that differ in what the embedding of the pad is give the same scores."""
    config = variant(name, TINY)
    model = build(config, seed=3).double().requires_grad_(False)
    tokens = ids(config)
    tokens[:, :11] = 0
    before = model(tokens)
    table = model.layers.embeddings if name == "mamba2" else model.segment.embedding
    table.weight[0] = 7.0
    torch.testing.assert_close(model(tokens), before, rtol=1e-9, atol=1e-9)


def test_rivals_change_what_their_definition_asks_for() -> None:
    assert variant("rmaat", TINY) == TINY
    at_once = {"segments", "segment_length", "memory_tokens", "retention", "gradient"}
    assert changed(variant("at", TINY)) == at_once
    recurrent = {"attention", "astrocyte", "output_projection", "retention", "gradient", "skip_unread_rows"}
    assert changed(variant("rmt", TINY)) == recurrent
    assert changed(variant("rlt", TINY)) == recurrent
    assert changed(variant("softmax", TINY)) == at_once | {"attention", "astrocyte", "output_projection"}
    assert variant("mamba2", TINY) == Mamba2Config(
        vocabulary=9, classes=5, d_model=16, layers=2, sequence_length=24
    )


def test_ablations_by_name() -> None:
    def ablated(*names: str) -> Any:
        return variant("rmaat", TINY, names)

    assert changed(ablated("no-retention")) == {"retention"}
    assert changed(ablated("bptt")) == {"gradient"}
    assert changed(ablated("no-astro")) == {"astrocyte"}
    assert ablated("half-segments").segments == 2
    assert ablated("quarter-segments", "no-astro").segments == 1
    assert set(ABLATIONS) == {"no-retention", "bptt", "no-astro", "half-segments", "quarter-segments"}


@pytest.mark.parametrize("task", task_names())
def test_every_task_has_every_rival(task: str) -> None:
    base = load_task(task).config
    for name in VARIANTS:
        config = variant(name, base)
        assert (config.sequence_length, config.classes) == (base.sequence_length, base.classes)


@pytest.mark.parametrize(
    ("name", "ablations", "base", "words"),
    [
        ("rmat", (), TINY, "unknown model.*did you mean 'rmaat'"),
        ("rmaat", ("no-astr",), TINY, "unknown ablation.*no-astro"),
        ("rmt", ("no-retention",), TINY, "takes something away from RMAAT"),
        ("rmaat", ("half-segments",), replace(TINY, segments=3), "cannot be divided by 2.*3 segments"),
    ],
)
def test_bad_names(name: str, ablations: tuple[str, ...], base: RMAATConfig, words: str) -> None:
    with pytest.raises(InputError, match=words):
        variant(name, base, ablations)


def test_softmax_kernels_are_one_function() -> None:
    fused = variant("rmt", TINY)
    tokens = ids(TINY)
    tokens[0, :13] = 0
    one = build(fused, seed=2).double()(tokens)
    other = build(replace(fused, softmax_kernel="materialised"), seed=2).double()(tokens)
    torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_documents_of_a_dual_encoder_are_read_apart() -> None:
    config = replace(TINY, documents="dual_encoder")
    assert config.sequence_length == 2 * 4 * 6
    model = build(config, seed=1).double().requires_grad_(False)
    tokens = ids(config, batch=2)
    first, second = (model.encode(part.contiguous()) for part in tokens.chunk(2, dim=1))
    expected = model.head(torch.cat((first, second, first * second, first - second), dim=1))
    torch.testing.assert_close(model(tokens), expected, rtol=1e-12, atol=1e-12)
    swapped = torch.cat(tokens.chunk(2, dim=1)[::-1], dim=1)
    assert (model(swapped) - model(tokens)).abs().max() > 1e-6  # a pair, not a set


def test_without_memory_there_is_one_segment() -> None:
    with pytest.raises(InputError, match=r"model\.memory_tokens.*one segment"):
        replace(TINY, memory_tokens=0)
    with pytest.raises(InputError, match=r"model\.memory_tokens"):
        replace(TINY, segments=1, memory_tokens=0, pooling="memory_mean")


def test_pooling_over_all_segments_is_the_mean_of_every_row_that_counts() -> None:
    config = replace(TINY, pooling="all_segments_mean")
    model = build(config).double().requires_grad_(False)
    seen: list[Any] = []
    model.segment.register_forward_hook(lambda module, args, output: seen.append(output))
    tokens = ids(config, batch=1)
    tokens[0, :8] = 0
    scores = model(tokens)
    counted = torch.cat([states[0][mask[0, :, 0] > 0] for states, mask, _ in seen])
    assert len(counted) == 4 * 3 + 24 - 8
    torch.testing.assert_close(scores, model.head(counted.mean(dim=0)).unsqueeze(0))


def test_cls_reads_its_own_row() -> None:
    config = replace(TINY, pooling="cls")
    assert config.rows == TINY.rows + 1
    model = build(config).double().requires_grad_(False)
    seen: list[Any] = []
    model.segment.register_forward_hook(lambda module, args, output: seen.append(output))
    scores = model(ids(config))
    torch.testing.assert_close(scores, model.head(seen[-1][0][:, 3]))
