"""Our evaluations, as pass rates before training: evals/…/{benchmark}.parquet of the base policy.

A problem's responses under one decoding make one epoch, for selectors that need pass rates only: a
choice without a scoring run, from samples of the base alone. The problem set stands in the study
twice, as a data set and as a benchmark with several samples; ids join them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from limr import importing, io
from limr.arrow import find
from limr.errors import InputError, nearest
from limr.importing import Imported
from limr.records import EVALUATIONS, Problem
from limr.tally import Tally

PROVIDES = "trajectories"
FILES = None
OPTIONS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "decoding": {
            "type": ["string", "null"],
            "default": None,
            "description": "The decoding whose responses count; null: the only one.",
        }
    },
    "additionalProperties": False,
}


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the pass rates of one decoding as trajectories of one epoch; rewards are NaN.

    Raises:
        InputError: not such a file, no rows, a missing value, no such decoding or several, a
            response that stands twice, or a problem that is not in `problems`.
    """
    path = importing.one(paths)
    table = io.read_parquet(path, EVALUATIONS).combine_chunks()
    decoding = _decoding(pc.unique(table["decoding"]).to_pylist(), options["decoding"], path)
    table = table.filter(pc.equal(table["decoding"], decoding)).combine_chunks()
    names = table["problem_id"].combine_chunks()
    for column in ("problem_id", "verdict"):
        missing = np.asarray(pc.is_null(table[column]))
        importing.refuse_rows(missing, 0, names, path, f"{column} is missing")
    importing.refuse_doubled(table, ("problem_id", "sample"), path)
    ids = importing.ids_of(problems)
    ids = pc.unique(names) if ids is None else ids
    number = find(names, ids)
    importing.refuse_rows(number < 0, 0, names, path, "a problem_id that is in no problem file")
    correct = np.array([verdict == "correct" for verdict in table["verdict"].to_pylist()])
    rows, tally = table.num_rows, Tally()
    one = np.ones(rows, np.int64)
    tally.add(number, one - 1, one, correct, np.full(rows, np.nan))
    notes = [f"{rows:,} responses, decoding '{decoding}'.", *importing.coverage(tally, len(ids))]
    return Imported(ids, rows, rows, (), notes, tally)


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
