"""What all tests share: the real data, where a mirror is configured, and small studies."""

from __future__ import annotations

import copy
import gc
import os
import re
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from filelock import FileLock
from xdist.scheduler import LoadScopeScheduling

from kept_studies import kept_project
from small_study import TINY, Project, little, make_project

ROOT = Path(__file__).parents[1]
# Before torch and numpy are imported: two test processes with two threads each wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Environments that tests make compile what they import, not all that pip installs.
os.environ.setdefault("PIP_NO_COMPILE", "1")


SLOW = 0.5  # seconds; see tests/README.md
_NOT_SLOW = re.compile(r"\bnot slow\b")
_ALL_SLOW = re.compile(r"^pytestmark = .*\bpytest\.mark\.(slow|long)\b", re.MULTILINE)
SLOW_FIXTURES = {
    "finished_project",
    "finished_little",
    "site",
    "page",
    "published_data",
    "opinions",
    "rates",
}
# In this order and before all others: what takes minutes starts first.
LONGEST = (
    "test_openrlhf_study.py",
    "test_archive_study.py",
    "test_vllm_rule.py",
    "test_slurm_commands.py",
    "test_logs.py",
    "test_resume.py",
    "test_real_model.py",
    "test_commands.py",
    "test_guides.py",
    "test_control_arms.py",
    "test_half_finished.py",
    "test_air_gapped.py",
    "test_reruns.py",
    "test_conda.py",
    "test_archive_restricted.py",
    "test_slurm_preflight.py",
    "test_sweep_runs.py",
    "test_trl_logs.py",
    "test_rerun_portable.py",
    "test_set_up.py",
    "test_site.py",
    "test_trainers.py",
    "test_fine_tuning_arms.py",
    "test_bad_input.py",
    "test_selectors.py",
    "test_tables.py",
    "test_figures.py",
    "test_grading_data.py",
)
PROCESSES = 3  # that usually work: each begins with one of the longest
ROUNDS = 10
# Each test for itself, among those above: they wait more than they work.
APART = (
    "test_slurm_faults.py",
    "test_slurm_ray.py",
    "test_ray_cluster.py",
)

Shared = Callable[[str, Callable[[Path], object]], Path]

hypothesis.settings.register_profile("short", max_examples=40, deadline=None)
hypothesis.settings.register_profile("long", max_examples=400, deadline=None)
hypothesis.settings.load_profile("short")  # --hypothesis-profile takes another one


def pytest_configure() -> None:
    """Whoever ends the tests ends their daemons: SIGTERM tears down as Ctrl-C does.

    A shell lets what it starts with `&` ignore Ctrl-C, and so what the tests start would.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not import a file of slow tests alone where they are not wanted: imports take long."""
    if collection_path.suffix != ".py" or not _NOT_SLOW.search(config.option.markexpr):
        return None
    return bool(_ALL_SLOW.search(collection_path.read_text(encoding="utf-8"))) or None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Repeat tests of faults, whose moment chance has a part in; all rounds but one are long."""
    if metafunc.definition.get_closest_marker("rounds"):
        others = [pytest.param(n, marks=pytest.mark.long) for n in range(2, ROUNDS + 1)]
        metafunc.fixturenames.append("round_number")
        metafunc.parametrize("round_number", [1, *others], indirect=True, ids="round{}".format)


@pytest.hookimpl(tryfirst=True)  # before pytest leaves out what -m does not want
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the slow cases of tests, and what waits for a slow fixture; the longest files first."""
    for item in items:
        cases = {case for mark in item.iter_markers("slow_cases") for case in mark.args}
        named = getattr(item, "callspec", None)
        if (named and named.id in cases) or SLOW_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("slow")
    order: dict[str, float] = {name: place for place, name in enumerate(LONGEST)}
    apart = [item.nodeid for item in items if item.path.name in APART]
    gap = (len(LONGEST) - PROCESSES) / max(1, len(apart))
    order |= {name: PROCESSES - 0.5 + gap * place for place, name in enumerate(apart)}
    items.sort(key=lambda item: order.get(item.nodeid, order.get(item.path.name, len(LONGEST))))


def pytest_collection_finish() -> None:
    """Look for garbage more seldom, and not among what is there: a tenth of the fast tests."""
    gc.freeze()
    gc.set_threshold(50_000)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the tests that are slow and not marked so."""
    seconds: dict[str, float] = {}
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport) and not {"slow", "long"} & set(
                report.keywords
            ):
                seconds[report.nodeid] = seconds.get(report.nodeid, 0.0) + report.duration
    # Where more wants to run than there are processors, everything takes longer.
    limit = SLOW * max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    found = sorted(((s, name) for name, s in seconds.items() if s >= limit), reverse=True)
    if found:
        terminalreporter.section(f"{len(found)} tests took {limit:.1f} s, not marked as slow")
        for one, name in found[:40]:
            terminalreporter.write_line(f"{one:6.2f} s  {name}")


class ByFile(LoadScopeScheduling):
    """In several processes (-n) a file's tests share one, and so what its fixtures made.

    Some files' tests are spread.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return nodeid if file.rpartition("/")[2] in APART else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> LoadScopeScheduling:
    """Return it, whatever --dist says: groups by mark do nothing with this version of pytest."""
    return ByFile(config, log)


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """Makes a folder once a session: the first test process that asks makes it, others wait."""
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder = common / name
        with FileLock(f"{folder}.lock"):
            if not (folder / "done").exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                (folder / "done").touch()
        return folder

    return made


@pytest.fixture
def round_number(request: pytest.FixtureRequest) -> int:
    """Of a test that is repeated."""
    return int(request.param)


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
def finished_project(shared: Shared) -> Project:
    """A copy in which the small study has run; tests must not change it."""

    def make(folder: Path) -> None:
        kept_project(TINY, folder / "project", start=little())

    return Project(shared("finished", make) / "project")


@pytest.fixture(scope="session")
def finished_little(shared: Shared) -> Project:
    """The same of a study with fewer arms; tests must not change it."""
    return Project(
        shared("little", lambda folder: kept_project(little(), folder / "project")) / "project"
    )


@pytest.fixture
def finished(finished_project: Project, tmp_path: Path) -> Project:
    """A copy of the finished project, Snakemake's metadata included, to change and plan again."""
    folder = tmp_path / "project"
    shutil.copytree(finished_project.folder, folder, symlinks=True, copy_function=shutil.copy2)
    return Project(folder)
