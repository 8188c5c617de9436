"""RMAAT, its rivals under the same roof, and its ablations, each by name.

A rival differs from the RMAAT of a task in as few fields as its definition asks for: same width, heads,
layers, feed-forward network, segments and memory tokens (the paper's iso-architecture comparison,
arXiv 2601.00426, §4; what it says of each rival is STATED-2 in our reading of it).

=========  ==========================================================================================
rmaat      astromorphic attention, memory tokens, retention factor, memory replay
at         the same attention over the whole sequence at once: no segments, no memory
rmt        recurrent memory transformer: softmax, memory tokens, back-propagation through time
           (arXiv 2207.06881)
rlt        recurrent linear transformer: normalised linear attention (arXiv 2006.16236), memory tokens,
           no retention factor, no astrocyte, back-propagation through time
softmax    the plain transformer over the whole sequence at once
mamba2     a state-space model over the whole sequence at once (arXiv 2405.21060), from the package
           transformers: the modern linear-time baseline
=========  ==========================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import Any

from device_params.errors import InputError, nearest_name
from rmaat_hw.model.config import RMAATConfig


@dataclass(frozen=True)
class Mamba2Config:
    """A stack of Mamba-2 layers with the width and depth of an RMAAT; the rest as its paper has it.

    A layer of Mamba-2 has no feed-forward network; with ``expand`` = 2 it has about 6 d² parameters, where
    a layer of RMAAT has 3 d² + 2 d · ffn_width.
    """

    vocabulary: int
    classes: int
    d_model: int
    layers: int
    sequence_length: int
    expand: int = 2
    """Inner width over d_model (arXiv 2405.21060)."""
    head_width: int = 64
    """Channels of a head (arXiv 2405.21060); the inner width where that is less."""
    state_width: int = 64
    """Width of the state of a head."""
    chunk: int = 64
    """Tokens of a block of the chunked scan; the same function whatever it is."""

    @classmethod
    def like(cls, base: RMAATConfig) -> Mamba2Config:
        """Same task, width and depth as ``base``."""
        return cls(
            vocabulary=base.vocabulary,
            classes=base.classes,
            d_model=base.d_model,
            layers=base.layers,
            sequence_length=base.sequence_length,
        )

    @property
    def segments(self) -> int:
        """The sequence is read at once."""
        return 1

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON or YAML."""
        return asdict(self)


ModelConfig = RMAATConfig | Mamba2Config


def _recurrent(base: RMAATConfig, attention: str) -> RMAATConfig:
    """Another attention with its output projection, memory that nothing scales, no replay, and every row
    computed, as these models were published."""
    return replace(
        base,
        attention=attention,
        astrocyte=False,
        output_projection=True,
        retention="uniform",
        gradient="bptt",
        skip_unread_rows=False,
    )


def _at_once(base: RMAATConfig) -> RMAATConfig:
    """One segment as long as a stream, and nothing to carry on."""
    pooling = base.pooling if base.pooling == "cls" else "last_segment_mean"
    return replace(
        base,
        segments=1,
        segment_length=base.stream_length,
        memory_tokens=0,
        pooling=pooling,
        retention="uniform",
        gradient="bptt",
    )


def _softmax(base: RMAATConfig) -> RMAATConfig:
    return replace(_at_once(base), attention="softmax", output_projection=True, astrocyte=False)


VARIANTS: Mapping[str, Callable[[RMAATConfig], ModelConfig]] = MappingProxyType(
    {
        "rmaat": lambda base: base,
        "at": _at_once,
        "rmt": lambda base: _recurrent(base, "softmax"),
        "rlt": lambda base: _recurrent(base, "linear"),
        "softmax": _softmax,
        "mamba2": Mamba2Config.like,
    }
)
"""Name -> the configuration that follows from the RMAAT of a task."""


def _fewer(parts: int) -> Callable[[RMAATConfig], RMAATConfig]:
    def cut(base: RMAATConfig) -> RMAATConfig:
        if base.segments % parts:
            raise InputError(
                f"these segments cannot be divided by {parts}",
                where="--ablation",
                value=f"{base.segments} segments",
                allowed=f"a model whose number of segments is a multiple of {parts}",
            )
        return base.with_segments(base.segments // parts)

    return cut


ABLATIONS: Mapping[str, Callable[[RMAATConfig], RMAATConfig]] = MappingProxyType(
    {
        "no-retention": lambda base: replace(base, retention="uniform"),
        "bptt": lambda base: replace(base, gradient="bptt"),
        "no-astro": lambda base: replace(base, astrocyte=False),
        "half-segments": _fewer(2),
        "quarter-segments": _fewer(4),
    }
)
"""The paper's ablations (§4.2): no retention factor, back-propagation through time in place of memory
replay, no H_astro, and a context cut to a half or a quarter of the segments (so the sequences, too)."""


def variant(name: str, base: RMAATConfig, ablations: Iterable[str] = ()) -> ModelConfig:
    """Return the configuration of a model by name.

    Args:
        name: one of ``VARIANTS``.
        base: the RMAAT of the task.
        ablations: any of ``ABLATIONS``, applied to ``base`` one after the other; for "rmaat" alone.

    Raises:
        InputError: an unknown name, an ablation of another model, or one that cannot be applied.
    """
    make = _chosen(VARIANTS, name, "model", "--model")
    for ablation in ablations:
        change = _chosen(ABLATIONS, ablation, "ablation", "--ablation")
        if name != "rmaat":
            raise InputError(
                "an ablation takes something away from RMAAT",
                where="--ablation",
                value=f"{ablation} with --model {name}",
                remedy="use it with --model rmaat",
            )
        base = change(base)
    return make(base)


def _chosen(known: Mapping[str, Any], name: str, kind: str, where: str) -> Any:
    if name not in known:
        raise InputError(
            f"unknown {kind}",
            where=where,
            value=name,
            allowed=", ".join(known),
            nearest=nearest_name(str(name), known),
        )
    return known[name]
