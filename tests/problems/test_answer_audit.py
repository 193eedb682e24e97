"""Audits of gold answers, corrections of them, and dead problems in a selection."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import yaml

from limr.analysis import results, subset_records
from limr.core import plugins
from limr.core.errors import InputError
from limr.core.tables import AUDITS, Problem
from limr.grading.grade import Grader
from limr.problems import answer_audit
from limr.problems import corrections as overrides
from limr.subsets import dead_problems

DEAD = {3380, 5054, 5158, 7997}  # rows of math-full
SHIPPED = "config/overrides/math-full.yaml"


def problem(key, answer, prompt=None):
    return Problem(key, prompt or f"Problem {key}?", answer, "test")


def found(problems, settings=None):
    table, counts = answer_audit.audit(problems, settings or {})
    assert table.schema.equals(AUDITS)
    rows = {}
    for row in table.to_pylist():
        rows.setdefault(row["problem_id"], {})[row["finding"]] = row["detail"]
    return rows, counts


@pytest.mark.slow
def test_what_is_found_of_single_answers():
    problems = [
        problem("number", "12"),
        problem("empty", ""),
        problem("none", "None"),
        problem("open", "\\frac{1}{2"),
        problem("root", "\\sqrt{2}"),
        problem("product", "3\\sqrt{13}"),
        problem("unread", "\\sin^2 t"),
    ]
    rows, counts = found(problems)
    assert "number" not in rows
    assert set(rows["empty"]) == {"empty", "dead", "paper-dead"}
    assert set(rows["none"]) == {"none", "dead", "paper-dead"}
    assert rows["open"]["dead"] == "refused in its own box"
    assert set(rows["root"]) == {"paper-dead"}
    assert rows["product"] == {"paper-lossy": "read as 3"}
    assert {"unread", "paper-dead"} <= set(rows["unread"])
    assert counts["n_problems"] == 7
    assert counts["n_with_findings"] == 6
    assert counts["findings"]["dead"] == 3
    assert counts["findings"]["empty"] == counts["findings"]["none"] == 1


@pytest.mark.slow
def test_many_answers_over_processes_are_found_what_each_is_found_alone():
    golds = ["12", "", "p-q", "\\frac{1}{2}", "x^2", "None", "3\\sqrt{13}", "5", "p-q", "0.5", "7"]
    rows, _ = found([problem(str(n), gold) for n, gold in enumerate(golds)])
    grader = Grader()

    def accepts(gold, answer):
        return grader.grade(gold, f"\\boxed{{{answer}}}", truncated=False).verdict == "correct"

    alone = [dict(answer_audit.findings(gold, accepts)) for gold in golds]
    assert [rows.get(str(n), {}) for n in range(len(golds))] == alone


def test_a_reading_that_waited_for_the_processor_is_done_again(monkeypatch):
    readings, clock = [], iter([0, 9, 9, 18, 18, 18])  # before and after each reading

    def published(gold):
        readings.append(gold)
        if len(readings) < 3:  # as where the clock, and not the work, ended it
            yield "unread", ""

    idle = SimpleNamespace(monotonic=lambda: next(clock), process_time=lambda: 0)
    monkeypatch.setattr(answer_audit, "time", idle)
    monkeypatch.setattr(answer_audit, "published", published)
    assert answer_audit._published("x") == []
    assert readings == ["x"] * 3


def test_a_grader_that_insists_on_one_spelling_is_rigid():
    accepts = str.__eq__
    names = dict(answer_audit.findings("\\frac{1}{2}\\text{ cm}", accepts))
    assert names["rigid"] == ("in dollar signs, with a full stop, with dfrac, without its unit")
    names = dict(answer_audit.findings("5\\text{ cm}", accepts))
    assert "without its unit" in names["rigid"]
    assert "rigid" not in dict(answer_audit.findings("5", lambda gold, answer: True))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("Find $a_1 = 2$.", "Find\n$a_1=2$.", True),
        ("Find $\\left(1\\right)$.", "find $(1)$.", True),
        ("So \\[x = 1\\] holds.", "So $x = 1$ holds.", True),
        ("Find $\\dfrac12$.", "Find $\\frac12$.", True),
        ("Find $x-1$.", "Find $x+1$.", False),
        ("Find $2.5$.", "Find $25$.", False),
        ("Let $\\leftarrow$ be.", "Let $arrow$ be.", False),
    ],
)
def test_what_counts_as_the_same_problem(first, second, same):
    assert (answer_audit.normal_text(first) == answer_audit.normal_text(second)) is same


def test_duplicates_are_compared_by_their_answers():
    problems = [
        problem("a", "\\frac12", "Find $x$."),
        problem("b", "0.5", "Find\n$x$."),
        problem("c", "3", "Find $y$."),
        problem("d", "4", "find $y$."),
    ]
    rows, counts = found(problems)
    assert rows["a"]["duplicate"] == "b: 0.5"
    assert rows["b"]["duplicate"] == "a: \\frac12"
    assert rows["c"]["conflict"] == "d: 4"
    assert rows["d"]["conflict"] == "c: 3"
    assert counts["findings"]["conflict"] == counts["findings"]["duplicate"] == 2


def test_the_table_has_a_row_a_problem_set():
    _, counts = found([problem("a", ""), problem("b", "p-q")])
    inputs = results.Inputs({"arms": []}, audits={"mine": counts})
    module = plugins.load("tables", "gold-audit")
    frame = module.build(inputs, {})
    assert frame.to_dict("records") == [
        {
            "problem set": "mine",
            "problems": 2,
            "dead": 1,
            "rigid": 0,
            "unread": 0,
            "dead under the paper's": 2,
            "lossy under the paper's": 0,
            "empty": 1,
            "None": 0,
            "conflicting duplicates": 0,
            "duplicates": 0,
        }
    ]
    assert "2 problems" in module.caption(frame)


def test_dead_problems_are_left_out_of_scores_and_counted():
    problems = [problem("a", ""), problem("b", "2"), problem("c", "None")]
    table, _ = answer_audit.audit(problems, {})
    dead = dead_problems.ids(table)
    assert dead == {"a", "c"}
    scores = pd.DataFrame(
        {"problem_id": list("abc"), "score": [1.0, 0.5, np.nan], "reason": ["", "", "never"]}
    )
    left = dead_problems.leave_out(scores, dead)
    assert list(left["score"].isna()) == [True, False, True]
    assert list(left["reason"]) == [dead_problems.LEFT_OUT, "", dead_problems.LEFT_OUT]
    assert scores["score"][0] == 1.0
    rows = [{"problem_id": "a"}, {"problem_id": "b"}]
    assert dead_problems.counts(dead, rows, "keep") == {"n": 2, "n_selected": 1, "rule": "keep"}


def test_the_full_set_without_its_dead_problems_is_still_the_full_set():
    record = {"n_selected": 8, "n_problems": 10}
    assert not subset_records.is_full(record)
    assert not subset_records.is_full({**record, "dead": {"n": 2, "n_selected": 2, "rule": "keep"}})
    assert subset_records.is_full({**record, "dead": {"n": 2, "n_selected": 0, "rule": "exclude"}})


# --- corrections ---------------------------------------------------------------------------------


def corrections(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return path


def entry(**changes):
    return {"a": {"old": "None", "new": "9", "reason": "it says so", **changes}}


def test_corrections_change_the_answer_alone(tmp_path):
    problems = [problem("a", "None"), problem("b", "2")]
    corrected, done = overrides.apply(problems, corrections(tmp_path, entry()))
    assert corrected == [problem("a", "9"), problem("b", "2")]
    assert problems[0].answer == "None"
    assert done == [{"problem_id": "a", "old": "None", "new": "9", "reason": "it says so"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"z": entry()["a"]}, "'z' is no problem of this set"),
        (entry(old=""), "'old' is '', but the data set has 'None'"),
        (entry(new="None"), "nothing would be corrected"),
        (entry(new=""), "new"),
        (entry(resaon="x"), "'a.resaon' is not a key. Did you mean 'reason'"),
        ({"a": {"old": "None", "new": "9"}}, "'a' lacks the key 'reason'"),
        (entry(new=9), "'a.new' must be a text, found 9"),
        ("", "expected a mapping"),
        ("a: [", "not valid YAML"),
    ],
)
def test_corrections_that_do_not_fit_are_refused(tmp_path, content, message):
    with pytest.raises(InputError, match=message.replace("(", r"\(")):
        overrides.apply([problem("a", "None")], corrections(tmp_path, content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        overrides.apply([problem("a", "None")], tmp_path / "none.yaml")


# --- the real data -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def math_full(mirror):
    rows = json.loads((mirror / "limr/math_full.json").read_text())
    return [Problem(row["id"], row["prompt"], row["answer"], row["source"]) for row in rows]


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("every", "paper_finds", "repeated"),
    [(8, (119, 131), 0), pytest.param(1, (847, 1026), 8, marks=pytest.mark.long)],
)
def test_the_audit_of_math_full(math_full, every, paper_finds, repeated):
    asked = [p for n, p in enumerate(math_full) if n % every == 0 or n in DEAD]
    rows, counts = found(asked)
    findings = counts["findings"]
    assert (findings["paper-dead"], findings["paper-lossy"]) == paper_finds
    assert (findings["empty"], findings["none"]) == (2, 2)
    assert (findings["conflict"], findings["duplicate"]) == (0, repeated)
    dead = {math_full.index(p) for p in asked if "dead" in rows.get(p.problem_id, {})}
    assert dead == DEAD


@pytest.mark.data
def test_the_shipped_corrections_mend_the_dead_problems(math_full, root):
    corrected, done = overrides.apply(math_full, root / SHIPPED)
    assert [row["new"] for row in done] == ["9", "2", "0", "0"]
    changed = {entry["problem_id"] for entry in done}
    _, counts = found([p for p in corrected if p.problem_id in changed])
    assert counts["n_with_findings"] == 0
