"""The report of a validation: the same tables on screen and page, figures, the run folder."""

from __future__ import annotations

import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from rich.console import Console
from synthetic_chips import case, chip, predictor

from rmaat_hw.report import validation_figures, validation_tables
from rmaat_hw.report.figures import to_file
from rmaat_hw.report.validation import render_page, save_validation, show_validation
from rmaat_hw.report.validation_precision import precision
from rmaat_hw.validation import Validation
from rmaat_hw.validation.run import judged

NODES = (7e-9, 14e-9, 22e-9, 28e-9, 40e-9, 65e-9)


def validation(*more: Any) -> Validation:
    known = [chip(f"C{k}", energy=1.0 + 0.5 * k, node=n, voltages=(0.7, 0.9)) for k, n in enumerate(NODES)]
    cases = (*known, chip("R", memory="fecap", style="charge"), *more)
    return judged(cases, cases, source="synthetic cases", predictor=predictor)


@pytest.fixture(name="document", scope="module")
def _document() -> dict[str, Any]:
    return validation().document()


def screen(document: dict[str, Any], width: int = 120) -> str:
    stream = io.StringIO()
    show_validation(Console(file=stream, width=width, highlight=False), document, "runs/x")
    return stream.getvalue()


def test_the_screen_lists_every_case_and_every_target(document: dict[str, Any]) -> None:
    shown = screen(document)
    for found in document["cases"]:
        assert found["name"] in shown
    assert "R: refused 3 of 3: memory: no model of this memory" in shown
    assert shown.count("met") + shown.count("MISSED") + shown.count("no figure") >= len(document["targets"])
    assert "1 MAC = 2 operations" in shown and "report.html" in shown
    assert "includes 0" in shown or "excludes 0" in shown
    assert document["context"][:30] in shown


def test_a_narrow_screen_keeps_every_number(document: dict[str, Any]) -> None:
    narrow = re.sub(r"\s+", " ", screen(document, 60))
    for chip_ in document["chips"]:
        assert f"{chip_['factors']['leave_one_out']:.2f}" in narrow


def test_tables_by_hand(document: dict[str, Any]) -> None:
    """C0 needs what the law says: its efficiency is predicted exactly. V² from 0.7 to 0.9 V: 1.65."""
    row = next(r for r in validation_tables.chips(document).rows if r[0] == "C0")
    assert row[1] == "energy efficiency" and row[5] == "1.00" and row[7:] == ("within", "yes")
    # C5 needs 3.5 times the law: the efficiency is predicted 3.5 times too high.
    row = next(r for r in validation_tables.chips(document).rows if r[0] == "C5")
    assert row[5] == "3.50" and row[7:] == ("OUTSIDE", "no")
    trend = validation_tables.typical_slopes(document).rows[0]
    assert trend == ("C0", "energy over supply voltage", "1", "2.00", "2.00", "1.65", "1.65")


def test_misses_are_those_beyond_their_tolerance(document: dict[str, Any]) -> None:
    expected = [
        chip_["case"]
        for chip_ in document["chips"]
        if chip_["kind"] == "energy" and chip_["factors"]["leave_one_out"] > 1.3
    ]
    assert [row[0] for row in validation_tables.misses(document).rows] == expected
    sides = {row[0]: row[1] for row in validation_tables.misses(document).rows}
    assert "too little energy" in sides["C5"]


def test_the_page_is_alone_and_escapes_what_cases_say() -> None:
    evil = dataclasses.replace(chip("X"), name="<script>alert(1)</script>", notes="a & b <i>")
    page = render_page(validation(evil).document())
    assert "<script>" not in page and "&lt;script&gt;" in page and "a &amp; b &lt;i&gt;" in page
    assert page.count("<svg") == 3
    outside = re.findall(r'(?:src|href)="(?!#)([^"]*)"', page)
    assert [link for link in outside if link.startswith(("http", "//"))] == []
    for anchor in re.findall(r'href="#([^"]+)"', page.split("</nav>")[0]):
        assert f'id="{anchor}"' in page


def test_a_page_of_nothing_but_refusals() -> None:
    refused = [chip("R", memory="fecap", style="charge")]
    document = judged(refused, refused, source="", predictor=predictor).document()
    page = render_page(document)
    assert "Nothing was predicted" in page and "<svg" not in page
    assert "no figure" in screen(document)
    assert [draw(document) for draw in (validation_figures.scatter, validation_figures.trends)] == [
        None,
        None,
    ]


def test_figures_are_the_same_bytes_for_the_same_result(document: dict[str, Any]) -> None:
    for draw in (validation_figures.scatter, validation_figures.errors, validation_figures.trends):
        first, second = draw(document), draw(document)
        assert first is not None and second is not None
        assert to_file(first, "svg") == to_file(second, "svg")


def test_every_chip_has_its_bars(document: dict[str, Any]) -> None:
    figure = validation_figures.errors(document)
    assert figure is not None
    energy = figure.axes[0]
    assert [label.get_text() for label in energy.get_yticklabels()] == [f"C{k}" for k in range(6)]
    assert len(energy.patches) == 18  # left out, uncalibrated, null model
    assert len(figure.axes[1].patches) == 12  # no null model of time


def test_points_are_costs_in_the_scatter(document: dict[str, Any]) -> None:
    """C5 needs 3.5 times the predicted energy: it lies that far below the line of equality."""
    figure = validation_figures.scatter(document)
    assert figure is not None
    below = []
    for line in figure.axes[0].lines:
        x, y = line.get_xdata(), line.get_ydata()
        if len(x) == 1:
            below.append(round(float(x[0]) / float(y[0]), 6))
    assert sorted(set(below)) == [1.0, 1.5, 2.0, 2.5, 3.0, 3.5]


def test_a_run_folder_holds_everything(tmp_path: Path) -> None:
    found = judged(
        [dataclasses.replace(case("A", chip("A").points), path=str(Path(__file__)))],
        [],
        source="",
        predictor=predictor,
    )
    folder = save_validation(found, out=tmp_path / "run", options={"cases": "x"})
    names = {"report.html", "report.json", "figures.csv", "predictions.svg", "errors.svg"}
    assert {path.name for path in folder.iterdir()} == names | {"manifest.json", "inputs"}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["command"], manifest["options"], manifest["seeds"]) == (
        "validate",
        {"cases": "x"},
        {"seed": 0},
    )
    assert [entry["name"] for entry in manifest["inputs"]] == [Path(__file__).name]
    assert json.loads((folder / "report.json").read_text()) == found.document()
    assert len(pd.read_csv(folder / "figures.csv")) == 3


def test_precision_is_told_of_what_was_predicted() -> None:
    """128 products of 8 by 8 bits are 23 bits, exact; 3 to 6 bits for 128 products of one bit are not."""
    analog = {"style": "charge", "input_bits": 1.0, "weight_bits": 1.0}
    points = [
        dataclasses.replace(
            point,
            name=f"{bits:g} bits",
            configuration={**point.configuration, **analog, "adc.bits": bits},
        )
        for bits in (3.0, 6.0, 5.0)
        for point in chip("Q").points
    ]
    document = validation(case("Q", points)).document()
    lines = {row[0]: row[1:] for row in precision(document).rows}
    assert lines["C0"][1:] == ("23", "23", "23", "–", "–", "–", "")
    assert "R" not in lines
    # The median of three; a charge macro has no IR drop.
    assert lines["Q"][:3] == ("5 bits", "5", "8") and lines["Q"][5:] == ("–", "–", "")
    found = [point for point in document["precision"] if point["case"] == "Q"]
    assert [point["point"] for point in found] == ["3 bits", "6 bits", "5 bits"]
    assert found[0]["snr_dB"] < found[2]["snr_dB"] < found[1]["snr_dB"]
    assert set(found[0]) == {
        "case", "point", "adc_bits_used", "adc_bits_required", "adc_bits_needed", "snr_dB",
        "ir_drop_mean", "ir_drop_worst", "ir_drop_flagged", "ir_drop_infeasible",
    }  # fmt: skip
    assert "Precision" in screen(document) and 'id="precision"' in render_page(document)
