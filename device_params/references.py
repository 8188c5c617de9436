"""The bibliography: every source once, in ``references.bib``, read by a parser of a dozen lines.

Only what our own file uses is understood: ``@type{key, field = {text}, ...}`` with balanced braces.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType

from device_params.errors import InputError, nearest_name

_ENTRY = re.compile(r"@(\w+)\s*\{\s*([^,\s]+)\s*,")
_FIELD = re.compile(r"(\w+)\s*=\s*\{")


@dataclass(frozen=True)
class Reference:
    """One entry of the bibliography; ``text`` is its BibTeX as it stands in the file."""

    key: str
    type: str
    fields: Mapping[str, str]
    text: str

    def citation(self) -> str:
        """Return one line for a reader: authors, title, where, year, identifier."""
        get = self.fields.get
        authors = get("author", "").replace(" and others", " et al.").replace(" and ", ", ")
        where = get("journal") or get("booktitle") or get("publisher") or get("howpublished") or ""
        identifier = f"doi:{get('doi')}" if get("doi") else get("url", "")
        parts = [authors, get("title", ""), where, get("year", ""), identifier]
        return ". ".join(part.rstrip(".").replace("{", "").replace("}", "") for part in parts if part) + "."


def _closing_brace(text: str, start: int, where: str) -> int:
    """Return the position of the brace that closes the one just before ``start``."""
    depth = 1
    for position in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[position], 0)
        if depth == 0:
            return position
    raise InputError("a brace is not closed", where=where, value=text[start : start + 40])


def parse_bib(text: str, where: str = "references.bib") -> dict[str, Reference]:
    """Return key -> reference of a BibTeX text. Raises InputError: open brace, a key twice."""
    found: dict[str, Reference] = {}
    position = 0
    while match := _ENTRY.search(text, position):
        position = _closing_brace(text, match.end(), where)
        body = text[match.end() : position]
        fields = {}
        inner = 0
        while field := _FIELD.search(body, inner):
            inner = _closing_brace(body, field.end(), where)
            fields[field.group(1).lower()] = " ".join(body[field.end() : inner].split())
        key = match.group(2)
        if key in found:
            raise InputError("bibliography key used twice", where=where, value=key)
        entry = text[match.start() : position + 1]
        found[key] = Reference(key, match.group(1).lower(), MappingProxyType(fields), entry)
    return found


@functools.cache
def _bibliography() -> Mapping[str, Reference]:
    text = resources.files("device_params").joinpath("references.bib").read_text(encoding="utf-8")
    return MappingProxyType(parse_bib(text))


def bibliography() -> Mapping[str, Reference]:
    """Return key -> reference of the built-in bibliography, in the order of the file."""
    return _bibliography()


def references() -> dict[str, str]:
    """Return key -> BibTeX entry of the built-in bibliography."""
    return {key: reference.text for key, reference in _bibliography().items()}


def citation(key: str) -> str:
    """Return one readable line for a key of the bibliography."""
    try:
        return _bibliography()[key].citation()
    except KeyError:
        nearest = nearest_name(key, _bibliography())
        raise InputError("no such key in references.bib", value=key, nearest=nearest) from None
