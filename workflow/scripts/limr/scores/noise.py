"""The noise of samples within a score: ignored as published, subtracted, or shrunk.

A rate r = c / n of n samples is the true rate p and noise of variance v = p (1 - p) / n. A score
made of squares counts that variance as signal: E (r - a)² = (p - a)² + v for any known a. So every
score of squares is written in two parts, x and the spread s of each rate,

    the estimate of (p - a)² is (x - a)² + s,

and `noise` says which:

- `ignore`: x = r, s = 0: the published formulas.
- `debias`: x = r, s = -r (1 - r) / (n - 1), as E r (1 - r) / (n - 1) = v: (x - a)² + s is unbiased
  for (p - a)² whatever p is. With n = 1 nothing is known of v, and there is no score.
- `shrink`: x and s are the mean and the variance of p given all samples of the problem
  (`limr.scores.posterior`), so that (x - a)² + s is its posterior expectation. It is no unbiased
  estimate at a given p: over problems like the log's its mean is the true one.

The mean x̄ over the N scored problems has noise too, and shares that of x_i. As the problems are
drawn independently, Var(x_i - x̄) = s_i - 2 s_i / N + Σ_j s_j / N², whence

    (p_i - p̄)² is estimated by (x_i - x̄)² + (1 - 2 / N) s_i + s̄ / N,

exactly, too. A ratio of two such estimates, LIM, keeps a bias of order 1 / (n N) from its
denominator, since x̄ is in both parts; nothing else is left.

A sum over epochs needs the spread of a sum: Σ s_k where noise is independent (`debias`), with the
covariances where it is not (`shrink`). A visit that also fills a gap counts there again, and its
noise with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from limr.core.validation import OneOf
from limr.scores import posterior
from limr.scores.grid_walk import Walk
from limr.trajectories import curves as tr

NOISE_RULES = ("ignore", "debias", "shrink")
Noise = Annotated[
    str,
    OneOf(NOISE_RULES),
    Field(
        description="What to do about the noise of the samples, which the published formula takes "
        "for signal. `ignore`: nothing, as published. `debias`: its expected part is subtracted; "
        "a problem with a single sample in an epoch is not scored. `shrink`: the score's "
        "expectation given the samples, under a model of curves that is fitted to the log; gaps "
        "take the model's values."
    ),
]
_ROWS = 16384
_ROUNDING = 1e-15  # a variance below is a rounding error, of which a root would be large
ONE_SAMPLE = "one sample in an epoch: its noise cannot be estimated"


@dataclass(frozen=True)
class Rates:
    """What the samples say of the true rates of the problems that can be scored (see the module).

    Attributes:
        curves: all problems' observed curves, and which can be scored.
    """

    curves: tr.Curves

    @cached_property
    def x(self) -> tr.Floats:
        """(n_usable, n_epochs)."""
        return self.curves.whole

    @cached_property
    def s(self) -> tr.Floats | None:
        """(n_usable, n_epochs) the spread; None: 0."""
        return None

    @cached_property
    def variance(self) -> tr.Floats:
        """(n_usable,) the estimate of 1/K Σ_k (p_k - m)², m = 1/K Σ_k p_k."""
        n_epochs = self.x.shape[1]
        # Products are several times faster than sums along short rows.
        off = self.x - (self.x @ np.full(n_epochs, 1 / n_epochs))[:, np.newaxis]
        found: tr.Floats = np.einsum("ij,ij->i", off, off) / n_epochs
        found[found < _ROUNDING] = 0.0
        return found

    @cached_property
    def rise_and_variance(self) -> tuple[tr.Floats, tr.Floats]:
        """(n_usable,) the estimate of Σ_k (ℓ_k - ℓ̄) p_k, ℓ a line from 0 to 1; and `variance`."""
        return self.x @ line_about_its_mean(self.x.shape[1]), self.variance


def line_about_its_mean(n_epochs: int) -> tr.Floats:
    """Return (n_epochs,) a line that rises by 1, with mean 0."""
    return np.linspace(-0.5, 0.5, n_epochs)


@dataclass(frozen=True)
class _Debiased(Rates):
    """`spread` is s; `of_sum` (n_usable,) that of Σ_k x_k."""

    spread: tr.Floats
    of_sum: tr.Floats

    @cached_property
    def s(self) -> tr.Floats | None:
        return self.spread

    @cached_property
    def variance(self) -> tr.Floats:
        of_mean = self.of_sum / self.spread.shape[1] ** 2
        found: tr.Floats = super().variance + self.spread.mean(axis=1) - of_mean
        found[np.abs(found) < _ROUNDING] = 0.0
        return found


@dataclass(frozen=True)
class _Shrunk(Rates):
    """`samples` are those of the problems that can be scored, `walk` is their log's."""

    samples: tr.Samples
    walk: Walk

    @cached_property
    def _moments(self) -> posterior.Moments:
        return posterior.moments(self.samples, self.walk)

    @cached_property
    def x(self) -> tr.Floats:
        return self._moments.mean

    @cached_property
    def s(self) -> tr.Floats | None:
        return self._moments.variance

    @cached_property
    def variance(self) -> tr.Floats:
        return posterior.of_spread(self.samples, self.walk)[0]

    @cached_property
    def rise_and_variance(self) -> tuple[tr.Floats, tr.Floats]:
        line = line_about_its_mean(self.samples.n_epochs)
        variance, rise = posterior.of_spread(self.samples, self.walk, line)
        return rise, variance


def rates(samples: tr.Samples, options: Mapping[str, Any]) -> Rates:
    """Return what is known of every usable curve, by the options `epochs`, `missing` and `noise`.

    Args:
        samples: of all problems and epochs.
        options: the selector's.

    Raises:
        InputError: see `limr.trajectories.curves.curves`.
    """
    epochs, rule, noise = options["epochs"], options["missing"], options.get("noise", "ignore")
    wanted = samples.within(epochs)
    used = wanted.first(wanted.whole)
    curves = tr.curves(used, None, rule)
    if noise == "debias":
        return _debiased(used, curves, rule)
    if noise == "shrink":
        walk = posterior.fit(used)
        if not curves.usable.all():
            used = tr.Samples(used.n[curves.usable], used.n_correct[curves.usable])
        return _Shrunk(curves, used, walk)
    return Rates(curves)


def sampling_variance(samples: tr.Samples) -> tr.Floats:
    """Return (n_problems, n_epochs) the unbiased estimate r (1 - r) / (n - 1) of a rate's variance.

    NaN where there is no sample, infinite where there is one.
    """
    accuracy = samples.accuracy
    spread: tr.Floats = np.divide(
        accuracy * (1 - accuracy),
        samples.n - 1,
        out=np.where(samples.n == 1, np.inf, np.nan),
        where=samples.n > 1,
    )
    return spread


def _debiased(used: tr.Samples, curves: tr.Curves, rule: str) -> Rates:
    spread, of_sum = np.empty(used.n.shape), np.empty(len(used.n))
    for first in range(0, len(used.n), _ROWS):  # large logs: no third and fourth matrix
        which = slice(first, first + _ROWS)
        variance = sampling_variance(tr.Samples(used.n[which], used.n_correct[which]))
        filled, uses = _filled(variance, rule)
        spread[which] = -filled
        of_sum[which] = -np.where(used.n[which] > 0, variance * uses**2, 0.0).sum(axis=1)
    single = np.asarray(curves.usable & ~np.isfinite(spread).all(axis=1))
    if single.any():
        usable = curves.usable & ~single
        left = curves.accuracy[usable]
        mean = left.mean(axis=0) if len(left) else np.full_like(curves.mean, np.nan)
        reasons = {**curves.reasons, ONE_SAMPLE: single}
        curves = replace(curves, usable=usable, mean=mean, reasons=reasons)
    if not curves.usable.all():
        spread, of_sum = spread[curves.usable], of_sum[curves.usable]
    return _Debiased(curves, spread, of_sum)


def _filled(variance: tr.Floats, rule: str) -> tuple[tr.Floats, tr.Floats]:
    """Return (n_problems, n_epochs) the variance of filled curves, and how often a visit counts.

    Args:
        variance: of each visit; NaN where there is none.
        rule: by which gaps are filled, see `limr.trajectories.curves.fill_missing`.
    """
    there = ~np.isnan(variance)
    if there.all():
        return variance, np.ones_like(variance)
    if rule == "mean-of-present":  # a gap takes 1 / J of each of J visits
        visits = np.maximum(there.sum(axis=1, keepdims=True), 1)
        mean = np.where(there, variance, 0.0).sum(axis=1, keepdims=True) / visits
        return np.where(there, variance, mean / visits), there * (there.shape[1] / visits)
    epochs = np.broadcast_to(np.arange(there.shape[1], dtype=float), there.shape)
    source = tr.fill_missing(np.where(there, epochs, np.nan), rule)
    row, column = np.nonzero(~np.isnan(source))
    came_from = source[row, column].astype(np.int64)
    filled, uses = np.full(there.shape, np.nan), np.zeros(there.shape)
    filled[row, column] = variance[row, came_from]
    np.add.at(uses, (row, came_from), 1.0)
    return filled, uses


def pooled(
    samples: tr.Samples, noise: str
) -> tuple[tr.Floats, tr.Floats | None, Mapping[str, tr.Flags]]:
    """Return x and s of pass rates, Σ_k n_k p_k / Σ_k n_k, and why a sampled problem has none.

    The rate may change from epoch to epoch: the noise is that of each epoch, added up.

    Returns:
        x: (n_problems,); NaN = never sampled, or a reason.
        s: (n_problems,), NaN where x is; None: 0.
        reasons: why sampled problems have none -> (n_problems,) which ones.
    """
    rate = samples.pass_rate
    if noise == "ignore":
        return rate, None, {}
    total = np.maximum(samples.n.sum(axis=1, keepdims=True), 1)
    if noise == "shrink":
        mean, spread = posterior.of_sum(samples, posterior.fit(samples), samples.n / total)
        absent = np.isnan(rate)
        return np.where(absent, np.nan, mean), np.where(absent, np.nan, spread), {}
    spread = np.empty(len(rate))
    for first in range(0, len(rate), _ROWS):  # as in `_debiased`
        which = slice(first, first + _ROWS)
        part = tr.Samples(samples.n[which], samples.n_correct[which])
        variance = np.where(part.n > 0, sampling_variance(part), 0.0)
        spread[which] = -((part.n / total[which]) ** 2 * variance).sum(axis=1)
    single = np.isinf(spread)
    known = ~single & ~np.isnan(rate)
    x, s = (np.where(known, values, np.nan) for values in (rate, spread))
    return x, s, {ONE_SAMPLE: single}
