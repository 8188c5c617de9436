"""Bridge to torch_tb_profiler: traces under the names its TensorBoard plugin reads, and its own tables.

The plugin (0.4.3, its last release) reads ``<worker>.<digits>.pt.trace.json`` and drops user
annotations: module tags are invisible to it, so nothing here depends on it. To look at a run:
``tensorboard --logdir FOLDER``, tab PYTORCH_PROFILER (its charts load a script from the network).
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from device_params.errors import InputError


def write_trace(
    document: Mapping[str, Any], folder: Path | str, *, worker: str = "rmaat-hw_0", span: int = 1
) -> Path:
    """Write a trace where the plugin finds it and return its path.

    Args:
        document: a trace as ``kineto.load`` or ``kineto.strip`` gives it.
        folder: TensorBoard's log folder; made when missing.
        worker: name of the process in the plugin; it warns unless ``_<number>`` ends it.
        span: number of the recording, so that several of one worker stay apart.
    """
    if not re.fullmatch(r"[^.\s/\\]+", worker) or span < 0:
        raise InputError(
            "not a worker name and span that the plugin reads",
            where="worker, span",
            value=(worker, span),
            allowed="a name without dots, spaces and slashes, and a number from 0",
        )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    path = target / f"{worker}.{span}.pt.trace.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def plugin_operators(path: Path | str) -> pd.DataFrame:
    """Return the operator table that torch_tb_profiler itself makes of a trace (host times in s).

    Columns ``name, calls, total_s, self_s``: a second opinion on ``kineto.operator_table``.
    """
    with warnings.catch_warnings():
        # Unmaintained since 2026-04; with a GPU's trace its kernel parser passes a keyword that pandas 3
        # deprecates (Pandas4Warning) and pandas 4 will refuse: hence pandas<4 in our requirements.
        warnings.filterwarnings("ignore", message="The copy keyword is deprecated")
        from torch_tb_profiler.profiler.data import RunProfileData

        source = Path(path)
        with tempfile.TemporaryDirectory() as cache:
            run = RunProfileData.parse(source.name.split(".")[0], "1", str(source), cache)
    rows = [
        (entry.name, entry.calls, entry.host_duration * 1e-6, entry.self_host_duration * 1e-6)
        for entry in run.op_list_groupby_name
    ]
    return pd.DataFrame(rows, columns=["name", "calls", "total_s", "self_s"])
