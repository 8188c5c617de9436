"""Pulses and waveforms on devices of the library: acceptance values, intervals, ranges, what is not known."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tolerance import close

from device_params import InputError, list_names, load_device
from device_params.device_vocabulary import DEVICES
from device_params.measured_points import measurements
from rmaat_hw.devices import Waveform, simulate, simulate_waveform
from rmaat_hw.devices.calibration import compared, fits, points_of, read_points
from rmaat_hw.devices.subject import Subject

FILMS = ("hzo_film_8nm3", "hzo_film_10nm")


# -- acceptance: the published points ------------------------------------------------------------------


@pytest.mark.parametrize(("name", "bound", "largest"), [(FILMS[0], 0.45, 1.05), (FILMS[1], 1.1, 1.72)])
def test_films_follow_their_measurements(name: str, bound: float, largest: float) -> None:
    """Nucleation-limited switching against Deng et al., VLSI 2020: 0.42 and 0.97 µC/cm², root mean square."""
    found = measurements(name)
    assert found is not None and len(found.value) == 15
    misses = [
        100 * (simulate(name, voltage=v, pulse=t).polarization["value"] - measured)
        for v, t, measured in zip(found.voltage, found.duration, found.value, strict=True)
    ]
    assert math.sqrt(np.mean(np.square(misses))) <= bound
    assert max(map(abs, misses)) <= largest


def test_model_values_of_the_thin_film() -> None:
    """The reference implementation's own values at 1.0 V, µC/cm²: −22.54, −10.42, 8.22."""
    for pulse, expected in ((0.3e-6, -22.54), (11.5e-6, -10.42), (0.97e-3, 8.22)):
        found = simulate("hzo_film_8nm3", voltage=1.0, pulse=pulse).polarization["value"]
        assert 100 * found == pytest.approx(expected, abs=0.02)


def test_windows_of_the_transistor() -> None:
    agreement = compared("fefet_8nm_deng", *points_of("fefet_8nm_deng"))
    assert agreement["fitted"].root_mean_square <= 0.06 and agreement["fitted"].points == 15
    assert agreement["physical"].root_mean_square <= 0.20 and agreement["physical"].points == 13


def test_the_numbers_of_the_file_are_those_of_the_fit() -> None:
    parameters = load_device("fefet_8nm_deng").parameters
    found = fits("fefet_8nm_deng", points_of("fefet_8nm_deng")[1])
    for fit in found.values():
        for name, value in fit.values.items():
            assert parameters[name].value == close(value, 2e-3), name
    assert len(found["physical"].values) == 1 and len(found["fitted"].values) == 6
    assert parameters["window_error"].high == pytest.approx(found["physical"].agreement.bound, rel=0.02)
    assert parameters["fit_error"].high == pytest.approx(found["fitted"].left_out.bound, rel=0.02)


def test_intervals_hold_nine_tenths_of_the_measurements() -> None:
    inside = []
    for name in (*FILMS, "fefet_8nm_deng"):
        found = measurements(name)
        assert found is not None
        for v, t, measured in zip(found.voltage, found.duration, found.value, strict=True):
            result = simulate(name, voltage=v, pulse=t)
            quantity = result.memory_window if name.startswith("fefet") else result.polarization
            assert quantity is not None
            inside.append(quantity["low"] <= measured <= quantity["high"])
    assert np.mean(inside) >= 0.85


# -- what it gives ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_names("device"))
def test_every_device_answers_or_says_what_it_lacks(name: str) -> None:
    device = load_device(name)
    parameters = device.parameters.nominal()
    pulse = {"voltage": parameters.get("write_voltage", 1.0), "pulse": parameters.get("write_time", 1e-6)}
    try:
        document = simulate(name, **pulse).document()
    except InputError as error:
        assert "\n" not in str(error)
        said = str(error)
        if "no measured range is stated" in said:
            assert simulate(name, **pulse, allow_extrapolation=True).extrapolated
            return
        assert "not a ferroelectric device" in said or "was not published: no " in said
        missing = said.partition("no ")[2].partition(";")[0].split(", ")
        if "not published" in said:
            assert set(missing) <= set(DEVICES[device.family]) - set(device.parameters)
        return
    assert not document["extrapolated"]
    assert (document["memory_window_V"] is None) == (device.family not in ("fefet", "femfet"))
    for key in ("polarization_C_per_m2", "write_energy_J", "memory_window_V"):
        quantity = document[key]
        assert quantity is None or quantity["low"] <= quantity["value"] <= quantity["high"]
    bound = parameters.get("saturation_polarization", parameters.get("remanent_polarization", 0.2))
    assert abs(document["polarization_C_per_m2"]["value"]) <= bound
    json.dumps(document, allow_nan=False)


def test_energy_of_a_film_goes_with_the_area_and_adds_up() -> None:
    one, two = (simulate("hzo_film_10nm", voltage=2.0, pulse=3e-6, area=a) for a in (1e-14, 2e-14))
    assert two.write_energy["value"] == close(2 * one.write_energy["value"])
    # (ΔP·V + C·V²)·A with ε = 30 (the file's), 10 nm; leakage adds far less
    permittivity = load_device("hzo_film_10nm").parameters["relative_permittivity"].value
    linear = 8.8541878e-12 * permittivity / 10e-9 * 2.0**2
    expected = (one.switched_polarization["value"] * 2.0 + linear) * 1e-14
    assert one.write_energy["value"] == close(expected, 1e-3)


def test_gate_energy_lies_between_its_bounds() -> None:
    found = simulate("fefet_8nm_deng", voltage=4.0, pulse=1e-6, area=1e-14).write_energy
    assert 7e-15 * 0.8 < found["low"] < found["value"] < found["high"] < 25e-15
    assert found["value"] == close(22.95e-15, 1e-3)


def test_fitted_window_counts_inside_its_measurements_and_physics_beyond() -> None:
    inside = simulate("fefet_8nm_deng", voltage=3.25, pulse=1e-6)
    assert inside.window_model == "fitted" and set(inside.windows) == {"fitted", "physical"}
    beyond = simulate("fefet_8nm_deng", voltage=5.0, pulse=1e-6, allow_extrapolation=True)
    assert beyond.window_model == "physical" and beyond.extrapolated
    chosen = simulate("fefet_8nm_deng", voltage=3.25, pulse=1e-6, window_model="physical")
    assert chosen.memory_window == inside.windows["physical"]


def test_a_negative_pulse_finds_nothing_to_switch() -> None:
    for name in ("hzo_film_8nm3", "fefet_8nm_deng"):
        found = simulate(name, voltage=-1.5 if "film" in name else -3.5, pulse=1e-6)
        assert found.switched_polarization["value"] == pytest.approx(0.0, abs=1e-12)
        assert found.write_energy["value"] > 0


def test_the_cell_of_the_default_design_simulates() -> None:
    found = simulate("fefet_1f1r_28nm", voltage=4.0, pulse=1e-6)
    assert found.window_model == "physical"
    assert found.threshold_sigma is not None
    assert found.memory_window is not None and 1.0 < found.memory_window["value"] <= 1.5


def test_equal_seeds_give_equal_intervals() -> None:
    one, two = (simulate("fefet_8nm_deng", voltage=3.0, pulse=1e-6, seed=3).document() for _ in range(2))
    assert one == two


def test_table() -> None:
    frame = simulate("fefet_8nm_deng", voltage=3.0, pulse=1e-6).to_pandas()
    assert list(frame.columns) == ["quantity", "value", "low", "high"]
    assert frame.set_index("quantity").loc["memory_window_V", "value"] > 0


# -- temperature, cycles ---------------------------------------------------------------------------


def test_a_law_with_temperature_uses_it() -> None:
    cold, warm = (
        simulate("fecap_heracles", voltage=0.9, pulse=1e-6, temperature=t).polarization["value"]
        for t in (250.0, 390.0)
    )
    assert warm > cold + 0.1


def test_unknown_temperature_widens_and_is_marked() -> None:
    room = simulate("hzo_film_8nm3", voltage=1.2, pulse=11.5e-6)
    warm = simulate("hzo_film_8nm3", voltage=1.2, pulse=11.5e-6, temperature=358.0, allow_extrapolation=True)
    assert warm.extrapolated and any("temperature is not known" in note for note in warm.notes)
    assert warm.polarization["value"] == room.polarization["value"]
    width = {k: v.polarization["high"] - v.polarization["low"] for k, v in (("room", room), ("warm", warm))}
    assert width["warm"] > 2 * width["room"]


def test_cycles_close_the_window_by_its_law_or_by_an_unknown_part() -> None:
    windows = [
        simulate("fefet_1f1r_28nm", voltage=4.0, pulse=1e-6, cycles=n).memory_window for n in (0, 100, 10_000)
    ]
    values = [window["value"] for window in windows if window is not None]
    # 0.2375 V a decade from the first cycle: 1.5 − 0.2375·log10(10001) = 0.55 V
    assert values[2] == pytest.approx(values[0] - 0.95, abs=0.01)
    assert values[0] > values[1] > values[2]
    fresh, worn = (simulate("fefet_8nm_deng", voltage=4.0, pulse=1e-6, cycles=n) for n in (0, 10_000))
    assert fresh.memory_window is not None and worn.memory_window is not None
    assert worn.memory_window["value"] == fresh.memory_window["value"]
    assert worn.memory_window["low"] < 0.5 * fresh.memory_window["low"]
    assert any("with cycles is not known" in note for note in worn.notes)


def test_unknown_wear_of_a_film_widens_with_cycles() -> None:
    """Wake-up of at most 2: the film of the file had it before it was measured, or has it still to come."""
    fresh, young, old = (simulate("hzo_film_8nm3", voltage=1.2, pulse=1e-5, cycles=n) for n in (0, 10, 1e5))
    assert fresh.polarization["value"] == young.polarization["value"] == old.polarization["value"]
    for name in ("polarization", "switched_polarization", "write_energy"):
        first, second, third = (getattr(found, name) for found in (fresh, young, old))
        assert second["low"] < first["low"] and second["high"] > first["high"]
        assert third["low"] == close(first["low"], 1e-9) and third["high"] > second["high"]
    assert old.polarization["high"] == close(2 * fresh.polarization["high"], 1e-9)
    with pytest.raises(InputError, match="fatigue may have begun"):
        simulate("hzo_film_8nm3", voltage=1.2, pulse=1e-5, cycles=1e8)
    tired = simulate("hzo_film_8nm3", voltage=1.2, pulse=1e-5, cycles=1e8, allow_extrapolation=True)
    assert tired.extrapolated and tired.polarization["low"] == 0.0
    with pytest.raises(InputError, match="nothing is known of its wear"):
        simulate("fecap_heracles", voltage=0.95, pulse=1e-6, cycles=10)


def test_cycles_beyond_the_endurance_are_refused() -> None:
    with pytest.raises(InputError, match="more than its endurance"):
        simulate("fefet_1f1r_28nm", voltage=4.0, pulse=1e-6, cycles=1e9)


# -- waveforms -------------------------------------------------------------------------------------


def test_a_pulse_as_a_waveform_gives_the_pulse() -> None:
    edge = 1e-12
    for name, voltage in (("hzo_film_8nm3", 1.2), ("fefet_8nm_deng", 3.5)):
        wave = Waveform([0, edge, edge + 5e-6, 5e-6 + 2 * edge], [0, voltage, voltage, 0])
        course = simulate_waveform(name, wave, area=1e-14)
        pulse = simulate(name, voltage=voltage, pulse=5e-6, area=1e-14)
        assert course.polarization["value"] == pytest.approx(pulse.polarization["value"], abs=2e-3)
        # a source that follows the edge gives C·V²/2 where a fixed supply gives C·V²
        assert course.write_energy["value"] == close(pulse.write_energy["value"], 0.12)
        assert course.write_energy["value"] < pulse.write_energy["value"]
        frame = course.to_pandas()
        assert frame["time_s"].is_monotonic_increasing and len(frame) > 100


def test_a_waveform_beyond_the_range_is_refused_and_may_be_taken() -> None:
    wave = Waveform([0, 1e-6, 2e-6], [0, 2.5, 0])
    with pytest.raises(InputError, match=r"voltage: 2.5 V is outside the measured 0.6 V to 1.8 V"):
        simulate_waveform("hzo_film_8nm3", wave)
    assert simulate_waveform("hzo_film_8nm3", wave, allow_extrapolation=True).extrapolated
    with pytest.raises(InputError, match=r"0.3 V is outside the measured"):
        simulate_waveform("hzo_film_8nm3", Waveform([0, 1e-6, 2e-6], [0, 0.3, 0]))
    assert not simulate_waveform("hzo_film_8nm3", Waveform([0, 1e-6], [0, 0])).extrapolated
    with pytest.raises(InputError, match=r"pulse: .* is outside the measured"):
        simulate_waveform("hzo_film_8nm3", Waveform([0, 1e-12, 2e-12], [0, 1.5, 0]))
    # many cycles are many pulses, none of them long
    many = Waveform(np.arange(41) * 2.5e-4, np.tile([0, 1.5, 0, -1.5], 11)[:41])
    assert not simulate_waveform("hzo_film_8nm3", many).extrapolated


def test_a_waveform_on_a_gate_gives_its_window() -> None:
    edge = 1e-10
    wave = Waveform([0, edge, edge + 5e-6, 5e-6 + 2 * edge], [0, 3.5, 3.5, 0])
    found = simulate_waveform("fefet_8nm_deng", wave)
    pulse = simulate("fefet_8nm_deng", voltage=3.5, pulse=5e-6, window_model="physical")
    assert found.memory_window is not None and pulse.memory_window is not None
    assert found.memory_window["value"] == pytest.approx(pulse.memory_window["value"], abs=0.02)
    assert found.window_model == "physical"


def test_unknown_temperature_widens_a_waveform_too() -> None:
    wave = Waveform([0, 1e-9, 1e-6, 1.001e-6], [0, 3.2, 3.2, 0])
    room = simulate_waveform("fefet_8nm_deng", wave).memory_window
    found = simulate_waveform("fefet_8nm_deng", wave, temperature=400.0, allow_extrapolation=True)
    warm = found.memory_window
    assert room is not None and warm is not None and found.extrapolated
    assert warm["value"] == room["value"] and warm["high"] - warm["low"] > 2 * (room["high"] - room["low"])
    assert any("temperature is not known" in note for note in found.notes)
    # at room temperature the interval is the error of the model, 0.136 V either way
    assert room["high"] - room["value"] == close(0.136, 1e-6)


def test_spread_of_the_threshold_follows_the_area_given() -> None:
    large, small = (
        simulate("fefet_8nm_deng", voltage=3.0, pulse=1e-6, area=a).threshold_sigma for a in (1e-12, 1e-14)
    )
    assert large is not None and small is not None
    assert small["value"] == pytest.approx(10 * large["value"])


def test_errors_of_the_model_reach_the_switched_polarization_and_the_energy() -> None:
    found = simulate("hzo_film_8nm3", voltage=1.2, pulse=1e-5, area=1e-12)
    assert found.switched_polarization["high"] - found.switched_polarization["value"] == pytest.approx(
        0.007, rel=0.1
    )
    assert found.write_energy["high"] - found.write_energy["value"] > 1.2 * 0.007 * 1e-12 * 0.8


def test_shape_parameters_with_an_interval_are_taken_at_their_values(tmp_path: Path) -> None:
    text = Path(load_device("hzo_film_8nm3").path).read_text(encoding="utf-8")
    old = "activation_shape_p: {value: 2.0998,"
    assert old in text
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace(old, old + " interval: [1.9, 2.3],"), encoding="utf-8")
    assert simulate(str(file), voltage=1.0, pulse=1e-6).polarization["value"] < 0


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"voltage": math.nan}, "voltage: not a finite number"),
        ({"pulse": 0.0}, "pulse: must be above zero"),
        ({"pulse": math.inf}, "pulse: not a finite number"),
        ({"temperature": -5.0}, "temperature: must be above zero"),
        ({"temperature": 400.0}, "temperature: 400 K is outside the measured 290 to 310 K"),
        ({"area": 0.0}, "area: must be above zero"),
        ({"cycles": -1.0}, "cycles: must not be negative"),
        ({"voltage": 1e300}, "voltage: larger than anything that exists; got 1e+300; allowed: up to 1000 V"),
        ({"pulse": "1 us"}, "pulse: not a finite number"),
        ({"seed": -1}, "seed: must not be negative"),
        ({"voltage": 5.0}, "voltage: 5 V is outside the measured 0.6 V to 1.8 V"),
        ({"pulse": 1.0}, "pulse: 1 s is outside the measured"),
        ({"window_model": "physcal"}, "did you mean 'physical'?"),
    ],
)
def test_bad_input_is_one_sentence(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        simulate("hzo_film_8nm3", **({"voltage": 1.0, "pulse": 1e-6} | changes))
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


def test_zero_thickness_is_refused_with_the_range(tmp_path: Path) -> None:
    text = Path(load_device("hzo_film_8nm3").path).read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("value: 8.3, unit: nm", "value: 0, unit: nm"), encoding="utf-8")
    wide = text.replace("value: 8.3, unit: nm, range: [1, 100]", "value: 0, unit: nm, range: [0, 100]")
    assert wide != text
    file.write_text(wide, encoding="utf-8")
    with pytest.raises(InputError, match=r"film_thickness\.value: must lie above zero; got 0"):
        simulate(str(file), voltage=1.0, pulse=1e-6)
    file.write_text(text.replace("value: 8.3, unit: nm", "value: 0, unit: nm"), encoding="utf-8")
    with pytest.raises(InputError, match=r"film_thickness\.value: value outside its range; got 0"):
        simulate(str(file), voltage=1.0, pulse=1e-6)


def test_a_users_own_film_is_simulated_by_path(tmp_path: Path) -> None:
    text = Path(load_device("hzo_film_8nm3").path).read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("name: hzo_film_8nm3", "name: mine"), encoding="utf-8")
    found = simulate(str(file), voltage=1.0, pulse=1e-6)
    assert found.device == "mine"
    assert found.polarization == simulate("hzo_film_8nm3", voltage=1.0, pulse=1e-6).polarization


# -- fits of a user's points -----------------------------------------------------------------------


def test_points_of_a_user(tmp_path: Path) -> None:
    measured = points_of("fefet_8nm_deng")[1]
    rows = zip(measured.voltage, measured.duration, measured.value, strict=True)
    file = tmp_path / "windows.csv"
    lines = ["voltage_V, pulse_s, memory_window_V, who", *(f"{v},{t},{m},me" for v, t, m in rows)]
    file.write_text("\n".join(lines), encoding="utf-8")
    quantity, points = read_points(file, True)
    assert quantity == "memory_window_V" and points.value == pytest.approx(measured.value)
    for old, new, sentence in (
        ("memory_window_V", "window", "no column 'memory_window_V'"),
        ("who", "pulse_s", "column 'pulse_s' twice"),
        ("3.0,", "3_0,", "not a finite number"),
        ("3.0,", "-3.0,", "must be above zero"),
        ("3.0,", "nan,", "not a finite number"),
        (",", ";", "separated by commas"),
        ("pulse_s", "time", "no column 'pulse_s'"),
        ("3.0,", "x,", "not a number"),
    ):
        file.write_text("\n".join(lines).replace(old, new), encoding="utf-8")
        with pytest.raises(InputError, match=sentence):
            read_points(file, True)


def test_fits_refuse_films_and_too_few_points() -> None:
    measured = points_of("fefet_8nm_deng")[1]
    with pytest.raises(InputError, match="too few points"):
        fits("fefet_8nm_deng", measured.where(measured.voltage >= 4.0))
    with pytest.raises(InputError, match="nothing switches in these points"):
        compared("fefet_8nm_deng", "memory_window_V", measured.where(measured.value < 0))
    with pytest.raises(InputError, match="not fitted here"):
        fits("hzo_film_8nm3", points_of("hzo_film_8nm3")[1])
    with pytest.raises(InputError, match="no measured points"):
        points_of("fefet_1f1r_28nm")


def test_law_of_a_subject() -> None:
    assert Subject.load("fecap_heracles").law == "thermally activated"
    assert Subject.load("hzo_film_ni2018").law == "delayed Preisach"
    assert Subject.load("hzo_film_ferrox").law == "Landau-Khalatnikov"
