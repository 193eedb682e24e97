"""Levels of problems that their own file does not have: from a second file, joined once by text.

MATH500 as the paper's code ships it has no levels; the split that it is from has. The second file
holds one JSON object per line with `problem` and `level`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import Problem


def apply(problems: Sequence[Problem], path: Path) -> tuple[list[Problem], list[str]]:
    """Return the problems with levels, and a note of how many have one.

    A level that a problem has already stays.

    Args:
        problems: as their own file has them.
        path: JSON lines with `problem` (the text) and `level` (a whole number from 1).

    Raises:
        InputError: the file is not such a file, gives one text two levels, or has no text of these.
    """
    known: dict[str, int] = {}
    for number, row in enumerate(files.read_jsonl(path), start=1):
        text, level = row.get("problem"), row.get("level")
        if not isinstance(text, str) or not isinstance(level, int) or isinstance(level, bool):
            raise InputError(f"{path}:{number}: expected a text 'problem' and a number 'level'.")
        if level < 1:
            raise InputError(f"{path}:{number}: 'level' is {level}; levels count from 1.")
        if known.setdefault(text.strip(), level) != level:
            raise InputError(
                f"{path}:{number}: this text has two levels, {known[text.strip()]} and {level}."
            )
    found = [
        replace(p, level=known.get(p.prompt.strip())) if p.level is None else p for p in problems
    ]
    n = sum(problem.level is not None for problem in found)
    if not n:
        raise InputError(f"{path}: none of its texts is one of these problems. Is it another set?")
    return found, [f"{n} of {len(found)} problems have a level, from {path.name}"]
