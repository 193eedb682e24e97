"""The bootstrap of scores: its draws, its intervals, and their coverage on simulated curves."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from limr.core import plugins, validation
from limr.core.random_streams import stream
from limr.scores import diagnostics, resampling, scoring
from limr.trajectories import curves as tr


def matrices(n, n_correct):
    return tr.Samples(np.array(n), np.array(n_correct))


def pass_rate(samples):
    return samples.pass_rate


@st.composite
def samples(draw, most=40):
    shape = draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    n = draw(st.lists(st.integers(0, most), min_size=math.prod(shape), max_size=math.prod(shape)))
    share = draw(st.lists(st.floats(0, 1), min_size=len(n), max_size=len(n)))
    n_correct = [round(a * b) for a, b in zip(n, share, strict=True)]
    return matrices(np.reshape(n, shape), np.reshape(n_correct, shape))


# What is drawn.


def test_rates_are_drawn_to_the_problems_mean():
    found = resampling.rates(matrices([[8, 8, 0], [8, 8, 8]], [[8, 4, 0], [0, 0, 0]]))
    mean = (12 + 1) / (16 + 2)
    expected = [mean + 8 / 12 * (1 - 0.75), mean + 8 / 12 * (0.5 - 0.75), 0]
    np.testing.assert_allclose(found[0], expected)
    np.testing.assert_allclose(found[1], 1 / 26)  # never solved, and still not without noise


@given(samples())
def test_rates_are_probabilities(given_samples):
    found = resampling.rates(given_samples)
    sampled = given_samples.n > 0
    assert ((found > 0) & (found < 1))[sampled].all()
    assert (found[~sampled] == 0).all()


@given(samples())
def test_draws_keep_within_the_samples(given_samples):
    for drawn in resampling.redrawn(given_samples, 3, stream(1, "test")):
        assert drawn.n is given_samples.n
        assert drawn.n_correct.dtype == np.int64
        assert ((drawn.n_correct >= 0) & (drawn.n_correct <= drawn.n)).all()


def mass(n, p):
    return np.array([math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)])


@pytest.mark.parametrize("n", [1, 8, 32])
def test_tabulated_limits_are_the_binomial_distribution(n):
    rates = np.array([[0.003, 0.2, 0.5, 0.94]])
    limits = resampling._limits(np.array([[n, n, n, n - 1]]), rates)
    assert limits.shape == (n, 1, 4)
    above = 1 - (limits[:, 0].astype(float) + 1) / 2**32  # P(u > limit) = P(X > j)
    for cell, p in enumerate(rates[0]):
        size = n - 1 if cell == 3 else n
        expected = 1 - mass(size, p).cumsum()
        np.testing.assert_allclose(above[:size, cell], expected[:size], atol=2**-31)
    assert limits[n - 1, 0, 3] == 2**32 - 1  # more than n is impossible


@pytest.mark.parametrize("n", [5, 8, 40])  # 40: NumPy's generator
@pytest.mark.parametrize("correct", [0, 3])
def test_draws_are_binomial(n, correct):
    many = 40_000
    given_samples = matrices(np.full((many, 1), n), np.full((many, 1), correct))
    p = resampling.rates(given_samples)[0, 0]
    [drawn] = resampling.redrawn(given_samples, 1, stream(2, "test"))
    counts = np.bincount(drawn.n_correct[:, 0], minlength=n + 1)
    expected = many * mass(n, p)
    assert (np.abs(counts - expected) <= 4.5 * np.sqrt(expected) + 3).all()


@pytest.mark.parametrize("most", [8, 40])  # tabulated, and by NumPy
def test_a_log_that_ends_within_an_epoch_is_drawn_again_as_one(most):
    given_samples = tr.Samples(np.array([[most, most], [most, 0]]), np.array([[1, 2], [3, 0]]), 1)
    drawn = list(resampling.redrawn(given_samples, 2, stream(1, "test")))
    assert [one.whole for one in drawn] == [1, 1]


def test_draws_depend_on_the_stream_alone():
    given_samples = matrices(np.full((50, 4), 8), np.tile([0, 2, 5, 8], (50, 1)))

    def drawn(*names):
        return resampling.draw_scores(given_samples, pass_rate, 20, stream(1, *names))

    np.testing.assert_array_equal(drawn("a"), drawn("a"))
    assert (drawn("a") != drawn("b")).any()


# What is made of the draws.


def test_centring_keeps_the_spread_and_moves_the_mean():
    rng = stream(1, "test")
    drawn = rng.normal(0.4, 0.1, (500, 5)).astype(np.float32)
    drawn[::3, 4] = np.nan  # not scorable in some draws
    scores_ = np.array([0.1, 0.2, 0.3, np.nan, 0.5])
    centred = resampling.centre(drawn.copy(), scores_)
    finite = [0, 1, 2, 4]
    np.testing.assert_allclose(np.nanmean(centred[:, finite], axis=0), scores_[finite], atol=1e-6)
    np.testing.assert_allclose(
        np.nanstd(centred[:, finite], axis=0), np.nanstd(drawn[:, finite], axis=0), rtol=1e-4
    )
    assert np.isnan(centred[:, 3]).all()


def test_a_score_of_two_values_is_not_centred():
    drawn = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
    centred = resampling.centre(drawn.copy(), np.array([1.0, 0.0]))
    np.testing.assert_array_equal(centred, drawn)
    two_problems = np.array([[0.2, 0.1], [0.5, 0.4], [0.8, 0.1]], np.float32)
    centred_two = resampling.centre(two_problems, np.array([0.1, 0.2]))
    np.testing.assert_allclose(centred_two.mean(axis=0), [0.1, 0.2], atol=1e-6)
    share = resampling.selected_share(centred, {"threshold": 1.0})
    np.testing.assert_allclose(share, [2 / 3, 2 / 3])


def test_draws_on_a_scale_are_mirrored_about_the_score():
    drawn = np.array([[0.1, 0.1], [0.2, 0.0], [0.5, 0.3], [0.2, 0.4]], np.float32)
    scale = resampling.Scale(lambda x: 2 * x, lambda x: x / 2)
    centred = resampling.centre(drawn.copy(), np.array([0.3, 0.2]), scale)
    away = drawn - drawn.mean(axis=0)
    away[::2] *= -1
    np.testing.assert_allclose(centred, np.array([0.3, 0.2]) + away, atol=1e-6)


def test_spread_is_percentiles_and_standard_deviation():
    centred = stream(1, "test").normal(0, 1, (301, 1500)).astype(np.float32)
    centred[:, 7] = np.nan
    centred[1:, 8] = np.nan
    centred[100:, 9] = np.nan
    found = resampling.spread(centred, 0.9)
    for problem in (0, 9, 1100, 1499):
        column = centred[:, problem].astype(float)
        column = column[~np.isnan(column)]
        assert found.low[problem] == pytest.approx(np.quantile(column, 0.05))
        assert found.high[problem] == pytest.approx(np.quantile(column, 0.95))
        assert found.standard_error[problem] == pytest.approx(column.std(ddof=1))
    assert math.isnan(found.low[7])
    assert math.isnan(found.standard_error[7])
    assert found.low[8] == centred[0, 8]  # one draw
    assert math.isnan(found.standard_error[8])


def test_selected_share_by_every_rule():
    nan = np.nan
    centred = np.array(
        [[0.9, 0.5, 0.5, 0.1, nan], [0.5, 0.9, 0.2, nan, nan], [0.1, 0.2, 0.3, 0.4, nan]],
        np.float32,
    )

    def share(**rule):
        return resampling.selected_share(centred, rule)

    np.testing.assert_allclose(share(threshold=0.5), [2 / 3, 2 / 3, 1 / 3, 0, nan])
    np.testing.assert_allclose(share(threshold=0.5, strict=True), [1 / 3, 1 / 3, 0, 0, nan])
    # Draw 1: the first, and half of two that tie; draw 2: two; draw 3: two.
    np.testing.assert_allclose(share(size=2), [2 / 3, 1.5 / 3, 1.5 / 3, 1 / 3, nan])
    np.testing.assert_allclose(share(size=4), [1, 1, 1, 2 / 3, nan])  # draw 2 has three scores
    np.testing.assert_allclose(share(), [1, 1, 1, 2 / 3, nan])


@pytest.mark.parametrize("size", [1, 40, 300])
def test_shares_of_a_size_add_up_to_it(size):
    centred = stream(3, "test").integers(0, 20, (130, 300)).astype(np.float32)
    assert resampling.selected_share(centred, {"size": size}).sum() == pytest.approx(size)


# Coverage.

N_PROBLEMS, N_EPOCHS, N = 96, 8, 8
REPLICATES, DRAWS = 50, 400


def true_rates():
    """Rising curves of all heights; a third are flat and extreme, six of those without noise."""
    rng = stream(11, "coverage")
    start, gain = rng.normal(-0.6, 2.0, N_PROBLEMS), rng.gamma(2.0, 0.9, N_PROBLEMS)
    k = np.arange(N_EPOCHS)
    p = 1 / (1 + np.exp(-(start[:, None] + gain[:, None] * (1 - np.exp(-k / 3)))))
    flat = np.tile([0.0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 1.0], 4)
    flat[16:24] = 1 - flat[16:24]
    p[:32] = flat[:, None]
    return p


@pytest.mark.slow
@pytest.mark.parametrize("selector", ["lim", "variance", "learnability", "linear"])
def test_intervals_cover_the_expected_score(selector):
    """95 % intervals hold the mean over data sets in 92 to 98 %, mid-range and extreme.

    The estimand is the expected score at the true rates, over data sets of 8 samples an epoch.
    Where a problem is never or always solved by nature its score has no noise of its own and the
    interval holds it still more often.
    """
    p = true_rates()
    rng = stream(12, "coverage", selector)
    module = plugins.load("selectors", selector)
    options = validation.complete({}, validation.options(module), selector)
    problems = scoring.ProblemSet([str(i) for i in range(N_PROBLEMS)], [None] * N_PROBLEMS)
    n = np.full(p.shape, N)

    def rescore(given_samples):
        return module.score(problems, given_samples, options, rng).values

    def data_set():
        return tr.Samples(n, rng.binomial(n, p))

    truth = np.mean([rescore(data_set()) for _ in range(3000)], axis=0)
    held = np.zeros(N_PROBLEMS)
    for _ in range(REPLICATES):
        given_samples = data_set()
        drawn = resampling.draw_scores(given_samples, rescore, DRAWS, rng)
        found = resampling.spread(resampling.centre(drawn, rescore(given_samples)), 0.95)
        held += (found.low <= truth + 1e-6) & (truth <= found.high + 1e-6)
    held /= REPLICATES
    mean = p.mean(axis=1)
    middle = (mean >= 0.2) & (mean <= 0.8)
    constant = (mean == 0) | (mean == 1)
    extreme = ~middle & ~constant
    assert middle.sum() > 25
    assert extreme.sum() > 25
    for which in (middle, extreme):
        assert 0.92 <= held[which].mean() <= 0.98
    assert held[constant].mean() >= 0.95


def intervals(selector, given_samples, noise, rng):
    """The product's: low and high of every problem."""
    ids = [str(i) for i in range(len(given_samples.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    of = diagnostics.subject(problems, given_samples, selector, {"noise": noise}, seed=0, name="x")
    found = diagnostics.problem_table(of, diagnostics.cut(of, None, rng), 200, 0.95, rng)
    return found["low"].to_numpy(), found["high"].to_numpy()


def share_held(selector, size, noise, replicates):
    """Share of 95 % intervals that hold the score of the true rates: noisy curves, and the rest."""
    rng = stream(13, "coverage", selector, str(size))
    walk = np.cumsum(rng.normal(0, 0.1, (60, N_EPOCHS)), axis=1) + rng.normal(0.75, 0.3, (60, 1))
    p = np.concatenate([true_rates()[:80], np.sin(np.clip(walk, 0.05, 1.5)) ** 2])
    problems = scoring.ProblemSet([str(i) for i in range(len(p))], [None] * len(p))
    many = np.full(p.shape, 10**6)
    exact = tr.Samples(many, np.rint(p * many).astype(np.int64))
    truth = scoring.score(selector, problems, exact, {}, seed=0, name="x").values
    held = []
    for _ in range(replicates):
        given_samples = tr.Samples(np.full(p.shape, size), rng.binomial(size, p))
        low, high = intervals(selector, given_samples, noise, rng)
        held.append((low <= truth + 1e-5) & (truth <= high + 1e-5))
    noisy = p.min(axis=1) * (1 - p.max(axis=1)) > 0
    return np.mean(held, axis=0)[noisy].mean(), np.mean(held, axis=0)[~noisy].mean()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("selector", "size", "noise"),
    [
        ("lim", 2, "debias"),
        ("variance", 2, "debias"),
        ("variance", 16, "debias"),
        ("lim", 2, "shrink"),
        ("lim", 16, "shrink"),
        ("variance", 8, "shrink"),
    ],
)
def test_intervals_without_noise_cover_the_score_of_the_true_rates(selector, size, noise):
    """To 93 to 97 %, at any number of samples; by 12 data sets within a point more."""
    noisy, others = share_held(selector, size, noise, 12)
    assert 0.92 <= noisy <= 0.98
    assert others >= 0.95


@pytest.mark.long
@pytest.mark.parametrize("noise", ["debias", "shrink"])
@pytest.mark.parametrize("size", [2, 4, 8, 16])
@pytest.mark.parametrize("selector", ["lim", "lim-curve-free", "linear", "variance"])
def test_all_intervals_without_noise_cover_the_score_of_the_true_rates(selector, size, noise):
    noisy, others = share_held(selector, size, noise, 40)
    assert 0.93 <= noisy <= 0.97
    assert others >= 0.95
