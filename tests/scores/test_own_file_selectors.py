"""Selectors that read files of the user's own: external, two-anchor, diverse."""

import json
import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import second_opinion
from limr.core import plugins
from limr.core.errors import InputError
from limr.core.random_streams import stream
from limr.scores import diagnostics, scoring
from limr.scores.selectors import diverse, external, two_anchor
from limr.trajectories import curves as tr

NAN = math.nan


def samples(counts, n=8):
    """Samples of n each; None = not sampled."""
    correct = np.array([[c or 0 for c in row] for row in counts])
    return tr.Samples(np.array([[0 if c is None else n for c in row] for row in counts]), correct)


def run(selector, counts, **options):
    problems = scoring.ProblemSet([f"p{i}" for i in range(len(counts))], [None] * len(counts))
    return scoring.score(selector, problems, samples(counts), options, seed=1, name="x")


@pytest.fixture
def given_file(tmp_path):
    """Write a JSON file and return its path as a text."""

    def write(content, name="own.json"):
        (tmp_path / name).write_text(json.dumps(content))
        return str(tmp_path / name)

    return write


# external


def test_external_scores_are_the_files(given_file):
    found = run("external", [[1]] * 4, file=given_file({"p2": 3, "p0": -1.5, "p3": None, "zz": 0}))
    np.testing.assert_array_equal(found.values, [-1.5, NAN, 3, NAN])
    assert found.reasons[external.NOT_IN_FILE].tolist() == [False, True, False, False]
    assert found.reasons[external.NO_NUMBER].tolist() == [False, False, False, True]
    [note] = found.notes
    assert note.endswith("own.json: 1 of its 4 ids are no problem's: 'zz'.")


def test_external_without_a_file_or_any_known_id_is_refused(given_file):
    with pytest.raises(InputError, match="selector 'external' needs `file`"):
        run("external", [[1]])
    with pytest.raises(InputError, match="none of its 2 ids is a problem's: it has 'a', and"):
        run("external", [[1]], file=given_file({"b": 1, "a": 2}))


def test_external_needs_no_samples_and_a_changed_file_is_read_again(given_file):
    problems = scoring.ProblemSet(["a"], [None])
    for value in (1.0, 20.0):
        options = {"file": given_file({"a": value, "b": 0})}
        found = scoring.score("external", problems, None, options, seed=1, name="x")
        assert found.values.tolist() == [value]


# two-anchor


def anchors(given_file, weaker, stronger):
    def named(rates):
        return {f"p{i}": rate for i, rate in enumerate(rates)}

    return {
        "weaker": given_file(named(weaker), "weaker.json"),
        "stronger": given_file(named(stronger), "stronger.json"),
    }


def test_two_anchor_by_hand(given_file):
    # Visits of p0 only: .5 and .75, anchors .25 and .75: c = (.25 + .5) / (.5 + .5) = .75
    found = run(
        "two-anchor",
        [[4, 6], [None, None], [None, None]],
        **anchors(given_file, [0.25, 0.0, 0.5], [0.75, 0.4, 0.5]),
    )
    assert found.values.tolist() == pytest.approx([-0.125, -0.2, 0])
    assert (
        found.notes[0] == "The model stands at 0.75 of the way from the weaker to the stronger one."
    )
    beyond = run("two-anchor", [[8], [8], [8]], **anchors(given_file, [0.1] * 3, [0.6] * 3))
    assert beyond.notes[-1].startswith("That is beyond the stronger one: rates are extrapolated")
    assert beyond.values.tolist() == pytest.approx([-0.5] * 3)
    latest = run(
        "two-anchor",
        [[4, 6], [None, None], [None, None]],
        epochs={"last": 1},
        **anchors(given_file, [0.25, 0.0, 0.5], [0.75, 0.4, 0.5]),
    )
    assert latest.values.tolist() == pytest.approx([-0.25, -0.1, 0])  # c = 1


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 10**6))
def test_two_anchor_equals_the_second_opinion(seed, tmp_path_factory):
    rng = stream(seed, "test")
    n, epochs = int(rng.integers(1, 9)), int(rng.integers(1, 5))
    counts = rng.integers(0, 9, (n, epochs)).tolist()
    counts = [[None if rng.random() < 0.3 else c for c in row] for row in counts]
    weaker, stronger = rng.integers(0, 9, (2, n)) / 8
    stronger[0], weaker[0] = 1.0, 0.0
    counts[0][0] = 3
    rates = [
        [None if i and rng.random() < 0.2 else float(rate) for i, rate in enumerate(of_model)]
        for of_model in (weaker, stronger)
    ]
    rows = [[None if c is None else (8, c) for c in row] for row in counts]
    folder = tmp_path_factory.mktemp("anchors")

    def write(content, name):
        (folder / name).write_text(json.dumps(content))
        return str(folder / name)

    options = anchors(write, *rates)
    for crossed in ("keep", "drop"):
        try:
            expected = second_opinion.two_anchor(rows, *rates, crossed=crossed, target=0.4)
        except ZeroDivisionError:
            expected = None
        try:
            found = run("two-anchor", counts, crossed=crossed, target=0.4, **options)
        except InputError as error:
            assert "the anchors cross" in str(error)
            continue
        np.testing.assert_allclose(found.values, expected, atol=1e-12)
        scored = found.values[~np.isnan(found.values)]
        assert ((scored >= -1) & (scored <= 0)).all()
        count = sum(which.astype(int) for which in found.reasons.values())
        np.testing.assert_array_equal(count, np.isnan(found.values))


def test_anchors_that_cross(given_file):
    with pytest.raises(
        InputError, match=r"mean pass rate is 0.550 over the visits, the weaker one"
    ):
        run("two-anchor", [[4], [4]], **anchors(given_file, [0.5, 0.6], [0.9, 0.2]))
    options = anchors(given_file, [0.1, 0.6], [0.9, 0.2])
    kept, dropped = (run("two-anchor", [[4], [4]], crossed=c, **options) for c in ("keep", "drop"))
    assert kept.notes[-1].endswith("lies above the stronger one's for 1 of 2 problems.")
    assert np.isnan(dropped.values).tolist() == [False, True]
    assert dropped.reasons[two_anchor.CROSSED].tolist() == [False, True]
    assert kept.values[0] == dropped.values[0]  # it still counts in c


def test_two_anchor_refuses(given_file):
    good = anchors(given_file, [0.1], [0.9])
    with pytest.raises(InputError, match="needs `stronger`"):
        run("two-anchor", [[4]], weaker=good["weaker"])
    with pytest.raises(InputError, match="are the same rates"):
        run("two-anchor", [[4]], weaker=good["weaker"], stronger=good["weaker"])
    with pytest.raises(InputError, match=r"stronger.json: 'p0': 1.5 is no pass rate from 0 to 1"):
        run("two-anchor", [[4]], **anchors(given_file, [0.1], [1.5]))
    with pytest.raises(InputError, match="no problem was sampled that both models have a rate of"):
        run("two-anchor", [[None], [4]], **anchors(given_file, [0.1, None], [0.9, 0.5]))


def test_both_rates_may_be_columns_of_one_file(tmp_path):
    path = tmp_path / "rates.csv"
    path.write_text("id,small,large\np0,0.25,0.75\np1,0,1\n")
    columns = {"weaker_column": "small", "stronger_column": "large"}
    found = run("two-anchor", [[4], [4]], weaker=str(path), stronger=str(path), **columns)
    assert found.values.tolist() == [0, 0]


# diverse


def test_diverse_by_hand():
    # One epoch: rates 0, .125, .5, 1; mean .406: .5 first, then 0 and 1 are as far: the first id
    found = run("diverse", [[8], [0], [4], [1]], size=3)
    assert found.values.tolist() == pytest.approx([2 / 3, 1 / 3, 1, 0])
    assert run("diverse", [[8], [0], [4], [1]], size=1).values.tolist() == [0, 0, 1, 0]
    assert run("diverse", [[8]] * 12).values.tolist().count(0) == 10  # a sixth of 12


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_diverse_equals_the_second_opinion_whatever_the_order(seed):
    rng = stream(seed, "test")
    n, epochs, size = int(rng.integers(1, 12)), int(rng.integers(1, 4)), int(rng.integers(1, 14))
    counts = rng.integers(0, 5, (n, epochs)).tolist()
    ids = [f"p{i}" for i in rng.permutation(30)[:n]]
    curves = {key: [c / 4 for c in row] for key, row in zip(ids, counts, strict=True)}
    expected = second_opinion.farthest_first(curves, size)
    for order in (range(n), rng.permutation(n)):
        problems = scoring.ProblemSet([ids[i] for i in order], [None] * n)
        taken = samples([counts[i] for i in order], n=4)
        found = scoring.score("diverse", problems, taken, {"size": size}, seed=1, name="x")
        assert dict(zip(problems.problem_ids, found.values, strict=True)) == pytest.approx(expected)


def test_a_smaller_choice_is_the_beginning_of_a_larger_one():
    counts = stream(2, "test").integers(0, 9, (40, 6)).tolist()
    large, small = (run("diverse", counts, size=size).values for size in (20, 5))
    assert set(np.argsort(-large)[:5]) == set(np.flatnonzero(small))


@pytest.mark.parametrize("window", [2, 7, 500])
def test_diverse_takes_the_same_curves_by_products_and_by_axes(monkeypatch, window):
    """Also where many curves are equal, or no count fits, and however many are looked at apart."""
    monkeypatch.setattr(diverse, "_WINDOW", window)
    rng = stream(9, "diverse")
    for n, most in ((7, 3), (8, 9), (11, 12)):
        curves = rng.integers(0, most, (120, 4)) / n
        expected = diverse.farthest_first(curves, 120)
        for samples_each in (n, n - 1):  # counts in single precision; shares in double
            found = diverse.farthest_first(curves, 120, samples_each)
            np.testing.assert_array_equal(found, expected)
        assert sorted(expected) == list(range(120))


def test_diverse_leaves_incomplete_curves_out():
    found = run("diverse", [[4, None], [4, 4], [8, 8]], size=3)
    assert np.isnan(found.values).tolist() == [True, False, False]
    assert found.reasons[tr.INCOMPLETE].tolist() == [True, False, False]
    nothing = run("diverse", [[None], [None]], size=1)
    assert np.isnan(nothing.values).all()


def test_diverse_by_embeddings_in_either_file(tmp_path):
    vectors = np.array([[0, 0], [0, 3], [0, 1], [9, 9]], np.float64)
    np.save(tmp_path / "v.npy", vectors)
    (tmp_path / "ids.txt").write_text("p2\np0\np1\nzz\n")
    (tmp_path / "ids.json").write_text('["p2", "p0", "p1", "zz"]')
    table = {"id": ["p2", "p0", "p1", "zz"], "embedding": vectors.tolist()}
    pq.write_table(pa.table(table), tmp_path / "v.parquet")
    npy = str(tmp_path / "v.npy")
    for options in (
        {"embeddings": npy, "ids": str(tmp_path / "ids.txt")},
        {"embeddings": npy, "ids": str(tmp_path / "ids.json")},
        {"embeddings": str(tmp_path / "v.parquet")},
    ):
        found = run("diverse", [[4]] * 4, size=2, **options)
        # p1 (0, 1) is nearest to the mean (0, 4/3), p0 (0, 3) farthest from it
        np.testing.assert_array_equal(found.values, [0.5, 1, 0, NAN])
        assert found.reasons[diverse.NO_EMBEDDING].tolist() == [False, False, False, True]
        assert "1 of its 4 ids are no problem's: 'zz'" in found.notes[0]


def test_diverse_that_would_take_too_long_is_refused(monkeypatch):
    monkeypatch.setattr(diverse, "MOST_STEPS", 100)
    counts = [[4, 4, 4, 4, 4]] * 10
    assert run("diverse", counts, size=2).values.max() == 1
    with pytest.raises(InputError, match=r"3 of 10 problems in 5 dimensions .* size of at most 2,"):
        run("diverse", counts, size=3)


# all three


@pytest.mark.parametrize("name", ["two-anchor", "diverse"])
def test_their_certainty_is_diagnosed_like_any_selectors(name, given_file):
    options = {"diverse": {"size": 4}, "two-anchor": None}[name]
    options = options or anchors(given_file, [0.1] * 12, [0.9] * 12)
    counts = stream(3, "test").integers(0, 9, (12, 5))
    problems = scoring.ProblemSet([f"p{i}" for i in range(12)], [None] * 12)
    of = diagnostics.subject(problems, samples(counts.tolist()), name, options, seed=1, name="x")
    rng = stream(1, "test")
    cut = diagnostics.cut_best(of, 4, rng)
    assert diagnostics.problem_table(of, cut, 20, 0.95, rng).num_rows == 12
    assert diagnostics.epoch_table(of, cut, 0.95).num_rows == 5


def test_options_of_files_exist():
    for name in plugins.names("selectors"):
        module = plugins.load("selectors", name)
        assert set(getattr(module, "OWN_FILES", ())) <= set(
            module.Options.model_fields if hasattr(module, "Options") else ()
        )
