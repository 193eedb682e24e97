"""Variances of many groups that borrow strength from each other.

With three or five runs a group's own variance is a poor estimate: where it happens to be small, the
group's test is far too sure, and a correction for many tests looks at just these. Therefore each
variance is moved towards the one that is usual among the groups, the more so the more alike they
are (Smyth 2004, "Linear models and empirical Bayes methods", as in limma): the variances are taken
for draws around a common one with d0 degrees of freedom, both estimated from their logarithms. A
moderated variance has d0 degrees of freedom more than its own.
"""

from __future__ import annotations

import math

import numpy as np

from limr.statistics.intervals import Floats

LEAST = 3  # groups from which something usual can be told


def moderated(variances: Floats, df: Floats) -> tuple[Floats, Floats]:
    """Return moderated variances and their degrees of freedom, which may be infinite.

    Args:
        variances: (n,) independent estimates, at least 0; fewer than `LEAST` stay as they are.
        df: (n,) degrees of freedom of each, at least 1.
    """
    usable = variances > 0
    if usable.sum() < LEAST:
        return variances, df
    from scipy.special import digamma, polygamma

    least = 1e-5 * float(np.median(variances[usable]))  # a variance of 0 has no logarithm
    logs = np.log(np.maximum(variances, least)) - digamma(df / 2) + np.log(df / 2)
    excess = float(logs.var(ddof=1) - polygamma(1, df / 2).mean())
    if excess <= 0:
        usual = float((variances * df).sum() / df.sum())
        return np.full_like(variances, usual), np.full_like(df, np.inf)
    prior = 2 * _inverse_trigamma(excess)
    usual = math.exp(float(logs.mean()) + float(digamma(prior / 2)) - math.log(prior / 2))
    return (prior * usual + df * variances) / (prior + df), df + prior


def _inverse_trigamma(value: float) -> float:
    """Return x > 0 whose trigamma is a value, by Newton's method on its reciprocal."""
    from scipy.special import polygamma

    if value > 1e7:
        return 1 / math.sqrt(value)
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-8:
            break
    return x
