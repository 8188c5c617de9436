"""Ferroelectric field-effect transistor in series with a resistor (1F1R)."""

from __future__ import annotations

from cost_models.namespace import Array


def gate_write_energy(*, density: Array, gate_area: Array) -> Array:
    """Energy of one program or erase pulse on a ferroelectric gate [J].

    ``density`` [J/m²] covers both ΔP·V and C·V² an area of gate (``gate_area`` [m²]). At 4 V and
    0.01 µm² it is 7 fJ for the polarisation that the gate loop really switches across the interlayer,
    and 25 fJ if interface charge screened all of 2·Pr (an upper bound).
    """
    return density * gate_area
