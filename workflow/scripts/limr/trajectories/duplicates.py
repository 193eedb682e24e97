"""Finding rollouts that stand twice, without holding them all.

Rollouts are written step by step, and the samples of a problem's visit one after the other. So it
is mostly enough to see that samples rise within a visit and that no visit stands twice in a step;
only where that fails are single rows compared. A file in another order is checked in a second pass,
in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from limr.core.errors import InputError
from limr.trajectories.curves import Flags, Ints
from limr.trajectories.reading import doubled_error

KEYS = ("problem_id", "step", "sample")
# Up to so many cells a table of flags is quicker than sorting.
_CELLS = 1 << 26
_MOST_CARRIED = 1 << 22
MOST_UNORDERED = 100_000_000


@dataclass(frozen=True)
class Visits:
    """Rows that follow one another with one problem and step.

    Attributes:
        start: (n_visits,) number of the first row in the batch.
        n: (n_visits,) rows.
        problem: (n_visits,) numbers of problems.
        step: (n_visits,) steps.
    """

    start: Ints
    n: Ints
    problem: Ints
    step: Ints

    def after(self, first: int) -> Visits:
        """Return the visits from one on."""
        return Visits(self.start[first:], self.n[first:], self.problem[first:], self.step[first:])


class DoubledRows:
    """Refuses a (problem, step, sample) that stands twice."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.unordered = False
        # Of the step that the last batch ended in: its visits' problems, and its rows.
        self._problems: Ints = np.zeros(0, np.int64)
        self._rows: tuple[Ints, Ints] = (self._problems, self._problems)
        self._step: int | None = None

    def add(self, visits: Visits, sample: Ints, rises: bool, ids: pa.Array) -> None:
        """Check the next rows.

        Args:
            visits: the batch's visits.
            sample: (n_rows,) samples.
            rises: whether `sample` rises within every visit.
            ids: the problems' ids, for the message.

        Raises:
            InputError: a row stands twice.
        """
        if self.unordered:
            return
        step = visits.step
        before = step[0] if self._step is None else self._step
        if step[0] < before or (step[1:] < step[:-1]).any():
            self.unordered = True
            return
        if step[0] != before:
            self._problems = self._problems[:0]
            self._rows = (self._problems, self._problems)
        if not (rises and self._visits_differ(visits, sample)):
            problem = np.concatenate([self._rows[0], np.repeat(visits.problem, visits.n)])
            steps = np.concatenate([np.full(len(self._rows[0]), before), np.repeat(step, visits.n)])
            self._check(problem, steps, np.concatenate([self._rows[1], sample]), ids)
        self._carry(visits, sample)

    def _visits_differ(self, visits: Visits, sample: Ints) -> bool:
        """Return whether no visit stands twice, the batch's first being the last one's rest."""
        new = visits
        if len(self._problems) and self._problems[-1] == visits.problem[0]:
            if sample[0] <= self._rows[1][-1]:
                return False
            new = visits.after(1)
        problem = np.concatenate([self._problems, new.problem])
        step = np.concatenate([np.full(len(self._problems), visits.step[0]), new.step])
        return len(problem) == 0 or _all_differ(*_key(problem, step))

    def _carry(self, visits: Visits, sample: Ints) -> None:
        """Keep what belongs to the last step."""
        last = visits.after(int(np.searchsorted(visits.step, visits.step[-1], side="left")))
        goes_on = len(last.n) == len(visits.n)
        problems: Ints = last.problem
        of_rows: Any = np.repeat(problems, last.n)
        samples: Ints = sample[last.start[0] :]
        if goes_on:
            of_rows = np.concatenate([self._rows[0], of_rows], dtype=np.int64)
            samples = np.concatenate([self._rows[1], samples], dtype=np.int64)
            problems = np.concatenate([self._problems, problems], dtype=np.int64)
        self._problems, self._rows = problems, (of_rows, samples)
        self._step = int(visits.step[-1])
        self.unordered = len(of_rows) > _MOST_CARRIED

    def _check(self, problem: Ints, step: Ints, sample: Ints, ids: pa.Array) -> None:
        key, n_cells = _key(problem, step, sample)
        if _all_differ(key, n_cells):
            return
        ordered = np.sort(key)
        same = ordered[1:][ordered[1:] == ordered[:-1]]
        row = int(np.argmax(key == same[0]))
        first = {
            "problem_id": ids[int(problem[row])].as_py(),
            "step": int(step[row]),
            "sample": int(sample[row]),
        }
        raise doubled_error(self.path, len(np.unique(same)), first, KEYS)

    def check_in_memory(self, batches: Iterable[tuple[Ints, Ints, Ints]], ids: pa.Array) -> None:
        """Check rows in any order, all at once.

        Args:
            batches: problem, step and sample of rows.
            ids: the problems' ids, for the message.

        Raises:
            InputError: a row stands twice, or there are more than `MOST_UNORDERED`.
        """
        parts, rows = [], 0
        for problem, step, sample in batches:
            rows += len(problem)
            if rows > MOST_UNORDERED:
                raise InputError(
                    f"{self.path}: rows are not in the order of steps, and more than "
                    f"{MOST_UNORDERED:,} cannot be checked for doubled ones. Sort the file by step."
                )
            parts.append((problem.astype(np.int32), step.astype(np.int32), sample.astype(np.int8)))
        problem, step, sample = (np.concatenate(column) for column in zip(*parts, strict=True))
        self._check(problem, step, sample, ids)


def _all_differ(key: Ints, n_cells: int) -> bool:
    """Return whether no key stands twice; keys are below `n_cells`."""
    if n_cells <= _CELLS:
        seen = np.zeros(n_cells, np.bool_)
        seen[key] = True
        return int(np.count_nonzero(seen)) == len(key)
    ordered = np.sort(key)
    differs: Flags = ordered[1:] != ordered[:-1]
    return bool(differs.all())


def _key(problem: Ints, step: Ints, sample: Ints | None = None) -> tuple[Ints, int]:
    """Return a number for each (step, problem, sample), and one more than the largest."""
    base, n_problems = int(step.min()), int(problem.max()) + 1
    n_samples = 1 if sample is None else int(sample.max()) + 1
    n_cells = (int(step.max()) - base + 1) * n_problems * n_samples
    if n_cells >= 2**62:
        raise InputError("steps, problems and samples are too many to be told apart.")
    key: Any = step.astype(np.int32 if n_cells < 2**31 else np.int64)
    key -= base
    key *= n_problems
    key += problem.astype(key.dtype, copy=False)
    if sample is not None:
        key *= n_samples
        key += sample
    return key, n_cells
