"""Samples, accuracy and the rules for missing epochs, on cases worked by hand."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from limr.core import validation
from limr.core.errors import InputError
from limr.core.tables import TRAJECTORIES
from limr.core.validation import choices
from limr.scores.selectors import lim
from limr.trajectories import curves as tr
from second_opinion import fill

NAN = np.nan


class WithEpochs(validation.Keys):
    epochs: tr.Epochs = None


def table(rows):
    """Rows (problem_id, epoch, n, n_correct)."""
    columns = list(zip(*rows, strict=True)) or [[]] * 4
    return pa.table([*columns, [0.0] * len(rows)], schema=TRAJECTORIES)


def curves(rows, ids, **options):
    return tr.curves(tr.samples(table(rows), ids), **options)


def reasons(found):
    """The reason of each problem, "" where it is usable; no problem has two."""
    texts = [
        [text for text, which in found.reasons.items() if which[i]]
        for i in range(len(found.usable))
    ]
    assert all(len(text) < 2 for text in texts)
    return [text[0] if text else "" for text in texts]


def test_samples_are_counts_by_problem_and_epoch_and_an_absent_row_is_zero():
    rows = [("a", 0, 8, 2), ("a", 2, 4, 4), ("b", 1, 8, 0)]
    samples = tr.samples(table(rows), ["b", "a", "c"])
    np.testing.assert_array_equal(samples.n, [[0, 8, 0], [8, 0, 4], [0, 0, 0]])
    np.testing.assert_array_equal(samples.n_correct, [[0, 0, 0], [2, 0, 4], [0, 0, 0]])
    assert samples.n_epochs == 3


def test_accuracy_is_n_correct_over_n_and_an_absent_row_is_nan():
    rows = [("a", 0, 8, 2), ("a", 2, 4, 4), ("b", 1, 8, 0)]
    matrix = tr.samples(table(rows), ["b", "a", "c"]).accuracy
    expected = [[NAN, 0, NAN], [2 / 8, NAN, 4 / 4], [NAN, NAN, NAN]]
    np.testing.assert_array_equal(matrix, expected)


def test_pass_rate_counts_samples_and_not_epochs():
    rows = [("a", 0, 8, 2), ("a", 2, 4, 4), ("b", 1, 8, 0)]
    samples = tr.samples(table(rows), ["b", "a", "c"])
    np.testing.assert_array_equal(samples.pass_rate, [0, 6 / 12, NAN])  # a: not (1/4 + 1) / 2


def test_the_order_of_rows_and_the_kind_of_ids_do_not_matter():
    rows = [("a", 0, 8, 2), ("a", 2, 4, 4), ("b", 1, 8, 0)]
    first = tr.samples(table(rows), ["b", "a"])
    second = tr.samples(table(rows[::-1]), pa.array(["b", "a"]))
    np.testing.assert_array_equal(first.n, second.n)
    np.testing.assert_array_equal(first.n_correct, second.n_correct)


def test_first_epochs_only():
    rows = [("a", 0, 8, 2), ("a", 1, 8, 8)]
    samples = tr.samples(table(rows), ["a"])
    np.testing.assert_array_equal(samples.first(1).accuracy, [[0.25]])
    assert samples.first(None) is samples
    np.testing.assert_array_equal(samples.first(2).n, samples.n)


def test_more_epochs_than_recorded_is_an_error_that_says_how_many():
    samples = tr.samples(table([("a", 0, 8, 2), ("a", 1, 8, 8)]), ["a"])
    with pytest.raises(InputError, match="3 epochs are asked for, 2 are recorded"):
        samples.first(3)
    with pytest.raises(InputError, match="3 epochs are asked for, 2 are recorded"):
        tr.curves(samples, 3)


def test_epochs_from_the_end_and_a_range():
    samples = tr.samples(table([("a", k, 8, k) for k in range(5)]), ["a"])
    assert samples.within(2).n_correct.tolist() == [[0, 1]]
    assert samples.within({"last": 2}).n_correct.tolist() == [[3, 4]]
    assert samples.within({"from": 2, "to": 3}).n_correct.tolist() == [[1, 2]]
    for epochs in ({"last": 6}, {"from": 2, "to": 6}):
        with pytest.raises(InputError, match="epochs: 6 epochs are asked for, 5 are recorded"):
            samples.within(epochs)


def test_the_last_epochs_of_a_log_that_ends_within_one():
    """Curves take the last whole epochs, pass rates what was sampled since then too."""
    whole = tr.samples(table([(key, k, 8, k) for key in "ab" for k in range(4)]), ["a", "b"])
    n = np.hstack([whole.n, [[8], [0]]])
    samples = tr.Samples(n, np.hstack([whole.n_correct, [[6], [0]]]), whole=4)
    used = samples.within({"last": 2})
    assert used.n_correct.tolist() == [[2, 3, 6], [2, 3, 0]]
    assert used.pass_rate.tolist() == [11 / 24, 5 / 16]
    assert tr.curves(samples, {"last": 2}).accuracy.tolist() == [[0.25, 0.375]] * 2
    assert tr.curves(samples, {"last": 4}).accuracy.shape == (2, 4)
    assert tr.curves(samples).accuracy.shape == (2, 4)
    with pytest.raises(InputError, match="epochs: 5 epochs are asked for, 4 are recorded"):
        samples.within({"last": 5})


@pytest.mark.parametrize(
    ("epochs", "message"),
    [
        ({"last": 0}, "'epochs': 0 is less than the minimum of 1"),
        ({"lst": 3}, r"'epochs' has the keys \['lst'\]: give {last: K}, or {from: A, to: B}"),
        ({"from": 3}, r"'epochs' has the keys \['from'\]: give {last: K}, or {from: A, to: B}"),
        ({"from": 3, "to": 2}, "'epochs': from 3 lies after to 2. Swap them"),
        (
            {"last:3": None},
            r"'epochs' has the keys \['last:3'\]: .*, with a blank after each colon",
        ),
        ({"last": 2.5}, "'epochs' must be a whole number or a mapping or null"),
    ],
)
def test_epochs_that_are_no_range_are_refused(epochs, message):
    with pytest.raises(InputError, match=message):
        validation.complete({"epochs": epochs}, WithEpochs, "here")


def test_a_problem_that_is_not_known_is_an_error():
    with pytest.raises(InputError, match="'zz' is not among the problems"):
        tr.samples(table([("a", 0, 8, 1), ("zz", 0, 8, 2)]), ["a"])


def test_no_rows_is_an_error():
    with pytest.raises(InputError, match="no rows"):
        tr.samples(table([]), ["a"])


@pytest.mark.parametrize(
    ("curve", "backfill_one", "backfill", "mean_of_present"),
    [
        ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.2, 0.3]),
        # one missing: the next epoch's value
        ([NAN, 0.2, 0.4], [0.2, 0.2, 0.4], [0.2, 0.2, 0.4], [0.3, 0.2, 0.4]),
        ([0.1, NAN, 0.3], [0.1, 0.3, 0.3], [0.1, 0.3, 0.3], [0.1, 0.2, 0.3]),
        # the last one has no next
        ([0.1, 0.3, NAN], [0.1, 0.3, NAN], [0.1, 0.3, NAN], [0.1, 0.3, 0.2]),
        # two in a row: only the second, both, both
        ([NAN, NAN, 0.3], [NAN, 0.3, 0.3], [0.3, 0.3, 0.3], [0.3, 0.3, 0.3]),
        ([0.5, NAN, NAN, NAN, 0.3], [0.5, NAN, NAN, 0.3, 0.3], [0.5, 0.3, 0.3, 0.3, 0.3],
         [0.5, 0.4, 0.4, 0.4, 0.3]),
        ([NAN, 0.2, NAN], [0.2, 0.2, NAN], [0.2, 0.2, NAN], [0.2, 0.2, 0.2]),
        ([NAN, NAN], [NAN, NAN], [NAN, NAN], [NAN, NAN]),
        ([NAN], [NAN], [NAN], [NAN]),
    ],
)  # fmt: skip
def test_rules_for_missing_epochs_by_hand(curve, backfill_one, backfill, mean_of_present):
    def filled(rule):
        [row] = tr.fill_missing(np.array([curve]), rule)
        return row

    np.testing.assert_array_equal(filled("backfill-one"), backfill_one)  # one step deep
    np.testing.assert_array_equal(filled("backfill"), backfill)
    np.testing.assert_allclose(filled("mean-of-present"), mean_of_present, atol=1e-15)
    np.testing.assert_array_equal(filled("strict"), curve)


@settings(deadline=None)
@given(
    st.integers(1, 9).flatmap(
        lambda epochs: st.lists(
            st.lists(st.none() | st.floats(0, 1), min_size=epochs, max_size=epochs),
            min_size=1,
            max_size=6,
        )
    ),
    st.sampled_from(tr.MISSING_RULES),
)
def test_rules_for_missing_epochs_written_again(rows, rule):
    matrix = np.array(rows, float)
    filled = tr.fill_missing(matrix, rule)
    expected = np.array([fill(row, rule) for row in rows], float)
    np.testing.assert_allclose(filled, expected, rtol=0, atol=1e-12)
    there = ~np.isnan(matrix)
    np.testing.assert_array_equal(filled[there], matrix[there])  # what was seen is not changed


def test_every_rule_fills_all_that_the_stricter_one_fills():
    gaps = np.random.default_rng(1).random((300, 6)) < 0.3
    matrix = np.where(gaps, NAN, 0.5)
    rules = ("strict", "backfill-one", "backfill", "mean-of-present")
    usable = [~np.isnan(tr.fill_missing(matrix, rule)).any(axis=1) for rule in rules]
    for fewer, more in pairwise(usable):
        assert (fewer <= more).all()
        assert fewer.sum() < more.sum()


@pytest.mark.parametrize("n", [3, 7, 10, 13])
def test_the_mean_of_equal_epochs_is_their_value_to_the_last_bit(n):
    """A constant curve with a gap stays constant, or its correlation would be rounding noise."""
    for correct in range(n + 1):
        for epochs in range(2, 12):
            row = np.full((1, epochs), correct / n)
            row[0, 1] = NAN
            assert np.ptp(tr.fill_missing(row, "mean-of-present")) == 0


@pytest.mark.parametrize("rule", tr.MISSING_RULES)
def test_filling_leaves_the_input_alone(rule):
    curve = np.array([[NAN, 0.5]])
    curve.flags.writeable = False
    filled = tr.fill_missing(curve, rule)
    np.testing.assert_array_equal(curve, [[NAN, 0.5]])
    assert (filled is curve) == (rule == "strict")  # nothing filled, nothing copied


def test_unknown_rule_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'backfill-one'"):
        tr.fill_missing(np.array([[1.0]]), "backfil-one")


def test_the_papers_rule_is_the_default():
    assert lim.Options.model_fields["missing"].default == tr.MISSING_RULES[0] == "backfill-one"
    assert choices(lim.Options, "missing") == list(tr.MISSING_RULES)


def test_mean_curve_is_over_complete_curves_after_filling():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 2), ("b", 1, 4, 4), ("c", 0, 4, 4)]
    found = curves(rows, ["a", "b", "c", "d"])
    # a: 0, .5; b: filled 1, 1; c lacks the last epoch and d every epoch: they do not count
    np.testing.assert_array_equal(found.mean, [(0 + 1) / 2, (0.5 + 1) / 2])
    np.testing.assert_array_equal(found.usable, [True, True, False, False])
    assert reasons(found) == ["", "", tr.INCOMPLETE, tr.NOT_SAMPLED]


def test_mean_curve_counts_problems_and_not_samples():
    rows = [("a", 0, 16, 16), ("b", 0, 2, 0)]
    np.testing.assert_array_equal(curves(rows, ["a", "b"]).mean, [0.5])  # not 16 / 18


def test_strict_drops_what_backfill_keeps():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 2), ("b", 1, 4, 4)]
    found = curves(rows, ["a", "b"], missing="strict")
    np.testing.assert_array_equal(found.usable, [True, False])
    np.testing.assert_array_equal(found.mean, [0, 0.5])


def test_a_problem_without_samples_in_the_first_epochs_was_not_sampled():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 2), ("b", 1, 4, 4)]
    assert reasons(curves(rows, ["a", "b"], epochs=1)) == ["", tr.NOT_SAMPLED]
    assert reasons(curves(rows, ["a", "b"], missing="strict")) == ["", tr.INCOMPLETE]


def test_nothing_usable_gives_a_mean_of_nan():
    rows = [("a", 1, 4, 0), ("b", 0, 4, 1)]
    found = curves(rows, ["a", "b"], missing="strict")
    assert found.mean.shape == (2,)
    assert np.isnan(found.mean).all()
    assert not found.usable.any()


def test_an_epoch_in_which_nothing_was_sampled_leaves_no_strict_curve():
    rows = [("a", 0, 4, 0), ("a", 2, 4, 4), ("b", 0, 4, 1), ("b", 2, 4, 1)]
    assert not curves(rows, ["a", "b"], missing="strict").usable.any()
    np.testing.assert_array_equal(curves(rows, ["a", "b"]).mean, [1 / 8, 5 / 8, 5 / 8])


def test_solved_never_sometimes_always_counts_samples_over_all_epochs():
    rows = [("a", 0, 4, 0), ("a", 1, 4, 0), ("b", 0, 4, 4), ("b", 1, 4, 3), ("c", 0, 4, 4)]
    assert tr.solved(table(rows)) == {"a": "never", "b": "sometimes", "c": "always"}
