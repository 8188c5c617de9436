"""Ferroelectric device files: which there are, what may not be mixed, and the arithmetic of their notes."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
import pytest
from scipy import constants, special
from tolerance import close

import device_params
from device_params import InputError, list_names, load_device
from device_params.device_vocabulary import DEVICES, SWITCHING
from device_params.schema import NORMAL_SCORE_95, Parameter, ParameterSet

DEVICE_FOLDER = Path(device_params.__file__).parent / "devices"

FAMILY_OF = {
    "hzo_film_8nm3": "ferroelectric_film",
    "hzo_film_10nm": "ferroelectric_film",
    "hzo_film_mfm": "ferroelectric_film",
    "hzo_film_ni2018": "ferroelectric_film",
    "hzo_film_ferrox": "ferroelectric_film",
    "fecap_heracles": "fecap",
    "fecap_small_signal": "fecap",
    "alscn_capacitor_45nm": "fecap",
    "fefet_1f1r_28nm": "fefet",
    "fefet_8nm_deng": "fefet",
    "fefet_analog_synapse": "fefet",
    "fefet_22fdx": "fefet",
    "fefet_28nm_gf": "fefet",
    "fefet_sinx_soi": "fefet",
    "fefet_500nm_28nm": "fefet",
    "fefet_3d_trench": "fefet",
    "fefet_3d_nand": "fefet",
    "femfet_mfm_beol": "femfet",
    "fefet_double_gate_fdsoi": "double_gate_fefet",
    "ftj_hzo_wox_2nm7": "ftj",
    "ftj_hzo_epitaxial": "ftj",
    "ftj_bso_1nm": "ftj",
    "ftj_superlattice": "ftj",
    "feram_hzo_1t1c": "feram",
    "feram_micron_nvdram": "feram",
    "feram_pzt": "feram",
    "memcapacitor_mfs": "memcapacitor",
    "memcapacitor_hfo2": "memcapacitor",
    "ferro_diode_alscn": "ferro_diode",
}

ONE_SOURCE_EACH = [name for name in FAMILY_OF if name != "fefet_1f1r_28nm"]
"""All but the cell of the default design, which joins several sources and is tested for itself."""

WEAK_SOURCES = {"trentzsch2016"}
"""Known through a secondary summary: alone, they make no measured number."""

AREA = 100e-9 * 100e-9  # m^2, the gate of the worked examples


def parameters(name: str) -> ParameterSet:
    return load_device(name).parameters


def switching_set(name: str) -> list[Parameter]:
    device = load_device(name)
    names = [name for name, entry in DEVICES[device.family].items() if entry.group == SWITCHING]
    return [device.parameters[name] for name in names if name in device.parameters]


def test_the_library_is_complete() -> None:
    ferroelectric = set(FAMILY_OF.values())
    there = {name: load_device(name).family for name in list_names("device")}
    assert there.items() >= FAMILY_OF.items()
    # and a new ferroelectric file has to be entered above, where these tests see it
    assert {name for name, family in there.items() if family in ferroelectric} == set(FAMILY_OF)


@pytest.mark.parametrize("name", ONE_SOURCE_EACH)
def test_a_description_says_what_is_not_known(name: str) -> None:
    assert re.search(r"Not known( here| from the abstracts?)?: ", load_device(name).description)


@pytest.mark.parametrize("name", ONE_SOURCE_EACH)
def test_spans_of_the_measurements_are_told(name: str) -> None:
    device = parameters(name)
    low, high = device["temperature"].allowed
    assert 200 < low <= 300 <= high < 900
    for pulse in {"write_voltage", "write_time", "erase_voltage"} & set(device):
        assert 0 < device[pulse].allowed[0] <= device[pulse].value <= device[pulse].allowed[1]


@pytest.mark.parametrize("name", FAMILY_OF)
def test_a_switching_set_has_one_source(name: str) -> None:
    fitted = [parameter for parameter in switching_set(name) if parameter.basis != "assumed"]
    if fitted:
        assert set.intersection(*(set(parameter.source_keys) for parameter in fitted))


@pytest.mark.parametrize("name", FAMILY_OF)
def test_what_rests_on_a_summary_alone_is_assumed(name: str) -> None:
    for parameter in parameters(name).values():
        if parameter.source_keys and set(parameter.source_keys) <= WEAK_SOURCES:
            assert parameter.basis == "assumed", parameter
            assert parameter.weak, parameter


@pytest.mark.parametrize("name", ONE_SOURCE_EACH)
def test_an_interval_is_not_a_sweep(name: str) -> None:
    for parameter in parameters(name).values():
        assert parameter.sweep_bounds != (parameter.low, parameter.high), parameter


@pytest.mark.parametrize(
    ("name", "intruder", "own_source", "other_source"),
    [
        ("hzo_film_8nm3", "remanent_polarization", '"deng2020, scalablefefet2020"', "ni2018"),
        ("alscn_capacitor_45nm", "coercive_field", "alscn2025", "deng2020"),
    ],
)
def test_a_set_mixed_from_two_sources_is_refused(
    tmp_path: Path, name: str, intruder: str, own_source: str, other_source: str
) -> None:
    lines = (DEVICE_FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    mixed = [
        line.replace(f"source: {own_source}", f"source: {other_source}")
        if line.startswith(f"  {intruder}:")
        else line
        for line in lines
    ]
    assert mixed != lines
    file = tmp_path / "mixed.yaml"
    file.write_text("".join(mixed), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_device(str(file))
    message = str(caught.value)
    assert message.startswith(f"{file}: parameters: the switching set mixes sources; got '")
    assert f"{intruder} ({other_source})" in message
    assert "take the set from one source; a value from elsewhere is 'assumed', with an interval" in message


def test_a_value_from_elsewhere_joins_a_set_only_with_source_and_interval(tmp_path: Path) -> None:
    text = (DEVICE_FOLDER / "hzo_film_8nm3.yaml").read_text(encoding="utf-8")
    assert "    interval: [20, 34]\n" in text
    file = tmp_path / "mine.yaml"
    file.write_text(text.replace("    interval: [20, 34]\n", ""), encoding="utf-8")
    with pytest.raises(
        InputError,
        match=r"relative_permittivity: an assumed value of the switching set needs a source and an interval",
    ):
        load_device(str(file))


# Fields, charges and currents of the notes.


def switched(film: ParameterSet, voltage: float, seconds: float) -> float:
    """Polarisation [C/m^2] after one pulse on the film at -Pr: the quadrature over activation fields."""
    value = film.nominal()
    a, p, q = (value[f"activation_shape_{letter}"] for letter in "apq")
    field = np.linspace(1e-3, 7.0, 20001)  # in units of the scale
    density = field ** (a * p - 1) / special.beta(p, q) / (1 + field**a) ** (p + q)
    drive = voltage / value["film_thickness"] / value["activation_field_scale"]
    exponent = np.minimum((field / drive) ** value["merz_exponent"], 500.0)  # exp(-500) s^-1 switches nothing
    hazard = seconds / value["switching_time_constant"] * np.exp(-exponent)
    share = np.trapezoid(density * -np.expm1(-(hazard ** value["kai_exponent"])), field)
    return float(value["remanent_polarization"] * (2 * share / np.trapezoid(density, field) - 1))


MEASURED = {
    "hzo_film_8nm3": (
        (0.3e-6, 11.5e-6, 0.97e-3),
        {
            0.8: (-22.48, -21.55, -11.94),
            1.0: (-22.48, -10.77, 8.16),
            1.2: (-21.69, 6.78, 18.75),
            1.5: (-18.95, 19.63, 22.18),
            1.8: (-14.04, 22.08, 23.06),
        },
        0.42,
        1.04,
    ),
    "hzo_film_10nm": (
        (0.1e-6, 3e-6, 100e-6),
        {
            0.5: (-25.14, -24.43, -23.13),
            1.0: (-25.09, -22.03, -2.83),
            1.5: (-25.21, -17.48, 18.51),
            2.0: (-24.98, -11.06, 22.32),
            3.0: (-24.79, -3.74, 24.04),
        },
        0.97,
        1.71,
    ),
}
"""Film -> pulse lengths [s], voltage [V] -> polarisation, and the two errors of the note, both [uC/cm^2]."""


@pytest.mark.parametrize("name", MEASURED)
def test_error_of_a_film_is_that_of_its_set_against_the_measurements(name: str) -> None:
    film = parameters(name)
    times, rows, root_mean_square, largest = MEASURED[name]
    misses = np.array(
        [
            switched(film, voltage, seconds) * 100 - measured  # C/m^2 are 100 uC/cm^2
            for voltage, row in rows.items()
            for seconds, measured in zip(times, row, strict=True)
        ]
    )
    assert math.sqrt(np.mean(misses**2)) == pytest.approx(root_mean_square, abs=0.005)
    assert np.abs(misses).max() == pytest.approx(largest, abs=0.005)
    error = film["polarization_error"]
    assert error.value == 0 and error.distribution == "normal"
    assert error.high == -error.low == pytest.approx(NORMAL_SCORE_95 * root_mean_square * 0.01, rel=0.02)
    for pulse, measured in (("write_voltage", list(rows)), ("write_time", list(times))):
        # the source measured more than the points that the error was taken from
        low, high = film[pulse].allowed
        assert low <= min(measured) * 1.001 and max(measured) <= high * 1.001


def test_fields_of_the_films() -> None:
    thin = parameters("hzo_film_8nm3")
    # 1 V over 8.3 nm is 1 / 0.83 MV/cm
    assert 1 / thin["film_thickness"].value == pytest.approx(1 / 0.83 * 1e8)
    # 1.5 V for 11.5 us: (19.63 + 22.7186) / (2 * 22.7186) = 93 %
    share = (19.63e-2 + thin["remanent_polarization"].value) / (2 * thin["remanent_polarization"].value)
    assert share == pytest.approx(0.93, abs=0.005)
    card = parameters("hzo_film_mfm")
    assert card["offset_field_sigma"].value == pytest.approx(0.5 / card["film_thickness"].value)
    assert card["activation_field_scale"].value == pytest.approx(2 / card["film_thickness"].value)
    # 6 V at 0.05 V/us
    assert card["write_time"].value == pytest.approx(6 / 0.05e6)


def test_activation_of_the_deng_card_is_its_voltage_over_the_film() -> None:
    card = parameters("fefet_8nm_deng")
    # 2.3 V / 8 nm = 2.875 MV/cm, 0.4 V / 8 nm = 0.5 MV/cm
    assert card["activation_field_mean"].value == pytest.approx(2.3 / 8e-9)
    assert card["activation_field_sigma"].value == pytest.approx(0.4 / 8e-9)
    assert card["film_thickness"].value == 8e-9


def test_the_polarization_of_the_deng_card_needs_screening() -> None:
    card = parameters("fefet_8nm_deng")
    polarization = card["remanent_polarization"]
    # 0.25 C/m^2 / (3.9 * 8.854e-12 F/m) = 7.24e9 V/m = 72 MV/cm
    field = polarization.value / (card["interlayer_permittivity"].value * constants.epsilon_0)
    assert field == pytest.approx(72e8, rel=0.01)
    # 9-12 uC/cm^2 switched in all are 4.5-6 to each side of zero
    assert 4.5e-2 <= polarization.low <= 6e-2
    # series stack 1 / (1/0.0310 + 1/0.0345) = 0.0163 F/m^2, at 4 V on 100 x 100 nm 2.6 fJ
    film = card["relative_permittivity"].value * constants.epsilon_0 / card["film_thickness"].value
    oxide = card["interlayer_permittivity"].value * constants.epsilon_0 / card["interlayer_thickness"].value
    assert AREA * 4**2 / (1 / film + 1 / oxide) == close(2.6e-15, rel=0.01)


def test_gate_and_grains_of_the_deng_device() -> None:
    card = parameters("fefet_8nm_deng")
    assert card["gate_area"].value == parameters("fefet_500nm_28nm")["gate_area"].value
    assert card["gate_area"].low == close(AREA)
    domains = card["gate_area"].value / card["grain_size"].value ** 2
    assert domains == pytest.approx(625)
    # half way through a write: 1.5 V * sqrt(0.5 * 0.5 / 625) = 30 mV
    assert 1.5 * math.sqrt(0.25 / domains) == pytest.approx(30e-3)
    window = card["saturated_window"]
    assert (window.low, window.value, window.high) == (1.48, 1.51, 1.52)
    # the limit 2 Ec tFE with the coercive field of another set is not far: 2 * 1.1048 MV/cm * 8 nm = 1.77 V
    coercive = parameters("hzo_film_ni2018")["coercive_field"].value
    assert 2 * coercive * card["film_thickness"].value == pytest.approx(1.77, abs=0.005)


def test_landau_set_has_the_static_points_of_its_description() -> None:
    film = parameters("hzo_film_ferrox").nominal()
    alpha, beta, gamma = (film[f"landau_{name}"] for name in ("alpha", "beta", "gamma"))
    # roots of alpha + beta P^2 + gamma P^4 and of alpha + 3 beta P^2 + 5 gamma P^4
    spontaneous = math.sqrt((-beta + math.sqrt(beta**2 - 4 * gamma * alpha)) / (2 * gamma))
    extremum = math.sqrt((-3 * beta + math.sqrt(9 * beta**2 - 20 * gamma * alpha)) / (10 * gamma))
    coercive = abs(alpha * extremum + beta * extremum**3 + gamma * extremum**5)
    assert spontaneous == pytest.approx(19.51e-2, rel=1e-3)
    assert coercive == pytest.approx(1.932e8, rel=1e-3)
    assert film["landau_resistivity"] == pytest.approx(1 / 100)


def test_spreads_of_the_heracles_card() -> None:
    card = parameters("fecap_heracles")
    assert card["saturation_polarization"].high == pytest.approx(0.27 + NORMAL_SCORE_95 * 0.027, rel=0.005)
    assert card["saturation_polarization"].low == pytest.approx(0.27 - NORMAL_SCORE_95 * 0.027, rel=0.005)
    assert card["device_area"].high == close(626.6e-12, rel=1e-4)
    assert card["switching_barrier"].value == close(1.05 * constants.e)
    assert card["temperature"].allowed == (233, 398)


def test_heracles_switches_within_the_times_of_its_rate() -> None:
    card = parameters("fecap_heracles").nominal()
    thermal = constants.k * 300
    work = {
        field: (card["switching_barrier"] - field * card["field_action_length"] * constants.e) / thermal
        for field in (0.8e8, 1.0e8, 1.35e8)
    }
    time = {field: constants.h / thermal * math.exp(exponent) for field, exponent in work.items()}
    # h/kT * exp((1.05 - 0.6) / 0.025852) = 1.5997e-13 s * 3.628e7 = 5.804 us; * 1.0959e5 = 17.53 ns
    # at 1 MV/cm; exp((1.05 - 1.0125) / 0.025852) = exp(1.4506) = 4.266, 0.682 ps at 1.35 MV/cm
    assert time[0.8e8] == close(5.804e-6, rel=1e-3)
    assert time[1.0e8] == close(17.53e-9, rel=1e-3)
    assert time[1.35e8] == close(0.682e-12, rel=1e-3)


def test_analog_synapse_carries_far_more_current_than_the_clipped_cell() -> None:
    synapse, cell = parameters("fefet_analog_synapse"), parameters("fefet_1f1r_28nm")
    resistance = 559.28e3
    assert synapse["on_current"].value == close(synapse["read_voltage"].value / resistance, rel=1e-3)
    assert synapse["off_current"].value == close(
        synapse["on_current"].value / synapse["on_off_ratio"].value, rel=2e-3
    )
    # 0.8 V / 559.28 kohm = 1.43 uA: 18 times the measured 80 nA, 14 times the simulated 100 nA
    current = cell["read_voltage"].value / resistance
    assert current / cell["on_current"].value == pytest.approx(18, abs=0.2)
    assert current / 100e-9 == pytest.approx(14.3, abs=0.1)
    # 128 x 128 cells: 16384 * (0.8 V)^2 / 559.28 kohm = 18.7 mW
    assert 128**2 * 0.8 * current == pytest.approx(18.7e-3, rel=0.01)
    assert synapse["levels"].value == 2 ** synapse["bits"].value
    low, high = synapse["write_voltage"].allowed
    assert (low + high) / 2 == pytest.approx(synapse["write_voltage"].value)
    low, high = synapse["erase_voltage"].allowed
    assert (low + high) / 2 == pytest.approx(synapse["erase_voltage"].value)
    assert "cell_area" not in synapse


def test_cells_in_feature_sizes() -> None:
    assert parameters("fefet_22fdx")["cell_area"].value / (22e-9) ** 2 == pytest.approx(52, abs=0.5)
    assert parameters("fefet_28nm_gf")["cell_area"].value / (28e-9) ** 2 == pytest.approx(57, abs=0.5)


def test_test_device_of_500_nm() -> None:
    device = parameters("fefet_500nm_28nm").nominal()
    assert device["gate_area"] == close(device["channel_width"] * device["channel_length"])


def test_back_gate_coupling_stays_near_the_ratio_of_windows() -> None:
    device = parameters("fefet_double_gate_fdsoi")
    coupling, window = device["back_gate_coupling"], device["memory_window"]
    # 0.9 V / 12 V = 0.075 and 1.5 V / 12 V = 0.125
    assert coupling.low < 0.9 / 12 < coupling.value < window.value / 12 < coupling.high
    assert coupling.basis == "assumed" and coupling.weak
    for geometry in ("channel_thickness", "buried_oxide_thickness", "front_oxide_thickness"):
        assert geometry not in device  # no source confirms one


def test_a_small_tunnel_junction_carries_a_picoampere() -> None:
    junction = parameters("ftj_hzo_wox_2nm7")
    # 0.01 A/cm^2 = 100 A/m^2, times 1e-14 m^2 = 1 pA; 80 mV / 1 pA = 80 Gohm; 1 pA * 10 ns / e = 0.06
    current = junction["on_current_density"].value * AREA
    assert current == close(1e-12)
    assert junction["read_voltage"].value / current == pytest.approx(80e9)
    assert current * 10e-9 / constants.e == pytest.approx(0.062, abs=0.001)
    assert not {"device_area", "on_current"} & set(junction)


def test_ratios_of_the_tunnel_junctions() -> None:
    ratio = {
        name: parameters(name)["on_off_ratio"].value
        for name in FAMILY_OF
        if "ftj" in name and "wox" not in name
    }
    assert ratio == {"ftj_hzo_epitaxial": 834, "ftj_bso_1nm": 1e5, "ftj_superlattice": 1273}
    assert "(on - off) / off" in parameters("ftj_hzo_epitaxial")["on_off_ratio"].note
    assert parameters("ftj_superlattice")["rectification"].value == 1550


def test_the_two_hafnium_ferams_are_never_merged() -> None:
    sony, micron = parameters("feram_hzo_1t1c"), parameters("feram_micron_nvdram")
    common = set(sony) & set(micron) - {"bits", "destructive_read", "temperature", "retention"}
    assert all(sony[name].value != micron[name].value for name in common)
    assert not {key for p in sony.values() for key in p.source_keys} & {
        key for p in micron.values() for key in p.source_keys
    }
    assert not {"remanent_polarization", "write_voltage", "write_time", "endurance"} & set(micron)
    assert "film_thickness" not in sony
    assert sony["cell_area"].weak and sony["cell_area"].value > 10 * micron["cell_area"].value
    for name in ("feram_hzo_1t1c", "feram_micron_nvdram", "feram_pzt"):
        assert parameters(name)["destructive_read"].value == 1


def test_density_of_the_stacked_feram() -> None:
    cell = parameters("feram_micron_nvdram")["cell_area"].value
    assert cell == close((48e-9) ** 2)
    # two layers: 2 / 0.002304 um^2 = 0.87 Gbit/mm^2, 0.45 of which were reached; 0.22 with F = 48 nm
    assert 2 / cell * 1e-6 == pytest.approx(0.87e9, rel=0.01)
    assert 0.45e9 / (2 / cell * 1e-6) == pytest.approx(0.5, abs=0.03)
    assert 2 / (4 * cell) * 1e-6 == pytest.approx(0.22e9, rel=0.02)


def test_the_large_capacitance_ratio_belongs_to_the_semiconductor_device() -> None:
    ratios = {
        name: parameters(name)["capacitance_ratio"]
        for name in FAMILY_OF
        if "capacitance_ratio" in parameters(name)
    }
    assert set(ratios) == {"memcapacitor_mfs", "fecap_small_signal"}
    assert ratios["memcapacitor_mfs"].value == 125
    assert ratios["fecap_small_signal"].high <= 2
    assert ratios["fecap_small_signal"].basis == "assumed"
    # cycles of the three kinds are not interchangeable either
    assert "endurance" not in parameters("memcapacitor_mfs")
    assert parameters("memcapacitor_hfo2")["endurance"].value == 1e9
    assert parameters("feram_hzo_1t1c")["endurance"].value == 1e11


def test_signal_of_the_memcapacitor_is_two_dozen_electrons() -> None:
    device = parameters("memcapacitor_hfo2")
    # 7.8 fF/um^2 * 0.01 um^2 * 50 mV / e = 24; sqrt(kT * 20 fF) / e = 57
    electrons = device["capacitance_window"].value * AREA * device["read_voltage"].value / constants.e
    assert electrons == pytest.approx(24, abs=0.5)
    assert math.sqrt(constants.k * 300 * 20e-15) / constants.e == pytest.approx(57, abs=0.5)


def test_alscn_is_a_film_of_45_nm() -> None:
    film = parameters("alscn_capacitor_45nm")
    thickness = film["film_thickness"].value
    # 3 MV/cm * 45 nm = 13.5 V; 10 MV/cm * 45 nm = 45 V
    assert thickness == 45e-9
    assert film["write_voltage"].value == pytest.approx(film["coercive_field"].value * thickness)
    assert film["write_voltage"].allowed == pytest.approx((13.5, film["breakdown_field"].value * thickness))
    # 2 * 1 C/m^2 * 1e-14 m^2 * 13.5 V = 270 fJ
    energy = 2 * film["remanent_polarization"].value * AREA * film["write_voltage"].value
    assert energy == close(270e-15)
    assert film["device_area"].value == close(math.pi / 4 * (10e-6) ** 2, rel=1e-3)
    assert film["endurance"].value == 1e8


def test_ferro_diode_of_the_array() -> None:
    diode = parameters("ferro_diode_alscn")
    assert diode["device_area"].value == close(math.pi / 4 * (5e-6) ** 2, rel=2e-3)
    # 2500 bit/mm^2 are 400 um^2 a diode
    pitch_squared = 1e-6 / 2500
    assert pitch_squared == close(400e-12)
    assert diode["device_area"].value < pitch_squared
    assert (diode["on_off_ratio"].value, diode["on_off_ratio_sigma"].value) == (10, 0.27)
    assert diode["switching_voltage_sigma"].value == 0.003
