"""A log in memory: a few numbers per block of rows, whatever the trainer, and where each row is.

A block is what follows each other in a file and is alike but for its rewards: mostly the samples of
one prompt. Texts are kept once each (prompts), or as a hash (groups).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from limr.trajectories.curves import Flags, Ints
from limr.trajectories.log_files import LogFile
from limr.trajectories.numbers import Numbers

Places: TypeAlias = Ints
OF_BLOCKS = ("file", "row", "n", "prompt", "name", "step", "group", "rollout")
# Sums of so many binary digits do not depend on their order.
_EXACT = 2.0**10


@dataclass(frozen=True)
class Column(Numbers):
    """A column of numbers, as the log has it.

    Attributes:
        met: value as the log writes it -> rows of the whole log; empty where there are too many
            different ones.
    """

    met: Counter[str]

    def of(self, rows: Any) -> Column:
        """Return some rows; `met` stays as it is."""
        return Column(self.codes[rows], self.values, self.kinds, self.shown, self.met)


@dataclass
class Log:
    """The rows of a log, in the order in which they were read.

    Attributes:
        files: the files.
        file: (n_blocks,) place of the block's file.
        row: (n_blocks,) number of its first row in it, from 1.
        n: (n_blocks,) its rows.
        prompts: each distinct (text, gold answer or None), in order of appearance.
        prompt: (n_blocks,) place in `prompts`.
        names: each distinct id of a problem that the log gives; empty where it gives none.
        name: (n_blocks,) place in `names`; None where the log gives none.
        step: (n_blocks,) the step that the rows say; None where rows say none.
        group: (n_blocks,) equal for the samples of one prompt at one time; 0 unknown; None: no such
            column.
        rollout: (n_blocks,) equal for the rows of one rollout; None as above. Where there is such a
            column each block is one row.
        reward: (n_rows,) the reward; None where the log has none.
        correct: (n_rows,) what the log itself says of correctness; None where it says nothing.
        taken: canonical name -> the log's column.
        broken: rows that could not be read: (file, row, why).
    """

    files: Sequence[LogFile]
    file: npt.NDArray[np.int32]
    row: Places
    n: Places
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
        """Return the number of blocks."""
        return len(self.prompt)

    @cached_property
    def starts(self) -> Places:
        """(n_blocks,) place of each block's first row among all rows."""
        return self._before(self.n)

    @staticmethod
    def _before(n: Places) -> Places:
        return np.asarray(np.cumsum(n, dtype=np.int64) - n)

    def rows(self, blocks: Flags | None = None) -> int:
        """Return the number of rows, of some blocks or of all."""
        return int((self.n if blocks is None else self.n[blocks]).sum())

    def per_row(self, values: Any) -> Any:
        """Return (n_rows,) of (n_blocks,) values."""
        return values if len(values) == self.rows() else np.repeat(values, self.n)

    def sums(self, column: Column, values: npt.NDArray[Any]) -> Any:
        """Return (n_blocks,) sums of a value per row.

        Args:
            column: which value a row has.
            values: (n_values,) what each counts. Floats are added in the order of the rows, unless
                the order makes no difference.
        """
        if not len(self):
            return np.zeros(0, values.dtype)
        per_row = values[column.codes]
        if len(per_row) == len(self):
            return np.asarray(per_row, np.int64 if values.dtype == bool else None)
        if values.dtype == bool:
            return np.add.reduceat(per_row, self.starts, dtype=np.int64)
        if (values * _EXACT == np.rint(values * _EXACT)).all() and np.abs(values).max() < _EXACT:
            return np.add.reduceat(per_row, self.starts)
        return np.bincount(self.per_row(np.arange(len(self))), weights=per_row)

    def where(self, block: int, row: int = 0) -> str:
        """Return where a block's row is, by its place in the block, for messages."""
        return place(self.files[int(self.file[block])], int(self.row[block]) + row)

    def where_row(self, row: int) -> str:
        """Return where a row is, by its place among all rows."""
        block = int(np.searchsorted(self.starts, row, side="right")) - 1
        return self.where(block, row - int(self.starts[block]))

    def file_numbers(self) -> Places:
        """Return (n_blocks,) the number in the name of each file; -1 where there is none."""
        numbers = np.array([-1 if f.number is None else f.number for f in self.files], np.int64)
        found: Places = numbers[self.file]
        return found

    def kept(self, blocks: Flags | Places) -> Log:
        """Return the log with some blocks only, or in another order."""
        part = self._fields()
        if len(self) == self.rows():
            rows: Any = blocks
        elif blocks.dtype == bool:
            rows = np.repeat(blocks, self.n)
        else:
            n = self.n[blocks]
            rows = np.repeat(self.starts[blocks] - self._before(n), n) + np.arange(n.sum())
        for name in OF_BLOCKS:
            if part[name] is not None:
                part[name] = part[name][blocks]
        for name in ("reward", "correct"):
            if part[name] is not None:
                part[name] = part[name].of(rows)
        return Log(**part)

    def single(self) -> Log:
        """Return the log with a block for each row."""
        if len(self) == self.rows():
            return self
        part = self._fields()
        within = np.arange(self.rows()) - self.per_row(self.starts)
        for name in OF_BLOCKS:
            if part[name] is not None:
                part[name] = self.per_row(part[name])
        part["row"] = part["row"] + within
        part["n"] = np.ones(len(within), np.int64)
        return Log(**part)

    def compacted(self) -> Log:
        """Return the log without prompts and names that no row has."""
        part = self._fields()
        used, part["prompt"] = _used(self.prompt)
        part["prompts"] = [self.prompts[at] for at in used]
        if self.name is not None and (self.name >= 0).all():
            used, part["name"] = _used(self.name)
            part["names"] = [self.names[at] for at in used]
        return Log(**part)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in Log.__dataclass_fields__}


def _used(places: Places) -> tuple[list[int], Places]:
    """Return the places that occur, in order, and (n,) where each is among them."""
    there = np.bincount(places) > 0
    return np.flatnonzero(there).tolist(), (np.cumsum(there) - 1)[places]


def place(file: LogFile, row: int) -> str:
    """Return where a row of a file is: its line, or its number."""
    return f"{file.name}:{row}" if file.kind == "jsonl" else f"{file.name}: row {row}"
