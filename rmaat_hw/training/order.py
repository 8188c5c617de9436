"""Which examples a step sees: a pure function of seed and step, so that nothing of it must be saved."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray


@lru_cache(maxsize=2)
def epoch_order(n: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Permutation of the n examples in one pass over them; the same on every machine."""
    generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, epoch])))
    return generator.permutation(n).astype(np.int64)


def batch_indices(step: int, *, batch: int, n: int, seed: int) -> NDArray[np.int64]:
    """Examples of optimiser step ``step`` (from 0), int64 [batch].

    The passes are laid end to end and cut into batches, so that no example is left out: a batch may
    hold the end of one pass and the beginning of the next.
    """
    places = np.arange(step * batch, (step + 1) * batch)
    indices = np.empty(batch, dtype=np.int64)
    for epoch in np.unique(places // n):
        here = places // n == epoch
        indices[here] = epoch_order(n, seed, int(epoch))[places[here] % n]
    return indices
