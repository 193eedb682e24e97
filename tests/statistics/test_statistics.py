"""Intervals against published values and formulas worked by hand."""

import math

import numpy as np
import pytest
from scipy import stats

from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.statistics import bootstrap, estimates, hypothesis_tests, power
from limr.statistics.estimates import Arm, Estimate, Runs, of_difference, of_mean
from limr.statistics.intervals import two_sided, wilson


@pytest.mark.parametrize(
    ("n_correct", "n", "low", "high"),
    [
        # Newcombe (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_values(n_correct, n, low, high):
    found = wilson(n_correct, n)
    assert found == pytest.approx((low, high), abs=5e-5)


def test_wilson_is_symmetric_and_stays_in_range():
    low, high = wilson(20, 20)
    assert high == 1
    assert low == pytest.approx(1 - 0.1611, abs=5e-5)


@pytest.mark.parametrize(("n_correct", "n"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_refuses_what_is_no_share(n_correct, n):
    with pytest.raises(ValueError, match="not a share"):
        wilson(n_correct, n)


def test_the_mean_is_over_benchmarks_not_over_questions():
    results = {"a": np.array([[1.0, 1, 1, 1]]), "b": np.array([[0.0]])}
    assert of_mean(Arm(results)).mean == 0.5  # not 4 / 5


def test_one_run_has_the_standard_error_of_its_questions():
    rng = stream(2, "t")
    questions = rng.random((1, 200))
    found = of_mean(Arm({"a": questions}))
    analytic = questions.std(ddof=1) / math.sqrt(200)
    assert found.standard_error == pytest.approx(analytic, rel=1e-9)
    half = 1.97202 * analytic  # of Student's t with 199 degrees of freedom
    assert found.half_width(0.95) == pytest.approx(half, rel=1e-4)


@pytest.mark.parametrize("n_runs", [2, 3, 8])
def test_the_standard_error_between_runs_is_not_too_small(n_runs):
    # Questions do not vary, so that only runs do: se = s / sqrt(n_runs) with the unbiased s.
    level = stream(n_runs, "t").random(n_runs)
    matrix = np.repeat(level[:, None], 50, axis=1)
    found = of_mean(Arm({"a": matrix}))
    analytic = level.std(ddof=1) / math.sqrt(n_runs)
    assert found.standard_error == pytest.approx(analytic, rel=1e-9)


def test_both_levels_add_up():
    rng = stream(5, "t")
    runs, questions = rng.normal(0, 0.1, (6, 1)), rng.normal(0, 0.2, (1, 80))
    matrix = 0.5 + runs + questions
    found = of_mean(Arm({"a": matrix}))
    analytic = math.hypot(runs.std(ddof=1) / 6**0.5, questions.std(ddof=1) / 80**0.5)
    assert found.standard_error == pytest.approx(analytic, rel=1e-9)


def test_benchmarks_are_independent_and_weigh_the_same():
    rng = stream(7, "t")
    a, b = rng.random((1, 100)), rng.random((1, 25))
    found = of_mean(Arm({"a": a, "b": b}))
    analytic = 0.5 * math.hypot(a.std(ddof=1) / 10, b.std(ddof=1) / 5)
    assert found.standard_error == pytest.approx(analytic, rel=1e-9)
    assert found.n_questions == 125


def test_pairing_removes_what_questions_have_in_common():
    rng = stream(9, "t")
    difficulty = rng.random((1, 100))
    first, second = difficulty + 0.1, difficulty.copy()
    found = of_difference(Arm({"a": first}), Arm({"a": second}))
    assert found.mean == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    assert found.interval().excludes_zero
    alone = of_mean(Arm({"a": first}))
    assert alone.standard_error > 0.02


def test_difference_counts_the_runs_of_both_arms():
    first = np.repeat([[0.4], [0.6]], 30, axis=1)
    second = np.repeat([[0.1], [0.3], [0.2]], 30, axis=1)
    found = of_difference(Arm({"a": first}), Arm({"a": second}))
    # variances of the means: .02 / 2 and .01 / 3
    assert found.mean == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(math.sqrt(0.02 / 2 + 0.01 / 3), rel=1e-9)
    assert found.n_runs == 2


def test_a_difference_of_nothing_contains_zero():
    rng = stream(3, "t")
    first, second = rng.random((2, 100)), rng.random((2, 100))
    found = of_difference(Arm({"a": first}), Arm({"a": second}))
    assert not found.interval().excludes_zero


@pytest.mark.parametrize(
    ("results", "message"),
    [
        ({}, "no results"),
        ({"a": np.array([[1, np.nan]])}, "'a': not every run answered"),
        ({"a": np.zeros((1, 2)), "b": np.zeros((2, 2))}, "different numbers of runs"),
        ({"a": np.zeros((0, 0))}, "not every run answered"),
    ],
)
def test_incomplete_results_are_refused(results, message):
    with pytest.raises(InputError, match=message):
        of_mean(Arm(results))


def test_other_questions_are_refused():
    with pytest.raises(InputError, match="not asked the same questions"):
        of_difference(Arm({"a": np.zeros((1, 2))}), Arm({"a": np.zeros((1, 3))}))


# --- what the intervals are made of


@pytest.mark.parametrize("level", [0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1 - 1e-6])
def test_students_quantiles_are_scipys(level):
    df = np.array([1, 1.5, 2, 2.7, 5, 29, 329, 3999, 4001, 1e6, math.inf])
    expected = stats.t.isf((1 - level) / 2, df)
    assert two_sided(level, df) == pytest.approx(expected, rel=1e-9)
    assert [two_sided(level, one) for one in df] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("level", "quantile"), [(0.95, 12.706204736174694), (0.5, 1.0)])
def test_students_quantiles_are_the_published_ones(level, quantile):
    assert two_sided(level, 1.0) == pytest.approx(quantile, rel=1e-12)


@pytest.mark.parametrize(("mean", "df"), [(0.01, 9), (-0.02, 99.5), (0.03, 1), (0.005, math.inf)])
def test_one_variance_alone_gives_the_t_tests_p_value(mean, df):
    found = estimate(mean, questions=1e-4, df=df, runs=()).p_value()
    assert found == pytest.approx(2 * stats.t.sf(abs(mean) / 0.01, df), rel=1e-9)


def test_a_known_variance_gives_the_z_tests_detectable_difference():
    known = estimate(questions=1e-4, df=math.inf, runs=())
    assert power.detectable(known) == pytest.approx(
        0.01 * (stats.norm.ppf(0.975) + stats.norm.ppf(0.8)), rel=1e-5
    )


def test_random_draws_are_what_varies_not_their_seeds():
    # Two draws of three seeds each, which agree within a draw: as good as two runs.
    level = np.repeat([0.4, 0.6], 3)
    matrix = np.repeat(level[:, None], 40, axis=1)
    runs = of_mean(Arm({"a": matrix}, ["d1"] * 3 + ["d2"] * 3)).runs[0]
    assert runs.df == 1
    assert runs.raw == pytest.approx(0.02 / 2)
    assert of_mean(Arm({"a": matrix})).runs[0].df == 5


def test_weights_count_and_need_not_sum_to_one():
    arm = Arm({"a": np.ones((1, 4)), "b": np.zeros((1, 9))})
    assert of_mean(arm, {"a": 3.0, "b": 1.0}).mean == pytest.approx(0.75)
    assert of_difference(arm, arm, {"a": 3.0, "b": 1.0}).mean == 0


def test_luck_that_questions_explain_is_not_counted_for_runs_too():
    rng = stream(4, "luck")
    many = [of_mean(Arm({"a": rng.binomial(1, 0.5, (3, 60)) * 1.0})) for _ in range(600)]
    noise = np.mean([e.runs[0].raw - e.runs[0].noise for e in many])
    assert abs(noise) < 0.1 * np.mean([e.runs[0].raw for e in many])  # the runs do not differ
    found = np.mean([e.question_variance for e in many])
    assert found == pytest.approx(np.var([e.mean for e in many]), rel=0.2)


def test_an_accuracy_stays_within_its_range_even_without_spread():
    found = of_mean(Arm({"a": np.ones((2, 20))})).interval()
    assert found.high == 1
    assert found.low == pytest.approx(1 - 0.1611, abs=1e-4)  # Wilson, 20 of 20


def estimate(mean=0.03, questions=1e-4, df=99.0, runs=(Runs(5e-5, 1e-5, 2),)):  # noqa: B008 (frozen)
    return Estimate(mean, questions, df, runs, 3, 100, is_share=False)


def test_p_is_where_the_interval_meets_zero():
    found = estimate()
    p = found.p_value()
    assert found.half_width(1 - p) == pytest.approx(0.03, rel=1e-3)
    assert found.interval(1 - 0.9 * p).excludes_zero is False
    assert found.interval(1 - 1.1 * p).excludes_zero is True
    assert estimate(mean=0.0).p_value() == 1.0


def test_equivalence_is_two_one_sided_tests():
    found = estimate(mean=0.01)
    edge = 0.01 + found.half_width(0.90)
    assert found.equivalent(edge + 1e-6)
    assert not found.equivalent(edge - 1e-6)


@pytest.mark.parametrize(
    ("ours", "theirs", "p"),  # scipy.stats.binomtest
    [
        (12, 5, 0.143463134765625),
        (0, 6, 0.03125),
        (3, 3, 1.0),
        (40, 20, 0.01348929373119186),
        (0, 0, 1.0),
    ],
)
def test_mcnemar_is_the_exact_test(ours, theirs, p):
    first = np.repeat([1.0, 0, 1, 0], [ours, theirs, 5, 7])
    second = np.repeat([0.0, 1, 1, 0], [ours, theirs, 5, 7])
    assert hypothesis_tests.mcnemar(first, second) == (ours, theirs, pytest.approx(p))


def test_holm_steps_down_and_keeps_the_order():
    assert hypothesis_tests.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx(
        [0.03, 0.06, 0.06, 0.02]
    )
    assert hypothesis_tests.holm([0.9, 0.6]) == [1.0, 1.0]
    assert hypothesis_tests.holm([]) == []


# --- simulation: the whole of it is benchmarks/statistics/coverage.py


def simulated(rng, seeds, questions, samples, run=0.1, draws=1, shift=0.0):
    hardness = rng.normal(0, 1.5, questions)
    arms = []
    for move, n in ((shift, 1), (0.0, draws)):
        level = np.repeat(rng.normal(0, run, n if n > 1 else 1) * (n > 1), seeds)
        level = level + rng.normal(0, run, len(level))
        logit = hardness + move + level[:, None] + rng.normal(0, 0.3, (len(level), questions))
        solved = rng.binomial(samples, 1 / (1 + np.exp(-logit))) / samples
        arms.append(Arm({"": solved}, [str(i // seeds) for i in range(len(level))]))
    return arms


@pytest.mark.parametrize(
    ("seeds", "questions", "samples", "draws"),
    [(2, 40, 4, 1), (3, 330, 1, 1), (5, 30, 1, 1), (3, 40, 4, 3)],
)
def test_intervals_hold_the_truth_as_often_as_they_say(seeds, questions, samples, draws):
    rng, n = stream(1, "coverage", seeds, questions), 600
    gaps = [
        of_difference(*simulated(rng, seeds, questions, samples, draws=draws)) for _ in range(n)
    ]
    held = sum(not gap.interval().excludes_zero for gap in gaps) / n
    error = math.sqrt(0.95 * 0.05 / n)
    assert 0.93 - 2 * error < held < 0.97 + 2 * error


def test_the_detectable_difference_is_found_in_four_studies_of_five():
    rng, n = stream(2, "power"), 400
    typical = [of_difference(*simulated(rng, 3, 330, 4)) for _ in range(100)]
    parts = [e.runs for e in typical]
    runs = tuple(
        Runs(np.mean([p[i].raw for p in parts]), np.mean([p[i].noise for p in parts]), 2)
        for i in (0, 1)
    )
    questions = np.mean([e.question_variance for e in typical])
    least = power.detectable(estimate(0.0, questions, 329.0, runs))
    shift = least / 0.174  # slope of the mean accuracy in the logit, at these spreads
    gaps = [of_difference(*simulated(rng, 3, 330, 4, shift=shift)) for _ in range(n)]
    assert np.mean([g.mean for g in gaps]) == pytest.approx(least, rel=0.1)
    found = sum(gap.interval().excludes_zero for gap in gaps) / n
    assert found == pytest.approx(0.8, abs=0.05 + 2 * math.sqrt(0.16 / n))


def test_a_design_has_the_variances_of_its_parts():
    """By hand: arms of one and of two draws, three seeds, two benchmarks."""
    assumed = power.Assumed(accuracy=0.4, between=0.25, habit=0.1, run=0.03, draw=0.02)
    marks = {"a": power.Benchmark(100, 4, 0.75), "b": power.Benchmark(40, 2, 0.25)}
    found = power.design(marks, 3, (1, 2), assumed)
    share = {"a": 0.75**2 / 100, "b": 0.25**2 / 40}
    one_run = {"a": 0.01 + 0.18 / 4, "b": 0.01 + 0.18 / 2}  # 0.18 = 0.75 x 0.4 x 0.6
    noise = sum(share[name] * one_run[name] / 3 for name in share)
    arms = sum(share[name] * (2 * 0.01 + one_run[name] / 3 + one_run[name] / 6) for name in share)
    assert found.question_variance == pytest.approx(arms)
    first, second = found.runs
    assert (first.df, second.df) == (2, 1)  # seeds vary in the one, draws in the other
    assert first.noise == pytest.approx(noise)
    assert second.noise == pytest.approx(noise / 2)
    assert first.raw == pytest.approx(0.03**2 / 3 + noise)
    assert second.raw == pytest.approx(0.02**2 / 2 + 0.03**2 / 6 + noise / 2)
    assert (found.mean, found.n_questions) == (0.0, 140)


def test_without_any_variance_every_difference_is_found():
    assert power.detectable(estimate(0.0, 0.0, math.inf, ())) == 0.0


@pytest.mark.parametrize(("right", "n"), [(45, 50), (3, 50), (199, 200)])
def test_an_accuracys_interval_is_wilsons_where_responses_are_all_that_varies(right, n):
    mean = right / n
    half = 1.959963984540054 * math.sqrt(mean * (1 - mean) / n)
    found = estimates._wilson_form(mean, half, n, 0.95)
    assert found == pytest.approx(wilson(right, n, 0.95))


def test_fewer_seeds_detect_less():
    marks = {"a": power.Benchmark(500, 1, 1.0)}
    found = [power.detectable(power.design(marks, seeds)) for seeds in (2, 3, 5, 10)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 2 * found[3]


def test_the_bootstrap_pairs_questions_and_keeps_the_variance():
    rng = stream(6, "boot")
    hard = rng.random((1, 200))
    first = Arm({"a": np.vstack([hard, hard]) + np.array([[0.1], [0.2]])})
    second = Arm({"a": hard})
    drawn = bootstrap.means({"x": first, "y": second}, {"a": 1.0}, stream(1, "b"), 4000)
    gap = drawn["x"] - drawn["y"]
    assert gap.mean() == pytest.approx(0.15, abs=0.005)
    assert gap.std() == pytest.approx(0.1 / math.sqrt(2) / math.sqrt(2), rel=0.05)
    assert drawn["y"].std() == pytest.approx(hard.std(ddof=1) / math.sqrt(200), rel=0.05)
    again = bootstrap.means({"x": first, "y": second}, {"a": 1.0}, stream(1, "b"), 4000)
    assert np.array_equal(again["x"], drawn["x"])
