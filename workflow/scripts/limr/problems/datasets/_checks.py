"""What every reader of problem files checks: empty answers, and texts that occur twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from limr.core.errors import InputError
from limr.core.tables import Problem, check_problems

EmptyAnswers = Annotated[
    Literal["refuse", "drop", "keep"],
    Field(
        description="What to do with problems whose gold answer is empty or `None`: refuse the "
        "file, drop the problems, or keep them (nothing equals an empty answer)."
    ),
]
_SHOWN = 5


def needed(file: Path | None, source: str) -> Path:
    """Return `file`, or say that the entry lacks it.

    Raises:
        InputError: there is no file.
    """
    if file is None:
        raise InputError(
            f"a data set of source '{source}' needs the key 'file', the name of a file in "
            "config/sources.yaml, or 'path', a file of your own."
        )
    return file


def text(row: object, key: str, where: str, *, may_be_empty: bool = False) -> str:
    """Return `row[key]`, a text.

    Raises:
        InputError: `row` is no mapping, or the value is missing, not a text, or empty.
    """
    if not isinstance(row, dict):
        raise InputError(f"{where}: expected a JSON object, found {type(row).__name__}.")
    value = row.get(key)
    if not isinstance(value, str) or not (value.strip() or may_be_empty):
        raise InputError(f"{where}: '{key}' must be a text that is not empty, found {value!r}.")
    return value


def finished(
    problems: Sequence[Problem],
    rule: str,
    path: Path,
    where: Callable[[int], str],
    of: str,
    *notes: str,
) -> tuple[list[Problem], list[str]]:
    """Apply the option `empty_answers`, check the problems, and say what was noticed.

    Args:
        problems: as read.
        rule: the option: refuse, drop or keep.
        path: their file.
        where: position in `problems` -> place in the file, such as `row 3`.
        of: how much there was to read, such as `12 rows`.
        notes: what the reader has noticed.

    Returns:
        The problems that stay, and notes.

    Raises:
        InputError: the rule is refuse and an answer is empty or `None`, or see
            `limr.core.tables.check_problems`.
    """
    empty = [i for i, problem in enumerate(problems) if problem.answer.strip() in ("", "None")]
    if empty and rule == "refuse":
        first = problems[empty[0]]
        raise InputError(
            f"{path}: {where(empty[0])}: problem '{first.problem_id}' has the answer "
            f"{first.answer!r} ({len(empty)} such in all). Set `empty_answers: drop` or `keep`, or "
            "give it one."
        )
    kept = list(problems)
    if rule == "drop":
        kept = [problem for i, problem in enumerate(problems) if i not in set(empty)]
    check_problems(kept, str(path), allow_empty_answers=rule == "keep")
    notes = (f"{len(kept)} problems of {of}", *notes, *duplicate_notes(kept))
    if empty:
        done = {"drop": "dropped", "keep": "kept; nothing equals an empty one"}[rule]
        ids = [f"{problems[i].problem_id} ({problems[i].answer!r})" for i in empty]
        told = f"gold answers that are empty or 'None': {len(empty)}, {done}: {_listed(ids)}"
        notes = (*notes, told)
    return kept, list(notes)


def duplicate_notes(problems: Sequence[Problem]) -> list[str]:
    """Say which prompts have several ids, exactly and up to case and white space."""
    notes = []
    exact = _groups(problems, lambda prompt: prompt)
    if exact:
        notes.append(f"prompts that stand under several ids: {len(exact)}: {_listed(exact)}")
    loose = _groups(problems, lambda prompt: "".join(prompt.split()).casefold())
    new = [group for group in loose if group not in exact]
    if new:
        notes.append(
            f"more that differ in nothing but case and white space: {len(new)}: {_listed(new)}"
        )
    return notes


def _groups(problems: Sequence[Problem], key: Callable[[str], str]) -> list[str]:
    """Return the ids of each group of prompts with the same key, ' = ' between them."""
    groups: dict[str, list[str]] = {}
    for problem in problems:
        groups.setdefault(key(problem.prompt), []).append(problem.problem_id)
    return [" = ".join(ids) for ids in groups.values() if len(ids) > 1]


def _listed(items: Sequence[str]) -> str:
    more = f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return ", ".join(items[:_SHOWN]) + more
