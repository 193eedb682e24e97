"""Problems from a user's own file: a JSON list, JSON lines, or parquet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import Problem, check_problems


def read(path: Path) -> list[Problem]:
    """Return the problems of a file.

    Each entry has `problem_id` (or `id`) and `prompt`; `answer`, `source` and `level` where known.

    Raises:
        InputError: not such a file, a key missing or of another type, an id that occurs twice.
    """
    problems = [_problem(row, path, number) for number, row in enumerate(rows(path), start=1)]
    check_problems(problems, str(path), allow_empty_answers=True)
    return problems


def rows(path: Path) -> list[Any]:
    """Return the rows of a parquet table, of JSON lines, or of a JSON list.

    Raises:
        InputError: not such a file.
    """
    if path.suffix == ".parquet":
        return list(files.read_columns(path).to_pylist())
    if path.suffix != ".json":
        return files.read_jsonl(path)
    try:
        found = files.read_json(path)
    except InputError:
        with suppress(InputError):  # lines under another name, as LIMO's are
            return files.read_jsonl(path)
        raise
    if not isinstance(found, list):
        raise InputError(f"{path}: expected a list of problems, found {type(found).__name__}.")
    return found


def _problem(row: Any, path: Path, number: int) -> Problem:
    where = f"{path}: entry {number}"
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected an object, found {type(row).__name__}.")
    key = row.get("problem_id", row.get("id"))
    if not isinstance(key, (str, int)) or isinstance(key, bool):
        raise InputError(f"{where} needs an 'id' (or 'problem_id'), a text; found {key!r}.")
    if any("\ud800" <= character <= "\udfff" for character in str(key)):
        raise InputError(f"{where}: the id {key!r} holds half of a character pair.")
    prompt, level = row.get("prompt"), row.get("level")
    if not isinstance(prompt, str):
        raise InputError(f"{where} (id '{key}') needs a 'prompt', a text; found {prompt!r}.")
    if level is not None and (not isinstance(level, int) or isinstance(level, bool)):
        raise InputError(
            f"{where} (id '{key}'): 'level' must be a whole number or null: {level!r}."
        )
    answer, source = row.get("answer", ""), row.get("source", path.stem)
    return Problem(str(key), prompt, str(answer), str(source), level)


def write_made(path: Path, ids: Sequence[str], prompts: Sequence[str], source: str) -> None:
    """Write problems whose ids were made from their texts, so that they can be joined again."""
    problems = [Problem(key, text, "", source) for key, text in zip(ids, prompts, strict=True)]
    files.write_jsonl(path, [asdict(problem) for problem in problems])
