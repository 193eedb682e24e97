"""The parts of the audit against second implementations."""

import itertools

import numpy as np
import pytest
from scipy import stats

from limr.look import answers, length_audit, loader_audit, reward_audit, size_audit
from limr.look.judge import Judge


def test_the_permutation_test_has_the_exact_moments():
    rng = np.random.default_rng(3)
    n = rng.integers(1, 9, (6, 3))
    k = rng.binomial(n, 0.4)
    size, rate = n - n.mean(axis=0), k / n - (k / n).mean(axis=0)
    totals = [(size * rate[list(order)]).sum() for order in itertools.permutations(range(6))]
    assert np.mean(totals) == pytest.approx(0, abs=1e-9)
    rho, p = size_audit.goes_with(n, k)
    z = (size * rate).sum() / np.std(totals)
    assert p == pytest.approx(2 * stats.norm.sf(abs(z)))
    assert rho == pytest.approx(np.corrcoef(size.ravel(), rate.ravel())[0, 1])


@pytest.mark.slow
def test_size_raises_few_false_alarms():
    rng = np.random.default_rng(4)
    alarms = 0
    for _ in range(2000):
        n = rng.binomial(8, np.linspace(1, 0.6, 4), (40, 4))  # more are lost late, where skill is
        k = rng.binomial(n, np.clip(rng.beta(0.5, 0.5, (40, 1)) + np.linspace(0, 0.3, 4), 0, 1))
        alarms += size_audit.goes_with(n, k)[1] < size_audit.SURE
    assert alarms <= 2000 * 0.01


def test_wrong_ones_that_are_lost_do_not_show_within_a_prompt():
    # Why the test is over prompts: given its size, a group's accuracy is the same.
    rng = np.random.default_rng(5)
    k = rng.binomial(8, 0.5, 200_000)
    n = k + rng.binomial(8 - k, 0.7)
    rates = [(k[n == size] / size).mean() for size in (5, 6, 7)]
    assert np.ptp(rates) < 0.01


def test_the_weights_stand_for_all_rollouts():
    correct = np.arange(1000) % 10 == 0
    for most in (50, 500, 10_000):
        weight = answers.weights(correct, most)
        assert (weight > 0).sum() == min(most, 1000)
        assert weight[correct].sum() == pytest.approx(100)
        assert weight[~correct].sum() == pytest.approx(900)


def test_rows_of_a_prompt_are_taken_evenly():
    problem = np.repeat([0, 1, 2], [5, 64, 33])
    np.random.default_rng(0).shuffle(problem)
    kept = answers.even(problem, 32)
    assert np.bincount(problem[kept]).tolist() == [5, 32, 32]
    assert (np.diff(np.flatnonzero(kept[problem == 1])) == 2).all()


@pytest.mark.parametrize(
    ("response", "found"),
    [
        ("so \\boxed{5}.", "\\boxed{5}"),
        ("$\\boxed{2}$ and $\\boxed{3}$", "\\boxed{2}$ and $\\boxed{3}"),
        ("no box, 5", None),
        ("\\boxed{5", None),
        ("\\boxed{1}" + "x" * 600 + "\\boxed{2}", "\\boxed{2}"),
    ],
)
def test_final_answers(response, found):
    assert answers.final(response) == found


@pytest.mark.parametrize(
    ("gold", "found"), [('["34"]', "34"), ('["1", "2"]', '["1", "2"]'), ("[1, 2)", "[1, 2)"),
                        ('["', '["'), ("\\[\\boxed{2, 3}\\]", "2, 3"), ("{", "{"), ("34", "34")]
)  # fmt: skip
def test_bare_golds(gold, found):
    assert answers.bare(gold) == found


@pytest.mark.slow
def test_the_judge_knows_what_it_cannot_tell():
    with Judge() as judge:
        told = judge.judge(
            [
                ("1/2", "\\boxed{0.5}"),
                ("1/2", "\\boxed{2}"),
                ("x" * 501, "\\boxed{x}"),
                ("2", "\\boxed{\\sum_{k=1}^{9} k}"),
                ("2, 3", "\\boxed{2} and \\boxed{3}"),
            ]
        )
        assert told == [True, False, None, None, True]
        assert judge.unread == set()
        assert judge.judge([("5", "\\boxed{5 \\text{ probably}}")]) == [None]
        assert judge.unread == {("5", "\\boxed{5 \\text{ probably}}")}
        assert judge.own_box("\\frac{1") is False
        assert judge.own_box("\\frac{1}{2}") is True


@pytest.mark.slow
def test_the_intervals_of_rates_and_of_j_cover():
    # Rows of a prompt share their fate: intervals over rows would be far too short.
    rng = np.random.default_rng(6)
    hits, rounds = np.zeros(2), 400
    for _ in range(rounds):
        problem = np.repeat(np.arange(60), 16)
        right = rng.random(960) < np.repeat(rng.beta(1, 1, 60), 16)
        shared = np.repeat(rng.beta(4, 1, 60), 16), np.repeat(rng.beta(0.5, 4.5, 60), 16)
        paid = rng.random(960) < np.where(right, *shared)
        rates = [
            reward_audit.rate(paid[part], np.ones(part.sum()), problem[part])
            for part in (right, ~right)
        ]
        j = reward_audit.youden(*rates)
        hits += (rates[0].low < 0.8 < rates[0].high, j.low < 0.7 < j.high)
    assert (hits / rounds > 0.91).all()


def test_rates_of_alike_rows_are_over_prompts():
    one = reward_audit.rate(np.ones(100, bool), np.ones(100), np.repeat(np.arange(10), 10))
    assert (one.rate, one.high) == (1, 1)
    assert one.low == pytest.approx(10 / (10 + stats.norm.ppf(0.975) ** 2))


def test_passes_end_where_a_prompt_comes_again():
    problem = np.array([0, 1, 2, 2, 1, 0, 0, 1])
    first, last = np.array([0, 1, 2]), np.array([6, 7, 3])
    found = loader_audit.passes(loader_audit.Visits(problem, np.arange(8), first, last))
    assert [(one.begin, one.end, one.due) for one in found] == [(0, 3, 3), (3, 6, 3), (6, 8, 2)]


def test_a_limit_is_a_length_at_which_responses_pile_up():
    lengths = np.random.default_rng(7).integers(100, 1000, 500)
    assert length_audit.limit(lengths, 64) is None
    assert length_audit.limit(np.r_[lengths, [1000] * 20], 64) == 1000
    assert length_audit.limit(np.r_[[9] * 500], 64) is None
    assert length_audit.limit(np.zeros(0), 64) is None


def test_a_trend_is_over_prompts():
    rng = np.random.default_rng(8)
    problem, visit = np.repeat(np.arange(50), 32), np.tile(np.repeat(np.arange(4), 8), 50)
    level = (rng.random(1600) < 0.1).astype(float)
    assert length_audit.trend(problem, visit, level)[1] > length_audit.SURE
    rises = (rng.random(1600) < 0.02 + 0.1 * visit).astype(float)
    change, p = length_audit.trend(problem, visit, rises)
    assert p < length_audit.SURE
    assert change == pytest.approx(0.2, abs=0.05)
