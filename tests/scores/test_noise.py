"""Scores without the samples' noise: on curves whose true rates are known."""

import numpy as np
import pytest

from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.scores import noise, scoring
from limr.scores.selectors import lim, linear
from limr.trajectories import curves as tr

SIZES = (2, 4, 8, 16)
SELECTORS = (
    ("lim", {}),
    ("variance", {}),
    ("linear", {"variant": "alignment"}),
    ("lim-curve-free", {}),
)


def score(selector, taken, **options):
    ids = [str(i) for i in range(len(taken.n))]
    problems = scoring.ProblemSet(ids, [None] * len(ids))
    return scoring.score(selector, problems, taken, options, seed=1, name="x")


def linear_in_squares(selector, values):
    """Scores of which the debiased ones are the unbiased estimates: the variance, not its root."""
    return np.sign(values) * values**2 if selector == "variance" else values


def true_scores(selector, p, **options):
    """By the published formula, as if every visit had had a million samples."""
    many = np.full(p.shape, 10**6)
    return score(selector, tr.Samples(many, np.rint(p * many).astype(np.int64)), **options).values


def shapes(rng, n_each=12, n_epochs=8):
    """Flat, rising, falling, noisy, never and always solved."""
    k = np.linspace(0, 1, n_epochs)
    level, other = rng.random((n_each, 1)), rng.random((n_each, 1))
    flat = np.repeat(level, n_epochs, axis=1)
    never = np.zeros((n_each, n_epochs))
    moving = level + (other - level) * k
    return np.concatenate([flat, moving, rng.random(flat.shape), never, never + 1])


@pytest.mark.parametrize(("selector", "options"), SELECTORS)
@pytest.mark.parametrize("sizes", [*((n,) for n in SIZES), (2, 3, 8)])
def test_debiased_scores_are_unbiased_whatever_the_rates_are(selector, options, sizes):
    """Each problem's mean over data sets lies about its true score as its standard error says."""
    rng = stream(21, "debias", selector, str(sizes))
    p = shapes(rng)
    truth = linear_in_squares(selector, true_scores(selector, p, **options))
    found = {"ignore": [], "debias": []}
    for _ in range(300):
        n = rng.choice(sizes, p.shape)
        taken = tr.Samples(n, rng.binomial(n, p))
        if (
            selector == "lim-curve-free"
        ):  # its estimand is the rate over the samples that were drawn
            taken = tr.Samples(np.full(p.shape, sizes[0]), rng.binomial(sizes[0], p))
        for rule, drawn in found.items():
            values = score(selector, taken, noise=rule, **options).values
            drawn.append(linear_in_squares(selector, values))
    gaps = {rule: np.mean(drawn, axis=0) - truth for rule, drawn in found.items()}
    error = np.std(found["debias"], axis=0, ddof=1) / np.sqrt(300)
    moved = error > 1e-9
    z = gaps["debias"][moved] / error[moved]
    assert abs(z).max() < 4.5
    # Problems that are never or always solved share what noise they have: the mean curve's.
    assert (z[p[moved].std(axis=1) + p[moved, 0] * (1 - p[moved, 0]) > 0] ** 2).mean() < 1.6
    np.testing.assert_allclose(gaps["debias"][~moved], 0, atol=1e-9)
    if sizes == (2,):  # and the test would see a bias
        assert (abs(gaps["ignore"][moved] / error[moved]) > 4.5).mean() > 0.3


@pytest.mark.parametrize("rule", ["backfill-one", "backfill", "mean-of-present"])
@pytest.mark.parametrize(("selector", "options"), SELECTORS[:3])
def test_debiased_scores_of_filled_curves_are_those_of_filled_rates(rule, selector, options):
    rng = stream(22, "gaps", selector, rule)
    p = shapes(rng, 6)
    there = rng.random(p.shape) > 0.25
    there[:, -1] = True
    many = np.where(there, 10**6, 0)
    exact = tr.Samples(many, np.rint(p * many).astype(np.int64))
    truth = linear_in_squares(selector, score(selector, exact, missing=rule, **options).values)
    drawn = []
    for _ in range(400):
        n = np.where(there, 3, 0)
        taken = tr.Samples(n, rng.binomial(n, p))
        values = score(selector, taken, missing=rule, noise="debias", **options).values
        drawn.append(linear_in_squares(selector, values))
    error = np.std(drawn, axis=0, ddof=1) / np.sqrt(400)
    moved = error > 1e-9  # NaN is not
    z = (np.mean(drawn, axis=0) - truth)[moved] / error[moved]
    assert moved.sum() >= 10
    assert abs(z).max() < 4.5


@pytest.mark.parametrize(("selector", "options"), [*SELECTORS, ("linear", {"variant": "pearson"})])
@pytest.mark.parametrize("size", SIZES)
def test_shrunk_scores_are_unbiased_over_problems_like_the_logs(selector, options, size):
    """At given rates a shrunk score is not unbiased; the mean over the log's problems is."""
    rng = stream(23, "shrink", selector, str(size))
    angle = np.cumsum(rng.normal(0, 0.07, (1500, 10)), axis=1) + rng.normal(0.75, 0.3, (1500, 1))
    p = np.sin(np.clip(angle, 0.02, 1.55)) ** 2
    n = np.full(p.shape, size)
    taken = tr.Samples(n, rng.binomial(n, p))
    truth = linear_in_squares(selector, true_scores(selector, p, **options))
    values = score(selector, taken, noise="shrink", **options).values
    gap = linear_in_squares(selector, values) - truth
    plain = linear_in_squares(selector, score(selector, taken, **options).values) - truth
    if options.get("variant") != "pearson":  # a ratio's expectation is not that of its parts
        assert abs(gap.mean()) < 4 * gap.std() / np.sqrt(len(gap)) + 0.01 * truth.std()
    assert np.nanmean(gap**2) < np.nanmean(plain**2)  # a constant curve has no plain correlation


def test_published_scores_are_the_default():
    rng = stream(24, "default")
    n = rng.integers(1, 9, (30, 5))
    taken = tr.Samples(n, rng.binomial(n, 0.4))
    for selector, options in (*SELECTORS, ("bottom-lim", {})):
        plain = score(selector, taken, **options).values
        np.testing.assert_array_equal(
            plain, score(selector, taken, noise="ignore", **options).values
        )


@pytest.mark.parametrize(("selector", "options"), SELECTORS)
def test_a_single_sample_has_no_debiased_score_and_says_so(selector, options):
    taken = tr.Samples(np.array([[8, 8], [8, 1], [8, 8]]), np.array([[2, 4], [3, 1], [0, 5]]))
    found = score(selector, taken, noise="debias", **options)
    assert np.isnan(found.values).tolist() == [False, True, False]
    assert found.reasons[noise.ONE_SAMPLE].tolist() == [False, True, False]
    two = tr.Samples(taken.n[::2], taken.n_correct[::2])  # and it is not in the mean curve
    again = score(selector, two, noise="debias", **options).values
    np.testing.assert_array_equal(found.values[::2], again)
    single = tr.Samples(np.ones((3, 2), np.int64), np.array([[0, 1], [1, 1], [0, 0]]))
    assert np.isnan(score(selector, single, noise="debias", **options).values).all()
    assert not np.isnan(score(selector, single, noise="shrink", **options).values).any()


def test_the_mean_curve_is_that_of_the_problems_that_are_scored():
    taken = tr.Samples(np.array([[8, 8], [8, 1], [8, 8]]), np.array([[2, 4], [3, 1], [0, 5]]))
    options = {"epochs": None, "missing": "backfill-one", "noise": "debias"}
    assert noise.rates(taken, options).curves.mean.tolist() == [1 / 8, 9 / 16]


def test_always_solved_is_exactly_0_debiased_and_one_problem_is_its_own_mean():
    rng = stream(25, "always")
    n = rng.integers(2, 17, (500, 9))
    n_correct = rng.binomial(n, rng.random((500, 1)))
    n_correct[::7] = n[::7]
    values = score("lim", tr.Samples(n, n_correct), noise="debias").values
    assert (values[::7] == 0).all()
    one = tr.Samples(np.array([[8, 8]]), np.array([[1, 3]]))
    for rule in noise.NOISE_RULES:
        assert score("lim", one, noise=rule).values == pytest.approx(1)


def test_a_mean_curve_that_cannot_be_told_from_1():
    # one problem, 7 of 8: (1 - r)² = 1/64 is all noise, r (1 - r) / 7 = 1/64
    taken = tr.Samples(np.array([[8, 8]]), np.array([[7, 7]]))
    found = score("lim", taken, noise="debias")
    assert list(found.reasons) and found.reasons[lim.ALL_SOLVED].tolist() == [True]


@pytest.mark.parametrize("variant", ["pearson", "r2"])
def test_a_debiased_correlation_is_refused(variant):
    taken = tr.Samples(np.array([[8, 8, 8]]), np.array([[7, 7, 2]]))
    with pytest.raises(InputError, match="has no unbiased estimate"):
        score("linear", taken, noise="debias", variant=variant)
    assert -1 <= score("linear", taken, noise="shrink", variant=variant).values[0] < 0


def test_a_correlation_is_smaller_where_less_is_known():
    curve = np.linspace(0.2, 0.21, 6)
    rise = np.full(2, curve @ noise.line_about_its_mean(6))
    found = linear.correlation(rise, curve.var() + np.array([0.0, 1.0]), 6)
    assert found[0] == pytest.approx(1)
    assert found[1] < 0.02


def test_gaps_take_the_models_rates():
    rng = stream(26, "model")
    n = np.full((200, 6), 8)
    correct = rng.binomial(n, np.repeat(rng.random((200, 1)), 6, axis=1))
    n[5, 2] = correct[5, 2] = 0
    taken = tr.Samples(n, correct)
    known = noise.rates(taken, {"epochs": None, "missing": "backfill-one", "noise": "shrink"})
    assert min(known.x[5, 1], known.x[5, 3]) <= known.x[5, 2] <= max(known.x[5, 1], known.x[5, 3])
    strict = score("lim", taken, missing="strict", noise="shrink")
    assert np.flatnonzero(np.isnan(strict.values)).tolist() == [5]


def test_the_warning_of_never_solved_problems_names_their_score():
    counts = np.array([[0, 0], [0, 0], [4, 5], [1, 2]])
    taken = tr.Samples(np.full(counts.shape, 8), counts)
    chosen = np.array([True, False, True, False])
    for rule in noise.NOISE_RULES:
        options = {"epochs": None, "missing": "strict", "never_solved": "warn", "noise": rule}
        value = score("lim", taken, noise=rule).values[0]
        [warning] = lim.warnings(chosen, taken, options)
        assert f" {value:.3f}," in warning
