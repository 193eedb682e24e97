"""The one place where samples are counted: by problem and epoch, while rows stream by."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from limr.core.arrow import numbers
from limr.core.tables import TRAJECTORIES
from limr.trajectories.curves import Flags, Floats

AnyInts = npt.NDArray[np.integer[Any]]


class Counts:
    """Samples, correct samples and the sum of rewards by (epoch, problem), both numbered from 0.

    Memory: 16 bytes for each problem and epoch, whatever the number of rows.
    """

    def __init__(self) -> None:
        # (n_epochs, n_problems), with room for more
        self._n: npt.NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._n_correct: npt.NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._reward: Floats = np.zeros((0, 0))

    def add(
        self,
        problem: AnyInts,
        epoch: AnyInts,
        n: AnyInts | None,
        n_correct: AnyInts | Flags,
        reward: Floats,
    ) -> None:
        """Add (n_rows,) counts; the same problem and epoch may occur in many rows.

        Args:
            problem: numbers of problems.
            epoch: epochs.
            n: samples; None: one each.
            n_correct: correct ones.
            reward: sums of the samples' rewards; NaN where the log has none. They are added in
                order, so that a sum does not depend on the machine.
        """
        if not len(problem):
            return
        first, last = int(epoch.min()), int(epoch.max()) + 1
        self._grow(last, int(problem.max()) + 1)
        width = self._n.shape[1]
        cell = (epoch.astype(np.int64) - first) * width + problem
        for sums, values in ((self._n, n), (self._n_correct, n_correct), (self._reward, reward)):
            part = sums[first:last]
            # Without weights samples are counted.
            added = np.bincount(cell, weights=values, minlength=part.size)
            part += added.reshape(part.shape).astype(part.dtype)

    def _grow(self, *needed: int) -> None:
        """Make room for so many epochs and problems, with some to spare."""
        have = self._n.shape
        size = [h if n <= h else max(n, h + h // 2) for n, h in zip(needed, have, strict=True)]
        if tuple(size) != have:
            more = [(0, s - h) for s, h in zip(size, have, strict=True)]
            self._n, self._n_correct = np.pad(self._n, more), np.pad(self._n_correct, more)
            self._reward = np.pad(self._reward, more)

    def drop_from(self, epoch: int) -> None:
        """Forget an epoch and all that follow."""
        self._n[epoch:] = 0

    def table(self, problem_ids: pa.Array) -> pa.Table:
        """Return `limr.core.tables.TRAJECTORIES`, in the problems' order, then by epoch."""
        problem, epoch = np.nonzero(self._n.T)
        n = self._n[epoch, problem]
        mean = self._reward[epoch, problem] / n
        return pa.table(
            [
                problem_ids.cast(pa.string()).take(numbers(problem)),
                numbers(epoch.astype(np.int16)),
                numbers(n),
                numbers(self._n_correct[epoch, problem]),
                numbers(mean, missing=np.isnan(mean)),
            ],
            schema=TRAJECTORIES,
        )
