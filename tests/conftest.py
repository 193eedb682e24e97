"""What all tests share: the real data, where a mirror is configured, and small studies."""

from __future__ import annotations

import copy
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

from small_study import TINY, Project, make_project

ROOT = Path(__file__).parents[1]
# Before torch and numpy are imported: two test processes with two threads each wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_configure() -> None:
    """Whoever ends the tests ends their daemons: SIGTERM tears down as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


class ByFile(LoadScopeScheduling):
    """In several processes (-n) a file's tests share one, and so what its fixtures made.

    One process runs all tests of SLURM, and one all of OpenRLHF: a cluster, a trainer at a time.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder.endswith(("openrlhf", "slurm")) else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Return it, whatever --dist says: groups by mark do nothing with this version of pytest."""
    return ByFile(config, log)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def mirror() -> Path:
    """The folder of real data files; CI must have it, elsewhere its tests are skipped aloud."""
    configured = os.environ.get("LIMR_MIRROR")
    if configured and Path(configured).is_dir():
        return Path(configured)
    if os.environ.get("CI"):
        pytest.fail("LIMR_MIRROR must name the folder of real data files in CI")
    pytest.skip("LIMR_MIRROR is not set: the tests on the real data do not run")


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
    """A copy in which the small study has run; tests must not change it.

    Test processes share it: the first one that asks makes it, others wait for that.
    """
    own = tmp_path_factory.getbasetemp()
    folder = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "finished"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            shutil.rmtree(folder, ignore_errors=True)
            found = make_project(folder / "project")
            found.write(copy.deepcopy(TINY))
            found.finish()
            (folder / "done").touch()
    return Project(folder / "project")


@pytest.fixture
def finished(finished_project: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, Snakemake's metadata included, to change and plan again."""
    folder = tmp_path / "project"
    shutil.copytree(finished_project.folder, folder, symlinks=True, copy_function=shutil.copy2)
    return Project(folder)
