"""What a PyTorch model would cost on emerging hardware: trace, estimate, measure, report.

``rmaat_hw.estimate(...)``, ``trace``, ``measure``, ``report``, ``train`` and ``validate`` are the commands of
the same names. All but the last two are modules that can be called, so that ``rmaat_hw.trace(model, args)``
and ``from rmaat_hw.trace import capture`` are both good. Nothing heavy is imported before its first use.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rmaat_hw.estimate import estimate as estimate
    from rmaat_hw.measure import measure as measure
    from rmaat_hw.report import report as report
    from rmaat_hw.trace import capture as trace
    from rmaat_hw.training import train as train
    from rmaat_hw.validation import validate as validate

__version__ = "0.1.0"

# command -> the function of its module that a call of the module calls
_COMMANDS = {"estimate": "estimate", "trace": "capture", "measure": "measure", "report": "report"}
# command -> the module that holds the function of the same name
_FUNCTIONS = {"train": "training", "validate": "validation"}

__all__ = ["__version__", "estimate", "measure", "report", "trace", "train", "validate"]


class _Command(ModuleType):
    """A module whose call is the call of its main function."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return getattr(self, _COMMANDS[self.__name__.rpartition(".")[2]])(*args, **kwargs)


class _Package(ModuleType):
    """This package: its commands become callable as the import system hangs them here."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _COMMANDS and isinstance(value, ModuleType):
            value.__class__ = _Command
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name in _COMMANDS:
        return importlib.import_module(f"rmaat_hw.{name}")
    if name in _FUNCTIONS:
        return getattr(importlib.import_module(f"rmaat_hw.{_FUNCTIONS[name]}"), name)
    raise AttributeError(f"module 'rmaat_hw' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_COMMANDS, *_FUNCTIONS})


sys.modules[__name__].__class__ = _Package
