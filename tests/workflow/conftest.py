"""What several files of these tests share: the pages on real data, followed once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from filelock import FileLock

import documents
import warm_snakemake
from small_study import ROOT, Project, make_project


@pytest.fixture(scope="session")
def published_data(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which docs/published-data.md was followed word by word; tests must not change it.

    Test processes share it: the first one that asks makes it, others wait for that.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "published-data"
    with FileLock(f"{folder}.lock"):
        if not (folder / "said").exists():
            shutil.rmtree(folder, ignore_errors=True)
            project = make_project(folder / "project")
            page = ROOT / "docs/published-data.md"
            environment = documents.reader(project.environment, mirror)
            environment["PATH"] = warm_snakemake.on_path(folder / "bin", environment["PATH"])
            said = documents.follow(page, documents.Terminal(project.folder, environment))
            (folder / "said").write_text(said)
    return Project(folder / "project")
