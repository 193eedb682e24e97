"""`snakemake --profile slurm` on a real SLURM: what a user sees of it before any job runs."""

from __future__ import annotations

import pytest
from on_slurm import OnSlurm

pytestmark = pytest.mark.slow


def test_a_dry_run_says_what_each_rule_asks_for(on_slurm: OnSlurm) -> None:
    on_slurm.variables = {"LIMR_SLURM_PARTITION": "cpu", "LIMR_SLURM_ACCOUNT": "maths"}
    found = on_slurm.run("--dry-run")
    assert found.returncode == 0, found.output
    asked = [line for line in found.output.splitlines() if line.strip().startswith("resources:")]
    assert len(asked) >= 10
    assert all("slurm_partition=cpu" in line for line in asked)
    assert all("slurm_account=maths" in line for line in asked)
    assert any("mem_mb=4000" in line and "runtime=1440" in line for line in asked)
    assert on_slurm.my_jobs() == []


def test_the_papers_study_asks_for_its_gpus(on_slurm: OnSlurm) -> None:
    on_slurm.variables = {"LIMR_SLURM_GPU_PARTITION": "gpu"}
    found = on_slurm.cluster.call(
        *("snakemake", "--profile", "slurm", "--dry-run"),
        cwd=on_slurm.folder,
        environment=on_slurm.environment,
    )
    assert found.returncode == 0, found.stdout + found.stderr
    rules = (found.stdout + found.stderr).split("\nrule ")
    for name, wanted in (
        ("train_ppo", ["nodes=2", "gres=gpu:8", "mpi=srun", "tasks=2", "runtime=1440"]),
        ("evaluate", ["nodes=1", "gpu=1", "runtime=360"]),
    ):
        asked = next(rule for rule in rules if rule.startswith(f"{name}:"))
        for part in [*wanted, "slurm_partition=gpu"]:
            assert part in asked, (name, part)


def test_a_partition_that_is_not_there_is_named(on_slurm: OnSlurm) -> None:
    on_slurm.variables = {"LIMR_SLURM_PARTITION": "gpus"}
    found = on_slurm.run()
    assert found.returncode != 0
    assert "invalid partition specified: gpus" in found.output
    assert not list((on_slurm.folder / "results").glob("tiny/base"))


def test_a_variant_of_a_rule_asks_for_what_the_profile_gives_the_rule(on_slurm: OnSlurm) -> None:
    """An arm that is trained for longer has a rule of its own, which no profile names."""
    target = "results/demo-full/runs/full-long/seed1/run.json"
    for more, minutes in ([], 1440), (["--set-resources", "train_ppo_full_long:runtime=99"], 99):
        words = ("snakemake", "--profile", "slurm", "--configfile", "config/demo-full.yaml", *more)
        found = on_slurm.cluster.call(
            *words, "--dry-run", "--", target, cwd=on_slurm.folder, environment=on_slurm.environment
        )
        rules = (found.stdout + found.stderr).split("\nrule ")
        asked = next(rule for rule in rules if rule.startswith("train_ppo_full_long:"))
        assert f"runtime={minutes}," in asked
