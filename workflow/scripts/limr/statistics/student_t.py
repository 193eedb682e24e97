"""Quantiles of Student's t distribution, for any number of degrees of freedom from 1 upward.

With t = sqrt(df) tan(angle) the density of the angle is proportional to cos(angle)^(df - 1), smooth
and bounded, so that its integral over a grid of angles gives probabilities and quantiles. Against
scipy.stats.t the relative error is below 1e-6 for levels up to 1 - 1e-6 (docs/statistics.md).
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
_POINTS = 20_001
_NORMAL = 4000.0  # degrees of freedom from which the normal distribution serves


def two_sided(level: float, df: float) -> float:
    """Return c with P(|t| < c) = level.

    Args:
        level: in [0, 1).
        df: degrees of freedom, at least 1; infinity for the normal distribution.

    Raises:
        ValueError: level or df is outside its range.
    """
    if not 0 <= level < 1 or not df >= 1:
        raise ValueError(f"level {level} or {df} degrees of freedom: outside the range")
    if df >= _NORMAL:
        return NormalDist().inv_cdf(0.5 + level / 2)
    angles, shares = _angles(df)
    return math.sqrt(df) * math.tan(float(np.interp(level, shares, angles)))


@lru_cache(maxsize=200)
def _angles(df: float) -> tuple[Floats, Floats]:
    """Return angles in [0, pi / 2] and the share of |t| below each."""
    to_end = np.linspace(1, 0, _POINTS) ** 3 * (math.pi / 2)  # closest where the tail is
    density = np.sin(to_end) ** (df - 1)
    parts = (density[1:] + density[:-1]) / 2 * -np.diff(to_end)
    below = np.concatenate([[0.0], np.cumsum(parts)])
    return math.pi / 2 - to_end, below / below[-1]


def two_sided_many(level: float, df: Floats) -> Floats:
    """Return `two_sided` of many degrees of freedom, interpolated in 1 / df (error below .1 %)."""
    inverse, logarithms = _known(level)
    found: Floats = np.exp(np.interp(1 / np.asarray(df, np.float64), inverse, logarithms))
    return found


@lru_cache(maxsize=16)
def _known(level: float) -> tuple[Floats, Floats]:
    """Return 1 / df on a grid and the logarithm of `two_sided` there."""
    inverse = np.concatenate([[0.0], np.geomspace(1 / _NORMAL, 1, 120)])
    known = [two_sided(level, 1 / x if x else math.inf) for x in inverse]
    return inverse, np.log(np.array(known, np.float64))
