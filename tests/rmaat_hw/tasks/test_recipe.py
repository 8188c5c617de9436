"""Recipes: what is refused, the schedule, and plain values and back."""

from __future__ import annotations

from typing import Any

import pytest

from device_params.errors import InputError
from rmaat_hw.tasks import Recipe


def test_schedule_by_hand() -> None:
    recipe = Recipe(steps=110, warmup_steps=10, learning_rate=1.0)
    assert recipe.learning_rate_at(0) == pytest.approx(0.1)  # 1 of 10 warm-up steps
    assert recipe.learning_rate_at(9) == pytest.approx(1.0)
    assert recipe.learning_rate_at(10) == pytest.approx(1.0)  # cos 0
    assert recipe.learning_rate_at(60) == pytest.approx(0.5)  # half way: cos 90 degrees
    assert recipe.learning_rate_at(110) == pytest.approx(0.0, abs=1e-12)
    rates = [recipe.learning_rate_at(step) for step in range(10, 110)]
    assert rates == sorted(rates, reverse=True)
    assert Recipe(warmup_steps=0, learning_rate=0.3).learning_rate_at(0) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("batch", 0, "at least 1"),
        ("batch", True, "at least 1"),
        ("steps", 2.5, "at least 1"),
        ("learning_rate", float("nan"), "positive"),
        ("weight_decay", -0.1, "at least 0"),
        ("clip", float("inf"), "at least 0"),
        ("betas", (0.9, 1.0), "0 <= beta < 1"),
        ("warmup_steps", 5000, "fewer than the 5000 steps"),
        ("schedule", "cosin", "did you mean 'cosine'"),
    ],
)
def test_bad_values_name_field_and_range(field: str, value: Any, told: str) -> None:
    with pytest.raises(InputError, match=told) as caught:
        Recipe(**{field: value})
    assert f"recipe.{field}" in str(caught.value)


def test_plain_values_and_back() -> None:
    recipe = Recipe(batch=8, betas=(0.8, 0.9))
    assert Recipe.from_mapping(recipe.to_dict()) == recipe
    with pytest.raises(InputError, match="did you mean 'batch'"):
        Recipe.from_mapping({"batsh": 3}, where="recipe.yaml")
