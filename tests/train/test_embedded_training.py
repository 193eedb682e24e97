"""Whole runs of the embedded engine on a tiny model: learning, determinism, kill and resume."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import embedded_case as case
from limr.core import files, tables, validation
from limr.core.errors import InputError
from limr.grading import rewards
from limr.models.interface import BaseJob, Decoding
from limr.train.embedded import optimizer as optimizers
from limr.train.embedded import ppo, supervised
from limr.train.engines import embedded

RUN = """
import sys
from pathlib import Path
import embedded_case as case
from limr.train.embedded import ppo
ppo.GradingPool = case.LengthPool
ppo.train_ppo(case.ppo_job(Path(sys.argv[1])))
"""


@pytest.fixture(autouse=True)
def _toy_grader(monkeypatch):
    monkeypatch.setattr(ppo, "GradingPool", case.LengthPool)


def outputs(folder):
    """Relative path -> sha256 of what must repeat: everything but run.json and the seconds."""
    found = {
        str(path.relative_to(folder)): files.sha256(path)
        for path in sorted((folder / "policy").rglob("*"))
        if path.is_file()
    }
    metrics = files.read_parquet(folder / "metrics.parquet", tables.METRICS)
    found["metrics"] = str(metrics.drop_columns(["seconds"]).to_pylist())
    if (folder / "rollouts.parquet").exists():
        found["rollouts"] = files.sha256(folder / "rollouts.parquet")
    return found


def trained(folder, **changes):
    case.base(folder)
    ppo.train_ppo(case.ppo_job(folder, **changes))
    return folder


def test_outputs_keep_the_contract(tmp_path):
    trained(tmp_path)
    rollouts = files.read_parquet(tmp_path / "rollouts.parquet", tables.ROLLOUTS).to_pandas()
    # 4 steps x 3 prompts x 2 samples; 8 problems make 2 batches an epoch, 2 are left out
    assert len(rollouts) == 24
    assert rollouts.step.tolist() == [step for step in (1, 2, 3, 4) for _ in range(6)]
    assert rollouts.epoch.tolist() == [0] * 12 + [1] * 12
    assert rollouts["sample"].tolist() == [0, 1] * 12
    assert rollouts[rollouts.epoch == 0].problem_id.nunique() == 6
    assert set(rollouts.reward) <= set(rewards.values(case.REWARD))
    assert (rollouts.truncated == (rollouts.verdict == "malformed")).all()
    assert rollouts.response_tokens.between(1, 6).all()
    metrics = files.read_parquet(tmp_path / "metrics.parquet", tables.METRICS).to_pandas()
    assert metrics.step.tolist() == [1, 2, 3, 4]
    assert metrics.loss.isna().all()
    assert metrics.drop(columns="loss").notna().all().all()
    broken = metrics.filter(like="broken_")
    assert broken.sum(axis=1).tolist() == (6 * metrics.malformed).tolist()  # 6 samples a step
    mean = rollouts.groupby("step").reward.mean().tolist()
    assert metrics.mean_reward.tolist() == pytest.approx(mean)
    assert abs(metrics.kl[0]) < 1e-4 < abs(metrics.kl[3])  # the first step samples the reference
    record = json.loads((tmp_path / "run.json").read_text())
    assert (record["study"], record["attempts"]) == ("test", 1)
    assert record["hardware"]["device"] == "cpu"
    assert sorted(path.name for path in (tmp_path / "policy").iterdir()) == [
        "step0",
        "step2",
        "step4",
    ]
    weights = [files.sha256(tmp_path / f"policy/step{n}/model.safetensors") for n in (0, 2, 4)]
    assert weights[0] == files.sha256(tmp_path / "base/model.safetensors")
    assert len(set(weights)) == 3
    assert not (tmp_path / "state").exists()


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_others(tmp_path):
    first = outputs(trained(tmp_path / "a"))
    assert outputs(trained(tmp_path / "b")) == first
    assert outputs(trained(tmp_path / "c", seed=2))["rollouts"] != first["rollouts"]
    # checkpoints are for the resume alone
    rarely = {**case.OPTIONS, "checkpoint_every": 3}
    assert outputs(trained(tmp_path / "d", options=rarely)) == first


@pytest.mark.slow
@pytest.mark.parametrize("finished", [1, 3])
def test_killed_and_resumed_is_the_same_run(tmp_path, finished):
    expected = outputs(trained(tmp_path / "whole"))
    folder = tmp_path / "killed"
    case.base(folder)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(Path(case.__file__).parent), *sys.path]),
    }
    command = [sys.executable, "-c", RUN, str(folder)]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wanted = folder / "state" / "rollouts" / f"{finished:06}.parquet"
    while not wanted.exists() and process.poll() is None:
        time.sleep(0.001)
    process.send_signal(signal.SIGKILL)
    _, said = process.communicate()
    assert process.returncode == -signal.SIGKILL, said
    assert not (folder / "run.json").exists()
    ppo.train_ppo(case.ppo_job(folder))
    assert outputs(folder) == expected
    assert json.loads((folder / "run.json").read_text())["attempts"] == 2


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_run_that_fails_at_any_step_resumes(tmp_path, monkeypatch, step):
    expected = outputs(trained(tmp_path / "whole"))
    folder = tmp_path / "failed"
    case.base(folder)
    learn = ppo.Learner.learn

    def failing(self, batch, number):
        if number == step:
            raise KeyboardInterrupt
        return learn(self, batch, number)

    with monkeypatch.context() as patch:
        patch.setattr(ppo.Learner, "learn", failing)
        with pytest.raises(KeyboardInterrupt):
            ppo.train_ppo(case.ppo_job(folder))
    ppo.train_ppo(case.ppo_job(folder))
    assert outputs(folder) == expected


@pytest.mark.slow
def test_the_state_of_another_configuration_is_not_used(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    case.base(folder)
    other = case.ppo_job(folder, ppo={**case.PPO, "clip": 0.1})
    with monkeypatch.context() as patch:
        patch.setattr(ppo.run, "_publish", lambda run: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            ppo.train_ppo(other)
    ppo.train_ppo(case.ppo_job(folder))
    assert "another configuration" in capsys.readouterr().err
    assert outputs(folder) == outputs(trained(tmp_path / "clean"))


@pytest.mark.slow
def test_ppo_raises_the_reward(tmp_path):
    settings = {**case.PPO, "steps": 25, "prompts_per_step": 8, "samples_per_prompt": 8}
    settings = {**settings, "train_batch_size": 32, "warmup_steps": 0}
    options = {**case.OPTIONS, "micro_batch": 32, "checkpoint_every": 100}
    trained(tmp_path, ppo=settings, options=options, policies={})
    metrics = files.read_parquet(tmp_path / "metrics.parquet", tables.METRICS).to_pandas()
    first, last = metrics.mean_reward[0], metrics.mean_reward[-3:].mean()
    assert first < 0.5
    assert last > 0.9
    assert metrics.value_loss[-3:].mean() < metrics.value_loss[0]


def test_without_kl_there_is_no_reference(tmp_path):
    trained(tmp_path, ppo={**case.PPO, "kl_coefficient": 0.0})
    metrics = files.read_parquet(tmp_path / "metrics.parquet", tables.METRICS).to_pandas()
    assert metrics.kl.isna().all()


def test_bad_input_is_refused_before_training(tmp_path):
    case.base(tmp_path)
    with pytest.raises(InputError, match="policy of step 5 is asked for"):
        ppo.train_ppo(case.ppo_job(tmp_path, policies={5: tmp_path / "policy/step5"}))
    with pytest.raises(InputError, match=r"4 prompts are longer .* = 6: p00, p01, p02"):
        ppo.train_ppo(case.ppo_job(tmp_path, ppo={**case.PPO, "max_prompt_tokens": 6}))
    with pytest.raises(InputError, match="no worked solution"):
        supervised.train_sft(case.sft_job(tmp_path, solutions={}))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["base"]


def test_supervised_training_lowers_the_loss_and_resumes(tmp_path, monkeypatch):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    for folder in (whole, broken):
        case.base(folder)
    supervised.train_sft(case.sft_job(whole))
    metrics = files.read_parquet(whole / "metrics.parquet", tables.METRICS).to_pandas()
    assert metrics.loss[25:].mean() < 0.5 * metrics.loss[:3].mean()
    assert metrics.epoch.tolist() == [step // 2 for step in range(30)]  # 8 problems, 4 a step
    assert metrics.mean_reward.isna().all()

    accumulate, calls = supervised.accumulate, iter(range(100))

    def failing(*arguments):
        if next(calls) == 11:
            raise KeyboardInterrupt
        return accumulate(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(supervised, "accumulate", failing)
        with pytest.raises(KeyboardInterrupt):
            supervised.train_sft(case.sft_job(broken))
    supervised.train_sft(case.sft_job(broken))
    assert outputs(broken) == outputs(whole)


def test_base_policy_generates_and_repeats(tmp_path):
    settings = validation.complete(
        {**case.TINY, "warmup": {"steps": 20, "batch_size": 8}}, embedded.Base, "base"
    )
    options = validation.complete({"device": "cpu"}, embedded.Options, "engines.embedded")
    job = BaseJob(settings, options, case.PROBLEMS[4:], tmp_path / "state", tmp_path / "one")
    embedded.make_base(job)
    embedded.make_base(replace(job, policy=tmp_path / "two"))
    assert files.sha256(tmp_path / "one/model.safetensors") == files.sha256(
        tmp_path / "two/model.safetensors"
    )
    policy = embedded.open_policy(tmp_path / "one", options)
    decoding = Decoding("sampled", samples=3, temperature=0.4, top_p=0.95, max_tokens=7)
    found = policy.generate(["1+2=?", "4*5=?"], decoding, seed=1)
    assert [len(responses) for responses in found] == [3, 3]
    assert all(1 <= one.tokens <= 7 for responses in found for one in responses)
    assert found == policy.generate(["1+2=?", "4*5=?"], decoding, seed=1)


def test_adam_has_the_bytes_of_pytorchs_also_after_a_resume():
    generator = torch.Generator().manual_seed(3)

    def drawn(*shape):
        return torch.randn(shape, generator=generator)

    own = [torch.nn.Parameter(drawn(5, 3)), torch.nn.Parameter(drawn(4))]
    theirs = [torch.nn.Parameter(one.detach().clone()) for one in own]
    optimizer = optimizers.Adam(own, (0.9, 0.95))
    reference = torch.optim.Adam(theirs, betas=(0.9, 0.95), fused=True)
    for number in range(1, 8):
        for one, other in zip(own, theirs, strict=True):
            one.grad = drawn(*one.shape)
            other.grad = one.grad.clone()
        optimizer.step(number * 1e-2, 1.0)
        torch.nn.utils.clip_grad_norm_(theirs, 1.0)
        reference.param_groups[0]["lr"] = number * 1e-2
        reference.step()
        assert all(torch.equal(one, other) for one, other in zip(own, theirs, strict=True))
        assert all(one.grad is None for one in own)
        if number == 4:
            state = optimizer.state_dict()
            optimizer = optimizers.Adam(own, (0.9, 0.95))
            optimizer.load_state_dict(state)
