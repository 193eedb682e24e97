"""Accuracies and their differences with intervals over questions and runs, and p values.

Two things vary: the questions that a benchmark happens to have, and the runs (seeds, random draws)
of an arm. Both variances are estimated without bias: the first from the questions' means, the
second from the runs' means, less their variation that comes from questions alone. Few runs give a
poor estimate of their variance, so each part has its own quantile of Student's t, and the squares
of the two half-widths are added (Howe 1974; as MOVER in Zou and Donner 2008). The runs' degrees of
freedom are Welch's. docs/statistics.md has the formulas in words, and coverage by simulation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from limr.core.errors import InputError
from limr.statistics.intervals import (
    LEVEL,
    Floats,
    Interval,
    check_results,
    two_sided,
    wilson,
)

_SMALLEST_P = 1e-6


@dataclass(frozen=True)
class Arm:
    """An arm's results.

    Attributes:
        accuracy: benchmark -> (n_runs, n_questions) accuracy in [0, 1]; the same runs in the same
            order for every benchmark.
        draws: the random draw of each run. With several draws, the draws are the units that vary,
            and seeds vary within them. Empty: every run is a unit.
    """

    accuracy: Mapping[str, Floats]
    draws: Sequence[str] = ()


@dataclass(frozen=True)
class Runs:
    """How much an arm's mean varies from run to run.

    Attributes:
        raw: squared standard error from the units' means (draws, else runs).
        noise: the part of `raw` that is expected from questions alone.
        df: units - 1.
    """

    raw: float
    noise: float
    df: float


@dataclass(frozen=True)
class Estimate:
    """A mean accuracy or a difference of two, with the parts of its interval.

    Attributes:
        mean: the estimate.
        question_variance: squared standard error from questions.
        question_df: its degrees of freedom.
        runs: of each arm with more than one unit.
        n_runs: the smaller number of runs.
        n_questions: over all benchmarks.
        is_share: whether it is an accuracy, whose interval stays within [0, 1].
    """

    mean: float
    question_variance: float
    question_df: float
    runs: tuple[Runs, ...]
    n_runs: int
    n_questions: int
    is_share: bool

    @property
    def run_variance(self) -> float:
        """Squared standard error from runs, without the questions' part; at least 0."""
        return max(0.0, math.fsum(part.raw - part.noise for part in self.runs))

    @property
    def run_df(self) -> float:
        """Welch's degrees of freedom of the runs; infinity without variation."""
        return welch([(part.raw, part.df) for part in self.runs])

    @property
    def standard_error(self) -> float:
        """Root of both variances together."""
        return math.sqrt(self.question_variance + self.run_variance)

    def half_width(self, level: float) -> float:
        """Return half the width of the symmetric interval."""
        return math.sqrt(
            two_sided(level, self.question_df) ** 2 * self.question_variance
            + two_sided(level, self.run_df) ** 2 * self.run_variance
        )

    def interval(self, level: float = LEVEL) -> Interval:
        """Return the interval: symmetric for a difference, Wilson's form for an accuracy."""
        half = self.half_width(level)
        low, high = self.mean - half, self.mean + half
        if self.is_share:
            low, high = _wilson_form(self.mean, half, self.n_questions, level)
        error = self.standard_error
        return Interval(self.mean, low, high, error, self.n_runs, self.n_questions)

    def p_value(self) -> float:
        """Return the smallest 1 - level whose symmetric interval excludes 0; at least 1e-6.

        Without any variation, 1 for a mean of 0, else the smallest.
        """
        if self.mean == 0:
            return 1.0
        if abs(self.mean) > self.half_width(1 - _SMALLEST_P):
            return _SMALLEST_P
        from scipy.optimize import brentq

        def gap(log_p: float) -> float:
            return self.half_width(1 - math.exp(log_p)) - abs(self.mean)

        return math.exp(brentq(gap, math.log(_SMALLEST_P), 0.0))

    def equivalent(self, margin: float, level: float = LEVEL) -> bool:
        """Return whether two one-sided tests show a difference within the margin.

        That is, whether the interval at 2 x level - 1 lies within -margin to margin (Schuirmann
        1987).
        """
        return abs(self.mean) + self.half_width(2 * level - 1) < margin


def of_mean(arm: Arm, weights: Mapping[str, float] | None = None) -> Estimate:
    """Return the weighted mean over benchmarks of an arm's accuracy.

    Args:
        arm: its results.
        weights: benchmark -> weight, of any sum; None: all alike.

    Raises:
        InputError: no results, a missing value, or benchmarks with different numbers of runs.
    """
    n_runs = check_results(arm.accuracy)
    shares = _shares(list(arm.accuracy), weights)
    means = {name: matrix.mean(axis=0) for name, matrix in arm.accuracy.items()}
    return _estimate(means, [arm], shares, n_runs, is_share=True)


def of_difference(first: Arm, second: Arm, weights: Mapping[str, float] | None = None) -> Estimate:
    """Return the weighted mean difference `first` - `second`, paired by question.

    Args:
        first: its results.
        second: results for the same benchmarks and the same questions in the same order.
        weights: benchmark -> weight, of any sum; None: all alike.

    Raises:
        InputError: see `of_mean`; or the benchmarks or questions differ.
    """
    shapes = [{k: m.shape[1] for k, m in arm.accuracy.items()} for arm in (first, second)]
    if shapes[0] != shapes[1]:
        raise InputError(f"the arms were not asked the same questions: {shapes[0]}, {shapes[1]}.")
    negative = {name: -matrix for name, matrix in second.accuracy.items()}
    return of_sum([first, Arm(negative, second.draws)], weights)


def of_sum(arms: Sequence[Arm], weights: Mapping[str, float] | None = None) -> Estimate:
    """Return the weighted mean over benchmarks of a sum, question by question.

    The runs of different arms vary independently; what one run adds at several places, such as at
    two of its steps, must have been summed before.

    Args:
        arms: results for the same questions in the same order, each times its factor.
        weights: benchmark -> weight, of any sum; None: all alike.

    Raises:
        InputError: see `of_mean`.
    """
    n_runs = min(check_results(arm.accuracy) for arm in arms)
    sums = {
        name: np.sum([arm.accuracy[name].mean(axis=0) for arm in arms], axis=0)
        for name in arms[0].accuracy
    }
    return _estimate(sums, arms, _shares(list(sums), weights), n_runs, is_share=False)


def of_change(change: Arm, weights: Mapping[str, float] | None = None) -> Estimate:
    """Return the weighted mean over benchmarks of a change within each run.

    Args:
        change: later less earlier accuracy, in [-1, 1], of the same run on the same question.
        weights: benchmark -> weight, of any sum; None: all alike.

    Raises:
        InputError: see `of_mean`.
    """
    n_runs = check_results(change.accuracy)
    means = {name: matrix.mean(axis=0) for name, matrix in change.accuracy.items()}
    return _estimate(means, [change], _shares(list(means), weights), n_runs, is_share=False)


def welch(parts: Sequence[tuple[float, float]]) -> float:
    """Return the degrees of freedom of a sum of independent variances (Welch 1947).

    Args:
        parts: (variance, degrees of freedom) of each; infinity where no variance is above 0.
    """
    total = math.fsum(variance for variance, _ in parts)
    squares = math.fsum(variance**2 / df for variance, df in parts)
    return max(1.0, total**2 / squares) if squares > 0 else math.inf


def _shares(names: Sequence[str], weights: Mapping[str, float] | None) -> dict[str, float]:
    given = {name: 1.0 if weights is None else weights[name] for name in names}
    total = math.fsum(given.values())
    return {name: weight / total for name, weight in given.items()}


def _estimate(
    means: Mapping[str, Floats],
    arms: Sequence[Arm],
    shares: Mapping[str, float],
    n_runs: int,
    *,
    is_share: bool,
) -> Estimate:
    parts = []
    for name, values in means.items():
        n = len(values)
        spread = float(values.var(ddof=1)) if n > 1 else 0.0
        parts.append((shares[name] ** 2 * spread / n, max(n - 1, 1)))
    return Estimate(
        mean=math.fsum(shares[name] * float(values.mean()) for name, values in means.items()),
        question_variance=math.fsum(variance for variance, _ in parts),
        question_df=welch(parts),
        runs=tuple(part for arm in arms if (part := _runs(arm, shares)) is not None),
        n_runs=n_runs,
        n_questions=sum(len(values) for values in means.values()),
        is_share=is_share,
    )


def _runs(arm: Arm, shares: Mapping[str, float]) -> Runs | None:
    """Return how much an arm varies from run to run; None where it has one run."""
    n_runs = next(iter(arm.accuracy.values())).shape[0]
    if n_runs < 2:
        return None
    by_run = np.zeros(n_runs)
    noise = 0.0
    for name, matrix in arm.accuracy.items():
        rows = matrix.mean(axis=1)
        by_run += shares[name] * rows
        left = matrix - matrix.mean(axis=0) - rows[:, np.newaxis] + matrix.mean()
        n = matrix.shape[1]
        if n > 1:
            square = float((left**2).sum()) / ((n_runs - 1) * (n - 1))
            noise += shares[name] ** 2 * square / (n_runs * n)
    names = list(dict.fromkeys(arm.draws))
    if len(names) > 1:
        by_run = np.array([by_run[np.array(arm.draws) == name].mean() for name in names])
    units = len(by_run)
    return Runs(float(by_run.var(ddof=1)) / units, noise, units - 1)


def _wilson_form(mean: float, half: float, n: int, level: float) -> tuple[float, float]:
    """Return Wilson's interval of the size whose standard error gives this half-width."""
    if half == 0 or not 0 < mean < 1:
        return wilson(min(max(mean, 0.0), 1.0) * n, n, level)
    excess = half**2 / (mean * (1 - mean))
    centre = (mean + excess / 2) / (1 + excess)
    wide = math.sqrt(half**2 + excess**2 / 4) / (1 + excess)
    return max(0.0, centre - wide), min(1.0, centre + wide)
