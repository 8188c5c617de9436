"""Transitions of adders: by hand, against counted bits of random data, limits, other namespaces."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tolerance import close

from cost_models.arrays.activity import chain_transitions, product_transitions, tree_transitions

SHARES = st.floats(0.0, 1.0)


def test_product_toggles_where_the_input_toggles_and_the_weight_is_one() -> None:
    assert product_transitions(input_toggle=0.5, weight_density=0.25) == close(0.125)


def test_tree_of_four_by_hand() -> None:
    # Level 1: 2 adders of 1 bit, (1 - 0.5^2)/2 = 0.375. Level 2: 1 adder of 2 bits, (1 - 0.5^4)/2 = 0.46875.
    # Mean over 2 + 2 bits: (2*0.375 + 2*0.46875)/4 = 0.421875.
    assert tree_transitions(products=0.25, inputs=4.0, width=1.0) == close(0.421875)


def test_chain_by_hand() -> None:
    # Mean changes seen 0.2*(9 + 1)/2 = 1: half a useful one, and half of the other half survives.
    assert chain_transitions(products=0.2, depth=9.0, surviving=0.5) == close(0.75)
    assert chain_transitions(products=0.2, depth=9.0, surviving=0.0) == close(0.5)
    # Between registers after every adder nothing can glitch.
    assert chain_transitions(products=0.2, depth=1.0, surviving=1.0) == close(0.2)


def counted(toggle: float, inputs: int, cycles: int = 4000) -> float:
    """Mean transitions of the sum bits of a tree of one-bit inputs, counted on random data."""
    rng = np.random.default_rng(1)
    start = rng.integers(0, 2, inputs)
    values = (start + np.cumsum(rng.random((cycles, inputs)) < toggle, axis=0)) % 2
    changes = bits = 0.0
    width = 1
    while values.shape[1] > 1:
        values = values[:, 0::2] + values[:, 1::2]
        switched = values[1:] ^ values[:-1]
        # Carries out are places of the next adders: `width` bits an adder, as in the model.
        for bit in range(width):
            changes += float(((switched >> bit) & 1).sum())
            bits += switched.size
        width += 1
    return changes / bits


@pytest.mark.parametrize(("toggle", "error"), [(0.05, 0.6), (0.25, 0.2), (0.5, 0.03), (0.8, 0.15)])
def test_tree_against_counted_bits_of_random_data(toggle: float, error: float) -> None:
    """Errs high, as it says: by half where a product in twenty toggles, by little for random ones."""
    ratio = tree_transitions(products=toggle, inputs=64.0, width=1.0) / counted(toggle, 64)
    assert 1.0 <= ratio < 1.0 + error


@given(SHARES, SHARES, st.sampled_from([1.0, 2.0, 48.0, 1024.0]), st.sampled_from([1.0, 8.0]))
def test_tree_stays_within_half_and_grows_with_its_products(
    one: float, other: float, inputs: float, width: float
) -> None:
    low, high = (
        float(tree_transitions(products=value, inputs=inputs, width=width)) for value in sorted((one, other))
    )
    assert 0.0 <= low <= high * (1 + 1e-12) <= 0.5 * (1 + 1e-9)


def test_tree_at_its_limits() -> None:
    assert tree_transitions(products=0.0, inputs=64.0, width=4.0) == 0.0
    # One input needs no adder: what follows sees the product.
    assert tree_transitions(products=0.2, inputs=1.0, width=4.0) == close(0.2)
    # A deep tree of bits: level l has l/2^l of twice as many sum bits as inputs; random from level 5 on.
    # (0.5*0.32 + 0.5*0.4352 + 0.375*0.4916 + 0.25*0.49986 + 0.375*0.5)/2 = 0.4372.
    assert tree_transitions(products=0.2, inputs=65536.0, width=1.0) == close(0.4372, rel=1e-3)
    # Inputs that all toggle flip no parity, but the sum they add to moves by steps of any size.
    assert tree_transitions(products=1.0, inputs=64.0, width=4.0) == close(0.5)


@given(SHARES, SHARES, st.sampled_from([1.0, 4.0, 128.0]), SHARES, SHARES)
def test_chain_grows_with_products_depth_and_glitches(
    one: float, other: float, depth: float, surviving: float, more: float
) -> None:
    low, high = sorted((one, other))
    few, many = sorted((surviving, more))
    least = chain_transitions(products=low, depth=depth, surviving=few)
    assert 0.0 <= least <= chain_transitions(products=high, depth=depth, surviving=few)
    assert least <= chain_transitions(products=low, depth=2 * depth, surviving=few) * (1 + 1e-12)
    assert least <= chain_transitions(products=low, depth=depth, surviving=many) * (1 + 1e-12)


def test_numbers_blocks_and_tensors_agree() -> None:
    toggles, inputs = [0.0, 0.1, 0.5, 0.9], [1.0, 6.0, 64.0, 512.0]
    single = [
        float(tree_transitions(products=t, inputs=n, width=3.0)) for t, n in zip(toggles, inputs, strict=True)
    ]
    block = tree_transitions(products=np.array(toggles), inputs=np.array(inputs), width=3.0)
    np.testing.assert_allclose(block, single, rtol=1e-12)
    chains = [
        float(chain_transitions(products=t, depth=n, surviving=0.3))
        for t, n in zip(toggles, inputs, strict=True)
    ]
    block = chain_transitions(products=np.array(toggles), depth=np.array(inputs), surviving=0.3)
    np.testing.assert_allclose(block, chains, rtol=1e-12)
    traced = torch.tensor(toggles, dtype=torch.float64, requires_grad=True)
    depth = torch.tensor(inputs, dtype=torch.float64)
    tensor = tree_transitions(products=traced, inputs=depth, width=3.0)
    np.testing.assert_allclose(tensor.detach().numpy(), single, rtol=1e-12)
    tensor = tensor + chain_transitions(products=traced, depth=depth, surviving=0.3)
    (gradient,) = torch.autograd.grad(tensor.sum(), traced)
    assert torch.isfinite(gradient).all() and (gradient > 0).all()
