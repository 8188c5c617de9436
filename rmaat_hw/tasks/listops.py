"""ListOps: nested operations on digits, generated after the published specification.

Source: Tay et al., "Long Range Arena", arXiv 2011.04006, task ListOps, and its generator's rules
(github.com/google-research/long-range-arena). At each node, with probability 0.25, stands an operator
with 2 to 10 arguments, else a digit; the root has depth 1 and depth 10 forces a digit; a sequence
counts its operators, closing brackets and digits, parentheses not, and is kept when it has more than
500 and fewer than 2000 of them; sequences are unique. This is an implementation of those rules, not of
that code, and draws other sequences from the same law.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError
from rmaat_hw.tasks.examples import Examples

OPERATORS = ("MIN", "MAX", "MED", "SM")
OPERATOR_PROBABILITY = 0.25
LEAST_ARGUMENTS, MOST_ARGUMENTS = 2, 10
MAXIMUM_DEPTH = 10
LENGTH = (500, 2000)
"""Strict bounds on the tokens of a sequence."""
PADDED_LENGTH = 2048

# Ids after the special ones: digits, operators, closing bracket. The unknown and the end mark occur in
# no sequence of this generator; they keep the table at the 18 rows of the usual PyTorch loader.
SYMBOLS = ("<pad>", "<unk>", "<eos>", *"0123456789", *(f"[{name}" for name in OPERATORS), "]")
_DIGIT = SYMBOLS.index("0")
_OPERATOR = SYMBOLS.index("[MIN")
_CLOSE = SYMBOLS.index("]")
_IDS = {symbol: index for index, symbol in enumerate(SYMBOLS)}

_ATTEMPTS = 200_000
_DIGEST = 16  # bytes of a long sequence's digest


def apply_operator(name: str, arguments: Sequence[int]) -> int:
    """Value of one operator: MIN, MAX, MED (median, cut to a whole number), SM (sum modulo 10)."""
    if name == "MIN":
        return min(arguments)
    if name == "MAX":
        return max(arguments)
    if name == "SM":
        return sum(arguments) % 10
    ordered = sorted(arguments)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) // 2


def encode(text: str) -> list[int]:
    """Turn ``"[MAX 2 [MIN 4 7 ] ]"`` into ids; parentheses are dropped, as the published loaders do."""
    words = text.replace("(", " ").replace(")", " ").split()
    unknown = [word for word in words if word not in _IDS]
    if unknown:
        raise InputError("no ListOps symbol", value=unknown[0], allowed=" ".join(SYMBOLS[_DIGIT:]))
    return [_IDS[word] for word in words]


def decode(ids: Sequence[int]) -> str:
    """Turn ids back into text; padding is left out."""
    return " ".join(SYMBOLS[index] for index in ids if index)


@dataclass
class _Open:
    """An operator whose closing bracket is still to come."""

    name: str
    missing: int
    arguments: list[int]


def draw_tree(generator: random.Random, *, limit: int, depth: int) -> tuple[list[int], int] | None:
    """Draw one tree in reading order and evaluate it on the way.

    Args:
        generator: source of randomness; only its ``random()`` is used, which Python keeps stable.
        limit: give up as soon as the sequence has this many tokens.
        depth: depth at which a node is a digit for certain; the root has depth 1.

    Returns:
        Ids and value, or None when the sequence grew to ``limit``. A sequence only ever grows, so
        giving up early and rejecting afterwards keep the same sequences.
    """
    draw = generator.random
    ids: list[int] = []
    stack: list[_Open] = []
    while len(ids) < limit:
        if len(stack) + 1 < depth and draw() <= OPERATOR_PROBABILITY:
            index = int(draw() * len(OPERATORS))
            count = LEAST_ARGUMENTS + int(draw() * (MOST_ARGUMENTS - LEAST_ARGUMENTS + 1))
            ids.append(_OPERATOR + index)
            stack.append(_Open(OPERATORS[index], count, []))
            continue
        value = int(draw() * 10)
        ids.append(_DIGIT + value)
        while stack:
            top = stack[-1]
            top.arguments.append(value)
            if len(top.arguments) < top.missing:
                break
            value = apply_operator(top.name, top.arguments)
            ids.append(_CLOSE)
            stack.pop()
        if not stack:
            return (ids, value) if len(ids) < limit else None
    return None


def stream(
    seed: int, *, length: tuple[int, int] = LENGTH, depth: int = MAXIMUM_DEPTH
) -> Iterator[tuple[list[int], int]]:
    """Yield unique trees one after the other, ids and value; the same seed gives the same stream.

    Args:
        seed: 0 or more.
        length: strict bounds on the tokens of a sequence.
        depth: depth at which a node is a digit for certain.

    Raises:
        InputError: bounds between which (almost) no new tree lies.
    """
    low, high = length
    generator = random.Random(seed)
    seen: set[bytes] = set()
    failures = 0
    while True:
        tree = draw_tree(generator, limit=high, depth=depth)
        if tree is not None and len(tree[0]) > low:
            key = bytes(tree[0])
            if len(key) > _DIGEST:  # 100,000 long sequences would take 100 MB
                key = hashlib.blake2b(key, digest_size=_DIGEST).digest()
            if key not in seen:
                seen.add(key)
                failures = 0
                yield tree
                continue
        failures += 1
        if failures > _ATTEMPTS:
            raise InputError(
                f"no new tree of depth {depth} with a length between the bounds in {_ATTEMPTS} draws",
                where="length",
                value=length,
                remedy="widen the bounds or ask for fewer sequences",
            )


def sequences(
    n: int, seed: int, *, length: tuple[int, int] = LENGTH, depth: int = MAXIMUM_DEPTH
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Generate unique sequences with their labels: the first ``n`` of :func:`stream`.

    Returns:
        Ids of each sequence, int64 [tokens], without padding; labels 0 … 9, int64 [n].
    """
    trees = list(itertools.islice(stream(seed, length=length, depth=depth), n))
    labels = np.array([label for _, label in trees], dtype=np.int64)
    return [np.asarray(ids, dtype=np.int64) for ids, _ in trees], labels


def scaled_law(
    padded_length: int,
    *,
    length: tuple[int, int] = LENGTH,
    depth: int = MAXIMUM_DEPTH,
    reference: int = PADDED_LENGTH,
) -> tuple[tuple[int, int], int]:
    """Length bounds and depth for sequences padded to another length than ``reference``.

    The bounds keep their ratio to the padded length. Trees grow on average by 0.25 · 6 = 1.5 a level,
    so longer sequences get log₁.₅ of the factor more levels; shorter ones keep the depth.

    Returns:
        Strict bounds and depth; those given (by default the published ones) for ``reference``.
    """
    ratio = padded_length / reference
    growth = OPERATOR_PROBABILITY * (LEAST_ARGUMENTS + MOST_ARGUMENTS) / 2
    deeper = math.ceil(math.log(ratio) / math.log(growth)) if ratio > 1 else 0
    return (int(length[0] * ratio), int(length[1] * ratio)), depth + deeper


def majority_accuracy(train: Examples, test: Examples) -> float:
    """Share of ``test`` that the most frequent class of ``train`` gets right."""
    best = np.bincount(train.labels, minlength=10).argmax()
    return float((test.labels == best).mean())


def root_operator_accuracy(train: Examples, test: Examples) -> float:
    """Share of ``test`` that is got right from the root operator alone.

    The predictor says, for each first symbol, the class most frequent with it in ``train``. MIN and MAX
    over many arguments are mostly 0 and 9, so it is far above the majority class, and a model that has
    learnt to evaluate trees must beat it: about 0.36 at full size and 0.35 on 20 to 200 tokens at depth 5.
    """
    known, asked = (split.values[split.offsets[:-1]] for split in (train, test))
    right = 0
    for symbol in np.unique(asked):
        labels = train.labels[known == symbol]
        best = np.bincount(labels if len(labels) else train.labels, minlength=10).argmax()
        right += int((test.labels[asked == symbol] == best).sum())
    return right / len(test)
