import argparse
import itertools
import json

import pytest

from limr.cli import grade
from limr.core import files
from limr.core.errors import InputError


def run(tmp_path, rows, *options):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    source.write_text(text, encoding="utf-8")
    parser = argparse.ArgumentParser()
    grade.configure(parser)
    code = grade.run(parser.parse_args([str(source), "--output", str(output), *options]))
    return code, output


def test_rows_gain_verdict_and_answer(tmp_path, capsys):
    rows = [
        {"id": 7, "gold": "5", "response": "\\boxed{5}"},
        {"gold": "5", "response": "\\boxed{6}"},
        {"gold": "5", "response": "five"},
        {"gold": "5", "response": "\\boxed{5}", "truncated": True},
    ]
    code, output = run(tmp_path, rows)
    assert code == 0
    graded = files.read_jsonl(output)
    assert graded[0] == {**rows[0], "verdict": "correct", "answer": "5", "reason": ""}
    assert [row["verdict"] for row in graded[1:]] == ["incorrect", "malformed", "malformed"]
    assert [row["answer"] for row in graded[1:]] == ["6", None, "5"]
    assert [row["reason"] for row in graded[1:]] == ["different", "no-box", "truncated"]
    assert capsys.readouterr().out == ""


def test_verdicts_are_explained(tmp_path, capsys):
    rows = [
        {"gold": "5", "response": "\\boxed{5.0}"},
        {"gold": "5", "response": "\\boxed{6}"},
        {"gold": "5", "response": "\\boxed{5 ?}"},
        {"gold": "5", "response": "five"},
    ]
    _, output = run(tmp_path, rows, "--explain")
    graded = files.read_jsonl(output)
    assert [row["outcome"] for row in graded] == ["equal", "different", "not understood", None]
    assert graded[0]["type"] == "expression"
    assert all(row["rule"] for row in graded[:3])
    assert len({row["grader_version"] for row in graded}) == 1
    shown = capsys.readouterr().out
    assert "1  equal: expression" in shown
    assert "1  not compared: -" in shown
    with pytest.raises(InputError, match="explains nothing"):
        run(tmp_path, rows, "--explain", "--option", "preset=paper")


@pytest.mark.slow
def test_rows_keep_their_order_whatever_the_workers_do(tmp_path):
    golds = ["3\\sqrt{13}", "5", "x^2+2x+1"]
    answers = ["\\sqrt{117}", "5", "(x+1)^2"]
    rows = [
        {"gold": gold, "response": f"{number} \\boxed{{{answer}}}"}
        for number, (gold, answer) in enumerate(itertools.product(golds, answers))
    ]
    _, output = run(tmp_path, rows, "--workers", "2", "--seconds", "60")
    graded = files.read_jsonl(output)
    assert [row["response"] for row in graded] == [row["response"] for row in rows]
    right = [row["response"][0] for row in graded if row["verdict"] == "correct"]
    assert right == ["0", "4", "8"]


@pytest.mark.parametrize("option", [("--seconds", "0"), ("--seconds", "nan"), ("--workers", "0")])
def test_limits_that_make_no_sense_are_refused(tmp_path, option):
    with pytest.raises(InputError, match="greater than 0"):
        run(tmp_path, [{"gold": "5", "response": "\\boxed{5}"}], *option)


def test_lone_surrogates_and_control_characters_are_written_back(tmp_path):
    response = "\ud800 \x00 \\boxed{x\ud800}"
    _, output = run(tmp_path, [{"gold": "y", "response": response}])
    (row,) = files.read_jsonl(output)
    assert (row["response"], row["verdict"]) == (response, "incorrect")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", r"in\.jsonl:2: not valid JSON"),
        ("[1]", r"in\.jsonl:2: expected a JSON object"),
        ({"gold": "5"}, "row 2: there is no 'response'. Known: gold"),
        ({"gold": 5, "response": "x"}, "row 2: 'gold' must be a text, found 5"),
        ({"gold": "5", "response": "x", "truncated": 1}, "row 2: 'truncated'"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path, bad, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, [{"gold": "5", "response": "\\boxed{5}"}, bad])
    assert not (tmp_path / "out.jsonl").exists()
