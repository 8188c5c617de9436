"""Settings of every test: reproducible examples, no deadline on a shared machine, no window system."""

from __future__ import annotations

import os

import hypothesis

os.environ.setdefault("MPLBACKEND", "Agg")
hypothesis.settings.register_profile("rmaat-hw", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("rmaat-hw")
