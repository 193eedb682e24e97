"""Accuracy matrices and the rules for missing epochs, on cases worked by hand."""

import numpy as np
import pandas as pd
import pytest

from limr import trajectories as tr
from limr.errors import InputError

NAN = np.nan


def table(rows):
    columns = ["problem_id", "epoch", "n", "n_correct"]
    return pd.DataFrame(rows, columns=columns).assign(mean_reward=0.0)


def test_accuracy_is_n_correct_over_n_and_an_absent_row_is_nan():
    rows = [("a", 0, 8, 2), ("a", 2, 4, 4), ("b", 1, 8, 0)]
    matrix = tr.accuracy_matrix(table(rows), ["b", "a", "c"])
    expected = [[NAN, 0, NAN], [2 / 8, NAN, 4 / 4], [NAN, NAN, NAN]]
    np.testing.assert_array_equal(matrix, expected)


def test_first_epochs_only():
    rows = [("a", 0, 8, 2), ("a", 1, 8, 8)]
    np.testing.assert_array_equal(tr.accuracy_matrix(table(rows), ["a"], 1), [[0.25]])


def test_more_epochs_than_recorded_is_an_error_that_says_how_many():
    with pytest.raises(InputError, match="3 epochs are asked for, 2 are recorded"):
        tr.accuracy_matrix(table([("a", 0, 8, 2), ("a", 1, 8, 8)]), ["a"], 3)


def test_a_problem_that_is_not_known_is_an_error():
    with pytest.raises(InputError, match="'zz' is not among the problems"):
        tr.accuracy_matrix(table([("zz", 0, 8, 2)]), ["a"])


def test_no_rows_is_an_error():
    with pytest.raises(InputError, match="no rows"):
        tr.accuracy_matrix(table([]), ["a"])


@pytest.mark.parametrize(
    ("curve", "filled"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3]),
        ([NAN, 0.2, 0.3], [0.2, 0.2, 0.3]),  # one missing: the next epoch's value
        ([0.1, NAN, 0.3], [0.1, 0.3, 0.3]),
        ([0.1, 0.2, NAN], [0.1, 0.2, NAN]),  # the last one has no next
        ([NAN, NAN, 0.3], [NAN, 0.3, 0.3]),  # two in a row: only the second
        ([NAN, 0.2, NAN], [0.2, 0.2, NAN]),
    ],
)
def test_backfill_is_one_step_deep(curve, filled):
    np.testing.assert_array_equal(tr.fill_missing(np.array([curve]), "backfill-one"), [filled])
    np.testing.assert_array_equal(tr.fill_missing(np.array([curve]), "strict"), [curve])


def test_filling_leaves_the_input_alone():
    curve = np.array([[NAN, 0.5]])
    tr.fill_missing(curve, "backfill-one")
    assert np.isnan(curve[0, 0])


def test_unknown_rule_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'backfill-one'"):
        tr.fill_missing(np.array([[1.0]]), "backfil-one")


def test_mean_curve_is_over_complete_curves_after_filling():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 2), ("b", 1, 4, 4), ("c", 0, 4, 4)]
    curves = tr.curves(table(rows), ["a", "b", "c", "d"])
    # a: 0, .5; b: filled 1, 1; c lacks the last epoch and d every epoch: they do not count
    np.testing.assert_array_equal(curves.mean, [(0 + 1) / 2, (0.5 + 1) / 2])
    np.testing.assert_array_equal(curves.usable, [True, True, False, False])
    assert curves.reason == ["", "", tr.INCOMPLETE, tr.NOT_SAMPLED]


def test_strict_drops_what_backfill_keeps():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 2), ("b", 1, 4, 4)]
    curves = tr.curves(table(rows), ["a", "b"], missing="strict")
    np.testing.assert_array_equal(curves.usable, [True, False])
    np.testing.assert_array_equal(curves.mean, [0, 0.5])


def test_nothing_usable_gives_a_mean_of_nan():
    curves = tr.curves(table([("a", 1, 4, 0), ("b", 0, 4, 1)]), ["a", "b"], missing="strict")
    assert np.isnan(curves.mean).all()


def test_solved_never_sometimes_always_counts_samples_over_all_epochs():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 0), ("b", 0, 4, 4), ("b", 1, 4, 3), ("c", 0, 4, 4)]
    solved = tr.solved(table(rows)).set_index("problem_id")["solved"]
    assert solved.to_dict() == {"a": "never", "b": "sometimes", "c": "always"}
