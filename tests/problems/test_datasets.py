import json

import pytest

from limr.core import plugins, tables, validation
from limr.core.errors import InputError
from limr.problems.datasets import arithmetic, math_full, question_answer

ROW = {"id": "a", "prompt": "What is $1+1$?", "answer": "2", "source": "math"}


def row(**changes):
    return {**ROW, **changes}


def written(tmp_path, rows, name="problems.json"):
    path = tmp_path / name
    path.write_text(json.dumps(rows), encoding="utf-8")
    return path


def lines(tmp_path, rows):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    return path


def test_the_plugins_are_found_and_have_options():
    assert {"arithmetic", "math-full", "question-answer"} <= set(plugins.names("datasets"))
    for name in plugins.names("datasets"):
        options = plugins.load("datasets", name).Options
        assert options.model_config["extra"] == "forbid"
        for key, part in options.model_fields.items():
            assert part.description, (name, key)


def test_arithmetic_problems_and_solutions_go_together():
    options = validation.complete({"problems": 12, "seed": 3}, arithmetic.Options, "test")
    problems, notes = arithmetic.prepare(options, None)
    solutions = arithmetic.solutions(options, None)
    assert list(solutions) == [problem.problem_id for problem in problems]
    assert all(solutions[p.problem_id].endswith(f"\\boxed{{{p.answer}}}") for p in problems)
    assert notes == [
        "12 generated problems (level 1: 2, level 2: 2, level 3: 2, level 4: 2, level 5: 2, "
        "level 6: 2)"
    ]


def test_arithmetic_asks_for_what_there_is():
    with pytest.raises(InputError, match="which has"):
        arithmetic.prepare({"problems": 10**6, "seed": 1, "split": "easy"}, None)
    with pytest.raises(InputError, match="'split' is 'hrad'"):
        validation.complete({"problems": 1, "split": "hrad"}, arithmetic.Options, "test")


def test_math_full_keeps_ids_and_reports_duplicates(tmp_path):
    rows = [
        row(id="a"),
        row(id="b"),
        row(id="c", prompt="what is  $1+1$?"),
        row(id="d", prompt="Other"),
    ]
    problems, notes = math_full.prepare({}, written(tmp_path, rows))
    assert [problem.problem_id for problem in problems] == ["a", "b", "c", "d"]
    assert problems[0] == tables.Problem("a", "What is $1+1$?", "2", "math", None)
    assert notes[0] == "4 problems of 4 rows"
    assert notes[1] == "prompts that stand under several ids: 1: a = b"
    assert notes[2].endswith("case and white space: 1: a = b = c")


@pytest.mark.parametrize("answer", ["", "  ", "None"])
def test_empty_answers_are_refused_dropped_or_kept(tmp_path, answer):
    path = written(tmp_path, [row(id="a"), row(id="b", answer=answer, prompt="Other")])
    with pytest.raises(InputError, match=r"row 1: problem 'b' .*1 such in all"):
        math_full.prepare({}, path)
    dropped, notes = math_full.prepare({"empty_answers": "drop"}, path)
    assert [problem.problem_id for problem in dropped] == ["a"]
    assert "1 problems of 2 rows" in notes[0]
    assert "dropped: b" in notes[-1]
    kept, notes = math_full.prepare({"empty_answers": "keep"}, path)
    assert [problem.problem_id for problem in kept] == ["a", "b"]
    assert "kept" in notes[-1]


def test_kept_empty_answers_survive_writing_and_reading(tmp_path):
    problems = [tables.Problem("a", "p", "", "math")]
    with pytest.raises(InputError, match="empty answer"):
        tables.write_problems(tmp_path / "p.jsonl", problems)
    assert not (tmp_path / "p.jsonl").exists()
    tables.write_problems(tmp_path / "p.jsonl", problems, allow_empty_answers=True)
    assert tables.read_problems(tmp_path / "p.jsonl") == problems


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"id": "a"}, "expected a list"),
        ([], "no problems"),
        ([ROW, "text"], "row 1: expected a JSON object"),
        ([{"id": "a", "prompt": "p", "source": "math"}], "row 0: 'answer' must be a text"),
        ([row(prompt=" ")], "row 0: 'prompt' must be a text that is not empty"),
        ([row(id=7)], "row 0: 'id' must be a text"),
        ([ROW, row(prompt="Other")], "occur twice, the first is 'a'"),
    ],
)
def test_math_full_refuses(tmp_path, rows, message):
    with pytest.raises(InputError, match=message):
        math_full.prepare({}, written(tmp_path, rows))


def test_math_full_refuses_a_cut_file(tmp_path):
    path = tmp_path / "cut.json"
    path.write_text(json.dumps([ROW])[:-5], encoding="utf-8")
    with pytest.raises(InputError, match="not valid JSON"):
        math_full.prepare({}, path)


def test_a_file_is_needed():
    for module, options in ((math_full, {}), (question_answer, {"prefix": "x"})):
        with pytest.raises(InputError, match="needs the key 'file'"):
            module.prepare(options, None)


def test_question_answer_numbers_the_rows_and_keeps_answers(tmp_path):
    rows = [{"question": "Q1", "answer": "27.0"}, {"question": "Q2", "answer": "3", "level": 5}]
    problems, notes = question_answer.prepare({"prefix": "amc23"}, lines(tmp_path, rows))
    assert problems == [
        tables.Problem("amc23-1", "Q1", "27.0", "amc23"),
        tables.Problem("amc23-2", "Q2", "3", "amc23"),
    ]
    assert notes == ["2 problems of 2 rows"]


def test_question_answer_takes_the_first_rows(tmp_path):
    path = lines(tmp_path, [{"question": f"Q{i}", "answer": str(i)} for i in range(5)])
    whole, _ = question_answer.prepare({"prefix": "x", "limit": None}, path)
    problems, notes = question_answer.prepare({"prefix": "x", "limit": 2}, path)
    assert problems == whole[:2]  # the same ids
    assert notes == ["2 problems of 5 rows", "limit 2: of the first 2 rows only"]
    assert question_answer.prepare({"prefix": "x", "limit": 9}, path)[0] == whole
    with pytest.raises(InputError, match="'limit': 0 is less than"):
        validation.complete({"prefix": "x", "limit": 0}, question_answer.Options, "test")


def test_question_answer_refuses_by_row(tmp_path):
    path = lines(tmp_path, [{"question": "Q1", "answer": "1"}, {"question": "Q2", "answer": 3}])
    with pytest.raises(InputError, match="row 2: 'answer' must be a text"):
        question_answer.prepare({"prefix": "x"}, path)
    path = lines(tmp_path, [{"question": "Q1", "answer": ""}])
    with pytest.raises(InputError, match="row 1: problem 'x-1' has the answer ''"):
        question_answer.prepare({"prefix": "x"}, path)


def test_dropped_rows_do_not_shift_the_ids(tmp_path):
    rows = [{"question": "Q1", "answer": ""}, {"question": "Q2", "answer": "2"}]
    options = {"prefix": "x", "empty_answers": "drop"}
    problems, _ = question_answer.prepare(options, lines(tmp_path, rows))
    assert [problem.problem_id for problem in problems] == ["x-2"]
