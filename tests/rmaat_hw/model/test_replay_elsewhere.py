"""Memory replay under the compiler and across processes: slow to start, so apart from the other tests."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from rmaat_hw.model import RMAAT, RMAATConfig, build

# torch's compiler imports and calls what torch itself calls deprecated, and asks tensors for .grad.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]

CONFIG = RMAATConfig(
    vocabulary=20,
    classes=5,
    d_model=16,
    heads=2,
    layers=1,
    ffn_width=32,
    segment_length=8,
    segments=4,
    memory_tokens=4,
    dropout=0.2,
)
BPTT = replace(CONFIG, gradient="bptt")


def examples(seed: int = 0, count: int = 4) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(1, 20, (count, CONFIG.sequence_length), generator=generator)
    tokens[0, :11] = 0
    return tokens, torch.randint(0, 5, (count,), generator=generator)


def gradients(model: RMAAT, program: Any = None) -> dict[str, Tensor]:
    torch.manual_seed(3)
    tokens, labels = examples()
    functional.cross_entropy((model if program is None else program)(tokens), labels).backward()
    return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}


def relative(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    """Largest distance of a parameter's gradients over their length.

    A length below a thousandth of all gradients together counts as that: the decay of R is a scalar whose
    gradient is what is left of terms that cancel.
    """
    assert one.keys() == other.keys()
    whole = float(torch.stack([gradient.norm() for gradient in other.values()]).norm())
    return max(float((one[n] - other[n]).norm()) / max(float(other[n].norm()), 1e-3 * whole) for n in one)


@pytest.mark.slow
def test_compiled_segment() -> None:
    """The replay draws the dropout of the first pass under the compiler's own random numbers, too."""
    found = []
    for config in (CONFIG, BPTT):
        model = build(config, 1).train()
        model.segment.compile()
        found.append(gradients(model))
    assert relative(*found) < 1e-5
    plain = replace(CONFIG, dropout=0.0)
    compiled = build(plain, 1).train()
    compiled.segment.compile()
    assert relative(gradients(compiled), gradients(build(plain, 1).train())) < 1e-5


@pytest.mark.slow
def test_compiled_model() -> None:
    """The recurrence under replay stays outside the compiler; without gradients there is one graph."""
    model = build(CONFIG, 1).train()
    compiled = gradients(model, torch.compile(model))
    assert relative(compiled, gradients(build(CONFIG, 1).train())) < 1e-5
    model.eval()
    tokens, _ = examples()
    with torch.no_grad():
        whole = torch.compile(model, fullgraph=True)(tokens)
        torch.testing.assert_close(whole, model(tokens), rtol=1e-4, atol=1e-5)


def train_part(rank: int, folder: str, accumulate: bool) -> None:
    """One of two processes: half of the batch, gradients averaged by DistributedDataParallel."""
    from torch import distributed
    from torch.nn.parallel import DistributedDataParallel

    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=2)
    model = build(replace(CONFIG, dropout=0.0), 1).train()
    parallel = DistributedDataParallel(model)
    tokens, labels = examples()
    mine = slice(2 * rank, 2 * rank + 2)
    if accumulate:  # two shares, synchronised with the last
        with parallel.no_sync():
            loss = functional.cross_entropy(parallel(tokens[mine][:1]), labels[mine][:1])
            (loss / 2).backward()
        loss = functional.cross_entropy(parallel(tokens[mine][1:]), labels[mine][1:])
        (loss / 2).backward()
    else:
        functional.cross_entropy(parallel(tokens[mine]), labels[mine]).backward()
    torch.save({n: p.grad for n, p in model.named_parameters()}, Path(folder) / f"{rank}.pt")
    distributed.barrier()
    # The destructor of gloo's process group joins a thread that may wait for the interpreter lock that the
    # joining thread holds (torch 2.13). What is asked for is on disk: the process ends without destructors.
    os._exit(0)


@pytest.mark.slow
@pytest.mark.parametrize("accumulate", [False, True])
def test_distributed_data_parallel(tmp_path: Path, accumulate: bool) -> None:
    """Two processes with half a batch each find the gradient of the whole batch, as without replay."""
    from torch import multiprocessing

    multiprocessing.spawn(train_part, args=(str(tmp_path), accumulate), nprocs=2)
    found = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1)]
    assert relative(found[0], found[1]) == 0.0
    assert relative(found[0], gradients(build(replace(CONFIG, dropout=0.0), 1).train())) < 1e-5
