"""Check parameter files: every mistake of every file, and what only a look at all of them together shows.

The loader refuses a file at its first reading and tells all that is wrong with it: a value without a source,
a source in no bibliography, a value out of its range, a unit of another dimension, a set mixed from two
sources. Here that is collected over many files, with rules for what the loader lets pass.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib import resources
from pathlib import Path, PurePath
from typing import Any, Literal

from device_params.errors import FileError, InputError
from device_params.load import built_in_files, load_file, own_references
from device_params.references import Reference, bibliography
from device_params.schema import ComponentFile, Design, Parameter

Severity = Literal["error", "warning"]

_BIBLIOGRAPHY = str(resources.files("device_params").joinpath("references.bib"))

#: 95 % over 5 % point that a weak number should reach, at the least.
NARROWEST_WEAK = 1.4


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong with a file: an error that keeps it from being believed, or a warning to look again."""

    path: str
    severity: Severity
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.severity}: {self.sentence}"


@dataclass(frozen=True)
class Checked:
    """The findings, and how many files were looked at, with the parameters and sources of those that load."""

    findings: tuple[Finding, ...]
    files: int
    parameters: int
    sources: int

    def count(self, severity: Severity) -> int:
        """Return how many findings are of this severity."""
        return sum(finding.severity == severity for finding in self.findings)

    @property
    def ok(self) -> bool:
        """True when there is no error; warnings do not count."""
        return self.count("error") == 0

    def summary(self) -> str:
        """Return one line: ``3 files, 70 parameters, 9 sources: no errors``."""
        seen = f"{_number(self.files, 'file')}, {_number(self.parameters, 'parameter')}"
        errors = "no errors" if self.ok else _number(self.count("error"), "error")
        warnings = f", {_number(self.count('warning'), 'warning')}" if self.count("warning") else ""
        return f"{seen}, {_number(self.sources, 'source')}: {errors}{warnings}"

    def record(self) -> dict[str, Any]:
        """Return everything as plain types."""
        return {
            "files": self.files,
            "parameters": self.parameters,
            "sources": self.sources,
            "errors": self.count("error"),
            "warnings": self.count("warning"),
            "findings": [asdict(finding) for finding in self.findings],
        }


def check_files(files: Iterable[str | Path] = ()) -> list[Finding]:
    """Return what is wrong with ``files`` (names, paths, folders), or with all built-in files."""
    return list(check(files).findings)


def check(files: Iterable[str | Path] = ()) -> Checked:
    """Check ``files`` and count what was looked at; see ``check_files``.

    Without ``files`` the whole library is checked and every entry of its bibliography must be used. A user's
    ``references.bib`` is checked with the files beside it. Entries that nobody uses are told only when all
    files could be read. Raises InputError for a folder without files.
    """
    wanted = [str(file) for file in files]
    names = built_in_files()
    listed = list(dict.fromkeys(path for file in wanted or names for path in _expanded(file, names)))
    try:
        bibliography()
    except InputError as error:
        # without it every file would repeat the same complaint
        return Checked(tuple(_broken(_BIBLIOGRAPHY, error)), len(listed), 0, 0)
    findings: list[Finding] = []
    loaded: list[ComponentFile | Design] = []
    for name in listed:
        try:
            file = load_file(name)
        except InputError as error:
            findings += _broken(name, error)
            continue
        loaded.append(file)
        findings += [Finding(file.path, *told) for told in _rules(file, built_in=name in names)]
    used = {key for file in loaded for key in file.parameters.sources()}
    beside = _beside(loaded) if wanted else {_BIBLIOGRAPHY: bibliography()}
    for path, entries in beside.items():
        findings += _entries(path, entries, used if len(loaded) == len(listed) else entries)
    return Checked(tuple(findings), len(listed), sum(len(_own(file)) for file in loaded), len(used))


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _expanded(file: str, names: Mapping[str, Any]) -> Sequence[str]:
    """A folder stands for the YAML files in it."""
    path = Path(file).expanduser()
    if file in names or not path.is_dir():
        return (file,)
    found = sorted(str(inside) for inside in path.iterdir() if inside.suffix in (".yaml", ".yml"))
    if not found:
        raise InputError("no .yaml file in this folder", value=file)
    return found


def _broken(name: str, error: InputError) -> Iterator[Finding]:
    """One finding for each mistake of a file that the loader refuses, on one line each."""
    path = error.path if isinstance(error, FileError) else name
    for problem in error.problems if isinstance(error, FileError) else (str(error),):
        sentence = " ".join(problem.split()).removeprefix(f"{path}: ").removeprefix(f"{path}, ")
        yield Finding(path, "error", sentence)


def _own(file: ComponentFile | Design) -> Mapping[str, Parameter]:
    """What the file itself states: a design without its components and what it is based on."""
    if isinstance(file, Design):
        return {name: file.parameters[name] for name in file.own}
    return file.parameters


def _rules(file: ComponentFile | Design, *, built_in: bool) -> Iterator[tuple[Severity, str]]:
    """What the loader lets pass."""
    stem = PurePath(file.path).stem
    if file.name != stem:
        # a built-in file is found by the name of the file, and told by the name in it
        severity: Severity = "error" if built_in else "warning"
        yield severity, f"name: {file.name!r} is not the name of the file, {stem!r}"
    for name, parameter in _own(file).items():
        field = f"parameters.{name}"
        spread = parameter.low < parameter.high
        if parameter.weak and parameter.basis not in ("assumed", "derived"):
            yield "error", f"{field}.basis: a weak number is 'assumed', not {parameter.basis!r}"
        if parameter.weak and spread and parameter.distribution == "lognormal":
            ratio = parameter.high / parameter.low
            if ratio < NARROWEST_WEAK:
                yield "warning", f"{field}.interval: {ratio:.3g} between its ends is narrow for a weak number"
        if spread and parameter.sweep_bounds == (parameter.low, parameter.high):
            yield (
                "warning",
                f"{field}.sweep_bounds: the same as interval; one is what this device does (5 to 95 %), the "
                "other how far to explore",
            )


def _beside(loaded: Iterable[ComponentFile | Design]) -> dict[str, Mapping[str, Reference]]:
    """Path -> entries of each ``references.bib`` beside a user's file."""
    paths = {str(Path(file.path).parent / "references.bib"): file.path for file in loaded}
    return {path: own_references(beside) for path, beside in paths.items()}


def _entries(path: str, entries: Mapping[str, Reference], used: Collection[str]) -> Iterator[Finding]:
    """What is wrong with a bibliography; a user's may hold entries for files that were not checked."""
    for key, entry in entries.items():
        if not any(entry.fields.get(field) for field in ("doi", "url", "note")):
            yield Finding(path, "error", f"{key}: an entry without doi, url or note")
    idle = [key for key in entries if key not in used]
    if path == _BIBLIOGRAPHY:
        yield from (Finding(path, "error", f"{key}: no file uses this entry") for key in idle)
    elif idle:
        told = ", ".join(idle[:3]) + (f" and {len(idle) - 3} more" if len(idle) > 3 else "")
        yield Finding(path, "warning", f"{told}: no file that was checked uses them")
