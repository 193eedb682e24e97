"""Files of worked solutions: LIMO's and s1K's shapes, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from limr.core import validation
from limr.core.errors import InputError
from limr.problems.datasets import worked_solutions
from limr.study import schema

LIMO = [
    {"question": "1+1?", "solution": "It is \\boxed{2}.", "answer": "2"},
    {"question": "2+2?", "solution": "It is \\boxed{4}.", "answer": "4"},
]
S1K = [{"question": "1+1?", "thinking_trajectories": ["So,", "two."], "attempt": "\\boxed{2}"}]


def options(**changes: Any) -> dict[str, Any]:
    entry = {"source": "worked-solutions", "path": "here", **changes}
    study = {"datasets": {"limo": entry}, "study": "s", "seeds": [1], "dataset": "limo"}
    scores = {"everything": {"selector": "full"}}
    whole = {**study, "scores": scores, "arms": {"a": {"train": "none"}}}
    found = validation.complete(whole, schema.Study, "study.yaml")["datasets"]["limo"]
    return dict(found)


@pytest.mark.parametrize("name", ["limo.jsonl", "list.json", "lines.json", "limo.parquet"])
def test_every_format_gives_the_same(name, tmp_path):
    path = tmp_path / name
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(LIMO), path)
    elif name == "list.json":
        path.write_text(json.dumps(LIMO))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in LIMO))
    chosen = options(prefix="limo")
    problems, notes = worked_solutions.prepare(chosen, path)
    assert [(p.problem_id, p.prompt, p.answer) for p in problems] == [
        ("limo-1", "1+1?", "2"),
        ("limo-2", "2+2?", "4"),
    ]
    assert notes == ["2 problems"]
    assert worked_solutions.solutions(chosen, path) == {
        "limo-1": "It is \\boxed{2}.",
        "limo-2": "It is \\boxed{4}.",
    }


def test_solutions_of_several_columns_are_joined(tmp_path):
    path = tmp_path / "s1k.parquet"
    pq.write_table(pa.Table.from_pylist(S1K), path)
    chosen = options(answer=None, solution=["thinking_trajectories", "attempt"])
    problems, _ = worked_solutions.prepare(chosen, path)
    assert problems[0].answer == ""
    assert worked_solutions.solutions(chosen, path) == {"solution-1": "So,\ntwo.\n\n\\boxed{2}"}


def test_what_is_missing_is_named_with_its_row(tmp_path):
    path = tmp_path / "limo.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in (LIMO[0], {"question": "?"})))
    with pytest.raises(InputError, match=r"row 2: 'answer'"):
        worked_solutions.prepare(options(), path)
    with pytest.raises(InputError, match=r"row 2: 'solution'"):
        worked_solutions.solutions(options(), path)
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1")
    with pytest.raises(InputError, match="not a readable parquet"):
        worked_solutions.prepare(options(), broken)
    objects = tmp_path / "object.json"
    objects.write_text(json.dumps([1]))
    with pytest.raises(InputError, match="row 1: expected a JSON object, found int"):
        worked_solutions.prepare(options(), objects)


ALPACA = [{"instruction": "1+1?", "input": "", "output": "It is \\boxed{2}.", "system": "Think."}]


def test_columns_are_looked_for_and_what_is_found_is_said(tmp_path):
    path = tmp_path / "limo.json"
    path.write_text(json.dumps(ALPACA))
    chosen = options(prefix="limo", answer=None)
    assert worked_solutions.prepare(chosen, path)[0][0].prompt == "1+1?"
    assert worked_solutions.solutions(chosen, path) == {"limo-1": "It is \\boxed{2}."}
    path.write_text(json.dumps([{**ALPACA[0], "input": "of integers"}]))
    with pytest.raises(InputError, match="'instruction' has an 'input' beside it"):
        worked_solutions.prepare(chosen, path)
    path.write_text(json.dumps([{"text": "1+1?"}]))
    with pytest.raises(InputError, match=r"'question' is missing: none of .*\['text'\]"):
        worked_solutions.prepare(chosen, path)
    with pytest.raises(InputError, match=r"'solution' is missing: none of .*\['text'\]"):
        worked_solutions.solutions(chosen, path)


def test_another_version_of_s1k_is_refused_with_its_columns(tmp_path):
    path = tmp_path / "s1k.parquet"
    row = {"question": "1+1?", "deepseek_attempt": "2", "deepseek_thinking_trajectory": "So."}
    pq.write_table(pa.Table.from_pylist([row]), path)
    chosen = options(answer=None, solution=["thinking_trajectories", "attempt"])
    with pytest.raises(InputError, match=r"'thinking_trajectories' is missing; .*deepseek_attempt"):
        worked_solutions.solutions(chosen, path)


def test_a_file_is_the_users_own_or_pinned(tmp_path):
    pinned = options()
    del pinned["path"]
    for wrong in ({**pinned}, {**pinned, "path": "x", "file": "limo"}):
        with pytest.raises(InputError, match="one of 'path' and 'file'"):
            worked_solutions.prepare(wrong, None)
