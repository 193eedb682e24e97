"""What Snakemake itself would run of a finished study after a change, file by file.

The study has not run: its files are empty, and Snakemake is told that they are up to date
(`--touch`). It records settings and inputs then as after a run, and plans with all its triggers.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "study"))

from continued_study import SIZES, changed, continued, new_jobs

from limr.study.jobs import plan
from limr.study.jobs.job import Job
from limr.study.load import load
from small_study import ROOT, Project, make_project

pytestmark = pytest.mark.slow
ROUNDS = ("arms", "rounds", "rounds")
CHANGES = {
    **{name: (keys, value) for name, (keys, value, _) in SIZES.items()},
    "another round": (ROUNDS, {"every": 1, "times": 4}),
    "nothing": (("study",), "tiny"),
}


def config() -> dict[str, Any]:
    """The study; its third round ends with the run."""
    return changed(continued(), *ROUNDS, value={"every": 1, "times": 3})


def jobs(study: dict[str, Any]) -> list[Job]:
    found = load(study, "study.yaml", ROOT / "config/benchmarks")
    return plan.wanted(found, plan.jobs(found))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which the study's files are there, as if it had run."""
    project = make_project(tmp_path_factory.mktemp("jobs") / "project")
    project.write(config())
    for job in jobs(config()):
        for path in (project.folder / name for name in job.outputs):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch() if path.suffix else path.mkdir()
    touched = project.run("--touch", "--forceall")
    assert touched.returncode == 0, touched.output
    return project


@pytest.mark.parametrize(("keys", "value"), CHANGES.values(), ids=CHANGES)
def test_snakemake_makes_the_files_that_a_change_concerns_and_no_others(
    finished: Project, keys: tuple[str, ...], value: Any
) -> None:
    after = changed(config(), *keys, value=value)
    finished.write(after)
    found = finished.run("--summary")
    assert found.returncode == 0, found.output
    rows = [line.split("\t") for line in found.output.splitlines() if line.startswith("results/")]
    made = {row[0] for row in rows if row[-1] == "update pending"}
    expected = {path for job in new_jobs(jobs(config()), jobs(after)) for path in job.outputs}
    assert made == expected
    assert len(made) < len(rows)
