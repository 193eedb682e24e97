"""`limr verify --rerun` on a study whose engine is portable: kernels are chosen before PyTorch."""

from __future__ import annotations

import subprocess
import sys

import pytest

from small_study import Project, little


@pytest.mark.slow
def test_the_first_steps_are_the_same_when_trained_again(project: Project) -> None:
    study = little(base={"warmup": {**little()["base"]["warmup"], "steps": 40}}, ppo={"steps": 3})
    study["engines"]["embedded"]["determinism"] = "portable"
    study["arms"] = {name: study["arms"][name] for name in ("base", "full")}
    study["scores"] = {"everything": study["scores"]["everything"]}
    study["evaluate"]["ppo_steps"] = [3]
    study["tables"], study["figures"] = {"results": {}}, {"reward": {}}
    del study["trajectories"]
    project.write(study)
    project.finish()
    said = ""
    for words in (
        ["archive", "study.yaml", "--output", "a.zip"],
        ["verify", "a.zip", "--rerun", "2"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "limr", *words],
            cwd=project.folder,
            env=project.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said
    assert "rerun: the first 2 steps of 1 runs trained again: every rollout is the same" in said
