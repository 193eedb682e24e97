"""Bad input is refused before the first job, or leaves nothing half written."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from small_study import ROOT, Project

pytestmark = pytest.mark.slow

PUBLISHED = yaml.safe_load((ROOT / "config/published.yaml").read_text())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("sedes", [1], "study.yaml: 'sedes' is not a key. Did you mean 'seeds'?"),
        ("seeds", [1, 1], "study.yaml: 'seeds' has 1 twice"),
        ("dataset", "algebra", "'algebra' is not under datasets"),
    ],
)
def test_a_bad_study_is_refused_before_any_job(
    key: str, value: object, message: str, project: Project, tiny: dict[str, Any]
) -> None:
    tiny[key] = value
    project.write(tiny)
    found = project.run()
    assert found.returncode == 1
    assert message in found.output
    assert "Traceback" not in found.output
    assert not (project.folder / "results").exists()


def test_an_engine_that_is_only_planned_is_planned_and_then_refused(project: Project) -> None:
    with (project.folder / "workflow/scripts/limr/train/engines/vllm.py").open("a") as engine:
        engine.write('PLANNED = "this engine is to come."\n')
    project.write(yaml.safe_load((ROOT / "config/config.yaml").read_text()))
    assert "Train limr by PPO, seed 1" in project.planned()
    found = project.run()
    assert found.returncode == 1
    assert "engine.generate: this engine is to come." in found.output
    assert found.jobs == []


@pytest.fixture
def small_mirror(tmp_path: Path) -> Path:
    """A mirror with a small stand-in for the real files, which are then not the pinned ones."""
    folder = tmp_path / "mirror" / "limr"
    folder.mkdir(parents=True)
    (folder / "math_full.json").write_text(json.dumps([{"id": "a", "prompt": "1", "answer": "1"}]))
    (folder / "published_lim_scores.json").write_text("[]")
    return tmp_path / "mirror"


def test_an_altered_file_is_refused_and_leaves_nothing(
    project: Project, small_mirror: Path
) -> None:
    project.write(PUBLISHED)
    # Both files are altered, and which one is fetched first is the scheduler's choice.
    found = project.run("--keep-going", mirror=small_mirror)
    assert found.returncode == 1
    assert "limr_math_full" in found.output
    assert "It is cut short or altered; nothing was kept" in found.output
    assert list((project.folder / "results/published/sources").glob("*")) == []


def test_a_mirror_that_lacks_a_file_is_refused_before_any_job(
    project: Project, small_mirror: Path
) -> None:
    (small_mirror / "limr/published_lim_scores.json").unlink()
    project.write(PUBLISHED)
    found = project.run(mirror=small_mirror)
    assert found.returncode == 1
    assert "the mirror lacks" in found.output
    assert "published_lim_scores.json" in found.output
    assert found.jobs == []


@pytest.mark.data
def test_the_papers_subset(published_data: Project, mirror: Path) -> None:
    results = published_data.folder / "results/published"
    subset = [json.loads(line) for line in (results / "subsets/limr.jsonl").open()]
    full = json.loads((mirror / "limr/math_full.json").read_text())
    known = {row["id"]: row for row in full}
    assert len(subset) == 1389
    assert len({row["problem_id"] for row in subset}) == 1389
    assert all(known[row["problem_id"]]["prompt"] == row["prompt"] for row in subset)
    assert all(known[row["problem_id"]]["answer"] == row["answer"] for row in subset)
    assert min(row["score"] for row in subset) == 0.6
    record = json.loads((results / "subsets/limr.json").read_text())
    assert (record["n_problems"], record["n_scored"]) == (8523, 7935)
    assert sum(record["not_scored"].values()) == 588
    assert len((results / "subsets/limr-strict.jsonl").read_text().splitlines()) == 1324
    said = "\n".join(json.loads((results / "scores/lim.json").read_text())["notes"])
    assert "cc8cb950-42aa-4be0-ae14-ee61682398fd: its text is that of 79d59aed" in said
    assert "1,389" in (results / "report.html").read_text().replace("\u202f", ",")
    assert "limr chooses 1,389 of 8,523 problems" in (results / "headline.txt").read_text()


# What reads the files; all that follows wants the audit of 8,523 answers, which takes longest.
OF_FILES = ["results/published/problems/math-full.jsonl", "results/published/scores/lim.parquet"]


@pytest.mark.data
@pytest.mark.parametrize(
    "targets", [OF_FILES, pytest.param([], marks=pytest.mark.long)], ids=["scores", "all"]
)
def test_files_need_no_second_fetch_and_no_mirror_afterwards(
    project: Project, mirror: Path, tmp_path: Path, targets: list[str]
) -> None:
    copy = tmp_path / "mirror"
    (copy / "limr").mkdir(parents=True)
    for name in ("math_full.json", "published_lim_scores.json"):
        shutil.copy(mirror / "limr" / name, copy / "limr" / name)
    project.write(PUBLISHED)
    assert project.run("--until", "fetch_source", mirror=copy).returncode == 0
    shutil.rmtree(copy)
    found = project.run(*targets, mirror=copy)
    assert found.returncode == 0, found.output[-3000:]
    assert {"Prepare the problems math-full", "Read the published scores lim"} <= {*found.jobs}
    assert not [job for job in found.jobs if job.startswith("Fetch")]
