"""Intervals: Wilson for a share, and a two-level bootstrap (runs and questions) for means.

An arm's result varies with the run (seed, random draw) and with the questions that a benchmark
happens to have. The bootstrap draws both again. Resampling n of n items gives a variance that is
too small by (n - 1) / n: half, for two seeds. Therefore n - 1 items are drawn, which makes the
bootstrap's variance unbiased (Rao and Wu 1988). With a single run nothing can be said about the
variation between runs, and the interval covers the questions only.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from limr.errors import InputError

Floats = npt.NDArray[np.float64]
RESAMPLES = 4000


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; `n_runs` and `n_questions` are what it was taken over."""

    mean: float
    low: float
    high: float
    standard_error: float
    n_runs: int
    n_questions: int

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


def wilson(n_correct: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Return Wilson's interval for a share, in [0, 1] (Wilson 1927).

    The count need not be whole: it may be an expected one.

    Raises:
        ValueError: n < 1 or n_correct outside 0..n.
    """
    if n < 1 or not 0 <= n_correct <= n:
        raise ValueError(f"{n_correct} of {n} is not a share")
    z = NormalDist().inv_cdf(0.5 + level / 2)
    share = n_correct / n
    scale = 1 + z * z / n
    centre = (share + z * z / (2 * n)) / scale
    half = z / scale * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, centre - half), min(1.0, centre + half)


def bootstrap_mean(
    results: Mapping[str, Floats],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean over benchmarks of an arm's accuracy, with a two-level interval.

    Args:
        results: benchmark -> (n_runs, n_questions) accuracy in [0, 1]; the same runs, in the same
            order, for every benchmark. Every benchmark counts the same.
        rng: a named stream.
        level: of the percentile interval.
        resamples: number of bootstrap draws.

    Raises:
        InputError: no results, a missing value, or benchmarks with different numbers of runs.
    """
    n_runs = _check(results)
    runs = _weights(n_runs, resamples, rng)
    draws = np.mean([_resample(m, runs, rng) for m in results.values()], axis=0)
    mean = float(np.mean([matrix.mean() for matrix in results.values()]))
    n_questions = sum(matrix.shape[1] for matrix in results.values())
    return _interval(mean, draws, level, n_runs, n_questions)


def bootstrap_difference(
    first: Mapping[str, Floats],
    second: Mapping[str, Floats],
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Interval:
    """Return the mean difference `first` - `second`, paired by question.

    Questions are drawn once for both arms, since both answer the same ones; runs are drawn for each
    arm by itself. `n_runs` is the smaller of the two.

    Args:
        first: see `bootstrap_mean`.
        second: the same benchmarks with the same questions in the same order.
        rng: a named stream.
        level: of the percentile interval.
        resamples: number of bootstrap draws.

    Raises:
        InputError: see `bootstrap_mean`; or the benchmarks or questions differ.
    """
    n_first, n_second = _check(first), _check(second)
    shapes = [{key: matrix.shape[1] for key, matrix in side.items()} for side in (first, second)]
    if shapes[0] != shapes[1]:
        raise InputError(f"the arms were not asked the same questions: {shapes[0]}, {shapes[1]}.")
    weights = _weights(n_first, resamples, rng), _weights(n_second, resamples, rng)
    draws = []
    for key in first:
        questions = _weights(first[key].shape[1], resamples, rng)
        gap = weights[0] @ first[key] - weights[1] @ second[key]
        draws.append((gap * questions).sum(axis=1))
    mean = float(np.mean([first[key].mean() - second[key].mean() for key in first]))
    n_questions = sum(matrix.shape[1] for matrix in first.values())
    return _interval(mean, np.mean(draws, axis=0), level, min(n_first, n_second), n_questions)


def _check(results: Mapping[str, Floats]) -> int:
    if not results:
        raise InputError("there are no results to take a mean of.")
    if len({matrix.shape[0] for matrix in results.values()}) != 1:
        found = {key: matrix.shape[0] for key, matrix in results.items()}
        raise InputError(f"the benchmarks have different numbers of runs: {found}.")
    for key, matrix in results.items():
        if matrix.size == 0 or np.isnan(matrix).any():
            raise InputError(f"benchmark '{key}': not every run answered every question.")
    return int(next(iter(results.values())).shape[0])


def _weights(n: int, resamples: int, rng: np.random.Generator) -> Floats:
    """Return (resamples, n) weights that sum to 1: max(n - 1, 1) draws with replacement."""
    drawn = max(n - 1, 1)
    picks = rng.integers(n, size=(resamples, drawn)) + n * np.arange(resamples)[:, np.newaxis]
    counts = np.bincount(picks.ravel(), minlength=n * resamples).reshape(resamples, n)
    return np.asarray(counts / drawn, dtype=np.float64)


def _resample(matrix: Floats, runs: Floats, rng: np.random.Generator) -> Floats:
    """Return (resamples,) means of a (n_runs, n_questions) matrix, both levels drawn again."""
    questions = _weights(matrix.shape[1], len(runs), rng)
    means: Floats = ((runs @ matrix) * questions).sum(axis=1)
    return means


def _interval(mean: float, draws: Floats, level: float, n_runs: int, n_questions: int) -> Interval:
    low, high = np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(mean, float(low), float(high), float(draws.std(ddof=1)), n_runs, n_questions)
