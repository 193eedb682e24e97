"""A real pretrained model on real problems, through the rules: SmolLM2-135M-Instruct, MATH500.

It is far too small to be right: what is checked is the path from template to verdict, not accuracy.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import real_model
from limr.core import files
from limr.core.errors import InputError, IntegrityError
from limr.core.tables import EVALUATIONS, REASONS, VERDICTS
from limr.evaluate import collect
from limr.grading.grade import GRADER_VERSION, Grader
from small_study import ROOT, Project, make_project

pytestmark = [pytest.mark.data, pytest.mark.slow]

PROBLEMS = 4
# Few tokens: an old core draws some twenty a second. Shots make for long prompts, read once here.
GREEDY = {"name": "greedy", "samples": 1, "temperature": 0, "top_p": 1, "max_tokens": 80}
SAMPLED = {"name": "sampled", "samples": 2, "temperature": 0.8, "top_p": 0.95, "max_tokens": 16}
DECODINGS = {"chat": [GREEDY, SAMPLED], "shots": [GREEDY]}
TEMPLATES = {"chat": "qwen-boxed", "shots": "few-shot"}
COLLECTED = "results/{}/collected/evaluations.parquet"
FILES = ("base/*", "evals/*/*/*/*", "collected/*", "tables/*", "problems/*")


@pytest.fixture(scope="session")
def model() -> Path:
    """The model's folder; CI must have the package, elsewhere its tests are skipped aloud."""
    try:
        return real_model.cached()
    except InputError as error:
        if os.environ.get("CI") or isinstance(error, IntegrityError):
            pytest.fail(str(error))
        pytest.skip(str(error))


def study(name: str, model: Path) -> dict[str, Any]:
    """config/smollm.yaml on a slice of MATH500, with short responses."""
    found = yaml.safe_load((ROOT / "config/smollm.yaml").read_text())
    found["study"] = name
    found["engines"]["huggingface"]["threads"] = 1  # threads that wait for a busy core are slow
    found["base"] = {"model": str(model), "template": TEMPLATES[name]}
    found["evaluate"]["benchmarks"] = {
        "math500-slice": {"decodings": copy.deepcopy(DECODINGS[name])}
    }
    return found


@pytest.fixture(scope="session")
def finished_real(model: Path, mirror: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy in which the study has run; tests must not change it."""
    project = make_project(tmp_path_factory.mktemp("real") / "project")
    benchmark = yaml.safe_load((ROOT / "config/benchmarks/math500.yaml").read_text())
    benchmark["dataset"]["limit"] = PROBLEMS
    slice_file = project.folder / "config/benchmarks/math500-slice.yaml"
    slice_file.write_text(yaml.safe_dump(benchmark))
    project.write(study("chat", model))
    found = project.run(mirror=mirror)
    assert found.returncode == 0, found.output[-6000:]
    return project


@pytest.fixture(params=["chat", pytest.param("shots", marks=pytest.mark.long)])
def results(
    request: pytest.FixtureRequest, finished_real: Project, model: Path, mirror: Path
) -> Path:
    """The results by a template; those of long prompts are made where they are asked for."""
    name = request.param
    if not (finished_real.folder / COLLECTED.format(name)).exists():
        finished_real.write(study(name, model))
        found = finished_real.run(COLLECTED.format(name), mirror=mirror)
        assert found.returncode == 0, found.output[-6000:]
    return finished_real.folder / "results" / name


def evaluation(results: Path) -> tuple[pd.DataFrame, dict[str, Any]]:
    path = results / "evals/base/seed1/step0/math500-slice.parquet"
    return pd.read_parquet(path), files.read_json(path.with_suffix(".json"))


def test_one_row_a_response_in_order(results: Path) -> None:
    path = results / "evals/base/seed1/step0/math500-slice.parquet"
    assert pq.read_schema(path).remove_metadata().equals(pa.schema([*EVALUATIONS, *REASONS]))
    rows = [json.loads(line) for line in (results / "problems/math500-slice.jsonl").open()]
    ids = [row["problem_id"] for row in rows]
    assert ids == [f"math500-{row}" for row in range(1, PROBLEMS + 1)]
    frame, _ = evaluation(results)
    assert [*frame[["decoding", "problem_id", "sample"]].itertuples(index=False, name=None)] == [
        (decoding["name"], problem, sample)
        for decoding in DECODINGS[results.name]
        for problem in ids
        for sample in range(decoding["samples"])
    ]


def test_truncation_agrees_with_the_token_counts(results: Path) -> None:
    frame, _ = evaluation(results)
    limit = frame["decoding"].map({d["name"]: d["max_tokens"] for d in (GREEDY, SAMPLED)})
    assert frame["response_tokens"].between(1, limit).all()
    assert (frame["response_tokens"] == limit)[frame["truncated"]].all()
    assert not frame["truncated"][frame["response_tokens"] < limit].any()
    assert frame["truncated"].any()
    assert not frame["truncated"].all()


def test_counts_agree_with_the_tokenizer(finished_real: Project) -> None:
    from transformers import AutoTokenizer

    results = finished_real.folder / "results/chat"
    tokenizer = AutoTokenizer.from_pretrained(results / "base", local_files_only=True)
    frame, _ = evaluation(results)
    written = frame["response"].map(lambda text: len(tokenizer.encode(text)))
    expected = written + ~frame["truncated"]  # the end token is counted, and not in the text
    # A model may spell a text in other tokens than its tokenizer does, now and then.
    assert (frame["response_tokens"] == expected).mean() >= 0.75


def test_nothing_of_the_template_is_left_in_the_text(results: Path) -> None:
    frame, _ = evaluation(results)
    assert not frame["response"].str.contains("<|im_", regex=False).any()
    if results.name == "shots":
        assert not frame["response"].str.contains("\nProblem:", regex=False).any()


def test_verdicts_are_the_graders(results: Path) -> None:
    gold = {
        row["problem_id"]: row["answer"]
        for row in map(json.loads, (results / "problems/math500-slice.jsonl").open())
    }
    frame, _ = evaluation(results)
    grader = Grader()
    for row in frame.itertuples():
        grade = grader.grade(gold[row.problem_id], row.response, truncated=row.truncated)
        assert (row.verdict, row.format) == (grade.verdict, grade.format)
        assert (row.answer if isinstance(row.answer, str) else None) == grade.answer
        assert row.verdict in VERDICTS
        if row.truncated:
            assert (row.verdict, row.format) == ("malformed", "truncated")


@pytest.mark.long
@pytest.mark.parametrize("results", ["shots"], indirect=True)
def test_shots_make_it_box_and_end(results: Path) -> None:
    frame, _ = evaluation(results)
    boxed = frame[~frame["truncated"] & frame["answer"].notna()]
    assert len(boxed) >= PROBLEMS // 3  # the examples' form is followed, without an end token
    assert set(boxed["verdict"]) <= {"correct", "incorrect"}


def test_the_summary_counts_what_the_rows_say(results: Path) -> None:
    frame, summary = evaluation(results)
    path = results / "evals/base/seed1/step0/math500-slice.parquet"
    assert summary["sha256"] == files.sha256(path)
    assert summary["settings"]["decodings"] == DECODINGS[results.name]
    again = collect.summarise_evaluation(pq.read_table(path))
    assert {key: summary[key] for key in again} == again
    for name, rows in frame.groupby("decoding"):
        counted = summary[name]
        assert counted["truncated"] == pytest.approx(rows["truncated"].mean())
        assert counted["malformed"] == pytest.approx((rows["verdict"] == "malformed").mean())
        for rule in ("no-box", "truncated"):
            broken = counted["format_rules_broken"].get(rule, 0)
            assert broken == (rows["format"] == rule).sum()


def test_another_rule_judges_the_same_responses(results: Path) -> None:
    frame, _ = evaluation(results)
    if results.name == "shots":  # that study makes its evaluations only
        assert not (results / "collected/opinions.parquet").exists()
        return
    opinions = pd.read_parquet(results / "collected/opinions.parquet")
    assert opinions["n"].sum() == len(frame)
    assert set(opinions["rule"]) == {f"paper, grader version {GRADER_VERSION}"}
    ours = opinions.groupby("verdict", observed=True)["n"].sum().to_dict()
    assert ours == frame["verdict"].value_counts().to_dict()
    page = (results / "report.html").read_text()
    assert "A second opinion on the verdicts" in page
    assert "Where the second opinion differs" in page


def test_the_report_names_the_model(finished_real: Project) -> None:
    page = (finished_real.folder / "results/chat/report.html").read_text()
    assert "SmolLM2-135M-Instruct" in page
    assert "This is a miniature" not in page  # the embedded engine's caveat


@pytest.mark.long  # of a tiny model: tests/models/test_huggingface_engine.py
def test_a_second_run_gives_the_same_bytes(
    finished_real: Project, model: Path, mirror: Path
) -> None:
    project, results = finished_real, finished_real.folder / "results/chat"

    def digests() -> dict[Path, str]:
        found = [path for pattern in FILES for path in results.glob(pattern)]
        return {path: files.sha256(path) for path in found if path.is_file()}

    before = digests()
    project.write(study("chat", model))
    found = project.run(COLLECTED.format("chat"), "--forcerun", "make_base", mirror=mirror)
    assert found.returncode == 0, found.output[-6000:]
    assert any(job.startswith("Evaluate base") for job in found.jobs)
    assert digests() == before
