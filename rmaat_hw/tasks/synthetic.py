"""Sequences that stand in for published data where none are given: for tracing and activity only.

They have the lengths and roughly the values of the real ones and carry nothing to learn; a model is
never trained on them (:meth:`Task.split` asks for the published files instead).
"""

from __future__ import annotations

import math
import random

import numpy as np
from numpy.typing import NDArray

# Frequent English words, in the order of their rank. Drawn by the law of Zipf and Mandelbrot, flattened for
# the missing rare words, they give bytes about as frequent as in English prose.
_TEXT = """
the of and to a in is that it was for on are as with his they at be this from have or by one had not
but what all were when we there can an your which their said if do will each about how up out them
then she many some so these would other into has more her two like him see time could no make than
first been its who now people my made over did down only way find use may water long little very
after words called just where most know
"""
_WORDS = _TEXT.split()
_SHARES = np.cumsum([1 / (rank + 10) for rank in range(1, len(_WORDS) + 1)])


def words(draw: random.Random, length: int) -> bytes:
    """Seeded sentences of frequent words, ``length`` bytes of ASCII."""
    pieces: list[str] = []
    size = 0
    left = 0
    while size < length:
        word = _WORDS[int(np.searchsorted(_SHARES, draw.random() * _SHARES[-1]))]
        if not left:
            left = 4 + int(draw.random() * 20)
            word = word.capitalize()
        left -= 1
        pieces.append(word if left else f"{word}.")
        size += len(pieces[-1]) + 1
    return " ".join(pieces).encode()[:length]


def review_length(draw: random.Random, longest: int) -> int:
    """Bytes of a stand-in for a film review: log-normal, median 980, at most ``longest``."""
    # Box and Muller, for draw.random() is the one method that Python keeps stable.
    normal = math.sqrt(-2 * math.log(1 - draw.random())) * math.cos(math.tau * draw.random())
    return max(20, min(longest, round(980 * math.exp(0.65 * normal))))


def picture(draw: random.Random, size: int = 32) -> NDArray[np.uint8]:
    """Grey values of a stand-in for a photograph, uint8 [size · size]: coarse patches under finer ones.

    A sum of random squares of every size from one pixel to half the picture, weighted by the side: power
    falls with spatial frequency as in photographs.
    """
    total = np.zeros((size, size), dtype=np.int64)
    weights = 0
    side = size // 2
    while side:
        squares = np.array([int(draw.random() * 256) for _ in range((size // side) ** 2)])
        total += side * np.kron(squares.reshape(size // side, -1), np.ones((side, side), dtype=np.int64))
        weights += side
        side //= 2
    return (total // weights).astype(np.uint8).ravel()
