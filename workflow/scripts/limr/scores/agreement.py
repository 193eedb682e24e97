"""How far two scores agree: rank correlation and the overlap of their best problems.

Used for two selectors, for the first epochs against all, and for odd against even epochs. The same
number of problems is taken from both sides, so that two independent scores overlap by size / n:
chance.

Ties at the last place of the best count in part: of t problems tied there with room for m, each
counts m / t. That is the expected overlap if ties are broken at random and independently on both
sides; no random number is drawn. So a constant score agrees with any other, and with itself, by
chance only.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from limr.statistics.intervals import wilson
from limr.trajectories import curves as tr

# From samples to (n_problems,) scores, NaN = not scorable.
Rescore = Callable[[tr.Samples], tr.Floats]


@dataclass(frozen=True)
class Agreement:
    """How far two scores agree.

    Attributes:
        n: problems that both could score.
        size: how many of the best were compared; 0 where there was nothing to compare.
        spearman: rank correlation in [-1, 1]; NaN where a score is constant or n < 2.
        shared: expected number of problems among the best of both, in [0, size].
    """

    n: int
    size: int
    spearman: float
    shared: float

    @property
    def overlap(self) -> float:
        """`shared` / `size`, in [0, 1]; NaN where nothing was compared."""
        return self.shared / self.size if self.size else np.nan

    @property
    def chance(self) -> float:
        """Overlap of two independent scores: size / n."""
        return self.size / self.n if self.n else np.nan

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Return Wilson's interval of the overlap, as a share of `size` problems.

        It covers the choice of problems, not that of their samples (`limr.scores.resampling`).
        """
        return wilson(self.shared, self.size, level) if self.size else (np.nan, np.nan)


def ranks(values: tr.Floats) -> tr.Floats:
    """Return the rank of each of (n,) values from 1 (lowest); equal values share their mean."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean: tr.Floats = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return mean


def spearman(first: tr.Floats, second: tr.Floats) -> float:
    """Return Spearman's correlation of (n,) values: Pearson's of their ranks, ties at their mean.

    NaN where it is not defined: fewer than two values, or a constant side.
    """
    if len(first) < 2 or np.ptp(first) == 0 or np.ptp(second) == 0:
        return np.nan
    x, y = ranks(first), ranks(second)
    x, y = x - x.mean(), y - y.mean()
    return float(np.clip((x @ y) / np.sqrt((x @ x) * (y @ y)), -1.0, 1.0))


def membership(values: tr.Floats, size: int) -> tr.Floats:
    """Return (n,) how far each of (n,) values belongs to the `size` largest, in [0, 1].

    1 above the last place, 0 below; values tied at it share the room that is left evenly.
    """
    last = np.partition(values, len(values) - size)[len(values) - size]
    above, at = values > last, values == last
    share: tr.Floats = above + at * ((size - above.sum()) / at.sum())
    return share


def compare(first: tr.Floats, second: tr.Floats, size: int) -> Agreement:
    """Return how far two scores agree, over the problems that both could score.

    Args:
        first: (n_problems,) scores, higher is better; NaN = not scorable.
        second: the same problems in the same order.
        size: how many of the best to compare; at most all that both could score.
    """
    both = ~(np.isnan(first) | np.isnan(second))
    first, second = first[both], second[both]
    size = min(size, len(first))
    shared = float(membership(first, size) @ membership(second, size)) if size else 0.0
    # A sum of shares may be off by a rounding error.
    return Agreement(len(first), size, spearman(first, second), min(shared, float(size)))


def compare_share(first: tr.Floats, second: tr.Floats, share: float) -> Agreement:
    """Return `compare` at a share of the problems that both could score, at least one."""
    n = int((~(np.isnan(first) | np.isnan(second))).sum())
    return compare(first, second, max(1, round(share * n)))


def first_epochs(samples: tr.Samples, rescore: Rescore, share: float) -> dict[int, Agreement]:
    """Return K -> the score from the first K epochs against that from all, K = 1, 2, ….

    Of a log that ends within an epoch K is a whole epoch, up to the last; else K < n_epochs.

    The first K epochs are part of all epochs, so this is no test on new data: it can exceed
    `odd_even`, and would reach 1 at the last epoch.

    Args:
        samples: the samples behind the score.
        rescore: the score as a function of samples.
        share: of the problems that are compared as the best, in (0, 1].
    """
    whole = rescore(samples)
    return {
        epochs: compare_share(rescore(samples.first(epochs)), whole, share)
        for epochs in range(1, min(samples.whole or samples.n_epochs, samples.n_epochs - 1) + 1)
    }


def odd_even(samples: tr.Samples, rescore: Rescore, share: float) -> Agreement | None:
    """Return the score from epochs 1, 3, … against that from epochs 2, 4, …; None for one epoch.

    Only whole epochs count, of a log that ends within one: that is what both halves can have.

    The halves share no sample and span the same training, so they differ by noise and one epoch of
    training: this is about how far the score, from half of the samples, agrees with itself.
    """
    samples = samples.first(samples.whole)
    if samples.n_epochs < 2:
        return None
    halves = (tr.Samples(samples.n[:, i::2], samples.n_correct[:, i::2]) for i in (0, 1))
    odd, even = map(rescore, halves)
    return compare_share(odd, even, share)


@dataclass(frozen=True)
class Window:
    """The pass-rate window that holds most of a selection.

    Attributes:
        low: lower end, in [0, 1].
        high: upper end, in [0, 1].
        size: problems in it, as many as were selected.
        recovered: how many of them were selected; the expected number where an end of the window
            takes only part of the problems with that rate.
        chance: share that a random window would recover: size / n.
    """

    low: float
    high: float
    size: int
    recovered: float
    chance: float


def best_window(rates: tr.Floats, selected: tr.Flags) -> Window | None:
    """Return the window of pass rates that recovers most of a selection, chosen in hindsight.

    Windows hold as many problems as were selected, next to each other by pass rate. Where an end
    has more equal rates than there is room for, an even share of them counts. With
    G(x) = selected among the x lowest (linear within equal rates), this is the maximum over x of
    G(x + size) - G(x); it lies where one end of the window is the end of a level.

    Args:
        rates: (n,) pass rates in [0, 1].
        selected: (n,) whether a problem was selected; None is returned where none was.
    """
    size, n = int(selected.sum()), len(rates)
    if not size:
        return None
    levels, place = np.unique(rates, return_inverse=True)
    ends = np.concatenate(([0], np.bincount(place).cumsum())).astype(float)
    within = np.concatenate(([0.0], np.bincount(place, weights=selected).cumsum()))
    starts = np.unique(np.clip(np.concatenate((ends, ends - size)), 0, n - size))
    recovered = np.interp(starts + size, ends, within) - np.interp(starts, ends, within)
    start = float(starts[int(np.argmax(recovered))])
    first = int(np.searchsorted(ends, start, side="right")) - 1
    last = int(np.searchsorted(ends, start + size, side="left")) - 1
    return Window(float(levels[first]), float(levels[last]), size, float(recovered.max()), size / n)
