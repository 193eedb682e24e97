"""The rollouts of a log that count, and their responses, read again when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.trajectories import records
from limr.trajectories.batch import Values
from limr.trajectories.curves import Flags, Floats
from limr.trajectories.json_records import Expand
from limr.trajectories.log import Log, Places
from limr.trajectories.log_files import LogFile


@dataclass(frozen=True)
class Rollouts:
    """Rows that count, in the order of training.

    Attributes:
        files: the log's files.
        taken: canonical name -> the log's column.
        expand: see `limr.trajectories.records.batches`.
        file: (n_rows,) place of the row's file.
        row: (n_rows,) number of the row in it, from 1.
        problem: (n_rows,) place of its problem.
        visit: (n_rows,) its visit, from 0.
        correct: (n_rows,) whether the trainer took it for correct.
        reward: (n_rows,) its reward; NaN where the log has none.
    """

    files: Sequence[LogFile]
    taken: Mapping[str, str]
    expand: Expand | None
    file: npt.NDArray[np.int32]
    row: Places
    problem: Places
    visit: Places
    correct: Flags
    reward: Floats

    def texts(
        self, wanted: Flags | None = None
    ) -> Iterator[tuple[Places, list[str | None], list[str | None]]]:
        """Yield (places among the rows, their responses, their gold answers), a batch at a time.

        Args:
            wanted: (n_rows,) which rows; None: all. A response that is no text (chat messages) is
                the text of its last message; None where there is none.
        """
        rows = np.arange(len(self.row)) if wanted is None else np.flatnonzero(wanted)
        at = texts(self.files, self.taken, self.expand, self.file[rows], self.row[rows])
        for places, responses, golds in at:
            yield rows[places], responses, golds


def texts(
    files: Sequence[LogFile],
    taken: Mapping[str, str],
    expand: Expand | None,
    file: npt.NDArray[np.int32],
    row: Places,
) -> Iterator[tuple[Places, list[str | None], list[str | None]]]:
    """Yield (places among the rows, their responses, their gold answers), a batch at a time.

    Args:
        files: see `Rollouts`.
        taken: see `Rollouts`.
        expand: see `Rollouts`.
        file: (n_rows,) places of the files of the wanted rows.
        row: (n_rows,) their numbers in them.
    """
    columns = {name: taken[name] for name in ("response", "gold") if name in taken}
    if "response" not in columns:
        return
    for place in np.unique(file):
        mine = np.flatnonzero(file == place)
        mine = mine[np.argsort(row[mine], kind="stable")]
        rows = row[mine]
        for batch in records.batches(files[place], columns, expand):
            at = np.minimum(np.searchsorted(rows, batch.rows), len(rows) - 1)
            here = np.flatnonzero(rows[at] == batch.rows)
            if len(here):
                golds = batch.columns.get("gold", [None] * len(batch.rows))
                yield mine[at[here]], _texts(batch.columns["response"], here), _texts(golds, here)


def response_hashes(log: Log, expand: Expand | None, rows: Places) -> Places:
    """Return (n_rows,) equal numbers for equal responses of a log's rows; 0 where there is none."""
    found = np.zeros(len(rows), np.int64)
    for places, responses, _ in texts(log.files, log.taken, expand, log.file[rows], log.row[rows]):
        found[places] = [hash(text) for text in responses]
    return found


def _texts(values: Values, rows: Places) -> list[str | None]:
    listed = (
        [values[row] for row in rows] if isinstance(values, list) else values.take(rows).to_pylist()
    )
    return [_text(value) for value in listed]


def _text(value: Any) -> str | None:
    if isinstance(value, list) and value:
        value = value[-1].get("content") if isinstance(value[-1], Mapping) else value[-1]
    return value if isinstance(value, str) or value is None else str(value)
