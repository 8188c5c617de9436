"""Two files side by side, and the sources behind files."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

import device_params
from device_params import InputError, load_design, load_device, references
from device_params.cite import cite
from device_params.diff import Row, diff, load_pair, to_pandas
from device_params.references import parse_bib
from device_params.vocabulary import VOCABULARY

PACKAGE = Path(device_params.__file__).parent


def by_name(rows: list[Row]) -> dict[str, Row]:
    return {row.parameter: row for row in rows}


def test_values_stand_side_by_side_in_si() -> None:
    rows = by_name(diff("stt_mram", "stt_mram_neurosim"))
    resistance = rows["on_resistance"]
    # 3.5 kohm / 3 kohm
    assert resistance.ratio == pytest.approx(3.5 / 3)
    assert resistance.record() == {
        "parameter": "on_resistance",
        "unit": "ohm",
        "meaning": "resistance of the parallel state",
        "value_a": 3000.0,
        "low_a": 1500.0,
        "high_a": 6000.0,
        "basis_a": "assumed",
        "source_a": "nvmexplorer2021",
        "value_b": 3500.0,
        "low_b": 3500.0,
        "high_b": 3500.0,
        "basis_b": "measured",
        "source_b": "neurosim2019",
        "ratio": pytest.approx(3.5 / 3),
        "only_in": None,
    }
    assert (rows["write_voltage"].only_in, rows["write_voltage"].ratio) == ("b", None)
    assert (rows["cell_area"].only_in, rows["cell_area"].ratio) == ("a", None)
    assert rows["erase_before_write"].ratio is None  # both are zero
    assert rows["bits"].same and not rows["write_time"].same  # the same value, another interval


def test_every_parameter_of_either_file_has_a_row_in_the_order_of_the_vocabulary() -> None:
    a, b = load_device("rram_taox_hfox"), load_device("pcm_gst_ibm")
    names = [row.parameter for row in diff(a, b)]
    assert set(names) == set(a.parameters) | set(b.parameters)
    order = [*VOCABULARY["device", "rram"], *VOCABULARY["device", "pcm"]]
    assert names == sorted(names, key=order.index)


def test_swapping_the_files_turns_the_ratio_around() -> None:
    there, back = (
        by_name(diff("rram_taox_hfox", "rram_cmo_hfox")),
        by_name(diff("rram_cmo_hfox", "rram_taox_hfox")),
    )
    assert set(there) == set(back)
    for name, row in there.items():
        assert (row.a, row.b) == (back[name].b, back[name].a)
        if row.ratio:
            assert row.ratio * (back[name].ratio or 0) == pytest.approx(1)


def test_a_file_does_not_differ_from_itself(tmp_path: Path) -> None:
    text = (PACKAGE / "devices" / "stt_mram.yaml").read_text(encoding="utf-8")
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    assert all(row.same for row in diff("stt_mram", file))
    file.write_text(text.replace("value: 80, unit: uA", "value: 60, unit: uA"), encoding="utf-8")
    (changed,) = [row for row in diff("stt_mram", str(file)) if not row.same]
    assert (changed.parameter, changed.ratio) == ("write_current", pytest.approx(0.75))


def test_other_kinds_are_compared_too() -> None:
    assert all(row.same for row in diff("28nm", "28nm"))


@pytest.mark.parametrize(
    ("a", "b", "sentence"),
    [
        ("stt_mram", "28nm", "nothing to compare: the families have no parameter in common"),
        ("sram_1mb_28nm", "lpddr4", "nothing to compare"),
        ("sram_6t_28nm", "sram_1mb_28nm", "nothing to compare"),
        ("stt_mram", "fefet_crossbar_28nm", "a design is not compared parameter by parameter"),
        ("stt_mran", "stt_mram", "unknown file; got 'stt_mran'; did you mean 'stt_mram'?"),
        ("stt_mram", "./none.yaml", "cannot read the parameter file"),
    ],
)
def test_what_cannot_be_compared_is_refused(a: str, b: str, sentence: str) -> None:
    with pytest.raises(InputError, match=re.escape(sentence)):
        diff(a, b)
    with pytest.raises(InputError):
        load_pair(a, b)


def test_to_pandas_has_a_row_a_parameter() -> None:
    frame = to_pandas(diff("stt_mram", "stt_mram_neurosim")).set_index("parameter")
    assert frame.loc["on_off_ratio", "ratio"] == pytest.approx(1.15)
    assert frame.loc["write_current", "only_in"] == "a"
    assert pd.isna(frame.loc["write_current", "value_b"])
    assert list(to_pandas([])) == ["parameter", *frame.columns]


# sources


def test_a_citation_names_every_source_once_with_what_rests_on_it() -> None:
    found = cite(["pcm_gst_ibm", "rram_cmo_hfox", "pcm_gst_ibm"])
    keys = [entry.reference.key for entry in found.cited]
    assert len(keys) == len(set(keys))
    assert set(keys) == {"aihwkit2025", "nandakumar2019", "nvmexplorer2021", "falcone2025"}
    shared = next(entry for entry in found.cited if entry.reference.key == "aihwkit2025").parameters
    assert list(shared) == ["pcm_gst_ibm", "rram_cmo_hfox"]
    assert "drift_exponent" in shared["pcm_gst_ibm"] and "relaxation_sigma" in shared["rram_cmo_hfox"]
    assert found.unsourced == {"pcm_gst_ibm": (), "rram_cmo_hfox": ("erase_before_write",)}


def test_a_design_brings_the_sources_of_its_components() -> None:
    found = cite(["fefet_crossbar_28nm"])
    design = load_design("fefet_crossbar_28nm").parameters
    assert [entry.reference.key for entry in found.cited] == list(design.sources())
    rests = {
        name: entry.reference.key for entry in found.cited for name in entry.parameters["fefet_crossbar_28nm"]
    }
    assert rests["cell.on_current"] == "soliman2023"
    sourced = {name for name, parameter in design.items() if parameter.source_keys}
    assert set(rests) == sourced
    assert set(found.unsourced["fefet_crossbar_28nm"]) == set(design) - sourced


def test_bibtex_is_that_of_the_bibliography_and_reads_back() -> None:
    found = cite(["stt_mram_neurosim", "ecram_array_10x10"])
    assert {key: entry.text for key, entry in parse_bib(found.bibtex()).items()} == {
        key: references()[key] for key in ("neurosim2019", "chen2023")
    }


def test_lines_read_well() -> None:
    lines = cite(["ecram_array_10x10"]).lines()
    assert lines[0].startswith("chen2023  Chen, P. et al. Open-loop analog programmable")
    assert lines[1].startswith("    ecram_array_10x10: levels, ")
    assert lines[2:] == ["no source (assumed)", "    ecram_array_10x10: erase_before_write"]


def test_a_users_own_entry_goes_first(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    text = (PACKAGE / "devices" / "ecram_array_10x10.yaml").read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    (tmp_path / "references.bib").write_text("@misc{chen2023, title = {Mine}}", encoding="utf-8")
    assert cite([file]).cited[0].reference.citation() == "Mine."
    with pytest.raises(InputError, match="did you mean 'sot_mram'"):
        cite(["sot_mran"])
