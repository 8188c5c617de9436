"""What is installed here, which devices and counters there are, and whether our packages are ours."""

from __future__ import annotations

import importlib.util
import os
import re
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

DISTRIBUTION = "rmaat-hw"
PACKAGES = ("rmaat_hw", "cost_models", "device_params", "sweeps")
_ROOT = Path(__file__).resolve().parents[1]
# Distributions known to install a package of one of our names.
_KNOWN_RIVALS = {"sweeps": "the distribution 'sweeps' of Weights & Biases ships a package of this name"}
_CPU_TORCH = "the CPU build (see https://pytorch.org/get-started/locally/)"


@dataclass(frozen=True)
class Requirement:
    """One distribution that rmaat-hw asks for; ``extra`` is empty when it is required."""

    name: str
    wanted: str
    extra: str
    version: str | None
    fits: bool

    @property
    def required(self) -> bool:
        return not self.extra


@dataclass(frozen=True)
class Finding:
    """One line of the report; ``value`` is null exactly where ``reason`` says why."""

    name: str
    value: str | None
    reason: str = ""


@dataclass(frozen=True)
class Report:
    """The state of this installation. ``problems`` stop work, ``notes`` do not."""

    system: tuple[Finding, ...]
    requirements: tuple[Requirement, ...]
    packages: tuple[Finding, ...]
    devices: tuple[Finding, ...]
    problems: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether every command can work; the command line leaves with 0 if so, else with 2."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return a document of plain JSON types, free of paths, host and user names."""
        document = {"schema_version": 1, "command": "doctor", "ok": self.ok, **asdict(self)}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in document.items()}


def doctor() -> Report:
    """Examine this installation; nothing is changed and nothing is fetched."""
    import platform

    requirements, notes = _requirements()
    packages, shadows = _packages()
    problems = list(shadows)
    for entry in requirements:
        if entry.required and entry.version is None:
            problems.append(
                f"{entry.name} is required but not installed; run pip install '{entry.name}{entry.wanted}'"
            )
        elif entry.version is not None and not entry.fits:
            sentence = f"{entry.name} {entry.version} is installed, {entry.wanted} is asked for"
            remedy = f"run pip install '{entry.name}{entry.wanted}'"
            (problems if entry.required else notes).append(f"{sentence}; {remedy}")
    devices, device_notes = _devices()
    return Report(
        system=(
            Finding("Python", platform.python_version()),
            Finding("system", f"{platform.system()} {platform.machine()}"),
            _own_version(),
        ),
        requirements=tuple(requirements),
        packages=tuple(packages),
        devices=tuple(devices),
        problems=tuple(problems),
        notes=(*notes, *device_notes),
    )


def guard() -> None:
    """Refuse to start when another distribution shadows one of our packages; costs under a millisecond."""
    for name in PACKAGES:
        sentence = shadow(name)
        if sentence:
            raise InputError(sentence)


def shadow(name: str, root: Path = _ROOT) -> str:
    """Return one sentence when ``import name`` would not give our package, else an empty string.

    Ours lies beside this one, in a checkout as in site-packages, and no distribution named like the
    package is installed into that same folder, where it would have overwritten files of ours.
    """
    spec = sys.modules[name].__spec__ if name in sys.modules else importlib.util.find_spec(name)
    remedy = "install rmaat-hw into a fresh virtual environment"
    rival = _KNOWN_RIVALS.get(name, "another distribution or a folder on the path has this name")
    if spec is None:
        return f"the package '{name}' of rmaat-hw is missing; {remedy}"
    places = [Path(place).resolve() for place in spec.submodule_search_locations or ()]
    if not places and spec.origin:
        places = [Path(spec.origin).resolve()]
    if not places or places[0] != root / name:
        remedy = _uninstall(name) + remedy
        return f"the package '{name}' that Python finds is not that of rmaat-hw ({rival}); {remedy}"
    for entry in _installed_here(name, root):
        return (
            f"the distribution '{entry}' is installed over the package '{name}' of rmaat-hw; "
            f"run pip uninstall {entry}, then {remedy}"
        )
    return ""


def _uninstall(name: str) -> str:
    """Return the command that removes the distribution of that name, if there is one."""
    import importlib.metadata

    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
    return f"run pip uninstall {name}, or "


def _installed_here(name: str, root: Path) -> list[str]:
    """Names of distributions called like the package whose metadata lie in ``root``."""
    found = []
    for entry in os.scandir(root):
        match = re.fullmatch(r"(.+?)-[^-]+\.(dist-info|egg-info)", entry.name)
        if match and _normal(match[1]) == _normal(name) and _normal(name) != _normal(DISTRIBUTION):
            found.append(match[1])
    return found


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _packages() -> tuple[list[Finding], list[str]]:
    import importlib.metadata

    findings, problems = [], []
    owners = importlib.metadata.packages_distributions()
    for name in PACKAGES:
        sentence = shadow(name)
        rivals = sorted({owner for owner in owners.get(name, ()) if _normal(owner) != _normal(DISTRIBUTION)})
        if sentence:
            problems.append(sentence)
            findings.append(Finding(name, None, sentence))
        elif rivals:  # ours wins by its place on the path: it would not from another folder
            findings.append(Finding(name, f"ours (also shipped by {', '.join(rivals)}: better uninstalled)"))
        else:
            findings.append(Finding(name, "ours"))
    return findings, problems


def _own_version() -> Finding:
    import importlib.metadata

    try:
        return Finding(DISTRIBUTION, importlib.metadata.version(DISTRIBUTION))
    except importlib.metadata.PackageNotFoundError:
        return Finding(DISTRIBUTION, None, "runs from a folder without having been installed")


def _requirements() -> tuple[list[Requirement], list[str]]:
    import importlib.metadata

    try:
        lines: Iterable[str] = importlib.metadata.requires(DISTRIBUTION) or ()
    except importlib.metadata.PackageNotFoundError:
        return [], ["rmaat-hw is not installed, so its requirements are unknown; run pip install -e ."]
    return [_requirement(line) for line in lines], []


def _requirement(line: str) -> Requirement:
    """Read one Requires-Dist line: ``pandas<4,>=2.2``, or with ``; extra == 'nvml'``."""
    import importlib.metadata

    from packaging.requirements import Requirement as Parsed

    parsed = Parsed(line)
    extra = re.search(r"extra == ['\"]([^'\"]+)", str(parsed.marker or ""))
    try:
        version: str | None = importlib.metadata.version(parsed.name)
    except importlib.metadata.PackageNotFoundError:
        version = None
    fits = version is not None and parsed.specifier.contains(version, prereleases=True)
    return Requirement(parsed.name, str(parsed.specifier), extra[1] if extra else "", version, fits)


def _devices() -> tuple[list[Finding], list[str]]:
    from rmaat_hw.measure import environment, meter

    described = environment.host()
    threads = environment.usable_cpus()
    memory = "" if described["ram_GB"] is None else f", {described['ram_GB']} GB"
    findings = [Finding("CPU", f"{described['cpu']}, {threads} usable cores{memory}")]
    findings.append(_counter_finding("CPU energy counter", meter.rapl_counter()))
    if importlib.util.find_spec("torch") is None:
        return [*findings, Finding("GPU", None, "torch is not installed")], []
    import torch

    notes = []
    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
    findings.append(Finding("torch build", f"{torch.__version__}, {build}"))
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for index in range(count):
        properties = torch.cuda.get_device_properties(index)
        findings.append(Finding(f"GPU {index}", f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"))
        counter = meter.find_counter(torch.device("cuda", index))
        findings.append(_counter_finding(f"GPU {index} energy counter", counter))
    if count == 0:
        reason = "torch sees no CUDA device" if torch.version.cuda else "this build of torch is for CPUs only"
        findings.append(Finding("GPU", None, reason))
        if torch.version.cuda:
            notes.append(
                f"the CUDA build of torch is installed but no GPU is visible; {_CPU_TORCH} is smaller"
            )
    return findings, notes


def _counter_finding(name: str, counter: Any) -> Finding:
    return Finding(name, None, counter.reason) if counter.reason else Finding(name, counter.method)


def render(report: Report, console: Console) -> None:
    """Print the report: packages, requirements, devices, then what is wrong and how to mend it."""
    from rich.table import Table

    table = Table(title="rmaat-hw doctor", title_justify="left", box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for finding in (*report.system, *report.packages, *report.devices):
        table.add_row(finding.name, finding.value or f"[dim]{finding.reason}[/dim]")
    console.print(table)
    console.print()
    console.print(_requirement_table(report.requirements))
    for sentence in report.notes:
        console.print(f"[yellow]note[/yellow] {sentence}", highlight=False)
    for sentence in report.problems:
        console.print(f"[red]problem[/red] {sentence}", highlight=False)
    console.print(
        "[green]Everything that is required is here.[/green]" if report.ok else "[red]Not ready.[/red]"
    )


def _requirement_table(requirements: Iterable[Requirement]) -> Any:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in ("distribution", "installed", "wanted", "needed"):
        table.add_column(heading)
    for entry in sorted(requirements, key=lambda item: (item.extra, item.name.lower())):
        colour = "green" if entry.fits else ("red" if entry.required else "dim")
        version = f"[{colour}]{entry.version or 'not installed'}[/{colour}]"
        table.add_row(
            entry.name, version, entry.wanted, (entry.extra and f"optional ({entry.extra})") or "always"
        )
    return table
