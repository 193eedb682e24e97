"""How Snakemake was started, in every form in which a profile or an executor can be named."""

from __future__ import annotations

from pathlib import Path

import pytest

from limr.slurm import invocation

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("SNAKEMAKE_PROFILE", raising=False)


def read(*arguments: str, program: str = "/some/bin/snakemake") -> invocation.Invocation:
    return invocation.read([program, *arguments])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--profile", "slurm"], True),
        (["--profile", "slurm", "-n"], False),
        (["-pn", "-c1"], False),
        (["--dry-run", "-c1"], False),
        (["--configfile", "config/demo.yaml", "--unlock"], False),
        (["-c2"], True),
        (["-call"], True),
        (["-junlimited"], True),
        (["--cores", "2", "--rerun-incomplete"], True),
        (["--cores", "2", "--report", "r.html"], False),
        (["--cores", "2", "--report", "r.html", "--report-after-run"], True),
        (["--lint"], False),
        (["-c1", "--rulegraph"], False),
    ],
)
def test_only_a_start_starts_jobs(arguments: list[str], expected: bool) -> None:
    assert read(*arguments).starts_jobs is expected


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--profile", "slurm"], True),
        (["--profile=slurm"], True),
        (["--profile=profiles/slurm", "-n"], True),
        (["--profile", "profiles/slurm/config.v9+.yaml"], True),
        (["--prof", "slurm"], True),
        (["--executor", "slurm", "-j1"], True),
        (["--executor=slurm", "-j1"], True),
        (["-e", "slurm", "-j1"], True),
        (["-eslurm", "-j1"], True),
        (["--workflow-profile=profiles/slurm"], True),
        (["--profile", "slurm", "--executor", "local", "-c1"], False),
        (["--profile", "profiles/demo"], False),
        (["-c1", "results/slurm/report.html"], False),
        (["-c1", "slurm"], False),
    ],
)
def test_every_way_of_naming_slurm_counts(arguments: list[str], expected: bool) -> None:
    assert read(*arguments).submits is expected


def test_a_profile_of_the_environment_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "slurm")
    assert read("-n") == invocation.Invocation(starts_jobs=False, submits=True)
    assert not read("-c1", "--profile", "none").submits


def test_another_program_is_a_local_run() -> None:
    found = read("--profile", "slurm", "--no-option-of-snakemake", program="/home/me/mine.py")
    assert found == invocation.Invocation(starts_jobs=True, submits=False)
    module = "/python/site-packages/snakemake/__main__.py"
    assert read("--profile", "slurm", program=module).submits
