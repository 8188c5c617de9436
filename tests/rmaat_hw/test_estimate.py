"""The whole job on small programs: document, additivity, conservation, overrides, refusals."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from tolerance import close

from device_params.errors import InputError
from rmaat_hw.estimate import Estimate, estimate

SMALL = (
    "d_model: 64\nheads: 4\nlayers: 2\nffn_width: 96\nsegment_length: 128\nsegments: 3\nmemory_tokens: 8\n"
)

PROGRAMS = """
import torch
from torch import nn

def encoder(batch=1):
    layer = nn.TransformerEncoderLayer(32, 4, 48, batch_first=True)
    return nn.TransformerEncoder(layer, 3), (torch.randn(batch, 20, 32),)

def lstm():
    return nn.LSTM(16, 24, 2, batch_first=True), (torch.randn(2, 9, 16),)

def bert():
    from transformers import BertConfig, BertModel
    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48,
                        vocab_size=50)
    return BertModel(config), (), {"input_ids": torch.randint(0, 50, (2, 12))}

class Toys(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.randn(16, 8))
    def forward(self, x):
        y = torch.einsum("bij,jk->bik", x, self.w)
        z = nn.functional.scaled_dot_product_attention(y, y, y)
        return torch.bmm(z, z.transpose(1, 2))

def toys():
    return Toys(), (torch.randn(2, 10, 16),)

@torch.library.custom_op("rmaat_test::mystery", mutates_args=())
def mystery(x: torch.Tensor) -> torch.Tensor:
    return x * 2

@mystery.register_fake
def _(x):
    return torch.empty_like(x)

class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(16, 16)
    def forward(self, x):
        return mystery(self.linear(x))

def odd():
    return Odd(), (torch.randn(4, 16),)

class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.read, self.carry = nn.Linear(16, 16), nn.Linear(16, 16)
    def forward(self, x):
        h = x.new_zeros(x.shape[0], 4, 16)
        for piece in x.split(4, 1):
            h = torch.tanh(self.read(piece) + self.carry(h))
        return h

def recurrent(segments):
    return Recurrent(), (torch.randn(1, 4 * segments, 16),)

def idle():
    return nn.Identity(), (torch.randn(1, 4),)

class Talker(nn.Linear):
    def forward(self, x):
        print("called")
        return super().forward(x)

def talker():
    print("made")
    return Talker(4, 4), (torch.randn(1, 4),)

def empty():
    return nn.Linear(4, 4), (torch.randn(0, 4),)

def exported():
    x = torch.randn(2, 4)
    return torch.export.export(nn.Linear(4, 4), (x,)).module(), (x,)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("programs")
    (path / "small.yaml").write_text(SMALL)
    (path / "estimate_programs.py").write_text(PROGRAMS)
    return path


@pytest.fixture
def small(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(folder)
    return cache(lambda **options: estimate(model="small.yaml", measure=False, **options))


def value(found: Estimate, name: str) -> float:
    return float(found.document["totals"][name]["value"])


def test_document_has_the_promised_keys_and_no_nan(small: Any) -> None:
    document = small().document
    totals = {"energy_J", "latency_s", "area_m2", "average_power_W", "tops_per_watt", "lifetime_s"}
    assert set(document["totals"]) == totals
    assert document["totals"]["lifetime_s"] is None
    for name in totals - {"lifetime_s"}:
        quantity = document["totals"][name]
        assert 0 < quantity["low"] <= quantity["value"] <= quantity["high"]
    assert {"boundary", "activity", "technology", "design", "model", "parameters_used"} <= set(document)
    json.dumps(document, allow_nan=False)
    for row in document["parameters_used"]:
        assert {"name", "value", "unit", "basis", "source"} <= set(row)
    nodes = {operator.id for operator in small().graph.operators} | {"shared"}
    assert {row["operator"] for row in document["breakdown"]} <= nodes


def test_leaves_of_the_document_add_up(small: Any) -> None:
    document = small().document
    for column in ("energy_J", "latency_s", "area_m2"):
        total = document["totals"][column]["value"]
        assert sum(row[column] for row in document["breakdown"]) == close(total, rel=1e-12)
        by_class = sum(row[column] for row in document["operator_classes"])
        assert by_class == close(total, rel=1e-12)


def test_programming_is_told_leaf_by_leaf(small: Any) -> None:
    once = small().document["programming"]
    for column in ("energy_J", "latency_s"):
        leaves = [row[column] for row in once["breakdown"] if row[column]]
        assert sum(leaf["value"] for leaf in leaves) == close(once[column]["value"], rel=1e-12)
        for leaf in (*leaves, once[column]):
            assert 0 < leaf["low"] <= leaf["value"] <= leaf["high"]
    names = [row["leaf"] for row in once["breakdown"]]
    assert {"cell", "driver", "inhibited_cell", "verify", "supply_idle", "read_after_write"} <= set(names)
    written = small(design="sram_crossbar_28nm").document["programming"]["breakdown"]
    assert {row["leaf"] for row in written} == {"cell", "word_line", "bit_line"}


def test_multiply_accumulates_are_conserved(small: Any) -> None:
    macs = small().document["conservation"]
    assert macs["macs_graph"] == macs["macs_independent"] == macs["macs_mapped"] > 0
    assert macs["macs_setup"] == macs["macs_setup_independent"] > 0
    assert macs["macs_unfused_positional"] > macs["macs_graph"]


@pytest.mark.parametrize("program", ["encoder", "lstm", "bert", "toys"])
def test_programs_that_nobody_here_wrote(program: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = estimate(model=f"estimate_programs:{program}", measure=False)
    macs = found.document["conservation"]
    assert macs["macs_graph"] == macs["macs_mapped"] == macs["macs_independent"] > 0
    assert macs["reason"] is None
    assert "flop_counter" in macs["independent_method"]
    assert not found.incomplete
    assert found.document["activity"]["sequences"] >= 1
    assert found.document["per_real_token"] is None


def test_a_length_of_a_callable_with_segments(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = estimate(model="estimate_programs:recurrent", seq_len=2000, measure=False)
    assert found.document["model"]["sequence_length"] == 2000
    assert found.graph.macs == found.document["conservation"]["macs_independent"] == 500 * 2 * 4 * 16 * 16
    assert [loop.count for loop in found.graph.loops.values()] == [500]


def test_an_exported_program(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert estimate(model="estimate_programs:exported", measure=False).graph.macs == 2 * 4 * 4


@pytest.mark.parametrize("program", ["idle", "empty"])
def test_a_program_without_work_is_refused(
    program: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(InputError, match="nothing in the program depends on its input"):
        estimate(model=f"estimate_programs:{program}", measure=False)


@pytest.mark.parametrize(("program", "batch"), [("small.yaml", 2), ("estimate_programs:bert", 1)])
def test_the_same_program_is_measured(
    program: str, batch: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr("rmaat_hw.estimate.MEASURE_SECONDS", 0.3)
    found = estimate(model=program, batch=batch)
    measured = found.document["measured"]
    assert measured["latency"]["p50_s"] > 0
    assert found.document["model"]["batch"] == (batch if program == "small.yaml" else None)
    assert measured["graph_hash"] == found.graph.digest()
    assert sum(row["self_s"] for row in measured["kernels"]) > 0
    assert measured["energy"]["value"] is not None or measured["energy"]["reason"]


def test_an_operator_without_a_rule_is_reported(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    found = estimate(model="estimate_programs:odd", measure=False)
    coverage = found.document["coverage"]
    assert found.incomplete
    assert "mystery" in str(coverage["unruled"][0])
    assert 0 < coverage["share_operators"] < 1
    assert 0 < coverage["share_bytes"] < 1


def test_padding_has_its_share_of_rows(small: Any) -> None:
    document = small().document
    padding = document["padding"]
    rows = padding["real_tokens"] + padding["padded_tokens"] + padding["memory_tokens"]
    assert rows == 3 * (128 + 8)
    assert padding["share"] == pytest.approx(padding["padded_tokens"] / rows)
    per_token = document["per_real_token"]["energy_J"]["value"]
    assert per_token * padding["real_tokens"] == pytest.approx(value(small(), "energy_J"))


def test_a_batch_costs_a_batch(small: Any) -> None:
    one, four = small(), small(batch=4)
    ratio = four.document["conservation"]["macs_graph"] / one.document["conservation"]["macs_graph"]
    assert ratio == 4
    per_sequence = four.document["per_sequence"]["energy_J"]["value"]
    assert per_sequence == pytest.approx(value(four, "energy_J") / 4)
    assert value(four, "area_m2") == close(value(one, "area_m2"), rel=1e-9)


def test_an_override_is_used_and_marked(small: Any) -> None:
    changed = small(set=("cell.on_current=160 nA",))
    row = next(q for q in changed.document["parameters_used"] if q["name"] == "cell.on_current")
    assert (row["basis"], row["value"]) == ("user", close(160e-9))
    cell = [
        sum(r["energy_J"] for r in e.document["breakdown"] if r["component"] == "cell")
        for e in (small(), changed)
    ]
    assert cell[1] > 1.9 * cell[0]


def test_a_pulse_that_does_not_write_is_told(small: Any) -> None:
    said = "of the 1.20 V between the outermost levels: they are not reached"
    assert not any(said in note for note in small().document["notes"])
    weak = small(set=("cell.write_voltage=3 V", "cell.write_time=100 ns")).document
    assert any(said in note and "3 V for 1e-07 s" in note for note in weak["notes"])


def test_every_parameter_used_can_be_set_and_moves_something(small: Any) -> None:
    """A key that changes nothing would be taken for insensitivity."""
    base = small()
    names = ("technology.toggle_activity", "adc.energy_factor", "buffer.read_energy", "chip.power_gating")
    for name in names:
        nominal = base.design.parameters[name].value
        assert value(small(set=(f"{name}={nominal * 0.9}",)), "energy_J") != value(base, "energy_J")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"set": ("cell.on_curent=1 nA",)}, "cell.on_current"),
        ({"set": ("cell.on_current=1 V",)}, "cell.on_current"),
        ({"set": ("cell.on_current=nan",)}, "cell.on_current"),
        ({"set": ("cell.on_current=1 A",)}, r"allowed|range"),
        ({"set": ("cell.endurance=1e5",)}, "no part in the bill"),
        ({"set": ("array.adc_bits=2",)}, r"converter|maximum|range"),
        ({"design": "fefet_crosbar_28nm"}, "fefet_crossbar_28nm"),
        ({"precision": "8 bits"}, "w8a8"),
        ({"precision": "w99a8"}, "16"),
        ({"batch": 0}, "at least one"),
        ({"seq_len": 0}, "seq"),
        ({"seq_len": 100}, "multiple"),
    ],
)
def test_bad_input_is_one_sentence(small: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        small(**options)
    assert "\n" not in str(caught.value)


def test_extrapolation_is_refused_or_marked(small: Any) -> None:
    with pytest.raises(InputError, match=r"cell.bits.*1 to 2.*extrapolation"):
        small(set=("cell.bits=3",))
    with pytest.raises(InputError, match="range"):
        small(set=("cell.on_current=-1 nA",), allow_extrapolation=True)
    marked = small(set=("cell.bits=3", "array.adc_bits=2"), allow_extrapolation=True)
    told = marked.document["extrapolated"]
    assert len(told) == 2
    assert "cell.bits = 3" in told[0]
    assert "2 bits" in told[1]
    # 7 magnitude bits on 3-bit cells: 3 slices, twice
    assert marked.document["design"]["cells_per_weight"] == 6
    assert not small().document["extrapolated"]


def test_designs_give_different_answers(small: Any) -> None:
    energies = {
        value(small(design=f"{cell}_crossbar_28nm"), "energy_J") for cell in ("fefet", "rram", "sram")
    }
    assert len(energies) == 3


def test_equal_seeds_give_equal_documents(small: Any) -> None:
    one, two = (estimate(model="small.yaml", measure=False).document for _ in range(2))
    for volatile in ("created_utc", "timing", "trace"):
        one.pop(volatile), two.pop(volatile)
    assert one == two


def test_what_a_program_prints_stands_beside_the_document(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from rmaat_hw import cli

    monkeypatch.chdir(folder)
    code = cli.run(["estimate", "--model", "estimate_programs:talker", "--no-measure", "--json", "-"])
    told = capsys.readouterr()
    assert code == 0 and json.loads(told.out)["command"] == "estimate"
    assert "made" in told.err and "called" in told.err
