"""Energy counters and the protocol that reads them: tick edges, idle apart, null with a reason.

Counters: ``nvml`` (a GPU's total-energy counter), ``rapl`` (processor packages, by Linux powercap), ``none``,
or anything else that has ``read``: tests pass a scripted one. A value is never guessed from a
nominal power.

Protocol for one figure: idle power before and after; up to five windows, each at least 100 counter
ticks long and begun on a tick edge; window energy / calls. The refresh of NVIDIA's counter is about 100 ms
(ml.energy, "Thermally stable profiling"; PETSc -log_view_gpu_energy_meter: 20-100 ms); windows
shorter than a tick read 0. Random pauses between the windows keep a step time that is commensurate
with the sensor's own period from reading the same phase each time (arXiv:2312.02741).
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

MAX_TRIALS = 5
TICKS_PER_WINDOW = 100
MIN_WINDOW_S = 1.0
MAX_IDLE_S = 10.0
SAMPLES_PER_WINDOW = 20  # of clocks, temperature and throttle reasons
STUCK_TICKS = 50  # a counter that has not moved for so many ticks is taken as dead
NVML_TICK_S = 0.1
RAPL_TICK_S = 1e-3  # Intel SDM vol. 3B, 16.10.1: updated about every millisecond
POWERCAP = Path("/sys/class/powercap")
# nvml.h, nvmlClocksEventReason*: the ones that mean the card could not run as it should.
THROTTLE_BITS: Mapping[int, str] = {
    0x08: "hw_slowdown",
    0x20: "sw_thermal",
    0x40: "hw_thermal",
    0x80: "hw_power_brake",
}
SW_POWER_CAP_BIT = 0x04  # running at the power limit: noted, not a fault


class MeterError(RuntimeError):
    """A counter gave no usable window; the message is the reason that stands beside the null."""


class Counter(Protocol):
    """What an energy counter offers: running totals in joules, one per zone, that wrap at ``wrap_J``."""

    method: str
    tick_s: float
    covers: str
    wrap_J: tuple[float, ...]  # per zone; infinity where it does not wrap
    reason: str  # why it cannot be read; empty when it can

    def read(self) -> tuple[float, ...]: ...
    def describe(self) -> dict[str, Any]: ...
    def state(self) -> dict[str, float]: ...


@dataclass(frozen=True)
class Window:
    """One stretch of counted energy: joules, seconds, and the calls inside."""

    energy_J: float
    seconds: float
    calls: int
    states: tuple[Mapping[str, float], ...] = ()


class NoCounter:
    """Stands where no counter is: nothing can be read, and ``reason`` says why."""

    method = "none"
    tick_s = 0.0
    covers = ""
    wrap_J: tuple[float, ...] = ()

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def read(self) -> tuple[float, ...]:
        raise MeterError(self.reason)

    def describe(self) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, float]:
        return {}


class NvmlCounter:
    """Total-energy counter of one NVIDIA GPU (Volta and newer), in millijoules since the driver loaded."""

    method = "nvml_counter"
    tick_s = NVML_TICK_S
    covers = "the whole card, memory included; on Grace Hopper the module"
    wrap_J: tuple[float, ...] = (float("inf"),)  # 64 bits of millijoules
    reason = ""

    def __init__(self, library: Any, handle: Any) -> None:
        self._library, self._handle = library, handle

    def read(self) -> tuple[float, ...]:
        return (self._library.nvmlDeviceGetTotalEnergyConsumption(self._handle) * 1e-3,)

    def describe(self) -> dict[str, Any]:
        """Describe what the readings depend on; a query that the card does not answer is left out."""
        library, handle = self._library, self._handle
        queries: dict[str, Callable[[], Any]] = {
            "driver": library.nvmlSystemGetDriverVersion,
            "power_limit_W": lambda: library.nvmlDeviceGetEnforcedPowerLimit(handle) * 1e-3,
            "ecc": lambda: bool(library.nvmlDeviceGetEccMode(handle)[0]),
            "mig": lambda: bool(library.nvmlDeviceGetMigMode(handle)[0]),
            "persistence": lambda: bool(library.nvmlDeviceGetPersistenceMode(handle)),
        }
        return _answered(queries, library.NVMLError)

    def state(self) -> dict[str, float]:
        """Read clocks, temperature and the mask of throttle reasons now."""
        library, handle = self._library, self._handle
        queries: dict[str, Callable[[], Any]] = {
            "sm_MHz": lambda: library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_SM),
            "mem_MHz": lambda: library.nvmlDeviceGetClockInfo(handle, library.NVML_CLOCK_MEM),
            "temp_C": lambda: library.nvmlDeviceGetTemperature(handle, library.NVML_TEMPERATURE_GPU),
            "throttle_mask": lambda: library.nvmlDeviceGetCurrentClocksThrottleReasons(handle),
        }
        return _answered(queries, library.NVMLError)


def _answered(queries: Mapping[str, Callable[[], Any]], refusal: type[Exception]) -> dict[str, Any]:
    answers = {}
    for name, query in queries.items():
        try:
            answers[name] = query()
        except refusal:
            continue
    return answers


class RaplCounter:
    """Package energy of the processors by Linux powercap, in microjoules, wrapping per package."""

    method = "rapl"
    tick_s = RAPL_TICK_S
    covers = "the processor packages with every process on them; neither DRAM modules nor board"
    reason = ""

    def __init__(self, zones: tuple[Path, ...]) -> None:
        self._files = tuple(zone / "energy_uj" for zone in zones)
        self.wrap_J = tuple(int((zone / "max_energy_range_uj").read_text()) * 1e-6 for zone in zones)

    def read(self) -> tuple[float, ...]:
        return tuple(int(file.read_text()) * 1e-6 for file in self._files)

    def describe(self) -> dict[str, Any]:
        return {}

    def state(self) -> dict[str, float]:
        return {}


def find_counter(target: torch.device) -> Counter:
    """Return the energy counter for the device, or a ``NoCounter`` that says why there is none."""
    if target.type == "cuda":
        import torch

        return nvml_counter(str(getattr(torch.cuda.get_device_properties(target), "uuid", "")))
    return rapl_counter()


def nvml_counter(uuid: str = "", index: int = 0) -> Counter:
    """Open a GPU's counter by the UUID torch gives (order and visibility differ), else by index."""
    try:
        import pynvml as library
    except ImportError:
        return NoCounter("no energy counter: nvidia-ml-py is not installed (pip install 'rmaat-hw[nvml]')")
    try:
        library.nvmlInit()
        if uuid:
            name = uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}"
            handle = library.nvmlDeviceGetHandleByUUID(name)
        else:
            handle = library.nvmlDeviceGetHandleByIndex(index)
        found = NvmlCounter(library, handle)
        found.read()
    except library.NVMLError as error:
        return NoCounter(f"no energy counter: NVML answers '{error}'")
    if found.describe().get("mig"):
        return NoCounter(
            "no energy counter: the GPU is partitioned (MIG) and its counter is of the whole card"
        )
    return found


def rapl_counter(root: Path = POWERCAP) -> Counter:
    """Open the package zones of RAPL (Intel and AMD share the driver's name), or say why not."""
    if not root.is_dir():
        return NoCounter(
            "no energy counter: this system has no powercap interface (usual in a virtual machine)"
        )
    zones = tuple(
        zone
        for zone in sorted(root.glob("intel-rapl:*"))
        if zone.name.count(":") == 1 and _text(zone / "name").startswith("package")
    )
    if not zones:
        return NoCounter("no energy counter: powercap lists no processor package")
    try:
        found = RaplCounter(zones)
        found.read()
    except PermissionError:
        return NoCounter("no energy counter: RAPL is readable by root only")
    except (OSError, ValueError) as error:
        return NoCounter(f"no energy counter: RAPL cannot be read ({type(error).__name__})")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def difference_J(start: tuple[float, ...], end: tuple[float, ...], wrap_J: tuple[float, ...]) -> float:
    """Return the energy between two readings in joules, each zone unwrapped once if it ran over."""
    total = 0.0
    for before, after, wrap in zip(start, end, wrap_J, strict=True):
        step = after - before
        if step < 0.0:
            if wrap == float("inf"):
                raise MeterError("the energy counter ran backwards (driver reload?)")
            step += wrap
        total += step
    return total


class Meter:
    """Reads windows of a counter; clock and pause are arguments so that a test needs no time."""

    def __init__(
        self,
        counter: Counter,
        clock: Callable[[], float] = time.perf_counter,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.counter, self._clock, self._pause = counter, clock, pause
        self._stuck_s = max(STUCK_TICKS * counter.tick_s, 0.1)

    def edge(self) -> tuple[float, tuple[float, ...]]:
        """Wait until the counter changes; return the time and the new reading."""
        first = self.counter.read()
        began = self._clock()
        while (now := self.counter.read()) == first:
            if self._clock() - began > self._stuck_s:
                raise MeterError("the energy counter does not move")
            self._pause(self.counter.tick_s / 50)
        return self._clock(), now

    def window(self, seconds: float, call: Callable[[], object] | None = None) -> Window:
        """Count energy over at least ``seconds``, calling ``call`` all the while (or idle without it).

        It starts on a tick edge and ends after the first call that a tick fell into, so that both
        ends are aligned to the counter and no idle tail is counted.
        """
        if seconds < self.counter.tick_s:
            raise MeterError("the window is shorter than one tick of the energy counter")
        began, start = self.edge()
        states: list[Mapping[str, float]] = []
        calls = 0
        if call is None:
            self._pause(seconds)
            ended, last = self.edge()
        else:
            ended, before = began, None
            while True:
                previous = ended
                call()
                calls += 1
                ended = self._clock()
                if ended - began >= seconds * (len(states) + 1) / SAMPLES_PER_WINDOW:
                    states.append(self.counter.state())
                if ended - began < seconds:
                    continue
                last = self.counter.read()
                if ended - previous >= self.counter.tick_s or (before is not None and last != before):
                    break
                if before is None:
                    since = ended
                elif ended - since > self._stuck_s:
                    raise MeterError("the energy counter stopped moving within a window")
                before = last
        energy = difference_J(start, last, self.counter.wrap_J)
        if energy <= 0.0 or ended <= began:
            raise MeterError("the energy counter gave an empty window")
        return Window(energy, ended - began, calls, tuple(states))


def energy_of(
    counter: Counter,
    call: Callable[[], object],
    synchronise: Callable[[], None],
    *,
    budget_s: float,
    clock: Callable[[], float] = time.perf_counter,
    pause: Callable[[float], None] = time.sleep,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure the energy of one call; return the groups ``energy`` and ``clocks`` of a measurement.

    ``value`` (joules, gross) is null with a reason when there is no counter, when the budget does not
    hold two idle stretches and one window, or when the counter misbehaves.
    """
    if counter.reason:
        return _no_energy(counter, counter.reason), {}
    window_s = max(TICKS_PER_WINDOW * counter.tick_s, MIN_WINDOW_S)
    idle_s = min(MAX_IDLE_S, max(window_s / 10, 0.05 * budget_s))
    trials = min(MAX_TRIALS, int((budget_s - 2 * idle_s) / (window_s + 4 * counter.tick_s)))
    if trials < 1:
        needed = window_s * 1.2 + 4 * counter.tick_s
        reason = f"the time budget left {max(budget_s, 0.0):.1f} s, an energy window needs {needed:.1f} s"
        return _no_energy(counter, reason), {}
    meter = Meter(counter, clock, pause)
    phase = random.Random(0)

    def synchronised() -> None:
        call()
        synchronise()

    try:
        idle = [meter.window(idle_s)]
        windows = []
        for _ in range(trials):
            windows.append(meter.window(window_s, synchronised))
            pause(phase.uniform(0.0, 2 * counter.tick_s))
        idle.append(meter.window(idle_s))
    except MeterError as error:
        return _no_energy(counter, str(error)), {}
    sound = [window for window in windows if not _throttled(window)]
    if not sound:
        return _no_energy(counter, "the device throttled in every window"), _clocks(windows)
    idle_W = sum(window.energy_J for window in idle) / sum(window.seconds for window in idle)
    gross = [window.energy_J / window.calls for window in sound]
    net = [(window.energy_J - idle_W * window.seconds) / window.calls for window in sound]
    energy = {
        "value": statistics.median(gross),
        "unit": "J",
        "method": counter.method,
        "covers": counter.covers,
        "gross_per_iter_J": statistics.median(gross),
        "idle_subtracted_per_iter_J": statistics.median(net),
        "idle_W": idle_W,
        "avg_W": sum(w.energy_J for w in sound) / sum(w.seconds for w in sound),
        "window_s": window_s,
        "iters": sum(window.calls for window in sound),
        "n": len(sound),
        "rejected_throttled": len(windows) - len(sound),
        "trials": [
            {"gross_per_iter_J": energy, "window_s": window.seconds, "iters": window.calls}
            for energy, window in zip(gross, sound, strict=True)
        ],
    }
    return energy, _clocks(windows)


def _no_energy(counter: Counter, reason: str) -> dict[str, Any]:
    return {"value": None, "unit": "J", "method": counter.method, "reason": reason}


def _throttled(window: Window) -> bool:
    mask = sum(THROTTLE_BITS)
    return any(int(state.get("throttle_mask", 0)) & mask for state in window.states)


def _clocks(windows: list[Window]) -> dict[str, Any]:
    """Percentiles 5, 50, 95 of the clocks over all windows, temperatures, and what throttled."""
    states = [state for window in windows for state in window.states if state]
    if not states:
        return {}
    clocks: dict[str, Any] = {"samples": len(states)}
    for name in ("sm_MHz", "mem_MHz"):
        values = sorted(state[name] for state in states if name in state)
        if values:
            clocks[name] = [values[round(share * (len(values) - 1))] for share in (0.05, 0.5, 0.95)]
    temperatures = [state["temp_C"] for state in states if "temp_C" in state]
    if temperatures:
        clocks["temp_C"] = [temperatures[0], temperatures[-1]]
    seen = 0
    for state in states:
        seen |= int(state.get("throttle_mask", 0))
    named = {**THROTTLE_BITS, SW_POWER_CAP_BIT: "sw_power_cap"}
    clocks["throttle_reasons"] = [name for bit, name in named.items() if seen & bit]
    return clocks
