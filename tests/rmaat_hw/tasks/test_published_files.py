"""Image, Text and Retrieval from files in the published formats, written by the tests; digits."""

from __future__ import annotations

import gzip
import io
import pickle
import random
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from device_params.errors import InputError
from rmaat_hw.tasks import Task, image, load_task, retrieval, synthetic, text
from rmaat_hw.tasks.cache import FOLDER_VARIABLE


def tar(path: Path, files: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


# --- Image


def record(label: int, red: int, green: int, blue: int) -> bytes:
    return bytes([label]) + bytes([red]) * 1024 + bytes([green]) * 1024 + bytes([blue]) * 1024


def batches(n: int = 20) -> dict[str, bytes]:
    """The six files of the binary version, n records each."""
    names = [*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]
    return {
        name: b"".join(record(k % 10, k, 10 * part, 200) for k in range(n)) for part, name in enumerate(names)
    }


def cifar(folder: Path, files: Mapping[str, bytes]) -> Path:
    (folder / "cifar-10-batches-bin").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / "cifar-10-batches-bin" / name).write_bytes(content)
    return folder


def test_grey_by_hand() -> None:
    colours = np.array([[[255, 0, 0, 255, 10], [0, 255, 0, 255, 20], [0, 0, 255, 255, 30]]], dtype=np.uint8)
    # weights × 255.5: 76.37, 149.98, 29.13; white 0.9999 · 255.5 = 255.47;
    # (0.2989 · 10 + 0.5870 · 20 + 0.1140 · 30) / 255 · 255.5 = 18.149 · 1.00196 = 18.18
    assert image.to_grey(colours).tolist() == [[76, 149, 29, 255, 18]]


def test_image_from_a_folder(tmp_path: Path) -> None:
    cifar(tmp_path, batches())
    task = load_task("image")
    sizes = {"train": 90, "validation": 10, "test": 20}
    parts = {which: task.split(which, data=tmp_path, n=n) for which, n in sizes.items()}
    for part in parts.values():
        pictures = part.values.reshape(-1, 1024)
        assert (pictures == pictures[:, :1]).all()
        tokens, _ = part.batch([0])
        assert int(tokens[0, 0]) == int(pictures[0, 0]) + 1
    assert parts["test"].labels.tolist().count(3) == 2
    # validation is the last tenth, records 10 … 19 of the fifth file: labels 0 … 9
    assert sorted(parts["validation"].labels.tolist()) == list(range(10))
    value = image.to_grey(np.array([[[13], [40], [200]]], dtype=np.uint8))[0, 0]
    assert value in parts["validation"].values
    assert "grey by 0.2989 R + 0.5870 G + 0.1140 B" in parts["train"].source
    assert task.split("test", data=tmp_path / "cifar-10-batches-bin", n=20).sha256 == parts["test"].sha256
    assert task.split("train", data=tmp_path, n=5).sha256 == parts["train"].take(np.arange(5)).sha256
    assert task.split("train", data=tmp_path, n=5, seed=1).sha256 != parts["train"].take(np.arange(5)).sha256


def test_image_from_the_archive(tmp_path: Path) -> None:
    files = {f"cifar-10-batches-bin/{name}": content for name, content in batches().items()}
    path = tar(tmp_path / "cifar-10-binary.tar.gz", {**files, "../outside.bin": b"x"})
    found = load_task("image").split("test", data=path, n=20)
    cifar(tmp_path, batches())
    assert found.sha256 == load_task("image").split("test", data=tmp_path, n=20).sha256
    assert "not the published archive" in found.source
    assert not (tmp_path.parent / "outside.bin").exists()
    with pytest.raises(InputError, match=r"its MD5 differs.*c32a1d4ab5d03f1284b67883e8d87530"):
        load_task("image").split("test", data=path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match="cannot be read to its end"):
        load_task("image").split("test", data=path, n=1)
    tar(path, {"cifar-10-batches-bin/data_batch_1.bin": record(1, 2, 3, 4)})
    with pytest.raises(InputError, match=r"cifar-10-batches-bin/test_batch\.bin: this file is missing"):
        load_task("image").split("test", data=path, n=1)


def test_the_pickled_version_is_never_read(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    (folder / "data_batch_1").write_bytes(pickle.dumps({"data": 1}))
    archive = tar(tmp_path / "cifar-10-python.tar.gz", {"cifar-10-batches-py/data_batch_1": b""})
    for path in (folder, tmp_path, archive):
        with pytest.raises(InputError, match=r"run code when read; take the binary version.*binary\.tar\.gz"):
            load_task("image").split("train", data=path, n=1)


@pytest.mark.parametrize(
    ("change", "n", "told"),
    [
        (lambda c: c[:-1], 5, r"test_batch\.bin: this file has another size.*got '61459 bytes'"),
        (lambda c: b"", 5, "another size"),
        (lambda c: c, None, "allowed: 30730000 bytes"),
        (lambda c: record(10, 0, 0, 0) + c, 5, "record 1: a record has no label of CIFAR-10; got 10"),
        (lambda c: c, 21, "the test split has fewer examples there; got 21; allowed: at most 20"),
    ],
)
def test_bad_batches_of_pictures(
    tmp_path: Path, change: Callable[[bytes], bytes], n: int | None, told: str
) -> None:
    cifar(tmp_path, {"test_batch.bin": change(batches()["test_batch.bin"])})
    with pytest.raises(InputError, match=told):
        load_task("image").split("test", data=tmp_path, n=n)


# --- Text


def reviews(n: int = 4) -> dict[str, bytes]:
    return {
        f"aclImdb/{part}/{kind}/{k}_{3 + 5 * (kind == 'pos')}.txt": f"{part} {kind} {k}".encode()
        for part in ("train", "test")
        for kind in ("neg", "pos")
        for k in range(n)
    }


def unpack(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def read(task: Task, which: str, data: Path, n: int) -> set[tuple[str, int]]:
    part = task.split(which, data=data, n=n)
    texts = [bytes((part.sequence(k) - 1).tolist()).decode() for k in range(len(part))]
    return set(zip(texts, part.labels.tolist(), strict=True))


def test_text_from_folder_and_archive(tmp_path: Path) -> None:
    task = load_task("text")
    extra = {
        "aclImdb/README": b"",
        "aclImdb/train/unsup/0_0.txt": b"no label",
        "aclImdb/train/urls_pos.txt": b"",
    }
    unpack(tmp_path, {**reviews(), **extra})
    archive = tar(tmp_path / "aclImdb_v1.tar.gz", {**extra, **reviews()})
    expected = {(f"train {kind} {k}", int(kind == "pos")) for kind in ("neg", "pos") for k in range(4)}
    assert read(task, "train", tmp_path, 8) == expected
    for path in (tmp_path / "aclImdb", archive, archive):  # the second time from the disk
        assert task.split("train", data=path, n=8).sha256 == task.split("train", data=tmp_path, n=8).sha256
    validation = task.split("validation", data=archive, n=8)
    assert "the published test reviews, which serve as both" in validation.source
    assert sorted(validation.labels.tolist()) == [0] * 4 + [1] * 4
    assert read(task, "test", tmp_path, 8) == read(task, "validation", tmp_path, 8)


def test_reviews_keep_their_first_bytes(tmp_path: Path) -> None:
    long = random.Random(0).randbytes(5000)
    unpack(tmp_path, {"aclImdb/test/pos/0_9.txt": long, "aclImdb/test/neg/0_1.txt": "é".encode()})
    part = load_task("text").split("test", data=tmp_path, n=2)
    assert sorted(part.lengths.tolist()) == [2, 4096]
    index = part.lengths.argmax()
    tokens, _ = part.batch([index])
    assert bytes((tokens[0] - 1).tolist()) == long[:4096]


def test_bad_reviews(tmp_path: Path) -> None:
    task = load_task("text")
    with pytest.raises(InputError, match=r"are needed.*aclImdb_v1\.tar\.gz.*with --data"):
        task.split("train")
    with pytest.raises(InputError, match=r"no such file or folder; got .*nowhere"):
        task.split("train", data=tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"train/neg: this file is missing"):
        task.split("train", data=tmp_path)
    unpack(tmp_path, reviews())
    with pytest.raises(InputError, match=r"neg: the copy is not whole; got '4 reviews'; allowed: 12500"):
        task.split("train", data=tmp_path)
    with pytest.raises(InputError, match="at most 8"):
        task.split("train", data=tmp_path, n=9)
    with pytest.raises(InputError, match="its MD5 differs"):
        task.split("train", data=tar(tmp_path / "aclImdb_v1.tar.gz", reviews()))
    (tmp_path / "aclImdb/train/pos/2_8.txt").write_bytes(b"")
    with pytest.raises(InputError, match=r"pos/2_8\.txt: this review is empty"):
        task.split("train", data=tmp_path, n=1)
    only_train = {name: content for name, content in reviews().items() if "train" in name}
    with pytest.raises(InputError, match=r"aclImdb/test/neg: this file is missing"):
        task.split("test", data=tar(tmp_path / "half.tar.gz", only_train), n=1)
    (tmp_path / "no.tar.gz").write_bytes(gzip.compress(b"no tar at all"))
    with pytest.raises(InputError, match="cannot be read to its end"):
        task.split("test", data=tmp_path / "no.tar.gz", n=1)


# --- Retrieval

PAIRS = b'1\tP01\tP02\tfirst "paper"\tsecond\n0\tA1\tA2\ta\tb\r\n1.0\tx\ty\t' + b"z" * 5000 + b"\t\n"


@pytest.mark.parametrize("place", ["", "tsv_data", "lra_release/lra_release/tsv_data"])
def test_pairs(tmp_path: Path, place: str) -> None:
    unpack(tmp_path / place, {"new_aan_pairs.eval.tsv": PAIRS})
    task = load_task("retrieval")
    part = task.split("validation", data=tmp_path)
    assert part.labels.tolist() == [1, 0, 1]
    tokens, _ = part.batch([0, 2])
    assert tokens.shape == (2, 8192)
    for half, expected in ((tokens[0, :4096], b'first "paper"'), (tokens[0, 4096:], b"second")):
        assert int((half > 0).sum()) == len(expected)
        assert bytes((half[-len(expected) :] - 1).tolist()) == expected
    assert int((tokens[1, :4096] > 0).sum()) == 4000  # as in the Arena
    assert int((tokens[1, 4096:] > 0).sum()) == 0
    assert part.lengths.tolist() == [19, 2, 4000]
    assert part.source.endswith("validation split, all 3")
    drawn = task.split("validation", data=tmp_path, n=2, seed=4)
    both = [part.take(np.array([a, b])).sha256 for a in range(3) for b in range(3) if a != b]
    assert drawn.sha256 in both
    assert drawn.sha256 == task.split("validation", data=tmp_path, n=3, seed=4).take(np.arange(2)).sha256


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1: the file is empty or cut off"),
        (PAIRS[:-1], "line 3: the file is empty or cut off"),
        (PAIRS + b"1\tid\tid\ttext\n", r"line 4: a line has five fields.*got '4 fields'"),
        (PAIRS + b"1\ta\tb\tc\td\te\n", "got '6 fields'"),
        (PAIRS + b"2\ta\tb\tc\td\n", r"line 4: the first field is no label; got '2'; allowed: 0 or 1"),
    ],
)
def test_bad_pairs_name_file_and_line(tmp_path: Path, content: bytes, told: str) -> None:
    unpack(tmp_path, {"new_aan_pairs.train.tsv": content})
    with pytest.raises(InputError, match=told) as caught:
        load_task("retrieval").split("train", data=tmp_path)
    assert str(tmp_path / "new_aan_pairs.train.tsv") in str(caught.value)


@pytest.mark.parametrize("name", ["listops", "retrieval"])
def test_the_arenas_archive_is_unpacked_first(tmp_path: Path, name: str) -> None:
    path = tar(tmp_path / "lra_release.gz", {"lra_release/listops-1000/basic_test.tsv": b""})
    with pytest.raises(InputError, match=r"this is an archive.*unpack it and name the folder"):
        load_task(name).split("test", data=path)


def test_missing_pairs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"new_aan_pairs\.test\.tsv: this file is missing.*tsv_data"):
        load_task("retrieval").split("test", data=tmp_path)
    with pytest.raises(InputError, match="the published files are needed"):
        load_task("retrieval").split("test")


# --- what stands in for them when a model is only traced


@pytest.mark.parametrize("name", ["text", "retrieval", "image"])
def test_stand_ins_say_so(name: str) -> None:
    task = load_task(name)
    assert task.batches == "synthetic"
    assert "synthetic" in task.description
    batch = task.batch(4, seed=1)
    assert batch.sha256 == task.batch(4, seed=1).sha256 != task.batch(4, seed=2).sha256
    assert torch.equal(task.batch(2, seed=1).tokens, batch.tokens[:2])
    assert int(batch.tokens.max()) < task.vocabulary


def test_synthetic_text_is_like_text() -> None:
    draw = random.Random(0)
    lengths = [synthetic.review_length(draw, 4096) for _ in range(2000)]
    assert 900 < np.median(lengths) < 1060
    assert max(lengths) == 4096
    words = synthetic.words(random.Random(1), 4000)
    assert len(words) == 4000
    assert 0.14 < words.count(b" ") / 4000 < 0.25
    assert words.decode().isascii()
    assert text.LENGTH == 4096
    assert retrieval.LENGTH == 4000


def test_synthetic_pictures_are_like_pictures() -> None:
    """Neighbouring pixels are alike, and all values occur."""
    draw = random.Random(0)
    pictures = np.stack([synthetic.picture(draw) for _ in range(100)]).reshape(-1, 32, 32).astype(float)
    assert 110 < pictures.mean() < 145
    assert 20 < pictures.std() < 80
    neighbours = np.corrcoef(pictures[:, :, 1:].ravel(), pictures[:, :, :-1].ravel())[0, 1]
    assert neighbours > 0.7


def test_bounds_of_the_caller_hold_for_text() -> None:
    for name in ("text", "retrieval"):
        batch = load_task(name).batch(5, length=(100, 300))
        assert ((batch.lengths >= 99) & (batch.lengths < 300)).all()
    for name in ("image", "pathfinder", "digits"):
        with pytest.raises(InputError, match="every sequence of this task has the same length"):
            load_task(name).batch(1, length=(10, 30))


# --- digits


def test_digits() -> None:
    task = load_task("digits")
    assert (task.padded_length, task.segments, task.vocabulary) == (64, 4, 18)
    parts = {which: task.split(which) for which in ("train", "validation", "test")}
    assert {which: len(part) for which, part in parts.items()} == dict(task.sizes)
    assert sum(task.sizes.values()) == 1797
    tokens, labels = parts["train"].batch(range(task.sizes["train"]))
    assert int(tokens.min()) == 1 and int(tokens.max()) == 17
    assert set(labels.tolist()) == set(range(10))
    from sklearn.datasets import load_digits

    everything = sorted(row.tobytes() for row in load_digits().images.reshape(-1, 64).astype(np.uint8))
    found = [row.tobytes() for part in parts.values() for row in part.values.reshape(-1, 64)]
    assert sorted(found) == everything
    assert task.split("test", seed=1).sha256 != parts["test"].sha256
    assert task.split("test", n=9).sha256 == parts["test"].take(np.arange(9)).sha256
    with pytest.raises(InputError, match="at most 300"):
        task.split("test", n=301)
    with pytest.raises(InputError, match="embedded"):
        task.split("test", data=Path("digits"))
    with pytest.raises(InputError, match="at most 1797"):
        task.batch(1798)


def test_generated_and_embedded_tasks_say_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    assert load_task("digits").batches == "embedded"
    for name in ("listops", "pathfinder"):
        assert load_task(name).batches == "generated"
        assert load_task(name).split("train", n=2).source.startswith("generated")
    assert not any(tmp_path.iterdir())  # a few examples leave nothing behind
