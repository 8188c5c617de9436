"""ListOps splits: disjoint, reproducible, kept on disk; published files; what the simplest predictors get."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from device_params.errors import InputError
from rmaat_hw.tasks import Examples, listops, load_task
from rmaat_hw.tasks.cache import FOLDER_VARIABLE
from rmaat_hw.tasks.listops_data import Law

TINY = Law(length=(3, 12), depth=3, padded_length=16, train=120, validation=20, test=40)


def split(law: Law, which: str, n: int | None = None, seed: int = 0) -> Examples:
    return law.load(which, law.padded_length, data=None, n=n, seed=seed)


def trees(examples: Examples) -> list[tuple[int, ...]]:
    return [tuple(examples.sequence(k).tolist()) for k in range(len(examples))]


def test_splits_share_no_tree_and_are_the_whole_stream() -> None:
    """Trees of 4 to 11 tokens are few, so that equal ones are drawn all the time."""
    found = [trees(split(TINY, which)) for which in ("train", "validation", "test")]
    assert [len(part) for part in found] == [120, 20, 40]
    assert len(set().union(*found)) == 180
    stream, _ = listops.sequences(180, 0, length=(3, 12), depth=3)
    assert {tuple(ids.tolist()) for ids in stream} == set().union(*found)
    for part in found:
        assert all(3 < len(tree) < 12 for tree in part)


def test_same_seed_same_trees_and_prefixes() -> None:
    whole = split(TINY, "train", seed=3)
    assert whole.sha256 == split(TINY, "train", seed=3).sha256
    assert whole.sha256 != split(TINY, "train", seed=4).sha256
    for which in ("train", "validation", "test"):
        assert trees(split(TINY, which, n=7)) == trees(split(TINY, which))[:7]


def test_labels_stand_with_their_trees() -> None:
    examples = split(TINY, "test")
    stream, labels = listops.sequences(180, 0, length=(3, 12), depth=3)
    known = {tuple(ids.tolist()): label for ids, label in zip(stream, labels.tolist(), strict=True)}
    assert [known[tree] for tree in trees(examples)] == examples.labels.tolist()


def test_n_larger_than_the_split() -> None:
    with pytest.raises(InputError, match=r"validation split has fewer examples.*at most 20"):
        split(TINY, "validation", n=21)


def test_small_preset_is_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    task = load_task("listops", preset="small")
    law = Law(length=(20, 200), depth=5, padded_length=256, train=12_000, validation=500, test=500)
    first = law.load("test", 256, data=None, n=None, seed=1)
    (file,) = tmp_path.glob("listops-*.npz")
    began = time.perf_counter()
    again = law.load("test", 256, data=None, n=None, seed=1)
    assert time.perf_counter() - began < 1
    assert again.sha256 == first.sha256
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])  # as if the disk had filled up
    assert law.load("test", 256, data=None, n=None, seed=1).sha256 == first.sha256
    assert file.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    assert task.split("test", n=20).padded_length == 200


def test_a_changed_entry_of_the_cache_is_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    law = Law(length=(20, 200), depth=5, padded_length=256, train=12_000, validation=500, test=500)
    first = law.load("validation", 256, data=None, n=None, seed=2)
    (file,) = tmp_path.glob("*.npz")
    with np.load(file, allow_pickle=False) as stored:
        arrays = dict(stored)
    arrays["labels"] = arrays["labels"][::-1].copy()
    np.savez(file, **arrays)
    assert law.load("validation", 256, data=None, n=None, seed=2).sha256 == first.sha256


def test_unwritable_cache_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "file"))
    law = Law(length=(20, 200), depth=5, padded_length=256, train=10_000, validation=500, test=500)
    assert len(split(law, "test")) == 500


@pytest.mark.parametrize(
    ("preset", "law"), [("full", Law()), ("small", Law((1, 200), 10, 200)), ("short", Law((3, 32), 10, 32))]
)
def test_presets_state_their_law(preset: str, law: Law) -> None:
    task = load_task("listops", preset=preset)
    assert task.preset == preset
    assert task.presets == ("full", "small", "short")
    assert task.padded_length == law.padded_length
    assert dict(task.sizes) == {"train": 96_000, "validation": 2_000, "test": 2_000}
    batch = task.batch(6, seed=2)
    low, high = law.length
    assert ((batch.lengths > low) & (batch.lengths < high)).all()
    examples = task.split("train", n=6)
    assert ((examples.lengths > low) & (examples.lengths < high)).all()
    assert f"fewer than {high} tokens, depth {law.depth}" in examples.source


def test_simplest_predictors_on_20_to_200_tokens() -> None:
    """20,000 trees of an independent generator gave 16.6 % and 35.3 %."""
    law = Law((20, 200), 5, 256)
    train, test = (law.load(which, 256, data=None, n=None, seed=0) for which in ("train", "test"))
    assert len({part.sha256 for part in (train, test)}) == 2
    # four standard errors: 4 · √(0.35 · 0.65 / 2000) = 0.043
    assert listops.majority_accuracy(train, test) == pytest.approx(0.166, abs=0.034)
    assert listops.root_operator_accuracy(train, test) == pytest.approx(0.353, abs=0.043)
    assert listops.root_operator_accuracy(train, train) == pytest.approx(0.353, abs=0.006)


@pytest.mark.slow
def test_simplest_predictors_at_full_size() -> None:
    """8,000 trees of an independent generator gave 17.1 % and 36.5 % (± 0.5)."""
    task = load_task("listops")
    train, test = task.split("train"), task.split("test")
    assert train.lengths.mean() == pytest.approx(1036, abs=6)
    assert listops.majority_accuracy(train, train) == pytest.approx(0.170, abs=0.005)
    assert listops.root_operator_accuracy(train, train) == pytest.approx(0.362, abs=0.008)
    assert listops.root_operator_accuracy(train, test) == pytest.approx(0.362, abs=0.043)


def test_root_operator_predictor_by_hand() -> None:
    def examples(*pairs: tuple[str, int]) -> Examples:
        from rmaat_hw.tasks.examples import pack

        return pack(
            [bytes(listops.encode(text)) for text, _ in pairs],
            [label for _, label in pairs],
            padded_length=8,
            source="",
        )

    train = examples(("[MIN 1 2 ]", 1), ("[MIN 1 3 ]", 1), ("[MIN 0 3 ]", 0), ("[MAX 1 9 ]", 9))
    test = examples(("[MIN 1 5 ]", 1), ("[MAX 2 9 ]", 9), ("[MAX 2 3 ]", 3), ("[SM 1 0 ]", 1))
    assert listops.majority_accuracy(train, test) == 0.5  # 1 is the most frequent
    assert listops.root_operator_accuracy(train, test) == 0.75  # SM is unknown: 1, by chance right


HEADER = "Source\tTarget\r\n"
LINES = ["( ( ( [MAX 2 ) 9 ) ] )\t9", "( ( ( ( [MIN 4 ) 7 ) 0 ) ] )\t0", "( ( ( [SM 9 ) 8 ) ] )\t7"]


def write(folder: Path, name: str = "basic_test.tsv", text: str | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes((HEADER + "".join(f"{line}\r\n" for line in LINES) if text is None else text).encode())
    return path


@pytest.mark.parametrize("place", ["", "listops-1000", "lra_release/listops-1000"])
def test_published_file(tmp_path: Path, place: str) -> None:
    write(tmp_path / place)
    examples = load_task("listops").split("test", data=tmp_path)
    assert [listops.decode(tree) for tree in trees(examples)] == [
        "[MAX 2 9 ]",
        "[MIN 4 7 0 ]",
        "[SM 9 8 ]",
    ]
    assert examples.labels.tolist() == [9, 0, 7]
    assert "basic_test.tsv, SHA-256 " in examples.source
    assert (
        load_task("listops")
        .split("test", data=tmp_path, n=2, seed=5)
        .source.endswith("2 of 3, drawn with seed 5")
    )


def test_published_file_named_itself_and_truncation(tmp_path: Path) -> None:
    digits = " ".join("7" for _ in range(20))
    path = write(tmp_path, "basic_test.tsv", f"{HEADER}[MAX {digits} ]\t7\n")
    examples = load_task("listops", preset="small").split("test", data=path).padded_to(8)
    assert listops.decode(examples.batch([0])[0][0].tolist()) == "[MAX 7 7 7 7 7 7 7"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty or cut off"),
        (HEADER + LINES[0] + "\n" + LINES[1][:10], "empty or cut off"),
        ("Tree\tValue\n" + LINES[0] + "\n", r"line 1: the first line names the columns; got 'Tree"),
        (HEADER + LINES[0] + "\n[AVG 1 2 ]\t1\n", r"line 3: no ListOps symbol; got '\[AVG'"),
        (HEADER + "[MAX 1 12 ]\t1\n", r"line 2: no ListOps symbol; got '12'"),
        (HEADER + "[MAX 1 2 ]\t10\n", "line 2: a line holds a tree, a tab and its value"),
        (HEADER + "[MAX 1 2 ]\n", "line 2: a line holds a tree"),
        (HEADER + "[MAX 1 [MIN 2 ]\t2\n", "line 2: the brackets of this tree do not match"),
        (HEADER + "\t2\n", "line 2: the brackets"),
    ],
)
def test_malformed_files_name_file_and_line(tmp_path: Path, text: str, told: str) -> None:
    path = write(tmp_path, "basic_train.tsv", text)
    with pytest.raises(InputError, match=told) as caught:
        load_task("listops").split("train", data=tmp_path)
    assert str(path) in str(caught.value)


def test_missing_file_says_which_and_where_from(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(InputError, match=r"basic_val\.tsv: this file is missing.*long-range-arena"):
        load_task("listops").split("validation", data=tmp_path)


def test_unknown_split_and_preset_offer_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'validation'"):
        load_task("listops").split("validatoin")
    with pytest.raises(InputError, match="did you mean 'small'"):
        load_task("listops", preset="smal")
