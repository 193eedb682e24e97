"""What a finished study holds: the contracts, and numbers that agree with each other."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core.tables import EVALUATIONS, METRICS, REASONS, ROLLOUTS, SCORES, TRAJECTORIES
from small_study import TINY, Project

pytestmark = pytest.mark.slow

PPO, SFT = TINY["ppo"], TINY["sft"]
PPO_ARMS = ("full", "limr", "rand-1", "rand-2", "linear")


@pytest.fixture(scope="session")
def results(finished_project: Project) -> Path:
    return finished_project.folder / "results/tiny"


@pytest.mark.parametrize(
    ("pattern", "schema", "n"),
    [
        ("runs/*/*/rollouts.parquet", ROLLOUTS, 10),
        ("runs/*/*/metrics.parquet", METRICS, 12),
        ("trajectories/*.parquet", TRAJECTORIES, 1),
        ("scores/*.parquet", SCORES, 5),
        ("evals/*/*/*/*.parquet", pa.schema([*EVALUATIONS, *REASONS]), 48),
    ],
)
def test_every_table_keeps_its_contract(
    pattern: str, schema: object, n: int, results: Path
) -> None:
    paths = sorted(results.glob(pattern))
    assert len(paths) == n
    for path in paths:
        assert pq.read_schema(path).remove_metadata().equals(schema), path


@pytest.mark.parametrize("arm", PPO_ARMS)
def test_every_rollout_is_recorded_once(arm: str, results: Path) -> None:
    frame = pd.read_parquet(results / f"runs/{arm}/seed1/rollouts.parquet")
    problems = [json.loads(line) for line in (results / f"subsets/{arm}.jsonl").open()]
    batch = min(PPO["prompts_per_step"], len(problems))
    assert len(frame) == PPO["steps"] * batch * PPO["samples_per_prompt"]
    assert not frame.duplicated(["step", "problem_id", "sample"]).any()
    assert set(frame["problem_id"]) <= {problem["problem_id"] for problem in problems}
    assert sorted(frame["step"].unique()) == list(range(1, PPO["steps"] + 1))
    per_epoch = len(problems) // batch
    assert (frame["epoch"] == (frame["step"] - 1) // per_epoch).all()
    rewards = {"correct": 1.0, "incorrect": -0.5, "malformed": -1.0}
    assert (frame["reward"] == frame["verdict"].astype(str).map(rewards)).all()


def test_metrics_agree_with_rollouts(results: Path) -> None:
    rollouts = pd.read_parquet(results / "runs/full/seed2/rollouts.parquet")
    metrics = pd.read_parquet(results / "runs/full/seed2/metrics.parquet").set_index("step")
    by_step = rollouts.groupby("step")
    pd.testing.assert_series_equal(
        metrics["mean_reward"],
        by_step["reward"].mean().astype(float),
        check_names=False,
        check_index_type=False,
        atol=1e-6,
    )
    correct = rollouts["verdict"].astype(str).eq("correct").groupby(rollouts["step"]).mean()
    pd.testing.assert_series_equal(
        metrics["accuracy"], correct, check_names=False, check_index_type=False
    )
    assert (metrics["kl"].abs() < 5).all()
    assert metrics["policy_loss"].notna().all()


def test_curves_agree_with_rollouts(results: Path) -> None:
    rollouts = pd.read_parquet(results / "runs/full/seed1/rollouts.parquet")
    curves = pd.read_parquet(results / "trajectories/full.parquet")
    assert curves["n"].sum() == len(rollouts)
    assert curves["n_correct"].sum() == (rollouts["verdict"].astype(str) == "correct").sum()


def test_seeds_differ_and_draws_differ(results: Path) -> None:
    rollouts = [
        (results / f"runs/{arm}/seed{seed}/rollouts.parquet").read_bytes()
        for arm in ("rand-1", "rand-2")
        for seed in (1, 2)
    ]
    assert len(set(rollouts)) == 4
    draws = [(results / f"subsets/rand-{draw}.jsonl").read_text() for draw in (1, 2)]
    assert draws[0] != draws[1]
    limr = (results / "subsets/limr.jsonl").read_text()
    assert [len(text.splitlines()) for text in draws] == [len(limr.splitlines())] * 2


def test_benchmarks_are_disjoint_from_training_and_warmup(results: Path) -> None:
    prompts = {
        path.stem: {json.loads(line)["prompt"] for line in path.open()}
        for path in (results / "problems").glob("*.jsonl")
    }
    assert not prompts["arithmetic"] & prompts["arithmetic-easy"]
    assert not prompts["arithmetic"] & prompts["arithmetic-hard"]


def test_a_policy_is_a_hugging_face_folder(results: Path) -> None:
    from transformers import AutoModelForCausalLM

    folder = results / "runs/limr/seed1/policy/step6"
    model = AutoModelForCausalLM.from_pretrained(folder)
    assert model.config.model_type == "qwen2"


def test_the_record_says_what_was_done(results: Path) -> None:
    record = json.loads((results / "runs/full/seed1/run.json").read_text())
    assert record["attempts"] == 1
    assert record["settings"]["ppo"]["steps"] == PPO["steps"]
    assert {"torch", "transformers", "python"} <= set(record["versions"])
    subset = json.loads((results / "subsets/limr.json").read_text())
    assert subset["selector"] == "lim"
    assert subset["rule"] == {"threshold": 0.94, "strict": False}
    assert subset["sizes_at_thresholds"]["0.9"] >= subset["n_selected"]
    assert any("never" in warning for warning in subset["warnings"])


def test_a_summary_agrees_with_its_responses(results: Path) -> None:
    folder = results / "evals/limr/seed1/step6"
    summary = json.loads((folder / "arithmetic-easy.json").read_text())
    frame = pd.read_parquet(folder / "arithmetic-easy.parquet")
    counts = Counter(frame.loc[frame["decoding"] == "greedy", "verdict"].astype(str))
    text = json.dumps(summary)
    assert summary["seed"] == 1
    assert f'"correct": {counts["correct"]}' in text


def test_every_figure_and_table_has_its_data(results: Path) -> None:
    for name in TINY["figures"]:
        for suffix in ("pdf", "png", "svg", "tsv", "txt"):
            assert (results / f"figures/{name}.{suffix}").stat().st_size > 0
    for name in TINY["tables"]:
        for suffix in ("tsv", "md"):
            assert (results / f"tables/{name}.{suffix}").stat().st_size > 0


def test_the_report_is_one_page_that_loads_nothing(results: Path) -> None:
    page = (results / "report.html").read_text()
    assert not re.findall(
        r"""(?:src|href)=["'](?:https?:)?//""", page.replace("https://arxiv.org", "")
    )
    assert page.count('<div class="drawn"') == len(TINY["figures"])
    lines = (results / "headline.txt").read_text().splitlines()
    assert lines[0] == "Report: results/tiny/report.html"
    chosen = json.loads((results / "subsets/limr.json").read_text())["n_selected"]
    assert lines[1].startswith(f"Training on limr’s {chosen} problems")


def test_every_log_is_under_its_rules_name(results: Path) -> None:
    rules = {path.name for path in (results / "logs").iterdir()}
    scripts = {path.stem for path in (Path(__file__).parents[2] / "workflow/scripts").glob("*.py")}
    assert rules - {"import_scores"} <= scripts
