"""The rollouts of a log that count, and their responses, read again when they are wanted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.trajectories import records
from limr.trajectories.batch import Values, decoded
from limr.trajectories.curves import Flags, Floats
from limr.trajectories.json_records import Expand
from limr.trajectories.log_files import LogFile

Places = npt.NDArray[np.int64]


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
        columns = {name: self.taken[name] for name in ("response", "gold") if name in self.taken}
        if "response" not in columns:
            return
        among = np.arange(len(self.row)) if wanted is None else np.flatnonzero(wanted)
        for place, file in enumerate(self.files):
            mine = among[self.file[among] == place]
            if not len(mine):
                continue
            mine = mine[np.argsort(self.row[mine], kind="stable")]
            rows = self.row[mine]
            for batch in records.batches(file, columns, self.expand):
                at = np.searchsorted(rows, batch.rows)
                at = np.minimum(at, len(rows) - 1)
                here = np.flatnonzero(rows[at] == batch.rows)
                if len(here):
                    yield (
                        mine[at[here]],
                        _texts(batch.columns["response"], here),
                        _texts(batch.columns["gold"], here)
                        if "gold" in columns
                        else [None] * len(here),
                    )


def _texts(values: Values, rows: Places) -> list[str | None]:
    listed = values if isinstance(values, list) else values.take(rows).to_pylist()
    chosen = [values[row] for row in rows] if isinstance(values, list) else listed
    return [_text(value) for value in chosen]


def _text(value: Any) -> str | None:
    text = decoded(value)
    if isinstance(text, list) and text:
        text = text[-1].get("content") if isinstance(text[-1], Mapping) else text[-1]
    return text if isinstance(text, str) or text is None else str(text)
