"""The figure of a device draws its tables, shows what is known and names what is not."""

from __future__ import annotations

import math
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tolerance import close

import device_params
from cost_models.ferroelectric.device import film_of
from device_params import load_device
from device_params.errors import InputError
from device_params.load import list_names
from device_params.measured_points import measurements
from rmaat_hw.report import device_figure, device_states
from rmaat_hw.report.device_energy import write_energy
from rmaat_hw.report.device_panels import Panel, Unknown
from rmaat_hw.report.figures import to_file

FOLDER = Path(device_params.__file__).parent / "devices"
SWITCHING = ["hysteresis", "switched_share"]


def only(parts: list[Panel | Unknown]) -> Panel:
    """The one part, which is a panel."""
    (part,) = parts
    assert isinstance(part, Panel)
    return part


def axes_of(figure: Figure, title: str) -> Axes:
    return next(axes for axes in figure.axes if axes.get_title(loc="left").strip() == title)


@pytest.fixture(name="gate", scope="module")
def _gate() -> tuple[Figure, dict[str, pd.DataFrame], list[Unknown]]:
    """Figure of the 8 nm FeFET, its tables and what is not known of it."""
    device = load_device("fefet_8nm_deng")
    drawn, unknown = device_figure._panels(device)
    figure = device_figure._draw(device, drawn, unknown)
    return figure, {panel.name: panel.frame for panel in drawn}, unknown


@pytest.mark.parametrize(
    ("name", "drawn", "unknown"),
    [
        ("hzo_film_8nm3", [*SWITCHING, "polarization_over_cycles", "write_energy"], ["retention"]),
        ("fecap_heracles", [*SWITCHING, "write_energy"], ["spread of the levels", "endurance", "retention"]),
        ("hzo_film_ni2018", SWITCHING, ["endurance", "retention", "write energy"]),
        (
            "fefet_22fdx",
            ["states", "endurance"],
            [
                "hysteresis",
                "switched share",
                "window map",
                "spread of the levels",
                "retention",
                "write energy",
            ],
        ),
        (
            "feram_hzo_1t1c",
            ["states", "polarization_over_cycles", "retention"],
            ["hysteresis", "switched share", "spread of the levels", "write energy"],
        ),
        (
            "ftj_hzo_epitaxial",
            ["states", "retention"],
            ["hysteresis", "switched share", "spread of the levels", "endurance", "write energy"],
        ),
        ("rram_1t1r_neurram_130nm", ["levels", "endurance", "retention", "write_energy"], []),
        ("pcm_gst_ibm", ["levels", "endurance", "retention"], ["write energy"]),
        ("stt_mram", ["states", "endurance", "write_energy"], ["spread of the levels", "retention"]),
        ("gain_cell_igzo", ["endurance", "retention"], ["spread of the levels", "write energy"]),
    ],
)
def test_a_device_shows_what_is_known_and_names_the_rest(
    name: str, drawn: list[str], unknown: list[str]
) -> None:
    panels, lacking = device_figure.panels(name)
    assert [panel.name for panel in panels] == drawn
    assert [part.what for part in lacking] == unknown
    for part in lacking:  # what is named is not in the file
        assert not set(part.missing) & set(load_device(name).parameters)


def test_every_device_is_drawn_or_refused_in_one_sentence() -> None:
    gates = {"fefet_8nm_deng", "fefet_1f1r_28nm"}  # half a second a loop; they have tests of their own
    refused = []
    for name in set(list_names("device")) - gates:
        try:
            tables = device_figure.tables(name)
        except InputError as error:
            refused.append(name)
            assert str(error).startswith(f"{name}: nothing of this device can be drawn; got 'not known: ")
            continue
        for frame in tables.values():
            numbers = frame.select_dtypes("number")
            assert np.isfinite(numbers.drop(columns=numbers.filter(regex="^density").columns)).all(axis=None)
    assert set(refused) == {"fefet_500nm_28nm", "gain_cell_osfet"}


def test_the_curves_are_the_tables(gate: tuple[Figure, dict[str, pd.DataFrame], list[Unknown]]) -> None:
    figure, tables, _ = gate
    loops, shares = (
        axes_of(figure, t) for t in ("Hysteresis of the gate", "Switched share over pulse width")
    )
    for voltage, rows in tables["hysteresis"].groupby("amplitude_V"):
        (line,) = [line for line in loops.lines if line.get_label() == f"{voltage:g} V"]
        np.testing.assert_array_equal(line.get_xdata(), rows["voltage_V"])
        np.testing.assert_array_equal(line.get_ydata(), 100 * rows["polarization_C_per_m2"])
    assert loops.get_xlabel() == "gate voltage [V]"
    curves = tables["switched_share"].query("kind == 'model'")
    for voltage, rows in curves.groupby("amplitude_V"):
        (line,) = [line for line in shares.lines if line.get_label() == f"{voltage:g} V"]
        np.testing.assert_array_equal(line.get_ydata(), rows["switched_share"])
    window = axes_of(figure, "Memory window")
    (dots,) = [c for c in window.collections if len(c.get_offsets()) == 18]
    np.testing.assert_array_equal(dots.get_array(), measurements("fefet_8nm_deng").value)
    (outline,) = window.patches
    assert (outline.get_y(), outline.get_y() + outline.get_height()) == (2.0, 4.5)
    assert outline.get_x() == 5e-8
    assert outline.get_x() + outline.get_width() == close(5e-6)
    bars = axes_of(figure, "Write path: energy a cell")
    shown = tables["write_energy"].query("energy_J > 0")
    np.testing.assert_allclose([bar.get_x() + bar.get_width() for bar in bars.patches], shown["energy_J"])


def test_panels_have_letters_in_order_and_the_line_of_what_is_not_known(
    gate: tuple[Figure, dict[str, pd.DataFrame], list[Unknown]],
) -> None:
    figure, _, _ = gate
    letters = [text.get_text() for axes in figure.axes for text in axes.texts if text.get_size() == 11]
    assert letters == list("abcdef")
    assert figure.get_supxlabel() == "Not known for this device: retention (missing retention)."
    assert figure.get_suptitle() == load_device("fefet_8nm_deng").title
    text = device_figure._told([Unknown("a", ("x", "y")), Unknown("b", ("x", "y")), Unknown("c")])
    assert text == "a and b (missing x, y); c"
    assert device_figure._told([Unknown("a", tuple("uvwxyz"))]) == "a (missing u, v, w, x and 2 more)"


def test_the_window_map_holds_both_models_against_the_measurements(
    gate: tuple[Figure, dict[str, pd.DataFrame], list[Unknown]],
) -> None:
    table = gate[1]["window_map"]
    points = measurements("fefet_8nm_deng")
    assert points is not None
    for kind, error in (("physical", 0.1), ("fitted", 0.06)):
        grid = table[table["kind"] == kind].pivot(
            index="voltage_V", columns="pulse_s", values="memory_window_V"
        )
        off = []
        for voltage, duration, value in zip(points.voltage, points.duration, points.value, strict=True):
            if voltage >= 2.5 and value >= 0:
                row = np.abs(grid.index.to_numpy() - voltage).argmin()
                column = np.abs(np.log(grid.columns.to_numpy() / duration)).argmin()
                off.append(grid.iloc[row, column] - value)
        assert math.sqrt(np.mean(np.square(off))) < error  # steps of the grid: 0.07 V, 0.12 decades
    fitted = table.query("kind == 'fitted'")["pulse_s"]
    assert (fitted.min(), fitted.max()) == (5e-8, close(5e-6))


def test_open_loop_levels_spread_by_the_domains_under_the_gate(
    gate: tuple[Figure, dict[str, pd.DataFrame], list[Unknown]],
) -> None:
    levels = gate[1]["levels"]
    # 1.51 V * sqrt(1/3 * 2/3 / (0.25 um^2 / (20 nm)^2)) = 1.51 V * sqrt(0.2222 / 625) = 28.47 mV
    rows = levels.query("level == 1")
    assert np.ptp(rows["threshold_V"]) == pytest.approx(8 * 28.47e-3, rel=1e-3)
    assert np.trapezoid(rows["density_per_V"], rows["threshold_V"]) == pytest.approx(1.0, abs=1e-3)
    assert np.ptp(levels.query("level == 0")["threshold_V"]) == 0.0  # fully switched


def test_verified_and_open_loop_levels_of_a_small_gate_stand_together() -> None:
    device = load_device("fefet_1f1r_28nm")
    panel = only(device_states.levels(device))
    frame = panel.frame
    assert set(frame["kind"]) == {"verified", "open loop"}
    middles = frame.query("kind == 'verified'").groupby("level")["threshold_V"].mean()
    np.testing.assert_allclose(np.diff(middles), 0.4)  # 1.2 V over three steps
    spans = frame.groupby(["kind", "level"])["threshold_V"].agg(np.ptp)
    assert spans["verified", 1] == pytest.approx(8 * 0.034)
    # neighbours overlap without verification: 7 domains, 1.5 V * sqrt(0.232 / 7) = 0.27 V against 0.4 V
    assert spans["open loop", 1] / 8 == pytest.approx(
        1.5 * math.sqrt((0.25 - (0.2 / 1.5) ** 2) / 7), rel=1e-9
    )
    assert "7 domains" in panel.note and "σ = 34 mV" in panel.note


def test_the_window_closes_over_cycles_within_its_band() -> None:
    device = load_device("fefet_1f1r_28nm")
    panel = only(device_states.wear(device))
    assert panel.name == "window_over_cycles"
    rows = panel.frame
    p = device.parameters
    # 1.2 V - 0.2375 V * log10(1 + 1e4) = 0.25 V
    left = np.interp(4.0, np.log10(rows["cycles"]), rows["memory_window_V"])
    assert left == pytest.approx(p["memory_window"].value - 4 * p["window_closing"].value, abs=2e-3)
    assert (rows["low_memory_window_V"] <= rows["memory_window_V"]).all()
    assert (rows["high_memory_window_V"] >= rows["memory_window_V"]).all()
    assert panel.marks["value"] == p["endurance"].value
    lost = only(device_states.holding(device))
    assert lost.frame["threshold_loss_V"].iloc[-1] == pytest.approx(5 * p["retention_loss"].value)
    assert lost.marks["half_spacing_V"] == pytest.approx(0.2)


def test_drift_of_a_phase_change_cell_and_its_spread() -> None:
    rows = only(device_states.holding(load_device("pcm_gst_ibm"))).frame
    last = rows.iloc[-1]
    assert last["time_s"] == pytest.approx(2e6)  # five decades from 20 s
    assert last["conductance_share"] == pytest.approx(10 ** (-5 * 0.049))
    assert last["low_conductance_share"] == pytest.approx(10 ** (-5 * (0.049 + 1.64485 * 0.008)), rel=1e-5)


def test_the_write_path_adds_up_and_takes_the_stack_of_the_device() -> None:
    frames = {
        name: only(write_energy(load_device(name))).frame for name in ("fefet_1f1r_28nm", "fefet_8nm_deng")
    }
    for frame in frames.values():
        energy = frame.set_index("leaf")["energy_J"]
        assert energy["total"] == close(energy.drop("total").sum())
        assert {"cell", "word_line", "inhibited_line", "driver", "verify", "supply_loss"} <= set(
            energy[energy > 0].index
        )
        assert (frame["low_energy_J"] <= frame["energy_J"]).all()
        assert (frame["high_energy_J"] >= frame["energy_J"]).all()
    note = only(write_energy(load_device("fefet_8nm_deng"))).note
    assert note.startswith("its stack on a gate of 0.0028 µm² in the array of fefet_crossbar_28nm")


def test_the_energy_of_a_film_is_that_of_its_pulse() -> None:
    device = load_device("hzo_film_8nm3")
    rows = only(write_energy(device)).frame.set_index("leaf")["energy_J_per_m2"]
    p = device.parameters.nominal()
    energy = film_of(p).pulse(p["write_voltage"], p["write_time"]).energy
    assert rows["switching"] == pytest.approx(float(energy.switching))
    assert rows["total"] == pytest.approx(float(energy.total))


def test_loops_say_their_frequency_and_dots_are_the_measured_points() -> None:
    panels = {panel.name: panel for panel in device_figure.panels("hzo_film_8nm3")[0]}
    assert panels["hysteresis"].note.startswith("triangle of 1 kHz")
    assert set(panels["hysteresis"].frame["frequency_Hz"]) == {1e3}
    dots = panels["switched_share"].frame.query("kind == 'measured'")
    points = measurements("hzo_film_8nm3")
    assert points is not None
    remanent = load_device("hzo_film_8nm3").parameters["remanent_polarization"].value
    np.testing.assert_allclose((2 * dots["switched_share"] - 1) * remanent, points.value, rtol=1e-9)


def test_a_users_copy_is_drawn_without_the_measured_points_of_the_library(tmp_path: Path) -> None:
    file = tmp_path / "hzo_film_8nm3.yaml"
    file.write_bytes((FOLDER / file.name).read_bytes())
    tables = device_figure.tables(str(file))
    assert set(tables["switched_share"]["kind"]) == {"model"}


def test_the_same_device_gives_the_same_file() -> None:
    svg = to_file(device_figure.draw("hzo_film_ni2018"), "svg")
    assert svg == to_file(device_figure.draw("hzo_film_ni2018"), "svg")
    root = ElementTree.fromstring(svg)
    assert root.get("width") == "518.4pt"  # 7.2 in
    texts = " ".join("".join(node.itertext()) for node in root.iter() if "text" in node.tag)
    for words in ("pulse width", "polarization [µC/cm²]", "triangle of 1 kHz", "Not known for this device"):
        assert words in texts
    assert "mathdefault" not in texts


def test_a_run_folder_holds_figure_tables_and_inputs(tmp_path: Path) -> None:
    folder = device_figure.save("feram_hzo_1t1c", out=tmp_path / "run")
    names = {path.name for path in folder.iterdir()}
    tables = {"states.csv", "polarization_over_cycles.csv", "retention.csv"}
    assert names == {"device.json", "device.svg", "device.png", "manifest.json", "inputs", *tables}
    assert (folder / "device.png").read_bytes().startswith(b"\x89PNG")
    written = pd.read_csv(folder / "states.csv")
    assert written["value"].tolist() == [0.2] and written["unit"].tolist() == ["C/m^2"]
    assert [path.name for path in (folder / "inputs").iterdir()] == ["feram_hzo_1t1c.yaml"]
