"""OpenRLHF's own PPO and SFT trainers through the rules, on a CPU: a SIGKILL and a resume."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from real_trainer import BATCH, HERE, PROBLEMS, SAMPLES, STUDY, RealProject

from limr.core import files
from limr.core.tables import METRICS, ROLLOUTS
from limr.grading.grade import Grader
from limr.train.embedded.order import Order

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]
STEPS = STUDY["ppo"]["steps"]


@pytest.fixture
def results(finished_real_project: RealProject) -> Path:
    return finished_real_project.folder / "results/real"


@pytest.fixture
def rollouts(results: Path) -> pd.DataFrame:
    return pd.read_parquet(results / "runs/full/seed1/rollouts.parquet")


def problem_ids(results: Path) -> list[str]:
    lines = (results / "subsets/full.jsonl").read_text().splitlines()
    return [json.loads(line)["problem_id"] for line in lines]


def test_the_killed_trainer_is_said_and_what_to_do(finished_real_project: RealProject) -> None:
    assert "the trainer ended with exit code -9. Run the same command again to go on" in (
        finished_real_project.killed
    )
    assert finished_real_project.left_over == []
    assert finished_real_project.folders_left == []
    assert finished_real_project.started_by_trainers() == []


def test_the_second_attempt_went_on_from_the_checkpoint(results: Path) -> None:
    record = files.read_json(results / "runs/full/seed1/run.json")
    assert record["attempts"] == 2
    assert record["resumed_after"] == [0, 2]
    assert record["notes"] == []
    assert record["engine_versions"]["openrlhf"] == "0.11.2"
    assert not any((results / "state").glob("*-seed1*"))


def test_every_step_problem_and_sample_stands_once(results: Path, rollouts: pd.DataFrame) -> None:
    assert (
        pq.read_schema(results / "runs/full/seed1/rollouts.parquet")
        .remove_metadata()
        .equals(ROLLOUTS)
    )
    ids = problem_ids(results)
    assert len(ids) == PROBLEMS
    order = Order(PROBLEMS, BATCH, True, 1, "full")
    expected = [
        (step, order.epoch(step), ids[index], sample)
        for step in range(1, STEPS + 1)
        for index in order.batch(step)
        for sample in range(SAMPLES)
    ]
    columns = ["step", "epoch", "problem_id", "sample"]
    assert [*rollouts[columns].itertuples(index=False, name=None)] == expected
    assert len(rollouts) == STEPS * BATCH * SAMPLES


def test_rewards_are_the_graders(results: Path, rollouts: pd.DataFrame) -> None:
    lines = (results / "problems/arithmetic.jsonl").read_text().splitlines()
    gold = {row["problem_id"]: row["answer"] for row in map(json.loads, lines)}
    grader = Grader()
    for row in rollouts.itertuples():
        grade = grader.grade(gold[row.problem_id], row.response, truncated=row.truncated)
        assert row.verdict == grade.verdict
    rewards = {"correct": 1.0, "incorrect": -0.5, "malformed": -1.0}
    assert (rollouts["reward"] == rollouts["verdict"].astype(str).map(rewards)).all()
    assert rollouts["reward"].nunique() > 1  # else a mean would prove nothing


def test_lengths_and_ends(rollouts: pd.DataFrame) -> None:
    limit = STUDY["ppo"]["max_response_tokens"]
    assert rollouts["response_tokens"].between(1, limit).all()
    assert (rollouts["response_tokens"] == limit)[rollouts["truncated"]].all()
    assert not rollouts["response"].str.contains("<|im_end|>", regex=False).any()
    whole = rollouts[~rollouts["truncated"] & rollouts["response"].str.isascii()]
    assert len(whole) > len(rollouts) // 2
    # One token a byte and the end token.
    assert (whole["response"].str.len() + 1 == whole["response_tokens"]).all()


def test_metrics_are_those_of_the_rollouts(results: Path, rollouts: pd.DataFrame) -> None:
    path = results / "runs/full/seed1/metrics.parquet"
    assert pq.read_schema(path).remove_metadata().equals(METRICS)
    metrics = pd.read_parquet(path)
    assert metrics["step"].tolist() == list(range(1, STEPS + 1))
    by_step = rollouts.groupby("step")
    assert metrics["mean_reward"].to_numpy() == pytest.approx(by_step["reward"].mean().to_numpy())
    lengths = by_step["response_tokens"].mean().to_numpy()
    assert metrics["response_tokens"].to_numpy() == pytest.approx(lengths)
    for name in ("kl", "policy_loss", "value_loss", "clip_fraction", "seconds"):
        assert metrics[name].notna().all(), name
    assert metrics["kl"][0] == pytest.approx(0, abs=1e-6)  # the policy is its reference at first
    assert metrics["kl"][STEPS - 1] != 0


def test_policies_are_complete_folders_that_differ(results: Path) -> None:
    digests = Counter()
    for run, steps in (("full", [0, 2, 4]), ("sft", [2, 4])):
        for step in steps:
            folder = results / f"runs/{run}/seed1/policy/step{step}"
            assert files.read_json(folder / "limr.json")["template"] == "qwen-boxed"
            assert (folder / "tokenizer.json").exists()
            digests[files.sha256(folder / "model.safetensors")] += 1
    assert max(digests.values()) == 1
    base = files.sha256(results / "base/model.safetensors")
    assert files.sha256(results / "runs/full/seed1/policy/step0/model.safetensors") == base


def test_fine_tuning_lowers_the_loss_and_raises_positions(results: Path) -> None:
    metrics = pd.read_parquet(results / "runs/sft/seed1/metrics.parquet")
    assert metrics["step"].tolist() == [1, 2, 3, 4]
    assert metrics["epoch"].tolist() == [0, 0, 0, 1]  # 10 solutions, 4 a step
    assert metrics["loss"].iloc[-1] < metrics["loss"].iloc[0]
    config = files.read_json(results / "runs/sft/seed1/policy/step4/config.json")
    assert config["max_position_embeddings"] == STUDY["engines"]["openrlhf"]["sft"]["max_tokens"]


def test_what_follows_is_made_from_them(results: Path) -> None:
    curves = pd.read_parquet(results / "trajectories/full.parquet")
    assert set(curves["n"]) == {SAMPLES}
    assert curves["n"].sum() == STEPS * BATCH * SAMPLES
    for run, steps in (("full", [0, 2, 4]), ("sft", [2, 4])):
        for step in steps:
            summary = results / f"evals/{run}/seed1/step{step}/arithmetic-easy.json"
            assert summary.exists()
    assert (results / "report.html").exists()


def test_nothing_is_done_again(finished_real_project: RealProject) -> None:
    assert finished_real_project.planned() == []


@pytest.mark.long
def test_fine_tuning_that_goes_on_ends_as_if_it_had_not_stopped(
    finished_real_project: RealProject, python: Path, tmp_path: Path
) -> None:
    project = finished_real_project
    done = subprocess.run(
        [str(python), str(HERE / "resume_sft.py"), str(project.folder), str(tmp_path)],
        env=project.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    assert files.read_json(tmp_path / "run.json")["resumed_after"] == [0, 2]
    run = project.folder / "results/real/runs/sft/seed1"
    last = files.sha256(run / "policy/step4/model.safetensors")
    assert done.stdout.split()[-1] == last
    losses = [pd.read_parquet(one / "metrics.parquet")["loss"] for one in (run, tmp_path)]
    assert losses[0].tolist() == losses[1].tolist()
