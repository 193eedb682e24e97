"""Problems with worked solutions in a file of your own: LIMO, s1K and the like, for fine-tuning."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from limr.core.errors import InputError
from limr.core.tables import Problem, check_problems
from limr.core.validation import ABSENT, Keys, Name, key
from limr.problems import row_files
from limr.problems.datasets import _checks

_QUESTIONS = ("question", "instruction", "problem")
_SOLUTIONS = ("solution", "output")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


class Options(Keys):
    """Keys of an entry of `datasets`."""

    path: str = key(ABSENT, "A file of your own; or `file`.")
    file: str = key(ABSENT, "A pinned file of `config/sources.yaml`; or `path`.")
    prefix: Name = key("solution", "Start of the ids: `limo` gives limo-1, limo-2, ... by row.")
    question: str | None = key(
        None,
        f"Key or column of the problem's text; null: the first of {_listed(_QUESTIONS)} that the "
        "first row has.",
    )
    solution: str | Annotated[list[str], Field(min_length=1)] | None = key(
        None,
        "Key or column of the worked solution, or several that are joined, such as s1K's "
        "`[thinking_trajectories, attempt]`; a value may be a list of texts. null: the first of "
        f"{_listed(_SOLUTIONS)} that the first row has.",
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
    if ("path" in options) == ("file" in options):
        raise InputError("a data set of source 'worked-solutions' needs one of 'path' and 'file'.")
    path = _checks.needed(file, "worked-solutions")
    problems, asked = [], ""
    key = options["answer"]
    for number, (_, row) in enumerate(row_files.rows(path), start=1):
        where = f"{path}: row {number}"
        asked = asked or options["question"] or _first(row, _QUESTIONS, "question", where)
        prompt = _text(row, asked, where)
        if asked == "instruction" and row.get("input"):
            raise InputError(
                f"{where}: 'instruction' has an 'input' beside it, which would be left out. Join "
                "them in the file, and name the column with `question`."
            )
        answer = _text(row, key, where, may_be_empty=True) if key else ""
        problems.append(Problem(f"{options['prefix']}-{number}", prompt, answer, options["prefix"]))
    check_problems(problems, str(path), allow_empty_answers=True)
    return problems, [f"{len(problems)} problems", *_checks.duplicate_notes(problems)]


def solutions(options: Mapping[str, Any], file: Path | None) -> dict[str, str]:
    """Return the worked solutions by problem_id.

    Raises:
        InputError: not such a file, or a solution missing or empty.
    """
    path = _checks.needed(file, "worked-solutions")
    wanted, found = options["solution"], {}
    for number, (_, row) in enumerate(row_files.rows(path), start=1):
        where = f"{path}: row {number}"
        wanted = wanted or _first(row, _SOLUTIONS, "solution", where)
        keys = [wanted] if isinstance(wanted, str) else wanted
        found[f"{options['prefix']}-{number}"] = "\n\n".join(
            _joined(row, key, where) for key in keys
        )
    return found


def _first(row: Any, names: tuple[str, ...], option: str, where: str) -> str:
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(row).__name__}.")
    for name in names:
        if name in row:
            return name
    raise InputError(
        f"{where}: '{option}' is missing: none of {_listed(names)} is there, only {sorted(row)}. "
        f"Say with `{option}` which it is."
    )


def _joined(row: object, key: str, where: str) -> str:
    parts = row.get(key) if isinstance(row, dict) else None
    if isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts):
        return "\n".join(parts)
    return _text(row, key, where)


def _text(row: Any, key: str, where: str, *, may_be_empty: bool = False) -> str:
    if isinstance(row, dict) and key not in row:
        raise InputError(
            f"{where}: '{key}' is missing; found {sorted(row)}. Another version of the file may "
            "have other columns: name them with `question`, `solution` and `answer`."
        )
    return _checks.text(row, key, where, may_be_empty=may_be_empty)
