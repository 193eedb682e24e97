"""How certain a score is: every sample is drawn again, and the whole score recomputed.

A score comes from k correct of n samples per problem and epoch; other samples would have given
another one. A parametric bootstrap says by how much: for every draw each count is drawn again,

    n*_ik ~ Binomial(n_ik, p̃_ik),   p̃_ik = p̄_i + n_ik / (n_ik + 4) · (r_ik - r̄_i),
    p̄_i = (Σ_k c_ik + 1) / (Σ_k n_ik + 2),

with c_ik correct of n_ik samples, r_ik = c_ik / n_ik and r̄_i = Σ_k c_ik / Σ_k n_ik, and the
selector itself scores the result. p̃ is the observed rate shrunk to the problem's own mean by four
samples, and that mean to 1/2 by two (the rule of succession): with plain r_ik an epoch with 0 of 8
correct would have no noise, and others an eighth too little, as E[r (1 - r)] = p (1 - p) (1 - 1/n).
p̃ is always in (0, 1). An epoch without samples stays without.

Drawing again adds the samples' noise a second time, which shifts a score that is not linear in the
accuracies: LIM falls, a variance grows. A problem's draws are therefore centred on its observed
score, s_i + s*_ib - mean_b s*_ib. A score of at most two values (a window) is not centred, as it
would then have other values.

This covers the binomial noise of the samples at this run's accuracies. The estimand is the expected
score at these rates, which for a debiased score is the score of the rates themselves; another
training run would have other rates. The coverage of nominal 95 % intervals is simulated in
tests/scores/test_resampling.py. Draws of `limr.scores.posterior` cover less often where curves are
unlike the walk: never or always solved, or flat (docs/noise.md). So a shrunk score, too, gets the
interval of the debiased one, which holds whatever the rates are. It may lie outside: where it does,
the interval is not stretched to it, as the two misses of one interval are then fewer than 5 %.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from limr.scores.agreement import Rescore
from limr.trajectories import curves as tr

Draws = npt.NDArray[np.float32]

SHRINKAGE = 4.0  # samples by which an epoch's rate is drawn to its problem's mean
# With more samples than this, a table of each cell's distribution is larger than it is worth.
MOST_TABULATED = 32
_BLOCK = 1024


def rates(taken: tr.Samples) -> tr.Floats:
    """Return (n_problems, n_epochs) the rates p̃ to draw from, in (0, 1); 0 where not sampled."""
    n, n_correct = taken.n.sum(axis=1), taken.n_correct.sum(axis=1)
    mean = (n_correct + 1) / (n + 2)
    observed = n_correct / np.maximum(n, 1)
    weight = taken.n / (taken.n + SHRINKAGE)
    deviation = taken.n_correct / np.maximum(taken.n, 1) - observed[:, np.newaxis]
    return np.where(taken.n > 0, mean[:, np.newaxis] + weight * deviation, 0.0)


def redrawn(taken: tr.Samples, draws: int, rng: np.random.Generator) -> Iterator[tr.Samples]:
    """Yield the samples `draws` times, every count drawn again (see the module).

    Few samples per cell: by inverting the distribution function, tabulated once for all cells;
    exact to 2^-32. Many: by NumPy's generator.
    """
    rate = rates(taken)
    if taken.n.max() > MOST_TABULATED:
        for _ in range(draws):
            yield tr.Samples(taken.n, rng.binomial(taken.n, rate), taken.whole)
        return
    limits = _limits(taken.n, rate)
    passed = np.empty(taken.n.shape, bool)
    for _ in range(draws):
        uniform = rng.integers(0, 2**32, size=taken.n.shape, dtype=np.uint32)
        count = np.zeros(taken.n.shape, np.uint8)
        for limit in limits:
            np.greater(uniform, limit, out=passed)
            np.add(count, passed.view(np.uint8), out=count)
        yield tr.Samples(taken.n, count.astype(np.int64), taken.whole)


def _limits(n: tr.Ints, rate: tr.Floats) -> npt.NDArray[np.uint32]:
    """Return (max n, n_problems, n_epochs): X > j where a uniform 32-bit number passes limit j."""
    most = int(n.max())
    limits = np.empty((most, *n.shape), np.uint32)
    odds = rate / (1.0 - rate)
    mass = (1.0 - rate) ** n  # P(X = 0)
    below = mass.copy()  # P(X <= j)
    for j in range(most):
        limit = np.rint(below * 2.0**32) - 1.0
        # From j = n on, X > j must be impossible, not a matter of rounding.
        limits[j] = np.where(j >= n, 2.0**32 - 1, np.clip(limit, 0.0, 2.0**32 - 1))
        mass = mass * np.maximum(n - j, 0) / (j + 1) * odds
        below = below + mass
    return limits


def draw_scores(taken: tr.Samples, rescore: Rescore, draws: int, rng: np.random.Generator) -> Draws:
    """Return (draws, n_problems) scores of samples drawn again; NaN = not scorable in that draw."""
    drawn = np.empty((draws, len(taken.n)), np.float32)
    for place, samples in enumerate(redrawn(taken, draws, rng)):
        drawn[place] = rescore(samples)
    return drawn


@dataclass(frozen=True)
class Scale:
    """A scale on which a score is linear in squares of rates, and its noise has no bias.

    Where the noise outweighs the score, its error is skewed one way about the true score and the
    draws the other way about the observed one. Every second draw is mirrored, which makes the
    interval symmetric on this scale (Hall 1988): without it 88 to 92 % are held at 2 samples.

    Attributes:
        to: from scores to the scale, rising.
        back: from the scale to scores.
        least: no true score is less, though an estimate may be.
    """

    to: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    back: Callable[[npt.NDArray[Any]], npt.NDArray[Any]]
    least: float = -np.inf


def centre(drawn: Draws, scores: tr.Floats, scale: Scale | None = None) -> Draws:
    """Return the draws of every problem centred on its observed score (see the module).

    Args:
        drawn: (draws, n_problems); may be changed in place, since it may be large.
        scores: (n_problems,) observed scores; NaN makes all of a problem's draws NaN.
        scale: on which draws are centred, every second one mirrored; None: the scores' own.
    """
    observed = ~np.isnan(scores)
    drawn[:, ~observed] = np.nan
    if _at_most_two(scores[observed]) and _at_most_two(drawn[:, observed]):
        return drawn
    if scale:
        drawn, scores = scale.to(drawn), scale.to(scores)
        drawn -= _mean(drawn).astype(np.float32)
        drawn[::2] *= -1.0
        drawn += scores.astype(np.float32)
        return scale.back(drawn)
    drawn += (scores - _mean(drawn)).astype(np.float32)
    return drawn


def _at_most_two(values: tr.Floats | Draws) -> bool:
    return len(np.unique(values[~np.isnan(values)])) <= 2


def _mean(drawn: Draws) -> tr.Floats:
    """Return (n_problems,) means over the draws with a score; NaN where there is none."""
    finite = (~np.isnan(drawn)).sum(axis=0)
    total = np.nansum(drawn, axis=0, dtype=np.float64)
    return np.where(finite > 0, total / np.maximum(finite, 1), np.nan)


@dataclass(frozen=True)
class Spread:
    """(n_problems,) each: percentiles of the centred draws, and their standard deviation."""

    low: tr.Floats
    high: tr.Floats
    standard_error: tr.Floats

    def holding(self, scores: tr.Floats, scale: Scale | None) -> Spread:
        """Return it with ends that hold the scores it lies about, and what a true score can be."""
        least = scale.least if scale else -np.inf
        low, high = np.minimum(self.low, scores), np.maximum(self.high, scores)
        return Spread(low, np.maximum(high, least), self.standard_error)


def spread(centred: Draws, level: float) -> Spread:
    """Return how far each problem's score spreads over its draws; NaN where it has none.

    Args:
        centred: (draws, n_problems), see `centre`.
        level: of the percentile interval, in (0, 1).
    """
    parts = []
    for start in range(0, centred.shape[1], _BLOCK):
        ordered = np.sort(centred[:, start : start + _BLOCK].T, axis=1).astype(np.float64)
        finite = (~np.isnan(ordered)).sum(axis=1)  # NaN is last
        ends = [_quantile(ordered, finite, 0.5 + side * level / 2) for side in (-1, 1)]
        gap = ordered - _mean(centred[:, start : start + _BLOCK])[:, np.newaxis]
        square = np.nansum(gap**2, axis=1)
        error = np.sqrt(square / np.maximum(finite - 1, 1))
        parts.append((*ends, np.where(finite > 1, error, np.nan)))
    low, high, error = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Spread(low, high, error)


def _quantile(ordered: tr.Floats, finite: tr.Ints, share: float) -> tr.Floats:
    """Return (n,) quantiles of the first `finite` of each ordered row, interpolated linearly."""
    place = share * np.maximum(finite - 1, 0)
    below = np.floor(place).astype(np.int64)
    above = np.minimum(below + 1, np.maximum(finite - 1, 0))
    rows = np.arange(len(ordered))
    part = place - below
    found: tr.Floats = ordered[rows, below] * (1 - part) + ordered[rows, above] * part
    return found


def selected_share(centred: Draws, rule: Mapping[str, Any]) -> tr.Floats:
    """Return (n_problems,) the share of draws in which a cut would select each problem.

    Args:
        centred: (draws, n_problems), see `centre`.
        rule: see `limr.subsets.cut.cut`. For a size, a tie at the last place counts by an even
            share (see `limr.scores.agreement`).

    Returns:
        Shares in [0, 1]; NaN where a problem has no draw with a score.
    """
    if "threshold" in rule:
        above = np.greater if rule.get("strict") else np.greater_equal
        chosen = above(centred, np.float32(rule["threshold"])).sum(axis=0) / len(centred)
    elif "size" in rule:
        chosen = _among_the_best(centred, int(rule["size"])) / len(centred)
    else:
        chosen = (~np.isnan(centred)).sum(axis=0) / len(centred)
    return np.where(np.isnan(centred).all(axis=0), np.nan, chosen)


def _among_the_best(centred: Draws, size: int) -> tr.Floats:
    """Return (n_problems,) in how many draws each problem is among the `size` best."""
    total = np.zeros(centred.shape[1])
    if size == 0:
        return total
    place = centred.shape[1] - size
    for start in range(0, len(centred), 64):
        values = np.where(np.isnan(block := centred[start : start + 64]), -np.inf, block)
        last = np.partition(values, place, axis=1)[:, place, np.newaxis]
        above = values > last
        at = (values == last) & ~np.isinf(values)
        room = size - above.sum(axis=1, keepdims=True)
        total += (above + at * (room / np.maximum(at.sum(axis=1, keepdims=True), 1))).sum(axis=0)
    return total
