"""Pathfinder: kind of picture, labels, no shortcut, determinism; the published folders."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from device_params.errors import InputError
from rmaat_hw.tasks import load_task, pathfinder, pathfinder_data


def scenes(
    n: int, length: int
) -> list[tuple[int, list[list[pathfinder.Dash]], tuple[pathfinder.Point, ...]]]:
    found = []
    for index in range(n):
        label = pathfinder.label_of(index, 7)
        paths, discs = pathfinder.scene(length, label, random.Random(index).random)
        found.append((label, paths, discs))
    return found


@pytest.fixture(scope="module", params=[6, 9, 14])
def drawn(request: pytest.FixtureRequest) -> tuple[int, list]:
    return request.param, scenes(120, request.param)


def ends(path: list[pathfinder.Dash]) -> list[tuple[float, float]]:
    """Outer ends of the first and the last dash, from the geometry."""
    found = []
    for (y, x, direction), sign in ((path[0], -1), (path[-1], 1)):
        angle = math.radians(5 * direction)
        found.append((y + sign * 4 * math.sin(angle), x + sign * 4 * math.cos(angle)))
    return found


def test_label_is_whether_the_discs_end_one_path(drawn: tuple[int, list]) -> None:
    _, found = drawn
    for label, paths, discs in found:
        held = [
            {k for k, disc in enumerate(discs) if min(math.dist(disc, end) for end in ends(path)) < 1}
            for path in paths[:2]
        ]
        assert held in ([{0, 1}, set()], [set(), {0, 1}]) if label else held in ([{0}, {1}], [{1}, {0}])


def test_paths_have_the_length_and_bend_less_than_a_right_angle(drawn: tuple[int, list]) -> None:
    length, found = drawn
    for _, paths, _ in found:
        assert [len(path) for path in paths[:2]] == [length, length]
        assert {len(path) for path in paths[2:]} <= {length // 3}
        for path in paths:
            for (y, x, direction), (next_y, next_x, after) in itertools.pairwise(path):
                turn = abs((after - direction + 36) % 72 - 36)
                assert turn < 18  # steps of 5 degrees
                # two legs of half a gap and half a dash each, 2 pixels or 8 quarters, meeting at the turn
                expected = 2 * 8 * math.cos(math.radians(5 * turn / 2))
                assert math.dist((y, x), (next_y, next_x)) == pytest.approx(expected, abs=2)


def test_dashes_do_not_touch(drawn: tuple[int, list]) -> None:
    """No two dashes lie on one pixel, save neighbours on a path."""
    _, found = drawn
    for _, paths, _ in found[:30]:
        rendered = [
            (p, k, pathfinder.render([[dash]], []) > 64)
            for p, path in enumerate(paths)
            for k, dash in enumerate(path)
        ]
        for index, (p, k, one) in enumerate(rendered):
            for q, j, other in rendered[index + 1 :]:
                assert (p == q and abs(k - j) == 1) or not (one & other).any()


def test_distractors_fill_most_pictures() -> None:
    counts = {length: np.mean([len(paths) - 2 for _, paths, _ in scenes(60, length)]) for length in (6, 14)}
    assert counts[6] > 9  # of 10
    assert 1.5 < counts[14] <= 5  # two paths of 14 leave little room


def test_picture_is_antialiased_white_on_black() -> None:
    pictures = pathfinder.pictures(0, 50, length=14, seed=0).reshape(-1, 32, 32)
    assert (pictures == 0).mean() > 0.7
    assert len(np.unique(pictures)) > 30
    edge = np.concatenate([pictures[:, 0], pictures[:, :, 0]])
    assert (edge == 0).mean() > 0.98  # only discs reach it
    brightest = np.sort(pictures.reshape(50, -1), axis=1)[:, -8:]
    assert (brightest >= 200).all()  # two discs of at least four pixels each


def test_labels_are_balanced_in_every_two() -> None:
    labels = np.array([pathfinder.label_of(k, 5) for k in range(400)])
    assert (labels.reshape(-1, 2).sum(axis=1) == 1).all()
    assert 60 < labels[::2].sum() < 140  # but not the same one first
    assert labels.tolist() != [pathfinder.label_of(k, 6) for k in range(400)]


def test_deterministic_and_any_range_alone() -> None:
    pictures = pathfinder.pictures(0, 6, length=14, seed=0)
    assert (pathfinder.pictures(3, 6, length=14, seed=0) == pictures[3:]).all()
    assert not (pathfinder.pictures(0, 6, length=14, seed=1) == pictures).all()
    assert hashlib.sha256(pictures.tobytes()).hexdigest()[:16] == "774eda58824f0de9"


def features(pictures: np.ndarray) -> np.ndarray:
    """Light, its place and spread, histogram, and the distance between the two brightest blobs."""
    from scipy.ndimage import center_of_mass, label

    images = pictures.reshape(-1, 32, 32).astype(float)
    rows, cols = np.mgrid[:32, :32]
    share = images / images.sum(axis=(1, 2), keepdims=True)
    middle_y, middle_x = (share * rows).sum(axis=(1, 2)), (share * cols).sum(axis=(1, 2))
    spread = (share * ((rows - 15.5) ** 2 + (cols - 15.5) ** 2)).sum(axis=(1, 2))
    histogram = np.stack([((images >= k) & (images < k + 32)).sum(axis=(1, 2)) for k in range(0, 256, 32)])
    apart = []
    for image in images:
        blobs, count = label(image >= 250)
        sizes = np.bincount(blobs.ravel())[1:]
        centres = center_of_mass(image, blobs, 1 + np.argsort(-sizes)[:2])
        apart.append(math.dist(*centres) if count > 1 else 0.0)
    distance = np.array(apart)
    return np.column_stack(
        [middle_y, middle_x, spread, (images > 0).sum(axis=(1, 2)), *histogram, distance, distance**2]
    )


@pytest.mark.slow
@pytest.mark.parametrize("length", [6, 9, 14])
def test_no_shortcut(length: int) -> None:
    """Linear models of pixels and of simple statistics, and trees over the latter, stay at chance."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    n = 4000
    pictures = pathfinder_data.generate(0, n, length=length, seed=3)
    labels = np.array([pathfinder.label_of(k, 3) for k in range(n)])
    simple = StandardScaler().fit_transform(features(pictures))
    half = n // 2
    for model, inputs in (
        (LogisticRegression(C=0.01, max_iter=500), pictures / 255),
        (LogisticRegression(max_iter=2000), simple),
        (HistGradientBoostingClassifier(max_iter=50), simple),
    ):
        score = model.fit(inputs[:half], labels[:half]).score(inputs[half:], labels[half:])
        assert score < 0.55, type(model).__name__  # chance 0.5, standard error 0.011


def test_splits_are_balanced_reproducible_and_disjoint() -> None:
    task = load_task("pathfinder", preset="easy")
    parts = {which: task.split(which, n=40) for which in ("train", "validation", "test")}
    seen = {row.tobytes() for part in parts.values() for row in part.values.reshape(-1, 1024)}
    assert len(seen) == 120
    for which, part in parts.items():
        assert part.labels.sum() == 20
        assert task.split(which, n=10).sha256 == part.take(np.arange(10)).sha256
        tokens, _ = part.batch([0])
        assert tokens.shape == (1, 1024)
        assert int(tokens.min()) == 1  # black is a value, not padding
        assert "paths of 6 dashes, seed 0" in part.source
    with pytest.raises(InputError, match="at most 20000"):
        task.split("test", n=20_001)


def test_workers_draw_the_same_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pathfinder_data, "_CHUNK", 20)
    by_workers = pathfinder_data.generate(5, 50, length=6, seed=2)
    assert (by_workers == pathfinder.pictures(5, 50, length=6, seed=2)).all()


FOLDER = "curv_contour_length_14"


def published(root: Path, folder: str = FOLDER, n: int = 20, *, arrays: bool = False) -> Path:
    """The layout of the published files: pictures in imgs/K, text in metadata/K.npy."""
    level = root / "pathfinder32" / folder
    (level / "metadata").mkdir(parents=True)
    for part in range(2):
        (level / "imgs" / str(part)).mkdir(parents=True)
        rows = []
        for k in range(n // 2):
            value = 10 * part + k
            Image.new("L", (32, 32), value).save(level / "imgs" / str(part) / f"sample_{k}.png")
            rows.append([f"imgs/{part}", f"sample_{k}.png", str(k), str(k % 2), "1.0", "14"])
        if arrays:
            np.save(level / "metadata" / f"{part}.npy", np.array(rows))
        else:
            (level / "metadata" / f"{part}.npy").write_text("\n".join(" ".join(row) for row in rows) + "\n")
    return level


@pytest.mark.parametrize("arrays", [False, True])
def test_published_folder(tmp_path: Path, arrays: bool) -> None:
    published(tmp_path, arrays=arrays)
    task = load_task("pathfinder")
    parts = {
        which: task.split(which, data=tmp_path, n=k)
        for which, k in (("train", 16), ("validation", 2), ("test", 2))
    }
    seen = []
    for part in parts.values():
        pictures = part.values.reshape(-1, 1024)
        assert (pictures == pictures[:, :1]).all()
        assert part.labels.tolist() == [int(value) % 10 % 2 for value in pictures[:, 0]]
        seen += pictures[:, 0].tolist()
    assert sorted(seen) == list(range(20))
    assert (
        "published Pathfinder32, curv_contour_length_14, 20 pictures split 80/10/10" in parts["test"].source
    )
    again = task.split("test", data=tmp_path / "pathfinder32" / FOLDER, n=2)
    assert again.sha256 == parts["test"].sha256


def test_a_part_is_taken_only_with_a_number(tmp_path: Path) -> None:
    published(tmp_path)
    with pytest.raises(InputError, match=r"the copy is not whole; got '20 pictures'; allowed: 200000"):
        load_task("pathfinder").split("train", data=tmp_path)
    with pytest.raises(InputError, match="at most 2"):
        load_task("pathfinder").split("test", data=tmp_path, n=3)


def test_the_one_empty_picture_is_left_out(tmp_path: Path) -> None:
    level = published(tmp_path, "curv_baseline", n=400)
    (level / "imgs" / "0" / "sample_172.png").write_bytes(b"")
    task = load_task("pathfinder", preset="easy")
    assert "399 pictures" in task.split("train", data=tmp_path, n=319 + 2).source


def test_damaged_folders_say_what_is_wrong(tmp_path: Path) -> None:
    task = load_task("pathfinder")
    with pytest.raises(InputError, match=r"curv_contour_length_14: this file is missing.*lra_release\.gz"):
        task.split("test", data=tmp_path, n=1)
    level = published(tmp_path)
    metadata = level / "metadata" / "1.npy"
    good = metadata.read_text()

    def fails(told: str) -> None:
        with pytest.raises(InputError, match=told):
            task.split("train", data=tmp_path, n=16)

    metadata.write_text(good + "imgs/1 sample_0.png 0\n")
    fails(r"1\.npy, line 11: a line of this metadata names")
    metadata.write_text(good.replace("imgs/1 sample_3.png", "../.. sample_3.png"))
    fails(r"line 4: the picture lies outside the folder")
    metadata.write_bytes(b"\xff\xfe")
    fails(r"1\.npy: this metadata is no text")
    np.save(metadata, np.array([[object()]], dtype=object))
    fails("cannot be read without running code in it")
    metadata.write_text(good)
    pictures = sorted(level.glob("imgs/*/*.png"))
    for picture in pictures:
        picture.write_bytes(picture.read_bytes()[:60])
    fails("this picture cannot be read")
    for picture in pictures:
        Image.new("L", (16, 32)).save(picture)
    fails("the picture has another size; got '16 × 32'")
    for picture in pictures:
        Image.new("L", (32, 32)).save(picture, format="GIF")
    fails("this picture cannot be read")
    for picture in pictures:
        picture.unlink()
    fails(r"sample_\d\.png: this file is missing")
    for file in (level / "metadata").iterdir():
        file.unlink()
    fails(r"0\.npy: this file is missing")
