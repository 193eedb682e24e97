"""Intervals as values, Wilson's interval for a share, and the quantiles of Student's t."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from limr.core.errors import InputError

Floats = npt.NDArray[np.float64]
Degrees = TypeVar("Degrees", float, Floats)
LEVEL = 0.95  # of intervals, unless a study declares another


@dataclass(frozen=True)
class Interval:
    """A mean with its interval; `n_runs` and `n_questions` are what it was taken over."""

    mean: float
    low: float
    high: float
    standard_error: float
    n_runs: int
    n_questions: int

    def percent(self, name: str = "mean") -> dict[str, float]:
        """Return `name`, `low` and `high` in percent or points: the cells of a table."""
        return {name: 100 * self.mean, "low": 100 * self.low, "high": 100 * self.high}

    @property
    def verdict(self) -> str:
        """What the interval of a difference allows to say: above, below or level."""
        if not self.excludes_zero:
            return "level"
        return "above" if self.mean > 0 else "below"

    @property
    def excludes_zero(self) -> bool:
        """Whether 0 lies outside the interval."""
        return self.low > 0 or self.high < 0


def two_sided(level: float, df: Degrees) -> Degrees:
    """Return c with P(|t| < c) = level, where t follows Student's t distribution.

    Args:
        level: in [0, 1).
        df: degrees of freedom, at least 1, one or many; infinity gives the normal distribution.
    """
    from scipy.special import stdtrit  # imported here: no command's start waits for SciPy

    quantile: Degrees = -stdtrit(df, (1 - level) / 2)
    return quantile


def wilson(n_correct: float, n: int, level: float = LEVEL) -> tuple[float, float]:
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


def check_results(results: Mapping[str, Floats]) -> int:
    """Return the number of runs of an arm's results: benchmark -> (n_runs, n_questions).

    Raises:
        InputError: no results, a missing value, or benchmarks with different numbers of runs.
    """
    if not results:
        raise InputError("there are no results to take a mean of.")
    if len({matrix.shape[0] for matrix in results.values()}) != 1:
        found = {key: matrix.shape[0] for key, matrix in results.items()}
        raise InputError(f"the benchmarks have different numbers of runs: {found}.")
    for key, matrix in results.items():
        if matrix.size == 0 or np.isnan(matrix).any():
            raise InputError(f"benchmark '{key}': not every run answered every question.")
    return int(next(iter(results.values())).shape[0])
