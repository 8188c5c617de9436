"""The hand count against arithmetic and against torch's own counter."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from rmaat_hw.model import RMAAT, RMAATConfig, macs_by_hand
from rmaat_hw.tasks import load_task

TINY = RMAATConfig(
    vocabulary=9,
    classes=5,
    d_model=12,
    heads=3,
    layers=2,
    ffn_width=20,
    segment_length=6,
    segments=4,
    memory_tokens=3,
)


def counted(config: RMAATConfig, batch: int) -> int:
    """MACs by FlopCounterMode on meta tensors."""
    with torch.device("meta"):
        # Without gradients: the counter's module tracker fails on views of parameters made in no_grad.
        model = RMAAT(config).eval().requires_grad_(False)
        tokens = torch.ones(batch, config.sequence_length, dtype=torch.int64)
    with FlopCounterMode(display=False) as counter:
        model(tokens)
    flops = counter.get_total_flops()
    assert flops % 2 == 0
    return flops // 2


def test_by_hand() -> None:
    # B = 2 sequences of T = 4 segments through 2 layers: 16 passes; N = 9, d = 12, m = 4, f = 20
    assert macs_by_hand(TINY, 2) == {
        "qkv": 62208,  # 16 · 3 · 9 · 144
        "output_projection": 0,
        "state_write": 6912,  # 16 · 9 · 12 · 4
        "state_read": 6912,
        "calcium": 1728,  # 16 · 9 · 12
        "softmax_products": 0,
        "ffn": 69120,  # 16 · 2 · 9 · 12 · 20
        "head": 120,  # 2 · 12 · 5
        "setup": 576,  # 2 layers · 2 · 9 · 16
        "forward": 147000,
        "total": 147576,
        "segment": 18360,  # (147000 - 120) / 8
        "forward_fused": 147000,
        "forward_literal": 153912,
    }


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"fuse_positional": False},
        {"output_projection": True},
        {"heads": 1},
        {"heads": 12},
        {"segments": 1, "pooling": "memory_mean"},
    ],
)
def test_equals_the_independent_count(change: dict[str, object], batch: int) -> None:
    config = RMAATConfig.from_mapping(TINY.to_dict() | change)
    assert macs_by_hand(config, batch)["total"] == counted(config, batch)


@pytest.mark.parametrize("fused", [True, False])
def test_listops_equals_the_independent_count(fused: bool) -> None:
    config = replace(load_task("listops").config, fuse_positional=fused)
    hand = macs_by_hand(config, 1)
    assert hand["total"] == counted(config, 1)
    assert hand["forward"] == hand["forward_fused" if fused else "forward_literal"]


def test_either_form_from_either_configuration() -> None:
    literal = replace(TINY, fuse_positional=False)
    assert macs_by_hand(literal, 2, fused=True) == macs_by_hand(TINY, 2)
    assert macs_by_hand(TINY, 2, fused=False) == macs_by_hand(literal, 2)


def test_linear_in_batch_and_segments_but_for_setup() -> None:
    one, many = macs_by_hand(TINY, 1), macs_by_hand(TINY, 7)
    assert many["forward"] == 7 * one["forward"]
    assert many["setup"] == one["setup"]
    longer = macs_by_hand(TINY.with_segments(8), 1)
    assert longer["forward"] - longer["head"] == 2 * (one["forward"] - one["head"])
