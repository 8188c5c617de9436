"""Energy protocol on scripted counters: the clock is simulated, so every joule is known by hand."""

import importlib
import importlib.util
import sys
import types
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rmaat_hw.measure.meter import (
    Meter,
    MeterError,
    NoCounter,
    difference_J,
    energy_of,
    find_counter,
    nvml_counter,
    rapl_counter,
)


class Bench:
    """A simulated card: 100 W idle, 400 W in a call; its counter shows the joules of the last tick."""

    method, covers, reason = "scripted", "a simulated card", ""

    def __init__(self, tick_s=0.1, wrap_J=float("inf"), idle_W=100.0, busy_W=400.0, offset_s=0.037):
        self.now, self.joules = offset_s, idle_W * offset_s
        self.tick_s, self.wrap_J = tick_s, (wrap_J,)
        self.idle_W, self.busy_W = idle_W, busy_W
        self.shown, self.next_tick = 0.0, tick_s
        self.mask = 0

    def spend(self, seconds, watts):
        while self.now + seconds >= self.next_tick - 1e-12:
            part = self.next_tick - self.now
            self.joules += part * watts
            self.now, seconds = self.next_tick, seconds - part
            self.shown, self.next_tick = self.joules, self.next_tick + self.tick_s
        self.now += seconds
        self.joules += seconds * watts

    def clock(self):
        return self.now

    def pause(self, seconds):
        self.spend(seconds, self.idle_W)

    def call(self, seconds=0.013):
        self.spend(seconds, self.busy_W)

    def read(self):
        return (self.shown % self.wrap_J[0],)

    def describe(self):
        return {"power_limit_W": 700.0}

    def state(self):
        return {"sm_MHz": 1000.0, "mem_MHz": 2000.0, "temp_C": 40.0, "throttle_mask": self.mask}


def energy(bench, budget_s, call=None):
    return energy_of(
        bench, call or bench.call, lambda: None, budget_s=budget_s, clock=bench.clock, pause=bench.pause
    )


def test_edge_waits_for_the_counter_to_move():
    bench = Bench()
    moment, reading = Meter(bench, bench.clock, bench.pause).edge()
    # The tick falls at 0.1 s; the poll sees it at most a fiftieth of a tick later. 0.1 s x 100 W = 10 J.
    assert 0.1 <= moment <= 0.1 + 0.1 / 50 + 1e-9
    assert reading[0] == pytest.approx(10.0)


def test_window_counts_what_the_calls_spent():
    bench = Bench()
    window = Meter(bench, bench.clock, bench.pause).window(10.0, bench.call)
    # 400 W x 13 ms = 5.2 J a call; both ends are aligned to a tick within one call (13 of 10 000 ms).
    assert window.energy_J / window.calls == pytest.approx(5.2, rel=2e-3)
    assert window.seconds >= 10.0
    assert window.seconds < 10.2


def test_calls_longer_than_a_tick_end_the_window_at_once():
    bench = Bench()
    window = Meter(bench, bench.clock, bench.pause).window(10.0, lambda: bench.call(30.0))
    assert window.calls == 1
    # 30 s x 400 W = 12 kJ; the reading is at most one tick (0.1 s) old.
    assert window.energy_J == pytest.approx(12_000, rel=0.1 / 30 + 1e-3)


def test_idle_is_kept_apart_from_the_calls():
    group, clocks = energy(Bench(), budget_s=100.0)
    assert group["n"] == 5
    assert group["idle_W"] == pytest.approx(100.0, rel=1e-2)
    assert group["avg_W"] == pytest.approx(400.0, rel=2e-3)
    assert group["value"] == group["gross_per_iter_J"] == pytest.approx(5.2, rel=2e-3)
    # net of idle: (400 - 100) W x 13 ms = 3.9 J
    assert group["idle_subtracted_per_iter_J"] == pytest.approx(3.9, rel=1e-2)
    assert len(group["trials"]) == 5
    assert clocks["sm_MHz"] == [1000.0] * 3
    assert clocks["throttle_reasons"] == []


def test_a_wrapping_counter_gives_the_same_energy():
    # 12 s at 400 W are 4.8 kJ: a counter that wraps at 4.5 kJ runs over in every window.
    straight, _ = energy(Bench(), budget_s=100.0)
    wrapped, _ = energy(Bench(wrap_J=4500.0), budget_s=100.0)
    assert wrapped["value"] == pytest.approx(straight["value"], rel=1e-9)


@given(start=st.floats(0, 99), spent=st.floats(0, 99), wrap=st.just(100.0))
def test_difference_unwraps_once(start, spent, wrap):
    end = (start + spent) % wrap
    assert difference_J((start,), (end,), (wrap,)) == pytest.approx(spent, abs=1e-9)


def test_difference_adds_zones_that_wrap_apart():
    # zone 0: 90 -> 10 of 100 = 20 J; zone 1: 5 -> 8 = 3 J
    assert difference_J((90.0, 5.0), (10.0, 8.0), (100.0, 100.0)) == pytest.approx(23.0)


def test_a_counter_that_runs_backwards_is_refused():
    with pytest.raises(MeterError, match="backwards"):
        difference_J((2.0,), (1.0,), (float("inf"),))


def test_a_window_below_one_tick_is_refused():
    bench = Bench()
    meter = Meter(bench, bench.clock, bench.pause)
    with pytest.raises(MeterError, match="shorter than one tick"):
        meter.window(0.0, bench.call)
    with pytest.raises(MeterError, match="shorter than one tick"):
        meter.window(0.05, bench.call)


def test_a_dead_counter_gives_null_with_the_reason():
    bench = Bench()
    bench.read = lambda: (7.0,)
    group, _ = energy(bench, budget_s=100.0)
    assert group["value"] is None
    assert group["reason"] == "the energy counter does not move"


def test_a_counter_that_dies_within_a_window_gives_null_with_the_reason():
    bench = Bench()
    alive = bench.read
    bench.read = lambda: alive() if bench.now < 20.0 else (7.0,)
    group, _ = energy(bench, budget_s=100.0)
    assert group["value"] is None
    assert "counter" in group["reason"]


def test_a_small_budget_gives_null_with_what_it_would_take():
    bench = Bench()
    group, _ = energy(bench, budget_s=9.0)
    assert group["value"] is None
    assert group["reason"] == "the time budget left 9.0 s, an energy window needs 12.4 s"
    assert bench.now < 0.1  # nothing was run
    assert energy(Bench(), budget_s=12.5)[0]["n"] == 1


def test_windows_in_which_the_card_throttles_are_rejected():
    bench = Bench()
    bench.mask = 0x40
    group, clocks = energy(bench, budget_s=30.0)
    assert group["value"] is None
    assert "throttled" in group["reason"]
    assert clocks["throttle_reasons"] == ["hw_thermal"]
    bench = Bench()
    bench.mask = 0x04  # at its power limit: noted, not rejected
    group, clocks = energy(bench, budget_s=30.0)
    assert group["value"] is not None
    assert clocks["throttle_reasons"] == ["sw_power_cap"]


def test_no_counter_is_null_with_its_reason():
    group, clocks = energy_of(NoCounter("because"), lambda: None, lambda: None, budget_s=100.0)
    assert group == {"value": None, "unit": "J", "method": "none", "reason": "because"}
    assert clocks == {}


def zone(root: Path, name: str, title: str, energy_uj: str, span: str = "262143328850") -> Path:
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "name").write_text(title + "\n")
    (folder / "energy_uj").write_text(energy_uj)
    (folder / "max_energy_range_uj").write_text(span)
    return folder


def test_rapl_reads_packages_and_nothing_else(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", "5000000")
    zone(tmp_path, "intel-rapl:0:0", "core", "4000000")  # within package 0: would count twice
    zone(tmp_path, "intel-rapl:1", "package-1", "7000000")
    zone(tmp_path, "intel-rapl:2", "psys", "99000000")  # the whole platform: would count twice
    counter = rapl_counter(tmp_path)
    assert counter.method == "rapl"
    assert counter.read() == pytest.approx((5.0, 7.0))  # microjoules to joules
    assert counter.wrap_J == pytest.approx((262143.32885, 262143.32885))


def test_rapl_says_why_not(tmp_path):
    assert "no powercap interface" in rapl_counter(tmp_path / "absent").reason
    assert "no processor package" in rapl_counter(tmp_path).reason
    folder = zone(tmp_path, "intel-rapl:0", "package-0", "not a number")
    assert "cannot be read (ValueError)" in rapl_counter(tmp_path).reason
    (folder / "energy_uj").unlink()
    assert "cannot be read (FileNotFoundError)" in rapl_counter(tmp_path).reason


def test_rapl_closed_to_users_says_so(tmp_path, monkeypatch):
    folder = zone(tmp_path, "intel-rapl:0", "package-0", "5000000")
    original = Path.read_text

    def closed(path, *args, **kwargs):
        if path == folder / "energy_uj":
            raise PermissionError(13, "Permission denied")
        return original(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", closed)
    assert "root only" in rapl_counter(tmp_path).reason


class NVMLError(Exception):
    pass


def library(**changes):
    """The calls of pynvml that the counter makes, answered as a card of 1234 J would."""

    def refuse(*_):
        raise NVMLError("Not Supported")

    answers = {
        "NVMLError": NVMLError,
        "NVML_CLOCK_SM": 1,
        "NVML_CLOCK_MEM": 2,
        "NVML_TEMPERATURE_GPU": 0,
        "nvmlInit": lambda: None,
        "nvmlDeviceGetHandleByUUID": lambda uuid: uuid,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetTotalEnergyConsumption": lambda handle: 1_234_000,
        "nvmlSystemGetDriverVersion": lambda: "580.1",
        "nvmlDeviceGetEnforcedPowerLimit": lambda handle: 700_000,
        "nvmlDeviceGetEccMode": lambda handle: [1, 1],
        "nvmlDeviceGetMigMode": refuse,
        "nvmlDeviceGetPersistenceMode": lambda handle: 1,
        "nvmlDeviceGetClockInfo": lambda handle, which: {1: 1980, 2: 3201}[which],
        "nvmlDeviceGetTemperature": lambda handle, sensor: 41,
        "nvmlDeviceGetCurrentClocksThrottleReasons": lambda handle: 0,
    }
    return types.SimpleNamespace(**{**answers, **changes})


def test_nvml_reads_joules_and_describes_the_card(monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", library())
    counter = nvml_counter("1-2-3")
    assert counter.method == "nvml_counter"
    assert counter.read() == pytest.approx((1234.0,))  # millijoules to joules
    # a query that the card refuses (MIG here) is left out
    assert counter.describe() == {"driver": "580.1", "power_limit_W": 700.0, "ecc": True, "persistence": True}
    assert counter.state() == {"sm_MHz": 1980, "mem_MHz": 3201, "temp_C": 41, "throttle_mask": 0}


def test_nvml_says_why_not(monkeypatch):
    def absent():
        raise NVMLError("NVML Shared Library Not Found")

    modules = sys.modules
    monkeypatch.setitem(modules, "pynvml", library(nvmlInit=absent))
    assert nvml_counter().reason == "no energy counter: NVML answers 'NVML Shared Library Not Found'"
    monkeypatch.setitem(modules, "pynvml", library(nvmlDeviceGetMigMode=lambda handle: [1, 1]))
    assert "partitioned" in nvml_counter().reason
    monkeypatch.setitem(modules, "pynvml", None)
    assert "nvidia-ml-py is not installed" in nvml_counter().reason


def test_the_calls_we_make_exist_in_the_real_library():
    if importlib.util.find_spec("pynvml") is None:  # an optional package: its absence has its own sentence
        assert "not installed" in nvml_counter().reason
        return
    real = importlib.import_module("pynvml")
    assert [name for name in vars(library()) if not hasattr(real, name)] == []


def test_this_machine_answers_with_a_counter_or_a_reason():
    counter = find_counter(torch.device("cpu"))
    assert bool(counter.reason) == (counter.method == "none")
