"""What controls are made of: ungradable answers, samples of the base, choices too small."""

from __future__ import annotations

from math import comb
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import synthetic_study as made
from limr.analysis.results import Inputs
from limr.core import files, validation
from limr.core.errors import InputError
from limr.core.tables import AUDITS, EVALUATIONS, Problem
from limr.grading import paper
from limr.grading.pool import GradingPool
from limr.problems.datasets import arithmetic, math_full
from limr.report.figures import gradability
from limr.scores.selectors import nonzero, window
from limr.subsets import dead_problems
from limr.trajectories import curves as tr
from limr.trajectories.importers import base_samples, scores_json

PROBLEMS = [Problem(key, f"{key}?", "1", "test") for key in ("b", "a", "c")]


# --- ungradable gold answers


def test_the_asked_share_is_written_so_that_the_papers_reward_is_blind() -> None:
    plain, _ = arithmetic.prepare({"problems": 80, "seed": 3}, None)
    found, notes = arithmetic.prepare({"problems": 80, "seed": 3, "ungradable": 0.1}, None)
    changed = [(old, new) for old, new in zip(plain, found, strict=True) if old != new]
    assert len(changed) == 8
    assert "8 gold answers" in notes[1]
    assert not any(paper.is_dead(problem.answer) for problem in plain)
    assert all(paper.is_dead(new.answer) for _, new in changed)
    assert all((old.problem_id, old.prompt) == (new.problem_id, new.prompt) for old, new in changed)
    with GradingPool({}, workers=1) as pool:  # ours takes the same number
        grades = pool.grade_many(
            [(new.answer, f"\\boxed{{{old.answer}}}", False) for old, new in changed]
        )
    assert {grade.verdict for grade in grades} == {"correct"}
    assert len({old.level for old, _ in changed}) > 1


def test_ungradable_answers_are_drawn_by_a_stream_of_their_own() -> None:
    def which(share: float, seed: int) -> set[str]:
        found, _ = arithmetic.prepare({"problems": 80, "seed": seed, "ungradable": share}, None)
        return {p.problem_id for p in found if paper.is_dead(p.answer)}

    assert which(0.1, 3) == which(0.1, 3)
    assert which(0.1, 3) < which(0.2, 3)  # a larger share adds to a smaller one
    assert which(0.2, 3) != which(0.2, 4)
    assert len(which(1, 3)) == 80


# --- samples of the base


def write(path: Path, rows: list[tuple[str, int, str]]) -> Path:
    records = [
        {
            **{"problem_id": key, "decoding": "base", "sample": sample, "verdict": verdict},
            **{"format": "", "answer": "1", "response_tokens": 2, "truncated": False},
            "response": "x",
        }
        for key, sample, verdict in rows
    ]
    files.write_parquet(path, pa.Table.from_pylist(records, schema=EVALUATIONS))
    return path


def read(path: Path) -> Any:
    options = validation.complete({}, base_samples.Options, "base-samples")
    return base_samples.read([path], PROBLEMS, options)


def test_samples_of_the_base_are_one_epoch_of_pass_rates(tmp_path: Path) -> None:
    rows = [("a", 0, "correct"), ("a", 1, "malformed"), ("b", 0, "incorrect"), ("b", 1, "correct")]
    found = read(write(tmp_path / "s.parquet", [*rows, ("a", 2, "correct")]))
    assert [
        (r["problem_id"], r["epoch"], r["n"], r["n_correct"]) for r in found.table.to_pylist()
    ] == [
        ("b", 0, 2, 1),
        ("a", 0, 3, 2),
    ]
    assert found.notes[0] == "2 of 3 problems were sampled, over 1 epochs."


def test_samples_that_cannot_be_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "s.parquet", [("a", 0, "correct"), ("a", 0, "correct")])
    with pytest.raises(InputError, match="occur twice"):
        read(path)
    with pytest.raises(InputError, match="in no problem file"):
        read(write(path, [("z", 0, "correct")]))


# --- selectors that are no ranking


@pytest.mark.parametrize("module", [window, nonzero])
def test_a_size_beyond_the_choice_is_warned_of(module: Any) -> None:
    samples = tr.Samples(np.full((4, 1), 10), np.array([[0], [5], [6], [10]]))
    options = validation.complete({}, validation.options(module), "selector")
    chosen = np.array([False, True, True, False])
    assert module.warnings(chosen, samples, options) == []
    [text] = module.warnings(np.array([True, True, True, False]), samples, options)
    assert text.startswith("1 of the 3 selected problems")
    assert "only 2 problems are in the choice" in text


# --- dead problems


def test_each_rule_leaves_out_its_own_dead_problems() -> None:
    rows = [("a", "", "dead", ""), ("a", "", "paper-dead", ""), ("b", "", "paper-dead", "")]
    audit = pa.table(list(zip(*rows, strict=True)), schema=AUDITS)
    assert dead_problems.ids(audit, "exclude") == dead_problems.ids(audit, "keep") == {"a"}
    assert dead_problems.ids(audit, "exclude-paper") == {"a", "b"}


# --- the figure


def test_the_tail_is_the_hypergeometric_one() -> None:
    assert gradability.tail(0, 1, 1, 2) == 0.5
    few = sum(comb(5, i) * comb(15, 8 - i) for i in (0, 1)) / comb(20, 8)
    assert gradability.tail(1, 5, 8, 20) == pytest.approx(few)
    many = sum(comb(5, i) * comb(15, 8 - i) for i in (4, 5)) / comb(20, 8)
    assert gradability.tail(4, 5, 8, 20) == pytest.approx(many)
    assert gradability.tail(2, 2, 4, 4) == 1.0


def scored(ids: list[str], values: list[float], findings: pd.DataFrame, cut: float) -> Inputs:
    frame = pd.DataFrame({"problem_id": ids, "score": values, "reason": ""})
    chosen = [key for key, value in zip(ids, values, strict=True) if value >= cut]
    record = {
        **{"score": "lim", "rule": {"threshold": cut}, "problem_ids": chosen},
        **{"n_selected": len(chosen), "n_problems": len(ids), "selector": None},
        "selected_score_range": [cut, 1.0],
    }
    return Inputs(
        made.study(), scores={"lim": frame}, subsets={"limr": record}, findings={"d": findings}
    )


def audit_of(ids: list[str], finding: str) -> pd.DataFrame:
    rows = [(key, "", finding, "") for key in ids]
    return pd.DataFrame(rows, columns=AUDITS.names)


def test_problems_are_counted_by_what_the_published_reward_reads() -> None:
    findings = pd.concat([audit_of(["a", "b", "e"], "paper-dead"), audit_of(["c"], "paper-lossy")])
    inputs = scored(list("abcde"), [0.9, 0.1, 0.8, 0.7, np.nan], findings, 0.6)
    options = validation.complete({}, gradability.Options, "figure")
    frame = gradability.data(inputs, options)
    found = gradability.counts(frame)
    assert found["n"].tolist() == [2, 1, 1]
    assert found["selected"].tolist() == [1, 1, 1]
    assert found.loc["dead", "expected"] == 3 * 2 / 4
    assert "Of 5 problems 3 have" in gradability.caption(frame)
    gradability.draw(frame, options)
    with pytest.raises(InputError, match="were not audited"):
        gradability.data(scored(["a"], [0.9], audit_of(["z"], "paper-dead"), 0.6), options)


@pytest.mark.slow
def test_published_scores_hold_few_dead_problems(mirror: Path) -> None:
    """Recomputed from the published files: 6 of 791 dead ones are selected; chance gives 138."""
    options = {"empty_answers": "keep"}
    problems, _ = math_full.prepare(options, mirror / "limr/math_full.json")
    dead = [p.problem_id for p in problems if paper.is_dead(p.answer)]
    assert len(dead) == 847
    path = mirror / "limr/published_lim_scores.json"
    table = scores_json.read([path], problems, {}).table.to_pandas()
    inputs = scored(
        table["problem_id"].tolist(), table["score"].tolist(), audit_of(dead, "paper-dead"), 0.6
    )
    found = gradability.counts(gradability.data(inputs, {"score": None})).loc["dead"]
    assert (found["n"], found["selected"]) == (791, 6)
    assert found["expected"] == pytest.approx(1389 * 791 / 7935)
    assert found["p"] < 1e-40
