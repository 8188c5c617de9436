"""``rmaat_hw.estimate(...)`` and its kin: modules that can be called, however they were imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rmaat_hw


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.mark.parametrize("first", ["import rmaat_hw.trace", "from rmaat_hw.trace import capture"])
def test_trace_is_module_and_function(first: str) -> None:
    code = f"{first}; import rmaat_hw, torch; m = torch.nn.Linear(4, 3)\n"
    code += "t = rmaat_hw.trace(m, (torch.zeros(2, 4),))\n"
    code += "print(t.graph.macs, t.to_pandas()['total_macs'].sum(), rmaat_hw.trace.capture.__name__)"
    assert run(code) == "24 24 capture"


@pytest.mark.parametrize("name", ["estimate", "measure", "report", "trace", "train", "validate"])
def test_every_command_can_be_called(name: str) -> None:
    assert name in dir(rmaat_hw)
    assert callable(getattr(rmaat_hw, name))


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'estimat'"):
        rmaat_hw.__getattr__("estimat")


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert run("import sys, rmaat_hw; print('torch' in sys.modules or 'numpy' in sys.modules)") == "False"
