"""The paper's two fine-tuned arms by the real trainer, on small files of their shapes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
import real_trainer
import test_fine_tuning_arms as arms
from real_trainer import RealProject

pytestmark = pytest.mark.long


def test_limo_and_s1_are_trained_on_by_openrlhf(python: Path, tmp_path: Path) -> None:
    project = RealProject(real_trainer.make(tmp_path / "project").folder)
    model = [str(python), str(real_trainer.HERE / "tiny_qwen2.py"), "model"]
    subprocess.run(
        model, cwd=project.folder, env=project.environment, check=True, capture_output=True
    )
    mirror = tmp_path / "mirror"
    arms.stand_ins(mirror, [f"1+{n}=?" for n in range(1, 9)])
    arms.pin(project.folder, mirror)
    study = real_trainer.study()
    study["arms"] = {"base": {"train": "none"}}
    project.write(arms.with_arms(study, solution=["thinking_trajectories", "attempt"]))
    policies = [f"results/real/runs/{arm}-sft/seed1/policy/step2" for arm in ("limo", "s1")]
    done = project.run(*policies, mirror=mirror)
    assert done.returncode == 0, done.output[-3000:]
    assert all((project.folder / path / "model.safetensors").is_file() for path in policies)
