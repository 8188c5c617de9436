"""Case files to change and write again, for tests of their format."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "device_params" / "chips"


def document(name: str) -> dict[str, Any]:
    """The content of a shipped case file."""
    loaded: dict[str, Any] = YAML(typ="safe").load(FOLDER / f"{name}.yaml")
    return loaded


def written(folder: Path, content: Mapping[str, Any], name: str = "case.yaml") -> Path:
    """A case file of this content; JSON is YAML."""
    file = folder / name
    file.write_text(json.dumps(content), encoding="utf-8")
    return file
