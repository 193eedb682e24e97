"""A copy of the repository in which whole small studies run."""

from __future__ import annotations

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_study import TINY, Project, make_project


@pytest.fixture
def tiny() -> dict[str, Any]:
    """A small study with every kind of arm."""
    return copy.deepcopy(TINY)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy without results."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def finished_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which the small study has run; tests must not change it."""
    found = make_project(tmp_path_factory.mktemp("finished") / "project")
    found.write(copy.deepcopy(TINY))
    found.finish()
    return found


@pytest.fixture
def finished(finished_project: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, Snakemake's metadata included, to change and plan again."""
    folder = tmp_path / "project"
    shutil.copytree(finished_project.folder, folder, symlinks=True, copy_function=shutil.copy2)
    return Project(folder)
