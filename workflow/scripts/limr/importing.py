"""What every importer needs: checks that name the offending row, and the problems' order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from limr.errors import InputError
from limr.records import Problem


def refuse_empty(table: pa.Table, path: Path) -> None:
    """Refuse a table without rows.

    Raises:
        InputError: the table is empty.
    """
    if table.num_rows == 0:
        raise InputError(f"{path}: no rows in it.")


def refuse(table: pa.Table, bad: object, path: Path, what: str) -> None:
    """Refuse a table that has a row where `bad` (a boolean array) is true.

    Raises:
        InputError: with the number of such rows and the first of them (counted from 1).
    """
    number = pc.sum(bad).as_py() or 0
    if number:
        row = pc.index(bad, True).as_py()
        problem = table["problem_id"][row].as_py()
        raise InputError(
            f"{path}: {what} in {number} of {table.num_rows} rows, the first is row {row + 1} "
            f"(problem '{problem}')."
        )


def refuse_doubled(table: pa.Table, keys: Sequence[str], path: Path) -> None:
    """Refuse a table in which the same values of `keys` stand twice.

    Raises:
        InputError: with the first such values.
    """
    counts = table.select(keys).group_by(keys, use_threads=False).aggregate([([], "count_all")])
    doubled = counts.filter(pc.greater(counts["count_all"], 1))
    if doubled.num_rows:
        first = doubled.slice(0, 1).to_pylist()[0]
        where = ", ".join(f"{key} {first[key]!r}" for key in keys)
        raise InputError(
            f"{path}: {doubled.num_rows} combinations of ({', '.join(keys)}) stand twice or more, "
            f"the first is {where}. Was a resumed run appended to an earlier one?"
        )


def in_problem_order(
    table: pa.Table, problems: Sequence[Problem], path: Path
) -> tuple[pa.Table, list[str]]:
    """Return trajectories sorted by the problems' order, then epoch, and notes.

    Raises:
        InputError: a problem_id is not among the problems.
    """
    ids = pa.array([problem.problem_id for problem in problems], pa.string())
    rank = pc.index_in(table["problem_id"], ids)
    refuse(table, pc.is_null(rank), path, "a problem_id that is in no problem file")
    ordered = table.append_column("rank", rank).sort_by(
        [("rank", "ascending"), ("epoch", "ascending")]
    )
    ordered = ordered.drop_columns(["rank"]).combine_chunks()
    n_epochs = pc.max(table["epoch"]).as_py() + 1
    n_seen = pc.count_distinct(table["problem_id"]).as_py()
    notes = [f"{n_seen} of {len(problems)} problems were sampled, over {n_epochs} epochs."]
    gaps = n_seen * n_epochs - table.num_rows
    if gaps:
        notes.append(f"{gaps} of {n_seen * n_epochs} (problem, epoch) pairs have no samples.")
    return ordered, notes
