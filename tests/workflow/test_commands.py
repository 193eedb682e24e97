"""The commands of the documents, run as they stand in one project whose demo is a small one."""

from __future__ import annotations

import copy
import shutil
from typing import Any

import pytest
import yaml

import documents
from small_study import ROOT, TINY, Project, make_project

pytestmark = pytest.mark.slow
GUIDES = ("bring-your-own.md", "contributing.md", "module.md")  # followed elsewhere, in their order
PARTS = ("README.md", "Makefile", "pyproject.toml", "docs", ".venv")


def small_demo() -> dict[str, Any]:
    """config/demo.yaml in little: what its readers name is in it."""
    study = copy.deepcopy(TINY)
    study |= {"study": "demo", "seeds": [1], "tables": {"results": {}}, "figures": {"reward": {}}}
    study["base"]["warmup"]["steps"] = 300
    study["ppo"]["steps"] = 3
    study["evaluate"] = {"ppo_steps": [3], "benchmarks": {"arithmetic-easy": {}}}
    study["scores"] = {
        "lim": {"selector": "lim", "trajectories": "full"},
        "everything": {"selector": "full"},
    }
    study["arms"] = {
        "full": {"train": "ppo", "score": "everything"},
        "limr": {"train": "ppo", "score": "lim", "size": 8},
    }
    return study


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = make_project(tmp_path_factory.mktemp("commands") / "project")
    for part in PARTS:
        source = ROOT / part
        if part == ".venv":
            (project.folder / part).symlink_to(source.resolve())
        elif source.is_dir():
            shutil.copytree(source, project.folder / part)
        else:
            shutil.copy2(source, project.folder / part)
    for lock in (ROOT / "envs").glob("*.lock"):  # make compares times
        shutil.copy2(lock, project.folder / "envs" / lock.name)
    (project.folder / "config/demo.yaml").write_text(yaml.safe_dump(small_demo(), sort_keys=False))
    return project


def test_every_command_runs_as_it_stands(demo: Project) -> None:
    path = f"{demo.folder}/.venv/bin:{demo.environment['PATH']}"
    said = ""
    for page in documents.pages(demo.folder):
        for block in documents.blocks(page) if page.name not in GUIDES else ():
            if block.is_run:
                said += documents.run(block, demo.folder, {**demo.environment, "PATH": path})
    results = demo.folder / "results/demo"
    assert "Report: results/demo/report.html" in said  # README: `make demo`
    assert (demo.folder / "scores.parquet").exists()
    assert (results / "report-so-far.html").exists()
    assert (demo.folder / "page.html").exists()
