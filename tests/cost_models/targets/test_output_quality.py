"""What the outputs of the shipped chips are worth: budget by hand, what must change it, and its IR drop."""

from __future__ import annotations

import numpy as np
import pytest
from tolerance import close

from cost_models.arrays.nodal import solve_gated
from cost_models.mapping.precision import Precision
from cost_models.targets.assembly import Parts, assemble
from cost_models.targets.output_quality import output_quality
from device_params.load import load_design

DESIGNS = ("fefet_crossbar_28nm", "rram_crossbar_28nm", "sram_crossbar_28nm")


def parts(design: str, **changes: float) -> Parts:
    loaded = load_design(design)
    values = loaded.parameters.nominal() | {name.replace("__", "."): v for name, v in changes.items()}
    return assemble(values, loaded.families, Precision())


def quality(
    design: str = DESIGNS[0],
    *,
    sigma: float = 0.05,
    density: float = 0.5,
    share: float = 0.25,
    **changes: float,
) -> dict[str, float]:
    found = output_quality(
        parts(design, **changes),
        Precision(),
        supply_voltage=0.9,
        on_current_sigma=sigma,
        input_density=density,
        level_fraction=share,
    )
    return {name: float(value) for name, value in found.items()}


def test_noise_budget_by_hand() -> None:
    found = quality(cell__on_current=80e-9, cell__read_time=10e-9, cell__off_current=0.0)
    # One step 0.8 fC; 128·0.5·3·0.25 = 48 conducting steps: 38.4 fC = 239 674 electrons, √ = 489.6 e
    # = 0.0784 fC = 0.0980 steps
    assert found["noise_shot"] == pytest.approx(0.0980, rel=2e-3)
    # One side of a pair is zero, the other holds bits of density ½: mean square ½·(0 + 1 + 4 + 9)/4 = 1.75;
    # a cell errs alike in all steps in which it conducts
    assert found["noise_variation"] == close(0.05 * (128 * 0.5 * 1.75) ** 0.5)
    # full scale 384·0.8 fC at 0.9 V = 341.3 fF; √(kTC) = √(4.142e-21·341.3e-15) = 37.6 aC = 0.0470 steps
    assert found["noise_thermal"] == pytest.approx(0.0470, rel=5e-3)
    # nearly that of continuous values, 1/√12: the variation of half a step leaves no lattice
    assert found["noise_quantisation"] == pytest.approx(1 / 12**0.5, rel=0.05)
    assert found["noise_leakage_pedestal"] == found["noise_off_current"] == found["noise_clipping"] == 0
    squares = sum(
        found[f"noise_{name}"] ** 2 for name in ("shot", "thermal", "variation", "quantisation", "ir_drop")
    )
    assert found["noise_total"] == close(squares**0.5, rel=1e-9)
    assert found["noise_enob"] == close(float(np.log2(385 / (12 * squares) ** 0.5)), rel=1e-9)


def test_fewer_converter_bits_cost_signal_over_noise() -> None:
    coarse = quality(array__adc_bits=7.0)
    assert coarse["noise_quantisation"] == pytest.approx(4 / 12**0.5, rel=0.01)
    assert coarse["noise_enob"] < quality()["noise_enob"]
    assert coarse["snr_dB"] < quality()["snr_dB"]
    # the spread of cells limits a noisy array: a bit less is enough, and another costs nothing there
    noisy = quality(sigma=0.5)
    assert noisy["adc_bits_needed"] < quality()["adc_bits_needed"] <= 9
    assert quality(sigma=0.5, array__adc_bits=8.0)["snr_dB"] == pytest.approx(noisy["snr_dB"], abs=0.3)


def test_weights_shifted_by_half_of_their_range_by_hand() -> None:
    """Only the converter errs: Δ²/12 of each conversion; 8-bit weights in bits, inputs of density ½."""
    bits = {"cell__bits": 1.0, "cell__off_current": 0.0, "array__adc_bits": 4.0}
    shifted = quality("sram_crossbar_28nm", sigma=0.0, share=0.5, array__offset_column=1.0, **bits)
    # E[X²] = 8 planes, the last negative: ¼·(4⁸ − 1)/3 + (½·(255 − 2·128))² = 5461.5; var W = ¼·(4⁸ − 1)/3
    signal = 128 * 5461.5 * 5461.25
    # planes (4⁸ − 1)/3 = 21 845 by slices 21 845 and the reference 255², steps of 256/2⁴ = 16
    noise = 21845 * (21845 + 255**2) * 16**2 / 12
    assert shifted["snr_dB"] == pytest.approx(10 * np.log10(signal / noise), abs=0.2)


@pytest.mark.parametrize("design", DESIGNS)
def test_facts_are_finite_and_follow_the_device(design: str) -> None:
    found = quality(design)
    assert all(np.isfinite(value) for value in found.values())
    more = quality(design, cell__on_current=2 * float(parts(design).array.cell.on_current))
    assert more["ir_drop_worst"] > found["ir_drop_worst"] > found["ir_drop_mean"] > 0
    assert quality(design, sigma=0.2)["snr_dB"] < found["snr_dB"]


@pytest.mark.parametrize(("density", "share"), [(0.0, 0.3), (0.3, 0.0), (1.0, 1.0)])
def test_extreme_activity_has_finite_facts(density: float, share: float) -> None:
    """Without activity there is no noise that rounding leaves: only the ratio has no number then."""
    found = quality(density=density, share=share)
    assert (found.pop("snr_dB") == np.inf) == (0.0 in (density, share))
    assert all(np.isfinite(value) for value in found.values())


def test_ir_drop_of_a_chips_column_is_that_of_the_exact_solution() -> None:
    """1-bit cells of the SRAM design, half of them on, half of the rows active."""
    array = parts("sram_crossbar_28nm").array
    cell = array.cell
    found = quality("sram_crossbar_28nm", share=0.5)
    rng = np.random.default_rng(0)
    kept = ideal = 0.0
    rows, cols = int(array.rows), int(array.cols)
    for _ in range(6):
        bits = rng.random((rows, cols)) < 0.5
        cells = np.where(bits, cell.on_current, cell.off_current) / float(cell.read_voltage)
        active = rng.random(rows) < 0.5
        segment = float(array.bit_line.pitch * array.bit_line.wire_resistance)
        exact = solve_gated(
            cells,
            active,
            read_voltage=float(cell.read_voltage),
            bit_line_resistance=segment,
            source_line_resistance=segment,
        )
        kept += exact.column_currents.sum()
        ideal += float(cell.read_voltage) * float((active @ cells).sum())
    assert found["ir_drop_mean"] == close(1 - kept / ideal, rel=0.05)
    assert (found["ir_drop_flagged"], found["ir_drop_infeasible"]) == (1, 0)
    assert quality(array__rows=32.0)["ir_drop_flagged"] == 0
