"""How sure a choice is: against known true curves, and against scorings that nobody had seen."""

import numpy as np
import pytest

from limr.core import files
from limr.core.random_streams import stream
from limr.scores import enough, prospects, scoring
from limr.trajectories import curves as tr

N = 8


def walking(rng, n_problems=900, n_epochs=10, step=0.05):
    angle = rng.normal(0.7, 0.35, (n_problems, 1)) + np.cumsum(
        rng.normal(0, step, (n_problems, n_epochs)), axis=1
    )
    return np.sin(np.clip(angle, 0.03, 1.54)) ** 2


def drawn(p, size, rng):
    n = np.full(p.shape, size)
    return tr.Samples(n, rng.binomial(n, p))


def exact(p):
    n = np.full(p.shape, 10**6)
    return tr.Samples(n, np.rint(p * n).astype(np.int64))


def score(selector, taken, options):
    problems = scoring.ProblemSet([""] * len(taken.n), [None] * len(taken.n))
    return scoring.score(selector, problems, taken, options, seed=1, name="x").values


def overlap(first, second, size):
    return float(prospects.best(first, size) @ prospects.best(second, size)) / size


CASES = [
    ("lim", {}),
    ("lim", {"noise": "debias"}),
    ("lim-curve-free", {"noise": "shrink"}),
    ("learnability", {}),
    ("variance", {}),
]
REST = [case for case in CASES if case[1] or case[0] == "variance"] + [("lim", {"noise": "shrink"})]


@pytest.mark.slow
@pytest.mark.parametrize(("selector", "options"), CASES[1:4])
def test_the_promised_overlaps_are_found_where_the_true_curves_are_known(selector, options):
    promised, found, belongs, right = [], [], [], []
    for replicate in range(3):
        rng = stream(31, "known", selector, str(replicate))
        p = walking(rng)
        taken = drawn(p, 4, rng)
        # Enough draws to tell a chance of 0.05 from one of 0.1, where scoring is quick.
        draws = 8 if options.get("noise") == "shrink" else 80
        sure = enough.certainty(taken, selector, options, draws=draws)
        true_scores = score(selector, exact(p), {})
        observed = score(selector, taken, options)
        second = score(selector, drawn(p, 4, rng), options)
        promised.append((sure.truth, sure.again))
        found.append([overlap(observed, other, sure.size) for other in (true_scores, second)])
        belongs.append(sure.belongs)
        right.append(prospects.best(true_scores, sure.size))
    np.testing.assert_allclose(np.mean(promised, axis=0), np.mean(found, axis=0), atol=0.05)
    # Of those that belong with a chance of so much, so many do.
    belongs, right = np.concatenate(belongs), np.concatenate(right)
    assert belongs.sum() == pytest.approx(right.sum(), rel=1e-6)
    if options.get("noise") == "shrink":
        return
    for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.6), (0.6, 1.01)):
        some = (belongs >= low) & (belongs < high)
        error = 4 * np.sqrt(belongs[some].mean() / some.sum())
        assert abs(right[some].mean() - belongs[some].mean()) < error + 0.02, (low, high)


@pytest.mark.slow
@pytest.mark.data
@pytest.mark.parametrize(
    ("selector", "options"),
    [
        ("lim", {}),
        ("learnability", {}),
        *(pytest.param(*case, marks=pytest.mark.long) for case in REST),
    ],
)
def test_the_promised_overlaps_are_found_on_real_curves(selector, options, mirror):
    """Promised from 4 of 8 samples of 21 epochs; found with the other 4, thinned the same."""
    ragged = files.read_json(mirror / "one_shot_rlvr" / "acc_step_500.json")
    correct = np.array([np.rint(N * np.array(curve[:21])) for curve in ragged.values()], int)
    pairs = [(4, 21), (2, 21), (4, 10)]
    # Scores of a scoring with a fit of its own take longer: fewer draws do.
    thinnings, draws = (2, 4) if options.get("noise") == "shrink" else (4, 10)
    promised, found, now = [], [], []
    for t in range(thinnings):
        rng = stream(t, "real", selector)
        kept = rng.hypergeometric(correct, N - correct, 4)
        halves = [tr.Samples(np.full(kept.shape, 4), c) for c in (kept, correct - kept)]
        sure = enough.certainty(halves[0], selector, options, draws=draws)
        values = prospects.of_log(halves[0], selector, options, pairs, draws=draws)
        promised.append([one.again for one in values])
        row = []
        for m, k in pairs:
            both = [
                score(
                    selector,
                    tr.Samples(
                        np.full((len(kept), k), m),
                        rng.hypergeometric(half.n_correct[:, :k], 4 - half.n_correct[:, :k], m),
                    ),
                    options,
                )
                for half in halves
            ]
            row.append(overlap(*both, sure.size))
        found.append(row)
        now.append(sure.again - row[0])
    assert abs(np.mean(now)) < 0.05
    np.testing.assert_allclose(np.mean(promised, axis=0), np.mean(found, axis=0), atol=0.07)


def test_more_samples_and_epochs_promise_more():
    rng = stream(32, "more")
    taken = drawn(walking(rng, 500), 8, rng)
    found = prospects.of_log(taken, "lim", {"noise": "debias"}, draws=8)
    truth = {(one.samples, one.epochs): one.truth for one in found}
    assert set(truth) == {(m, k) for m in prospects.SAMPLES for k in (2, 5, 8, 10)}
    for (m, k), value in truth.items():
        if m == 1:
            assert np.isnan(value)  # no debiased score
        elif m < 32:
            assert truth[2 * m, k] > value - 0.02
    assert truth[32, 10] > truth[32, 2] + 0.1
    assert truth[32, 10] > 0.75


def test_the_cheapest_that_is_enough():
    found = [
        prospects.Prospect(4, 10, 0.8, 0.7),
        prospects.Prospect(8, 5, 0.82, 0.7),
        prospects.Prospect(16, 5, 0.95, 0.9),
        prospects.Prospect(2, 5, float("nan"), 0.9),
    ]
    assert prospects.cheapest(found, 0.75) == found[1]  # as cheap as the first, and better
    assert prospects.cheapest(found, 0.9) == found[2]
    assert prospects.cheapest(found, 0.99) is None
    assert found[2].cost == 80


def test_with_many_samples_everything_is_sure():
    rng = stream(33, "many")
    taken = drawn(rng.random((60, 3)), 2000, rng)
    sure = enough.certainty(taken, "lim", {"noise": "debias"}, draws=6)
    assert sure.truth > 0.9
    assert sure.again > 0.9
    assert (sure.n, sure.size, sure.samples, sure.epochs) == (60, 10, 2000, 3)


def test_gaps_unscored_problems_and_an_empty_log():
    rng = stream(34, "gaps")
    p = walking(rng, 80, 5)
    n = np.where(rng.random(p.shape) < 0.2, 0, 4)
    n[0] = 0
    taken = tr.Samples(n, rng.binomial(n, p))
    for missing in ("strict", "mean-of-present"):
        sure = enough.certainty(taken, "lim", {"missing": missing}, draws=4)
        unscored = np.isnan(score("lim", taken, {"missing": missing}))
        np.testing.assert_array_equal(np.isnan(sure.belongs), unscored)
        assert sure.n == (~unscored).sum()
        assert np.nansum(sure.belongs) == pytest.approx(sure.size)
        assert 0 <= sure.truth <= 1
        assert 0 <= sure.again <= 1
    empty = tr.Samples(np.zeros((4, 2), np.int64), np.zeros((4, 2), np.int64))
    sure = enough.certainty(empty, "learnability", {})
    assert sure.n == sure.size == 0
    assert np.isnan(sure.truth)


def test_the_first_epochs_can_be_asked_for():
    rng = stream(35, "first")
    taken = drawn(walking(rng, 60, 6), 4, rng)
    sure = enough.certainty(taken, "lim", {"epochs": 3}, draws=4)
    assert sure.epochs == 3
    again = enough.certainty(taken.first(3), "lim", {}, draws=4)
    np.testing.assert_array_equal(sure.belongs, again.belongs)


@pytest.mark.slow
@pytest.mark.data
def test_what_is_usual_is_what_the_published_log_promises(mirror):
    ragged = files.read_json(mirror / "one_shot_rlvr" / "acc_step_500.json")
    correct = np.array([np.rint(N * np.array(curve[:21])) for curve in ragged.values()], int)
    taken = tr.Samples(np.full(correct.shape, N), correct)
    pairs = [(4, 21), (8, 21)]
    measured = prospects.of_log(taken, "lim", {}, pairs, draws=6)
    assumed = prospects.usual(len(correct), "lim", {}, pairs, draws=6)
    for one, other in zip(assumed, measured, strict=True):
        assert one.truth == pytest.approx(other.truth, abs=0.06)
