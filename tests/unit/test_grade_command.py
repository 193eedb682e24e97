import argparse
import json

import pytest

from limr import io
from limr.commands import grade
from limr.errors import InputError


def run(tmp_path, rows):
    source, output = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    text = "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    source.write_text(text, encoding="utf-8")
    parser = argparse.ArgumentParser()
    grade.configure(parser)
    code = grade.run(parser.parse_args([str(source), "--output", str(output)]))
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
    graded = io.read_jsonl(output)
    assert graded[0] == {**rows[0], "verdict": "correct", "answer": "5"}
    assert [row["verdict"] for row in graded[1:]] == ["incorrect", "malformed", "malformed"]
    assert [row["answer"] for row in graded[1:]] == ["6", None, "5"]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("{", r"in\.jsonl:2: not valid JSON"),
        ("[1]", r"in\.jsonl:2: expected a JSON object"),
        ({"gold": "5"}, "row 2: 'response' must be a text"),
        ({"gold": 5, "response": "x"}, "row 2: 'gold' must be a text, found 5"),
        ({"gold": "5", "response": "x", "truncated": 1}, "row 2: 'truncated'"),
    ],
)
def test_a_bad_line_is_refused_with_its_number(tmp_path, bad, message):
    with pytest.raises(InputError, match=message):
        run(tmp_path, [{"gold": "5", "response": "\\boxed{5}"}, bad])
    assert not (tmp_path / "out.jsonl").exists()
