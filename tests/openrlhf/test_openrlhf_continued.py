"""OpenRLHF's own PPO goes on from another arm's run, on a CPU, killed in the middle."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pandas as pd
import pytest
import real_trainer
from real_trainer import BATCH, PROBLEMS, SAMPLES, RealProject

from limr.core import files
from limr.train.embedded.order import Order

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(3000)]
START, STEPS, CHOSEN = 2, 6, 8


def study() -> dict[str, object]:
    """`full` to step 2, and on to step 6 with some problems; once with new optimizers."""
    found = real_trainer.study()
    start = {"arm": "full", "step": START}
    found["states"] = "keep"
    found["ppo"]["steps"] = STEPS
    found["evaluate"] = {"ppo_steps": [4, STEPS], "benchmarks": found["evaluate"]["benchmarks"]}
    del found["sft"]
    found["trajectories"]["full"]["steps"] = [1, START]
    found["scores"]["lim"] = {"selector": "decayed", "trajectories": "full"}
    found["arms"] = {
        "full": {
            **{"train": "ppo", "score": "everything", "ppo": {"steps": START}},
            "evaluate_steps": [START],
        },
        "chosen": {"train": "ppo", "score": "lim", "size": CHOSEN, "start": start},
        "fresh": {
            **{"train": "ppo", "score": "everything", "ppo": {"actor_learning_rate": 2.0e-3}},
            "start": {**start, "optimizer": "fresh"},
        },
    }
    found["tables"] = {"results": {}, "compute": {}}
    return found


@pytest.fixture(scope="module")
def project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """The study, whose continuation with chosen problems was killed after its own checkpoint."""
    made = real_trainer.make(tmp_path_factory.mktemp("continued") / "project")
    model = [str(python), str(real_trainer.HERE / "tiny_qwen2.py"), "model"]
    subprocess.run(model, cwd=made.folder, env=made.environment, check=True, capture_output=True)
    made.write(study())
    made.kill_trainer("chosen-seed1", after=4)
    made.finish()
    return made


def run_of(project: RealProject, arm: str) -> Path:
    return project.folder / f"results/real/runs/{arm}/seed1"


def ids(project: RealProject, arm: str) -> list[str]:
    lines = (project.folder / f"results/real/subsets/{arm}.jsonl").read_text().splitlines()
    return [json.loads(line)["problem_id"] for line in lines]


ORDERS = {
    "full": (Order(PROBLEMS, BATCH, True, 1, "full"), range(1, START + 1)),
    # Step 2 ended epoch 0; the first pass over the chosen ones is epoch 1, two steps long.
    "chosen": (Order(CHOSEN, BATCH, True, 1, "full", shift=2 - START), range(3, STEPS + 1)),
    "fresh": (Order(PROBLEMS, BATCH, True, 1, "full"), range(3, STEPS + 1)),
}


@pytest.mark.parametrize("arm", ORDERS)
def test_every_step_problem_and_sample_stands_once(project: RealProject, arm: str) -> None:
    rows = pd.read_parquet(run_of(project, arm) / "rollouts.parquet")
    order, steps = ORDERS[arm]
    names = ids(project, arm)
    assert len(names) == order.problems
    expected = [
        (step, order.epoch(step), names[index], sample)
        for step in steps
        for index in order.batch(step)
        for sample in range(SAMPLES)
    ]
    columns = ["step", "epoch", "problem_id", "sample"]
    assert [*rows[columns].itertuples(index=False, name=None)] == expected
    metrics = pd.read_parquet(run_of(project, arm) / "metrics.parquet")
    assert metrics["step"].tolist() == list(steps)
    rewards = rows.groupby("step")["reward"].mean()
    assert metrics["mean_reward"].tolist() == pytest.approx(rewards.tolist())


def test_the_policy_that_goes_on_is_not_the_base(project: RealProject) -> None:
    kl = {arm: pd.read_parquet(run_of(project, arm) / "metrics.parquet")["kl"] for arm in ORDERS}
    assert kl["full"][0] == pytest.approx(0, abs=1e-6)
    for arm in ("chosen", "fresh"):  # before its first optimizer step
        assert abs(kl[arm][0]) > 1e-4


def test_runs_say_where_they_came_from(project: RealProject) -> None:
    state = run_of(project, "full") / f"state/step{START}"
    for arm, starts, optimizer in (("chosen", [2, 4], "kept"), ("fresh", [2], "fresh")):
        record = files.read_json(run_of(project, arm) / "run.json")
        assert record["resumed_after"] == starts
        assert record["settings"]["start"] == {
            **{"arm": "full", "step": START, "optimizer": optimizer, "streams": "full"}
        }
        assert record["inputs_sha256"]["start"] == files.sha256(state / "state.json")
    told = files.read_json(state / "state.json")
    assert told["engines.openrlhf.gpus_per_node"] == 1
    assert {name.split("/")[0] for name in told["files"]} == {"_actor", "_critic"}
    for name, (size, digest) in told["files"].items():
        assert ((state / name).stat().st_size, files.sha256(state / name)) == (size, digest)


def test_the_bill_counts_the_way_and_nothing_twice(project: RealProject) -> None:
    compute = pd.read_csv(project.folder / "results/real/tables/compute.tsv", sep="\t")
    rows = compute.set_index("arm")
    assert set(rows.loc[["chosen", "fresh"], "rollouts"]) == {STEPS * BATCH * SAMPLES}


def test_nothing_is_done_again(project: RealProject) -> None:
    assert project.planned() == []
