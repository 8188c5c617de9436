"""The trace reader on hand-made traces with known times, and on a live one."""

import gzip
import json
from pathlib import Path

import pytest
import torch
from torch.profiler import ProfilerActivity, profile, record_function

from device_params.errors import InputError
from rmaat_hw.measure import kineto

DATA = Path(__file__).parent / "data"


@pytest.fixture(params=[False, True], ids=["raw", "stripped"])
def cpu_trace(request):
    document = kineto.load(DATA / "cpu_trace.json")
    return kineto.strip(document) if request.param else document


def test_self_times_of_the_hand_made_trace(cpu_trace):
    table = kineto.events(cpu_trace)
    self_us = {name: rows["self_s"].sum() * 1e6 for name, rows in table.groupby("name")}
    # call 100 = root 90 + 10 of its own; root 90 = inner 50 + mul 20 + 20; inner 50 is all linear;
    # linear 50 = addmm 30 + 20; mul 20 inside the call and 40 after it.
    expected = {"measure:call": 10, "module:(root)": 20, "module:inner": 0}
    expected |= {"aten::linear": 20, "aten::addmm": 30, "aten::mul": 60}
    for name, value in expected.items():
        assert self_us[name] == pytest.approx(value, abs=1e-6), name


def test_summary_of_the_hand_made_trace(cpu_trace):
    summary = kineto.summary(kineto.attribute(kineto.events(cpu_trace)))
    # operators inside the call: linear 20 + addmm 30 + mul 20 = 70 of 100 µs; the later mul is outside
    assert summary["calls"] == 1
    assert summary["wall_s"] == pytest.approx(100e-6)
    assert summary["operators_self_s"] == pytest.approx(70e-6)
    assert summary["other_s"] == pytest.approx(30e-6)
    assert summary["device_s"] == 0.0


def test_tables_of_the_hand_made_trace(cpu_trace):
    table = kineto.attribute(kineto.events(cpu_trace))
    operators = kineto.operator_table(table).set_index("name")
    assert operators.loc["aten::linear", "total_s"] == pytest.approx(50e-6)
    assert operators.loc["aten::linear", "self_s"] == pytest.approx(20e-6)
    assert operators.loc["aten::mul", "calls"] == 1
    assert operators.loc["aten::addmm", "share"] == pytest.approx(30 / 70)
    assert operators["module"].to_dict() == {
        "aten::addmm": "inner",
        "aten::linear": "inner",
        "aten::mul": "(root)",
    }
    modules = kineto.module_table(table).set_index("module")
    assert modules.loc["inner", "self_s"] == pytest.approx(50e-6)
    assert modules.loc["(root)", "self_s"] == pytest.approx(20e-6)
    assert modules.loc["(root)", "total_s"] == pytest.approx(90e-6)


def test_peak_of_the_memory_record(cpu_trace):
    # +1000 +500 -1000 +700: levels 1000, 1500, 500, 1200
    assert kineto.peak_allocation(cpu_trace) == (1500, 1200)


def test_stripping_leaves_nothing_of_the_machine():
    text = json.dumps(kineto.strip(kineto.load(DATA / "cpu_trace.json")))
    for secret in ("secret-host", "somebody", "/home", '"pid": 77', '"tid": 77'):
        assert secret not in text


def test_device_time_belongs_to_the_operator_that_launched_it():
    document = kineto.strip(kineto.load(DATA / "gpu_trace.json"))
    table = kineto.attribute(kineto.events(document))
    operators = kineto.operator_table(table).set_index("name")
    # by correlation (the launch inside addmm), and by External id where no launch was recorded (relu)
    assert operators.loc["aten::addmm", "device_s"] == pytest.approx(150e-6)
    assert operators.loc["aten::relu", "device_s"] == pytest.approx(50e-6)
    assert operators.loc["aten::addmm", "share"] == pytest.approx(0.75)
    assert operators.loc["aten::addmm", "self_s"] == pytest.approx(30e-6)  # 40 less the launch's 10
    assert kineto.module_table(table).set_index("module").loc["head", "device_s"] == pytest.approx(150e-6)
    assert kineto.summary(table)["share_of"] == "device_s"


def test_an_event_that_begins_where_another_ends_is_not_inside_it():
    spans = [(0.0, 10.0), (10.0, 10.0), (12.0, 3.0)]
    document = {
        "traceEvents": [
            {"ph": "X", "cat": "cpu_op", "name": str(n), "pid": 1, "tid": 1, "ts": start, "dur": length}
            for n, (start, length) in enumerate(spans)
        ]
    }
    assert kineto.events(document)["parent"].tolist() == [-1, -1, 1]


def test_live_trace_adds_up_and_shows_every_matmul(tmp_path):
    torch.manual_seed(0)
    left, right = torch.randn(64, 96), torch.randn(96, 32)
    with profile(activities=[ProfilerActivity.CPU]) as profiler, record_function(kineto.CALL_TAG):
        for _ in range(7):
            torch.relu(left @ right)
    path = tmp_path / "trace.json"
    profiler.export_chrome_trace(str(path))
    table = kineto.attribute(kineto.events(kineto.load(path)))
    inside = table[table["call"] >= 0]
    # every microsecond of the call belongs to exactly one event
    call = inside[inside["name"] == kineto.CALL_TAG]
    assert inside["self_s"].sum() == pytest.approx(call["duration_s"].sum(), rel=1e-6)
    operators = kineto.operator_table(table).set_index("name")
    assert operators.loc["aten::mm", "calls"] == 7
    # torch's own summary of the same run is the independent count
    own = {entry.key: entry for entry in profiler.key_averages()}
    for name in ("aten::mm", "aten::matmul", "aten::relu"):
        assert operators.loc[name, "self_s"] * 1e6 == pytest.approx(
            own[name].self_cpu_time_total, rel=1e-3, abs=0.1
        )
    zipped = tmp_path / "trace.json.gz"
    zipped.write_bytes(gzip.compress(path.read_bytes()))
    assert kineto.load(zipped) == kineto.load(path)


def test_bad_traces_are_refused_in_one_sentence(tmp_path):
    path = tmp_path / "broken.json"
    with pytest.raises(InputError, match=r"broken\.json: cannot read the trace"):
        kineto.load(path)
    path.write_text("{")
    with pytest.raises(InputError, match="cannot read the trace"):
        kineto.load(path)
    path.write_text("[]")
    with pytest.raises(InputError, match="it has no traceEvents"):
        kineto.load(path)
    with pytest.raises(InputError, match="no span named"):
        kineto.summary(kineto.attribute(kineto.events({"traceEvents": []})))
