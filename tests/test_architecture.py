"""The direction of imports, walked in the source: device_params <- cost_models <- sweeps <- rmaat_hw."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ("device_params", "cost_models", "sweeps", "rmaat_hw")  # each may import those before it
LOWER = LAYERS[:3]
FORBIDDEN_BELOW = {"torch", "matplotlib"}


def imported(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Line and top-level name of every import, inside functions too; relative ones are the package's own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.split(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, package if node.level else (node.module or "").split(".")[0]


def violations(package: str, source: str, where: str) -> list[str]:
    """Imports in ``source`` that point upwards, or that bring torch or matplotlib into a lower layer."""
    above = set(LAYERS[LAYERS.index(package) + 1 :])
    refused = above | (FORBIDDEN_BELOW if package in LOWER else set())
    found = imported(ast.parse(source), package)
    return [f"{where}:{line} imports {name}" for line, name in found if name in refused]


@pytest.mark.parametrize("package", LAYERS)
def test_imports_point_downwards(package: str) -> None:
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    found = [v for f in files for v in violations(package, f.read_text(), str(f.relative_to(ROOT)))]
    assert found == []


@pytest.mark.parametrize(
    ("package", "source"),
    [
        ("cost_models", "import rmaat_hw.trace"),
        ("cost_models", "from sweeps import space"),
        ("device_params", "def f():\n    from cost_models.cost import Cost"),
        ("sweeps", "import numpy, torch.nn"),
        ("cost_models", "if True:\n    from matplotlib import pyplot"),
    ],
)
def test_the_walk_sees_an_arrow_upwards(package: str, source: str) -> None:
    assert len(violations(package, source, "x.py")) == 1


def test_the_walk_lets_arrows_downwards_pass() -> None:
    source = "import device_params\nfrom cost_models.cost import Cost\nfrom . import other\nimport numpy"
    assert violations("sweeps", source, "x.py") == []


def loaded_after(statement: str, names: tuple[str, ...]) -> str:
    code = f"import sys; {statement}; print(*[n for n in {names!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout.strip()


@pytest.mark.parametrize(
    "statement",
    [
        "import device_params.load",
        "import cost_models.workload.graph, cost_models.workload.stats, cost_models.cost",
        "import sweeps",
    ],
)
def test_the_lower_layers_load_no_torch(statement: str) -> None:
    assert loaded_after(statement, ("torch", "matplotlib")) == ""


def test_the_command_line_loads_nothing_heavy() -> None:
    heavy = ("torch", "matplotlib", "pandas", "numpy", "scipy", "pyarrow", "networkx", "jinja2", "pint")
    assert loaded_after("import rmaat_hw.cli", heavy) == ""
