"""What the parts of a case file can only be wrong in together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from device_params.chip_vocabulary import CONFIGURATION, REQUIRED, SettingValue
from device_params.chips import MetricRequest, OperatingPoint
from device_params.file_format import Problems


def check_points(
    points: Sequence[OperatingPoint], reference: str, mistaken: Collection[str], problems: Problems
) -> None:
    """Tell what points, or figures and their configuration, are wrong in together.

    ``mistaken``: keys of configurations that are given with a mistake, which was told; they are not missing.
    """
    names: set[str] = set()
    missing: dict[str, str] = {}
    for point in points:
        where = f"operating point {point.name!r}"
        if point.name in names:
            problems.add("an operating point of this name stands above", where)
        names.add(point.name)
        asked: set[MetricRequest] = set()
        for figure in point.published:
            if figure.request in asked:
                problems.add("the metric is given twice", where, value=figure.metric)
            asked.add(figure.request)
        if reference:
            continue
        for name in REQUIRED:
            if name not in point.configuration and name not in mistaken:
                missing.setdefault(name, point.name)
        _check_blindness(point, where, problems)
        _check_sense(point.configuration, where, problems)
    for name, first in missing.items():
        meaning = CONFIGURATION[name].meaning
        problems.add("missing key", f"configuration.{name}", remedy=f"{meaning}; needed at {first!r}")


def _check_blindness(point: OperatingPoint, where: str, problems: Problems) -> None:
    """A published time stands only where nothing is predicted; a clock must not be the time that is asked."""
    predicted = [figure.metric for figure in point.published if figure.type == "prediction"]
    if "mvm_time" in point.configuration and predicted:
        problems.add(
            "a published time beside a prediction",
            f"{where}: configuration.mvm_time",
            value=", ".join(predicted),
            remedy="give these figures an operating point without it, or the type closure",
        )
    if "clock" in point.configuration and "cycle_time" in predicted:
        problems.add(
            "the clock is the cycle time that is to be predicted",
            f"{where}: configuration.clock",
            remedy="leave it out there",
        )


def _check_sense(configuration: Mapping[str, SettingValue], where: str, problems: Problems) -> None:
    """Keys that contradict each other."""
    if {"adc.columns", "adc.count"} <= configuration.keys():
        problems.add("adc.columns and adc.count exclude each other", where)
    for small, large in (
        ("rows_active", "rows"),
        ("cells_per_weight", "cols"),
        ("input_bits_per_cycle", "input_bits"),
        ("on_resistance", "off_resistance"),
        ("adc.columns", "cols"),
    ):
        low, high = configuration.get(small), configuration.get(large)
        if isinstance(low, float) and isinstance(high, float) and low > high:
            problems.add(
                f"more than {large}", f"{where}: configuration.{small}", value=low, allowed=f"{high:g}"
            )
