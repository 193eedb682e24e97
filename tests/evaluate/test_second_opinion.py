"""A second rule on the same responses: what is counted, and what the tables say of it."""

import json

import pandas as pd
import pyarrow as pa
import pytest

import synthetic_study
from limr.analysis import results
from limr.core import files, tables
from limr.core.errors import InputError
from limr.evaluate import second_opinion
from limr.grading.pool import GradingPool
from limr.report import make as making
from limr.report import table_text

GOLDS = {"marks": {"q1": "3\\sqrt{13}", "q2": "p-q", "q3": "7"}}
BOX = "So it is \\boxed{%s}."


def row(problem, answer, verdict="correct", broken="", sample=0, response=None):
    return {
        "problem_id": problem, "decoding": "greedy", "sample": sample, "verdict": verdict,
        "format": broken, "answer": answer, "response_tokens": 5, "truncated": False,
        "response": BOX % answer if response is None else response,
    }  # fmt: skip


ROWS = [
    row("q1", "3\\sqrt{13}"),
    row("q2", "p-q"),  # no response to it can be right under the paper's reward: read as nothing
    row("q3", "7"),
    row("q3", "8", "incorrect", sample=1),
    row("q3", None, "malformed", "no-box", 2, "\u001b[31m<script>seven\0"),
]


@pytest.fixture(scope="module")
def opinions(tmp_path_factory):
    path = tmp_path_factory.mktemp("evals") / "marks.parquet"
    files.write_parquet(path, pa.Table.from_pylist(ROWS, schema=tables.EVALUATIONS))
    with GradingPool({"preset": "paper"}) as pool:
        return second_opinion.opinions([("marks", path)] * 2, GOLDS, pool, "paper, version 0")


@pytest.mark.slow
def test_every_response_is_judged_once_more_and_counted(opinions):
    assert opinions.schema.equals(tables.OPINIONS)
    frame = opinions.to_pandas()
    assert frame["n"].sum() == 2 * len(ROWS)
    assert set(frame["rule"]) == {"paper, version 0"}
    pairs = frame.groupby(["problem_id", "verdict", "opinion"], observed=True)["n"].sum()
    assert pairs.to_dict() == {
        ("q1", "correct", "correct"): 2,
        ("q2", "correct", "incorrect"): 2,
        ("q3", "correct", "correct"): 2,
        ("q3", "incorrect", "incorrect"): 2,
        ("q3", "malformed", "malformed"): 2,
    }


def test_texts_stand_only_where_the_rules_disagree(opinions):
    frame = opinions.to_pandas()
    texts = frame[["gold", "answer", "opinion_answer", "opinion_reason"]]
    differ = second_opinion.differ(frame)
    assert texts[~differ].isna().all().all()
    assert texts[differ].to_numpy().tolist() == [["p-q", "p-q", "p-q", "different"]]


def test_the_rate_is_a_mean_over_problems(opinions):
    found = second_opinion.rate(opinions.to_pandas())
    assert found.mean == pytest.approx(1 / 3)  # of 2, 2 and 6 responses: not 2 of 10
    assert 0 <= found.low < found.mean < found.high <= 1
    assert found.n_questions == 3


@pytest.mark.slow
def test_the_order_of_the_files_does_not_matter(tmp_path):
    other = [row("q1", "1", "incorrect"), row("q2", "p-q")]
    for name, rows in (("a", ROWS), ("b", other)):
        files.write_parquet(tmp_path / name, pa.Table.from_pylist(rows, schema=tables.EVALUATIONS))
    with GradingPool({"preset": "math-verify"}) as pool:
        entries = [("marks", tmp_path / name) for name in "ab"]
        first, second = (
            second_opinion.opinions(order, GOLDS, pool, "m") for order in (entries, entries[::-1])
        )
    assert first.equals(second)


def test_a_problem_that_the_benchmark_lacks_is_named(tmp_path):
    rows = [row("q9", "1")]
    files.write_parquet(tmp_path / "e", pa.Table.from_pylist(rows, schema=tables.EVALUATIONS))
    with GradingPool() as pool, pytest.raises(InputError, match=r"problem 'q9' is not in 'marks'"):
        second_opinion.opinions([("marks", tmp_path / "e")], GOLDS, pool, "m")
    with GradingPool() as pool, pytest.raises(InputError, match="no evaluations"):
        second_opinion.opinions([], GOLDS, pool, "m")


@pytest.fixture(scope="module")
def inputs():
    return synthetic_study.inputs()


def make(name, inputs, options, folder):
    kinds = {"tsv": "tsv", "markdown": "md", "latex": "tex"}
    making.make_table(name, inputs, options, {k: folder / f"t.{s}" for k, s in kinds.items()})


def test_the_table_counts_each_direction(inputs, tmp_path):
    make("second-opinion", inputs, {}, tmp_path)
    frame = pd.read_csv(tmp_path / "t.tsv", sep="\t").set_index("benchmark")
    easy = frame.loc["Arithmetic, easy"]
    assert easy[["problems", "responses", "judged differently"]].tolist() == [10, 100, 10]
    assert easy[["correct here only", "correct there only"]].tolist() == [7, 3]
    assert easy["rate %"] == pytest.approx(10)
    assert easy["low"] <= 10 <= easy["high"]
    assert frame.loc["Arithmetic, hard", ["judged differently", "rate %"]].tolist() == [0, 0]
    assert "280 responses" in (tmp_path / "t.md").read_text()


def test_examples_are_the_most_frequent_and_short(inputs, tmp_path):
    for wanted, expected in (({}, 2), ({"examples": 1}, 1)):
        make("second-opinion-examples", inputs, wanted, tmp_path)
        frame = pd.read_csv(tmp_path / "t.tsv", sep="\t", keep_default_na=False)
        assert len(frame) == expected
        assert frame["here"][0] == "correct"
        assert frame["there"][0] == "malformed: garbled"
        assert frame["responses"][0] == 7
    make("second-opinion-examples", inputs, {}, tmp_path)
    answer = pd.read_csv(tmp_path / "t.tsv", sep="\t")["answer"][1]
    assert len(answer) <= 81
    assert "\n" not in answer


def test_answers_that_look_like_numbers_are_shown_as_they_are(tmp_path):
    frame = pd.DataFrame(
        {
            "benchmark": ["marks"], "problem": ["0007"], "gold answer": ["2.5"], "answer": ["-0.4"],
            "here": ["correct"], "there": ["incorrect: different"], "responses": [1000],
        }
    )  # fmt: skip
    files.write_tsv(tmp_path / "t.tsv", frame)
    shown, _, _ = table_text.read_texts("second-opinion-examples", tmp_path / "t.tsv")
    assert shown.iloc[0].tolist() == [
        "marks", "0007", "2.5", "-0.4", "correct", "incorrect: different", "1,000"
    ]  # fmt: skip


def test_a_study_without_evaluations_is_told_so(tmp_path):
    study = synthetic_study.inputs().study
    with pytest.raises(InputError, match="needs evaluations"):
        make("second-opinion", results.Inputs(study), {}, tmp_path)


@pytest.mark.parametrize(
    ("gold", "answer", "expected"),
    [
        ("\\frac{1}{2}", "0.5", True),
        ("3\\sqrt{13}", "\\sqrt{117}", True),
        ("12", "13", False),
        ("2", "9^{9^{9^{9}}}", False),
        ("1", "x" * 5000, False),
    ],
)
def test_the_library_alone_is_a_rule(gold, answer, expected):
    with GradingPool({"preset": "math-verify"}) as pool:
        grades = pool.grade_many(
            [(gold, BOX % answer, False), (gold, answer, False), (gold, BOX % answer, True)]
        )
    assert [(g.verdict == "correct", g.format) for g in grades] == [
        (expected, ""), (False, "no-box"), (False, "truncated")
    ]  # fmt: skip
    assert json.dumps([g.reason for g in grades])  # plain text, whatever the answer
