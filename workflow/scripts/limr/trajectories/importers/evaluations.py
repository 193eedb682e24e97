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

import pyarrow.compute as pc

from limr.core import files
from limr.core.errors import InputError, nearest
from limr.core.tables import EVALUATIONS, Problem
from limr.core.validation import Keys, key
from limr.trajectories import pass_rates, reading
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = None


class Options(Keys):
    """Keys of an entry of `trajectories`."""

    decoding: str | None = key(None, "The decoding whose responses count; null: the only one.")


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the pass rates of one decoding as trajectories of one epoch; rewards are NaN.

    Raises:
        InputError: not such a file, no rows, a missing value, no such decoding or several, a
            response that occurs twice, or a problem that is not in `problems`.
    """
    path = reading.one(paths)
    table = files.read_parquet(path, EVALUATIONS).combine_chunks()
    decoding = _decoding(pc.unique(table["decoding"]).to_pylist(), options["decoding"], path)
    table = table.filter(pc.equal(table["decoding"], decoding)).combine_chunks()
    found = pass_rates.as_epoch(table, ("problem_id", "sample"), problems, path)
    note = f"{table.num_rows:,} responses, decoding '{decoding}'."
    return replace(found, notes=[note, *found.notes])


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
