"""OpenRLHF's own dynamic filtering through the rules, on a CPU, killed in the middle."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pandas as pd
import pytest
import real_trainer
from real_trainer import BATCH, SAMPLES, STUDY

STEPS = STUDY["ppo"]["steps"]


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.timeout(1500)
def test_the_filter_is_recorded_counted_and_resumed(python: Path, tmp_path: Path) -> None:
    project = real_trainer.make(tmp_path / "project")
    model = [str(python), str(real_trainer.HERE / "tiny_qwen2.py"), "model"]
    subprocess.run(model, cwd=project.folder, env=project.environment, check=True)
    study = real_trainer.study()
    study["arms"]["full"]["sampler"] = {"name": "dapo", "tries": 1}
    project.write(study)
    project.kill_trainer("full-seed1", after=2)
    target = "results/real/runs/full/seed1/rollouts.parquet"
    command = project.command(target)
    subprocess.run(command, cwd=project.folder, env=project.environment, check=True)
    run = project.folder / "results/real/runs/full/seed1"
    rollouts, metrics = (pd.read_parquet(run / f"{n}.parquet") for n in ("rollouts", "metrics"))
    # Publishing holds the trainer's own count and mean reward against the groups that were kept.
    assert metrics["step"].tolist() == list(range(1, STEPS + 1))
    assert not rollouts.duplicated(["step", "problem_id", "sample"]).any()
    by_step = rollouts.groupby("step")
    assert by_step.size().tolist() == metrics["rollouts"].tolist()
    assert by_step.size().between(BATCH * SAMPLES, 2 * BATCH * SAMPLES).all()
    right = (rollouts["verdict"] == "correct").groupby([rollouts["step"], rollouts["problem_id"]])
    mixed = right.sum().between(1, SAMPLES - 1).groupby(level="step").sum() * SAMPLES
    assert (metrics["rollouts"] - metrics["without_signal"]).tolist() == mixed.tolist()
    assert (metrics["rollouts"] > BATCH * SAMPLES).any()  # else nothing was filtered
