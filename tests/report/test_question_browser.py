"""The explorer of the evaluation's questions: counts, answers side by side, and texts left out."""

from __future__ import annotations

import base64
import dataclasses
import json
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import synthetic_study
from limr.analysis.results import Inputs
from limr.core.tables import EVALUATIONS, REASONS, Problem
from limr.report import explanations, question_browser
from limr.report.explanations import Explanations


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    made = synthetic_study.inputs()
    asked = [Problem("easy-3", "4+11=?\u202e", "15", "x", 2)]
    return dataclasses.replace(made, problems={**made.problems, "easy": asked})


def answers(path: Path, said: list[tuple[str | None, str, str]], decoding: str = "sampled") -> Path:
    """Write an evaluation of the question easy-3."""
    rows = [("easy-3", decoding, i, verdict, why, answer, 3, False, "long text")
            for i, (answer, verdict, why) in enumerate(said)]  # fmt: skip
    columns = [list(column) for column in zip(*rows, strict=True)]
    arrays = [
        pa.array(column, type=pa.string()).cast(field.type)
        if field.name == "verdict"
        else pa.array(column, type=field.type)
        for column, field in zip(columns, EVALUATIONS, strict=True)
    ]
    pq.write_table(pa.table(arrays, schema=EVALUATIONS), path)
    return path


def with_reasons(path: Path, reasons: list[str]) -> Path:
    """Add to an evaluation why its verdicts are not correct."""
    table = pq.read_table(path, schema=EVALUATIONS)
    pq.write_table(table.append_column(REASONS.field("reason"), pa.array(reasons)), path)
    return path


def unpacked(found: question_browser.Questions | None) -> Any:
    assert found is not None
    return json.loads(zlib.decompress(base64.b64decode(found.data)))


@pytest.mark.slow
def test_counts_are_those_of_all_runs_at_the_reported_step(inputs: Inputs) -> None:
    data = unpacked(question_browser.build(inputs, (), texts=True))
    assert len(data["rows"]) == 330
    titles = [arm["title"] for arm in data["arms"]]
    assert titles[data["main"]] == "LIMR"
    assert titles[data["against"]] == "FULL"
    [row] = [row for row in data["rows"] if row[0] == "medium-7"]
    e = inputs.evaluations
    assert e is not None
    for place, name in enumerate(("base", "full", "limr", "rand", "linear", "sft")):
        own = e[
            (e["group"] == name) & (e["problem_id"] == "medium-7") & (e["decoding"] == "sampled")
        ]
        own = own[own["step"] == (0 if name == "base" else 48)]
        assert row[5][place] == [own["n_correct"].sum(), own["n"].sum()]
    assert data["benchmarks"][row[1]] == "Arithmetic, medium"


@pytest.mark.slow
def test_answers_stand_side_by_side_with_verdict_and_reason(inputs: Inputs, tmp_path: Path) -> None:
    key = {"arm": "limr", "seed": 1, "step": 48, "benchmark": "easy"}
    said = [("13", "incorrect", ""), ("13", "incorrect", ""), ("15", "correct", ""),
            (None, "malformed", "no box")]  # fmt: skip
    early = answers(tmp_path / "b.parquet", [("9", "incorrect", "")])
    greedy = answers(tmp_path / "c.parquet", [("8", "correct", "")], "greedy")
    given = [
        (key, answers(tmp_path / "a.parquet", said)),
        ({**key, "step": 12}, early),
        ({**key, "seed": 2}, greedy),
    ]
    found = question_browser.build(inputs, given, texts=True)
    assert found is not None
    assert found.answers
    [row] = [row for row in unpacked(found)["rows"] if row[0] == "easy-3"]
    assert row[2:5] == [2, "4+11=?⟨U+202E⟩", "15"]
    shown = row[6][2]
    assert shown[0] == ["13", "incorrect", "", 2, None]  # of a version without reasons
    assert [one[:4] for one in sorted(shown[1:])] == [
        ["", "malformed", "no box", 1],
        ["15", "correct", "", 1],
    ]
    assert row[6][1] == []
    bare = unpacked(question_browser.build(inputs, given, texts=False))
    assert all(row[3] == row[4] == "" and not any(row[6]) for row in bare["rows"])


OURS = {"preset": "default", "plugin": None}


def test_the_page_says_how_verdicts_were_reached(inputs: Inputs, tmp_path: Path) -> None:
    said = [
        ("15.0", "correct", ""),
        ("5 or 15", "incorrect", ""),
        (r"15 \text{ fails}", "incorrect", ""),
        ("16", "correct", ""),
        ("14", "incorrect", ""),
        (None, "malformed", "no box"),
    ]
    reasons = ["", "different", "not-understood", "", "timed-out", "no box"]
    key = {"arm": "limr", "seed": 1, "step": 48, "benchmark": "easy"}
    path = with_reasons(answers(tmp_path / "a.parquet", said), reasons)
    graded = dataclasses.replace(inputs, study={**inputs.study, "graders": {"easy": OURS}})
    found = question_browser.build(graded, [(key, path)], texts=True)
    data = unpacked(found)
    [row] = [row for row in data["rows"] if row[0] == "easy-3"]
    how = {one[0]: None if one[4] is None else data["how"][one[4]] for one in row[6][2]}
    assert how == {  # the commonest four, one of which is judged otherwise by now
        "15.0": "expression: the same value",
        "5 or 15": "expression: each alternative",
        r"15 \text{ fails}": "not understood, expression: words where a value is asked",
        "16": None,
    }
    assert found is not None
    assert not found.unexplained


@pytest.mark.parametrize("grader", [{"preset": "paper"}, {**OURS, "plugin": "x"}, {}])
def test_of_another_rule_nothing_is_said(grader: dict[str, Any]) -> None:
    assert Explanations({"easy": grader}).place("easy", "5", "5", "correct", "") is None


def test_only_so_many_answers_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explanations, "MOST", 2)
    how = Explanations({"easy": OURS})
    found = [how.place("easy", "5", answer, "incorrect", "different") for answer in "67"]
    assert found == [0, 0]
    assert how.place("easy", "5", "5" * 999, "incorrect", "different") is None
    assert how.is_whole is False
    monkeypatch.setattr(explanations, "SECONDS", -1)
    assert Explanations({"easy": OURS}).place("easy", "5", "5", "correct", "") is None


def test_without_evaluations_there_is_none(inputs: Inputs) -> None:
    assert question_browser.build(dataclasses.replace(inputs, evaluations=None), (), True) is None
