"""A trained model back from its run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.training import checkpoint

if TYPE_CHECKING:
    from torch import nn


def load_model(source: Path | str, *, config: Any = None, which: str = "best") -> nn.Module:
    """Build the model of a run or of a checkpoint file with its trained weights, in evaluation mode.

    Args:
        source: run folder, or a checkpoint file.
        config: the architecture it is meant for; by default the one it was trained with.
        which: "best" (validation accuracy) or "last", of a run folder.

    Raises:
        InputError: no such checkpoint, a damaged one, or one of another architecture, with each field
            that differs. T is among them: the retention factors depend on it.
    """
    from rmaat_hw.model import build

    path = _find(Path(source), which)
    content = checkpoint.load(path)
    try:
        identity, weights = content["identity"], content["model"]
        saved = identity["config"]
    except (KeyError, TypeError):
        raise InputError("the checkpoint holds no model", where=str(path)) from None
    if config is None or "segments" in saved:
        own = _config(identity, where=str(path))
        saved = own.to_dict()  # a field that came after the checkpoint has its default
        config = own if config is None else config
    checkpoint.check_same(saved, config.to_dict(), where=str(path))
    model = build(config)
    model.load_state_dict(weights)
    return model


def _find(source: Path, which: str) -> Path:
    from rmaat_hw.training.loop import CHECKPOINTS, LAST

    if which not in ("best", "last"):
        raise InputError("which weights?", where="which", value=which, allowed="best, last")
    if not source.is_dir():
        return source
    last = source / CHECKPOINTS / LAST
    if which == "last":
        return last
    best = checkpoint.load(last)["best"]
    return last if best is None else last.with_name(best["file"])


def _config(identity: Mapping[str, Any], where: str) -> Any:
    saved = identity["config"]
    if identity.get("model") != "mamba2":
        if "segments" not in saved:
            raise InputError(
                "the checkpoint does not say its number of segments T",
                where=where,
                remedy="give the configuration that it was trained with: the retention factors depend on T",
            )
        return RMAATConfig.from_mapping(saved, where=where)
    from rmaat_hw.model.variants import variant
    from rmaat_hw.tasks import load_task

    task = load_task(identity["task"], preset=identity["preset"])
    return variant(identity["model"], task.config, identity["ablations"])
