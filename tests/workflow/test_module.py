"""The workflow as a module of another one: docs/module.md, followed word by word."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import documents
from small_study import ROOT, TINY, make_project

pytestmark = pytest.mark.slow


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A project with a clone in it; no library on the path but what rules find."""
    make_project(tmp_path / "project/limr")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "snakemake").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m snakemake "$@"\n')
    (programs / "snakemake").chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    return {**kept, "PATH": f"{programs}:{kept['PATH']}", "OMP_NUM_THREADS": "1"}


def test_module_md_word_by_word(environment: dict[str, str], tmp_path: Path) -> None:
    project = tmp_path / "project"
    documents.follow(ROOT / "docs/module.md", documents.Terminal(project, environment))
    results = project / "results/mine"
    chosen = [json.loads(line)["problem_id"] for line in (results / "subsets/limr.jsonl").open()]
    assert sorted(chosen) == ["a", "d"]
    assert (results / "report.html").is_file()
    assert len((project / "results/longest.txt").read_text().split()) == 2
    assert not (project / "limr/results").exists()

    # A study with every kind of rule resolves too: scripts, environments, the paper's numbers.
    study = {**copy.deepcopy(TINY), "tables": {"results": {}, "inconsistencies": {}}}
    (project / "config/config.yaml").write_text(yaml.safe_dump(study, sort_keys=False))
    command = ["snakemake", "--cores", "2", "--dry-run", "all", "archive"]
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-4000:]
    for rule in ("train_ppo", "train_sft", "evaluate", "make_tables", "archive_study"):
        assert f"rule {rule}:" in said or f"{rule}  " in said, rule
