"""Output quality of macros: by hand, what must change it, and against macros drawn cell by cell."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from macro_cases import KINDS, configurations, macro, nominal, priced, public_questions
from tolerance import close

from cost_models.circuits.technology import Technology
from cost_models.constants import BOLTZMANN
from cost_models.macros.cells import cell_area, sum_line
from cost_models.macros.parameters import parameters_of
from cost_models.macros.predict import _uncertain
from cost_models.macros.quality import discharge_sigma, macro_quality, quality_of
from device_params.nodes import technology_at

#: Trials of a simulation: a standard deviation is known to 1/√(2·4000) = 1.1 %.
TRIALS = 4000


def quality(
    configuration: Mapping[str, Any], activity: Mapping[str, float] | None = None, **changes: Any
) -> dict[str, Any]:
    """Quality at nominal parameters; ``changes`` as in `macro_cases.priced`."""
    values = nominal(configuration) | {name.replace("__", "."): value for name, value in changes.items()}
    return macro_quality(macro(configuration), activity or {}, values)


BINARY = KINDS["charge"] | {"input_bits": 1.0, "weight_bits": 1.0}


# -- by hand ---------------------------------------------------------------------------------------


def test_a_coarse_converter_by_hand() -> None:
    # 64 products of bits of density ½ are whole numbers 0 … 64: 7 bits; with 4, steps of 8 whole numbers of
    # variance (8² − 1)/12 = 5.25; signal 64·¼·¾ = 12: 12/5.25 = 2.286 = 3.59 dB. The noise of the capacitors,
    # below a tenth of a number, is rounded away where steps are whole numbers.
    found = quality(BINARY | {"adc.bits": 4.0})
    assert (found["adc_bits_used"], found["adc_bits_required"]) == (4, 7)
    assert found["noise_quantisation"] == close(5.25**0.5)
    assert found["snr_dB"] == close(10 * math.log10(12 / 5.25))
    assert quality(BINARY | {"adc.bits": 7.0})["snr_dB"] == math.inf


def test_capacitor_mismatch_by_hand() -> None:
    # c = 0.72 fF: a spread of √(0.72/0.72) = 100 %, so that nothing of it is rounded away
    keys = BINARY | {"unit_capacitance": 0.72e-15, "adc.bits": 4.0}
    found = quality(keys, sampling__mismatch_capacitance=0.72e-15)
    p = nominal(keys)
    technology = Technology.of(p)
    line = sum_line(macro(keys), technology, p, cell_area(macro(keys), technology, p)).capacitance
    lost = line / (64 * 0.72e-15 + line)
    # variance of the products 12, mean 64·¼ = 16: √(12·63/64 + (lost·16)²/64) whole numbers
    assert found["noise_mismatch"] == close((12 * 63 / 64 + (lost * 16) ** 2 / 64) ** 0.5, rel=1e-3)


def test_spread_of_a_read_transistor_by_hand() -> None:
    p = nominal(KINDS["discharge"])
    technology = Technology.of(p)
    # gate of 2.5·28 nm by 28 nm: √ = 44.3 nm; 2 mV·um over it is 45.2 mV
    sigma = p["technology.threshold_mismatch"] / math.sqrt(2.5 * 28e-9 * 28e-9)
    assert sigma == close(0.0452, rel=2e-3)
    alpha, threshold = technology.velocity_saturation_exponent, technology.threshold_voltage
    # far above the threshold the overdrive is V − V_t; far below it is 2nφ = 72.4 mV
    assert discharge_sigma(technology, threshold + 1.0, p) == close(alpha * sigma, rel=1e-4)
    assert discharge_sigma(technology, threshold - 1.0, p) == close(alpha * sigma / 0.07238, rel=1e-4)
    low = KINDS["discharge"] | {"word_line_voltage": 0.6}
    assert quality(low)["noise_variation"] > quality(KINDS["discharge"])["noise_variation"]


def test_a_digital_macro_is_exact_until_it_drops_bits() -> None:
    # 64 products of 4 x 4 bits: 64·15·15 = 14400 < 2^14; dropping 6 bits leaves steps of 64 whole numbers
    exact = quality(KINDS["tree"])
    assert (exact["snr_dB"], exact["noise_total"]) == (math.inf, 0.0)
    assert [exact[f"adc_bits_{name}"] for name in ("used", "required", "needed")] == [14, 14, 14]
    cut = quality(KINDS["tree"] | {"output_bits": 8.0})
    assert cut["noise_total"] == close(((64**2 - 1) / 12) ** 0.5)
    assert (cut["adc_bits_used"], cut["adc_bits_required"]) == (8, 14)
    assert quality_of(KINDS["tree"], {})["snr_dB"] is None


def test_a_flash_converter_errs_by_the_spread_of_its_comparators() -> None:
    # four spreads in a step: 64 products of 15 by 15 are 14 bits, with 4 bits steps of 1024
    keys = KINDS["pulse count"] | {"weight_combination": "analog"}
    found = quality(keys)
    assert found["adc_bits_required"] == 14
    assert found["noise_comparator"] == close(1024 / 4)
    # they are made to fit the converter, so that they do not tell how many bits are enough
    assert quality(keys, comparator__offset_sigmas=1.0)["adc_bits_needed"] == found["adc_bits_needed"]
    assert "noise_comparator" not in quality(KINDS["discharge"])


def test_data_that_do_not_vary_say_nothing() -> None:
    for activity in ({"input_density": 0.0}, {"input_density": 1.0, "weight_density": 1.0}):
        assert quality(KINDS["discharge"], activity)["snr_dB"] == -math.inf
        assert quality_of(KINDS["discharge"], activity)["snr_dB"] is None
    pairs = KINDS["discharge"] | {"differential": True}
    assert math.isfinite(quality(pairs, {"input_density": 1.0, "weight_density": 1.0})["snr_dB"])


# -- trends ----------------------------------------------------------------------------------------


def test_a_bit_is_worth_six_decibels_until_cells_limit() -> None:
    keys = KINDS["conduction"] | {"rows": 512.0}
    found = {
        bits: quality(
            keys | {"adc.bits": bits}, macro__current_sigma__rram=0.2, technology__wire_resistance=1.0
        )
        for bits in (4.0, 5.0, 9.0, 10.0)
    }
    snr = {bits: one["snr_dB"] for bits, one in found.items()}
    assert 5.0 < snr[5.0] - snr[4.0] < 6.1
    assert 0.0 <= snr[10.0] - snr[9.0] < 0.5
    assert found[10.0]["adc_bits_needed"] <= 8 < found[10.0]["adc_bits_required"] == 10


def test_more_rows_need_more_bits() -> None:
    bits = [quality(BINARY | {"rows": rows})["adc_bits_required"] for rows in (16.0, 64.0, 256.0)]
    assert bits == [5, 7, 9]
    # rows that take their turn do not
    assert quality(BINARY | {"rows_active": 16.0})["adc_bits_required"] == 5


def test_larger_capacitors_are_quieter() -> None:
    keys = KINDS["ladder"] | {"adc.bits": 8.0}
    snr = [quality(keys | {"unit_capacitance": c})["snr_dB"] for c in (0.1e-15, 1e-15, 10e-15)]
    assert snr[0] < snr[1] < snr[2]
    noise = [quality(keys | {"unit_capacitance": c}) for c in (1e-15, 4e-15)]
    assert noise[0]["noise_mismatch"] > 1.9 * noise[1]["noise_mismatch"]


def test_more_spread_is_noisier_and_a_device_brings_its_own() -> None:
    keys = KINDS["conduction"]
    snr = [quality(keys, macro__current_sigma__rram=sigma)["snr_dB"] for sigma in (0.02, 0.1, 0.5)]
    assert snr[0] > snr[1] > snr[2]
    device = keys | {"device": "rram_1t1r_neurram_130nm"}
    found = quality(device, device__on_current_sigma=0.1)
    assert found["noise_variation"] == close(
        2 * quality(device, device__on_current_sigma=0.05)["noise_variation"]
    )
    assert quality(device, macro__current_sigma__rram=0.5) == quality(device)


def test_weights_joined_before_conversion_carry_the_spread_of_all_columns() -> None:
    # slices count 1, 2, 4, 8: √85 times the spread of one column, and one quantisation
    one = KINDS["conduction"] | {"input_bits": 1.0, "weight_bits": 1.0}
    joined = one | {"weight_bits": 4.0, "weight_combination": "analog"}
    assert quality(joined)["noise_variation"] == close(85**0.5 * quality(one)["noise_variation"], rel=2e-2)
    assert quality(joined)["adc_bits_required"] == 10  # 64·15 + 1
    assert quality(one)["adc_bits_required"] == 7


def test_a_pair_cancels_off_currents_and_doubles_the_range() -> None:
    keys = KINDS["conduction"] | {"input_bits": 1.0, "weight_bits": 2.0, "off_resistance": 3e4}
    pair = quality(keys | {"differential": True, "cells_per_weight": 2.0})
    assert pair["noise_off_current"] == 0.0 < quality(keys)["noise_off_current"]
    assert pair["adc_bits_required"] == 8  # -64 … 64


def test_ir_drop_is_told_where_cells_conduct() -> None:
    found = quality(KINDS["conduction"])
    assert 0.0 < found["ir_drop_mean"] < found["ir_drop_worst"]
    longer = quality(KINDS["conduction"] | {"rows": 512.0})
    assert longer["ir_drop_worst"] > 5 * found["ir_drop_worst"]
    assert (longer["ir_drop_flagged"], longer["ir_drop_infeasible"]) == (1.0, 1.0)
    # fewer rows at once load the line less, and inputs on source lines lose along these as well
    assert quality(KINDS["conduction"] | {"rows_active": 8.0})["ir_drop_mean"] < found["ir_drop_mean"]
    crossed = quality(KINDS["conduction"] | {"inputs_on": "source_line", "cols": 512.0})
    assert crossed["ir_drop_mean"] > found["ir_drop_mean"]
    for kind in ("discharge", "charge", "tree"):
        assert not any(name.startswith("ir_drop") for name in quality(KINDS[kind]))


# -- no cost, no gaps ------------------------------------------------------------------------------


def test_quality_costs_nothing() -> None:
    """Neither cost nor its interval knows of the spread of cells: it is not drawn."""
    for kind, memory in (("conduction", "rram"), ("oscillator", "pcm")):
        before = priced(KINDS[kind])
        after = priced(KINDS[kind], **{f"macro__current_sigma__{memory}": 1.0})
        assert dataclasses.asdict(before) == dataclasses.asdict(after)
    drawn = _uncertain(parameters_of(macro(KINDS["conduction"]), technology_at(28e-9)))
    assert {q.distribution for name, q in drawn.items() if "current_sigma" in name} == {"fixed"}


@pytest.mark.parametrize("name", sorted(public_questions()))
def test_public_cases_have_numbers(name: str) -> None:
    question = public_questions()[name]
    found = quality(question.configuration, question.activity)
    assert not any(np.isnan(value) for value in found.values())
    assert found["adc_bits_needed"] <= found["adc_bits_required"]


@given(configurations())
@settings(max_examples=60, deadline=None)
def test_any_macro_has_numbers_and_less_of_them_with_more_spread(configuration: dict[str, Any]) -> None:
    found = quality(configuration)
    assert not any(np.isnan(value) for value in found.values())
    worse = quality(
        configuration,
        technology__threshold_mismatch=1e-8,
        sampling__mismatch_capacitance=1e-17,
        **{f"macro__current_sigma__{memory}": 1.0 for memory in ("rram", "pcm", "mram")},
    )
    assert worse["snr_dB"] <= found["snr_dB"]


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("conduction", "macro.current_sigma.rram"),
        ("oscillator", "macro.pcm.on_resistance"),
        ("discharge", "technology.threshold_mismatch"),
        ("charge", "sampling.mismatch_capacitance"),
        ("ladder", "macro.unit_capacitance"),
    ],
)
def test_float_equals_numpy_equals_torch(kind: str, name: str) -> None:
    p, found = nominal(KINDS[kind]), macro(KINDS[kind])
    scales = (1.0, 30.0, 3000.0)
    one = [macro_quality(found, {}, p | {name: scale * p[name]}) for scale in scales]
    many = macro_quality(found, {}, p | {name: p[name] * np.array(scales)})
    tensors = macro_quality(found, {}, p | {name: p[name] * torch.tensor(scales, dtype=torch.float64)})
    assert len({float(value["snr_dB"]) for value in one}) == 3
    for key in one[0]:
        expected = [float(value[key]) for value in one]
        for points in (many[key], tensors[key]):
            assert np.broadcast_to(np.asarray(points), (3,)) == close(np.array(expected), rel=1e-9)


# -- against macros drawn cell by cell -------------------------------------------------------------


def draw(rng: np.random.Generator) -> tuple[Any, Any]:
    """Bits of 4-bit inputs and weights of density ½, [trials, 64 rows, 4]."""
    shape = (TRIALS, 64, 4)
    return 1.0 * (rng.random(shape) < 0.5), 1.0 * (rng.random(shape) < 0.5)


#: Places of the bits of a two's-complement input, and of a weight.
PLANES, SLICES = np.array([1.0, 2.0, 4.0, -8.0]), np.array([1.0, 2.0, 4.0, 8.0])


def convert(sums: Any) -> Any:
    """A converter of six bits for 0 … 127: pairs of whole numbers."""
    return 2.0 * np.clip(np.floor((sums + 0.5) / 2.0), 0, 63) + 0.5


def compare(found: dict[str, Any], outputs: Any, ideal: Any) -> None:
    error = outputs - ideal
    assert found["noise_total"] == close(float(error.std()), rel=0.1)
    assert 10 ** (found["snr_dB"] / 20) == close(float(ideal.std() / error.std()), rel=0.1)


def test_a_conducting_macro_drawn_cell_by_cell() -> None:
    rng = np.random.default_rng(1)
    x, w = draw(rng)
    keys = KINDS["conduction"] | {"on_resistance": 1e4, "off_resistance": 1e5}
    found = quality(keys, macro__current_sigma__rram=0.1, technology__wire_resistance=1.0)
    # steps are the difference of the currents, of which the off current is a ninth
    currents = w * (1.0 + 0.1 * rng.normal(size=w.shape))
    outputs = np.zeros(TRIALS)
    for plane, place in enumerate(PLANES):
        rows = x[:, :, plane, None]
        sums = (rows * (currents + 1.0 / 9.0)).sum(axis=1) - 64 * 0.5 / 9.0
        outputs += place * (convert(sums) @ SLICES)
    compare(found, outputs, ((x @ PLANES) * (w @ SLICES)).sum(axis=1))


def test_a_charge_macro_drawn_cell_by_cell() -> None:
    rng = np.random.default_rng(2)
    x, w = draw(rng)
    keys = KINDS["charge"] | {"unit_capacitance": 1e-15}
    p = nominal(keys)
    spread = 0.3  # of a capacitor, so that its noise is not rounded away
    found = quality(keys, sampling__mismatch_capacitance=spread**2 * 1e-15)
    technology = Technology.of(p)
    line = float(sum_line(macro(keys), technology, p, cell_area(macro(keys), technology, p)).capacitance)
    plates = 1e-15 * np.clip(1.0 + spread * rng.normal(size=w.shape), 0.05, None)
    step = 0.9 * 1e-15 / (64e-15 + line)
    outputs = np.zeros(TRIALS)
    for plane, place in enumerate(PLANES):
        charge = 0.9 * (x[:, :, plane, None] * w * plates).sum(axis=1)
        volts = charge / (plates.sum(axis=1) + line)
        volts += (BOLTZMANN * 300.0 / (64e-15 + line)) ** 0.5 * rng.normal(size=volts.shape)
        outputs += place * (convert(volts / step) @ SLICES)
    compare(found, outputs, ((x @ PLANES) * (w @ SLICES)).sum(axis=1))
