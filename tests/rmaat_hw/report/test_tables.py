"""Tables say what the document says, and cope with what is not there."""

from __future__ import annotations

import math
from typing import Any

import pytest
from estimate_sample import sample_document, sample_graph

from rmaat_hw.report import evidence, listings, tables


@pytest.fixture(name="document")
def _document() -> dict[str, Any]:
    return sample_document()


def cells(table: tables.Table) -> str:
    return "\n".join(" | ".join(row) for row in table.rows)


def test_classes_follow_the_roles_of_the_two_sides() -> None:
    classes = tables.operator_classes(sample_graph())
    found = {
        name.rpartition("attention.")[2]: value for name, value in classes.items() if "attention" in name
    }
    assert found["query.mm"] == "weight × activation"
    assert found["bmm"] == "activation × activation"
    assert found["bmm_2"] == "state × activation"
    assert found["elu"] == "element-wise"


def test_sums_by_component_and_by_class_are_the_totals(document: dict[str, Any]) -> None:
    classes = tables.operator_classes(sample_graph())
    for measure, total in (("energy_J", "energy_J"), ("latency_s", "latency_s"), ("area_m2", "area_m2")):
        expected = document["totals"][total]["value"]
        for by in (None, classes):
            assert math.isclose(sum(tables.sums(document["breakdown"], measure, by).values()), expected)


def test_totals_name_precision_operations_and_boundary(document: dict[str, Any]) -> None:
    table = tables.totals(document)
    text = cells(table) + "\n".join(table.notes)
    for words in (
        "energy per sequence",
        "per real token",
        "padded work",
        "w8a8, 1 MAC = 2 operations",
        "no wear",
    ):
        assert words in text
    assert "Boundary: chip" in text
    assert "programming, once" in text


def test_programming_names_its_largest_leaf_and_tells_them_all(document: dict[str, Any]) -> None:
    # 1.9 of 3.1 µJ
    assert "60,096,624 cells, high-voltage drivers 61.3 %" in cells(tables.totals(document))
    table = tables.programming(document)
    assert [row[0] for row in table.rows] == [
        "program pulses on cells",
        "high-voltage drivers",
        "wait before a read",
        "total",
    ]
    assert table.rows[0][1:] == ("1.20 µJ", "38.7 %", "0.660 to 2.16 µJ", "8.00 ms")
    assert table.rows[2][1:] == ("–", "–", "", "4.00 ms")
    assert table.rows[3][1:3] == ("3.10 µJ", "100 %")
    del document["programming"]["breakdown"]  # of a run that was written before
    assert tables.programming(document).rows == ()
    assert "60,096,624 cells" in cells(tables.totals(document))


def test_totals_of_a_batch_show_both_energies(document: dict[str, Any]) -> None:
    document["model"]["batch"] = 4
    text = cells(tables.totals(document))
    assert "energy per sequence" in text
    assert "energy per batch of 4" in text
    assert "latency per batch of 4" in text


def test_totals_without_tokens_padding_or_programming(document: dict[str, Any]) -> None:
    document |= {"per_real_token": None, "padding": None, "programming": None}
    text = cells(tables.totals(document))
    assert "real token" not in text
    assert "padded" not in text


def test_a_lifetime_is_shown_in_human_units(document: dict[str, Any]) -> None:
    document["totals"]["lifetime_s"] = {"value": 7200.0, "low": 60.0, "high": 86400.0}
    assert "lifetime | 2.0 hours | 1.0 minutes to 1.0 days" in cells(tables.totals(document))


def test_precision_shows_bits_noise_and_effective_bits(document: dict[str, Any]) -> None:
    bits, noise = evidence.precision_lines(document)
    assert bits == "ADC bits: 9 required for lossless sums, 8 used (partial sums are rounded)"
    assert noise.endswith("0.68 steps of one cell (quantisation 0.29, variation 0.61), 7.9 effective bits")
    document["precision"] = {}
    assert evidence.precision_lines(document) == []


def test_dram_is_told_with_its_reason(document: dict[str, Any]) -> None:
    assert evidence.dram_line(document) == ["DRAM: 0 B per pass; weights and activations fit on the chip"]


def test_conservation_says_equal_only_where_it_is(document: dict[str, Any]) -> None:
    assert "= mapped = counted by torch.utils.flop_counter" in evidence.conservation_lines(document)[0]
    document["conservation"]["macs_mapped"] -= 1
    assert "≠" in evidence.conservation_lines(document)[0]
    document["conservation"] |= {"macs_independent": None, "reason": "no formula for cdist"}
    assert "no independent count (no formula for cdist)" in evidence.conservation_lines(document)[0]


def test_coverage_names_what_is_missing_with_its_share(document: dict[str, Any]) -> None:
    document["coverage"] = {
        "unruled": [{"operator": "a.fft_r2c", "op": "aten._fft_r2c", "shape": [[4]], "bytes": 16}],
        "share_bytes": 0.25,
        "share_operators": 0.5,
    }
    line = evidence.conservation_lines(document)[1]
    assert (
        "INCOMPLETE, 1 operators without a rule (aten._fft_r2c): 50.0 % of operators, 25.0 % of bytes" in line
    )


def test_measured_stands_beside_modelled_without_a_ratio(document: dict[str, Any]) -> None:
    table = evidence.measured_beside_modelled(document)
    text = cells(table)
    brief = cells(evidence.measured_beside_modelled(document, brief=True))
    assert brief != text
    assert "not measured: no energy counter\n" in brief
    assert "p50 351 ms, p95 360 ms of 9 calls" in text
    assert "not measured: no energy counter" in text
    assert "not divided" in table.notes[0]
    document |= {"measured": None, "measured_reason": "--no-measure"}
    assert evidence.measured_beside_modelled(document).notes == ("Not measured: --no-measure.",)


def test_measured_energy_is_shown_where_there_is_one(document: dict[str, Any]) -> None:
    document["measured"]["energy"] = {"value": 12.5}
    document["measured"]["device"] = {"type": "cuda", "name": "A card"}
    text = cells(evidence.measured_beside_modelled(document))
    assert "12.5 J" in text
    assert "the host is not in it" in text


def test_measured_operators_keep_the_sum(document: dict[str, Any]) -> None:
    whole = sum(row["self_s"] for row in document["measured"]["kernels"])
    found = evidence.measured_operators(document, most=4)
    assert list(found)[-1] == "7 others"
    assert math.isclose(sum(found.values()), whole)


def test_shares_merge_what_is_beyond_the_rows() -> None:
    table = tables.shares("t", {"adc": 6.0, "cell": 3.0, "wire": 0.5, "dac": 0.5}, "J", most=3)
    assert [row[0] for row in table.rows] == ["ADC", "cells", "2 others"]
    assert table.rows[-1][1:3] == ("1.00 J", "10.0 %")


def test_breakdown_tables_end_in_the_totals(document: dict[str, Any]) -> None:
    by_component = tables.breakdown_by_component(document)
    assert by_component.rows[-1][:3] == ("total", "1.14 mJ", "100 %")
    by_operator = tables.breakdown_by_operator(document, sample_graph())
    operators = {leaf["operator"] for leaf in document["breakdown"]}
    assert {row[0] for row in by_operator.rows} == operators
    assert {row[0] for row in tables.breakdown_by_operator(document, None).rows} == operators


def test_graph_tables_count_everything_once() -> None:
    graph = sample_graph()
    total = listings.graph_by_class(graph).rows[-1]
    assert total[1] == str(len(graph))
    assert total[3] == f"{graph.macs + graph.setup_macs:,}"
    assert listings.loop_lines(graph)[1] == "Loop segment.blocks: layer × 4, recurrent, inside segment"
    by_module = listings.graph_by_module(graph, most=3).rows
    assert sum(int(row[2].replace(",", "")) for row in by_module) == graph.macs + graph.setup_macs


def test_parameters_show_intervals_and_sources(document: dict[str, Any]) -> None:
    text = cells(listings.parameters(document))
    assert "cell.on_current | 1 µA | 0.6 to 1.7 µA | measured | an invented source" in text
    assert "adc.energy | 1.2 pJ | –" in text


def test_precision_shows_signal_over_noise_and_ir_drop(document: dict[str, Any]) -> None:
    drop = {"mean": 0.03, "worst": 0.05, "flagged": False, "infeasible": False}
    document["precision"] |= {"snr_dB": 24.9, "adc_bits_needed": 9, "ir_drop": drop}
    *_, output, ir_drop = evidence.precision_lines(document)
    assert output == "Output: signal 25 dB above noise; beyond 9 ADC bits quantisation no longer limits it"
    assert ir_drop == "IR drop: columns lose 3.0 % of their current on average, the worst 5.0 %"
    drop |= {"worst": 0.15, "flagged": True}
    assert "above 10 %" in evidence.precision_lines(document)[-1]
    drop |= {"worst": 0.25, "infeasible": True}
    assert "not feasible" in evidence.precision_lines(document)[-1]
    document["precision"]["snr_dB"] = None
    assert "rounding removes all noise" in evidence.precision_lines(document)[-2]
