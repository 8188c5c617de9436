"""Examples: padding in front, truncation, two documents, digest, drawing."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from device_params.errors import InputError
from rmaat_hw.tasks import Examples
from rmaat_hw.tasks.examples import pack
from rmaat_hw.tasks.files import random_order


def three() -> Examples:
    return pack([b"\x01\x02", b"\x03", b"\x04\x05\x06"], [1, 0, 1], padded_length=4, source="by hand")


def test_batch_by_hand() -> None:
    tokens, labels = three().batch([2, 0, 2])
    assert tokens.dtype == labels.dtype == torch.int64
    assert tokens.tolist() == [[0, 4, 5, 6], [0, 0, 1, 2], [0, 4, 5, 6]]
    assert labels.tolist() == [1, 1, 1]
    assert len(three()) == 3
    assert three().lengths.tolist() == [2, 1, 3]


def test_shift_keeps_zero_for_the_padding() -> None:
    examples = pack([b"\x00\xff"], [0], padded_length=3, source="", shift=1)
    assert examples.batch([0])[0].tolist() == [[0, 1, 256]]
    assert examples.sequence(0).tolist() == [1, 256]


def test_each_document_is_right_aligned_in_its_half() -> None:
    examples = pack(
        [b"\x01", b"\x02\x03", b"\x04\x05\x06\x07", b""], [0, 1], padded_length=6, source="", documents=2
    )
    tokens, _ = examples.batch([0, 1])
    assert tokens.tolist() == [[0, 0, 1, 0, 2, 3], [4, 5, 6, 0, 0, 0]]  # four tokens: the first three stay
    assert examples.lengths.tolist() == [3, 3]
    assert examples.sequence(0, 1).tolist() == [2, 3]
    with pytest.raises(InputError, match="multiple of 2"):
        examples.padded_to(5)


def test_longer_sequences_keep_their_first_tokens() -> None:
    short = three().padded_to(2)
    assert short.batch([2])[0].tolist() == [[4, 5]]
    assert short.lengths.tolist() == [2, 1, 2]


@pytest.mark.parametrize("indices", [[3], [-1], [[0, 1]]])
def test_bad_indices_are_refused(indices: list[int]) -> None:
    with pytest.raises(InputError):
        three().batch(indices)


def test_indices_of_every_kind() -> None:
    as_list = three().batch([1, 2])[0]
    assert torch.equal(three().batch(np.array([1, 2]))[0], as_list)
    assert torch.equal(three().batch(torch.tensor([1, 2]))[0], as_list)
    assert torch.equal(three().batch(range(1, 3))[0], as_list)
    assert three().batch([])[0].shape == (0, 4)


def test_digest_follows_content_only() -> None:
    digest = three().sha256
    offsets = np.array([0, 2, 3, 6], "<i8").tobytes()
    labels = np.array([1, 0, 1], "<i8").tobytes()
    by_hand = hashlib.sha256(b"|u1 0 1" + bytes(range(1, 7)) + offsets + labels).hexdigest()
    assert digest == by_hand == three().padded_to(8).sha256
    assert three().take(np.array([1, 0, 2])).sha256 != digest


@given(
    st.lists(st.binary(max_size=9), min_size=1, max_size=6).flatmap(
        lambda s: st.tuples(st.just(s), st.permutations(range(len(s))))
    )
)
def test_take_reorders(drawn: tuple[list[bytes], list[int]]) -> None:
    sequences, order = drawn
    examples = pack(sequences, range(len(sequences)), padded_length=9, source="", shift=1)
    taken = examples.take(np.array(order))
    assert taken.labels.tolist() == order
    assert torch.equal(taken.batch(range(len(order)))[0], examples.batch(order)[0])


def test_random_order_is_the_same_everywhere() -> None:
    order = random_order(10, 3, "a name")
    assert sorted(order.tolist()) == list(range(10))
    assert order.tolist() == random_order(10, 3, "a name").tolist()
    # raw bits of Philox are fixed by NumPy's policy (NEP 19)
    assert random_order(8, 0, "digits").tolist() == [5, 2, 3, 7, 1, 0, 6, 4]
    assert random_order(1000, 0, "a").tolist() != random_order(1000, 1, "a").tolist()
