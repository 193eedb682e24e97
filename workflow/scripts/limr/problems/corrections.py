"""Corrected gold answers: a list beside the data set, with a reason for each, applied on reading.

The file (`config/overrides/{dataset}.yaml`) maps a problem's id to `old`, the answer that the data
set has, `new`, the one that it should have, and `reason`, the argument from the problem's text. The
data set itself is never changed, and a correction that no longer fits it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from limr.core import files, validation
from limr.core.errors import InputError
from limr.core.tables import Problem

Record = dict[str, str]


class Correction(validation.Keys):
    """One corrected answer."""

    old: str = validation.key(..., "The answer that the data set has.")
    new: str = validation.key(..., "The answer that it should have.", min_length=1)
    reason: str = validation.key(..., "The argument from the problem's text.", min_length=1)


def read(path: Path) -> dict[str, Record]:
    """Return problem_id -> {old, new, reason}.

    Raises:
        InputError: the file is missing, not YAML, or not such a mapping.
    """
    content = files.read_yaml(path)
    if not isinstance(content, dict) or not content:
        raise InputError(f"{path}: expected a mapping of problem ids to old, new and reason.")
    found: dict[str, Record] = validation.complete(content, dict[str, Correction], str(path))
    return found


def apply(problems: Sequence[Problem], path: Path) -> tuple[list[Problem], list[dict[str, str]]]:
    """Return the problems with the answers of a file of corrections, and what was corrected.

    Args:
        problems: as the data set has them.
        path: the file.

    Raises:
        InputError: see `read`; an id of no problem, an old answer that is not the data set's, or a
            new one that is the old one.
    """
    corrections = read(path)
    answers = {problem.problem_id: problem.answer for problem in problems}
    for key, entry in corrections.items():
        at = f"{path}: '{key}'"
        if key not in answers:
            raise InputError(
                f"{at} is no problem of this set. Take it out; or if the set leaves it out itself "
                "(`empty_answers: drop` does), keep it there."
            )
        if answers[key] != entry["old"]:
            raise InputError(
                f"{at}: 'old' is {entry['old']!r}, but the data set has {answers[key]!r}. "
                "Look at the problem again before you correct it."
            )
        if entry["new"] == entry["old"]:
            raise InputError(f"{at}: 'new' is the old answer; nothing would be corrected.")
    answers |= {key: entry["new"] for key, entry in corrections.items()}
    corrected = [replace(problem, answer=answers[problem.problem_id]) for problem in problems]
    return corrected, [{"problem_id": key, **entry} for key, entry in corrections.items()]
