"""Which publications the numbers of a device or design rest on, and which numbers rest on each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from device_params.load import load_file, references_of
from device_params.references import Reference


@dataclass(frozen=True)
class Cited:
    """A reference, and what rests on it: name of the file -> names of its parameters."""

    reference: Reference
    parameters: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Citations:
    """``cited``: every source once, in order of first use; ``unsourced``: by file, what has none."""

    cited: tuple[Cited, ...]
    unsourced: Mapping[str, tuple[str, ...]]

    def bibtex(self) -> str:
        """Return the references as BibTeX, as they stand in the bibliography."""
        return "\n".join(entry.reference.text for entry in self.cited) + "\n"

    def lines(self) -> list[str]:
        """Return lines for a reader: each reference, and below it what rests on it."""
        told = []
        for entry in self.cited:
            told.append(f"{entry.reference.key}  {entry.reference.citation()}")
            told += [f"    {file}: {', '.join(names)}" for file, names in entry.parameters.items()]
        if any(self.unsourced.values()):
            told.append("no source (assumed)")
            told += [f"    {file}: {', '.join(names)}" for file, names in self.unsourced.items() if names]
        return told

    def record(self) -> dict[str, Any]:
        """Return everything as plain types."""
        return {
            "references": [
                {
                    "key": entry.reference.key,
                    "citation": entry.reference.citation(),
                    "doi": entry.reference.fields.get("doi", ""),
                    "url": entry.reference.fields.get("url", ""),
                    "bibtex": entry.reference.text,
                    "parameters": {file: list(names) for file, names in entry.parameters.items()},
                }
                for entry in self.cited
            ],
            "unsourced": {file: list(names) for file, names in self.unsourced.items()},
        }


def cite(names: Iterable[str | Path]) -> Citations:
    """Return the sources behind the files of these names or paths; a design brings those of its components.

    Raises InputError: unknown name, a file that cannot be read.

    >>> [entry.reference.key for entry in cite(["ecram_metal_oxide"]).cited]
    ['aihwkit2025', 'kim2019']
    """
    references: dict[str, Reference] = {}
    used: dict[str, dict[str, list[str]]] = {}
    unsourced: dict[str, tuple[str, ...]] = {}
    for file in dict.fromkeys(str(name) for name in names):
        loaded = load_file(file)
        references = references_of(loaded) | references
        for parameter in loaded.parameters.values():
            for key in parameter.source_keys:
                used.setdefault(key, {}).setdefault(loaded.name, []).append(parameter.name)
        unsourced[loaded.name] = tuple(p.name for p in loaded.parameters.values() if not p.source_keys)
    cited = (
        Cited(references[key], {file: tuple(parameters) for file, parameters in files.items()})
        for key, files in used.items()
    )
    return Citations(tuple(cited), unsourced)
