"""Files: whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import errno
from pathlib import Path

import pyarrow as pa
import pytest

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import SCORES, Problem, check_problems, read_problems, write_problems


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    files.write_text(path, "old")
    with pytest.raises(RuntimeError), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole(tmp_path: Path) -> None:
    target = tmp_path / "policy"
    for content in ("first", "second"):
        with files.atomic(target) as temporary:
            temporary.mkdir()
            (temporary / content).write_text(content)
    assert [path.name for path in target.iterdir()] == ["second"]


def test_a_full_disk_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(InputError, match="the disk is full"), files.atomic(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_disk() -> None:
    with (
        pytest.raises(InputError, match="the disk is full"),
        files.atomic("/dev/shm/limr-full") as path,
    ):
        path.symlink_to("/dev/full")
        with path.open("w") as file:
            file.write("x" * 100_000)
    assert not Path("/dev/shm/limr-full").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": \n', r"p.jsonl:2: not valid JSON"),
        ("[1]\n", r"p.jsonl:1: expected a JSON object, found list"),
        ("[" * 100_000 + "\n", r"p.jsonl:1: not valid JSON"),
    ],
)
def test_a_bad_line_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        files.read_jsonl(path)


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_bytes(b'{"a": "\xff"}\n')
    with pytest.raises(InputError, match="not UTF-8"):
        files.read_jsonl(path)


def test_a_cut_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    table = pa.table({"problem_id": ["a"], "score": [0.5], "reason": [""]}, schema=SCORES)
    files.write_parquet(path, table)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"s\.parquet: not a readable parquet table"):
        files.read_parquet(path, SCORES)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    files.write_parquet(path, pa.table({"problem_id": ["a"]}))
    with pytest.raises(InputError, match="column 'score' is missing"):
        files.read_parquet(path, SCORES)


def test_problems_come_back_as_they_were(tmp_path: Path) -> None:
    problems = [Problem("a", "1+1=", "2", "x", 1), Problem("b", "α+β", "\\frac12", "y", None)]
    write_problems(tmp_path / "p.jsonl", problems)
    assert read_problems(tmp_path / "p.jsonl") == problems


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": 3}, r"p\.jsonl:2: not a problem: Expected `str`, got `int` - at `\$\.answer`"),
        ({"level": "3"}, r"p\.jsonl:2: not a problem: .*`\$\.level`"),
        ({"prompt": None}, r"p\.jsonl:2: not a problem: .*`\$\.prompt`"),
    ],
)
def test_a_row_that_is_no_problem_is_named(change, message, tmp_path: Path) -> None:
    row = {"problem_id": "a", "prompt": "1+1=", "answer": "2", "source": "x", "other": 1}
    files.write_jsonl(tmp_path / "p.jsonl", [row, {**row, "problem_id": "b", **change}])
    with pytest.raises(InputError, match=message):
        read_problems(tmp_path / "p.jsonl")


@pytest.mark.parametrize(
    ("problems", "message"),
    [
        ([], "no problems in it"),
        ([Problem("a", "1", "", "x")], "problem 'a' has an empty answer"),
        ([Problem("a", "1", "1", "x"), Problem("a", "2", "2", "x")], "the first is 'a'"),
    ],
)
def test_bad_problems_are_refused(problems: list[Problem], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_problems(problems, "here")
