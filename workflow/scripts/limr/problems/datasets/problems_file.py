"""Your own problems: JSON lines, a JSON list, csv, parquet (verl's, TRL's) or `datasets` folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from limr.core.tables import Problem
from limr.core.validation import Keys, key
from limr.problems import own_file
from limr.problems.datasets import _checks


class Options(Keys):
    """Keys of an entry of `datasets`."""

    path: str = key(..., "A file of your own.")
    empty_answers: _checks.EmptyAnswers = "refuse"


def prepare(options: Mapping[str, Any], file: Path | None) -> tuple[list[Problem], list[str]]:
    """Read and check the file; `limr.problems.own_file` says which columns are taken.

    Raises:
        InputError: not such a file, no prompt, an id of two problems, or an empty answer unless
            `empty_answers` allows it.
    """
    path = _checks.needed(file, "problems-file")
    read = own_file.open_file(path)
    return _checks.finished(
        read.problems,
        options["empty_answers"],
        path,
        lambda i: f"entry {read.rows.index(i) + 1}",
        f"{len(read.rows)} entries",
        *read.notes,
    )
