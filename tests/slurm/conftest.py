"""A real SLURM for these tests, and studies that run on it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import cluster as clusters
import pytest
from on_slurm import OnSlurm

from kept_studies import kept_project
from small_study import Project, little, make_project


@pytest.fixture(scope="session")
def cluster() -> Iterator[clusters.Cluster]:
    """A cluster of five nodes; CI must have SLURM, elsewhere its tests are skipped aloud."""
    if reason := clusters.lacking():
        if os.environ.get("CI"):
            pytest.fail(f"CI must run these tests: {reason}")
        pytest.skip(reason)
    folder = Path(tempfile.mkdtemp(prefix="limr-slurm-"))  # sockets want a short path
    with clusters.running(folder) as found:
        yield found
    shutil.rmtree(folder)


@pytest.fixture
def on_slurm(cluster: clusters.Cluster, tmp_path: Path) -> OnSlurm:
    """A fresh copy whose Snakemake runs on the cluster's login node."""
    cluster.wait_until_idle()
    project = OnSlurm(make_project(tmp_path / "project").folder, cluster)
    project.write(little())
    return project


LONG = {"ppo": {"steps": 80}, "evaluate": {"ppo_steps": [80]}}


@pytest.fixture(scope="session")
def local_run(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which one run of some seconds has been made without SLURM."""
    folder = tmp_path_factory.mktemp("run") / "project"
    return kept_project(little(**LONG), folder, "results/tiny/runs/full/seed1/run.json")


@pytest.fixture
def one_run(cluster: clusters.Cluster, local_run: Project, tmp_path: Path) -> OnSlurm:
    """A copy in which all but that run has been made."""
    cluster.wait_until_idle()
    folder = tmp_path / "project"
    shutil.copytree(local_run.folder, folder, symlinks=True, copy_function=shutil.copy2)
    shutil.rmtree(folder / "results/tiny/runs")
    return OnSlurm(folder, cluster)
