"""Runs of the embedded engine with a sampler: what is recorded and counted, kill and resume."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import embedded_case as case
from limr.core import files, plugins, tables, validation
from limr.core.errors import InputError
from limr.train.embedded import ppo

PROBLEMS = [
    tables.Problem(one.problem_id, one.prompt, one.answer, "test", 1 + number % 3)
    for number, one in enumerate(case.PROBLEMS)
]
ALL = plugins.names("samplers")
RUN = """
import sys
from pathlib import Path
import embedded_case as case
import test_embedded_samplers as tests
from limr.train.embedded import ppo
ppo.GradingPool = case.LengthPool
options = {**case.OPTIONS, "checkpoint_every": 2}
ppo.train_ppo(tests.job(Path(sys.argv[1]), "dapo", options=options))
"""


@pytest.fixture(autouse=True)
def _toy_grader(monkeypatch):
    monkeypatch.setattr(ppo, "GradingPool", case.LengthPool)


def job(folder, name, **changes):
    given = {"difficulty": "level"} if name == "adarft" else {}
    keys = validation.options(plugins.load("samplers", name))
    sampler = {"name": name, **validation.complete(given, keys, name)}
    return case.ppo_job(folder, problems=PROBLEMS, sampler=sampler, policies={}, **changes)


def trained(folder, name, **changes):
    case.base(folder)
    ppo.train_ppo(job(folder, name, **changes))
    return folder


def outputs(folder):
    metrics = files.read_parquet(folder / "metrics.parquet", tables.METRICS, newer=tables.DRAWN)
    kept = metrics.drop_columns(["seconds"]).to_pylist()
    return files.sha256(folder / "rollouts.parquet"), kept


@pytest.mark.parametrize("name", ALL)
def test_what_was_drawn_is_recorded_and_counted(tmp_path, name):
    trained(tmp_path, name)
    rollouts = files.read_parquet(tmp_path / "rollouts.parquet", tables.ROLLOUTS).to_pandas()
    _, metrics = outputs(tmp_path)
    assert not rollouts.duplicated(["step", "problem_id", "sample"]).any()
    assert [row["tries"] > 1 for row in metrics].count(True) == (name == "dapo") * len(metrics)
    seen = Counter()
    for row, (_, rows) in zip(metrics, rollouts.groupby("step"), strict=True):
        right = rows.verdict == "correct"
        by_group = right.groupby(rows.problem_id).agg(["sum", "size"])
        alike = by_group["sum"].isin([0]) | (by_group["sum"] == by_group["size"])
        seen.update(by_group.index)
        assert row["rollouts"] == len(rows)
        assert row["without_signal"] == by_group["size"][alike].sum()
        assert row["problems_drawn"] == len(seen)
        assert row["most_drawn"] == max(seen.values())
        assert row["accuracy"] == pytest.approx(right.mean())
        assert row["mean_reward"] == pytest.approx(rows.reward.mean())
        assert row["tokens"] > rows.response_tokens.sum()


def test_named_uniform_has_the_rollouts_and_numbers_of_a_run_without_sampler(tmp_path):
    trained(tmp_path / "named", "uniform")
    case.base(tmp_path / "plain")
    ppo.train_ppo(case.ppo_job(tmp_path / "plain", problems=PROBLEMS, policies={}))
    named, plain = outputs(tmp_path / "named"), outputs(tmp_path / "plain")
    assert named[0] == plain[0]
    for row in named[1]:
        for column in tables.DRAWN.names:
            del row[column]
    assert named[1] == plain[1]


@pytest.mark.parametrize("name", ALL)
def test_a_run_that_fails_in_the_middle_of_a_step_resumes(tmp_path, monkeypatch, name):
    expected = outputs(trained(tmp_path / "whole", name))
    folder = tmp_path / "failed"
    case.base(folder)
    learn = ppo.Learner.learn

    def failing(self, batch, number):
        if number == 3:
            raise KeyboardInterrupt
        return learn(self, batch, number)

    with monkeypatch.context() as patch:
        patch.setattr(ppo.Learner, "learn", failing)
        with pytest.raises(KeyboardInterrupt):
            ppo.train_ppo(job(folder, name))
    ppo.train_ppo(job(folder, name))
    assert outputs(folder) == expected


@pytest.mark.slow
def test_dapo_killed_between_two_checkpoints_is_the_same_run(tmp_path):
    options = {**case.OPTIONS, "checkpoint_every": 2}
    expected = outputs(trained(tmp_path / "whole", "dapo", options=options))
    folder = tmp_path / "killed"
    case.base(folder)
    here = [str(Path(case.__file__).parent), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*here, *sys.path])}
    command = [sys.executable, "-c", RUN, str(folder)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wanted = folder / "state" / "rollouts" / "000003.parquet"
    while not wanted.exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    ppo.train_ppo(job(folder, "dapo", options=options))
    assert outputs(folder) == expected


def test_the_filter_trains_on_groups_with_a_signal(tmp_path, monkeypatch):
    learnt = []
    prepare = ppo.Learner.prepare

    def watched(self, sequences, samples, scores):
        learnt.append(scores)
        return prepare(self, sequences, samples, scores)

    monkeypatch.setattr(ppo.Learner, "prepare", watched)
    trained(tmp_path, "dapo", ppo={**case.PPO, "samples_per_prompt": 4, "train_batch_size": 6})
    assert [len(scores) for scores in learnt] == [12] * 4
    rollouts = files.read_parquet(tmp_path / "rollouts.parquet", tables.ROLLOUTS).to_pandas()
    for scores, (_, rows) in zip(learnt, rollouts.groupby("step"), strict=True):
        there = rows.groupby("problem_id").verdict.agg(lambda v: 0 < (v == "correct").sum() < 4)
        trained_on = [scores[n : n + 4] for n in range(0, 12, 4)]
        assert sum(1.0 in one and min(one) < 1 for one in trained_on) == min(3, there.sum())


def test_difficulties_from_a_score_are_part_of_the_job(tmp_path):
    folder = tmp_path / "run"
    case.base(folder)
    scores = tmp_path / "hard.parquet"
    rows = {
        "problem_id": [one.problem_id for one in PROBLEMS],
        "score": [float(number) for number in range(len(PROBLEMS))],
        "reason": [""] * len(PROBLEMS),
    }
    files.write_parquet(scores, tables.pa.table(rows, schema=tables.SCORES))
    made = job(folder, "adarft", difficulty=scores)
    named = {**made.sampler, "difficulty": "hard"}
    ppo.train_ppo(case.ppo_job(folder, problems=PROBLEMS, policies={}, sampler=named,
                               difficulty=scores))  # fmt: skip
    first = files.read_parquet(folder / "rollouts.parquet", tables.ROLLOUTS).to_pandas()
    assert set(first[first.step == 1].problem_id) == {one.problem_id for one in PROBLEMS[:3]}


def test_a_pool_that_is_too_small_is_refused_before_training(tmp_path):
    case.base(tmp_path)
    with pytest.raises(InputError, match=r"arm 'full': sampler 'mopps' chooses 3 .* the arm has 2"):
        ppo.train_ppo(case.ppo_job(tmp_path, problems=PROBLEMS[:2], policies={},
                                   sampler=job(tmp_path, "mopps").sampler))  # fmt: skip
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base"]
