"""ListOps: labels by an independent evaluator, the published law, determinism."""

from __future__ import annotations

import ast
import statistics
from collections import Counter

import numpy as np
import pytest

from device_params.errors import InputError
from rmaat_hw.tasks import listops

FUNCTIONS = {
    "MIN": min,
    "MAX": max,
    "MED": lambda values: int(statistics.median(values)),
    "SM": lambda values: sum(values) % 10,
}


def evaluate(text: str) -> int:
    """Read the words as a nested Python list and reduce it from the innermost list outwards."""
    words = text.replace("]", " ]").split()
    source = "".join(f"['{w[1:]}'," if w[0] == "[" else "]," if w == "]" else f"{w}," for w in words)
    (tree,) = ast.literal_eval(f"[{source}]")

    def value(node: object) -> int:
        if isinstance(node, int):
            return node
        assert isinstance(node, list)
        return FUNCTIONS[node[0]]([value(child) for child in node[1:]])

    return value(tree)


def depth_of(text: str) -> int:
    level = deepest = 1
    for word in text.split():
        level += word.startswith("[")
        deepest = max(deepest, level)
        level -= word == "]"
    return deepest


def arguments_of(text: str) -> list[int]:
    counts, stack = [], [0]
    for word in text.split():
        if word == "]":
            counts.append(stack.pop())
        else:
            stack[-1] += 1
            if word.startswith("["):
                stack.append(0)
    return counts


@pytest.fixture(scope="module")
def sample() -> tuple[list[np.ndarray], np.ndarray]:
    return listops.sequences(1200, seed=11)


def test_labels_agree_with_the_independent_evaluator(sample: tuple[list[np.ndarray], np.ndarray]) -> None:
    found, labels = sample
    for ids, label in zip(found[:300], labels[:300], strict=True):
        assert evaluate(listops.decode(ids.tolist())) == label


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[MAX 2 9 [MIN 4 7 ] 0 ]", 9),
        ("[MED 1 2 ]", 1),  # median 1.5
        ("[MED 9 1 5 ]", 5),
        ("[MED 0 3 8 9 ]", 5),  # 5.5
        ("[SM 9 8 7 ]", 4),  # 24
    ],
)
def test_evaluator_and_operators_by_hand(text: str, value: int) -> None:
    assert evaluate(text) == value
    if text.count("[") == 1:
        name, *arguments = text.strip("[] ").split()
        assert listops.apply_operator(name, [int(word) for word in arguments]) == value


def test_length_law(sample: tuple[list[np.ndarray], np.ndarray]) -> None:
    """Mean 1036, 85.8 % up to 1536 tokens, 55 % up to 1024 (1,500 sequences of the published rules)."""
    lengths = np.array([len(ids) for ids in sample[0]])
    assert lengths.min() > 500
    assert lengths.max() < 2000
    assert lengths.mean() == pytest.approx(1036, abs=45)  # spread 400 / √1200 = 12, both samples
    assert (lengths <= 1536).mean() == pytest.approx(0.858, abs=0.045)
    assert (lengths <= 1024).mean() == pytest.approx(0.55, abs=0.06)


def test_majority_class(sample: tuple[list[np.ndarray], np.ndarray]) -> None:
    counts = Counter(sample[1].tolist())
    assert set(counts) == set(range(10))
    assert counts.most_common(1)[0][1] / 1200 == pytest.approx(0.174, abs=0.04)


def test_shape_of_the_trees(sample: tuple[list[np.ndarray], np.ndarray]) -> None:
    texts = [listops.decode(ids.tolist()) for ids in sample[0][:200]]
    assert max(depth_of(text) for text in texts) == 10
    arguments = Counter(count for text in texts for count in arguments_of(text))
    assert set(arguments) == set(range(2, 11))
    names = Counter(word for text in texts for word in text.split() if word.startswith("["))
    assert set(names) == {"[MIN", "[MAX", "[MED", "[SM"}
    assert max(names.values()) < 1.1 * min(names.values())


def test_operator_probability_below_the_root() -> None:
    """Unconditioned trees of depth 2: an operator at the root in one of four."""
    import random

    generator = random.Random(0)
    trees = [listops.draw_tree(generator, limit=100, depth=2) for _ in range(20_000)]
    share = sum(tree is not None and len(tree[0]) > 1 for tree in trees) / len(trees)
    assert share == pytest.approx(0.25, abs=0.012)  # four standard errors


def test_unique_deterministic_and_prefix_stable() -> None:
    short, _ = listops.sequences(3, seed=4)
    long, labels = listops.sequences(9, seed=4)
    again, labels_again = listops.sequences(9, seed=4)
    other, _ = listops.sequences(9, seed=5)
    assert [ids.tolist() for ids in long] == [ids.tolist() for ids in again]
    assert labels.tolist() == labels_again.tolist()
    assert [ids.tolist() for ids in short] == [ids.tolist() for ids in long[:3]]
    assert long[0].tolist() != other[0].tolist()
    tiny, _ = listops.sequences(150, seed=0, length=(3, 6))  # operator, two or three digits, bracket
    assert len({bytes(ids.tolist()) for ids in tiny}) == 150


def test_encode_and_decode() -> None:
    assert len(listops.SYMBOLS) == 18
    assert listops.SYMBOLS[0] == "<pad>"
    assert listops.encode("( ( [MAX 2 ) 3 ) ]") == listops.encode("[MAX 2 3 ]")
    assert listops.decode([0, 0, *listops.encode("[SM 1 [MED 0 9 ] ]")]) == "[SM 1 [MED 0 9 ] ]"
    with pytest.raises(InputError, match=r"no ListOps symbol; got '\[AVG'"):
        listops.encode("[AVG 1 2 ]")


def test_law_for_other_padded_lengths() -> None:
    assert listops.scaled_law(2048) == ((500, 2000), 10)
    assert listops.scaled_law(512) == ((125, 500), 10)
    # 4 × 2048: ln 4 / ln 1.5 = 3.4, so four levels more
    assert listops.scaled_law(8192) == ((2000, 8000), 14)


def test_impossible_bounds_end_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listops, "_ATTEMPTS", 2000)
    with pytest.raises(InputError, match="widen the bounds"):
        listops.sequences(1, seed=0, length=(1, 4))  # no tree has two or three tokens
