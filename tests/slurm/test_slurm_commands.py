"""The documents' commands that need a cluster, run as they stand on a real SLURM."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cluster import Cluster
from on_slurm import looking_early

import documents
from reading import Reader, small_demo
from small_study import ROOT, Project, little

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A reader on the cluster's login node; config/config.yaml trains nothing, the demo little."""

    def call(
        words: list[str], folder: Path, environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        return cluster.call(*words, cwd=folder, environment=environment)

    cluster.wait_until_idle()
    found = Reader(tmp_path_factory.mktemp("commands"), call)
    study = small_demo()
    study |= {"study": "limr", "figures": {}, "tables": {"subsets": {}}, "trajectories": {}}
    study["scores"] = {"random": {"selector": "random"}}
    study["arms"] = {"rand": {"train": "none", "score": "random", "size": 8}}
    for key in ("base", "ppo", "sft", "engines", "evaluate"):
        study.pop(key)
    found.write("config/config.yaml", study)
    found.write("config/demo.yaml", {**little(), "study": "demo"})
    return found


def follow(reader: Reader, name: str) -> str:
    """Do what a page says of a cluster."""
    terminal = reader.terminal()
    terminal.environment = looking_early(terminal.environment)
    return documents.follow(ROOT / name, terminal, lambda block: "cluster" in block.needs)


def test_a_study_over_several_nodes_by_the_page_s_commands_gives_the_bytes_of_a_local_run(
    at_work: Reader, cluster: Cluster, finished_little: Project
) -> None:
    said = follow(at_work, "docs/slurm.md")
    assert "STATE TIME NODELIST(REASON) COMMENT" in said  # squeue
    folder = at_work.project.folder
    assert "train_ppo" in said  # the logs' ends
    assert (folder / "results/limr/report.html").exists()
    assert (folder / "results/demo/report.html").exists()
    tail = (folder / "results/demo/logs/train_ppo/full-seed1.log").read_text().splitlines()[-1]
    assert tail in said
    ours, theirs = at_work.project.digests("demo"), finished_little.digests()
    named = {path for path in theirs if path.endswith(".tex")}  # with the study's name
    assert ours.keys() == theirs.keys()
    assert [path for path in theirs if ours[path] != theirs[path] and path not in named] == []

    jobs = [job for job in cluster.jobs() if Path(job["folder"]) == folder]
    assert {job["state"] for job in jobs} == {"COMPLETED"}
    assert {job["nodes"] for job in jobs} >= {"node1", "node2", "node3"}
    comments = {job["comment"] for job in jobs}
    assert "rule_train_ppo_wildcards_full_1" in comments  # which arm and seed: squeue -o '%i %T %k'
    assert sum("train_ppo" in job["comment"] for job in jobs) == 2
    # Rules of a study's report share one job; the page runs two studies.
    assert sum("rule_report" in job["comment"] for job in jobs) <= 2
    assert list((folder / "logs/slurm/rule_train_ppo").rglob("*.log"))
    again = at_work.terminal().run("snakemake --profile slurm --configfile config/demo.yaml -n")
    assert "Nothing to be done" in again.stdout + again.stderr
    record = json.loads((folder / "results/demo/runs/full/seed1/run.json").read_text())
    assert record["attempts"] == 1


def test_every_other_command_for_a_cluster_runs_as_it_stands(at_work: Reader) -> None:
    follow(at_work, "docs/air-gapped.md")
    assert (at_work.project.folder / "results/limr/report.html").exists()


def test_a_wrong_command_for_a_cluster_makes_its_page_fail(at_work: Reader, tmp_path: Path) -> None:
    page = tmp_path / "slurm.md"
    page.write_text(
        "<!-- needs: cluster — it asks SLURM for its jobs -->\n```sh\nsqueue --mee\n```\n"
    )
    with pytest.raises(AssertionError, match=r"slurm.md, line 2"):
        documents.follow(page, at_work.terminal(), lambda block: "cluster" in block.needs)
