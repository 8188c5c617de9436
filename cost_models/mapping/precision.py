"""Precision at which a program is mapped."""

from __future__ import annotations

import re
from dataclasses import dataclass

from device_params.errors import InputError


@dataclass(frozen=True)
class Precision:
    """Bits of weights and of activations (inputs of arrays, traffic of buffers)."""

    weight_bits: int = 8
    input_bits: int = 8

    @classmethod
    def parse(cls, text: str) -> Precision:
        """Read ``w8a8``: 2 to 16 bits each."""
        match = re.fullmatch(r"w(\d+)a(\d+)", text.strip().lower())
        if match is None:
            raise InputError(
                "not a precision",
                where="--precision",
                value=text,
                allowed="w<weight bits>a<activation bits>",
                remedy="write for example w8a8",
            )
        weight_bits, input_bits = (int(group) for group in match.groups())
        for bits, what in ((weight_bits, "weight bits"), (input_bits, "activation bits")):
            if not 2 <= bits <= 16:
                raise InputError(
                    f"{what} out of range", where="--precision", value=text, allowed="2 to 16 bits"
                )
        return cls(weight_bits, input_bits)

    def __str__(self) -> str:
        return f"w{self.weight_bits}a{self.input_bits}"
