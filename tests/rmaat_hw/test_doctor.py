"""The doctor on this installation, and on faked ones where something is missing or shadowed."""

import importlib.metadata
import importlib.util
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from device_params.errors import InputError
from rmaat_hw import doctor


@pytest.fixture(scope="module")
def report():
    return doctor.doctor()


def test_this_installation_is_sound(report):
    assert report.ok, report.problems
    assert {finding.name: finding.value for finding in report.packages} == dict.fromkeys(
        doctor.PACKAGES, "ours"
    )
    torch = next(entry for entry in report.requirements if entry.name == "torch")
    assert torch.required
    assert torch.fits


def test_every_null_has_a_reason_and_no_path_leaves(report):
    document = report.to_json()
    assert document["ok"] is True
    for group in ("system", "packages", "devices"):
        for entry in document[group]:
            assert (entry["value"] is None) == bool(entry["reason"]), entry
    assert str(Path(doctor.__file__).parents[1]) not in json.dumps(document)


def test_screen_names_devices_and_verdict(report):
    console = Console(file=io.StringIO(), width=120)
    doctor.render(report, console)
    text = console.file.getvalue()
    for expected in ("CPU energy counter", "torch build", "optional (nvml)", "Everything that is required"):
        assert expected in text


def test_guard_is_quiet_and_cheap_here():
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        doctor.guard()
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 5e-3


def test_guard_loads_no_torch():
    program = "import sys; from rmaat_hw.doctor import guard; guard(); print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(doctor.__file__).parents[1],
    )
    assert done.stdout.strip() == "False"


def fake_distribution(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "__init__.py").write_text("")
    information = folder / f"{name}-0.2.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 0.2.0\n")
    (information / "RECORD").write_text(f"{name}/__init__.py,,\n")
    (information / "top_level.txt").write_text(f"{name}\n")


@pytest.fixture
def shadowed(tmp_path, monkeypatch):
    """A path on which Weights & Biases' sweeps comes before ours."""
    fake_distribution(tmp_path, "sweeps")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "sweeps"]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def test_a_package_of_another_distribution_is_refused(shadowed):
    with pytest.raises(InputError) as caught:
        doctor.guard()
    sentence = str(caught.value)
    assert "the package 'sweeps' that Python finds is not that of rmaat-hw" in sentence
    assert "Weights & Biases" in sentence
    assert "pip uninstall sweeps" in sentence
    assert str(shadowed) not in sentence
    found = doctor.doctor()
    assert not found.ok
    assert sentence in found.problems
    console = Console(file=io.StringIO(), width=200)
    doctor.render(found, console)
    assert "Not ready." in console.file.getvalue()


def test_one_already_imported_is_found_too(shadowed):
    __import__("sweeps")
    assert "not that of rmaat-hw" in doctor.shadow("sweeps")
    del sys.modules["sweeps"]


def test_a_distribution_installed_over_ours_is_found(tmp_path, monkeypatch):
    # one site-packages for both: the folder is shared, and whoever came last wrote __init__.py
    fake_distribution(tmp_path, "sweeps")
    monkeypatch.delitem(sys.modules, "sweeps", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    sentence = doctor.shadow("sweeps", root=tmp_path)
    assert "the distribution 'sweeps' is installed over the package 'sweeps' of rmaat-hw" in sentence


def test_a_missing_package_is_told(monkeypatch):
    monkeypatch.delitem(sys.modules, "sweeps", raising=False)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sweeps" else find(name))
    assert doctor.shadow("sweeps").startswith("the package 'sweeps' of rmaat-hw is missing")


def test_missing_and_unfit_requirements(monkeypatch):
    lines = ["numpy>=2", "no-such-distribution>=1", "rich<1", "pandas>=99; extra == 'notebook'"]
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: lines)
    found = doctor.doctor()
    assert not found.ok
    assert len(found.problems) == 2
    assert "no-such-distribution is required but not installed" in found.problems[0]
    assert found.problems[1].startswith("rich ")
    assert "<1 is asked for; run pip install 'rich<1'" in found.problems[1]
    # Beside it may stand a note on the CUDA build of torch on a machine without a GPU.
    assert [note for note in found.notes if "is asked for" in note] == [found.notes[0]]
    assert found.notes[0].startswith("pandas ")
    by_name = {entry.name: entry for entry in found.requirements}
    assert by_name["pandas"].extra == "notebook"
    assert by_name["no-such-distribution"].version is None


def test_not_installed_is_a_note(monkeypatch):
    def absent(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "requires", absent)
    found = doctor.doctor()
    assert found.ok
    assert "is not installed" in found.notes[0]
