"""The program to be estimated: module, example inputs, and the sequences whose activity is taken."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from device_params.errors import InputError
from rmaat_hw.model.config import RMAATConfig
from rmaat_hw.model.variants import ModelConfig, variant

if TYPE_CHECKING:
    import torch

#: Sequences of the task whose activity is measured; their hash stands in the result.
ACTIVITY_SEQUENCES = 8


@dataclass(frozen=True)
class Subject:
    """A program with everything that an estimate must say about it.

    ``args``/``kwargs`` are of one pass (traced, measured, priced); ``activity_batches`` are real inputs
    through which activity is measured (``sequences_sha256`` is empty where their bytes are to be
    hashed). ``batch`` and ``sequences`` are None where a program makes its own inputs. Token counts are
    sums over those sequences, None where a program has no tokens that we know of. ``macs_by_hand``:
    forward multiply-accumulates of one pass from a formula, or None.
    """

    name: str
    module: torch.nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    batch: int | None
    activity_batches: Sequence[tuple[Any, ...]]
    sequences: int | None
    sequences_sha256: str
    activity_description: str
    task: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    sequence_length: int | None = None
    segments: int | None = None
    memory_tokens: int = 0
    real_tokens: int | None = None
    padded_tokens: int | None = None
    macs_by_hand: Mapping[str, int] | None = None
    source_files: tuple[str, ...] = ()


def load_subject(task: str, *, model: str | None, batch: int, seq_len: int | None, seed: int) -> Subject:
    """Build the program that the options name.

    Without ``model``: the task's RMAAT with seeded weights on the task's sequences. A name of
    ``rmaat_hw.model.VARIANTS`` takes that rival instead, a YAML file changes the configuration, and
    ``package.module:callable`` brings any module with example inputs.
    """
    if isinstance(batch, bool) or batch < 1:
        raise InputError(
            "a batch needs at least one sequence", where="--batch", value=batch, allowed="1 or more"
        )
    if model is not None:
        from rmaat_hw.programs import is_callable_spec

        if is_callable_spec(model):
            return _from_callable(model, batch, seq_len)
    return _from_task(task, model, batch, seq_len, seed)


def _check_memory(config: ModelConfig, sequences: int) -> None:
    """Refuse what cannot fit in this computer's memory, before it is tried.

    A lower bound [B]: float32 weights of the products, int64 tokens, and the widest rows of one segment
    of the sequences that run at a time.
    """
    d = config.d_model
    width = config.ffn_width if isinstance(config, RMAATConfig) else config.expand * d
    held = config.rows if isinstance(config, RMAATConfig) else config.sequence_length
    weights = 4 * (config.layers * d * (3 * d + 2 * width) + config.vocabulary * d)
    tokens = 8 * sequences * config.sequence_length
    rows = 4 * min(sequences, ACTIVITY_SEQUENCES) * held * (d + width)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if weights + tokens + rows > memory:
        raise InputError(
            "the model with its sequences does not fit in the memory of this computer",
            where="model, --batch and --seq-len",
            value=f"more than {(weights + tokens + rows) / 1e9:,.0f} GB",
            allowed=f"at most {memory / 1e9:,.0f} GB",
            remedy="take fewer or shorter sequences, or a smaller model",
        )


def _from_task(name: str, model: str | None, batch: int, seq_len: int | None, seed: int) -> Subject:
    from rmaat_hw.model import build, macs_by_hand
    from rmaat_hw.tasks import load_task

    task = load_task(name)
    files: tuple[str, ...] = ()
    kind = "rmaat"
    if model is not None and (Path(model).suffix or Path(model).name != model):
        from rmaat_hw.programs import read_config

        task = replace(task, config=read_config(model, base=task.config))
        files = (model,)
    elif model is not None:
        kind = model
    if seq_len is not None:
        task = task.with_sequence_length(seq_len)
    config = variant(kind, task.config)
    _check_memory(config, max(ACTIVITY_SEQUENCES, batch))
    sequences = task.batch(max(ACTIVITY_SEQUENCES, batch), seed=seed)
    own = config if isinstance(config, RMAATConfig) else None  # of our frame, recurrent or not
    return Subject(
        name=f"{kind.upper()}, {task.title}",
        module=build(config, seed),
        args=(sequences.tokens[:batch],),
        kwargs={},
        batch=batch,
        activity_batches=[(chunk,) for chunk in sequences.tokens.split(ACTIVITY_SEQUENCES)],
        sequences=len(sequences.tokens),
        sequences_sha256=sequences.sha256,
        activity_description=(
            f"measured on {len(sequences.tokens)} {task.batches} {task.title} sequences (seed {seed}), "
            "untrained seeded weights"
        ),
        task=task.name,
        config=config.to_dict(),
        sequence_length=config.sequence_length,
        segments=config.segments,
        memory_tokens=own.streams * own.segments * own.memory_tokens if own else 0,
        real_tokens=sequences.real_tokens,
        padded_tokens=sequences.padded_tokens,
        macs_by_hand=macs_by_hand(own, batch) if own else None,
        source_files=files,
    )


def _from_callable(spec: str, batch: int, seq_len: int | None) -> Subject:
    from rmaat_hw.programs import load_factory

    factory = load_factory(spec)
    program = factory(batch=batch) if seq_len is None else factory.of_length(seq_len, batch)
    module = program.module
    # An exported program has its mode compiled in and refuses to be told.
    with suppress(NotImplementedError):
        module = module.eval()
    source = factory.source
    return Subject(
        name=program.name,
        module=module,
        args=program.args,
        kwargs=program.kwargs,
        batch=batch if "batch" in factory.takes else None,
        activity_batches=[program.args],
        sequences=None,
        sequences_sha256="",
        activity_description=f"measured on the example inputs of {spec}",
        config={"callable": spec},
        sequence_length=seq_len,
        source_files=(str(source),) if source else (),
    )
