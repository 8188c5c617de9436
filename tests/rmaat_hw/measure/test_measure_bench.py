"""``measure`` end to end on tiny modules: what is counted, what adds up, what is refused."""

import json
import statistics
import time
from collections import namedtuple

import pytest
import torch
from tolerance import close
from torch import nn

from device_params.errors import InputError, nearest_name
from rmaat_hw.measure import Measurement, kineto, measure
from rmaat_hw.measure.meter import NoCounter
from rmaat_hw.measure.placement import choose_device, resident_bytes, tensors_of, to_device


class Toy(nn.Module):
    """Two linear layers, one of them called three times, and a product of its own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(64, 64)
        self.block = nn.Sequential(nn.Linear(64, 256), nn.ReLU())

    def forward(self, x, *, scale=1.0):
        for _ in range(3):
            x = self.first(x)
        return (x @ x.transpose(0, 1)).sum() * scale, self.block(x)


@pytest.fixture(scope="module")
def toy():
    torch.manual_seed(0)
    return Toy().eval(), torch.randn(128, 64)


@pytest.fixture(scope="module")
def measured(toy):
    module, x = toy
    stages = []
    result = measure(module, (x,), {"scale": 2.0}, device="cpu", seconds_budget=1.0, progress=stages.append)
    assert len(stages) == 5
    return result


def test_latency_is_of_an_untagged_run(measured):
    latency = measured.latency
    assert 5 <= latency["n"] == len(latency["values_s"]) <= 200
    assert 0 < latency["min_s"] <= latency["p50_s"] <= latency["p95_s"] <= max(latency["values_s"])
    assert latency["clock"] == "perf_counter"
    assert latency["warmup"] >= 1
    assert measured.throughput["steps_per_s"] == pytest.approx(1 / latency["p50_s"])


def test_budget_is_kept(measured):
    # trace export and start of the profiler come on top of a budget as small as one second
    assert measured.provenance["seconds_spent"] < 1.0 + 10.0


def test_every_matmul_is_seen_in_its_module(measured):
    kernels = measured.to_pandas("kernel")
    calls = kernels.set_index(["name", "module"])["calls"]
    assert calls["aten::addmm", "first"] == 3
    assert calls["aten::addmm", "block.0"] == 1
    assert calls["aten::mm", "(root)"] == 1
    assert calls["aten::relu", "block.1"] == 1
    modules = measured.to_pandas("module").set_index("module")
    assert modules.loc["first", "calls"] == 3
    assert modules.loc["block.0", "class"] == "Linear"


def test_times_add_up(measured):
    profile = measured.profile
    operators, modules = measured.to_pandas(), measured.to_pandas("module")
    assert operators["self_s"].sum() == close(profile["operators_self_s"], rel=1e-9)
    assert modules["self_s"].sum() == close(profile["operators_self_s"], rel=1e-9)
    assert profile["operators_self_s"] + profile["other_s"] == pytest.approx(profile["wall_s"])
    assert operators["share"].sum() == pytest.approx(1.0)
    assert operators["share"].is_monotonic_decreasing
    assert profile["slowdown"] == pytest.approx(profile["wall_s"] / measured.p50_s)


def test_memory_peak_equals_the_hand_count(measured):
    # weights: (64*64 + 64 + 256*64 + 256) * 4 B = 83 200 B; input 128*64*4 = 32 768 B
    assert measured.memory["resident_B"] == 83_200 + 32_768
    # at block.1 live: x (32 768), the sum times scale (4, 64 in the allocator's record), the
    # hidden layer before and after ReLU (2 * 128*256*4 = 262 144)
    peak = measured.memory["activations_peak_B"]
    assert 32_768 + 262_144 <= peak <= 32_768 + 262_144 + 256
    assert measured.memory["max_allocated_B"] == measured.memory["resident_B"] + peak
    assert measured.memory["peak_rss_B"] > 50e6  # the interpreter with torch


def test_memory_of_a_chain_is_two_links():
    layers = nn.Sequential(*(nn.Linear(128, 128) for _ in range(6)))
    result = measure(layers, (torch.randn(512, 128),), device="cpu", seconds_budget=0.05)
    # while a link runs its input and its output are live: 2 * 512*128*4 B, however long the chain
    # (a library's own scratch may come on top)
    assert 2 * 512 * 128 * 4 <= result.memory["activations_peak_B"] < 2.5 * 512 * 128 * 4


def test_record_round_trips_and_replays(measured):
    text = json.dumps(measured.to_json())
    again = Measurement.from_json(json.loads(text))
    assert again.to_json() == measured.to_json()
    assert again.p50_s == measured.p50_s
    assert again.to_pandas().equals(measured.to_pandas())


def test_nothing_of_the_machine_leaks(measured):
    import getpass
    import socket
    from pathlib import Path

    text = json.dumps(measured.to_json())
    assert f'"{socket.gethostname()}"' not in text
    assert str(Path.home()) not in text
    assert str(Path(__file__).parents[3]) not in text
    if getpass.getuser() != "root":
        assert getpass.getuser() not in text


def test_energy_here_is_null_with_a_reason_or_a_value(measured):
    energy = measured.energy
    assert energy["unit"] == "J"
    assert (energy["value"] is None) == bool(energy.get("reason"))
    assert measured.energy_J == energy["value"]


def test_an_injected_counter_gives_joules(toy):
    module, x = toy
    power_W = 50.0

    class Steady:
        method, covers, reason, tick_s, wrap_J = "scripted", "a steady 50 W", "", 0.002, (float("inf"),)

        def read(self):
            return (int(time.perf_counter() / self.tick_s) * self.tick_s * power_W,)

        def describe(self):
            return {"power_limit_W": 60.0}

        def state(self):
            return {}

    result = measure(module, (x,), device="cpu", seconds_budget=12.0, counter=Steady())
    assert result.energy["avg_W"] == pytest.approx(power_W, rel=0.2)
    trials = result.energy["trials"]
    for trial in trials:
        spent_J = trial["gross_per_iter_J"] * trial["iters"]
        assert spent_J == pytest.approx(power_W * trial["window_s"], rel=0.2)
    assert result.energy["value"] == statistics.median(trial["gross_per_iter_J"] for trial in trials)
    assert abs(result.energy["idle_subtracted_per_iter_J"]) < 0.3 * result.energy["value"]
    assert result.device["power_limit_W"] == 60.0
    assert result.energy_J == result.energy["value"]


def test_a_null_without_reason_is_refused(measured):
    document = measured.to_json()
    document["energy"] = {"value": None, "unit": "J"}
    with pytest.raises(InputError, match="energy: a null in a measurement needs a reason"):
        Measurement.from_json(document)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema_version": 99}, "schema_version: cannot read this measurement; got 99"),
        ({"surprise": 1}, r"unknown keys \['surprise'\]"),
    ],
)
def test_a_foreign_record_is_refused(measured, change, message):
    with pytest.raises(InputError, match=message):
        Measurement.from_json({**measured.to_json(), **change})


def test_context_of_the_caller_gives_throughput(measured):
    whole = measured.with_context(
        model={"name": "toy"}, workload={"batch": 2, "seq_len": 64}, graph_hash="abc", macs={"macs_fwd": 7}
    )
    assert whole.throughput["tokens_per_s"] == pytest.approx(128 / measured.p50_s)
    assert whole.throughput["samples_per_s"] == pytest.approx(2 / measured.p50_s)
    assert whole.workload["inputs"] == measured.workload["inputs"]
    assert (whole.graph_hash, whole.macs, whole.model["name"]) == ("abc", {"macs_fwd": 7}, "toy")
    assert measured.macs == {}


def test_the_program_is_left_as_it_was(toy):
    module, x = toy
    noisy = nn.Sequential(module.first, nn.Dropout(0.5)).train()
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    result = measure(noisy, (x,), device="cpu", seconds_budget=0.05, counter=NoCounter("not asked for"))
    assert torch.equal(torch.rand(4), expected)  # dropout drew from a copy of the generator
    assert noisy.training
    assert result.workload["training_flag"] is True
    assert not nn.modules.module._global_forward_pre_hooks
    assert not nn.modules.module._global_forward_hooks
    assert result.energy["reason"] == "not asked for"
    assert torch.is_grad_enabled()


def test_tags_keep_the_fused_encoder_path():
    layer = nn.TransformerEncoderLayer(32, 4, 64, batch_first=True)
    result = measure(layer.eval(), (torch.randn(1, 16, 32),), device="cpu", seconds_budget=0.05)
    # what was timed runs fused; hooks on the modules themselves would have profiled another program
    assert "aten::_transformer_encoder_layer_fwd" in set(result.to_pandas()["name"])


def test_a_program_that_fails_leaves_no_hooks(toy):
    class Failing(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls, self.inner = 0, nn.Identity()

        def forward(self, x):
            self.calls += 1
            if self.calls > 8:  # fails under the profiler's tags, after warm-up, latency and memory
                raise RuntimeError("broken")
            return self.inner(x)

    with pytest.raises(RuntimeError, match="broken"):
        measure(Failing(), (toy[1],), device="cpu", seconds_budget=1e-6)
    assert not nn.modules.module._global_forward_pre_hooks


def test_the_trace_can_be_kept(toy, tmp_path):
    path = tmp_path / "trace.json"
    result = measure(toy[0], (toy[1],), device="cpu", seconds_budget=0.05, trace_file=path)
    summary = kineto.summary(kineto.attribute(kineto.events(kineto.load(path))))
    assert summary["wall_s"] == pytest.approx(result.profile["wall_s"])
    assert "host_name" not in json.loads(path.read_text())


@pytest.mark.parametrize("seconds", [0, -1.0, float("nan"), float("inf"), "ten"])
def test_a_bad_budget_is_refused(toy, seconds):
    with pytest.raises(InputError, match="seconds_budget: not a measuring time"):
        measure(toy[0], (toy[1],), seconds_budget=seconds)


def test_a_bad_device_is_refused():
    with pytest.raises(InputError, match="did you mean 'cuda'"):
        choose_device("cuad")
    assert nearest_name("cuad", ("auto", "cpu", "cuda")) == "cuda"
    with pytest.raises(InputError, match="no such GPU"):
        choose_device("cuda:99")
    assert choose_device("cpu") == torch.device("cpu")
    expected = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device("auto").type == expected


def test_inputs_are_placed_through_every_container():
    pair = namedtuple("pair", "left right")
    x = torch.zeros(2)
    placed = to_device(([x, "text"], {"key": pair(x, 3)}), torch.device("meta"))
    assert placed[0][0].is_meta
    assert placed[0][1] == "text"
    assert placed[1]["key"].left.is_meta
    assert placed[1]["key"].right == 3
    assert len(list(tensors_of(placed))) == 2


def test_a_tied_weight_is_resident_once():
    first, second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
    second.weight = first.weight
    x = torch.zeros(4, 8)
    # one weight of 8*8*4 B and one input of 4*8*4 B, given twice (once as a view)
    assert resident_bytes(nn.Sequential(first, second), (x, x[:2])) == 256 + 128


def test_a_module_without_values_is_refused():
    with pytest.raises(InputError, match="meta device"):
        measure(nn.Linear(2, 2, device="meta"), (torch.zeros(1, 2),), device="cpu", seconds_budget=0.05)
