"""Judged responses of one policy as a single epoch: for importers of pass rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from limr.core.tables import Problem
from limr.trajectories import reading
from limr.trajectories.counts import Counts
from limr.trajectories.reading import Imported


def as_epoch(
    table: pa.Table, keys: Sequence[str], problems: Sequence[Problem] | None, path: Path
) -> Imported:
    """Return responses as trajectories of one epoch; rewards are NaN.

    Args:
        table: as in `limr.core.tables.EVALUATIONS`, with at least a row, in one chunk.
        keys: columns whose values together occur once.
        problems: the problems; None: those that the table names.
        path: its file, for messages.

    Raises:
        InputError: a missing id or verdict, keys that occur twice, or a problem that is not in
            `problems`.
    """
    names = table["problem_id"].combine_chunks()
    for column in ("problem_id", "verdict"):
        reading.refuse_rows(pc.is_null(table[column]), 0, names, path, f"{column} is missing")
    reading.refuse_doubled(table, keys, path)
    ids, number = reading.numbered(names, problems, path)
    correct = np.asarray(pc.equal(table["verdict"].cast("string"), "correct"))
    rows, counts = table.num_rows, Counts()
    one = np.ones(rows, np.int64)
    counts.add(number, one - 1, one, correct, np.full(rows, np.nan))
    curves = counts.table(ids)
    return Imported(ids, curves, rows, rows, notes=reading.coverage(curves, len(ids)))
