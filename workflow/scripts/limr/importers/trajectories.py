"""Our own trajectories.parquet, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from limr import importing, io
from limr.records import TRAJECTORIES, Problem

PROVIDES = "trajectories"
OPTIONS: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}


def read(
    path: Path, problems: Sequence[Problem], options: Mapping[str, Any]
) -> tuple[pa.Table, list[str]]:
    """Return the table in the problems' order and notes on what was found.

    Raises:
        InputError: not such a file, a missing value, a negative epoch, n < 1, n_correct outside
            0..n, a (problem, epoch) that stands twice, or a problem that is not in `problems`.
    """
    table = io.read_parquet(path, TRAJECTORIES)
    importing.refuse_empty(table, path)
    for column in ("problem_id", "epoch", "n", "n_correct"):
        importing.refuse(table, pc.is_null(table[column]), path, f"{column} is missing")
    importing.refuse(table, pc.less(table["epoch"], 0), path, "a negative epoch")
    importing.refuse(
        table, pc.less(table["n"], 1), path, "n below 1 (an epoch without samples has no row)"
    )
    outside = pc.or_(pc.less(table["n_correct"], 0), pc.greater(table["n_correct"], table["n"]))
    importing.refuse(table, outside, path, "n_correct outside 0..n")
    importing.refuse_doubled(table, ("problem_id", "epoch"), path)
    return importing.in_problem_order(table, problems, path)
