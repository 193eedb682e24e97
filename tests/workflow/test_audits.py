"""Audits of gold answers in a study: made where asked for; dead problems stay out of subsets."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from small_study import Project

pytestmark = pytest.mark.slow

ANSWERS = ["2", "", "None", "p-q", "\\frac{1}{2}", "5", "6", "7"]
STUDY: dict[str, Any] = {
    "study": "audited",
    "seeds": [1],
    "datasets": {
        "mine": {"source": "problems-file", "path": "problems.jsonl", "empty_answers": "keep"}
    },
    "dataset": "mine",
    "scores": {"everything": {"selector": "full"}, "random": {"selector": "random"}},
    "arms": {
        "full": {"train": "none", "score": "everything"},
        "rand": {"train": "none", "score": "random", "size": 6},
    },
    "tables": {"subsets": {}},
}


def prepared(project: Project, **changes: Any) -> dict[str, Any]:
    rows = [
        {"id": f"p{n}", "prompt": f"Number {n}?", "answer": answer}
        for n, answer in enumerate(ANSWERS)
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (project.folder / "problems.jsonl").write_text(lines)
    study = {**STUDY, **changes}
    project.write(study)
    return study


def record(project: Project, arm: str) -> Any:
    return json.loads((project.folder / f"results/audited/subsets/{arm}.json").read_text())


def test_answers_are_audited_only_where_it_is_asked_for(project: Project) -> None:
    prepared(project)
    assert not [job for job in project.planned() if job.startswith("Audit")]
    prepared(project, tables={"gold-audit": {}})
    assert "Audit the gold answers of mine" in project.planned()
    project.finish()
    results = project.folder / "results/audited"
    table = pd.read_csv(results / "tables/gold-audit.tsv", sep="\t")
    assert table.loc[0, ["problems", "dead", "dead under the paper's"]].to_list() == [8, 2, 3]
    findings = pq.read_table(results / "audits/mine.parquet").to_pandas()
    dead = findings[findings["finding"] == "dead"]
    assert list(dead["problem_id"]) == ["p1", "p2"]
    assert record(project, "full")["dead"] == {"n": 2, "n_selected": 2, "rule": "keep"}
    assert record(project, "full")["n_selected"] == 8
    assert "8 of 8 different answers" in (results / "logs/audit_answers/mine.log").read_text()


def test_dead_problems_are_left_out_and_corrected_ones_are_not_dead(project: Project) -> None:
    entry = {"old": "None", "new": "3", "reason": "worked out"}
    (project.folder / "mended.yaml").write_text(json.dumps({"p2": entry}))
    datasets = {"mine": {**STUDY["datasets"]["mine"], "overrides": "mended.yaml"}}
    prepared(project, dead_problems="exclude", datasets=datasets)
    project.finish()
    full = record(project, "full")
    assert full["dead"] == {"n": 1, "n_selected": 0, "rule": "exclude"}
    assert full["n_selected"] == 7
    assert full["not_scored"] == {"this grader can reward no answer to it": 1}
    ids = [
        json.loads(line)["problem_id"]
        for line in (project.folder / "results/audited/subsets/full.jsonl").read_text().splitlines()
    ]
    assert ids == ["p0", "p2", "p3", "p4", "p5", "p6", "p7"]
    notes = json.loads((project.folder / "results/audited/problems/mine.json").read_text())
    assert notes["corrected_answers"] == [{"problem_id": "p2", **entry}]
    assert project.planned() == []


def test_corrections_that_are_not_there_are_refused_at_once(project: Project) -> None:
    datasets = {"mine": {**STUDY["datasets"]["mine"], "overrides": "none.yaml"}}
    prepared(project, datasets=datasets)
    found = project.run()
    assert found.returncode == 1
    assert "dataset 'mine': overrides: there is no file 'none.yaml'" in found.output
    assert not (project.folder / "results").exists()
