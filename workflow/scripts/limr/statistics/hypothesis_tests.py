"""Tests of paired answers, and the correction for making many tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from limr.statistics.intervals import Floats


def mcnemar(first: Floats, second: Floats) -> tuple[int, int, float]:
    """Return McNemar's exact test of two policies that answer each question once.

    Args:
        first: (n_questions,) 1 where right, 0 where wrong.
        second: the same questions in the same order.

    Returns:
        How many questions only the first has right, how many only the second, and the exact
        two-sided p value of a fair coin over these (McNemar 1947; Fagerland et al. 2013).
    """
    ours, theirs = int((first > second).sum()), int((second > first).sum())
    n = ours + theirs
    tail = sum(math.comb(n, i) for i in range(min(ours, theirs) + 1))
    return ours, theirs, min(1.0, float(Fraction(2 * tail, 2**n)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's (1979) adjusted p values of one family, in the order given."""
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty_like(p)
    adjusted[order] = np.maximum.accumulate(np.minimum(1.0, factors * p[order]))
    return [float(value) for value in adjusted]
