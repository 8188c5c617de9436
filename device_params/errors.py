"""The exception that users see, its form for a whole file, and the nearest-name hint it carries."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_LONGEST = 200  # characters of a value that an error repeats


class InputError(ValueError):
    """Bad input, told in one sentence: what, where, which value, what is allowed, how to mend it.

    The command line prints it as it stands and leaves with exit code 2.
    """

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        value: object = None,
        allowed: str = "",
        nearest: str = "",
        remedy: str = "",
    ) -> None:
        parts = [f"{where}: {what}" if where else what]
        if value is not None:
            told = repr(value)
            parts.append(f"got {told if len(told) <= _LONGEST else told[: _LONGEST - 2] + ' …'}")
        if allowed:
            parts.append(f"allowed: {allowed}")
        if nearest:
            parts.append(f"did you mean {nearest!r}?")
        if remedy:
            parts.append(remedy)
        super().__init__("; ".join(parts))


class FileError(InputError):
    """All mistakes of one file: one sentence each in ``problems``, told together."""

    def __init__(self, path: str, problems: Sequence[str]) -> None:
        self.path = path
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            super().__init__(self.problems[0], where=path)
        else:
            listed = "".join(f"\n  ({number}) {text}" for number, text in enumerate(self.problems, 1))
            super().__init__(f"{len(self.problems)} problems:{listed}", where=path)

    def __reduce__(self) -> tuple[type[FileError], tuple[str, tuple[str, ...]]]:
        return type(self), (self.path, self.problems)


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name most like ``name``, or an empty string when none is near."""
    matches = difflib.get_close_matches(name, list(known), n=1, cutoff=0.5)
    return matches[0] if matches else ""
