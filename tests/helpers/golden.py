"""The default estimate by component, as it was last accepted: ``make golden`` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rmaat_hw.estimate import Estimate, estimate

FILE = Path(__file__).resolve().parents[1] / "golden" / "estimate.json"


def figures(found: Estimate) -> dict[str, dict[str, Any]]:
    """Totals of each component, the totals with their intervals, and programming by leaf."""
    table = found.to_pandas().groupby("component")[["energy_J", "latency_s", "area_m2"]].sum()
    totals = {name: value for name, value in found.document["totals"].items() if value}
    once = found.document["programming"]
    programming = {name: once[name] for name in ("energy_J", "latency_s")}
    for name in ("energy_J", "latency_s"):
        leaves = {leaf["leaf"]: leaf[name]["value"] for leaf in once["breakdown"] if leaf[name]}
        programming[f"leaves_{name}"] = leaves
    return {"components": table.to_dict("index"), "totals": totals, "programming": programming}


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(figures(estimate(measure=False)), indent=1) + "\n")
    print(f"written: {FILE.name}; name what moved in CHANGELOG.md")
