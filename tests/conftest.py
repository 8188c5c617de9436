"""Settings of every test: reproducible examples, no deadline on a shared machine, no window system.

And no comparison that a small quantity cannot fail.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import hypothesis
import pytest
from tolerance import approx_that_sees

os.environ.setdefault("MPLBACKEND", "Agg")
hypothesis.settings.register_profile("rmaat-hw", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("rmaat-hw")


@pytest.fixture(scope="module", autouse=True)
def _small_quantities_are_compared_by_ratio() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest, "approx", approx_that_sees)
        yield
