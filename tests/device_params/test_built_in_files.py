"""The files that come with the package: they load, cite, stay inside their physics, and need no checkout."""

from __future__ import annotations

import ast
import math
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tolerance import close

import device_params
from device_params import (
    describe,
    list_names,
    load_design,
    load_device,
    load_macro,
    load_technology,
    references,
)
from device_params.load import FOLDERS, load_converter, load_memory
from device_params.schema import Kind, Parameter
from device_params.vocabulary import SLOTS, VOCABULARY

PACKAGE = Path(device_params.__file__).parent
FILES = [(kind, name) for kind in FOLDERS for name in list_names(kind)]
LOADERS = {
    "device": load_device,
    "technology": load_technology,
    "converter": load_converter,
    "memory": load_memory,
    "macro": load_macro,
}


def parameters_of(kind: Kind, name: str) -> list[Parameter]:
    if kind == "design":
        return list(load_design(name).parameters.values())
    return list(LOADERS[kind](name).parameters.values())


def test_there_is_a_file_of_every_kind() -> None:
    assert {kind for kind, _ in FILES} == set(FOLDERS)
    assert {load_device(name).family for name in list_names("device")} >= {"fefet", "rram", "sram"}


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_file_loads_and_describes_itself(kind: Kind, name: str) -> None:
    document = describe(kind, name)
    assert document["name"] == name
    assert document["title"] and document["description"]
    assert all(row["meaning"] for row in document["parameters"])
    assert set(document["references"]) <= set(references())


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_every_number_is_finite_ordered_and_inside_its_range(kind: Kind, name: str) -> None:
    for parameter in parameters_of(kind, name):
        low, high = parameter.allowed
        numbers = (low, parameter.low, parameter.value, parameter.high, high)
        assert all(math.isfinite(number) for number in numbers), parameter
        assert list(numbers) == sorted(numbers), parameter
        assert (parameter.distribution == "fixed") == (parameter.low == parameter.high), parameter


@pytest.mark.parametrize(("kind", "name"), FILES)
def test_evidence(kind: Kind, name: str) -> None:
    for parameter in parameters_of(kind, name):
        assert set(parameter.source_keys) <= set(references()), parameter
        assert parameter.source or parameter.basis == "assumed", parameter
        assert parameter.note or parameter.basis not in ("derived", "assumed"), parameter
        if parameter.weak and parameter.basis != "derived":
            assert parameter.basis == "assumed", (
                f"a weak number may not pass as {parameter.basis}: {parameter}"
            )
        # a weak number that matters has a wide interval
        if parameter.weak and parameter.distribution == "lognormal":
            assert parameter.high / parameter.low >= 1.4, parameter


def test_every_entry_of_the_bibliography_is_used() -> None:
    used = {
        key
        for kind, name in FILES
        for parameter in parameters_of(kind, name)
        for key in parameter.source_keys
    }
    assert used == set(references())


def test_the_cells_of_the_built_in_designs_give_what_a_crossbar_needs() -> None:
    slot = SLOTS["crossbar_chip"]["cell"]
    assert {"read_voltage", "on_current", "write_time", "endurance"} <= set(slot.needs)
    cells = {load_design(name).components["cell"] for name in list_names("design")}
    assert cells >= {"fefet_1f1r_28nm", "rram_1t1r_neurram_130nm", "sram_8t_28nm"}
    for name in cells:
        cell = load_device(name)
        assert slot.missing(cell.family, cell.parameters) == (), name


def test_what_a_slot_needs_is_a_name_of_every_family_that_fits() -> None:
    for slots in SLOTS.values():
        for slot in slots.values():
            for family in slot.families:
                assert slot.missing(family, ()) != () or not slot.needs
                for needs in (slot.needs, *slot.family_needs.get(family, ())):
                    assert set(needs) <= set(VOCABULARY[slot.kind, family])


def test_vocabulary_has_no_unit_unknown_to_the_files() -> None:
    for (kind, family), entries in VOCABULARY.items():
        for _, name in (file for file in FILES if file[0] == kind and kind != "design"):
            component = LOADERS[kind](name)
            if component.family == family:
                assert {p.unit for p in component.parameters.values()} <= {
                    entry.unit for entry in entries.values()
                }


# The arithmetic of the notes, done again.


def test_word_line_capacitance_of_the_fefet() -> None:
    cell = load_device("fefet_1f1r_28nm").parameters
    vacuum = 8.8541878128e-12
    film = 28 * vacuum / cell["film_thickness"].value
    oxide = 3.9 * vacuum / cell["interlayer_thickness"].value
    stack = 1 / (1 / film + 1 / oxide)
    assert stack == pytest.approx(0.0163, rel=0.01)
    edges = 2 * 0.25e-9 * 100e-9
    gate = cell["word_line_capacitance"].value
    assert stack * cell["gate_area"].value + edges == close(gate, rel=0.05)


def test_fefet_is_read_in_steps_and_its_levels_stand_apart() -> None:
    cell = load_device("fefet_1f1r_28nm").parameters
    assert cell["stepped_read"].value == 1
    steps = 2 ** cell["bits"].value - 1
    assert cell["level_spacing"].value * steps == pytest.approx(cell["read_gate_voltage"].value)
    assert cell["level_spacing"].low > 6 * cell["threshold_sigma"].high
    assert cell["on_current"].value < cell["read_voltage"].value / cell["series_resistance"].value


def test_rram_currents_follow_from_its_conductance() -> None:
    cell = load_device("rram_1t1r_neurram_130nm").parameters
    assert cell["on_current"].value == pytest.approx(
        cell["maximum_conductance"].value * cell["read_voltage"].value
    )
    # 1.10 and 2.65 uS of 40 uS at the highest level after 1 s and a day
    second = 0.348 + 16.030 - 43.853 + 45.393 - 16.815
    day = 0.701 + 22.086 - 50.773 + 47.095 - 16.458
    assert cell["on_current_sigma"].low == pytest.approx(second / 40, rel=0.05)
    assert cell["on_current_sigma"].value == pytest.approx(day / 40, rel=0.05)


def test_full_adder_is_three_nand_and_two_xor() -> None:
    gate = load_technology("28nm").parameters
    for quantity in ("capacitance", "area"):
        expected = 3 + 2 * gate[f"xor_{quantity}_ratio"].value
        assert gate[f"full_adder_{quantity}_ratio"].value == pytest.approx(expected)
    assert gate["full_adder_delay_ratio"].value == pytest.approx(2 * gate["xor_delay_ratio"].value)


def test_arithmetic_energies_follow_from_45_nm() -> None:
    gate = load_technology("28nm").parameters
    share = math.log(28 / 32) / math.log(20 / 32)
    at_08 = 0.65934 * (0.22106 / 0.65934) ** share
    at_10 = 0.63339 * (0.25139 / 0.63339) ** share
    factor = (at_08 + at_10) / 2
    at_16_bits = math.log(2) / math.log(4)
    expected = {
        "multiply8_energy": 0.2e-12,
        "add32_energy": 0.1e-12,
        "add_energy": 0.03e-12 * (0.1 / 0.03) ** at_16_bits,
        "multiply_energy": 0.2e-12 * (3.1 / 0.2) ** at_16_bits,
    }
    for name, at_45 in expected.items():
        assert gate[name].value == close(at_45 * factor, rel=0.01), name


def test_leakage_and_wires_follow_from_the_tables_of_cacti() -> None:
    gate = load_technology("28nm").parameters
    width, supply = 0.3, gate["supply_voltage"].value  # um, V
    lstp, lop = (58e-12 * width * supply, 62e-9 * width * supply)
    assert gate["gate_leakage"].low == close(lstp, rel=0.05)
    assert gate["gate_leakage"].value == close(math.sqrt(lstp * lop), rel=0.05)
    local = 2.2e-8 / ((35e-9 - 2 * 3e-9) * (70e-9 - 3e-9))
    semi_global = 2.2e-8 / ((56e-9 - 2 * 3e-9) * (112e-9 - 3e-9))
    assert gate["wire_resistance"].value == pytest.approx(math.sqrt(local * semi_global), rel=0.02)
    at_32, at_22 = 1.99 * 1.0 / 683.6, 1.99 * 0.8 / 727.6  # V / (A/m) = ohm*m
    at_28 = at_32 * (at_22 / at_32) ** (math.log(28 / 32) / math.log(22 / 32))
    assert gate["transistor_on_resistance_width"].value == pytest.approx(at_28, rel=0.02)


def test_buffer_is_the_log_log_mean_of_two_nodes() -> None:
    buffer = load_memory("sram_1mb_28nm").parameters
    share = math.log(28 / 22) / math.log(65 / 22)
    for name, at_22, at_65 in [
        ("read_energy", 283.9e-15, 2221e-15),
        ("write_energy", 245.7e-15, 1925e-15),
        ("area", 0.8563e-6, 6.776e-6),
        ("leakage", 0.1386e-3, 0.1562e-3),
        ("access_time", 2.493e-9, 5.439e-9),
        ("cycle_time", 2.015e-9, 4.719e-9),
    ]:
        assert buffer[name].value == close(at_22 * (at_65 / at_22) ** share, rel=0.005), name


@pytest.mark.parametrize(
    ("bits", "picojoule", "square_micrometre"),
    [(4, 0.324, 183), (6, 0.489, 618), (8, 0.701, 2085), (10, 1.659, 7036)],
)
def test_converter_gives_the_published_table(bits: int, picojoule: float, square_micrometre: float) -> None:
    adc = {name: parameter.value for name, parameter in load_converter("sar_28nm").parameters.items()}
    energy = (adc["linear_capacitance"] * bits + adc["exponential_capacitance"] * 4**bits) * 0.9**2
    area = adc["area_coefficient"] * 10 ** (-adc["area_slope"] * bits) * 2**bits
    assert energy == close(picojoule * 1e-12, rel=0.005)
    assert area == close(square_micrometre * 1e-12, rel=0.005)


# The package itself.


def test_nothing_of_ours_is_imported() -> None:
    for file in PACKAGE.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {name.split(".")[0] for name in names} & {"cost_models", "sweeps", "rmaat_hw"}, file


def run(code: str, path: Path) -> str:
    script = f"import sys; sys.path.insert(0, {str(path)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=path.parent
    )
    return done.stdout.strip()


def test_loading_the_default_design_needs_no_slow_library() -> None:
    code = (
        "from device_params import load_design; load_design('fefet_crossbar_28nm')\n"
        "print(sorted({'pint', 'pandas', 'numpy', 'torch', 'scipy'} & set(sys.modules)))"
    )
    assert run(code, PACKAGE.parent) == "[]"


def test_data_are_found_inside_an_archive(tmp_path: Path) -> None:
    archive = tmp_path / "package.zip"
    with zipfile.ZipFile(archive, "w") as package:
        for file in PACKAGE.rglob("*"):
            if file.is_file() and file.suffix in {".py", ".yaml", ".bib"}:
                package.write(file, file.relative_to(PACKAGE.parent))
    code = (
        "import device_params; design = device_params.load_design('fefet_crossbar_28nm')\n"
        "print('package.zip' in device_params.__file__, 'package.zip' in design.path, len(design.parameters))"
    )
    assert run(code, archive) == f"True True {len(load_design('fefet_crossbar_28nm').parameters)}"
