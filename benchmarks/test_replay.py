"""Memory replay on the Retrieval preset: what it saves, what it costs, and how it stands beside RMT.

On a GPU where there is one, else on the processor. Steps are whole training steps (forward, loss,
backward, clipping, AdamW) in float32; the models take turns, one step each a round, so that whatever
else the machine does falls on all of them, and ratios are taken round by round.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor
from torch.nn import functional

from rmaat_hw.model import RMAATConfig, build, variant
from rmaat_hw.tasks import load_task
from rmaat_hw.trace import capture_training
from rmaat_hw.training.step import TrainingStep, make_optimizer

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BATCH = 32 if DEVICE == "cuda" else 8  # 32 of RMT do not fit in 24 GB
ROUNDS = 9
RETRIEVAL = load_task("retrieval")
BASE = RETRIEVAL.config
RMT = variant("rmt", BASE)
MODELS = {
    "rmaat": BASE,
    "rmaat_bptt": variant("rmaat", BASE, ["bptt"]),
    "rmt_materialised": replace(RMT, softmax_kernel="materialised"),
    "rmt_fused": RMT,
    "rmt_fused_skipping": replace(RMT, skip_unread_rows=True),
}


def batch_of(config: RMAATConfig, batch: int) -> tuple[Tensor, Tensor]:
    examples = RETRIEVAL.batch(batch)
    tokens = examples.tokens[:, : config.sequence_length].to(DEVICE)
    return tokens, examples.labels.to(DEVICE)


def step_of(config: RMAATConfig, batch: int) -> Callable[[], None]:
    """A whole training step, to the end of its work."""
    model = build(config).to(DEVICE).train()
    recipe = RETRIEVAL.recipe
    step = TrainingStep(model, make_optimizer(model, recipe), clip=recipe.clip)
    tokens, labels = batch_of(config, batch)

    def run() -> None:
        step(tokens, labels)
        if DEVICE == "cuda":
            torch.cuda.synchronize()

    return run


def told(ratios: NDArray[np.float64]) -> str:
    """95 % interval of the mean log ratio, as a factor."""
    low, high = np.exp(
        stats.t.interval(0.95, len(ratios) - 1, np.log(ratios).mean(), stats.sem(np.log(ratios)))
    )
    return f"95 % interval {low:.3f} to {high:.3f} over {len(ratios)} rounds"


def test_step_time_and_throughput(record: Callable[..., None]) -> None:
    """Replay ≤ 1.35 × BPTT; RMAAT with replay ≥ 1.73 × RMT materialised and ≥ 1.4 × RMT fused."""
    steps = {name: step_of(config, BATCH) for name, config in MODELS.items()}
    for step in steps.values():  # the first allocates and chooses kernels
        step()
    times: dict[str, list[float]] = {name: [] for name in steps}
    names = list(steps)
    gc.disable()
    for _ in range(ROUNDS):
        for name in names:
            began = time.perf_counter()
            steps[name]()
            times[name].append(time.perf_counter() - began)
        names.reverse()
    gc.enable()
    taken = {name: np.array(values) for name, values in times.items()}
    for name, values in taken.items():
        how = f"median of {ROUNDS}, Retrieval, batch {BATCH}, {DEVICE}, fp32"
        record(f"train_step_{name}", float(np.median(values)), "s", how)
    for rival in names:
        if rival != "rmaat":
            ratios = taken[rival] / taken["rmaat"]
            record(f"train_throughput_rmaat_over_{rival}", float(np.median(ratios)), "ratio", told(ratios))
    ratios = taken["rmaat"] / taken["rmaat_bptt"]
    record("train_step_replay_over_bptt", float(np.median(ratios)), "ratio", told(ratios))


def test_roofline(record: Callable[..., None]) -> None:
    """What bounds the step: its products, at the rate of such products alone."""
    step = step_of(BASE, BATCH)
    step()
    times = []
    for _ in range(5):
        began = time.perf_counter()
        step()
        times.append(time.perf_counter() - began)
    macs, rate = step_macs(BASE), product_rate(BASE)
    share = macs / float(np.median(times)) / rate
    record("train_step_rmaat_macs", macs, "MAC", f"traced, batch {BATCH}: forward, replay and backward")
    record("product_rate", rate, "MAC/s", "projection and feed-forward products alone, same shapes, threads")
    record("train_step_rmaat_share_of_product_rate", share, "share", "MACs per second of the step")


def step_macs(config: RMAATConfig) -> int:
    model = build(config).train()
    tokens, labels = RETRIEVAL.batch(1).tokens, torch.zeros(1, dtype=torch.int64)
    trace = capture_training(model, (tokens,), loss=functional.cross_entropy, targets=(labels,))
    return BATCH * trace.graph.totals["macs"]


def product_rate(config: RMAATConfig) -> float:
    """MACs per second of the projections and the feed-forward products, forward and both gradients."""
    rows, d, f = BATCH * config.rows, config.d_model, config.ffn_width
    shapes = [(rows, d, 3 * d), (rows, d, f), (rows, f, d)]
    shapes += [(rows, n, k) for _, k, n in shapes[:3]] + [(k, rows, n) for _, k, n in shapes[:3]]
    pairs = [(torch.randn(m, k, device=DEVICE), torch.randn(k, n, device=DEVICE)) for m, k, n in shapes]
    best = float("inf")
    for _ in range(20):
        began = time.perf_counter()
        for one, other in pairs:
            torch.mm(one, other)
        if DEVICE == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - began)
    return sum(m * k * n for m, k, n in shapes) / best


# --- memory ----------------------------------------------------------------------------------------


def held(config: RMAATConfig, batch: int) -> dict[str, int]:
    """Peak memory [B] of two training steps of a process, and what of it is not activations."""
    model = build(config).to(DEVICE).train()
    state = sum(p.numel() * p.element_size() for p in model.parameters()) * 4  # value, gradient, two averages
    del model
    if DEVICE == "cuda":
        step = step_of(config, batch)
        torch.cuda.reset_peak_memory_stats()
        step(), step()
        return {"peak": torch.cuda.max_memory_allocated(), "state": state}
    torch.mm(torch.randn(64, 64), torch.randn(64, 64))  # libraries take their work space
    step_of(replace(config, segments=2, d_model=8, heads=2, ffn_width=8), 1)()
    before = resident("VmRSS")
    step = step_of(config, batch)
    step(), step()
    return {"peak": resident("VmHWM") - before, "state": state}


def resident(field: str) -> int:
    """A line of Linux's account of this process [B]."""
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


def held_apart(name: str, segments: int, batch: int) -> dict[str, int]:
    """``held`` in a process of its own, whose peak nothing else has raised.

    Its allocator gives large blocks back at once, so that the process holds what lives and not what
    glibc keeps for later.
    """
    code = (
        "import json, dataclasses; from benchmarks.test_replay import MODELS, held; "
        f"config = dataclasses.replace(MODELS[{name!r}], segments={segments}); "
        f"print(json.dumps(held(config, {batch})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "0"},
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.skipif(DEVICE == "cpu" and not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory(record: Callable[..., None]) -> None:
    """BPTT / replay ≥ 4.4 in all and ≥ 10 in activations at 16 segments, growing with T."""
    for segments in (4, 16):
        peak = {name: held_apart(name, segments, BATCH) for name in ("rmaat_bptt", "rmaat")}
        how = f"peak of a process, two steps, Retrieval, T = {segments}, batch {BATCH}, {DEVICE}, fp32"
        for name, found in peak.items():
            record(f"train_memory_{name}_T{segments}", found["peak"], "B", how)
        whole = {name: found["peak"] for name, found in peak.items()}
        rest = {name: found["peak"] - found["state"] for name, found in peak.items()}
        told_apart(record, f"T{segments}", whole, rest, "measured")


def test_memory_traced(record: Callable[..., None]) -> None:
    """The same from the traced program: live tensors, whatever an allocator makes of them."""
    for segments in (4, 16):
        whole, rest = {}, {}
        for name in ("rmaat_bptt", "rmaat"):
            config = replace(MODELS[name], segments=segments)
            examples = RETRIEVAL.batch(BATCH)
            trace = capture_training(
                build(config).train(),
                (examples.tokens[:, : config.sequence_length],),
                loss=functional.cross_entropy,
                targets=(examples.labels,),
                optimiser="adamw",
            )
            assert trace.peak_bytes is not None
            whole[name], rest[name] = trace.peak_bytes.total, trace.peak_bytes.activations
        told_apart(record, f"T{segments}_traced", whole, rest, "traced")


def told_apart(
    record: Callable[..., None], which: str, whole: dict[str, int], rest: dict[str, int], how: str
) -> None:
    """Ratios of BPTT to replay, in all and in activations."""
    for label, found in (("", whole), ("_activations", rest)):
        ratio = found["rmaat_bptt"] / found["rmaat"]
        detail = "parameters, gradients and AdamW included" if not label else "without them"
        record(f"train_memory_bptt_over_replay_{which}{label}", ratio, "ratio", f"{how}, {detail}")
