"""RMAATConfig: what it derives, what it refuses and how it says so."""

from __future__ import annotations

import subprocess
import sys

import pytest

from device_params.errors import InputError
from rmaat_hw.model import RMAATConfig


def test_derived_sizes() -> None:
    config = RMAATConfig(
        vocabulary=18, classes=10, d_model=48, heads=3, segment_length=20, segments=5, memory_tokens=4
    )
    assert config.head_width == 16  # 48 / 3
    assert config.rows == 24  # 20 + 4
    assert config.sequence_length == 100  # 5 · 20
    assert config.with_segments(7).sequence_length == 140
    assert config.segments == 5


def test_recommended_values_of_the_specification() -> None:
    config = RMAATConfig(vocabulary=18, classes=10)
    assert (config.memory_tokens, config.alpha, config.positional_scale, config.retention_rate) == (
        16,
        0.25,
        0.1,
        0.2,
    )
    assert not config.output_projection
    assert config.fuse_positional


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("vocabulary", 1),
        ("classes", 0),
        ("d_model", 0),
        ("layers", 2.0),
        ("segments", 0),
        ("segments", True),
        ("segment_length", -1),
        ("memory_tokens", 0),
        ("alpha", 0.0),
        ("alpha", float("nan")),
        ("positional_scale", -0.1),
        ("retention_rate", float("inf")),
        ("dropout", 1.0),
        ("dropout", "half"),
        ("fuse_positional", 1),
    ],
)
def test_bad_value_names_the_field_and_the_range(field: str, value: object) -> None:
    values = {"vocabulary": 18, "classes": 10, field: value}
    with pytest.raises(InputError, match=rf"model\.{field}.*allowed"):
        RMAATConfig.from_mapping(values)


def test_unknown_choice_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'uniform'"):
        RMAATConfig(vocabulary=18, classes=10, retention="unifrom")


def test_heads_must_divide_the_width() -> None:
    with pytest.raises(InputError, match="divisor of d_model = 100"):
        RMAATConfig(vocabulary=18, classes=10, d_model=100, heads=8)


def test_mapping_round_trip_and_its_errors() -> None:
    config = RMAATConfig(vocabulary=18, classes=10, layers=2, retention="uniform")
    assert RMAATConfig.from_mapping(config.to_dict()) == config
    with pytest.raises(InputError, match=r"tiny\.yaml: unknown key.*did you mean 'layers'"):
        RMAATConfig.from_mapping({"vocabulary": 18, "classes": 10, "layer": 2}, where="tiny.yaml")
    with pytest.raises(InputError, match="missing key classes"):
        RMAATConfig.from_mapping({"vocabulary": 18})


def test_configuration_tasks_and_counts_load_without_torch() -> None:
    code = (
        "import sys, rmaat_hw.tasks, rmaat_hw.model as m; "
        "m.macs_by_hand(rmaat_hw.tasks.load_task('listops').config); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
