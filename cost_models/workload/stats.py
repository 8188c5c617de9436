"""Activity: what the operands of a product look like in bits, measured on real inputs.

Quantisation is symmetric and per tensor. A tensor with a negative value is signed and its scale is
``max|x| / (2**(bits - 1) - 1)``; one without is unsigned and its scale is ``max(x) / (2**bits - 1)``.
Everything else follows from the histogram of the integers, so that is what a measurement gathers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SCHEMA_VERSION = 1


def largest_integer(bits: int, signed: bool) -> int:
    """Largest quantised magnitude: 127 for 8 signed bits, 255 for 8 unsigned ones."""
    return int(2 ** (bits - 1) - 1 if signed else 2**bits - 1)


@dataclass(frozen=True)
class OperandActivity:
    """One operand of one product, over all its repeats and all sequences.

    ``sparsity``: share of exact zeros after quantisation, 0 to 1. ``mean_magnitude``: mean |q| over
    the largest integer, 0 to 1. ``bit_density``: mean of each bit plane, least significant first,
    two's complement where signed. The positive and negative densities, of weights only, are of the
    magnitude bits (``bits - 1`` where signed, ``bits`` where not) of max(w, 0) and max(-w, 0), each
    averaged over *all* weights: what the two columns of a differential pair hold.
    """

    bits: int
    signed: bool
    sparsity: float
    mean_magnitude: float
    bit_density: tuple[float, ...]
    positive_bit_density: tuple[float, ...] = ()
    negative_bit_density: tuple[float, ...] = ()

    @property
    def mean_bit_density(self) -> float:
        """Mean over the bit planes: the share of ones in a bit-serial input."""
        return sum(self.bit_density) / self.bits


@dataclass(frozen=True)
class Activity:
    """Statistics of every product's operands: key (operator id, operand index).

    ``token_rows``, ``real_tokens`` and ``padded_tokens`` are totals over the sequences.
    """

    operands: Mapping[tuple[str, int], OperandActivity]
    sequences: int
    sequences_sha256: str
    description: str
    token_rows: int
    real_tokens: int
    padded_tokens: int

    def to_json(self) -> dict[str, Any]:
        """Plain data for ``json.dump``; ``from_json`` gives back an equal object."""
        document: dict[str, Any] = {"schema_version": SCHEMA_VERSION}
        document.update({key: value for key, value in vars(self).items() if key != "operands"})
        document["operands"] = [
            {"operator": operator, "operand": index, **asdict(activity)}
            for (operator, index), activity in self.operands.items()
        ]
        plain: dict[str, Any] = json.loads(json.dumps(document))
        return plain

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Activity:
        """Rebuild from ``to_json``'s document."""
        operands: dict[tuple[str, int], OperandActivity] = {}
        for row in document["operands"]:
            fields: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in row.items()}
            operator, index = fields.pop("operator"), fields.pop("operand")
            operands[operator, index] = OperandActivity(**fields)
        rest = {k: v for k, v in document.items() if k not in ("operands", "schema_version")}
        return cls(operands=operands, **rest)


def from_histogram(
    *, counts: NDArray[np.int64], bits: int, signed: bool, weight: bool = False
) -> OperandActivity:
    """Statistics of the integers whose histogram is ``counts``.

    ``counts[i]`` is the number of values ``lowest + i``, where ``lowest`` is ``-(2**(bits-1) - 1)``
    for signed and 0 for unsigned integers; its length is therefore 2**bits - 1 or 2**bits.
    """
    top = largest_integer(bits, signed)
    lowest = -top if signed else 0
    expected = top - lowest + 1
    if counts.shape != (expected,):
        raise ValueError(f"histogram has shape {counts.shape}, {bits} bits need ({expected},)")
    values = np.arange(lowest, top + 1, dtype=np.int64)
    total = max(int(counts.sum()), 1)
    magnitude_bits = bits - 1 if signed else bits

    def density(integers: NDArray[np.int64], planes: int) -> tuple[float, ...]:
        return tuple(float(counts[(integers >> plane) & 1 == 1].sum() / total) for plane in range(planes))

    two_complement = values & (2**bits - 1)
    return OperandActivity(
        bits=bits,
        signed=signed,
        sparsity=float(counts[values == 0].sum() / total),
        mean_magnitude=float((counts * np.abs(values)).sum() / total / top),
        bit_density=density(two_complement, bits),
        positive_bit_density=density(np.maximum(values, 0), magnitude_bits) if weight else (),
        negative_bit_density=density(np.maximum(-values, 0), magnitude_bits) if weight else (),
    )


def as_signed(*, counts: NDArray[np.int64], bits: int) -> NDArray[np.int64]:
    """Requantise an unsigned histogram to signed integers of the same number of bits.

    For an operand that is negative in some executions only: its unsigned executions join the others.
    """
    top = largest_integer(bits, True)
    integers = np.rint(np.arange(2**bits) * (top / largest_integer(bits, False))).astype(np.int64)
    signed: NDArray[np.int64] = np.zeros(2 * top + 1, dtype=np.int64)
    np.add.at(signed, integers + top, counts)
    return signed
