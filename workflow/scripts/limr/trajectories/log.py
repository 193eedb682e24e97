"""A log in memory: a few numbers per row, whatever the trainer, and where each row is.

Texts are kept once each (prompts), or as a hash (groups); 30 to 60 bytes per row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from limr.trajectories.curves import Flags, Floats, Ints
from limr.trajectories.log_files import LogFile

Places: TypeAlias = Ints


@dataclass
class Column:
    """A column of numbers, as the log has it.

    Attributes:
        values: (n_rows,) numbers; NaN where there is none.
        kinds: (n_rows,) what each is: `NUMBER`, `MISSING`, `NOT_FINITE`, `OTHER`.
        met: value as the log writes it -> rows; empty where there are too many different ones.
    """

    values: Floats
    kinds: npt.NDArray[np.int8]
    met: Counter[str]


@dataclass
class Log:
    """The rows of a log, in the order in which they were read.

    Attributes:
        files: the files.
        file: (n_rows,) place of the row's file.
        row: (n_rows,) number of the row in it, from 1.
        prompts: each distinct (text, gold answer or None), in order of appearance.
        prompt: (n_rows,) place in `prompts`.
        names: each distinct id of a problem that the log gives; empty where it gives none.
        name: (n_rows,) place in `names`; None where the log gives none.
        step: (n_rows,) the step that the row says; None where rows say none.
        group: (n_rows,) equal for the samples of one prompt at one time; 0 unknown; None: no such
            column.
        rollout: (n_rows,) equal for the rows of one rollout; None as above.
        reward: the reward; None where the log has none.
        correct: what the log itself says of correctness; None where it says nothing.
        taken: canonical name -> the log's column.
        broken: rows that could not be read: (file, row, why).
    """

    files: Sequence[LogFile]
    file: npt.NDArray[np.int32]
    row: Places
    prompts: list[tuple[str, str | None]]
    prompt: Places
    names: list[str]
    name: Places | None
    step: Places | None
    group: Places | None
    rollout: Places | None
    reward: Column | None
    correct: Column | None
    taken: Mapping[str, str]
    broken: list[tuple[int, int, str]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.prompt)

    def where(self, row: int) -> str:
        """Return where a row is, for messages."""
        file = self.files[int(self.file[row])]
        return place(file, int(self.row[row]))

    def file_numbers(self) -> Places:
        """Return (n_rows,) the number in the name of each row's file; -1 where there is none."""
        numbers = np.array([-1 if f.number is None else f.number for f in self.files], np.int64)
        found: Places = numbers[self.file]
        return found

    def kept(self, rows: Flags | Places) -> Log:
        """Return the log with some rows only, or in another order."""
        part: dict[str, Any] = dict(vars(self))
        for name in ("file", "row", "prompt", "name", "step", "group", "rollout"):
            if part[name] is not None:
                part[name] = part[name][rows]
        for name in ("reward", "correct"):
            column = part[name]
            if column is not None:
                part[name] = Column(column.values[rows], column.kinds[rows], column.met)
        return Log(**part)

    def compacted(self) -> Log:
        """Return the log without prompts and names that no row has."""
        part: dict[str, Any] = dict(vars(self))
        used, part["prompt"] = _used(self.prompt)
        part["prompts"] = [self.prompts[at] for at in used]
        if self.name is not None and (self.name >= 0).all():
            used, part["name"] = _used(self.name)
            part["names"] = [self.names[at] for at in used]
        return Log(**part)


def _used(places: Places) -> tuple[list[int], Places]:
    """Return the places that occur, in order, and (n_rows,) where each is among them."""
    there = np.bincount(places) > 0
    return np.flatnonzero(there).tolist(), (np.cumsum(there) - 1)[places]


def place(file: LogFile, row: int) -> str:
    """Return where a row of a file is: its line, or its number."""
    return f"{file.name}:{row}" if file.kind == "jsonl" else f"{file.name}: row {row}"
