"""The rollouts of a log that count, and their responses, read again when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from limr.trajectories import records
from limr.trajectories.batch import Values
from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.json_records import Expand
from limr.trajectories.log import Log, Places
from limr.trajectories.log_files import LogFile
from limr.trajectories.verdicts import Verdicts


class Rollouts:
    """Rows that count, in the order of training.

    Attributes:
        files: the log's files.
        taken: canonical name -> the log's column.
        expand: see `limr.trajectories.records.batches`.
    """

    def __init__(
        self, log: Log, expand: Expand | None, verdicts: Verdicts, problem: Ints, visit: Ints
    ) -> None:
        """Hold what is known of the rows; what is said per row is made when it is asked for.

        Args:
            log: the rows.
            expand: see the class.
            verdicts: of the rows.
            problem: (n_blocks,) places of the blocks' problems.
            visit: (n_blocks,) their visits, from 0; -1: they do not count.
        """
        self.files, self.taken, self.expand = log.files, log.taken, expand
        self._log, self._verdicts, self._problem, self._visit = log, verdicts, problem, visit

    @cached_property
    def _counts(self) -> Flags:
        found: Flags = self._verdicts.usable & self._log.per_row(self._visit >= 0)
        return found

    def _those(self, of_blocks: Any) -> Any:
        return self._log.per_row(of_blocks)[self._counts]

    @cached_property
    def file(self) -> Places:
        """(n_rows,) place of the row's file."""
        found: Places = self._those(self._log.file)
        return found

    @cached_property
    def row(self) -> Places:
        """(n_rows,) number of the row in it, from 1."""
        first = self._log.per_row(self._log.row - self._log.starts)
        return np.asarray((first + np.arange(len(first)))[self._counts])

    @cached_property
    def problem(self) -> Places:
        """(n_rows,) place of its problem."""
        found: Places = self._those(self._problem)
        return found

    @cached_property
    def visit(self) -> Places:
        """(n_rows,) its visit, from 0."""
        found: Places = self._those(self._visit)
        return found

    @cached_property
    def correct(self) -> Flags:
        """(n_rows,) whether the trainer took it for correct."""
        return self._verdicts.correct[self._counts]

    @cached_property
    def reward(self) -> Floats:
        """(n_rows,) its reward; NaN where the log has none."""
        reward = self._verdicts.reward
        if reward is None:
            return np.full(len(self.row), np.nan)
        return reward.row_values[self._counts]

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
    file: Places,
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
    """Return (n,) equal numbers for equal responses of a log's rows; 0 where there is none.

    Args:
        log: the rows, each in a block of its own.
        expand: see `Rollouts`.
        rows: (n,) their places.
    """
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
