"""The documents' commands that need a cluster, run as they stand on a real SLURM."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cluster import Cluster
from on_slurm import QUICK_LOOKS

import documents
from reading import Reader, small_demo
from small_study import ROOT

pytestmark = pytest.mark.slow
PAGES = ("docs/slurm.md", "docs/air-gapped.md")


@pytest.fixture(scope="module")
def at_work(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """A reader on the cluster's login node; config/config.yaml trains nothing, the demo one arm."""

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
    demo = small_demo()
    del demo["arms"]["limr"], demo["scores"]["lim"], demo["trajectories"]
    demo["tables"], demo["figures"] = {"subsets": {}}, {}
    demo["base"]["warmup"]["steps"] = 50
    found.write("config/demo.yaml", demo)
    return found


@pytest.mark.parametrize("name", PAGES)
def test_every_command_for_a_cluster_runs_as_it_stands(at_work: Reader, name: str) -> None:
    terminal = at_work.terminal()
    terminal.environment |= {  # looks at jobs come early, as the test's jobs are short
        "PYTHONPATH": f"{terminal.environment['PYTHONPATH']}:{QUICK_LOOKS}",
        "LIMR_SLURM_FIRST_LOOK": "2",
        "LIMR_TESTS_LOOK": "1",
    }
    said = documents.follow(ROOT / name, terminal, lambda block: "cluster" in block.needs)
    results = at_work.project.folder / "results"
    assert (results / "limr/report.html").exists()
    if name == "docs/slurm.md":
        assert "STATE TIME NODELIST(REASON) COMMENT" in said  # squeue
        assert "train_ppo" in said  # the logs' ends
        assert (results / "demo/report.html").exists()


def test_a_wrong_command_for_a_cluster_makes_its_page_fail(at_work: Reader, tmp_path: Path) -> None:
    page = tmp_path / "slurm.md"
    page.write_text(
        "<!-- needs: cluster — it asks SLURM for its jobs -->\n```sh\nsqueue --mee\n```\n"
    )
    with pytest.raises(AssertionError, match=r"slurm.md, line 2"):
        documents.follow(page, at_work.terminal(), lambda block: "cluster" in block.needs)
