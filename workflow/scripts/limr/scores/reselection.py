"""The best of a score, chosen again from prompts drawn again: a bootstrap over prompts.

Prompts are drawn with replacement, each with all its visits, and the best `size` are chosen again
by the same scores. So an interval covers which prompts a data set happens to have, and what their
samples happened to be; prompts keep their draws at every t, so that sums over t are clustered. It
does not cover another training run, whose curves would be others.

Ties at the last place share the room that is left evenly, as in `limr.scores.agreement.membership`:
the expected value under random breaking.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from limr.trajectories import curves as tr

_CELLS = 2**22  # of a block of draws


@dataclass(frozen=True)
class Resamples:
    """Prompts drawn again.

    Attributes:
        counts: (n_problems, 1 + draws) how often each was drawn; the first column is 1: the
            prompts as they are.
    """

    counts: npt.NDArray[np.uint8]

    def of_best(self, scores: tr.Floats, size: int, columns: tr.Floats) -> tr.Floats:
        """Return (n_columns, 1 + draws) sums of the columns over the `size` best of each draw.

        Args:
            scores: (n_problems,) higher is better; NaN is never chosen.
            size: how many are chosen; all, where fewer have a score.
            columns: (n_problems, n_columns) what is summed.
        """
        scored = np.flatnonzero(~np.isnan(scores))
        order = scored[np.argsort(-scores[scored], kind="stable")]
        order = order[: self._enough(order, scores[order], size)]
        values, summed = scores[order], columns[order].T
        starts = np.flatnonzero(np.diff(values, prepend=np.inf))
        lengths = np.diff(starts, append=len(values))
        sums = np.zeros((columns.shape[1], self.counts.shape[1]))
        width = max(1, _CELLS // max(1, len(order)))
        for first in range(0, sums.shape[1] if len(order) else 0, width):
            drawn = self.counts[order, first : first + width].astype(float)
            tied = np.add.reduceat(drawn, starts, axis=0) if len(starts) < len(drawn) else drawn
            room = size - (np.cumsum(tied, axis=0) - tied)
            share = np.clip(room / np.maximum(tied, 1), 0.0, 1.0)
            drawn *= np.repeat(share, lengths, axis=0) if len(starts) < len(drawn) else share
            sums[:, first : first + width] = summed @ drawn
        return sums

    def _enough(self, order: tr.Ints, values: tr.Floats, size: int) -> int:
        """Return how many of the best hold `size` prompts in every draw; ties are not split."""
        length = min(len(order), size + 8 * int(size**0.5) + 16)
        if self.counts[order[:length]].sum(axis=0, dtype=np.int64).min(initial=size) < size:
            return len(order)
        return int(np.searchsorted(-values, -values[length - 1], side="right")) if length else 0


def resamples(n_problems: int, draws: int, rng: np.random.Generator) -> Resamples:
    """Return the prompts as they are, and drawn again `draws` times.

    Args:
        n_problems: number of prompts.
        draws: number of resamples.
        rng: a named stream.
    """
    counts = np.ones((n_problems, 1 + draws), np.uint8)
    for draw in range(1, 1 + draws):
        counts[:, draw] = np.bincount(
            rng.integers(n_problems, size=n_problems), minlength=n_problems
        )
    return Resamples(counts)
