"""Controls go through the rules as every arm does: each is trained as its own keys say."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from kept_studies import kept_project
from limr.grading import paper, rewards
from limr.grading.pool import GradingPool
from limr.problems.datasets import arithmetic
from small_study import TINY

pytestmark = pytest.mark.slow

ALL = {"train": "ppo", "score": "everything"}
PAPER = {"grader": {"preset": "paper"}}
# What the tests look at: the report of so small a study says nothing new.
TARGETS = [
    "results/controls/subsets/alive.json",
    "results/controls/subsets/offline.json",
    "results/controls/evals/long/seed1/step5/arithmetic-easy.json",
    *(f"results/controls/runs/{arm}/seed1/run.json" for arm in ("full", "coin", "paper")),
]
PROBLEMS = {"source": "arithmetic", "problems": 24, "seed": 5, "levels": [1], "ungradable": 0.25}
ARMS: dict[str, dict[str, Any]] = {
    "base": {"train": "none"},
    "full": ALL,
    "coin": {**ALL, "reward": {"rule": "random"}},
    "long": {**ALL, "ppo": {"steps": 5}, "evaluate_steps": [3, 5]},
    "paper": {**ALL, **PAPER},
    "alive": {"train": "none", "score": "everything", "dead_problems": "exclude-paper"},
    "offline": {"train": "none", "score": "offline", "size": 9},
}


def controls() -> dict[str, Any]:
    study = copy.deepcopy(TINY)
    study |= {"study": "controls", "seeds": [1], "arms": ARMS, "tables": {"results": {}}}
    study["datasets"] = {"arithmetic": PROBLEMS}
    study["base"]["warmup"]["steps"] = 300
    study["ppo"]["steps"] = 3
    study["trajectories"] = {"base": {"format": "base-samples", "samples": 4, "max_tokens": 28}}
    study["scores"] = {
        "everything": {"selector": "full"},
        "offline": {"selector": "learnability", "trajectories": "base"},
    }
    study["evaluate"] = {"ppo_steps": [3], "benchmarks": {"arithmetic-easy": {}}}
    study["figures"] = {"accuracy": {}, "reward": {}}
    return study


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("controls") / "project"
    return kept_project(controls(), folder, *TARGETS).folder / "results/controls"


def rollouts(results: Path, arm: str) -> pd.DataFrame:
    return pd.read_parquet(results / f"runs/{arm}/seed1/rollouts.parquet")


@pytest.mark.parametrize("arm", ["full", "coin"])
def test_a_run_is_paid_by_its_arms_rule_and_judged_truthfully(results: Path, arm: str) -> None:
    frame = rollouts(results, arm)
    record = json.loads((results / f"runs/{arm}/seed1/run.json").read_text())
    settings = record["settings"]["reward"]
    assert settings["rule"] == ARMS[arm].get("reward", {"rule": "verdict"})["rule"]
    due = [
        rewards.reward_function(settings, 1, arm, row.step)(
            row.problem_id, row.sample, str(row.verdict)
        )
        for row in frame.itertuples()
    ]
    assert (frame["reward"] == due).all()
    answers = {p.problem_id: p.answer for p in arithmetic.prepare(PROBLEMS, None)[0]}
    with GradingPool(record["settings"]["grader"], workers=1) as pool:
        rows = zip(frame["problem_id"], frame["response"], frame["truncated"], strict=True)
        again = pool.grade_many([(answers[key], text, bool(cut)) for key, text, cut in rows])
    assert [grade.verdict for grade in again] == list(frame["verdict"].astype(str))
    assert frame["verdict"].nunique() > 1


def test_a_coin_rewards_right_and_wrong_alike(results: Path) -> None:
    frame = rollouts(results, "coin")
    shares = (frame["reward"] == 1.0).groupby(frame["verdict"].astype(str)).mean()
    assert 0.3 < (frame["reward"] == 1.0).mean() < 0.7
    assert shares.max() < 1
    assert shares.min() > 0


def test_a_longer_run_has_its_own_steps(results: Path) -> None:
    assert rollouts(results, "long")["step"].max() == 5
    assert rollouts(results, "full")["step"].max() == 3
    for arm, steps in (("long", ["step3", "step5"]), ("full", ["step3"])):
        kept = sorted(path.name for path in (results / f"runs/{arm}/seed1/policy").iterdir())
        assert kept == steps
    found = sorted(path.name for path in (results / "evals/long/seed1").iterdir())
    assert found == ["step3", "step5"]


def test_the_papers_reward_cannot_reward_ungradable_answers(results: Path) -> None:
    problems = arithmetic.prepare(PROBLEMS, None)[0]
    dead = {p.problem_id for p in problems if paper.is_dead(p.answer)}
    assert len(dead) == 6
    frame = rollouts(results, "paper")
    right = frame["verdict"].astype(str) == "correct"
    assert right.any()
    assert not right[frame["problem_id"].isin(dead)].any()
    ours = rollouts(results, "full")
    assert (ours["verdict"].astype(str) == "correct")[ours["problem_id"].isin(dead)].any()


def test_dead_problems_are_left_out_of_the_arm_that_asks(results: Path) -> None:
    alive = json.loads((results / "subsets/alive.json").read_text())
    assert alive["n_selected"] == 18
    assert alive["dead"] == {"n": 6, "n_selected": 0, "rule": "exclude-paper"}
    paper_ = json.loads((results / "subsets/paper.json").read_text())
    assert (paper_["n_selected"], paper_["dead"]["rule"]) == (24, "keep")


def test_the_base_is_asked_where_no_arm_is_trained_for_a_choice(results: Path) -> None:
    curves = pd.read_parquet(results / "trajectories/base.parquet")
    assert len(curves) == 24
    assert (curves["n"] == 4).all()
    assert set(curves["epoch"]) == {0}
    samples = pd.read_parquet(results / "samples/base.parquet")
    right = samples["verdict"].astype(str).eq("correct").groupby(samples["problem_id"]).sum()
    assert (curves.set_index("problem_id")["n_correct"] == right).all()
    record = json.loads((results / "subsets/offline.json").read_text())
    assert (record["n_selected"], record["selector"]) == (9, "learnability")
