"""Our evaluations, as pass rates before training: evals/…/{benchmark}.parquet of the base policy.

A problem's responses under one decoding make one epoch, for selectors that need pass rates only: a
choice without a scoring run, from samples of the base alone. The study has the problem set twice,
as a data set and as a benchmark with several samples; ids join them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from limr.core import files
from limr.core.errors import InputError, nearest
from limr.core.tables import EVALUATIONS, Problem
from limr.core.validation import Keys, key
from limr.trajectories import reading
from limr.trajectories.counts import Counts
from limr.trajectories.reading import Imported
from limr.trajectories.records import Sample

PROVIDES = "trajectories"
FILES = None


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    decoding: str | None = key(None, "The decoding whose responses count; null: the only one.")


def recognises(sample: Sample) -> bool:
    """Tell whether a file is a parquet table of evaluations."""
    columns = ("problem_id", "decoding", "sample", "verdict")
    return sample.file.kind == "parquet" and sample.has(*columns)


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the pass rates of one decoding as trajectories of one epoch; rewards are NaN.

    Raises:
        InputError: see `pass_rates`.
    """
    path = reading.one(paths)
    table = files.read_parquet(path, EVALUATIONS).combine_chunks()
    decoding = _decoding(pc.unique(table["decoding"]).to_pylist(), options["decoding"], path)
    found = pass_rates(table.filter(pc.equal(table["decoding"], decoding)), problems, path)
    note = f"{found.rows_read:,} responses, decoding '{decoding}'."
    return replace(found, notes=[note, *found.notes])


def pass_rates(table: pa.Table, problems: Sequence[Problem] | None, path: Path) -> Imported:
    """Return responses of one decoding as trajectories of one epoch; rewards are NaN.

    Args:
        table: as in `limr.core.tables.EVALUATIONS`.
        problems: the problems; None: those that the table names.
        path: its file, for messages.

    Raises:
        InputError: no rows, a missing id or verdict, a response that occurs twice, or a problem
            that is not in `problems`.
    """
    if not table.num_rows:
        raise InputError(f"{path}: no rows in it.")
    names = table["problem_id"].combine_chunks()
    for column in ("problem_id", "verdict"):
        reading.refuse_rows(pc.is_null(table[column]), 0, names, path, f"{column} is missing")
    reading.refuse_doubled(table, ("problem_id", "decoding", "sample"), path)
    ids, number = reading.numbered(names, problems, path)
    correct = np.asarray(pc.equal(table["verdict"].cast("string"), "correct"))
    rows, counts = table.num_rows, Counts()
    one = np.ones(rows, np.int64)
    counts.add(number, one - 1, one, correct, np.full(rows, np.nan))
    curves = counts.table(ids)
    return Imported(ids, curves, rows, rows, notes=reading.coverage(curves, len(ids)))


def _decoding(known: list[str], wanted: str | None, path: Path) -> str:
    if not known:
        raise InputError(f"{path}: no rows in it.")
    if wanted is None and len(known) > 1:
        raise InputError(
            f"{path}: {len(known)} decodings in it ({', '.join(known)}): name one (`decoding`)."
        )
    if wanted is not None and wanted not in known:
        raise InputError(f"{path}: no decoding '{wanted}' in it.{nearest(wanted, known)}")
    return wanted or known[0]
