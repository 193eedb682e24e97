"""What a real SLURM would refuse or never start is said before the first job, with advice."""

from __future__ import annotations

import pytest
from on_slurm import OnSlurm

pytestmark = pytest.mark.slow


def refused(project: OnSlurm, *arguments: str) -> str:
    """Run; return what was said by a Snakemake that stopped before its first job."""
    found = project.run(*arguments)
    assert found.returncode != 0
    assert "SLURM would not run these jobs" in found.output
    assert found.jobs == []
    assert project.my_jobs() == []
    assert not list((project.folder / "results").rglob("*.parquet"))
    return found.output


@pytest.mark.parametrize(
    ("arguments", "variables", "words"),
    [
        (
            ["--set-resources", "train_ppo:mem_mb=900000"],
            {},
            ["train_ppo: ", "node configuration is not available", "--mem 900000", "64000 MB"],
        ),
        (
            ["--set-resources", "train_ppo:runtime=20000"],
            {},
            ["20000 minutes asked, and partition cpu allows 10080", "train_ppo:runtime=10080"],
        ),
        (
            [],
            {"LIMR_SLURM_PARTITION": "nope"},
            ["invalid partition", "LIMR_SLURM_PARTITION", "gpu"],
        ),
        ([], {"LIMR_SLURM_CONSTRAINT": "a100"}, ["Invalid feature", "LIMR_SLURM_CONSTRAINT"]),
        (
            ["--set-resources", "train_ppo:gpu=1"],
            {},
            ["train_ppo: ", "node configuration", "LIMR_SLURM_GPU_PARTITION", "gpu:8"],
        ),
    ],
)
def test_what_slurm_cannot_run_is_refused_before_the_first_job(
    on_slurm: OnSlurm, arguments: list[str], variables: dict[str, str], words: list[str]
) -> None:
    on_slurm.variables = variables
    said = refused(on_slurm, *arguments)
    for word in words:
        assert word in said, said


def test_nodes_beyond_a_partitions_limit_are_refused(on_slurm: OnSlurm) -> None:
    update = ("scontrol", "update", "PartitionName=cpu")
    assert on_slurm.cluster.call(*update, "MaxNodes=1").returncode == 0
    try:
        said = refused(on_slurm, "--set-resources", "train_ppo:nodes=2")
    finally:
        assert on_slurm.cluster.call(*update, "MaxNodes=UNLIMITED").returncode == 0
    assert "2 nodes asked, and partition cpu allows 1 to a job" in said


def test_what_slurm_takes_goes_on(on_slurm: OnSlurm) -> None:
    found = on_slurm.run("results/tiny/problems/arithmetic.jsonl")
    assert found.returncode == 0, found.output
    assert "SLURM takes the jobs of 1 rules" in found.output
