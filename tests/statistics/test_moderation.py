"""Moderated variances: towards what is usual, the more so the more alike the groups are."""

import numpy as np
import pytest
from scipy import optimize, special

from limr.core.random_streams import stream
from limr.statistics.moderation import moderated


def drawn(groups, df, prior, rng):
    """Variances around a common one with `prior` degrees of freedom; the true ones beside."""
    true = 4.0 if prior is None else 4.0 * prior / rng.chisquare(prior, groups)
    return true * rng.chisquare(df, groups) / df, true


def test_equal_variances_become_one():
    variances, _ = drawn(400, 4, None, stream(0, "equal"))
    found, df = moderated(variances, np.full(400, 4.0))
    assert found == pytest.approx(4.0, rel=0.15)
    assert (df > 40).all()


def test_unequal_variances_keep_what_is_their_own():
    """As Smyth's equations give it, solved here by a root finder instead of Newton's steps."""
    variances, true = drawn(300, 4, 6, stream(0, "unequal"))
    found, df = moderated(variances, np.full(300, 4.0))
    logs = np.log(variances) - special.digamma(2) + np.log(2)
    excess = logs.var(ddof=1) - special.polygamma(1, 2)
    half = optimize.brentq(lambda x: special.polygamma(1, x) - excess, 1e-3, 1e6)
    usual = np.exp(logs.mean() + special.digamma(half) - np.log(half))
    assert df == pytest.approx(4 + 2 * half)
    assert found == pytest.approx((2 * half * usual + 4 * variances) / (2 * half + 4))
    assert np.mean((np.log(found / true)) ** 2) < np.mean((np.log(variances / true)) ** 2)


def test_order_does_not_matter_and_a_variance_of_0_is_moved():
    variances = np.array([0.0, 1.0, 2.0, 3.0, 1.5])
    df = np.array([2.0, 2.0, 4.0, 4.0, 2.0])
    found, own = moderated(variances, df)
    back, _ = moderated(variances[::-1], df[::-1])
    assert back[::-1] == pytest.approx(found)
    assert found[0] > 0
    assert (own >= df).all()


def test_few_groups_stay_as_they_are():
    for values in ([], [1.0, 9.0], [0.0, 0.0, 0.0]):
        variances = np.array(values)
        found, df = moderated(variances, np.full(len(values), 2.0))
        assert found.tolist() == values
        assert df.tolist() == [2.0] * len(values)
