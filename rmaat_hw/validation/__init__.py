"""Circuits, arrays and chips held against published silicon: ``rmaat-hw validate``."""

from __future__ import annotations

from rmaat_hw.validation.result import Validation
from rmaat_hw.validation.rows import Row
from rmaat_hw.validation.run import validate

__all__ = ["Row", "Validation", "validate"]
