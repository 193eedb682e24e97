"""The report of a study that is half finished; the bill; Snakemake's own report."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from small_study import Project


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


def test_the_bill_counts_what_was_sampled(finished: Project, tiny: dict[str, Any]) -> None:
    finished.write({**tiny, "tables": {**tiny["tables"], "compute": {}}})
    finished.finish("results/tiny/tables/compute.tsv")
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
    assert "stands in" in text  # of the caption in workflow/report/figure.rst
