"""The numbers that define an RMAAT, each with the standing of its value.

Marks, as the published material allows: STATED (in the paper or a secondary source that quotes it),
INFERRED (deduced from it), RECOMMENDED (unknown; this project's choice). The paper is "RMAAT:
Astrocyte-Inspired Memory Compression and Replay for Efficient Long-Context Transformers",
arXiv 2601.00426.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from device_params.errors import InputError, nearest_name

RETENTION_KINDS = ("fixed", "stretch", "uniform")
ACTIVATIONS = ("gelu", "relu")
ATTENTIONS = ("astromorphic", "linear", "softmax")
SOFTMAX_KERNELS = ("fused", "materialised")
POOLINGS = ("last_segment_mean", "all_segments_mean", "memory_mean", "cls")
RETENTION_SOURCES = ("closed_form", "simulated")
EMBEDDING_STARTS = ("normal", "ordinal")
DOCUMENTS = ("one_stream", "dual_encoder")
GRADIENTS = ("replay", "bptt")

_CHOICES: Mapping[str, tuple[str, ...]] = {
    "attention": ATTENTIONS,
    "softmax_kernel": SOFTMAX_KERNELS,
    "retention": RETENTION_KINDS,
    "retention_source": RETENTION_SOURCES,
    "activation": ACTIVATIONS,
    "pooling": POOLINGS,
    "embedding_start": EMBEDDING_STARTS,
    "documents": DOCUMENTS,
    "gradient": GRADIENTS,
}
_COUNTS: Mapping[str, int] = {  # field -> least value
    "vocabulary": 2,
    "classes": 2,
    "d_model": 1,
    "heads": 1,
    "layers": 1,
    "ffn_width": 1,
    "segment_length": 1,
    "segments": 1,
    "memory_tokens": 0,
}
_POSITIVE = ("alpha", "positional_scale", "retention_rate", "calcium_floor")
_SWITCHES = ("astrocyte", "output_projection", "fuse_positional", "skip_unread_rows")


@dataclass(frozen=True)
class RMAATConfig:
    """Architecture of one RMAAT; immutable, checked when made.

    Raises:
        InputError: a value of the wrong type or outside its range, with the field and the range.
    """

    vocabulary: int
    """Rows of the embedding, the padding id 0 included. Given by the task."""

    classes: int
    """Outputs of the classifier. Given by the task."""

    d_model: int = 512
    """Width d of a token. RECOMMENDED per task, from the Long Range Arena base models; the paper
    states only that its largest model has 1024."""

    heads: int = 8
    """Heads h of the attention; the width of a head is m = d / h. RECOMMENDED (the paper's figure
    shows one head, its predecessor has four to eight)."""

    layers: int = 4
    """Blocks a segment passes through. RECOMMENDED (Long Range Arena base models)."""

    ffn_width: int = 1024
    """Hidden width of the feed-forward network. RECOMMENDED (Long Range Arena base models)."""

    segment_length: int = 512
    """Tokens N_seg of a segment, without memory tokens. STATED for Retrieval (8K tokens in 16
    segments), RECOMMENDED elsewhere."""

    segments: int = 4
    """Segments T of a sequence, known beforehand. STATED 16 for Retrieval; RECOMMENDED elsewhere."""

    memory_tokens: int = 16
    """Memory tokens M in front of every segment. STATED to exist, their number RECOMMENDED. 0 for a
    model without recurrence, which then has one segment."""

    attention: str = "astromorphic"
    """"astromorphic": the paper's; "linear" (arXiv 2006.16236) and "softmax": those of its rivals, see
    :mod:`rmaat_hw.model.variants`."""

    softmax_kernel: str = "fused"
    """How softmax attention is computed: "fused" by ``scaled_dot_product_attention``, "materialised" with
    the N × N matrix in memory. The same function; other attentions do not read it."""

    astrocyte: bool = True
    """Whether H has its astrocyte part φ(R)ᵀV/m (STATED); without it, the paper's ablation. Read by
    astromorphic attention, like the next two."""

    alpha: float = 0.25
    """Exponent of the presynaptic sum, g = (Σ φ(k))^α. RECOMMENDED (the predecessor uses 0.25 on
    every task)."""

    positional_scale: float = 0.1
    """Start of the learnable decay in r_ij = exp(-|i-j|·scale), per token. The form is STATED,
    value and learnability RECOMMENDED."""

    retention: str = "fixed"
    """Factor by which the memory is multiplied after each segment (formula STATED, closed form
    INFERRED): "fixed", one cycle of the short-term process lasts the same in sequences of any length
    (RECOMMENDED); "stretch", the long-term process saturates at the last segment; "uniform", 1 (the
    paper's ablation). See :func:`rmaat_hw.model.retention_factors`."""

    retention_source: str = "closed_form"
    """"closed_form", or "simulated": from the simulated long-term process, whose start-up makes the first
    factor a few per cent smaller (the paper's way, STATED; its constants are UNKNOWN)."""

    retention_rate: float = 0.2
    """Rate r of the long-term process per segment, ratio of factors ρ = exp(-r). RECOMMENDED. Read by
    "fixed" alone."""

    dropout: float = 0.1
    """Share of elements dropped after each residual sum while training; inert in evaluation.
    RECOMMENDED (its place: STATED for the predecessor)."""

    activation: str = "gelu"
    """Non-linearity of the feed-forward network, "gelu" or "relu". RECOMMENDED."""

    output_projection: bool = False
    """A d × d product after the heads. RECOMMENDED off: in the paper's figure the residual sum
    follows the heads directly."""

    fuse_positional: bool = True
    """Form H = (φ(K)+φ(R))ᵀV/m in one product instead of φ(K)ᵀV/m + φ(R)ᵀV/m. The two are equal;
    the first halves the multiply-accumulates of the write. RECOMMENDED."""

    pooling: str = "last_segment_mean"
    """What the classifier reads: "last_segment_mean", the mean over the memory rows and the unmasked
    token rows of the last segment; "all_segments_mean", over those of all segments; "memory_mean", over
    the memory rows of the last; "cls", one learned row in front of each segment, of the last.
    RECOMMENDED (the paper does not say)."""

    documents: str = "one_stream"
    """How a task with two documents is read. "one_stream": one behind the other through one memory
    (INFERRED); "dual_encoder": each by itself, a two-layer head over both (the protocol of the Long Range
    Arena); then ``segments`` are those of one document."""

    gradient: str = "replay"
    """How training differentiates the recurrence, with the same gradients: "replay", the memory replay of
    the paper (AMRB, STATED); "bptt", back-propagation through time. Nothing else depends on it."""

    skip_unread_rows: bool = True
    """Leave out, while training, what nobody reads: of all segments but the last, only the memory rows of
    the last layer go anywhere, unless all segments are pooled. The same function with about 1/layers less
    work. In evaluation the published program runs row by row, so that its cost is that of the
    architecture. RECOMMENDED."""

    embedding_start: str = "normal"
    """Where the embedding table starts: "normal", independent rows; "ordinal", smooth in the token id, for
    tokens that are grey values. Both learned from there on. RECOMMENDED."""

    calcium_floor: float = 1e-6
    """ε added to C = φ(Q)gᵀ before the division. RECOMMENDED."""

    def __post_init__(self) -> None:
        for name, least in _COUNTS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise _bad(name, value, f"a whole number of at least {least}")
        for name in _POSITIVE:
            value = getattr(self, name)
            if not _is_number(value) or value <= 0:
                raise _bad(name, value, "a positive finite number")
        if not _is_number(self.dropout) or not 0 <= self.dropout < 1:
            raise _bad("dropout", self.dropout, "0 <= dropout < 1")
        for name in _SWITCHES:
            if not isinstance(getattr(self, name), bool):
                raise _bad(name, getattr(self, name), "true or false")
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value not in choices:
                raise InputError(
                    f"unknown {name}",
                    where=f"model.{name}",
                    value=value,
                    allowed=", ".join(choices),
                    nearest=nearest_name(str(value), choices),
                )
        if self.d_model % self.heads:
            raise InputError(
                "heads must divide d_model",
                where="model.heads",
                value=self.heads,
                allowed=f"a divisor of d_model = {self.d_model}",
            )
        if self.memory_tokens == 0 and (self.segments > 1 or self.pooling == "memory_mean"):
            raise InputError(
                "a model without memory tokens has one segment and no memory to read",
                where="model.memory_tokens",
                value=f"0 with {self.segments} segments and pooling {self.pooling}",
                allowed="0 with one segment and pooling over tokens, else at least 1",
            )

    @property
    def head_width(self) -> int:
        """Width m of a head, which is also the scaling constant in 1/m."""
        return self.d_model // self.heads

    @property
    def prefix(self) -> int:
        """Rows in front of the tokens of a segment: memory, and the row that "cls" reads."""
        return self.memory_tokens + (self.pooling == "cls")

    @property
    def rows(self) -> int:
        """Rows N that one segment carries through the blocks; without "cls" N_seg + M."""
        return self.segment_length + self.prefix

    @property
    def streams(self) -> int:
        """Sequences that one example is read as: 2 with a dual encoder, else 1."""
        return 2 if self.documents == "dual_encoder" else 1

    @property
    def stream_length(self) -> int:
        """Tokens of one stream, T · N_seg."""
        return self.segments * self.segment_length

    @property
    def sequence_length(self) -> int:
        """Tokens of a padded example, T · N_seg in each stream."""
        return self.streams * self.stream_length

    def with_segments(self, segments: int) -> RMAATConfig:
        """Return the same architecture for sequences of ``segments`` segments."""
        return replace(self, segments=segments)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON or YAML."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, where: str = "model") -> RMAATConfig:
        """Build a configuration from plain values, for instance those of a YAML file.

        Args:
            mapping: field name -> value; ``vocabulary`` and ``classes`` are required.
            where: what to call the source in an error, for instance the file's name.

        Raises:
            InputError: a key that is no field (with the nearest one), a missing one, a bad value.
        """
        known = [field.name for field in fields(cls)]
        for name in mapping:
            if name not in known:
                raise InputError(
                    "unknown key",
                    where=where,
                    value=name,
                    allowed=", ".join(known),
                    nearest=nearest_name(str(name), known),
                )
        missing = [name for name in ("vocabulary", "classes") if name not in mapping]
        if missing:
            raise InputError("missing key " + " and ".join(missing), where=where)
        return cls(**mapping)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bad(name: str, value: object, allowed: str) -> InputError:
    return InputError(f"bad value of {name}", where=f"model.{name}", value=value, allowed=allowed)
