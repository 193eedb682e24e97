"""One JSON object a line with `question` and `answer`: AIME24, AMC23, MATH500 and the like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.core import files
from limr.core.tables import Problem
from limr.core.validation import Keys, Name, key
from limr.problems.datasets import _checks


class Options(Keys):
    """Keys of an entry of `datasets`."""

    file: str = key(..., "A pinned file of `config/sources.yaml`.")
    prefix: Name = key(..., "Start of the ids: `aime24` gives aime24-1, aime24-2, ... by row.")
    empty_answers: _checks.EmptyAnswers = "refuse"
    limit: int | None = key(
        None, "Only the first so many rows, for a quick look; null for all.", ge=1
    )


def prepare(options: Mapping[str, Any], file: Path | None) -> tuple[list[Problem], list[str]]:
    """Read and check the file; answers stay as they are written, such as AMC23's `27.0`.

    Returns:
        The problems in the file's order and notes; ids count the objects from 1.

    Raises:
        InputError: not such a file, a key missing, or an empty answer unless `empty_answers`
            allows it.
    """
    path = _checks.needed(file, "question-answer")
    prefix = options["prefix"]
    rows = files.read_jsonl(path)
    limit = options.get("limit")
    read = []
    for number, row in enumerate(rows[:limit], start=1):
        where = f"{path}: row {number}"
        prompt = _checks.text(row, "question", where)
        answer = _checks.text(row, "answer", where, may_be_empty=True)
        read.append(Problem(f"{prefix}-{number}", prompt, answer, prefix))
    limited = [f"limit {limit}: of the first {len(read)} rows only"] if limit else []
    return _checks.finished(
        read,
        options.get("empty_answers", "refuse"),
        path,
        lambda i: f"row {i + 1}",
        f"{len(rows)} rows",
        *limited,
    )
