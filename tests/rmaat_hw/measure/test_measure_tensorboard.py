"""The trace under the plugin's name, read by torch_tb_profiler itself."""

from pathlib import Path

import pytest
import torch
from torch import nn

from device_params.errors import InputError
from rmaat_hw.measure import kineto, measure
from rmaat_hw.measure.tensorboard import plugin_operators, write_trace

DATA = Path(__file__).parent / "data"


def test_the_plugin_reads_a_live_trace_and_agrees(tmp_path):
    module = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 64))
    kept = tmp_path / "trace.json"
    measure(module, (torch.randn(128, 64),), device="cpu", seconds_budget=0.2, trace_file=kept)
    document = kineto.load(kept)
    path = write_trace(document, tmp_path / "logs")
    assert path.name == "rmaat-hw_0.1.pt.trace.json"
    theirs = plugin_operators(path).set_index("name")
    # it counts the uncounted first call too: compare with every event of the trace
    ours = kineto.events(document)
    ours = ours[ours["category"] == "cpu_op"].groupby("name").agg({"thread": "size", "self_s": "sum"})
    assert theirs.loc["aten::addmm", "calls"] == ours.loc["aten::addmm", "thread"]
    # it works in whole microseconds
    slack = 1e-6 * ours.loc["aten::addmm", "thread"]
    assert theirs.loc["aten::addmm", "self_s"] == pytest.approx(ours.loc["aten::addmm", "self_s"], abs=slack)


def test_the_plugin_reads_a_gpu_trace_under_pandas_3(tmp_path):
    document = kineto.strip(kineto.load(DATA / "gpu_trace.json"))
    table = plugin_operators(write_trace(document, tmp_path, worker="gpu_0", span=3)).set_index("name")
    assert table.loc["aten::addmm", "total_s"] == pytest.approx(40e-6)


@pytest.mark.parametrize(("worker", "span"), [("a.b", 1), ("", 1), ("a/b", 1), ("a_0", -1)])
def test_names_that_the_plugin_would_not_find_are_refused(tmp_path, worker, span):
    with pytest.raises(InputError, match="not a worker name"):
        write_trace({"traceEvents": []}, tmp_path, worker=worker, span=span)
