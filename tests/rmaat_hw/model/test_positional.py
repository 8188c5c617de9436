"""The positional matrix: equal to the dense product, never N × N."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

from rmaat_hw.model import RMAATConfig, build
from rmaat_hw.model.positional import (
    PositionalMatrix,
    distance_decay_product,
    feature_map,
    ordinal_table,
    sinusoidal_table,
)


def dense_decay(rows: int, scale: float) -> torch.Tensor:
    position = torch.arange(rows, dtype=torch.float64)
    return torch.exp(-(position[:, None] - position[None, :]).abs() * scale)


@pytest.mark.parametrize("rows", [1, 2, 3, 64, 65, 131, 528, 1023])
@pytest.mark.parametrize("scale", [0.003, 0.1, 2.0])
def test_product_equals_the_dense_one(rows: int, scale: float) -> None:
    generator = torch.Generator().manual_seed(rows)
    x = torch.randn(rows, 5, dtype=torch.float64, generator=generator)
    fast = distance_decay_product(x, torch.tensor(scale, dtype=torch.float64))
    torch.testing.assert_close(fast, dense_decay(rows, scale) @ x, rtol=1e-12, atol=1e-12)


def test_product_by_hand() -> None:
    # a = 1/2, x = (1, 0, 0, 2): rows 1 + 2/8, 1/2 + 2/4, 1/4 + 2/2, 1/8 + 2
    x = torch.tensor([[1.0], [0.0], [0.0], [2.0]], dtype=torch.float64)
    fast = distance_decay_product(x, torch.tensor(math.log(2), dtype=torch.float64))
    torch.testing.assert_close(fast.squeeze(1), torch.tensor([1.25, 1.0, 1.25, 2.125], dtype=torch.float64))


@pytest.mark.parametrize("rows", [7, 67])
def test_gradients_of_values_and_scale(rows: int) -> None:
    x = torch.randn(rows, 2, dtype=torch.float64, requires_grad=True)
    scale = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(distance_decay_product, (x, scale))


class LargestTensor(TorchDispatchMode):
    """Remembers the largest tensor that any operator made."""

    def __init__(self) -> None:
        super().__init__()
        self.numel = 0
        self.total = 0
        self.calls = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.calls += 1
        if isinstance(out, torch.Tensor):
            self.numel = max(self.numel, out.numel())
            self.total += out.numel()
        return out


def test_memory_and_work_grow_linearly_and_steps_logarithmically() -> None:
    seen, work = {}, {}
    for length in (1008, 4080, 16368):  # rows 1024, 4096, 16384
        config = RMAATConfig(vocabulary=4, classes=2, d_model=8, heads=2, segment_length=length)
        module = PositionalMatrix(config)
        with LargestTensor() as mode, torch.no_grad():
            module()
        assert mode.numel == 2 * config.rows * config.head_width  # both directions side by side
        work[length] = mode.total
        seen[length] = mode.calls
    assert seen[16368] - seen[4080] == seen[4080] - seen[1008]  # two halvings more each time
    assert work[4080] < 4 * work[1008] and work[16368] < 4.02 * work[4080]  # log N more would be 4.8, 4.7
    assert seen[16368] < 200


def test_matrix_is_its_definition() -> None:
    config = RMAATConfig(vocabulary=4, classes=2, d_model=12, heads=3, segment_length=13, memory_tokens=4)
    module = PositionalMatrix(config).double().requires_grad_(False)
    assert float(module.scale) == pytest.approx(config.positional_scale, rel=1e-6)
    projection = module.projection  # M_p [m, N] = [4, 17]
    r = dense_decay(17, float(module.scale))
    expected = projection.T @ (projection @ r @ projection.T)
    torch.testing.assert_close(module(), functional.elu(expected) + 1, rtol=1e-12, atol=1e-12)


def test_feature_map_by_hand() -> None:
    # elu(x) + 1: e^x below zero, x + 1 above
    x = torch.tensor([-2.0, -0.5, 0.0, 0.5, 3.0])
    expected = torch.tensor([math.exp(-2), math.exp(-0.5), 1.0, 1.5, 4.0])
    torch.testing.assert_close(feature_map(x), expected)


@pytest.mark.parametrize("width", [8, 7])
def test_sinusoidal_table(width: int) -> None:
    table = sinusoidal_table(50, width)
    assert table.shape == (50, width)
    assert table[0].tolist() == [0.0, 1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 1.0][:width]
    assert float(table[3, 0]) == pytest.approx(math.sin(3), abs=1e-6)
    angle = 49 / 10_000 ** (4 / width)  # columns 4 and 5: the third pair
    assert float(table[49, 4]) == pytest.approx(math.sin(angle), abs=1e-6)
    assert float(table[49, 5]) == pytest.approx(math.cos(angle), abs=1e-6)


def test_ordinal_start_makes_near_ids_alike() -> None:
    """Rows of neighbours are almost one row, those of the ends are not; variance one, as with normal."""
    torch.manual_seed(0)
    table = ordinal_table(18, 256)
    assert table.shape == (18, 256)
    assert float(table.var()) == pytest.approx(1.0, rel=0.1)
    alike = torch.corrcoef(table)
    assert float(alike.diagonal(1).min()) > 0.97
    assert float(alike[0, -1]) < 0.3
    for start in ("normal", "ordinal"):
        config = RMAATConfig(vocabulary=18, classes=2, embedding_start=start)
        rows = build(config, 1).segment.embedding.weight.detach()
        assert (float(torch.corrcoef(rows)[4, 5]) > 0.9) == (start == "ordinal")
