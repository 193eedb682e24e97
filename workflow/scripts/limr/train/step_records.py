"""What a run that is at work has recorded of its steps, for whoever looks on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from limr.core import files
from limr.train.openrlhf import recording

EMBEDDED = "steps.jsonl"  # all steps up to the last checkpoint; OpenRLHF has a file per attempt


def write(folder: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Record the embedded engine's steps so far; null: no finite number, as where a run diverged.

    Args:
        folder: the run's working folder.
        rows: as those of `metrics.parquet`.
    """
    known = [
        {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in row.items()
        }
        for row in rows
    ]
    files.write_jsonl(folder / EMBEDDED, known)


def rows(folder: Path) -> list[dict[str, Any]]:
    """Return a row for each step that counts, in order; none where nothing is recorded.

    The embedded engine's are those of `metrics.parquet`. OpenRLHF's have the trainer's own names
    where that file has no column of the same numbers.

    Args:
        folder: the run's working folder.
    """
    own = folder / EMBEDDED
    if own.is_file():
        return files.read_jsonl(own)
    found = recording.metrics(folder)
    return [
        {recording.COLUMNS.get(name, name): value for name, value in found[step].items()}
        for step in sorted(found)
    ]
