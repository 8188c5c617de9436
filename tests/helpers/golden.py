"""The default estimate by component, as it was last accepted: ``make golden`` writes it anew."""

from __future__ import annotations

import json
from pathlib import Path

from rmaat_hw.estimate import Estimate, estimate

FILE = Path(__file__).resolve().parents[1] / "golden" / "estimate.json"


def figures(found: Estimate) -> dict[str, dict[str, float]]:
    """Totals of each component, and the totals with their intervals."""
    table = found.to_pandas().groupby("component")[["energy_J", "latency_s", "area_m2"]].sum()
    totals = {name: value for name, value in found.document["totals"].items() if value}
    return {"components": table.to_dict("index"), "totals": totals}


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(figures(estimate(measure=False)), indent=1) + "\n")
    print(f"written: {FILE.name}; name what moved in CHANGELOG.md")
