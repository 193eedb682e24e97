"""What is kept of a finished study is that study, whole, and of the code that there is now."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

import kept_studies
from small_study import TINY, Project, little, make_project

pytestmark = pytest.mark.slow


def problems_only() -> dict[str, Any]:
    """A study that takes seconds."""
    return {**TINY, "study": "kept"}


TARGET = "results/kept/problems/arithmetic.jsonl"


def ask(kept: Path, folder: Path) -> None:
    kept_studies.kept_project(problems_only(), folder, TARGET, kept=kept)


def test_all_that_the_jobs_import_is_in_the_digest(finished_project: Project) -> None:
    imported: list[str] = []
    for study in (TINY, little()):  # the one starts from the other
        name = kept_studies.digest(study)
        imported += json.loads((kept_studies.KEPT / name / "imported.json").read_text())
    assert len(imported) > 50
    known = {str(path.relative_to(kept_studies.ROOT)) for path in kept_studies.files()}
    assert set(imported) <= known
    left_out = {*kept_studies.SCRIPTS.rglob("*.py")} - {*kept_studies.files()}
    assert "cli" in {path.parent.name for path in left_out}  # an edit of these makes nothing anew


def test_a_kept_study_is_a_finished_one(finished_project: Project, tmp_path: Path) -> None:
    again = kept_studies.kept_project(TINY, tmp_path / "project")
    assert again.planned() == []
    assert again.digests() == finished_project.digests()


@pytest.mark.long  # of the tests themselves
def test_one_that_starts_from_another_makes_what_differs(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    study: dict[str, Any] = {
        **{key: TINY[key] for key in ("seeds", "datasets", "dataset")},
        "study": "kept",
        "scores": {"random": {"selector": "random"}},
        "arms": {"rand": {"train": "none", "score": "random", "size": 9}},
        "tables": {"subsets": {}},
    }
    first = kept_studies.kept_project(study, tmp_path / "first", kept=kept)
    fewer = {"train": "none", "score": "random", "size": 5}
    more = {**study, "arms": {**study["arms"], "fewer": fewer}}
    second = kept_studies.kept_project(more, tmp_path / "second", start=study, kept=kept)
    assert second.planned() == []

    def made(project: Project, path: str) -> float:
        return (project.folder / "results/kept" / path).stat().st_mtime

    for path in ("problems/arithmetic.jsonl", "scores/random.parquet", "subsets/rand.jsonl"):
        assert made(second, path) == made(first, path), path
    assert made(second, "subsets/fewer.jsonl") > made(first, "report.html")


def test_the_digest_is_of_the_study_the_targets_and_the_versions(monkeypatch: Any) -> None:
    found = {kept_studies.digest(TINY), kept_studies.digest({**TINY, "seeds": [1]})}
    found.add(kept_studies.digest(TINY, ("results/tiny/base",)))
    monkeypatch.setattr(kept_studies, "_versions", lambda: {"torch": "another"})
    found.add(kept_studies.digest(TINY))
    monkeypatch.setattr(kept_studies, "_processor", lambda: "another")
    found.add(kept_studies.digest(TINY))
    monkeypatch.setattr(kept_studies, "_file", lambda path: f"{path}, edited")
    found.add(kept_studies.digest(TINY))
    assert len(found) == 6


@pytest.mark.long  # of the tests themselves
def test_several_at_once_and_one_that_is_killed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    context = multiprocessing.get_context("spawn")
    first = context.Process(target=ask, args=(kept, tmp_path / "first"))
    first.start()
    while not list(kept.glob("*.lock")):
        time.sleep(0.01)
    time.sleep(1)
    assert first.pid is not None
    os.kill(first.pid, signal.SIGKILL)
    first.join()
    assert not [path for path in kept.iterdir() if path.is_dir() and path.name[0] != "."]
    others = [context.Process(target=ask, args=(kept, tmp_path / f"{n}")) for n in range(2)]
    for process in others:
        process.start()
    for process in others:
        process.join()
    texts = {(tmp_path / f"{n}" / TARGET).read_text() for n in range(2)}
    assert len(texts) == 1
    assert len([path for path in kept.iterdir() if path.is_dir()]) == 1


@pytest.mark.long  # of the tests themselves
def test_the_code_is_the_present_one(tmp_path: Path, monkeypatch: Any) -> None:
    """An edit of what no job imports is in the copy, which is not made again."""
    kept = tmp_path / "kept"
    ask(kept, tmp_path / "first")
    [entry] = [path for path in kept.iterdir() if path.is_dir()]

    def edited(folder: Path) -> Project:
        project = make_project(folder)
        (folder / "workflow/scripts/limr/cli/__init__.py").write_text("# edited\n")
        return project

    monkeypatch.setattr(kept_studies, "make_project", edited)
    ask(kept, tmp_path / "second")
    assert [path for path in kept.iterdir() if path.is_dir()] == [entry]
    assert (tmp_path / "second/workflow/scripts/limr/cli/__init__.py").read_text() == "# edited\n"


def test_what_nobody_asks_for_is_removed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    for name, days in (("old", 20), ("recent", 2), (".part-old", 2), (".part-new", 0)):
        (kept / name).mkdir(parents=True)
        then = time.time() - days * 86400
        os.utime(kept / name, (then, then))
    kept_studies._remove_old(kept)
    assert sorted(path.name for path in kept.iterdir()) == [".part-new", "recent"]
