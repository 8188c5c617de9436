"""ListOps: nested operations on digits, generated after the published specification.

Source: Tay et al., "Long Range Arena", arXiv 2011.04006, task ListOps, and its generator's rules
(github.com/google-research/long-range-arena). At each node, with probability 0.25, stands an operator
with 2 to 10 arguments, else a digit; the root has depth 1 and depth 10 forces a digit; a sequence
counts its operators, closing brackets and digits, parentheses not, and is kept when it has more than
500 and fewer than 2000 of them; sequences are unique. This is an implementation of those rules, not of
that code, and draws other sequences from the same law.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from device_params.errors import InputError

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


def sequences(
    n: int, seed: int, *, length: tuple[int, int] = LENGTH, depth: int = MAXIMUM_DEPTH
) -> tuple[list[NDArray[np.int64]], NDArray[np.int64]]:
    """Generate unique sequences with their labels; the first k of n are those of k.

    Args:
        n: sequences.
        seed: 0 or more.
        length: strict bounds on the tokens of a sequence.
        depth: depth at which a node is a digit for certain.

    Returns:
        Ids of each sequence, int64 [tokens], without padding; labels 0 … 9, int64 [n].

    Raises:
        InputError: bounds between which (almost) no tree lies.
    """
    low, high = length
    generator = random.Random(seed)
    seen: set[bytes] = set()
    found: list[NDArray[np.int64]] = []
    labels: list[int] = []
    failures = 0
    while len(found) < n:
        tree = draw_tree(generator, limit=high, depth=depth)
        if tree is not None and len(tree[0]) > low:
            key = bytes(tree[0])
            if key not in seen:
                seen.add(key)
                found.append(np.asarray(tree[0], dtype=np.int64))
                labels.append(tree[1])
                failures = 0
                continue
        failures += 1
        if failures > _ATTEMPTS:
            raise InputError(
                f"no new tree of depth {depth} with a length between the bounds in {_ATTEMPTS} draws",
                where="length",
                value=length,
                remedy="widen the bounds or ask for fewer sequences",
            )
    return found, np.asarray(labels, dtype=np.int64)


def scaled_law(padded_length: int) -> tuple[tuple[int, int], int]:
    """Length bounds and depth for sequences padded to another length than 2048.

    The bounds keep their published ratio to the padded length. Trees grow on average by
    0.25 · 6 = 1.5 a level, so longer sequences get log₁.₅ of the factor more levels; shorter ones
    keep the published depth.

    Returns:
        Strict bounds and depth; the published ones for 2048.
    """
    ratio = padded_length / PADDED_LENGTH
    growth = OPERATOR_PROBABILITY * (LEAST_ARGUMENTS + MOST_ARGUMENTS) / 2
    deeper = math.ceil(math.log(ratio) / math.log(growth)) if ratio > 1 else 0
    bounds = (int(LENGTH[0] * ratio), int(LENGTH[1] * ratio))
    return bounds, MAXIMUM_DEPTH + deeper
