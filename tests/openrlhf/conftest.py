"""The environment of the real trainers, and one study that they have run; CI must have both."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

for name in ("workflow", ".", "train"):
    sys.path.insert(0, str(Path(__file__).parents[1] / name))

import real_trainer  # noqa: E402 (found there)
from real_trainer import RealProject  # noqa: E402

from small_study import Project  # noqa: E402


@pytest.fixture(scope="session")
def python() -> Path:
    """The Python of .venv-openrlhf, see `required_python`."""
    return real_trainer.required_python()


@pytest.fixture(scope="session")
def finished_real_project(python: Path, tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """A copy in which the trainer was killed in the middle, and everything then ran to its end."""
    project = real_trainer.make(tmp_path_factory.mktemp("openrlhf") / "project")
    model = [str(python), str(real_trainer.HERE / "tiny_qwen2.py"), "model"]
    subprocess.run(
        model, cwd=project.folder, env=project.environment, check=True, capture_output=True
    )
    project.write(real_trainer.study())
    project.kill_trainer("full-seed1", after=2)
    project.finish(*(f"results/real/runs/{run}/seed1/run.json" for run in ("full", "sft")))
    Project(project.folder).finish()  # other rules have another environment, also in a user's study
    return project
