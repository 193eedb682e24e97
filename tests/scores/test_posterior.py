"""The posterior of curves: against sums over all paths, and on curves whose walk is known."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.core.random_streams import stream
from limr.scores import grid_walk, posterior
from limr.trajectories import curves as tr

UNHURRIED = settings(deadline=None, max_examples=25)


def walk_of(start, step):
    return posterior.Walk(np.array(start) / np.sum(start), step)


def by_all_paths(n, correct, walk, weights):
    """Likelihood of one curve, means and variances of its rates, variance of a weighted sum."""
    size = len(walk.start)
    angles = [(g + 0.5) * math.pi / (2 * size) for g in range(size)]
    moves = []
    for a in angles:
        row = [math.exp(-(((b - a) / walk.step) ** 2) / 2) for b in angles]
        total = math.fsum(row)
        moves.append([(1 - 1e-9) * value / total + 1e-9 / size for value in row])
    chances, paths = [], []
    for path in itertools.product(range(size), repeat=len(n)):
        chance = walk.start[path[0]] * math.prod(moves[a][b] for a, b in itertools.pairwise(path))
        for k, g in enumerate(path):
            p = math.sin(angles[g]) ** 2
            chance *= p ** correct[k] * (1 - p) ** (n[k] - correct[k])
        chances.append(chance)
        paths.append([math.sin(angles[g]) ** 2 for g in path])
    weight, paths = np.array(chances) / sum(chances), np.array(paths)
    mean = weight @ paths
    sums = paths @ np.array(weights)
    variance_of_sum = weight @ sums**2 - (weight @ sums) ** 2
    return sum(chances), mean, weight @ paths**2 - mean**2, variance_of_sum


@st.composite
def cases(draw):
    epochs = draw(st.integers(1, 4))
    cell = st.integers(0, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))
    row = st.lists(cell, min_size=epochs, max_size=epochs)
    cells = np.array(draw(st.lists(row, min_size=1, max_size=3)))
    start = draw(st.lists(st.floats(0.05, 1), min_size=5, max_size=5))
    weights = draw(st.lists(st.floats(0, 2), min_size=epochs, max_size=epochs))
    return cells[..., 0], cells[..., 1], walk_of(start, draw(st.floats(0.03, 1.0))), weights


@UNHURRIED
@given(cases())
def test_equals_the_sum_over_all_paths(case):
    n, correct, walk, weights = case
    taken = tr.Samples(n, correct)
    mean, variance = posterior.moments(taken, walk)
    of_sum = posterior.of_sum(taken, walk, np.broadcast_to(weights, n.shape))
    epochs = n.shape[1]
    line = np.linspace(-0.5, 0.5, epochs) if epochs > 1 else np.zeros(1)
    spread, rise = posterior.of_spread(taken, walk, line)
    for i in range(len(n)):
        _, m, v, s = by_all_paths(n[i], correct[i], walk, weights)
        np.testing.assert_allclose(mean[i], m, atol=1e-9)
        np.testing.assert_allclose(variance[i], v, atol=1e-9)
        assert of_sum.mean[i] == pytest.approx(np.dot(weights, m), abs=1e-9)
        assert of_sum.variance[i] == pytest.approx(s, abs=1e-9)
        of_mean = by_all_paths(n[i], correct[i], walk, [1 / epochs] * epochs)[3]
        assert spread[i] == pytest.approx(m.var() + v.mean() - of_mean, abs=1e-9)
        assert rise[i] == pytest.approx(line @ m, abs=1e-9)


def test_the_likelihood_is_that_of_all_paths():
    rng = stream(1, "paths")
    n = rng.integers(0, 9, (6, 4))
    taken = tr.Samples(n, rng.binomial(n, 0.4))
    first, second = walk_of([3, 1, 1, 1, 2], 0.1), walk_of([1, 1, 2, 1, 1], 0.4)
    expected = [
        sum(
            math.log(by_all_paths(a, b, walk, [1] * 4)[0])
            for a, b in zip(n, taken.n_correct, strict=True)
        )
        for walk in (first, second)
    ]
    found = [posterior.log_likelihood(taken, walk) for walk in (first, second)]
    assert found[1] - found[0] == pytest.approx(expected[1] - expected[0], abs=1e-8)


def walking(rng, n_problems, n_epochs, step, spread=0.35):
    """True rates of a random walk on the arcsine scale, kept within its ends."""
    angle = np.clip(rng.normal(0.7, spread, n_problems), 0.02, 1.55)
    rates = np.empty((n_problems, n_epochs))
    for k in range(n_epochs):
        rates[:, k] = np.sin(angle) ** 2
        moved = np.abs(angle + rng.normal(0, step, n_problems))
        angle = np.pi / 2 - np.abs(np.pi / 2 - moved)
    return rates


@pytest.mark.parametrize("step", [0.03, 0.1, 0.4])
@pytest.mark.parametrize("size", [2, 8])
def test_the_fit_finds_the_step(step, size):
    p = walking(stream(2, "step"), 1200, 15, step)
    n = np.full(p.shape, size)
    taken = tr.Samples(n, stream(3, "step", str(size)).binomial(n, p))
    walk = posterior.fit(taken)
    assert walk.start.sum() == pytest.approx(1)
    assert step / 1.35 < walk.step < step * 1.35
    used = posterior._representative(taken)
    best = posterior.log_likelihood(used, walk)
    for factor in (0.7, 1.4):  # no other step is likelier
        assert posterior.log_likelihood(used, posterior.Walk(walk.start, walk.step * factor)) < best


def test_the_posterior_is_calibrated_and_nearer_to_the_truth_than_the_observed_rate():
    p = walking(stream(4, "calibrated"), 3000, 12, 0.08)
    for size in (1, 2, 8):
        n = np.full(p.shape, size)
        taken = tr.Samples(n, stream(5, "calibrated", str(size)).binomial(n, p))
        mean, variance = posterior.moments(taken, posterior.fit(taken))
        error = ((mean - p) ** 2).mean()
        assert error == pytest.approx(variance.mean(), rel=0.06)
        assert error < 0.4 * ((taken.accuracy - p) ** 2).mean()


def test_many_samples_leave_the_observed_rates():
    rng = stream(6, "many")
    p = rng.random((40, 5))
    n = np.full(p.shape, 2000)
    taken = tr.Samples(n, rng.binomial(n, p))
    mean, variance = posterior.moments(taken, posterior.fit(taken))
    np.testing.assert_allclose(mean, taken.accuracy, atol=0.013)
    assert variance.max() < 2e-4


def test_nearly_pooled_where_nothing_moves():
    rng = stream(7, "flat")
    p = np.repeat(rng.random((400, 1)), 10, axis=1)
    n = np.full(p.shape, 4)
    taken = tr.Samples(n, rng.binomial(n, p))
    walk = posterior.fit(taken)
    assert walk.step < 0.03
    mean = posterior.moments(taken, walk).mean
    assert np.ptp(mean, axis=1).mean() < 0.05
    np.testing.assert_allclose(mean.mean(axis=1), taken.pass_rate, atol=0.12)


def test_single_precision_of_large_logs_is_close(monkeypatch):
    rng = stream(9, "large")
    p = walking(rng, 300, 8, 0.1)
    taken = tr.Samples(np.full(p.shape, 8), rng.binomial(8, p))
    walk = posterior.fit(taken)
    mean, variance = posterior.moments(taken, walk)
    of_sum, spread = (
        posterior.of_sum(taken, walk, np.ones(p.shape)),
        posterior.of_spread(taken, walk)[0],
    )
    monkeypatch.setattr(grid_walk, "EXACT_UP_TO", 0)
    np.testing.assert_allclose(posterior.moments(taken, walk), (mean, variance), atol=2e-6)
    again = posterior.of_sum(taken, walk, np.ones(p.shape))
    np.testing.assert_allclose(again, of_sum, atol=2e-5)
    np.testing.assert_allclose(posterior.of_spread(taken, walk)[0], spread, atol=2e-6)
    assert posterior.fit(taken).step == pytest.approx(walk.step, rel=0.02)


def test_gaps_are_bridged_and_the_order_does_not_matter():
    rng = stream(8, "gaps")
    n = np.where(rng.random((60, 6)) < 0.3, 0, 8)
    n[0] = 0
    taken = tr.Samples(n, rng.binomial(n, np.repeat(rng.random((60, 1)), 6, axis=1)))
    mean, variance = posterior.moments(taken, posterior.fit(taken))
    assert ((mean > 0) & (mean < 1) & (variance > 0)).all()
    sampled = n.sum(axis=1) > 0
    assert variance[0].mean() > 2 * variance[sampled].mean()  # never sampled: the log's own spread
    order = rng.permutation(60)
    turned = tr.Samples(n[order], taken.n_correct[order])
    again = posterior.moments(turned, posterior.fit(turned)).mean
    np.testing.assert_allclose(again, mean[order], atol=1e-9)


def test_a_log_of_nothing_and_a_log_of_one_epoch():
    nothing = tr.Samples(np.zeros((3, 2), np.int64), np.zeros((3, 2), np.int64))
    walk = posterior.fit(nothing)
    assert walk.step == posterior.FIRST_STEP
    np.testing.assert_allclose(walk.start, walk.start[0])
    one = tr.Samples(np.array([[8], [8]]), np.array([[1], [8]]))
    mean = posterior.moments(one, posterior.fit(one)).mean
    assert mean[0] < 0.5 < mean[1]


def test_draws_have_the_means_of_the_posterior_and_its_ties_between_epochs():
    n, correct = (
        np.array([[8, 0, 3, 20], [2, 2, 2, 2], [0, 0, 9, 1]]),
        np.array([[1, 0, 2, 15], [0, 1, 0, 2], [0, 0, 9, 0]]),
    )
    walk, again = posterior.Walk(np.full(64, 1 / 64), 0.3), 200
    many = tr.Samples(np.repeat(n, again, axis=0), np.repeat(correct, again, axis=0))
    drawn = np.array(list(posterior.draws(many, walk, 20, stream(3, "draws"))))
    assert drawn.shape == (20, 3 * again, 4)
    drawn = drawn.reshape(20, 3, again, 4).swapaxes(1, 2).reshape(-1, 3, 4)
    taken = tr.Samples(n, correct)
    np.testing.assert_allclose(drawn.mean(axis=0), posterior.moments(taken, walk).mean, atol=0.015)
    weights = np.broadcast_to(np.array([1.0, -1.0, 2.0, 0.5]), n.shape)
    found = (drawn * weights).sum(axis=2).var(axis=0)
    np.testing.assert_allclose(found, posterior.of_sum(taken, walk, weights).variance, rtol=0.12)


@pytest.mark.parametrize(("epochs", "number"), [(2, 2000), (20, 1250), (50, 500), (1000, 200)])
def test_the_fit_takes_as_many_visits_of_long_logs_as_of_short_ones(epochs, number):
    n = np.full((2500, epochs), 1)
    used = posterior._representative(tr.Samples(n, n * (np.arange(2500) % 3 == 0)[:, np.newaxis]))
    assert used.n.shape == (number, epochs)
    assert used.pass_rate.mean() == pytest.approx(1 / 3, abs=2 / number)


def test_sums_over_a_long_log_do_not_vanish():
    """Chances of 1,500 epochs, multiplied, are no number of a machine any more."""
    n = np.full((2, 1500), 4)
    taken, walk = tr.Samples(n, n // 2), posterior.Walk(np.full(32, 1 / 32), 0.2)
    found = posterior.of_sum(taken, walk, np.full(n.shape, 1 / 1500))
    np.testing.assert_allclose(found.mean, posterior.moments(taken, walk).mean.mean(axis=1))
    assert (found.variance > 0).all()
