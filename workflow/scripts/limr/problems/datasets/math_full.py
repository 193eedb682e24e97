"""MATH-FULL as the paper published it: one JSON list of {id, prompt, answer, source}.

The ids are kept: they are what every table joins on. One text has two ids and four gold
answers are empty or `None`; the notes say both.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.core.validation import Keys, key
from limr.problems.datasets import _checks


class Options(Keys):
    """Keys of an entry of `datasets`."""

    file: str = key(..., "A pinned file of `config/sources.yaml`.")
    empty_answers: _checks.EmptyAnswers = "refuse"


def prepare(options: Mapping[str, Any], file: Path | None) -> tuple[list[Problem], list[str]]:
    """Read and check the file.

    Returns:
        The problems in the file's order (levels are not in it), and notes.

    Raises:
        InputError: not such a list, a key missing, an id that occurs twice, or an empty answer
            unless `empty_answers` allows it; the message has the row, counted from 0.
    """
    path = _checks.needed(file, "math-full")
    rows = files.read_json(path)
    if not isinstance(rows, list):
        raise InputError(f"{path}: expected a list of problems, found {type(rows).__name__}.")
    read = [_problem(row, f"{path}: row {number}") for number, row in enumerate(rows)]
    return _checks.finished(
        read,
        options.get("empty_answers", "refuse"),
        path,
        lambda i: f"row {i}",
        f"{len(rows)} rows",
    )


def _problem(row: object, where: str) -> Problem:
    return Problem(
        problem_id=_checks.text(row, "id", where),
        prompt=_checks.text(row, "prompt", where),
        answer=_checks.text(row, "answer", where, may_be_empty=True),
        source=_checks.text(row, "source", where),
    )
