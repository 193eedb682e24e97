"""Intervals against published values and formulas worked by hand."""

import math

import numpy as np
import pytest

from limr import bootstrap, hypotheses, power
from limr.errors import InputError
from limr.estimates import Arm, Estimate, Runs, of_difference, of_mean
from limr.statistics import wilson
from limr.streams import stream
from limr.student import two_sided


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
    assert found.standard_error == pytest.approx(analytic, rel=0.03)
    assert found.low == pytest.approx(questions.mean() - 1.96 * analytic, abs=0.1 * analytic)
    assert found.high == pytest.approx(questions.mean() + 1.96 * analytic, abs=0.1 * analytic)


@pytest.mark.parametrize("n_runs", [2, 3, 8])
def test_the_standard_error_between_runs_is_not_too_small(n_runs):
    # Questions do not vary, so that only runs do: se = s / sqrt(n_runs) with the unbiased s.
    level = stream(n_runs, "t").random(n_runs)
    matrix = np.repeat(level[:, None], 50, axis=1)
    found = of_mean(Arm({"a": matrix}))
    analytic = level.std(ddof=1) / math.sqrt(n_runs)
    assert found.standard_error == pytest.approx(analytic, rel=0.03)


def test_both_levels_add_up():
    rng = stream(5, "t")
    runs, questions = rng.normal(0, 0.1, (6, 1)), rng.normal(0, 0.2, (1, 80))
    matrix = 0.5 + runs + questions
    found = of_mean(Arm({"a": matrix}))
    analytic = math.hypot(runs.std(ddof=1) / 6**0.5, questions.std(ddof=1) / 80**0.5)
    assert found.standard_error == pytest.approx(analytic, rel=0.03)


def test_benchmarks_are_independent_and_weigh_the_same():
    rng = stream(7, "t")
    a, b = rng.random((1, 100)), rng.random((1, 25))
    found = of_mean(Arm({"a": a, "b": b}))
    analytic = 0.5 * math.hypot(a.std(ddof=1) / 10, b.std(ddof=1) / 5)
    assert found.standard_error == pytest.approx(analytic, rel=0.03)
    assert found.n_questions == 125


def test_pairing_removes_what_questions_have_in_common():
    rng = stream(9, "t")
    difficulty = rng.random((1, 100))
    first, second = difficulty + 0.1, difficulty.copy()
    found = of_difference(Arm({"a": first}), Arm({"a": second}))
    assert found.mean == pytest.approx(0.1)
    assert found.standard_error == pytest.approx(0, abs=1e-12)
    assert found.excludes_zero
    alone = of_mean(Arm({"a": first}))
    assert alone.standard_error > 0.02


def test_difference_counts_the_runs_of_both_arms():
    first = np.repeat([[0.4], [0.6]], 30, axis=1)
    second = np.repeat([[0.1], [0.3], [0.2]], 30, axis=1)
    found = of_difference(Arm({"a": first}), Arm({"a": second}))
    # variances of the means: .02 / 2 and .01 / 3
    assert found.mean == pytest.approx(0.3)
    assert found.standard_error == pytest.approx(math.sqrt(0.02 / 2 + 0.01 / 3), rel=0.03)
    assert found.n_runs == 2


def test_a_difference_of_nothing_contains_zero():
    rng = stream(3, "t")
    first, second = rng.random((2, 100)), rng.random((2, 100))
    found = of_difference(Arm({"a": first}), Arm({"a": second}))
    assert not found.excludes_zero


def test_the_same_stream_gives_the_same_interval():
    matrix = stream(1, "t").random((2, 40))
    found = [of_mean(Arm({"a": matrix})) for _ in range(2)]
    assert found[0] == found[1]
    assert found[0] != of_mean(Arm({"a": matrix}))


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
