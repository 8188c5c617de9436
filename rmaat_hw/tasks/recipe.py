"""How a task is trained: batch, steps, optimiser and schedule, checked when made."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from device_params.errors import InputError, nearest_name

SCHEDULES = ("cosine",)

_COUNTS: Mapping[str, int] = {"batch": 1, "steps": 1, "warmup_steps": 0, "evaluate_every": 1}


@dataclass(frozen=True)
class Recipe:
    """Training of one task with AdamW; immutable.

    The paper's own recipe is unknown. Batch, steps, warm-up and weight decay of a task follow the base
    models of the Long Range Arena where a preset says so; AdamW with a cosine is RECOMMENDED.

    Raises:
        InputError: a value of the wrong type or outside its range, with the field and the range.
    """

    batch: int = 32
    """Sequences of one optimiser step."""

    steps: int = 5000
    """Optimiser steps."""

    learning_rate: float = 5e-4
    """Learning rate at the end of the warm-up."""

    warmup_steps: int = 1000
    """Steps over which the learning rate rises linearly from 0."""

    weight_decay: float = 0.1
    """Decoupled weight decay of AdamW."""

    betas: tuple[float, float] = (0.9, 0.98)
    """Decay rates of AdamW's two averages; those of the Long Range Arena."""

    clip: float = 1.0
    """Largest norm of the gradient, over all parameters; 0 leaves it as it is."""

    evaluate_every: int = 500
    """Steps between two evaluations on the validation split."""

    schedule: str = "cosine"
    """"cosine": after the warm-up, half a cosine from the learning rate to 0 at the last step."""

    def __post_init__(self) -> None:
        for name, least in _COUNTS.items():
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise _bad(name, value, f"a whole number of at least {least}")
        if not _is_number(self.learning_rate) or self.learning_rate <= 0:
            raise _bad("learning_rate", self.learning_rate, "a positive finite number")
        for name in ("weight_decay", "clip"):
            value = getattr(self, name)
            if not _is_number(value) or value < 0:
                raise _bad(name, value, "a finite number of at least 0")
        pair = self.betas
        if len(pair) != 2 or not all(_is_number(beta) and 0 <= beta < 1 for beta in pair):
            raise _bad("betas", pair, "two numbers, 0 <= beta < 1")
        if self.warmup_steps >= self.steps:
            raise _bad("warmup_steps", self.warmup_steps, f"fewer than the {self.steps} steps")
        if self.schedule not in SCHEDULES:
            raise InputError(
                "unknown schedule",
                where="recipe.schedule",
                value=self.schedule,
                allowed=", ".join(SCHEDULES),
                nearest=nearest_name(str(self.schedule), SCHEDULES),
            )

    def learning_rate_at(self, step: int) -> float:
        """Learning rate of optimiser step ``step``, counted from 0."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / self.warmup_steps
        share = (step - self.warmup_steps) / max(1, self.steps - self.warmup_steps)
        return self.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as plain values, ready for JSON or YAML."""
        return {**asdict(self), "betas": list(self.betas)}

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], *, where: str = "recipe") -> Recipe:
        """Build a recipe from plain values; InputError for a key that is no field or a bad value."""
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
        values = dict(mapping)
        if "betas" in values:
            values["betas"] = tuple(values["betas"])
        return cls(**values)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _bad(name: str, value: object, allowed: str) -> InputError:
    return InputError(f"bad value of {name}", where=f"recipe.{name}", value=value, allowed=allowed)
