"""Judged responses of one policy as a single epoch: for importers of pass rates."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from limr.core.arrow import find
from limr.core.tables import Problem
from limr.trajectories import reading
from limr.trajectories.counts import Tally
from limr.trajectories.reading import Imported


def as_epoch(
    table: pa.Table, keys: Sequence[str], problems: Sequence[Problem] | None, path: Path
) -> Imported:
    """Return responses as trajectories of one epoch; rewards are NaN.

    Args:
        table: as in `limr.core.tables.EVALUATIONS`, with at least a row, in one chunk.
        keys: columns whose values together stand once.
        problems: the problems; None: those that the table names.
        path: its file, for messages.

    Raises:
        InputError: a missing id or verdict, keys that stand twice, or a problem that is not in
            `problems`.
    """
    names = table["problem_id"].combine_chunks()
    for column in ("problem_id", "verdict"):
        missing = np.asarray(pc.is_null(table[column]))
        reading.refuse_rows(missing, 0, names, path, f"{column} is missing")
    reading.refuse_doubled(table, keys, path)
    ids = reading.ids_of(problems)
    ids = pc.unique(names) if ids is None else ids
    number = find(names, ids)
    reading.refuse_rows(number < 0, 0, names, path, "a problem_id that is in no problem file")
    correct = np.asarray(pc.equal(table["verdict"].cast("string"), "correct"))
    rows, tally = table.num_rows, Tally()
    one = np.ones(rows, np.int64)
    tally.add(number, one - 1, one, correct, np.full(rows, np.nan))
    return Imported(ids, rows, rows, (), reading.coverage(tally, len(ids)), tally)
