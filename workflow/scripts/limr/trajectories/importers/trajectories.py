"""Learning curves as a table of your own, or our trajectories.parquet: counts by problem and epoch.

Columns: problem_id, epoch (from 0), n, n_correct, whole numbers of any width, and mean_reward where
there are rewards. This is the way in for a log that no other format reads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq

from limr.core import files
from limr.core.arrow import vector
from limr.core.errors import InputError
from limr.core.tables import TRAJECTORIES, Problem
from limr.trajectories import reading
from limr.trajectories.counts import Counts
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = None


_NEEDED = ("problem_id", "epoch", "n", "n_correct")


def recognises(sample: Sample) -> bool:
    """Tell whether a file is a parquet table of counts by problem and epoch."""
    return sample.file.kind == "parquet" and sample.has(*_NEEDED)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the table's samples; its rows may be in any order.

    Raises:
        InputError: not such a file, a missing value, a negative epoch, n < 1, n_correct outside
            0..n, a (problem, epoch) that occurs twice, or a problem that is not in `problems`.
    """
    path = reading.one(paths)
    files.check_parquet(path, _NEEDED)
    wanted = [name for name in TRAJECTORIES.names if name in pq.read_schema(path).names]
    table = files.read_parquet(path, TRAJECTORIES, wanted).combine_chunks()
    if table.num_rows == 0:
        raise InputError(f"{path}: no rows in it.")
    names = table["problem_id"].combine_chunks()

    def refuse(bad: Any, what: str) -> None:
        reading.refuse_rows(bad, 0, names, path, what)

    for column in _NEEDED:
        refuse(pc.is_null(table[column]), f"{column} is missing")
    epoch, n, n_correct = (vector(table[name]) for name in ("epoch", "n", "n_correct"))
    refuse(epoch < 0, "a negative epoch")
    refuse(n < 1, "n below 1 (an epoch without samples has no row)")
    refuse((n_correct < 0) | (n_correct > n), "n_correct outside 0..n")
    reading.refuse_doubled(table, ("problem_id", "epoch"), path)
    ids, number = reading.numbered(names, problems, path)
    counts = Counts()
    reward = np.full(len(n), np.nan)
    if "mean_reward" in table.schema.names:
        reward = vector(pc.fill_null(table["mean_reward"], np.nan)) * n
    counts.add(number, epoch, n, n_correct, reward)
    rows, curves = table.num_rows, counts.table(ids)
    return Imported(ids, curves, rows, rows, notes=reading.coverage(curves, len(ids)))
