"""What ``--model`` may name: a configuration of RMAAT in YAML, or a callable that makes any program."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError, nearest_name

if TYPE_CHECKING:
    from rmaat_hw.model import RMAATConfig

_CALLABLE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclasses.dataclass(frozen=True)
class Program:
    """A module with example inputs: what is traced and measured."""

    module: Any  # torch.nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    name: str


@dataclasses.dataclass(frozen=True)
class ProgramFactory:
    """A user's callable ``package.module:name`` that makes a program.

    ``takes`` names those of ``segments`` and ``batch`` that it accepts, ``needs`` those without a default.
    """

    spec: str
    function: Callable[..., Any]
    takes: frozenset[str]
    needs: frozenset[str] = frozenset()

    @property
    def source(self) -> Path | None:
        """The file that defines the callable, if it stands in a file."""
        try:
            file = inspect.getsourcefile(self.function)
        except TypeError:
            file = None
        return Path(file) if file else None

    def __call__(self, *, segments: int | None = None, batch: int | None = None) -> Program:
        """Make the program; ``segments`` and ``batch`` are passed on where the callable takes them."""
        if segments is None and "segments" in self.needs:
            raise InputError(
                "the callable needs a number of segments",
                where=f"--model {self.spec}",
                remedy="give --seq-len TOKENS, or give its argument `segments` a default",
            )
        if batch not in (None, 1) and "batch" not in self.takes:
            raise InputError(
                "the callable makes its own inputs and takes no `batch`",
                where="--batch",
                value=batch,
                remedy="leave --batch away, or give the callable an argument `batch`",
            )
        asked = {"segments": segments, "batch": batch}
        chosen = {name: asked[name] for name in sorted(self.takes) if asked[name] is not None}
        try:
            made = self.function(**chosen)
        except InputError:
            raise
        except (Exception, SystemExit) as error:
            raise InputError(
                f"the callable failed with {type(error).__name__}: {_one_line(error)}",
                where=self.spec,
                remedy="call it by hand to see the traceback",
            ) from error
        return _checked(made, self.spec)

    def of_length(self, tokens: int, batch: int) -> Program:
        """Make the program whose sequences have so many tokens: a whole number of segments.

        A segment's tokens are the second dimension of the first tensor input of one segment.
        """
        if "segments" not in self.takes:
            raise InputError(
                "the callable makes its own inputs and takes no `segments`",
                where="--seq-len",
                value=tokens,
                remedy="leave --seq-len away, or give the callable an argument `segments`",
            )
        segment = self._tokens(self(segments=1, batch=batch))
        if tokens < segment or tokens % segment:
            below = max(tokens, 0) // segment * segment
            near = [str(near) for near in (below, below + segment) if near > 0]
            raise InputError(
                f"not a multiple of the segment of {segment} tokens",
                where="--seq-len",
                value=tokens,
                allowed=" or ".join(near),
            )
        program = self(segments=tokens // segment, batch=batch)
        if (found := self._tokens(program)) != tokens:
            raise InputError(
                f"with {tokens // segment} segments the callable makes inputs of another length",
                where=f"--model {self.spec}",
                value=f"{found} tokens",
                allowed=f"{tokens}, so many times those of one segment",
            )
        return program

    def _tokens(self, program: Program) -> int:
        """Tokens of the example inputs."""
        import torch
        from torch.utils._pytree import tree_leaves

        for leaf in tree_leaves((program.args, dict(program.kwargs))):
            if isinstance(leaf, torch.Tensor) and leaf.dim() > 1 and leaf.shape[1]:
                return int(leaf.shape[1])
        raise InputError(
            "the example inputs do not tell their number of tokens",
            where=f"--model {self.spec}",
            allowed="a first tensor of shape [batch, tokens, ...]",
        )


def is_callable_spec(model: str) -> bool:
    """Tell ``package.module:callable`` from a file name."""
    return bool(_CALLABLE.fullmatch(model)) and not model.endswith((".yaml", ".yml"))


def load_factory(spec: str) -> ProgramFactory:
    """Import ``package.module:callable``; modules of the current folder are found."""
    if not is_callable_spec(spec):
        raise InputError(
            "this names no program",
            where="--model",
            value=spec,
            allowed="FILE.yaml or package.module:callable",
        )
    module_name, _, path = spec.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        target: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or module_name
        own = module_name == missing or module_name.startswith(f"{missing}.")
        raise InputError(
            f"there is no module {missing!r}" if own else f"the module needs {missing!r}, which is missing",
            where=f"--model {spec}",
            remedy="run from the folder that holds it, or install it",
        ) from error
    except (Exception, SystemExit) as error:
        raise InputError(
            f"importing the module failed with {type(error).__name__}: {_one_line(error)}",
            where=f"--model {spec}",
            remedy=f"`python -c 'import {module_name}'` shows the traceback",
        ) from error
    for part in path.split("."):
        names = [name for name in dir(target) if not name.startswith("_")]
        if not hasattr(target, part):
            raise InputError(
                f"{module_name} has no {part!r}",
                where=f"--model {spec}",
                nearest=nearest_name(part, names),
            )
        target = getattr(target, part)
    if not callable(target):
        raise InputError(
            "this is not a callable",
            where=f"--model {spec}",
            value=type(target).__name__,
            allowed="a function that returns (module, args) or (module, args, kwargs)",
        )
    return ProgramFactory(spec, target, *_accepted(target, spec))


def _accepted(function: Callable[..., Any], spec: str) -> tuple[frozenset[str], frozenset[str]]:
    """Arguments of ours that the callable takes, and those of them that it cannot do without."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset(), frozenset()
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    ours = [p for p in parameters if p.kind in by_name and p.name in ("segments", "batch")]
    names = frozenset(p.name for p in ours)
    needed = [
        p.name
        for p in parameters
        if p.default is p.empty
        and p.name not in names
        and p.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    ]
    if needed:
        raise InputError(
            "the callable needs arguments that are not offered",
            where=f"--model {spec}",
            value=", ".join(needed),
            allowed="segments and batch; everything else needs a default",
        )
    return names, frozenset(p.name for p in ours if p.default is p.empty)


def _checked(made: Any, spec: str) -> Program:
    from torch import nn

    if isinstance(made, tuple) and len(made) in (2, 3) and isinstance(made[0], nn.Module):
        module, args = made[0], made[1]
        kwargs = made[2] if len(made) == 3 else {}
        args = tuple(args) if isinstance(args, (tuple, list)) else (args,)
        if isinstance(kwargs, Mapping):
            _check_weights(module, spec)
            return Program(module, args, dict(kwargs), type(module).__name__)
    got = tuple(type(part).__name__ for part in made) if isinstance(made, tuple) else type(made).__name__
    raise InputError(
        "the callable returned something else than a program",
        where=spec,
        value=got,
        allowed="(module, args) or (module, args, kwargs), where module is a torch.nn.Module",
    )


def _check_weights(module: Any, spec: str) -> None:
    from torch.nn.parameter import is_lazy

    for name, parameter in module.named_parameters():
        if is_lazy(parameter):
            raise InputError(
                "a parameter has no shape yet",
                where=f"{spec}, {name}",
                remedy="let the callable run the module once on its inputs before it returns it",
            )


def read_config(path: Path | str, base: RMAATConfig | None = None) -> RMAATConfig:
    """Read an ``RMAATConfig`` from a YAML file of its fields.

    What the file leaves away is taken from ``base`` (the task's configuration), else from the defaults.
    """
    from rmaat_hw.model import RMAATConfig

    content = _read_yaml(Path(path))
    try:
        return RMAATConfig.from_mapping({**(base.to_dict() if base else {}), **content}, where=str(path))
    except InputError as error:
        told = str(error)
        raise InputError(told if told.startswith(str(path)) else f"{path}: {told}") from error


def _read_yaml(path: Path) -> dict[Any, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        siblings = [p.name for p in path.parent.glob("*.y*ml")] if path.parent.is_dir() else []
        raise InputError(
            "there is no such file",
            where="--model",
            value=str(path),
            nearest=nearest_name(path.name, siblings),
        ) from error
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(f"the file cannot be read: {reason}", where=f"--model {path}") from error
    except UnicodeDecodeError as error:
        raise InputError("not UTF-8 text", where=str(path)) from error
    except RecursionError as error:
        raise InputError("the file is nested too deeply", where=str(path)) from error
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{path}, line {mark.line + 1}" if mark else str(path)
        raise InputError(
            "the file is not YAML", where=where, remedy=str(getattr(error, "problem", "") or "")
        ) from error
    if not isinstance(content, dict):
        raise InputError(
            "the file must hold fields of RMAATConfig, one `name: value` a line",
            where=str(path),
            value=type(content).__name__,
        )
    return content


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:300]
