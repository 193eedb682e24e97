"""What several files of these tests share: the pages on real data, followed once."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

import documents
import warm_snakemake
from small_study import ROOT, Project, make_project

KEPT = ("lim", "lim-curve-free", "linear", "bottom-lim", "random")  # of one-shot-rlvr's ten scores


def with_fewer_selectors(study: dict[str, Any]) -> dict[str, Any]:
    """Leave out scores and what is made of them alone; the problems and their curves are all there.

    The whole study is a long test: `test_logs.py`.
    """
    for section in ("tables", "figures"):
        for options in study[section].values():
            if "scores" in options:
                options["scores"] = [name for name in options["scores"] if name in KEPT]
    study["scores"] = {name: study["scores"][name] for name in KEPT}
    arms = ("limr", "curve-free", "bottom-lim", "rand")
    return study | {"arms": {name: study["arms"][name] for name in arms}}


@pytest.fixture(scope="session")
def published_data(mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which docs/published-data.md was followed word by word; tests must not change it.

    One of its three studies has fewer selectors.

    Test processes share it: the first one that asks makes it, others wait for that.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "published-data"
    with FileLock(f"{folder}.lock"):
        if not (folder / "said").exists():
            shutil.rmtree(folder, ignore_errors=True)
            project = make_project(folder / "project")
            shipped = project.folder / "config/one-shot-rlvr.yaml"
            fewer = with_fewer_selectors(yaml.safe_load(shipped.read_text()))
            shipped.write_text(yaml.safe_dump(fewer, sort_keys=False))
            page = ROOT / "docs/published-data.md"
            environment = documents.reader(project.environment, mirror)
            environment["PATH"] = warm_snakemake.on_path(folder / "bin", environment["PATH"])
            said = documents.follow(page, documents.Terminal(project.folder, environment))
            (folder / "said").write_text(said)
    return Project(folder / "project")
