"""The program to be estimated is refused, before it is built, where this computer cannot hold it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from device_params.errors import InputError
from rmaat_hw.subject import load_subject


@pytest.mark.parametrize("options", [{"batch": 10**9}, {"seq_len": 512 * 10**10}, {"model": "deep.yaml"}])
def test_what_does_not_fit_in_memory_is_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deep.yaml").write_text("layers: 10000000\n")
    chosen: dict[str, Any] = {"model": None, "batch": 1, "seq_len": None, "seed": 0} | options
    with pytest.raises(InputError, match="does not fit in the memory of this computer; got 'more than"):
        load_subject("listops", **chosen)
