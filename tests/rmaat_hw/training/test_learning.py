"""RMAAT learns: more than can be known from the root operator alone, on every length that it is given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from rmaat_hw.tasks import load_task
from rmaat_hw.tasks.examples import Examples
from rmaat_hw.tasks.listops_data import Law
from rmaat_hw.training import study
from rmaat_hw.training.evaluation import first_token
from rmaat_hw.training.run import create_run, run_job
from rmaat_hw.training.settings import Job, make_settings

CPU = torch.device("cpu")
LAW = Law((3, 32), 10, 32, train=24_000, validation=500, test=2_500)  # of the short preset, fewer trees
CERTAIN = 3.29  # two-sided normal quantile of 99.9 %


def split(which: str) -> Examples:
    return LAW.load(which, LAW.padded_length, data=None, n=None, seed=0)


def test_listops_is_learnt_beyond_the_root_operator(tmp_path: Path) -> None:
    """400 steps on trees seen once; two in three reach over several segments."""
    task = load_task("listops", preset="short")
    recipe = replace(task.recipe, steps=400, evaluate_every=400)
    job = Job(
        settings=replace(make_settings("listops", preset="short"), recipe=recipe, checkpoint_every=400),
        config=task.config,
        **{which: split(which) for which in ("train", "validation", "test")},
    )
    result = run_job(job, create_run(job, tmp_path / "run"), CPU)
    found = study.evidence(result, train=job.train, test=job.test)
    assert found["margin"]["value"] == pytest.approx(
        result.accuracy - first_token(job.train, job.test).accuracy, abs=2 / len(job.test)
    )
    half = (found["margin"]["high"] - found["margin"]["low"]) / 2 / 1.96 * CERTAIN
    assert found["margin"]["value"] - half > 0.10
    # Where the root operator stands in another segment than the head reads, memory brought the answer.
    two = next(part for part in found["by_segments"] if part["segments"] == 2)
    noise = CERTAIN * np.sqrt(0.5 / two["sequences"])  # of a difference of two shares, at most
    assert two["accuracy"] - two["memory_cut"] > noise
    assert two["accuracy"] - two["root_operator"] > noise


@pytest.mark.study
def test_study_of_learning(tmp_path: Path) -> None:
    """The study itself, a quarter of an hour on two cores; `make study-learning` keeps what it finds."""
    groups = {
        (group["task"], group["preset"], group["model"], *group["ablations"]): group
        for group in study.conduct(tmp_path)
        if group["event"] == "group"
    }
    for preset in ("small", "short"):
        margin = groups["listops", preset, "rmaat"]["margin_over_root_operator"]
        assert margin["low"] > 0.10
    assert groups["digits", "full", "rmaat"]["accuracy"]["value"] >= 0.95


def test_shipped_study_belongs_to_the_present_presets() -> None:
    head, *records = study.read()
    assert head["event"] == "study"
    trained = [record for record in records if record["event"] == "run"]
    groups = [record for record in records if record["event"] == "group"]
    assert study.margins(trained) == groups
    for run in trained:
        task = load_task(run["task"], preset=run["preset"])
        assert run["recipe"] == task.recipe.to_dict()
        assert run["steps"] == task.recipe.steps
        present = (
            task.config.to_dict() if (run["model"], run["ablations"]) == ("rmaat", []) else run["config"]
        )
        assert run["config"] == {name: present[name] for name in run["config"]}
        assert run["hardware"]["host"]["cpu_usable"] >= 1


def test_shipped_study_beats_the_root_operator_by_ten_points() -> None:
    groups = {
        (group["preset"], group["model"], *group["ablations"]): group["margin_over_root_operator"]
        for group in study.read()
        if group["event"] == "group" and group["task"] == "listops"
    }
    for preset in ("small", "short"):
        assert groups[preset, "rmaat"]["low"] > 0.10


def test_interval_of_students_own_data() -> None:
    # Student, Biometrika 6 (1908), p. 20: ten patients, gain in hours of sleep; t = 2.262 for 9 degrees.
    gains = [1.2, 2.4, 1.3, 1.3, 0.0, 1.0, 1.8, 0.8, 4.6, 1.4]
    found = study.student(gains)
    half = 2.262 * np.std(gains, ddof=1) / np.sqrt(10)
    assert found["value"] == pytest.approx(1.58)
    assert (found["low"], found["high"]) == pytest.approx((1.58 - half, 1.58 + half), abs=1e-3)
    assert study.student([0.5]) == {"value": 0.5, "low": None, "high": None}


def test_paired_difference_by_hand() -> None:
    right, other = np.array([True, True, True, False]), np.array([True, False, True, False])
    found = study.paired(right, other, z=2.0)
    assert found["value"] == 0.25
    assert found["high"] - found["low"] == pytest.approx(2 * 2.0 * 0.5 / 2)
