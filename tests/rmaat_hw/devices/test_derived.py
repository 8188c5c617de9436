"""What the parameters of a device mean: hand arithmetic by family, limits, what is not known, the screen."""

from __future__ import annotations

import dataclasses
import functools
import io
import json
import math

import numpy as np
import pytest
from rich.console import Console
from tolerance import close

from cost_models.ferroelectric.device import gate_of
from cost_models.ferroelectric.disturb import Exposure, threshold_shift
from cost_models.ferroelectric.fefet import FeFET
from cost_models.ferroelectric.preisach import Preisach
from cost_models.ferroelectric.wear import Endurance
from device_params import list_names, load_device
from device_params.schema import ComponentFile, Parameter, ParameterSet
from rmaat_hw.cli import shell
from rmaat_hw.devices.derivation import MOST, Derived
from rmaat_hw.devices.derived import DerivedRows, derived, derived_of
from rmaat_hw.devices.derived_gate import SCHEMES, opposing
from rmaat_hw.report.derived import show_derived, told
from rmaat_hw.report.listings import parameter_value

Q = 1.602176634e-19  # C
EPS0 = 8.8541878188e-12  # F/m
KT = 1.380649e-23 * 300.0  # J
TEN_YEARS = 315_576_000.0  # s
UNITS = {
    "1",
    "1/V",
    "1/m^2",
    "V",
    "V/m",
    "A",
    "s",
    "m^2",
    "ohm",
    "S",
    "F",
    "F/m^2",
    "C",
    "C/m^2",
    "J",
    "J/m^2",
    "W",
}


@functools.cache
def library(name: str) -> DerivedRows:
    return derived(name)


def row(rows: DerivedRows, name: str) -> Derived:
    (found,) = [r for r in rows if r.name == name]
    return found


def value(device: str | ComponentFile, name: str) -> float:
    rows = library(device) if isinstance(device, str) else derived_of(device)
    quantity = row(rows, name).quantity
    assert quantity is not None
    return quantity["value"]


def changed(name: str, **values: float) -> ComponentFile:
    """A device with some parameters set; those that its file lacks are added, exact."""
    device = load_device(name)
    parameters = dict(device.parameters)
    like = next(iter(parameters.values()))
    for key, number in values.items():
        known: Parameter = parameters.get(key, like)
        parameters[key] = dataclasses.replace(
            known, name=key, value=number, low=number, high=number, distribution="fixed", integer=False
        )
    return dataclasses.replace(device, parameters=ParameterSet(parameters.values()))


def without(name: str, *names: str) -> ComponentFile:
    device = load_device(name)
    kept = [p for p in device.parameters.values() if p.name not in names]
    return dataclasses.replace(device, parameters=ParameterSet(kept))


# -- every device of the library ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", list_names("device"))
def test_every_device_of_the_library(name: str) -> None:
    """Rows are told once, finite, ordered, in an SI unit; the screen fits 80 columns and plain letters."""
    rows = library(name)
    assert len({r.name for r in rows}) == len(rows)
    assert sum(not r.detail for r in rows) <= 14
    for r in rows:
        assert r.how and r.unit in UNITS and (r.quantity is None) == bool(r.reason)
        if r.quantity is not None:
            low, middle, high = (r.quantity[end] for end in ("low", "value", "high"))
            assert -math.inf < low <= middle <= high < math.inf, r.name
    documents = [r.document() for r in rows]
    assert json.loads(json.dumps(documents, allow_nan=False)) == documents
    for width in (80, 160):
        screen = io.StringIO()
        show_derived(Console(file=screen, width=width, highlight=False), documents)
        text = screen.getvalue()
        assert max(map(len, text.splitlines()), default=0) <= width and "…" not in text
        for r in rows:
            assert r.name.replace("_", " ") in " ".join(text.split())
            assert r.detail or " ".join(r.how.split()) in " ".join(text.split())
        assert all(
            shell._PLAIN.get(letter) or shell._bare(letter) != "?" for letter in text if ord(letter) > 127
        )


def test_a_device_of_which_nothing_follows() -> None:
    device = load_device("sot_mram")
    bare = dataclasses.replace(device, family="sram", parameters=ParameterSet([device.parameters["bits"]]))
    assert [r.name for r in derived_of(bare) if r.quantity is not None] == []


def test_a_table_of_the_rows() -> None:
    frame = library("feram_hzo_1t1c").to_pandas()
    assert list(frame.columns) == ["name", "value", "low", "high", "unit", "how", "reason", "remark"]
    signal = frame.set_index("name").loc["sense_signal"]
    assert (signal["value"], signal["unit"]) == (close(0.2), "V")
    assert frame.set_index("name").loc["retention_loss_ten_years"].isna()["value"]


# -- gates -------------------------------------------------------------------------------------------------


def test_the_gate_of_the_cell_with_a_resistor() -> None:
    rows = library("fefet_1f1r_28nm")
    film, oxide = EPS0 * 28 / 8e-9, EPS0 * 3.9 / 1e-9  # 0.0310 and 0.0345 F/m²
    expected = {
        "film_capacitance": film,
        "interlayer_capacitance": oxide,
        "gate_capacitance": 2.8e-15 / (1 / film + 1 / oxide),  # 0.01633 F/m² · 0.0028 µm² = 45.7 aF
        "net_charge": film * 0.75,  # half of 1.5 V: 2.32 µC/cm²
        "screened_share": 1 - film * 0.75 / 0.25,  # 0.907
        "domains": 7.0,  # 2,800 nm² / (20 nm)²
        "threshold_sigma_unverified": 0.75 / math.sqrt(7),  # 283 mV
        "spacing_in_sigma_unverified": 0.4 / (0.75 / math.sqrt(7)),  # 1.41
        "spacing_in_sigma_verified": 0.4 / 0.034,  # 11.8
        "on_current_bound": 160e-9,  # 0.8 V / 5 MΩ
        "gate_step": 0.4,  # 1.2 V / 3
        "on_over_other_off": 80 / 0.1 / 127,
        "on_resistance": 1e7,
        "line_current": 128 * 80e-9,
        "read_electrons": 80e-9 * 10e-9 / Q,  # 4,993
        "read_energy": 0.8 * 80e-9 * 10e-9,
        "bit_density": 2 / 4.5e-14,
        "first_valid_read": 1.4e-6,
        "cycles_to_half_window": 10 ** (0.6 / 0.2375) - 1,  # 335
        "lifetime_of_rewrites": 1e4,
        "retention_loss_ten_years": 0.03 * math.log10(TEN_YEARS),  # 8.5 decades: 255 mV
    }
    for name, number in expected.items():
        quantity = row(rows, name).quantity
        assert quantity is not None and quantity["value"] == close(number), name
    assert "overlap" in row(rows, "spacing_in_sigma_unverified").remark
    assert row(rows, "spacing_in_sigma_verified").remark == ""
    assert "50%" in row(rows, "on_current_bound").remark
    assert "half of level_spacing" in row(rows, "retention_loss_ten_years").remark
    assert "sooner" in row(rows, "cycles_to_half_window").remark


def test_a_pulse_on_a_gate() -> None:
    """Fully switched at 4 V: ΔP = 2·0.25 C/m², the film at 4 − 1.62 V; 4 V · 0.0028 µm² · (0.5 + 0.0737)."""
    charge = 0.5 + EPS0 * 28 / 8e-9 * (4 - 1.62)
    assert value("fefet_1f1r_28nm", "pulse_energy") == close(4 * 2.8e-15 * charge, rel=1e-3)
    assert value("fefet_1f1r_28nm", "memory_window_physical") == close(1.5, rel=1e-3)
    rows = library("fefet_8nm_deng")
    fitted, physical = (row(rows, f"memory_window_{model}").quantity for model in ("fitted", "physical"))
    assert fitted is not None and physical is not None
    assert fitted["value"] == close(1.51, rel=0.02) and physical["value"] == close(1.51, rel=0.01)
    # the interval holds the error of the model, ±0.136 V at 90 %
    assert physical["high"] - physical["low"] == close(2 * 0.136, rel=0.05)


def test_what_a_scheme_disturbs() -> None:
    """V/2: 127 cells of the row and 127 rows; V/3: of either sign, 127² more often of the other one."""
    found = {name: opposing(scheme) for name, _, scheme in SCHEMES}
    assert found["half_voltage"] == (close(0.5), close(254.0))
    assert found["third_voltage"] == (close(1 / 3), close(127.0**2))
    assert found["row_inhibit"] == (close(0.5), close(127.0))


def lost(gate: FeFET, voltage: float, time: float, *, rested: bool = True) -> float:
    """Threshold [V] lost to a voltage for a time in all."""
    return float(threshold_shift(gate, Exposure(voltage, time, 1.0), rested=rested))


def test_half_select_adds_up() -> None:
    """10,000 rewrites · 3 pulses · 254 exposures · 1 µs = 7.62 s at 2 V; a third of 4 V for 484 s."""
    rows = library("fefet_1f1r_28nm")
    gate = gate_of(load_device("fefet_1f1r_28nm").parameters.nominal())
    for name, voltage, time in (("half_voltage", 2.0, 7.62), ("third_voltage", 4 / 3, 483.87)):
        found = row(rows, f"{name}_shift")
        quantity = found.quantity
        assert quantity is not None
        assert quantity["value"] == close(lost(gate, voltage, time), rel=1e-4)
        # the low end is of devices whose trapped charge does not relax between the pulses
        assert quantity["low"] < 1.2 * lost(gate, voltage, time, rested=False) < quantity["value"]
        assert "128 × 128" in found.how and "no refresh" in found.how and "relaxes" in found.how
        assert "extrapolated below 2.8 V" in found.how
    # the other way round: so many rewrites take a tenth of 1.2 V
    count = value("fefet_1f1r_28nm", "half_voltage_rewrites")
    assert lost(gate, 2.0, count * 3 * 254 * 1e-6) == pytest.approx(0.12, abs=2e-3)
    assert value("fefet_1f1r_28nm", "row_inhibit_rewrites") == close(2 * count)
    assert value("fefet_1f1r_28nm", "third_voltage_rewrites") > count


def test_a_gate_is_disturbed_by_a_strong_read() -> None:
    strong = changed("fefet_1f1r_28nm", read_gate_voltage=2.5)
    gate = gate_of(strong.parameters.nominal())
    reads = value(strong, "read_disturb_reads")
    assert reads < 1e-3 * value("fefet_1f1r_28nm", "read_disturb_reads") < MOST
    assert lost(gate, 2.5, reads * 10e-9) == pytest.approx(0.12, abs=2e-3)


def test_a_gate_that_is_not_known_has_no_rows_of_one() -> None:
    names = {r.name for r in library("fefet_22fdx")}
    assert "screened_share" not in names and "pulse_energy" not in names
    assert {"bit_density", "first_valid_read", "lifetime_of_rewrites"} <= names
    partly = {r.name for r in derived_of(without("fefet_1f1r_28nm", "grain_size"))}
    assert "gate_capacitance" in partly and "domains" not in partly


# -- films and capacitors ----------------------------------------------------------------------------------


def test_a_film_behind_a_delay() -> None:
    """τ = 54.8 ns·exp[(5.8585/1.768)^1.3434] at twice 1.1048 MV/cm; what has come through, 1 − e^(−t/τ), is
    the field from which the film falls back to zero."""
    voltage = 2 * 1.1048e8 * 8e-9
    tau = 54.782e-9 * math.exp((5.8585 / voltage) ** 1.3434)
    found = row(library("hzo_film_ni2018"), "half_switching_time")
    assert found.quantity is not None and "twice the coercive field" in found.how
    reached = -math.expm1(-found.quantity["value"] / tau) * 2 * 1.1048e8
    assert float(Preisach(0.412, 0.239, 1.1048e8).pulse(reached)) == pytest.approx(0.0, abs=1e-6 * 0.412)
    assert 1.1048e8 < reached < 2 * 1.1048e8


def test_a_thermally_activated_capacitor() -> None:
    """3 V: fully switched with the shortest time constant, 0.1 ns·ln 2; 3 V·(2·0.27 + 0.06305·3) C/m²."""
    capacitance = EPS0 * 70 / 9.83e-9
    assert value("fecap_heracles", "half_switching_time") == close(1e-10 * math.log(2), rel=1e-3)
    assert value("fecap_heracles", "film_capacitance") == close(capacitance)
    density = 3 * (0.54 + capacitance * 3)  # 2.19 J/m²
    assert value("fecap_heracles", "pulse_energy_density") == close(density)
    assert value("fecap_heracles", "pulse_energy") == close(density * 6.25e-10)
    # 0.812 MV/cm at 300 K and 1 kHz, derived with the model's own two-period loop
    assert value("fecap_heracles", "coercive_field") == close(0.812e8, rel=5e-3)


def test_a_nucleation_film() -> None:
    rows = library("hzo_film_8nm3")
    half, left, share, coercive = (
        row(rows, name).quantity
        for name in ("half_switching_time", "polarization_left", "switched_share", "coercive_field")
    )
    assert half is not None and left is not None and share is not None and coercive is not None
    assert left["value"] == close(0.227186 * (2 * share["value"] - 1))
    assert left["high"] - left["low"] == close(0.014, rel=0.02)  # ±0.007 C/m² is the error of the law
    # between what switches one half in a quarter of the period and in a hundredth of it
    fields = []
    for time in (250e-6, 2.5e-6):
        low, high = 0.5e8, 3e8
        while high - low > 1e4:
            field = (low + high) / 2
            slow = value(changed("hzo_film_8nm3", write_voltage=field * 8.3e-9), "half_switching_time") > time
            low, high = (field, high) if slow else (low, field)
        fields.append(low)
    assert fields[0] < coercive["value"] < fields[1]


def test_a_landau_film() -> None:
    """Published: 19.51 µC/cm² and 1.932 MV/cm, the roots of −2.5e9·P + 6e10·P³ + 1.5e11·P⁵."""
    assert value("hzo_film_ferrox", "spontaneous_polarization") == close(0.1951, rel=1e-3)
    assert value("hzo_film_ferrox", "coercive_field") == close(1.932e8, rel=1e-3)


def test_a_weak_pulse_never_switches_one_half() -> None:
    found = row(derived_of(changed("hzo_film_8nm3", write_voltage=0.05)), "half_switching_time")
    assert found.quantity is None and "not within 1e+09 s" in found.reason


def test_a_law_with_an_interval_gives_the_loop_one() -> None:
    device = load_device("hzo_film_8nm3")
    scale = device.parameters["activation_field_scale"]
    wide = dataclasses.replace(scale, low=0.9 * scale.value, high=1.1 * scale.value, distribution="lognormal")
    parameters = ParameterSet(wide if p.name == wide.name else p for p in device.parameters.values())
    found = row(derived_of(dataclasses.replace(device, parameters=parameters)), "coercive_field").quantity
    assert found is not None
    assert found["low"] == close(0.9 * found["value"], rel=0.03)  # fields scale with it
    assert found["high"] == close(1.1 * found["value"], rel=0.03)


def test_a_capacitor_known_by_its_loop_alone() -> None:
    """45 nm, 3 MV/cm, 10 MV/cm, 100 µC/cm², 13.5 V, 78.5 µm²."""
    name = "alscn_capacitor_45nm"
    assert value(name, "write_field") == close(3e8)
    assert value(name, "breakdown_margin") == close(10 / 3)
    assert value(name, "coercive_voltage") == close(13.5)
    assert value(name, "switching_charge") == close(2 * 1.0 * 7.85e-11)
    assert value(name, "switching_energy") == close(2 * 1.0 * 7.85e-11 * 13.5)


def test_a_cell_that_is_read_by_switching_it() -> None:
    """2·0.2 C/m² on 0.01 µm² are 4 fC: 0.2 V on 20 fF, 10 fJ at 2.5 V; 1e11 cycles at a microsecond."""
    name = "feram_hzo_1t1c"
    assert value(name, "switching_charge") == close(4e-15)
    assert value(name, "switching_energy") == close(1e-14)
    assert value(name, "sense_signal") == close(0.2)
    assert value(name, "cycles_of_a_read") == 1.0
    assert value(name, "lifetime_of_reads") == close(1e5)
    for name_ in ("switching_charge", "sense_signal"):
        assert "100 × 100 nm" in row(library(name), name_).how
    assert "20 fF" in row(library(name), "sense_signal").how
    # a film of 10 nm and ε 30 takes its share: 4 fC/(20 fF + 0.266 fF)
    known = changed(name, film_thickness=1e-8, relative_permittivity=30.0)
    assert value(known, "sense_signal") == close(4e-15 / (20e-15 + EPS0 * 30 / 1e-8 * 1e-14))


def test_a_capacitance_that_is_read() -> None:
    """7.8 fF/µm² · 0.01 µm² · 50 mV = 24 electrons; 57 of noise on 20 fF and the cell."""
    name = "memcapacitor_hfo2"
    electrons, noise = 7.8e-3 * 1e-14 * 0.05 / Q, math.sqrt(KT * (20e-15 + 7.8e-17)) / Q
    assert electrons == close(24.3, rel=2e-3) and noise == close(56.9, rel=1e-3)
    assert value(name, "read_electrons") == close(electrons)
    assert value(name, "noise_electrons") == close(noise)
    assert value(name, "read_enob") == close((20 * math.log10(electrons / noise) - 1.76) / 6.02)
    assert "noise exceeds" in row(library(name), "read_enob").remark
    area = value(name, "area_for_three_bits")
    assert value(changed(name, device_area=area), "read_enob") == close(3.0)
    assert value(changed(name, device_area=area), "reads_for_three_bits") == close(1.0)
    # both capacitances, however they are stated, say the same
    both = changed("memcapacitor_mfs", capacitance_on=1e-2, capacitance_off=8e-5, read_voltage=0.05)
    ratio = changed("memcapacitor_mfs", capacitance_on=1e-2, read_voltage=0.05)
    window = changed("memcapacitor_mfs", capacitance_window=1e-2 * (1 - 1 / 125), read_voltage=0.05)
    for device in (both, ratio, window):
        assert value(device, "read_electrons") == close(9.92e-3 * 1e-14 * 0.05 / Q)


def test_the_contrast_of_a_small_ratio() -> None:
    assert value("fecap_small_signal", "capacitance_contrast") == close(1 / 3)
    assert value("fecap_small_signal", "level_contrast") == close(1 / 21)


def test_a_tunnel_junction() -> None:
    """100 A/m² on 0.01 µm² is 1 pA, 80 GΩ, 0.062 electrons in 10 ns; 95.9 electrons of 1 pA take 15.4 µs."""
    name, needed = "ftj_hzo_wox_2nm7", 10 ** ((6.02 * 3 + 1.76) / 10)
    assert value(name, "on_current") == close(1e-12)
    assert value(name, "on_resistance") == close(80e9)
    assert value(name, "electrons_in_10_ns") == close(1e-12 * 1e-8 / Q)
    assert value(name, "read_time_for_three_bits") == close(needed * Q / 1e-12)
    assert value(name, "area_for_fast_read") == close(needed * Q / (100 * 1e-6))
    assert "off current unknown" in row(library(name), "read_time_for_three_bits").how
    large = changed(name, device_area=1e-12)
    assert value(large, "read_time_for_three_bits") == close(needed * Q / 1e-10)
    assert "device_area" in row(derived_of(large), "on_current").how
    # with a ratio of 2 the difference is half of the current: four times as long
    assert value(changed(name, on_off_ratio=2.0), "read_time_for_three_bits") == close(4 * needed * Q / 1e-12)
    assert value("ftj_hzo_epitaxial", "ratio_of_neighbours") == close(834 ** (1 / 7))


# -- other cells -------------------------------------------------------------------------------------------


def test_a_second_gate() -> None:
    """γ 0.1: 0.1/25.85 mV = 3.87 a volt; (e^x − 1)/x = 1.1 at x = 0.1875, which is 48.5 mV."""
    name = "fefet_double_gate_fdsoi"
    assert value(name, "threshold_shift_per_back_gate") == close(0.1)
    assert value(name, "window_share_per_back_gate") == close(0.1 / 1.5)
    assert value(name, "gain_per_back_gate") == close(0.1 / (KT / Q))
    assert value(name, "linear_back_gate") == close(0.1875 * KT / Q / 0.1, rel=2e-3)
    assert "n = 1" in row(library(name), "gain_per_back_gate").how
    steep = derived_of(changed(name, slope_factor=1.5))
    assert "n = 1" not in row(steep, "gain_per_back_gate").how
    assert value(changed(name, slope_factor=1.5), "gain_per_back_gate") == close(0.1 / (1.5 * KT / Q))


def test_drift_of_a_phase_change_cell() -> None:
    """86,400 s/200 s to the power of −0.0564: 71 %; ten years 45 %. Cells of GST: ν 0.049 ± 1.645·0.008."""
    assert value("pcm_14nm_ibm", "conductance_left_day") == close(432**-0.0564)
    assert value("pcm_14nm_ibm", "conductance_left_ten_years") == close((TEN_YEARS / 200) ** -0.0564)
    assert value("pcm_14nm_ibm", "drift_spread_ten_years") == close(0.0121 * math.log(TEN_YEARS / 200))
    found = row(library("pcm_gst_ibm"), "conductance_left_day").quantity
    assert found is not None
    for end, sign in (("low", 1), ("high", -1)):
        assert found[end] == close(4320 ** -(0.049 + sign * 1.645 * 0.008), rel=5e-3)


def test_levels_in_sigma() -> None:
    assert value("rram_1t1r_neurram_130nm", "spacing_in_sigma") == close((20 - 1) / 3 / (0.066 * 20))
    assert "closer than 6" in row(library("rram_1t1r_neurram_130nm"), "spacing_in_sigma").remark
    assert value("rram_cmo_hfox", "spacing_in_sigma") == close((1 - 1 / 9.8) / 31 / 0.0152)
    assert value("fefet_analog_synapse", "spacing_in_update_sigma") == close(1 / 31 / 0.005)
    assert value("sonos_40nm", "levels_six_sigma_apart") == close(1 + 3200 / (6 * 19.88665))
    assert value("pcm_14nm_ibm", "levels_six_sigma_apart") == close(1 + 10.35 / (6 * 0.865))
    assert value("ferro_diode_alscn", "spacing_in_sigma") == close(9 / 2.7)
    assert value("fefet_3d_nand", "level_spacing") == close(11 / 7)
    assert value("ecram_array_10x10", "level_spacing") == close(60e-6 / 255)
    assert value("ecram_metal_oxide", "range_sigma") == close(2 * math.sqrt(1.41e-4))
    assert value("ecram_array_10x10", "time_over_range") == close(25.5)


def test_currents_and_writes() -> None:
    assert value("rram_1t1r_neurram_130nm", "on_over_other_off") == close(20 / 127)
    assert "outweigh" in row(library("rram_1t1r_neurram_130nm"), "on_over_other_off").remark
    assert value("stt_mram", "on_over_other_off") == close(2 / 127)
    assert value("stt_mram", "mean_write_voltage") == close(1e-12 / (80e-6 * 10e-9))
    assert value("rram_taox_hfox", "mean_write_current") == close(0.7e-12 / (1.6 * 50e-9))
    assert value("sram_8t_28nm", "array_leakage") == close(16384 * 1e-10)
    assert value("gain_cell_igzo", "refreshes_in_ten_years") == close(TEN_YEARS / 400)
    assert value("gain_cell_igzo", "endurance_for_refreshes") == close(TEN_YEARS / 400 / 1e11)
    assert value("gain_cell_osfet", "time_of_an_input_level") == close(1e-9)


# -- wear and time -----------------------------------------------------------------------------------------


def test_the_first_cells_of_an_array() -> None:
    """Repairable are 16 of 16,384 cells: the 17th fails at about z = −3.09 of the spread, 10^(−0.927)."""
    assert "cycles_to_array_loss" not in {r.name for r in library("fefet_22fdx")}
    spread = changed("fefet_22fdx", endurance_sigma=0.3)
    found = row(derived_of(spread), "cycles_to_array_loss")
    assert found.quantity is not None
    assert found.quantity["value"] == close(1e5 * 10 ** (-0.3 * 3.085), rel=0.01)
    assert found.quantity["value"] == close(float(Endurance(1e5, 0.3).cycles_to_failure(16384, 1e-3)))
    assert "0.1%" in found.how and "128 × 128" in found.how


def test_retention_is_told_or_its_law_is_missing() -> None:
    missing = row(library("fefet_28nm_gf"), "retention_loss_ten_years")
    assert missing.quantity is None and "only that states hold for 10 years" in missing.reason
    stretched = changed("fecap_small_signal", retention_time_constant=TEN_YEARS, retention_exponent=0.5)
    assert value(stretched, "retention_loss_ten_years") == close(1 - math.exp(-1))
    assert value("rram_cmo_hfox", "relaxation_in_ten_years") == close(0.04201137e-6 * math.log(3652.5))
    assert not any("retention" in r.name for r in library("gain_cell_igzo"))


@pytest.mark.parametrize(
    ("device", "parameter", "factor", "name"),
    [
        ("fefet_1f1r_28nm", "interlayer_thickness", 2.0, "gate_capacitance"),
        ("fefet_1f1r_28nm", "remanent_polarization", 0.5, "screened_share"),
        ("fefet_1f1r_28nm", "grain_size", 0.5, "threshold_sigma_unverified"),
        ("fefet_1f1r_28nm", "write_time", 1e3, "half_voltage_shift"),
        ("fefet_1f1r_28nm", "write_pulses", 1e4, "row_inhibit_shift"),
        ("fefet_1f1r_28nm", "write_voltage", 0.75, "memory_window_physical"),
        ("fefet_1f1r_28nm", "window_closing", 2.0, "cycles_to_half_window"),
        ("hzo_film_10nm", "write_voltage", 0.9, "half_switching_time"),
        ("hzo_film_10nm", "write_time", 0.1, "switched_share"),
        ("hzo_film_10nm", "merz_exponent", 1.1, "coercive_field"),
        ("fecap_heracles", "switching_barrier", 1.1, "coercive_field"),
        ("memcapacitor_hfo2", "read_voltage", 2.0, "read_enob"),
        ("ftj_hzo_wox_2nm7", "on_current_density", 2.0, "read_time_for_three_bits"),
        ("pcm_14nm_ibm", "drift_reference_time", 0.5, "conductance_left_day"),
        ("rram_1t1r_neurram_130nm", "off_current", 0.5, "on_over_other_off"),
    ],
)
def test_a_changed_parameter_changes_the_row(device: str, parameter: str, factor: float, name: str) -> None:
    number = load_device(device).parameters[parameter].value * factor
    before, after = value(device, name), value(changed(device, **{parameter: number}), name)
    assert not math.isclose(before, after, rel_tol=1e-3, abs_tol=0.0)


def test_intervals_follow_those_of_the_parameters() -> None:
    """0.8 V, 0.76 to 0.84, over 5 MΩ that are exact."""
    found = row(library("fefet_1f1r_28nm"), "on_current_bound").quantity
    assert found is not None
    assert [found["low"], found["high"]] == close(np.asarray([152e-9, 168e-9]), rel=2e-3)
    exact = row(derived_of(changed("fefet_1f1r_28nm", read_voltage=0.8)), "on_current_bound").quantity
    assert exact == {"value": close(160e-9), "low": close(160e-9), "high": close(160e-9)}


# -- the screen --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "unit", "quantity", "expected"),
    [
        ("x", "V", (0.105, 0.0778, 0.493), ("105 mV", "77.8 to 493 mV")),
        ("x", "C/m^2", (0.27, 0.226, 0.314), ("27.0 µC/cm²", "22.6 to 31.4 µC/cm²")),
        ("x", "F/m^2", (0.0078, 0.0078, 0.0078), ("7.80 fF/µm²", "–")),
        ("x", "J/m^2", (2.19, 2.19, 2.19), ("2.19 pJ/µm²", "–")),
        ("x", "V/m", (1.3e8, 1.3e8, 1.3e8), ("1.30 MV/cm", "–")),
        ("x", "1/m^2", (4e13, 4e13, 4e13), ("40.0 Mbit/mm²", "–")),
        ("x", "ohm", (8e10, 8e10, 8e10), ("80.0 GΩ", "–")),
        ("x", "m^2", (1.54e-13, 1.54e-13, 1.54e-13), ("0.154 µm²", "–")),
        ("x", "1/V", (3.87, 2.32, 5.79), ("3.87 1/V", "2.32 to 5.79 1/V")),
        ("x", "s", (1e4, 3.01e3, 9.93e4), ("2.8 hours", "50 minutes to 1.1 days")),
        ("x", "s", (4.1e-7, 4.1e-7, 4.1e-7), ("410 ns", "–")),
        ("x", "1", (MOST, 2.3e8, MOST), ("> 1e+15", "2.30e+08 to > 1e+15")),
        ("x", "1", (7.0, 2.99, 33.6), ("7", "2.99 to 33.6")),
        ("screened_share", "1", (0.907, 0.573, 0.934), ("90.7 %", "57.3 % to 93.4 %")),
    ],
)
def test_numbers_on_the_screen(
    name: str, unit: str, quantity: tuple[float, float, float], expected: tuple[str, str]
) -> None:
    found = dict(zip(("value", "low", "high"), quantity, strict=True))
    assert told(Derived(name, found, unit, "how").document()) == expected


@pytest.mark.parametrize(
    ("number", "unit", "expected"),
    [
        (2.875e8, "V/m", "2.875 MV/cm"),
        (0.25, "C/m^2", "25 µC/cm²"),
        (2e-10, "F/m", "200 aF/µm"),
        (6.7e6, "ohm/m", "6.7 Ω/µm"),
        (3.15e8, "s", "10 years"),
        (1e5, "s", "100 ks"),
        (100.0, "A/m^2", "100 A/m^2"),
    ],
)
def test_parameters_read_in_the_units_of_the_field(number: float, unit: str, expected: str) -> None:
    assert parameter_value({"value": number, "unit": unit, "low": number, "high": number}) == (expected, "–")


def test_a_quantity_that_is_not_known_on_the_screen() -> None:
    screen = io.StringIO()
    rows = [Derived("loss", None, "V", "in 10 years", reason="no law").document()]
    show_derived(Console(file=screen, width=80), rows)
    assert "loss         –" in screen.getvalue() and "  in 10 years. No law." in screen.getvalue()
    empty = io.StringIO()
    show_derived(Console(file=empty, width=80), [])
    assert empty.getvalue() == ""


def test_show_prints_the_block_and_json_holds_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(["devices", "show", "feram_hzo_1t1c"]) == 0
    out = capsys.readouterr().out
    assert out.index("family") < out.index("sense signal") < out.index("remanent_")
    assert shell.run(["devices", "show", "feram_hzo_1t1c", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["derived"]
    signal = next(r for r in rows if r["name"] == "sense_signal")
    assert signal["quantity"]["value"] == close(0.2) and signal["unit"] == "V"
    assert shell.run(["designs", "show", "fefet_crossbar_28nm", "--json"]) == 0
    assert "derived" not in json.loads(capsys.readouterr().out)


def test_no_letter_of_a_parameter_is_lost_on_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert shell.run(["devices", "show", "fefet_1f1r_28nm"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    start = next(i for i, line in enumerate(lines) if line.startswith("parameter "))
    column = lines[start].index("basis, source")
    sources = "".join(line[column:] for line in lines[start:] if len(line) > column)
    names = "".join(line[:18].strip() for line in lines[start:])
    assert "Fig. 5 (four" in sources and "netlist of" in sources
    assert "word_line_capacitance" in names and "activation_field_mean" in names
