"""The study of the paper's comparisons: its plan, its verdicts, and what it says without data.

The study itself needs the published files and a GPU: ``RMAAT_HW_DATA=FOLDER python -m pytest -m study``.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from device_params.errors import InputError
from rmaat_hw.model import ABLATIONS, VARIANTS, variant
from rmaat_hw.tasks import load_task
from rmaat_hw.training.lra_study import CLAIMS, DATA, conduct, judged, main, require_data


def test_every_arm_can_be_built() -> None:
    for claim in CLAIMS:
        for arm in (claim.better, claim.worse):
            assert arm.model in VARIANTS and set(arm.ablations) <= set(ABLATIONS)
            config = variant(arm.model, load_task(arm.task).config, arm.ablations)
            kept = {"half-segments": 2, "quarter-segments": 4}
            parts = next((kept[name] for name in arm.ablations if name in kept), 1)
            assert config.sequence_length * parts == load_task(arm.task).config.sequence_length
        assert claim.published > 0
        assert claim.better.seeds == claim.worse.seeds and len(claim.better.seeds) >= 3


@pytest.mark.parametrize(
    ("worse", "holds"), [((0.70, 0.71, 0.72), True), ((0.9, 0.91, 0.92), False), ((0.7, 0.8, 0.9), None)]
)
def test_a_claim_holds_where_its_interval_is_above_nothing(
    worse: tuple[float, ...], holds: bool | None
) -> None:
    claim = CLAIMS[0]
    scores = {claim.better.folder(seed): 0.8 + 0.01 * seed for seed in claim.better.seeds}
    scores |= {claim.worse.folder(seed): worse[seed] for seed in claim.worse.seeds}
    found = judged(claim, scores)
    assert found["holds"] is holds
    assert found["published_difference"] == 0.039


def test_without_data_it_says_which_file_from_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(DATA, raising=False)
    assert main(["--runs", str(tmp_path / "runs")]) == 2
    assert "lra_release.gz" in capsys.readouterr().err
    monkeypatch.setenv(DATA, str(tmp_path))
    assert main(["--runs", str(tmp_path / "runs")]) == 2
    assert "new_aan_pairs" in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


@pytest.mark.study
def test_the_comparisons_of_the_paper(tmp_path: Path) -> None:
    given = os.environ.get(DATA)
    try:
        require_data(CLAIMS, Path(given) if given else None)
    except InputError as missing:
        pytest.skip(str(missing))
    found = [record for record in conduct(tmp_path, Path(given or "")) if record["event"] == "claim"]
    assert [record["claim"] for record in found if record["holds"] is not True] == []
