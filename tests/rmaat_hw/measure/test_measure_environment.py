"""The description of the machine holds what a reader needs and nothing that names its owner."""

import getpass
import json
import socket
import subprocess

import torch

from rmaat_hw.measure import environment


def test_host_and_software_are_described_without_names():
    described = {"host": environment.host(), "device": environment.device(torch.device("cpu"))}
    described["software"] = environment.software()
    assert described["host"]["cpu_count"] >= described["host"]["cpu_usable"] >= 1
    assert described["host"]["ram_GB"] > 0.5
    assert described["device"]["type"] == "cpu"
    assert described["software"]["torch"] == torch.__version__
    assert described["software"]["default_dtype"] == "float32"
    text = json.dumps(described)
    assert f'"{socket.gethostname()}"' not in text
    assert f"/{getpass.getuser()}" not in text


def test_unknown_facts_are_null_with_a_reason(monkeypatch):
    monkeypatch.setattr(environment, "_processor", lambda: ("some processor", frozenset()))
    host = environment.host()
    assert host["virtualised"] is None
    assert "virtualised" in host["reason"]


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True)


def test_commit_is_told_in_our_checkout_only(tmp_path):
    assert environment.git_state(tmp_path) == (None, None)
    git(tmp_path, "init", "-q")
    package = tmp_path / "rmaat_hw"
    package.mkdir()
    (package / "__init__.py").write_text("")
    # the folder lies in a checkout that does not track the package, like a .venv in somebody's repository
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    assert environment.git_state(tmp_path) == (None, None)
    git(tmp_path, "add", "rmaat_hw")
    git(tmp_path, "commit", "-q", "-m", "second")
    commit, dirty = environment.git_state(tmp_path)
    assert len(commit) == 40
    assert dirty is False
    (package / "__init__.py").write_text("# changed\n")
    assert environment.git_state(tmp_path) == (commit, True)
