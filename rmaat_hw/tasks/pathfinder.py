"""Pathfinder: are the two discs on the same dashed path? Pictures generated here.

Source of the task: Linsley et al., "Learning long-range spatial dependencies with horizontal gated
recurrent units", NeurIPS 2018, arXiv 1805.08315; its three difficulties are paths of 6, 9 and 14
dashes (the authors' generator, github.com/drewlinsley/pathfinder: "curv_baseline",
"curv_contour_length_9", "curv_contour_length_14"). The Long Range Arena draws it in 32 × 32 pixels with
dashes of 2 pixels, gaps of 1 + 1, discs of radius 1.5, shorter distractor paths of a third of the length
and turns weighted by cos² (its builder, lra_benchmarks/data/pathfinder.py). This is an implementation of
that description, not of that code, and draws other pictures of the same kind.

Every picture holds two paths of the full length, whatever its label: with label 1 the discs stand on
both ends of one path, with label 0 on an end of each. Neither the amount of light nor where it lies
tells the classes apart; distances between discs are matched, see :func:`draw`.
"""

from __future__ import annotations

import functools
import hashlib
import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIZE = 32
"""Pixels of a side."""
CONTOUR_LENGTHS = {"easy": 6, "intermediate": 9, "hard": 14}
"""Dashes of the two long paths, by the names that the Long Range Arena gives the difficulties."""

DASH, MARGIN = 2, 1  # pixels: a dash, and the gap on each side of it
RADIUS = 1.5  # of a disc, pixels
THICKNESS = 0.5  # of a dash, pixels
BRIGHTNESS = 1.5  # of a fully covered pixel of a dash: the published contrasts, 2 · 0.75
SEED_DISTANCE = 7  # between the middles of the first dashes of the two paths, pixels
DISTRACTOR_DASHES = 20  # of all distractors together
MATCHED = 1.5  # pixels: most by which the two ways of placing the discs may differ in distance

_PHASES = 4  # positions lie on quarters of a pixel
_DIRECTIONS = 72  # every 5 degrees
_REACH = 3  # pixels around its own that a stamp covers
_SIDE = 2 * _REACH + 1
_WIDE = SIZE + 2 * _REACH  # bits of a row of the occupancy, frame included
_SAMPLES = 8  # of a pixel's side when it is rendered
# These three change how often a start is given up, hence the time, not the kind of picture: measured best
# for 14 dashes.
_TRIES = 12  # directions tried before a path goes back
_BACK = 4  # it goes back over so many dashes at most
_STEPS = 150  # dashes tried before both paths start anew
_LOW, _HIGH = 6, SIZE * _PHASES - 6  # ends of dashes keep 1.5 pixels from the edge
_CENTRE, _SPREAD = SIZE * _PHASES // 2, 3 * _PHASES  # where the first path starts

Draw = Callable[[], float]
"""Uniform in [0, 1)."""
Dash = tuple[int, int, int]
"""Middle y, x in quarters of a pixel, and direction in steps of 5 degrees."""
Point = tuple[int, int]

# Edges of dashes and discs go through samples. On which side these lie must not hang on the last digit of
# a sine, which differs between computers.
_SLACK = 1e-9
_UNIT = [
    (round(math.sin(math.tau * k / _DIRECTIONS), 12), round(math.cos(math.tau * k / _DIRECTIONS), 12))
    for k in range(_DIRECTIONS)
]


def _moves(pixels: float) -> list[Point]:
    """Quarters of a pixel in y and x of a step in each direction."""
    return [(round(y * pixels * _PHASES), round(x * pixels * _PHASES)) for y, x in _UNIT]


_HALF_DASH = _moves(DASH / 2)
_HALF_STEP = _moves(DASH / 2 + MARGIN)
_SEED_STEP = _moves(SEED_DISTANCE)
_TURNS = range(1 - _DIRECTIONS // 4, _DIRECTIONS // 4)  # less than a right angle


def _cumulative_turns() -> list[float]:
    weights = [_UNIT[turn][1] ** 2 for turn in _TURNS]  # cos²
    return [sum(weights[: k + 1]) / sum(weights) for k in range(len(weights))]


_TURN_SHARES = _cumulative_turns()


class _Stamp(NamedTuple):
    """One dash or disc at one phase and direction, around the pixel that its middle lies in."""

    light: NDArray[np.uint8]
    """[_SIDE, _SIDE], 0 … 255."""
    footprint: int
    """Bit row · _WIDE + column: the dash lies on this pixel."""
    surroundings: int
    """Pixels that no other dash may lie on: within a pixel of the dash or of half the gaps beside it."""


def _covered(phase: int, inside: Callable[..., NDArray[np.bool_]]) -> NDArray[np.int64]:
    """Samples of each pixel for which ``inside(y, x)`` holds, [_SIDE, _SIDE]."""
    samples = (np.arange(_SIDE * _SAMPLES) + 0.5) / _SAMPLES - _REACH
    y = samples[:, None] - (phase // _PHASES + 0.5) / _PHASES
    x = samples[None, :] - (phase % _PHASES + 0.5) / _PHASES
    return inside(y, x).reshape(_SIDE, _SAMPLES, _SIDE, _SAMPLES).sum(axis=(1, 3))


def _bits(mask: NDArray[np.bool_]) -> int:
    return sum(1 << int(row * _WIDE + col) for row, col in np.argwhere(mask))


def _light(covered: NDArray[np.int64], brightness: float) -> NDArray[np.uint8]:
    return np.minimum(255, covered * brightness * 255 // _SAMPLES**2).astype(np.uint8)


@functools.cache
def _dash_stamp(phase: int, direction: int) -> _Stamp:
    unit_y, unit_x = _UNIT[direction]

    def bar(half_length: float, half_width: float) -> NDArray[np.int64]:
        return _covered(
            phase,
            lambda y, x: (
                (np.abs(y * unit_y + x * unit_x) <= half_length + _SLACK)
                & (np.abs(y * unit_x - x * unit_y) <= half_width + _SLACK)
            ),
        )

    thin = bar(DASH / 2, THICKNESS / 2)
    return _Stamp(
        light=_light(thin, BRIGHTNESS),
        footprint=_bits(thin > _SAMPLES),  # an eighth of the pixel
        surroundings=_bits(bar(DASH / 2 + MARGIN, 1.0) > _SAMPLES**2 // 4),
    )


@functools.cache
def _disc_light(phase: int) -> NDArray[np.uint8]:
    return _light(_covered(phase, lambda y, x: y * y + x * x <= RADIUS**2 + _SLACK), 1.0)


def _place(y: int, x: int) -> tuple[int, int]:
    """Phase of a position, and by how many bits a stamp moves to it."""
    return (y % _PHASES) * _PHASES + x % _PHASES, (y // _PHASES) * _WIDE + x // _PHASES


def _surroundings(dash: Dash) -> int:
    phase, shift = _place(dash[0], dash[1])
    return _dash_stamp(phase, dash[2]).surroundings << shift


def _fits(dash: Dash, occupied: int) -> bool:
    """Both ends lie in the picture and no pixel is another dash's."""
    y, x, direction = dash
    half_y, half_x = _HALF_DASH[direction]
    if not (_LOW <= y - half_y <= _HIGH and _LOW <= y + half_y <= _HIGH):
        return False
    if not (_LOW <= x - half_x <= _HIGH and _LOW <= x + half_x <= _HIGH):
        return False
    phase, shift = _place(y, x)
    return not (_dash_stamp(phase, direction).footprint << shift) & occupied


def _next_dash(dash: Dash, occupied: int, draw: Draw) -> Dash | None:
    """The dash after this one: half a gap straight on, the other half in a new direction."""
    y, x, direction = dash
    on_y, on_x = _HALF_STEP[direction]
    for _ in range(_TRIES):
        new = (direction + _TURNS[bisect_left(_TURN_SHARES, draw())]) % _DIRECTIONS
        turned_y, turned_x = _HALF_STEP[new]
        candidate = (y + on_y + turned_y, x + on_x + turned_x, new)
        if _fits(candidate, occupied):
            return candidate
    return None


def _two_paths(length: int, draw: Draw) -> tuple[list[Dash], list[Dash]] | None:
    """Grow two paths by turns from near the centre; a path that cannot go on takes steps back."""
    y = _CENTRE - _SPREAD + int(draw() * 2 * _SPREAD)
    x = _CENTRE - _SPREAD + int(draw() * 2 * _SPREAD)
    away_y, away_x = _SEED_STEP[int(draw() * _DIRECTIONS)]
    starts = [(y, x), (y + away_y, x + away_x)]
    dashes: list[Dash] = [(*start, int(draw() * _DIRECTIONS)) for start in starts]
    around = [_surroundings(dash) for dash in dashes]
    # older[k]: what the dashes before k forbid, save the last of each path, which its successor must
    # touch and which only the other path keeps away from.
    older = [0, 0, 0]
    if not all(_fits(dashes[k], around[1 - k]) for k in (0, 1)):
        return None
    for _ in range(_STEPS):
        k = len(dashes)
        if k == 2 * length:
            return dashes[::2], dashes[1::2]
        new = _next_dash(dashes[k - 2], older[k] | around[k - 1], draw)
        if new is None:
            keep = max(2, k - 1 - int(draw() * _BACK))
            del dashes[keep:], around[keep:], older[keep + 1 :]
            continue
        dashes.append(new)
        older.append(older[k] | around[k - 2])
        around.append(_surroundings(new))
    return None


def _distractor(length: int, occupied: int, draw: Draw) -> list[Dash] | None:
    y, x = (_LOW + int(draw() * (_HIGH - _LOW)) for _ in range(2))
    dashes = [(y, x, int(draw() * _DIRECTIONS))]
    if not _fits(dashes[0], occupied):
        return None
    while len(dashes) < length:
        new = _next_dash(dashes[-1], occupied, draw)
        if new is None:
            return None
        occupied |= _surroundings(dashes[-1])
        dashes.append(new)
    return dashes


def _tip(dash: Dash, sign: int) -> Point:
    """Outer end of a path's first (-1) or last (+1) dash."""
    y, x, direction = dash
    half_y, half_x = _HALF_DASH[direction]
    return y + sign * half_y, x + sign * half_x


def _matched_places(pair: tuple[list[Dash], list[Dash]], draw: Draw) -> tuple[Point, Point, Point] | None:
    """Start of one path, its end, and the end of the other path as far away, if there are such."""
    one = int(draw() * 2)
    for path, other in ((pair[one], pair[1 - one]), (pair[1 - one], pair[one])):
        first, same, across = _tip(path[0], -1), _tip(path[-1], 1), _tip(other[-1], 1)
        if abs(math.dist(first, same) - math.dist(first, across)) <= MATCHED * _PHASES:
            return first, same, across
    return None


def scene(length: int, label: int, draw: Draw) -> tuple[list[list[Dash]], tuple[Point, Point]]:
    """Draw the paths of one picture and the places of its discs.

    A disc stands at the first dash of one long path; the other stands at the last dash of the same path
    (label 1) or of the other (label 0). Only pairs of paths are taken for which both places are equally
    far from the first disc, within :data:`MATCHED`, so that the distance says nothing of the label.
    """
    while True:
        pair = _two_paths(length, draw)
        if pair is None:
            continue
        places = _matched_places(pair, draw)
        if places is not None:
            break
    first, same, other = places
    occupied = 0
    for path in pair:
        for dash in path:
            occupied |= _surroundings(dash)
    paths: list[list[Dash]] = [*pair]
    short = length // 3
    for _ in range(4 * (DISTRACTOR_DASHES // short)):
        found = _distractor(short, occupied, draw)
        if found is not None:
            paths.append(found)
            for dash in found:
                occupied |= _surroundings(dash)
        if len(paths) == 2 + DISTRACTOR_DASHES // short:
            break
    return paths, (first, same if label else other)


def render(paths: Sequence[Sequence[Dash]], discs: Sequence[Point]) -> NDArray[np.uint8]:
    """Antialiased white dashes and discs on black, uint8 [32, 32]."""
    canvas = np.zeros((_WIDE, _WIDE), dtype=np.uint8)
    for path in paths:
        for y, x, direction in path:
            _put(canvas, _dash_stamp(_place(y, x)[0], direction).light, y, x)
    for y, x in discs:
        _put(canvas, _disc_light(_place(y, x)[0]), y, x)
    return canvas[_REACH : _REACH + SIZE, _REACH : _REACH + SIZE]


def _put(canvas: NDArray[np.uint8], light: NDArray[np.uint8], y: int, x: int) -> None:
    row, col = y // _PHASES, x // _PHASES
    place = canvas[row : row + _SIDE, col : col + _SIDE]
    np.maximum(place, light, out=place)


def label_of(index: int, seed: int) -> int:
    """Label of picture ``index``: one of each class in every two pictures, in an order drawn by the seed."""
    order = hashlib.sha256(f"labels {seed} {index // 2}".encode()).digest()[0]
    return (index ^ order) & 1


def pictures(start: int, stop: int, *, length: int, seed: int) -> NDArray[np.uint8]:
    """Pictures ``start`` … ``stop`` - 1 of a seed, uint8 [n, 32 · 32] in reading order.

    Each has a stream of randomness of its own, so that any range can be drawn alone.
    """
    found = np.empty((stop - start, SIZE * SIZE), dtype=np.uint8)
    for row, index in zip(found, range(start, stop), strict=True):
        draw = random.Random(f"pathfinder {length} {seed} {index}").random
        paths, discs = scene(length, label_of(index, seed), draw)
        row[:] = render(paths, discs).ravel()
    return found
