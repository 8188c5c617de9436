"""What a measurement ran on: host, device and software, without host name, user name or path."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

_PACKAGE_ROOT = Path(__file__).resolve().parents[2]


def host() -> dict[str, Any]:
    """Describe the machine: operating system, kernel, processor, cores, memory, virtualised or not."""
    processor, flags = _processor()
    described: dict[str, Any] = {
        "os": _operating_system(),
        "kernel": platform.release(),
        "cpu": processor,
        "machine": platform.machine(),
        "cpu_count": os.cpu_count(),
        "cpu_usable": usable_cpus(),
        "ram_GB": _ram_GB(),
        # The flag is set by x86 hypervisors only: its absence elsewhere proves nothing.
        "virtualised": "hypervisor" in flags if flags else None,
    }
    unknown = [name for name, value in described.items() if value is None]
    if unknown:
        described["reason"] = f"this operating system does not tell: {', '.join(unknown)}"
    return described


def usable_cpus() -> int:
    """Count the processors this process may run on (an affinity mask can make them fewer)."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device(target: torch.device) -> dict[str, Any]:
    """Describe the device that ran the program; keys that do not apply to its type are left out."""
    import torch

    if target.type != "cuda":
        return {"type": target.type, "name": _processor()[0]}
    properties = torch.cuda.get_device_properties(target)
    described = {
        "type": "cuda",
        "name": properties.name,
        "cc": f"{properties.major}.{properties.minor}",
        "mem_GB": properties.total_memory / 1e9,
        "cuda": torch.version.cuda,
    }
    uuid = getattr(properties, "uuid", None)
    if uuid is not None:  # tells two cards of one kind apart without naming either
        described["uuid_hash"] = hashlib.sha256(str(uuid).encode()).hexdigest()[:16]
    return described


def software() -> dict[str, Any]:
    """Describe what ran: versions, threads, numeric switches, and the commit when run from a checkout."""
    import torch

    described: dict[str, Any] = {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "mkldnn": torch.backends.mkldnn.is_available(),
        "default_dtype": str(torch.get_default_dtype()).removeprefix("torch."),
        "sdpa_backend": _attention_backends(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
    }
    commit, dirty = git_state()
    described["git_commit"] = commit
    described["dirty"] = dirty
    if commit is None:
        described["reason"] = "git_commit, dirty: the package does not run from a git checkout"
    return described


def git_state(root: Path = _PACKAGE_ROOT) -> tuple[str | None, bool | None]:
    """Return commit and whether tracked files differ from it; nulls where ``root`` is not our checkout."""
    # A package installed inside somebody else's checkout (.venv in a repository) must not claim its commit.
    if _git(root, "ls-files", "--error-unmatch", "rmaat_hw/__init__.py") is None:
        return None, None
    commit = _git(root, "rev-parse", "HEAD")
    changes = _git(root, "status", "--porcelain", "--untracked-files=no")
    return commit, None if changes is None else bool(changes)


def _git(root: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()


def _attention_backends() -> str:
    from torch.backends import cuda

    enabled = {
        "flash": cuda.flash_sdp_enabled(),
        "mem_efficient": cuda.mem_efficient_sdp_enabled(),
        "math": cuda.math_sdp_enabled(),
    }
    return "+".join(name for name, on in enabled.items() if on)


def _operating_system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError, AttributeError):
        return platform.system()


def _processor() -> tuple[str, frozenset[str]]:
    """Return the processor's model name and its x86 flags (empty where the system does not list them)."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine(), frozenset()
    split = (line.partition(":") for line in reversed(lines))  # reversed: the first processor wins
    entries = {name.strip(): value.strip() for name, _, value in split}
    return entries.get("model name") or platform.machine(), frozenset(entries.get("flags", "").split())


def _ram_GB() -> float | None:
    try:
        return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 2)
    except (AttributeError, ValueError, OSError):
        return None
