"""The table of a validation that tells what outputs are worth: bits, signal over noise, IR drop."""

from __future__ import annotations

from collections.abc import Sequence

from rmaat_hw.report.numbers import DASH, percent
from rmaat_hw.report.tables import Document, Table

_IR_DROPS = ("ir_drop_mean", "ir_drop_worst")


def precision(document: Document) -> Table:
    """One line a chip: bits, signal over noise and IR drop at its operating point of median SNR."""
    points: dict[str, list[Document]] = {}
    for found in document["precision"]:
        points.setdefault(found["case"], []).append(found)
    bits = ("adc_bits_used", "adc_bits_required", "adc_bits_needed")
    lines = [
        (
            found["case"],
            found["point"],
            *(DASH if found[name] is None else f"{found[name]:g}" for name in bits),
            DASH if found["snr_dB"] is None else f"{found['snr_dB']:.1f}",
            *(DASH if found[name] is None else percent(found[name]) for name in _IR_DROPS),
            "infeasible" if found["ir_drop_infeasible"] else "flagged" if found["ir_drop_flagged"] else "",
        )
        for found in map(_typical, points.values())
    ]
    return Table(
        "Precision",
        ("case", "at", "bits used", "lossless", "needed", "SNR, dB", "IR drop", "worst", ""),
        tuple(lines),
        (
            "At the operating point of median SNR. Bits of the converter, or kept of a digital sum; beyond "
            "those needed quantisation is 6 dB below all other noise. SNR of an output at the activity of "
            "the case, with a converter that spans all values of a sum and the usual spread of cells; "
            f"{DASH}: exact, or data that do not vary. IR drop: current lost in the mean and worst column, "
            "flagged above 10 %, infeasible above 20 %.",
        ),
        frozenset(range(2, 8)),
    )


def _typical(points: Sequence[Document]) -> Document:
    """The point of median SNR, the first one where none has an SNR."""
    noisy = sorted((point for point in points if point["snr_dB"] is not None), key=lambda p: p["snr_dB"])
    return noisy[(len(noisy) - 1) // 2] if noisy else points[0]
