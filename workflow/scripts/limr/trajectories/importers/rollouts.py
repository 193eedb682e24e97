"""Our rollouts.parquet to learning curves: accuracy by problem and epoch, in one pass.

Rows are read a batch at a time, the responses never; memory grows with problems x epochs, not with
rows. Correctness comes from the verdict, never from the reward. All samples of a problem within an
epoch count together, as in the paper's code.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from limr.core import files, progress
from limr.core.arrow import filled, find, strings, vector
from limr.core.errors import InputError
from limr.core.tables import ROLLOUTS, VERDICTS, Problem
from limr.trajectories import reading
from limr.trajectories.counts import Tally
from limr.trajectories.curves import Flags, Ints
from limr.trajectories.duplicates import DoubledRows, Visits
from limr.trajectories.reading import Imported

PROVIDES = "trajectories"
FILES = None
OPTIONS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "rewards": {
            "type": ["array", "null"],
            "minItems": 1,
            "items": {"type": "number"},
            "default": None,
            "description": (
                "The rewards that the run's rule gives; any other is refused. null: any finite "
                "number."
            ),
        }
    },
    "additionalProperties": False,
}

COLUMNS = ("problem_id", "step", "epoch", "sample", "reward", "verdict")
_BATCH = 1 << 20


@dataclass(frozen=True)
class _Batch:
    """Rows of a file as arrays; `first_row` counts from 0."""

    first_row: int
    ids: pa.DictionaryArray
    step: Ints
    epoch: Ints
    sample: Ints
    reward: Any
    verdict: pa.DictionaryArray


class _Ids:
    """Numbers for problem ids: the given problems', or new ones as they come."""

    def __init__(self, given: pa.Array | None) -> None:
        self.grows = given is None
        self.ids = strings([]) if given is None else given
        self._last: tuple[pa.Array, Ints] | None = None

    def number(self, values: pa.Array) -> Ints:
        """Return (n_values,) numbers of problems; -1 where an id is none's."""
        values = values.cast(pa.string())
        if self._last is None or not self._last[0].equals(values):  # batches share dictionaries
            self._last = (values, self._look_up(values))
        return self._last[1]

    def _look_up(self, values: pa.Array) -> Ints:
        found = pc.index_in(values, self.ids)
        if not self.grows or not found.null_count:
            return filled(found)
        new = pc.unique(values.filter(pc.is_null(found)))
        numbers = np.where(filled(found) < 0, find(values, new) + len(self.ids), filled(found))
        self.ids = pa.concat_arrays([self.ids, new])
        return numbers


def read(
    paths: Sequence[Path], problems: Sequence[Problem] | None, options: Mapping[str, Any]
) -> Imported:
    """Return the trajectories of a run.

    Args:
        paths: the one file, as in `limr.core.tables.ROLLOUTS`.
        problems: the problems that were trained on; None: those that the file names.
        options: see `OPTIONS`.

    Raises:
        InputError: not such a file, a missing value, a negative epoch or step, a reward that is not
            finite or not the rule's, an unknown verdict, a (problem, step, sample) that stands
            twice, or a problem that is not in `problems`.
    """
    path = reading.one(paths)
    ids, tally, doubled = _Ids(reading.ids_of(problems)), Tally(), DoubledRows(path)
    rows = 0
    for batch in progress.ahead(_batches(path)):
        visits, rises = _visits(batch, ids, path)
        correct = _correct(batch, path)
        reward = np.add.reduceat(batch.reward, visits.start, dtype=np.float64)
        _check(batch, visits, reward, path, options["rewards"])
        doubled.add(visits, batch.sample, rises, ids.ids)
        n_correct = np.add.reduceat(correct, visits.start, dtype=np.int32)
        tally.add(visits.problem, batch.epoch[visits.start], visits.n, n_correct, reward)
        rows += len(correct)
    if not rows:
        raise InputError(f"{path}: no rows in it.")
    if doubled.unordered:
        doubled.check_in_memory((_row_keys(batch, ids) for batch in _batches(path)), ids.ids)
    return Imported(ids.ids, rows, rows, (), reading.coverage(tally, len(ids.ids)), tally)


def _row_keys(batch: _Batch, ids: _Ids) -> tuple[Ints, Ints, Ints]:
    number = ids.number(batch.ids.dictionary)[_codes(batch.ids)]
    return number, batch.step, batch.sample


def _visits(batch: _Batch, ids: _Ids, path: Path) -> tuple[Visits, bool]:
    """Return the batch's visits, and whether samples rise within each.

    Raises:
        InputError: a problem that is not among the given ones.
    """
    codes = _codes(batch.ids)
    begins = np.empty(len(codes), bool)
    begins[0] = True
    np.not_equal(codes[1:], codes[:-1], out=begins[1:])
    begins[1:] |= batch.step[1:] != batch.step[:-1]
    begins[1:] |= batch.epoch[1:] != batch.epoch[:-1]
    start = np.flatnonzero(begins)
    number = ids.number(batch.ids.dictionary)[codes[start]]
    n = np.diff(start, append=len(codes))
    if number.min() < 0:
        bad = np.repeat(number < 0, n)
        what = "a problem_id that is in no problem file"
        reading.refuse_rows(bad, batch.first_row, batch.ids, path, what)
    rises = bool((begins[1:] | (batch.sample[1:] > batch.sample[:-1])).all())
    return Visits(start, n, number, batch.step[start]), rises


def _codes(values: pa.DictionaryArray) -> Any:
    """Return (n_rows,) places in the dictionary."""
    return vector(values.indices)


def _batches(path: Path) -> Iterator[_Batch]:
    """Yield a file's rows.

    Raises:
        InputError: not a readable file of rollouts, or a value is missing.
    """
    files.check_parquet(path, ROLLOUTS, COLUMNS)
    first = 0
    try:
        file = pq.ParquetFile(path, read_dictionary=["problem_id", "verdict"], memory_map=True)
        with progress.bar(file.metadata.num_rows, "rollouts") as shown:
            for batch in file.iter_batches(_BATCH, columns=list(COLUMNS)):
                if batch.num_rows:
                    yield _arrays(batch, first, path)
                first += batch.num_rows
                shown.update(batch.num_rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: not a readable parquet table of this kind ({error}), after {first} rows."
        ) from None


def _arrays(batch: pa.RecordBatch, first: int, path: Path) -> _Batch:
    columns: dict[str, Any] = {}
    for name in COLUMNS:
        column = batch.column(name)
        if column.null_count:
            bad = column.is_null().to_numpy(zero_copy_only=False)
            reading.refuse_rows(bad, first, batch.column("problem_id"), path, f"{name} is missing")
        if name in ("problem_id", "verdict"):
            columns[name] = column if hasattr(column, "dictionary") else column.dictionary_encode()
        else:
            columns[name] = vector(column.cast(ROLLOUTS.field(name).type))
    return _Batch(
        first,
        columns["problem_id"],
        columns["step"],
        columns["epoch"],
        columns["sample"],
        columns["reward"],
        columns["verdict"],
    )


def _check(
    batch: _Batch, visits: Visits, reward: Any, path: Path, rewards: Sequence[float] | None
) -> None:
    """Refuse numbers that cannot be; whole visits are looked at, rows only where one is wrong.

    Raises:
        InputError: see `read`.
    """

    def refuse(bad: Any, what: str) -> None:
        reading.refuse_rows(bad, batch.first_row, batch.ids, path, what)

    epoch = batch.epoch[visits.start]
    for name, of_visits, of_rows in (
        ("step", visits.step, batch.step),
        ("epoch", epoch, batch.epoch),
        ("sample", batch.sample, batch.sample),
    ):
        if of_visits.min() < 0:
            refuse(of_rows < 0, f"a negative {name}")
    if not np.isfinite(reward).all():  # a sum is finite only where all its terms are
        refuse(~np.isfinite(batch.reward), "a reward that is not a finite number")
    if rewards is not None:
        allowed = np.isin(batch.reward, np.array(rewards, np.float32))
        refuse(~allowed, f"a reward that is none of {list(rewards)}")


def _correct(batch: _Batch, path: Path) -> Flags:
    """Return (n_rows,) whether a response is correct.

    Raises:
        InputError: an unknown verdict.
    """
    verdicts = batch.verdict.dictionary.to_pylist()
    known = np.array([verdict in VERDICTS for verdict in verdicts], bool)
    codes = _codes(batch.verdict)
    if not known.all():
        what = f"a verdict that is none of {VERDICTS}"
        reading.refuse_rows(~known[codes], batch.first_row, batch.ids, path, what)
    correct: Flags = np.array([verdict == "correct" for verdict in verdicts], bool)[codes]
    return correct
