"""What every importer gives, and the checks that name the offending row."""

from __future__ import annotations

import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from limr.core.arrow import strings
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories.counts import Tally
from limr.trajectories.curves import Samples

# A JSON document is read whole; a larger one is refused before it fills the memory.
LARGEST_JSON = 2 * 2**30
_SHORT = 4096
UNKNOWN_PROMPT = "its prompt is in no problem file"
BAD_ROWS = {
    "enum": ["refuse", "leave-out"],
    "default": "refuse",
    "description": (
        "What to do with rows that cannot be used (a prompt in no problem file, a reward that the "
        "rule does not know, a broken row): refuse the log, naming the first, or leave them out "
        "and count them by reason."
    ),
}


@dataclass(frozen=True)
class Refused:
    """Rows that were left out: why, how many, and where the first of them stands."""

    reason: str
    rows: int
    first: str


@dataclass(frozen=True)
class Imported:
    """What was read from a log.

    Attributes:
        problem_ids: the problems, in order: those that were given, else those that the log names.
        rows_read: rows of the log.
        rows_joined: rows that belong to one of the problems and were counted.
        refused: rows that were left out, by reason.
        notes: what else was noticed, one sentence each.
        tally: the samples, where the log has learning curves.
        scores: `limr.core.tables.SCORES`, where it has scores.
        prompts: the text behind each id, where ids were made from texts.
    """

    problem_ids: pa.Array
    rows_read: int
    rows_joined: int
    refused: tuple[Refused, ...] = ()
    notes: Sequence[str] = ()
    tally: Tally = field(default_factory=Tally)
    scores: pa.Table | None = None
    prompts: Sequence[str] = ()

    @cached_property
    def samples(self) -> Samples:
        """The samples as matrices."""
        return self.tally.samples(len(self.problem_ids))

    @property
    def table(self) -> pa.Table:
        """The scores, or the trajectories: what the importer provides."""
        return self.tally.table(self.problem_ids) if self.scores is None else self.scores

    def report(self) -> list[str]:
        """Return in sentences what was read, left out, joined and noticed."""
        left = self.rows_read - self.rows_joined
        lines = [
            f"{self.rows_read:,} rows read, {self.rows_joined:,} joined to problems"
            + (f", {left:,} left out." if left else ".")
        ]
        lines += [f"  {r.rows:,} left out: {r.reason}; the first: {r.first}." for r in self.refused]
        return [*lines, *self.notes]


class Refusals:
    """Collects rows that cannot be used, or refuses the log at the first of them."""

    def __init__(self, rule: str) -> None:
        self.rule = rule
        self._found: dict[str, list[Any]] = {}

    def add(self, reason: str, rows: int, first: str, hint: str = "") -> None:
        """Note unusable rows.

        Raises:
            InputError: the rule is to refuse.
        """
        if self.rule == "refuse":
            raise InputError(
                f"{first}: {reason}{f' ({rows} such rows in this part)' if rows > 1 else ''}. "
                f"{hint}{' ' if hint else ''}`bad_rows: leave-out` leaves such rows out and counts "
                "them."
            )
        entry = self._found.setdefault(reason, [0, first])
        entry[0] += rows

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What was left out, by reason."""
        return tuple(Refused(reason, n, first) for reason, (n, first) in self._found.items())


def one(paths: Sequence[Path]) -> Path:
    """Return the one file of a format that is one file.

    Raises:
        InputError: there are several.
    """
    if len(paths) != 1:
        raise InputError(f"{paths[0]}: this format is one file, {len(paths)} were given.")
    return paths[0]


def document(path: Path) -> mmap.mmap:
    """Return a JSON document, mapped into memory: nothing is copied but what is kept of it.

    Raises:
        InputError: missing, empty, or larger than `LARGEST_JSON`.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST_JSON:
            raise InputError(
                f"{path}: {size / 1e9:.1f} GB in one JSON document; at most "
                f"{LARGEST_JSON / 1e9:.1f} GB are read whole. Write one file a step, JSON "
                "lines, or parquet."
            )
        with path.open("rb") as file:
            if not size or (size < _SHORT and not file.read().strip()):
                raise InputError(f"{path}: the file is empty.")
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file.") from None


def ids_of(problems: Sequence[Problem] | None) -> pa.Array | None:
    """Return the ids of problems, in order."""
    return None if problems is None else strings([p.problem_id for p in problems])


def refuse_rows(bad: Any, first_row: int, ids: pa.Array, path: Path, what: str) -> None:
    """Refuse rows where `bad` is true.

    Args:
        bad: (n_rows,) flags.
        first_row: number of the first of these rows in the file, from 0.
        ids: (n_rows,) problem_id, for the message.
        path: the file.
        what: what is wrong.

    Raises:
        InputError: with the number of such rows and the first of them (counted from 1).
    """
    number = int(np.count_nonzero(bad))
    if number:
        row = int(np.argmax(bad))
        raise InputError(
            f"{path}: {what} in {number} of {len(bad)} rows, the first is row "
            f"{first_row + row + 1} (problem '{ids[row].as_py()}')."
        )


def refuse_doubled(table: pa.Table, keys: Sequence[str], path: Path) -> None:
    """Refuse a table in which the same values of `keys` stand twice.

    Raises:
        InputError: with the first such values.
    """
    counts = table.select(keys).group_by(keys, use_threads=False).aggregate([([], "count_all")])
    doubled = counts.filter(pc.greater(counts["count_all"], 1))
    if doubled.num_rows:
        raise doubled_error(path, doubled.num_rows, doubled.slice(0, 1).to_pylist()[0], keys)


def doubled_error(
    path: Path, number: int, first: Mapping[str, Any], keys: Sequence[str]
) -> InputError:
    """Return the error for rows that stand twice."""
    where = ", ".join(f"{key} {first[key]!r}" for key in keys)
    return InputError(
        f"{path}: {number} combinations of ({', '.join(keys)}) stand twice or more, the first is "
        f"{where}. Was a resumed run appended to an earlier one?"
    )


def coverage(tally: Tally, n_problems: int) -> list[str]:
    """Return notes on how many problems and epochs were sampled, and how evenly.

    Raises:
        InputError: nothing was counted.
    """
    seen = np.zeros(n_problems, bool)
    sizes: dict[int, int] = {}
    for n in tally.sampled():
        seen[: len(n)] |= n[:n_problems] > 0
        for size, count in enumerate(np.bincount(n)):
            if size and count:
                sizes[size] = sizes.get(size, 0) + int(count)
    if not sizes:
        raise InputError("no row of the log belongs to any of the problems.")
    n_seen, n_pairs = int(seen.sum()), int(seen.sum()) * tally.n_epochs
    notes = [f"{n_seen} of {n_problems} problems were sampled, over {tally.n_epochs} epochs."]
    gaps = n_pairs - sum(sizes.values())
    if gaps:
        notes.append(f"{gaps} of {n_pairs} (problem, epoch) pairs have no samples.")
    if len(sizes) > 1:
        shown = sorted(sizes.items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{size} in {count:,}" for size, count in shown[:4])
        more = f" and {len(sizes) - 4} other numbers" if len(sizes) > 4 else ""
        notes.append(f"samples a (problem, epoch) differ: {listed} pairs{more}.")
    return notes
