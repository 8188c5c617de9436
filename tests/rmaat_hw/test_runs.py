"""Run folders appear whole or not at all."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from device_params.errors import InputError
from rmaat_hw import runs


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_default_name_says_time_command_and_hash() -> None:
    with runs.run_folder("estimate", "what was asked for") as folder:
        folder.write("a.txt", "a")
    time, command, digest = folder.path.name.split("-")
    assert folder.path.parent == Path("runs")
    assert len(time) == 15
    assert time[8] == "T"
    assert command == "estimate"
    assert digest == hashlib.sha256(b"what was asked for").hexdigest()[:8]
    assert (folder.path / "a.txt").read_text() == "a"


def test_two_equal_runs_in_one_second_get_two_folders() -> None:
    paths = set()
    for _ in range(3):
        with runs.run_folder("estimate", "same") as folder:
            folder.write("a.txt", "a")
        paths.add(folder.path)
    assert len(paths) == 3
    assert all(path.is_dir() for path in paths)


def test_nothing_is_there_before_the_end_and_after_a_failure() -> None:
    def fail() -> None:
        with runs.run_folder("estimate", "x", "out") as folder:
            folder.write("deep/a.txt", "a")
            assert not Path("out").exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert list(Path().iterdir()) == []


def test_an_empty_folder_is_taken_and_a_full_one_refused() -> None:
    Path("empty").mkdir()
    with runs.run_folder("estimate", "x", "empty") as folder:
        folder.write("a.txt", "a")
    assert Path("empty/a.txt").is_file()
    with pytest.raises(InputError, match=r"--out: the output folder is not empty; got 'empty'"):
        runs.check_new_folder("empty")
    Path("file").write_text("")
    with pytest.raises(InputError, match="is a file"):
        runs.check_new_folder("file")


def test_a_folder_filled_meanwhile_is_not_overwritten() -> None:
    def race() -> None:
        with runs.run_folder("estimate", "x", "out") as folder:
            folder.write("a.txt", "ours")
            Path("out").mkdir()
            Path("out/b.txt").write_text("theirs")

    with pytest.raises(InputError, match="not empty"):
        race()
    assert [path.name for path in Path("out").iterdir()] == ["b.txt"]
    assert [path.name for path in Path().iterdir()] == ["out"]


def test_equal_runs_that_end_at_the_same_time_get_two_folders(monkeypatch: pytest.MonkeyPatch) -> None:
    exists, unseen = Path.exists, []

    def blind_once(path: Path, **options: bool) -> bool:
        if path.parent.name == "runs" and path.name[0] != "." and not unseen:
            unseen.append(path)  # the other run's folder appears right after the look
            return False
        return exists(path, **options)

    with runs.run_folder("estimate", "x") as first:
        first.write("a.txt", "1")
    with runs.run_folder("estimate", "x") as second:
        second.write("a.txt", "2")
        second.path = first.path
        monkeypatch.setattr(Path, "exists", blind_once)
    assert unseen
    assert first.path != second.path
    assert (first.path / "a.txt").read_text() == "1"
    assert (second.path / "a.txt").read_text() == "2"


def test_a_place_that_cannot_be_is_one_sentence() -> None:
    Path("file").write_text("")
    with pytest.raises(InputError, match="cannot make the run folder"), runs.run_folder("x", "x", "file/out"):
        pass
    with pytest.raises(InputError, match="cannot write there"):
        runs.write_atomically(Path("file/a.json"), b"")


def test_manifest_freezes_inputs_and_hashes_everything() -> None:
    Path("one").mkdir()
    Path("two").mkdir()
    Path("one/design.yaml").write_text("rows: 128\n")
    Path("two/design.yaml").write_text("rows: 64\n")
    with runs.run_folder("estimate", "x", "out") as folder:
        folder.write("estimate.json", "{}\n")
        folder.write_manifest(
            command="estimate",
            options={"batch": 2},
            seeds={"seed": 7},
            inputs=[Path("one/design.yaml"), Path("two/design.yaml"), Path("one/design.yaml")],
            facts={"sequences_sha256": "abc"},
        )
    manifest = json.loads(Path("out/manifest.json").read_text())
    assert manifest["seeds"] == {"seed": 7}
    assert manifest["options"] == {"batch": 2}
    assert manifest["sequences_sha256"] == "abc"
    assert manifest["versions"]["python"]
    assert {"commit", "dirty"} <= manifest["source"].keys()
    assert manifest["command_line"].startswith("rmaat-hw")
    copies = {Path("out", entry["copy"]).read_text() for entry in manifest["inputs"]}
    assert copies == {"rows: 128\n", "rows: 64\n"}
    assert len(manifest["inputs"]) == 2
    for name, digest in manifest["files"].items():
        assert hashlib.sha256(Path("out", name).read_bytes()).hexdigest() == digest
    assert set(manifest["files"]) == {"estimate.json", *(entry["copy"] for entry in manifest["inputs"])}


def test_writing_replaces_as_a_whole_and_leaves_no_temporary_file() -> None:
    path = Path("a.json")
    runs.write_atomically(path, b"old")
    runs.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert [p.name for p in Path().iterdir()] == ["a.json"]
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_json_takes_no_number_that_json_does_not_have(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        runs.to_json_text({"energy_J": value})


def test_reading_a_run_says_what_is_missing() -> None:
    with pytest.raises(InputError, match="no run folder"):
        runs.read_run("nowhere")
    Path("run").mkdir()
    with pytest.raises(InputError, match=r"no estimate\.json"):
        runs.read_run("run")
    Path("run/estimate.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as a JSON document"):
        runs.read_run("run")
    Path("run/estimate.json").write_text("[1]")
    with pytest.raises(InputError, match="cannot be read as a JSON document"):
        runs.read_run("run")
