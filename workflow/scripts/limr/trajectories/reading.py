"""What every importer gives, and the checks that name the offending row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import Field

from limr.core.arrow import find, strings, vector
from limr.core.errors import InputError
from limr.core.tables import Problem
from limr.trajectories import curves
from limr.trajectories.curves import Ints
from limr.trajectories.findings import Finding, sentences
from limr.trajectories.rollout_rows import Rollouts

UNKNOWN_PROMPT = "its prompt is in no problem file"
BadRows = Annotated[
    Literal["refuse", "leave-out"],
    Field(
        description="What to do with rows that cannot be used (a prompt in no problem file, a "
        "reward that the rule does not know, a broken row): refuse the log, naming the first, or "
        "leave them out and count them by reason."
    ),
]


@dataclass(frozen=True)
class Refused:
    """Rows that were left out: why, how many, and where the first of them is."""

    reason: str
    rows: int
    first: str


@dataclass(frozen=True)
class Imported:
    """What was read from a log.

    Attributes:
        problem_ids: the problems, in order: those that were given, else those that the log names.
        table: `limr.core.tables.TRAJECTORIES`, or SCORES: what the importer provides.
        rows_read: rows of the log.
        rows_joined: rows that belong to one of the problems and were counted.
        refused: rows that were left out, by reason.
        notes: what else was noticed, one sentence each.
        prompts: the text behind each id, where ids were made from texts.
        findings: what was noticed, for logs that `limr.trajectories.reader` reads.
        format: the importer that read it; empty where it was not recognised but named.
        taken: canonical name -> column of the log, such as prompt -> input.
        column: the column that told what is correct.
        values: (value of that column, rows, what it was taken for).
        rollouts: the rows that count and where they are; None where the log has no rollouts.
    """

    problem_ids: pa.Array
    table: pa.Table
    rows_read: int
    rows_joined: int
    refused: tuple[Refused, ...] = ()
    notes: Sequence[str] = ()
    prompts: Sequence[str] = ()
    findings: tuple[Finding, ...] = ()
    format: str = ""
    taken: Mapping[str, str] = field(default_factory=dict)
    column: str = ""
    values: tuple[tuple[str, int, str], ...] = ()
    rollouts: Rollouts | None = None

    @cached_property
    def samples(self) -> curves.Samples:
        """The trajectories as matrices.

        Raises:
            InputError: these are published scores, which have no samples behind them.
        """
        if "epoch" not in self.table.schema.names:
            raise InputError(
                "these are published scores, with no rollouts behind them to look at; `limr score` "
                "and studies read them."
            )
        return curves.samples(self.table, self.problem_ids)

    def report(self) -> list[str]:
        """Return in sentences what was read, left out, joined and noticed."""
        left = self.rows_read - self.rows_joined
        lines = [
            f"{self.rows_read:,} rows read, {self.rows_joined:,} joined to problems"
            + (f", {left:,} left out." if left else ".")
        ]
        lines += [f"  {r.rows:,} left out: {r.reason}; the first: {r.first}." for r in self.refused]
        return [*lines, *sentences(self.findings), *self.notes]


class Refusals:
    """Collects rows that cannot be used, or refuses the log at the first of them."""

    def __init__(self, rule: str) -> None:
        self._rule = rule
        self._found: dict[str, Refused] = {}

    def add(self, reason: str, rows: int, first: str, hint: str = "") -> None:
        """Note unusable rows.

        Raises:
            InputError: the rule is to refuse.
        """
        if self._rule == "refuse":
            raise InputError(
                f"{first}: {reason}{f' ({rows} such rows in this part)' if rows > 1 else ''}. "
                f"{hint}{' ' if hint else ''}`bad_rows: leave-out` leaves such rows out and counts "
                "them."
            )
        known = self._found.get(reason, Refused(reason, 0, first))
        self._found[reason] = Refused(reason, known.rows + rows, known.first)

    @property
    def refused(self) -> tuple[Refused, ...]:
        """What was left out, by reason."""
        return tuple(self._found.values())


def one(paths: Sequence[Path]) -> Path:
    """Return the one file of a format that is one file.

    Raises:
        InputError: there are several.
    """
    if len(paths) != 1:
        raise InputError(f"{paths[0]}: this format is one file, {len(paths)} were given.")
    return paths[0]


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
    bad = np.asarray(bad)
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"{path}: {what} in {np.count_nonzero(bad)} of {len(bad)} rows, the first is row "
            f"{first_row + row + 1} (problem '{ids[row].as_py()}')."
        )


def numbered(
    names: pa.Array, problems: Sequence[Problem] | None, path: Path
) -> tuple[pa.Array, Ints]:
    """Return the problems' ids (without problems: those in `names`), and the place of each name.

    Raises:
        InputError: a name is not among the problems.
    """
    ids = pc.unique(names) if problems is None else ids_of(problems)
    places: Ints = find(names, ids)
    refuse_rows(places < 0, 0, names, path, "a problem_id that is in no problem file")
    return ids, places


def refuse_doubled(table: pa.Table, keys: Sequence[str], path: Path) -> None:
    """Refuse a table in which the same values of `keys` occur twice.

    Raises:
        InputError: with the first such values.
    """
    counts = table.select(keys).group_by(keys, use_threads=False).aggregate([([], "count_all")])
    doubled = counts.filter(pc.greater(counts["count_all"], 1))
    if doubled.num_rows:
        first = doubled.slice(0, 1).select(keys).to_pylist()[0]
        raise doubled_error(path, doubled.num_rows, first)


def doubled_error(path: Path, number: int, first: Mapping[str, Any]) -> InputError:
    """Return the error for a number of combinations of values that occur twice; `first` is one."""
    where = ", ".join(f"{key} {value!r}" for key, value in first.items())
    return InputError(
        f"{path}: {number} combinations of ({', '.join(first)}) occur twice or more, the first is "
        f"{where}. Was a resumed run appended to an earlier one?"
    )


def coverage(table: pa.Table, n_problems: int) -> list[str]:
    """Return notes on how many problems and epochs were sampled, and how evenly.

    Args:
        table: `limr.core.tables.TRAJECTORIES`.
        n_problems: how many problems there are.

    Raises:
        InputError: nothing was counted.
    """
    if not table.num_rows:
        raise InputError("no row of the log belongs to any of the problems.")
    n_seen = pc.count_distinct(table["problem_id"]).as_py()
    n_epochs = int(vector(table["epoch"]).max()) + 1
    notes = [f"{n_seen} of {n_problems} problems were sampled, over {n_epochs} epochs."]
    gaps = n_seen * n_epochs - table.num_rows
    if gaps:
        notes.append(f"{gaps} of {n_seen * n_epochs} (problem, epoch) pairs have no samples.")
    sizes, counts = np.unique(vector(table["n"]), return_counts=True)
    if len(sizes) > 1:
        shown = sorted(zip(-counts, sizes, strict=True))
        listed = ", ".join(f"{size} in {-count:,}" for count, size in shown[:4])
        more = f" and {len(sizes) - 4} other numbers" if len(sizes) > 4 else ""
        notes.append(f"samples a (problem, epoch) differ: {listed} pairs{more}.")
    return notes
