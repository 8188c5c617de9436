"""The study's numbers, tables and figure agree with each other and with the factors they show."""

from __future__ import annotations

import io
import json
import math
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.colors import to_hex
from rich.console import Console

from device_params.errors import InputError
from rmaat_hw.model import retention_factors
from rmaat_hw.report import astrocyte
from rmaat_hw.report.astrocyte_figure import LENGTH_COLOURS, draw
from rmaat_hw.report.figures import to_file


@pytest.fixture(name="study", scope="module")
def _study() -> astrocyte.Study:
    return astrocyte.study(16)


def test_the_document_holds_factors_increments_and_marks(study: astrocyte.Study) -> None:
    document = json.loads(json.dumps(astrocyte.document(study), allow_nan=False))
    closed = [row["closed_form"] for row in document["factors"]]
    simulated = [row["simulated"] for row in document["factors"]]
    assert closed == retention_factors(16).tolist()
    assert simulated == retention_factors(16, source="simulated").tolist()
    assert [row["difference"] for row in document["factors"]] == np.subtract(simulated, closed).tolist()
    assert document["capacity"]["simulated"] == pytest.approx(1.0, abs=1e-12)
    assert document["capacity"]["filled"] == pytest.approx(1 - math.exp(-3.2))
    increments = [row["increment"] for row in document["increments"]]
    np.testing.assert_allclose(np.array(increments) / sum(increments), simulated, rtol=1e-12)
    assert document["increments"][0]["ratio"] is None
    assert abs(document["increments"][1]["deviation"]) == pytest.approx(0.0467, abs=1e-4)
    assert max(abs(row["deviation"]) for row in document["increments"][2:]) < 0.02
    assert document["short_term_peaks"]["centre"] == pytest.approx(0.824, abs=5e-4)
    assert {row["mark"] for row in document["constants"]} == {"RECOMMENDED"}
    assert all(row["mark"] and row["source"] for row in document["equations"])


def test_tables_have_a_row_for_each_time_factor_and_cycle(study: astrocyte.Study) -> None:
    dynamics, factors, cycles = (
        astrocyte.dynamics_frame(study),
        astrocyte.factors_frame(study),
        astrocyte.increments_frame(study),
    )
    assert list(dynamics.columns[:4]) == ["time_s", "drive", "x_pre_1", "x_pre_2"]
    assert dynamics.shape == (3001, 2 + 6 + 27)
    ends = dynamics.loc[dynamics["time_s"] % 5 == 0].filter(like="p_long").mean(axis=1)[1:]
    np.testing.assert_allclose(ends, cycles["p_long"][:6], rtol=1e-12)
    assert len(factors) == 3 * (2 + 4 + 8 + 16)
    sums = factors.groupby(["regime", "segments"])[["closed_form", "simulated"]].sum()
    np.testing.assert_allclose(sums.loc[["fixed", "stretch"]], 1.0, rtol=1e-12)
    assert sums.loc[("uniform", 8)].tolist() == [8.0, 8.0]


def test_stretch_sets_the_dynamics_uniform_keeps_the_rate() -> None:
    stretched = astrocyte.study(6, rate=0.3, regime="stretch", cycles=1)
    assert stretched.dynamics.constants.tau_long_s == pytest.approx(12.5)
    np.testing.assert_array_equal(stretched.curves["fixed", 4, "closed_form"], retention_factors(4, rate=0.3))
    uniform = astrocyte.study(3, rate=0.4, regime="uniform", cycles=1)
    assert uniform.dynamics.constants.rate == pytest.approx(0.4)
    assert uniform.simulated.tolist() == [1.0] * 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"segments": 0}, "bad number of segments"),
        ({"segments": 1001}, "1 to 1000"),
        ({"rate": 0.0}, "positive finite"),
        ({"regime": "streched"}, "did you mean 'stretch'"),
        ({"cycles": 0}, "1 to 100"),
        ({"cycles": 101}, "1 to 100"),
    ],
)
def test_bad_values(arguments: dict[str, float | str], told: str) -> None:
    with pytest.raises(InputError, match=told):
        astrocyte.study(**arguments)  # type: ignore[arg-type]


def test_the_figure_draws_what_the_study_found(study: astrocyte.Study) -> None:
    figure = draw(study)
    long, fixed, stretched, uniform = figure.axes[4:8]
    dots = next(line for line in long.lines if line.get_label() == "ends of cycles, mean")
    np.testing.assert_array_equal(dots.get_ydata(), study.dynamics.cycle_ends.mean(axis=(1, 2)))
    level = next(line for line in long.lines if line.get_label() == "where they saturate")
    increments = study.longer.increments
    assert float(np.asarray(level.get_ydata())[0]) == pytest.approx(
        increments[-1] / (1 - math.exp(-0.2)) + increments[:-1].sum()
    )
    for axes, regime in ((fixed, "fixed"), (stretched, "stretch"), (uniform, "uniform")):
        drawn = [line for line in axes.lines if to_hex(line.get_color()) == LENGTH_COLOURS[3]]
        for line, source in zip(drawn, ("closed_form", "simulated"), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), study.curves[regime, 16, source])


def test_the_figure_is_a_file_a_paper_can_take(study: astrocyte.Study) -> None:
    svg = to_file(draw(study), "svg")
    assert svg == to_file(draw(study), "svg")
    root = ElementTree.fromstring(svg)
    assert root.get("width") == "518.4pt"  # 7.2 in
    texts = " ".join("".join(node.itertext()) for node in root.iter() if "text" in node.tag)
    for words in ("time [s]", "short term pˢ", "T = 16", "fixed cycle, r = 0.2", "segment t", "closed form"):
        assert words in texts
    assert "mathdefault" not in texts
    assert to_file(draw(study), "png").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("segments", "rate", "cycles"), [(1, 0.2, 1), (3, 30.0, 2), (60, 1.2, 12), (2, 1e-6, 1)]
)
def test_the_figure_and_the_screen_take_extremes(segments: int, rate: float, cycles: int) -> None:
    found = astrocyte.study(segments, rate=rate, cycles=cycles)
    assert to_file(draw(found), "png")
    json.dumps(astrocyte.document(found), allow_nan=False)
    astrocyte.show_study(Console(file=io.StringIO()), found, "x")


@pytest.mark.parametrize("width", [80, 100])
def test_the_screen_fits_and_says_the_essentials(study: astrocyte.Study, width: int) -> None:
    stream = io.StringIO()
    astrocyte.show_study(Console(file=stream, width=width), study, "runs/x")
    text = stream.getvalue()
    assert max(len(line.rstrip()) for line in text.splitlines()) <= width
    assert len(text.splitlines()) <= 32
    for words in ("0.18897", "0.18181", "-0.00716", "+4.670 %", "1.000000", "4.7 %", "RECOMMENDED", "runs/x"):
        assert words in text
    long = io.StringIO()
    astrocyte.show_study(Console(file=long, width=width), astrocyte.study(20, cycles=1), "runs/x")
    assert "… 4 more segments in factors.csv" in long.getvalue()
