"""Counting samples by problem and epoch while rows stream by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.core.arrow import numbers, strings
from limr.core.tables import TRAJECTORIES
from limr.trajectories.curves import Flags, Floats, Samples

AnyInts = npt.NDArray[np.integer[Any]]

# A batch whose (epoch, problem) grid has more cells than this many a row is counted by sorting.
_SPARSE = 8
_BLOCK = 32  # epochs


class Tally:
    """Samples, correct samples and the sum of rewards by (problem, epoch).

    Problems are numbers from 0; epochs from 0. Neither number needs to be known beforehand. Memory:
    16 bytes for each problem of each epoch that has rows, whatever the number of rows.
    """

    def __init__(self) -> None:
        self._n: dict[int, npt.NDArray[np.int32]] = {}
        self._n_correct: dict[int, npt.NDArray[np.int32]] = {}
        self._reward: dict[int, Floats] = {}
        self._arrays: tuple[tuple[dict[int, Any], Any], ...] = (
            (self._n, np.int32),
            (self._n_correct, np.int32),
            (self._reward, np.float64),
        )

    @property
    def n_epochs(self) -> int:
        """One more than the last epoch that has rows; 0 without rows."""
        return max(self._n, default=-1) + 1

    def add(
        self,
        problem: AnyInts,
        epoch: AnyInts,
        n: AnyInts,
        n_correct: AnyInts | Flags,
        reward: Floats,
    ) -> None:
        """Add counts, one element a problem and epoch; the same pair may stand in it often.

        Args:
            problem: numbers of problems.
            epoch: epochs.
            n: samples.
            n_correct: correct ones.
            reward: sums of the samples' rewards; NaN where the log has none. They are added in
                order, so that a sum does not depend on the machine.
        """
        if not len(problem):
            return
        first, width = int(epoch.min()), int(problem.max()) + 1
        cell = problem.astype(np.int64)
        cell += (epoch.astype(np.int64) - first) * width
        n_cells = (int(epoch.max()) - first + 1) * width
        cells = None
        if n_cells > _SPARSE * len(cell) + 1024:
            cells, cell = np.unique(cell, return_inverse=True)
            n_cells = len(cells)
        sums: list[Floats] = [
            np.bincount(cell, weights=values, minlength=n_cells).astype(np.float64, copy=False)
            for values in (n, n_correct, reward)
        ]
        for place, of, where in _by_epoch(cells, n_cells, width):
            if sums[0][of].any():
                self._into(first + place, where, sums[0][of], sums[1][of], sums[2][of])

    def _into(self, epoch: int, where: Any, n: Floats, n_correct: Floats, reward: Floats) -> None:
        """Add sums to different problems of an epoch."""
        needed = where.stop if isinstance(where, slice) else int(where.max()) + 1
        have = len(self._n[epoch]) if epoch in self._n else 0
        if needed > have:
            size = max(needed, have + have // 2)
            for arrays, kind in self._arrays:
                arrays[epoch] = _grown(arrays.get(epoch), size, kind)
        for (arrays, kind), more in zip(self._arrays, (n, n_correct, reward), strict=True):
            arrays[epoch][where] += more.astype(kind)

    def drop_epoch(self, epoch: int) -> None:
        """Forget an epoch."""
        for arrays, _ in self._arrays:
            arrays.pop(epoch, None)

    def sampled(self) -> Iterator[npt.NDArray[np.int32]]:
        """Yield the number of samples of each problem, an epoch at a time; 0 = none."""
        for epoch in sorted(self._n):
            yield self._n[epoch]

    def samples(self, n_problems: int, *, release: bool = False) -> Samples:
        """Return the counts as matrices (n_problems, n_epochs).

        Args:
            n_problems: rows of the matrices.
            release: forget what was counted on the way, so that it is not held twice.
        """
        shape = (n_problems, self.n_epochs)
        n, n_correct = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        for first in range(0, shape[1], _BLOCK):  # some epochs at once: a cache line, not a number
            last = min(first + _BLOCK, shape[1])
            for matrix, arrays in ((n, self._n), (n_correct, self._n_correct)):
                block = np.zeros((last - first, n_problems), np.int32)
                for epoch in range(first, last):
                    if epoch in arrays:
                        known = arrays[epoch][:n_problems]
                        block[epoch - first, : len(known)] = known
                matrix[:, first:last] = block.T
            if release:
                for epoch in range(first, last):
                    self.drop_epoch(epoch)
        return Samples(n, n_correct)

    def table(self, problem_ids: Sequence[str] | pa.Array) -> pa.Table:
        """Return `limr.core.tables.TRAJECTORIES`, in the problems' order, then by epoch."""
        ids = problem_ids if isinstance(problem_ids, pa.Array) else strings(problem_ids)
        samples = self.samples(len(ids))
        problem, epoch = np.nonzero(samples.n)
        n = samples.n[problem, epoch]
        total = np.zeros(len(problem))
        for place, sums in self._reward.items():
            of = np.flatnonzero(epoch == place)
            total[of] = sums[problem[of]]
        mean = total / n
        return pa.table(
            [
                ids.cast(pa.string()).take(numbers(problem)),
                numbers(epoch.astype(np.int16)),
                numbers(n),
                numbers(samples.n_correct[problem, epoch]),
                numbers(mean, missing=np.isnan(mean)),
            ],
            schema=TRAJECTORIES,
        )


def _grown(array: Any, size: int, kind: Any) -> Any:
    grown = np.zeros(size, kind)
    if array is not None:
        grown[: len(array)] = array
    return grown


def _by_epoch(cells: AnyInts | None, n_cells: int, width: int) -> Iterator[tuple[int, Any, Any]]:
    """Yield, for each epoch: its place, where its sums stand, and the problems that they are of.

    Args:
        cells: the cells (epoch x width + problem) that the sums are of; None: all of them.
        n_cells: number of sums.
        width: number of problems.
    """
    if cells is None:
        for place in range(n_cells // width):
            yield place, slice(place * width, (place + 1) * width), slice(0, width)
        return
    places, problems = np.divmod(cells, width)
    for place in np.unique(places):
        of = np.flatnonzero(places == place)
        yield int(place), of, problems[of]
