"""Problems with worked solutions in a file of your own: LIMO, s1K and the like, for fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from limr.core.tables import Problem, check_problems
from limr.core.validation import Keys, Name, key
from limr.problems import row_files
from limr.problems.datasets import _checks


class Options(Keys):
    """Keys of an entry of `datasets`."""

    path: str = key(..., "A file of your own.")
    prefix: Name = key("solution", "Start of the ids: `limo` gives limo-1, limo-2, ... by row.")
    question: str = key("question", "Key or column of the problem's text.")
    solution: str | Annotated[list[str], Field(min_length=1)] = key(
        "solution",
        "Key or column of the worked solution, or several that are joined, such as s1K's "
        "`[thinking_trajectories, attempt]`; a value may be a list of texts.",
    )
    answer: str | None = key(
        "answer",
        "Key or column of the gold answer; null where there is none, which fine-tuning does not "
        "need.",
    )


def prepare(options: Mapping[str, Any], file: Path | None) -> tuple[list[Problem], list[str]]:
    """Read and check the file: any kind that `row_files` reads; ids count the rows from 1.

    Raises:
        InputError: not such a file, or a key missing.
    """
    path = _checks.needed(file, "worked-solutions")
    problems = []
    key = options["answer"]
    for number, (_, row) in enumerate(row_files.rows(path), start=1):
        where = f"{path}: row {number}"
        prompt = _checks.text(row, options["question"], where)
        answer = _checks.text(row, key, where, may_be_empty=True) if key else ""
        problems.append(Problem(f"{options['prefix']}-{number}", prompt, answer, options["prefix"]))
    check_problems(problems, str(path), allow_empty_answers=True)
    return problems, [f"{len(problems)} problems", *_checks.duplicate_notes(problems)]


def solutions(options: Mapping[str, Any], file: Path | None) -> dict[str, str]:
    """Return the worked solutions by problem_id.

    Raises:
        InputError: not such a file, or a solution missing or empty.
    """
    path = _checks.needed(file, "worked-solutions")
    wanted = options["solution"]
    keys = [wanted] if isinstance(wanted, str) else wanted
    return {
        f"{options['prefix']}-{number}": "\n\n".join(
            _joined(row, key, f"{path}: row {number}") for key in keys
        )
        for number, (_, row) in enumerate(row_files.rows(path), start=1)
    }


def _joined(row: object, key: str, where: str) -> str:
    parts = row.get(key) if isinstance(row, dict) else None
    if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
        return "\n".join(parts)
    return _checks.text(row, key, where)
