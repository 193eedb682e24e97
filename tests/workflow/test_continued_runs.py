"""Runs that go on from other runs, through Snakemake: the same bytes after SIGKILL; exact jobs."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kept_studies import kept_project
from limr.core import files
from small_study import Project, little

pytestmark = [pytest.mark.slow, pytest.mark.long]
AFTER = 2
KILLED = ("continued", "rounds-round1")


def study() -> dict[str, Any]:
    """`full` goes on to step 6 by itself, in one continuation, and in two more rounds."""
    start = {"arm": "full", "step": AFTER}
    found = little(evaluate={"ppo_steps": [2, 6], "benchmarks": {"arithmetic-easy": {}}})
    found["seeds"] = [1, 2]
    found["states"] = "keep"
    curves = {"format": "rollouts", "arm": "full", "seed": "each", "steps": [1, AFTER]}
    found["trajectories"] = {"early": curves}
    found["scores"] = {
        "everything": {"selector": "full"},
        "decayed": {"selector": "decayed", "trajectories": "early"},
    }
    common = {"train": "ppo", "start": start}
    found["arms"] = {
        "base": {"train": "none"},
        "full": {"train": "ppo", "score": "everything"},
        "continued": {**common, "score": "everything"},
        "rounds": {**common, "score": "everything", "rounds": {"every": 2, "times": 2}},
        "chosen": {**common, "score": "decayed", "size": 12},
    }
    found["tables"] = {"results": {}, "compute": {}, "chosen-when": {}}
    return dict(json.loads(json.dumps(found)))  # nothing is in it twice: YAML would write an alias


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The study, whose continuation and first of the rounds were killed in the middle."""
    folder = tmp_path_factory.mktemp("continued")
    project = kept_project(little(), folder / "project")
    project.write(study())
    for arm in KILLED:
        project.kill_when(f"tiny/state/{arm}-seed1/whole/*.json")
        assert not (project.folder / f"results/tiny/runs/{arm}/seed1/run.json").exists()
    project.finish("--nolock")
    return project


@pytest.fixture
def copied(finished: Project, tmp_path: Path) -> Project:
    folder = tmp_path / "project"
    shutil.copytree(finished.folder, folder, symlinks=True, copy_function=shutil.copy2)
    return Project(folder)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_continued_run_has_the_bytes_of_the_whole_one(finished: Project, seed: int) -> None:
    results = finished.folder / "results/tiny"

    def rows(*arms: str) -> list[dict[str, Any]]:
        tables = [pd.read_parquet(results / f"runs/{a}/seed{seed}/rollouts.parquet") for a in arms]
        return list(pd.concat(tables).to_dict("records"))

    whole = rows("full")
    late = [row for row in whole if row["step"] > AFTER]
    assert rows("continued") == late
    assert rows("rounds-round1", "rounds") == late
    for arm in ("continued", "rounds"):
        for path in ("runs/{}/seed{}/policy/step6/model.safetensors",
                     "evals/{}/seed{}/step6/arithmetic-easy.parquet"):  # fmt: skip
            same = [files.sha256(results / path.format(one, seed)) for one in ("full", arm)]
            assert same[0] == same[1], path
    metrics = pd.read_parquet(results / "collected/metrics.parquet")
    metrics = metrics[metrics["seed"] == seed].drop(columns=["seconds", "seed", "group"])
    parts = [metrics[metrics["arm"] == arm].drop(columns="arm").reset_index(drop=True)
             for arm in ("full", "continued", "rounds")]  # fmt: skip
    assert parts[0].equals(parts[1])
    assert parts[0].equals(parts[2])


@pytest.mark.parametrize("arm", KILLED)
def test_the_killed_run_says_so_and_where_it_came_from(finished: Project, arm: str) -> None:
    record = files.read_json(finished.folder / f"results/tiny/runs/{arm}/seed1/run.json")
    assert record["attempts"] >= 2
    assert record["settings"]["start"] == {
        **{"arm": "full", "step": AFTER, "optimizer": "kept", "streams": "full"}
    }
    assert set(record["inputs_sha256"]) == {"problems", "start"}


def test_an_archive_of_it_is_trained_again_from_the_starts(copied: Project) -> None:
    for words in (
        ["archive", "study.yaml", "--output", "a.zip"],
        ["verify", "a.zip", "--rerun", "1"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "limr", *words],
            cwd=copied.folder, env=copied.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    runs = 2 * (1 + 1 + 2 + 1)  # two seeds of full, continued, two rounds, chosen
    said = f"rerun: the first step of {runs} runs trained again: every rollout is the same"
    assert said in done.stdout


LAST = ["Collect the evaluations", "Collect the training metrics", "Draw the figures",
        "Make the tables", "Make the report"]  # fmt: skip


def of_chosen(*seeds: int) -> list[str]:
    jobs = ("Select the problems of chosen-seed{0}", "Train chosen-seed{0} by PPO, seed {0}",
            "Evaluate chosen-seed{0}, seed {0}")  # fmt: skip
    return [job.format(seed) for seed in seeds for job in jobs]


def test_nothing_is_done_again(finished: Project) -> None:
    assert finished.planned() == []


def test_another_size_reruns_the_continuation_alone(copied: Project) -> None:
    changed = study()
    changed["arms"]["chosen"]["size"] = 13
    copied.write(changed)
    assert copied.planned() == sorted([*of_chosen(1, 2), *LAST])


def test_another_selector_scores_again_too(copied: Project) -> None:
    changed = study()
    changed["scores"]["decayed"]["selector"] = "learnability"
    copied.write(changed)
    scores = [f"Score the problems: decayed-seed{seed}" for seed in (1, 2)]
    assert copied.planned() == sorted([*scores, *of_chosen(1, 2), *LAST])


def test_other_last_steps_read_the_same_rollouts_again(copied: Project) -> None:
    changed = study()
    changed["trajectories"]["early"]["steps"] = [1, 1]
    copied.write(changed)
    again = [f"Read the learning curves early-seed{seed}" for seed in (1, 2)]
    again += [f"Score the problems: decayed-seed{seed}" for seed in (1, 2)]
    assert copied.planned() == sorted([*again, *of_chosen(1, 2), *LAST])


def test_temporary_states_go_after_their_use_and_nobody_wants_them(copied: Project) -> None:
    changed = study()
    del changed["states"]
    changed["arms"]["chosen"]["size"] = 13
    copied.write(changed)
    copied.finish()
    assert not list(copied.folder.glob("results/tiny/runs/full/*/state/*"))
    assert copied.planned() == []
    changed["arms"]["chosen"]["size"] = 14
    copied.write(changed)
    assert "Train full by PPO, seed 1" in copied.planned()  # its state is made again
