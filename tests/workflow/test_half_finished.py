"""The report of a study that is half finished; the bill; Snakemake's own report."""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from small_study import TINY, Project

pytestmark = pytest.mark.slow


def limr(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "limr", *arguments],
        cwd=project.folder,
        env=project.environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_missing_is_said_and_the_rest_is_shown(finished: Project) -> None:
    results = finished.folder / "results/tiny"
    shutil.rmtree(results / "runs/limr/seed2")
    shutil.rmtree(results / "evals/limr/seed2")
    (results / "evals/linear/seed1/step6/arithmetic-hard.parquet").unlink()
    for path in results.glob("subsets/rand-2.*"):
        path.unlink()
    before = {path: path.stat().st_mtime_ns for path in results.rglob("*") if path.is_file()}
    done = limr(finished, "report", "study.yaml")
    assert done.returncode == 0, done.stderr
    page = Path(done.stdout.strip())
    assert page == Path("results/tiny/report-so-far.html")
    assert "missing training runs: 1 of 12 (limr seed 2)" in done.stderr
    assert "missing evaluated runs: 2 of 14 (limr seed 2, linear seed 1)" in done.stderr
    assert "missing subsets: 1 of 6 (rand-2)" in done.stderr
    text = (finished.folder / page).read_text()
    assert "The study is not finished" in text
    assert "evaluated runs: 2 of 14 missing (limr seed 2, linear seed 1)" in text
    assert "So far: " in text
    assert "Accuracy by arm" in text
    assert 'id="problem-data"' in text
    assert "tables/results" not in text  # links to files that are not of this page
    after = {path: path.stat().st_mtime_ns for path in before}
    assert after == before  # Snakemake's outputs are left as they were


def test_a_study_of_which_only_problems_are_there(finished: Project) -> None:
    results = finished.folder / "results/tiny"
    for path in results.iterdir():
        if path.name != "problems":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = limr(finished, "report", "study.yaml", "--output", "page.html", "--no-texts")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "page.html\n"
    assert "missing tables" in done.stderr
    text = (finished.folder / "page.html").read_text()
    assert "There is nothing yet to answer it from" in text


def test_a_finished_study_lacks_nothing(finished: Project) -> None:
    done = limr(finished, "report", "study.yaml")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    text = (finished.folder / done.stdout.strip()).read_text()
    assert "What is missing" not in text


def test_a_study_that_never_ran_and_a_bad_one(project: Project, tiny: dict[str, Any]) -> None:
    project.write(tiny)
    done = limr(project, "report", "study.yaml")
    assert done.returncode == 2
    assert "nothing of the study 'tiny' is there yet" in done.stderr
    (project.folder / "study.yaml").write_text("study: [")
    assert "not valid YAML" in limr(project, "report", "study.yaml").stderr
    assert "no such file" in limr(project, "report", "other.yaml").stderr


COSTS: dict[str, Any] = {
    "compute": {}, "cost-to-accuracy": {"targets": [1, 100]}, "break-even": {"unit": "rollouts"},
    "shared-costs": {}, "contamination": {}, "contamination-examples": {}, "clean-results": {},
}  # fmt: skip


def test_the_bill_counts_what_was_sampled(finished: Project, tiny: dict[str, Any]) -> None:
    study = {
        **tiny,
        "tables": {**tiny["tables"], **COSTS},
        "figures": {**tiny["figures"], "accuracy-by-cost": {}},
        "contamination": {"words": [2], "overlapping": {"words": 2, "share": 1.0}},
    }
    finished.write(study)
    found = finished.finish()
    assert not [job for job in found.jobs if job.startswith(("Train", "Evaluate"))]
    bill = pd.read_csv(finished.folder / "results/tiny/tables/compute.tsv", sep="\t")
    bill = bill.set_index("arm")
    for arm in ("full", "limr", "linear"):
        path = finished.folder / f"results/tiny/runs/{arm}/seed1"
        assert bill.loc[arm, "rollouts"] == pq.read_metadata(path / "rollouts.parquet").num_rows
        tokens = [
            pd.read_parquet(path.with_name(f"seed{seed}") / "metrics.parquet")["tokens"].sum()
            for seed in tiny["seeds"]
        ]
        assert bill.loc[arm, "million tokens"] * 1e6 == sum(tokens) / len(tokens)
    assert bill["scored from"].dropna().to_dict() == {
        "limr": "full, seed 1", "linear": "full, seed 1", "sft": "full, seed 1"
    }  # fmt: skip
    check_costs(finished.folder / "results/tiny", bill)
    check_overlaps(finished.folder / "results/tiny")
    study["contamination"] = {**study["contamination"], "thresholds": [0.3]}
    finished.write(study)
    planned = [job for job in finished.planned() if not job.startswith("Make the tables")]
    assert planned == ["Make the report"]  # nothing is trained, nor measured, again
    study["contamination"] = {**study["contamination"], "words": [2, 3]}
    finished.write(study)
    planned = [job for job in finished.planned() if not job.startswith("Make the tables")]
    assert [job.split()[0] for job in planned] == ["Make", "Measure", "Measure"]


def check_costs(results: Path, bill: pd.DataFrame) -> None:
    """The first mark is passed by the base; the last by nobody. Scoring is one run of `full`."""
    costs = pd.read_csv(results / "tables/cost-to-accuracy.tsv", sep="\t")
    assert (costs.loc[costs["accuracy %"] == 100, "reached"] == "never").all()
    scored = costs[costs["scored from"] == "full, seed 1"]
    assert set(scored["arm"]) == {"limr", "linear", "sft"}
    assert (scored["scoring, rollouts"] == bill.loc["full", "rollouts"]).all()
    pays = pd.read_csv(results / "tables/break-even.tsv", sep="\t")
    assert set(pays["arm"]) == {"limr", "linear"}
    assert (pays["scoring, once"] == bill.loc["full", "rollouts"]).all()
    assert set(pays.loc[pays["to reach"] == "equal steps", "pays from use"]) <= {"never", "1"}
    shared = pd.read_csv(results / "tables/shared-costs.tsv", sep="\t").set_index("what")
    warmup = TINY["base"]["warmup"]
    assert shared.loc["base policy", "examples"] == warmup["steps"] * warmup["batch_size"]
    drawn = pd.read_csv(results / "figures/accuracy-by-cost.tsv", sep="\t")
    starts = drawn[drawn["step"] == 0].groupby("arm")["cost"].first()
    assert starts["full"] == starts["rand-1"] == 0
    assert starts["limr"] > 0
    assert " against rand: scoring costs " in (results / "report.html").read_text()


def check_overlaps(results: Path) -> None:
    """Every arm and the problem set against every question, by sets of words made here."""
    prompts = {
        name: {row["problem_id"]: row["prompt"] for row in map(json.loads, path.open())}
        for name in ("arithmetic", "arithmetic-hard")
        if (path := results / f"problems/{name}.jsonl")
    }

    def pairs(text: str) -> set[tuple[str, str]]:
        words = re.findall(r"[a-z0-9]+", text.lower())
        return set(itertools.pairwise(words))

    frame = pd.read_parquet(results / "overlaps/arithmetic-hard.parquet")
    assert set(frame["trained_on"]) == {"arithmetic", "full", "limr", "rand-1", "rand-2",
                                        "linear", "sft"}  # fmt: skip
    for arm in ("limr", "full"):
        rows = frame[frame["trained_on"] == arm]
        ids = [json.loads(line)["problem_id"] for line in (results / f"subsets/{arm}.jsonl").open()]
        known = set().union(*(pairs(prompts["arithmetic"][key]) for key in ids))
        for row in rows.itertuples():
            own = pairs(prompts["arithmetic-hard"][row.problem_id])
            assert (row.n_grams, row.covered) == (len(own), len(own & known))
    counts = pd.read_csv(results / "tables/contamination.tsv", sep="\t")
    assert (counts["same text"] == 0).all()  # generated apart: no problem is a question


def test_texts_are_a_switch_that_makes_the_page_again(
    finished: Project, tiny: dict[str, Any]
) -> None:
    page = finished.folder / "results/tiny/report.html"
    assert 'id="responses-0"' in page.read_text()
    finished.write({**tiny, "report": {"texts": False}})
    assert finished.planned() == ["Make the report"]
    finished.finish()
    assert 'id="responses-0"' not in page.read_text()
    assert "Texts are left out of this page" in page.read_text()


def test_snakemakes_own_report_has_captions(finished: Project) -> None:
    found = finished.finish("--report", "snakemake.html")
    text = (finished.folder / "snakemake.html").read_text()
    assert "Report created" in found.output
    for word in ("Figures", "Tables", "accuracy.png", "results.tsv", "report.html"):
        assert word in text
    assert "says what lines" in text  # of the caption in workflow/report/figure.rst
